"""Aggregations of what fields and geometries may hold besides the usual, and their mistakes and limits."""

import csv
import io
import json

import httpx
import pandas as pd
import pytest
import shapely

from layers.shipped import load_shipped
from tests.conftest import DATA, quiet
from tests.integration.test_aggregate import metres


def odd_layer(workshop, **geometry):
    workshop.raw["geometry"] |= geometry
    for name, kind in (("tags", "text[]"), ("amount", "integer"), ("score", "number"), ("day", "date"), ("seen", "timestamp"),
                       ("open", "boolean"), ("size", "integer"), ("measure", "text"), ("population", "integer"),
                       ("kind", "text")):  # fmt: skip
        workshop.add(name, kind)
    workshop.ingest(workshop.csv("first,Un,واحد,-7.6,33.5"))
    workshop.sql("DELETE FROM features.libraries")


def put(workshop, key, wkt="POINT(-7.6 33.5)", **values):
    names = "".join(f", {name}" for name in values)
    marks = ", %s" * len(values)
    workshop.sql(
        f"INSERT INTO features.libraries (id, name_fr, name_ar, geom{names}) "
        f"VALUES (%s, 'x', 'س', ST_GeomFromText(%s, 4326){marks})",
        key, wkt, *values.values(),
    )  # fmt: skip


def results(address, **query):
    answer = httpx.get(
        f"{address}/collections/libraries/aggregate", params={k.replace("_", "-"): v for k, v in query.items()}
    )
    assert answer.status_code == 200, answer.text
    return {row["key"]: row for row in answer.json()["results"]}


def test_lists_with_nothing_and_with_the_same_twice(workshop, serve):
    odd_layer(workshop)
    for number, tags in enumerate([["a", "a", "b"], ["a", None], [], None, ["", "<script>alert(1)</script>"]]):
        put(workshop, f"n{number}", tags=tags, amount=10)
    address = serve(workshop.url)
    found = {
        key: (row["count"], row["value"])
        for key, row in results(address, by="tags", measure="sum", field="amount").items()
    }
    assert found == {"a": (2, 20), "b": (1, 10), "": (1, 10), "<script>alert(1)</script>": (1, 10), None: (3, 30)}
    page = httpx.get(f"{address}/collections/libraries/aggregate?by=tags&f=html&lang=fr").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_dates_that_python_has_not(workshop, serve):
    odd_layer(workshop)
    days = ["2026-01-05", "infinity", "-infinity", "0044-03-15 BC", "12000-01-01", None, "2026-01-05"]
    for number, day in enumerate(days):
        put(workshop, f"n{number}", day=day, seen=day and f"{day}" if day in ("infinity", "-infinity") or day is None or "BC" in day else f"{day}T23:30:01.5Z")  # fmt: skip
    address = serve(workshop.url)
    features = httpx.get(f"{address}/collections/libraries/items").json()["features"]
    for name in ("day", "seen"):
        # The keys are the values that the features have.
        right = pd.Series([item["properties"][name] for item in features], dtype=object).value_counts(dropna=False)
        found = results(address, by=name)
        assert {key: row["count"] for key, row in found.items()} == {
            key if isinstance(key, str) else None: count for key, count in right.items()
        }
        for form in ("csv", "geojson", "html"):
            answer = httpx.get(f"{address}/collections/libraries/aggregate?by={name}&f={form}")
            assert answer.status_code == 200


