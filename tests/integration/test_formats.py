"""Every format, read back with geopandas and GDAL: the same features as GeoJSON has, whatever they hold."""

import io
import json
import math
import re
import sqlite3
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import httpx
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from api.settings import PROJECT
from layers.definition import load_definitions
from layers.export import EXTENSIONS, FILES
from layers.files.shapefile import short_names

LAYERS = ["districts", "facilities", "transport-stops", "transport-lines", "worksites"]
FORMATS = list(EXTENSIONS)
TYPES = {
    "json": "application/geo+json",
    "jsonseq": "application/geo+json-seq",
    "csv": "text/csv",
    "fgb": "application/flatgeobuf",
    "gpkg": "application/geopackage+sqlite3",
    "parquet": "application/vnd.apache.parquet",
    "kml": "application/vnd.google-earth.kml+xml",
    "shp": "application/zip",
}
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def transform(to, geometry):
    """Move every point of a geometry."""
    return shapely.transform(geometry, to, interleaved=False)


def read(form, body, folder, north_first=False):
    """Read a file as a planner does, to a table with the features' ids as index."""
    path = folder / f"x.{EXTENSIONS[form]}"
    path.write_bytes(body)
    if form in ("json", "jsonseq"):
        raw = body.decode()
        texts = json.loads(raw)["features"] if form == "json" else [json.loads(t) for t in raw.split("\x1e")[1:]]
        rows = [{"id": item["id"], **item["properties"]} for item in texts]
        shapes = [shape(item["geometry"]) if item["geometry"] else None for item in texts]
        if north_first:
            shapes = [transform(lambda x, y: (y, x), item) for item in shapes]
        return gpd.GeoDataFrame(pd.DataFrame(rows, columns=None if rows else ["id"]), geometry=shapes).set_index("id")
    if form == "csv":
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=str)
        shapes = shapely.from_wkt(table.pop("geometry")) if "geometry" in table else None
        return gpd.GeoDataFrame(table, geometry=shapes).set_index("id")
    if form == "parquet":
        spatial = b"geo" in pq.read_metadata(path).metadata
        return (gpd.read_parquet if spatial else pd.read_parquet)(path).set_index("id")
    if form == "shp":
        return read_shapefiles(path)
    table = pyogrio.read_dataframe(path)
    if form == "kml":
        # What readers add themselves.
        extra = [
            "Description",
            "description",
            "timestamp",
            "begin",
            "end",
            "altitudeMode",
            "tessellate",
            "extrude",
            "visibility",
            "drawOrder",
            "icon",
            "id",
        ]
        table = table.drop(columns=extra, errors="ignore").rename(columns={"feature_id": "id"})
        return table.set_index("id") if len(table) else table
    return table.set_index("id")


def read_shapefiles(path):
    """Read all Shapefiles of an archive, with the names and texts that did not fit into them."""
    with zipfile.ZipFile(path) as archive:
        files = archive.namelist()
        tables = [name for name in files if name.endswith(".dbf")]
        assert all(name.replace(".dbf", ".cpg") in files for name in tables)
        (fields,) = [pd.read_csv(archive.open(name)) for name in files if name.endswith("_fields.csv")]
        long = [pd.read_csv(archive.open(name), dtype=str) for name in files if name.endswith("_long_texts.csv")]
        spatial = [name.replace(".dbf", ".shp") if name.replace(".dbf", ".shp") in files else name for name in tables]
    short, names = fields.columns[:2]
    found = pd.concat([pyogrio.read_dataframe(f"/vsizip/{path}/{name}") for name in spatial])
    found = found.rename(columns=dict(zip(fields[short], fields[names], strict=True))).set_index("id")
    assert (fields[fields.columns[5]].sum() > 0) == bool(long)
    for key, field, text in long[0].itertuples(index=False) if long else []:
        if pd.isna(found.at[key, field]):  # a number for which there is no room
            assert abs(float(text)) >= 1e15
            found.at[key, field] = float(text)
            continue
        assert text.encode().startswith(found.at[key, field].encode())
        assert len(found.at[key, field].encode()) > 250
        found.at[key, field] = text
    return found


