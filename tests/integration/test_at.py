"""What there is at a place, against shapely in the layers' own systems and GeographicLib for distances."""

import json
import os
import re

import httpx
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point

from layers.places import DistrictLocator

GEOD = Geod(ellps="WGS84")
MANY = 20 if os.environ.get("CASAMAPS_THOROUGH") else 1
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
#: Nearer than this to a limit, two ways of reckoning may part: the plane below is true to some parts in 100,000.
SHARP = 0.02
ALL = ["districts", "kiosks", "plots", "roads", "zones", "works", "world", "twins", "nothing"]

lon, lat = st.floats(-7.85, -7.35), st.floats(33.4, 33.75)
anywhere = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
several = st.lists(st.sampled_from(ALL), min_size=1, max_size=5, unique=True)
tolerances = st.one_of(st.just(None), st.floats(0, 1000))


def plane(lon, lat, geometries):
    """Draw geometries in a plane that is true to distances from its middle."""
    to = pyproj.Transformer.from_crs(4326, f"+proj=aeqd +lat_0={lat} +lon_0={lon} +ellps=WGS84", always_xy=True)
    return shapely.transform(np.array(geometries, dtype=object), to.transform, interleaved=False)


def apart(lon, lat, things):
    """Return the metres from a place to each thing: exact for points, in a plane for what has edges."""
    shapes = [thing.degrees for thing in things]
    if not shapes:
        return np.array([])
    if all(shape.geom_type == "Point" for shape in shapes):
        return np.array([GEOD.inv(lon, lat, shape.x, shape.y)[2] for shape in shapes])
    return shapely.distance(plane(lon, lat, shapes), Point(0, 0))


def expected(town, layer, lon, lat, tolerance):
    """Return the ids that must and those that may be at a place."""
    things = town.layers[layer]
    if not things:
        return set(), set()
    metres = apart(lon, lat, things)
    areas = np.array([shapely.get_dimensions(thing.degrees) == 2 for thing in things])
    reach = np.where(areas, 0, tolerance)
    if layer == "districts":  # in degrees, as they are kept: nothing is moved, so nothing is uncertain
        place = Point(lon, lat)
        exact = {thing.id for thing in things if thing.degrees.intersects(place)}
        return exact, exact
    must = {thing.id for thing, far, near in zip(things, metres, reach, strict=True) if far < near - SHARP}
    inside = shapely.contains_properly(plane(lon, lat, [thing.degrees for thing in things]), Point(0, 0).buffer(SHARP))
    must |= {thing.id for thing, held in zip(things, inside, strict=True) if held}
    may = {thing.id for thing, far, near in zip(things, metres, reach, strict=True) if far <= near + SHARP}
    return must, may


def ask(town, lon, lat, **more):
    return town.get("/at", lon=repr(lon), lat=repr(lat), **more)


def ids(body, layer):
    return [item["id"] for item in body["features"] if item["collection"] == layer]


def district(town, lon, lat):
    """Return the code of the first district, in the table's order, that holds a place."""
    return next((thing.id for thing in town.layers["districts"] if thing.degrees.intersects(Point(lon, lat))), None)


def code(body):
    return body["district"] and body["district"]["code"]


@settings(max_examples=80 * MANY)
@given(lon, lat, several, tolerances)
@example(-7.6, 33.57, ["twins", "districts", "zones"], None)
@example(-7.6, 33.57, ["kiosks"], 1000.0)
def test_a_place_in_the_town(town, lon, lat, layers, tolerance):
    more = {} if tolerance is None else {"tolerance": repr(tolerance)}
    body = ask(town, lon, lat, collections=",".join(layers), limit=1000, **more)
    assert body["place"] == {"lon": lon, "lat": lat}
    assert code(body) == district(town, lon, lat)
    assert body["numberReturned"] == len(body["features"])
    for layer in layers:
        must, may = expected(town, layer, lon, lat, 5.0 if tolerance is None else tolerance)
        found = ids(body, layer)
        assert len(found) == len(set(found))
        assert must <= set(found) <= may, layer
    # By the layers as they were asked, then the nearest first, then by id.
    order = [(layers.index(item["collection"]), item["distance"], item["id"]) for item in body["features"]]
    assert order == sorted(order)


