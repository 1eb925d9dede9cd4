"""Whole results: features as they are written, in order, in blocks; and files made of them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from geo.crs import DEFAULT_CRS, WGS84_SRID
from geo.errors import CasaMapsError, Unavailable
from layers.catalogue import PublishedLayer
from layers.database import Database
from layers.files.job import ColumnSpec, Job, frame
from layers.lines import CsvGeometry, Lines
from layers.queries import ItemsShape, Output, chosen, placed_in, whole_statement

log = logging.getLogger("casamaps")

Format = Literal["json", "jsonseq", "csv", "fgb", "gpkg", "parquet", "kml", "shp"]
#: All formats of features, with the ending of their files' names.
EXTENSIONS: dict[Format, str] = {
    "json": "geojson",
    "jsonseq": "geojsons",
    "csv": "csv",
    "fgb": "fgb",
    "gpkg": "gpkg",
    "parquet": "parquet",
    "kml": "kml",
    "shp": "zip",
}
#: Those that are made as a file before they can be sent.
FILES = frozenset({"fgb", "gpkg", "parquet", "kml", "shp"})
#: Bytes that are asked of the database at a time, and features of the first block, before their size is known.
BLOCK, FIRST = 512_000, 16
MOST = 20_000
PROJECT = Path(__file__).resolve().parent.parent


def lines_of(form: Format, geometry: CsvGeometry = "wkt") -> Lines:
    """Return how features are written for a format."""
    if form == "csv":
        return Lines("csv", geometry)
    if form in FILES:
        return Lines("array", box=True) if form == "parquet" else Lines("plain")
    return Lines("geojsonseq" if form == "jsonseq" else "geojson")


def output_for(form: Format, output: Output) -> Output:
    """Return the output as a format has it.

    KML is always in degrees. Files and tables have x before y whatever the authority says, so that EPSG:4326 is CRS84
    in them; only GeoJSON follows the authority (OGC API - Features Part 2).
    """
    if form == "kml" or (form not in ("json", "jsonseq") and output.crs.srid == WGS84_SRID):
        return replace(output, crs=DEFAULT_CRS)
    return output


def job_of(layer: PublishedLayer, form: Format, shape: ItemsShape, lang: str, name: str, texts: dict[str, str]) -> Job:
    """Return what a writer must know of a file: all but its folder, which is found when the writing begins."""
    definition, output = layer.definition, shape.output
    columns = [ColumnSpec("id", "text", "id")]
    labels = {"id"}
    for property_name in chosen(layer, output):
        field = definition.field(property_name)
        label = field.label[lang] if field else property_name
        # GeoPackage wants the columns' titles to differ.
        label = f"{label} ({property_name})" if label.lower() in labels else label
        labels.add(label.lower())
        columns.append(ColumnSpec(property_name, field.type if field else "text", label, field.unit if field else None))
    return Job(
        form,
        "",
        name,
        definition.title[lang],
        definition.description[lang],
        lang,
        tuple(columns),
        definition.geometry.type if output.geometry else None,
        output.crs.srid,
        updated=layer.updated.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        lists=form == "parquet",
        ordered=bool(shape.sort),
        placeless=definition.entries,
        texts=texts,
    )


async def blocks(
    database: Database,
    layer: PublishedLayer,
    shape: ItemsShape,
    values: dict[str, object],
    lines: Lines,
    seconds: float,
) -> AsyncGenerator[list[bytes]]:
    """Return the features, as they are written, some at a time; each block has about :data:`BLOCK` bytes."""
    statement = whole_statement(layer, shape, lines)
    async with database.cursor(statement, seconds=seconds, **values) as cursor:
        count = FIRST
        while True:
            with placed_in(shape.output):
                rows = await cursor.fetch(count)
            if not rows:
                break
            yield rows
            mean = max(1, sum(map(len, rows)) // len(rows))
            count = max(1, min(MOST, BLOCK // mean))


class Slots:
    """How many exports there may be at once; one more is refused rather than left to wait."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._count = count

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place for the time of a block.

        Raises
        ------
        Unavailable
            ``export.busy``, when there is none.
        """
        if self._free == 0:
            raise Unavailable("export.busy", count=self._count)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass
class Made:
    """A finished file: it has no name any more, and is gone when it is closed."""

    file: BinaryIO
    size: int
    count: int


@contextmanager
def scratch(parent: Path | None = None) -> Iterator[Path]:
    """Give a temporary folder for the time of a block; by default where the system has such folders."""
    folder = Path(tempfile.mkdtemp(prefix="casamaps-export-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def make_file(
    job: Job,
    features: AsyncGenerator[list[bytes]],
    *,
    parent: Path | None = None,
    keep: Path | None = None,
) -> Made:
    """Make a file of features in a temporary folder, in a process of its own.

    The folder is gone when this returns, fails or is cancelled.

    Parameters
    ----------
    features : async generator of list of bytes
        Blocks of plain lines; closed when this returns.
    parent : Path, optional
        Where the temporary folder is made; by default where the system has such folders.
    keep : Path, optional
        Where the file is moved to when it is finished; on the disk of ``parent``.

    Raises
    ------
    Unavailable
        ``export.space``, when the disk is full.
    """
    async with aclosing(features):
        try:
            with scratch(parent) as folder:
                return await _make(replace(job, folder=str(folder)), folder, features, keep)
        except OSError as error:
            raise Unavailable("export.space", log=str(error)) from error


async def _make(
    job: Job,
    folder: Path,
    features: AsyncIterator[list[bytes]],
    keep: Path | None,
) -> Made:
    writer = None
    try:
        writer = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "layers.files",
            cwd=PROJECT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the one who asked
        )
        answer = await _converse(writer, job, features)
        path = folder / str(answer["file"])
        if keep is not None:
            path.replace(keep)
            path = keep
        file = path.open("rb")
        return Made(file, os.fstat(file.fileno()).st_size, int(str(answer["count"])))
    finally:
        if writer is not None and writer.returncode is None:
            with suppress(ProcessLookupError):
                writer.kill()
            await asyncio.shield(writer.wait())


async def _converse(
    writer: asyncio.subprocess.Process,
    job: Job,
    features: AsyncIterator[list[bytes]],
) -> dict[str, object]:
    """Hand a writer its job and all features, and return its answer."""
    assert writer.stdin is not None, "made with pipes"
    assert writer.stdout is not None, "made with pipes"
    assert writer.stderr is not None, "made with pipes"
    reading = asyncio.gather(writer.stdout.read(), writer.stderr.read())
    try:
        try:
            writer.stdin.write(frame(job.dumps()))
            async for rows in features:
                writer.stdin.write(frame(b"".join(rows)))
                await writer.stdin.drain()
            writer.stdin.write(frame(b""))
            await writer.stdin.drain()
            writer.stdin.close()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has given up, and says why
        said, complaints = await reading
        await writer.wait()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    try:
        answer: dict[str, object] = json.loads(said)
    except ValueError:
        answer = {"error": "failed", "log": complaints.decode(errors="replace")[-2000:]}
    if "error" in answer:
        kind = Unavailable if answer["error"] == "space" else CasaMapsError
        raise kind(f"export.{answer['error']}", log=str(answer["log"]))
    return answer
