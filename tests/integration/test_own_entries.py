"""Institutions of somebody's own file in the annuaire: with or without a place, each dataset for itself."""

import csv
import json
from pathlib import Path

import httpx
import pytest

from geo.errors import IngestError
from layers.definition import load_definition
from layers.ingest import ingest_file
from layers.shipped import load_shipped
from tests.conftest import DATA, quiet

HEADER = "id,category,name_fr,name_ar,phone,opening_hours,opening_hours_ramadan,wheelchair,district_code,lon,lat,source"
BODY = 'agence,public_company,Agence des Jardins,وكالة الحدائق,+212522000001;+212522000002,"Mo-Fr 08:30-16:30",Mo-Fr 09:00-15:00,,,,,la ville'  # fmt: skip
DESK = "guichet,town_hall,Guichet des Oliviers,شباك الزيتون,,,,yes,,-7.62,33.58,la ville"
OTHER = BODY.replace("agence", "autre")


@pytest.fixture
def own(workshop):
    """Take files into the annuaire of a city that has its districts, as ``casamaps ingest directory`` does."""
    folder = Path(workshop.folder) / "data"
    (folder / "layers").mkdir(parents=True)
    for name in (
        "layers/directory.yaml",
        "layers/districts.yaml",
        "directory.yaml",
        "directory.csv",
        "districts.geojson",
    ):
        (folder / name).write_bytes((DATA / name).read_bytes())
    load_shipped(workshop.url, folder, quiet)

    def take(*rows, header=HEADER, name="ville.csv", dataset=None, srid=None):
        file = workshop.folder / name
        file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        definition = load_definition(folder / "layers" / "directory.yaml")
        return ingest_file(
            workshop.url,
            definition,
            file,
            dataset=dataset,
            srid=srid,
            source_layer=None,
            data_dir=folder,
            progress=quiet,
        )

    take.folder = folder
    return take


def stored(workshop, dataset="ville"):
    return [key for (key,) in workshop.sql("SELECT id FROM directory.entries WHERE dataset = %s ORDER BY id", dataset)]


def counts(report):
    return report.read, report.inserted, report.updated, report.unchanged, report.deleted, len(report.rejected)


def test_an_institution_needs_no_place(workshop, own, serve):
    report = own(BODY, DESK)
    assert counts(report) == (2, 2, 0, 0, 0, 0)
    base = serve(workshop.url)
    body = httpx.get(f"{base}/directory/agence").json()
    assert body["geometry"] is None
    assert body["properties"]["phone"] == ["+212522000001", "+212522000002"]
    assert body["properties"]["opening_hours_ramadan"] == "Mo-Fr 09:00-15:00"
    desk = httpx.get(f"{base}/collections/directory/items/guichet").json()
    assert desk["geometry"]["coordinates"] == [-7.62, 33.58]
    assert desk["properties"]["district_code"] == "06.141.01.03"
    ids = {one["id"] for one in httpx.get(f"{base}/directory?limit=100").json()["features"]}
    assert {"agence", "guichet", "oncf"} <= ids
    assert workshop.sql("SELECT row_count FROM catalogue.layers WHERE id = 'directory'") == [(len(ids),)]


def test_it_is_found_and_open_as_soon_as_it_is_there(workshop, own, serve):
    own(BODY, DESK)
    base = serve(workshop.url)
    for q, key in (("agence jardins", "agence"), ("شباك الزيتون", "guichet")):
        assert [one["id"] for one in httpx.get(f"{base}/search", params={"q": q}).json()["features"]] == [key]
    assert workshop.sql("SELECT count(*) > 40 FROM directory.open_spans WHERE entry_id = 'agence'") == [(True,)]
    own(DESK)
    assert httpx.get(f"{base}/search", params={"q": "agence jardins"}).json()["features"] == []


