"""A changed definition is applied at the next ingest; what can't be done is named and leaves everything as it was."""

import re

import pytest

from geo.errors import IngestError
from layers.tables import SCHEMA

LABEL = {"fr": "x", "ar": "س"}
ROW = "a,Un,واحد,-7.6,33.5"
MINE = "INSERT INTO features.libraries (id, name_fr, name_ar, geom{}) VALUES ('mine', 'x', 'y', 'SRID=4326;POINT(-7 33)'{})"


def column(workshop, name):
    found = workshop.sql(
        "SELECT data_type, is_nullable FROM information_schema.columns WHERE table_schema = %s AND table_name = 'libraries' "
        "AND column_name = %s",
        SCHEMA,
        name,
    )
    return found[0] if found else None


def load(workshop, cell="", header="x", row=ROW):
    return workshop.ingest(workshop.csv(f"{row},{cell}", header=header))


def codes(report):
    return [code for code, _ in report.notes]


def change(workshop, **more):
    workshop.raw["fields"][2] |= more


def refused(workshop, cell="", field="x"):
    before = workshop.sql("SELECT to_jsonb(f) - 'geom' FROM features.libraries f ORDER BY id")
    kind = column(workshop, "x")
    catalogue = workshop.sql("SELECT version, definition::text FROM catalogue.layers")
    with pytest.raises(IngestError) as caught:
        load(workshop, cell)
    assert caught.value.code == "ingest.conversion"
    assert caught.value.params["field"] == field
    assert workshop.sql("SELECT to_jsonb(f) - 'geom' FROM features.libraries f ORDER BY id") == before
    assert column(workshop, "x") == kind
    assert workshop.sql("SELECT version, definition::text FROM catalogue.layers") == catalogue


def test_a_table_is_typed_indexed_and_bound_to_the_directory(workshop):
    workshop.add("x", "integer")
    load(workshop, "5")
    assert column(workshop, "x") == ("bigint", "YES")
    assert column(workshop, "name_ar") == ("text", "NO")
    indexes = [text for (text,) in workshop.sql("SELECT indexdef FROM pg_indexes WHERE tablename = 'libraries'")]
    assert any("USING gist (geom)" in text for text in indexes)
    with pytest.raises(Exception, match="foreign key"):
        workshop.sql("UPDATE features.libraries SET entry_id = 'nobody'")


def test_a_new_field_is_added(workshop):
    workshop.ingest(workshop.csv(ROW))
    workshop.sql(MINE.format("", ""))
    workshop.add("x", "number")
    assert codes(load(workshop, "1.5")) == ["ingest.field-added"]
    assert workshop.sql("SELECT id, x FROM features.libraries ORDER BY id") == [("a", 1.5), ("mine", None)]


@pytest.mark.parametrize(
    ("old", "stored", "new", "cell", "kept"),
    [
        ("text", "5", "integer", "6", 5),
        ("integer", "5", "text", "six", "5"),
        ("integer", "5", "number", "6.5", 5.0),
        ("text", "yes", "boolean", "no", True),
        ("number", "5", "integer", "6", 5),
    ],
)
def test_a_type_is_converted_with_the_users_values(workshop, old, stored, new, cell, kept):
    workshop.add("x", old)
    load(workshop, stored)
    workshop.sql(MINE.format(", x", f", '{stored}'"))
    change(workshop, type=new)
    assert codes(load(workshop, cell)) == ["ingest.field-converted"]
    assert workshop.sql("SELECT x FROM features.libraries WHERE id = 'mine'") == [(kept,)]
    assert load(workshop, cell).notes == []


@pytest.mark.parametrize(
    ("old", "stored", "new"),
    [
        ("text", "many", "integer"),
        ("text", "2026-02-30", "date"),
        ("number", "2.5", "integer"),
        ("integer", "5", "date"),
    ],
)
def test_a_conversion_that_loses_something_names_the_field_and_rolls_back(workshop, old, stored, new):
    workshop.add("x", old)
    load(workshop, "")
    workshop.sql(MINE.format(", x", f", '{stored}'"))
    change(workshop, type=new)
    refused(workshop, "")


def test_a_field_that_becomes_required_leaves_the_users_rows_and_names_them(workshop):
    workshop.add("x")
    load(workshop, "full")
    workshop.sql(MINE.format("", ""))
    change(workshop, required=True)
    assert load(workshop, "full").notes == [("ingest.rows-break-rule", {"field": "x", "count": 1, "id": "mine"})]
    assert workshop.sql("SELECT id, x FROM features.libraries ORDER BY id") == [("a", "full"), ("mine", None)]
    with pytest.raises(Exception, match="x_required"):
        workshop.sql(MINE.format("", "").replace("'mine'", "'later'"))
    workshop.sql("UPDATE features.libraries SET x = 'now' WHERE id = 'mine'")
    assert load(workshop, "full").notes == []
    assert column(workshop, "x") == ("text", "NO")


def test_a_required_field_may_become_free(workshop):
    workshop.add("x", required=True)
    load(workshop, "full")
    change(workshop, required=False)
    load(workshop, "")
    assert column(workshop, "x") == ("text", "YES")


def test_allowed_values_are_kept_by_the_database(workshop):
    workshop.add("x", values={"50%": LABEL, "l'été": LABEL, "a:b": LABEL, 'c"d': LABEL})
    for value in ("50%", "l'été", "a:b", '"c""d"'):
        assert load(workshop, value).rejected == []
    with pytest.raises(Exception, match="x_allowed"):
        workshop.sql("UPDATE features.libraries SET x = 'other'")


