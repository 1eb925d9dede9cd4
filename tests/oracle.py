"""CQL2 once more, in plain Python with shapely and pyproj: written from the standard, to compare the service with.

A filter is CQL2-JSON. :func:`matches` evaluates it in three-valued logic (21-065r2, table 1) and says of every feature
whether it is selected, not selected, or whether nobody can tell: a hair from a border in another coordinate system, or
a number that rounding decides.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pyproj
import shapely
from shapely.geometry import MultiPolygon, box, shape

from layers.hours.clock import zone
from tests.town import Thing

Tree = Any
#: What a predicate may be, as bits: true, false, null; several when nobody can tell.
T, F, N = 1, 2, 4
#: A value that rounding decides.
UNSURE: Any = object()
#: Two PROJs, and lines that are straight in one CRS only, agree to this many metres.
HAIR, DISTRICT_HAIR = 0.02, 0.5
GEOD = pyproj.Geod(ellps="WGS84")
CASABLANCA = zone("Africa/Casablanca")
#: Letters without a decomposition in Unicode, and what they are without their stroke or ligature.
STROKES = str.maketrans("øØłŁđĐħĦŧŦ", "oOlLdDhHtT", "ـ")
_VALUES = {T: True, F: False, N: None}
_BITS = {True: T, False: F, None: N}
Row = int
Value = Callable[[Row], Any]


class Measured(float):
    """A length or an area, or what was calculated with one: good to a millionth, and to some centimetres."""

    def unlike(self, other: float) -> bool:
        """Tell whether another number differs from it for certain."""
        return abs(self - other) > 0.05 + 2e-6 * max(abs(self), abs(other))


class NoResult(ValueError):
    """An operation on constants has no result."""


class Layer:
    """The features of a layer and its CRS; geometries as an array, in the layer's CRS."""

    def __init__(self, things: list[Thing], srid: int, geometries: Any) -> None:
        self.things, self.srid, self.geometries = things, srid, geometries

    def __repr__(self) -> str:
        """Return a word, as hypothesis shows every argument of what fails."""
        return f"layer of {len(self.things)}"


@dataclass(frozen=True)
class Crs:
    """A CRS as a client names it, and whether its authority puts north first."""

    uri: str
    srid: int
    swapped: bool = False


@cache
def transformer(source: int, target: int) -> pyproj.Transformer:
    """Return a transformation with x before y on both sides."""
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def literal(part: dict[str, Any], crs: Crs, target: int) -> Any:
    """Return a literal's geometry in the CRS of a layer, its straight lines those of its own CRS."""
    if "bbox" in part and "type" not in part:
        numbers = part["bbox"]
        low, high = (numbers[0:2], numbers[2:4]) if len(numbers) == 4 else (numbers[0:2], numbers[3:5])
        if crs.swapped:
            low, high = low[::-1], high[::-1]
        if low[0] <= high[0]:
            geometry: Any = box(*low, *high)
        else:
            geometry = MultiPolygon([box(low[0], low[1], 180, high[1]), box(-180, low[1], high[0], high[1])])
    else:
        geometry = shapely.force_2d(shape(part))
        if crs.swapped:
            geometry = shapely.transform(geometry, lambda axes: axes[:, ::-1])
    return moved(geometry, crs.srid, target)


def moved(geometry: Any, source: int, target: int) -> Any:
    """Transform a geometry, with a vertex at least every some hundred metres."""
    if source == target:
        return geometry
    west, south, east, north = geometry.bounds
    step = 0.002 if source == 4326 else 200.0
    dense = shapely.segmentize(geometry, max(step, (east - west) / 2000, (north - south) / 2000))
    return shapely.transform(dense, transformer(source, target).transform, interleaved=False)


def nudged(geometry: Any, srid: int, metres: float) -> Iterator[Any]:
    """Return the geometry and what it would be a hair to each side."""
    d = metres / 90_000 if srid == 4326 else metres
    for dx, dy in ((0, 0), (d, 0), (-d, 0), (0, d), (0, -d)):
        yield shapely.transform(geometry, lambda axes, dx=dx, dy=dy: axes + np.array([dx, dy]))


