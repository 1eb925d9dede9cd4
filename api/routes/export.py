"""Whole results: every feature that a request selects, in any format, without pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params
from api.downloads import CSV, GONE, Download, Written, file_chunks, formats, put_before, while_there, whole_result
from api.negotiation import Reader, format_of
from api.routes.dependencies import LayerDep, LinksDep, ReaderDep, state_of
from geo.errors import Unavailable
from layers.export import FILES, Format, blocks

router = APIRouter()

#: Parameters of an export: those that choose, order and shape features.
EXPORT = params.SELECT | params.OUTPUT | CSV | {"sortby"}


@router.api_route("/collections/{collection}/export", methods=["GET", "HEAD"])
async def export(request: Request, layer: LayerDep, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with all features that are selected."""
    state = state_of(request)
    given = params.read(request, EXPORT.union(params.equalities(layer)))
    form = cast("Format", format_of(request, *formats()))
    written, values = whole_result(layer, form, given, state.settings.zone, state.catalogue.districts)
    headers = written.headers(reader)
    if request.method == "HEAD":
        return written.without_body(headers)
    seconds = state.settings.export_timeout
    deadline = asyncio.get_running_loop().time() + seconds
    features = blocks(state.database, layer, written.shape, values, written.lines, seconds)
    if form in FILES:
        return await _file(request, written, reader, features, headers, deadline)
    chunks = _chunks(request, written.text(reader, links, features))
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
            return await written.file(reader, features, parent=state.settings.export_dir)

    with state.exports.taken():
        try:
            made = await while_there(request, work())
        except TimeoutError as error:
            raise Unavailable("export.timeout", seconds=state.settings.export_timeout) from error
    if made is None:
        return Response(None, GONE)
    headers["Content-Length"] = str(made.size)
    return Download(file_chunks(made), media_type=written.media_type, headers=headers)


async def _chunks(request: Request, chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Hold a place among the exports while chunks are sent."""
    with state_of(request).exports.taken():
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk
