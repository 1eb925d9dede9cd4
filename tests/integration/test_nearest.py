"""The nearest features, against oracles that sort all of them: GeographicLib for points, a plane at the place for others."""

import json
import math
import os

import numpy as np
import psycopg
import pyproj
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point

from layers.catalogue import PublishedLayer
from layers.nearest import NearestShape, nearest_statement
from layers.selection import EVERYTHING
from layers.several import Chosen
from layers.tables import layer_table

GEOD = Geod(ellps="WGS84")
MANY = 20 if os.environ.get("CASAMAPS_THOROUGH") else 1
POINTS = ["kiosks", "plots", "world", "twins", "nothing"]

lon, lat = st.floats(-7.85, -7.35), st.floats(33.4, 33.75)
anywhere = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
several = st.lists(st.sampled_from(POINTS), min_size=1, max_size=4, unique=True)


def metres(lon, lat, point):
    return GEOD.inv(lon, lat, point.x, point.y)[2]


def check(found, expected, rel=1e-6, by=1e-6):
    """Compare an answer with all (distance, layer's rank, id) in order; equal distances in ours have an order, too."""
    ours = [(item["distance"], item["collection"], item["id"]) for item in found]
    assert len(ours) == min(len(expected), len(found))
    for (distance, layer, key), (right, _, _) in zip(ours, expected, strict=False):
        assert distance == pytest.approx(right, rel=rel, abs=by), (layer, key)
    known = {(layer, key): distance for distance, layer, key in expected}
    for distance, layer, key in ours:
        assert distance == pytest.approx(known[layer, key], rel=rel, abs=by)
    assert len(set(ours)) == len(ours)
    assert [item[0] for item in ours] == sorted(item[0] for item in ours)


def oracle(town, layers, lon, lat, keep=lambda thing: True):
    found = [
        (metres(lon, lat, thing.degrees), layer, thing.id)
        for layer in layers
        for thing in town.layers[layer]
        if keep(thing)
    ]
    return sorted(found)


@settings(max_examples=60 * MANY)
@given(lon, lat, several, st.integers(1, 60))
@example(-7.6, 33.57, ["twins", "kiosks"], 25)
def test_points_of_several_layers(town, lon, lat, layers, count):
    body = town.get("/nearest", lon=lon, lat=lat, collections=",".join(layers), limit=count)
    expected = oracle(town, layers, lon, lat)
    assert body["numberReturned"] == len(body["features"]) == min(count, len(expected))
    check(body["features"], expected)


@settings(max_examples=60 * MANY)
@given(anywhere, st.integers(1, 400))
@example((0, 90), 10)
@example((123.4, -90), 10)
@example((-77, 90), 10)
@example((180, 0), 5)
@example((-180, 0), 5)
@example((179.99999, 1), 300)
def test_anywhere_on_earth(town, place, count):
    body = town.get("/nearest", point=f"{place[0]!r},{place[1]!r}", collections="world,kiosks", limit=count)
    expected = oracle(town, ["world", "kiosks"], *place)
    assert body["numberReturned"] == min(count, 1000, len(expected))
    check(body["features"], expected)


@settings(max_examples=40 * MANY)
@given(lon, lat, st.sampled_from("abc"), st.integers(-50, 50), st.floats(0, 30000))
def test_with_filter_and_farthest_distance(town, lon, lat, kind, amount, farthest):
    text = f"kind = '{kind}' AND amount > {amount}"
    layers = ["kiosks", "plots"]
    body = town.get(
        "/nearest", lon=lon, lat=lat, collections=",".join(layers), limit=30, filter=text, max_distance=farthest
    )

    def keep(thing):
        return thing.properties["kind"] == kind and (thing.properties["amount"] or -99) > amount

    def exactly(thing):
        return (
            thing.properties["kind"] == kind
            and thing.properties["amount"] is not None
            and thing.properties["amount"] > amount
        )

    expected = [item for item in oracle(town, layers, lon, lat, exactly) if item[0] <= farthest][:30]
    assert body["numberReturned"] == len(expected)
    check(body["features"], expected)


