"""The map's tools in a real browser, by pointer and by keyboard, and what axe finds on the maps."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import httpx
import pytest
from playwright.sync_api import Page, expect
from pyproj import Geod

from api.i18n import messages
from tests.e2e.axe import problems
from tests.e2e.steps import in_view, open_map, told, tool, view_of

CENTRE = (33.59, -7.62)


@pytest.mark.parametrize(("lang", "side"), [("fr", "right"), ("ar", "left")])
def test_tools_have_names_and_stand_at_the_reading_end(browser_page: Page, lang: str, side: str) -> None:
    open_map(browser_page, query=f"lang={lang}")
    t = messages(lang)
    names = browser_page.locator(".tools button").evaluate_all("all => all.map(one => one.ariaLabel)")
    expected = ("locate", "measure", "fullscreen", "share", "print")
    assert names == [t(f"map.tool.{name}") for name in expected]
    box = browser_page.locator(".tools").bounding_box()
    assert box is not None
    assert (box["x"] > 640) == (side == "right")


def test_near_me_shows_the_position_and_tells_it_to_nobody(new_page: Callable[..., Page]) -> None:
    here = {"latitude": 33.587654321, "longitude": -7.612345678, "accuracy": 20}
    page = new_page(geolocation=here, permissions=["geolocation"])
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.url} {request.post_data} {request.headers}"))
    open_map(page, "/maps/around-me")
    tool(page, "locate").click()
    expect(page.locator(".here")).to_be_visible()
    expect(page.locator(".map-toast")).to_contain_text("à 20 m près")
    expect(page).to_have_url(re.compile("map=[0-9.]+/33[.]587"))  # the flight there has its time
    assert view_of(page)[1:] == pytest.approx((here["latitude"], here["longitude"]), abs=1e-4)
    assert not [request for request in requests if "33.587" in request or "7.612" in request]


def test_near_me_refused_says_so_and_the_map_stays(new_page: Callable[..., Page]) -> None:
    page = new_page(permissions=[])
    open_map(page, "/maps/around-me", "lang=ar")
    tool(page, "locate").click()
    expect(page.locator(".map-toast")).to_have_text(messages("ar")("map.locate.denied"))
    assert page.locator(".here").count() == 0


def test_distance_and_area_by_keyboard_are_those_of_geodesy(browser_page: Page) -> None:
    page = browser_page
    open_map(page, view=f"13/{CENTRE[0]}/{CENTRE[1]}")
    tool(page, "measure").focus()
    page.keyboard.press("Enter")
    add = page.get_by_role("button", name="Ajouter un point au centre")
    expect(add).to_be_focused()
    places = []
    for keys in ((), ("ArrowRight", "ArrowRight"), ("ArrowDown", "ArrowDown")):
        page.locator(".map").focus()
        for key in keys:
            before = page.url
            page.keyboard.press(key)
            expect(page).not_to_have_url(before)
        places.append(view_of(page)[1:] if keys else CENTRE)
        add.focus()
        page.keyboard.press("Enter")
    geod = Geod(a=6_371_000, b=6_371_000)
    lons, lats = [lon for _, lon in places], [lat for lat, _ in places]
    length = geod.line_length(lons, lats) / 1000
    area = abs(geod.polygon_area_perimeter(lons, lats)[0]) / 1e4
    said = page.locator(".measured dd").all_text_contents()
    numbers = [float(re.sub(r"[^\d,]", "", text).replace(",", ".")) for text in said]
    assert said[0].endswith("km")
    assert numbers[0] == pytest.approx(length, rel=0.01)
    assert said[1].endswith(("ha", "km²"))
    assert numbers[1] * (1 if said[1].endswith("ha") else 100) == pytest.approx(area, rel=0.02)
    page.get_by_role("button", name="Effacer").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".measured dd")).to_have_text("0 m")
    expect(add).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".tool-box")).to_have_count(0)
    expect(tool(page, "measure")).to_be_focused()


def test_while_measuring_a_click_opens_no_card(browser_page: Page) -> None:
    open_map(browser_page, query="lang=ar", view="16/33.60847/-7.63134")
    tool(browser_page, "measure").click()
    browser_page.locator('[data-feature="facilities/mosquee-hassan-ii"]').click()
    browser_page.mouse.click(500, 300)
    expect(browser_page.get_by_role("dialog")).to_be_hidden()
    expect(browser_page.locator(".measured dd")).to_contain_text("م")
    browser_page.locator(".tool-box .close").click()
    browser_page.locator('[data-feature="facilities/mosquee-hassan-ii"]').click()
    expect(browser_page.get_by_role("dialog")).to_be_visible()


def test_escape_closes_a_tool_from_the_map_and_leaves_the_focus_there(browser_page: Page) -> None:
    page = browser_page
    open_map(page, view="16/33.60847/-7.63134")
    tool(page, "measure").click()
    expect(page.locator(".tool-box")).to_have_count(1)
    page.locator(".map").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator(".tool-box")).to_have_count(0)
    expect(page.locator(".map")).to_be_focused()
    # A card that has the focus closes before the tool does.
    page.locator('[data-feature="facilities/mosquee-hassan-ii"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_be_focused()
    tool(page, "measure").click()
    expect(page.locator(".tool-box")).to_have_count(1)
    page.locator("#card-title").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".tool-box")).to_have_count(1)


def test_one_tool_is_open_at_a_time(browser_page: Page) -> None:
    page = browser_page
    open_map(page)
    box = page.locator(".tool-box")
    tool(page, "measure").click()
    expect(box).to_have_accessible_name("Mesurer")
    tool(page, "print").click()
    expect(box).to_have_count(1)
    expect(box).to_have_accessible_name("Imprimer")
    assert tool(page, "measure").get_attribute("aria-expanded") == "false"
    assert page.locator(".measure-cross").count() == 0, "measuring has ended"
    tool(page, "print").click()
    expect(box).to_have_count(0)
    tool(page, "print").click()
    tool(page, "measure").click()
    expect(box).to_have_accessible_name("Mesurer")
    expect(page.locator(".measure-cross")).to_be_visible()


def test_full_screen_comes_and_goes(browser_page: Page) -> None:
    open_map(browser_page)
    tool(browser_page, "fullscreen").click()
    expect(tool(browser_page, "fullscreen")).to_have_accessible_name("Quitter le plein écran")
    assert browser_page.evaluate("() => document.fullscreenElement.className") == "map-area"
    tool(browser_page, "fullscreen").click()
    expect(tool(browser_page, "fullscreen")).to_have_accessible_name("Plein écran")


def test_the_shared_link_carries_view_layers_language_and_selection(new_page: Callable[..., Page]) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    open_map(page, "/maps/transport", "lang=ar", "15/33.5931/-7.6192")
    page.locator("[data-layer=facilities] input").uncheck()
    page.locator('[data-feature="transport-stops/tram-place-des-nations-unies"]').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").locator(".meta")).to_be_visible()
    page.wait_for_timeout(500)
    tool(page, "share").click()
    expect(page.locator(".map-toast")).to_have_text(messages("ar")("map.share.copied"))
    link = page.evaluate("() => navigator.clipboard.readText()")
    other = new_page()
    other.goto(link)
    expect(other.locator("html")).to_have_attribute("lang", "ar")
    name = page.get_by_role("dialog").locator("h2").text_content()
    expect(other.get_by_role("dialog")).to_have_accessible_name(str(name))
    assert (
        other.locator("[data-layer]:has(input:checked)").count()
        == page.locator("[data-layer]:has(input:checked)").count()
    )
    assert view_of(other)[1:] == pytest.approx(view_of(page)[1:], abs=2e-3)


def test_a_refused_clipboard_leaves_the_link_to_copy(browser_page: Page) -> None:
    browser_page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    open_map(browser_page)
    tool(browser_page, "share").click()
    expect(browser_page.get_by_label("Copiez ce lien")).to_have_value(re.compile(r"\?lang=fr#map="))


def test_a_phone_shares_by_its_own_means(phone_page: Page) -> None:
    phone_page.add_init_script(
        "window.shared = []; navigator.share = (what) => { shared.push(what.url); return Promise.resolve(); }"
    )
    open_map(phone_page)
    tool(phone_page, "share").tap()
    phone_page.wait_for_function("() => shared.length")
    assert "#map=" in phone_page.evaluate("() => shared[0]")


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_units_are_those_of_the_language(browser_page: Page, lang: str) -> None:
    unit = {"fr": " km", "ar": " كلم"}[lang]
    open_map(browser_page, "/maps/city", f"lang={lang}")
    expect(browser_page.locator(".leaflet-control-scale-line")).to_have_text(re.compile(rf"^\d+{unit}$"))
    assert (
        messages(lang)("map.measure.km", value="1") == f"1{unit}" == messages(lang)("questions.kilometres", value="1")
    )


def test_screen_readers_are_told_what_is_in_view_once_the_map_rests(browser_page: Page, client: httpx.Client) -> None:
    page = browser_page
    open_map(page)
    shown = ["districts", "transport-lines", "transport-stops", "worksites", "facilities"]
    told(page, in_view(page, client, *shown))
    for _ in range(3):
        page.locator(".leaflet-control-zoom-in").click()
        page.wait_for_timeout(300)
    expect(page).to_have_url(re.compile("#map=1[45]"))
    count = in_view(page, client, *shown)
    assert 5 < count < 300
    told(page, count)
    expect(page.locator("#map-status")).to_contain_text(re.compile(r"Chantiers \(exemples\) : \d+"))
    page.locator("[data-layer=facilities] input").uncheck()
    shown.remove("facilities")
    assert in_view(page, client, *shown) < count
    told(page, in_view(page, client, *shown))


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_tab_goes_from_mark_to_mark_as_one_reads(browser_page: Page, lang: str) -> None:
    page = browser_page
    open_map(page, "/maps/health", f"lang={lang}")
    page.locator(".leaflet-layer-facilities-top-pane > .map-icon").first.focus()
    seen = []
    for _ in range(8):
        at = page.evaluate(
            "() => { const b = document.activeElement.getBoundingClientRect(); return [b.x, b.y + b.height / 2]; }"
        )
        seen.append(tuple(at))
        page.keyboard.press("Tab")
    assert len(set(seen)) == 8
    # A step back up is no higher than a row.
    assert all(after[1] - before[1] > -48 for before, after in pairwise(seen))
    back = [after[0] - before[0] for before, after in pairwise(seen) if abs(after[1] - before[1]) < 8]
    assert all(step > 0 if lang == "fr" else step < 0 for step in back)


@pytest.mark.parametrize("path", ["/", "/maps/worksites", "/maps/transport", "/embed/city"])
@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page: Callable[..., Page], path: str, lang: str, scheme: str) -> None:
    page = new_page(color_scheme=scheme, reduced_motion="reduce")
    open_map(page, path, f"lang={lang}")
    for opened in ("", "measure"):
        if opened:
            tool(page, opened).click()
            expect(page.locator(".tool-box")).to_be_visible()
        assert problems(page) == []


@pytest.mark.parametrize("path", ["/", "/maps/worksites", "/maps/transport", "/maps/health", "/embed/city"])
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_axe_finds_nothing_on_a_phone(phone_page: Page, path: str, lang: str) -> None:
    open_map(phone_page, path, f"lang={lang}")
    assert problems(phone_page) == []
