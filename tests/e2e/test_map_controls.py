"""The map's tools in a real browser, by pointer and by keyboard, and what axe finds on the maps."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Page, expect
from pyproj import Geod

from api.i18n import messages
from tests.e2e.axe import problems
from tests.e2e.layout import apart

CENTRE = (33.59, -7.62)


def open_map(page: Page, path: str = "/", query: str = "lang=fr", view: str = "") -> None:
    page.goto(f"{path}?f=html&{query}{'#map=' + view if view else ''}" if path != "/embed/city" else f"{path}?{query}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)


def tool(page: Page, name: str) -> Any:
    return page.locator(f"[data-tool={name}]")


def view_of(page: Page) -> tuple[float, float, float]:
    found = re.search(r"#map=([\d.]+)/(-?[\d.]+)/(-?[\d.]+)", page.url)
    assert found
    zoom, lat, lon = map(float, found.groups())
    return zoom, lat, lon


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


@pytest.mark.parametrize(("lang", "paper", "width"), [("fr", "a4", 842), ("ar", "a3", 1191)])
def test_the_print_view_has_all_that_a_map_on_paper_needs(
    browser_page: Page, tmp_path: Path, lang: str, paper: str, width: int
) -> None:
    page, t = browser_page, messages(lang)
    page.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; }")
    open_map(page, "/maps/transport", f"lang={lang}")
    before = view_of(page) if "#map" in page.url else None
    tool(page, "print").click()
    page.get_by_label(t("map.print.paper")).select_option(paper)
    page.locator(".tool-box").get_by_role("button", name=t("map.print.start")).click()
    page.wait_for_function("() => window.printed === 1")
    sheet = page.locator(".map-area")
    expect(sheet.locator(".print-head h2")).to_have_text({"fr": "Tramway et busway", "ar": "الطرامواي والباصواي"}[lang])
    today = dt.datetime.now(ZoneInfo("Africa/Casablanca")).date()
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


def on_paper(page: Page) -> None:
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")


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
    page.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; }")
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


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("path", ["/maps/worksites", "/maps/city"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844), (360, 740)])
def test_the_first_view_is_clear_of_what_lies_over_it(
    new_page: Callable[..., Page], size: tuple[int, int], path: str, lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]})
    open_map(page, path, f"lang={lang}")
    expect(page.locator(".map-alert.demo")).to_be_visible()
    area = page.locator(".map-area").bounding_box()
    panel = page.locator(".panel").bounding_box()
    told = page.locator(".map-alert.demo").bounding_box()
    assert area
    assert panel
    assert told
    # The sea's name is whole, under nothing.
    sea = page.locator(".name.note > span").bounding_box()
    assert sea
    assert sea["y"] >= area["y"]
    for over in (panel, told):
        beside = sea["x"] + sea["width"] <= over["x"] or over["x"] + over["width"] <= sea["x"]
        assert beside or over["y"] + over["height"] <= sea["y"]
    left, right = (panel["x"] + panel["width"], size[0]) if lang == "fr" else (0, panel["x"])
    if size[0] < 600:
        left, right = 0, size[0]
    shown = page.locator("[data-feature^=districts], [data-feature^=transport-lines]").evaluate_all(
        "all => all.map(one => { const box = one.getBoundingClientRect(); return [box.left, box.right, box.top]; })"
    )
    assert min(one[0] for one in shown) >= left - 1
    assert max(one[1] for one in shown) <= right + 1
    assert min(one[2] for one in shown) >= area["y"]


@pytest.mark.parametrize(("height", "there"), [(844, True), (667, False)])
def test_full_screen_is_among_the_tools_of_a_phone_that_has_the_room(
    new_page: Callable[..., Page], height: int, there: bool
) -> None:
    page = new_page(viewport={"width": 375, "height": height})
    open_map(page, "/maps/worksites")
    expect(tool(page, "fullscreen")).to_be_visible(visible=there)


@pytest.mark.parametrize(("lang", "paper", "times", "fit"), [("fr", "a4", 1, "tight"), ("ar", "a3", 6, "own")])
def test_a_long_legend_is_whole_on_paper(browser_page: Page, lang: str, paper: str, times: int, fit: str) -> None:
    page = browser_page
    page.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; }")
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


SMALL = [(390, 600), (375, 667), (360, 640), (320, 568), (900, 500), (800, 500), (768, 1024), (1024, 600), (1024, 768)]


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("path", ["/maps/worksites", "/embed/worksites"])
@pytest.mark.parametrize(
    "size", [(390, 844), (844, 390), (667, 375), (600, 420), (320, 300), (320, 240), (1280, 800), *SMALL]
)
def test_nothing_lies_over_anything_else(
    new_page: Callable[..., Page], size: tuple[int, int], path: str, lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(f"{path}?lang={lang}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator(".time-bar")).to_be_visible()
    expect(page.locator(".map-alert.demo")).to_be_visible()
    expect(page.get_by_role("slider")).to_have_accessible_name(messages(lang)("map.time.label"))
    page.wait_for_function("() => document.querySelector('.map-area').style.getPropertyValue('--time') !== ''")
    apart(page, least=5)


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("path", ["/maps/worksites", "/embed/worksites"])
@pytest.mark.parametrize(
    "size", [(768, 1024), (701, 900), (1024, 768), (1024, 600), (900, 500), (800, 500), (667, 375)]
)
def test_nothing_lies_over_anything_else_beside_a_card(
    new_page: Callable[..., Page], size: tuple[int, int], path: str, lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    page.goto(f"{path}?lang={lang}#select=worksites/demo-t1-ennassim")
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator("#card .meta")).to_be_attached()
    expect(page.locator("body.with-time")).to_be_visible()
    low = size[1] <= 620
    told = "() => ['', '0px'].includes(document.querySelector('.map-area').style.getPropertyValue('--time'))"
    page.wait_for_function(f"() => ({told})() === {str(low).lower()}")
    expect(page.locator(".leaflet-control-zoom")).to_be_visible(visible=size[0] > 700)
    apart(page, least=3, sheet=size[0] <= 700)


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("width", [320, 360, 390, 660, 721, 768, 800, 1000, 1024, 1101])
def test_the_header_has_a_way_to_the_maps_and_at_most_two_rows(browser_page: Page, width: int, lang: str) -> None:
    page = browser_page
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"/maps/worksites?lang={lang}")
    header = page.locator("header.site")
    box = header.bounding_box()
    assert box
    assert box["height"] <= (58 if width > 1000 else 110)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    links = header.locator(".brand, nav a").filter(visible=True)
    boxes = [one for link in links.all() if (one := link.bounding_box())]
    middles = [one["y"] + one["height"] / 2 for one in boxes]
    assert max(middles) - min(middles) <= 2, "in one row"
    assert max(one["height"] for one in boxes) < 46, "none of two lines"
    search = header.locator("form.find").bounding_box()
    assert search
    assert search["width"] >= 180
    header.get_by_role("link", name=messages(lang)("layout.maps"), exact=True).click(trial=True)
    assert header.locator("nav.languages a").last.is_visible() or header.locator("nav.languages a").first.is_visible()


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_units_are_those_of_the_language(browser_page: Page, lang: str) -> None:
    unit = {"fr": " km", "ar": " كلم"}[lang]
    open_map(browser_page, "/maps/city", f"lang={lang}")
    expect(browser_page.locator(".leaflet-control-scale-line")).to_have_text(re.compile(rf"^\d+{unit}$"))
    assert (
        messages(lang)("map.measure.km", value="1") == f"1{unit}" == messages(lang)("questions.kilometres", value="1")
    )


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("width", [390, 1280])
def test_names_are_whole_and_under_no_sign(new_page: Callable[..., Page], width: int, lang: str) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    open_map(page, "/maps/city", f"lang={lang}")
    names = page.locator(".name:not(.note, [hidden]) > span").evaluate_all(
        "all => all.map(one => { const { left, right, top, bottom } = one.getBoundingClientRect(); "
        "return [left, top, right, bottom, one.textContent]; })"
    )
    signs = page.locator(".cluster").evaluate_all(
        "all => all.map(one => { const { left, right, top, bottom } = one.getBoundingClientRect(); "
        "return [left, top, right, bottom]; })"
    )
    panel = page.locator(".panel").bounding_box()
    assert panel
    # On a phone, at first, signs leave room for few.
    assert len(names) >= (3 if width > 900 else 1)
    for left, top, right, bottom, text in names:
        assert not any(left < s[2] - 2 and right > s[0] + 2 and top < s[3] - 2 and bottom > s[1] + 2 for s in signs), (
            text
        )
        assert right <= 0 or left >= width or (left >= 0 and right <= width), text
        if width > 900:
            assert right <= panel["x"] or left >= panel["x"] + panel["width"], text


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("width", [760, 1000, 1200, 1280])
def test_the_card_covers_no_part_of_the_time(new_page: Callable[..., Page], width: int, lang: str) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    open_map(page, "/maps/worksites", f"lang={lang}&select=worksites/demo-t1-hay-mohammadi")
    expect(page.locator("#card .meta")).to_be_attached()
    time, card = page.locator(".time-bar").bounding_box(), page.locator("#card").bounding_box()
    assert time
    assert card
    beside = time["x"] + time["width"] <= card["x"] or card["x"] + card["width"] <= time["x"]
    assert beside or card["y"] + card["height"] <= time["y"]
    assert time["width"] > 240


@pytest.mark.parametrize("size", [(390, 844), (1280, 800)])
def test_what_has_the_focus_is_seen_beside_the_card(new_page: Callable[..., Page], size: tuple[int, int]) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    open_map(page, "/maps/worksites", "lang=fr&view=13/33.59/-7.6&select=worksites/demo-t1-hay-mohammadi")
    expect(page.locator("#card .meta")).to_be_attached()
    signs = page.locator(".map .marker")
    assert signs.count() > 5
    seen = (
        "node => { const { left, top, width, height } = node.getBoundingClientRect();"
        " const over = document.elementFromPoint(left + width / 2, top + height / 2);"
        " return Boolean(over?.closest('.marker')); }"
    )
    for number in range(signs.count()):
        signs.nth(number).focus()
        page.wait_for_function(f"() => ({seen})(document.activeElement)")
    if size[0] < 700:
        expect(page.locator(".tools")).to_be_hidden()
        expect(page.locator(".list-link")).to_be_hidden()


def works_at(client: httpx.Client, when: str) -> int:
    answer = client.get("/collections/worksites/items", params={"datetime": when, "limit": 500})
    return len(answer.json()["features"])


def test_time_starts_today_and_goes_by_day_and_month(browser_page: Page, client: httpx.Client) -> None:
    page = browser_page
    asked: list[str] = []
    page.on("request", lambda request: "worksites/items?" in request.url and asked.append(request.url))
    open_map(page, "/maps/worksites")
    today = dt.datetime.now(dt.UTC).astimezone().date()
    assert parse_qs(urlsplit(asked[-1]).query)["datetime"] == [today.isoformat()]
    slider = page.get_by_role("slider", name="Quand ?")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(rf"^Aujourd'hui, {today.day}\b.*{today.year}$"))
    count = page.locator("[data-layer=worksites] label .count")
    expect(count).to_have_text(str(works_at(client, today.isoformat())))
    slider.focus()
    page.keyboard.press("ArrowRight")
    tomorrow = today + dt.timedelta(days=1)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(rf"^{tomorrow.day}\b"))
    page.get_by_label("Pas").select_option("month")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#map-status")).to_contain_text("à cette date")
    page.wait_for_timeout(500)
    month = re.search(r"time=(\d{4}-\d\d)(?:&|$)", page.url)
    assert month
    query = parse_qs(urlsplit(asked[-1]).query)["datetime"][0]
    assert query.startswith(f"{month[1]}-01/{month[1]}-")
    expect(count).to_have_text(str(works_at(client, query)))
    page.get_by_role("button", name="Aujourd'hui").click()
    expect(count).to_have_text(str(works_at(client, today.isoformat())))
    assert "time=" not in page.url


def test_time_is_written_as_morocco_writes_it_and_comes_from_the_link(browser_page: Page) -> None:
    open_map(browser_page, "/maps/worksites", "lang=ar#time=2026-08")
    expect(browser_page.get_by_role("slider")).to_have_attribute("aria-valuetext", "غشت 2026")


def in_view(page: Page, client: httpx.Client, *layers: str, **more: str) -> int:
    """Ask the service how many features of layers are in the map's view."""
    link = page.locator("#list-link").get_attribute("href") or ""
    asked = {"bbox": parse_qs(urlsplit(link).query)["bbox"][0], "limit": "1000"}
    found = 0
    for layer in layers:
        own = asked | (more if layer == "worksites" else {})
        found += len(client.get(f"/collections/{layer}/items", params=own).json()["features"])
    return found


