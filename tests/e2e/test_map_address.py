"""The map's state in its address: a link to another state of a map that is open, and links that can't be followed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from api.i18n import messages
from tests.e2e.axe import problems

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


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_thing_of_another_time_says_so_and_leads_there(browser_page: Page, lang: str) -> None:
    page, t = browser_page, messages(lang)
    work = "worksites/demo-t1-ennassim"
    open_map(page, f"/maps/worksites?f=html&lang={lang}#select={work}")
    card = page.get_by_role("dialog")
    expect(card.locator(".meta")).to_be_visible()
    note = card.locator(".card-away")
    expect(note).to_contain_text(t("map.card.away"))
    expect(page.locator(f"[data-feature='{work}']")).to_have_count(0)
    # Marks may lie under the card's edge.
    assert [found for found in problems(page) if "data-feature" not in found] == []
    go = note.get_by_role("button", name=t("map.card.to-time"))
    go.focus()
    page.keyboard.press("Enter")
    expect(note).to_have_count(0)
    expect(page.locator(f"[data-feature='{work}']")).to_have_class(re.compile("selected"))
    expect(page.locator("#card-title")).to_be_focused()
    expect(page).to_have_url(re.compile("time=2026-"))
    # The map goes on to another time, and the card says it again.
    page.get_by_role("slider").press("End")
    expect(note).to_be_visible()
    page.locator("#card .close").click()
    expect(card).to_be_hidden()
    page.locator("[data-feature^=worksites]").first.press("Enter")
    expect(card.locator(".meta")).to_be_visible()
    expect(note).to_have_count(0)


@pytest.mark.parametrize("written", ["", ","])
def test_a_map_without_layers_has_a_list_of_nothing(browser_page: Page, written: str) -> None:
    page = browser_page
    page.goto(f"/maps/worksites?lang=fr&f=html#layers={written}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    link = page.locator("#list-link")
    expect(link).to_have_attribute("href", re.compile("[?&]layers=(&|$)"))
    link.click()
    expect(page.locator(".map-list section")).to_have_count(0)
    page.locator(".overview").click()
    expect(page.locator(".map[data-started]")).to_be_visible()
    assert shown(page) == []


@pytest.mark.parametrize(("lang", "comma", "other"), [("fr", ", ", "،"), ("ar", "، ", ",")])
def test_names_of_marks_are_joined_as_the_language_does(browser_page: Page, lang: str, comma: str, other: str) -> None:
    open_map(browser_page, f"/maps/worksites?f=html&lang={lang}&time=2026-11-24")
    named = browser_page.locator("[data-feature^=worksites], .cluster")
    names = named.evaluate_all("all => all.map(one => one.ariaLabel)")
    assert names
    for name in names:
        assert comma in name
        assert other not in name