def plain(value):
    """A value as all formats can have it: lists joined, times as text, numbers as numbers; empty is nothing."""
    if isinstance(value, list | np.ndarray):
        return ";".join(value)
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%dT%H:%M:%S") if value.tzinfo else value.strftime("%Y-%m-%d")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bool | np.bool_):
        return float(value)
    if isinstance(value, int | float | np.integer | np.floating):
        return float(value)
    text = str(value)
    if text in ("true", "false"):
        return float(text == "true")
    try:
        return float(text)
    except ValueError:
        return re.sub(r"(T\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00(:?00)?)$", r"\1", text).replace("\r\n", "\n") or None


def assert_same(table, features, tolerance, to=None):
    assert sorted(table.index) == sorted(item["id"] for item in features)
    for feature in features:
        row = table.loc[feature["id"]]
        for name, value in feature["properties"].items():
            assert plain(row[name]) == plain(value), (feature["id"], name)
        wanted = shape(feature["geometry"])
        wanted = wanted if to is None else transform(to, wanted)
        got = row.geometry
        # A Shapefile has no type for several of a kind, and turns the rings its own way.
        assert shapely.hausdorff_distance(got, wanted) < tolerance, feature["id"]
        assert got.geom_type.removeprefix("Multi") == wanted.geom_type.removeprefix("Multi")


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("form", FORMATS)
def test_every_layer_in_every_format(client, everything, tmp_path, layer, form):
    answer = client.get(f"/collections/{layer}/export", params={"f": form})
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == TYPES[form]
    assert answer.headers["content-crs"] == f"<{CRS84}>"
    table = read(form, answer.content, tmp_path)
    assert_same(table, everything(layer), 2e-7)
    if form in FILES:
        assert table.crs.to_epsg() == 4326


@pytest.mark.parametrize(
    ("layer", "code"),
    [("worksites", 4326), ("facilities", 26191), ("districts", 26191), ("worksites", 3857), ("districts", 32629)],
)
@pytest.mark.parametrize("form", FORMATS)
def test_every_crs_has_its_axes(client, everything, tmp_path, layer, form, code):
    answer = client.get(f"/collections/{layer}/export", params={"f": form, "crs": f"{EPSG}{code}", "lang": "ar"})
    assert answer.headers["content-language"] == "ar"
    # Files and tables have x before y; KML has no other system than degrees.
    degrees = form == "kml" or (code == 4326 and form not in ("json", "jsonseq"))
    assert answer.headers["content-crs"] == (f"<{CRS84}>" if degrees else f"<{EPSG}{code}>")
    table = read(form, answer.content, tmp_path, north_first=code == 4326 and form in ("json", "jsonseq"))
    metres = code != 4326 and form != "kml"
    to = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform if metres else None
    assert_same(table, everything(layer), 0.05 if metres else 2e-7, to)
    if form in FILES:
        assert table.crs.to_epsg() == (4326 if form == "kml" else code)


@pytest.mark.parametrize("form", FORMATS)
def test_a_page_is_a_page_in_every_format(client, tmp_path, form):
    query = {"category": "pharmacy", "sortby": "-name_fr", "limit": "7"}
    features = client.get("/collections/facilities/items", params=query).json()["features"]
    answer = client.get("/collections/facilities/items", params={**query, "f": form})
    table = read(form, answer.content, tmp_path)
    assert_same(table, features, 2e-7)
    assert list(table.index) == [item["id"] for item in features]
    if form != "json":
        assert answer.headers["ogc-numberreturned"] == "7"
        assert 'rel="next"' in answer.headers["link"]
        assert f"f={form}" in answer.headers["link"]


@pytest.mark.parametrize("form", FORMATS)
def test_pages_go_on_in_their_format(client, tmp_path, form):
    seen = []
    address = f"/collections/worksites/items?f={form}&limit=20"
    while address:
        answer = client.get(address)
        seen += list(read(form, answer.content, tmp_path).index)
        found = re.search(r'<([^>]+)>; rel="next"', answer.headers["link"])
        address = found and found[1]
    assert len(seen) == len(set(seen)) == 43


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("what", ["export", "items"])
def test_accept_chooses_the_format(client, form, what):
    address = f"/collections/transport-lines/{what}"
    chosen = client.get(address, headers={"Accept": f"{TYPES[form]}, */*;q=0.1"})
    assert chosen.headers["content-type"].split(";")[0] == TYPES[form]
    assert "Accept" in chosen.headers["vary"]