def told(page: Page, count: int) -> None:
    expect(page.locator("#map-status")).to_contain_text(re.compile(rf"(^|\. ){count} objets? dans la vue\."))


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


def test_screen_readers_are_told_what_another_time_brings(browser_page: Page, client: httpx.Client) -> None:
    page = browser_page
    open_map(page, "/maps/worksites")
    today = dt.datetime.now(dt.UTC).astimezone().date()
    layers = ("districts", "transport-lines", "worksites")
    page.locator(".map").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("#map="))
    now = in_view(page, client, *layers, datetime=today.isoformat())
    told(page, now)
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile("time="))
    day = re.search(r"time=([\d-]+)", page.url)
    assert day
    then = in_view(page, client, *layers, datetime=day[1])
    assert then != now
    told(page, then)
    expect(page.locator("#map-status")).to_contain_text("à cette date")


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


@pytest.mark.parametrize("path", ["/", "/maps/worksites"])
def test_marks_stand_apart_and_lines_lead_to_their_places(browser_page: Page, path: str) -> None:
    open_map(browser_page, path)
    expect(browser_page.locator(".map-icon.led").first).to_be_attached()
    boxes = browser_page.locator(".map-icon[role=button]").evaluate_all(
        "nodes => nodes.map(node => node.getBoundingClientRect()).map(({ x, y, width, height }) => [x, y, width, height])"
    )
    assert len(boxes) > 10
    for index, (x, y, width, height) in enumerate(boxes):
        assert min(width, height) >= 24
        for other in boxes[index + 1 :]:
            apart = max(other[0] - x - width, x - other[0] - other[2], other[1] - y - height, y - other[1] - other[3])
            assert apart >= 0, (boxes[index], other)
    moved = browser_page.locator(".map-icon.led").first
    far = moved.evaluate("node => [getComputedStyle(node, '::before').width, node.style.translate]")
    dx, dy = (float(part.removesuffix("px")) for part in (far[1] + " 0px").split()[:2])
    assert float(far[0].removesuffix("px")) == pytest.approx((dx**2 + dy**2) ** 0.5, abs=0.5)


