"""The service against the verified facts of the city, read with tools that were not written here.

Needs the shared inputs, found beside the checkout or where ``CASAMAPS_SHARED_DATA`` says.
"""

import datetime as dt
import os
import re
import subprocess
from pathlib import Path

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
import shapely

from api.settings import PROJECT
from geo.locator import Locator

SHARED = Path(os.environ.get("CASAMAPS_SHARED_DATA") or PROJECT.parent / "shared")
FACTS = SHARED / "facts"


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FACTS / name, dtype=str, keep_default_na=False)


def items(server_url: str, layer: str) -> gpd.GeoDataFrame:
    return gpd.read_file(f"{server_url}/collections/{layer}/items?limit=1000").set_index("id")


def text(value: object) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, dt.time):  # GDAL takes a text like 05:30 for a time
        return value.strftime("%H:%M")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def differences(served: gpd.GeoDataFrame, facts: pd.DataFrame, key: str, left_out: set[str]) -> list[tuple]:
    """Return every (id, column, served, fact) that is not equal."""
    assert sorted(served.index) == sorted(facts[key])
    return [
        (row[key], column, text(served.at[row[key], column]), row[column])
        for row in facts.to_dict("records")
        for column in facts.columns
        if column not in left_out and text(served.at[row[key], column]) != row[column]
    ]


@pytest.mark.parametrize(
    ("layer", "file", "key"),
    [("facilities", "facilities.csv", "facility_id"), ("transport-stops", "stations.csv", "station_id")],
)
def test_points_are_the_facts(server_url, layer, file, key):
    served, facts = items(server_url, layer), table(file)
    assert differences(served, facts, key, {key, "lon", "lat"}) == []
    for row in facts.to_dict("records"):
        point = served.geometry[row[key]]
        assert (point.x, point.y) == pytest.approx((float(row["lon"]), float(row["lat"])), abs=1e-7)


def test_districts_are_the_facts(server_url):
    served = items(server_url, "districts")
    facts = gpd.read_file(FACTS / "districts.geojson")
    columns = pd.DataFrame(
        {name: [text(value) for value in facts[name]] for name in facts.columns if name != "geometry"}
    )
    assert differences(served, columns, "code", {"code"}) == []
    for code, area in zip(facts["code"], facts.geometry, strict=True):
        assert shapely.equals_exact(served.geometry[code], area, tolerance=1e-7)


def test_lines_are_the_facts(server_url):
    served, facts = items(server_url, "transport-lines"), table("lines.csv")
    assert differences(served, facts, "line_id", {"line_id"}) == []
    order, stations = table("line_stations.csv"), table("stations.csv").set_index("station_id")
    for line, rows in order[order["direction"] == "0"].groupby("line_id"):
        ids = list(rows.sort_values("sequence", key=lambda numbers: numbers.astype(int))["station_id"])
        assert served.at[line, "stops"].split() == ids
        drawn = [(float(stations.lon[station]), float(stations.lat[station])) for station in ids]
        assert shapely.equals_exact(served.geometry[line], shapely.LineString(drawn), tolerance=1e-7)


@pytest.mark.parametrize("layer", ["facilities", "transport-stops"])
def test_everything_lies_in_the_district_that_it_names(server_url, database_url, layer):
    districts = items(server_url, "districts")
    locator = Locator(districts.geometry.items())
    statement = (
        f"SELECT f.id, f.district_code, ARRAY(SELECT d.id FROM features.districts d WHERE ST_Intersects(d.geom, f.geom)) "
        f'FROM features."{layer.replace("-", "_")}" f'
    )
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(statement).fetchall()
    points = items(server_url, layer).geometry
    assert len(rows) == len(points)
    for key, named, found in rows:
        assert found == ([named] if named else []), key
        assert locator.locate(points[key].x, points[key].y) == named, key


def test_gdal_lists_the_layers(server_url):
    def ogrinfo(*arguments: str) -> str:
        done = subprocess.run(["ogrinfo", "-ro", *arguments], capture_output=True, text=True, timeout=120, check=True)
        assert "ERROR" not in done.stderr
        return done.stdout

    listed = re.findall(r"^\d+: (\S+)", ogrinfo(f"OAPIF:{server_url}"), re.MULTILINE)
    assert sorted(listed) == ["directory", "districts", "facilities", "transport-lines", "transport-stops", "worksites"]
    for layer, count in (("districts", 17), ("facilities", 450), ("transport-lines", 6), ("transport-stops", 151)):
        told = ogrinfo("-so", f"OAPIF:{server_url}", layer)
        assert f"Feature Count: {count}" in told
        extent = re.search(r"Extent: \((\S+), (\S+)\) - \((\S+), (\S+)\)", told)
        assert extent, layer
        served = items(server_url, layer)
        assert [float(side) for side in extent.groups()] == pytest.approx(list(served.total_bounds), abs=1e-6)
