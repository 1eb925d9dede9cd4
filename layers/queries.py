"""Builds the statements of the public queries on a layer; nothing here executes.

A statement depends on the *shape* of a query only (which conditions it has), never on its values, and is compiled once
a shape: compiling costs as much as a whole query. PostGIS writes the GeoJSON text of every feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Double,
    LargeBinary,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import KeyedColumnElement

from geo.crs import WGS84_SRID, domain, transformer
from layers.catalogue import PublishedLayer
from layers.database import Statement, compile_statement
from layers.models import Entry, Layer
from layers.tables import sql_type

#: Up to this many matching features are counted for ``numberMatched``; beyond, the number is not given.
COUNT_LIMIT = 10_000
#: Digits after the point of degrees in GeoJSON: 1 cm.
DIGITS = 7


@dataclass(frozen=True, slots=True)
class ItemsShape:
    """Which conditions a query for items has; queries of one shape share their statement.

    Parameters
    ----------
    boxes : int
        0 without ``bbox``; 2 for a box across the antimeridian.
    after, before : bool
        Whether the interval of ``datetime`` has a start, an end.
    equal : tuple of str
        The fields that are compared with a value.
    """

    boxes: int = 0
    after: bool = False
    before: bool = False
    equal: tuple[str, ...] = ()
    cursor: bool = False


def properties(layer: PublishedLayer) -> list[str]:
    """Return the names of a feature's properties, in their order."""
    names = [field.name for field in layer.definition.fields]
    return [*names, "entry_id"] if layer.definition.directory else names


def _feature(layer: PublishedLayer) -> tuple[Any, ColumnElement[str]]:
    """Return what to select from, and the GeoJSON text of a feature (RFC 7946: degrees, longitude first)."""
    table = layer.table
    attributes = select(*(table.c[name] for name in properties(layer))).correlate(table).lateral("_p")
    geometry: ColumnElement[Any] = table.c.geom
    if layer.definition.geometry.srid != WGS84_SRID:
        geometry = func.ST_Transform(geometry, WGS84_SRID)
    text = func.concat(
        '{"type":"Feature","id":',
        cast(func.to_json(table.c.id), Text),
        ',"geometry":',
        func.ST_AsGeoJSON(geometry, literal_column(str(DIGITS)), literal_column("0"), type_=Text),
        ',"properties":',
        cast(func.row_to_json(literal_column("_p")), Text),
        "}",
    )
    return table.join(attributes, true()), text


def _bytes(text: ColumnElement[Any]) -> ColumnElement[bytes]:
    """Return a text as UTF-8 bytes, which go through Python unopened."""
    return func.convert_to(text, "UTF8", type_=LargeBinary)


def to_column(layer: PublishedLayer, box: ColumnElement[Any], srid: int = WGS84_SRID) -> ColumnElement[Any]:
    """Transform a box to the CRS of a layer's column: clipped to where that CRS holds, with points along its edges."""
    target = layer.definition.geometry.srid
    if srid == target:
        return box
    area = domain(target)
    if srid == WGS84_SRID:
        west, south, east, north, step = area.west, area.south, area.east, area.north, 0.25
    else:
        west, south, east, north = transformer(WGS84_SRID, srid).transform_bounds(
            area.west, area.south, area.east, area.north
        )
        step = max(east - west, north - south) / 1024
    clipped = func.ST_Intersection(box, func.ST_MakeEnvelope(west, south, east, north, srid))
    return func.ST_Transform(func.ST_Segmentize(clipped, step), target)


def _envelope(layer: PublishedLayer, number: int) -> ColumnElement[Any]:
    """Return the box as geometry in the column's CRS: the literal is transformed, never the indexed column."""
    corners = [bindparam(f"{side}{number}", type_=Double) for side in ("west", "south", "east", "north")]
    # A box without width or height is a line or a point; as a polygon it would be invalid and meet nothing.
    return to_column(layer, func.ST_Envelope(func.ST_MakeEnvelope(*corners, WGS84_SRID)))


def _conditions(layer: PublishedLayer, shape: ItemsShape) -> list[ColumnElement[bool]]:
    table, temporal = layer.table, layer.definition.temporal
    found: list[ColumnElement[bool]] = []
    if shape.boxes:
        found.append(
            or_(*(func.ST_Intersects(table.c.geom, _envelope(layer, number)) for number in range(shape.boxes)))
        )
    if temporal:
        if shape.after:
            end = table.c[temporal.end]
            found.append(or_(end.is_(None), end >= bindparam("after", type_=end.type)))
        if shape.before:
            start = table.c[temporal.start]
            found.append(or_(start.is_(None), start <= bindparam("before", type_=start.type)))
    return found + [_equal(layer, name) for name in shape.equal]