@pytest.mark.parametrize("form", FORMATS)
def test_only_what_was_asked_for(client, everything, tmp_path, form):
    query = {"f": form, "properties": "name_ar,category", "filter": "category='school' AND name_fr LIKE 'L%'"}
    table = read(form, client.get("/collections/facilities/export", params=query).content, tmp_path)
    wanted = [
        item
        for item in everything("facilities")
        if item["properties"]["category"] == "school" and item["properties"]["name_fr"].startswith("L")
    ]
    assert wanted
    assert set(table.columns) - {"geometry", "Name", "bbox"} == {"name_ar", "category"}
    kept = [
        {**item, "properties": {key: item["properties"][key] for key in ("name_ar", "category")}} for item in wanted
    ]
    assert_same(table, kept, 2e-7)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("layer", ["districts", "worksites"])
def test_without_geometry(client, everything, tmp_path, form, layer):
    answer = client.get(f"/collections/{layer}/export", params={"f": form, "skipGeometry": "true"})
    assert answer.status_code == 200
    table = read(form, answer.content, tmp_path)
    assert sorted(table.index) == sorted(item["id"] for item in everything(layer))
    assert "geometry" not in table or table.geometry.isna().all()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("layer", ["facilities", "worksites"])
def test_no_feature_at_all(client, tmp_path, form, layer):
    for what in ("export", "items") if layer == "worksites" else ("export",):
        answer = client.get(f"/collections/{layer}/{what}", params={"f": form, "bbox": "10,10,11,11"})
        assert answer.status_code == 200
        table = read(form, answer.content, tmp_path) if form not in ("json", "jsonseq") else []
        assert len(table) == 0
        if form == "json":
            assert answer.json()["features"] == []
        if form == "jsonseq":
            assert answer.content == b""


# -- what a text may hold -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def odd():
    """Rows that formats trip over."""
    return [
        {"id": "quotes", "name_fr": 'Dit "le Grand", rue\r\ndu Port; no\t3', "remark": "l'une\nl'autre\r\n"},
        {"id": "formula", "name_fr": '=HYPERLINK("http://x")', "remark": "@SUM(A1)", "tags": ["+1+cmd|' /C calc'!A0"]},
        {"id": "phone", "name_fr": "+212 522 39 00 43", "remark": "-12,5"},
        {"id": "control", "name_fr": "a\x01b\x0b\x1bc\ufffe\uffff<&>]]>", "remark": "\x7f\u200f"},
        {"id": "long", "name_fr": "é" * 300, "remark": "ش" * 5000},
        {"id": "empty", "name_fr": "Vide", "remark": "", "tags": []},
        {"id": "null", "name_fr": "null", "remark": None, "tags": None, "amount": None, "open": None},
        {"id": "lists", "name_fr": "Listes", "tags": ["un", "deux, trois", 'qu"atre', ""]},
        {"id": "numbers", "name_fr": "Nombres", "amount": 2**63 - 1, "height_m": 1e300, "open": True},
        {"id": "small", "name_fr": "Petits", "amount": -(2**63), "height_m": 0.1, "open": False},
        {"id": "times", "name_fr": "Temps", "start": "0001-01-01", "seen": "2026-01-05T23:30:01.123456Z"},
        {"id": "open-end", "name_fr": "Sans fin", "start": "infinity", "seen": "-infinity"},
        {"id": "before", "name_fr": "Avant", "start": "0044-03-15 BC", "seen": "12000-01-01"},
        {"id": "clés\u202e/?#", "name_fr": "Identifiant", "remark": '{"json": [1]}'},
        {"id": "arabic", "name_fr": "عربي داخل الحقل", "remark": "«نص» مختلط avec du français"},
    ]


@pytest.fixture
def strange(workshop, serve, odd):
    """A service whose layer has them."""
    for name, kind in (
        ("remark", "text"),
        ("tags", "text[]"),
        ("amount", "integer"),
        ("height_m", "number"),
        ("open", "boolean"),
        ("start", "date"),
        ("seen", "timestamp"),
    ):
        workshop.add(name, kind)
    workshop.ingest(workshop.csv("first,Un,واحد,-7.6,33.5"))
    workshop.sql("DELETE FROM features.libraries")
    for row in odd:
        names = list(row)
        workshop.sql(
            f"INSERT INTO features.libraries ({', '.join(names)}, name_ar, geom) VALUES ({', '.join(['%s'] * len(names))}, "
            "'اسم', ST_SetSRID(ST_MakePoint(-7.6, 33.5), 4326))",
            *row.values(),
        )
    return serve(workshop.url)