@settings(max_examples=60 * MANY)
@given(st.integers(0, 10**6), st.floats(0, 80), st.floats(0, 360), st.floats(0.5, 100))
def test_a_place_near_a_feature(town, number, metres, bearing, tolerance):
    """Places drawn around features, as a place drawn anywhere has few of them."""
    layer = ["kiosks", "plots", "roads", "works"][number % 4]
    thing = town.layers[layer][number % len(town.layers[layer])]
    x, y = shapely.get_coordinates(thing.degrees)[number % shapely.count_coordinates(thing.degrees)]
    lon, lat, _ = GEOD.fwd(x, y, bearing, metres)
    body = ask(town, lon, lat, collections=layer, limit=1000, tolerance=repr(tolerance))
    must, may = expected(town, layer, lon, lat, tolerance)
    assert must <= set(ids(body, layer)) <= may
    by_id = {item.id: item for item in town.layers[layer]}
    for item in body["features"]:
        kept = by_id[item["id"]]
        right = 0 if shapely.get_dimensions(kept.degrees) == 2 else apart(lon, lat, [kept])[0]
        assert item["distance"] == pytest.approx(right, rel=1e-4, abs=SHARP)


@settings(max_examples=60 * MANY)
@given(st.integers(0, 10**6), st.floats(0, 1))
@example(0, 0.0)
@example(77, 1.0)
@example(123, 0.5)
def test_on_the_limits_of_districts(town, number, along):
    """A vertex lies in all districts that have it; a place on an edge lies where GEOS says that it lies."""
    area = town.layers["districts"][number % len(town.layers["districts"])]
    ring = shapely.get_coordinates(area.degrees.exterior)
    (x, y), (x2, y2) = ring[number % (len(ring) - 1) :][:2]
    place = (float(x + (x2 - x) * along), float(y + (y2 - y) * along)) if 0 < along < 1 else (float(x), float(y))
    body = ask(town, *place, collections="districts")
    holding = [thing.id for thing in town.layers["districts"] if thing.degrees.intersects(Point(place))]
    assert sorted(ids(body, "districts")) == sorted(holding)
    if along in (0.0, 1.0):
        assert area.id in holding
    assert code(body) == (holding[0] if holding else None)
    assert all(item["distance"] == 0 for item in body["features"])


