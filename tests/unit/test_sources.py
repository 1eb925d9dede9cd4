"""Data files: every row is taken as it stands or rejected with the reason; a file that can't be read says so."""

import json

import numpy as np
import pytest
from shapely.geometry import shape

from geo.errors import IngestError
from layers.sources import directory_rows, read_source

HEADER = "id,name_fr,name_ar,kind,lon,lat\n"
HERE = {"type": "Point", "coordinates": [-7.6, 33.5]}


@pytest.fixture
def read(raw, parse, tmp_path):
    """Read a file of the given content into the small layer, changed by ``change``."""

    def _read(name, content, change=lambda raw: None, **options):
        change(raw)
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_source(parse(raw), path, data_dir=tmp_path, **options)

    return _read


def geojson(*features, **more):
    found = [
        {"type": "Feature", "geometry": geometry, "properties": {"name_fr": "Un", "name_ar": "واحد", **properties}}
        for geometry, properties in features
    ]
    return json.dumps({"type": "FeatureCollection", "features": found, **more})


def reasons(source):
    return [(item.row, item.code) for item in source.rejected]


def extra(kind, name="extra"):
    def change(raw):
        raw["fields"].append({"name": name, "type": kind, "label": raw["title"]})

    return change


def values(source):
    return [row.values[-1] for row in source.rows]


def test_good_rows_are_taken_in_order(read):
    source = read("a.csv", HEADER + "b,Un,واحد,public,-7.6,33.5\na,Deux,اثنان,,-7.5,33.6\n")
    assert [row.id for row in source.rows] == ["b", "a"]
    assert source.rows[1].values[:3] == ("Deux", "اثنان", None)
    assert source.rows[0].geometry.coords[0] == (-7.6, 33.5)
    assert (source.read, source.rejected, source.repaired) == (2, [], 0)


def test_every_wrong_row_has_its_number_and_reason(read):
    rows = [
        "good,Un,واحد,public,-7.6,33.5",
        "good,Un,واحد,public,-7.6,33.5",
        ",Un,واحد,public,-7.6,33.5",
        "a/b,Un,واحد,public,-7.6,33.5",
        "no-name,,واحد,public,-7.6,33.5",
        "kind,Un,واحد,private,-7.6,33.5",
        "no-place,Un,واحد,public,,",
        "word,Un,واحد,public,west,33.5",
        "nan,Un,واحد,public,nan,33.5",
        "metres,Un,واحد,public,297000,330000",
        "\u202etrick,Un,واحد,public,-7.6,33.5",
    ]
    source = read("a.csv", HEADER + "\n".join(rows) + "\n")
    assert [row.id for row in source.rows] == ["good"]
    assert source.read == len(source.rows) + len(source.rejected)
    assert reasons(source) == [
        (2, "ingest.id-twice"),
        (3, "ingest.id-invalid"),
        (4, "ingest.id-invalid"),
        (5, "ingest.value-missing"),
        (6, "ingest.value-allowed"),
        (7, "ingest.geometry-missing"),
        (8, "ingest.geometry-missing"),
        (9, "ingest.geometry-infinite"),
        (10, "ingest.geometry-degrees"),
        (11, "ingest.id-invalid"),
    ]


@pytest.mark.parametrize("key", [".", ".."])
def test_an_id_that_no_address_can_have_is_rejected(read, key):
    assert reasons(read("a.csv", HEADER + f"{key},Un,واحد,,-7.6,33.5\n")) == [(1, "ingest.id-invalid")]


def test_a_comma_at_the_end_of_lines_does_not_shift_the_columns(read):
    source = read("a.csv", HEADER + "x,Un,واحد,public,-7.6,33.5,\ny,Deux,اثنان,,-7.6,33.5,\n")
    assert [(row.id, row.values[0]) for row in source.rows] == [("x", "Un"), ("y", "Deux")]


def test_a_short_line_is_one_rejected_row(read):
    source = read("a.csv", HEADER + "x,Un,واحد\ny,Deux,اثنان,,-7.6,33.5\n")
    assert reasons(source) == [(1, "ingest.cells")]
    assert [row.id for row in source.rows] == ["y"]