def export(address, form, **query):
    answer = httpx.get(f"{address}/collections/libraries/export", params={"f": form, **query}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def test_strange_values_arrive_in_every_format(strange, tmp_path, odd):
    for form in FORMATS:
        assert_strange(read(form, export(strange, form).content, tmp_path), odd, form)


def assert_strange(table, odd, form):
    assert sorted(table.index) == sorted(row["id"] for row in odd)
    for row in odd:
        got = table.loc[row["id"]]
        for name in ("name_fr", "remark"):
            wanted = row.get(name)
            if form == "csv" and wanted and wanted[0] in "=@":
                wanted = f"'{wanted}"
            if form == "kml" and wanted:
                wanted = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", wanted)
            if form in ("kml", "shp") and wanted:
                assert plain(got[name]).split() == wanted.split(), (form, row["id"], name)
            else:
                assert plain(got[name]) == plain(wanted), (form, row["id"], name)


def test_numbers_times_and_lists_keep_their_types(strange, tmp_path):
    for form in ("gpkg", "fgb", "parquet"):
        assert_types(form, export(strange, form).content, tmp_path)


def assert_types(form, body, tmp_path):
    path = tmp_path / f"x.{form}"
    path.write_bytes(body)
    table = (pq.read_table(path) if form == "parquet" else pyogrio.read_arrow(path)[1]).to_pydict()
    rows = {key: {name: table[name][number] for name in table} for number, key in enumerate(table["id"])}
    assert (rows["numbers"]["amount"], rows["small"]["amount"]) == (2**63 - 1, -(2**63))
    assert (rows["numbers"]["height_m"], rows["small"]["height_m"]) == (1e300, 0.1)
    assert (rows["numbers"]["open"], rows["small"]["open"], rows["null"]["open"]) == (True, False, None)
    assert rows["times"]["start"].isoformat()[:10] == "0001-01-01"
    assert rows["times"]["seen"].isoformat().startswith("2026-01-05T23:30:01.123")
    for key in ("open-end", "before"):
        assert (rows[key]["start"], rows[key]["seen"]) == (None, None)
    lists = [rows[key]["tags"] for key in ("lists", "empty", "null")]
    if form == "parquet":
        assert lists == [["un", "deux, trois", 'qu"atre', ""], [], None]
        assert (rows["empty"]["remark"], rows["null"]["remark"]) == ("", None)
    else:
        assert lists == ['un;deux, trois;qu"atre;', "", None]


def test_csv_is_rfc_4180_and_harmless(strange):
    answer = export(strange, "csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    text = answer.content.decode()
    assert text.startswith("id,name_fr,name_ar,remark,tags,amount,height_m,open,start,seen,geometry\r\n")
    assert '"\'=HYPERLINK(""http://x"")"' in text
    assert "\"'+1+cmd" in text
    assert '"+212 522 39 00 43"' in text
    assert '"-12,5"' in text
    assert '"empty","Vide","اسم","","",' in text
    assert '"null","null","اسم",,,,,,,,' in text
    assert ",infinity,-infinity," in text
    assert export(strange, "csv", bom="true").content == b"\xef\xbb\xbf" + answer.content


def test_csv_of_points_for_spreadsheets(strange):
    table = pd.read_csv(io.BytesIO(export(strange, "csv", **{"geometry-format": "lonlat"}).content))
    assert set(zip(table["lon"], table["lat"], strict=True)) == {(-7.6, 33.5)}
    table = pd.read_csv(io.BytesIO(export(strange, "csv", crs="EPSG:26191", **{"geometry-format": "lonlat"}).content))
    east, north = pyproj.Transformer.from_crs(4326, 26191, always_xy=True).transform(-7.6, 33.5)
    assert table["x"][0] == pytest.approx(east, abs=0.01)
    assert table["y"][0] == pytest.approx(north, abs=0.01)


def test_lon_lat_is_for_points(client):
    answer = client.get("/collections/districts/export", params={"f": "csv", "geometry-format": "lonlat"})
    assert (answer.status_code, answer.json()["parameter"], answer.json()["allowed"]) == (400, "geometry-format", "wkt")
    answer = client.get("/collections/facilities/items", params={"f": "csv", "bom": "maybe"})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "bom")


def test_text_sequences_are_rfc_8142(strange, odd):
    body = export(strange, "jsonseq").content
    records = body.split(b"\x1e")
    assert records[0] == b""
    assert len(records) == len(odd) + 1
    assert all(record.endswith(b"\n") and json.loads(record)["type"] == "Feature" for record in records[1:])


# -- what each format is for ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_geopackage_speaks_the_readers_language(client, tmp_path, lang):
    definition = load_definitions(PROJECT / "data" / "layers")["districts"]
    path = tmp_path / "x.gpkg"
    path.write_bytes(client.get("/collections/districts/export", params={"f": "gpkg", "lang": lang}).content)
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT identifier FROM gpkg_contents").fetchone()[0] == definition.title[lang]
        aliases = dict(database.execute("SELECT column_name, name FROM gpkg_data_columns").fetchall())
    assert aliases["name_fr"] == definition.field("name_fr").label[lang]
    assert len(set(aliases.values())) == len(aliases)


def test_geoparquet_says_all_that_readers_want(client, everything, tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(
        client.get("/collections/worksites/export", params={"f": "parquet", "crs": f"{EPSG}26191"}).content
    )
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"], column["encoding"]) == ("1.1.0", "geometry", "WKB")
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 26191}
    assert set(column["geometry_types"]) == {item["geometry"]["type"] for item in everything("worksites")}
    table = gpd.read_parquet(path)
    assert column["bbox"] == pytest.approx(list(table.total_bounds))
    # Box pushed down to the column of boxes.
    west, south, east, north = table.geometry.iloc[0].bounds
    some = gpd.read_parquet(path, bbox=(west, south, east, north))
    assert 0 < len(some) < len(table)


def test_flatgeobuf_has_an_index_unless_an_order_was_asked_for(client, tmp_path):
    names = {}
    for query in ("", "&sortby=-name_fr"):
        path = tmp_path / "x.fgb"
        path.write_bytes(client.get(f"/collections/facilities/export?f=fgb{query}").content)
        names[query] = list(pyogrio.read_dataframe(path)["name_fr"])
        info = pyogrio.read_info(path)
        assert info["capabilities"]["fast_spatial_filter"] is (query == "")
        path.unlink()
    wanted = client.get("/collections/facilities/items?sortby=-name_fr&limit=10000").json()["features"]
    assert names["&sortby=-name_fr"] == [item["properties"]["name_fr"] for item in wanted]


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_places_in_kml_are_named_in_the_readers_language(client, everything, tmp_path, lang):
    path = tmp_path / "x.kml"
    path.write_bytes(client.get("/collections/facilities/export", params={"f": "kml", "lang": lang}).content)
    table = pyogrio.read_dataframe(path)
    assert list(table["Name"]) == [item["properties"][f"name_{lang}"] for item in everything("facilities")]


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_kml_has_fields_whose_names_it_uses_itself(workshop, serve, tmp_path, lang):
    fields = ["NAME", "Description", "feature_name", "begin", "Icon", "feature_icon", "visibility"]
    for name in fields:
        workshop.add(name, "text")
    workshop.ingest(workshop.csv("first,Un,واحد,-7.6,33.5"))
    written = ", ".join(f"\"{name}\" = 'of {name}'" for name in fields)
    workshop.sql(f"UPDATE features.libraries SET {written}")
    path = tmp_path / "x.kml"
    path.write_bytes(export(serve(workshop.url), "kml", lang=lang).content)
    (row,) = pyogrio.read_dataframe(path).to_dict("records")
    assert row["Name"] == {"fr": "Un", "ar": "واحد"}[lang]
    assert (row["description"], row["icon"], row["visibility"]) == (None, None, -1)
    kept = {
        "feature_NAME_": "NAME",
        "feature_Description": "Description",
        "feature_name": "feature_name",
        "feature_begin": "begin",
        "feature_Icon_": "Icon",
        "feature_icon": "feature_icon",
        "feature_visibility": "visibility",
    }
    assert {given: row[given] for given in kept} == {given: f"of {name}" for given, name in kept.items()}
    assert row["feature_id"] == "first"
    # The standard's own elements, whoever reads them.
    place = ElementTree.parse(path).find(".//{*}Placemark")
    assert place.findtext("{*}name") == row["Name"]
    assert place.find("{*}description") is None
    data = {item.get("name"): item.text for item in place.iterfind("{*}ExtendedData//{*}SimpleData")}
    assert data.items() >= {given: f"of {name}" for given, name in kept.items()}.items()


def test_a_mixed_layer_is_several_shapefiles(client, everything, tmp_path):
    body = client.get("/collections/worksites/export?f=shp&lang=ar").content
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = archive.namelist()
        table = archive.read("worksites_fields.csv").decode("utf-8-sig")
        assert archive.read("worksites_lines.cpg") == b"UTF-8"
    assert {Path(name).stem for name in names} == {"worksites_points", "worksites_lines", "worksites_fields"}
    assert "distr_code,district_code,المقاطعة" in table
    path = tmp_path / "x.zip"
    path.write_bytes(body)
    lines = pyogrio.read_dataframe(f"/vsizip/{path}/worksites_lines.shp")
    wanted = [item for item in everything("worksites") if item["geometry"]["type"] == "LineString"]
    assert sorted(lines["id"]) == sorted(item["id"] for item in wanted)
    assert "distr_code" in lines.columns


def test_collections_of_geometries_are_taken_apart_for_shapefiles(workshop, serve, tmp_path):
    workshop.raw["geometry"] = {"type": "Geometry", "quality": "surveyed"}
    workshop.ingest(workshop.csv("first,Un,واحد,-7.6,33.5"))
    shapes = {
        "mixed": "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1),GEOMETRYCOLLECTION(POINT(3 4),POLYGON((0 0,1 0,1 1,0 0))))",
        "points": "MULTIPOINT(1 1,2 2)",
        "area": "POLYGON((5 5,6 5,6 6,5 5))",
        "areas": "MULTIPOLYGON(((5 5,6 5,6 6,5 5)),((7 7,8 7,8 8,7 7)))",
    }
    for key, wkt in shapes.items():
        workshop.sql(
            "INSERT INTO features.libraries (id, name_fr, name_ar, geom) VALUES (%s, 'x', 'س', ST_GeomFromText(%s, 4326))",
            key,
            wkt,
        )
    path = tmp_path / "x.zip"
    path.write_bytes(export(serve(workshop.url), "shp").content)
    found = {}
    for part in ("points", "multipoints", "lines", "areas"):
        table = pyogrio.read_dataframe(f"/vsizip/{path}/libraries_{part}.shp")
        found[part] = {key: item.wkt for key, item in zip(table["id"], table.geometry, strict=True)}
    assert set(found["points"]) == {"first"}
    assert set(found["multipoints"]) == {"mixed", "points"}
    assert found["multipoints"]["mixed"] == "MULTIPOINT ((1 2), (3 4))"
    assert set(found["lines"]) == {"mixed"}
    assert set(found["areas"]) == {"mixed", "area", "areas"}


@given(st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,47}", fullmatch=True), unique_by=str.lower, max_size=60))
def test_short_names_are_short_and_differ(names):
    short = short_names(names)
    assert list(short) == names
    assert all(1 <= len(name) <= 10 for name in short.values())
    assert len({name.lower() for name in short.values()}) == len(names)
    assert all(short[name] == name for name in names if len(name) <= 10)


def test_short_names_tell_languages_and_years_apart():
    names = [
        "population_2014",
        "population_2024",
        "description_fr",
        "description_ar",
        "a_very_long_name",
        "a_very_long_field",
    ]
    assert list(short_names(names).values()) == [
        "popul_2014",
        "popul_2024",
        "descrip_fr",
        "descrip_ar",
        "a_ver_name",
        "a_very_lon",
    ]


def test_whole_numbers_in_kml_are_numbers(workshop, serve, tmp_path):
    for name, kind in (
        ("seats", "integer"),
        ("large", "integer"),
        ("none", "integer"),
        ("ratio", "number"),
        ("note", "text"),
    ):
        workshop.add(name, kind)
    rows = [(1, 2**31 - 1, 0.5), (-(2**31), 2**31, 1.5), (None, None, None)]
    workshop.ingest(
        workshop.geojson(
            *({"id": str(n), "seats": a, "large": b, "ratio": c, "note": "1"} for n, (a, b, c) in enumerate(rows))
        )
    )
    path = tmp_path / "x.kml"
    path.write_bytes(export(serve(workshop.url), "kml").content)
    fields = ElementTree.parse(path).iterfind(".//{*}SimpleField")
    types = {item.get("name"): item.get("type") for item in fields}
    assert {name: types[name] for name in ("seats", "large", "none", "ratio", "note")} == {
        "seats": "int", "large": "string", "none": "int", "ratio": "float", "note": "string"}  # fmt: skip
    table = pyogrio.read_dataframe(path)
    assert table["seats"].dropna().tolist() == [1, -(2**31)]
    assert table["large"].dropna().astype(int).tolist() == [2**31 - 1, 2**31]
