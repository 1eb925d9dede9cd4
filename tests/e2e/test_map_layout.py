"""Where the map's parts stand on screens of every size: nothing lies over anything else."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations

import pytest
from playwright.sync_api import Page, expect

from api.i18n import messages
from tests.e2e.layout import Box, apart, boxes, clear
from tests.e2e.steps import open_map, tool


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("path", ["/maps/worksites", "/maps/city"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844), (360, 740)])
def test_the_first_view_is_clear_of_what_lies_over_it(
    new_page: Callable[..., Page], size: tuple[int, int], path: str, lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]})
    open_map(page, path, f"lang={lang}")
    expect(page.locator(".map-alert.demo")).to_be_visible()
    parts = (".map-area", ".panel", ".map-alert.demo", ".name.note > span")
    found = boxes(page, *parts)
    area, panel, told, sea = (found[f"{part} 0"] for part in parts)
    # The sea's name is whole, under nothing.
    assert sea["y"] >= area["y"]
    for over in (panel, told):
        assert clear(sea, over)
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


#: Screens that are enlarged two to four times, and windows that are a little higher than low ones.
ENLARGED = [(320, 256), (360, 300), (430, 380), (640, 400), (740, 360), (480, 500), (600, 490), (768, 490), (800, 500)]


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("path", ["/maps/city", "/maps/worksites"])
@pytest.mark.parametrize("size", ENLARGED)
def test_nothing_lies_over_anything_else_on_an_enlarged_screen(
    new_page: Callable[..., Page], size: tuple[int, int], path: str, lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]})
    open_map(page, path, f"lang={lang}")
    expect(page.locator(".map-alert.demo")).to_be_visible()
    if path == "/maps/worksites":
        expect(page.locator(".time-bar")).to_be_visible()
        page.wait_for_function("() => document.querySelector('.map-area').style.getPropertyValue('--time') !== ''")
    page.wait_for_function("() => document.querySelector('.map-area').style.getPropertyValue('--corner') !== ''")
    page.locator("#list-link").click(trial=True)
    # The page is as wide as the screen, and no part of its header lies over another.
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    search = "header.site form.find"
    parts = boxes(page, "header.site :is(.brand, nav a)", search)
    assert len(parts) >= 5
    for (one, a), (other, b) in combinations(parts.items(), 2):
        assert clear(a, b, 1), (one, other, a, b)
    assert parts[f"{search} 0"]["width"] >= 110
    page.evaluate("() => window.scrollTo(0, 0)")
    apart(page, least=7)


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("path", ["/maps/city", "/maps/worksites", "/maps/district-06.141.01.01"])
@pytest.mark.parametrize("size", [(640, 400), (667, 375), (740, 360), (844, 390)])
def test_on_a_low_map_no_mark_is_under_the_title_or_a_notice(
    new_page: Callable[..., Page], size: tuple[int, int], path: str, lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]})
    open_map(page, path, f"lang={lang}")
    expect(page.locator(".map-alert.demo")).to_be_visible()
    assert page.locator(".map-icon").count() > 2
    under = page.evaluate(
        """() => {
          const over = [...document.querySelectorAll(".panel, .map-alert")].map((node) => node.getBoundingClientRect());
          const boxes = [...document.querySelectorAll(".map-icon")].map((node) => [node.ariaLabel, node.getBoundingClientRect()]);
          const hit = (a) => (b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 6 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 6;
          return boxes.filter(([, box]) => over.some(hit(box))).map(([name]) => name);
        }"""
    )
    assert under == []


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
    found = boxes(page, ".time-bar", "#card")
    time, card = found[".time-bar 0"], found["#card 0"]
    assert clear(time, card)
    assert time["width"] > 240


#: What could lie over a mark.
OVER = (".card-sheet", ".leaflet-bar", ".panel", ".map-alert", ".time-bar", "#list-link")


def chosen(page: Page) -> Box:
    """Return the box of the one mark that is chosen, under nothing, once its card is there."""
    expect(page.locator("#card .meta")).to_be_attached()
    expect(page.locator(".map .selected")).to_have_count(1)
    found = boxes(page, ".map-area", ".map .selected", *OVER)
    area, mark = found.pop(".map-area 0"), found.pop(".map .selected 0")
    assert area["x"] <= mark["x"]
    assert mark["x"] + mark["width"] <= area["x"] + area["width"]
    assert len(found) >= 3
    for part, box in found.items():
        assert clear(box, mark), (part, box, mark)
    return mark


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("size", [(701, 900), (744, 1133), (767, 1024), (768, 1024)])
def test_a_card_leaves_a_place_that_it_does_not_cover_where_it_is(
    new_page: Callable[..., Page], size: tuple[int, int], lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    open_map(page, "/maps/worksites", f"lang={lang}")
    expect(page.locator(".time-bar")).to_be_visible()
    # A place on the half that the card leaves free.
    far = sorted(page.locator(".map .marker").all(), key=lambda mark: (mark.bounding_box() or {"x": 0})["x"])
    mark = far[0] if lang == "fr" else far[-1]
    before = mark.bounding_box()
    assert before
    mark.click()
    after = chosen(page)
    # It is drawn larger.
    assert after["x"] + after["width"] / 2 == pytest.approx(before["x"] + before["width"] / 2, abs=2)
    assert after["y"] + after["height"] / 2 == pytest.approx(before["y"] + before["height"] / 2, abs=2)


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize(
    ("path", "size"),
    [
        *(("/embed/worksites", size) for size in [(1262, 542), (1000, 544), (800, 520), (900, 400), (720, 520)]),
        *(("/maps/worksites", size) for size in [(390, 844), (744, 1133), (900, 700), (1280, 800)]),
    ],
)
def test_a_chosen_place_comes_out_from_under_all_that_lies_over_the_map(
    new_page: Callable[..., Page], path: str, size: tuple[int, int], lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    for name in ("demo-t1-hopital-sidi-moumen", "demo-t2-littoral", "demo-t1-hay-mohammadi"):
        page.goto("about:blank")
        page.goto(f"{path}?lang={lang}&select=worksites/{name}")
        expect(page.locator(".map[data-started]")).to_be_visible()
        chosen(page)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_cluster_that_holds_the_chosen_place_is_marked(new_page: Callable[..., Page], lang: str) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    open_map(page, "/maps/worksites", f"lang={lang}&select=worksites/demo-t1-hay-mohammadi")
    expect(page.locator("#card .meta")).to_be_attached()
    ringed = page.locator(".map .selected")
    expect(page.locator(".cluster.selected")).to_have_count(1)
    expect(ringed).to_have_count(1)
    assert ringed.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    # Nearer, the mark stands for itself; from far, the cluster does again.
    own = page.locator('.marker.selected[data-feature="worksites/demo-t1-hay-mohammadi"]')
    page.evaluate("() => { location.hash = 'map=16/33.5957/-7.5811&select=worksites/demo-t1-hay-mohammadi'; }")
    expect(own).to_have_count(1)
    expect(ringed).to_have_count(1)
    page.locator(".map").focus()
    for zoom in range(15, 10, -1):
        page.keyboard.press("-")
        expect(page).to_have_url(re.compile(f"#map={zoom}/"))
    expect(page.locator(".cluster.selected")).to_have_count(1)
    expect(ringed).to_have_count(1)
    # Its card closed, the focus is on it.
    page.keyboard.press("Escape")
    expect(ringed).to_have_count(0)
    expect(page.locator(".cluster:focus")).to_have_count(1)


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize(
    ("path", "sizes"),
    [
        ("/maps/worksites", [(800, 520), (701, 520), (720, 620), (720, 621), (800, 700), (899, 800), (744, 900)]),
        ("/embed/worksites", [(800, 520), (800, 481), (701, 640), (800, 700), (900, 400), (600, 400), (400, 400)]),
        ("/embed/city", [(900, 400), (600, 400), (480, 420), (400, 400), (320, 400), (1262, 542)]),
        ("/maps/city", [(390, 600), (720, 800), (844, 390)]),
    ],
)
def test_the_open_panel_is_whole_and_apart_from_all_else(
    new_page: Callable[..., Page], path: str, sizes: list[tuple[int, int]], lang: str
) -> None:
    for width, height in sizes:
        page = new_page(viewport={"width": width, "height": height})
        open_map(page, path, f"lang={lang}")
        if path.endswith("worksites"):
            expect(page.locator("body.with-time")).to_be_visible()
        if page.locator(".panel.open").count() == 0:
            page.locator(".panel-toggle").click()
        expect(page.locator(".panel.open")).to_be_visible()
        # The last of it comes into view with the focus.
        last = page.locator(".panel-body :is(input, summary, a)").filter(visible=True).last
        last.focus()
        seen = last.evaluate(
            "node => { const { left, top, width, height } = node.getBoundingClientRect();"
            " return node.contains(document.elementFromPoint(left + width / 2, top + height / 2)); }"
        )
        assert seen, (width, height)
        found = boxes(page, ".panel-body")[".panel-body 0"]
        assert found["height"] >= 120, (width, height)
        apart(page, least=1 if width <= 700 else 4)


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


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("size", [(390, 844), (320, 640), (740, 360)])
def test_tooltips_of_marks_that_are_gone_to_stay_within_the_map(
    new_page: Callable[..., Page], size: tuple[int, int], lang: str
) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    open_map(page, "/maps/worksites", f"lang={lang}&view=12.5/33.59/-7.6")
    tip = page.locator(".leaflet-tooltip")
    marks = page.locator(".map .marker")
    assert marks.count() > 5
    # Once the map has brought the mark into view, with the tooltip whole and its arrow near the mark, which may have made
    # room for others.
    settled = """() => {
      const area = document.querySelector(".map-area").getBoundingClientRect();
      const tip = document.querySelector(".leaflet-tooltip");
      const [own, box] = [document.activeElement, tip].map((one) => one.getBoundingClientRect());
      const within = ({ left, right, top, bottom }) => left >= area.left && right <= area.right && top >= area.top && bottom <= area.bottom;
      const points = box.left + box.width / 2 + Number.parseFloat(tip.style.getPropertyValue("--aside") || "0");
      return own.right > area.left && own.left < area.right && within(box) && Math.abs(points - own.left - own.width / 2) <= 44;
    }"""
    asides = set()
    for number in range(marks.count()):
        marks.nth(number).focus()
        expect(tip).to_have_count(1)
        page.wait_for_function(settled)
        asides.add(tip.evaluate("node => node.style.getPropertyValue('--aside') !== ''"))
    assert asides == {True, False}


def test_a_tooltip_is_not_under_a_notice(new_page: Callable[..., Page]) -> None:
    page = new_page(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    open_map(page, "/maps/worksites", "lang=fr")
    expect(page.locator(".map-alert.demo")).to_be_visible()
    under = []
    for mark in page.locator(".map .marker").all():
        mark.focus()
        tip = page.locator(".leaflet-tooltip")
        expect(tip).to_be_visible()
        found = boxes(page, ".leaflet-tooltip", ".map-alert.demo")
        assert clear(found[".leaflet-tooltip 0"], found[".map-alert.demo 0"])
        under.append(tip.evaluate("node => node.classList.contains('leaflet-tooltip-bottom')"))
    assert any(under)


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("size", [(1280, 800), (1024, 768), (844, 390)])
def test_no_name_is_under_a_notice(new_page: Callable[..., Page], size: tuple[int, int], lang: str) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    under = """() => {
      const told = document.querySelector(".map-alert.demo").getBoundingClientRect();
      const names = [...document.querySelectorAll(".name:not(.note, [hidden]) > span")].map((one) => [one.textContent, one.getBoundingClientRect()]);
      const hit = ({ left, right, top, bottom }) => left < told.right && right > told.left && top < told.bottom && bottom > told.top;
      return [names.length, names.filter(([, box]) => hit(box)).map(([name]) => name)];
    }"""
    for code in ("06.141.01.03", "06.141.01.13", "06.141.01.41", "06.141.01.53"):
        open_map(page, f"/maps/district-{code}", f"lang={lang}")
        expect(page.locator(".map-alert.demo")).to_be_visible()
        assert page.evaluate(under)[1] == [], code
    # Nor once the map has been moved.
    page.locator(".map").focus()
    for _ in range(3):
        with page.expect_event("framenavigated"):
            page.keyboard.press("ArrowUp")
        count, hidden = page.evaluate(under)
        assert hidden == []
    assert count > 0