def test_columns_that_the_layer_has_not_are_named(read):
    source = read("a.csv", "shoe,id,name_fr,name_ar,lon,lat\n1,x,Un,واحد,-7.6,33.5\n")
    assert source.ignored_columns == ["shoe"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", HEADER.encode() + "x,Un,مكتبة,,1,2".encode("cp1256"), "ingest.encoding"),
        ("a.csv", (HEADER + "x,Un,مكتبة,,1,2").encode("utf-16"), "ingest.encoding"),
        ("a.csv", b"", "ingest.unreadable"),
        ("a.csv", HEADER + 'x,"Un,\xd9', "ingest.unreadable"),
        ("a.csv", HEADER.replace(",", ";") + "x;Un;مكتبة;;1;2", "ingest.missing-column"),
        ("a.csv", HEADER.replace("name_ar", "arabic") + "x,Un,مكتبة,,1,2", "ingest.missing-column"),
        ("a.csv", HEADER.replace("lat", "y") + "x,Un,مكتبة,,1,2", "ingest.missing-column"),
        ("a.geojson", '{"type":"FeatureCollec', "ingest.unreadable"),
        ("a.gpkg", b"SQLite format 3\0" + bytes(200), "ingest.unreadable"),
        ("a.txt", "hello", "ingest.unreadable"),
        ("a.json", '{"rows":[1,2,3]}', "ingest.unreadable"),
    ],
)
def test_a_file_that_can_not_be_used_says_why(read, name, content, code):
    with pytest.raises(IngestError) as caught:
        read(name, content)
    assert caught.value.code == code
    assert caught.value.params["file"] == name


def test_a_file_that_is_not_there_says_so(raw, parse, tmp_path):
    with pytest.raises(IngestError) as caught:
        read_source(parse(raw), tmp_path / "none.csv", data_dir=tmp_path)
    assert caught.value.code == "ingest.no-file"


@pytest.mark.parametrize("name", ["a.csv", "a.geojson"])
@pytest.mark.parametrize("srid", [1, 999_999])
def test_an_srid_that_nobody_knows_is_refused(read, name, srid):
    content = HEADER + "x,Un,واحد,,1,2\n" if name == "a.csv" else geojson((HERE, {}))
    with pytest.raises(IngestError) as caught:
        read(name, content, srid=srid)
    assert caught.value.code == "ingest.srid-unknown"


def test_metres_of_the_planners_grid_become_degrees(read):
    source = read("a.csv", HEADER + "x,Un,واحد,,297000,330000\n", srid=26191)
    lon, lat = source.rows[0].geometry.coords[0]
    assert -7.7 < lon < -7.5
    assert 33.4 < lat < 33.7


@pytest.mark.parametrize("far", ["1e300", "-1e308"])
def test_a_place_beyond_the_grid_is_rejected(read, far):
    def lines(raw):
        raw["geometry"]["type"] = "LineString"
        raw["data"] = {"geometry": {"wkt": "way"}}

    source = read(
        "a.csv", f'id,name_fr,name_ar,way\nx,Un,واحد,"LINESTRING(297000 330000,{far} 330000)"\n', lines, srid=26191
    )
    assert reasons(source) == [(1, "ingest.geometry-infinite")]


def test_a_broken_ring_is_one_rejected_row(read):
    def areas(raw):
        raw["geometry"]["type"] = "Polygon"

    good = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 0]]]}
    broken = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}
    source = read("a.geojson", geojson((broken, {}), (good, {})), areas)
    assert [row.id for row in source.rows] == ["a-2"]
    assert [item.row for item in source.rejected] == [1]


def test_a_repaired_geometry_is_counted(read):
    def areas(raw):
        raw["geometry"]["type"] = "MultiPolygon"

    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
    assert read("a.geojson", geojson((bow_tie, {})), areas).repaired == 1


def test_features_without_geometry_are_rejected(read):
    source = read("a.geojson", geojson((None, {}), (HERE, {})))
    assert reasons(source) == [(1, "ingest.geometry-missing")]


def test_numbers_beside_nulls_stay_what_they_are(read):
    source = read("a.geojson", geojson((HERE, {"extra": 20000}), (HERE, {"extra": None})), extra("text"))
    assert values(source) == ["20000", None]


