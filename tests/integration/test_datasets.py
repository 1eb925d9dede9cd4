"""Datasets: ingest replaces its own rows and nobody else's, and accounts for every row."""

import json
import shutil

import pytest

from api.settings import PROJECT
from geo.errors import IngestError
from layers.shipped import load_shipped

A, B, C = "a,Un,واحد,-7.6,33.5", "b,Deux,اثنان,-7.5,33.6", "c,Trois,ثلاثة,-7.4,33.7"


def counts(report):
    return (report.read, report.inserted, report.updated, report.unchanged, report.deleted, len(report.rejected))


def accounted(report):
    return report.read == report.inserted + report.updated + report.unchanged + len(report.rejected)


def test_a_second_time_nothing_changes(workshop):
    workshop.ingest(workshop.csv(A, B))
    before = workshop.sql("SELECT fid, id, updated_at FROM features.libraries ORDER BY fid")
    again = workshop.ingest(workshop.csv(A, B))
    assert counts(again) == (2, 0, 0, 2, 0, 0)
    assert not again.changed
    assert again.notes == []
    assert workshop.sql("SELECT fid, id, updated_at FROM features.libraries ORDER BY fid") == before


def test_every_type_stays_unchanged_a_second_time(workshop):
    for kind in ("text", "integer", "number", "boolean", "date", "timestamp", "text[]"):
        workshop.add("of_" + kind.strip("[]") + "_" + str(len(kind)), kind)
    header = ",".join(item["name"] for item in workshop.raw["fields"][2:])
    full = f"{A},été,5,1.5,yes,2026-01-05,2026-01-05T08:00:00Z,x y;z"
    workshop.ingest(workshop.csv(full, f"{B},,,,,,,", header=header))
    again = workshop.ingest(workshop.csv(full, f"{B},,,,,,,", header=header))
    assert (counts(again), again.notes) == ((2, 0, 0, 2, 0, 0), [])


def test_a_changed_file_inserts_updates_and_deletes(workshop):
    workshop.ingest(workshop.csv(A, B))
    report = workshop.ingest(workshop.csv(B.replace("Deux", "Second"), C))
    assert counts(report) == (2, 1, 1, 0, 1, 0)
    assert workshop.ids() == [("b", "plan"), ("c", "plan")]
    assert workshop.sql("SELECT name_fr FROM features.libraries WHERE id = 'b'") == [("Second",)]


def test_a_place_that_moved_is_updated(workshop):
    workshop.ingest(workshop.csv(A))
    assert workshop.ingest(workshop.csv(A.replace("-7.6", "-7.61"))).updated == 1


def test_datasets_live_side_by_side(workshop):
    workshop.ingest(workshop.csv(A))
    workshop.ingest(workshop.csv(B, name="other.csv"))
    workshop.ingest(workshop.csv(C), dataset="third")
    assert workshop.ids() == [("a", "plan"), ("b", "other"), ("c", "third")]
    workshop.ingest(workshop.csv(C.replace("c,", "d,"), name="other.csv"))
    assert workshop.ids() == [("a", "plan"), ("c", "third"), ("d", "other")]


def test_a_row_whose_new_version_is_wrong_keeps_its_old_one(workshop):
    workshop.ingest(workshop.csv(A, B))
    report = workshop.ingest(workshop.csv(A, B.replace("Deux", "")))
    assert counts(report) == (2, 0, 0, 1, 0, 1)
    assert workshop.sql("SELECT name_fr FROM features.libraries WHERE id = 'b'") == [("Deux",)]


def test_an_id_of_another_dataset_is_rejected_and_reported(workshop):
    workshop.ingest(workshop.csv(A))
    report = workshop.ingest(workshop.csv(A.replace("Un", "Mine"), B, name="other.csv"))
    assert counts(report) == (2, 1, 0, 0, 0, 1)
    assert [(item.row, item.id, item.code) for item in report.rejected] == [(1, "a", "ingest.id-taken")]
    assert workshop.sql("SELECT name_fr, dataset FROM features.libraries WHERE id = 'a'") == [("Un", "plan")]


@pytest.mark.parametrize("name", ["local", "shipped"])
def test_the_users_own_and_the_shipped_rows_can_not_be_replaced_by_a_file(workshop, name):
    workshop.ingest(workshop.csv(A))
    workshop.sql(
        "INSERT INTO features.libraries (id, name_fr, name_ar, geom) VALUES ('u', 'x', 'y', 'SRID=4326;POINT(-7 33)')"
    )
    for file, options in ((workshop.csv(B, name=f"{name}.csv"), {}), (workshop.csv(B), {"dataset": name})):
        with pytest.raises(IngestError) as caught:
            workshop.ingest(file, **options)
        assert caught.value.code == "ingest.dataset-reserved"
    assert workshop.ids() == [("a", "plan"), ("u", "local")]


