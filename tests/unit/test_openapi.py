"""The OpenAPI document: valid as 3.0, with every collection's concrete paths."""

import datetime as dt
import re

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from api.i18n import messages
from api.negotiation import Reader
from api.openapi import document, operations
from api.openapi.schemas import field_schema
from api.settings import PROJECT, Settings
from layers.catalogue import Catalogue, PublishedLayer
from layers.definition import load_definitions
from layers.tables import layer_table


def published(definition):
    return PublishedLayer(definition, layer_table(definition), 1, 0, None, None, None, dt.datetime.now(dt.UTC))


@pytest.fixture
def shipped():
    layers = load_definitions(PROJECT / "data" / "layers").values()
    return Catalogue({layer.id: published(layer) for layer in layers})


def make(catalogue, lang="fr"):
    return document(catalogue, Settings(public_url="https://maps.example.org/x"), Reader(lang, messages(lang)))


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_it_is_valid(shipped, lang):
    OpenAPIV30SpecValidator(make(shipped, lang)).validate()


def test_it_is_valid_without_layers():
    OpenAPIV30SpecValidator(make(Catalogue())).validate()


@pytest.mark.parametrize("name", ["tiles", "service", "directory", "api"])
def test_it_is_valid_whatever_a_layer_is_called(raw, parse, name):
    from geo.errors import DefinitionError

    try:
        definition = parse({**raw, "id": name})
    except DefinitionError:
        return
    built = make(Catalogue({name: published(definition)}))
    OpenAPIV30SpecValidator(built).validate()
    assert len({tag["name"] for tag in built["tags"]}) == len(built["tags"])


def test_every_collection_has_its_concrete_paths(shipped):
    paths = make(shipped)["paths"]
    for name in shipped.by_id:
        base = f"/collections/{name}"
        assert {base, f"{base}/items", f"{base}/items/{{featureId}}"} <= set(paths)
        assert f"{base}/tiles/WebMercatorQuad/{{tileMatrix}}/{{tileRow}}/{{tileCol}}" in paths


def test_every_part_of_a_path_is_a_parameter(shipped):
    built = make(shipped)
    known = built["components"]["parameters"]
    for path, methods in built["paths"].items():
        given = [
            known[item["$ref"].rsplit("/", 1)[1]] if "$ref" in item else item
            for operation in methods.values()
            for item in operation["parameters"]
        ]
        assert {item["name"] for item in given if item["in"] == "path"} == set(re.findall(r"{(\w+)}", path))
        assert len({item["name"] for item in given}) == len(given)


def test_operation_ids_are_unique(shipped):
    found = [operation["operationId"] for methods in make(shipped)["paths"].values() for operation in methods.values()]
    assert len(set(found)) == len(found)


def test_titles_are_in_the_readers_language(shipped):
    assert make(shipped, "fr")["paths"]["/collections"]["get"]["summary"] == "Toutes les couches"
    assert make(shipped, "ar")["paths"]["/collections"]["get"]["summary"] == "كل الطبقات"


def test_the_server_is_the_public_address(shipped):
    assert make(shipped)["servers"] == [{"url": "https://maps.example.org/x"}]


def test_allowed_values_are_listed(raw, parse):
    field = parse(raw).field("kind")
    assert field_schema(field, "fr")["enum"] == ["public", "school", None]
    assert field_schema(field, "fr", nullable=False)["enum"] == ["public", "school"]


def test_the_page_has_all_operations(shipped):
    built = make(shipped)
    assert sum(len(entries) for _, entries in operations(built)) == len(built["paths"])


def test_the_page_names_systems_of_coordinates_as_people_do(shipped):
    from geo.crs import parse_crs

    (near,) = [entry for _, entries in operations(make(shipped)) for entry in entries if entry["path"] == "/nearest"]
    allowed = {parameter["name"]: parameter["allowed"] for parameter in near["parameters"]}
    assert allowed["crs"] == ["OGC:CRS84", "EPSG:4326", "EPSG:3857", "EPSG:32629", "EPSG:26191"]
    for name in allowed["crs"]:
        parse_crs(name, "crs")
    assert allowed["limit"] == ["1 … 1000"]
    assert allowed["skipGeometry"] == ["true", "false"]
    assert all("?" in example for example in near["examples"])
