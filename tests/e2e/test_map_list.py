"""The list of what a map shows: without scripts, and between the map and its list, the view is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect


def asked(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.mark.parametrize(
    ("lang", "go", "around", "word"),
    [("fr", "Afficher la liste", "Casa-Port", " m "), ("ar", "عرض اللائحة", "ميناء", " م")],
)
def test_the_list_works_without_scripts(
    new_page: Callable[..., Page], lang: str, go: str, around: str, word: str
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"/maps/city?f=html&lang={lang}")
    page.locator("noscript .button, a.button[href*='/list']").first.click()
    expect(page).to_have_url(re.compile(rf"/maps/city/list\?lang={lang}$"))
    page.locator("input[name=place]").fill("casa port")
    page.locator("select[name=layers]").select_option("facilities")
    page.get_by_role("button", name=go).click()
    expect(page.locator(".moment")).to_contain_text(around)
    expect(page.locator("section h2")).to_have_count(1)
    rows = page.locator(".listing > li")
    expect(rows).to_have_count(20)
    expect(rows.locator(".away").first).to_contain_text(word)
    page.locator("a[rel=next]").click()
    expect(page.locator(".listing")).to_have_attribute("start", "21")
    page.locator("select[name=open]").select_option("now")
    page.get_by_role("button", name=go).click()
    expect(page.locator(".state:not([data-state=open])")).to_have_count(0)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_view_is_kept_from_the_map_to_its_list_and_back(browser_page: Page, lang: str) -> None:
    page = browser_page
    page.goto(f"/maps/city?f=html&lang={lang}#map=15/33.5930/-7.6190&layers=facilities,transport-stops")
    expect(page.locator(".map[data-started]")).to_be_visible()
    link = page.locator("#list-link")
    expect(link).to_have_attribute("href", re.compile("view=15"))
    page.locator(".map").focus()
    before = link.get_attribute("href")
    page.keyboard.press("ArrowRight")
    expect(link).not_to_have_attribute("href", before or "")
    view = page.url.split("#map=")[1].split("&")[0]
    link.click()
    given = asked(page.url)
    assert given["layers"] == "facilities,transport-stops"
    assert [float(part) for part in given["view"].split("/")] == pytest.approx(
        [float(part) for part in view.split("/")], abs=1e-4
    )
    west, south, east, north = map(float, given["bbox"].split(","))
    lat, lon = (float(part) for part in given["view"].split("/")[1:])
    assert west < lon < east
    assert south < lat < north
    expect(page.locator("section h2")).to_have_count(2)
    page.locator(".overview").click()
    expect(page.locator(".map[data-started]")).to_be_visible()
    shown = page.locator("[data-layer] input:checked").count()
    assert shown == 2
    again = asked(page.url)
    assert [float(part) for part in again["view"].split("/")] == pytest.approx(
        [float(part) for part in view.split("/")], abs=1e-4
    )


def test_a_thing_of_the_list_is_shown_on_the_map(browser_page: Page) -> None:
    page = browser_page
    page.goto("/maps/city/list?f=html&lang=fr&lon=-7.6192&lat=33.5931&layers=transport-stops&limit=3")
    row = page.locator(".listing > li").first
    name = row.locator("h3").inner_text()
    row.locator(".show a").click()
    expect(page.locator("#card")).to_be_visible()
    expect(page.locator("#card-title")).to_have_text(name)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_on_paper_there_is_the_list_and_nothing_to_press(browser_page: Page, lang: str) -> None:
    page = browser_page
    page.goto(f"/maps/city/list?f=html&lang={lang}")
    page.emulate_media(media="print")
    for gone in ("header.site", ".filters", ".pagination", ".show"):
        expect(page.locator(gone).first).to_be_hidden()
    for there in ("h1", ".listing h3", ".away", ".made", ".overview img"):
        expect(page.locator(there).first).to_be_visible()
