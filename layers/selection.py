"""Which features a request means: box, time, equality and filter, as conditions of SQL.

A :class:`Selection` is a *shape*: it says which conditions there are, never their values, so that statements can be
kept by it. The values are bound under the names that are given here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from sqlalchemy import (
    Column,
    ColumnElement,
    Double,
    Text,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    or_,
    true,
)
from sqlalchemy import table as sql_table
from sqlalchemy.sql.elements import KeyedColumnElement

from geo.bbox import BBox
from geo.crs import WGS84_SRID, overlap
from layers.catalogue import DISTRICTS, PublishedLayer
from layers.filters.compile import Compiler
from layers.filters.geometry import MOST_STEPS, STEP, STEP_DEGREES
from layers.filters.tree import Node
from layers.tables import SCHEMA, sql_type

_DISTRICTS = sql_table(DISTRICTS, Column("id", Text), Column("geom"), schema=SCHEMA)
_SIDES = ("west", "south", "east", "north")
#: Features of a box that are sorted in no time, however they are found.
_FEW = 2000
#: Layers whose features are not spread evenly: one stray feature can make the extent the world's.
_uneven: WeakSet[PublishedLayer] = WeakSet()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which conditions a request has.

    Parameters
    ----------
    boxes : int
        0 without ``bbox``; 2 for a box across the antimeridian. Values: ``west0``, ``south0``, ``east0``, ``north0`` …
    box_srid : int
        SRID of the boxes' corners, x before y.
    after, before : bool
        Whether the interval of ``datetime`` has a start, an end. Values: ``after``, ``before``.
    equal : tuple of str
        The fields that are compared with a value. Values: ``equal_<field>``.
    filter : Node, optional
        A resolved CQL2 filter. Values: ``literal0`` …
    few : bool
        Whether the boxes may be taken to hold so few features that finding these first is always best (:func:`few`).
    """

    boxes: int = 0
    box_srid: int = WGS84_SRID
    after: bool = False
    before: bool = False
    equal: tuple[str, ...] = ()
    filter: Node | None = None
    few: bool = False

    @property
    def everything(self) -> bool:
        """Whether there is no condition at all."""
        return self == EVERYTHING

    @property
    def fresh(self) -> bool:
        """Whether the best plan depends on the values: a large box may want another index than a small one."""
        return not (self.everything or self.few)


EVERYTHING = Selection()


def box_values(boxes: tuple[BBox, ...]) -> dict[str, object]:
    """Return the values of a selection's boxes."""
    return {f"{side}{number}": getattr(box, side) for number, box in enumerate(boxes) for side in _SIDES}


def few(layer: PublishedLayer, boxes: tuple[BBox, ...]) -> bool:
    """Tell whether boxes in degrees may be taken to hold few features, as if the layer's were spread evenly.

    Once a box has held far more than expected (:func:`learn`), the layer's boxes are not judged any more.
    """
    extent = layer.extent
    if extent is None or not boxes or layer in _uneven:
        return False
    width, height = extent.east - extent.west or 1e-9, extent.north - extent.south or 1e-9
    share = 0.0
    for box in boxes:
        across = min(box.east, extent.east) - max(box.west, extent.west)
        along = min(box.north, extent.north) - max(box.south, extent.south)
        if across > 0 and along > 0:
            share += across * along
    return share / (width * height) * layer.count <= _FEW


def learn(layer: PublishedLayer, selection: Selection, matched: int | None) -> None:
    """Take note of how many features a selection has; None for more than were counted."""
    if selection.few and (matched is None or matched > 2 * _FEW):
        _uneven.add(layer)


def to_column(
    layer: PublishedLayer, box: ColumnElement[Any], srid: int = WGS84_SRID, step: ColumnElement[Any] | None = None
) -> ColumnElement[Any]:
    """Transform a box to the CRS of a layer's column: clipped to where both CRS hold, with points along its edges.

    ``step`` is the distance of these points, in the box's units; by default what is good enough for drawing.
    """
    target = layer.definition.geometry.srid
    if srid == target:
        return box
    area = overlap(srid, target)
    if step is None:
        step = literal_column(str(max(area.east - area.west, area.north - area.south) / 1024))
    clipped = func.ST_Intersection(box, func.ST_MakeEnvelope(area.west, area.south, area.east, area.north, srid))
    return func.ST_Transform(func.ST_Segmentize(clipped, step), target)


def _envelope(layer: PublishedLayer, number: int, srid: int) -> ColumnElement[Any]:
    """Return the box as geometry in the column's CRS: the literal is transformed, never the indexed column."""
    corners = [bindparam(f"{side}{number}", type_=Double) for side in _SIDES]
    west, south, east, north = corners
    # As for the geometries of filters: straight in its own CRS to some millimetres, or to its size.
    least: ColumnElement[Any] = literal_column(str(STEP_DEGREES if srid == WGS84_SRID else STEP))
    step = func.greatest(least, func.greatest(east - west, north - south) / literal_column(str(MOST_STEPS)))
    # A box without width or height is a line or a point; as a polygon it would be invalid and meet nothing.
    return to_column(layer, func.ST_Envelope(func.ST_MakeEnvelope(*corners, srid)), srid, step)


def _in_box(layer: PublishedLayer, number: int, srid: int) -> ColumnElement[bool]:
    """Return the condition that a feature meets a box."""
    geometry, definition = layer.table.c.geom, layer.definition.geometry
    if definition.type != "Point" or definition.srid != srid:
        meets: ColumnElement[bool] = func.ST_Intersects(geometry, _envelope(layer, number, srid))
        return meets
    # The same for points, at a fraction of its price, which PostgreSQL's planner takes for a hundred times higher yet.
    # The planner must not multiply its guesses about the four sides with what it knows of the box, hence the CASE.
    west, south, east, north = (bindparam(f"{side}{number}", type_=Double) for side in _SIDES)
    x, y = func.ST_X(geometry, type_=Double), func.ST_Y(geometry, type_=Double)
    near = geometry.op("&&", is_comparison=True)(func.ST_MakeEnvelope(west, south, east, north, srid))
    inside = and_(x.between(west, east), y.between(south, north))
    return and_(near, case((inside, true()), else_=false()))


def conditions(layer: PublishedLayer, selection: Selection) -> list[ColumnElement[bool]]:
    """Return the conditions on the layer's table."""
    table, temporal = layer.table, layer.definition.temporal
    found: list[ColumnElement[bool]] = []
    if selection.boxes:
        found.append(or_(*(_in_box(layer, number, selection.box_srid) for number in range(selection.boxes))))
    if temporal:
        if selection.after:
            end = table.c[temporal.end]
            found.append(or_(end.is_(None), end >= bindparam("after", type_=end.type)))
        if selection.before:
            start = table.c[temporal.start]
            found.append(or_(start.is_(None), start <= bindparam("before", type_=start.type)))
    found += [_equal(layer, name) for name in selection.equal]
    if selection.filter is not None:
        found.append(Compiler(table, layer.definition.geometry.srid, _DISTRICTS).condition(selection.filter))
    return found


def _equal(layer: PublishedLayer, name: str) -> ColumnElement[bool]:
    column: KeyedColumnElement[Any] = layer.table.c[name]
    field = layer.definition.field(name)
    if field is not None and field.type == "text[]":
        return bindparam(f"equal_{name}", type_=Text) == func.any(column)
    return column == bindparam(f"equal_{name}", type_=sql_type(field) if field else Text)