@settings(max_examples=40 * MANY)
@given(anywhere, st.integers(1, 30))
def test_bearings_of_points(town, place, count):
    for item in town.get("/nearest", lon=place[0], lat=place[1], collections="world", limit=count)["features"]:
        thing = next(thing for thing in town.layers["world"] if thing.id == item["id"])
        right = GEOD.inv(*place, thing.degrees.x, thing.degrees.y)[0] % 360
        if item["distance"] < 1e-3 or item["distance"] > 19.9e6 or abs(place[1]) > 89.9 or abs(thing.degrees.y) > 89.9:
            continue  # anything goes at the place itself, opposite of it and at the poles
        apart = abs(item["bearing"] - right) % 360
        assert min(apart, 360 - apart) < 2e-4
        assert 0 <= item["bearing"] < 360


def flat(lon, lat, things):
    """Draw things in a plane that is true to distances from its middle."""
    plane = pyproj.Transformer.from_crs(4326, f"+proj=aeqd +lat_0={lat} +lon_0={lon} +ellps=WGS84", always_xy=True)
    shapes = np.array([thing.degrees for thing in things])
    return list(shapely.transform(shapes, plane.transform, interleaved=False))


@settings(max_examples=40 * MANY)
@given(lon, lat, st.integers(1, 40))
def test_lines_and_areas(town, lon, lat, count):
    layers = ["roads", "zones", "works"]
    body = town.get("/nearest", lon=lon, lat=lat, collections=",".join(layers), limit=count)
    keys = [(layer, thing) for layer in layers for thing in town.layers[layer]]
    drawn = flat(lon, lat, [thing for _, thing in keys])
    shapes = {(layer, thing.id): shape for (layer, thing), shape in zip(keys, drawn, strict=True)}
    expected = sorted((shape.distance(Point(0, 0)), *key) for key, shape in shapes.items())
    # Edges are geodesics here and straight there: millimetres to centimetres for edges of some hundred metres. Of two
    # parts that are nearly as near as each other, PostGIS takes the one that is nearer on the sphere.
    check(body["features"], expected, rel=5e-4, by=0.05)
    for item in body["features"]:
        geometry = shapes[item["collection"], item["id"]]
        if item["distance"] == 0:
            assert item["bearing"] is None
        elif item["distance"] > 5:
            nearest = shapely.get_point(shapely.shortest_line(Point(0, 0), geometry), 1)
            right = math.degrees(math.atan2(nearest.x, nearest.y)) % 360
            apart = abs(item["bearing"] - right) % 360
            # Two points of a shape may be as near as each other.
            other = geometry.distance(Point(item["distance"] * math.sin(math.radians(item["bearing"])),
                                            item["distance"] * math.cos(math.radians(item["bearing"]))))  # fmt: skip
            assert min(apart, 360 - apart) < 0.5 or other < 1 + item["distance"] * 0.01


@settings(max_examples=30 * MANY)
@given(st.integers(0, 249), st.integers(1, 20), st.sampled_from(["roads", "works", "zones"]))
def test_from_a_line_or_an_area(town, number, count, layer):
    thing = town.layers[layer][number % len(town.layers[layer])]
    layers = ["kiosks", layer]
    body = town.get("/nearest", feature=f"{layer}/{thing.id}", collections=",".join(layers), limit=count)
    assert thing.id not in [item["id"] for item in body["features"]]
    middle = thing.degrees.centroid
    keys = [(name, other) for name in layers for other in town.layers[name] if other.id != thing.id]
    place, *drawn = flat(middle.x, middle.y, [thing, *(other for _, other in keys)])
    expected = sorted((place.distance(shape), name, other.id) for (name, other), shape in zip(keys, drawn, strict=True))
    # The plane is true from its middle only, so it is some parts in a hundred thousand out at the ends of the shapes.
    check(body["features"], expected, rel=4e-3, by=0.3)


@settings(max_examples=30 * MANY)
@given(st.integers(0, 2999), st.integers(1, 50))
def test_from_a_point_of_a_layer(town, number, count):
    thing = town.layers["kiosks"][number]
    body = town.get("/nearest", feature=f"kiosks/{thing.id}", collections="plots,kiosks,twins", limit=count)
    expected = [
        item
        for item in oracle(town, ["plots", "kiosks", "twins"], thing.degrees.x, thing.degrees.y)
        if item[2] != thing.id
    ]
    check(body["features"], expected)


