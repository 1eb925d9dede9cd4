"""Vector tiles and their descriptions (OGC API - Tiles Part 1): one SQL statement a tile, bytes untouched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from fastapi import APIRouter, Request
from isal import igzip
from starlette.responses import Response

from api import params
from api.answers import json_answer
from api.hot import Route
from api.links import HTML, JSON, MVT, Link, Links, link
from api.negotiation import Reader, format_of
from api.pages import page
from api.questions import choose
from api.routes.dependencies import LayerDep, LinksDep, ReaderDep, layer_of, state_of
from geo.errors import InvalidInput, NotFound
from geo.grid import CRS_URI, TILE_MATRIX_SET, TILE_MATRIX_SET_URI, tile_address
from layers.catalogue import PublishedLayer
from tiles import tileset
from tiles.statements import tile_statement

router = APIRouter()
TILEJSON = "application/json"
#: Parameters that say which features are in a tile.
SELECT = frozenset({"datetime", "filter", "filter-lang", "filter-crs"})
_DATASET = SELECT | {"collections"}
_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"


def _chosen(request: Request, given: dict[str, str]) -> tuple[PublishedLayer, ...]:
    """Return the layers that ``collections`` names; all of them without it (OGC API - Tiles Part 1, 13)."""
    catalogue = state_of(request).catalogue
    if "collections" not in given:
        return tuple(catalogue.drawn())
    names = given["collections"].split(",")
    for name in names:
        if names.count(name) > 1:
            allowed = ", ".join(catalogue.by_id)
            raise InvalidInput("parameter.listed-twice", parameter="collections", value=name[:60], allowed=allowed)
        if name not in catalogue.by_id:
            raise InvalidInput(
                "parameter.value", parameter="collections", value=name[:60], allowed=", ".join(catalogue.by_id)
            )
    return tuple(catalogue.by_id[name] for name in names)


async def _tile(
    request: Request, layers: Sequence[PublishedLayer], given: dict[str, str], matrix: str, row: str, column: str
) -> Response:
    format_of(request, "mvt")
    address = tile_address(matrix, row, column)
    present = tileset.in_range(layers, address.matrix)
    if not present:
        lowest, highest = tileset.zooms(layers) if layers else (0, 0)
        raise NotFound("tile.zoom", value=matrix, allowed=f"{lowest} … {highest}")
    state = state_of(request)
    values: dict[str, object] = {}
    statement = tile_statement(present)
    if not given.keys().isdisjoint(SELECT):
        chosen, values = choose(present, given, state.settings.zone, state.catalogue)
        statement = tile_statement(present, tuple(layer.selection for layer in chosen))
    record = await state.database.row(
        statement, matrix=address.matrix, row=address.row, column=address.column, **values
    )
    data: bytes = record["tile"] if record else b""
    if not data:
        return Response(status_code=204, headers={"Cache-Control": "no-cache"})
    if len(data) > state.settings.max_bytes:
        raise InvalidInput("tile.too-large", value=f"{matrix}/{row}/{column}", allowed=str(state.settings.max_bytes))
    return _send(request, data)


def _send(request: Request, data: bytes) -> Response:
    """Send a tile with a strong ETag; the two encodings of one tile are two representations (RFC 9110, 8.8.3)."""
    gzip = "gzip" in request.headers.get("accept-encoding", "")
    tag = f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}{"-gzip" if gzip else ""}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if gzip:
        headers["Content-Encoding"] = "gzip"
        data = igzip.compress(data, compresslevel=1, mtime=0)
    return Response(data, 200, headers, MVT)


def _described(
    request: Request, layers: tuple[PublishedLayer, ...], reader: Reader, path: tuple[str, ...], title: str
) -> Response:
    """Answer with a tileset's metadata, TileJSON or page; ``path`` leads to its tiles."""
    links = Links(state_of(request).settings.base_url)
    query = request.query_params.get("collections")
    here = links.url(*path)
    suffix = f"?collections={query}" if query else ""
    wanted = format_of(request, "json", "tilejson", "html")
    if wanted == "tilejson":
        return json_answer(tileset.tilejson(layers, here + "/{z}/{y}/{x}" + suffix, title, reader.lang), reader)
    if wanted == "html":
        document = tileset.tilejson(layers, here + "/{z}/{y}/{x}" + suffix, title, reader.lang)
        return page(request, "tileset.html", reader.lang, title=title, document=document, layers_shown=layers)
    body = tileset.metadata(layers, title, reader.lang)
    template = here + "/{tileMatrix}/{tileRow}/{tileCol}" + suffix
    item: Link = {**link("item", template, MVT), "templated": True}
    body["links"] = [
        link("self", links.url(*path, collections=query, f="json"), JSON),
        link("alternate", links.url(*path, collections=query, f="html"), HTML),
        link("describedby", links.url(*path, collections=query, f="tilejson"), TILEJSON, "TileJSON"),
        link(_SCHEME, TILE_MATRIX_SET_URI),
        item,
    ]
    return json_answer(body, reader)