def test_a_category_weighs_what_its_entries_make_it(workshop, own):
    """Also those of a file, or of a layer, that is not the one whose category it is."""

    def weights():
        return dict(
            workshop.sql("SELECT id, weight FROM search.things WHERE kind = 'category' AND layer = 'libraries'")
        )

    label = {"fr": "Genre", "ar": "نوع"}
    workshop.add("sort", values={"town_hall": label, "public_company": label, "annexes": label})
    workshop.raw["directory"] = {"role": "place", "columns": {"category": "sort"}}
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.58,town_hall", header="sort"))
    few, many = weights()["annexes"], weights()["town_hall"]
    assert few < many
    # Some of what is shipped is of this one.
    assert weights()["public_company"] == many
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.58,public_company", header="sort"))
    assert weights() == {"town_hall": few, "public_company": many, "annexes": few}
    own(DESK)
    assert weights() == {"town_hall": many, "public_company": many, "annexes": few}
    own(BODY)
    assert weights()["town_hall"] == few
    workshop.raw |= {"id": "annexes", "directory": {"role": "place"}}
    workshop.raw["fields"] = workshop.raw["fields"][:2]
    workshop.ingest(workshop.csv("b,Deux,اثنان,-7.6,33.58"))
    assert weights()["annexes"] == many


def test_a_dataset_is_its_owners(workshop, own):
    own(BODY, DESK)
    assert counts(own(BODY, DESK.replace("yes", "limited"))) == (2, 0, 1, 1, 0, 0)
    report = own(
        "x,other,Un,واحد,,,,,,,,a", "oncf,other,Un,واحد,,,,,,,,a", "agence,other,Un,واحد,,,,,,,,a", name="autre.csv"
    )
    assert [(one.row, one.id, one.code) for one in sorted(report.rejected, key=lambda one: one.row)] == [
        (2, "oncf", "ingest.id-taken"), (3, "agence", "ingest.id-taken"),
    ]  # fmt: skip
    assert stored(workshop, "autre") == ["x"]
    assert counts(own(DESK)) == (1, 0, 1, 0, 1, 0)
    assert stored(workshop) == ["guichet"]
    assert stored(workshop, "autre") == ["x"]
    # What is shipped comes anew, and leaves others' rows.
    load_shipped(workshop.url, own.folder, quiet, force=True)
    assert stored(workshop) == ["guichet"]
    for name in ("shipped", "local", "facilities:shipped"):
        with pytest.raises(IngestError) as caught:
            own(BODY, dataset=name)
        assert caught.value.code == "ingest.dataset-reserved"


def test_features_may_refer_to_it_and_keep_it(workshop, own):
    own(BODY, DESK)
    workshop.raw["directory"] = {"role": "body"}
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5,agence", header="entry_id"))
    assert counts(own(DESK)) == (1, 0, 0, 1, 0, 0)
    assert stored(workshop) == ["agence", "guichet"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (OTHER.replace("public_company", ""), "ingest.value-missing"),
        (OTHER.replace("وكالة الحدائق", ""), "ingest.value-missing"),
        (OTHER.replace("la ville", ""), "ingest.value-missing"),
        (DESK.replace("yes", "perhaps"), "ingest.value-allowed"),
        (DESK.replace("33.58", ""), "ingest.position"),
        (DESK.replace("33.58", "nord"), "ingest.position"),
        (DESK.replace("33.58", "133.58"), "ingest.geometry-degrees"),
        (DESK.replace("guichet", ""), "ingest.id-invalid"),
        (DESK.replace("guichet", "a/b"), "ingest.id-invalid"),
        (f"{DESK},,x", "ingest.cells"),
        (BODY, "ingest.id-twice"),
    ],
)
def test_a_row_that_does_not_fit_is_named(workshop, own, row, code):
    report = own(BODY, row)
    assert [(one.row, one.code) for one in report.rejected] == [(2, code)]
    assert stored(workshop) == ["agence"]


