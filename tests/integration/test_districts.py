"""The districts' pages and their GeoJSON, compared with the shipped files by shapely."""

import csv
import datetime as dt
import json
from collections import Counter

import httpx
import pytest
import shapely

from api.settings import PROJECT
from layers.hours.calendar import ZONE
from tests.integration.test_linked_places import FACTS

DATA = PROJECT / "data"
DISTRICTS = {
    feature["properties"]["code"]: feature
    for feature in json.loads((DATA / "districts.geojson").read_text(encoding="utf-8"))["features"]
}


def table(name, key):
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


STOPS, LINES, WORKS = table("stops.csv", "station_id"), table("lines.csv", "line_id"), table("worksites.csv", "id")


def place(stop):
    return shapely.Point(float(STOPS[stop]["lon"]), float(STOPS[stop]["lat"]))


def part(body, collection):
    return next(item for item in body["contents"] if item["collection"] == collection)


def test_there_are_all(client):
    body = client.get("/districts?limit=100").json()
    assert {feature["id"] for feature in body["features"]} == set(DISTRICTS)
    assert len(DISTRICTS) == 17
    page = client.get("/districts?f=html&lang=ar").text
    for code, feature in DISTRICTS.items():
        assert f"/districts/{code}?f=html&amp;lang=ar" in page
        assert feature["properties"]["name_ar"] in page


@pytest.mark.parametrize("code", DISTRICTS)
def test_a_district_is_what_the_files_say(client, code):
    body = client.get(f"/districts/{code}", params={"lang": "fr"}).json()
    known = DISTRICTS[code]["properties"]
    for name in ("name_fr", "name_ar", "population_2024", "population_2014", "households_2024", "area_km2"):
        assert body["properties"][name] == known[name]
    mine = [row for row in FACTS.values() if row["district_code"] == code]
    assert {item["category"]: item["count"] for item in body["categories"]} == Counter(row["category"] for row in mine)
    offices = {key for key, row in FACTS.items() if (row["category"], row["district_code"]) == ("town_hall", code)}
    own = {key for key in offices if key.startswith(("arrondissement-d", "annexe-administrative"))}
    assert {item["id"] for item in body["offices"]} == own
    assert {item["id"] for item in body["administrations"]} == offices - own
    area = shapely.from_geojson(json.dumps(DISTRICTS[code]["geometry"]))
    inside = {stop for stop in STOPS if area.intersects(place(stop))}
    assert part(body, "transport-stops")["count"] == len(inside)
    serving = {key for key, row in LINES.items() if inside & set(row["stops"].split())}
    assert {item["id"] for item in part(body, "transport-lines")["features"]} == serving


@pytest.mark.parametrize("code", list(DISTRICTS)[:6])
def test_works_are_those_of_today(client, code):
    body = client.get(f"/districts/{code}").json()
    works = part(body, "worksites")
    today = dt.datetime.now(ZONE).date()
    assert works["day"] == today.isoformat()
    area = shapely.from_geojson(json.dumps(DISTRICTS[code]["geometry"]))

    def current(row):
        ends = dt.date.fromisoformat(row["end_date"]) if row["end_date"] else dt.date.max
        return dt.date.fromisoformat(row["start_date"]) <= today <= ends

    def geometry(row):
        points = [place(stop) for stop in row["stops"].split()]
        return points[0] if len(points) == 1 else shapely.LineString(points)

    expected = {
        key
        for key, row in WORKS.items()
        if current(row) and area.intersects(geometry(row)) and not area.touches(geometry(row))
    }
    assert {item["id"] for item in works["features"]} == expected


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_page_says_it_and_its_links_lead_somewhere(client, lang):
    code = "06.141.01.03"
    page = client.get(f"/districts/{code}", params={"f": "html", "lang": lang}).text
    body = client.get(f"/districts/{code}", params={"lang": lang}).json()
    assert DISTRICTS[code]["properties"][f"name_{lang}"] in page
    for item in [*body["offices"], *body["administrations"], *part(body, "transport-lines")["features"]]:
        assert item[f"name_{lang}"].replace("'", "&#39;") in page
        assert client.get(item["href"]).status_code == 200
    for item in body["categories"]:
        assert item["label"].replace("'", "&#39;") in page
    for layer in body["contents"]:
        assert bool(layer["links"]) == bool(layer["count"])
        for link in layer["links"]:
            assert client.get(link["href"]).status_code == 200
            if link["type"] == "application/geo+json":
                assert len(client.get(link["href"]).json()["features"]) == layer["count"]


def test_places_lead_to_their_district(client):
    page = client.get("/directory/gare-routiere-ctm-casablanca?f=html&lang=fr").text
    assert 'href="/districts/06.141.01.07?lang=fr"' in page


@pytest.mark.parametrize("code", ["06.141.01.99", "'", "%22%3E%3Cscript%3E", "..%2f", "x" * 200])
def test_an_unknown_code_is_not_found(client, code):
    for form in ("json", "html"):
        answer = client.get(f"/districts/{code}?f={form}")
        assert answer.status_code == 404
        assert form == "json" or "<script>" not in answer.text


def test_odd_codes_and_names_stay_texts(workshop, serve):
    """A district whose code has a quote, and whose name is a tag."""
    from layers.definition import load_definition
    from layers.ingest import ingest_file

    definition = load_definition(DATA / "layers" / "districts.yaml")
    square = {
        "type": "Polygon",
        "coordinates": [[[-7.7, 33.4], [-7.5, 33.4], [-7.5, 33.6], [-7.7, 33.6], [-7.7, 33.4]]],
    }
    names = {"name_fr": "<i>L'un</i>", "name_ar": "</title>", "kind": "commune", "source": "s", "as_of": "2026-11"}
    feature = {"type": "Feature", "properties": {"code": "o'x", **names}, "geometry": square}
    file = workshop.folder / "odd.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    ingest_file(
        workshop.url, definition, file, dataset="odd", srid=None, source_layer=None, data_dir=DATA,
        progress=lambda *_: None,
    )  # fmt: skip
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5", "b,Deux,اثنان,-7.1,33.5"))
    base = serve(workshop.url)
    body = httpx.get(f"{base}/districts/o'x").json()
    (layer,) = body["contents"]
    assert layer["count"] == 1
    download = next(link["href"] for link in layer["links"] if link["type"] == "application/geo+json")
    assert [item["id"] for item in httpx.get(download).json()["features"]] == ["a"]
    for lang in ("fr", "ar"):
        page = httpx.get(f"{base}/districts/o'x?f=html&lang={lang}").text
        assert "<i>" not in page
        assert page.count("</title>") == 1
