"""Builds the statement of a small picture: what some layers have within a window, as paths of SVG; nothing executes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    union_all,
)

from layers.catalogue import PublishedLayer
from layers.database import Statement, compile_statement

#: The picture is drawn in Web Mercator, as the map is.
SRID = 3857
#: Features of a layer in a picture.
MOST = 600
#: How far beyond the window lines are drawn, and how much they are simplified, in pixels.
_MARGIN, _TOLERANCE = 8, 0.7

Sql = ColumnElement[Any]


def _window() -> Sql:
    corners = [bindparam(side, type_=Double) for side in ("west", "south", "east", "north")]
    window: Sql = func.ST_Expand(func.ST_MakeEnvelope(*corners, SRID), _MARGIN / bindparam("scale", type_=Double))
    return window


def _part(number: int, layer: PublishedLayer) -> Select[Any]:
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
    place = drawn(func.ST_PointOnSurface(shape))
    value = style.colour_field or style.by
    return (
        select(
            literal_column(str(number)).label("layer"),
            table.c.id,
            table.c.name_fr,
            table.c.name_ar,
            (cast(table.c[value], Text) if value else literal_column("NULL::text")).label("value"),
            case((dot, func.ST_X(place))).label("x"),
            case((dot, -func.ST_Y(place))).label("y"),
            case((dot, None), else_=path).label("path"),
        )
        # The literal is transformed, never the indexed column.
        .where(table.c.geom.op("&&", is_comparison=True)(func.ST_Transform(_window(), srid)))
        .order_by(table.c.fid)
        .limit(literal_column(str(MOST)))
    )


@lru_cache(maxsize=64)
def sketch_statement(layers: tuple[PublishedLayer, ...]) -> Statement:
    """Return the statement of a picture.

    Values: ``west``, ``south``, ``east``, ``north`` in metres of Web Mercator, ``scale`` in pixels a metre. Its rows
    have ``layer`` (its number), ``id``, the names, ``value`` (by which it is coloured), and ``x``, ``y`` of a point or
    ``path`` of a line or area, in pixels from the upper left corner.
    """
    parts = [select(_part(number, layer).subquery(f"s{number}")) for number, layer in enumerate(layers)]
    rows = union_all(*parts).subquery("rows")
    return compile_statement(select(rows).order_by(rows.c.layer))
