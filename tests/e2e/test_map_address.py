"""The map's state in its address: a link to another state of a map that is open, and links that can't be followed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

STOP = "transport-stops/tram-place-des-nations-unies"


def open_map(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)


def follow(page: Page, fragment: str) -> None:
    """Go to a link that differs in its fragment only, as a click on it does."""
    page.evaluate("fragment => { window.stays = true; window.location.hash = fragment; }", fragment)


def shown(page: Page) -> list[str]:
    found: list[str] = page.locator("[data-layer]:has(input:checked)").evaluate_all(
        "rows => rows.map(row => row.dataset.layer).sort()"
    )
    return found


def test_a_link_is_followed_where_the_map_is_open(browser_page: Page) -> None:
    page = browser_page
    open_map(page, "/maps/city?f=html&lang=fr")
    begun = shown(page)
    follow(page, f"map=15/33.5931/-7.6192&layers=districts,transport-stops&select={STOP}")
    expect(page.get_by_role("dialog")).to_have_accessible_name(re.compile("Place des Nations Unies", re.IGNORECASE))
    assert shown(page) == ["districts", "transport-stops"]
    expect(page).to_have_url(re.compile(rf"#map=15/.*&layers=districts,transport-stops&select={STOP}$"))
    # What the next link leaves out is as in a new page.
    follow(page, "map=14/33.5931/-7.6192")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert shown(page) == begun
    expect(page).to_have_url(re.compile("#map=14/[^&]*$"))
    assert page.evaluate("() => window.stays"), "the page was not loaded again"


def test_a_link_to_a_time_is_followed(browser_page: Page) -> None:
    page = browser_page
    open_map(page, "/maps/worksites?f=html&lang=fr")
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^Aujourd'hui"))
    follow(page, "time=2026-08")
    expect(slider).to_have_attribute("aria-valuetext", "août 2026")
    expect(page.get_by_label("Pas")).to_have_value("month")
    follow(page, "time=2026-09-03")
    expect(slider).to_have_attribute("aria-valuetext", "3 septembre 2026")
    expect(page).to_have_url(re.compile("time=2026-09-03"))


def test_a_link_within_the_page_leaves_the_state(browser_page: Page) -> None:
    page = browser_page
    open_map(page, "/maps/city?f=html&lang=fr#map=15/33.5931/-7.6192&layers=districts")
    page.locator("a[href='#after-map']").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#map=15/33.5931/-7.6192&layers=districts$"))
    assert shown(page) == ["districts"]


WRONG = [
    ("map=NaN", "« NaN »"),
    ("layers=bogus", "« bogus »"),
    ("select=transport-stops/none", "« transport-stops/none »"),
    ("select=bogus/1", "« bogus/1 »"),
    ("time=soon", "« soon »"),
    ("time=2026-02-31", "« 2026-02-31 »"),
]


@pytest.mark.parametrize(("fragment", "part"), WRONG)
@pytest.mark.parametrize("first", [True, False])
def test_what_of_a_link_cannot_be_followed_is_said(browser_page: Page, fragment: str, part: str, first: bool) -> None:
    page = browser_page
    open_map(page, f"/maps/worksites?f=html&lang=fr{'#' + fragment if first else ''}")
    begun = ["districts", "transport-lines", "worksites"]
    if not first:
        follow(page, fragment)
    toast = page.locator(".map-toast")
    expect(toast).to_contain_text(part.replace("« ", "« \u2068").replace(" »", "\u2069 »"))
    expect(toast).to_have_attribute("role", "status")
    assert shown(page) == begun, "the map is not left empty"
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("bogus|none|select="))


def test_all_that_is_wrong_is_said_together(browser_page: Page) -> None:
    open_map(browser_page, "/maps/city?f=html&lang=ar#map=x&layers=bogus,districts&select=transport-stops/none")
    toast = browser_page.locator(".map-toast")
    for part in ("x", "bogus", "transport-stops/none"):
        expect(toast).to_contain_text(f"\u2068{part}\u2069")
    assert shown(browser_page) == ["districts"], "a layer that was looked through in vain is off again"
