"""Counts, sums and measures in groups, against geopandas, pandas and GeographicLib."""

import os
from typing import NamedTuple

import geopandas as gpd
import httpx
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from layers.shipped import load_shipped
from tests.conftest import DATA, quiet
from tests.totals import CLOSE, FIELDS, GEOMETRY, LAYERS, MEASURES, SRIDS, Oracle, measured, metres, moved

MANY = 15 if os.environ.get("CASAMAPS_THOROUGH") else 1
numbers = st.sampled_from(["amount", "score"])
filters = st.one_of(
    st.none(),
    st.tuples(st.sampled_from("abc"), st.integers(-40, 40)),
)


class Question(NamedTuple):
    """What is asked: a layer, a measure, perhaps its field, perhaps a kind and the least amount."""

    layer: str
    measure: str
    field: str | None = None
    condition: tuple[str, int] | None = None


@st.composite
def questions(draw, layers=tuple(LAYERS)):
    layer = draw(st.sampled_from(layers))
    measure = draw(st.sampled_from(MEASURES[layer]))
    return Question(layer, measure, draw(numbers) if measure in FIELDS else None, draw(filters))


@pytest.fixture(scope="module")
def oracle(town):
    return Oracle(town)


def asked(question, **more):
    given = {"measure": question.measure, **more}
    if question.field:
        given["field"] = question.field
    if question.condition:
        given["filter"] = f"kind = '{question.condition[0]}' AND amount >= {question.condition[1]}"
    return given


def get(town, question, **more):
    return town.get(f"/collections/{question.layer}/aggregate", **asked(question, **more))


def compare(row, rows, question):
    assert row["count"] == len(rows), row
    right = measured(rows, question.measure, question.field)
    assert row["value"] == (right if right is None else pytest.approx(right, **CLOSE)), row


def joined(oracle, pairs, question, srid):
    """Return the pairs of chosen features with their fields and, where asked for, the metres of their part inside."""
    layer, measure, _, condition = question
    pairs = pairs[oracle.chosen(layer, condition)[pairs["row"].to_numpy(int)]]
    table = pd.DataFrame(oracle.table(layer).drop(columns="geometry"))
    pairs = pairs.join(table, on="row")
    return pairs.assign(metres=metres(pairs["inside"].to_numpy(), srid, measure)) if measure in GEOMETRY else pairs


@settings(max_examples=40 * MANY)
@given(questions())
@example(Question("works", "area"))
@example(Question("works", "length"))
@example(Question("nothing", "mean", "score"))
@example(Question("nothing", "sum", "amount"))
def test_the_whole(town, oracle, question):
    layer, measure, _, condition = question
    body = get(town, question)
    rows = pd.DataFrame(oracle.table(layer))[oracle.chosen(layer, condition)]
    if measure in GEOMETRY:
        rows = rows.assign(metres=metres(rows["geometry"].to_numpy(), SRIDS[layer], measure))
    (row,) = body["results"]
    assert row["key"] is None
    compare(row, rows, question)
    assert body["by"] is None
    assert body["coverage"] == town.definitions[layer].coverage


@settings(max_examples=60 * MANY)
@given(questions())
@example(Question("works", "area"))
@example(Question("works", "length"))
@example(Question("zones", "area"))
@example(Question("roads", "length"))
@example(Question("nothing", "max", "amount"))
def test_by_district(town, oracle, question):
    layer = question.layer
    body = get(town, question, by="district")
    pairs, union = oracle.by_district(layer)
    rows = joined(oracle, pairs, question, SRIDS[layer])
    found = {row["key"]: row for row in body["results"]}
    assert [key for key in found if key is not None] == oracle.codes
    for code in oracle.codes:
        compare(found[code], rows[rows["key"] == code], question)
    outside(oracle, question, pairs, union, found.get(None))
    assert ("note" in body) is (None in found)


def outside(oracle, question, pairs, union, row):
    """Compare the group without key: features in no district, and of lines and areas the parts in none."""
    layer, measure, _, condition = question
    chosen = oracle.chosen(layer, condition)
    alone = chosen & ~np.isin(np.arange(len(chosen)), pairs["row"])
    rows = pd.DataFrame(oracle.table(layer))
    if measure not in GEOMETRY:
        rows = rows[alone]
        assert (row is not None) is bool(len(rows))
        if row:
            compare(row, rows, question)
        return
    parts = shapely.difference(rows["geometry"].to_numpy()[chosen], union)
    right = metres(parts, SRIDS[layer], measure).sum()
    assert (row is not None) is bool(alone.any() or right > 0.05)
    if row:
        assert row["count"] == alone.sum()
        assert row["value"] == pytest.approx(right, **CLOSE)


