"""geopandas and pandas, given an address as a planner gives it: every format of pages and of whole downloads."""

import io
import urllib.request

import geopandas as gpd
import pandas as pd
import pytest
import shapely

QUERY = "filter=amount%20%3E%200&limit=5000"


def opened(address):
    with urllib.request.urlopen(address) as answer:
        return io.BytesIO(answer.read())


def read(form, address):
    if form == "parquet":
        return gpd.read_parquet(opened(address))
    if form == "csv":
        table = pd.read_csv(address)
        return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries.from_wkt(table.pop("geometry")), crs=4326)
    return gpd.read_file(address)


# pyogrio keeps what it has fetched under a name without an ending, of which GDAL then warns.
@pytest.mark.filterwarnings("ignore:.*non conformant file extension:RuntimeWarning")
@pytest.mark.parametrize("what", ["items", "export"])
@pytest.mark.parametrize("form", ["json", "jsonseq", "csv", "fgb", "gpkg", "parquet", "kml", "shp"])
@pytest.mark.parametrize("layer", ["kiosks", "zones"])
def test_read_by_address(watched, layer, form, what):
    truth = watched.truth(layer)
    truth = truth[truth.amount > 0]
    query = QUERY if what == "items" else QUERY.partition("&")[0]
    table = read(form, f"{watched.url}/collections/{layer}/{what}?f={form}&{query}")
    assert table.crs.to_epsg() == 4326
    # GDAL keeps a placemark's own id, which is the layer's name with a number, under this name.
    table = table.set_index("feature_id" if form == "kml" else "id")
    assert sorted(table.index) == sorted(truth.index)
    table = table.loc[truth.index]
    assert shapely.hausdorff_distance(table.geometry.values, truth.geometry.values).max() < 2e-7
    assert list(table["amount"].astype(float)) == list(truth["amount"])
    assert list(table["kind"].where(table["kind"].notna() & (table["kind"] != ""), None)) == list(
        truth["kind"].where(truth["kind"].notna(), None)
    )


def test_the_address_in_the_readme(server_url, everything):
    table = gpd.read_file(f"{server_url}/collections/districts/items")
    assert sorted(table["id"]) == sorted(item["id"] for item in everything("districts"))
