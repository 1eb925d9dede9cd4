"""What a Shapefile needs before it can be written: short names, widths, one kind of geometry a file."""

from __future__ import annotations

import csv
import errno
import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from layers.files.arrow import Reader, kinds_of
from layers.files.job import Job

#: Longest name of a field, longest text in bytes (dBASE III).
NAME, WIDTH = 10, 254
#: Numbers from here on have more digits than the field.
_GREATEST = 1e15
#: The file that each kind of WKB goes to, with the type of its layer; collections are taken apart.
_FILES = {
    1: ("points", "Point"),
    2: ("lines", "MultiLineString"),
    3: ("areas", "MultiPolygon"),
    4: ("multipoints", "MultiPoint"),
    5: ("lines", "MultiLineString"),
    6: ("areas", "MultiPolygon"),
}
_COLLECTION = 7


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return a name of at most ten characters for each name, no two alike even without regard to case.

    The last word is kept where it is short: it tells ``reason_fr`` from ``reason_ar`` and one year from another.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    # Names that fit keep theirs, wherever they stand.
    for name in sorted(names, key=lambda name: (len(name) > NAME, names.index(name))):
        short = name
        if len(name) > NAME:
            stem, _, last = name.rpartition("_")
            short = f"{stem[: NAME - 1 - len(last)]}_{last}" if stem and len(last) <= 4 else name[:NAME]
        number = 1
        while short.lower() in taken:
            number += 1
            short = f"{name[: NAME - 1 - len(str(number))]}_{number}"
        taken.add(short.lower())
        found[name] = short
    return {name: found[name] for name in names}


@dataclass(frozen=True)
class Part:
    """One Shapefile of the archive: its name, its geometry type and the kinds of WKB that go into it."""

    name: str
    geometry: str | None
    kinds: frozenset[int]


@dataclass(frozen=True)
class Plan:
    """All Shapefiles of an archive; ``cut`` is how many texts of a field are cut."""

    schema: pa.Schema
    names: dict[str, str]
    parts: tuple[Part, ...]
    cut: dict[str, int]


class _Texts:
    """Measures the texts of each field; what will be cut or lost is written to a table of its own."""

    def __init__(self, job: Job, file: TextIO) -> None:
        self.longest = {item.name: 1 for item in job.columns}
        self.cut = {item.name: 0 for item in job.columns}
        self._table = csv.writer(file)
        self._table.writerow(["id", job.texts["field"], job.texts["text"]])

    def look_at(self, batch: pa.RecordBatch, name: str) -> None:
        lengths = pc.binary_length(batch[name])
        self.longest[name] = max(self.longest[name], pc.max(lengths).as_py() or 1)
        if self.longest[name] > WIDTH:
            cut = batch.filter(pc.greater(lengths, pa.scalar(WIDTH, lengths.type)))
            self.cut[name] += len(cut)
            for key, text in zip(cut["id"].to_pylist(), cut[name].to_pylist(), strict=True):
                self._table.writerow([key, name, text])

    def look_for_large(self, batch: pa.RecordBatch, name: str) -> None:
        """Note the numbers for which dBASE has no room."""
        lost = batch.filter(pc.greater_equal(pc.abs(batch[name]), pa.scalar(_GREATEST)))
        self.cut[name] += len(lost)
        for key, number in zip(lost["id"].to_pylist(), lost[name].to_pylist(), strict=True):
            self._table.writerow([key, name, repr(number)])


def gather(job: Job, reader: Reader, spool: Path, whole: Path) -> Plan:
    """Put all batches into a file of their own, and find out what the Shapefiles must hold.

    Texts that are too long for dBASE are written to the table ``whole``.
    """
    kinds: set[int] = set()
    stored = pa.schema([pa.field(item.name, _dbf_type(item.type)) for item in reader.schema])
    with (
        pa.OSFile(str(spool), "wb") as file,
        pa.ipc.new_stream(file, stored) as sink,
        whole.open("w", encoding="utf-8-sig", newline="") as table,
    ):
        texts = _Texts(job, table)
        for raw in reader.batches():
            for item in reader.schema:
                if pa.types.is_floating(item.type):
                    texts.look_for_large(raw, item.name)
            batch = pa.record_batch([_dbf(column) for column in raw.columns], schema=stored)
            for item in stored:
                if pa.types.is_string(item.type):
                    texts.look_at(batch, item.name)
            if job.geometry:
                kinds |= _kinds(batch["geometry"])
            sink.write_batch(batch)
    names = short_names([item.name for item in reader.schema if item.name != "geometry"])
    fields = []
    for item in stored:
        width = {"ARROW:extension:name": "ogc.wkb"} if item.name == "geometry" else None
        if pa.types.is_string(item.type):
            width = {"GDAL:OGR:width": str(min(texts.longest[item.name], WIDTH))}
        fields.append(pa.field(names.get(item.name, item.name), item.type, metadata=width))
    return Plan(pa.schema(fields), names, _parts(job, kinds), texts.cut)


def _dbf_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_timestamp(kind) else kind


