"""Everything about a place: its district, from memory, and the features of the layers that are there."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params, questions
from api.answers import bytes_answer, dumps
from api.links import GEOJSON, HTML, Link, Links, link, link_header
from api.negotiation import Reader, format_of
from api.pages import page
from api.questions import Place
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from api.routes.items import content_crs
from api.routes.nearest import written_distance
from layers.catalogue import DISTRICTS, Catalogue, PublishedLayer
from layers.places import DEFAULT_AT, MAX_AT, AtShape, at_statement
from layers.queries import placed_in

router = APIRouter()
KNOWN = questions.PLACE | questions.SELECT | {"tolerance", "limit", "crs", "skipGeometry"}


def canonical(layer: PublishedLayer, key: str, entry: str | None, links: Links) -> str:
    """Return the address of a feature: its page of the annuaire where it is a place, else its own."""
    if entry and layer.definition.places:
        return links.url("directory", entry)
    return links.url("collections", layer.id, "items", key)


def _district(catalogue: Catalogue, code: str | None, reader: Reader, links: Links) -> dict[str, object] | None:
    if code is None:
        return None
    name = catalogue.districts.get(code)
    known = {"name": name[reader.lang], "name_fr": name.fr, "name_ar": name.ar} if name else {}
    return {
        "code": code,
        **known,
        "links": [link("canonical", links.url("collections", DISTRICTS, "items", code), GEOJSON)],
    }


@router.api_route("/at", methods=["GET", "HEAD"])
async def at(request: Request, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with what there is at a place."""
    state = state_of(request)
    given = params.read(request, KNOWN)
    wanted = format_of(request, "json", "html")
    catalogue: Catalogue = state.catalogue
    place = questions.place_of(given)
    assert place is not None, "there is no other way to name it"
    layers = questions.layers_of(given, catalogue, areas=True)
    chosen, values = questions.choose(layers, given, state.settings.zone, catalogue)
    count = params.limit_of(given.get("limit"), DEFAULT_AT, MAX_AT)
    values |= {"tolerance": questions.tolerance_of(given), "page": count, "max_bytes": state.settings.max_bytes}
    output = questions.output_of(given, layers)
    rows: list[Any] = []
    if chosen:
        statement = at_statement(AtShape(chosen, output, place.srid))
        with placed_in(output):
            rows = await state.database.rows(statement, **values, x=place.x, y=place.y)
    locator = await state.locator.current(catalogue)
    code = locator.locate(place.lon, place.lat)
    there = [(layers[row["layer"]], row) for row in rows if row["n"] <= count and row["feature"] is not None]
    if wanted == "html":
        return _page(request, reader, place, code, there, len(there) < len(rows))
    here = {name: value for name, value in given.items() if name != "f"}
    found: list[Link] = [
        link("self", links.url("at", **here, f="json"), GEOJSON),
        link("alternate", links.url("at", **here, f="html"), HTML),
    ]
    head: dict[str, object] = {
        "type": "FeatureCollection",
        "place": {"lon": place.lon, "lat": place.lat},
        "district": _district(catalogue, code, reader, links),
        "numberReturned": len(there),
    }
    if len(there) < len(rows):
        head["truncated"] = True
    features = [
        row["feature"][:-1]
        + b',"links":'
        + dumps([link("canonical", canonical(layer, row["id"], row["entry_id"], links), GEOJSON)])
        + b"}"
        for layer, row in there
    ]
    body = dumps({**head, "links": found})[:-1] + b',"features":[' + b",".join(features) + b"]}"
    headers = {**content_crs(output), "Link": link_header(found)}
    return bytes_answer(body, reader, media_type=GEOJSON, headers=headers)


def _page(
    request: Request, reader: Reader, place: Place, code: str | None, there: list[tuple[PublishedLayer, Any]], cut: bool
) -> Response:
    state = state_of(request)
    links = Links(state.settings.base_path)
    rows = []
    for layer, row in there:
        feature = json.loads(row["feature"])
        rows.append(
            {
                "href": canonical(layer, row["id"], row["entry_id"], links) + f"?f=html&lang={reader.lang}",
                "name": feature["properties"][f"name_{reader.lang}"],
                "layer": layer.definition.title[reader.lang],
                "distance": written_distance(reader, feature["distance"]) if feature["distance"] >= 0.5 else "",
            }
        )
    return page(
        request,
        "at.html",
        reader.lang,
        rows=rows,
        cut=cut,
        place=questions.written_place(place),
        point=f"{place.lon:.6f},{place.lat:.6f}",
        district=state.catalogue.districts.get(code) if code else None,
        code=code,
        here={name: value for name, value in request.query_params.items() if name not in ("f", "lang")},
    )