_RELATIONS = {
    "s_intersects": shapely.intersects, "s_disjoint": shapely.disjoint, "s_equals": shapely.equals,
    "s_touches": shapely.touches, "s_within": shapely.within, "s_contains": shapely.contains,
    "s_overlaps": shapely.overlaps, "s_crosses": shapely.crosses,
}  # fmt: skip


def relation(layer: Layer, function: Any, geometry: Any, turned: bool, hair: float) -> list[int]:
    """Return what a spatial relation is for every feature; with a hair, only what is the same a hair aside is sure."""
    first: Any = None
    sure = np.ones(len(layer.geometries), dtype=bool)
    for near in nudged(geometry, layer.srid, hair) if hair else [geometry]:
        found = function(near, layer.geometries) if turned else function(layer.geometries, near)
        if first is None:
            first = found
        else:
            sure &= found == first
    return [(T if value else F) if known else T | F for value, known in zip(first, sure, strict=True)]


def _spans(s: Any, e: Any, t: Any, f: Any) -> dict[str, list[tuple[str, Any, Any]]]:
    """Return the relations of OWL-Time between the spans s..e and t..f, as comparisons that must all hold."""
    return {
        "t_before": [("<", e, t)], "t_after": [(">", s, f)], "t_equals": [("=", s, t), ("=", e, f)],
        "t_during": [(">", s, t), ("<", e, f)], "t_contains": [("<", s, t), (">", e, f)],
        "t_starts": [("=", s, t), ("<", e, f)], "t_startedby": [("=", s, t), (">", e, f)],
        "t_finishes": [(">", s, t), ("=", e, f)], "t_finishedby": [("<", s, t), ("=", e, f)],
        "t_meets": [("=", e, t)], "t_metby": [("=", s, f)],
        "t_overlaps": [("<", s, t), (">", e, t), ("<", e, f)],
        "t_overlappedby": [(">", s, t), ("<", s, f), (">", e, f)],
    }  # fmt: skip


def _moment(value: Any) -> Any:
    """Return an instant; a date is its midnight, UTC, when it meets a timestamp."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    return value


def _compare(op: str, left: Any, right: Any) -> int:
    if left is UNSURE or right is UNSURE:
        return T | F | N
    if left is None or right is None:
        return N
    if isinstance(left, dt.date):
        left, right = _moment(left), _moment(right)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Measured) and not one.unlike(other):
            return T | F
    if isinstance(left, float) or isinstance(right, float):
        near = abs(left - right) <= 1e-9 * max(abs(left), abs(right))
        if near and left != right:
            return T | F
    outcome = {
        "=": left == right, "<>": left != right, "<": left < right, ">": left > right, "<=": left <= right,
        ">=": left >= right,
    }[op]  # fmt: skip
    return T if outcome else F


def _lift(operator: Callable[..., bool | None], *masks: int) -> int:
    """Apply an operator of three-valued logic to all that its operands may be."""
    options = [[_VALUES[bit] for bit in (T, F, N) if mask & bit] for mask in masks]
    result = 0
    for values in itertools.product(*options):
        result |= _BITS[operator(*values)]
    return result


def _and(*values: bool | None) -> bool | None:
    return False if False in values else None if None in values else True


def _or(*values: bool | None) -> bool | None:
    return True if True in values else None if None in values else False


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of LIKE: any characters, one character, the backslash before what stands for itself."""
    parts, escaped = [], False
    for character in text:
        if escaped or character not in "%_\\":
            parts.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append(".*" if character == "%" else ".")
    return re.compile("".join(parts), re.DOTALL)


def _folded(text: str) -> str:
    return text.casefold()


def _bare(text: str) -> str:
    letters = unicodedata.normalize("NFD", text)
    bare = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return unicodedata.normalize("NFC", bare).translate(STROKES)


def _calculate(op: str, a: Any, b: Any) -> Any:
    result = _result(op, a, b)
    measured = isinstance(a, Measured) or isinstance(b, Measured)
    return Measured(result) if measured and isinstance(result, int | float) else result


