"""Builds the statements of the public queries on a layer; nothing here executes.

A statement depends on the *shape* of a query only (which conditions it has), never on its values, and is compiled once
a shape: compiling costs as much as a whole query. PostGIS writes the GeoJSON text of every feature.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Date,
    DateTime,
    LargeBinary,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy import table as sql_table
from sqlalchemy.dialects.postgresql import ARRAY

from geo.crs import DEFAULT_CRS, WGS84_SRID, AxisOrderedCrs
from geo.errors import InvalidInput
from layers.catalogue import PublishedLayer
from layers.database import Statement, compile_statement
from layers.lines import GEOJSON, Lines, csv_line, plain_line
from layers.models import INNER, Entry
from layers.selection import EVERYTHING, Selection, conditions
from layers.tables import SCHEMA

#: Characters of a text that count for its order.
SORTED_LENGTH = 120
#: Digits after the point of degrees in GeoJSON: 1 cm.
DIGITS = 7
#: The same in metres: 1 mm.
METRE_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Output:
    """What of a feature is given, and in which CRS: ``fields`` None for all, ``geometry`` False for none."""

    crs: AxisOrderedCrs = DEFAULT_CRS
    fields: tuple[str, ...] | None = None
    geometry: bool = True


@contextmanager
def placed_in(output: Output) -> Iterator[None]:
    """Name the CRS of the answer where a feature has no coordinates in it.

    A layer is only given in CRS that hold its extent, but a row may be written past the ingest, which measures that.

    Raises
    ------
    InvalidInput
        ``crs.features``.
    """
    try:
        yield
    except InvalidInput as error:
        if error.code != "query.data" or not error.log.startswith("transform"):
            raise
        raise InvalidInput("crs.features", parameter="crs", value=output.crs.uri, log=error.log) from error


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of an order: a field, ``id``, or nothing else; unknown values come last, first when descending."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ItemsShape:
    """What a query for a page of features has; queries of one shape share their statement.

    ``cursor`` is None on the first page; else it says of each sort key whether the last feature had no value in it.
    Values: those of the selection, ``page``, ``max_bytes``, and with a cursor ``after_fid``, ``after0`` …
    """

    selection: Selection = EVERYTHING
    output: Output = Output()
    sort: tuple[Sort, ...] = ()
    cursor: tuple[bool, ...] | None = None


def properties(layer: PublishedLayer) -> list[str]:
    """Return the names of a feature's properties, in their order."""
    names = [field.name for field in layer.definition.fields]
    return [*names, "entry_id"] if layer.definition.linked else names


def geometry_text(layer: PublishedLayer, output: Output) -> ColumnElement[Any]:
    """Return a feature's geometry as GeoJSON text in the output's CRS and its authority's axis order."""
    if not output.geometry:
        return literal_column("'null'")
    geometry: ColumnElement[Any] = layer.table.c.geom
    if layer.definition.geometry.srid != output.crs.srid:
        geometry = func.ST_Transform(geometry, output.crs.srid)
    if output.crs.north_first:
        geometry = func.ST_FlipCoordinates(geometry)
    if layer.definition.geometry.type == "Geometry":
        # Collections in collections, which PostGIS can't write and RFC 7946 (3.1.8) advises against, become one.
        mixed = func.GeometryType(geometry) == literal_column("'GEOMETRYCOLLECTION'")
        geometry = case((mixed, func.ST_CollectionHomogenize(geometry)), else_=geometry)
    digits = DIGITS if output.crs.srid == WGS84_SRID else METRE_DIGITS
    written = func.ST_AsGeoJSON(geometry, literal_column(str(digits)), literal_column("0"), type_=Text)
    return func.coalesce(written, "null", type_=Text) if layer.definition.entries else written


def chosen(layer: PublishedLayer, output: Output) -> list[str]:
    """Return the names of the properties that are given."""
    return properties(layer) if output.fields is None else list(output.fields)