def _dbf(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):  # dBASE has dates only
        return pc.strftime(column.cast(pa.timestamp("s", tz="UTC"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_floating(column.type):
        fits = pc.less(pc.abs(column), pa.scalar(_GREATEST))
        return pc.if_else(fits, column, pa.scalar(None, column.type))
    return column


def _kinds(geometry: pa.Array) -> set[int]:
    kinds = kinds_of(geometry)
    found = set(np.unique(kinds).tolist())
    if _COLLECTION in found:
        chosen = geometry.filter(pa.array(kinds == _COLLECTION))
        for collection in shapely.from_wkb(chosen.to_numpy(zero_copy_only=False)):
            found |= set(_pieces(collection))
    return found - {_COLLECTION}


def _pieces(geometry: Any) -> dict[int, Any]:
    """Return what a collection holds as up to three geometries by kind: points, lines, areas; none of an empty one."""
    flat = shapely.get_parts(geometry).tolist()
    while any(isinstance(part, shapely.GeometryCollection) for part in flat):
        flat = shapely.get_parts(flat).tolist()
    by_size: dict[int, list[Any]] = {}
    for part in flat:
        for single in shapely.get_parts(part).tolist():
            by_size.setdefault(shapely.get_dimensions(single), []).append(single)
    makers: dict[int, tuple[int, Any]] = {
        0: (4, shapely.MultiPoint),
        1: (5, shapely.MultiLineString),
        2: (6, shapely.MultiPolygon),
    }
    return {makers[size][0]: makers[size][1](parts) for size, parts in by_size.items() if size in makers}


def _parts(job: Job, kinds: set[int]) -> tuple[Part, ...]:
    if job.geometry is None:
        return (Part(job.name, None, frozenset()),)
    if job.geometry != "Geometry":
        return (Part(job.name, job.geometry, frozenset(_FILES)),)
    files: dict[tuple[str, str], set[int]] = {}
    for kind in sorted(kinds) or [1]:
        files.setdefault(_FILES[kind], set()).add(kind)
    return tuple(Part(f"{job.name}_{word}", kind, frozenset(found)) for (word, kind), found in files.items())


def part_batches(plan: Plan, part: Part, spool: Path) -> Iterator[pa.RecordBatch]:
    """Return the batches of one Shapefile."""
    with pa.OSFile(str(spool), "rb") as file, pa.ipc.open_stream(file) as source:
        for batch in source:
            if part.geometry is None or part.kinds == frozenset(_FILES):
                yield pa.record_batch(batch.columns, schema=plan.schema)
                continue
            kinds = kinds_of(batch["geometry"])
            yield _only(plan, batch, np.isin(kinds, list(part.kinds)))
            if (kinds == _COLLECTION).any():
                yield _taken_apart(plan, batch, kinds == _COLLECTION, part.kinds)


def _only(plan: Plan, batch: pa.RecordBatch, mask: Any) -> pa.RecordBatch:
    return pa.record_batch(batch.filter(pa.array(mask)).columns, schema=plan.schema)


def _taken_apart(plan: Plan, batch: pa.RecordBatch, mask: Any, kinds: frozenset[int]) -> pa.RecordBatch:
    rows = batch.filter(pa.array(mask))
    pieces = [_pieces(shape) for shape in shapely.from_wkb(rows["geometry"].to_numpy(zero_copy_only=False))]
    found = [next((shape for kind, shape in piece.items() if kind in kinds), None) for piece in pieces]
    kept = pa.array([shape is not None for shape in found])
    shapes = pa.array([shapely.to_wkb(shape) for shape in found if shape is not None], pa.binary())
    return pa.record_batch([*rows.filter(kept).columns[:-1], shapes], schema=plan.schema)


def check(path: Path) -> None:
    """Make sure that a Shapefile is as long as its headers say: the driver may not notice a full disk.

    Raises
    ------
    OSError
        ``ENOSPC``.
    """
    wanted: dict[Path, int] = {}
    table = path.with_name(path.name + ".dbf")
    with table.open("rb") as file:
        _, records, header, record = struct.unpack("<4sIHH", file.read(12))
        wanted[table] = header + records * record
    shapes = path.with_name(path.name + ".shp")
    if shapes.exists():
        with shapes.open("rb") as file:
            file.seek(24)
            wanted[shapes] = 2 * int.from_bytes(file.read(4), "big")
    for file_path, size in wanted.items():
        if file_path.stat().st_size < size:
            raise OSError(errno.ENOSPC, f"{file_path.name} is not whole")


def names_table(job: Job, plan: Plan) -> bytes:
    """Return the table of the fields' short names, names and labels, for spreadsheets."""
    out = io.StringIO()
    table = csv.writer(out)
    texts = job.texts
    table.writerow([texts[key] for key in ("short", "field", "label", "unit", "type", "cut")])
    for column in job.columns:
        short = plan.names[column.name]
        table.writerow([short, column.name, column.label, column.unit or "", column.type, plan.cut[column.name]])
    return b"\xef\xbb\xbf" + out.getvalue().encode()
