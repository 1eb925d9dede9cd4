"""The features of a collection (OGC API - Features Part 1, 7.15 and 7.16): bytes from PostGIS to the socket."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from dataclasses import field as member
from functools import lru_cache
from typing import cast
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import cards, params
from api.answers import bytes_answer, dumps, json_answer
from api.downloads import CSV, GONE, Download, Written, crs_member, csv_options, file_chunks, formats, while_there
from api.hot import Route
from api.links import FEATURE_TYPES, GEOJSON, HTML, JSON, Link, Links, link, link_header, on_map, query_text
from api.negotiation import Reader, format_of, reader_of
from api.pages import page
from api.routes.dependencies import LayerDep, ReaderDep, absolute, layer_of, state_of
from api.state import State
from geo.errors import NotFound
from layers.catalogue import PublishedLayer
from layers.export import FILES, Format
from layers.pages import Page, read_page
from layers.queries import ItemsShape, Output, Sort, item_statement, placed_in

router = APIRouter()
#: Stand for a page's own address, and that of a directory entry, in links that are written once.
_HERE, _ENTRY = "\ue000", "\ue001"
#: Longest header of links, in characters: proxies have 4 kB for all headers together.
_LONGEST_HEADER = 3000
FORMATS = ("json", "html", *formats()[1:])


def content_crs(output: Output) -> dict[str, str]:
    """Return the header that names the CRS of an answer (OGC API - Features Part 2, 6.3)."""
    return {"Content-Crs": f"<{output.crs.uri}>"}


@dataclass(slots=True)
class Asked:
    """A request for features.

    Parameters
    ----------
    layer : PublishedLayer
    given : dict of str
        The request's parameters, as they stand in links.
    query : dict of str
        The same as parameters of items.
    path : tuple of str
        The parts of the address at which it was asked.
    more : tuple of conditions
        What must hold beside the filter, as CQL2-JSON.
    counts : dict of int
        Numbers to tell beside those of features, by their names in GeoJSON.
    """

    layer: PublishedLayer
    given: dict[str, str]
    query: dict[str, str]
    path: tuple[str, ...]
    more: tuple[params.Condition, ...] = ()
    counts: dict[str, int] = member(default_factory=dict)


@dataclass(slots=True)
class _Written:
    """Links as JSON and as a header."""

    json: str
    header: str


class _Template:
    """Links written once, but for the address that differs."""

    def __init__(self, links: list[Link], short: list[Link]) -> None:
        self._json = dumps(links).decode().split(_HERE)
        self._header = link_header(short).split(_HERE)

    def at(self, address: str) -> _Written:
        """Return the links at an address, which is quoted, so that nothing in it has to be escaped in JSON."""
        return _Written(address.join(self._json), address.join(self._header))


@lru_cache(maxsize=512)
def _links_of_pages(form: str, collection: str) -> tuple[_Template, _Template, str]:
    """Return the links that all pages of a collection have, that to the next page, and the collection's header.

    The header has none to other formats: there are many, and proxies have 4 kB for all headers together.
    """
    types = {**FEATURE_TYPES, "html": HTML}
    itself = link("self", f"{_HERE}f={form}", types[form])
    others = [link("alternate", f"{_HERE}f={other}", types[other]) for other in types if other != form]
    above = link("collection", collection, JSON)
    following = link("next", f"{_HERE}&f={form}", types[form])
    all_pages = _Template([itself, *others, above], [itself, above])
    return all_pages, _Template([following], [following]), link_header([above])


def _page_links(asked: Asked, links: Links, got: Page, sort: tuple[Sort, ...], form: str = "json") -> _Written:
    """Return the links of a page: itself and the next one in its format, the others as alternates."""
    given = asked.given
    here = {name: value for name, value in given.items() if name not in ("f", "cursor")}
    itself = links.url(*asked.path)
    first = f"{itself}?{query_text(here)}&" if here else f"{itself}?"
    all_pages, following, short = _links_of_pages(form, links.url("collections", asked.layer.id))
    found = all_pages.at(f"{first}cursor={given['cursor']}&" if "cursor" in given else first)
    if not got.more:
        return found if len(found.header) <= _LONGEST_HEADER else _Written(found.json, short)
    after = following.at(f"{first}cursor={params.make_cursor(got.last, sort)}")
    header = f"{found.header}, {after.header}"
    if len(header) > _LONGEST_HEADER:
        # A filter as long as proxies and clients don't take: what is in the body, and can be done without, goes.
        header = short if form in ("json", "html") else after.header
    return _Written(f"{found.json[:-1]},{after.json[1:]}", header)


async def items(request: Request, collection: str) -> Response:
    """Answer with a page of features."""
    layer, reader = layer_of(request, collection), reader_of(request)
    given = params.read(request, known(layer))
    wanted = format_of(request, *FORMATS)
    asked = Asked(layer, given, given, ("collections", layer.id, "items"))
    if wanted == "html":
        shape, got = await page_of(request, asked)
        return _items_page(request, layer, reader, given, shape, got)
    return await features_answer(request, asked, reader, wanted)


@lru_cache(maxsize=256)
def known(layer: PublishedLayer) -> frozenset[str]:
    """Return the parameters of a request for a layer's features."""
    return (params.ITEMS | CSV).union(params.equalities(layer))