def _result(op: str, a: Any, b: Any) -> Any:
    if a is UNSURE or b is UNSURE:
        return UNSURE
    if a is None or b is None:
        return None
    try:
        result = _exactly(op, a, b)
        if result is UNSURE or result is None:
            return result
        size = abs(float(result))
    except (OverflowError, ValueError, ZeroDivisionError):
        return None
    if size == math.inf:
        return None
    # Where doubles end, rounding decides what is still a number and what is 0.
    return UNSURE if size > 1.79e308 or 0 < size < (1e-300 if op == "^" else 1e-321) else result


def _whole(op: str, a: float, b: float) -> Any:
    """Return a quotient without its fraction, or the remainder, of numbers as they are written."""
    if b == 0:
        return None
    one, other = (Fraction(n) if n == int(n) and abs(n) <= 2**53 else Fraction(f"{n:.15g}") for n in (a, b))
    times = abs(one) / abs(other)
    # Digits that only calculation made may differ in the last one, which decides where the quotient is nearly whole.
    made = any(float(f"{n:.12g}") != n for n in (a, b))
    if made and (times > 2**50 or abs(times - round(times)) < Fraction(1, 10**9) * max(1, times)):
        return UNSURE
    if op == "%":
        rest = abs(one) % abs(other)
        return float(-rest if one < 0 else rest)
    return float(math.trunc(one / other))


def _exactly(op: str, a: Any, b: Any) -> Any:
    if op in ("%", "div") and not (isinstance(a, Measured) or isinstance(b, Measured)):
        return _whole(op, a, b)
    if op in ("/", "%", "div"):
        quotient = float(a) / float(b)
        exact = isinstance(a, int) and isinstance(b, int) and abs(quotient) < 2**50
        near = abs(quotient - round(quotient)) < 1e-9 * max(1, abs(quotient)) if math.isfinite(quotient) else False
        if op != "/" and not exact and near:
            return UNSURE
        if op == "/" or math.isinf(quotient):
            return quotient
        return math.fmod(a, b) if op == "%" else float(math.trunc(quotient))
    if op == "^":
        return math.pow(a, b)
    # Sums that cancel leave nothing but what was rounded.
    result = {"+": a + b, "-": a - b, "*": a * b}[op]
    inexact = isinstance(result, float) and op != "*" and abs(result) < 1e-9 * max(abs(a), abs(b))
    return UNSURE if inexact and result != 0 else result


def _constant(tree: Tree) -> Any:
    """Return what an expression without properties is; None for one with properties.

    Raises
    ------
    NoResult
        Where an operation on constants has none, or one that rounding decides.
    """
    if isinstance(tree, int | float):
        return tree
    if not isinstance(tree, dict) or tree.get("op") not in (*"+-*/%^", "div"):
        for part in tree if isinstance(tree, list) else tree.get("args", ()) if isinstance(tree, dict) else ():
            _constant(part)
        return None
    sides = [_constant(arg) for arg in tree["args"]]
    if None in sides:
        return None
    result = _result(tree["op"], *sides)
    if result is None or result is UNSURE:
        raise NoResult(result)
    return result


def calculable(tree: Tree) -> bool | None:
    """Tell whether every operation on constants in a filter has a result; None where rounding decides.

    One without a result is the filter's mistake.
    """
    try:
        _constant(tree)
    except NoResult as error:
        return None if error.args[0] is UNSURE else False
    return True


