"""Any filter on any layer gives what ``tests/oracle.py`` says: the features, their number, their order, page by page."""

import datetime as dt
import json
import random
from typing import Any

import numpy as np
import psycopg
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests import cql2_text, drawing, oracle
from tests.many import examples
from tests.town import Thing, Town, _moments, _properties

#: The thorough run draws thousands.
pytestmark = pytest.mark.timeout(1800)
SORTABLE = ("amount", "score", "day", "open", "begin", "finish", "kind", "id")
LAYERS = ("works", "works", "roads", "roads", "zones", "zones", "plots", "kiosks", "twins", "world", "nothing")


class Ground:
    """The service and what its layers hold."""

    def __init__(self, town: Town, layers: dict[str, oracle.Layer], districts: dict[str, Any]) -> None:
        self.town, self.layers, self.districts = town, layers, districts

    def __repr__(self) -> str:
        """Return a word, as hypothesis shows every argument of what fails."""
        return "ground"


@pytest.fixture(scope="module")
def ground(town):
    """The town for the oracle, the features in the order of their tables."""
    found = {}
    with psycopg.connect(town.url, autocommit=True) as connection:
        for name in set(LAYERS):
            keys = [key for (key,) in connection.execute(f'SELECT id FROM features."{name}" ORDER BY fid').fetchall()]
            things = {thing.id: thing for thing in town.layers[name]}
            geometries = np.array([things[key].geometry for key in keys], dtype=object)
            srid = town.definitions[name].geometry.srid
            found[name] = oracle.Layer([things[key] for key in keys], srid, geometries)
    return Ground(town, found, {thing.id: thing.geometry for thing in town.layers["districts"]})


def pages(town, name, limit, **parameters):
    """Follow a question's pages to the end; return the ids in order, and every page's ``numberMatched``."""
    ids, matched = [], set()
    query = {key.replace("_", "-"): value for key, value in parameters.items()} | {"limit": limit}
    answer = town.client.get(
        f"/collections/{name}/items", params={**query, "skipGeometry": "true", "properties": "kind"}
    )
    while True:
        assert answer.status_code == 200, (answer.text, query)
        body = answer.json()
        assert body["numberReturned"] == len(body["features"])
        ids += [feature["id"] for feature in body["features"]]
        matched.add(body["numberMatched"])
        following = [link["href"] for link in body["links"] if link["rel"] == "next"]
        if not following:
            return ids, matched
        assert body["features"], "a page without features has a next one"
        answer = town.client.get(following[0])


def told(name, crs, tree, text, ids, sure, unsure):
    """Say how an answer differs; this is what hypothesis shows of the smallest case."""
    found = set(ids)
    return "\n".join(
        [
            f"layer {name}, filter-crs {crs.uri}",
            f"text {text}",
            f"json {json.dumps(tree, ensure_ascii=False)}",
            f"missing {sorted(sure - found)[:10]} of {len(sure)}",
            f"extra {sorted(found - sure - unsure)[:10]} of {len(found)}, undecidable {len(unsure)}",
        ]
    )


def agrees(ground, name, crs, tree, seed):
    """Compare the answers to a filter, in text and in JSON, with the oracle's."""
    sure, unsure = oracle.matches(tree, ground.layers[name], crs, ground.districts)
    text = cql2_text.write(tree, seed)
    shared = {"filter_crs": crs.uri}
    # One language by turns, and both for a part: an example costs what its questions cost.
    langs = [("cql2-text", text), ("cql2-json", json.dumps(tree))]
    for lang, written in langs if seed % 3 == 0 else [langs[seed % 2]]:
        ids, matched = pages(ground.town, name, 10_000, filter=written, filter_lang=lang, **shared)
        report = told(name, crs, tree, written, ids, sure, unsure)
        assert sure <= set(ids) <= sure | unsure, report
        assert len(ids) == len(set(ids)), report
        assert matched == {len(ids)}, report
        # Without an order given, that of the table.
        chosen = set(ids)
        assert ids == [thing.id for thing in ground.layers[name].things if thing.id in chosen], report


