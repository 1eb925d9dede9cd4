"""Builds the statement of the features nearest to a place, in one or several layers; nothing here executes.

The order is exact and in metres on the ellipsoid, by index, in two steps:

1. each layer gives its nearest features by ``geography <-> geography``, which the index answers in order. This order
   is that of a *sphere*; the k-th smallest distance on the *ellipsoid* among them is a distance within which k
   features surely lie;
2. all features within this distance (index again) are sorted by their distance on the ellipsoid, then by layer and id.

Distances are those of PostGIS' geography type, as everywhere in the service: edges are taken as geodesics.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Numeric,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
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
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.functions import Function

from geo.crs import WGS84_SRID
from layers.catalogue import PublishedLayer
from layers.database import Statement, compile_statement
from layers.queries import Output
from layers.several import Chosen, joined, measured_text, point_geometry, wanted
from layers.tables import geography

DEFAULT_NEAREST, MAX_NEAREST = 10, 1000
#: Longest ``max-distance``: half the earth's girth in metres.
FARTHEST = 20_040_000
#: How many features the first step takes; a number of the plan rather than a parameter, so that it stays an index scan.
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, MAX_NEAREST)
#: Up to here a bearing leads to the nearest point of a line or area, beyond to some point on it.
_NEAR = "100000"

Sql = ColumnElement[Any]
EVERY = Output()


@dataclass(frozen=True, slots=True)
class NearestShape:
    """What a question for the nearest features has; questions of one shape share their statement.

    Parameters
    ----------
    layers : tuple of Chosen
        Values of their selections: the selection's own names behind ``l0_``, ``l1_`` …
    srid : int
        SRID of the point that is asked about. Values: ``x``, ``y`` (east before north).
    feature : PublishedLayer, optional
        The layer of the feature that is asked about instead of a point. Value: ``origin``, its id.
    step : int
        From :func:`step_for`; the value ``page`` is at most this.
    bounded : bool
        Whether there is a farthest distance. Value: ``farthest``, metres.
    indexed : bool
        False to sort all features instead: PostGIS' index fails ("returned tuples in wrong order") where the same place
        has two coordinates, on the antimeridian and at the poles.
    """

    layers: tuple[Chosen, ...]
    output: Output = EVERY
    srid: int = WGS84_SRID
    feature: PublishedLayer | None = None
    step: int = MAX_NEAREST
    bounded: bool = False
    indexed: bool = True


def step_for(count: int) -> int:
    """Return the step of a shape for a number of features that are wanted."""
    return next(step for step in _STEPS if step >= count)


@dataclass(frozen=True, slots=True)
class _Origin:
    """The place that is asked about: as geography, as geometry in degrees, and what makes it.

    A line's box holds much that is far from it, so the index is asked about the line's ``pieces``.
    """

    geography: Sql
    geometry: Sql
    point: bool
    cte: CTE | None = None
    layer: PublishedLayer | None = None
    pieces: CTE | None = None


def _origin(shape: NearestShape) -> _Origin:
    layer = shape.feature
    if layer is None:
        point = point_geometry(shape.srid)
        return _Origin(func.geography(point), point, True)
    table = layer.table
    cte = (
        select(
            table.c.fid,
            geography(layer.definition, table).label("place"),
            func.ST_Transform(table.c.geom, WGS84_SRID).label("shape"),
        )
        .where(table.c.id == bindparam("origin", type_=Text))
        .cte("origin")
    )
    place, geometry = (select(cte.c[name]).scalar_subquery() for name in ("place", "shape"))
    single = layer.definition.geometry.type == "Point"
    return _Origin(place, geometry, single, cte, layer, None if single else _pieces(cte))


def _pieces(origin: CTE) -> CTE:
    """Cut the lines of a shape into short pieces of the same course; areas and points stay whole."""
    dumped = Function("ST_Dump", origin.c.shape).table_valued("geom").lateral("dumped")
    parts = select(dumped.c.geom.label("part")).select_from(origin.join(dumped, true())).subquery("parts")
    line = func.ST_Dimension(parts.c.part) == literal_column("1")
    whole = select(func.geography(parts.c.part).label("place")).where(not_(line))
    part = func.geography(parts.c.part)
    step = func.greatest(literal_column("200"), func.ST_Length(part, false()) * literal_column("0.004"))
    fine = select(
        func.geometry(func.ST_Segmentize(part, step)).label("course"), func.row_number().over().label("number")
    ).where(line)
    lines = fine.subquery("lines")
    segment = func.ST_DumpSegments(lines.c.course).table_valued("path", "geom").lateral("segment")
    index = literal_column("segment.path[1]", Integer)
    # Whole numbers divided as PostgreSQL does it.
    points = func.ST_NPoints(lines.c.course).op("/")(literal_column("250"))
    chunk = index.op("/")(func.greatest(literal_column("4"), points))
    cut = (
        select(
            func.geography(func.ST_MakeLine(aggregate_order_by(segment.c.geom, index))).label("place"),
        )
        .select_from(lines.join(segment, true()))
        .group_by(lines.c.number, chunk)
    )
    return union_all(whole, cut).cte("pieces")


def _wanted(number: int, chosen: Chosen, origin: _Origin) -> list[Sql]:
    """Return the conditions on a layer's features, without those on their distance."""
    found: list[Sql] = [*wanted(number, chosen)]
    if origin.layer is chosen.layer and origin.cte is not None:
        found.append(chosen.layer.table.c.fid != select(origin.cte.c.fid).scalar_subquery())
    return found


