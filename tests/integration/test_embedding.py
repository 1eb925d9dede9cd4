"""Maps in other sites' pages, as the service answers: oEmbed, reports, frames, the widget's script."""

from __future__ import annotations

import html
import json
import re
import zlib
from typing import Any

import httpx
import pytest

PUBLIC = "https://maps.example.org/city"


@pytest.fixture
def public(serve: Any, database_url: str) -> Any:
    with httpx.Client(base_url=serve(database_url, public_url=PUBLIC)) as client:
        yield client


def test_oembed_is_built_from_the_public_address(public: httpx.Client) -> None:
    asked = {
        "url": f"{PUBLIC}/maps/worksites?lang=ar#map=14/33.59/-7.6&layers=worksites&select=worksites/y",
        "maxwidth": "400",
    }
    answer = public.get("/oembed", params=asked, headers={"Host": "localhost", "X-Forwarded-Host": "evil.example"})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["version"], body["type"], body["width"], body["height"]) == ("1.0", "rich", 400, 520)
    assert body["provider_url"] == f"{PUBLIC}/"
    source = html.unescape(re.search(r'src="([^"]+)"', body["html"])[1])  # type: ignore[index]
    query = httpx.URL(source).params
    assert source.startswith(f"{PUBLIC}/embed/worksites?")
    assert dict(query) == {"lang": "ar", "view": "14/33.59/-7.6", "layers": "worksites", "select": "worksites/y"}
    assert 'sandbox="allow-scripts allow-same-origin allow-popups"' in body["html"]
    assert "evil" not in answer.text
    assert body["title"] == "الأشغال"


def framed(answer: httpx.Response) -> dict[str, str]:
    """Return the parameters of the frame in an answer of oEmbed."""
    source = html.unescape(re.search(r'src="([^"]+)"', answer.json()["html"])[1])  # type: ignore[index]
    return dict(httpx.URL(source).params)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("layers=nope", {}),
        ("layers=nope,worksites,worksites", {"layers": "worksites"}),
        ("layers=", {"layers": ""}),
        ("select=zz", {}),
        ("select=trees/1", {}),
        ("select=worksites/1", {"select": "worksites/1"}),
        ("time=2026-99", {}),
        ("time=2026-02-31", {}),
        ("time=2026-12", {"time": "2026-12"}),
        ("view=%3Cscript%3E", {}),
        ("view=14/99/-7.6", {}),
        ("view=14/33.59/-7.6", {"view": "14/33.59/-7.6"}),
        ("filter=((", {}),
        ("filter=height%3E3", {}),
        ("filter=state='planned'", {"filter": "state='planned'"}),
        ("district=x&theme=red&colour=red&else=1", {}),
        ("district=06.141.01.01&theme=dark&colour=%237a3e9d", {"district": "06.141.01.01", "theme": "dark", "colour": "#7a3e9d"}),
        ("time=2026-99&layers=worksites&select=zz#map=x&time=2026-12", {"time": "2026-12", "layers": "worksites"}),
    ],
)  # fmt: skip
def test_oembed_leaves_out_what_makes_no_sense(public: httpx.Client, asked: str, kept: dict[str, str]) -> None:
    for kind in ("maps", "embed"):
        answer = public.get("/oembed", params={"url": f"{PUBLIC}/{kind}/worksites?lang=fr&{asked}"})
        found = framed(answer)
        assert found == {"lang": "fr", **kept}
        assert public.get("/embed/worksites", params={**found, "f": "json"}).status_code == 200


