"""Builds the statement of a small picture: what some layers have within a window, as paths of SVG; nothing executes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
    union_all,
)

from layers.database import Statement, compile_statement
from layers.several import Chosen, wanted

#: The picture is drawn in Web Mercator, as the map is.
SRID = 3857
#: How far beyond the window lines are drawn, and how much they are simplified, in pixels.
_MARGIN, _TOLERANCE = 8, 0.7

Sql = ColumnElement[Any]


def _window() -> Sql:
    corners = [bindparam(side, type_=Double) for side in ("west", "south", "east", "north")]
    window: Sql = func.ST_Expand(func.ST_MakeEnvelope(*corners, SRID), _MARGIN / bindparam("scale", type_=Double))
    return window


def _part(number: int, chosen: Chosen) -> Select[Any]:
    layer = chosen.layer
    style, table, scale = layer.definition.style, layer.table, bindparam("scale", type_=Double)
    srid = layer.definition.geometry.srid
    shape = func.ST_Transform(table.c.geom, SRID)
    west, north = bindparam("west", type_=Double), bindparam("north", type_=Double)

    def drawn(geometry: Sql) -> Sql:
        """Return a geometry in pixels, from the window's upper left corner; y grows upwards still."""
        placed: Sql = func.ST_TransScale(geometry, -west, -north, scale, scale)
        return placed

    clipped = func.ST_Simplify(func.ST_ClipByBox2D(shape, _window()), literal_column(str(_TOLERANCE)) / scale)
    path = func.ST_AsSVG(drawn(clipped), literal_column("1"), literal_column("1"), type_=Text)
    dot = func.ST_Dimension(table.c.geom) == literal_column("0")
    # Of what is seen of it, as its sign or its name stands there.
    seen = case((dot, shape), else_=clipped)
    line = func.GeometryType(seen) == literal_column("'LINESTRING'")
    middle = case((line, func.ST_LineInterpolatePoint(seen, literal_column("0.5"))), else_=func.ST_PointOnSurface(seen))
    place = drawn(middle)
    value = style.colour_field or style.by
    return (
        select(
            literal_column(str(number)).label("layer"),
            table.c.id,
            table.c.name_fr,
            table.c.name_ar,
            (cast(table.c[value], Text) if value else literal_column("NULL::text")).label("value"),
            (table.c.demo if layer.definition.field("demo") else literal_column("false")).label("demo"),
            func.ST_X(place).label("x"),
            (-func.ST_Y(place)).label("y"),
            case((dot, None), else_=path).label("path"),
        )
        # The literal is transformed, never the indexed column.
        .where(
            and_(
                true(),
                table.c.geom.op("&&", is_comparison=True)(func.ST_Transform(_window(), srid)),
                *wanted(number, chosen),
            )
        )
        .order_by(table.c.fid)
        .limit(bindparam("most", type_=BigInteger))
    )


@lru_cache(maxsize=64)
def sketch_statement(layers: tuple[Chosen, ...]) -> Statement:
    """Return the statement of a picture.

    Values: ``west``, ``south``, ``east``, ``north`` in metres of Web Mercator, ``scale`` in pixels a metre, ``most``
    features of a layer, and those of the layers' selections (:class:`~layers.several.Chosen`). Its rows have ``layer``
    (its number), ``id``, the names, ``value`` (by which it is coloured), ``demo``, ``x``, ``y`` of a point, or of one
    on an area or line, and ``path`` of a line or area, in pixels from the upper left corner.
    """
    parts = [select(_part(number, chosen).subquery(f"s{number}")) for number, chosen in enumerate(layers)]
    rows = union_all(*parts).subquery("rows")
    return compile_statement(select(rows).order_by(rows.c.layer))
