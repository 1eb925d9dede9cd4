"""Layer definitions: every mistake is named by file, key and what is allowed."""

import pytest
import yaml

from geo.errors import DefinitionError
from layers.definition import fingerprint, load_definition, load_definitions, parse_definition

SYSTEM_COLUMNS = ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")
PARAMETERS = ("bbox", "datetime", "limit", "cursor", "f", "lang")


def put(raw, path, value):
    *steps, last = path
    node = raw
    for step in steps:
        node = node[step]
    node[last] = value


def drop(raw, path):
    *steps, last = path
    node = raw
    for step in steps:
        node = node[step]
    del node[last]


def test_the_small_definition_is_valid(raw, parse):
    definition = parse(raw)
    assert definition.id == "libraries"
    assert definition.title["ar"] == "كلمة"
    assert definition.field("kind").values["school"].fr == "Scolaire"
    assert definition.field("nothing") is None


@pytest.mark.parametrize(
    ("path", "value", "key", "allowed"),
    [
        (["colour"], "#112233", "colour", "keys"),
        (["fields", 2, "colour"], "#112233", "fields.kind.colour", "keys"),
        (["style", "colour"], "red", "style.colour", "#[0-9A-Fa-f]"),
        (["style", "symbol"], "star", "style.symbol", "diamond"),
        (["style", "width"], 0, "style.width", "greater"),
        (["theme"], "food", "theme", "transport"),
        (["geometry", "type"], "Circle", "geometry.type", "MultiPolygon"),
        (["geometry", "quality"], "good", "geometry.quality", "schematic"),
        (["geometry", "srid"], 5, "geometry.srid", "1024"),
        (["fields", 3, "type"], "day", "fields.opened.type", "timestamp"),
        (["fields", 2, "format"], "phones", "fields.kind.format", "opening-hours"),
        (["fields", 0, "name"], "na me", "fields.na me.name", "A-Za-z"),
        (["fields", 0, "label", "ar"], " ", "fields.name_fr.label.ar", "1 character"),
        (["id"], "Libraries", "id", "a-z"),
        (["id"], "li_braries", "id", "a-z"),
        (["zoom"], {"min": 3, "max": 23}, "zoom.max", "22"),
        (["zoom"], {"min": 9, "max": 3}, "zoom", "max"),
        (["update"], "hourly", "update", "weekly"),
        (["coverage"], "most", "coverage", "partial"),
        (["visibility"], "secret", "visibility", "internal"),
        (["licence", "url"], "javascript:alert(1)", "licence.url", "https"),
        (["title"], "Bibliothèques", "title", "dictionary"),
        (["fields"], [], "fields", "name_fr"),
        (["tile_fields"], ["nothing"], "tile_fields", "kind"),
        (["temporal"], {"start": "opened", "end": "nothing"}, "temporal.end", "closed"),
        (["temporal"], {"start": "kind", "end": "closed"}, "temporal", "date or timestamp"),
        (["style", "by"], "nothing", "style.by", "kind"),
        (["style", "colour_field"], "nothing", "style.colour_field", "kind"),
        (["directory"], {"role": "shop"}, "directory.role", "place"),
        (["directory"], {"role": "place", "columns": {"email": "kind"}}, "directory.columns.email", "phone"),
        (["directory"], {"role": "place", "columns": {"phone": "nothing"}}, "directory.columns.phone", "kind"),
        (["data"], {"geometry": {"x": "lon"}}, "data.geometry.y", "required"),
    ],
)
def test_a_mistake_is_named_by_key_and_what_is_allowed(raw, parse, path, value, key, allowed):
    put(raw, path, value)
    with pytest.raises(DefinitionError) as caught:
        parse(raw)
    params = caught.value.params
    assert caught.value.code == "definition.invalid"
    assert params["file"] == "libraries.yaml"
    assert params["key"] == key
    assert allowed in params["allowed"]
    assert params["count"] >= 1


@pytest.mark.parametrize(
    "path", [["title"], ["title", "ar"], ["geometry"], ["licence", "url"], ["fields", 1, "label"], ["style"], ["id"]]
)
def test_a_missing_key_is_named(raw, parse, path):
    name = ".".join("name_ar" if step == 1 else str(step) for step in path)
    drop(raw, path)
    with pytest.raises(DefinitionError) as caught:
        parse(raw)
    assert caught.value.params["key"] == name
    assert "required" in caught.value.params["allowed"]


