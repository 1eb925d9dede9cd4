"""The file formats: FlatGeobuf, GeoPackage, KML and Shapefile by GDAL, GeoParquet by Arrow; used by the writer only."""

from __future__ import annotations

import errno
import json
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
from pyarrow import parquet
from pyproj import CRS

from layers.files import shapefile
from layers.files.arrow import Reader, kinds_of
from layers.files.job import SIDES, Job

#: Rows of a row group: what a reader of GeoParquet can pass over at once.
ROW_GROUP = 50_000
#: Characters that XML 1.0 can't have, not even escaped.
_NOT_XML = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"
#: What readers of KML call their own: the placemark's name and description, and what GDAL adds to every table.
_OF_KML = frozenset(
    {
        *("id", "name", "description"),
        *("timestamp", "begin", "end", "altitudemode", "tessellate", "extrude", "visibility", "draworder", "icon"),
    }
)
#: GeoParquet's names of the geometry types of WKB.
_KINDS = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection")


def write_gdal(
    path: Path,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    driver: str,
    layer: str,
    geometry: str | None,
    srid: int,
    dataset: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> None:
    """Write batches with a GDAL driver; ``geometry`` is the layer's type, None for a table without."""
    kind = "Unknown" if geometry == "Geometry" else geometry
    with warnings.catch_warnings():
        # GDAL's remarks on what a format can't hold; the table in the archive says the same to people.
        warnings.simplefilter("ignore")
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, iter(batches)),
            path,
            layer=layer,
            driver=driver,
            geometry_name="geometry" if geometry else None,
            geometry_type=kind,
            crs=f"EPSG:{srid}" if geometry else None,
            encoding="UTF-8",
            dataset_options=dataset,
            layer_options=options,
        )


def flatgeobuf(job: Job, reader: Reader) -> str:
    """Write FlatGeobuf, with a spatial index unless it would undo an order that was asked for, or some lack a place."""
    name = f"{job.name}.fgb"
    options = {"TITLE": job.title, "DESCRIPTION": job.description, "TEMPORARY_DIR": job.folder}
    options["SPATIAL_INDEX"] = "NO" if job.ordered or job.placeless or job.geometry is None else "YES"
    write_gdal(
        Path(job.folder, name),
        reader.schema,
        reader.batches(),
        driver="FlatGeobuf",
        layer=job.name,
        geometry=job.geometry,
        srid=job.srid,
        options=options,
    )
    return name


def geopackage(job: Job, reader: Reader) -> str:
    """Write GeoPackage; columns have their labels as titles, which QGIS shows as aliases."""
    name = f"{job.name}.gpkg"
    pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF", "OGR_CURRENT_DATE": job.updated})
    write_gdal(
        Path(job.folder, name),
        reader.schema,
        reader.batches(),
        driver="GPKG",
        layer=job.name,
        geometry=job.geometry,
        srid=job.srid,
        options={"IDENTIFIER": job.title, "DESCRIPTION": job.description},
    )
    return name


def kml(job: Job, reader: Reader) -> str:
    """Write KML: each place is named in the reader's language, all properties are its extended data.

    The feature's id is ``feature_id`` there, a field ``Name`` is ``feature_Name``: readers take these for what KML
    itself says of a place.
    """
    name = f"{job.name}.kml"
    fields = [
        pa.field(given, pa.string() if pa.types.is_date32(item.type) else item.type)
        for given, item in zip(_kml_names(reader.schema.names), reader.schema, strict=True)
    ]
    schema = pa.schema([pa.field("Name", pa.string()), *fields])
    titles = [title for title in (f"name_{job.lang}", "name_fr", "id") if title in reader.schema.names]
    # GDAL calls whole numbers of 64 bits texts, as KML's have 32.
    short = {number: item.name for number, item in enumerate(fields) if pa.types.is_int64(item.type)}

    def made() -> Iterator[pa.RecordBatch]:
        for batch in reader.batches():
            for number in [number for number in short if not _short(batch.column(number))]:
                del short[number]
            columns = [pc.coalesce(*(batch[title] for title in titles)), *batch.columns]
            yield pa.record_batch([_xml(column) for column in columns], schema=schema)

    write_gdal(
        Path(job.folder, name),
        schema,
        made(),
        driver="KML",
        layer=job.title,
        geometry=job.geometry,
        srid=job.srid,
    )
    _check_kml(Path(job.folder, name), reader.count)
    _call_numbers(Path(job.folder, name), short.values())
    return name


def _short(column: pa.Array) -> bool:
    """Tell whether all whole numbers of a column have no more than 32 bits."""
    ends = pc.min_max(column)
    least, most = ends["min"].as_py(), ends["max"].as_py()
    return least is None or (least >= -(2**31) and most < 2**31)


def _call_numbers(path: Path, names: Iterable[str]) -> None:
    """Say in a KML file's schema that fields are whole numbers, without moving what follows."""
    with path.open("r+b") as file:
        head = file.read(1 << 20)
        for name in names:
            called = f'<SimpleField name="{name}" type='.encode()
            # Blanks within a tag mean nothing.
            head = head.replace(called + b'"string">', called + b'"int"   >', 1)
        file.seek(0)
        file.write(head)


