"""The shipped data is whole and agrees with itself: ids, links, districts, categories, languages, provenance."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from shapely.geometry import LineString, Point, shape
from shapely.geometry.base import BaseGeometry

from layers.definition import LayerDefinition, load_definitions

DATA = Path(__file__).resolve().parents[2] / "data"
Row = dict[str, str]

ARABIC_LETTER = re.compile(r"[\u0621-\u064A]")
LATIN_LETTER = re.compile(r"[A-Za-zÀ-ÿ]")
MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
TABLES = {
    "facilities.csv": ("facility_id", 450),
    "stops.csv": ("station_id", 151),
    "lines.csv": ("line_id", 6),
    "worksites.csv": ("id", 43),
    "directory.csv": ("id", 5),
}
#: Directory columns that only a source may fill, for the bodies that we describe ourselves.
CONTACTS = ("address_fr", "address_ar", "phone", "opening_hours", "services", "wheelchair", "lon", "lat")


def read(name: str) -> list[Row]:
    """Read a CSV file and refuse rows that are longer or shorter than the header."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(None not in row and None not in row.values() for row in rows), f"{name}: a row does not fit the header"
    return rows


def by_id(name: str) -> dict[str, Row]:
    key = TABLES[name][0]
    return {row[key]: row for row in read(name)}


def district_features() -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = json.loads((DATA / "districts.geojson").read_text(encoding="utf-8"))["features"]
    return features


def categories() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load((DATA / "directory.yaml").read_text(encoding="utf-8"))[
        "categories"
    ]
    return found


def path_of(stops: str, stations: dict[str, Row]) -> BaseGeometry:
    points = [(float(stations[key]["lon"]), float(stations[key]["lat"])) for key in stops.split()]
    return Point(points[0]) if len(points) == 1 else LineString(points)


@pytest.fixture(scope="module")
def definitions() -> dict[str, LayerDefinition]:
    return load_definitions(DATA / "layers")


@pytest.fixture(scope="module")
def districts() -> dict[str, BaseGeometry]:
    return {feature["properties"]["code"]: shape(feature["geometry"]) for feature in district_features()}


@pytest.fixture(scope="module")
def stations() -> dict[str, Row]:
    return by_id("stops.csv")


def test_the_layers_are_defined_and_drawn_from_areas_to_points(definitions: dict[str, LayerDefinition]) -> None:
    assert list(definitions) == [
        "districts",
        "transport-lines",
        "worksites",
        "transport-stops",
        "facilities",
        "directory",
    ]


def with_files(definitions: dict[str, LayerDefinition]) -> list[LayerDefinition]:
    """Return the layers that have data of their own; the annuaire's shows what is in others'."""
    found = [definition for definition in definitions.values() if not definition.entries]
    assert len(found) == len(definitions) - 1
    return found


def test_every_column_is_a_field_or_says_where_and_who(definitions: dict[str, LayerDefinition]) -> None:
    for definition in with_files(definitions):
        assert definition.data.file is not None
        if definition.data.file.endswith(".geojson"):
            columns = set(district_features()[0]["properties"])
        else:
            columns = set(read(definition.data.file)[0])
        assert {field.column for field in definition.fields} == columns - {definition.data.id, "lon", "lat", "entry_id"}


def test_required_values_are_there_and_listed_values_are_kept(definitions: dict[str, LayerDefinition]) -> None:
    for definition in with_files(definitions):
        file = definition.data.file or ""
        rows = [item["properties"] for item in district_features()] if file.endswith(".geojson") else read(file)
        for row in rows:
            for field in definition.fields:
                value = row[field.column]
                assert not (field.required and value in ("", None)), f"{file}: {field.name} is empty in {row}"
                if field.values is not None and value:
                    assert value in field.values, f"{file}: {field.name} = {value}"


@pytest.mark.parametrize(("name", "key", "count"), [(name, *rest) for name, rest in TABLES.items()])
def test_counts_and_unique_ids(name: str, key: str, count: int) -> None:
    ids = [row[key] for row in read(name)]
    assert len(ids) == count
    assert len(set(ids)) == count
    assert all(ids)


