"""``./casamaps export``: writes a layer, or a selection of it, to a file or to standard output."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import select
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from rich import filesize

from api import params
from api.cli.console import bars, done
from api.cli.database import cluster_version, open_database
from api.cli.signals import Stopped, run_until_stopped
from api.downloads import CSV, Written, whole_result
from api.i18n import Lang, messages
from api.links import Links
from api.negotiation import Reader
from api.settings import Settings
from geo.errors import InvalidInput, SetupError, Unavailable
from layers.catalogue import Catalogue, load_catalogue, revision
from layers.database import Database
from layers.export import EXTENSIONS, FILES, Format, blocks, scratch
from layers.migrate import newest_revision

#: Formats by the ending of a file's name.
ENDINGS: dict[str, Format] = {
    **{f".{ending}": form for form, ending in EXTENSIONS.items()},
    ".json": "json",
    ".geoparquet": "parquet",
}
#: Seconds that an export of one's own may take: as long as it wants, within what PostgreSQL can count.
UNHURRIED = 7 * 86_400
#: Options that the parameters of the API are called by here.
_OPTIONS = {"skipGeometry": "skip-geometry"}
#: Options that name a coordinate system.
_CRS = ("crs", "bbox-crs", "filter-crs")


@dataclass(frozen=True)
class Target:
    """Where an export goes: a file, or standard output where there is no path."""

    path: Path | None
    form: Format


def target_of(out: Path, form: str | None, *, force: bool = False) -> Target:
    """Find out where an export goes and in which format, and make sure that it can.

    Raises
    ------
    InvalidInput
        ``export.…``, saying what is wrong with the place or the format.
    """
    if str(out) == "-":
        texts = [name for name in EXTENSIONS if name not in FILES]
        if form not in texts:
            raise InvalidInput("export.stdout", allowed=", ".join(texts))
        return Target(None, form)
    found = cast("Format | None", form) or ENDINGS.get(out.suffix.lower())
    if found is None:
        code = "export.shapefile" if out.suffix.lower() == ".shp" else "export.ending"
        raise InvalidInput(code, file=out, stem=out.stem, allowed=", ".join(ENDINGS), formats=", ".join(EXTENSIONS))
    # The file that a link leads to is replaced, not the link.
    path = (Path(os.environ.get("CASAMAPS_CWD", ".")) / out).resolve()
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise InvalidInput("export.folder", path=path.parent)
    if path.exists() and not path.is_file():
        raise InvalidInput("export.no-file", file=out)
    if path.exists() and not force:
        raise InvalidInput("export.exists", file=out)
    return Target(path, found)


def export(
    settings: Settings,
    layer: str,
    out: Path,
    given: Mapping[str, str],
    *,
    form: str | None,
    lang: str,
    force: bool,
) -> None:
    """Write a layer, or the part of it that ``given`` selects, in the words of the API's parameters.

    Raises
    ------
    CasaMapsError
        Saying which layer, option or place is wrong, and what is allowed.
    """
    target = target_of(out, form, force=force)
    if target.form != "csv" and (only := CSV.intersection(given)):
        raise InvalidInput("export.csv-only", parameter="--" + min(only))
    if not settings.database_url and cluster_version(settings) is None:
        raise SetupError("export.no-data")
    reader = Reader(cast("Lang", lang), messages(lang))
    with open_database(settings, f"export {layer}", share=True) as url, bars() as shown:
        work = _export(settings, url, layer, target, given, reader, shown)
        count = run_until_stopped(work)
    if target.path is not None:
        done("exported", layer=layer, count=count, file=out, size=filesize.decimal(target.path.stat().st_size))


async def _export(
    settings: Settings,
    url: str,
    layer_id: str,
    target: Target,
    given: Mapping[str, str],
    reader: Reader,
    shown: Callable[[str, int, int | None], None],
) -> int:
    database = Database(url, statement_timeout=settings.statement_timeout, pool_size=1)
    try:
        catalogue = await _catalogue(database)
        written, values = _read(settings, catalogue, layer_id, target.form, given)
        everything = written.shape.selection.everything
        total = written.layer.count if everything else None
        features = _Counted(lambda count: shown(layer_id, count, total))
        source = features.of(blocks(database, written.layer, written.shape, values, written.lines, UNHURRIED))
        await _write(written, reader, Links(settings.base_url), source, target.path)
        return features.count
    finally:
        await database.close()


async def _catalogue(database: Database) -> Catalogue:
    try:
        current = await revision(database) == newest_revision()
    except Unavailable as error:
        raise SetupError("export.no-data", log=error.log) from error
    catalogue = await load_catalogue(database, internal=True) if current else Catalogue()
    if not catalogue.by_id:
        raise SetupError("export.no-data")
    return catalogue


def _read(
    settings: Settings, catalogue: Catalogue, layer_id: str, form: Format, given: Mapping[str, str]
) -> tuple[Written, dict[str, object]]:
    """Read what is asked, as a request is read; mistakes are named by their options."""
    layer = catalogue.layer(layer_id)
    if "datetime" in given and layer.definition.temporal is None:
        raise InvalidInput("export.no-dates", layer=layer_id)
    try:
        checked = {name: params.text_of(_long(name, value), name) for name, value in given.items()}
        return whole_result(layer, form, checked, settings.zone, catalogue.districts)
    except InvalidInput as error:
        name = str(error.params.get("parameter"))
        named = {**error.params, "parameter": "--" + _OPTIONS.get(name, name)}
        if error.code.startswith("crs."):
            named |= {"allowed": _short(str(error.params.get("allowed"))), "value": given.get(name)}
        raise InvalidInput(error.code, log="", **named) from error


def _long(name: str, value: str) -> str:
    """Return a CRS given by its number alone, as the help has it, with its authority; other values as they are."""
    return f"EPSG:{value}" if name in _CRS and re.fullmatch("[0-9]{4,6}", value) else value


def _short(allowed: str) -> str:
    """Return a list of CRS by the names that the help has for them."""
    return re.sub(r"http://www\.opengis\.net/def/crs/(EPSG|OGC)/[0-9.]+/(\w+)", r"\1:\2", allowed)


class _Counted:
    """Counts the features on their way."""

    def __init__(self, told: Callable[[int], None]) -> None:
        self._told = told
        self.count = 0

    async def of(self, features: AsyncGenerator[list[bytes]]) -> AsyncGenerator[list[bytes]]:
        async with aclosing(features):
            async for rows in features:
                yield rows
                self.count += len(rows)
                self._told(self.count)


async def _write(
    written: Written, reader: Reader, links: Links, features: AsyncGenerator[list[bytes]], path: Path | None
) -> None:
    if path is None:
        async with aclosing(written.text(reader, links, features)) as chunks:
            async for chunk in chunks:
                try:
                    await _put(sys.stdout.fileno(), chunk)
                except BrokenPipeError:  # the reader has seen enough
                    raise Stopped(signal.SIGPIPE) from None
        return
    try:
        if written.form in FILES:
            made = await written.file(reader, features, parent=path.parent, keep=path)
            made.file.close()
            return
        with scratch(path.parent) as folder:
            part = folder / path.name
            async with aclosing(written.text(reader, links, features)) as chunks:
                with part.open("wb") as file:
                    async for chunk in chunks:
                        file.write(chunk)
            part.replace(path)
    except OSError as error:
        raise SetupError("export.room", path=path.parent, reason=error.strerror or str(error)) from error
    except Unavailable as error:
        if error.code != "export.space":
            raise
        reason = os.strerror(errno.ENOSPC)
        raise SetupError("export.room", path=path.parent, reason=reason, log=error.log) from error


async def _put(number: int, chunk: bytes) -> None:
    """Write to a file descriptor that may be a slow reader's pipe, without missing a signal while it is full."""
    view = memoryview(chunk)
    while view:
        await _ready(number)
        # A pipe that is ready takes at least so much at once.
        view = view[os.write(number, view[: select.PIPE_BUF]) :]


async def _ready(number: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_writer(number, ready.set)
    except PermissionError:  # a file on a disk always is
        return
    try:
        await ready.wait()
    finally:
        loop.remove_writer(number)