def _kml_names(names: list[str]) -> list[str]:
    """Return the names of columns in KML, which tells no upper from lower case: none is a reader's own, none twice."""
    taken = {name.lower() for name in names} | _OF_KML
    given = []
    for name in names:
        if name.lower() in _OF_KML:
            name = f"feature_{name}"
            while name.lower() in taken:
                name += "_"
            taken.add(name.lower())
        given.append(name)
    return given


def _check_kml(path: Path, count: int) -> None:
    """Make sure that all places are there: the driver doesn't look at whether its writes found room.

    Raises
    ------
    OSError
        ``ENOSPC``.
    """
    mark, found, rest = b"<Placemark id=", 0, b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            found += (rest + chunk).count(mark)
            rest = (rest + chunk)[1 - len(mark) :]
    if found != count or not rest.rstrip().endswith(b"</kml>"):
        raise OSError(errno.ENOSPC, "the KML file is not whole")


def _xml(column: pa.Array) -> pa.Array:
    if pa.types.is_date32(column.type):
        return column.cast(pa.string())
    if pa.types.is_string(column.type):
        return pc.replace_substring_regex(column, pattern=_NOT_XML, replacement="")
    return column


def geoparquet(job: Job, reader: Reader) -> str:
    """Write GeoParquet 1.1: WKB, x before y, with a column of boxes so that readers can pass over row groups."""
    name = f"{job.name}.parquet"
    schema = pa.schema([item.remove_metadata() for item in reader.schema])
    box = pa.struct([pa.field(side, pa.float64()) for side in SIDES])
    if job.geometry:
        schema = schema.append(pa.field("bbox", box))
    found = _Extent()
    with parquet.ParquetWriter(Path(job.folder, name), schema, compression="zstd") as writer:
        for group in _grouped(_boxed(job, reader, schema, box, found)):
            writer.write_table(group, row_group_size=ROW_GROUP)
        if job.geometry:
            writer.add_key_value_metadata({"geo": json.dumps(_geo(job, found))})
    return name


class _Extent:
    """The box and the geometry types of all that was written."""

    def __init__(self) -> None:
        self.low = np.full(2, np.inf)
        self.high = np.full(2, -np.inf)
        self.kinds: set[int] = set()

    def add(self, sides: dict[str, Any], geometry: pa.Array) -> None:
        self.kinds |= set(np.unique(kinds_of(geometry)).tolist()) - {0}
        for number, axis in enumerate("xy"):
            low, high = pc.min(sides[f"{axis}min"]).as_py(), pc.max(sides[f"{axis}max"]).as_py()
            if low is not None:
                self.low[number] = min(self.low[number], low)
                self.high[number] = max(self.high[number], high)


def _boxed(job: Job, reader: Reader, schema: pa.Schema, box: pa.StructType, found: _Extent) -> Iterator[pa.RecordBatch]:
    for batch, sides in reader.tables():
        if not job.geometry:
            yield pa.record_batch(batch.columns, schema=schema)
            continue
        found.add(sides, batch["geometry"])
        boxes = pa.StructArray.from_arrays([sides[side] for side in SIDES], fields=list(box))
        yield pa.record_batch([*batch.columns, boxes], schema=schema)


def _grouped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    kept: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        kept.append(batch)
        rows += len(batch)
        size += batch.nbytes
        if rows >= ROW_GROUP or size > 64_000_000:
            yield pa.Table.from_batches(kept)
            kept, rows, size = [], 0, 0
    if kept:
        yield pa.Table.from_batches(kept)


def _geo(job: Job, found: _Extent) -> dict[str, Any]:
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(_KINDS[kind - 1] for kind in found.kinds),
        "crs": CRS.from_epsg(job.srid).to_json_dict(),
        "edges": "planar",
        "covering": {"bbox": {side: ["bbox", side] for side in SIDES}},
    }
    if np.isfinite(found.low).all():
        column["bbox"] = [*found.low.tolist(), *found.high.tolist()]
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def zipped_shapefile(job: Job, reader: Reader) -> str:
    """Write a Shapefile for each kind of geometry into one archive, with the table of its short names.

    Texts that dBASE cuts stand whole in another table.
    """
    name = f"{job.name}.zip"
    folder = Path(job.folder)
    spool = folder / "spool.arrow"
    whole = folder / f"{job.name}_long_texts.csv"
    plan = shapefile.gather(job, reader, spool, whole)
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for part in plan.parts:
            write_gdal(
                folder / f"{part.name}.shp",
                plan.schema,
                shapefile.part_batches(plan, part, spool),
                driver="ESRI Shapefile",
                layer=part.name,
                geometry=part.geometry,
                srid=job.srid,
            )
            shapefile.check(folder / part.name)
            for file in sorted(folder.glob(f"{part.name}.*")):
                if file.suffix != ".zip":
                    archive.write(file, file.name)
                    file.unlink()
        archive.writestr(f"{job.name}_fields.csv", shapefile.names_table(job, plan))
        if any(plan.cut.values()):
            archive.write(whole, whole.name)
    spool.unlink()
    whole.unlink()
    return name


WRITERS: dict[str, Callable[[Job, Reader], str]] = {
    "fgb": flatgeobuf,
    "gpkg": geopackage,
    "parquet": geoparquet,
    "kml": kml,
    "shp": zipped_shapefile,
}
