"""The landing page, conformance and the API definition (OGC API - Features Part 1, 7.2 to 7.4)."""

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

LAYERS = ["districts", "transport-lines", "worksites", "transport-stops", "facilities"]


def test_every_link_of_the_landing_page_leads_somewhere(client):
    links = client.get("/").json()["links"]
    for item in links:
        answer = client.get(item["href"])
        assert answer.status_code == 200, item
        assert answer.headers["content-type"].startswith(item["type"].split(";")[0]), item
    assert {"self", "alternate", "service-desc", "service-doc", "conformance", "data"} <= {
        item["rel"] for item in links
    }


def test_conformance_declares_the_core(client):
    declared = client.get("/conformance").json()["conformsTo"]
    for name in ("core", "geojson", "oas30", "html"):
        assert f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}" in declared
    # QGIS sends its filters to the server only when all four are there.
    for name in ("ogcapi-features-3/1.0/conf/filter", "ogcapi-features-3/1.0/conf/features-filter"):
        assert f"http://www.opengis.net/spec/{name}" in declared
    for name in ("cql2-text", "basic-cql2"):
        assert f"http://www.opengis.net/spec/cql2/1.0/conf/{name}" in declared
    assert len(declared) == len(set(declared))


def test_the_api_definition_is_valid_and_complete(client):
    answer = client.get("/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    OpenAPIV30SpecValidator(answer.json()).validate()
    for name in LAYERS:
        assert f"/collections/{name}/items" in answer.json()["paths"]


def test_every_path_without_parts_answers(client):
    described = {path: item for path, item in client.get("/api").json()["paths"].items() if "get" in item}
    required = {path for path, item in described.items() if any(p.get("required") for p in item["get"]["parameters"])}
    paths = [path for path in described if "{" not in path and path not in required | {"/nearest", "/at"}]
    assert len(paths) > 15
    for path in paths:
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_landing_page_is_in_the_readers_language(client, lang):
    answer = client.get("/", headers={"Accept-Language": lang})
    assert answer.headers["content-language"] == lang
    assert answer.json()["title"] == {"fr": "CasaMaps", "ar": "كازا مابس"}[lang]


def test_people_get_the_map(client):
    page = client.get("/", headers={"Accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/", headers={"Accept": "*/*"}).headers["content-type"] == "application/json"
