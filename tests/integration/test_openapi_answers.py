"""Real answers against the schemas of the OpenAPI document, read by another validator than schemathesis's."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker
from referencing import Registry
from referencing.jsonschema import DRAFT4

import api.routes
from api.openapi.examples import ADDRESSES, addresses
from tests.openapi import closed, examples

LAYERS = ["districts", "transport-lines", "worksites", "transport-stops", "facilities", "directory"]
KINDS = ["schema", "queryables", "sortables", "tiles", "tiles/WebMercatorQuad", "tiles/WebMercatorQuad?f=tilejson"]
ALONE = [
    "/",
    "/api",
    "/collections",
    "/conformance",
    "/functions",
    "/embed/worksites?filter=state%20=%20'planned'&district=06.141.01.01",
    "/healthz",
    "/readyz",
    "/tiles",
    "/tiles/WebMercatorQuad",
    "/nearest?feature=transport-stops/tram-sidi-moumen&limit=20",
    "/nearest?lon=-7.6&lat=33.58&skipGeometry=true&crs=http://www.opengis.net/def/crs/EPSG/0/4326",
    "/at?lon=-7.62&lat=33.59",
    "/at?lon=0&lat=0",
    "/directory?q=poste&district_code=06.141.01.07",
    "/directory/oncf",
    "/directory/oncf?f=jsonld",
    "/districts?limit=3",
    "/districts/06.141.01.03",
    "/oembed?url=http://127.0.0.1:8000/maps/health&maxwidth=400",
    "/maps/city/list?limit=3",
    "/maps/worksites/list?lang=ar&place=casa+port&q=a&page=2&limit=5",
    "/maps/health/list?open=2026-11-24T10:00:00Z&view=13/33.59/-7.62",
    "/search",
    "/search?q=pharmacie&lon=-7.6&lat=33.58&limit=50",
    "/search?q=33.59,-7.61",
    "/search/reverse?lon=-7.6&lat=33.58",
    "/search/reverse?lon=0&lat=0",
]
GROUPS = ["", "?by=district", "?by=district&per=1000-inhabitants", "?by=grid&size=3000", "?by=source"]


@pytest.fixture(scope="module")
def document(client) -> dict[str, Any]:
    return closed(client.get("/api").json())


def operation_of(document: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the operation that a path belongs to: a template fits part by part, the one with most fixed parts first."""
    parts = path.split("/")
    fitting = [
        template
        for template in document["paths"]
        if len(template.split("/")) == len(parts)
        and all(a == b or "{" in a for a, b in zip(template.split("/"), parts, strict=True))
    ]
    best = min(fitting, key=lambda template: template.count("{"))
    found: dict[str, Any] = document["paths"][best]["get"]
    return found