def test_seventeen_districts_with_unique_codes() -> None:
    codes = [feature["properties"]["code"] for feature in district_features()]
    assert len(codes) == len(set(codes)) == 17
    kinds = [feature["properties"]["kind"] for feature in district_features()]
    assert (kinds.count("arrondissement"), kinds.count("commune")) == (16, 1)


def test_districts_do_not_overlap(districts: dict[str, BaseGeometry]) -> None:
    codes = sorted(districts)
    for index, one in enumerate(codes):
        assert districts[one].is_valid, one
        for other in codes[index + 1 :]:
            # A hundred-millionth of a square degree is about 100 m²: what five decimals leave along a shared limit.
            assert districts[one].intersection(districts[other]).area < 1e-8, (one, other)


def test_directory_ids_are_unique_over_bodies_and_places() -> None:
    assert not set(by_id("directory.csv")) & set(by_id("facilities.csv"))


@pytest.mark.parametrize("name", ["stops.csv", "lines.csv", "worksites.csv"])
def test_every_entry_id_is_an_entry(name: str) -> None:
    entries = set(by_id("directory.csv")) | set(by_id("facilities.csv"))
    missing = {row["entry_id"] for row in read(name)} - entries
    assert not missing


def test_every_body_is_responsible_for_something() -> None:
    used = {row["entry_id"] for name in ("stops.csv", "lines.csv", "worksites.csv") for row in read(name)}
    assert set(by_id("directory.csv")) <= used


@pytest.mark.parametrize("name", ["facilities.csv", "stops.csv", "worksites.csv", "directory.csv"])
def test_every_district_code_is_a_district(name: str, districts: dict[str, BaseGeometry]) -> None:
    assert {row["district_code"] for row in read(name)} - {""} <= set(districts)


@pytest.mark.parametrize("name", ["facilities.csv", "stops.csv"])
def test_every_point_lies_in_the_district_named_or_in_none(name: str, districts: dict[str, BaseGeometry]) -> None:
    key = TABLES[name][0]
    for row in read(name):
        point = Point(float(row["lon"]), float(row["lat"]))
        inside = [code for code, area in districts.items() if area.covers(point)]
        assert inside == ([row["district_code"]] if row["district_code"] else []), row[key]


def test_lines_run_through_all_stations_that_name_them(stations: dict[str, Row]) -> None:
    for line in read("lines.csv"):
        stops = line["stops"].split()
        assert len(stops) == len(set(stops)), line["line_id"]
        assert set(stops) == {key for key, row in stations.items() if line["line_id"] in row["lines"].split()}
        assert {stations[key]["mode"] for key in stops} == {line["mode"]}
        assert stations[stops[0]]["name_fr"] == line["terminus_a"]
        assert stations[stops[-1]]["name_fr"] == line["terminus_b"]


def test_stations_name_known_lines(stations: dict[str, Row]) -> None:
    lines = set(by_id("lines.csv"))
    for key, row in stations.items():
        assert row["lines"].split(), key
        assert set(row["lines"].split()) <= lines, key


def test_termini_are_labelled_as_their_stations(
    definitions: dict[str, LayerDefinition], stations: dict[str, Row]
) -> None:
    arabic = {row["name_fr"]: row["name_ar"] for row in stations.values()}
    for name in ("terminus_a", "terminus_b"):
        field = definitions["transport-lines"].field(name)
        assert field is not None
        assert field.values is not None
        for value, label in field.values.items():
            assert (label.fr, label.ar) == (value, arabic[value])


def test_lines_have_times_headways_and_colours() -> None:
    for line in read("lines.csv"):
        for column in ("first_departure", "last_departure"):
            assert re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", line[column]), (line["line_id"], column)
        assert 0 < float(line["peak_headway_min"]) <= float(line["offpeak_headway_min"])
        assert float(line["fare_mad"]) > 0
        assert re.fullmatch(r"#[0-9A-F]{6}", line["colour"])
    assert by_id("lines.csv")["BW1"]["peak_headway_min"] == "5.5"


