"""Reads data files into rows that fit a layer's definition, accounting for every row that does not."""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84_SRID, known_srid, srid_of
from geo.errors import IngestError, InvalidInput
from geo.repair import fit
from layers.definition import DataSource, LayerDefinition, PathThrough, PointColumns, WktColumn
from layers.values import convert, is_missing

HAIR = 1e-6
#: Degrees from a place to its antipode.
_HALF_TURN = 180 - HAIR
_CELLS = "\0cells"
_DEFAULT_POINT = PointColumns(x="lon", y="lat")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: its number in the file (from 1), its id where it has one, and why."""

    row: int
    id: str
    code: str
    params: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """A row that fits the layer: field values in the definition's order, geometry in the layer's SRID.

    An entry of the annuaire that has no place has an empty point.
    """

    number: int
    id: str
    values: tuple[object, ...]
    geometry: BaseGeometry
    entry_id: str | None


@dataclass
class Source:
    """A data file, read and checked."""

    rows: list[Row]
    rejected: list[Rejected]
    repaired: int
    read: int
    ignored_columns: list[str]


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file as text, nothing guessed: UTF-8 with or without a mark, comma-separated, with a header.

    The column :data:`_CELLS` has the number of cells of a row that has more or fewer than the header; else it is empty.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header, *rows = [row for row in csv.reader(stream, strict=True) if row]
    except UnicodeDecodeError as error:
        raise IngestError("ingest.encoding", file=path.name, log=str(error)) from error
    except (csv.Error, ValueError) as error:
        raise IngestError("ingest.unreadable", file=path.name, log=str(error)) from error
    doubled = [name for name in header if header.count(name) > 1]
    if doubled:
        raise IngestError("ingest.column-twice", file=path.name, column=doubled[0])
    width = len(header)
    # Spreadsheets end lines with commas; empty cells beyond the header say nothing.
    rows = [row if any(row[width:]) else row[:width] for row in rows]
    cells = [[*row[:width], *[""] * (width - len(row)), "" if len(row) == width else str(len(row))] for row in rows]
    return pd.DataFrame(cells, columns=[*header, _CELLS], dtype=object)


def _frame(
    path: Path, source: DataSource, data_dir: Path, srid: int | None, source_layer: str | None, placeless: bool
) -> gpd.GeoDataFrame:
    """Read any file into a frame with a CRS; it need have no geometries where rows may be ``placeless``."""
    if not path.is_file():
        raise IngestError("ingest.no-file", file=str(path))
    if srid is not None and not known_srid(srid):
        raise IngestError("ingest.srid-unknown", value=srid)
    if path.suffix.lower() == ".csv":
        table = read_csv(path)
        if placeless:
            geometry = _places(table, path)
        else:
            geometry = _geometry_column(table, path, source.geometry or _DEFAULT_POINT, data_dir)
        return gpd.GeoDataFrame(table, geometry=geometry, crs=srid or source.srid)
    # Through Arrow with its own types, so that a null makes no float of an integer; a text like a date stays a text.
    options = {"DATE_AS_STRING": "YES"} if path.suffix.lower() in (".geojson", ".json") else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # GDAL's: what it means shows in the rows
            frame = gpd.read_file(
                path,
                layer=source_layer,
                engine="pyogrio",
                use_arrow=True,
                arrow_to_pandas_kwargs={"types_mapper": pd.ArrowDtype},
                on_invalid="ignore",
                **options,
            )
    except (DataSourceError, DataLayerError, UnicodeDecodeError, GEOSException, ValueError) as error:
        raise IngestError("ingest.unreadable", file=path.name, log=str(error)) from error
    if placeless and not isinstance(frame, gpd.GeoDataFrame):
        frame = gpd.GeoDataFrame(frame, geometry=[None] * len(frame), crs=source.srid)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise IngestError("ingest.no-geometry", file=path.name)
    if srid is not None:
        frame = frame.set_crs(srid, allow_override=True)
    elif frame.crs is None:
        raise IngestError("ingest.no-crs", file=path.name)
    return frame


def _geometry_column(
    table: pd.DataFrame, path: Path, how: PointColumns | WktColumn | PathThrough, data_dir: Path
) -> list[BaseGeometry | None]:
    wanted = [how.x, how.y] if isinstance(how, PointColumns) else [how.wkt if isinstance(how, WktColumn) else how.path]
    _need_columns(table, wanted, path)
    if isinstance(how, PointColumns):
        return [_point(x, y) for x, y in zip(table[how.x], table[how.y], strict=True)]
    if isinstance(how, WktColumn):
        return list(shapely.from_wkt(table[how.wkt].to_numpy(), on_invalid="ignore"))
    points_file = data_dir / how.points
    points = read_csv(points_file)
    _need_columns(points, [how.key, how.x, how.y], points_file)
    known = {key: _point(x, y) for key, x, y in zip(points[how.key], points[how.x], points[how.y], strict=True)}
    return [_path([known.get(key) for key in cell.split()]) for cell in table[how.path]]


def _places(table: pd.DataFrame, path: Path) -> list[BaseGeometry | None]:
    """Return the points of a table of institutions, none for those without; what is no position is an empty point."""
    names = [_DEFAULT_POINT.x, _DEFAULT_POINT.y]
    if not set(names) & set(table.columns):
        return [None] * len(table)
    _need_columns(table, names, path)
    return [
        None if is_missing(x) and is_missing(y) else _point(x, y) or shapely.Point()
        for x, y in zip(*(table[name] for name in names), strict=True)
    ]


def _point(x: str, y: str) -> shapely.Point | None:
    try:
        return shapely.Point(float(x), float(y))
    except ValueError:
        return None


def _path(points: list[shapely.Point | None]) -> BaseGeometry | None:
    known = [point for point in points if point is not None]
    if not known or len(known) < len(points):
        return None
    return known[0] if len(known) == 1 else shapely.LineString(known)


def _need_columns(table: pd.DataFrame, wanted: list[str], path: Path) -> None:
    for column in wanted:
        if column not in table.columns:
            raise IngestError(
                "ingest.missing-column", file=path.name, column=column, allowed=", ".join(map(str, table.columns))
            )


def _ids(frame: gpd.GeoDataFrame, column: str, path: Path) -> Iterator[str]:
    if column not in frame.columns:
        if column != "id":
            _need_columns(frame, [column], path)
        # A file without any id: its rows are named by their number, which is stable as long as the file is.
        yield from (f"{path.stem}-{number}" for number in range(1, len(frame) + 1))
        return
    for value in frame[column]:
        if is_missing(value):
            yield ""
        else:
            yield str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def read_source(
    definition: LayerDefinition,
    path: Path,
    *,
    data_dir: Path,
    srid: int | None = None,
    source_layer: str | None = None,
) -> Source:
    """Read a file of features and check every row against the layer's definition.

    Parameters
    ----------
    path : Path
        CSV, or any vector format that GDAL reads.
    data_dir : Path
        Where the definition's other files lie.
    srid : int, optional
        EPSG code of the file's coordinates, where the file does not say or is wrong.
    source_layer : str, optional
        The layer within the file, for formats with several.

    Raises
    ------
    IngestError
        When the file as a whole can't be used; single rows are rejected and accounted for instead.
    """
    frame = _frame(path, definition.data, data_dir, srid, source_layer, definition.entries)
    if len(frame):
        _need_columns(frame, [item.column for item in definition.fields if item.required], path)
    try:
        source_srid = srid_of(frame.crs)
    except InvalidInput as error:
        raise IngestError("ingest.no-crs", file=path.name, log=str(error)) from error
    outcomes = [fit(geometry, definition.geometry.type) for geometry in frame.geometry]
    if source_srid == WGS84_SRID:
        outcomes = [_on_earth(geometry, outcome) for geometry, outcome in outcomes]
    if source_srid != definition.geometry.srid:
        moved = gpd.GeoSeries([geometry for geometry, _ in outcomes], crs=frame.crs).to_crs(definition.geometry.srid)
        outcomes = [(geometry, outcome) for geometry, (_, outcome) in zip(moved, outcomes, strict=True)]
    columns = [
        list(frame[item.column]) if item.column in frame.columns else [None] * len(frame) for item in definition.fields
    ]
    entries = list(frame["entry_id"]) if "entry_id" in frame.columns else [None] * len(frame)
    ids = _ids(frame, definition.data.id, path)
    source = Source([], [], 0, len(frame), _ignored(definition, frame))
    seen: set[str] = set()
    cells = list(frame[_CELLS]) if _CELLS in frame.columns else [""] * len(frame)
    rows = zip(ids, outcomes, zip(*columns, strict=True), entries, strict=True)
    for number, (key, (geometry, outcome), values, entry) in enumerate(rows, 1):
        reason = _reason(key, seen, geometry, outcome, definition)
        if cells[number - 1]:
            reason = "ingest.cells", {"count": int(cells[number - 1]), "allowed": len(frame.columns) - 2}
        if reason is None:
            try:
                converted = tuple(convert(item, value) for item, value in zip(definition.fields, values, strict=True))
            except IngestError as error:
                reason = (error.code, error.params)
        if reason is not None:
            source.rejected.append(Rejected(number, key, reason[0], reason[1]))
            continue
        geometry = shapely.Point() if geometry is None else geometry
        seen.add(key)
        source.repaired += outcome == "repaired"
        entry_id = None if is_missing(entry) else str(entry).strip()
        source.rows.append(Row(number, key, converted, geometry, entry_id))
    return source


def _on_earth(geometry: BaseGeometry | None, outcome: str) -> tuple[BaseGeometry | None, str]:
    if geometry is not None:
        west, south, east, north = geometry.bounds
        # Files round: the antimeridian is often a hair beyond 180.
        if not (-180 - HAIR <= west <= east <= 180 + HAIR and -90 - HAIR <= south <= north <= 90 + HAIR):
            return None, "degrees"
        if max(east - west, north - south) >= _HALF_TURN:
            # From a place to its antipode there are as many shortest ways as one likes: PostGIS has none.
            geometry = shapely.segmentize(geometry, _HALF_TURN / 2)
    return geometry, outcome


def _reason(
    key: str, seen: set[str], geometry: BaseGeometry | None, outcome: str, definition: LayerDefinition
) -> tuple[str, dict[str, object]] | None:
    if not key or len(key) > 200 or not key.isprintable() or "/" in key or key in (".", ".."):
        return "ingest.id-invalid", {"value": key[:60]}
    if key in seen:
        return "ingest.id-twice", {"value": key}
    if definition.entries and outcome == "missing":
        return None
    if definition.entries and outcome == "empty":
        return "ingest.position", {}
    if geometry is None or not math.isfinite(geometry.bounds[0]):
        return f"ingest.geometry-{outcome if geometry is None else 'infinite'}", {"allowed": definition.geometry.type}
    return None


def _ignored(definition: LayerDefinition, frame: gpd.GeoDataFrame) -> list[str]:
    used = {item.column for item in definition.fields} | {definition.data.id, "entry_id", frame.geometry.name, _CELLS}
    how = definition.data.geometry or _DEFAULT_POINT
    used |= set(how.model_dump().values())
    return [str(column) for column in frame.columns if column not in used]


def directory_rows(path: Path) -> list[dict[str, Any]]:
    """Read the annuaire's own file, one institution a row, into values for ``directory.entries``."""
    table = read_csv(path)
    _need_columns(table, ["id", "category", "name_fr", "name_ar", "source"], path)
    rows = []
    for record in table.to_dict("records"):
        cells = {str(key): None if is_missing(value) else str(value).strip() for key, value in record.items()}
        point = _point(cells.pop("lon", None) or "", cells.pop("lat", None) or "")
        rows.append({**cells, "point": point})
    return rows