def feature_text(layer: PublishedLayer, output: Output, lines: Lines = GEOJSON) -> tuple[Any, ColumnElement[str]]:
    """Return what to select from, and a feature's text: GeoJSON (RFC 7946; Part 2 for other CRS) or another line."""
    table = layer.table
    names = chosen(layer, output)
    if lines.style == "csv":
        return table, csv_line(layer, output, lines, names)
    if lines.style in ("plain", "array"):
        return table, plain_line(layer, output, lines, names)
    attributes = select(*(table.c[name] for name in names)).correlate(table).lateral("_p")
    # A text sequence has each feature between a record separator and a line feed (RFC 8142).
    before, behind = ("\x1e", "}\n") if lines.style == "geojsonseq" else ("", "}")
    text = func.concat(
        before + '{"type":"Feature","id":',
        cast(func.to_json(table.c.id), Text),
        ',"geometry":',
        geometry_text(layer, output),
        ',"properties":',
        cast(func.row_to_json(literal_column("_p")), Text) if names else "{}",
        behind,
    )
    return (table.join(attributes, true()) if names else table), text


def as_bytes(text: ColumnElement[Any]) -> ColumnElement[bytes]:
    """Return a text as UTF-8 bytes, which go through Python unopened."""
    return func.convert_to(text, "UTF8", type_=LargeBinary)


def _sort_column(layer: PublishedLayer, key: Sort) -> ColumnElement[Any]:
    column = layer.table.c[key.name]
    # As people sort: accents and case do not part words, whatever the database's own collation.
    return sort_key(layer, key).collate("und-x-icu") if isinstance(column.type, Text) else column


def sort_key(layer: PublishedLayer, key: Sort) -> ColumnElement[Any]:
    """Return what a feature is sorted by: of a text its beginning, as it stands in cursors, and so in addresses."""
    column = layer.table.c[key.name]
    return func.left(column, SORTED_LENGTH, type_=Text) if isinstance(column.type, Text) else column


def order_of(layer: PublishedLayer, sort: tuple[Sort, ...]) -> list[ColumnElement[Any]]:
    """Return the ORDER BY of a sorted query, made total by ``fid``."""
    columns = [(_sort_column(layer, key), key.descending) for key in sort]
    return [column.desc() if down else column.asc() for column, down in columns] + [layer.table.c.fid.asc()]


def behind(layer: PublishedLayer, shape: ItemsShape) -> ColumnElement[bool]:
    """Return the condition for the features behind the cursor (PostgreSQL sorts unknown values as the greatest)."""
    assert shape.cursor is not None, "only pages behind a cursor have it"
    found: Any = layer.table.c.fid > bindparam("after_fid", type_=BigInteger)
    for number, key in reversed(list(enumerate(shape.sort))):
        column = _sort_column(layer, key)
        value = bindparam(f"after{number}", type_=layer.table.c[key.name].type)
        if shape.cursor[number]:
            same: Any = column.is_(None)
            behind: Any = column.is_not(None) if key.descending else false()
        else:
            same = column == value
            behind = column < value if key.descending else or_(column > value, column.is_(None))
        found = or_(behind, and_(same, found))
    result: ColumnElement[bool] = found
    return result


@lru_cache(maxsize=256)
def whole_statement(layer: PublishedLayer, shape: ItemsShape, lines: Lines) -> Statement:
    """Return the statement of all features that are selected, in order: a row each, with its text as bytes."""
    source, text = feature_text(layer, shape.output, lines)
    selected = conditions(layer, shape.selection)
    return compile_statement(
        select(as_bytes(text)).select_from(source).where(and_(true(), *selected)).order_by(*order_of(layer, shape.sort))
    )


@lru_cache(maxsize=256)
def count_statement(layer: PublishedLayer, selection: Selection) -> Statement:
    """Return the statement of how many features are selected."""
    selected = and_(true(), *conditions(layer, selection))
    return compile_statement(select(func.count()).select_from(layer.table).where(selected), fresh=selection.fresh)