def _within(place: Sql, origin: Sql, metres: Sql) -> Sql:
    within: Sql = func.ST_DWithin(place, origin, metres)
    return within


def _wider(metres: Sql) -> Sql:
    """Return a hair more than a distance, for the last digits of the same distance computed in two ways."""
    return metres * literal_column("1.00001::float8") + literal_column("0.00001::float8")


def _scan(number: int, chosen: Chosen, origin: _Origin, shape: NearestShape) -> Select[Any]:
    """Return the distances of a layer's features that come first by index, no feature twice."""
    table = chosen.layer.table
    place = geography(chosen.layer.definition, table)
    start = origin.geography if origin.pieces is None else origin.pieces.c.place
    bound = [_within(place, start, _wider(bindparam("farthest", type_=Double)))] if shape.bounded else []
    order: Sql = place.op("<->", return_type=Double())(start)
    rows = (
        select(table.c.fid, func.ST_Distance(place, origin.geography, type_=Double).label("distance"))
        .where(and_(true(), *_wanted(number, chosen, origin), *bound))
        .order_by(order if shape.indexed else order + literal_column("0"))
        .limit(literal_column(str(shape.step)))
    )
    if origin.pieces is None:
        scan = rows.subquery(f"scan{number}")
        return select(scan.c.distance)
    each = rows.correlate(origin.pieces).lateral(f"scan{number}")
    several = select(each.c.fid, each.c.distance).select_from(origin.pieces.join(each, true())).distinct()
    return select(several.subquery(f"several{number}").c.distance)


def _reach(shape: NearestShape, origin: _Origin) -> CTE:
    """Return a distance within which all features of the answer lie: the first of the two steps."""
    scans = [_scan(number, chosen, origin, shape) for number, chosen in enumerate(shape.layers)]
    near = union_all(*scans).subquery("near")
    nearest = select(near.c.distance).order_by(near.c.distance).limit(bindparam("page", type_=BigInteger)).subquery("k")
    return select(_wider(cast(func.max(nearest.c.distance), Double)).label("metres")).cte("reach")


def _candidates(number: int, chosen: Chosen, origin: _Origin, metres: Sql) -> Select[Any]:
    """Return a layer's features within a distance: the second of the two steps."""
    table = chosen.layer.table
    place = geography(chosen.layer.definition, table)
    columns = [
        literal_column(str(number), Integer).label("layer"),
        table.c.fid.label("fid"),
        table.c.id.collate("C").label("id"),
        func.ST_Distance(place, origin.geography, type_=Double).label("distance"),
    ]
    conditions = and_(true(), *_wanted(number, chosen, origin))
    if origin.pieces is None:
        return select(*columns).where(conditions, _within(place, origin.geography, metres))
    near = _within(place, origin.pieces.c.place, metres)
    return select(*columns).join_from(origin.pieces, table, near).where(conditions).distinct()


