"""Sends features in their formats: headers, names of files, streams that notice when the reader is gone."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncGenerator, Collection, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import params
from api.answers import dumps
from api.links import FEATURE_TYPES, GEOJSON, HTML, JSON, Links, link
from api.negotiation import VARY, Reader
from geo.crs import DEFAULT_CRS
from geo.errors import CasaMapsError, InvalidInput
from layers.catalogue import PublishedLayer
from layers.export import EXTENSIONS, Format, Made, job_of, lines_of, make_file, output_for
from layers.lines import CsvGeometry, Lines, csv_columns, csv_head
from layers.queries import ItemsShape, Output, chosen

Result = TypeVar("Result")
log = logging.getLogger("casamaps")
#: Parameters that only CSV has.
CSV = frozenset({"geometry-format", "bom"})
GEOMETRY_FORMATS: tuple[CsvGeometry, ...] = ("wkt", "lonlat")
#: The reader has closed the connection; nobody sees this status.
GONE = 499
#: Seconds in which a reader must take the next chunk.
STALLED = 60
_CHUNK = 256 * 1024
_BOM = b"\xef\xbb\xbf"


def formats() -> tuple[Format, ...]:
    """Return the values of ``f`` for features, the default first."""
    return tuple(EXTENSIONS)


def csv_options(layer: PublishedLayer, given: Mapping[str, str]) -> tuple[CsvGeometry, bool]:
    """Read ``geometry-format`` and ``bom``.

    Raises
    ------
    InvalidInput
        Coordinates in two columns are for layers of points.
    """
    allowed = GEOMETRY_FORMATS if layer.definition.geometry.type == "Point" else GEOMETRY_FORMATS[:1]
    geometry = given.get("geometry-format", allowed[0])
    if geometry not in allowed:
        raise InvalidInput(
            "parameter.value", parameter="geometry-format", value=geometry[:40], allowed=", ".join(allowed)
        )
    bom = given.get("bom", "false").lower()
    if bom not in ("true", "false"):
        raise InvalidInput("parameter.value", parameter="bom", value=bom[:40], allowed="true, false")
    return geometry, bom == "true"


class Written:
    """How the features of one request are written: the query's shape for the format, its lines, its first bytes."""

    def __init__(self, layer: PublishedLayer, form: Format, shape: ItemsShape, given: Mapping[str, str]) -> None:
        geometry, self._bom = csv_options(layer, given)
        self.layer = layer
        self.form = form
        self.shape = replace(shape, output=output_for(form, shape.output))
        self.lines: Lines = lines_of(form, geometry)
        self.given = dict(given)

    @property
    def media_type(self) -> str:
        """Media type with its parameters."""
        return {"csv": "text/csv; charset=utf-8; header=present"}.get(self.form, FEATURE_TYPES[self.form])

    @property
    def name(self) -> str:
        """Name of the file, without its ending: the layer, whether it is a part of it, and the data's day."""
        whole = self.shape.selection.everything and "cursor" not in self.given and "limit" not in self.given
        return "_".join([self.layer.id, *([] if whole else ["selection"]), self.layer.updated.strftime("%Y-%m-%d")])

    @property
    def head(self) -> bytes:
        """What stands before the features of CSV."""
        if self.form != "csv":
            return b""
        columns = csv_columns(self.shape.output, self.lines, chosen(self.layer, self.shape.output))
        return (_BOM if self._bom else b"") + csv_head(columns)

    def headers(self, reader: Reader, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the headers of the answer; files and tables are to be saved, GeoJSON is to be read."""
        kind = "inline" if self.form in ("json", "jsonseq") else "attachment"
        found = {
            "Content-Disposition": f'{kind}; filename="{self.name}.{EXTENSIONS[self.form]}"',
            "Content-Language": reader.lang,
            "Vary": VARY,
            "Cache-Control": "no-cache",
        }
        if self.shape.output.geometry:
            found["Content-Crs"] = f"<{self.shape.output.crs.uri}>"
        return found | dict(more or {})

    def without_body(self, headers: Mapping[str, str]) -> Response:
        """Return the answer to HEAD, of a length that nobody knows yet."""
        answer = Response(None, 200, headers, self.media_type)
        del answer.headers["content-length"]
        return answer

    async def file(
        self,
        reader: Reader,
        features: AsyncGenerator[list[bytes]],
        *,
        parent: Path | None = None,
        keep: Path | None = None,
    ) -> Made:
        """Make the file of a file format, as :func:`layers.export.make_file` does."""
        texts = {key: reader.t(f"formats.{key}") for key in ("short", "field", "label", "unit", "type", "cut", "text")}
        job = job_of(self.layer, self.form, self.shape, reader.lang, self.layer.id, texts)
        return await make_file(job, features, parent=parent, keep=keep)

    async def text(self, reader: Reader, links: Links, features: AsyncGenerator[list[bytes]]) -> AsyncGenerator[bytes]:
        """Return the bytes of a text format, one chunk a block of features."""
        head, tail = self._frame(reader, links)
        between = self.lines.between.encode()
        begun = False
        async with aclosing(features):
            async for rows in features:
                yield (between if begun else head) + between.join(rows)
                begun = True
            yield tail if begun else head + tail

    def _frame(self, reader: Reader, links: Links) -> tuple[bytes, bytes]:
        """Return what stands before and behind the features of a whole result."""
        if self.form != "json":
            return self.head, b""
        definition, path = self.layer.definition, ("collections", self.layer.id)
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        head: dict[str, object] = {
            "type": "FeatureCollection",
            "name": self.layer.id,
            "timeStamp": now,
            **crs_member(self.shape.output),
            "links": [
                link("self", links.url(*path, "export", **{**self.given, "f": "json"}), GEOJSON),
                link("collection", links.url(*path), JSON, definition.title[reader.lang]),
                link("license", definition.licence.url, HTML, definition.licence.id),
            ],
        }
        return dumps(head)[:-1] + b',"features":[', b"]}\n"


def whole_result(
    layer: PublishedLayer, form: Format, given: Mapping[str, str], zone: ZoneInfo, districts: Collection[str]
) -> tuple[Written, dict[str, object]]:
    """Read what is asked of an export: how its features are written, and the values of its query.

    Raises
    ------
    InvalidInput
        Naming the parameter, its value and what is allowed.
    """
    selection, values = params.selection_of(layer, given, zone, districts)
    shape = ItemsShape(selection, params.output_of(layer, given), params.sort_of(layer, given.get("sortby")))
    return Written(layer, form, shape, given), values


def crs_member(output: Output) -> dict[str, object]:
    """Return the old member ``crs``, which GDAL and QGIS read: a saved file has lost the header ``Content-Crs``.

    Not where north comes first, as they would take the coordinates for x and y.
    """
    if output.crs == DEFAULT_CRS or output.crs.north_first:
        return {}
    name = f"urn:ogc:def:crs:EPSG::{output.crs.srid}"
    return {"crs": {"type": "name", "properties": {"name": name}}}


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_there(request: Request, work: Coroutine[Any, Any, Result]) -> Result | None:
    """Do some work for as long as the reader waits for it; None when the reader has gone, and the work is cancelled."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_until_gone(request.receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


class Download(Response):
    """Sends chunks as they come, and closes their source when all is sent, when it fails or when the reader has gone.

    An answer that can't be finished is broken off, so that nobody takes a part for the whole.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        *,
        media_type: str,
        headers: Mapping[str, str],
        deadline: float | None = None,
    ) -> None:
        super().__init__(None, 200, headers, media_type)
        if "content-length" not in {name.lower() for name in headers}:
            del self.headers["content-length"]
        self._chunks = chunks
        self._deadline = deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        sending = asyncio.ensure_future(self._send(send))
        watching = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        except (CasaMapsError, TimeoutError, OSError) as error:
            log.warning("the download %s was broken off: %s", scope["path"], error or "too slow")
        finally:
            for task in (sending, watching):
                task.cancel()
            await asyncio.gather(sending, watching, return_exceptions=True)
            await self._chunks.aclose()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with asyncio.timeout_at(self._deadline):
            async for chunk in self._chunks:
                if chunk:
                    async with asyncio.timeout(STALLED):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def file_chunks(made: Made) -> AsyncGenerator[bytes]:
    """Return the bytes of a finished file, which is gone when they are read or given up."""
    with made.file as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


async def put_before(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Return a chunk that has been fetched already, then the others."""
    async with aclosing(rest):
        yield first
        async for chunk in rest:
            yield chunk
