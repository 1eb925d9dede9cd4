"""Counts, sums and measures in groups, against geopandas, pandas and GeographicLib."""

import csv
import io
import os
import re
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
from pyproj import Geod
from shapely.geometry import Point

from api.settings import PROJECT
from layers.shipped import load_shipped
from tests.conftest import DATA, quiet

GEOD = Geod(ellps="WGS84")
MANY = 15 if os.environ.get("CASAMAPS_THOROUGH") else 1
FIELDS, GEOMETRY = ["sum", "mean", "min", "max"], ["area", "length"]
LAYERS = ["kiosks", "plots", "roads", "zones", "works", "nothing"]
SRIDS = {"kiosks": 4326, "plots": 26191, "roads": 4326, "zones": 26191, "works": 4326, "nothing": 4326, "world": 4326}
MEASURES = {
    "kiosks": ["count", *FIELDS], "plots": ["count", *FIELDS], "nothing": ["count", *FIELDS],
    "roads": ["count", "length", *FIELDS], "zones": ["count", "area", *FIELDS], "works": ["count", *GEOMETRY, *FIELDS],
}  # fmt: skip
#: Both sides reckon with GeographicLib and cut in the same plane, so only the cutting points' last digits part them.
CLOSE = {"rel": 1e-6, "abs": 0.05}

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


def moved(geometries, source, target):
    to = pyproj.Transformer.from_crs(source, target, always_xy=True)
    return shapely.transform(np.asarray(geometries, dtype=object), to.transform, interleaved=False)