def _query(request: Request, asked: Asked) -> tuple[ItemsShape, dict[str, object]]:
    state, layer = state_of(request), asked.layer
    if not CSV.isdisjoint(asked.query):
        csv_options(layer, asked.query)  # wrong in every format, of use in one
    settings, districts = state.settings, state.catalogue.districts
    return params.items_query(layer, asked.query, settings.zone, settings.max_bytes, districts, asked.more)


async def page_of(request: Request, asked: Asked) -> tuple[ItemsShape, Page]:
    """Return the page of features that is asked for, as GeoJSON texts."""
    shape, values = _query(request, asked)
    return shape, await read_page(state_of(request).database, asked.layer, shape, values)


async def features_answer(request: Request, asked: Asked, reader: Reader, wanted: str) -> Response:
    """Answer with a page of features in one of the formats of :func:`formats`."""
    state, layer, links = state_of(request), asked.layer, absolute(request)
    shape, values = _query(request, asked)
    if wanted != "json":
        written = Written(layer, cast("Format", wanted), shape, asked.query)
        return await _page_as(request, asked, written, reader, values)
    got = await read_page(state.database, layer, shape, values)
    found = _page_links(asked, links, got, shape.sort)
    counts = f'"numberReturned":{got.returned}'
    if got.matched is not None:
        counts += f',"numberMatched":{got.matched}'
    elif got.estimate is not None:
        # Apart from the standard's member, which must be exact where it is given (Part 1, 7.16.4).
        counts += f',"numberMatchedEstimate":{got.estimate}'
    counts += "".join(f',"{name}":{count}' for name, count in asked.counts.items())
    now = dt.datetime.now(dt.UTC).isoformat()[:19]
    head = f'{{"type":"FeatureCollection",{counts},"timeStamp":"{now}Z",{_crs_text(shape.output)}"links":{found.json},'
    body = b"".join((head.encode(), b'"features":[', got.features, b"]}"))
    return bytes_answer(body, reader, media_type=GEOJSON, headers={**content_crs(shape.output), "Link": found.header})


@lru_cache(maxsize=64)
def _crs_text(output: Output) -> str:
    member = crs_member(output)
    return dumps(member).decode()[1:-1] + "," if member else ""


async def _page_as(
    request: Request, asked: Asked, written: Written, reader: Reader, values: dict[str, object]
) -> Response:
    """Answer with a page of features in another format; its links and numbers are in the headers."""
    state, layer = state_of(request), written.layer
    got = await read_page(state.database, layer, written.shape, values, written.lines)
    found = _page_links(asked, absolute(request), got, written.shape.sort, written.form)
    more = {"Link": found.header, "OGC-NumberReturned": str(got.returned)}
    if got.matched is not None:
        more["OGC-NumberMatched"] = str(got.matched)
    more |= {f"CasaMaps-{name[0].upper()}{name[1:]}": str(count) for name, count in asked.counts.items()}
    headers = written.headers(reader, more)
    features = got.features
    if written.form not in FILES:
        return Response(written.head + features, 200, headers, written.media_type)
    if request.method == "HEAD":
        return written.without_body(headers)

    async def block() -> AsyncGenerator[list[bytes]]:
        if features:
            yield [features]

    async with state.page_files:
        made = await while_there(request, written.file(reader, block(), parent=state.settings.export_dir))
    if made is None:
        return Response(None, GONE)
    headers["Content-Length"] = str(made.size)
    return Download(file_chunks(made), media_type=written.media_type, headers=headers)