def test_wrong_rows_are_rejected_and_the_rest_is_loaded(workshop):
    report = workshop.ingest(workshop.csv(A, "b,,اثنان,-7.5,33.6", "c,Trois,ثلاثة,,", A, "d,Quatre,أربعة,-7.4,33.7"))
    assert workshop.ids() == [("a", "plan"), ("d", "plan")]
    assert counts(report) == (5, 2, 0, 0, 0, 3)
    assert accounted(report)
    assert {item.row: item.code for item in report.rejected} == {
        2: "ingest.value-missing",
        3: "ingest.geometry-missing",
        4: "ingest.id-twice",
    }


@pytest.mark.parametrize(
    ("rows", "code"), [(["x,,واحد,-7.6,33.5", "y,Un,واحد,,"], "ingest.no-row-fits"), ([], "ingest.empty")]
)
def test_when_no_row_fits_nothing_is_changed(workshop, rows, code):
    workshop.ingest(workshop.csv(A))
    version = workshop.sql("SELECT version FROM catalogue.layers")
    with pytest.raises(IngestError) as caught:
        workshop.ingest(workshop.csv(*rows))
    assert caught.value.code == code
    assert workshop.ids() == [("a", "plan")]
    assert workshop.sql("SELECT version FROM catalogue.layers") == version


def test_a_file_without_a_coordinate_system_is_refused_until_it_is_named(workshop):
    import geopandas as gpd

    path = workshop.folder / "plan.gpkg"
    frame = gpd.GeoDataFrame(
        {"id": ["a"], "name_fr": ["Un"], "name_ar": ["واحد"]}, geometry=gpd.points_from_xy([297000], [330000])
    )
    with pytest.warns(UserWarning, match="crs"):
        frame.to_file(path, engine="pyogrio")
    with pytest.raises(IngestError) as caught:
        workshop.ingest(path)
    assert caught.value.code == "ingest.no-crs"
    assert workshop.ingest(path, srid=26191).inserted == 1


def test_the_layer_of_a_file_with_several_is_chosen_by_name(workshop):
    import geopandas as gpd

    path = workshop.folder / "plan.gpkg"
    for name in ("first", "second"):
        frame = gpd.GeoDataFrame(
            {"id": [name], "name_fr": [name], "name_ar": ["واحد"]},
            geometry=gpd.points_from_xy([-7.6], [33.5]),
            crs=4326,
        )
        frame.to_file(path, layer=name, engine="pyogrio")
    workshop.ingest(path, source_layer="second")
    assert workshop.ids() == [("second", "plan")]
    with pytest.raises(IngestError):
        workshop.ingest(path, source_layer="third")


@pytest.fixture
def shipment(workshop):
    """Load the shipped data from a copy that the test may change."""
    folder = workshop.folder / "data"
    shutil.copytree(PROJECT / "data", folder)

    def load(force=False):
        return load_shipped(workshop.url, folder, lambda *_: None, force)

    load.folder = folder
    return load


def test_shipped_data_is_loaded_once_and_then_only_what_changed(workshop, shipment):
    first = {report.layer: report for report in shipment()}
    assert set(first) == {"directory", "districts", "facilities", "transport-stops", "transport-lines", "worksites"}
    assert all(accounted(report) and not report.rejected for report in first.values())
    assert shipment() == []
    path = shipment.folder / "facilities.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines[:-1], lines[-1].replace("-7.", "-7.0", 1)]), encoding="utf-8")
    (changed,) = shipment()
    assert (changed.layer, changed.inserted, changed.updated, changed.deleted) == ("facilities", 0, 1, 0)


def test_institutions_have_the_district_that_they_lie_in(workshop, shipment):
    path = shipment.folder / "directory.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    names = lines[0].split(",")

    def row(key, lon, lat, code=""):
        given = {"id": key, "category": "other", "name_fr": key, "name_ar": key, "source": "x"}
        return ",".join({**given, "lon": lon, "lat": lat, "district_code": code}.get(name, "") for name in names)

    # In Anfa, in the sea, named otherwise by the file, and nowhere.
    more = [
        row("a", "-7.6399", "33.5946"),
        row("b", "-8", "34"),
        row("c", "-7.6399", "33.5946", "06.141.01.31"),
        row("d", "", ""),
    ]
    path.write_text("\n".join([*lines, *more]) + "\n", encoding="utf-8")
    shipment()
    stated = "SELECT id, district_code FROM directory.entries WHERE id IN ('a', 'b', 'c', 'd') ORDER BY id"
    (anfa,) = workshop.sql(
        "SELECT id FROM features.districts WHERE ST_Covers(geom, ST_SetSRID(ST_MakePoint(-7.6399, 33.5946), 4326))"
    )
    assert workshop.sql(stated) == [("a", *anfa), ("b", None), ("c", "06.141.01.31"), ("d", None)]
    assert shipment() == []
    assert all(not report.changed for report in shipment(force=True))
    # Other limits, other districts.
    districts = shipment.folder / "districts.geojson"
    districts.write_text(districts.read_text(encoding="utf-8").replace(anfa[0], "06.141.01.99"), encoding="utf-8")
    shipment()
    assert ("a", "06.141.01.99") in workshop.sql(stated)