def test_worksites_lie_on_consecutive_stations_of_one_line() -> None:
    # The spaces around an id keep tram-ifni from matching within a longer id.
    runs = [f" {line['stops']} " for line in read("lines.csv")]
    for row in read("worksites.csv"):
        assert row["stops"] == " ".join(row["stops"].split())
        assert row["stops"], row["id"]
        assert any(f" {row['stops']} " in run for run in runs), row["id"]


def test_worksites_lie_wholly_in_the_district_named_or_in_none(
    districts: dict[str, BaseGeometry], stations: dict[str, Row]
) -> None:
    for row in read("worksites.csv"):
        geometry = path_of(row["stops"], stations)
        touched = [code for code, area in districts.items() if area.intersects(geometry)]
        assert touched == ([row["district_code"]] if row["district_code"] else []), row["id"]
        assert all(districts[code].covers(geometry) for code in touched), row["id"]


def test_worksites_are_marked_as_demonstration() -> None:
    for row in read("worksites.csv"):
        assert row["demo"] == "true"
        assert row["id"].startswith("demo-")
        assert "demonstration" in row["source"]


def test_worksites_show_every_state_impact_and_line(definitions: dict[str, LayerDefinition]) -> None:
    rows = read("worksites.csv")
    for name in ("state", "impact"):
        field = definitions["worksites"].field(name)
        assert field is not None
        assert {row[name] for row in rows} == set(field.values or {})
    stops = {key for row in rows for key in row["stops"].split()}
    assert all(stops & set(line["stops"].split()) for line in read("lines.csv"))
    assert {len(row["stops"].split()) > 1 for row in rows} == {True, False}, "points and stretches"


def test_worksite_names_name_the_stations_at_their_ends(stations: dict[str, Row]) -> None:
    for row in read("worksites.csv"):
        keys = row["stops"].split()
        if len(keys) > 1:
            first, last = stations[keys[0]], stations[keys[-1]]
            assert row["name_fr"].endswith(f"entre {first['name_fr']} et {last['name_fr']}")
            assert row["name_ar"].endswith(f"بين محطتي {first['name_ar']} و{last['name_ar']}")


def test_worksite_states_agree_with_their_dates() -> None:
    for row in read("worksites.csv"):
        month = dt.date.fromisoformat(f"{row['as_of']}-01")
        after = (month + dt.timedelta(days=32)).replace(day=1)
        start = dt.date.fromisoformat(row["start_date"])
        end = dt.date.fromisoformat(row["end_date"]) if row["end_date"] else None
        assert end is None or start <= end, row["id"]
        match row["state"]:
            case "planned":
                assert start >= after, row["id"]
                assert end is not None, row["id"]
            case "in-progress":
                assert start < after, row["id"]
                assert end is not None, row["id"]
                assert end >= month, row["id"]
            case "suspended":
                assert start < month, row["id"]
            case _:
                assert end is not None, row["id"]
                assert end < after, row["id"]


def test_categories_of_facilities_are_the_directory_s(definitions: dict[str, LayerDefinition]) -> None:
    listed = categories()
    field = definitions["facilities"].field("category")
    assert field is not None
    assert field.values is not None
    assert {key: {"fr": label.fr, "ar": label.ar} for key, label in field.values.items()} == {
        key: listed[key] for key in field.values
    }
    assert {row["category"] for row in read("facilities.csv")} == set(field.values) - {"museum"}
    # What no facility may be is there for a body.
    assert {row["category"] for row in read("directory.csv")} == set(listed) - set(field.values)


def test_category_labels_are_distinct_in_both_languages() -> None:
    listed = categories()
    for lang in ("fr", "ar"):
        assert len({label[lang] for label in listed.values()}) == len(listed)
    assert all(set(label) == {"fr", "ar"} for label in listed.values())
    assert all(ARABIC_LETTER.search(label["ar"]) for label in listed.values())


@pytest.mark.parametrize("name", list(TABLES))
def test_both_names_are_there_in_their_scripts(name: str) -> None:
    key = TABLES[name][0]
    for row in read(name):
        assert LATIN_LETTER.search(row["name_fr"]) or row["name_fr"].isdigit(), row[key]
        assert not ARABIC_LETTER.search(row["name_fr"]), row[key]
        assert ARABIC_LETTER.search(row["name_ar"]), row[key]
        assert not LATIN_LETTER.search(row["name_ar"]), row[key]
        for text in (row["name_fr"], row["name_ar"]):
            assert text == " ".join(text.split()), row[key]