seeds = st.integers(0, 2**16)


@settings(max_examples=examples(150))
@given(data=st.data(), name=st.sampled_from(LAYERS), crs=st.sampled_from(drawing.CRSS), seed=seeds)
def test_filters_of_every_kind(ground, data, name, crs, seed):
    # All over the earth only coordinates in degrees make sense.
    wide = name == "world" and crs.srid == 4326
    tree = data.draw(drawing.filters(ground.layers[name], crs, wide), label="filter")
    agrees(ground, name, crs, tree, seed)


@settings(max_examples=examples(60))
@given(data=st.data(), name=st.sampled_from(LAYERS), crs=st.sampled_from(drawing.CRSS), seed=seeds)
def test_spatial_relations(ground, data, name, crs, seed):
    wide = name == "world" and crs.srid == 4326
    tree = data.draw(drawing.spatial(ground.layers[name], crs, wide), label="filter")
    agrees(ground, name, crs, tree, seed)


@settings(max_examples=examples(40))
@given(tree=drawing.temporal, name=st.sampled_from(("works", "zones")), seed=seeds)
def test_temporal_relations(ground, tree, name, seed):
    agrees(ground, name, drawing.CRSS[0], tree, seed)


@settings(max_examples=examples(60))
@given(tree=drawing.limits, name=st.sampled_from(("works", "zones")), seed=seeds)
def test_arithmetic_where_doubles_end(ground, tree, name, seed):
    """No row ends a query; an operation on constants that has no result is said to have none."""
    calculable = oracle.calculable(tree)
    assume(calculable is not None)
    if calculable:
        agrees(ground, name, drawing.CRSS[0], tree, seed)
        return
    asked = {"filter": json.dumps(tree), "filter-lang": "cql2-json"}
    answer = ground.town.client.get(f"/collections/{name}/items", params=asked)
    assert answer.status_code == 400, json.dumps(tree)
    body = answer.json()
    assert body["type"].endswith(":filter.arithmetic")
    assert json.loads(body["at"])["op"] in "+-*/%^div"


@settings(max_examples=examples(40))
@given(tree=drawing.negated(drawing.arrays), other=drawing.arrays, name=st.sampled_from(("works", "zones")), seed=seeds)
def test_relations_of_arrays_in_three_valued_logic(ground, tree, other, name, seed):
    for whole in (tree, drawing.call("isNull", tree), drawing.call("=", tree, other)):
        agrees(ground, name, drawing.CRSS[0], whole, seed)


def _sorted(things, keys):
    """Sort features as ``sortby`` does: unknown values last, first when descending; equals stay in the table's order."""
    for key in reversed(keys):
        name, descending = key.lstrip("-"), key.startswith("-")

        def value(thing, name=name):
            found = thing.id if name == "id" else thing.properties[name]
            return (found is None, found if found is not None else 0)

        # A sort from the end keeps equals in their order, reversed or not.
        things = sorted(things, key=value, reverse=descending)
    return things


@st.composite
def orders(draw):
    names = draw(st.lists(st.sampled_from(SORTABLE), max_size=3, unique=True))
    return [name if draw(st.booleans()) else f"-{name}" for name in names]


def _moment(draw, kind):
    if kind == 0:
        return ".."
    return draw(drawing.days if kind == 1 else drawing.stamps)


def _ends(text, last):
    """Return an end of ``datetime`` as a moment; a date is its whole day in the city."""
    if text == "..":
        return dt.datetime.max.replace(tzinfo=dt.UTC) if last else dt.datetime.min.replace(tzinfo=dt.UTC)
    if len(text) > 10:
        return dt.datetime.fromisoformat(text)
    return dt.datetime.combine(dt.date.fromisoformat(text), dt.time.max if last else dt.time.min, oracle.CASABLANCA)


