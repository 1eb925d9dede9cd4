"""The pages for people: French and Arabic alike, with nothing inline and nothing from another host."""

import html
import re
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
import pytest

PAGES = [
    "/collections",
    "/collections/districts",
    "/collections/facilities",
    "/collections/worksites",
    "/collections/transport-lines",
    "/collections/transport-stops",
    "/collections/districts/items",
    "/collections/facilities/items?limit=20",
    "/collections/worksites/items",
    "/collections/transport-lines/items",
    "/collections/transport-stops/items",
    "/collections/facilities/items?category=castle",
    "/collections/facilities/items?name_fr=nothing",
    "/collections/facilities/tiles/WebMercatorQuad",
    "/tiles/WebMercatorQuad",
    "/tiles/WebMercatorQuad?collections=districts,worksites",
    "/conformance",
    "/api",
    "/collections/districts/items/06.141.01.01",
    "/collections/transport-lines/items/T1",
    "/collections/facilities/items/gare-routiere-ctm-casablanca",
    "/directory/gare-routiere-ctm-casablanca",
    "/directory/casatransports",
    "/directory",
    "/directory?q=poste&category=post_office&district_code=06.141.01.07",
    "/directory?q=nothing+at+all",
    "/collections/directory/items?limit=20",
    "/districts",
    "/districts/06.141.01.03",
    "/districts/06.141.01.81",
    "/accessibility",
    "/privacy",
    "/nothing",
]
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data", "embed": "src"}