def test_allowed_values_grow_and_shrink(workshop):
    workshop.add("x", values={"old": LABEL, "both": LABEL})
    load(workshop, "old")
    change(workshop, values={"both": LABEL, "new": LABEL})
    load(workshop, "new")
    workshop.sql(MINE.format(", x", ", 'both'"))
    change(workshop, values={"new": LABEL})
    assert load(workshop, "new").notes == [("ingest.rows-break-rule", {"field": "x", "count": 1, "id": "mine"})]
    assert workshop.sql("SELECT x FROM features.libraries WHERE id = 'mine'") == [("both",)]
    with pytest.raises(Exception, match="x_allowed"):
        workshop.sql(MINE.format(", x", ", 'both'").replace("'mine'", "'later'"))
    del workshop.raw["fields"][2]["values"]
    load(workshop, "anything")


def test_allowed_values_of_lists(workshop):
    workshop.add("x", "text[]", values={"a": LABEL, "b": LABEL})
    load(workshop, "a;b")
    with pytest.raises(Exception, match="x_allowed"):
        workshop.sql("UPDATE features.libraries SET x = ARRAY['a', 'z']")


def test_a_field_that_is_no_longer_described_keeps_its_data_unseen(workshop, serve):
    import httpx

    workshop.add("x", required=True)
    load(workshop, "precious")
    workshop.sql("UPDATE features.libraries SET dataset = 'local'")
    del workshop.raw["fields"][2]
    report = workshop.ingest(workshop.csv("b,Deux,اثنان,-7.5,33.6"))
    assert codes(report) == ["ingest.field-kept"]
    assert workshop.sql("SELECT id, x FROM features.libraries ORDER BY id") == [("a", "precious"), ("b", None)]
    base = serve(workshop.url) + "/collections/libraries/items"
    assert "precious" not in httpx.get(base).text
    assert httpx.get(base + "?x=precious").status_code == 400


def test_a_field_that_comes_back_has_its_data_again(workshop):
    workshop.add("x")
    load(workshop, "precious")
    workshop.sql("UPDATE features.libraries SET dataset = 'local'")
    kept = workshop.raw["fields"].pop()
    workshop.ingest(workshop.csv("b,Deux,اثنان,-7.5,33.6"))
    workshop.raw["fields"].append(kept)
    load(workshop, "", row="b,Deux,اثنان,-7.5,33.6")
    assert workshop.sql("SELECT x FROM features.libraries WHERE id = 'a'") == [("precious",)]


def test_the_coordinate_system_is_changed_by_moving_the_places(workshop):
    workshop.ingest(workshop.csv(ROW))
    workshop.sql(MINE.format("", ""))
    workshop.raw["geometry"]["srid"] = 26191
    workshop.ingest(workshop.csv(ROW))
    places = workshop.sql(
        "SELECT ST_SRID(geom), round(ST_X(ST_Transform(geom, 4326))::numeric, 6), ST_X(geom) > 100000 "
        "FROM features.libraries ORDER BY id"
    )
    assert [(srid, float(lon), metres) for srid, lon, metres in places] == [(26191, -7.6, True), (26191, -7.0, True)]


def test_single_places_become_multiple_and_not_back(workshop):
    workshop.add("x")
    load(workshop)
    workshop.raw["geometry"]["type"] = "MultiPoint"
    load(workshop)
    assert workshop.sql("SELECT ST_GeometryType(geom) FROM features.libraries") == [("ST_MultiPoint",)]
    workshop.sql(MINE.format("", "").replace("POINT(-7 33)", "MULTIPOINT(-7 33, -8 34)"))
    workshop.raw["geometry"]["type"] = "Point"
    refused(workshop, field="geom")


def test_a_missing_required_column_changes_nothing(workshop):
    workshop.ingest(workshop.csv(ROW))
    workshop.add("x", required=True)
    with pytest.raises(IngestError) as caught:
        workshop.ingest(workshop.csv(ROW))
    assert (caught.value.code, caught.value.params["column"]) == ("ingest.missing-column", "x")
    assert column(workshop, "x") is None


def test_migrations_may_run_again_at_any_time(workshop):
    from layers.migrate import newest_revision, upgrade

    workshop.ingest(workshop.csv(ROW))
    upgrade(workshop.url)
    assert workshop.sql("SELECT version_num FROM catalogue.alembic_version") == [(newest_revision(),)]
    assert workshop.ids() == [("a", "plan")]


def test_functions_of_another_version_are_replaced_and_columns_stay(workshop):
    from layers.migrate import upgrade

    def functions():
        return workshop.sql(
            "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'search'::regnamespace ORDER BY proname, prosrc"
        )

    right = functions()
    workshop.sql("CREATE FUNCTION search.of_before(text) RETURNS text LANGUAGE sql AS 'SELECT $1'")
    workshop.sql("CREATE OR REPLACE FUNCTION search.written(text text) RETURNS text LANGUAGE sql AS 'SELECT $1'")
    changed = functions()
    upgrade(workshop.url)
    assert functions() == changed != right, "what has not changed in the files is not made again"
    workshop.sql("COMMENT ON SCHEMA search IS 'functions of another version'")
    upgrade(workshop.url)
    assert functions() == right
    assert {"find", "keys", "plain"} <= {name for name, _ in right}


def test_the_models_are_the_migrated_tables(empty_url):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from layers.database import admin_engine
    from layers.models import Base

    def ours(item, name, kind, reflected, compare_to):
        return kind != "table" or f"{item.schema}.{name}" in Base.metadata.tables

    with admin_engine(empty_url).connect() as connection:
        options = {"include_schemas": True, "include_object": ours, "compare_type": True}
        difference = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    # The spatial indexes and those of words are made by the migrations; the model leaves them to these.
    assert [item for item in difference if not re.search("entries_(geo[mg]|plain)_idx", str(item))] == []