def test_the_builders_address_for_oembed_keeps_what_is_chosen(public: httpx.Client) -> None:
    chosen = {"map": "worksites", "of": "worksites", "language": "ar", "district": "06.141.01.01"}
    for more, kept in (
        ({"layers": "worksites"}, {"layers": "worksites"}),
        ({}, {"layers": ""}),
        ({"layers": "worksites", "theme": "dark", "colour": "#7a3e9d"}, {"layers": "worksites", "theme": "dark", "colour": "#7a3e9d"}),
    ):  # fmt: skip
        text = html.unescape(html.unescape(public.get("/widgets", params={**chosen, **more}).text))
        address = re.search(rf"{re.escape(PUBLIC)}(/oembed\?[^<\s]+)", text)
        assert address
        page = httpx.URL(httpx.URL(address[1]).params["url"])
        assert (
            public.get(page.raw_path.decode().removeprefix("/city"), headers={"Accept": "text/html"}).status_code == 200
        )
        assert framed(public.get(address[1])) == {"lang": "ar", "district": "06.141.01.01", **kept}


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/maps/city", "http://maps.example.org/city/maps/city", f"{PUBLIC}/maps/nowhere",
        f"{PUBLIC}/collections/districts", f"{PUBLIC}x/maps/city", "https://maps.example.org/maps/city", "x", "http://[",
        "https://maps.example.org@evil.example/city/maps/city", f"{PUBLIC}/maps/city/list/x",
    ],
)  # fmt: skip
def test_oembed_knows_our_maps_only(public: httpx.Client, url: str) -> None:
    assert public.get("/oembed", params={"url": url}).status_code == 404


def test_oembed_says_what_it_does_not_offer(public: httpx.Client) -> None:
    url = f"{PUBLIC}/maps/city"
    assert public.get("/oembed", params={"url": url, "format": "xml"}).status_code == 501
    assert public.get("/oembed").status_code == 400
    for name in ("maxwidth", "maxheight"):
        for wrong in ("0", "-1", "10001", "x", "1.5", "٥"):
            answer = public.get("/oembed", params={"url": url, name: wrong})
            assert answer.status_code == 400
            assert "1 … 10000" in answer.json()["detail"]


@pytest.mark.parametrize(("width", "height"), [(300, 200), (1, 1), (5000, 100), (10000, 10000)])
def test_oembed_is_never_larger_than_the_page_has_room_for(public: httpx.Client, width: int, height: int) -> None:
    asked = {"url": f"{PUBLIC}/maps/city", "maxwidth": str(width), "maxheight": str(height)}
    body = public.get("/oembed", params=asked).json()
    assert (body["width"], body["height"]) == (min(width, 800), min(height, 520))
    assert f'width="{body["width"]}" height="{body["height"]}"' in body["html"]


def test_texts_in_an_address_are_inert_in_the_code(public: httpx.Client) -> None:
    evil = '"><img src=x onerror=alert(1)>'
    body = public.get("/oembed", params={"url": str(httpx.URL(f"{PUBLIC}/maps/city", params={"view": evil}))}).json()
    assert "<img" not in body["html"]
    assert body["html"].count("<") == 2
    page = public.get("/widgets", params={"layers": evil, "of": "city", "map": "city"})
    assert page.status_code == 200
    assert "<img" not in page.text