def _items_page(
    request: Request, layer: PublishedLayer, reader: Reader, given: dict[str, str], shape: ItemsShape, got: Page
) -> Response:
    features = json.loads(b"[" + got.features + b"]")
    here = {name: value for name, value in given.items() if name not in ("f", "cursor")}
    following = {**here, "cursor": params.make_cursor(got.last, shape.sort)} if got.more else None
    # The first column leads to the feature, by its id where its name was not asked for.
    first, *others = cards.table_fields(layer.definition, reader.lang)
    fields = [first, *(field for field in others if shape.output.fields is None or field.name in shape.output.fields)]
    state = state_of(request)
    rows = [
        (feature["id"], [cards.cell(reader.t, field, feature["properties"].get(field.name), state) for field in fields])
        for feature in features
    ]
    return page(
        request,
        "items.html",
        reader.lang,
        layer=layer,
        definition=layer.definition,
        fields=fields,
        got=got,
        rows=rows,
        here=here,
        following=following,
    )


async def _shown(state: State, layer: PublishedLayer, card: cards.Card, reader: Reader, links: Links) -> str | None:
    """Return the address of the map with a feature's card open; None where it has no place."""
    if card["point"] is None:
        return None
    lon, lat = card["point"]
    entries = layer.definition.entries
    key = await cards.place_of(state, card["id"]) if entries else f"{layer.id}/{card['id']}"
    zoom = 16 if layer.definition.geometry.type == "Point" else 13
    return on_map(links, reader.lang, (zoom, lat, lon), key)


async def item(request: Request, collection: str, feature: str) -> Response:
    """Answer with one feature."""
    layer, reader, links = layer_of(request, collection), reader_of(request), absolute(request)
    given = params.read(request, params.OUTPUT)
    output = params.output_of(layer, given)
    state = state_of(request)
    key = params.path_id(feature, "featureId")
    if format_of(request, "json", "html") == "html":
        local = Links(state.settings.base_path)
        card = await cards.feature_card(state, layer, key, reader, local)
        return page(
            request,
            "feature.html",
            reader.lang,
            card=card,
            layer=layer,
            shown=await _shown(state, layer, card, reader, local),
            canonical=links.base + card["links"][0]["href"].removeprefix(state.settings.base_path),
        )
    with placed_in(output):
        row = await state.database.row(item_statement(layer, output), id=key)
    if row is None:
        raise unknown_feature(layer, key)
    found = _feature_links(layer, links, key, row["entry_id"], given, reader)
    body = b"".join((row["feature"][:-1], b',"links":', found.json.encode(), b"}"))
    return bytes_answer(body, reader, media_type=GEOJSON, headers={**content_crs(output), "Link": found.header})


def _feature_links(
    layer: PublishedLayer, links: Links, key: str, entry: str | None, given: dict[str, str], reader: Reader
) -> _Written:
    """Return the links of one feature, which leads to its directory entry, or is that of the entry itself."""
    query = query_text({name: value for name, value in given.items() if name != "f"})
    leads = ("canonical" if layer.definition.places else "related") if entry else None
    collection = links.url("collections", layer.id)
    written = _links_of_features(collection, f"{query}&" if query else "", leads, reader.t("cards.body"))
    found = written.at(f"{collection}/items/{quote(key, safe='')}")
    if entry:
        address = links.url("directory", entry)
        found = _Written(found.json.replace(_ENTRY, address), found.header.replace(_ENTRY, address))
    return found


@lru_cache(maxsize=512)
def _links_of_features(collection: str, query: str, leads: str | None, title: str) -> _Template:
    """Return the links that all features of a collection have; ``leads`` is the relation to a directory entry."""
    found = [
        link("self", f"{_HERE}?{query}f=json", GEOJSON),
        link("alternate", f"{_HERE}?{query}f=html", HTML),
        link("canonical", _ENTRY if leads == "canonical" else _HERE, GEOJSON),
        link("collection", collection, JSON),
    ]
    if leads == "related":
        found.append(link("related", _ENTRY, GEOJSON, title))
    return _Template(found, found)


@router.api_route("/collections/{collection}/items/{feature}/card", methods=["GET", "HEAD"])
async def card(request: Request, layer: LayerDep, feature: str, reader: ReaderDep) -> Response:
    """Answer with a feature's card: what the map shows of it, as texts in the reader's language."""
    asked = params.properties_of(layer, params.read(request, {"properties"}))
    format_of(request, "json")
    state = state_of(request)
    key = params.path_id(feature, "featureId")
    made = await cards.feature_card(state, layer, key, reader, Links(state.settings.base_path), asked)
    return json_answer(made, reader)


def unknown_feature(layer: PublishedLayer, key: str) -> NotFound:
    """Return the error for an id that no feature of the layer has."""
    return NotFound("feature.unknown", parameter="featureId", value=key[:80], collection=layer.id)


HOT: tuple[Route, ...] = (
    ("/collections/{collection}/items", items),
    ("/collections/{collection}/items/{feature}", item),
)