def test_numbers_that_json_has_not(workshop, serve):
    odd_layer(workshop)
    scores = ["NaN", "Infinity", "-Infinity", 1e308, 1e308, -0.0, 0.0, None, "NaN"]
    for number, score in enumerate(scores):
        put(workshop, f"n{number}", score=score, amount=2**63 - 1)
    address = serve(workshop.url)
    found = {key: row["count"] for key, row in results(address, by="score").items()}
    assert found == {"NaN": 2, "Infinity": 1, "-Infinity": 1, 1e308: 2, 0.0: 2, None: 1}
    # Larger than any integer column: exact all the same.
    assert results(address, measure="sum", field="amount")[None]["value"] == len(scores) * (2**63 - 1)
    assert results(address, measure="mean", field="amount")[None]["value"] == pytest.approx(2**63 - 1)
    assert results(address, measure="sum", field="score")[None]["value"] is None
    assert results(address, measure="max", field="score", filter="score < 1")[None]["value"] == 0
    # No number of the kind that JSON and columns have is this sum.
    answer = httpx.get(
        f"{address}/collections/libraries/aggregate?measure=sum&field=score&filter=score BETWEEN 1 AND 1e308"
    )
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("query.data")
    for form in ("csv", "geojson", "html", "json"):
        for query in ("by=score", "measure=mean&field=score", "measure=sum&field=amount&by=score"):
            answer = httpx.get(f"{address}/collections/libraries/aggregate?{query}&f={form}")
            assert answer.status_code == 200
            if "json" in form:
                json.loads(answer.text, parse_constant=pytest.fail)


def test_fields_with_the_names_of_parameters(workshop, serve):
    odd_layer(workshop)
    for number in range(6):
        put(workshop, f"n{number}", size=number % 2, measure="ab"[number % 2], population=number, kind="k")
    address = serve(workshop.url)
    assert {key: row["count"] for key, row in results(address, by="size").items()} == {0: 3, 1: 3}
    assert {key: row["count"] for key, row in results(address, by="measure").items()} == {"a": 3, "b": 3}
    assert results(address, measure="sum", field="population")[None]["value"] == 15
    # What has the name of a parameter is the parameter; a filter names the field.
    assert results(address, filter="size = 1 AND measure = 'b'")[None]["count"] == 3
    answer = httpx.get(f"{address}/collections/libraries/aggregate?size=1")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "size")


