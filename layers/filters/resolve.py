"""Resolves CQL2-JSON against a layer: names from its definition, functions from a list, types checked.

The literals are set apart from the tree, under numbers, so that filters that differ in values only share one shape.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, cast

import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84_SRID, AxisOrderedCrs
from geo.errors import InvalidInput
from layers.definition import LayerDefinition
from layers.filters.geometry import fit_for, measure, on_globe, read_geometry
from layers.filters.numbers import ARITHMETIC, calculate, marked
from layers.filters.parse import MAX_NESTING
from layers.filters.tree import ARRAYS, Call, Interval, Literal, Node, Property, Type
from layers.search.find import Words

GEOMETRY = "geom"
_NUMBERS = ("integer", "number")
_TIMES = ("date", "timestamp")
_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
SPATIAL = (
    "s_intersects", "s_equals", "s_disjoint", "s_touches", "s_within", "s_overlaps", "s_crosses", "s_contains",
)  # fmt: skip
#: Relations of instants and intervals, and those of intervals only (CQL2, 7.7, tables 7 and 8).
INSTANTS = ("t_after", "t_before", "t_disjoint", "t_equals", "t_intersects")
TEMPORAL = (
    *INSTANTS, "t_contains", "t_during", "t_finishedBy", "t_finishes", "t_meets", "t_metBy", "t_overlappedBy",
    "t_overlaps", "t_startedBy", "t_starts",
)  # fmt: skip
#: Types of array elements -> what they are brought to.
_ELEMENTS: dict[str, Type] = {
    "text": "text[]", "integer": "number[]", "number": "number[]", "boolean": "boolean[]", "date": "timestamp[]",
    "timestamp": "timestamp[]",
}  # fmt: skip
#: Function -> argument types and type of the result; all measures are metres on the ellipsoid.
FUNCTIONS: dict[str, tuple[tuple[Type, ...], Type]] = {
    "casei": (("text",), "text"),
    "accenti": (("text",), "text"),
    "distance": (("geometry", "geometry"), "number"),
    "area": (("geometry",), "number"),
    "length": (("geometry",), "number"),
    "within_district": (("text",), "boolean"),
    "is_open": (("timestamp",), "boolean"),
}
#: Those of geometries.
MEASURES = ("distance", "area", "length")
#: Properties, functions, operators and single values of a filter: what has to be compiled, and planned.
MAX_NODES = 1000
_LOWERED = {
    name.lower(): name for name in (*SPATIAL, *TEMPORAL, *ARRAYS, *FUNCTIONS, "isNull", "between", "in", "like")
}


@dataclass
class Resolved:
    """A filter ready to be compiled: its shape, and the values of its literals by parameter name."""

    node: Node
    values: dict[str, object] = field(default_factory=dict)


def resolve(
    tree: Any,
    definition: LayerDefinition,
    crs: AxisOrderedCrs,
    districts: Collection[str] = (),
    parameter: str = "filter",
) -> Resolved:
    """Resolve a filter.

    Parameters
    ----------
    tree : CQL2-JSON, as :func:`layers.filters.parse.parse_filter` returns it.
    crs : AxisOrderedCrs
        CRS of the filter's geometries (``filter-crs``), axis order as its authority defines.
    districts : collection of str
        The codes that ``within_district`` may name.

    Raises
    ------
    InvalidInput
        Naming the property, function, type or value, and the part of the filter where it stands.
    """
    resolver = _Resolver(definition, crs, districts, parameter)
    node = resolver.node(tree, 0)
    if node.type != "boolean":
        resolver.fail("filter.type", tree, allowed="boolean", value=node.type)
    size = _size(node)
    if size > MAX_NODES:
        raise InvalidInput("filter.size", parameter=parameter, count=size, allowed=MAX_NODES)
    return Resolved(marked(node, resolver.values), resolver.values)


def _size(node: Node) -> int:
    """Return of how many nodes a tree is made; a list of values is one."""
    count, rest = 0, [node]
    while rest:
        part = rest.pop()
        count += 1
        if isinstance(part, Call):
            rest += part.args
        elif isinstance(part, Interval):
            rest += [end for end in (part.start, part.end) if end is not None]
    return count


class _Resolver:
    def __init__(
        self, definition: LayerDefinition, crs: AxisOrderedCrs, districts: Collection[str], parameter: str
    ) -> None:
        self._districts = districts
        self.values: dict[str, object] = {}
        self._parameter = parameter
        self._crs = crs
        self._definition = definition
        self._types: dict[str, Type] = {item.name: item.type for item in definition.fields}
        self._types |= {"id": "text", GEOMETRY: "geometry", "geometry": "geometry"}
        if definition.linked:
            self._types["entry_id"] = "text"

    def fail(self, code: str, part: Any, **params: object) -> NoReturn:
        raise InvalidInput(code, log="", **{"parameter": self._parameter, "at": _written(part), **params})

    def literal(self, value: object, type_: Type, many: bool = False) -> Literal:
        index = len(self.values)
        self.values[f"literal{index}"] = value
        return Literal(index, type_, many)

    def node(self, part: Any, depth: int) -> Node:
        if depth > MAX_NESTING:
            raise InvalidInput("filter.nested", parameter=self._parameter, allowed=MAX_NESTING)
        if isinstance(part, bool):
            return self.literal(part, "boolean")
        if isinstance(part, int | float):
            return self._number(part)
        if isinstance(part, str):
            if "\0" in part:
                self.fail("filter.value", part, value=repr(part)[:60], allowed="text")
            return self.literal(part, "text")
        if isinstance(part, list):
            return self._array(part, depth)
        if isinstance(part, dict):
            return self._object(part, depth)
        if isinstance(part, Words):
            # Never out of a filter that somebody writes.
            given = (part.asked, part.within) if part.within else (part.asked,)
            return Call("words", tuple(self.literal(text, "text") for text in given), "boolean")
        self.fail("filter.value", part, value=json.dumps(part)[:60], allowed="CQL2")

    def _object(self, part: Mapping[str, Any], depth: int) -> Node:
        if "op" in part:
            return self._call(part, depth)
        if "property" in part:
            return self._property(part)
        if "interval" in part:
            return self._interval(part, depth)
        if "date" in part or "timestamp" in part:
            return self._instant(part)
        if _is_geometry(part):
            return self._geometry(part)
        self.fail(
            "filter.value",
            part,
            value=", ".join(map(str, part))[:60],
            allowed="op, property, interval, date, timestamp, bbox",
        )

    def _property(self, part: Mapping[str, Any]) -> Property:
        name = str(part["property"])
        if name not in self._types:
            self.fail("filter.property", part, value=name[:60], allowed=", ".join(self._types))
        return Property(GEOMETRY if self._types[name] == "geometry" else name, self._types[name])

    def _number(self, value: float) -> Literal:
        if not math.isfinite(value):
            self.fail("filter.value", value, value=str(value), allowed="± 1.7e308")
        if float(value).is_integer() and abs(value) <= 2**53:
            return self.literal(int(value), "integer")
        return self.literal(float(value), "number")

    def _instant(self, part: Mapping[str, Any]) -> Literal:
        if "date" in part:
            return self._moment(str(part["date"]), part, "date")
        return self._moment(str(part["timestamp"]), part, "timestamp")

    def _moment(self, text: str, part: Any, type_: Type) -> Literal:
        try:
            return self.literal(_moment_of(text, type_), type_)
        except ValueError:
            last = "9999-12-31"
            allowed = f"0001-01-01 … {last}" if type_ == "date" else f"0001-01-01T00:00:00Z … {last}T23:59:59Z"
            self.fail("filter.value", part, value=text[:60], allowed=allowed)

    def _cast(self, node: Node, other: Type) -> Node:
        """Read a text that is compared with a date or moment as one, as the standard's tests write it (A.2.3)."""
        if other not in _TIMES or node.type != "text" or not isinstance(node, Literal):
            return node
        name = f"literal{node.index}"
        text = str(self.values[name])
        type_: Type = "date" if len(text) == 10 else "timestamp"
        try:
            self.values[name] = _moment_of(text, type_)
        except ValueError:
            return node
        return Literal(node.index, type_)

    def _interval(self, part: Mapping[str, Any], depth: int) -> Interval:
        ends = part["interval"]
        if not isinstance(ends, list) or len(ends) != 2:
            self.fail("filter.value", part, value=_written(ends), allowed="interval(a, b)")
        return Interval(self._end(ends[0], part, depth), self._end(ends[1], part, depth))

    def _end(self, end: Any, part: Any, depth: int) -> Node | None:
        if end == "..":
            return None
        if isinstance(end, str):
            return self._moment(end, part, "date" if len(end) == 10 else "timestamp")
        node = self.node(end, depth + 1)
        if node.type not in _TIMES:
            self.fail("filter.type", part, value=node.type, allowed="date, timestamp")
        return node

    def _array(self, part: list[Any], depth: int) -> Node:
        start = len(self.values)
        nodes = [self.node(item, depth + 1) for item in part]
        kinds = {_ELEMENTS.get(node.type) for node in nodes} or {"text[]"}
        type_ = kinds.pop()
        if kinds or type_ is None:
            self.fail("filter.type", part, value=_written(part), allowed="text[]")
        if type_ == "text[]" and all(isinstance(node, Literal) for node in nodes):
            # One array of values, whatever its length: lists of all lengths have one shape.
            return self.literal([self.values.pop(f"literal{start + n}") for n in range(len(nodes))], type_)
        return Call("array", tuple(nodes), type_)

    def _arrays(self, op: str, args: list[Any], depth: int, part: Any) -> Call:
        if len(args) != 2:
            self.fail("filter.arguments", part, value=len(args), allowed=2)
        # Text in brackets is what it holds, so an array of one property or call arrives without its brackets.
        lists = [arg if isinstance(arg, list) else [arg] if self._scalar(arg) else arg for arg in args]
        left, right = (self.node(arg, depth + 1) for arg in lists)
        for node in (left, right):
            if not node.type.endswith("[]"):
                self.fail("filter.type", part, value=node.type, allowed="text[]")
        if left.type != right.type and [] not in lists:
            self.fail("filter.type", part, value=right.type, allowed=left.type)
        return Call(op, (left, right), "boolean")

    def _scalar(self, arg: Any) -> bool:
        if isinstance(arg, Mapping) and "property" in arg:
            return self._types.get(str(arg["property"])) in _ELEMENTS
        return isinstance(arg, str | int | float) or (isinstance(arg, Mapping) and "interval" not in arg)

    def _read(self, part: Mapping[str, Any]) -> BaseGeometry:
        try:
            return read_geometry(part, self._crs)
        except InvalidInput as error:
            place = {"parameter": self._parameter, "at": _written(part)}
            raise InvalidInput(error.code, log=error.log, **place, **error.params) from error

    def _geometry(self, part: Mapping[str, Any]) -> Literal:
        source = self._crs.srid
        return self.literal(_wkb(fit_for(self._read(part), source, self._definition.geometry.srid), source), "geometry")

    def _measure(self, op: str, args: list[Any], depth: int, part: Any) -> Node:
        """Read a function in metres; what stands in it is for the globe, not for the layer's CRS."""
        wanted, type_ = FUNCTIONS[op]
        if op != "distance" and len(args) == 1 and _is_geometry(args[0]):
            return self.literal(measure(op, on_globe(self._read(args[0]), self._crs.srid)), "number")
        call = self._fixed(op, args, depth, part, tuple((kind,) for kind in wanted), type_)
        return replace(call, args=tuple(self._place(node, arg) for node, arg in zip(call.args, args, strict=True)))

    def _place(self, node: Node, part: Any) -> Node:
        if not isinstance(node, Literal):
            return node
        globe = on_globe(self._read(part), self._crs.srid)
        self.values[f"literal{node.index}"] = _wkb(globe, WGS84_SRID)
        return replace(node, area=globe.geom_type in ("Polygon", "MultiPolygon"))

    def _call(self, part: Mapping[str, Any], depth: int) -> Node:
        given = str(part["op"])
        op = _LOWERED.get(given.lower(), given.lower())
        args = part.get("args")
        if not isinstance(args, list):
            self.fail("filter.value", part, value=given, allowed="args")
        if op in ("and", "or"):
            if len(args) < 2:
                self.fail("filter.arguments", part, value=len(args), allowed="2 …")
            return Call(op, tuple(self._typed(arg, depth, "boolean", part) for arg in args), "boolean")
        special: dict[str, Callable[[list[Any], int, Any], Node]] = {
            "in": self._in, "isNull": self._is_null, "between": self._between,
        }  # fmt: skip
        if op in special:
            return special[op](args, depth, part)
        if op in _COMPARISONS:
            return self._comparison(op, args, depth, part)
        if op in TEMPORAL:
            kinds: tuple[Type, ...] = ("date", "timestamp", "interval") if op in INSTANTS else ("interval",)
            return self._fixed(op, args, depth, part, (kinds, kinds), "boolean")
        if op in ARRAYS:
            return self._arrays(op, args, depth, part)
        if op in SPATIAL:
            return self._fixed(op, args, depth, part, (("geometry",), ("geometry",)), "boolean")
        if op == "not":
            return self._fixed(op, args, depth, part, (("boolean",),), "boolean")
        if op == "like":
            return self._like(args, depth, part)
        if op in ARITHMETIC:
            return self._arithmetic(op, args, depth, part)
        if op in MEASURES:
            return self._measure(op, args, depth, part)
        if op in FUNCTIONS:
            wanted, type_ = FUNCTIONS[op]
            if op == "is_open" and not self._definition.directory:
                self.fail(
                    "filter.function",
                    part,
                    value=given[:60],
                    allowed=", ".join(name for name in FUNCTIONS if name != op),
                )
            if op == "within_district" and args and args[0] not in list(self._districts):
                self.fail("filter.value", part, value=_written(args[0]), allowed=", ".join(self._districts))
            return self._fixed(op, args, depth, part, tuple((kind,) for kind in wanted), type_)
        self.fail("filter.function", part, value=given[:60], allowed=", ".join(FUNCTIONS))

    def _like(self, args: list[Any], depth: int, part: Any) -> Call:
        call = self._fixed("like", args, depth, part, (("text",), ("text",)), "boolean")
        pattern: Any = args[1]
        bare = False
        while isinstance(pattern, Mapping) and str(pattern.get("op")).lower() in ("casei", "accenti"):
            bare = bare or str(pattern["op"]).lower() == "accenti"
            pattern = pattern["args"][0]
        if not isinstance(pattern, str):
            self.fail("filter.value", part, value=_written(pattern), allowed="'%_\\'")
        # What accenti takes away escapes nothing.
        end = pattern.rstrip(_marks(pattern)) if bare else pattern
        if (len(end) - len(end.rstrip("\\"))) % 2:
            # It would escape nothing.
            self.fail("filter.value", part, value=_written(pattern), allowed="\\\\")
        return call

    def _typed(self, part: Any, depth: int, wanted: Type, whole: Any) -> Node:
        node = self.node(part, depth + 1)
        if node.type != wanted:
            self.fail("filter.type", whole, value=node.type, allowed=wanted)
        return node

    def _fixed(
        self, op: str, args: list[Any], depth: int, part: Any, wanted: tuple[tuple[Type, ...], ...], type_: Type
    ) -> Call:
        if len(args) != len(wanted):
            self.fail("filter.arguments", part, value=len(args), allowed=len(wanted))
        nodes = []
        for arg, kinds in zip(args, wanted, strict=True):
            node = self.node(arg, depth + 1)
            if node.type not in kinds:
                self.fail("filter.type", part, value=node.type, allowed=", ".join(kinds))
            nodes.append(node)
        return Call(op, tuple(nodes), type_)

    def _comparison(self, op: str, args: list[Any], depth: int, part: Any) -> Call:
        if len(args) != 2:
            self.fail("filter.arguments", part, value=len(args), allowed=2)
        left, right = (self.node(arg, depth + 1) for arg in args)
        left, right = self._cast(left, right.type), self._cast(right, left.type)
        if not _comparable(left.type, left.type):
            self.fail("filter.type", part, value=left.type, allowed=", ".join(_ELEMENTS))
        if not _comparable(left.type, right.type):
            self.fail("filter.type", part, value=right.type, allowed=left.type)
        return Call(op, (left, right), "boolean")

    def _between(self, args: list[Any], depth: int, part: Any) -> Call:
        if len(args) != 3:
            self.fail("filter.arguments", part, value=len(args), allowed=3)
        nodes = tuple(self.node(arg, depth + 1) for arg in args)
        for node in nodes:
            if node.type not in _NUMBERS:
                self.fail("filter.type", part, value=node.type, allowed="number")
        return Call("between", nodes, "boolean")

    def _in(self, args: list[Any], depth: int, part: Any) -> Call:
        if len(args) != 2 or not isinstance(args[1], list) or not args[1]:
            self.fail("filter.value", part, value=_written(args[1:]), allowed="in (…, …)")
        left = self.node(args[0], depth + 1)
        start = len(self.values)
        members = [self._cast(self.node(arg, depth + 1), left.type) for arg in args[1]]
        for node in members:
            if not _comparable(left.type, node.type):
                self.fail("filter.type", part, value=node.type, allowed=left.type)
        if all(isinstance(node, Literal) for node in members):
            # One array of values, whatever its length: lists of all lengths have one shape.
            kinds = {node.type for node in members}
            type_: Type = "number" if kinds == set(_NUMBERS) else members[0].type
            if len(kinds) == 1 or kinds == set(_NUMBERS):
                values = [self.values.pop(f"literal{start + number}") for number in range(len(members))]
                return Call("in", (left, self.literal(values, type_, many=True)), "boolean")
        return Call("in", (left, *members), "boolean")

    def _is_null(self, args: list[Any], depth: int, part: Any) -> Call:
        if len(args) != 1:
            self.fail("filter.arguments", part, value=len(args), allowed=1)
        node = self.node(args[0], depth + 1)
        if node.type == "interval":
            self.fail("filter.type", part, value=node.type, allowed=", ".join((*_ELEMENTS, "geometry")))
        return Call("isNull", (node,), "boolean")

    def _arithmetic(self, op: str, args: list[Any], depth: int, part: Any) -> Node:
        nodes = tuple(self.node(arg, depth + 1) for arg in args)
        if len(nodes) != 2:
            self.fail("filter.arguments", part, value=len(nodes), allowed=2)
        for node in nodes:
            if node.type not in _NUMBERS:
                self.fail("filter.type", part, value=node.type, allowed="number")
        if not all(isinstance(node, Literal) for node in nodes):
            return Call(op, nodes, "number")
        # Constants are calculated here: what can't be is the filter's mistake, not a row's.
        right, left = (self.values.popitem()[1] for _ in nodes)
        result = calculate(op, cast("float", left), cast("float", right))
        if result is None:
            self.fail("filter.arithmetic", part, allowed="± 1.7e308")
        return self._number(result)