def _equal(layer: PublishedLayer, name: str) -> ColumnElement[bool]:
    column: KeyedColumnElement[Any] = layer.table.c[name]
    field = layer.definition.field(name)
    if field is not None and field.type == "text[]":
        return bindparam(f"equal_{name}", type_=Text) == func.any(column)
    return column == bindparam(f"equal_{name}", type_=sql_type(field) if field else Text)


@lru_cache(maxsize=1024)
def items_statement(layer: PublishedLayer, shape: ItemsShape) -> Statement:
    """Return the statement of a page of features.

    Its one row has ``features`` (GeoJSON texts joined by commas, or null), ``returned``, ``last`` (the key of the last
    feature), ``more`` (whether others follow) and ``matched`` (how many match, null beyond :data:`COUNT_LIMIT`).
    Parameters: ``page`` (row limit), ``max_bytes``, those of the shape, ``after_fid`` with a cursor.

    The page ends early when it would be longer than ``max_bytes``, but never before its first feature.
    """
    table = layer.table
    conditions = _conditions(layer, shape)
    source, text = _feature(layer)
    page = bindparam("page", type_=BigInteger)
    keyset = [table.c.fid > bindparam("after_fid", type_=BigInteger)] if shape.cursor else []
    rows = (
        select(table.c.fid, text.label("feature"))
        .select_from(source)
        .where(and_(true(), *conditions, *keyset))
        .order_by(table.c.fid)
        .limit(page + 1)
        .subquery("found")
    )
    numbered = select(
        rows.c.fid,
        rows.c.feature,
        func.row_number().over(order_by=rows.c.fid).label("n"),
        func.sum(func.octet_length(rows.c.feature)).over(order_by=rows.c.fid).label("bytes"),
    ).subquery("numbered")
    fits = and_(
        numbered.c.n <= page, or_(numbered.c.bytes <= bindparam("max_bytes", type_=BigInteger), numbered.c.n == 1)
    )
    counted: Select[Any] = (
        select(literal_column("1")).select_from(table).where(and_(true(), *conditions)).limit(COUNT_LIMIT + 1)
    )
    matched = (
        select(func.nullif(func.count(), COUNT_LIMIT + 1)).select_from(counted.subquery("counted")).scalar_subquery()
    )
    returned = func.count().filter(fits)
    return compile_statement(
        select(
            _bytes(func.string_agg(numbered.c.feature, literal_column("',' ORDER BY fid")).filter(fits)).label(
                "features"
            ),
            returned.label("returned"),
            func.max(numbered.c.fid).filter(fits).label("last"),
            (func.count() > returned).label("more"),
            matched.label("matched"),
        ).select_from(numbered)
    )


@lru_cache(maxsize=256)
def item_statement(layer: PublishedLayer) -> Statement:
    """Return the statement of one feature by its public id: ``feature`` (GeoJSON text), ``entry_id``."""
    source, text = _feature(layer)
    return compile_statement(
        select(_bytes(text).label("feature"), layer.table.c.entry_id)
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


def _hidden() -> ColumnElement[bool]:
    """Return the condition for entries that belong to a layer that is not public."""
    internal = Layer.definition["visibility"].as_string() == "internal"
    return exists().where(internal, Entry.dataset.startswith(Layer.id + ":"))


@lru_cache(maxsize=4)
def entry_statement() -> Statement:
    """Return the statement of one entry of the annuaire, with ``feature``, its GeoJSON text, and ``_lon``, ``_lat``."""
    names = [
        column
        for column in Entry.__mapper__.columns
        if column.name not in ("geom", "fid", "dataset", "updated_at", "id")
    ]
    attributes = select(*names).correlate(Entry.__table__).lateral("_p")
    text = func.concat(
        '{"type":"Feature","id":',
        cast(func.to_json(Entry.id), Text),
        ',"geometry":',
        func.coalesce(
            func.ST_AsGeoJSON(Entry.geom, literal_column(str(DIGITS)), literal_column("0"), type_=Text), "null"
        ),
        ',"properties":',
        cast(func.row_to_json(literal_column("_p")), Text),
        "}",
    )
    return compile_statement(
        select(
            Entry.id,
            *names,
            _bytes(text).label("feature"),
            func.ST_X(Entry.geom).label("_lon"),
            func.ST_Y(Entry.geom).label("_lat"),
        )
        .select_from(Entry.__table__.join(attributes, true()))
        .where(Entry.id == bindparam("id", type_=Text), not_(_hidden()))
    )


@lru_cache(maxsize=16)
def names_statement(layer: PublishedLayer) -> Statement:
    """Return the statement of the names of features whose ids are in ``ids``; at most 500."""
    table = layer.table
    wanted = table.c.id == func.any(bindparam("ids", type_=ARRAY(Text)))
    return compile_statement(select(table.c.id, table.c.name_fr, table.c.name_ar).where(wanted).limit(500))


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