def _list(request: Request, reader: Reader, path: tuple[str, ...], title: str) -> Response:
    links = Links(state_of(request).settings.base_url)
    own = links.url(*path, TILE_MATRIX_SET, f="json")
    one = {
        "title": title,
        "dataType": "vector",
        "crs": CRS_URI,
        "tileMatrixSetURI": TILE_MATRIX_SET_URI,
        "links": [link("self", own, JSON, title), link(_SCHEME, TILE_MATRIX_SET_URI)],
    }
    params.read(request)
    format_of(request, "json")
    return json_answer({"tilesets": [one], "links": [link("self", links.url(*path, f="json"), JSON)]}, reader)


@router.api_route("/collections/{collection}/tiles", methods=["GET", "HEAD"])
async def collection_tilesets(request: Request, layer: LayerDep, reader: ReaderDep) -> Response:
    """Answer with the tilesets of a collection: there is one."""
    return _list(request, reader, ("collections", layer.id, "tiles"), layer.definition.title[reader.lang])


@router.api_route(f"/collections/{{collection}}/tiles/{TILE_MATRIX_SET}", methods=["GET", "HEAD"])
async def collection_tileset(request: Request, layer: LayerDep, reader: ReaderDep) -> Response:
    """Describe the tileset of a collection."""
    params.read(request)
    path = ("collections", layer.id, "tiles", TILE_MATRIX_SET)
    return _described(request, (layer,), reader, path, layer.definition.title[reader.lang])


async def collection_tile(request: Request, collection: str, matrix: str, row: str, column: str) -> Response:
    """Answer with one tile of a collection."""
    given = params.read(request, SELECT)
    return await _tile(request, (layer_of(request, collection),), given, matrix, row, column)


@router.api_route("/tiles", methods=["GET", "HEAD"])
async def tilesets(request: Request, reader: ReaderDep) -> Response:
    """Answer with the tilesets of several collections in one tile: there is one."""
    return _list(request, reader, ("tiles",), reader.t("layout.name"))


@router.api_route(f"/tiles/{TILE_MATRIX_SET}", methods=["GET", "HEAD"])
async def dataset_tileset(request: Request, reader: ReaderDep, links: LinksDep) -> Response:
    """Describe the tileset of several collections."""
    layers = _chosen(request, params.read(request, {"collections"}))
    if not layers:
        raise NotFound("page.unknown", value=links.url("tiles", TILE_MATRIX_SET))
    return _described(request, layers, reader, ("tiles", TILE_MATRIX_SET), reader.t("layout.name"))


async def dataset_tile(request: Request, matrix: str, row: str, column: str) -> Response:
    """Answer with one tile that holds several collections."""
    given = params.read(request, _DATASET)
    return await _tile(request, _chosen(request, given), given, matrix, row, column)


HOT: tuple[Route, ...] = (
    (f"/tiles/{TILE_MATRIX_SET}/{{matrix}}/{{row}}/{{column}}", dataset_tile),
    (f"/collections/{{collection}}/tiles/{TILE_MATRIX_SET}/{{matrix}}/{{row}}/{{column}}", collection_tile),
)