def _moment_of(text: str, type_: Type) -> dt.date | dt.datetime:
    """Read a date or a moment (RFC 3339); Python's own reading takes more."""
    form = r"\d{4}-\d\d-\d\d" if type_ == "date" else r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    if not re.fullmatch(form, text, re.IGNORECASE | re.ASCII):
        raise ValueError(text)
    if type_ == "date":
        return dt.date.fromisoformat(text)
    moment = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper()))
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError as error:  # in UTC, in the year 0 or 10,000
        raise ValueError(text) from error


def _is_geometry(part: Any) -> bool:
    return isinstance(part, Mapping) and not {"bbox", "coordinates", "geometries"}.isdisjoint(part)


def _wkb(geometry: BaseGeometry, srid: int) -> bytes:
    written: bytes = shapely.to_wkb(shapely.set_srid(geometry, srid), include_srid=True)
    return written


def _comparable(left: Type, right: Type) -> bool:
    for kinds in (_NUMBERS, _TIMES):
        if left in kinds:
            return right in kinds
    return left == right and left in ("text", "boolean")


def _marks(text: str) -> str:
    """Return those characters of a text that accenti takes away."""
    return "".join({letter for letter in text if letter == "ـ" or unicodedata.category(letter) == "Mn"})


def _written(part: Any) -> str:
    """Write a part of a filter for an error message."""
    text = json.dumps(part, ensure_ascii=False, default=str)
    return text if len(text) <= 120 else text[:117] + "…"