@pytest.mark.parametrize("name", ["fid", "id", "geom", "entry_id", "dataset", "updated_at", "GEOM", "bom"])
def test_a_reserved_field_is_refused(raw, parse, name):
    raw["fields"][2]["name"] = name
    with pytest.raises(DefinitionError, match="reserved"):
        parse(raw)


@pytest.mark.parametrize("name", [*SYSTEM_COLUMNS, *PARAMETERS])
def test_a_field_named_as_the_database_or_a_parameter_is_refused(raw, parse, name):
    raw["fields"][2]["name"] = name
    with pytest.raises(DefinitionError):
        parse(raw)


def test_a_field_that_stands_twice_is_refused(raw, parse):
    raw["fields"][3]["name"] = "KIND"
    with pytest.raises(DefinitionError, match="KIND"):
        parse(raw)


@pytest.mark.parametrize("name", ["name_fr", "name_ar"])
def test_both_names_are_required(raw, parse, name):
    next(item for item in raw["fields"] if item["name"] == name)["required"] = False
    with pytest.raises(DefinitionError, match=name):
        parse(raw)


def test_a_style_value_that_the_field_has_not_is_refused(raw, parse):
    raw["style"] |= {"by": "kind", "values": {"private": {"colour": "#112233"}}}
    with pytest.raises(DefinitionError, match="private") as caught:
        parse(raw)
    assert "public, school" in caught.value.params["allowed"]


def test_values_are_for_texts_only(raw, parse):
    raw["fields"][3]["values"] = {"2026-01-01": {"fr": "x", "ar": "س"}}
    with pytest.raises(DefinitionError, match="text"):
        parse(raw)


@pytest.mark.parametrize("format_", ["url", "opening-hours", "colour", "district", "month", "stops", "phone"])
def test_a_format_is_for_texts_only(raw, parse, format_):
    raw["fields"][2] = {"name": "kind", "type": "integer", "label": raw["title"], "format": format_}
    with pytest.raises(DefinitionError):
        parse(raw)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("id: [", "line 1"),
        ("a: b: c", "line 1"),
        ("id: x\n\t- y", "line 2"),
        ("!!python/object:os.system {}", "line 1"),
    ],
)
def test_broken_yaml_is_named_by_its_line(text, key):
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, "broken.yaml")
    assert caught.value.code == "definition.yaml"
    assert caught.value.params["file"] == "broken.yaml"
    assert caught.value.params["key"] == key


@pytest.mark.parametrize("text", ["", "[]", "libraries", "12"])
def test_a_file_that_is_no_mapping_is_refused(text):
    with pytest.raises(DefinitionError, match="mapping"):
        parse_definition(text, "odd.yaml")


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "libraries.yaml").write_bytes("id: bibliothèques".encode("cp1252"))
    with pytest.raises(DefinitionError) as caught:
        load_definition(tmp_path / "libraries.yaml")
    assert caught.value.params["allowed"] == "UTF-8"


def test_a_file_is_named_as_its_layer(raw, tmp_path):
    (tmp_path / "books.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_definition(tmp_path / "books.yaml")
    assert caught.value.params["key"] == "id"
    assert "'books'" in caught.value.params["allowed"]


def test_definitions_come_in_drawing_order(raw, tmp_path):
    for name, order in (("above", 9), ("below", 1), ("again", 9)):
        layer = {**raw, "id": name, "style": {"colour": "#112233", "order": order}}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(layer), encoding="utf-8")
    assert list(load_definitions(tmp_path)) == ["below", "above", "again"]


def test_a_definition_survives_the_way_through_the_catalogue(raw, parse):
    raw["fields"][2]["from"] = "KIND_OF"
    definition = parse(raw)
    assert type(definition).model_validate(definition.model_dump(mode="json", by_alias=True)) == definition


def test_the_fingerprint_is_of_names_and_contents(tmp_path):
    one, other = tmp_path / "a", tmp_path / "b"
    one.write_text("x")
    other.write_text("y")
    before = fingerprint([one, other])
    assert fingerprint([one, other]) == before
    assert fingerprint([other, one]) != before
    one.write_text("z")
    assert fingerprint([one, other]) != before
