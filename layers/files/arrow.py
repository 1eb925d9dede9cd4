"""Turns plain lines into Arrow batches."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from layers.files.job import ELEMENT, SIDES, ColumnSpec, Job

#: Column types of plain lines; moments arrive as microseconds and days since 1970.
_READ = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.int32(),
    "timestamp": pa.int64(),
    "text[]": pa.string(),
    "wkb": pa.binary(),
}
_KEPT = {"date": pa.date32(), "timestamp": pa.timestamp("us", tz="UTC")}


def _unhexed(column: pa.Array) -> pa.Array:
    """Turn hexadecimal text, one geometry a value, into the bytes that it stands for."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    raw = binascii.unhexlify(memoryview(data)[ends[0] : ends[-1]]) if len(column) else b""
    halves = ((ends - ends[0]) // 2).astype(np.int32)
    known = pc.is_valid(column).buffers()[1] if column.null_count else None
    return pa.Array.from_buffers(pa.binary(), len(column), [known, pa.py_buffer(halves), pa.py_buffer(raw)])


class Reader:
    """Turns blocks of plain lines into Arrow batches of one schema."""

    def __init__(self, job: Job, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._job = job
        self.count = 0
        read = {item.name: _READ[item.type] for item in job.columns}
        kept = [(item.name, self._type(item)) for item in job.columns]
        if job.box:
            read |= dict.fromkeys((f"_{side}" for side in SIDES), pa.float64())
        if job.geometry:
            read["geometry"] = pa.binary()
            kept.append(("geometry", pa.binary()))
        self._read = read
        self.schema = pa.schema([pa.field(name, kind, metadata=self._metadata(name)) for name, kind in kept])

    def _type(self, column: ColumnSpec) -> pa.DataType:
        if column.type == "text[]":
            return pa.list_(pa.string()) if self._job.lists else pa.string()
        return _KEPT.get(column.type, _READ[column.type])

    def _metadata(self, name: str) -> dict[str, str] | None:
        if name == "geometry":
            return {"ARROW:extension:name": "ogc.wkb"}
        column = next(item for item in self._job.columns if item.name == name)
        found = {"GDAL:OGR:alternative_name": column.label}
        if column.unit:
            found["GDAL:OGR:comment"] = column.unit
        return found

    def tables(self) -> Iterator[tuple[pa.RecordBatch, dict[str, pa.Array]]]:
        """Return the batches, each with the sides of its geometries' boxes."""
        for block in self._blocks:
            table = pa_csv.read_csv(
                pa.py_buffer(block),
                # The whole block at once: a line that goes over the end of a chunk would be an error.
                read_options=pa_csv.ReadOptions(column_names=list(self._read), block_size=len(block) + 1),
                parse_options=pa_csv.ParseOptions(newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    column_types=self._read,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    true_values=["true"],
                    false_values=["false"],
                ),
            )
            columns = {name: table[name].combine_chunks() for name in self._read}
            found = [self._column(item.name, columns[item.name]) for item in self.schema]
            self.count += len(table)
            yield pa.record_batch(found, schema=self.schema), {side: columns.get(f"_{side}") for side in SIDES}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Return the batches."""
        return (batch for batch, _ in self.tables())

    def _column(self, name: str, values: pa.Array) -> pa.Array:
        if name == "geometry":
            return _unhexed(values)
        kind = self.schema.field(name).type
        if pa.types.is_list(kind):
            return pc.list_slice(pc.split_pattern(values, ELEMENT), 1)
        return values if values.type == kind else values.view(kind)


def kinds_of(column: pa.Array) -> np.ndarray[Any, Any]:
    """Return the geometry types (1 Point … 7 GeometryCollection) of little-endian WKB; 0 for a null."""
    if column.null_count:
        kinds = np.zeros(len(column), np.uint8)
        kinds[pc.is_valid(column).to_numpy(zero_copy_only=False)] = kinds_of(column.drop_null())
        return kinds
    _, offsets, data = column.buffers()
    starts = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column)]
    return np.frombuffer(data, np.uint8)[starts + 1] if len(column) else np.empty(0, np.uint8)
