"""Descriptions of maps: every mistake is named by file, key and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from api.i18n import messages
from api.settings import PROJECT
from geo.errors import DefinitionError
from layers.definition import LayerDefinition, Text, load_definitions, parse_definition
from layers.maps import MapDefinition, check_maps, expand, fitting, load_maps, parse_map
from layers.strict import load_yaml

ANFA = {"06.141.01.01": Text(fr="Anfa", ar="أنفا")}


@pytest.fixture(scope="module")
def layers() -> dict[str, LayerDefinition]:
    return load_definitions(PROJECT / "data" / "layers")


def small(**changes: Any) -> dict[str, Any]:
    text = {"fr": "Une carte", "ar": "خريطة"}
    return {"id": "parks", "title": text, "description": text, "layers": [{"id": "facilities"}], **changes}


def parse(raw: dict[str, Any]) -> MapDefinition:
    return parse_map(yaml.safe_dump(raw, allow_unicode=True), "parks.yaml")


def test_the_small_description_is_valid(layers: dict[str, LayerDefinition]) -> None:
    described = parse(small())
    check_maps([described], layers, ANFA)
    assert described.controls == (
        "search", "layers", "legend", "scale", "locate", "measure", "fullscreen", "share", "print",
    )  # fmt: skip
    assert described.embed == ()
    assert described.layer("facilities") is described.layers[0]
    assert described.layer("districts") is None
    assert parse(small(layers=[{"id": "*"}])).layer("anything") is not None


def test_the_shipped_maps_are_valid_and_there_is_one_a_district(layers: dict[str, LayerDefinition]) -> None:
    maps = load_maps(PROJECT / "data" / "maps")
    check_maps(maps.values(), layers, ANFA)
    assert list(maps) == ["city", "transport", "health", "worksites", "around-me", "district"]
    made = expand(maps.values(), ANFA)
    assert list(made) == ["city", "transport", "health", "worksites", "around-me", "district-06.141.01.01"]
    anfa = made["district-06.141.01.01"]
    assert "Anfa" in anfa.title.fr
    assert "أنفا" in anfa.title.ar
    assert anfa.extent.district == "06.141.01.01"
    assert [layer.about for layer in anfa.layers if layer.about] == ["06.141.01.01"]
    assert {layer.filter for layer in anfa.layers} == {None, "district_code = '06.141.01.01'"}
    assert "{district}" not in anfa.model_dump_json()


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"colour": "#112233"}, "colour", "keys"),
        ({"id": "Parks"}, "id", "a-z"),
        ({"title": "Parcs"}, "title", "dictionary"),
        ({"title": {"fr": "Parcs"}}, "title.ar", "required"),
        ({"layers": []}, "layers", "1 item"),
        ({"layers": [{"id": "facilities", "shown": "often"}]}, "layers.facilities.shown", "boolean"),
        ({"layers": [{"id": "facilities", "source": "csv"}]}, "layers.facilities.source", "geojson"),
        ({"layers": [{"id": "facilities", "style": {"colour": "red"}}]}, "layers.facilities.style.colour", "#[0-9"),
        ({"layers": [{"id": "facilities", "style": {"font": "x"}}]}, "layers.facilities.style.font", "keys"),
        ({"layers": [{"id": "*", "filter": "id = 'a'"}]}, "layers.*.filter", "only 'shown'"),
        ({"layers": [{"id": "facilities"}, {"id": "facilities"}]}, "layers", "each once"),
        ({"layers": [{"id": "facilities", "about": "06.141.01.01"}]}, "layers.facilities.about", "'districts' only"),
        ({"extent": {"bbox": [-7, 33, -8, 34]}}, "extent.bbox", "west, south, east, north"),
        ({"extent": {"bbox": [-7, 33, -6, 95]}}, "extent.bbox.3", "85"),
        ({"extent": {"city": "casa"}}, "extent.city", "keys"),
        ({"lang": "en"}, "lang", "'ar'"),
        ({"controls": ["zoom"]}, "controls.0", "fullscreen"),
        ({"embed": ["portal.example.org"]}, "embed.0", "https?"),
        ({"embed": ["https://portal.example.org/carte"]}, "embed.0", "https?"),
        ({"embed": ["https://portal.example.org; script-src *"]}, "embed.0", "https?"),
        ({"embed": ["*"]}, "embed.0", "https?"),
        ({"each": "quarters"}, "each", "districts"),
        ({"layers": [{"id": "facilities", "filter": "district_code = '{district}'"}]}, "each", "'districts'"),
        ({"order": 101}, "order", "100"),
    ],
)
def test_a_mistake_is_named_by_key_and_what_is_allowed(changes: dict[str, Any], key: str, allowed: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(small(**changes))
    params = caught.value.params
    assert (caught.value.code, params["file"], params["key"]) == ("definition.invalid", "parks.yaml", key)
    assert allowed in str(params["allowed"])


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (
            small(layers=[{"id": "facilities"}, {"id": "facilities"}]),
            'key "layers": naming facilities twice is not allowed; it must be a list that names each once.',
        ),
        (
            small(extent={"bbox": [-7, 33, -8, 34]}),
            'key "extent.bbox": [-7.0, 33.0, -8.0, 34.0] is not allowed; it must be west, south, east, north, in this order.',
        ),
        (
            small(layers=[{"id": "*", "filter": "id = 'a'"}]),
            'key "layers.*.filter": this key is not allowed; it must be said of a layer by its name:',
        ),
    ],
)
def test_a_mistake_over_several_keys_is_a_sentence(raw: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(raw)
    assert sentence in messages("en")(f"errors.{caught.value.code}", **caught.value.params)


REPEATED = """id: parks
title: {fr: Parcs, ar: حدائق}
description:
  fr: Les parcs
  ar: الحدائق
  fr: Les jardins