def test_texts_that_spreadsheets_would_run(workshop, serve):
    odd_layer(workshop)
    kinds = [
        '=HYPERLINK("http://x")',
        "@SUM(A1)",
        "+212 522 39 00 43",
        "-12,5",
        'dit "le Grand"',
        "خزانة،\nكبيرة",
        "'; DROP TABLE x; --",
    ]
    for number, kind in enumerate(kinds):
        put(workshop, f"n{number}", kind=kind)
    address = serve(workshop.url)
    found = results(address, by="kind")
    assert set(found) == set(kinds)
    text = httpx.get(f"{address}/collections/libraries/aggregate?by=kind&f=csv").text
    rows = {row["key"]: row["label"] for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert rows == {
        ("'" + kind if kind[0] in "=@" else kind): ("'" + kind if kind[0] in "=@" else kind) for kind in kinds
    }
    for kind in kinds:
        assert results(address, kind=kind)[None]["count"] == 1


COLLECTION = "GEOMETRYCOLLECTION(POINT(-7.61 33.58),LINESTRING(-7.62 33.58,-7.60 33.59),POLYGON((-7.6 33.57,-7.59 33.57,-7.59 33.58,-7.6 33.57)))"


@pytest.mark.parametrize("by", ["district", "grid", "all"])
def test_collections_of_geometries(workshop, serve, by):
    load_shipped(workshop.url, DATA, quiet, only="districts")
    odd_layer(workshop, type="Geometry")
    shapes = {
        "all": COLLECTION,
        "nested": f"GEOMETRYCOLLECTION({COLLECTION},POINT(-9 33))",
        "points": "MULTIPOINT(-7.61 33.58,-7.5 33.5)",
        "far": "GEOMETRYCOLLECTION(POINT(-9 33),LINESTRING(-9 33,-9.01 33))",
    }
    for key, wkt in shapes.items():
        put(workshop, key, wkt)
    address = serve(workshop.url)
    more = {} if by == "all" else {"by": by, **({"size": 500} if by == "grid" else {})}
    for measure in ("area", "length"):
        found = results(address, measure=measure, **more)
        right = sum(metres([shapely.from_wkt(wkt)], 4326, measure)[0] for wkt in flat(shapes))
        # An edge of a kilometre is a centimetre nearer to the pole as a geodesic; where it is cut, some of that is lost.
        assert sum(row["value"] for row in found.values()) == pytest.approx(right, rel=1e-4)
    counted = results(address, **more)
    areas = [
        shapely.from_wkb(wkb)
        for (wkb,) in workshop.sql("SELECT ST_AsBinary(geom) FROM features.districts ORDER BY fid")
    ]
    if by == "district":
        assert counted[None]["count"] == 1
        codes = [code for (code,) in workshop.sql("SELECT id FROM features.districts ORDER BY fid")]
        for code, area in zip(codes, areas, strict=True):
            held = [key for key, wkt in shapes.items() if any(part.intersects(area) for part in pieces(wkt))]
            assert counted[code]["count"] == len(held), code
    answer = httpx.get(f"{address}/at?lon=-7.594&lat=33.572&collections=libraries&tolerance=1").json()
    for item in answer["features"]:
        given, kept = shapely.geometry.shape(item["geometry"]), shapely.from_wkt(shapes[item["id"]])
        assert shapely.hausdorff_distance(given, kept) < 1e-7
    assert {item["id"] for item in answer["features"]} == {"all", "nested"}


def pieces(wkt):
    """Return the simple parts of a geometry, however deep."""
    shape = shapely.from_wkt(wkt)
    parts = list(shapely.get_parts(shape))
    return (
        parts if all(not hasattr(part, "geoms") for part in parts) else [p for part in parts for p in pieces(part.wkt)]
    )


def flat(shapes):
    return [part.wkt for wkt in shapes.values() for part in pieces(wkt)]


# -- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "query", "parameter"),
    [
        ("kiosks", "measure=median", "measure"),
        ("kiosks", "measure=area", "measure"),
        ("kiosks", "measure=", "measure"),
        ("zones", "measure=length", "measure"),
        ("roads", "measure=area", "measure"),
        ("kiosks", "measure=sum", "field"),
        ("kiosks", "measure=sum&field=kind", "field"),
        ("kiosks", "measure=sum&field=nope", "field"),
        ("kiosks", "measure=sum&field=amount;DROP", "field"),
        ("kiosks", "field=amount", "field"),
        ("roads", "measure=length&field=amount", "field"),
        ("kiosks", "by=nope", "by"),
        ("kiosks", "by=", "by"),
        ("kiosks", "by=fid", "by"),
        ("kiosks", "by=geom", "by"),
        ("kiosks", "by=<script>alert(1)</script>", "by"),
        ("kiosks", "by='; --", "by"),
        ("kiosks", "by=نوع", "by"),
        ("kiosks", "by=grid", "size"),
        ("kiosks", "by=grid&size=9.99", "size"),
        ("kiosks", "by=grid&size=0", "size"),
        ("kiosks", "by=grid&size=-100", "size"),
        ("kiosks", "by=grid&size=NaN", "size"),
        ("kiosks", "by=grid&size=1e7", "size"),
        ("kiosks", "by=grid&size=1e999", "size"),
        ("kiosks", "by=grid&size=100 m", "size"),
        ("kiosks", "by=kind&size=100", "size"),
        ("kiosks", "size=100", "size"),
        ("kiosks", "by=district&grid-crs=EPSG:32629", "grid-crs"),
        ("kiosks", "by=grid&size=100&grid-crs=EPSG:3857", "grid-crs"),
        ("kiosks", "by=grid&size=100&grid-crs=EPSG:4326", "grid-crs"),
        ("kiosks", "by=grid&size=100&grid-crs=nope", "grid-crs"),
        ("kiosks", "per=1000-inhabitants", "per"),
        ("kiosks", "by=kind&per=1000-inhabitants", "per"),
        ("kiosks", "by=district&per=1000", "per"),
        ("kiosks", "by=district&per=1000-inhabitants&measure=mean&field=score", "per"),
        ("kiosks", "by=district&population=population_2024", "population"),
        ("kiosks", "by=district&per=1000-inhabitants&population=households_2024", "population"),
        ("kiosks", "by=district&per=1000-inhabitants&population=area_km2", "population"),
        ("kiosks", "filter=nope=1", "filter"),
        ("kiosks", "filter=kind", "filter"),
        ("kiosks", "bbox=1,2,3", "bbox"),
        ("kiosks", "datetime=tomorrow", "datetime"),
        ("kiosks", "amount=many", "amount"),
        ("kiosks", "kind=z", "kind"),
        ("kiosks", "limit=5", "limit"),
        ("kiosks", "sortby=amount", "sortby"),
        ("kiosks", "crs=EPSG:4326", "crs"),
        ("kiosks", "by=kind&by=open", "by"),
        ("kiosks", "f=gpkg", "f"),
        ("kiosks", "lang=de", "lang"),
    ],
)  # fmt: skip
def test_mistakes_are_named(town, layer, query, parameter):
    for lang in ("fr", "ar"):
        answer = town.client.get(
            f"/collections/{layer}/aggregate?{query}" + ("" if "lang=" in query else f"&lang={lang}")
        )
        body = answer.json()
        assert answer.status_code == 400, body
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["parameter"] == parameter
        assert "allowed" in body or body["type"].endswith("parameter.twice")
        assert "lang=" in query or answer.headers["content-language"] == lang
    page = town.client.get(
        f"/collections/{layer}/aggregate?{query.replace('f=gpkg', 'f=html&x=1')}", headers={"Accept": "text/html"}
    )
    assert page.status_code == 400
    assert "<script>" not in page.text.split("<body")[1]


