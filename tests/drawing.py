"""Draws CQL2 filters of every kind with hypothesis, for the layers of ``tests/town.py``; the trees are CQL2-JSON."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import shapely
from hypothesis import strategies as st
from shapely.geometry import mapping

from tests.oracle import Crs, Layer, calculable, transformer
from tests.town import CENTRE, LABELS

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRSS = [
    Crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84", 4326),
    Crs(EPSG + "4326", 4326, swapped=True),
    Crs(EPSG + "3857", 3857),
    Crs(EPSG + "32629", 32629),
    Crs(EPSG + "26191", 26191),
]
COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
SPATIAL = (
    "s_intersects", "s_disjoint", "s_equals", "s_touches", "s_within", "s_contains", "s_overlaps", "s_crosses",
)  # fmt: skip
INSTANTS = ("t_after", "t_before", "t_disjoint", "t_equals", "t_intersects")
INTERVALS = (
    "t_contains", "t_during", "t_finishedBy", "t_finishes", "t_meets", "t_metBy", "t_overlappedBy", "t_overlaps",
    "t_startedBy", "t_starts",
)  # fmt: skip
ARRAYS = ("a_equals", "a_contains", "a_containedBy", "a_overlaps")
DISTRICTS = [f"06.141.01.{number}" for number in ("01", "03", "21", "31")]

Tree = Any


def prop(name: str) -> Tree:
    return {"property": name}


def call(op: str, *args: Tree) -> Tree:
    return {"op": op, "args": list(args)}


def negated(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Draw a predicate or its negation."""
    return st.tuples(trees, st.booleans()).map(lambda drawn: call("not", drawn[0]) if drawn[1] else drawn[0])


# --- numbers

integers = st.integers(-60, 60) | st.sampled_from([0, 10**6, 2**53, -(2**53)])
numbers = integers | st.floats(-12, 12, allow_nan=False).map(lambda x: round(x, 3)) | st.sampled_from([0.5, 1e-7, 1e20])
_sums = st.sampled_from(["+", "-", "*", "/", "%", "div"])
amounts = st.sampled_from([prop("amount"), prop("score")])


def _powers(terms: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.builds(call, st.just("^"), terms, st.sampled_from([-1, 0, 0.5, 1, 2, 3]))


arithmetic = st.recursive(
    amounts | integers | st.sampled_from([0.25, 1.5]),
    lambda terms: st.builds(call, _sums, terms, terms) | _powers(terms),
    max_leaves=4,
).filter(calculable)

#: Where doubles end, some of it without any result.
_far = st.sampled_from([0, 2, -1, 1e308, -1e308, 1.5e200, -1e200, 1e-200, 1e-308, 1e-320, 5e-324, 0.001, 400])
extremes = st.recursive(
    amounts | _far,
    lambda terms: st.builds(call, st.sampled_from(["+", "-", "*", "/", "%", "div", "^"]), terms, terms),
    max_leaves=5,
)
beyond = st.builds(call, st.sampled_from(COMPARISONS), extremes, extremes | _far)
limits = beyond | st.builds(call, st.just("not"), beyond) | st.builds(call, st.just("isNull"), extremes)


# --- texts

words = st.sampled_from(LABELS) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=4
)
names = st.sampled_from(["label", "label", "kind"]).map(prop)