def test_no_point_of_the_town_is_so_near_a_limit_that_systems_part(town, oracle):
    """Limits are straight in each layer's own CRS, which parts them by centimetres: the oracle could be wrong there."""
    for layer in ("kiosks", "plots"):
        edges = shapely.unary_union(
            [shape.boundary for shape in moved([thing.degrees for thing in town.layers["districts"]], 4326, 26191)]
        )
        points = moved([thing.degrees for thing in town.layers[layer]], 4326, 26191)
        assert shapely.distance(edges, points).min() > 0.2


@pytest.mark.parametrize("layer", ["kiosks", "twins", "plots"])
def test_points_add_up_to_the_layer(town, layer):
    for more in ({"by": "district"}, {"by": "grid", "size": 777}, {"by": "kind"}, {"by": "open"}):
        body = town.get(f"/collections/{layer}/aggregate", **more)
        assert sum(row["count"] for row in body["results"]) == len(town.layers[layer])


def test_what_districts_and_outside_measure_adds_up_to_the_whole(town):
    for layer, measure in (("zones", "area"), ("roads", "length"), ("works", "area"), ("works", "length")):
        parts = town.get(f"/collections/{layer}/aggregate", by="district", measure=measure)["results"]
        (whole,) = town.get(f"/collections/{layer}/aggregate", measure=measure)["results"]
        # A cut edge is straight in the plane and a geodesic on the ellipsoid: parts in a hundred thousand, hardly more.
        assert sum(row["value"] for row in parts) == pytest.approx(whole["value"], rel=1e-5)