def check(document: dict[str, Any], answer: Any) -> Any:
    """Check an answer's status, media type and body; return the body."""
    operation = operation_of(document, urlsplit(str(answer.request.url)).path)
    response = operation["responses"][str(answer.status_code)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    media_type = answer.headers["content-type"]
    content = response["content"].get(media_type) or response["content"][media_type.split(";")[0]]
    registry = Registry().with_resource("urn:api", DRAFT4.create_resource(document))
    schema = absolute(content["schema"])
    body = answer.json()
    OAS30ReadValidator(schema, registry=registry, format_checker=oas30_format_checker).validate(body)
    return body


def absolute(schema: Any) -> Any:
    """Return a schema whose references name the document."""
    if isinstance(schema, dict):
        return {key: f"urn:api{value}" if key == "$ref" else absolute(value) for key, value in schema.items()}
    return [absolute(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("path", ALONE)
def test_the_service(client, document, path):
    answer = client.get(
        path.replace("http://127.0.0.1:8000", str(client.base_url).rstrip("/")), headers={"Accept": "application/json"}
    )
    assert answer.status_code == 200, answer.text
    check(document, answer)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_collection_and_what_describes_it(client, document, layer):
    check(document, client.get(f"/collections/{layer}"))
    for kind in KINDS:
        check(document, client.get(f"/collections/{layer}/{kind}"))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("crs", ["OGC/1.3/CRS84", "EPSG/0/26191"])
def test_every_feature(client, document, layer, crs):
    asked = {"limit": 10000, "crs": f"http://www.opengis.net/def/crs/{crs}"}
    page = check(document, client.get(f"/collections/{layer}/items", params=asked))
    assert page["numberReturned"] == len(page["features"]) > 0
    whole = check(document, client.get(f"/collections/{layer}/export", params={"crs": asked["crs"]}))
    assert whole["features"] == page["features"]
    for feature in page["features"][::25]:
        address = f"/collections/{layer}/items/{feature['id']}"
        check(document, client.get(address))
        check(document, client.get(f"{address}/card"))


def test_every_entry_of_facilities(client, document, everything):
    for feature in everything("facilities")[::20]:
        check(document, client.get(f"/directory/{feature['id']}"))
    for feature in everything("transport-lines"):
        check(document, client.get(f"/directory/{feature['properties']['entry_id']}"))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("asked", GROUPS)
def test_every_group(client, document, layer, asked):
    joint = "&" if asked else "?"
    for form in ("json", "geojson"):
        check(document, client.get(f"/collections/{layer}/aggregate{asked}{joint}f={form}"))


@pytest.mark.parametrize(
    "path",
    [
        "/collections/facilities/items?limit=0",
        "/collections/facilities/items?filter=nothing%20=%201",
        "/collections/facilities/items/nothing",
        "/nearest",
        "/tiles/WebMercatorQuad/99/0/0",
        "/search?q=anfa&layers=nothing",
        "/search/reverse?lon=-7.6",
        "/maps/city/list?view=99/0/0",
        "/maps/city.png?size=1x1",
        "/maps/nothing/list",
        "/directory/nothing",
    ],
)
def test_mistakes(client, document, path):
    body = check(document, client.get(path))
    assert body["status"] in (400, 404)


def test_another_host_is_refused_as_documented(client, document):
    answer = client.get("/collections", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 421
    assert check(document, answer)["allowed"]


def test_unknown_values_are_documented_as_null(client, document):
    """A schema that let nothing be unknown would have failed above; one that lets everything be, fails here."""
    for layer in LAYERS:
        properties = document["components"]["schemas"][f"{layer.replace('-', '_')}.properties"]["properties"]
        assert "nullable" not in properties["name_fr"]
        assert any(schema.get("nullable") for schema in properties.values())


@pytest.mark.parametrize("kind", ADDRESSES)
def test_every_example_has_an_answer_with_something_in_it(client, document, kind):
    layers = ["facilities"] if kind == "export" else LAYERS
    alone = {"nearest": "/nearest", "at": "/at", "search": "/search", "reverse": "/search/reverse"}
    paths = [alone[kind]] if kind in alone else [f"/collections/{layer}/{kind}" for layer in layers]
    for path in paths:
        found = 0
        shown = document["paths"][path]["get"]["description"]
        for address in addresses(path):
            assert f"`{address}`" in shown
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.text)
            found += len(answer.content) > 700
        assert found


#: What stands in a path for the examples of its parameters.
REAL = {
    "{tileMatrix}": "12", "{tileRow}": "1643", "{tileCol}": "1961", "{mapId}": "city", "{districtCode}": "06.141.01.03",
    "{entryId}": "oncf", "{version}": "1.0.0",
}  # fmt: skip


def test_every_documented_example_is_answered(client, document, everything):
    asked = examples(document)
    assert len({path for path, _ in asked}) > 30
    wrong = []
    for path, parameters in asked:
        for name, value in REAL.items():
            path = path.replace(name, value)
        if "{featureId}" in path:
            path = path.replace("{featureId}", everything(path.split("/")[2])[0]["id"])
        answer = client.get(path, params=parameters or None)
        if not 200 <= answer.status_code < 300:
            wrong.append((path, parameters, answer.status_code, answer.text))
    assert wrong == []


def test_examples_of_answers_fit_their_schemas(document):
    registry = Registry().with_resource("urn:api", DRAFT4.create_resource(document))
    checked = 0
    for methods in document["paths"].values():
        for media_type in methods.get("get", {"responses": {"200": {"content": {}}}})["responses"]["200"][
            "content"
        ].values():
            if "example" in media_type:
                OAS30ReadValidator(absolute(media_type["schema"]), registry=registry).validate(media_type["example"])
                checked += 1
    assert checked >= 2 + 3 * len(LAYERS)


def test_every_question_has_an_example_of_each_answer_and_parameter(client, document):
    """Each parameter's example has an answer, with the place where it needs one."""
    parameters = {
        "/nearest": ("lon", "lat", "point", "feature", "filter", "limit", "max-distance", "collections"),
        "/at": ("lon", "lat", "point", "filter", "tolerance", "collections"),
        **{f"/collections/{layer}/aggregate": ("by",) for layer in LAYERS},
    }
    for path, names in parameters.items():
        operation = document["paths"][path]["get"]
        given = {item["name"]: item for item in operation["parameters"] if "name" in item}
        assert given.keys() >= set(names)
        content = operation["responses"]["200"]["content"]
        assert all("example" in media_type for kind, media_type in content.items() if kind != "text/html")
        example = {
            name: [item["value"] for item in given[name].get("examples", {}).values()] or [given[name]["example"]]
            for name in names
        }
        for name in names:
            needed = {}
            if "/aggregate" not in path and name not in ("point", "feature"):
                needed = {"lon": -7.6192, "lat": 33.5931}
            for value in example[name]:
                written = ",".join(map(str, value)) if isinstance(value, list) else value
                answer = client.get(path, params={**needed, name: written})
                assert answer.status_code == 200, (path, name, answer.text)


def test_every_route_is_documented(document):
    """But files of pages: their path has slashes, for which OpenAPI has no parameter."""
    modules = [
        importlib.import_module(f"api.routes.{found.name}") for found in pkgutil.iter_modules(api.routes.__path__)
    ]
    paths = {route.path for module in modules if hasattr(module, "router") for route in module.router.routes}
    paths |= {path for module in modules for path, _ in getattr(module, "HOT", ())}
    assert len(paths) > 20
    named = {
        path.replace("{collection}", layer)
        for path in paths
        for layer in LAYERS
        if path != "/assets/{version}/{path:path}"
    }
    known = {_anonymous(path) for path in document["paths"]}
    assert {path for path in named if _anonymous(path) not in known} == set()


def _anonymous(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)
