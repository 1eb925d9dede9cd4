"""The service's front: whose host, behind which prefix, under which headers."""

import re
from html import unescape

import httpx
import pytest

PUBLIC = "https://city.example.org/cartes"
JSON_PATHS = [
    "/?f=json",
    "/collections",
    "/collections/facilities",
    "/collections/facilities/items?limit=1",
    "/collections/facilities/items/gare-routiere-ctm-casablanca",
    "/directory/gare-routiere-ctm-casablanca",
    "/tiles",
    "/tiles/WebMercatorQuad",
    "/tiles/WebMercatorQuad?f=tilejson",
    "/api",
]


def asked(address, path, **headers):
    return httpx.get(address + path, headers={"Host": "city.example.org", **headers}, timeout=30)


def addresses(node):
    """Return every address in a JSON document that could be one of ours."""
    if isinstance(node, dict):
        return [found for value in node.values() for found in addresses(value)]
    if isinstance(node, list):
        return [found for value in node for found in addresses(value)]
    return [node] if isinstance(node, str) and re.match(r"https?://(127|city|localhost)", node) else []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "", "[::2]", "127.0.0.1.nip.io", "x@evil"]
)
def test_an_unknown_host_is_refused(server_url, host):
    answer = httpx.get(server_url + "/collections", headers={"Host": host})
    assert answer.status_code in (400, 421)
    if answer.status_code == 421:
        assert answer.json()["value"] == host
        assert "localhost" in answer.json()["allowed"]


def test_an_unknown_host_gets_no_page_that_leads_there(server_url):
    page = httpx.get(server_url, headers={"Host": "evil.example", "Accept": "text/html"})
    assert page.status_code == 421
    assert "evil.example/" not in page.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:8000"])
def test_our_own_names_are_known(server_url, host):
    assert httpx.get(server_url + "/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "Forwarded", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Original-URL"]
)
def test_no_header_changes_the_links(client, header):
    answer = client.get("/collections", headers={header: "host=evil.example"})
    assert "evil" not in answer.text


@pytest.fixture
def portal(database_url, serve):
    """The service as a portal's proxy sees it."""
    return serve(database_url, public_url=PUBLIC)


@pytest.mark.parametrize("prefix", ["/cartes", ""])
def test_every_absolute_link_starts_with_the_public_address(portal, prefix):
    for path in JSON_PATHS:
        answer = asked(portal, prefix + path)
        assert answer.status_code == 200, path
        found = addresses(answer.json()) + re.findall("<(http[^>]+)>", answer.headers.get("link", ""))
        assert found, path
        assert [link for link in found if link != PUBLIC and not link.startswith(PUBLIC + "/")] == []


@pytest.mark.parametrize("prefix", ["/cartes", ""])
def test_every_link_of_a_page_stays_under_the_prefix(portal, prefix):
    pages = [
        asked(portal, prefix + path, Accept="text/html").text
        for path in ("/", "/collections", "/directory/casatransports")
    ]
    links = {unescape(link) for page in pages for link in re.findall(r'(?:href|src)="(/[^"]*)"', page)}
    assert len(links) > 20
    for link in links:
        assert link.startswith("/cartes/"), link
        assert asked(portal, link if prefix else link.removeprefix("/cartes")).status_code == 200, link
    lost = asked(portal, prefix + "/nothing", Accept="text/html").text
    assert {link[:8] for link in re.findall(r'(?:href|src)="(/[^"]*)"', lost)} == {"/cartes/"}


@pytest.mark.parametrize("name", ["cartes", "tiles/city", "carte"])
@pytest.mark.parametrize("stripping", [True, False])
def test_a_prefix_may_be_called_as_one_of_our_paths(database_url, serve, name, stripping):
    address = serve(database_url, public_url=f"https://city.example.org/{name}")
    before = "" if stripping else f"/{name}"
    for path, kind in (
        ("/", "application/json"),
        ("/maps/city.js", "text/javascript"),
        ("/tiles/WebMercatorQuad/9/205/245", "application/vnd.mapbox-vector-tile"),
        ("/collections/facilities/items", "application/geo+json"),
        ("/directory/casatransports", "application/geo+json"),
    ):
        answer = asked(address, before + path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/collections",
        "/collections/facilities/items",
        "/nothing",
        "/tiles/WebMercatorQuad/9/205/245",
        "/maps/city.js",
    ],
)
def test_data_may_run_and_load_nothing(client, path):
    answer = client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_frames_are_for_the_portals_that_the_setting_names(client, database_url, serve):
    closed = client.get("/", headers={"Accept": "text/html"}).headers["content-security-policy"]
    assert closed.endswith("frame-ancestors 'none'")
    address = serve(database_url, frame_origins="https://portal.example.org http://intra:8080")
    opened = httpx.get(address, headers={"Accept": "text/html"}).headers["content-security-policy"]
    assert opened.endswith("frame-ancestors https://portal.example.org http://intra:8080")
    assert "x-frame-options" not in httpx.get(address, headers={"Accept": "text/html"}).headers