class Evaluator:
    """Turns a tree into a function of a row, for the features of a layer."""

    def __init__(self, layer: Layer, crs: Crs, districts: dict[str, Any]) -> None:
        self._layer = layer
        self._crs = crs
        self._districts = districts

    def predicate(self, tree: Tree) -> Callable[[Row], int]:
        """Return what a boolean expression may be in a row, as bits."""
        if isinstance(tree, bool):
            bit = T if tree else F
            return lambda _row: bit
        if "property" in tree:
            name = tree["property"]
            return lambda row: _BITS[self._layer.things[row].properties[name]]
        op, args = tree["op"], tree["args"]
        logic = {"and": _and, "or": _or, "not": _not}
        if op in logic:
            parts = [self.predicate(arg) for arg in args]
            return lambda row: _lift(logic[op], *(part(row) for part in parts))
        if op.startswith("s_"):
            return self._spatial(op, args).__getitem__
        if op.startswith("t_"):
            return self._temporal(op, args)
        if op.startswith("a_"):
            return self._array(op, args)
        if op == "within_district":
            area = moved(self._districts[args[0]], 4326, self._layer.srid)
            hair = 0 if self._layer.srid == 4326 else DISTRICT_HAIR
            return relation(self._layer, shapely.covered_by, area, False, hair).__getitem__
        return self._comparison(op, args)

    def _comparison(self, op: str, args: list[Tree]) -> Callable[[Row], int]:
        if op == "isNull":
            return self._null(args[0])
        if op == "in":
            left, members = self.value(args[0]), [self.value(arg) for arg in args[1]]
            return lambda row: _lift(_or, *(_compare("=", left(row), member(row)) for member in members))
        if op == "between":
            middle, low, high = (self.value(arg) for arg in args)
            return lambda row: _lift(
                _and, _compare(">=", middle(row), low(row)), _compare("<=", middle(row), high(row))
            )
        if op == "like":
            text, pattern = self.value(args[0]), _pattern(self.value(args[1])(0))
            return lambda row: N if text(row) is None else T if pattern.fullmatch(text(row)) else F
        if is_boolean(args[0]):
            one, other = (self.predicate(arg) for arg in args)
            return lambda row: _lift(lambda a, b: _VALUES[_compare(op, a, b)], one(row), other(row))
        first, second = (self.value(arg) for arg in args)
        return lambda row: _compare(op, first(row), second(row))

    def _null(self, tree: Tree) -> Callable[[Row], int]:
        if is_boolean(tree):
            predicate = self.predicate(tree)
            return lambda row: _lift(lambda value: value is None, predicate(row))
        value = self.value(tree)
        return lambda row: (T | F) if value(row) is UNSURE else T if value(row) is None else F

    def _spatial(self, op: str, args: list[Tree]) -> list[int]:
        turned = "property" not in args[0]
        other = args[0] if turned else args[1]
        if "property" in other:  # with itself
            found = _RELATIONS[op](self._layer.geometries, self._layer.geometries)
            return [T if value else F for value in found]
        geometry = literal(other, self._crs, self._layer.srid)
        hair = 0 if self._crs.srid == self._layer.srid else HAIR
        return relation(self._layer, _RELATIONS[op], geometry, turned, hair)

    def _temporal(self, op: str, args: list[Tree]) -> Callable[[Row], int]:
        (s, e), (t, f) = (self._ends(arg) for arg in args)

        def related(name: str, row: Row) -> int:
            comparisons = _spans(s(row), e(row), t(row), f(row))[name]
            return _lift(_and, *(_compare(*comparison) for comparison in comparisons))

        if op in ("t_disjoint", "t_intersects"):

            def apart(row: Row) -> int:
                result = _lift(_or, related("t_before", row), related("t_after", row))
                return result if op == "t_disjoint" else _lift(_not, result)

            return apart
        return lambda row: related(op.lower(), row)

    def _ends(self, tree: Tree) -> tuple[Value, Value]:
        if "interval" not in tree:
            value = self.value(tree)
            return (lambda row: _moment(value(row)),) * 2
        far = (dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC))
        ends = []
        for end, open_ in zip(tree["interval"], far, strict=True):
            if end == "..":
                ends.append(lambda _row, open_=open_: open_)
            else:
                key = "date" if isinstance(end, str) and len(end) == 10 else "timestamp"
                value = self.value({key: end} if isinstance(end, str) else end)
                ends.append(lambda row, value=value: _moment(value(row)))
        return ends[0], ends[1]

    def _array(self, op: str, args: list[Tree]) -> Callable[[Row], int]:
        left, right = (self._elements(arg) for arg in args)

        def within(element: Any, elements: list[Any]) -> int:
            return _lift(_or, *(_compare("=", element, other) for other in elements))

        def outcome(row: Row) -> int:
            one, other = left(row), right(row)
            if one is None or other is None:
                return N
            if op == "a_overlaps":
                return _lift(_or, *{within(element, other) for element in one})
            contains, contained = (
                _lift(_and, *{within(element, b) for element in a}) for a, b in ((other, one), (one, other))
            )
            return {"a_contains": contains, "a_containedBy": contained, "a_equals": _lift(_and, contains, contained)}[
                op
            ]

        return outcome

    def _elements(self, tree: Tree) -> Callable[[Row], list[Any] | None]:
        if isinstance(tree, list):
            items = [self.value(item) for item in tree]
            return lambda row: [item(row) for item in items]
        return self.value(tree)

    def value(self, tree: Tree) -> Value:
        """Return what a scalar expression is in a row."""
        if not isinstance(tree, dict):
            return lambda _row: tree
        if "property" in tree:
            return self._property(tree["property"])
        if "date" in tree or "timestamp" in tree:
            day, stamp = tree.get("date"), tree.get("timestamp")
            moment = dt.date.fromisoformat(day) if day else dt.datetime.fromisoformat(stamp)
            return lambda _row: moment
        if "op" not in tree:
            return lambda _row: tree  # a geometry, which is never null
        op, args = tree["op"], tree["args"]
        if op in ("casei", "accenti"):
            fold, text = _folded if op == "casei" else _bare, self.value(args[0])
            return lambda row: None if text(row) is None else fold(text(row))
        if op in ("distance", "area", "length"):
            return self._measure(op, args).__getitem__
        left, right = (self.value(arg) for arg in args)
        return lambda row: _calculate(op, left(row), right(row))

    def _property(self, name: str) -> Value:
        if name in ("id", "name_fr", "name_ar"):
            return lambda row: self._layer.things[row].id
        if name in ("geom", "geometry"):
            return lambda row: self._layer.geometries[row]
        return lambda row: self._layer.things[row].properties[name]

    def _measure(self, op: str, args: list[Tree]) -> list[Any]:
        degrees = [thing.degrees for thing in self._layer.things]
        if op == "area":
            return [Measured(abs(GEOD.geometry_area_perimeter(g)[0]) if g.area else 0) for g in degrees]
        if op == "length":
            lines = ("LineString", "MultiLineString")
            return [Measured(GEOD.geometry_length(g) if g.geom_type in lines else 0) for g in degrees]
        point = literal(args[1], self._crs, 4326)
        if all(g.geom_type == "Point" for g in degrees):
            return [Measured(GEOD.inv(point.x, point.y, g.x, g.y)[2]) for g in degrees]
        # Around the point, a plane in which all distances from it are true.
        plane = pyproj.CRS.from_proj4(f"+proj=aeqd +lat_0={point.y!r} +lon_0={point.x!r} +ellps=WGS84")
        there = pyproj.Transformer.from_crs(4326, plane, always_xy=True)
        origin = shapely.Point(0, 0)
        plain = (shapely.transform(g, there.transform, interleaved=False) for g in degrees)
        return [Measured(g.distance(origin)) for g in plain]


def is_boolean(tree: Tree) -> bool:
    """Tell whether an expression is a boolean one."""
    if isinstance(tree, dict):
        if tree.get("property") == "open":
            return True
        return "op" in tree and tree["op"] not in (*"+-*/%^", "div", "casei", "accenti", "distance", "area", "length")
    return isinstance(tree, bool)


def matches(tree: Tree, layer: Layer, crs: Crs, districts: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return the ids that a filter surely selects, and those of which nobody can tell."""
    predicate = Evaluator(layer, crs, districts).predicate(tree)
    outcomes = [(thing.id, predicate(row)) for row, thing in enumerate(layer.things)]
    return {key for key, bits in outcomes if bits == T}, {key for key, bits in outcomes if bits & T and bits != T}