def test_forced_colours_keep_the_map_readable(new_page: Callable[..., Page]) -> None:
    page = new_page(forced_colors="active")
    open_map(page)
    look = "node => [getComputedStyle(node).borderTopStyle, getComputedStyle(node).visibility]"
    assert page.locator(".panel").evaluate(look) == ["solid", "visible"]
    for bar in (".tools", ".leaflet-control-zoom"):
        assert page.locator(bar).evaluate(look) == ["solid", "visible"]
    drawn = "node => [getComputedStyle(node).color, getComputedStyle(node, '::before').backgroundColor]"
    for sign in page.locator(".badge-mark:not(.light):has(.glyph)").all()[:20]:
        ink, ground = sign.evaluate(drawn)
        assert ink == "rgb(255, 255, 255)" != ground
    # What says nothing yet has no edge, which would be a dot.
    for said in page.locator(".map-toast:empty").all():
        assert said.evaluate("node => node.offsetHeight") == 0
    mark = page.locator(".cluster").first
    assert mark.evaluate("node => getComputedStyle(node).backgroundImage").startswith("conic-gradient")


def test_reduced_motion_stops_what_moves(new_page: Callable[..., Page]) -> None:
    page = new_page(reduced_motion="reduce")
    open_map(page)
    page.locator('[data-feature="transport-lines/T1"]').focus()
    page.keyboard.press("Enter")
    assert page.locator("#card").evaluate("node => getComputedStyle(node).animationName") == "none"
    assert page.locator(".leaflet-zoom-anim").count() == 0