@settings(max_examples=examples(60))
@given(data=st.data(), name=st.sampled_from(LAYERS), crs=st.sampled_from(drawing.CRSS), seed=seeds)
def test_filters_with_box_time_order_and_pages(ground, data, name, crs, seed):
    layer = ground.layers[name]
    wide = name == "world"
    tree = data.draw(drawing.filters(layer, crs, wide and crs.srid == 4326), label="filter")
    sure, unsure = oracle.matches(tree, layer, crs, ground.districts)
    parameters = {"filter": cql2_text.write(tree, seed), "filter_crs": crs.uri}
    if data.draw(st.booleans(), label="with bbox"):
        other = data.draw(st.sampled_from(drawing.CRSS), label="bbox-crs")
        drawn = data.draw(drawing.boxes(other, wide and other.srid == 4326), label="bbox")
        parameters |= {"bbox": ",".join(map(repr, drawn["bbox"])), "bbox_crs": other.uri}
        within = oracle.matches(
            drawing.call("s_intersects", drawing.prop("geom"), drawn), layer, other, ground.districts
        )
        sure, unsure = _both((sure, unsure), within)
    if data.draw(st.booleans(), label="with datetime"):
        first, last = (_moment(data.draw, data.draw(st.integers(0, 2))) for _ in range(2))
        if _ends(first, False) <= _ends(last, True):
            parameters["datetime"] = f"{first}/{last}"
            during = {
                thing.id
                for thing in layer.things
                if (thing.properties["begin"] or _ends("..", False)) <= _ends(last, True)
                and (thing.properties["finish"] or _ends("..", True)) >= _ends(first, False)
            }
            sure, unsure = sure & during, unsure & during
    order = data.draw(orders(), label="sortby")
    if order:
        parameters["sortby"] = ",".join(order)
    limit = max(data.draw(st.integers(1, 60), label="limit"), len(layer.things) // 6)
    ids, matched = pages(ground.town, name, limit, **parameters)
    report = told(name, crs, tree, json.dumps(parameters, ensure_ascii=False), ids, sure, unsure)
    assert sure <= set(ids) <= sure | unsure, report
    assert matched == {len(ids)}, report
    chosen = set(ids)
    assert ids == [thing.id for thing in _sorted([t for t in layer.things if t.id in chosen], order)], report


def _both(one, other):
    possible = (one[0] | one[1]) & (other[0] | other[1])
    sure = one[0] & other[0]
    return sure, possible - sure


@settings(max_examples=examples(20))
@given(data=st.data(), name=st.sampled_from(("works", "zones", "plots")), descending=st.booleans())
def test_pages_in_the_order_of_odd_texts(ground, data, name, descending):
    """Accents, signs and scripts have an order of their own; the pages follow it as one page does."""
    key = "-label" if descending else "label"
    limit = data.draw(st.integers(len(ground.layers[name].things) // 9, len(ground.layers[name].things)))
    whole, _ = pages(ground.town, name, 10_000, sortby=key)
    assert pages(ground.town, name, limit, sortby=key)[0] == whole
    assert sorted(whole) == sorted(thing.id for thing in ground.layers[name].things)


def test_what_is_drawn_selects_some_and_leaves_some():
    """The filters are worth drawing: of a hundred, many select a part of the features."""
    # By the oracle alone, on features of its own.
    chance, other = random.Random(1), random.Random(2)
    points = [shapely.Point(-7.6 + chance.uniform(-0.2, 0.2), 33.57 + chance.uniform(-0.1, 0.1)) for _ in range(60)]
    things = [Thing(f"t-{n}", p, p, _properties(chance) | _moments(other)) for n, p in enumerate(points)]
    layer = oracle.Layer(things, 4326, np.array(points, dtype=object))
    crs = drawing.CRSS[0]
    area = {code: shapely.box(-7.65, 33.5, -7.6, 33.6) for code in drawing.DISTRICTS}
    shares = []

    @settings(max_examples=150, database=None)
    @given(tree=drawing.filters(layer, crs, False))
    def draw(tree):
        sure, _ = oracle.matches(tree, layer, crs, area)
        shares.append(0 < len(sure) < len(things))

    draw()
    assert sum(shares) > len(shares) / 5