layers: [{id: facilities}]
"""


@pytest.mark.parametrize(
    ("text", "key", "second", "first"),
    [
        (REPEATED, "fr", 6, 4),
        (REPEATED.replace("  fr: Les jardins\n", "") + "id: gardens\n", "id", 7, 1),
        (REPEATED.replace("  fr: Les jardins\n", "").replace("{id: f", "{id: facilities, id: f"), "id", 6, 6),
    ],
)
def test_a_repeated_key_is_named_with_its_lines(text: str, key: str, second: int, first: int) -> None:
    for read in (parse_map, parse_definition):
        with pytest.raises(DefinitionError) as caught:
            read(text, "parks.yaml")
        params = caught.value.params
        assert (params["file"], params["key"]) == ("parks.yaml", key)
        assert f"line {second}," in str(params["value"])
        assert str(params["allowed"]).endswith(f"line {first}")


def test_a_mapping_may_merge_another_and_say_some_of_it_anew() -> None:
    text = "a: {deep: &one {<<: &two {x: 1, y: 2}, x: 3}}\nb: {<<: *one, y: 4}\nc: *one\n"
    assert load_yaml(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"layers": [{"id": "trees"}]}, "layers.trees", "facilities"),
        ({"layers": [{"id": "facilities", "card": ["height"]}]}, "layers.facilities.card", "opening_hours"),
        ({"layers": [{"id": "facilities", "style": {"by": "height"}}]}, "layers.facilities.style", "category"),
        ({"layers": [{"id": "facilities", "filter": "height > 3"}]}, "layers.facilities.filter", "category"),
        ({"layers": [{"id": "facilities", "filter": "category = "}]}, "layers.facilities.filter", "CQL2"),
        ({"layers": [{"id": "facilities", "filter": "category > 3"}]}, "layers.facilities.filter", "filter.type"),
        ({"layers": [{"id": "facilities", "filter": "pg_sleep(9) = 1"}]}, "layers.facilities.filter", "function"),
        ({"layers": [{"id": "facilities", "filter": "within_district('x')"}]}, "layers.facilities.filter", "06.141"),
        ({"layers": [{"id": "districts", "about": "06"}]}, "layers.districts.about", "06.141.01.01"),
        ({"extent": {"layer": "trees"}}, "extent.layer", "facilities"),
        ({"extent": {"district": "06"}}, "extent.district", "06.141.01.01"),
        ({"controls": ["time"]}, "controls", "worksites"),
    ],
)
def test_what_the_catalogue_has_not_is_refused(
    layers: dict[str, LayerDefinition], changes: dict[str, Any], key: str, allowed: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        check_maps([parse(small(**changes))], layers, ANFA)
    params = caught.value.params
    assert (params["file"], params["key"]) == ("parks.yaml", key)
    assert allowed in str(params["allowed"])


def test_a_districts_code_stays_a_text_in_a_filter(layers: dict[str, LayerDefinition]) -> None:
    raw = small(each="districts", layers=[{"id": "facilities", "filter": "district_code = '{district}'"}])
    made = parse(raw).of("l'autre", Text(fr="L'Autre", ar="الآخر"))
    assert made.layers[0].filter == "district_code = 'l''autre'"
    check_maps([made], layers, {})


def test_a_file_has_the_name_of_its_map(tmp_path: Any) -> None:
    (tmp_path / "gardens.yaml").write_text(yaml.safe_dump(small()), encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_maps(tmp_path)
    assert caught.value.params["key"] == "id"


def test_a_layer_that_has_changed_is_left_off_a_served_map(layers: dict[str, LayerDefinition]) -> None:
    described = parse(small(layers=[{"id": "districts"}, {"id": "facilities", "filter": "height > 3"}, {"id": "gone"}]))
    kept, errors = fitting(described, layers, ANFA)
    assert [layer.id for layer in kept.layers] == ["districts", "gone"]
    assert [error.params["key"] for error in errors] == ["layers.facilities.filter"]
    assert fitting(kept, layers, ANFA) == (kept, [])