def test_many_vertices_are_shared(town):
    """The town would not show what happens on shared limits if its districts had none."""
    rings = [set(map(tuple, shapely.get_coordinates(thing.degrees))) for thing in town.layers["districts"]]
    shared = {vertex for number, one in enumerate(rings) for other in rings[number + 1 :] for vertex in one & other}
    assert len(shared) > 100
    several = 0
    for x, y in sorted(shared)[:: len(shared) // 20]:
        body = ask(town, float(x), float(y), collections="districts")
        holding = [thing.id for thing in town.layers["districts"] if thing.degrees.intersects(Point(x, y))]
        assert sorted(ids(body, "districts")) == sorted(holding)
        assert code(body) == holding[0]
        several += len(holding) > 1
    assert several > 15


@settings(max_examples=30 * MANY)
@given(st.integers(0, 10**6))
def test_vertices_of_areas_in_their_own_system(town, number):
    """A place that is given in the layer's own CRS is not moved, so that it touches what it is a vertex of."""
    area = town.layers["zones"][number % len(town.layers["zones"])]
    corners = shapely.get_coordinates(area.geometry)
    x, y = map(float, corners[number % len(corners)])
    body = town.get("/at", point=f"{x!r},{y!r}", point_crs="EPSG:26191", collections="zones", limit=1000)
    right = {thing.id for thing in town.layers["zones"] if thing.geometry.intersects(Point(x, y))}
    assert area.id in right
    assert set(ids(body, "zones")) == right


@settings(max_examples=60 * MANY)
@given(anywhere)
@example((0, 90))
@example((45.5, -90))
@example((180, 0))
@example((-180, 0.001))
@example((179.9999, 1))
@example((-179.99995, 1))
@example((-7.6, 33.57))
def test_anywhere_on_earth(town, place):
    body = town.get("/at", point=f"{place[0]!r},{place[1]!r}", limit=1000)
    assert code(body) == district(town, *place)
    must, may = expected(town, "world", *place, 5.0)
    assert must <= set(ids(body, "world")) <= may


def test_across_the_antimeridian_and_at_the_poles(town):
    at = {thing.degrees.coords[0]: thing.id for thing in town.layers["world"]}
    assert ids(town.get("/at", lon=-180, lat=0, collections="world"), "world") == [at[180.0, 0.0]]
    near = town.get("/at", lon=180, lat=1, tolerance=20, collections="world")
    assert set(ids(near, "world")) == {at[179.9999, 1.0], at[-179.9999, 1.0]}
    assert ids(town.get("/at", lon=-77, lat=90, collections="world"), "world") == [at[0.0, 90.0]]
    assert ids(town.get("/at", lon=12, lat=-90, collections="world"), "world") == [at[50.0, -90.0]]


@settings(max_examples=30 * MANY)
@given(lon, lat, st.sampled_from([4326, 3857, 32629, 26191]))
def test_places_and_answers_in_every_system(town, lon, lat, srid):
    to = pyproj.Transformer.from_crs(4326, srid, always_xy=True)
    pair = to.transform(lon, lat)[:: -1 if srid == 4326 else 1]
    layers = "districts,kiosks,zones,works"
    plain = ask(town, lon, lat, collections=layers, tolerance=300, limit=1000)
    for name in (f"EPSG:{srid}", f"{EPSG}{srid}"):
        body = town.get(
            "/at", point=f"{pair[0]!r},{pair[1]!r}", point_crs=name, collections=layers, tolerance=300, limit=1000, crs=name
        )  # fmt: skip
        assert body["place"]["lon"] == pytest.approx(lon, abs=2e-8)
        assert body["place"]["lat"] == pytest.approx(lat, abs=2e-8)
        # There and back through another datum moves a place by up to two millimetres; only a feature that near the
        # limit could change.
        assert [item["id"] for item in body["features"]] == [item["id"] for item in plain["features"]]
        assert code(body) == code(plain)
        for item, degrees in zip(body["features"], plain["features"], strict=True):
            own, wanted = (shapely.geometry.shape(feature["geometry"]) for feature in (item, degrees))
            if srid == 4326:
                own = shapely.transform(own, lambda x, y: (y, x), interleaved=False)
                assert shapely.hausdorff_distance(own, wanted) < 2e-7
            else:
                # Degrees are given to 7 digits, a centimetre on the ground; Web Mercator stretches it by a fifth.
                moved = shapely.transform(wanted, to.transform, interleaved=False)
                assert shapely.hausdorff_distance(own, moved) < 0.02


@settings(max_examples=30 * MANY)
@given(lon, lat, st.sampled_from("abc"), st.integers(-50, 50))
def test_only_features_that_are_chosen(town, lon, lat, kind, amount):
    layers = ["kiosks", "plots", "roads", "works", "zones"]
    place = {"collections": ",".join(layers), "tolerance": 1000, "limit": 1000}
    everything = ask(town, lon, lat, **place)
    chosen = ask(town, lon, lat, **place, filter=f"kind = '{kind}' AND amount >= {amount}")
    by_id = {thing.id: thing.properties for layer in layers for thing in town.layers[layer]}

    def wanted(key):
        given = by_id[key]
        return given["kind"] == kind and given["amount"] is not None and given["amount"] >= amount

    assert [item["id"] for item in chosen["features"]] == [
        item["id"] for item in everything["features"] if wanted(item["id"])
    ]
    boxed = ask(town, lon, lat, **place, bbox=f"{lon!r},{lat!r},{lon + 1!r},{lat + 1!r}")
    right = {item["id"] for item in everything["features"]
             if shapely.geometry.shape(item["geometry"]).intersects(shapely.box(lon, lat, lon + 1, lat + 1))}  # fmt: skip
    touched = {item["id"] for item in everything["features"]
               if shapely.geometry.shape(item["geometry"]).distance(shapely.box(lon, lat, lon + 1, lat + 1)) < 1e-6}  # fmt: skip
    assert {item["id"] for item in boxed["features"]} <= touched
    # The oracle has 7 digits of each coordinate.
    assert len(right - {item["id"] for item in boxed["features"]}) <= len(touched - right) + 1


def test_what_is_given(town):
    thing = town.layers["plots"][7]
    x, y = thing.degrees.coords[0]
    answer = town.client.get("/at", params={"lon": repr(x), "lat": repr(y), "collections": "plots,districts"})
    body = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert list(body) == ["type", "place", "district", "numberReturned", "links", "features"]
    item = body["features"][0]
    assert list(item) == ["type", "id", "collection", "distance", "geometry", "properties", "links"]
    assert item["id"] == thing.id
    assert item["distance"] < 0.001
    assert item["properties"]["collection"] == item["collection"] == "plots"
    assert item["properties"]["distance"] == item["distance"]
    assert {name: item["properties"][name] for name in ("amount", "score", "kind", "open", "tags")} == {
        name: thing.properties[name] for name in ("amount", "score", "kind", "open", "tags")
    }
    assert [link["rel"] for link in item["links"]] == ["canonical"]
    assert town.client.get(item["links"][0]["href"]).json()["id"] == thing.id
    own = next(link["href"] for link in body["links"] if link["rel"] == "self")
    assert town.client.get(own).json() == body
    bare = town.get("/at", lon=repr(x), lat=repr(y), collections="plots", skipGeometry="true")
    assert bare["features"][0]["geometry"] is None
    head = town.client.head("/at", params={"lon": repr(x), "lat": repr(y)})
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_district_is_named(client, everything, lang):
    for item in everything("districts")[:4]:
        inside = shapely.geometry.shape(item["geometry"]).representative_point()
        found = client.get("/at", params={"lon": inside.x, "lat": inside.y, "collections": "districts", "lang": lang})
        body = found.json()["district"]
        assert body["code"] == item["id"]
        assert body["name"] == item["properties"][f"name_{lang}"]
        assert (body["name_fr"], body["name_ar"]) == tuple(item["properties"][f"name_{lang}"] for lang in ("fr", "ar"))
        assert client.get(body["links"][0]["href"]).json()["id"] == item["id"]


def test_a_place_of_the_annuaire_has_its_one_address(client, everything):
    item = everything("facilities")[0]
    x, y = item["geometry"]["coordinates"]
    body = client.get("/at", params={"lon": x, "lat": y, "collections": "facilities"}).json()
    same = next(found for found in body["features"] if found["id"] == item["id"])
    address = same["links"][0]["href"]
    assert address.endswith(f"/directory/{item['properties']['entry_id']}")
    assert client.get(address, params={"f": "json"}).status_code == 200


def test_outside_the_city_there_is_no_district(client):
    for lon, lat in ((0, 0), (-7.6, 34.5), (180, -90)):
        body = client.get("/at", params={"lon": lon, "lat": lat}).json()
        assert body["district"] is None
        assert body["features"] == []
    page = client.get("/at?lon=0&lat=0&f=html&lang=fr").text
    assert "Hors des arrondissements" in page
    assert "خارج المقاطعات" in client.get("/at?lon=0&lat=0&f=html&lang=ar").text


def test_the_district_comes_from_memory(town, serve, monkeypatch):
    """The districts are read once for each version of their layer, not for each question."""
    built = []
    build = DistrictLocator._build

    async def counted(self, layer):
        built.append(layer.id)
        return await build(self, layer)

    monkeypatch.setattr(DistrictLocator, "_build", counted)
    with httpx.Client(base_url=serve(town.url)) as own:
        inside = town.layers["districts"][3].degrees.representative_point()
        for _ in range(20):
            body = own.get("/at", params={"lon": inside.x, "lat": inside.y, "collections": "nothing"}).json()
            assert body["district"]["code"] == town.layers["districts"][3].id
    assert built == ["districts"]


def test_more_than_the_limit_says_so(town):
    whole = town.get("/at", lon=-7.6, lat=33.57, collections="twins,kiosks", tolerance=1000, limit=1000)
    assert "truncated" not in whole
    many = len(ids(whole, "kiosks"))
    assert many > 3
    part = town.get("/at", lon=-7.6, lat=33.57, collections="twins,kiosks", tolerance=1000, limit=3)
    assert part["truncated"] is True
    assert part["features"] == [*whole["features"][:3], *whole["features"][20:23]]
    exact = town.get("/at", lon=-7.6, lat=33.57, collections="twins", limit=20)
    assert len(exact["features"]) == 20
    assert "truncated" not in exact
    assert town.get("/at", lon=-7.6, lat=33.57, collections="twins", limit=10**17)["numberReturned"] == 20


def test_an_answer_that_is_too_long_says_so(town, serve):
    address = serve(town.url, max_bytes=10_000)
    place = {"lon": -7.6, "lat": 33.57, "collections": "twins,kiosks,plots,roads", "tolerance": 1000, "limit": 1000}
    answer = httpx.get(f"{address}/at", params=place)
    body = answer.json()
    assert body["truncated"] is True
    assert 0 < body["numberReturned"] == len(body["features"])
    assert sum(len(json.dumps(item)) for item in body["features"]) < 20_000
    page = httpx.get(f"{address}/at", params={**place, "f": "html", "lang": "fr"}).text
    assert "La liste est incomplète" in page


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "point"),
        ("lon=-7.6", "lat"),
        ("lat=33", "lon"),
        ("lon=NaN&lat=33", "lon"),
        ("lon=-7.6&lat=Infinity", "lat"),
        ("lon=-7.6&lat=1e400", "lat"),
        ("lon=181&lat=33", "lon"),
        ("lon=-7.6&lat=90.0001", "lat"),
        ("lon=٧&lat=33", "lon"),
        ("lon=0x10&lat=33", "lon"),
        ("lon=1_0&lat=33", "lon"),
        ("lon=-7.6&lat=33&point=1,2", "point"),
        ("lon=-7.6&lat=33&feature=kiosks/kiosks-0001", "feature"),
        ("point=1", "point"),
        ("point=1,2,3", "point"),
        ("point=,", "point"),
        ("point=1;2", "point"),
        ("point=1,2&point-crs=EPSG:9999", "point-crs"),
        ("lon=-7.6&lat=33&point-crs=EPSG:4326", "point-crs"),
        ("point=1e9,1e9&point-crs=EPSG:32629", "point"),
        ("point=1e9,1e9&point-crs=EPSG:26191", "point"),
        ("point=1e300,1&point-crs=EPSG:3857", "point"),
        ("point=91,0&point-crs=EPSG:4326", "point"),
        ("lon=-7.6&lat=33&collections=kiosks,unknown", "collections"),
        ("lon=-7.6&lat=33&collections=kiosks,kiosks,", "collections"),
        ("lon=-7.6&lat=33&collections=", "collections"),
        ("lon=-7.6&lat=33&collections='; DROP TABLE features.kiosks; --", "collections"),
        ("lon=-7.6&lat=33&collections=<script>alert(1)</script>", "collections"),
        ("lon=-7.6&lat=33&collections=مدارس", "collections"),
        ("lon=-7.6&lat=33&limit=0", "limit"),
        ("lon=-7.6&lat=33&limit=abc", "limit"),
        ("lon=-7.6&lat=33&tolerance=-1", "tolerance"),
        ("lon=-7.6&lat=33&tolerance=NaN", "tolerance"),
        ("lon=-7.6&lat=33&tolerance=1001", "tolerance"),
        ("lon=-7.6&lat=33&tolerance=", "tolerance"),
        ("lon=-7.6&lat=33&filter=kind=", "filter"),
        ("lon=-7.6&lat=33&filter=nope=1", "filter"),
        ("lon=-7.6&lat=33&crs=EPSG:1", "crs"),
        ("lon=-7.6&lat=33&bbox=1,2,3", "bbox"),
        ("lon=-7.6&lat=33&datetime=yesterday", "datetime"),
        ("lon=-7.6&lat=33&skipGeometry=maybe", "skipGeometry"),
        ("lon=-7.6&lat=33&kind=a", "kind"),
        ("lon=-7.6&lat=33&f=csv", "f"),
        ("lon=-7.6&lat=33&lat=34", "lat"),
        ("lon=-7.6&lat=33&filter=%00", "filter"),
    ],
)
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_mistakes_are_named(town, query, parameter, lang):
    answer = town.client.get(f"/at?{query}&lang={lang}")
    body = answer.json()
    assert answer.status_code == 400, body
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["parameter"] == parameter
    assert answer.headers["content-language"] == lang
    assert ("allowed" in body) or body["type"].endswith(("filter.syntax", "parameter.twice"))
    page = town.client.get(f"/at?{query}&lang={lang}", headers={"Accept": "text/html"})
    if "f=csv" not in query:
        assert page.status_code == 400
        assert "<script>" not in page.text.split("<body")[1]