def test_equal_distances_have_an_order(town):
    twins = sorted(thing.id for thing in town.layers["twins"] if thing.degrees.x == -7.6)
    for limit in (1, 5, 20):
        body = town.get("/nearest", lon=-7.6, lat=33.57, collections="twins", limit=limit)
        assert [item["id"] for item in body["features"]] == twins[:limit]
        assert {(item["distance"], item["bearing"]) for item in body["features"]} == {(0, None)}


def test_points_in_other_systems(town):
    x, y = pyproj.Transformer.from_crs(4326, 26191, always_xy=True).transform(-7.6, 33.57)
    plain = town.get("/nearest", point="-7.6,33.57", collections="kiosks,plots")["features"]
    for point, crs in (
        ("33.57,-7.6", "EPSG:4326"), (f"{x!r},{y!r}", "EPSG:26191"), (f"{x!r},{y!r}", "http://www.opengis.net/def/crs/EPSG/0/26191"),
    ):  # fmt: skip
        other = town.get("/nearest", point=point, point_crs=crs, collections="kiosks,plots")["features"]
        assert [item["id"] for item in other] == [item["id"] for item in plain]
        assert [item["distance"] for item in other] == pytest.approx(
            [item["distance"] for item in plain], abs=0.01
        )  # there and back


def test_what_is_given(town):
    body = town.get("/nearest", lon=-7.6, lat=33.57, collections="plots", limit=1)
    item = body["features"][0]
    assert list(item) == ["type", "id", "collection", "distance", "bearing", "geometry", "properties"]
    assert item["collection"] == item["properties"]["collection"] == "plots"
    assert item["properties"]["distance"] == item["distance"]
    assert item["properties"]["name_fr"] == item["id"]
    own = shapely.geometry.shape(item["geometry"])
    thing = next(thing for thing in town.layers["plots"] if thing.id == item["id"])
    assert own.distance(thing.degrees) < 1e-6
    bare = town.get("/nearest", lon=-7.6, lat=33.57, collections="plots", limit=1, skipGeometry="true")
    assert bare["features"][0]["geometry"] is None
    answer = town.client.get(
        "/nearest", params={"lon": -7.6, "lat": 33.57, "collections": "plots", "crs": "EPSG:26191"}
    )
    assert answer.headers["content-crs"].endswith("/26191>")
    assert answer.json()["features"][0]["geometry"]["coordinates"] == pytest.approx(
        list(thing.geometry.coords[0]), abs=1e-2
    )


def test_without_layers_named_those_of_areas_are_left_out(town):
    found = {item["collection"] for item in town.get("/nearest", lon=-7.6, lat=33.57, limit=1000)["features"]}
    assert "kiosks" in found
    assert not found & {"districts", "zones"}


def test_an_empty_layer_is_an_empty_answer(town):
    assert town.get("/nearest", lon=-7.6, lat=33.57, collections="nothing")["features"] == []


def test_a_huge_number_is_the_largest(town):
    assert town.get("/nearest", lon=-7.6, lat=33.57, collections="kiosks", limit=10**17)["numberReturned"] == 1000


