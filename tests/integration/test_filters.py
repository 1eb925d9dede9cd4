"""Conditions on features, against oracles that know nothing of PostGIS: shapely and pandas."""

from urllib.parse import quote

import pandas as pd
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.many import examples

LAYERS = ["districts", "facilities", "transport-stops", "transport-lines", "worksites"]
#: Around Casablanca, in steps that often hit the coordinates' own neighbourhood.
west_east = st.integers(-7800, -7300).map(lambda number: number / 1000)
south_north = st.integers(33400, 33700).map(lambda number: number / 1000)


def found(client, layer, **params):
    answer = client.get(f"/collections/{layer}/items", params={"limit": 10000, **params})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["numberMatched"] == body["numberReturned"] == len(body["features"])
    return {feature["id"] for feature in body["features"]}


def within(features, *boxes):
    shapes = [shapely.box(*box) for box in boxes]
    return {
        item["id"]
        for item in features
        if any(shapely.geometry.shape(item["geometry"]).intersects(box) for box in shapes)
    }


@settings(max_examples=examples(50))
@given(west_east, west_east, south_north, south_north, st.sampled_from(LAYERS))
def test_a_box_finds_what_shapely_finds(client, everything, one, other, low, high, layer):
    (west, east), (south, north) = sorted((one, other)), sorted((low, high))
    box = (west, south, east, north)
    assert found(client, layer, bbox=",".join(map(str, box))) == within(everything(layer), box)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_box_across_the_antimeridian(client, everything, layer):
    expected = within(everything(layer), (179, -90, 180, 90), (-180, -90, -7.6, 90))
    assert found(client, layer, bbox="179,-90,-7.6,90") == expected
    assert expected


@pytest.mark.parametrize("box", ["-180,-90,180,90", "-180,-90,-100,180,90,9000", "180,-90,180,90,0,0", "0,0,0,0"])
def test_large_and_empty_boxes(client, box):
    assert client.get(f"/collections/districts/items?bbox={box}").status_code in (200, 400)


def test_the_whole_world_holds_everything(client, everything):
    for layer in LAYERS:
        assert len(found(client, layer, bbox="-180,-90,180,90")) == len(everything(layer))


days = st.dates(pd.Timestamp("2025-01-01").date(), pd.Timestamp("2028-12-31").date())


@pytest.fixture(scope="session")
def worksites(everything):
    frame = pd.DataFrame([{"id": item["id"], **item["properties"]} for item in everything("worksites")])
    return frame.assign(
        start=pd.to_datetime(frame.start_date), end=pd.to_datetime(frame.end_date).fillna(pd.Timestamp.max.normalize())
    )


@settings(max_examples=examples(40))
@given(days, days, st.sampled_from(["a", "a/b", "a/..", "../b", "a/", "/b"]))
@example(pd.Timestamp("2026-11-23").date(), pd.Timestamp("2026-11-23").date(), "a")
def test_a_time_finds_what_pandas_finds(client, worksites, one, other, form):
    first, last = sorted((one, other))
    text = form.replace("a", str(first)).replace("b", str(last))
    after = pd.Timestamp(first) if "a" in form else pd.Timestamp.min
    before = pd.Timestamp(last if "b" in form else first) if form in ("a", "a/b", "../b", "/b") else pd.Timestamp.max
    expected = worksites[(worksites.start <= before) & (worksites.end >= after)]
    assert found(client, "worksites", datetime=text) == set(expected.id)


def test_both_ends_of_a_worksite_are_part_of_it(client, worksites):
    row = worksites[worksites.end_date.notna()].iloc[0]
    for day in (row.start_date, row.end_date):
        assert row.id in found(client, "worksites", datetime=day)


def test_a_moment_is_the_citys_day(client, worksites):
    row = worksites.iloc[0]
    evening = (row.start - pd.Timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")  # past midnight in Casablanca
    assert row.id in found(client, "worksites", datetime=evening)


def test_a_layer_without_time_is_not_filtered_by_it(client):
    assert len(found(client, "facilities", datetime="1900-01-01")) == 450


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("facilities", "category"),
        ("facilities", "district_code"),
        ("facilities", "entry_id"),
        ("worksites", "state"),
        ("worksites", "demo"),
        ("worksites", "start_date"),
        ("worksites", "entry_id"),
        ("districts", "population_2024"),
        ("districts", "area_km2"),
        ("transport-stops", "name_ar"),
        ("transport-lines", "mode"),
    ],
)
def test_equality_finds_the_rows_of_that_value(client, everything, layer, name):
    values = list(dict.fromkeys(item["properties"][name] for item in everything(layer)))
    for value in [value for value in values if value is not None][:4]:
        expected = {item["id"] for item in everything(layer) if item["properties"][name] == value}
        assert found(client, layer, **{name: str(value).lower() if isinstance(value, bool) else value}) == expected


def test_conditions_are_joined_by_and(client, everything):
    expected = {
        item["id"]
        for item in everything("facilities")
        if item["properties"]["category"] == "pharmacy" and item["properties"]["district_code"] == "06.141.01.07"
    }
    assert found(client, "facilities", category="pharmacy", district_code="06.141.01.07") == expected


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", "%", "_", "*", "'; DROP TABLE features.facilities; --", "\\", "صيدلية", "x" * 5000]
)
def test_no_text_is_more_than_a_text(client, text):
    assert found(client, "facilities", name_fr=text) == set()
    assert client.get(f"/collections/facilities/items/{quote(text, safe='')}").status_code in (400, 404)
    assert len(found(client, "facilities")) == 450


JSON_FILTER = '{"op":"=","args":[{"property":"category"},"school"]}'


@pytest.mark.parametrize(("lang", "text"), [("fr", JSON_FILTER), ("ar", " " + JSON_FILTER), ("fr", "{")])
def test_json_without_its_language_is_hinted_at(client, lang, text):
    path = "/collections/facilities/items"
    for more in ({}, {"filter-lang": "cql2-text"}, {"filter-lang": "cql-text"}):
        problem = client.get(path, params={"filter": text, "lang": lang, **more}).json()
        assert problem["type"].endswith(":filter.json")
        assert "filter-lang=cql2-json" in problem["detail"]
        assert "{" in problem["detail"]
        assert "{{" not in problem["detail"]
    if len(text) > 5:
        assert client.get(path, params={"filter": text, "filter-lang": "cql2-json"}).json()["numberMatched"] > 0


@pytest.mark.parametrize("path", ["/nearest", "/at"])
def test_a_layer_that_is_named_twice_is_asked_once(client, path):
    asked = {"lon": -7.6192, "lat": 33.5931} | ({"tolerance": 500} if path == "/at" else {})
    once, twice = (
        client.get(path, params={**asked, "collections": names}).json()
        for names in ("facilities,transport-stops", "facilities,transport-stops,facilities")
    )
    assert once["features"] == twice["features"] != []