def _found(shape: NearestShape, origin: _Origin) -> CTE:
    """Return the answer's features in order: layer (its number), fid, id, distance."""
    metres = select(_reach(shape, origin).c.metres).scalar_subquery()
    parts = [_candidates(number, chosen, origin, metres) for number, chosen in enumerate(shape.layers)]
    candidates = union_all(*parts).subquery("candidates")
    rows = select(candidates)
    if shape.bounded:
        rows = rows.where(candidates.c.distance <= bindparam("farthest", type_=Double))
    return (
        rows.order_by(candidates.c.distance, candidates.c.layer, candidates.c.id)
        .limit(bindparam("page", type_=BigInteger))
        .cte("found")
    )


def _measured(chosen: PublishedLayer, origin: _Origin, found: CTE) -> FromClause:
    """Return a feature's distance and the bearing to it: degrees from north, clockwise; null without distance."""
    table, distance = chosen.table, found.c.distance
    place = geography(chosen.definition, table)

    def row(azimuth: Sql, source: FromClause | None = None) -> Select[Any]:
        degrees = func.round(cast(func.degrees(azimuth), Numeric), literal_column("6")) % literal_column("360")
        made = select(distance.label("distance"), degrees.label("bearing"))
        return made if source is None else made.select_from(source)

    if origin.point and chosen.definition.geometry.type == "Point":
        # Not at the same place, which may have two coordinates.
        azimuth = case((distance > literal_column("0"), func.ST_Azimuth(origin.geography, place)))
        return row(azimuth).correlate(found, table).lateral("_m")
    local = select(func._ST_BestSRID(origin.geography, place).label("srid")).correlate(found, table).lateral("_local")
    # Nearest points are found in a conformal projection of the place, and brought back to degrees.
    shortest = func.ST_ShortestLine(
        func.ST_Transform(origin.geometry, local.c.srid), func.ST_Transform(table.c.geom, local.c.srid)
    )
    ends = [
        func.geography(func.ST_Transform(end, WGS84_SRID))
        for end in (func.ST_StartPoint(shortest), func.ST_EndPoint(shortest))
    ]
    shapes = [origin.geometry, func.geometry(place)]
    somewhere = [func.geography(func.ST_PointOnSurface(shape)) for shape in shapes]
    polar = [
        func.abs(side) > literal_column("89") for shape in shapes for side in (func.ST_YMin(shape), func.ST_YMax(shape))
    ]
    azimuth = case(
        (distance == literal_column("0"), null()),
        (or_(distance > literal_column(_NEAR), *polar), func.ST_Azimuth(*somewhere)),
        else_=func.ST_Azimuth(*ends),
    )
    return row(azimuth, local).correlate(found, table).lateral("_m")


def _texts(number: int, chosen: Chosen, shape: NearestShape, origin: _Origin, found: CTE) -> Select[Any]:
    """Return the GeoJSON texts of the found features of one layer."""
    layer, table = chosen.layer, chosen.layer.table
    measured = _measured(layer, origin, found)
    attributes, text = measured_text(layer, shape.output, measured)
    source = found.join(table, found.c.fid == table.c.fid).join(measured, true()).join(attributes, true())
    return (
        select(found.c.distance, found.c.layer, found.c.id, text.label("feature"))
        .select_from(source)
        .where(found.c.layer == literal_column(str(number)))
    )


@lru_cache(maxsize=512)
def nearest_statement(shape: NearestShape) -> Statement:
    """Return the statement of the nearest features.

    Its one row has ``features`` (GeoJSON texts joined by commas, or null), ``returned``, ``cut`` (whether features are
    left out because the answer would be longer than ``max_bytes``) and ``known`` (whether the feature that is asked
    about exists).
    """
    origin = _origin(shape)
    found = _found(shape, origin)
    texts = union_all(
        *(_texts(number, chosen, shape, origin, found) for number, chosen in enumerate(shape.layers))
    ).subquery("texts")
    order: list[Sql] = [texts.c.distance, texts.c.layer, texts.c.id]
    known: Sql = true() if origin.cte is None else exists().select_from(origin.cte)
    return compile_statement(joined(texts, order, known.label("known")))