def test_an_answer_that_is_too_long_says_so(town, serve):
    import httpx

    small = httpx.get(
        f"{serve(town.url, max_bytes=10_000)}/nearest",
        params={"lon": -7.6, "lat": 33.57, "collections": "zones", "limit": 50},
    )
    body = small.json()
    assert body["truncated"] is True
    assert 0 < body["numberReturned"] == len(body["features"]) < 50
    assert len(small.content) < 12_000


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "point"),
        ("lon=-7.6", "lat"),
        ("lat=33", "lon"),
        ("lon=a&lat=33", "lon"),
        ("lon=NaN&lat=33", "lon"),
        ("lon=-7.6&lat=inf", "lat"),
        ("lon=1e999&lat=33", "lon"),
        ("lon=181&lat=33", "lon"),
        ("lon=-7.6&lat=-90.1", "lat"),
        ("lon=&lat=", "lon"),
        ("lon=-7.6&lat=33&point=1,2", "point"),
        ("lon=-7.6&lat=33&feature=kiosks/kiosks-0001", "feature"),
        ("point=1", "point"),
        ("point=1,2,3", "point"),
        ("point=1,2&point-crs=EPSG:9999", "point-crs"),
        ("lon=-7.6&lat=33&point-crs=EPSG:4326", "point-crs"),
        ("point=1e9,1e9&point-crs=EPSG:32629", "point"),
        ("feature=kiosks", "feature"),
        ("feature=unknown/1", "feature"),
        ("feature=kiosks/none", "feature"),
        ("feature=kiosks/' OR 1=1 --", "feature"),
        ("lon=-7.6&lat=33&collections=kiosks,unknown", "collections"),
        ("lon=-7.6&lat=33&collections=kiosks,kiosks,", "collections"),
        ("lon=-7.6&lat=33&collections=", "collections"),
        ("lon=-7.6&lat=33&collections=kiosks;DROP", "collections"),
        ("lon=-7.6&lat=33&limit=0", "limit"),
        ("lon=-7.6&lat=33&limit=-1", "limit"),
        ("lon=-7.6&lat=33&limit=1.5", "limit"),
        ("lon=-7.6&lat=33&max-distance=-1", "max-distance"),
        ("lon=-7.6&lat=33&max-distance=NaN", "max-distance"),
        ("lon=-7.6&lat=33&filter=kind=", "filter"),
        ("lon=-7.6&lat=33&filter=nope=1", "filter"),
        ("lon=-7.6&lat=33&filter-lang=sql", "filter-lang"),
        ("lon=-7.6&lat=33&crs=EPSG:1", "crs"),
        ("lon=-7.6&lat=33&skipGeometry=maybe", "skipGeometry"),
        ("lon=-7.6&lat=33&kind=a", "kind"),
        ("lon=-7.6&lat=33&f=csv", "f"),
        ("lon=-7.6&lon=-7.5&lat=33", "lon"),
    ],
)
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_mistakes_are_named(town, query, parameter, lang):
    answer = town.client.get(f"/nearest?{query}&lang={lang}")
    body = answer.json()
    assert answer.status_code == 400, body
    assert body["parameter"] == parameter
    assert answer.headers["content-language"] == lang
    assert ("allowed" in body) or body["type"].endswith(("feature.unknown", "filter.syntax", "parameter.twice"))


def test_a_filter_that_one_layer_can_not_have_names_the_layer(town):
    answer = town.client.get("/nearest?lon=-7.6&lat=33&collections=kiosks,districts&filter=amount>1")
    assert answer.status_code == 400
    assert "districts" in answer.json()["detail"]
    assert "amount" in answer.json()["detail"]


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_page_lists_them(town, lang):
    answer = town.client.get(f"/nearest?lon=-7.6&lat=33.57&collections=kiosks,zones&f=html&lang={lang}")
    assert answer.status_code == 200
    assert f'lang="{lang}"' in answer.text
    assert answer.text.count("/collections/kiosks/items/") + answer.text.count("/collections/zones/items/") == 10
    assert "<script>" not in answer.text.split("<body")[1]
    assert "style=" not in answer.text
    again = town.client.get(f"/nearest?feature=kiosks/kiosks-0001&collections=nothing&f=html&lang={lang}")
    assert again.status_code == 200


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


@pytest.mark.parametrize("layer", ["kiosks", "plots"])
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_an_index_gives_the_order(town, layer, mode):
    definition = town.definitions[layer]
    published = PublishedLayer(definition, layer_table(definition), 1, 0, None, None, None, None)
    statement = nearest_statement(NearestShape((Chosen(published, EVERYTHING),), step=10))
    values = {"x": "-7.6", "y": "33.57", "page": "10", "max_bytes": "1000000"}
    with psycopg.connect(town.url, autocommit=True) as connection:
        connection.execute(f"SET plan_cache_mode = {mode}")
        connection.execute(f"PREPARE nearest AS {statement.sql}")
        given = ", ".join(values[name] for name in statement.names)
        plan = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE nearest({given})").fetchone()[0][0]["Plan"]
    found = list(nodes(plan))
    ordered = [node for node in found if node["Node Type"] == "Index Scan" and "<->" in str(node.get("Order By", ""))]
    assert [node["Index Name"] for node in ordered] == [f"{layer}_geog_idx"], json.dumps(plan, indent=1)
    assert not [node for node in found if node["Node Type"] == "Seq Scan" and node["Relation Name"] == layer]