def test_a_day_that_cannot_be_loaded_shows_nothing_of_another(browser_page: Page, client: httpx.Client) -> None:
    page = browser_page
    open_map(page, "/maps/worksites", "lang=fr")
    mark = page.locator(".map-icon[data-feature^=worksites], .leaflet-layer-worksites-top-pane > .map-icon")
    expect(mark.first).to_be_attached()
    expect(page.locator("#map-status")).to_contain_text("à cette date")
    page.watch.expected = "503"  # type: ignore[attr-defined]
    page.route("**/collections/worksites/items?*", lambda route: route.fulfill(status=503, body="{}"))
    said = "window.said = []; new MutationObserver(() => said.push(document.getElementById('map-status').textContent))"
    page.evaluate(f"() => {{ {said}.observe(document.getElementById('map-status'), {{ childList: true }}); }}")
    alerts = "window.alerts = 0; new MutationObserver((all) => { for (const one of all) alerts += "
    alerts += "[...one.addedNodes].filter(node => node.role === 'alert').length; })"
    page.evaluate(f"() => {{ {alerts}.observe(document.getElementById('map-alerts'), {{ childList: true }}); }}")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    label = page.locator(".time-said output").text_content() or ""
    alert = page.locator(".map-alerts [role=alert]")
    expect(alert).to_contain_text("n'a pas pu être chargée")
    expect(mark).to_have_count(0)
    row = page.locator("[data-layer=worksites]")
    expect(row.locator("label .count")).to_have_text("")
    expect(row.locator(".legend li")).to_have_count(0)
    expect(row).to_contain_text("Non chargée")
    page.wait_for_function("() => said.length")
    heard = page.evaluate("() => said")
    assert len(heard) == 1
    assert heard[0].startswith(label)
    assert "à cette date" not in heard[0]
    assert "Chantiers" not in heard[0]
    assert page.evaluate("() => alerts") == 1, "it is said once"
    page.unroute("**/collections/worksites/items?*")
    alert.get_by_role("button").click()
    day = re.search(r"time=([\d-]+)", page.url)
    assert day
    expect(row.locator("label .count")).to_have_text(str(works_at(client, day[1])))
    expect(page.locator("#map-status")).to_contain_text("à cette date")