def test_the_background_is_the_only_other_host(database_url, serve):
    address = serve(database_url, background_url="https://tile.example.org/{z}/{x}/{y}.png")
    policy = httpx.get(address, headers={"Accept": "text/html"}).headers["content-security-policy"]
    assert re.findall(r"https?://\S+", policy) == ["https://tile.example.org;"]


def test_assets_may_be_kept_for_ever(client):
    page = client.get("/collections?f=html").text
    for address in re.findall(r'(?:href|src)="(/assets/[^"]+)"', page):
        answer = client.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        old = re.sub("/assets/[0-9a-f]+/", "/assets/0123456789ab/", address)
        assert client.get(old).headers["cache-control"] == "no-cache"
        assert client.get(old).content == answer.content


HOT_PATHS = [
    "/collections/districts/items",
    "/collections/districts/items/06.141.01.01",
    "/nearest?lon=-7.6&lat=33.5",
    "/tiles/WebMercatorQuad/10/410/490",
]


@pytest.mark.parametrize("path", HOT_PATHS)
def test_paths_ahead_of_the_framework_are_like_the_others(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("x-content-type-options", "content-security-policy", "access-control-allow-origin"):
        assert answer.headers[name] == client.get("/conformance").headers[name]
    refused = client.post(path, content=b"x")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert refused.headers["content-type"] == "application/problem+json"
    assert client.options(path).status_code == 405
    asked = {"Origin": "https://planner.example", "Access-Control-Request-Method": "GET"}
    assert client.options(path, headers=asked).headers["access-control-allow-origin"] == "*"
    # A browser asks before it sends what it has of a page already.
    again = client.options(path, headers={**asked, "Access-Control-Request-Headers": "if-none-match"})
    assert (again.status_code, again.headers["access-control-allow-headers"]) == (200, "if-none-match")
    assert client.get(path, headers={"Host": "elsewhere.example"}).status_code == 421


@pytest.mark.parametrize("path", HOT_PATHS)
def test_they_are_compressed_for_those_who_want_it(client, path):
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    dense = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert len(plain.content) > 1000
    assert "content-encoding" not in plain.headers
    assert dense.headers["content-encoding"] == "gzip"
    assert int(dense.headers["content-length"]) < len(plain.content)
    for wanted in ("GZIP", "Gzip;q=0.5", "*", "br;q=1.0, *;q=0.1"):
        assert client.get(path, headers={"Accept-Encoding": wanted}).headers["content-encoding"] == "gzip"
    for unwanted in ("gzip;q=0, identity", "GZIP;Q=0", "*;q=0", "*, gzip;q=0"):
        assert "content-encoding" not in client.get(path, headers={"Accept-Encoding": unwanted}).headers
    assert dense.content == plain.content or "timeStamp" in plain.text
    assert "accept-encoding" in plain.headers["vary"].lower()


@pytest.mark.parametrize(
    "path", ["/", "/api", "/collections", "/collections/facilities/items", "/collections/facilities/export", "/maps"]
)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_what_an_answer_varies_by_is_said_once(client, path, encoding):
    (vary,) = client.get(path, headers={"Accept-Encoding": encoding}).headers.get_list("vary")
    names = vary.split(", ")
    assert {"Accept", "Accept-Language", "Accept-Encoding"} <= set(names)
    assert len(names) == len(set(names))


def test_links_of_long_filters_stay_out_of_the_header(client):
    text = " OR ".join([f"id = '{'x' * 60}'"] * 80)
    for form in ("json", "csv"):
        answer = client.get("/collections/facilities/items", params={"filter": text, "f": form})
        assert answer.status_code == 200
        assert len(answer.headers["link"]) < 200
    more = client.get("/collections/facilities/items", params={"filter": f"{text} OR id <> ''", "f": "csv", "limit": 5})
    assert more.headers["link"].endswith('rel="next"; type="text/csv"')
    assert more.headers["link"].count("rel=") == 1