@lru_cache(maxsize=256)
def item_statement(layer: PublishedLayer, output: Output = Output()) -> Statement:
    """Return the statement of one feature by its public id: ``feature`` (GeoJSON text), ``entry_id``."""
    source, text = feature_text(layer, output)
    return compile_statement(
        select(as_bytes(text).label("feature"), layer.table.c.entry_id)
        .select_from(source)
        .where(layer.table.c.id == bindparam("id", type_=Text))
    )


@lru_cache(maxsize=256)
def record_statement(layer: PublishedLayer) -> Statement:
    """Return the statement of one feature for a card: its columns, and ``_lon``, ``_lat`` of a point on it."""
    table = layer.table
    point = func.ST_Transform(func.ST_PointOnSurface(table.c.geom), WGS84_SRID)
    # Moments as text, because PostgreSQL's reach beyond Python's: infinity, years before the first.
    columns = [
        cast(column, Text).label(column.name) if isinstance(column.type, Date | DateTime) else column
        for column in table.columns
        if column.name != "geom"
    ]
    return compile_statement(
        select(*columns, func.ST_X(point).label("_lon"), func.ST_Y(point).label("_lat")).where(
            table.c.id == bindparam("id", type_=Text)
        )
    )


#: The entries that anybody may see, as the layer ``directory`` has them.
_ENTRIES = sql_table(
    "directory",
    *(Column(column.name, column.type) for column in Entry.__mapper__.columns if column.name not in INNER),
    schema=SCHEMA,
)


@lru_cache(maxsize=4)
def entry_statement() -> Statement:
    """Return the statement of one entry of the annuaire, with ``feature``, its GeoJSON text, and ``_lon``, ``_lat``."""
    entry = _ENTRIES.c
    names = [column for column in entry if column.name not in ("geom", "id")]
    attributes = select(*names).correlate(_ENTRIES).lateral("_p")
    text = func.concat(
        '{"type":"Feature","id":',
        cast(func.to_json(entry.id), Text),
        ',"geometry":',
        func.coalesce(
            func.ST_AsGeoJSON(entry.geom, literal_column(str(DIGITS)), literal_column("0"), type_=Text), "null"
        ),
        ',"properties":',
        cast(func.row_to_json(literal_column("_p")), Text),
        "}",
    )
    return compile_statement(
        select(
            entry.id,
            *names,
            as_bytes(text).label("feature"),
            func.ST_X(entry.geom).label("_lon"),
            func.ST_Y(entry.geom).label("_lat"),
        )
        .select_from(_ENTRIES.join(attributes, true()))
        .where(entry.id == bindparam("id", type_=Text))
    )


@lru_cache(maxsize=4)
def category_statement() -> Statement:
    """Return the statement of whether some entry that anybody may see is of a category."""
    entries = select(_ENTRIES.c.id).where(_ENTRIES.c.category == bindparam("category", type_=Text))
    return compile_statement(select(entries.exists()))


@lru_cache(maxsize=16)
def names_statement(layer: PublishedLayer) -> Statement:
    """Return the statement of the names of features whose ids are in ``ids``; at most 500."""
    table = layer.table
    wanted = table.c.id == func.any(bindparam("ids", type_=ARRAY(Text)))
    return compile_statement(select(table.c.id, table.c.name_fr, table.c.name_ar).where(wanted).limit(500))


@lru_cache(maxsize=16)
def ids_statement(layer: PublishedLayer) -> Statement:
    """Return the statement of the ids of a layer's first features, at most ``page``."""
    table = layer.table
    return compile_statement(select(table.c.id).order_by(table.c.fid).limit(bindparam("page", type_=BigInteger)))


@lru_cache(maxsize=256)
def linked_statement(layer: PublishedLayer) -> Statement:
    """Return the statement of the features linked to an entry: id and names of at most 200."""
    table = layer.table
    return compile_statement(
        select(table.c.id, table.c.name_fr, table.c.name_ar)
        .where(table.c.entry_id == bindparam("entry_id", type_=Text))
        .order_by(table.c.fid)
        .limit(200)
    )