def test_what_is_odd_is_told(own):
    report = own(
        BODY.replace("Mo-Fr 08:30-16:30", "le matin") + ",x",
        DESK.replace("yes,,", "yes,06.141.01.01,") + ",x",
        header=f"{HEADER},fax",
    )
    codes = dict(report.notes)
    assert set(codes) == {"ingest.column-ignored", "ingest.hours-not-understood", "ingest.district-differs"}
    assert codes["ingest.column-ignored"] == {"column": "fax"}
    assert codes["ingest.district-differs"]["id"] == "guichet"


def test_columns_that_nobody_knows_may_be_left_out(workshop, own):
    assert own("a,other,Un,واحد,x", header="id,category,name_fr,name_ar,source").inserted == 1
    with pytest.raises(IngestError) as caught:
        own("a,other,Un,واحد,x,-7.6", header="id,category,name_fr,name_ar,source,lon", name="b.csv")
    assert caught.value.params["column"] == "lat"
    with pytest.raises(IngestError) as caught:
        own("a,other,Un,x", header="id,category,name_fr,source", name="b.csv")
    assert caught.value.params["column"] == "name_ar"


def test_positions_may_be_metres_and_formats_others(workshop, own):
    own(DESK.replace("-7.62,33.58", "294794,334615"), srid=26191)
    ((lon, lat),) = workshop.sql("SELECT ST_X(geom), ST_Y(geom) FROM directory.entries WHERE id = 'guichet'")
    assert (lon, lat) == pytest.approx((-7.61, 33.59), abs=1e-3)
    shared = {"category": "other", "name_ar": "واحد", "source": "x"}
    features = [
        {"type": "Feature", "geometry": place, "properties": {**shared, "id": key, "name_fr": key}}
        for key, place in (("p", {"type": "Point", "coordinates": [-7.6, 33.5]}), ("q", None))
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    assert own(header=text, name="mairies.geojson").inserted == 2
    assert workshop.sql("SELECT id, geom IS NULL FROM directory.entries WHERE dataset = 'mairies' ORDER BY id") == [
        ("p", False), ("q", True),
    ]  # fmt: skip


def test_hours_of_ramadan_are_a_cell_of_the_shipped_files(workshop, own, serve):
    """An upgrade brings the field to the layer; who has no such hours is not said to have none."""
    folder = own.folder
    definition = (DATA / "layers" / "facilities.yaml").read_text(encoding="utf-8")
    (folder / "layers" / "facilities.yaml").write_text(definition, encoding="utf-8")
    for name, key in (("facilities.csv", "facility_id"), ("directory.csv", "id")):
        with (DATA / name).open(encoding="utf-8", newline="") as lines:
            first, *rows = csv.DictReader(lines)
        first |= {"opening_hours": "Mo-Fr 08:30-16:30", "opening_hours_ramadan": "Mo-Fr 09:00-15:00"}
        rows[0] |= {"opening_hours": "Mo-Fr 08:30-16:30"}
        with (folder / name).open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, list(first), lineterminator="\n")
            writer.writeheader()
            writer.writerows([first, *rows[:3]])
        load_shipped(workshop.url, folder, quiet)
        base = serve(workshop.url)
        said = "Horaires pendant le ramadan"
        for entry, has in ((first[key], True), (rows[0][key], False)):
            kept = workshop.sql("SELECT opening_hours_ramadan FROM directory.entries WHERE id = %s", entry)
            assert kept == [("Mo-Fr 09:00-15:00" if has else None,)]
            assert (said in httpx.get(f"{base}/directory/{entry}?f=html&lang=fr").text) is has
            if name == "facilities.csv":
                card = httpx.get(f"{base}/collections/facilities/items/{entry}/card?lang=fr").json()
                assert (said in [row["label"] for row in card["rows"]]) is has
            listed = httpx.get(f"{base}/directory", params={"f": "html", "lang": "fr", "id": entry}).text
            assert ("Pendant le ramadan" in listed) is has
            assert ("09:00–15:00" in listed) is has