def folded(texts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Draw a text with or without CASEI and ACCENTI around it."""
    folds = st.sampled_from([(), (), ("casei",), ("accenti",), ("accenti", "casei")])
    return st.tuples(texts, folds).map(lambda drawn: _fold(*drawn))


def _fold(tree: Tree, folds: tuple[str, ...]) -> Tree:
    for fold in folds:
        tree = call(fold, tree)
    return tree


texts = folded(names | st.sampled_from(LABELS))


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """Draw a pattern of LIKE: a label with wildcards in it, its own wildcards escaped or not."""
    label = draw(st.sampled_from(LABELS))
    parts = []
    for character in label:
        choice = draw(st.integers(0, 7))
        if character in "%_\\" and (choice or character == "\\"):
            parts.append("\\" + character)
        else:
            parts.append({0: "_", 1: "%"}.get(choice, character))
    return "".join(parts) + draw(st.sampled_from(["", "%"]))


@st.composite
def likes(draw: st.DrawFn) -> Tree:
    folds = draw(st.sampled_from([(), ("casei",), ("accenti",), ("accenti", "casei")]))
    left = draw(names | st.sampled_from(LABELS))
    return call("like", _fold(left, folds), _fold(draw(patterns()), folds))


# --- times

days = st.integers(-2, 24).map(lambda n: (dt.date(2026, 1, 1) + dt.timedelta(days=n)).isoformat())
stamps = st.integers(-4, 60).map(
    lambda n: (dt.datetime(2026, 1, 1) + dt.timedelta(hours=6 * n)).isoformat() + "Z"
) | st.sampled_from(["2026-01-03T00:00:00.001Z", "2025-12-31T23:59:59.999999Z"])
instants = (
    st.sampled_from(["day", "begin", "finish"]).map(prop)
    | days.map(lambda day: {"date": day})
    | stamps.map(lambda stamp: {"timestamp": stamp})
)


@st.composite
def intervals(draw: st.DrawFn) -> Tree:
    kind = draw(st.integers(0, 3))
    if kind == 0:
        ends: list[Tree] = [prop("begin"), prop("finish")]
    elif kind == 1:
        ends = [prop("day"), draw(days)]
    else:
        ends = sorted([draw(days if kind == 2 else stamps) for _ in range(2)])
    open_ = draw(st.integers(0, 7))
    if open_ < 2:
        ends[open_] = ".."
    return {"interval": ends}


temporal = st.builds(call, st.sampled_from(INSTANTS), instants | intervals(), instants | intervals()) | st.builds(
    call, st.sampled_from(INTERVALS), intervals(), intervals()
)


# --- arrays

elements = st.sampled_from(["x", "y", "z", "w"])
text_lists = st.lists(elements | st.just(prop("kind")), max_size=4)
other_lists = st.sampled_from(
    [(amounts | st.integers(0, 2)), st.booleans(), days.map(lambda day: {"date": day}) | st.just(prop("day"))]
).flatmap(lambda items: st.tuples(st.lists(items, max_size=3), st.lists(items, max_size=3)))
_sides = st.just(prop("tags")) | text_lists
arrays = st.builds(call, st.sampled_from(ARRAYS), _sides, _sides) | st.tuples(st.sampled_from(ARRAYS), other_lists).map(
    lambda drawn: call(drawn[0], *drawn[1])
)


# --- geometries


@st.composite
def spots(draw: st.DrawFn, wide: bool) -> tuple[float, float]:
    """Draw a position in the town, or anywhere."""
    if wide:
        # With room for what is drawn around it.
        return draw(st.integers(-1770, 1770)) / 10, draw(st.integers(-790, 790)) / 10
    return (
        CENTRE[0] + draw(st.integers(-2500, 2500)) / 10_000 + 0.000_013,
        CENTRE[1] + draw(st.integers(-1500, 1500)) / 10_000 + 0.000_017,
    )


@st.composite
def stars(draw: st.DrawFn, wide: bool) -> Any:
    """Draw a polygon whose corners are seen from its middle, and sometimes a hole in it."""
    x, y = draw(spots(wide))
    size = draw(st.integers(2, 200)) / 2000 * (20 if wide else 1)
    count = draw(st.integers(3, 8))
    shares = [draw(st.integers(40, 100)) / 100 for _ in range(count)]
    around = [2 * math.pi * n / count for n in range(count)]
    ring = [(x + size * r * math.cos(a), y + size * r * math.sin(a)) for r, a in zip(shares, around, strict=True)]
    hole = [(x + size / 9 * math.cos(a), y + size / 9 * math.sin(a)) for a in around]
    return shapely.Polygon(ring, [hole] if draw(st.integers(0, 3)) == 0 else None)


@st.composite
def walks(draw: st.DrawFn, wide: bool) -> Any:
    steps = draw(st.lists(spots(wide), min_size=2, max_size=5, unique=True))
    return shapely.LineString(steps)


@st.composite
def shapes(draw: st.DrawFn, layer: Layer, wide: bool) -> Any:
    """Draw a geometry in degrees; sometimes one of the layer's own, for what only equals can be or do."""
    kind = draw(st.integers(0, 9))
    if kind <= 1 and layer.things:
        thing = layer.things[draw(st.integers(0, len(layer.things) - 1))]
        return thing.degrees.boundary if kind == 0 and not thing.degrees.boundary.is_empty else thing.degrees
    if kind == 2:
        return shapely.Point(draw(spots(wide)))
    if kind == 3:
        return shapely.MultiPoint(draw(st.lists(spots(wide), min_size=1, max_size=3)))
    if kind <= 5:
        return draw(walks(wide))
    if kind == 6:
        return shapely.MultiLineString(draw(st.lists(walks(wide), min_size=1, max_size=2)))
    if kind == 7:
        parts = draw(st.lists(stars(wide), min_size=1, max_size=2))
        apart = len(parts) == 1 or parts[0].disjoint(parts[1])
        return shapely.MultiPolygon(parts if apart else parts[:1])
    if kind == 8:
        # Parts that meet would make its inside a matter of opinion.
        area, others = draw(stars(wide)), draw(st.lists(walks(wide) | spots(wide).map(shapely.Point), max_size=1))
        return shapely.GeometryCollection([area, *(other for other in others if other.disjoint(area))])
    return draw(stars(wide))


def written(geometry: Any, crs: Crs) -> Tree:
    """Return a geometry in degrees as GeoJSON in a CRS, its axes in the authority's order."""
    if crs.srid != 4326:
        geometry = shapely.transform(geometry, transformer(4326, crs.srid).transform, interleaved=False)
        geometry = shapely.transform(geometry, lambda axes: axes.round(3))
    if crs.swapped:
        geometry = shapely.transform(geometry, lambda axes: axes[:, ::-1])
    return _plain(mapping(geometry))


def _plain(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items()}
    return [_plain(item) for item in part] if isinstance(part, list | tuple) else part


@st.composite
def boxes(draw: st.DrawFn, crs: Crs, wide: bool) -> Tree:
    """Draw a box, with or without heights; a wide one may cross the antimeridian."""
    (x1, y1), (x2, y2) = draw(spots(wide)), draw(spots(wide))
    if abs(x1 - x2) < 1e-4 or abs(y1 - y2) < 1e-4:
        x2, y2 = x1 + 0.01, y1 + 0.01
    y1, y2 = sorted((y1, y2))
    if not (wide and crs.srid == 4326):
        x1, x2 = sorted((x1, x2))
    low, high = (x1, y1), (x2, y2)
    if crs.srid != 4326:
        move = transformer(4326, crs.srid).transform
        xs, ys = zip(move(*low), move(*high), strict=True)
        # What is north in degrees may be a little east in metres.
        low, high = (min(xs), min(ys)), (max(xs), max(ys))
        low, high = (tuple(round(number, 3) for number in corner) for corner in (low, high))
    if crs.swapped:
        low, high = low[::-1], high[::-1]
    heights = draw(st.integers(0, 4)) == 0
    return {"bbox": [*low, 0, *high, 100] if heights else [*low, *high]}


@st.composite
def spatial(draw: st.DrawFn, layer: Layer, crs: Crs, wide: bool) -> Tree:
    geometry = written(draw(shapes(layer, wide)), crs) if draw(st.integers(0, 2)) else draw(boxes(crs, wide))
    own = prop(draw(st.sampled_from(["geom", "geometry"])))
    sides = [own, geometry] if draw(st.integers(0, 3)) else [geometry, own]
    if draw(st.integers(0, 30)) == 0:
        sides = [own, own]
    return call(draw(st.sampled_from(SPATIAL)), *sides)


@st.composite
def measures(draw: st.DrawFn, crs: Crs) -> Tree:
    """Draw a comparison of one of our own functions."""
    kind = draw(st.sampled_from(["distance", "area", "length"]))
    args = [prop("geom")]
    if kind == "distance":
        args.append(written(shapely.Point(draw(spots(False))), crs))
    measured = call(kind, *args)
    if draw(st.booleans()):
        measured = call("/", measured, 1000)
    limit = draw(st.integers(1, 400)) * (0.1 if measured["op"] == "/" else 100)
    return call(draw(st.sampled_from(COMPARISONS)), measured, limit)


# --- filters


def _compared(first: st.SearchStrategy[Tree], *others: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Draw a comparison, mostly with the first kind on one side or the other."""
    one = st.one_of(first, *others)
    sides = st.sampled_from([(first, one), (first, one), (one, first), (one, one)]).flatmap(
        lambda pair: st.tuples(*pair)
    )
    return st.builds(lambda op, pair: call(op, *pair), st.sampled_from(COMPARISONS), sides)


_fields = ("kind", "amount", "score", "day", "open", "tags", "label", "begin", "finish")
scalar = st.one_of(
    _compared(amounts, numbers, arithmetic),
    _compared(texts, words),
    _compared(instants),
    _compared(st.just(prop("open")), st.booleans()),
    st.just(prop("open")),
    st.booleans(),
    negated(likes()),
    negated(st.builds(call, st.just("between"), arithmetic | amounts, numbers, numbers | arithmetic)),
    negated(st.builds(call, st.just("in"), amounts, st.lists(numbers | arithmetic, min_size=1, max_size=5))),
    negated(st.builds(call, st.just("in"), texts, st.lists(texts | words, min_size=1, max_size=5))),
    negated(st.builds(call, st.just("in"), instants, st.lists(instants, min_size=1, max_size=4))),
    negated(st.builds(call, st.just("in"), st.just(prop("open")), st.lists(st.booleans(), min_size=1, max_size=2))),
    negated(st.builds(call, st.just("isNull"), st.sampled_from([*_fields, "geom", "id"]).map(prop))),
    negated(st.builds(call, st.just("isNull"), arithmetic | texts)),
)


@st.composite
def filters(draw: st.DrawFn, layer: Layer, crs: Crs, wide: bool) -> Tree:
    """Draw a filter of any kind for a layer, its geometries in a CRS; a wide layer is all over the earth."""
    return draw(_filters(layer, crs, wide))


def _filters(layer: Layer, crs: Crs, wide: bool) -> st.SearchStrategy[Tree]:
    kinds = [scalar, scalar, temporal, arrays, spatial(layer, crs, wide), spatial(layer, crs, wide)]
    if not wide:
        kinds += [measures(crs), st.sampled_from(DISTRICTS).map(lambda code: call("within_district", code))]
    leaf = st.one_of(*kinds)

    def grown(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        several = st.lists(trees, min_size=2, max_size=3)
        return st.one_of(
            st.tuples(st.sampled_from(["and", "or"]), several).map(lambda drawn: call(drawn[0], *drawn[1])),
            trees.map(lambda tree: call("not", tree)),
            st.builds(call, st.sampled_from(["=", "<>"]), trees, trees),
            trees.map(lambda tree: call("isNull", tree)),
        )

    return leaf | st.recursive(leaf, grown, max_leaves=5)