def test_more_groups_than_an_answer_may_have(workshop, serve):
    odd_layer(workshop)
    workshop.sql(
        "INSERT INTO features.libraries (id, name_fr, name_ar, geom, amount) "
        "SELECT 'n' || n, 'x', 'س', ST_SetSRID(ST_MakePoint(-8 + n / 5000.0, 33.5), 4326), n FROM generate_series(1, 10001) n"
    )
    address = serve(workshop.url)
    path = f"{address}/collections/libraries/aggregate"
    for query, parameter in (("by=amount", "by"), ("by=grid&size=10", "size")):
        body = httpx.get(f"{path}?{query}").json()
        assert (body["status"], body["parameter"]) == (400, parameter)
        assert body["type"].endswith("aggregate.groups")
    assert len(results(address, by="amount", filter="amount > 1")) == 10_000
    page = httpx.get(f"{path}?by=amount&filter=amount>1&f=html&lang=fr").text
    assert page.count("<tr>") == 1001
    assert 'class="notice"' in page


def test_an_answer_that_is_too_long_is_refused(town, serve):
    address = serve(town.url, max_bytes=10_000)
    for form in ("csv", "geojson", "json"):
        answer = httpx.get(f"{address}/collections/kiosks/aggregate?by=name_fr&f={form}")
        assert (answer.status_code, answer.json()["type"].split(":")[-1]) == (400, "aggregate.bytes")


def test_without_districts_there_is_no_group_of_them(workshop, serve):
    odd_layer(workshop)
    address = serve(workshop.url)
    body = httpx.get(f"{address}/collections/libraries/aggregate?by=district").json()
    assert (body["status"], body["parameter"]) == (400, "by")
    assert "district" not in body["allowed"].split(", ")
    assert results(address)[None]["count"] == 0


def test_what_is_unknown_of_all_is_no_zero(workshop, serve):
    odd_layer(workshop)
    for number, (kind, amount) in enumerate([("none", None), ("none", None), ("some", None), ("some", 4), ("zero", 0)]):
        put(workshop, f"n{number}", kind=kind, amount=amount)
    address = serve(workshop.url)
    sums = results(address, by="kind", measure="sum", field="amount")
    assert {key: (row["count"], row["value"]) for key, row in sums.items()} == {
        "none": (2, None),
        "some": (2, 4),
        "zero": (1, 0),
    }