def test_large_numbers_beside_nulls_keep_every_digit(read):
    source = read("a.geojson", geojson((HERE, {"extra": 2**53 + 1}), (HERE, {"extra": None})), extra("integer"))
    assert values(source) == [2**53 + 1, None]


def test_truth_beside_nulls_stays_truth(read):
    source = read(
        "a.geojson",
        geojson((HERE, {"extra": True}), (HERE, {"extra": None}), (HERE, {"extra": False})),
        extra("boolean"),
    )
    assert values(source) == [True, None, False]


def test_texts_that_look_like_dates_stay_texts(read):
    source = read("a.geojson", geojson((HERE, {"extra": "2026-01-05"}), (HERE, {"extra": None})), extra("text"))
    assert values(source) == ["2026-01-05", None]


def test_lists_of_texts_stay_lists(read):
    source = read("a.geojson", geojson((HERE, {"extra": ["a b", "c"]}), (HERE, {"extra": None})), extra("text[]"))
    assert values(source) == [["a b", "c"], None]


def test_one_number_out_of_range_is_one_rejected_row(read):
    source = read("a.geojson", geojson((HERE, {"extra": 1e25}), (HERE, {"extra": 5})), extra("integer"))
    assert reasons(source) == [(1, "ingest.value-type")]


def test_ids_may_be_numbers(read):
    source = read("a.geojson", geojson((HERE, {"id": 7}), (HERE, {"id": None}), (HERE, {"id": 8})))
    assert [row.id for row in source.rows] == ["7", "8"]


def test_rows_without_any_id_are_numbered(read):
    assert [row.id for row in read("plan.geojson", geojson((HERE, {}), (HERE, {}))).rows] == ["plan-1", "plan-2"]


def test_an_id_column_that_the_definition_names_must_be_there(read):
    with pytest.raises(IngestError) as caught:
        read("a.csv", HEADER + "x,Un,واحد,,1,2\n", lambda raw: raw.update(data={"id": "code"}))
    assert caught.value.code == "ingest.missing-column"


def test_a_path_through_points_that_are_unknown_is_rejected(read, tmp_path):
    (tmp_path / "points.csv").write_text("key,lon,lat\na,1,2\nb,3,4\n")

    def lines(raw):
        raw["geometry"]["type"] = "LineString"
        raw["data"] = {"geometry": {"path": "way", "points": "points.csv", "key": "key"}}

    source = read("a.csv", "id,name_fr,name_ar,way\nx,Un,واحد,a b\ny,Un,واحد,a z\nz,Un,واحد,\nw,Un,واحد,a\n", lines)
    assert [row.geometry.wkt for row in source.rows] == ["LINESTRING (1 2, 3 4)"]
    assert reasons(source) == [
        (2, "ingest.geometry-missing"),
        (3, "ingest.geometry-missing"),
        (4, "ingest.geometry-type"),
    ]


def test_wrong_well_known_text_is_rejected(read):
    def wkt(raw):
        raw["data"] = {"geometry": {"wkt": "place"}}

    source = read("a.csv", "id,name_fr,name_ar,place\nx,Un,واحد,POINT(1 2)\ny,Un,واحد,POINT(1\nz,Un,واحد,\n", wkt)
    assert reasons(source) == [(2, "ingest.geometry-missing"), (3, "ingest.geometry-missing")]


def test_the_directory_needs_its_columns(tmp_path):
    (tmp_path / "directory.csv").write_text("id,category,name_fr,source\nx,body,Corps,s\n")
    with pytest.raises(IngestError) as caught:
        directory_rows(tmp_path / "directory.csv")
    assert caught.value.params["column"] == "name_ar"


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "LineString", "coordinates": [[-90, 0], [90, 0]]},
        {"type": "Polygon", "coordinates": [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]},
    ],
)
def test_no_edge_leads_to_an_antipode(read, geometry):
    (row,) = read(
        "a.geojson", geojson((geometry, {"id": "x"})), lambda raw: raw["geometry"].update(type="Geometry")
    ).rows
    assert row.geometry.equals(shape(geometry))
    corners = np.array(row.geometry.coords if geometry["type"] == "LineString" else row.geometry.exterior.coords)
    assert np.abs(np.diff(corners, axis=0)).max() <= 90
