"""Mistakes: a problem document or a page that names the parameter, what was wrong and what is allowed."""

import html
import json
import re

import pytest

from api.settings import PROJECT

ITEMS = "/collections/facilities/items"
MISTAKES = [
    (f"{ITEMS}?nothing=1", "nothing", None, "bbox"),
    (f"{ITEMS}?bbox=1,2,3", "bbox", "1,2,3", "west,south,east,north"),
    (f"{ITEMS}?bbox=a,2,3,4", "bbox", "a", "west,south,east,north"),
    (f"{ITEMS}?bbox=0,0,500,1", "bbox", "0,0,500,1", "±180"),
    (f"{ITEMS}?bbox=0,9,1,1", "bbox", "0,9,1,1", "west,south,east,north"),
    (f"{ITEMS}?limit=0", "limit", "0", "10000"),
    (f"{ITEMS}?limit=x", "limit", "x", "10000"),
    (f"{ITEMS}?cursor=x", "cursor", "x", None),
    (f"{ITEMS}?datetime=soon", "datetime", "soon", "2026-11-23"),
    (f"{ITEMS}?datetime=2026-02-01/2026-01-01", "datetime", "2026-02-01/2026-01-01", None),
    (f"{ITEMS}?category=castle", "category", "castle", "pharmacy"),
    (f"{ITEMS}?f=xml", "f", "xml", "json, html"),
    (f"{ITEMS}?lang=en", "lang", "en", "fr, ar"),
    (f"{ITEMS}?limit=1&limit=2", "limit", None, None),
    ("/collections/districts/items?population_2024=many", "population_2024", "many", "42"),
    ("/collections?bbox=1,2,3,4", "bbox", None, "f, lang"),
    ("/conformance?x=1", "x", None, "f, lang"),
    ("/?x=1", "x", None, "f, lang"),
    ("/collections/facilities/items/x/card?f=xml", "f", "xml", "json"),
    ("/tiles/WebMercatorQuad?collections=parks", "collections", "parks", "worksites"),
    ("/tiles/WebMercatorQuad?collections=facilities,facilities", "collections", "facilities", "worksites"),
]


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize(("path", "parameter", "value", "allowed"), MISTAKES)
def test_a_mistake_is_named_in_the_readers_language(client, path, parameter, value, allowed, lang):
    answer = client.get(path, headers={"Accept-Language": lang})
    body = answer.json()
    assert answer.status_code == body["status"] == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == lang
    assert body["parameter"] == parameter
    assert body.get("value") == value
    assert allowed is None or allowed in body["allowed"]
    assert parameter in body["detail"]
    assert bool(re.search(r"[\u0600-\u06ff]", body["title"] + body["detail"])) == (lang == "ar")


@pytest.mark.parametrize(
    ("asked", "start"),
    [
        ({"filter": "within_district('x') AND name_fr = 1"}, "\u2066"),
        ({"filter": "S_INTERSECTS(geom, BBOX(0, 5, 1, 4))"}, "\u2066"),
        ({"category": "castle, [1]"}, "\u2068"),
        ({"category": "قلعة (1)"}, "\u2068"),
    ],
)
def test_what_is_put_into_arabic_does_not_disturb_its_order(client, asked, start):
    for kind in ("application/json", "text/html"):
        answer = client.get(ITEMS, params=asked, headers={"Accept": kind, "Accept-Language": "ar"})
        assert answer.status_code == 400
        if kind == "application/json":
            body = answer.json()
            part = body["at"] if start == "\u2066" else body["value"]
        assert f"{start}{part}\u2069" in html.unescape(answer.text if kind == "text/html" else body["detail"])
    # Latin letters stand in isolates only, and every isolate ends.
    inner = re.compile("[\u2066\u2068][^\u2066-\u2069]*\u2069")
    rest = inner.sub("", body["detail"])
    assert not re.search("[A-Za-z\u2066-\u2069]", rest)
    # Programs get what was given, and French needs none.
    french = client.get(ITEMS, params=asked, headers={"Accept-Language": "fr"}).json()
    members = ("parameter", "value", "allowed", "at")
    assert [body.get(name) for name in members] == [french.get(name) for name in members]
    assert not re.search("[\u2066-\u2069]", json.dumps(french, ensure_ascii=False))


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_people_get_a_page(client, lang):
    answer = client.get(f"{ITEMS}?limit=0", headers={"Accept": "text/html", "Accept-Language": lang})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<html lang="{lang}"' in answer.text
    assert "10000" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/collections/facilities/nothing",
        "/collections/facilities/",
        "/directory/nobody",
        "/maps/nowhere.js",
        "/tiles/OtherGrid",
        "/assets/x/nothing.css",
        "/assets/x/../../pyproject.toml",
        "/docs",
        "/openapi.json",
    ],
)
def test_what_is_not_there_is_not_found(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["status"] == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(client, method):
    answer = client.request(method, ITEMS, content=b"{}")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json()["allowed"]


@pytest.mark.parametrize("path", [f"{ITEMS}?limit=0", "/nothing", "/directory/nobody"])
def test_a_mistake_is_not_kept_and_shows_nothing_of_the_inside(client, path):
    answer = client.get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"(?i)select |traceback|asyncpg|sqlalchemy|\.py", answer.text)
    assert str(PROJECT) not in answer.text


def test_what_was_asked_is_escaped_on_the_page(client):
    wrong = "<script>alert(1)</script>"
    for path in (f"/{wrong}", f"/collections/{wrong}", f"{ITEMS}?category={wrong}", f"{ITEMS}?{wrong}=1"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code in (400, 404)
        assert wrong not in answer.text


def test_an_error_page_never_leads_to_another_host(server_url):
    import httpx

    answer = httpx.get(server_url + "//evil.example/x", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert not re.search(r'(?:href|src)="(?:https?:)?//evil', answer.text)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("sortby", ""), ("sortby", "id,"), ("properties", "category,,phone"), ("bom", "2"), ("geometry-format", "x")],
)
@pytest.mark.parametrize("form", ["json", "csv", "html"])
def test_a_mistake_is_one_in_every_format(client, parameter, value, form):
    answer = client.get("/collections/facilities/items", params={parameter: value, "f": form})
    assert answer.status_code == 400
