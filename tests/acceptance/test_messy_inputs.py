"""Real files as cities have them: taken in with every row accounted for, or refused with the reason.

Needs the shared inputs, found beside the checkout or where ``CASAMAPS_SHARED_DATA`` says.
"""

import json
import os
from collections import Counter
from pathlib import Path

import geopandas as gpd
import httpx
import psycopg
import pyproj
import pytest
import shapely
import yaml

from api.settings import PROJECT
from geo.errors import IngestError
from layers.definition import load_definition
from layers.ingest import ingest_file
from layers.shipped import load_shipped

SHARED = Path(os.environ.get("CASAMAPS_SHARED_DATA") or PROJECT.parent / "shared")
INPUTS = SHARED / "data"
BOUNDARIES = INPUTS / "boundaries" / "hcp_arrondissements_raw.geojson"
NODES = INPUTS / "facilities" / "osm_nodes_2019_casablanca.geojson"
RAIL = INPUTS / "rail" / "rail_ways_greater_casablanca.geojson"
WORLD = INPUTS / "cql2" / "ne110m4cql2.gpkg"


def text(word):
    return {"fr": word, "ar": "كلمة"}


def field(name, kind="text", **more):
    return {"name": name, "type": kind, "label": text(name), **more}


@pytest.fixture
def take(empty_url, tmp_path):
    """Take a file into a layer described on the spot."""

    def _take(file, kind, *fields, key="id", url=empty_url, **options):
        raw = {
            "id": "input",
            "title": text("Entrée"),
            "description": text("Entrée"),
            "theme": "other",
            "geometry": {"type": kind, "quality": "digitised"},
            "fields": list(fields),
            "style": {"colour": "#112233"},
            "source": text("s"),
            "licence": {"id": "ODbL-1.0", "url": "https://example.org/"},
            "attribution": text("s"),
            "update": "irregular",
            "coverage": "unknown",
            "data": {"id": key},
        }
        (tmp_path / "input.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
        given = {"dataset": None, "srid": None, "source_layer": None, **options}
        definition = load_definition(tmp_path / "input.yaml")
        report = ingest_file(url, definition, file, data_dir=tmp_path, progress=lambda *_: None, **given)
        assert report.read == report.inserted + report.updated + report.unchanged + len(report.rejected)
        return report

    _take.url, _take.folder = empty_url, tmp_path
    return _take


def rows(url, statement):
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def names(column_fr, column_ar=None):
    return field("name_fr", required=True, **{"from": column_fr}), field(
        "name_ar", required=True, **{"from": column_ar or column_fr}
    )


def moved_north(geometry):
    """Undo the boundary file's mistake: its degrees came from metres on a sphere, read as metres on the ellipsoid."""
    wrong = pyproj.Transformer.from_crs(4326, 3395, always_xy=True)
    right = pyproj.Transformer.from_crs(3857, 4326, always_xy=True)
    return shapely.transform(geometry, lambda xy: [right.transform(*wrong.transform(x, y)) for x, y in xy])


def test_the_published_boundaries_are_taken_as_they_are(take, everything_of):
    report = take(BOUNDARIES, "Polygon", *names("libelle_fr", "libelle_ar"), field("com_fr"))
    assert report.read == 17
    assert report.inserted == 17
    assert {row[0] for row in rows(take.url, "SELECT name_ar FROM features.input")} >= {"ابن امسيك"}
    served = everything_of(take.url)
    source = json.loads(BOUNDARIES.read_text(encoding="utf-8"))["features"]
    for feature, original in zip(served, source, strict=True):
        assert (
            shapely.geometry.shape(feature["geometry"])
            .normalize()
            .equals_exact(shapely.geometry.shape(original["geometry"]).normalize(), tolerance=1e-7)
        )


def test_boundaries_that_lie_too_far_north_are_noticed(empty_url, take):
    load_shipped(empty_url, PROJECT / "data", lambda *_: None, only="districts")
    frame = gpd.read_file(BOUNDARIES)
    frame["district"] = [
        f"06.{int(float(province))}.{int(float(circle)):02}.{int(float(commune)):02}"
        for province, circle, commune in zip(frame["code_prov"], frame["cod_cercle"], frame["cod_com"], strict=True)
    ]
    tidy = frame[["com_fr", "libelle_ar", "district", "geometry"]]
    columns = (*names("com_fr", "libelle_ar"), field("district", format="district"))
    path = take.folder / "limits.geojson"
    tidy.to_file(path)
    report = take(path, "Polygon", *columns)
    ((code, params),) = [note for note in report.notes if note[0] == "ingest.district-differs"]
    assert code
    assert params["count"] == 17
    tidy.set_geometry([moved_north(area) for area in tidy.geometry]).to_file(path)
    assert take(path, "Polygon", *columns).notes == []


def test_places_of_2019_are_accounted_for_one_by_one(take):
    report = take(
        NODES, "Point", *names("name"), field("tag"), field("value"), field("population", "integer"), key="osm_node_id"
    )
    source = json.loads(NODES.read_text(encoding="utf-8"))["features"]
    unnamed = sum(not (item["properties"]["name"] or "").strip() for item in source)
    keys = Counter(item["properties"]["osm_node_id"] for item in source if (item["properties"]["name"] or "").strip())
    assert report.read == len(source) == 3759
    assert report.inserted == len(keys)
    reasons = Counter(item.code for item in report.rejected)
    assert reasons["ingest.value-missing"] == unnamed
    assert sum(reasons.values()) == 3759 - len(keys)
    assert rows(take.url, "SELECT name_fr, population FROM features.input WHERE id = '25730724'") == [
        ("Casablanca ⵜⴰⴷⴷⴰⵔⵜ ⵜⵓⵎⵍⵉⵍⵜ الدار البيضاء", 3359818)
    ]
    assert take(
        NODES, "Point", *names("name"), field("tag"), field("value"), field("population", "integer"), key="osm_node_id"
    ).unchanged == len(keys)


def test_columns_that_the_layer_does_not_know_are_named(take):
    report = take(NODES, "Point", *names("name"), key="osm_node_id")
    assert {params["column"] for code, params in report.notes if code == "ingest.column-ignored"} == {
        *("tag", "value", "population", "arr_code", "arr_name"),
    }


def test_railways_without_names_fit_a_layer_that_asks_for_none_of_theirs(take):
    fields = (*names("railway"), field("electrified"), field("gauge", "integer"), field("operator"))
    report = take(RAIL, "LineString", *fields, key="osm_way")
    source = json.loads(RAIL.read_text(encoding="utf-8"))["features"]
    wrong = [item for item in source if not (item["properties"]["gauge"] or "1").isdigit()]
    assert report.read == len(source) == 432
    assert report.inserted == 432 - len(wrong)
    with pytest.raises(IngestError) as caught:
        take(RAIL, "Point", *fields, key="osm_way")
    assert caught.value.code == "ingest.no-row-fits"


@pytest.mark.parametrize(
    ("layer", "kind", "count"),
    [
        ("ne_110m_admin_0_countries", "MultiPolygon", 177),
        ("ne_110m_populated_places_simple", "Point", 243),
        ("ne_110m_rivers_lake_centerlines", "Geometry", 13),
    ],
)
def test_a_geopackage_of_the_whole_world(take, everything_of, layer, kind, count):
    frame = gpd.read_file(WORLD, layer=layer)
    lowered = {name.lower(): name for name in frame.columns}
    name = lowered.get("name") or lowered["nameascii"]
    report = take(WORLD, kind, *names(name), source_layer=layer)
    unnamed = int(frame[name].fillna("").str.strip().eq("").sum())
    assert report.read == count == len(frame)
    assert report.inserted == count - unnamed
    assert len(everything_of(take.url)) == count - unnamed


def test_odd_column_names_and_types_of_the_standards_test_data(take, everything_of):
    columns = {item.lower() for item in gpd.read_file(WORLD, layer="ne_110m_populated_places_simple").columns}
    assert {"date", "boolean"} <= columns
    fields = (*names("name"), field("date", "date"), field("boolean", "boolean"), field("pop_other", "integer"))
    take(WORLD, "Point", *fields, source_layer="ne_110m_populated_places_simple")
    frame = gpd.read_file(WORLD, layer="ne_110m_populated_places_simple")
    served = everything_of(take.url)
    for feature, (_, row) in zip(served, frame.iterrows(), strict=True):
        properties = feature["properties"]
        assert properties["name_fr"] == row["name"].strip()
        assert properties["pop_other"] == row["pop_other"]
        assert (properties["date"] is None) == (row["date"] is None or row["date"] != row["date"])


@pytest.mark.parametrize(
    "path",
    ["transit/osm_casablanca_transit.json", "gtfs/cairns.zip", "gtfs-broken/utf16/stops.txt", "cql2/predicates.csv"],
)
def test_a_file_of_another_kind_is_refused_with_the_reason(take, path):
    assert (INPUTS / path).is_file()
    with pytest.raises(IngestError) as caught:
        take(INPUTS / path, "Point", *names("name"))
    assert caught.value.code in ("ingest.unreadable", "ingest.no-geometry", "ingest.missing-column", "ingest.encoding")


@pytest.fixture
def everything_of(serve):
    """All features of the layer, as the service gives them."""
    return lambda url: httpx.get(serve(url) + "/collections/input/items?limit=10000", timeout=30).json()["features"]