def test_a_filter_that_one_layer_can_not_have_names_the_layer(town):
    answer = town.client.get("/at?lon=-7.6&lat=33&collections=kiosks,districts&filter=amount>1")
    assert answer.status_code == 400
    assert "districts" in answer.json()["detail"]


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_page_lists_them(town, lang):
    place = {"lon": -7.6, "lat": 33.57, "collections": "districts,twins", "tolerance": 50, "lang": lang}
    answer = town.client.get("/at", params={**place, "f": "html"})
    body = town.get("/at", **place)
    assert answer.status_code == 200
    assert f'lang="{lang}"' in answer.text
    main = answer.text.split("<main")[1].split("</main")[0]
    assert len(re.findall(r"/(?:collections/(?:districts|twins)/items|districts)/", main)) == body["numberReturned"] + 1
    assert body["district"]["name"] in main
    assert "<script>" not in answer.text.split("<body")[1]
    assert "style=" not in answer.text
    # Among Arabic text, too, the latitude is first.
    assert "\u206633.570000, -7.600000\u2069" in answer.text
    near = re.search(r'href="([^"]*/nearest[^"]*)"', main)[1].replace("&amp;", "&")
    assert town.client.get(near).status_code == 200
    again = town.client.get("/at", params={**place, "collections": "nothing", "f": "html"})
    assert again.status_code == 200
    assert "<table" not in again.text
