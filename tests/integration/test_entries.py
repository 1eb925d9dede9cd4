"""Features and the annuaire: places own their entry, others link to one that exists; districts are compared."""

import httpx
import pytest

A = "a,Un,واحد,-7.6,33.5"
BODY = "INSERT INTO directory.entries (id, category, name_fr, name_ar, source{}) VALUES ('{}', 'body', 'Corps', 'هيئة', 's'{})"


def entries(workshop):
    return workshop.sql("SELECT id, dataset FROM directory.entries ORDER BY id")


def place(workshop, **columns):
    workshop.raw["directory"] = {"role": "place", "columns": columns}


def test_a_place_owns_the_entry_of_its_id(workshop):
    workshop.add("phone", format="phone")
    place(workshop, phone="phone")
    workshop.ingest(workshop.csv(f"{A},+212522390043; +212522390044", header="phone"))
    assert workshop.sql("SELECT entry_id FROM features.libraries") == [("a",)]
    assert workshop.sql("SELECT category, phone, ST_X(geom) FROM directory.entries") == [
        ("libraries", ["+212522390043", "+212522390044"], -7.6)
    ]
    workshop.ingest(workshop.csv("b,Deux,اثنان,-7.5,33.6,", header="phone"))
    assert entries(workshop) == [("b", "libraries:plan")]


def test_phones_may_be_a_list(workshop, serve):
    workshop.add("phone", "text[]", format="phone")
    place(workshop, phone="phone")
    workshop.ingest(workshop.csv(f"{A},+212522390043;+212522390044", header="phone"))
    base = serve(workshop.url)
    for path in ("/collections/libraries/items/a?f=html", "/directory/a?f=html"):
        page = httpx.get(base + path).text
        assert 'href="tel:+212522390043"' in page
        assert 'href="tel:+212522390044"' in page


def test_an_access_value_that_the_annuaire_has_not_is_one_rejected_row(workshop):
    workshop.add("access")
    place(workshop, wheelchair="access")
    report = workshop.ingest(workshop.csv(f"{A},maybe", "b,Deux,اثنان,-7.5,33.6,yes", header="access"))
    assert [(item.id, item.code) for item in report.rejected] == [("a", "ingest.value-allowed")]
    assert entries(workshop) == [("b", "libraries:plan")]


def test_a_place_does_not_take_the_entry_of_somebody_else(workshop):
    workshop.sql(BODY.format("", "a", ""))
    place(workshop)
    report = workshop.ingest(workshop.csv(A, "b,Deux,اثنان,-7.5,33.6"))
    assert [(item.id, item.code) for item in report.rejected] == [("a", "ingest.id-taken")]
    assert report.read == report.inserted + len(report.rejected)
    assert workshop.sql("SELECT name_fr FROM directory.entries WHERE id = 'a'") == [("Corps",)]
    assert workshop.ids() == [("b", "plan")]


def test_a_rejected_place_leaves_no_entry(workshop):
    place(workshop)
    workshop.ingest(workshop.csv(A))
    workshop.sql(
        "INSERT INTO features.libraries (id, name_fr, name_ar, geom) VALUES ('m', 'x', 'y', 'SRID=4326;POINT(-7 33)')"
    )
    report = workshop.ingest(workshop.csv(A, A.replace("a,", "m,", 1)))
    assert [item.code for item in report.rejected] == ["ingest.id-taken"]
    assert entries(workshop) == [("a", "libraries:plan")]


def test_an_entry_that_does_not_exist_is_rejected(workshop):
    workshop.sql(BODY.format("", "body", ""))
    workshop.raw["directory"] = {"role": "body"}
    report = workshop.ingest(
        workshop.csv(f"{A},body", "b,Deux,اثنان,-7.5,33.6,nobody", "c,Trois,ثلاثة,-7.5,33.6,", header="entry_id")
    )
    assert [(item.row, item.code, item.params) for item in report.rejected] == [
        (2, "ingest.entry-unknown", {"value": "nobody"})
    ]
    assert workshop.sql("SELECT id, entry_id FROM features.libraries ORDER BY id") == [("a", "body"), ("c", None)]
    assert report.read == report.inserted + len(report.rejected)


def test_an_entry_with_features_can_not_be_deleted(workshop):
    place(workshop)
    workshop.ingest(workshop.csv(A))
    with pytest.raises(Exception, match="foreign key"):
        workshop.sql("DELETE FROM directory.entries")


def test_a_district_that_is_not_the_one_named_is_noted(workshop):
    from pathlib import Path

    from api.settings import PROJECT
    from layers.definition import load_definition
    from layers.ingest import ingest_file

    data = PROJECT / "data"
    definition = load_definition(data / "layers" / "districts.yaml")
    ingest_file(workshop.url, definition, Path(data / "districts.geojson"), dataset="limits", srid=None, source_layer=None, data_dir=data, progress=lambda *_: None)  # fmt: skip
    workshop.add("district", format="district")
    rows = [
        "right,Un,واحد,-7.61111,33.59621,06.141.01.07",
        "wrong,Un,واحد,-7.61111,33.59621,06.141.01.03",
        "sea,Un,واحد,-7.9,33.9,06.141.01.03",
        "none,Un,واحد,-7.61111,33.59621,",
        "out,Un,واحد,-7.9,33.9,",
    ]
    report = workshop.ingest(workshop.csv(*rows, header="district"))
    assert report.inserted == 5
    assert report.notes == [
        ("ingest.district-differs", {"count": 3, "id": "wrong", "named": "06.141.01.03", "found": "06.141.01.07"})
    ]
