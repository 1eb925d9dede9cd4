"""Where links out of a frame lead: to pages that open and work in a tab that has the frame's sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.embedding import CALLS, WORKS, call, inner, ready
from tests.portal import Portal

SANDBOX = "allow-scripts allow-same-origin allow-popups"


def opened(page: Page, link: Locator) -> Page:
    """Click a link that opens a tab; return the tab once its page is there and has no way back to the frame."""
    with page.context.expect_page() as waiting:
        link.click()
    tab = waiting.value
    tab.wait_for_load_state()
    assert not tab.url.startswith("chrome-error"), tab.url
    assert tab.evaluate("() => window.opener === null")
    return tab


@pytest.fixture
def frame_page(browser: Browser, portal: Portal, service: str) -> Iterator[Callable[[str], Page]]:
    """Open a portal's page with a plain sandboxed frame, without the widget."""
    contexts = []

    def make(path: str) -> Page:
        portal.policy = ""
        portal.pages["/frame"] = (
            f'<!doctype html><title>Portail</title><iframe src="{service}{path}" sandbox="{SANDBOX}" '
            f'width="900" height="600"></iframe>'
        )
        context = browser.new_context(viewport={"width": 1000, "height": 800})
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(portal.url("localhost", "/frame"))
        expect(page.frame_locator("iframe").locator(".map[data-started]")).to_be_visible()
        return page

    yield make
    for context in contexts:
        context.close()


def test_a_things_page_opens_from_the_frame(show: Callable[..., Page], service: str) -> None:
    page = show()
    ready(page)
    page.evaluate(CALLS)
    assert call(page, "select") == ""
    tab = opened(page, inner(page).locator(".card-page a"))
    assert tab.url.startswith(f"{service}/collections/worksites/items/{WORKS}")
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    # The tab has the frame's sandbox, so a browser without our script would send no form.
    find = tab.locator("#find")
    find.fill("gare")
    expect(tab.get_by_role("option").first).to_be_visible()
    find.press("Enter")
    tab.wait_for_url(re.compile(r"/search\?q=gare&f=html&lang=fr"))
    find = tab.locator("main form input[type=search]")
    find.fill("hopital")
    tab.locator("main form button").click()
    tab.wait_for_url(re.compile(r"q=hopital"))
    find.fill("casa-port")
    tab.get_by_role("option").first.click()
    tab.wait_for_url(lambda address: "/search" not in address)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_map_opened_from_a_frame_works(frame_page: Callable[[str], Page], service: str, lang: str) -> None:
    page = frame_page(f"/embed/city?lang={lang}&select=facilities/gare-routiere-ctm-casablanca")
    inside = page.frame_locator("iframe")
    tab = opened(page, inside.locator(".card-page a"))
    faults: list[Any] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    expect(tab.locator("html")).to_have_attribute("lang", lang)
    # From page to page the sandbox stays, and each has to open in it: the map, its list, the annuaire.
    tab.locator("header a.brand").click()
    expect(tab.locator(".map[data-started]")).to_be_visible()
    expect(tab.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)
    tab.locator("#list-link").click()
    expect(tab.locator(".listing").first).to_be_visible()
    tab.locator("form.filters input[name=q]").fill("lycée")
    tab.locator("form.filters button").first.click()
    tab.wait_for_url(re.compile(r"/maps/city/list\?.*q=lyc"))
    tab.locator("nav.main a[href*=directory]").click()
    tab.locator("form.filters input[name=q]").fill("gare")
    tab.locator("form.filters input[name=q]").press("Enter")
    tab.wait_for_url(re.compile(r"/directory\?.*q=gare"))
    expect(tab.locator("h1")).to_be_visible()
    assert faults == []


def test_a_district_and_a_stop_open_from_a_card(frame_page: Callable[[str], Page], service: str) -> None:
    page = frame_page("/embed/city?lang=fr&select=facilities/gare-routiere-ctm-casablanca")
    link = page.frame_locator("iframe").locator("#card dd a[href*='/districts']").first
    tab = opened(page, link)
    expect(tab.get_by_role("heading", level=1)).to_be_visible()


def test_a_form_with_a_mistake_is_not_sent(frame_page: Callable[[str], Page], service: str) -> None:
    page = frame_page("/embed/city?lang=fr&select=facilities/gare-routiere-ctm-casablanca")
    tab = opened(page, page.frame_locator("iframe").locator(".card-page a"))
    was = tab.url
    field = tab.locator("#find")
    field.evaluate("node => { node.required = true; }")
    field.press("Enter")
    tab.wait_for_timeout(300)
    assert tab.url == was


@pytest.mark.parametrize(("lang", "word"), [("fr", "nouvel onglet"), ("ar", "تبويب جديد")])
def test_a_tab_that_saves_no_file_says_so(
    frame_page: Callable[[str], Page], service: str, lang: str, word: str
) -> None:
    page = frame_page(f"/embed/city?lang={lang}&select=facilities/gare-routiere-ctm-casablanca")
    tab = opened(page, page.frame_locator("iframe").locator(".card-page a"))
    files: list[Any] = []
    tab.on("download", lambda download: files.append(download.url))
    told = tab.locator("main [role=alert]")
    for path in ("/collections/facilities", "/districts"):
        # A link keeps the sandbox, as an address that is typed in would not.
        tab.evaluate("address => window.location.assign(address)", f"{service}{path}?f=html&lang={lang}")
        tab.wait_for_url(f"**{path}?**")
        if path == "/districts":
            tab.locator("main a[href*='/districts/']").first.click()
            tab.wait_for_url("**/districts/*")
        link = tab.locator("main a[data-file]").first
        expect(told).to_have_count(0)
        link.click()
        expect(told).to_contain_text(word)
        expect(told.locator("bdi")).to_have_text(str(link.evaluate("node => node.href")))
        link.click()
        expect(told).to_have_count(1)
    assert files == []
    # GeoJSON is read in the tab.
    tab.evaluate("address => window.location.assign(address)", f"{service}/collections/worksites?f=html&lang={lang}")
    tab.wait_for_url("**/collections/worksites?**")
    tab.locator("main a[href*='/export'][href*='f=json&']").click()
    tab.wait_for_url("**/export?**")


def test_a_tab_of_its_own_saves_files_without_a_word(browser: Browser, service: str) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(f"{service}/collections/facilities?f=html&lang=fr")
        asked: list[str] = []
        page.on("framenavigated", lambda frame: asked.append(frame.url))
        with page.expect_download() as waiting:
            page.locator("main a[data-file][href*='f=csv']").click()
        assert waiting.value.suggested_filename.endswith(".csv")
        expect(page.locator("main [role=alert]")).to_have_count(0)
        assert asked == []
    finally:
        context.close()
