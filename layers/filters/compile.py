"""Compiles a resolved filter to an SQLAlchemy expression; values stay parameters named by their literal's index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Double,
    LargeBinary,
    Table,
    TableClause,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import TypeEngine

from geo.crs import WGS84_SRID
from layers.filters.arithmetic import operation
from layers.filters.arrays import known, relation
from layers.filters.tree import ARRAYS, Call, Interval, Literal, Node, Property
from layers.hours.conditions import closed_at, is_open, known_at, open_at

Sql = ColumnElement[Any]

_TYPES: dict[str, TypeEngine[Any]] = {
    "text": Text(),
    "integer": BigInteger(),
    "number": Double(),
    "boolean": Boolean(),
    "date": Date(),
    "timestamp": DateTime(timezone=True),
    "text[]": ARRAY(Text()),
    "number[]": ARRAY(Double()),
    "boolean[]": ARRAY(Boolean()),
    "timestamp[]": ARRAY(DateTime(timezone=True)),
    "geometry": LargeBinary(),
}
_COMPARE: dict[str, Callable[[Sql, Sql], Sql]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
_SPATIAL = {
    "s_intersects": "ST_Intersects",
    "s_equals": "ST_Equals",
    "s_disjoint": "ST_Disjoint",
    "s_touches": "ST_Touches",
    "s_within": "ST_Within",
    "s_overlaps": "ST_Overlaps",
    "s_crosses": "ST_Crosses",
    "s_contains": "ST_Contains",
}
#: Relations of two spans (start, end, start, end), after Allen; an instant is a span of no length (CQL2, 7.4).
_TEMPORAL: dict[str, Callable[[Sql, Sql, Sql, Sql], Sql]] = {
    "t_after": lambda s, _e, _t, f: s > f,
    "t_before": lambda _s, e, t, _f: e < t,
    "t_contains": lambda s, e, t, f: and_(s < t, e > f),
    "t_disjoint": lambda s, e, t, f: or_(e < t, s > f),
    "t_during": lambda s, e, t, f: and_(s > t, e < f),
    "t_equals": lambda s, e, t, f: and_(s == t, e == f),
    "t_finishedBy": lambda s, e, t, f: and_(s < t, e == f),
    "t_finishes": lambda s, e, t, f: and_(s > t, e == f),
    "t_intersects": lambda s, e, t, f: and_(s <= f, e >= t),
    "t_meets": lambda _s, e, t, _f: e == t,
    "t_metBy": lambda s, _e, _t, f: s == f,
    "t_overlappedBy": lambda s, e, t, f: and_(s > t, s < f, e > f),
    "t_overlaps": lambda s, e, t, f: and_(s < t, e > t, e < f),
    "t_startedBy": lambda s, e, t, f: and_(s == t, e > f),
    "t_starts": lambda s, e, t, f: and_(s == t, e < f),
}


_ZERO: Sql = literal_column("0::float8")
_HAIR: Sql = literal_column("1.00001::float8")
#: More than half the earth's girth, in metres.
_FARTHEST = "20100000"


class Compiler:
    """Compiles the nodes of one filter for one layer.

    Parameters
    ----------
    table : Table
        The layer's table.
    srid : int
        SRID of its geometry column; the filter's geometries know their own and are transformed to it.
    districts : table
        The layer of districts (``id``, ``geom``), for ``within_district``.
    """

    def __init__(self, table: Table, srid: int, districts: TableClause) -> None:
        self._table = table
        self._srid = srid
        self._districts = districts

    def condition(self, node: Node) -> Sql:
        """Return the expression of a whole filter, with what an index needs to find the features that it wants.

        What is unknown is as good as what is false in it.
        """
        if isinstance(node, Call) and node.op in ("and", "or"):
            parts = [self.condition(arg) for arg in node.args]
            return and_(true(), *parts) if node.op == "and" else or_(false(), *parts)
        if isinstance(node, Call) and node.op == "words":
            return self._words(node)
        opening = self._opening(node, True)
        if opening is not None:
            return opening
        if isinstance(node, Call) and node.op in ARRAYS:
            return known(node.op, *self._arrays(node.args))
        near = self._near(node)
        return self.sql(node) if near is None else and_(near, self.sql(node))

    def _words(self, node: Call) -> Sql:
        """Return the condition that a feature's entry, or itself, has all the words of a text."""
        asked, *within = (self.sql(arg) for arg in node.args)
        layer: Sql = within[0] if within else literal_column("NULL::text")
        found = func.search.keys(cast(asked, JSONB), layer).column_valued("_key")
        key = self._table.c.id if within else self._table.c.entry_id
        # What has them is found first, as for :func:`layers.hours.conditions.open_at`.
        return key.in_(select(found).offset(literal_column("0")))

    def _opening(self, node: Node, wanted: bool) -> Sql | None:
        """Return the condition that ``is_open``, its negation or its test for null is true, or false if not wanted."""
        if not isinstance(node, Call) or not node.args or not isinstance(node.args[0], Call | Literal):
            return None
        asked, entry = node.args[0], self._table.c.entry_id
        if node.op == "not":
            return self._opening(asked, not wanted)
        if node.op == "is_open":
            return (open_at if wanted else closed_at)(entry, self.sql(asked))
        if node.op == "isNull" and isinstance(asked, Call) and asked.op == "is_open":
            known = known_at(entry, self.sql(asked.args[0]))
            return not_(known) if wanted else known
        return None

    def _near(self, node: Node) -> Sql | None:
        """Return what holds for all features within a distance, where a filter asks for those; null is false in it."""
        if not isinstance(node, Call) or node.op not in ("<", "<=", ">", ">=", "="):
            return None
        apart, metres = node.args if node.op in ("<", "<=") else reversed(node.args)
        if node.op == "=" and not isinstance(metres, Literal):
            apart, metres = metres, apart
        if not (isinstance(apart, Call) and apart.op == "distance" and isinstance(metres, Literal)):
            return None
        if {type(arg) for arg in apart.args} != {Property, Literal}:
            return None
        # A hair more than asked for, as the distance itself is compared as well; never less than nothing, or more than
        # the earth has.
        reach = func.least(func.greatest(self.sql(metres), _ZERO), literal_column(_FARTHEST)) * _HAIR
        within: Sql = func.ST_DWithin(*self._outlines(apart.args), reach)
        inside = self._inside(apart.args)
        return within if inside is None else or_(inside, within)

    def sql(self, node: Node) -> Sql:
        """Return the expression of a node."""
        if isinstance(node, Property):
            return self._table.c[node.name]
        if isinstance(node, Literal):
            return self._literal(node)
        if isinstance(node, Interval):
            raise TypeError("an interval stands in temporal functions only")
        return self._call(node)

    def _literal(self, node: Literal) -> Sql:
        type_ = ARRAY(_TYPES[node.type]) if node.many else _TYPES[node.type]
        bound: Sql = bindparam(f"literal{node.index}", type_=type_)
        if node.type != "geometry":
            return bound
        # The bytes are EWKB, with their SRID; transforming to the SRID that they have costs nothing.
        return func.ST_Transform(func.geometry(bound), self._srid)

    def _call(self, node: Call) -> Sql:
        op, args = node.op, node.args
        if op in ("and", "or"):
            parts = [self.sql(arg) for arg in args]
            return and_(true(), *parts) if op == "and" else or_(false(), *parts)
        if op == "not":
            return not_(self.sql(args[0]))
        if op in _COMPARE:
            return _COMPARE[op](*self._pair(args[0], args[1]))
        if op in _SPATIAL:
            relation: Sql = getattr(func, _SPATIAL[op])(*(self.sql(arg) for arg in args))
            return relation
        if op in _TEMPORAL:
            return _TEMPORAL[op](*self._span(args[0]), *self._span(args[1]))
        return self._other(op, args, node.type, node.risky)

    def _other(self, op: str, args: tuple[Node, ...], type_: str, risky: bool) -> Sql:
        if op == "in":
            return self._in(args)
        if op == "array":
            return cast(array([self._instant(arg) for arg in args]), _TYPES[type_])
        if op in ARRAYS:
            return relation(op, *self._arrays(args))
        if op == "isNull":
            return self._grouped(args[0]).is_(None)
        if op == "between":
            low, high = self._pair(args[0], args[1]), self._pair(args[0], args[2])
            return and_(low[0] >= low[1], high[0] <= high[1])
        if op == "distance":
            apart: Sql = func.ST_Distance(*self._outlines(args), type_=Double)
            inside = self._inside(args)
            return apart if inside is None else case((inside, _ZERO), else_=apart)
        # Once, and only for what needs them: each level that does so twice doubles the work of all within it.
        parts = [self.sql(arg) for arg in args]
        if op == "like":
            return parts[0].like(parts[1], escape="\\")
        if op in ("casei", "accenti"):
            folded: Sql = getattr(func.catalogue, op)(parts[0], type_=Text)
            return folded
        if op == "is_open":
            return is_open(self._table.c.entry_id, parts[0])
        if op in ("area", "length", "within_district"):
            return self._measure(op, parts[0])
        return operation(op, parts[0], parts[1], risky=risky)

    def _arrays(self, args: tuple[Node, ...]) -> list[Sql]:
        # An array without elements is one of any type.
        type_ = next((arg.type for arg in args if arg.type != "text[]"), "text[]")
        return [cast(self.sql(arg), _TYPES[type_]) if arg.type != type_ else self.sql(arg) for arg in args]

    def _pair(self, left: Node, right: Node) -> tuple[Sql, Sql]:
        """Return two operands brought to types that PostgreSQL compares."""
        if {left.type, right.type} == {"date", "timestamp"}:
            return self._instant(left), self._instant(right)
        sides = [self._grouped(left), self._grouped(right)]
        if left.type == "text":
            # By code point, whatever the database's own collation.
            sides[0] = sides[0].collate("C")
        return sides[0], sides[1]

    def _grouped(self, node: Node) -> Sql:
        """Return an operand; a predicate in brackets, as NOT binds less than what compares."""
        value = self.sql(node)
        return Grouping(value) if isinstance(node, Call) and node.type == "boolean" else value

    def _in(self, args: tuple[Node, ...]) -> Sql:
        left, *members = args
        if len(members) == 1 and isinstance(members[0], Literal) and members[0].many:
            if {left.type, members[0].type} == {"date", "timestamp"}:
                listed = cast(self.sql(members[0]), ARRAY(DateTime(timezone=True)))
                return _is_any(self._instant(left), listed)
            return _is_any(self._grouped(left), self.sql(members[0]))
        if isinstance(left, Call):
            # Written once: lists within lists would grow without end.
            listed = cast(array([self._grouped(member) for member in members]), ARRAY(_TYPES[left.type]))
            return _is_any(self._grouped(left), listed)
        return or_(*(_COMPARE["="](*self._pair(left, member)) for member in members))

    def _instant(self, node: Node) -> Sql:
        """Return a moment; a date is its midnight, UTC."""
        value = self.sql(node)
        if node.type != "date":
            return value
        return func.timezone("UTC", cast(value, DateTime()), type_=DateTime(timezone=True))

    def _span(self, node: Node) -> tuple[Sql, Sql]:
        if not isinstance(node, Interval):
            instant = self._instant(node)
            return instant, instant
        return (
            literal_column("'-infinity'::timestamptz") if node.start is None else self._instant(node.start),
            literal_column("'infinity'::timestamptz") if node.end is None else self._instant(node.end),
        )

    def _degrees(self, node: Node) -> Sql:
        """Return a geometry in degrees, as those of the filter stand in measures."""
        if isinstance(node, Literal):
            return func.geometry(bindparam(f"literal{node.index}", type_=_TYPES["geometry"]))
        geometry = self.sql(node)
        return geometry if self._srid == WGS84_SRID else func.ST_Transform(geometry, WGS84_SRID)

    def _outlines(self, args: tuple[Node, ...]) -> list[Sql]:
        """Return two geometries on the globe, for measures in metres on the ellipsoid; of the filter's areas the edges.

        On the globe, nothing tells the inside of an area as large as half of it.
        """
        return [
            func.geography(func.ST_Boundary(self._degrees(arg)) if _has_inside(arg) else self._degrees(arg))
            for arg in args
        ]

    def _inside(self, args: tuple[Node, ...]) -> Sql | None:
        """Return whether two geometries meet, where one is an area of the filter; else None."""
        if not any(_has_inside(arg) for arg in args):
            return None
        meet: Sql = func.ST_Intersects(*(self._degrees(arg) for arg in args))
        return meet

    def _measure(self, op: str, part: Sql) -> Sql:
        if op == "within_district":
            district = select(func.ST_Transform(self._districts.c.geom, self._srid)).where(self._districts.c.id == part)
            return func.ST_CoveredBy(self._table.c.geom, district.scalar_subquery())
        degrees = part if self._srid == WGS84_SRID else func.ST_Transform(part, WGS84_SRID)
        return (func.ST_Area if op == "area" else func.ST_Length)(func.geography(degrees), type_=Double)


def _has_inside(node: Node) -> bool:
    return isinstance(node, Literal) and node.area


def _is_any(value: Sql, values: Sql) -> Sql:
    return value.op("=", is_comparison=True)(func.any(values))