class Oracle:
    """What pandas knows of the town: which part of which feature lies in which area."""

    def __init__(self, town):
        self.town = town
        self._kept = {}
        self.codes = [thing.id for thing in town.layers["districts"]]
        shipped = gpd.read_file(PROJECT / "data" / "districts.geojson").set_index("code")
        self.population = {year: shipped[f"population_{year}"].astype(int) for year in (2014, 2024)}

    def kept(self, make, *asked):
        if (make, *asked) not in self._kept:
            self._kept[(make, *asked)] = make(self, *asked)
        return self._kept[(make, *asked)]

    def table(self, layer):
        return self.kept(Oracle._table, layer)

    def by_district(self, layer):
        """Return a row for each feature and district that it belongs to, with the part of it inside; and all districts."""
        return self.kept(Oracle._by_district, layer)

    def by_grid(self, layer, size, srid):
        """Return a row for each feature and cell, the cells found one by one."""
        return self.kept(Oracle._by_grid, layer, size, srid)

    def _table(self, layer):
        things = self.town.layers[layer]
        table = pd.DataFrame(
            [thing.properties for thing in things], columns=["kind", "amount", "score", "open", "day", "tags"]
        )
        table = table.astype({"amount": "Float64", "score": "Float64"})
        return gpd.GeoDataFrame(table, geometry=[thing.geometry for thing in things], crs=SRIDS[layer])

    def _by_district(self, layer):
        table = self.table(layer)[["geometry"]]
        areas = gpd.GeoDataFrame(
            {"key": self.codes},
            geometry=list(moved([thing.degrees for thing in self.town.layers["districts"]], 4326, SRIDS[layer])),
            crs=SRIDS[layer],
        )
        pairs = gpd.sjoin(table, areas, predicate="intersects").sort_values("index_right")
        area = areas.geometry.to_numpy()[pairs["index_right"]]
        pairs = pairs.assign(row=pairs.index, area=area)
        return self._belonging(pairs, alone=True), areas.union_all()

    def _by_grid(self, layer, size, srid):
        table = self.table(layer)
        rows = []
        for number, shape in enumerate(moved(table.geometry, SRIDS[layer], srid)):
            low_x, low_y, high_x, high_y = shape.bounds
            for i in range(int(low_x // size), int(high_x // size) + 1):
                for j in range(int(low_y // size), int(high_y // size) + 1):
                    cell = shapely.box(i * size, j * size, (i + 1) * size, (j + 1) * size)
                    rows.append((number, f"{i * size:.12g}_{j * size:.12g}", shape, cell))
        pairs = pd.DataFrame(rows, columns=["row", "key", "geometry", "area"])
        # A point lies in the one cell that its bounds name.
        return self._belonging(pairs[shapely.intersects(pairs["area"], pairs["geometry"])], alone=False)

    @staticmethod
    def _belonging(pairs, alone):
        shapes, areas = pairs["geometry"].to_numpy(), pairs["area"].to_numpy()
        flat = shapely.get_dimensions(shapes) < 2
        shared = np.array([area.relate_pattern(shape, "T********") for area, shape in zip(areas, shapes, strict=True)])
        pairs = pairs[flat | shared.astype(bool)] if len(pairs) else pairs
        if alone:  # a point is in the first district that holds it
            single = shapely.get_type_id(pairs["geometry"].to_numpy()) == 0
            pairs = pairs[~single | ~pairs["row"].duplicated()]
        inside = shapely.intersection(pairs["geometry"].to_numpy(), pairs["area"].to_numpy())
        return pairs[["row", "key"]].assign(inside=inside)

    def chosen(self, layer, condition):
        table = self.table(layer)
        if condition is None:
            return np.ones(len(table), bool)
        kind, amount = condition
        return ((table["kind"] == kind) & (table["amount"] >= amount)).fillna(False).to_numpy(bool)


def metres(shapes, srid, measure):
    """Return areas or lengths on the ellipsoid."""
    wanted = 2 if measure == "area" else 1
    found = []
    for shape in moved(shapes, srid, 4326) if len(shapes) else []:
        parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == wanted]
        one = (lambda part: abs(GEOD.geometry_area_perimeter(shapely.normalize(part))[0])) if wanted == 2 else GEOD.geometry_length  # fmt: skip
        found.append(sum(map(one, parts)))
    return np.array(found)


def measured(rows, measure, name):
    """Return a group's measure from the rows of its features, as pandas has it; None where there is none."""
    if measure == "count":
        return len(rows)
    if measure in GEOMETRY:
        return rows["metres"].sum() if len(rows) else 0
    values = rows[name].dropna()
    if measure == "sum":
        # Of what is unknown of all, there is no sum.
        return float(values.sum()) if len(values) else None if len(rows) else 0
    return float(getattr(values, measure)()) if len(values) else None


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


# -- the whole -----------------------------------------------------------------------------------------------------


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


# -- by district ---------------------------------------------------------------------------------------------------


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


# -- rates -----------------------------------------------------------------------------------------------------------


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


WARNINGS = {
    ("fr", "partial"): "cette couche est partielle",
    ("ar", "partial"): "هذه الطبقة جزئية",
    ("fr", "unknown"): "on ne sait pas si cette couche est complète",
    ("ar", "unknown"): "لا يُعرف هل هذه الطبقة كاملة",
}


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("layer", ["kiosks", "plots", "zones"])
def test_a_rate_carries_its_warning_everywhere(town, layer, lang):
    coverage = town.definitions[layer].coverage
    path = f"/collections/{layer}/aggregate?by=district&per=1000-inhabitants&lang={lang}"
    words = WARNINGS.get((lang, coverage))
    for form in ("json", "geojson"):
        body = town.client.get(f"{path}&f={form}").json()
        assert body["coverage"] == coverage
        assert (words in body["warning"]) if words else ("warning" not in body)
    for item in body["features"]:
        assert item["properties"]["coverage"] == coverage
        assert (words in item["properties"]["warning"]) if words else (item["properties"]["warning"] is None)
    rows = list(csv.DictReader(io.StringIO(town.client.get(f"{path}&f=csv").text)))
    assert len(rows) == len(body["features"])
    for row in rows:
        assert row["coverage"] == coverage
        assert (words in row["warning"]) if words else (row["warning"] == "")
    page = town.client.get(f"{path}&f=html").text
    assert 'class="notice"' in page if words else 'class="notice"' not in page
    assert words is None or words in page
    # Without a rate there is nothing to warn of, but the coverage stays.
    plain = town.client.get(f"/collections/{layer}/aggregate?by=district&f=csv&lang={lang}").text
    assert {row["coverage"] for row in csv.DictReader(io.StringIO(plain))} == {coverage}
    assert "warning" not in plain.splitlines()[0]


# -- by grid ---------------------------------------------------------------------------------------------------------


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


# -- by field --------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("lang", "a", "nothing", "yes"), [("fr", "Sorte a", "Non renseigné", "oui"), ("ar", "نوع a", "غير معروف", "نعم")])  # fmt: skip
def test_labels_are_the_readers(town, lang, a, nothing, yes):
    labels = {
        row["key"]: row["label"] for row in town.get("/collections/kiosks/aggregate", by="kind", lang=lang)["results"]
    }
    assert labels["a"] == a
    assert labels[None] == nothing
    labels = {
        row["key"]: row["label"] for row in town.get("/collections/kiosks/aggregate", by="open", lang=lang)["results"]
    }
    assert labels[True] == yes


# -- with a box and a time -------------------------------------------------------------------------------------------


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


# -- formats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "by=district&measure=length", "by=district&per=1000-inhabitants", "by=grid&size=3000&measure=length",
        "by=kind&measure=mean&field=score", "by=open", "by=day", "measure=max&field=amount", "by=tags",
    ],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_all_formats_say_the_same(town, tmp_path, query, lang):
    path = f"/collections/roads/aggregate?{query}&lang={lang}"
    answers = {form: town.client.get(f"{path}&f={form}") for form in ("json", "csv", "geojson", "html")}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert {answer.headers["content-language"] for answer in answers.values()} == {lang}
    assert answers["json"].headers["content-type"] == "application/json"
    assert answers["csv"].headers["content-type"].startswith("text/csv")
    assert answers["geojson"].headers["content-type"] == "application/geo+json"
    rows = answers["json"].json()["results"]
    table = pd.read_csv(io.BytesIO(answers["csv"].content), dtype={"key": str})
    assert len(table) == len(rows)
    for number, row in enumerate(rows):
        for name, value in row.items():
            got = table[name][number]
            if value is None:
                assert pd.isna(got)
            elif isinstance(value, float):
                assert got == pytest.approx(value, rel=1e-12)
            elif name == "key":
                assert got == (str(value).lower() if isinstance(value, bool) else str(value))
            else:
                assert got == value
    features = answers["geojson"].json()["features"]
    for item, row in zip(features, rows, strict=True):
        assert item.get("id") == row["key"]
        assert {name: item["properties"][name] for name in row} == row
        assert (item["geometry"] is None) is (
            row["key"] is None or query.split("&")[0] not in ("by=district", "by=grid")
        )
    page = answers["html"].text
    assert f'lang="{lang}"' in page
    assert page.count("<tr>") == 1 + len(rows)
    assert "<script>" not in page.split("<body")[1]
    for form in ("csv", "geojson", "json"):
        address = re.search(rf'href="([^"]*f={form}[^"]*)"', page.split("<main")[1])[1].replace("&amp;", "&")
        again = town.client.get(address)
        assert again.headers["content-type"] == answers[form].headers["content-type"]
        assert again.headers["content-language"] == lang


@pytest.mark.parametrize(
    ("lang", "chosen", "unit"),
    [("fr", ["Catégorie", "Établissement scolaire"], "m²"), ("ar", ["الصنف", "مؤسسة تعليمية"], "م²")],
)
def test_the_page_says_what_was_chosen(client, lang, chosen, unit):
    """Numbers of a part of a layer must not be taken for those of the whole."""
    path = f"/collections/facilities/aggregate?by=district&per=1000-inhabitants&f=html&lang={lang}"
    text = client.get(f"{path}&category=school&filter=name_fr LIKE '<b>%25'&bbox=-8,33,-7,34").text
    for word in [*chosen, "name_fr LIKE &#39;&lt;b&gt;%&#39;", "-8,33,-7,34"]:
        assert f"<bdi>{word}</bdi>" in text
    assert chosen[1] not in client.get(path).text
    # A count is its own value: the name, the count, inhabitants, the rate.
    assert text.split("<thead>")[1].split("</thead>")[0].count("<th ") == 4
    text = client.get(f"/collections/districts/aggregate?measure=area&by=kind&f=html&lang={lang}").text
    assert f"<bdi>{unit}</bdi>" in text
    assert text.split("<thead>")[1].split("</thead>")[0].count("<th ") == 3


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_numbers_of_a_column_have_as_many_decimals(client, lang):
    path = "/collections/facilities/aggregate?by=district&per=1000-inhabitants"
    text = client.get(f"{path}&f=html&lang={lang}").text.split("<tbody>")[1].split("</tbody>")[0]
    cells = [re.findall(r'class="number"><bdi>([^<]*)</bdi>', row) for row in text.split("<tr>")[1:]]
    rows = client.get(path).json()["results"]
    rates = [row["rate"] for row in rows]
    # The smallest shows two digits that count; some would be written shorter alone.
    assert 0.01 < min(rate for rate in rates if rate) < 0.1
    assert any(f"{rate:.3f}".endswith("0") for rate in rates if rate)
    shown = ["" if rate is None else f"{rate:.3f}".replace(".", ",") for rate in rates]
    assert [row[-1].replace("\u200e", "") for row in cells] == shown
    assert [row[0] for row in cells] == [str(row["count"]) for row in rows]


def test_districts_and_cells_can_be_coloured(town, tmp_path):
    path = tmp_path / "x.geojson"
    path.write_bytes(
        town.client.get("/collections/kiosks/aggregate?by=grid&size=2500&grid-crs=EPSG:26191&f=geojson").content
    )
    table = gpd.read_file(path)
    cells = table[table["key"].notna()]
    squares = [shapely.box(x, y, x + 2500, y + 2500) for x, y in zip(cells["x"], cells["y"], strict=True)]
    assert shapely.hausdorff_distance(cells.geometry.to_numpy(), moved(squares, 26191, 4326)).max() < 2e-7
    assert all(shape.exterior.is_ccw for shape in cells.geometry)  # RFC 7946, 3.1.6
    path.write_bytes(town.client.get("/collections/kiosks/aggregate?by=district&f=geojson").content)
    table = gpd.read_file(path)
    assert list(table["key"].dropna()) == [thing.id for thing in town.layers["districts"]]
    wanted = np.array([thing.degrees for thing in town.layers["districts"]])
    assert shapely.hausdorff_distance(table.geometry.to_numpy()[: len(wanted)], wanted).max() < 2e-7


def test_accept_links_and_head(town):
    path = "/collections/kiosks/aggregate"
    for accept, kind in (
        ("text/csv", "text/csv"),
        ("application/geo+json", "application/geo+json"),
        ("text/html", "text/html"),
    ):
        assert town.client.get(path, headers={"Accept": accept}).headers["content-type"].startswith(kind)
    head = town.client.head(f"{path}?by=kind")
    assert (head.status_code, head.content) == (200, b"")
    body = town.client.get(f"{path}?by=kind&filter=amount>3").json()
    links = {link["rel"] + link["type"]: link["href"] for link in body["links"]}
    assert town.client.get(links["selfapplication/json"]).json() == body
    assert town.client.get(links["alternatetext/csv"]).text.startswith("key,label,count,value,coverage\r\n")
