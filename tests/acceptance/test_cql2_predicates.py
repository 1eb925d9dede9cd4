"""The CQL2 standard's own test data and predicates, asked over HTTP in both encodings."""

import csv
import itertools
import json
from pathlib import Path

import cql2
import geopandas
import httpx
import pytest
import shapely

from tests import openapi
from tests.acceptance.conftest import INPUTS, PACKAGE


def predicates() -> list[tuple[str, str, int]]:
    with (INPUTS / "predicates.csv").open(encoding="utf-8") as stream:
        return [
            (row["source"].replace("_", "-"), row["predicate"], int(row["expected_items"]))
            for row in csv.DictReader(stream)
        ]


def count(client: httpx.Client, layer: str, text: str, lang: str) -> int:
    answer = client.get(
        f"/collections/{layer}/items",
        params={"filter": text, "filter-lang": lang, "limit": 1000, "skipGeometry": "true"},
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["numberMatched"] == len(body["features"])
    return body["numberMatched"]


def test_every_predicate_of_the_standard(world):
    cases = predicates()
    assert len(cases) == 103
    wrong = []
    for layer, text, expected in cases:
        as_json = json.dumps(cql2.parse_text(text).to_json())
        for lang, written in (("cql2-text", text), ("cql-text", text), ("cql2-json", as_json)):
            found = count(world, layer, written, lang)
            if found != expected:
                wrong.append((layer, written, expected, found))
    assert wrong == []


def test_the_predicates_of_the_annex(world):
    """The abstract test suite has more for the same data (21-065r2, annex A), as it stands there."""
    lines = Path(__file__).with_name("cql2_annex.csv").read_text(encoding="utf-8").splitlines()
    wrong = []
    for line in lines:
        source, text, expected = line.split("|")
        for lang, written in (("cql2-text", text), ("cql2-json", json.dumps(cql2.parse_text(text).to_json()))):
            found = count(world, f"ne-110m-{source}", written, lang)
            if found != int(expected):
                wrong.append((text, lang, int(expected), found))
    assert wrong == []


def test_every_documented_example_is_answered(world):
    """On layers of the whole earth, too, of which nothing lies in the city, and without districts."""
    document = world.get("/api").json()
    asked = [(path, given) for path, given in openapi.examples(document) if "{" not in path.split("?")[0]]
    assert {path.split("?")[0] for path, _ in asked} > {
        f"/collections/{layer}/aggregate" for layer, _, _ in predicates()
    }
    wrong = []
    for path, given in asked:
        answer = world.get(path, params=given or None)
        if not 200 <= answer.status_code < 300:
            wrong.append((path, given, answer.status_code, answer.text))
    assert wrong == []


LITERALS = [
    "POINT(7.02 49.92)", "POINT(6.1300028 49.6116604)", "POINT(-60 0)", "MULTIPOINT((7 50), (10 51), (-70 -10))",
    "LINESTRING(-60 -90, -60 90)", "LINESTRING(0 40, 10 50)", "MULTILINESTRING((-180 -45, 0 -45), (0 45, 180 45))",
    "POLYGON((0 40, 10 40, 10 50, 0 50, 0 40))", "POLYGON((-180 -90, 0 -90, 0 90, -180 90, -180 -90))",
    "POLYGON((-120 -50, 120 -50, 120 70, -120 70, -120 -50), (-20 -40, 60 -40, 60 40, -20 40, -20 -40))",
    "MULTIPOLYGON(((-80 -60, -30 -60, -30 15, -80 15, -80 -60)), ((60 0, 150 0, 150 55, 60 55, 60 0)))",
    "GEOMETRYCOLLECTION(POINT(7.02 49.92), POLYGON((20 0, 30 0, 30 10, 20 10, 20 0)))",
    "BBOX(0,40,10,50)", "BBOX(-180,-90,180,90)", "BBOX(7,50,8,51)", "BBOX(150,-90,-150,90)", "BBOX(0,40,-5,10,50,5)",
]  # fmt: skip
RELATIONS = ("intersects", "disjoint", "within", "contains", "touches", "overlaps", "crosses")


def _shape(literal: str) -> shapely.Geometry:
    if not literal.startswith("BBOX"):
        return shapely.from_wkt(literal)
    numbers = [float(number) for number in literal[5:-1].split(",")]
    west, south, east, north = numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.union(shapely.box(west, south, 180, north), shapely.box(-180, south, east, north))


@pytest.mark.parametrize("source", ["admin_0_countries", "populated_places_simple", "rivers_lake_centerlines"])
def test_every_spatial_relation_agrees_with_geopandas(world, source):
    frame = geopandas.read_file(PACKAGE, layer=f"ne_110m_{source}")
    # What is not valid is repaired when it is taken in.
    geometries = frame.geometry.make_valid()
    wrong = []
    for name, literal in itertools.product(RELATIONS, LITERALS):
        for turned in (False, True):
            sides = (literal, "geom") if turned else ("geom", literal)
            found = count(
                world, f"ne-110m-{source.replace('_', '-')}", f"S_{name.upper()}({', '.join(sides)})", "cql2-text"
            )
            relation = getattr(shapely, name)
            pair = (_shape(literal), geometries.array) if turned else (geometries.array, _shape(literal))
            expected = int(relation(*pair).sum())
            if found != expected:
                wrong.append((sides, name, expected, found))
    assert wrong == []