def test_only_the_time_that_the_slider_stays_at_is_told(browser_page: Page) -> None:
    page = browser_page
    open_map(page, "/maps/worksites", "lang=fr")
    expect(page.locator("#map-status")).to_contain_text("à cette date")
    said = "window.said = []; new MutationObserver(() => said.push(document.getElementById('map-status').textContent))"
    page.evaluate(f"() => {{ {said}.observe(document.getElementById('map-status'), {{ childList: true }}); }}")
    page.get_by_role("slider").focus()
    # The first day is loaded when the next ones come, faster than each is asked for.
    with page.expect_response("**/collections/worksites/items?*"):
        page.keyboard.press("PageUp")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(150)
    last = page.locator(".time-said output").text_content() or ""
    page.wait_for_function("() => said.length")
    heard = page.evaluate("() => said")
    assert len(heard) == 1
    assert heard[0].startswith(f"{last}. ")
    assert page.locator(".time-said output").get_attribute("aria-live") == "off"


#: Marks whose middle something that lies over the map covers, so that they can't be tapped.
COVERED = """() => {
  const over = [...document.querySelectorAll(".tools, .leaflet-control-zoom, .panel, .map-alert, #list-link")].map((node) => node.getBoundingClientRect());
  const within = (x, y) => ({ left, right, top, bottom }) => x > left && x < right && y > top && y < bottom;
  const marks = [...document.querySelectorAll(".map-icon, .cluster, [data-feature^=transport-stops]")].map((node) => [node, node.getBoundingClientRect()]);
  return marks.filter(([, box]) => box.width && over.some(within(box.x + box.width / 2, box.y + box.height / 2))).map(([node]) => node.dataset.feature ?? node.getAttribute("aria-label"));
}"""


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_districts_marks_are_beside_the_tools_of_a_phone(new_page: Callable[..., Page], lang: str) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    for code in ("06.141.01.03", "06.141.01.13", "06.141.01.41", "06.141.01.53"):
        open_map(page, f"/maps/district-{code}", f"lang={lang}")
        assert page.locator(".map-icon").count() > 2
        assert page.evaluate(COVERED) == [], code