def test_loading_again_changes_nothing(workshop, shipment):
    shipment()
    for report in shipment(force=True):
        assert not report.changed, report.layer
        assert report.unchanged == report.read


def test_what_users_added_survives_every_upgrade(workshop, shipment):
    shipment()
    workshop.sql(
        "INSERT INTO directory.entries (id, category, name_fr, name_ar, source) VALUES ('mine', 'other', 'Mien', 'لي', 'me')"
    )
    workshop.sql(
        "INSERT INTO features.facilities (id, category, name_fr, name_ar, geom, entry_id, source, as_of) "
        "VALUES ('mine', 'other', 'Mien', 'لي', 'SRID=4326;POINT(-7.6 33.5)', 'mine', 'me', '2026-11')"
    )
    workshop.sql(
        "INSERT INTO features.worksites (id, name_fr, name_ar, state, impact, start_date, reason_fr, reason_ar, stops, demo, geom, entry_id, source, as_of) "
        "SELECT 'mine', name_fr, name_ar, state, impact, start_date, reason_fr, reason_ar, stops, false, geom, "
        "'gare-routiere-ctm-maarif', source, as_of FROM features.worksites LIMIT 1"
    )
    # The place that the user's worksite refers to is shipped no longer.
    path = shipment.folder / "facilities.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(
        "".join(line for line in lines if not line.startswith("gare-routiere-ctm-maarif,")), encoding="utf-8"
    )
    reports = {report.layer: report for report in shipment(force=True)}
    assert reports["facilities"].deleted == 1
    for table in ("facilities", "worksites"):
        assert workshop.sql(f"SELECT dataset FROM features.{table} WHERE id = 'mine'") == [("local",)]
    assert workshop.sql(
        "SELECT id, dataset FROM directory.entries WHERE id IN ('mine', 'gare-routiere-ctm-maarif') ORDER BY id"
    ) == [
        ("gare-routiere-ctm-maarif", "facilities:shipped"),
        ("mine", "local"),
    ]


def test_a_shipped_file_that_is_wrong_leaves_the_rows_that_were_there(workshop, shipment):
    shipment()
    (shipment.folder / "facilities.csv").write_text("facility_id,nothing\n", encoding="utf-8")
    (shipment.folder / "layers" / "facilities.yaml").write_text("id: [", encoding="utf-8")
    with pytest.raises(Exception, match="facilities"):
        shipment()
    assert workshop.sql("SELECT count(*) FROM features.facilities") == [(450,)]


def test_progress_is_told_to_the_end(workshop):
    told = []
    rows = [f"r{number},Un,واحد,-7.6,33.5" for number in range(2500)]
    from layers.ingest import ingest_file

    ingest_file(
        workshop.url, workshop.definition(), workshop.csv(*rows), dataset=None, srid=None, source_layer=None,
        data_dir=workshop.folder, progress=lambda step, done, total: told.append((step, done, total)),
    )  # fmt: skip
    assert told[-1] == ("libraries", 2500, 2500)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_the_version_grows_with_every_ingest(workshop):
    for version in (1, 2, 3):
        workshop.ingest(workshop.csv(A))
        assert workshop.sql("SELECT version, row_count FROM catalogue.layers") == [(version, 1)]


def test_the_catalogue_holds_the_definition_in_its_own_order(workshop):
    workshop.add("kind", values={"z": {"fr": "Z", "ar": "ز"}, "a": {"fr": "A", "ar": "ا"}})
    workshop.ingest(workshop.csv(A))
    ((stored,),) = workshop.sql("SELECT definition::text FROM catalogue.layers")
    assert list(json.loads(stored)["fields"][2]["values"]) == ["z", "a"]


def test_edges_as_long_as_half_the_earth_are_stored(workshop):
    workshop.raw["geometry"]["type"] = "Geometry"
    world = [[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]
    shapes = {
        "near": {"type": "Point", "coordinates": [-7.6, 33.5]},
        "line": {"type": "LineString", "coordinates": [[-90, 0], [90, 0]]},
        "world": {"type": "Polygon", "coordinates": [world]},
    }
    path = workshop.folder / "wide.geojson"
    features = [
        {"type": "Feature", "geometry": shape, "properties": {"id": key, "name_fr": "Un", "name_ar": "واحد"}}
        for key, shape in shapes.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    workshop.ingest(path)
    stored = workshop.sql("SELECT id, ST_Length(geography(geom)) > 2e7 FROM features.libraries")
    assert dict(stored) == {"near": False, "line": True, "world": False}
