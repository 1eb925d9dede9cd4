"""The map on paper: its parts, its colours, what it shows of the city."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api.i18n import messages
from layers.hours.calendar import ZONE
from tests.e2e.steps import on_paper, open_map, tool, view_of


@pytest.mark.parametrize(("lang", "paper", "width"), [("fr", "a4", 842), ("ar", "a3", 1191)])
def test_the_print_view_has_all_that_a_map_on_paper_needs(
    browser_page: Page, tmp_path: Path, lang: str, paper: str, width: int
) -> None:
    page, t = browser_page, messages(lang)
    page.add_init_script(
        "window.printed = 0; window.print = () => { window.dispatchEvent(new Event('beforeprint')); window.printed += 1; }"
    )
    open_map(page, "/maps/transport", f"lang={lang}")
    before = view_of(page) if "#map" in page.url else None
    tool(page, "print").click()
    page.get_by_label(t("map.print.paper")).select_option(paper)
    page.locator(".tool-box").get_by_role("button", name=t("map.print.start")).click()
    page.wait_for_function("() => window.printed === 1")
    sheet = page.locator(".map-area")
    expect(sheet.locator(".print-head h2")).to_have_text({"fr": "Tramway et busway", "ar": "الطرامواي والباصواي"}[lang])
    today = dt.datetime.now(ZONE).date()
    expect(sheet.locator(".print-head p")).to_contain_text(str(today.year))
    assert sheet.locator(".print-legend section").count() == 4
    expect(sheet.locator(".print-foot")).to_contain_text("OpenStreetMap")
    expect(sheet.locator(".leaflet-control-scale-line")).to_be_visible()
    expect(page.locator(".panel")).to_be_hidden()
    file = tmp_path / "map.pdf"
    page.pdf(path=file, prefer_css_page_size=True, print_background=True)
    found = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+)", file.read_bytes())
    assert [round(float(one)) for one in found] == [width]
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".panel")).to_be_visible()
    assert page.locator(".print-part").count() == 0
    assert before is None or view_of(page) == pytest.approx(before, abs=1e-3)


@pytest.mark.parametrize(("lang", "said"), [("fr", "août 2026"), ("ar", "غشت 2026")])
def test_paper_says_the_time_and_its_scale_stands_in_the_corner(browser_page: Page, lang: str, said: str) -> None:
    page = browser_page
    open_map(page, "/maps/worksites", f"lang={lang}&time=2026-08&select=worksites/demo-t1-hay-mohammadi")
    expect(page.locator("#card .meta")).to_be_visible()
    on_paper(page)
    expect(page.locator(".print-when")).to_have_text(said)
    expect(page.locator("#card")).to_be_hidden()
    corner = "node => { const a = node.getBoundingClientRect(), b = node.closest('.map').getBoundingClientRect();"
    gaps = page.locator(".leaflet-control-scale").evaluate(corner + " return [a.left - b.left, b.right - a.right]; }")
    assert gaps[lang == "fr"] < 20
    assert page.locator(".print-foot > span bdi").count() > 1


@pytest.mark.parametrize(("lang", "paper", "width"), [("fr", "a4", 297), ("ar", "a3", 420)])
def test_paper_has_a_whole_frame_and_no_tooltip(browser_page: Page, lang: str, paper: str, width: int) -> None:
    page, t = browser_page, messages(lang)
    page.add_init_script(
        "window.printed = 0; window.print = () => { window.dispatchEvent(new Event('beforeprint')); window.printed += 1; }"
    )
    open_map(page, "/maps/worksites", f"lang={lang}")
    page.locator(".map .marker").first.focus()
    expect(page.locator(".leaflet-tooltip")).to_be_visible()
    tool(page, "print").evaluate("node => node.click()")
    page.get_by_label(t("map.print.paper")).select_option(paper)
    page.locator(".tool-box").get_by_role("button", name=t("map.print.start")).click()
    page.wait_for_function("() => window.printed === 1")
    page.emulate_media(media="print")
    for tip in page.locator(".leaflet-tooltip").all():
        expect(tip).to_be_hidden()
    # What is between the margins of the paper, in pixels of a 96th of an inch, holds the map with its frame.
    room = (width - 20) / 25.4 * 96
    box = page.locator(".map").bounding_box()
    sheet = page.locator(".map-area").bounding_box()
    assert box
    assert sheet
    assert sheet["width"] < room - 2
    assert sheet["x"] <= box["x"]
    assert box["x"] + box["width"] <= sheet["x"] + sheet["width"] + 0.5


def test_paper_has_the_same_colours_from_a_dark_screen(new_page: Callable[..., Page]) -> None:
    # Every colour that the style sheets name, and the looks of what is drawn with them.
    read = """() => {
      const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
      const names = new Set(rules.flatMap((rule) => [...(rule.style ?? [])]).filter((name) => name.startsWith("--")));
      const root = getComputedStyle(document.documentElement);
      const of = (one, pseudo) => ["backgroundColor", "borderTopColor", "outlineColor", "color", "fill", "stroke"].map((name) => getComputedStyle(one, pseudo)[name]);
      const drawn = [".badge-mark", ".map path.line", ".map path.works-line", ".swatch", ".map-alert", ".name"].flatMap((one) => {
        const found = document.querySelector(one);
        return [of(found, null), of(found, "::before")];
      });
      return [[...names].sort().map((name) => [name, root.getPropertyValue(name)]), drawn];
    }"""
    found = {}
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        open_map(page, "/maps/worksites", view="13/33.59/-7.62")
        on_screen = page.evaluate(read)
        page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
        expect(page.locator("html[data-paper]")).to_be_attached()
        found[scheme] = page.evaluate(read)
        assert on_screen != found[scheme]
    assert len(found["light"][0]) > 20
    assert found["dark"] == found["light"]


@pytest.mark.parametrize("paper", ["a4", "a3"])
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_nothing_is_cut_off_on_paper(browser_page: Page, lang: str, paper: str) -> None:
    page, t = browser_page, messages(lang)
    page.add_init_script(
        "window.printed = 0; window.print = () => { window.dispatchEvent(new Event('beforeprint')); window.printed += 1; }"
    )
    open_map(page, "/maps/city", f"lang={lang}")
    tool(page, "print").click()
    page.locator(".tool-box select").select_option(paper)
    page.locator(".tool-box").get_by_role("button", name=t("map.print.start")).click()
    page.wait_for_function("() => window.printed === 1")
    page.emulate_media(media="print")
    cut = "node => [node.scrollWidth > node.clientWidth + 1, node.scrollHeight > node.clientHeight + 1]"
    for part in (".print-head", ".print-legend", ".print-foot"):
        assert page.locator(part).evaluate(cut) == [False, False], part
    for gone in (".panel", ".tools", ".list-link", ".leaflet-control-zoom", "header.site", "footer.site"):
        assert not page.locator(gone).first.is_visible(), gone
    box, area = page.locator(".map").bounding_box(), page.locator(".map-area").bounding_box()
    assert box
    assert area
    assert area["x"] <= box["x"]
    assert box["x"] + box["width"] <= area["x"] + area["width"] + 1
    for area_shown in page.locator("[data-feature^=districts]").all():
        inner = area_shown.bounding_box()
        assert inner
        assert box["x"] <= inner["x"] + 1
        assert inner["x"] + inner["width"] <= box["x"] + box["width"] + 1


def test_a_phone_prints_the_city_as_large_as_a_desktop(browser_page: Page, phone_page: Page) -> None:
    size = """nodes => {
      const all = nodes.map((node) => node.getBoundingClientRect());
      const wide = Math.max(...all.map((one) => one.right)) - Math.min(...all.map((one) => one.left));
      return wide / document.querySelector(".map").clientWidth;
    }"""
    found = []
    for page in (browser_page, phone_page):
        open_map(page, "/maps/city")
        on_paper(page)
        found.append(page.locator("[data-feature^=districts]").evaluate_all(size))
    assert found[0] > 0.7
    assert found[1] == pytest.approx(found[0], rel=0.02)


def test_paper_shows_the_part_of_the_city_that_a_phone_shows(phone_page: Page) -> None:
    page = phone_page
    open_map(page, "/maps/city", view="15/33.5931/-7.6192")
    on_paper(page)
    zoom, lat, lon = view_of(page)
    assert 14 <= zoom <= 15
    assert (lat, lon) == pytest.approx((33.5931, -7.6192), abs=2e-3)


@pytest.mark.parametrize(("lang", "paper", "times", "fit"), [("fr", "a4", 1, "tight"), ("ar", "a3", 6, "own")])
def test_a_long_legend_is_whole_on_paper(browser_page: Page, lang: str, paper: str, times: int, fit: str) -> None:
    page = browser_page
    page.add_init_script(
        "window.printed = 0; window.print = () => { window.dispatchEvent(new Event('beforeprint')); window.printed += 1; }"
    )
    open_map(page, "/maps/city", f"lang={lang}")
    rows = page.locator(".panel .legend ul").first
    rows.evaluate(
        "(list, times) => { const all = [...list.children];"
        " for (let i = 0; i < times; i += 1) list.append(...all.map((row) => row.cloneNode(true))); }",
        times,
    )
    tool(page, "print").click()
    page.locator(".tool-box select").select_option(paper)
    page.locator(".tool-box .button").click()
    page.wait_for_function("() => window.printed === 1")
    page.emulate_media(media="print")
    expect(page.locator(f'html[data-legend="{fit}"]')).to_be_attached()
    legend = page.locator(".print-legend")
    assert legend.locator("li").count() > 26 * (times + 1)
    cut = "node => [node.scrollWidth > node.clientWidth + 1, node.scrollHeight > node.clientHeight + 1]"
    assert legend.evaluate(cut) == [False, False]
    frame, sheet = legend.bounding_box(), page.locator(".map-area").bounding_box()
    assert frame
    assert sheet
    assert (frame["y"] >= sheet["y"] + sheet["height"]) == (fit == "own")
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    expect(page.locator("html[data-legend], .print-legend")).to_have_count(0)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_where_nothing_is_printed_the_map_comes_back_and_says_so(browser_page: Page, lang: str) -> None:
    """As in a tab that was opened from a sandboxed frame, where printing is ignored."""
    page, t = browser_page, messages(lang)
    page.add_init_script("window.print = () => {}")
    open_map(page, "/maps/transport", f"lang={lang}")
    tool(page, "print").click()
    page.locator(".tool-box").get_by_role("button", name=t("map.print.start")).click()
    expect(page.locator(".print-part")).not_to_have_count(0)
    expect(page.locator(".map-toast")).to_have_text(t("map.print.refused"))
    expect(page.locator(".print-part")).to_have_count(0)
    expect(page.locator(".panel")).to_be_visible()
