"""The map's script: the same for the same description, with nothing in it that can run or lead elsewhere."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.maps import description as maps
from api.maps.build import build_map, build_script, script_json
from api.maps.description import Background, MapDescription
from api.settings import PROJECT, Settings
from geo.bbox import BBox
from layers.definition import LayerDefinition, Text, load_definitions
from layers.maps import load_maps

MAPS = load_maps(PROJECT / "data" / "maps")
LARGE = ("transport-stops", "facilities")
EVIL = "</script><img onerror=…>${7*7}{{7*7}}{%if%}{#x#}\u2028'\"\\"


class Shown:
    def __init__(self, definition: LayerDefinition, extent: BBox | None = None) -> None:
        self.definition = definition
        self.count = 3
        self.extent = extent


def describe(lang: str = "fr", **settings: str) -> MapDescription:
    definitions = load_definitions(PROJECT / "data" / "layers")
    layers = [Shown(definition, BBox(-7.7, 33.5, -7.5, 33.6)) for definition in definitions.values()]
    return maps.describe(MAPS["city"], lang, layers, Settings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_same_description_same_bytes(lang: str) -> None:
    assert build_script(describe(lang)) == build_script(describe(lang))


def test_ids_derive_from_the_map() -> None:
    script = build_script(replace(describe(), id="near-me"))
    assert 'var map_near_me = L.map(\n"map_near_me"' in script
    assert "layer_near_me_transport_lines.addTo(map_near_me)" in script
    assert not re.search(r"[0-9a-f]{32}", script)


def test_no_other_host_and_nothing_of_foliums_page() -> None:
    script = build_script(describe(public_url="https://maps.example.org/carte"))
    assert not re.search(r"https?://|//cdn|jquery|bootstrap", script)
    assert "/carte/collections/districts/items?" in script
    assert "<" not in script
    assert not re.search(r"`|\$\{|\beval\b|innerHTML|Popup", script)


def test_controls_stand_on_the_side_where_reading_starts() -> None:
    assert '"position": "topleft"' in build_script(describe("fr"))
    assert '"position": "topright"' in build_script(describe("ar"))


def test_the_background_is_a_setting_with_its_credit_as_text() -> None:
    without = build_script(describe())
    assert "L.tileLayer" not in without
    tiles = "https://tile.example.org/{z}/{x}/{y}.png"
    script = build_script(describe(background_url=tiles, background_attribution="© <b>{{ 7*7 }}"))
    assert 'L.tileLayer(\n"https://tile.example.org/{z}/{x}/{y}.png"' in script
    assert re.findall(r"https?://[^/]+", script) == ["https://tile.example.org"]
    assert "49" not in re.findall(r'"attribution": (".*?")', script)[0]
    assert "\\u003cb" not in script
    assert describe(background_url=tiles).background == Background(tiles, "")


def test_json_for_scripts_is_inert_and_means_the_same() -> None:
    value = {"text": EVIL, "list": [EVIL, {"a": {"b": {}}}], EVIL: 1}
    written = script_json(value)
    assert json.loads(written) == value
    assert not any(part in written for part in ("<", ">", "&", "\u2028", "{{", "{%", "{#"))


def test_a_layers_texts_pass_branca_unread() -> None:
    definition = load_definitions(PROJECT / "data" / "layers")["worksites"]
    evil = definition.model_copy(update={"title": Text(fr=EVIL, ar=EVIL)})
    script = build_script(maps.describe(MAPS["city"], "fr", [Shown(evil)], Settings()))
    written = re.search(r"casamaps\.featureLayer\((\{.*\})\);", script)
    assert written
    assert json.loads(written[1])["title"] == EVIL


def test_an_unknown_layer_needs_no_code() -> None:
    definition = load_definitions(PROJECT / "data" / "layers")["facilities"].model_copy(
        update={"id": "trees", "theme": "environment"}
    )
    description = maps.describe(MAPS["city"], "ar", [Shown(definition)], Settings())
    assert [child for child in build_map(description)._children if child.endswith("_trees")] == ["layer_city_trees"]
    assert description.layers[0]["themeTitle"] == "البيئة"


def test_the_first_view_is_a_district_else_a_layer_else_a_box_else_the_data_else_the_world() -> None:
    definitions = load_definitions(PROJECT / "data" / "layers")
    districts, stops = BBox(-7.7, 33.5, -7.5, 33.6), BBox(-8, 33, -7, 34)
    both = [Shown(definitions["districts"], districts), Shown(definitions["transport-stops"], stops)]
    city = MAPS["city"]
    assert maps.describe(city, "fr", both, Settings()).extent == districts
    assert maps.describe(city, "fr", both[1:], Settings()).extent == city.extent.box
    assert maps.describe(maps.plain_map(), "fr", both, Settings()).extent == stops
    assert maps.describe(maps.plain_map(), "fr", [], Settings()).extent.west == -180
    anfa = MAPS["district"].of("06.141.01.01", Text(fr="Anfa", ar="أنفا"))
    there = {"06.141.01.01": BBox(-7.7, 33.55, -7.6, 33.6)}
    assert maps.describe(anfa, "fr", both, Settings(), there).extent == there["06.141.01.01"]
    assert maps.describe(anfa, "fr", both, Settings()).extent == districts


def told(map_id: str, lang: str = "fr", counts: dict[str, int] | None = None) -> dict[str, Any]:
    """Return what the browser is told of a map's layers."""
    definitions = load_definitions(PROJECT / "data" / "layers")
    shown = [Shown(definition) for definition in definitions.values()]
    for layer in shown:
        layer.count = (counts or {}).get(layer.definition.id, 3)
    described = maps.describe(MAPS[map_id], lang, shown, Settings())  # type: ignore[arg-type]
    return {layer["id"]: layer for layer in described.layers}


