"""The map as an application: installable, readable without network, and never an old shell after an update."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from api.assets import Assets
from api.i18n import messages
from api.settings import Settings
from tests.conftest import free_port, running
from tests.e2e.layout import apart

CONTROLLED = "() => Boolean(navigator.serviceWorker.controller)"
NAMES = "async () => (await caches.keys()).sort()"


def until(page: Page, script: str, expected: object) -> None:
    """Ask a page until it answers so: a condition that is a promise can't be waited for otherwise."""
    deadline = time.monotonic() + 20
    while (found := page.evaluate(script)) != expected:
        assert time.monotonic() < deadline, found
        page.wait_for_timeout(100)


def open_map(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)


def installed(page: Page, path: str) -> None:
    """Open a map until its worker answers for it, and once more for the worker to see it."""
    open_map(page, path)
    page.wait_for_function(CONTROLLED)
    page.reload()
    open_map(page, path)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_each_language_has_a_manifest(client: httpx.Client, lang: str) -> None:
    page = client.get(f"/?lang={lang}", headers={"Accept": "text/html"}).text
    address = re.search(r'<link rel="manifest" href="([^"]+)"', page)
    assert address
    answer = client.get(address[1].replace("&amp;", "&"))
    assert answer.headers["content-type"] == "application/manifest+json"
    body = answer.json()
    assert (body["lang"], body["dir"]) == (lang, messages(lang).dir)
    assert body["start_url"] == f"/?lang={lang}"
    assert body["scope"] == "/"
    assert {icon["purpose"] for icon in body["icons"]} == {"any", "maskable"}
    for icon in body["icons"]:
        assert client.get(icon["src"]).headers["content-type"] == "image/svg+xml"