class Page(HTMLParser):
    """What of a page matters here."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.inline, self.loaded, self.links, self.headings = [], [], [], [], [], []
        self._script = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.inline.append("script")
        if tag == "style":
            self.inline.append("style")
        if tag in LOADS and LOADS[tag] in given:
            self.loaded.append(given[LOADS[tag]])
        if tag == "link" and given.get("rel") not in ("canonical", "alternate"):
            self.loaded.append(given["href"])
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "h1":
            self.headings.append(tag)

    def one(self, tag, **wanted):
        (found,) = [given for name, given in self.tags if name == tag and wanted.items() <= given.items()]
        return found


def page_of(client, path, lang):
    answer = client.get(httpx.URL(path).copy_merge_params({"lang": lang}), headers={"Accept": "text/html"})
    return answer, Page(answer.text)


@pytest.fixture(params=["fr", "ar"])
def lang(request):
    return request.param


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_in_its_language(client, path, lang):
    answer, page = page_of(client, path, lang)
    expected = 400 if "castle" in path else 404 if path == "/nothing" else 200
    assert answer.status_code == expected
    assert answer.headers["content-language"] == lang
    assert page.one("html") == {"lang": lang, "dir": "rtl" if lang == "ar" else "ltr"}
    assert len(page.headings) == 1
    assert len(set(page.ids)) == len(page.ids)
    assert "user-scalable" not in page.one("meta", name="viewport")["content"]
    assert "None" not in answer.text.replace("'none'", "")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_under_its_policy(client, path, lang):
    answer, page = page_of(client, path, lang)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert page.inline == []
    assert [address for address in page.loaded if urlsplit(address).netloc or not address.startswith("/")] == []


def test_every_link_of_every_page_leads_somewhere(client, lang):
    pages = [page_of(client, path, lang)[1] for path in PAGES if path != "/nothing" and "castle" not in path]
    links = {link for page in pages for link in page.links}
    assert {urlsplit(link).scheme for link in links} <= {"", "https", "http", "tel"}
    own = {link.split("#")[0] for link in links if link.startswith("/")} | {
        link for page in pages for link in page.loaded
    }
    assert len(own) > 100
    # Rows of tables are alike; some of each are enough.
    alike = Counter()
    for link in sorted(own):
        kind = link.split("?")[0].rpartition("/")[0]
        alike[kind] += 1
        if alike[kind] <= 6:
            assert client.head(link).status_code == 200, link


@pytest.mark.parametrize("path", PAGES[:20])
def test_the_other_language_is_the_same_page(client, path, lang):
    _, page = page_of(client, path, lang)
    other = "fr" if lang == "ar" else "ar"
    address = page.one("link", rel="alternate", hreflang=other)["href"]
    for key, values in dict(item.split("=") for item in urlsplit(path).query.split("&") if item).items():
        assert f"{key}={values.replace(',', '%2C')}" in address
    answer = client.get(address, headers={"Accept": "text/html"})
    assert f'<html lang="{other}"' in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/maps/health", "/maps", "/districts/06.141.01.01", "/widgets", "/search?q=poste"]
)
def test_the_maps_are_a_step_away_from_everywhere(client, path, lang):
    text = client.get(
        f"{path}{'&' if '?' in path else '?'}f=html&lang={lang}" if path != "/widgets" else path + f"?lang={lang}"
    ).text
    header = re.search(r'<nav class="main".*?</nav>', text, re.DOTALL)[0]
    footer = re.search(r'<footer class="site">.*?</footer>', text, re.DOTALL)[0]
    assert all(
        f'href="/maps?f=html&amp;lang={lang}"' in part.replace("&lang", "&amp;lang") for part in (header, footer)
    )


def test_a_districts_page_leads_to_its_map(client, lang):
    text = client.get("/districts/06.141.01.01", params={"f": "html", "lang": lang}).text
    assert f'href="/maps/district-06.141.01.01?lang={lang}"' in text


def test_a_table_of_features_goes_on_page_after_page(client, lang):
    address, rows = f"/collections/facilities/items?limit=200&f=html&lang={lang}", 0
    while address:
        answer = client.get(address)
        page = Page(answer.text)
        assert answer.headers["content-language"] == lang
        rows += sum(name == "tr" for name, _ in page.tags) - 1
        address = next((given["href"] for name, given in page.tags if name == "a" and given.get("rel") == "next"), None)
    assert rows == 450


def test_labels_and_values_are_in_the_readers_language(client):
    french = client.get("/collections/worksites/items?f=html&lang=fr").text
    arabic = client.get("/collections/worksites/items?f=html&lang=ar").text
    assert "En cours" in french
    assert "جارية" in arabic
    assert "En cours" not in arabic


@pytest.mark.parametrize("kind", ["queryables", "sortables", "schema"])
def test_fields_have_their_types_and_values_under_them(client, kind):
    """Two columns fit on a phone, and a list of values has room."""
    path = f"/collections/facilities/{kind}"
    text = client.get(path, params={"f": "html"}).text.split("<table")[1]
    document = client.get(path, params={"f": "json"}).json()
    rows = text.split("<tbody>")[1].split("<tr>")[1:]
    for row, (name, schema) in zip(rows, document["properties"].items(), strict=True):
        assert row.count("<td") == row.count("<th") == 1
        codes = re.findall(r"<code[^>]*>([^<]*)</code>", row)
        assert codes == [name, schema.get("format", schema.get("type")), *map(str, schema.get("enum", []))]


def test_an_institution_has_one_canonical_page(client, server_url):
    home = f"{server_url}/directory/gare-routiere-ctm-casablanca"
    for path in ("/directory/", "/collections/facilities/items/"):
        _, page = page_of(client, path + "gare-routiere-ctm-casablanca", "ar")
        assert page.one("link", rel="canonical")["href"] == f"{home}?f=html&lang=ar"


@pytest.mark.parametrize("asked", ["category", "name_ar", "entry_id", "phone,category", ""])
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_table_has_the_properties_that_were_asked_for(client, asked, lang):
    path = "/collections/facilities/items"
    answer = client.get(path, params={"f": "html", "properties": asked, "lang": lang, "limit": 3})
    assert answer.status_code == 200
    # The name's column always stands first; where no name was asked for, it has the id.
    shown = {"name_fr": "fr", "name_ar": "ar"}
    more = [name for name in asked.split(",") if name and name not in (*shown, "entry_id")]
    assert answer.text.count('<th scope="col">') == 1 + len(more)
    feature = client.get(path, params={"limit": 1}).json()["features"][0]
    named = feature["properties"][f"name_{lang}"] if f"name_{lang}" in asked.split(",") else feature["id"]
    assert f"<bdi>{named}</bdi></a></th>" in html.unescape(answer.text)