def test_a_map_shows_its_layers_in_its_order_filtered_and_titled() -> None:
    layers = told("transport")
    assert list(layers) == ["districts", "transport-lines", "transport-stops", "facilities", "worksites"]
    orders = [layer["style"]["order"] for layer in layers.values()]
    assert orders == sorted(set(orders))
    assert max(orders) <= 100
    assert [name for name, layer in layers.items() if not layer["shown"]] == ["worksites"]
    assert layers["facilities"]["style"]["cluster"] is False
    asked = parse_qs(urlsplit(layers["facilities"]["items"]).query)
    assert asked["filter"] == ["category IN ('railway_station', 'bus_station')"]
    assert layers["transport-stops"]["card"] == "mode,lines,district_code"
    assert layers["districts"]["card"] is None


def test_large_layers_come_as_tiles_unless_they_are_clustered() -> None:
    sources = {name: layer["source"] for name, layer in told("city", counts=dict.fromkeys(LARGE, 501)).items()}
    assert sources["transport-stops"] == "tiles"
    assert sources["facilities"] == "geojson"
    assert sources["worksites"] == "geojson"


def test_the_rest_leaves_out_the_annuaire_and_what_is_named() -> None:
    assert "directory" not in told("city")
    assert set(told("city")) == {"districts", "transport-lines", "transport-stops", "worksites", "facilities"}


def test_ids_of_a_districts_map_are_names_in_the_script() -> None:
    anfa = MAPS["district"].of("06.141.01.01", Text(fr="Anfa", ar="أنفا"))
    definitions = load_definitions(PROJECT / "data" / "layers").values()
    made = maps.describe(anfa, "ar", [Shown(definition) for definition in definitions], Settings())
    script = build_script(made)
    assert made.element_id == "map_district_06_141_01_01"
    assert 'var map_district_06_141_01_01 = L.map(\n"map_district_06_141_01_01"' in script
    assert script == build_script(made)
