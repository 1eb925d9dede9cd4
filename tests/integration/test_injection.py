"""Names that try to be more than names: stored, served and shown word for word, and never run."""

import re
from html import unescape
from urllib.parse import quote

import httpx
import mapbox_vector_tile
import pytest

STRINGS = [
    "</script><img src=x onerror=alert(1)>${7*7}",
    "'; DROP TABLE features.libraries; --",
    '"); SELECT pg_sleep(9); --',
    "{{ 7*7 }}{% raw %}{0}%s%(x)s",
    "\\u003cb\\u003e \\' \\n $1 :name %",
    "<svg/onload=alert(1)>&amp;&lt;",
    "javascript:alert(1)",
    "\u202eevil\u2066",
    "مكتبة <b>الحي</b>\u2028x",
    "a\tb",
    "😀𝔘𝔫𝔦",
    "x" * 3000,
]
IDS = ["a?b=c&d", "a#b", "100%", "%2e%2e", "a b+c", "a'b\"c", "<b>", "${7*7}", "مكتبة", "a;b:c@d", "café", "😀"]


@pytest.fixture
def served(workshop, serve):
    workshop.add("site", format="url")
    workshop.add("note")
    workshop.raw["directory"] = {"role": "place", "columns": {"website": "site", "address_fr": "note"}}
    features = [
        {"id": f"s{n}", "name_fr": text, "name_ar": text, "site": text, "note": text, "at": (-7.6, 33.5)}
        for n, text in enumerate(STRINGS)
    ]
    features += [{"id": key, "at": (-7.6, 33.5)} for key in IDS]
    report = workshop.ingest(workshop.geojson(*features))
    assert report.rejected == []
    with httpx.Client(base_url=serve(workshop.url), timeout=30) as client:
        yield client


def test_stored_and_served_word_for_word(served):
    features = served.get("/collections/libraries/items").json()["features"]
    found = {item["id"]: item["properties"] for item in features}
    for number, text in enumerate(STRINGS):
        for name in ("name_fr", "name_ar", "site", "note"):
            assert found[f"s{number}"][name] == text
        assert served.get(f"/directory/s{number}").json()["properties"]["website"] == text
        matched = served.get("/collections/libraries/items", params={"name_fr": text}).json()["features"]
        assert [item["id"] for item in matched] == [f"s{number}"]
    tile = mapbox_vector_tile.decode(served.get("/collections/libraries/tiles/WebMercatorQuad/9/205/245").content)
    in_tile = {item["properties"]["id"]: item["properties"]["name_ar"] for item in tile["libraries"]["features"]}
    assert in_tile == {key: properties["name_ar"] for key, properties in found.items()}


def test_pages_show_them_as_text(served):
    for number, text in enumerate(STRINGS):
        for path in (f"/collections/libraries/items/s{number}", f"/directory/s{number}"):
            page = served.get(path, headers={"Accept": "text/html"})
            assert page.status_code == 200
            assert text in unescape(page.text)
            assert not re.search(r"<(img|svg(?! class=\"sketch\")|b)[ />]", page.text.split("<main")[1])
            assert not re.search(r'href="\s*(?!/|http|tel|#)', page.text)
    listing = served.get("/collections/libraries/items?f=html&lang=ar").text
    assert not re.search(r"<(img|svg/)", listing)
    assert "49" not in re.findall(r"\$\{.*?\}", unescape(listing))


def test_cards_give_them_as_plain_text_and_no_link(served):
    for number, text in enumerate(STRINGS):
        card = served.get(f"/collections/libraries/items/s{number}/card").json()
        assert card["title"] == text
        assert [row["value"] for row in card["rows"]] == [text, text]
        assert not [row for row in card["rows"] if "href" in row]


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_every_id_leads_to_its_feature_and_stays_with_it(served, lang):
    for key in IDS:
        path = "/collections/libraries/items/" + quote(key, safe="")
        feature = served.get(path)
        assert feature.json()["id"] == key
        for item in feature.json()["links"]:
            assert served.get(item["href"]).status_code == 200, item
        page = served.get(path, params={"f": "html", "lang": lang})
        assert page.headers["content-language"] == lang
        for address in re.findall(r'<link rel="(?:alternate|canonical)"[^>]*href="([^"]+)"', page.text):
            again = served.get(unescape(address))
            assert again.status_code == 200, address
            assert str(again.url.path).endswith(key)


def test_titles_of_layers_are_texts_too(workshop, serve):
    title = "</script><b>${7*7}</b>"
    workshop.raw["title"] = {"fr": title, "ar": title}
    workshop.raw["notice"] = {"fr": title, "ar": title}
    workshop.raw["attribution"] = {"fr": title, "ar": title}
    workshop.raw["fields"][0]["label"] = {"fr": title, "ar": title}
    workshop.add("kind", required=True, values={"x": {"fr": title, "ar": title}})
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5,x", header="kind"))
    base = serve(workshop.url)
    for path in (
        "/",
        "/collections",
        "/collections/libraries",
        "/collections/libraries/items",
        "/collections/libraries/items/a",
        "/api",
        "/tiles/WebMercatorQuad",
    ):
        page = httpx.get(base + path, headers={"Accept": "text/html"})
        assert page.status_code == 200, path
        assert title not in page.text, path
        assert "<b>" not in page.text, path
    script = httpx.get(base + "/maps/city.js").text
    assert "`" not in script or "${7*7}" not in script