def test_chromium_would_install_it(new_page: Callable[..., Page]) -> None:
    page = new_page(service_workers="allow")
    installed(page, "/?lang=ar")
    session = page.context.new_cdp_session(page)
    found = session.send("Page.getAppManifest")
    assert found["errors"] == []
    assert '"dir": "rtl"' in found["data"]
    # A private window installs nothing; it has nothing else to say against it.
    errors = {error["errorId"] for error in session.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert errors <= {"in-incognito"}


def test_what_was_seen_is_read_without_network_with_its_age(new_page: Callable[..., Page]) -> None:
    page = new_page(service_workers="allow")
    page.watch.expected = "Failed to load resource"  # type: ignore[attr-defined]
    installed(page, "/maps/transport?lang=fr")
    page.locator('[data-feature="transport-lines/T1"]').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").locator(".meta")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".map-offline")).to_have_count(0)
    page.context.set_offline(True)
    open_map(page, "/maps/transport?lang=fr&view=13/33.59/-7.62")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.locator('[data-feature="transport-lines/T1"]').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("T1")
    expect(page.get_by_role("dialog").locator(".meta")).to_be_visible()
    expect(page.locator(".map-offline")).to_have_text(re.compile(r"^Hors connexion : données vues le \d+ .* 20\d\d"))
    page.context.set_offline(False)


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("path", ["/maps/worksites", "/maps/city"])
def test_the_age_lies_over_no_control(new_page: Callable[..., Page], path: str, lang: str) -> None:
    page = new_page(service_workers="allow")
    page.watch.expected = "Failed to load resource"  # type: ignore[attr-defined]
    installed(page, f"{path}?lang={lang}")
    page.context.set_offline(True)
    for width, height in ((390, 844), (844, 390), (768, 1024), (320, 568), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        open_map(page, f"{path}?lang={lang}")
        expect(page.locator(".map-offline")).to_be_visible()
        expect(page.locator(".map-alert.demo")).to_be_visible()
        expect(page.locator(".time-bar")).to_have_count(int("worksites" in path))
        apart(page, least=8)
        box = page.locator(".map-offline").bounding_box()
        assert box
        assert min(box["x"], width - box["x"] - box["width"]) >= 10
    page.context.set_offline(False)


def test_the_first_visit_is_kept_as_well(new_page: Callable[..., Page]) -> None:
    page = new_page(service_workers="allow")
    page.watch.expected = "Failed to load resource"  # type: ignore[attr-defined]
    open_map(page, "/maps/health?lang=ar")
    page.wait_for_function(CONTROLLED)
    kept = "async () => (await (await caches.open('seen')).keys()).filter((key) => key.url.includes('/items?')).length"
    until(page, kept, 2)
    page.context.set_offline(True)
    open_map(page, "/maps/health?lang=ar")
    assert page.locator(".cluster").count() > 3
    page.context.set_offline(False)


SHOWN = ["districts", "facilities", "transport-lines", "transport-stops", "worksites"]


def first_visit(page: Page, path: str) -> None:
    """Open a map once, until its worker has kept it."""
    open_map(page, path)
    page.wait_for_function(CONTROLLED)
    # All that the page was made of.
    missing = """async () => {
      const used = performance.getEntriesByType("resource").map(({ name }) => name);
      const kept = new Set((await (await caches.open("seen")).keys()).map(({ url }) => url));
      return used.filter((name) => /\\/items\\?|\\/maps\\/[^/]+\\.js/.test(name) && !kept.has(name));
    }"""
    until(page, missing, [])


@pytest.mark.parametrize(
    ("path", "locale", "lang"),
    [
        ("/?lang=fr", "en-GB", "fr"),
        ("/?lang=ar", "fr-FR", "ar"),
        ("/", "fr-FR", "fr"),
        ("/", "ar-MA", "ar"),
        ("/", "en-GB", "fr"),
        ("/maps/city?lang=ar", "fr-FR", "ar"),
    ],
)
def test_the_start_page_is_there_without_network_though_another_map_was_opened(
    new_page: Callable[..., Page], path: str, locale: str, lang: str
) -> None:
    page = new_page(service_workers="allow", locale=locale)
    page.watch.expected = "Failed to load resource"  # type: ignore[attr-defined]
    first_visit(page, "/maps/health?lang=fr")
    # Whatever else was seen may push out what was seen before.
    page.evaluate("() => caches.delete('seen')")
    page.context.set_offline(True)
    open_map(page, path)
    expect(page.locator("html")).to_have_attribute("lang", lang)
    expect(page.locator("h1")).to_have_text({"fr": "Carte de Casablanca", "ar": "خريطة الدار البيضاء"}[lang])
    ready = page.locator('[data-layer][data-state="ready"]')
    assert sorted(ready.evaluate_all("all => all.map(one => one.dataset.layer)")) == SHOWN
    assert page.locator(".cluster").count() > 5
    said = messages(lang)("map.offline", date="").split(":")[0]
    expect(page.locator(".map-offline")).to_contain_text(said)
    page.context.set_offline(False)


@pytest.mark.parametrize(
    ("path", "lang"), [("/maps/worksites?lang=ar", "ar"), ("/maps/health?lang=ar", "ar"), ("/maps/transport", "fr")]
)
def test_a_map_that_was_not_seen_says_so_and_names_those_that_were(
    new_page: Callable[..., Page], path: str, lang: str
) -> None:
    page = new_page(service_workers="allow", locale="fr-MA")
    page.watch.expected = "Failed to load resource"  # type: ignore[attr-defined]
    first_visit(page, "/maps/health?lang=fr")
    page.context.set_offline(True)
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("lang", lang)
    expect(page.locator("h1")).to_have_text(messages(lang)("pages.offline.title"))
    expect(page.locator(".map")).to_have_count(0)
    links = page.locator("li a")
    found = links.evaluate_all("all => all.map(one => [one.getAttribute('href'), one.textContent])")
    city = {"fr": ["/?lang=fr", "Carte de Casablanca"], "ar": ["/?lang=ar", "خريطة الدار البيضاء"]}
    other = {"fr": "ar", "ar": "fr"}[lang]
    assert found[0] == city[lang]
    assert sorted(found) == sorted([city[lang], city[other], ["/maps/health?lang=fr", "Santé"]])
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    # What it names is there.
    page.get_by_role("link", name="Santé").click()
    expect(page.locator('[data-layer=facilities][data-state="ready"]')).to_be_attached()
    assert page.locator(".cluster").count() > 3
    page.context.set_offline(False)
    page.goto(path)
    expect(page.locator(".map[data-started]")).to_be_visible()


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_every_page_that_is_not_there_says_so(new_page: Callable[..., Page], lang: str) -> None:
    page, t = new_page(service_workers="allow", locale="fr-MA"), messages(lang)
    page.watch.expected = "Failed to load resource"  # type: ignore[attr-defined]
    first_visit(page, f"/maps/health?lang={lang}")
    page.context.set_offline(True)
    page.locator("#list-link").click()
    heading = page.locator("h1")
    expect(heading).to_have_text(t("pages.offline.title"))
    for path in ("/directory", "/districts", "/collections/worksites/items", "/widgets", "/privacy", "/maps"):
        page.goto(f"{path}?f=html&lang={lang}")
        expect(heading).to_have_text(t("pages.offline.title"))
        expect(page.locator("html")).to_have_attribute("lang", lang)
    assert page.locator("li a").count() == 3
    page.context.set_offline(False)
    page.reload()
    expect(heading).not_to_have_text(t("pages.offline.title"))


def test_a_list_that_was_seen_is_read_without_network_as_it_was(new_page: Callable[..., Page]) -> None:
    page = new_page(service_workers="allow")
    page.watch.expected = "Failed to load resource"  # type: ignore[attr-defined]
    first_visit(page, "/maps/health?lang=fr")
    page.locator("#list-link").click()
    made, address = page.locator(".made").text_content() or "", page.url
    assert re.search(r"établie le .* 20\d\d", made)
    until(page, f"async () => Boolean(await caches.match({address!r}))", True)
    page.context.set_offline(True)
    page.goto(address)
    expect(page.locator(".made")).to_have_text(made)
    assert page.locator(".listing li").count() > 5
    # A part of it is in it.
    page.goto("about:blank")
    page.goto(f"{address}#results")
    expect(page.locator(".made")).to_have_text(made)
    # Another view's list is another list; the one that was seen is named.
    page.goto("/maps/health/list?lang=fr&view=15/33.6/-7.6")
    expect(page.locator("h1")).to_have_text(messages("fr")("pages.offline.title"))
    page.get_by_role("link", name="Santé : la liste").click()
    expect(page).to_have_url(address)
    expect(page.locator(".made")).to_have_text(made)
    page.context.set_offline(False)


def test_another_part_of_a_map_is_not_given_in_its_place(new_page: Callable[..., Page]) -> None:
    page = new_page(service_workers="allow")
    page.watch.expected = "Failed to load resource"  # type: ignore[attr-defined]
    first_visit(page, "/maps/health?lang=fr&district=06.141.01.03")
    page.context.set_offline(True)
    for path in ("/maps/health?lang=fr", "/maps/health?lang=fr&district=06.141.01.01"):
        page.goto(path)
        expect(page.locator("h1")).to_have_text(messages("fr")("pages.offline.title"))
    open_map(page, "/maps/health?lang=fr&district=06.141.01.03&view=14/33.58/-7.63")
    page.context.set_offline(False)


def test_pages_that_are_kept_are_so_many_and_no_more(new_page: Callable[..., Page]) -> None:
    page = new_page(service_workers="allow")
    first_visit(page, "/maps/health?lang=fr")
    many = """async () => {
      const pages = await caches.open((await caches.keys()).find((name) => name.startsWith("pages-")));
      for (let i = 0; i < 80; i += 1) await pages.put(`/maps/health/list?page=${i}`, new Response(""));
    }"""
    page.evaluate(many)
    page.goto("/maps/health/list?lang=fr&q=pharmacie")
    count = """async () => {
      const pages = await caches.open((await caches.keys()).find((name) => name.startsWith("pages-")));
      const urls = (await pages.keys()).map(({ url }) => url.replace(location.origin, ""));
      const wanted = ["/?lang=fr", "/?lang=ar", "/maps/health/list?lang=fr&q=pharmacie"];
      return [urls.length, wanted.every((one) => urls.includes(one))];
    }"""
    until(page, count, [62, True])


def test_a_card_that_was_not_seen_says_that_there_is_no_network(new_page: Callable[..., Page]) -> None:
    page = new_page(service_workers="allow")
    page.watch.expected = ""  # type: ignore[attr-defined]
    installed(page, "/maps/transport?lang=ar")
    page.context.set_offline(True)
    page.locator('[data-feature="transport-lines/T2"]').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(messages("ar")("map.card.offline"))
    page.context.set_offline(False)


def test_an_update_leaves_no_old_shell(
    new_page: Callable[..., Page], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(port=free_port())
    with running(settings, database_url) as address:
        page = new_page(base_url=address, service_workers="allow")
        installed(page, "/?lang=fr")
        before = page.evaluate(NAMES)
    assert [name.split("-")[0] for name in before] == ["pages", "seen", "shell"]
    real = Assets._read
    changed = b"\n.brand { text-decoration: overline !important; }\n"

    def read(web_dir: Path) -> dict[str, bytes]:
        found = real(web_dir)
        return found | {"css/base.css": found["css/base.css"] + changed}

    monkeypatch.setattr(Assets, "_read", staticmethod(read))
    look = "() => getComputedStyle(document.querySelector('.brand')).textDecorationLine"
    with running(settings, database_url):
        assert page.evaluate(look) == "none"
        open_map(page, "/?lang=fr")
        # The very next page is the new one, and so is what is kept for later.
        assert page.evaluate(look) == "overline"
        version = page.locator("link[href$='base.css']").get_attribute("href").split("/")[2]  # type: ignore[union-attr]
        page.evaluate("async () => { await (await navigator.serviceWorker.getRegistration()).update(); }")
        until(page, NAMES, [f"pages-{version}", "seen", f"shell-{version}"])
        page.context.set_offline(True)
        open_map(page, "/?lang=fr")
        assert page.evaluate(look) == "overline"
        page.context.set_offline(False)


def test_behind_a_prefix_the_scope_is_the_prefix(
    new_page: Callable[..., Page], serve: Callable[..., str], database_url: str
) -> None:
    address = serve(database_url, public_url="http://localhost/carte")
    page = new_page(base_url=address, service_workers="allow")
    installed(page, "/carte/?lang=fr")
    scope = page.evaluate("async () => (await navigator.serviceWorker.getRegistration()).scope")
    assert scope == f"{address}/carte/"
    page.context.set_offline(True)
    open_map(page, "/carte/?lang=fr")
    page.context.set_offline(False)


def test_a_map_in_a_frame_registers_nothing(new_page: Callable[..., Page]) -> None:
    page = new_page(service_workers="allow")
    open_map(page, "/embed/city?lang=fr")
    page.wait_for_timeout(3000)
    assert page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).length") == 0
