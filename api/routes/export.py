"""Whole results: every feature that a request selects, in any format, without pages."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params
from api.answers import dumps
from api.downloads import CSV, GONE, Download, Written, file_chunks, formats, put_before, while_there
from api.links import GEOJSON, HTML, JSON, Links, link
from api.negotiation import Reader, format_of
from api.routes.dependencies import LayerDep, LinksDep, ReaderDep, state_of
from geo.crs import DEFAULT_CRS
from geo.errors import Unavailable
from layers.catalogue import PublishedLayer
from layers.export import FILES, Format, blocks
from layers.queries import ItemsShape, Output

router = APIRouter()

#: Parameters of an export: those that choose, order and shape features.
EXPORT = params.SELECT | params.OUTPUT | CSV | {"sortby"}


@router.api_route("/collections/{collection}/export", methods=["GET", "HEAD"])
async def export(request: Request, layer: LayerDep, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with all features that are selected."""
    state = state_of(request)
    given = params.read(request, EXPORT.union(params.equalities(layer)))
    form = cast("Format", format_of(request, *formats()))
    selection, values = params.selection_of(layer, given, state.settings.zone, state.catalogue.districts)
    shape = ItemsShape(selection, params.output_of(layer, given), params.sort_of(layer, given.get("sortby")))
    written = Written(layer, form, shape, given)
    headers = written.headers(reader)
    if request.method == "HEAD":
        return written.without_body(headers)
    seconds = state.settings.export_timeout
    deadline = asyncio.get_running_loop().time() + seconds
    features = blocks(state.database, layer, written.shape, values, written.lines, seconds)
    if form in FILES:
        return await _file(request, written, reader, features, headers, deadline)
    chunks = _chunks(request, written, features, *_frame(layer, written, reader, links, given))
    first = None
    try:
        async with asyncio.timeout_at(deadline):
            # The first features come before the status line, so that an error of the database is still a problem.
            first = await anext(chunks)
    except TimeoutError as error:
        raise Unavailable("export.timeout", seconds=seconds) from error
    finally:
        if first is None:
            await chunks.aclose()
    return Download(put_before(first, chunks), media_type=written.media_type, headers=headers, deadline=deadline)


async def _file(
    request: Request,
    written: Written,
    reader: Reader,
    features: AsyncGenerator[list[bytes]],
    headers: dict[str, str],
    deadline: float,
) -> Response:
    """Make the whole file first, then send it."""
    state = state_of(request)

    async def work() -> Any:
        async with asyncio.timeout_at(deadline):
            return await written.file(state, reader, features)

    with state.exports.taken():
        try:
            made = await while_there(request, work())
        except TimeoutError as error:
            raise Unavailable("export.timeout", seconds=state.settings.export_timeout) from error
    if made is None:
        return Response(None, GONE)
    headers["Content-Length"] = str(made.size)
    return Download(file_chunks(made), media_type=written.media_type, headers=headers)


def _frame(
    layer: PublishedLayer, written: Written, reader: Reader, links: Links, given: dict[str, str]
) -> tuple[bytes, bytes]:
    """Return what stands before and behind the features."""
    if written.form != "json":
        return written.head, b""
    path = ("collections", layer.id)
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head: dict[str, object] = {
        "type": "FeatureCollection",
        "name": layer.id,
        "timeStamp": now,
        **_crs_member(written.shape.output),
        "links": [
            link("self", links.url(*path, "export", **{**given, "f": "json"}), GEOJSON),
            link("collection", links.url(*path), JSON, layer.definition.title[reader.lang]),
            link("license", layer.definition.licence.url, HTML, layer.definition.licence.id),
        ],
    }
    return dumps(head)[:-1] + b',"features":[', b"]}\n"


def _crs_member(output: Output) -> dict[str, object]:
    """Return the old member ``crs``, which GDAL and QGIS read: a saved file has lost the header ``Content-Crs``.

    Not where north comes first, as they would take the coordinates for x and y.
    """
    if output.crs == DEFAULT_CRS or output.crs.north_first:
        return {}
    name = f"urn:ogc:def:crs:EPSG::{output.crs.srid}"
    return {"crs": {"type": "name", "properties": {"name": name}}}


async def _chunks(
    request: Request, written: Written, features: AsyncGenerator[list[bytes]], head: bytes, tail: bytes
) -> AsyncGenerator[bytes]:
    """Return the bytes of a text format, one chunk a block of features."""
    between = written.lines.between.encode()
    begun = False
    with state_of(request).exports.taken():
        async with aclosing(features):
            async for rows in features:
                yield (between if begun else head) + between.join(rows)
                begun = True
            yield tail if begun else head + tail