def test_district_and_reason_texts_are_in_both_languages() -> None:
    for feature in district_features():
        properties = feature["properties"]
        assert all(properties[key] for key in ("name_fr", "prefecture_fr"))
        assert all(ARABIC_LETTER.search(properties[key]) for key in ("name_ar", "prefecture_ar"))
    for row in read("worksites.csv"):
        assert LATIN_LETTER.search(row["reason_fr"]), row["id"]
        assert ARABIC_LETTER.search(row["reason_ar"]), row["id"]


def _texts(node: object, where: str) -> list[tuple[str, str, str]]:
    """Collect (place, fr, ar) of every text of a definition."""
    if isinstance(node, dict):
        if set(node) == {"fr", "ar"}:
            return [(where, node["fr"], node["ar"])]
        return [text for key, value in node.items() for text in _texts(value, f"{where}.{key}")]
    if isinstance(node, list | tuple):
        return [text for number, value in enumerate(node) for text in _texts(value, f"{where}.{number}")]
    return []


def test_definitions_speak_both_languages(definitions: dict[str, LayerDefinition]) -> None:
    # The attribution of OpenStreetMap is a fixed English phrase, the same in every language.
    for definition in definitions.values():
        texts = [
            text for text in _texts(definition.model_dump(), definition.id) if not text[0].endswith(".attribution")
        ]
        assert len(texts) > len(definition.fields)
        for where, french, arabic in texts:
            assert LATIN_LETTER.search(french), where
            assert not ARABIC_LETTER.search(french), where
            assert ARABIC_LETTER.search(arabic), where
        assert "© OpenStreetMap contributors" in definition.attribution.fr
        assert "© OpenStreetMap contributors" in definition.attribution.ar


@pytest.mark.parametrize("name", [*TABLES, "aliases.csv"])
def test_every_row_has_source_and_month(name: str) -> None:
    for row in read(name):
        assert row["source"], row
        assert MONTH.fullmatch(row["as_of"]), row


def test_every_district_has_source_and_month() -> None:
    for feature in district_features():
        assert feature["properties"]["source"]
        assert MONTH.fullmatch(feature["properties"]["as_of"])


def test_aliases_point_at_something(districts: dict[str, BaseGeometry], stations: dict[str, Row]) -> None:
    targets: dict[str, set[str]] = {
        "district": set(districts),
        "station": set(stations),
        "place": set(by_id("facilities.csv")),
        "category": set(categories()),
    }
    rows = read("aliases.csv")
    assert len(rows) == 317
    for row in rows:
        assert row["target"] in targets[row["kind"]], row
        assert row["alias"], row
        assert row["lang"] in {"fr", "ar", "ary-Latn", "en"}, row


def test_bodies_carry_no_invented_contact_details() -> None:
    sites = {row["website"] for name in ("lines.csv", "facilities.csv") for row in read(name)}
    for row in read("directory.csv"):
        assert [column for column in CONTACTS if row[column]] == [], row["id"]
        assert row["website"] in sites, row["id"]


def _contrast_with_white(colour: str) -> float:
    """Return the contrast ratio of WCAG 2.2 between a colour and white."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def test_our_own_colours_stand_out_on_a_light_map(definitions: dict[str, LayerDefinition]) -> None:
    for definition in definitions.values():
        for colour in [definition.style.colour, *(value.colour for value in definition.style.values.values())]:
            assert _contrast_with_white(colour) >= 4.5, (definition.id, colour)


def test_every_worksite_state_has_its_own_colour_and_symbol(definitions: dict[str, LayerDefinition]) -> None:
    style = definitions["worksites"].style
    state = definitions["worksites"].field("state")
    assert state is not None
    assert set(style.values) == set(state.values or {})
    assert len({value.colour for value in style.values.values()}) == len(style.values)
    symbols = [value.symbol for value in style.values.values()]
    assert len(set(symbols)) == len(symbols)
    assert all(symbol is not None and len(symbol) == 1 for symbol in symbols)