@pytest.mark.parametrize("path", ["/", "/maps/city", "/maps/health"])
def test_pages_of_maps_name_their_oembed(public: httpx.Client, path: str) -> None:
    answer = public.get(path, headers={"Accept": "text/html"})
    found = re.search(r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', answer.text)
    assert found
    address = html.unescape(found[1])
    assert f'<{address}>; rel="alternate"; type="application/json+oembed"' in answer.headers["link"]
    assert public.get(address.removeprefix(PUBLIC)).json()["type"] == "rich"


def test_a_frames_filters_reach_the_layers_that_have_the_fields(client: httpx.Client) -> None:
    asked = {"f": "json", "filter": "state = 'planned'", "district": "06.141.01.01"}
    filters = {layer["id"]: layer["filter"] for layer in client.get("/embed/worksites", params=asked).json()["layers"]}
    district = "district_code = '06.141.01.01'"
    assert filters == {
        "districts": None,
        "transport-lines": None,
        "transport-stops": district,
        "worksites": f"({district}) AND (state = 'planned')",
    }
    for wrong in ({"filter": "height > 3"}, {"district": "x'"}, {"theme": "red"}, {"colour": "red"}):
        assert client.get("/embed/worksites", params={"f": "json", **wrong}).status_code == 400
        page = client.get("/embed/worksites", params=wrong, headers={"Accept": "text/html"})
        assert page.status_code == 400
        assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
        assert '<header class="site"' not in page.text


def test_a_maps_page_takes_the_filters_of_its_frame(client: httpx.Client) -> None:
    asked = {"lang": "fr", "filter": "category='pharmacy'", "district": "06.141.01.03"}
    framed = client.get("/embed/city", params={"f": "json", **asked}).json()
    body = client.get("/maps/city", params={"f": "json", **asked}).json()
    assert body["layers"] == framed["layers"]
    assert body["extent"] == client.get("/maps/district-06.141.01.03").json()["extent"]
    answer = client.get("/maps/city", params={"f": "html", **asked})
    text = html.unescape(answer.text)
    query = "filter=category%3D%27pharmacy%27&district=06.141.01.03"
    assert f'id="list-link" href="/maps/city/list?lang=fr&{query}"' in text
    assert re.search(rf'og:image" content="[^"]+/maps/city.png[^"]+{re.escape(query)}', text)
    other = re.search(r'href="([^"]+)" hreflang="ar" lang="ar"', text)
    assert other
    assert {**asked, "lang": "ar", "f": "html"} == dict(httpx.URL(other[1]).params)
    data = json.loads(re.search(r'id="casamaps-data">(.*?)</script>', answer.text)[1])  # type: ignore[index]
    assert data["filters"] == {layer["id"]: layer["filter"] for layer in framed["layers"]}
    assert "Maârif" in data["narrowed"]["text"]
    assert data["narrowed"]["href"] == "/maps/city?lang=fr"
    oembed = html.unescape(re.search(r'json\+oembed" href="([^"]+)"', answer.text)[1])  # type: ignore[index]
    code = client.get(httpx.URL(oembed).raw_path.decode()).json()["html"]
    source = httpx.URL(html.unescape(re.search(r'src="([^"]+)"', code)[1]))  # type: ignore[index]
    assert {**asked, "lang": "fr"} == dict(source.params)
    for wrong in ({"filter": "height > 3"}, {"filter": "(("}, {"district": "x'"}):
        for path in ("/maps/city", "/maps/city/list", "/maps/city.png"):
            assert client.get(path, params=wrong).status_code == 400, (path, wrong)
        for path in ("/", "/maps/city"):
            assert client.get(path, params={"f": "html", **wrong}).status_code == 400, (path, wrong)


def test_a_list_and_a_picture_take_the_filters_of_their_map(client: httpx.Client) -> None:
    asked = {"filter": "category='pharmacy'", "district": "06.141.01.03"}
    filters = {
        layer["id"]: layer["filter"]
        for layer in client.get("/maps/city", params={"f": "json", **asked}).json()["layers"]
    }
    found = client.get("/maps/city/list", params={"layers": "facilities", "limit": 100, **asked}).json()
    box = ",".join(map(str, found["bbox"]))
    own = {"filter": filters["facilities"], "bbox": box, "limit": 1000}
    expected = {item["id"] for item in client.get("/collections/facilities/items", params=own).json()["features"]}
    assert {item["id"] for item in found["features"]} == expected
    assert 2 < len(expected) < 100
    assert all("district=06.141.01.03" in link["href"] for link in found["links"] if link["rel"] != "next")
    page = html.unescape(client.get("/maps/city/list", params={"f": "html", "lang": "ar", **asked}).text)
    query = "filter=category%3D%27pharmacy%27&district=06.141.01.03"
    assert re.search(rf'class="overview" href="/maps/city\?lang=ar&view=[^"]+{re.escape(query)}"', page)
    assert re.search(rf'src="/maps/city.png[^"]+{re.escape(query)}[^"]*"', page)
    assert f'name="district" value="{asked["district"]}"' in page
    assert "المعاريف" in re.search(r'<p class="notice">(.*?)</p>', page)[1]  # type: ignore[index]
    assert all(query in address for address in re.findall(r'<p class="show"><a href="([^"]+)"', page))
    size = {"size": "300x200", "layers": "facilities"}
    whole, part = (client.get("/maps/city.png", params={**size, "bbox": box, **more}) for more in ({}, asked))
    assert whole.headers["etag"] != part.headers["etag"]
    assert whole.content != part.content


@pytest.mark.parametrize(("lang", "said"), [("fr", "n'existe pas"), ("ar", "غير موجودة")])
def test_a_map_that_there_is_not_is_said_in_the_frame(
    serve: Any, database_url: str, client: httpx.Client, lang: str, said: str
) -> None:
    asked = {"params": {"lang": lang}, "headers": {"Accept": "text/html"}}
    answer = client.get("/embed/wroksites", **asked)
    text = html.unescape(answer.text)
    assert answer.status_code == 404
    assert said in text
    assert "wroksites" in text
    assert "worksites" in text
    assert "district-06" not in text
    assert f'href="/maps?f=html&lang={lang}"' in text
    assert "frame-ancestors 'self';" in answer.headers["content-security-policy"] + ";"
    portal = "https://portal.example.org"
    open_to = httpx.get(f"{serve(database_url, frame_origins=portal)}/embed/wroksites", **asked)
    assert f"frame-ancestors 'self' {portal};" in open_to.headers["content-security-policy"] + ";"
    evil = client.get("/embed/%3Cimg%20src=x%3E", **asked)
    assert evil.status_code == 404
    assert "<img" not in evil.text
    assert client.get("/embed/wroksites", params={"f": "json"}).json()["type"].endswith("map.unknown")


def test_the_link_for_browsers_without_the_script_keeps_what_is_chosen(client: httpx.Client) -> None:
    chosen = {"map": "worksites", "district": "06.141.01.01", "layers": "worksites", "of": "worksites"}
    text = html.unescape(client.get("/widgets", params=chosen).text)
    link = re.search(r'<a href="([^"]+/maps/worksites[^"]*)">', html.unescape(text))
    assert link
    assert dict(httpx.URL(link[1]).params)["district"] == "06.141.01.01"
    assert dict(httpx.URL(link[1]).params)["layers"] == "worksites"
    assert client.get(httpx.URL(link[1]).raw_path.decode()).status_code == 200


def test_a_frames_theme_does_not_depend_on_its_reader(client: httpx.Client) -> None:
    for theme in ("light", "dark"):
        page = client.get(f"/embed/city?theme={theme}").text
        assert f'content="{theme}"' in page
        sheets = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
        assert len(sheets) == 3
        own = [sheet for sheet in sheets if "/css/" in sheet]
        assert all(sheet.endswith(f"-{theme}.css") for sheet in own)
        assert all("prefers-color-scheme" not in client.get(sheet).text for sheet in own)


def test_reports_are_answered_alike_and_bounded(client: httpx.Client) -> None:
    body = json.dumps({"csp-report": {"effective-directive": "img-src", "blocked-uri": "inline"}})
    sent = {"Content-Type": "application/csp-report"}
    for address in ("/csp-reports", "/csp-reports?map=city", "/csp-reports?map=%3Cb%3E"):
        answer = client.post(address, content=body, headers=sent)
        assert (answer.status_code, answer.content) == (204, b"")
    assert client.post("/csp-reports", content="<evil>", headers=sent).status_code == 400
    assert "evil" not in client.post("/csp-reports", content="<evil>", headers=sent).text
    assert client.post("/csp-reports", content=body).status_code == 415
    assert client.post("/csp-reports", content=b" " * 20_000, headers=sent).status_code == 413
    assert client.get("/csp-reports").status_code == 405


def test_versions_of_the_script(client: httpx.Client) -> None:
    newest = client.get("/widget.js")
    assert newest.headers["access-control-allow-origin"] == "*"
    contents = [client.get(f"/widget/{version}.js").content for version in ("1.2.0", "1.1.0", "1.0.0")]
    assert newest.content == contents[0]
    assert len(set(contents)) == 3
    assert client.get("/widget/9.9.9.js").status_code == 404
    assert "set-cookie" not in newest.headers


def test_a_picture_without_districts_lies_on_the_ground(client: httpx.Client) -> None:
    def corner(layers: str) -> bytes:
        asked = {"layers": layers, "size": "300x200", "title": "false", "bbox": "-8.5,33.9,-8.2,34.1"}
        body = client.get("/maps/city.png", params=asked).content
        start = body.index(b"IDAT") + 4
        length = int.from_bytes(body[start - 8 : start - 4], "big")
        # Whatever the first row's filter, its first pixel stands as it is behind the filter's number.
        return zlib.decompressobj().decompress(body[start : start + length])[1:4]

    assert corner("districts").hex() == "d9e5e8"
    assert corner("facilities").hex() == "fbfaf6"
