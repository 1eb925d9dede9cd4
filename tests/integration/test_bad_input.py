"""Hostile and broken requests: always a 4xx or an honest answer, never a 5xx."""

import socket
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples

RAW = [
    "%00",
    "a%00b",
    "%ff%fe",
    "%ED%A0%80",
    "%F4%90%80%80",
    "%",
    "%zz",
    "%2e%2e",
    "%2F%2F",
    "%5C",
    "%27%3B%20--",
    "%22%3E%3Cimg%20src%3Dx%3E",
    "%D9%85%D9%83%D8%AA%D8%A8%D8%A9",
    "%E2%80%AE",
    "%0d%0aSet-Cookie:x=1",
    "{collection}",
    "1;select+pg_sleep(9)",
    "x" * 10_000,
    "/".join("a" * 500),
]
PATHS = [
    "/{}",
    "/collections/{}",
    "/collections/facilities/items/{}",
    "/collections/facilities/items/{}/card",
    "/collections/facilities/items/{}?f=html",
    "/directory/{}",
    "/directory/{}?f=html",
    "/maps/{}.js",
    "/assets/{}/css/base.css",
    "/assets/x/{}",
    "/collections/facilities/tiles/WebMercatorQuad/{}/0/0",
    "/collections/facilities/tiles/WebMercatorQuad/3/{}/0",
    "/tiles/WebMercatorQuad/1/0/0?collections={}",
    "/collections/facilities/items?bbox={}",
    "/collections/facilities/items?datetime={}",
    "/collections/facilities/items?limit={}",
    "/collections/facilities/items?cursor={}",
    "/collections/facilities/items?name_fr={}",
    "/collections/facilities/items?category={}&f=html",
    "/collections/districts/items?population_2024={}",
    "/collections/districts/items?area_km2={}",
    "/collections/worksites/items?start_date={}",
    "/collections/worksites/items?demo={}",
    "/collections/facilities/items?{}=1",
    "/search?q={}",
    "/search?q={}&f=html",
    "/search?q=anfa&layers={}",
    "/search/reverse?lon={}&lat=33.6",
    "/?lang={}",
    "/?f={}",
]


def ask(server_url, target, *headers):
    """Send a request as it is written, which a well-behaved client would not; return its status."""
    host, port = server_url.removeprefix("http://").split(":")
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1"))
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head = answer.split(b"\r\n\r\n")[0].decode("latin-1")
    assert "\r\nset-cookie" not in head.lower()
    return int(head.split(" ")[1])


@pytest.mark.parametrize("path", PATHS)
def test_no_value_breaks_the_service(server_url, path):
    for value in RAW:
        assert ask(server_url, path.replace("{}", value)) < 500, value[:60]


@settings(max_examples=examples(60))
@given(st.sampled_from(PATHS), st.binary(max_size=40))
def test_no_bytes_break_the_service(server_url, path, value):
    assert ask(server_url, path.replace("{}", quote(value, safe=""))) < 500


@pytest.mark.parametrize("value", ["", ";;;", "q=", "*/*;q=x", "text/html;" * 500, "\xe9", ",", "*", "x-y-z;q=1.5"])
@pytest.mark.parametrize("name", ["Accept", "Accept-Language", "Accept-Encoding", "If-None-Match", "Range", "Origin"])
def test_no_header_breaks_the_service(server_url, name, value):
    for path in ("/collections/districts/items?limit=1", "/tiles/WebMercatorQuad/9/205/245", "/maps/city.js"):
        assert ask(server_url, path, f"{name}: {value}") < 500


@pytest.mark.parametrize(
    "key", ["facilities'--", 'facilities"', "facilities;", "pg_class", "FACILITIES", "facilities%00"]
)
def test_a_collection_is_never_a_table_name(server_url, key):
    assert ask(server_url, f"/collections/{quote(key, safe='%')}/items") in (400, 404)


def test_arabic_ids_are_ids_like_others(client):
    answer = client.get("/collections/facilities/items/" + quote("مكتبة"))
    assert answer.status_code == 404
    assert answer.json()["value"] == "مكتبة"
