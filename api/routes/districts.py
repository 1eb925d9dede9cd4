"""The districts: each has one address, with its figures, its offices and all that the layers have within it."""

from __future__ import annotations

import json
from typing import Any

import shapely
from fastapi import APIRouter, Request
from starlette.responses import Response

from api import cards, districts, params
from api.answers import bytes_answer, dumps
from api.downloads import formats
from api.links import FEATURE_TYPES, GEOJSON, HTML, JSON, Links, link, link_header, on_map
from api.maps.description import maps_of
from api.negotiation import Reader, format_of
from api.pages import page
from api.pictures import shared_url
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from api.routes.items import Asked, features_answer, known, page_of
from api.sketches import sketch, surroundings
from geo.bbox import BBox
from geo.errors import NotFound
from layers.catalogue import DISTRICTS, PublishedLayer
from layers.queries import item_statement

router = APIRouter()


@router.api_route("/districts", methods=["GET", "HEAD"])
async def listed(request: Request, reader: ReaderDep) -> Response:
    """Answer with the districts: the items of their collection, or a list with a map for people."""
    state = state_of(request)
    layer = state.catalogue.layer(DISTRICTS)
    given = params.read(request, known(layer))
    wanted = format_of(request, "json", "html", *formats()[1:])
    asked = Asked(layer, given, given, (DISTRICTS,))
    if wanted != "html":
        return await features_answer(request, asked, reader, wanted)
    query = {"limit": str(districts.MOST), "sortby": f"name_{reader.lang}"}
    _, got = await page_of(request, Asked(layer, given, query, asked.path))
    box = layer.extent or BBox(-180, -85, 180, 85)
    return page(
        request,
        "districts.html",
        reader.lang,
        rows=[_row(state_of(request), layer, feature, reader) for feature in json.loads(b"[" + got.features + b"]")],
        picture=await sketch(state, box, reader.lang, [layer], margin=0.02),
    )


def _row(state: Any, layer: PublishedLayer, feature: dict[str, Any], reader: Reader) -> dict[str, Any]:
    """Return a district's names and its figures."""
    figures = []
    for field in layer.definition.fields:
        value = feature["properties"][field.name]
        if field.type in ("integer", "number") and value is not None:
            figures.append((field.label[reader.lang], cards.cell(reader.t, field, value, state)))
    return {"id": feature["id"], "name": feature["properties"][f"name_{reader.lang}"], "figures": figures[:1]}


@router.api_route("/districts/{code}", methods=["GET", "HEAD"])
async def district(request: Request, code: str, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with one district: its page, or its GeoJSON with what there is within it."""
    params.read(request)
    state = state_of(request)
    layer = state.catalogue.layer(DISTRICTS)
    key = params.path_id(code, "districtCode")
    wanted = format_of(request, "json", "html")
    row = await state.database.row(item_statement(layer), id=key)
    if row is None or key not in state.catalogue.districts:
        raise NotFound("feature.unknown", parameter="districtCode", value=key[:80], collection=layer.id)
    if wanted == "html":
        return await _page(request, layer, key, json.loads(row["feature"]), reader, links)
    itself = links.url(DISTRICTS, key)
    found = [
        link("canonical", itself, GEOJSON),
        link("self", f"{itself}?f=json", GEOJSON),
        link("alternate", f"{itself}?f=html", HTML),
        link("collection", links.url("collections", DISTRICTS), JSON),
    ]
    more = {
        **await districts.offices(state, key, reader, links),
        "categories": await districts.categories(state, key, reader),
        "contents": await districts.contents(state, key, reader, links),
        "links": found,
    }
    body = row["feature"][:-1] + b"," + dumps(more)[1:]
    return bytes_answer(body, reader, media_type=GEOJSON, headers={"Link": link_header(found)})


async def _page(
    request: Request, layer: PublishedLayer, key: str, feature: dict[str, Any], reader: Reader, links: Links
) -> Response:
    state = state_of(request)
    inside = Links(state.settings.base_path)
    card = await cards.feature_card(state, layer, key, reader, inside)
    offices = await districts.offices(state, key, reader, inside)
    box = BBox(*shapely.from_geojson(json.dumps(feature["geometry"])).bounds)
    picture = await sketch(state, box, reader.lang, surroundings(state))
    return page(
        request,
        "district.html",
        reader.lang,
        canonical=links.url(DISTRICTS, key),
        image=shared_url(state, reader.lang, f"district-{key}"),
        card=card,
        described=cards.describe(
            card["title"], card["subtitle"], feature["properties"].get(f"prefecture_{reader.lang}"), reader.t
        ),
        code=key,
        own_map=own if (own := f"district-{key}") in maps_of(state.catalogue) else None,
        picture=picture,
        shown=on_map(inside, reader.lang, (picture.zoom, picture.lat, picture.lon), f"{layer.id}/{key}"),
        offices=offices["offices"],
        administrations=offices["administrations"],
        categories=await districts.categories(state, key, reader),
        contents=await districts.contents(state, key, reader, inside),
        today=districts.today(state),
        forms={FEATURE_TYPES[form]: form for form in districts.DOWNLOADS},
    )
