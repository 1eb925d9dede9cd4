"""Builds the statement of what belongs to a district, more loosely than by lying within it; nothing here executes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    not_,
    select,
    true,
)

from geo.crs import WGS84_SRID
from layers.catalogue import PublishedLayer
from layers.database import Statement, compile_statement
from layers.selection import Selection, conditions

Sql = ColumnElement[Any]


def stops_field(layer: PublishedLayer) -> str | None:
    """Return the field that names the stops of a layer of lines, or None."""
    if layer.definition.temporal is not None:
        return None
    return next((item.name for item in layer.definition.fields if item.format == "stops"), None)


def _degrees(layer: PublishedLayer) -> Sql:
    geometry: Sql = layer.table.c.geom
    srid = layer.definition.geometry.srid
    return geometry if srid == WGS84_SRID else func.ST_Transform(geometry, literal_column(str(WGS84_SRID)))


def _meets(layer: PublishedLayer, districts: PublishedLayer) -> Sql:
    """Return the condition that a feature has a part inside the district: its border alone is nobody's."""
    area, own = _degrees(districts), _degrees(layer)
    meets: Sql = and_(
        districts.table.c.id == bindparam("district", type_=Text),
        func.ST_Intersects(own, area),
        not_(func.ST_Touches(own, area)),
    )
    return meets


@lru_cache(maxsize=64)
def belonging_statement(
    layer: PublishedLayer, districts: PublishedLayer, stops: PublishedLayer | None, selection: Selection
) -> Statement:
    """Return the statement of the features that belong to a district: ``id``, names, ``entry_id``.

    A line belongs to the districts in which it stops, where its stops are known, and everything else to those that it
    meets. Values: ``district`` (code), ``page``, and those of the selection.
    """
    table, field = layer.table, stops_field(layer)
    if field is not None and stops is not None:
        named = func.string_to_array(table.c[field], literal_column("' '"))
        # Only the layer is the outer query's; a stop is looked for among its own and the districts.
        stop: Select[Any] = select(literal_column("1")).select_from(
            stops.table.join(districts.table, _meets(stops, districts))
        )
        belongs: Sql = exists(stop.where(stops.table.c.id == func.any(named)).correlate(table))
    else:
        area: Select[Any] = select(literal_column("1")).select_from(districts.table).where(_meets(layer, districts))
        belongs = exists(area.correlate(table))
    return compile_statement(
        select(table.c.id, table.c.name_fr, table.c.name_ar, table.c.entry_id)
        .where(and_(true(), belongs, *conditions(layer, selection)))
        .order_by(table.c.name_fr, table.c.fid)
        .limit(bindparam("page", type_=BigInteger))
    )
