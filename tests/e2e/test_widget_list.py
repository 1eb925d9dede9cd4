"""The way from a map in a frame to the same in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from api.i18n import messages
from tests.e2e.axe import problems
from tests.e2e.embedding import CALLS, call, inner, ready, works
from tests.e2e.layout import boxes, clear


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_frame_leads_to_its_list_in_a_new_tab(show: Callable[..., Page], service: str, lang: str) -> None:
    page = show(f'map="worksites" lang="{lang}" district="06.141.01.03" layers="worksites"')
    ready(page)
    page.evaluate(CALLS)
    assert call(page, "flyTo") == ""
    link = inner(page).locator("#list-link")
    expect(link).to_have_text(messages(lang)("list.link"))
    expect(link).to_have_attribute("href", re.compile("view=15%2F33.593"))
    box = link.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 24
    with page.context.expect_page() as waiting:
        link.click()
    tab = waiting.value
    expect(tab.locator("h1")).to_be_visible()
    expect(tab.locator("html")).to_have_attribute("lang", lang)
    asked = parse_qs(urlsplit(tab.url).query)
    assert urlsplit(tab.url).path == "/maps/worksites/list"
    assert (asked["district"], asked["layers"], asked["lang"]) == (["06.141.01.03"], ["worksites"], [lang])
    assert "bbox" in asked
    assert page.url.endswith("/page")


def listed(page: Page, service: str) -> set[str]:
    """Return the ids of the works on the page that the link to the list leads to."""
    with page.context.expect_page() as waiting:
        inner(page).locator("#list-link").click()
    tab = waiting.value
    expect(tab.locator("h1")).to_be_visible()
    links = tab.locator("a[href*='/collections/worksites/items/']").evaluate_all("all => all.map(one => one.href)")
    tab.close()
    return {urlsplit(link).path.rsplit("/", 1)[1] for link in links}


def test_the_list_has_the_filter_that_the_map_shows(show: Callable[..., Page], service: str) -> None:
    suspended, others = "state = 'suspended'", "state <> 'suspended'"
    page = show('map="worksites" lang="fr" layers="worksites" view="10/33.57/-7.6"')
    ready(page)
    page.evaluate(CALLS)
    link = inner(page).locator("#list-link")
    assert call(page, "suspended") == ""
    expect(link).to_have_attribute("href", re.compile(r"[?&]filter=state\+%3D\+%27suspended%27(&|$)"))
    assert listed(page, service) == works(service, suspended)
    # Where the map is, and what it is told, leave the filter as it is; a filter that is refused, too.
    assert call(page, "flyTo") == ""
    assert call(page, "broken") != ""
    expect(link).to_have_attribute("href", re.compile("view=15%2F33.593.*filter=state|filter=state.*view=15%2F33.593"))
    page.evaluate("text => document.querySelector('casa-map').setAttribute('filter', text)", others)
    expect(link).to_have_attribute("href", re.compile("filter=state\\+%3C%3E"))
    page.evaluate("() => document.querySelector('casa-map').removeAttribute('filter')")
    expect(link).not_to_have_attribute("href", re.compile("filter="))
    assert call(page, "suspended") == ""
    assert call(page, "all") == ""
    expect(link).not_to_have_attribute("href", re.compile("filter="))


def test_the_list_loses_the_filter_of_the_address_with_the_map(show: Callable[..., Page], service: str) -> None:
    page = show("""map="worksites" lang="fr" layers="worksites" view="10/33.57/-7.6" filter="state = 'suspended'" """)
    ready(page)
    page.evaluate(CALLS)
    assert listed(page, service) == works(service, "state = 'suspended'")
    assert call(page, "all") == ""
    expect(inner(page).locator("#list-link")).not_to_have_attribute("href", re.compile("filter="))
    assert listed(page, service) == works(service)


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("size", [(320, 300), (390, 500), (700, 380), (1280, 400), (700, 520), (1280, 700)])
def test_the_way_to_the_list_is_there_in_frames_of_every_size(
    new_page: Callable[..., Page], size: tuple[int, int], lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(f"/embed/city?lang={lang}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)
    link = page.get_by_role("link", name=messages(lang)("list.link-label"))
    # Marks of a whole city in a small frame lie where its controls are.
    assert [problem for problem in problems(page) if "map-icon" not in problem] == []
    link.focus()
    expect(link).to_be_focused()
    box = link.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 24
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size[0]
    # Nothing lies over it.
    assert link.evaluate(
        "node => { const { left, top, width, height } = node.getBoundingClientRect();"
        " return node.contains(document.elementFromPoint(left + width / 2, top + height / 2)); }"
    )


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("path", ["/embed/city", "/embed/worksites"])
@pytest.mark.parametrize("size", [(340, 420), (360, 480), (390, 500), (480, 520), (599, 400), (900, 500)])
def test_the_way_to_the_list_is_seen_and_covers_nothing(
    new_page: Callable[..., Page], size: tuple[int, int], path: str, lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]}, has_touch=True)
    page.goto(f"{path}?lang={lang}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    found = boxes(page, "#list-link", ".panel", ".map-alert", ".leaflet-control", ".time-bar", ".tools")
    link = found.pop("#list-link 0")
    assert min(link["width"], link["height"]) >= 24
    assert found
    for part, box in found.items():
        assert clear(box, link), (part, box, link)


def test_the_way_to_the_list_comes_before_the_marks(new_page: Callable[..., Page]) -> None:
    page = new_page(viewport={"width": 900, "height": 520})
    page.goto("/embed/city?lang=fr")
    expect(page.locator(".map[data-started]")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#list-link")).to_be_focused()


@pytest.mark.parametrize("size", [(700, 520), (900, 500), (1000, 700), (1280, 700)])
def test_the_open_panel_and_the_way_to_the_list_keep_apart(
    new_page: Callable[..., Page], size: tuple[int, int]
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]})
    page.goto("/embed/city?lang=ar")
    expect(page.locator(".map[data-started]")).to_be_visible()
    panel = page.locator(".panel")
    if "open" not in (panel.get_attribute("class") or ""):
        page.locator(".panel-toggle").click()
    expect(panel).to_have_class(re.compile(r"\bopen\b"))
    found = boxes(page, ".panel", "#list-link")
    link = found["#list-link 0"]
    assert clear(found[".panel 0"], link) or link["width"] <= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_map_without_districts_lies_on_the_ground(new_page: Callable[..., Page], scheme: str) -> None:
    page = new_page(color_scheme=scheme)
    page.goto("/embed/city?lang=fr&layers=facilities")
    expect(page.locator(".map[data-started]")).to_be_visible()
    colours = (
        "() => { const style = getComputedStyle(document.querySelector('.map')); const made = document.createElement('i');"
        " document.body.append(made); const named = ['--land', '--sea'].map((name) => {"
        " made.style.backgroundColor = `var(${name})`; return getComputedStyle(made).backgroundColor; });"
        " made.remove(); return [style.backgroundColor, ...named]; }"
    )
    shown, land, sea = page.evaluate(colours)
    assert shown == land != sea
    expect(page.locator(".panel")).to_have_class(re.compile(r"\bopen\b"))
    page.locator("[data-layer=districts] input").check()
    shown, land, sea = page.evaluate(colours)
    assert shown == sea != land
