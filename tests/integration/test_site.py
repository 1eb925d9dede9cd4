"""Statements, sitemap and robots.txt, and the links to the city's other services."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from api.i18n import messages
from tests.integration.test_linked_places import FACTS

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"


def test_every_address_of_the_sitemap_answers_in_its_language(client, server_url):
    answer = client.get("/sitemap.xml")
    assert answer.headers["content-type"].startswith("application/xml")
    root = ElementTree.fromstring(answer.content)
    assert root.tag == f"{MAP}urlset"
    listed = {}
    for entry in root:
        address = entry.findtext(f"{MAP}loc")
        versions = {link.get("hreflang"): link.get("href") for link in entry.findall(LINK)}
        assert set(versions) == {"fr", "ar", "x-default"}
        default = versions.pop("x-default")
        assert {f"{default}&lang={lang}" for lang in versions} == set(versions.values())
        assert address in versions.values()
        listed[address] = versions
    assert len(listed) == len(root)
    for versions in listed.values():  # each version names the same versions
        assert all(listed[other] == versions for other in versions.values())
    paths = {urlsplit(address).path for address in listed}
    assert {f"/directory/{key}" for key in FACTS} <= paths
    assert {
        "/",
        "/directory",
        "/districts",
        "/maps",
        "/maps/transport",
        "/collections",
        "/accessibility",
        "/privacy",
    } <= paths
    assert len([path for path in paths if path.startswith("/districts/")]) == 17
    for address in listed:
        assert address.startswith(server_url)
        if address.startswith(f"{server_url}/directory/") and hash_of(address) % 8:
            continue
        page = client.get(address)
        lang = parse_qs(urlsplit(address).query)["lang"][0]
        assert (page.status_code, page.headers["content-language"]) == (200, lang), address
        assert page.headers["content-type"].startswith("text/html")
        heads = re.findall(r'<link rel="(canonical|alternate)"(?: hreflang="([^"]+)")? href="([^"]+)"', page.text)
        said = {(rel, code): unescape(href) for rel, code, href in heads if rel == "canonical" or code}
        assert said.pop(("canonical", "")) == address
        assert said.pop(("alternate", "x-default")) == address.partition("&")[0]
        assert said == {("alternate", code): href for code, href in listed[address].items()}


def hash_of(text):
    return sum(text.encode())


def test_robots_are_told_of_the_sitemap(database_url, serve):
    base = serve(database_url, public_url="https://portal.example/cartes")
    headers = {"Host": "portal.example"}
    text = httpx.get(f"{base}/cartes/robots.txt", headers=headers).text
    assert "Sitemap: https://portal.example/cartes/sitemap.xml" in text.splitlines()
    assert "Disallow: /cartes/tiles/" in text.splitlines()
    root = ElementTree.fromstring(httpx.get(f"{base}/cartes/sitemap.xml", headers=headers).content)
    assert all(entry.findtext(f"{MAP}loc").startswith("https://portal.example/cartes/") for entry in root)


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize(
    "path", ["/directory?f=html", "/districts?f=html", "/collections?f=html", "/?f=html", "/nothing?f=html"]
)
def test_every_page_leads_to_the_statements(client, path, lang):
    page = client.get(f"{path}&lang={lang}").text
    footer = page[page.index("<footer") :]
    for name in ("accessibility", "privacy"):
        (address,) = re.findall(rf'href="(/{name}[^"]*)"', footer)
        answer = client.get(address.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert f'<html lang="{lang}"' in answer.text


def test_links_to_other_services_carry_the_place(database_url, serve):
    base = serve(
        database_url,
        report_url="https://plaintes.example.org/new?p={place}&n={name}&d={district}&at={lon},{lat}",
        procedure_url="https://services.example.org/{district}",
    )
    key = "gare-routiere-ctm-casablanca"
    for lang in ("fr", "ar"):
        page = httpx.get(f"{base}/directory/{key}?f=html&lang={lang}").text
        (address,) = re.findall(r'href="(https://plaintes[^"]+)"', page)
        given = parse_qs(urlsplit(address.replace("&amp;", "&")).query)
        assert given == {
            "p": [f"{base}/directory/{key}"],
            "n": [FACTS[key][f"name_{lang}"]],
            "d": [FACTS[key]["district_code"]],
            "at": ["-7.611110,33.596210"],
        }
        assert 'href="https://services.example.org/06.141.01.07"' in page
    page = httpx.get(f"{base}/directory/oncf?f=html").text  # a body is nowhere
    assert "plaintes" not in page
    assert 'href="https://services.example.org/"' in page


def test_what_is_unknown_of_a_body_is_no_parameter(database_url, serve):
    base = serve(
        database_url,
        procedure_url="https://services.example.org/new?d={district}&n={name}&at={lon},{lat}&f=1#{district}",
    )
    page = httpx.get(f"{base}/directory/oncf?f=html&lang=fr").text
    (address,) = re.findall(r'href="(https://services[^"]+)"', page)
    parts = urlsplit(address.replace("&amp;", "&"))
    assert parse_qs(parts.query, keep_blank_values=True) == {"n": [FACTS["oncf"]["name_fr"]], "f": ["1"]}
    base = serve(database_url, procedure_url="https://services.example.org/new?at={lon},{lat}")
    page = httpx.get(f"{base}/directory/oncf?f=html").text
    assert 'href="https://services.example.org/new"' in page


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize(
    ("contact", "href"),
    [
        ("acces@ville.example", "mailto:acces@ville.example"),
        ("https://ville.example/contact?a=1&b=2", "https://ville.example/contact?a=1&amp;b=2"),
    ],
)
def test_the_statement_names_whom_to_tell(database_url, serve, client, contact, href, lang):
    base = serve(database_url, contact=contact)
    page = httpx.get(f"{base}/accessibility?lang={lang}").text
    main = page[page.index("<main") : page.index("</main")]
    assert f'href="{href}"' in main
    assert messages(lang)("statements.accessibility.contact.text-to") in main
    without = client.get(f"/accessibility?lang={lang}").text
    assert messages(lang)("statements.accessibility.contact.text").replace("'", "&#39;") in without


def test_without_settings_there_are_no_such_links(client):
    page = client.get("/directory/gare-routiere-ctm-casablanca?f=html&lang=fr").text
    assert "Signaler" not in page
    assert "démarche" not in page


def test_old_information_says_so(client):
    old = next(key for key, row in FACTS.items() if row["as_of"] == "2019-09")
    new = next(key for key, row in FACTS.items() if row["as_of"] == "2026-04")
    said = "plus de trois ans"
    assert said in client.get(f"/directory/{old}?f=html&lang=fr").text
    assert said not in client.get(f"/directory/{new}?f=html&lang=fr").text