def test_on_a_shared_limit_the_first_district_has_the_point(workshop_city):
    """Vertices of districts, as a layer of points: each counts once, in the first district that has it."""
    address, vertices, districts = workshop_city
    body = httpx.get(f"{address}/collections/libraries/aggregate?by=district").json()
    right = {code: 0 for code, _ in districts}
    for vertex in vertices:
        right[next(code for code, area in districts if area.intersects(vertex))] += 1
    assert {row["key"]: row["count"] for row in body["results"]} == right
    for number in (0, len(vertices) // 2, len(vertices) - 1):
        at = httpx.get(
            f"{address}/at", params={"lon": repr(vertices[number].x), "lat": repr(vertices[number].y)}
        ).json()
        assert at["district"]["code"] == next(code for code, area in districts if area.intersects(vertices[number]))


@pytest.fixture
def workshop_city(workshop, serve):
    load_shipped(workshop.url, DATA, quiet, only="districts")
    found = workshop.sql("SELECT id, ST_AsBinary(geom) FROM features.districts ORDER BY fid")
    districts = [(key, shapely.from_wkb(wkb)) for key, wkb in found]
    rings = [set(map(tuple, shapely.get_coordinates(area))) for _, area in districts]
    shared = {v for number, one in enumerate(rings) for other in rings[number + 1 :] for v in one & other}
    vertices = [Point(vertex) for vertex in sorted(shared)]
    assert len(vertices) > 100
    rows = [f"v{number},Un,واحد,{point.x!r},{point.y!r}" for number, point in enumerate(vertices)]
    workshop.ingest(workshop.csv(*rows))
    return serve(workshop.url), vertices, districts


@settings(max_examples=20 * MANY)
@given(questions(), st.sampled_from([None, 2014, 2024]))
def test_per_inhabitants(town, oracle, question, year):
    layer = question.layer
    assume(question.measure not in ("mean", "min", "max"))
    more = {"by": "district", "per": "1000-inhabitants"}
    if year:
        more["population"] = f"population_{year}"
    plain, body = get(town, question, by="district"), get(town, question, **more)
    assert body["population"] == f"population_{year or 2024}"
    assert body["per"] == "1000-inhabitants"
    people = oracle.population[year or 2024]
    for row, same in zip(body["results"], plain["results"], strict=True):
        assert (row["key"], row["count"], row["value"]) == (same["key"], same["count"], same["value"])
        if row["key"] is None:
            assert (row["population"], row["rate"]) == (None, None)
        else:
            assert row["population"] == people[row["key"]]
            assert row["rate"] == pytest.approx(row["value"] * 1000 / people[row["key"]])
    assert ("warning" in body) is (town.definitions[layer].coverage != "complete")


@settings(max_examples=40 * MANY)
@given(questions(), st.sampled_from([900.0, 1777.5, 5000.0, 1e6]), st.sampled_from([None, 32629, 26191]))
@example(Question("works", "area"), 1777.5, 26191)
@example(Question("works", "length"), 900.0, None)
@example(Question("zones", "area"), 900.0, 26191)
@example(Question("roads", "length"), 5000.0, 32629)
def test_by_grid(town, oracle, question, size, srid):
    layer, _, _, _ = question
    body = get(town, question, by="grid", size=size, **({"grid_crs": f"EPSG:{srid}"} if srid else {}))
    srid = srid or 32629
    assert body["gridCrs"] == f"http://www.opengis.net/def/crs/EPSG/0/{srid}"
    rows = joined(oracle, oracle.by_grid(layer, size, srid), question, srid)
    assert [row["key"] for row in body["results"]] == [f"{row['x']:.12g}_{row['y']:.12g}" for row in body["results"]]
    order = [(row["y"], row["x"]) for row in body["results"]]
    assert order == sorted(order)
    assert {row["key"] for row in body["results"]} == set(rows["key"])
    groups = dict(list(rows.groupby("key")))
    for row in body["results"]:
        compare(row, groups[row["key"]], question)


def test_cells_at_the_smallest_size(town, oracle):
    for srid in (32629, 26191):
        body = town.get("/collections/plots/aggregate", by="grid", size=10, grid_crs=f"EPSG:{srid}")
        points = moved([thing.geometry for thing in town.layers["plots"]], 26191, srid)
        right = pd.Series([f"{point.x // 10 * 10:.12g}_{point.y // 10 * 10:.12g}" for point in points]).value_counts()
        assert {row["key"]: row["count"] for row in body["results"]} == right.to_dict()


@pytest.mark.parametrize("srid", [32629, 26191])
@pytest.mark.parametrize("size", [10, 1000, 1e6])
def test_cells_over_the_whole_world(town, size, srid):
    """Where the grid's CRS folds there is no cell; what is there is counted all the same."""
    body = town.get("/collections/world/aggregate", by="grid", size=size, grid_crs=f"EPSG:{srid}")
    held = {row["key"] for row in body["results"]} - {None}
    assert sum(row["count"] for row in body["results"]) == len(town.layers["world"])
    area = pyproj.CRS.from_epsg(srid).area_of_use
    near = [
        thing
        for thing in town.layers["world"]
        if area.west - 2 <= thing.degrees.x <= area.east + 2 and area.south - 2 <= thing.degrees.y <= area.north + 2
    ]
    points = moved([thing.degrees for thing in near], 4326, srid)
    assert held == {f"{point.x // size * size:.12g}_{point.y // size * size:.12g}" for point in points}
    assert body["results"][-1]["key"] is None
    assert body["results"][-1]["count"] == len(town.layers["world"]) - len(near)
    assert str(body["results"][-1]["count"]) in body["note"]


@pytest.mark.parametrize("layer", ["roads", "zones", "works"])
def test_a_grid_that_would_be_too_fine_is_refused(town, layer):
    answer = town.client.get(f"/collections/{layer}/aggregate?by=grid&size=10")
    body = answer.json()
    assert (answer.status_code, body["parameter"]) == (400, "size")
    assert body["type"].endswith("aggregate.cells")


@settings(max_examples=50 * MANY)
@given(questions(), st.sampled_from(["kind", "open", "day", "tags", "amount", "score"]))
@example(Question("kiosks", "sum", "amount"), "tags")
@example(Question("kiosks", "mean", "score"), "open")
@example(Question("works", "area"), "day")
@example(Question("kiosks", "count"), "score")
def test_by_field(town, oracle, question, group):
    layer, measure, _, condition = question
    body = get(town, question, by=group)
    assert body["by"] == group
    rows = pd.DataFrame(oracle.table(layer))[oracle.chosen(layer, condition)]
    if measure in GEOMETRY:
        rows = rows.assign(metres=metres(rows["geometry"].to_numpy(), SRIDS[layer], measure))
    if group == "tags":  # a feature counts under each of its values
        rows = rows.explode("tags")
    keys = [None if pd.isna(key) else key.isoformat() if hasattr(key, "isoformat") else key for key in rows[group]]
    found = {row["key"]: row for row in body["results"]}
    assert len(found) == len(body["results"])
    assert set(found) == set(keys)
    for key, row in found.items():
        compare(row, rows[[one == key for one in keys]], question)
    counts = [row["count"] for row in body["results"]]
    assert counts == sorted(counts, reverse=True)


@settings(max_examples=25 * MANY)
@given(st.sampled_from(["kiosks", "roads", "works"]), st.floats(-7.8, -7.5), st.floats(33.45, 33.65), st.floats(0, 0.2), st.floats(0, 0.2))  # fmt: skip
def test_with_a_box(town, oracle, layer, west, south, width, height):
    box = (west, south, west + width, south + height)
    table = oracle.table(layer)
    inside = table.intersects(shapely.box(*box)).to_numpy()
    given = {"bbox": ",".join(map(repr, box))}
    assert town.get(f"/collections/{layer}/aggregate", **given)["results"][0]["count"] == inside.sum()
    body = town.get(f"/collections/{layer}/aggregate", by="kind", **given)
    counts = table["kind"][inside].map(lambda kind: kind or None).value_counts(dropna=False)
    assert {row["key"]: row["count"] for row in body["results"]} == {
        key if isinstance(key, str) else None: count for key, count in counts.items()
    }
    body = town.get(f"/collections/{layer}/aggregate", by="district", **given)
    pairs, _ = oracle.by_district(layer)
    pairs = pairs[inside[pairs["row"].to_numpy(int)]]
    right = pairs["key"].value_counts()
    assert {row["key"]: row["count"] for row in body["results"] if row["key"] and row["count"]} == right.to_dict()


@settings(max_examples=25 * MANY)
@given(st.dates(pd.Timestamp("2025-06-01").date(), pd.Timestamp("2027-12-31").date()), st.integers(0, 400))
def test_with_a_time(client, everything, start, days):
    end = start + pd.Timedelta(days=days)
    body = client.get("/collections/worksites/aggregate", params={"by": "state", "datetime": f"{start}/{end}"}).json()
    rows = pd.DataFrame([item["properties"] for item in everything("worksites")])
    first, last = pd.to_datetime(rows["start_date"]), pd.to_datetime(rows["end_date"])
    held = (first.isna() | (first <= pd.Timestamp(end))) & (last.isna() | (last >= pd.Timestamp(start)))
    assert {row["key"]: row["count"] for row in body["results"]} == rows["state"][held].value_counts().to_dict()


def test_the_city_against_geopandas(client, everything, tmp_path):
    """The question that planners ask: schools for each 1,000 inhabitants of each district."""
    districts = gpd.GeoDataFrame.from_features(everything("districts"), crs=4326)
    districts["key"] = [item["id"] for item in everything("districts")]
    schools = gpd.GeoDataFrame.from_features(everything("facilities"), crs=4326).query("category == 'school'")
    counts = gpd.sjoin(schools, districts[["key", "geometry"]], predicate="within")["key"].value_counts()
    right = (
        counts.reindex(districts["key"], fill_value=0) / districts.set_index("key")["population_2024"] * 1000
    ).to_dict()
    path = "/collections/facilities/aggregate?by=district&per=1000-inhabitants&category=school"
    rates = {row["key"]: row["rate"] for row in client.get(path).json()["results"] if row["key"]}
    assert rates == pytest.approx(right)
    (tmp_path / "x.geojson").write_bytes(client.get(f"{path}&f=geojson").content)
    table = gpd.read_file(tmp_path / "x.geojson")
    table = table[table["key"].notna()].set_index("key")
    assert table["rate"].to_dict() == pytest.approx(right)
    ours = table.geometry.to_numpy()
    theirs = districts.set_index("key").geometry.loc[table.index].to_numpy()
    assert shapely.hausdorff_distance(ours, theirs).max() < 2e-7
