"""Builds the statements that count and measure a layer's features by area, by field or as a whole; nothing executes.

What belongs where:

- A point belongs to one area: the district that holds it (the first in the districts' order on a shared border), the
  cell ``[x, x + size) × [y, y + size)`` that it lies in.
- A line or an area belongs to every district or cell that it meets, so counts of several areas may add up to more than
  the layer has; an area that only touches another's border does not meet it.
- ``area`` and ``length`` are those of the part inside the district or cell; what lies outside every district is the
  value of the group without key. They are measured on the ellipsoid, in metres.
- Features outside of every district, and those outside of where the grid's CRS holds, form the group without key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.functions import Function

from geo.crs import WGS84_SRID, domain
from layers.catalogue import PublishedLayer
from layers.database import Statement, compile_statement
from layers.queries import Output, geometry_text
from layers.selection import EVERYTHING, Selection, conditions

Sql = ColumnElement[Any]
By = Literal["district", "grid", "field", "all"]
#: Measures of a field, and those of the geometry.
FIELD_MEASURES = ("sum", "mean", "min", "max")
GEOMETRY_MEASURES = ("area", "length")
MEASURES = ("count", *FIELD_MEASURES, *GEOMETRY_MEASURES)
#: Those whose parts add up to the whole, so that they can be divided by inhabitants.
ADDITIVE = ("count", "sum", *GEOMETRY_MEASURES)
#: Groups of an answer, and (feature, cell) pairs that a grid may have before they are grouped.
MAX_GROUPS, MAX_PAIRS = 10_000, 200_000
#: Side of a cell in metres.
MIN_SIZE, MAX_SIZE = 10, 1_000_000
#: Decides the metres of cells: the grid is aligned to this CRS's origin.
GRID_SRIDS = (32629, 26191)
_ALONE = ("Point",)
_ZERO: Sql = literal_column("0")


@dataclass(frozen=True, slots=True)
class AggregateShape:
    """What an aggregation has; those of one shape share their statement.

    Parameters
    ----------
    measure : str
        One of :data:`MEASURES`; ``field`` names the field of :data:`FIELD_MEASURES`.
    by : str
        ``district``, ``grid`` (value: ``size``, metres; CRS: ``grid_srid``), ``field`` (``group``), or ``all``.
    population : str, optional
        Field of the districts that is given beside the values.
    geometry : bool
        Whether the areas' geometry is given.
    """

    selection: Selection = EVERYTHING
    measure: str = "count"
    field: str | None = None
    by: By = "all"
    group: str | None = None
    grid_srid: int = GRID_SRIDS[0]
    population: str | None = None
    geometry: bool = False


@lru_cache(maxsize=512)
def aggregate_statement(layer: PublishedLayer, shape: AggregateShape, districts: PublishedLayer | None) -> Statement:
    """Return the statement of an aggregation: a row for each group, at most one more than :data:`MAX_GROUPS`.

    Its columns are ``key`` (null for what is in no group; JSON text of a field's value; with a grid ``x``, ``y``
    instead: the cell's south-west corner in metres), ``count``, ``value``, and where asked ``population`` and
    ``geometry`` (GeoJSON text). By district or grid, ``placeless`` tells the group of the annuaire's entries without
    a place, which are neither inside nor outside, from what is outside. With a grid every row has ``pairs``: where it
    is more than :data:`MAX_PAIRS`, there are no groups.
    """
    if shape.by == "district":
        assert districts is not None, "asked for where there are districts only"
        rows = _by_district(layer, shape, districts)
    elif shape.by == "grid":
        rows = _by_grid(layer, shape)
    else:
        rows = _by_field(layer, shape)
    return compile_statement(rows.limit(literal_column(str(MAX_GROUPS + 1))))


def _metres(shape: AggregateShape, geometry: Sql) -> Sql:
    """Return a geometry's area or length on the ellipsoid."""
    place = func.geography(func.ST_Transform(geometry, WGS84_SRID))
    measured: Sql = (func.ST_Area if shape.measure == "area" else func.ST_Length)(place)
    return measured


def _part(layer: PublishedLayer, shape: AggregateShape, geometry: Sql) -> Sql:
    """Return the part of a geometry that is measured: GEOS can't cut collections, and a polygon has no length."""
    if layer.definition.geometry.type != "Geometry":
        return geometry
    part: Sql = func.ST_CollectionExtract(geometry, literal_column("3" if shape.measure == "area" else "2"))
    return part


def _amount(shape: AggregateShape, table: FromClause, inside: Sql) -> Sql:
    """Return what of one feature is measured; ``inside`` is the part of its geometry that counts."""
    if shape.measure in GEOMETRY_MEASURES:
        return _metres(shape, inside)
    return table.c[shape.field] if shape.field is not None else literal_column("NULL::bigint")


def _measure(shape: AggregateShape, amount: Sql, counted: Sql) -> Sql:
    """Return the measure of a group from the amounts of its features."""
    if shape.measure == "count":
        return counted
    if shape.measure == "mean":
        return cast(func.avg(amount), Double)
    if shape.measure in ("min", "max"):
        return func.min(amount) if shape.measure == "min" else func.max(amount)
    # Nothing sums up to 0; what is unknown of all that there is, does not.
    return func.coalesce(func.sum(amount), case((counted == _ZERO, _ZERO)))


def _selected(layer: PublishedLayer, shape: AggregateShape) -> list[ColumnElement[bool]]:
    return conditions(layer, shape.selection)


def _by_field(layer: PublishedLayer, shape: AggregateShape) -> Select[Any]:
    table = layer.table
    source: FromClause = table
    key: Sql = null()
    if shape.group is not None:
        key = table.c[shape.group]
        field = layer.definition.field(shape.group)
        if field is not None and field.type == "text[]":
            # A feature counts once under each of its values; one without any under none.
            parts = select(func.unnest(key, type_=Text).label("part")).distinct().correlate(table).lateral("parts")
            source, key = table.outerjoin(parts, true()), parts.c.part
    measure = _measure(shape, _amount(shape, table, _part(layer, shape, table.c.geom)), func.count())
    # As the features' own GeoJSON has the values, for dates and numbers too that Python or JSON can't have.
    written = cast(func.to_json(key), Text) if shape.group is not None else key
    columns: list[Any] = [written.label("key"), func.count().label("count"), measure.label("value")]
    rows = select(*columns).select_from(source).where(and_(true(), *_selected(layer, shape)))
    return rows if shape.group is None else rows.group_by(key).order_by(literal_column("2 DESC"), key)


def _ranked(layer: PublishedLayer, shape: AggregateShape, districts: PublishedLayer) -> CTE:
    """Return the districts in the layer's CRS, each with all that come before it and meet it."""
    table = districts.table
    earlier = table.alias("earlier")
    srid = layer.definition.geometry.srid

    def here(geometry: Sql) -> Sql:
        return geometry if districts.definition.geometry.srid == srid else func.ST_Transform(geometry, srid)

    before = (
        select(func.ST_CollectionExtract(func.ST_Collect(here(earlier.c.geom)), literal_column("3")))
        .where(and_(earlier.c.fid < table.c.fid, func.ST_Intersects(earlier.c.geom, table.c.geom)))
        .correlate(table)
        .scalar_subquery()
    )
    columns = [
        table.c.fid.label("rank"),
        table.c.id.label("code"),
        here(table.c.geom).label("area"),
        before.label("before"),
        (table.c[shape.population] if shape.population else null()).label("population"),
        (geometry_text(districts, Output()) if shape.geometry else null()).label("geometry"),
    ]
    return select(*columns).cte("ranked")


def _meets(layer: PublishedLayer, area: Sql, before: Sql | None) -> Sql:
    """Return whether a feature belongs to an area; see the module's docstring."""
    geometry, kind = layer.table.c.geom, layer.definition.geometry.type
    meets: Sql = func.ST_Intersects(area, geometry)
    first = true() if before is None else or_(before.is_(None), not_(func.ST_Intersects(before, geometry)))
    if kind in _ALONE:
        return and_(meets, first)
    if kind == "Geometry":
        single = func.GeometryType(geometry) == literal_column("'POINT'")
        return and_(meets, or_(not_(single), first), _shares(layer, area, geometry))
    return and_(meets, _shares(layer, area, geometry))


def _shares(layer: PublishedLayer, area: Sql, geometry: Sql) -> Sql:
    """Return whether a geometry that meets an area has more in common with it than its polygons' borders."""
    kind = layer.definition.geometry.type
    inner: Sql = literal_column("'T********'")  # interiors that have something in common (DE-9IM)
    if kind in ("Polygon", "MultiPolygon"):
        return cast(func.ST_Relate(area, geometry, inner), Boolean)
    if kind != "Geometry":
        return true()
    points, lines, areas = (func.ST_CollectionExtract(geometry, literal_column(size)) for size in "123")
    flat = func.ST_Dimension(geometry) < literal_column("2")
    met = (func.ST_Intersects(area, points), func.ST_Intersects(area, lines), func.ST_Relate(area, areas, inner))
    return or_(flat, *met)


def _by_district(layer: PublishedLayer, shape: AggregateShape, districts: PublishedLayer) -> Select[Any]:
    table = layer.table
    ranked = _ranked(layer, shape, districts)
    inside = func.ST_Intersection(_part(layer, shape, table.c.geom), ranked.c.area)
    groups = (
        select(
            ranked.c.rank.label("rank"),
            func.count().label("count"),
            _measure(shape, _amount(shape, table, inside), func.count()).label("value"),
        )
        .select_from(ranked.join(table, _meets(layer, ranked.c.area, ranked.c.before)))
        .where(and_(true(), *_selected(layer, shape)))
        .group_by(ranked.c.rank)
        .cte("groups")
    )
    nothing: Sql = _ZERO if shape.measure in ADDITIVE else null()
    every = select(
        ranked.c.rank.label("rank"),
        ranked.c.code.label("key"),
        func.coalesce(groups.c.count, _ZERO).label("count"),
        case((groups.c.rank.is_(None), nothing), else_=groups.c.value).label("value"),
        ranked.c.population.label("population"),
        ranked.c.geometry.label("geometry"),
        false().label("placeless"),
    ).select_from(ranked.outerjoin(groups, groups.c.rank == ranked.c.rank))
    rest = _rest if layer.definition.geometry.type in _ALONE and shape.measure == "count" else _outside
    parts = [every, rest(layer, shape, ranked, groups)]
    if layer.definition.entries:
        parts.append(_placeless(layer, shape))
    rows = union_all(*parts).subquery("rows")
    columns = [rows.c[name] for name in ("key", "count", "value", "population", "geometry", "placeless")]
    return select(*columns).order_by(rows.c.rank.asc().nulls_last(), rows.c.placeless)


def _without_key(count: Sql, value: Sql, placeless: Sql | None = None) -> Select[Any]:
    """Return the group of what no district holds, or, where that is said, of what has no place."""
    columns: list[Any] = [
        literal_column("NULL::bigint").label("rank"),
        literal_column("NULL::text").label("key"),
        count.label("count"),
        value.label("value"),
        null().label("population"),
        literal_column("NULL::text").label("geometry"),
        (false() if placeless is None else placeless).label("placeless"),
    ]
    return select(*columns)


def _placed(layer: PublishedLayer, shape: AggregateShape) -> list[ColumnElement[bool]]:
    """Return the conditions on features that are somewhere: all, but for entries without a place."""
    somewhere = [layer.table.c.geom.is_not(None)] if layer.definition.entries else []
    return [*_selected(layer, shape), *somewhere]


def _placeless(layer: PublishedLayer, shape: AggregateShape) -> Select[Any]:
    """Return the group of entries without a place."""
    table, count = layer.table, func.count()
    rows = _without_key(count, _measure(shape, _amount(shape, table, table.c.geom), count), true()).select_from(table)
    return rows.where(and_(table.c.geom.is_(None), *_selected(layer, shape))).having(count > _ZERO)


def _rest(layer: PublishedLayer, shape: AggregateShape, _: CTE, groups: CTE) -> Select[Any]:
    """Return how many points no district holds: all without those that one holds, as no point is in two."""
    every = select(func.count()).select_from(layer.table).where(and_(true(), *_placed(layer, shape)))
    held = select(func.coalesce(func.sum(groups.c.count), _ZERO).label("held")).subquery("held")
    count = cast(every.scalar_subquery() - held.c.held, BigInteger)
    return _without_key(count, count).select_from(held).where(count > _ZERO)


def _outside(layer: PublishedLayer, shape: AggregateShape, ranked: CTE, _: CTE) -> Select[Any]:
    """Return what is measured of the features, or parts of features, that no district holds."""
    table = layer.table
    alone = _alone(layer, ranked)
    given = _placed(layer, shape)
    if shape.measure not in GEOMETRY_MEASURES:
        amount = _amount(shape, table, table.c.geom)
        rows = _without_key(func.count(), _measure(shape, amount, func.count())).select_from(table)
        return rows.where(and_(true(), *given, alone)).having(func.count() > _ZERO)
    # A feature that crosses the limits counts by its part outside, though it meets a district.
    union = select(func.ST_Union(ranked.c.area)).scalar_subquery()
    part = _part(layer, shape, table.c.geom)
    amount = _metres(shape, func.coalesce(func.ST_Difference(part, union), part))
    count = func.count().filter(alone)
    rows = _without_key(count, _measure(shape, amount, count)).select_from(table)
    covered = func.coalesce(func.ST_CoveredBy(part, union), false())
    # Less than this is left by the arithmetic of cutting.
    return rows.where(and_(true(), *given, not_(covered))).having(
        or_(count > _ZERO, func.sum(amount) > literal_column("0.01"))
    )


def _alone(layer: PublishedLayer, ranked: CTE) -> Sql:
    """Return whether a feature belongs to no district."""
    geometry = layer.table.c.geom
    if layer.definition.geometry.type in _ALONE:
        # One collection, which PostGIS keeps prepared while it asks it about every point.
        whole = select(func.ST_CollectionExtract(func.ST_Collect(ranked.c.area), literal_column("3"))).scalar_subquery()
        return func.coalesce(not_(func.ST_Intersects(whole, geometry)), true())
    held: Select[Any] = (
        select(literal_column("1")).select_from(ranked).where(_meets(layer, ranked.c.area, ranked.c.before))
    )
    return not_(held.correlate(layer.table).exists())


def _on_grid(layer: PublishedLayer, shape: AggregateShape) -> CTE:
    """Return the selected features with their geometry in the grid's CRS: null outside of where that CRS holds.

    Lines and areas ask for it more than once, so that PostgreSQL keeps it rather than transforming again.
    """
    table, srid = layer.table, layer.definition.geometry.srid
    limits = domain(shape.grid_srid)
    box = func.ST_MakeEnvelope(limits.west, limits.south, limits.east, limits.north, WGS84_SRID)
    degrees = table.c.geom if srid == WGS84_SRID else func.ST_Transform(table.c.geom, WGS84_SRID)
    moved = table.c.geom if srid == shape.grid_srid else func.ST_Transform(table.c.geom, shape.grid_srid)
    held = degrees.op("@", is_comparison=True)(box)
    columns = [
        case((held, moved)).label("moved"),
        table.c.geom,
        *([table.c[shape.field]] if shape.field else []),
    ]
    return select(*columns).where(and_(true(), *_selected(layer, shape))).cte("placed")


def _by_grid(layer: PublishedLayer, shape: AggregateShape) -> Select[Any]:
    size = bindparam("size", type_=Double)
    placed = _on_grid(layer, shape)
    kind = layer.definition.geometry.type
    single = func.GeometryType(placed.c.moved) == literal_column("'POINT'")
    columns = (
        func.floor(func.ST_X(placed.c.moved) / size).label("i"),
        func.floor(func.ST_Y(placed.c.moved) / size).label("j"),
        (placed.c.geom.is_(None) if layer.definition.entries else false()).label("placeless"),
    )
    points = select(*columns, _amount(shape, placed, _part(layer, shape, placed.c.moved)).label("amount"))
    pairs: Sql = _ZERO
    if kind in _ALONE:
        cells = points.subquery("cells")
    else:
        pairs = _pairs(placed, size)
        parts = [
            points.where(or_(single, placed.c.moved.is_(None))),
            _cut(layer, shape, placed, size, pairs).where(not_(single)),
        ]
        cells = union_all(*parts).subquery("cells")
    i, j, placeless = cells.c.i, cells.c.j, cells.c.placeless
    groups = (
        select(
            i,
            j,
            placeless,
            func.count().label("count"),
            _measure(shape, cells.c.amount, func.count()).label("value"),
        )
        .group_by(i, j, placeless)
        .subquery("groups")
    )
    x, y = groups.c.i * size, groups.c.j * size
    corners = (x, y, x + size, y + size)
    square = func.ST_ForcePolygonCCW(func.ST_MakeEnvelope(*corners, shape.grid_srid))
    geometry: Sql = func.ST_AsGeoJSON(func.ST_Transform(square, WGS84_SRID), literal_column("7"), _ZERO, type_=Text)
    # One row at least, to say how many pairs there would have been.
    head = select(pairs.label("pairs")).subquery("head")
    rows: Select[Any] = select(
        x.label("x"),
        y.label("y"),
        groups.c.count,
        groups.c.value,
        (geometry if shape.geometry else null()).label("geometry"),
        head.c.pairs,
        groups.c.placeless,
    ).select_from(head.outerjoin(groups, true()))
    return rows.order_by(groups.c.j.asc().nulls_last(), groups.c.i, groups.c.placeless)


def _pairs(placed: CTE, size: Sql) -> Sql:
    """Return how many cells the boxes of all features have; asked before any cell is made."""
    moved = placed.c.moved

    def steps(low: str, high: str) -> Sql:
        first, last = (func.floor(getattr(func, name)(moved) / size) for name in (low, high))
        return last - first + literal_column("1")

    cells = steps("ST_XMin", "ST_XMax") * steps("ST_YMin", "ST_YMax")
    return select(func.coalesce(func.sum(cells), _ZERO)).select_from(placed).scalar_subquery()


def _cut(layer: PublishedLayer, shape: AggregateShape, placed: CTE, size: Sql, pairs: Sql) -> Select[Any]:
    """Return the cells that lines and areas meet, a row each."""
    moved = placed.c.moved
    allowed = case((pairs <= literal_column(str(MAX_PAIRS)), moved))
    cell = Function("ST_SquareGrid", size, allowed).table_valued("geom", "i", "j").lateral("cell")
    meets = and_(func.ST_Intersects(cell.c.geom, moved), _shares(layer, cell.c.geom, moved))
    inside = func.ST_Intersection(_part(layer, shape, moved), cell.c.geom)
    columns = [cast(column, Double) for column in (cell.c.i, cell.c.j)]
    return select(*columns, false(), _amount(shape, placed, inside)).select_from(placed.join(cell, meets))
