"""Filters that the standard's test data does not cover, counted against pandas and shapely, and what is refused."""

import subprocess
import sys

import geopandas as gpd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point, box

from tests.many import examples


@pytest.fixture(scope="module")
def frames(client):
    layers = ("facilities", "transport-stops", "districts", "worksites", "transport-lines")
    return {
        layer: gpd.GeoDataFrame.from_features(client.get(f"/collections/{layer}/items?limit=1000").json(), crs=4326)
        for layer in layers
    }


def matched(client, layer: str, text: str, **more: str) -> int:
    answer = client.get(f"/collections/{layer}/items", params={"filter": text, "limit": 1, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["numberMatched"]


def test_case_and_accents(client, frames):
    names = frames["districts"].name_fr
    assert matched(client, "districts", "CASEI(name_fr) = CASEI('ANFA')") == (names.str.lower() == "anfa").sum() == 1
    assert matched(client, "districts", "ACCENTI(name_fr) = ACCENTI('Aïn Chock')") == 1
    assert matched(client, "districts", "ACCENTI(CASEI(name_fr)) LIKE ACCENTI(CASEI('AIN%'))") == 2
    assert matched(client, "districts", "ACCENTI(name_ar) = ACCENTI('أنْفا')") == 1


def test_arithmetic(client, frames):
    districts = frames["districts"]
    density = districts.population_2024 / districts.area_km2
    assert matched(client, "districts", "population_2024 / area_km2 > 20000") == (density > 20000).sum() > 0
    grown = (districts.population_2024 - districts.population_2014) * 2 > 10000
    assert matched(client, "districts", "(population_2024 - population_2014) * 2 > 10000") == grown.sum() > 0
    assert matched(client, "districts", "population_2024 % 2 = 1") == (districts.population_2024 % 2 == 1).sum()
    assert (
        matched(client, "districts", "population_2024 div 100000 = 1")
        == (districts.population_2024 // 100000 == 1).sum()
    )
    assert matched(client, "districts", "area_km2 ^ 2 < 25") == (districts.area_km2 < 5).sum()
    assert matched(client, "districts", "population_2024 / 0 > 1") == 0


def test_properties_with_properties(client, frames):
    districts = frames["districts"]
    shrunk = districts.population_2024 < districts.population_2014
    assert matched(client, "districts", "population_2024 < population_2014") == shrunk.sum() > 0
    stops = frames["transport-stops"]
    assert matched(client, "transport-stops", "name_fr = lines OR lines = lines") == len(stops)


def test_functions_measure_metres(client, frames):
    geod = Geod(ellps="WGS84")
    stops = frames["transport-stops"].geometry
    metres = [geod.inv(-7.6187, 33.5898, point.x, point.y)[2] for point in stops]
    assert (
        matched(client, "transport-stops", "distance(geom, POINT(-7.6187 33.5898)) < 1500")
        == sum(m < 1500 for m in metres)
        > 3
    )
    areas = [abs(geod.geometry_area_perimeter(area)[0]) for area in frames["districts"].geometry]
    assert matched(client, "districts", "area(geom) > 10000000") == sum(area > 1e7 for area in areas) > 3
    lengths = [geod.geometry_length(line) for line in frames["transport-lines"].geometry]
    assert matched(client, "transport-lines", "length(geom) > 15000") == sum(length > 15000 for length in lengths) > 0


def test_within_district(client, frames):
    stops = frames["transport-stops"]
    for code in ("06.141.01.01", "06.141.01.31"):
        assert (
            matched(client, "transport-stops", f"within_district('{code}')") == (stops.district_code == code).sum() > 0
        )


def test_lists_of_texts(client, serve, empty_url):
    from layers.definition import parse_definition
    from layers.ingest import ingest_file
    from tests.conftest import DATA, quiet

    names = [{"name": f"name_{lang}", "label": {"fr": "n", "ar": "n"}, "required": True} for lang in ("fr", "ar")]
    both = {"fr": "x", "ar": "x"}
    raw = {
        "id": "halls", "title": both, "description": both, "theme": "other", "source": both, "attribution": both,
        "geometry": {"type": "Point", "quality": "surveyed"}, "style": {"colour": "#112233"}, "coverage": "unknown",
        "fields": [*names, {"name": "tags", "type": "text[]", "label": both}], "update": "irregular",
        "licence": {"id": "x", "url": "https://example.org"},
    }  # fmt: skip
    import json

    import httpx

    definition = parse_definition(json.dumps(raw), "halls.yaml")
    file = DATA.parent / ".casamaps" / "halls.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        "id,name_fr,name_ar,tags,lon,lat\na,A,أ,x;y,-7.6,33.5\nb,B,ب,y,-7.6,33.5\nc,C,ت,,-7.6,33.5\n", encoding="utf-8"
    )
    ingest_file(empty_url, definition, file, dataset=None, srid=None, source_layer=None, data_dir=DATA, progress=quiet)
    file.unlink()
    with httpx.Client(base_url=serve(empty_url)) as halls:
        for text, expected in (
            ("A_CONTAINS(tags, ('x'))", 1), ("A_CONTAINS(tags, ('y'))", 2), ("A_CONTAINEDBY(tags, ('y','z'))", 1),
            ("A_OVERLAPS(tags, ('x','z'))", 1), ("A_EQUALS(tags, ('y','x'))", 1), ("A_EQUALS(tags, ('x'))", 0),
            ("tags IS NULL", 1),
        ):  # fmt: skip
            assert matched(halls, "halls", text) == expected, text


coordinates = st.floats(min_value=-0.3, max_value=0.3, allow_nan=False)


@settings(max_examples=examples(60))
@given(
    coordinates,
    coordinates,
    coordinates,
    coordinates,
    st.sampled_from(["facilities", "districts", "worksites", "transport-lines"]),
)
def test_boxes_agree_with_shapely(client, frames, x1, y1, x2, y2, layer):
    area = box(-7.6 + min(x1, x2), 33.57 + min(y1, y2), -7.6 + max(x1, x2), 33.57 + max(y1, y2))
    if area.area == 0:
        return
    geometry = frames[layer].geometry
    for name in ("intersects", "within", "disjoint"):
        found = matched(client, layer, f"S_{name.upper()}(geom, {area.wkt})")
        assert found == getattr(geometry, name)(area).sum(), (name, area.wkt)


@settings(max_examples=examples(40))
@given(coordinates, coordinates, st.floats(min_value=10, max_value=9000))
def test_distances_agree_with_the_ellipsoid(client, frames, dx, dy, metres):
    here = Point(-7.6 + dx, 33.57 + dy)
    geod = Geod(ellps="WGS84")
    expected = [geod.inv(here.x, here.y, point.x, point.y)[2] for point in frames["facilities"].geometry]
    if min(abs(distance - metres) for distance in expected) < 1e-3:
        return
    text = f"distance(geom, POINT({here.x:.12f} {here.y:.12f})) <= {metres!r}"
    assert matched(client, "facilities", text) == sum(distance <= metres for distance in expected)


REFUSED = {
    "nothing = 1": "filter.property",
    "pg_sleep(10) = 1": "filter.function",
    "pg_read_file('/etc/passwd') = 'x'": "filter.function",
    "name_fr > 1": "filter.type",
    "area(name_fr) > 1": "filter.type",
    "distance(geom) > 1": "filter.arguments",
    "name_fr = ": "filter.syntax",
    "name_fr = 'a' name_fr": "filter.syntax",
    "'a' = 'a' OR": "filter.syntax",
    "within_district('nowhere')": "filter.value",
    "name_fr": "filter.type",
    "name_fr = 9007199254740993": "filter.number",
    "S_INTERSECTS(geom, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))": "filter.geometry-crossing",
    "S_INTERSECTS(geom, POINT(500 500))": "filter.geometry-range",
    "name_fr LIKE 'a' AND t_after(name_fr, DATE('2020-01-01'))": "filter.type",
    "NOT " * 65 + "name_fr = 'x'": "filter.nested",
    "(" * 65 + "name_fr = 'x'" + ")" * 65: "filter.nested",
    "casei(" * 65 + "name_fr" + ")" * 65 + " = 'x'": "filter.nested",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40])
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_what_is_refused_says_why(client, text, lang):
    answer = client.get("/collections/districts/items", params={"filter": text, "lang": lang})
    problem = answer.json()
    assert (answer.status_code, problem["type"].rsplit(":", 1)[1]) == (400, REFUSED[text])
    assert problem["parameter"] == "filter"
    assert "SELECT" not in answer.text


def test_a_filter_has_a_greatest_length():
    from geo.errors import InvalidInput
    from layers.filters.parse import parse_filter

    for text, code in (("x" * 70_000, "filter.long"), ("a IN (" + "1," * 30_000 + "1)", "filter.items")):
        with pytest.raises(InvalidInput) as caught:
            parse_filter(text, "cql2-text")
        assert caught.value.code == code


def test_nesting_never_ends_the_process():
    """The parser crashes on some hundred brackets; the guard must come first, also on a thread's small stack."""
    code = """
import threading
from geo.errors import InvalidInput
from layers.filters.parse import parse_filter
def attack():
    for text in ("(" * n + "a=1" + ")" * n for n in (65, 300, 5000)):
        for lang, written in (("cql2-text", text), ("cql2-json", "[" * 5000 + "]" * 5000)):
            try:
                parse_filter(written, lang)
            except InvalidInput as error:
                assert error.code == "filter.nested", error.code
            else:
                raise SystemExit("parsed")
threading.stack_size(2 * 1024 * 1024)
thread = threading.Thread(target=attack); thread.start(); thread.join(); print("alive")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "alive", done.stderr
