"""The map in a real browser, in both languages, by mouse, finger and keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from api.i18n import Lang
from api.maps.build import build_script
from api.maps.description import describe
from api.settings import PROJECT, Settings
from geo.bbox import BBox
from layers.definition import LayerDefinition, Text, load_definitions
from layers.maps import load_maps

LAYERS = {"districts", "transport-lines", "transport-stops", "worksites", "facilities"}
#: Each part would run somewhere: in a script, as HTML, in a template literal, in a template engine.
EVIL = (
    "</script><img src=x onerror=\"canary.push('html')\">${canary.push('literal')}{{7*7}}"
    "\u2028`'\"--><svg onload=canary.push('svg')>"
)


def open_map(page: Page, query: str = "lang=fr", view: str = "") -> None:
    page.goto(f"/?{query}{'#map=' + view if view else ''}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator('[data-layer]:not([data-state="ready"])')).to_have_count(0)


def feature(page: Page, key: str) -> Locator:
    return page.locator(f'[data-feature="{key}"]')


def press(page: Page, key: str) -> None:
    feature(page, key).focus()
    page.keyboard.press("Enter")


@pytest.mark.parametrize(("lang", "direction", "name"), [("fr", "ltr", "Anfa"), ("ar", "rtl", "أنفا")])
def test_the_city_shows_in_both_languages(browser_page: Page, lang: str, direction: str, name: str) -> None:
    open_map(browser_page, f"lang={lang}")
    assert browser_page.evaluate("() => [document.documentElement.lang, document.documentElement.dir]") == [
        lang,
        direction,
    ]
    shown = browser_page.locator("[data-layer]").evaluate_all("rows => rows.map(row => row.dataset.layer)")
    assert set(shown) == LAYERS
    assert browser_page.locator("[data-layer] input:checked").count() == len(LAYERS)
    assert browser_page.locator(".name > span:visible", has_text=name).count() == 1
    for key in ("districts/06.141.01.03", "transport-lines/T1"):
        assert feature(browser_page, key).count() == 1
    assert browser_page.locator(".cluster").count() > 5
    assert browser_page.locator("[data-feature^=worksites] .demo").count() > 20
    badge = "Exemple" if lang == "fr" else "مثال"
    expect(browser_page.locator(".map-alert.demo")).to_contain_text(badge)
    expect(browser_page.locator("[data-layer=worksites] .badge")).to_have_text(badge)


@pytest.mark.parametrize(("lang", "side"), [("fr", "left"), ("ar", "right")])
def test_the_panel_stands_where_reading_starts_and_covers_no_land(browser_page: Page, lang: str, side: str) -> None:
    open_map(browser_page, f"lang={lang}")
    panel = browser_page.locator(".panel").bounding_box()
    assert panel is not None
    assert (panel["x"] < 640) == (side == "left")
    for area in browser_page.locator("[data-feature^=districts]").all():
        box = area.bounding_box()
        assert box is not None
        assert box["x"] > panel["x"] + panel["width"] if side == "left" else box["x"] + box["width"] < panel["x"]
        assert box["y"] > 50
        assert box["y"] + box["height"] < 800


def test_lines_have_their_official_colours(browser_page: Page, client: Any) -> None:
    open_map(browser_page)
    features = client.get("/collections/transport-lines/items?limit=50").json()["features"]
    official = {feature["properties"]["colour"].lower() for feature in features}
    colour = "paths => paths.map(path => path.style.getPropertyValue('--c'))"
    drawn = browser_page.locator("path.line").evaluate_all(colour)
    assert {colour.lower() for colour in drawn} == official


def test_the_switch_hides_and_shows_a_layer(browser_page: Page) -> None:
    open_map(browser_page)
    box = browser_page.locator("[data-layer=transport-lines] input")
    box.uncheck()
    expect(browser_page.locator("path.line")).to_have_count(0)
    expect(browser_page.locator("path.ring").first).to_be_attached()
    box.check()
    expect(browser_page.locator("path.line")).to_have_count(6)
    browser_page.locator("[data-layer=worksites] input").uncheck()
    expect(browser_page.locator(".map-alert.demo")).to_have_count(0)


def test_a_click_opens_the_card(browser_page: Page) -> None:
    open_map(browser_page, view="16/33.60847/-7.63134")
    feature(browser_page, "facilities/mosquee-hassan-ii").click()
    card = browser_page.get_by_role("dialog")
    expect(card).to_have_accessible_name("Mosquée Hassan II")
    expect(browser_page.locator("#card-title")).to_be_focused()
    expect(card.locator("a[href^='tel:']").first).to_be_visible()
    expect(card.locator("a[href*='directions']")).to_be_visible()
    expect(card).to_contain_text("OpenStreetMap")
    own = card.locator(".card-page a")
    expect(own).to_have_attribute("href", re.compile(r"/directory/mosquee-hassan-ii\?lang="))
    card.get_by_role("button", name="Fermer la fiche").click()
    expect(card).to_be_hidden()


def test_the_card_speaks_arabic(browser_page: Page) -> None:
    open_map(browser_page, "lang=ar", view="16/33.60847/-7.63134")
    feature(browser_page, "facilities/mosquee-hassan-ii").click()
    card = browser_page.get_by_role("dialog")
    expect(card).to_have_accessible_name("مسجد الحسن الثاني")
    expect(card).to_contain_text("الهاتف")
    expect(card.locator("a[href^='tel:'] bdi").first).to_have_attribute("dir", "ltr")


KEYS = [
    "districts/06.141.01.41",
    "transport-lines/BW1",
    "transport-stops/tram-technopark",
    "worksites/demo-t1-ennassim",
]


@pytest.mark.parametrize("key", KEYS)
def test_everything_opens_by_keyboard_and_escape_gives_the_focus_back(browser_page: Page, key: str) -> None:
    open_map(browser_page)
    expect(feature(browser_page, key)).to_have_attribute("tabindex", "0")
    assert feature(browser_page, key).get_attribute("aria-label")
    press(browser_page, key)
    expect(browser_page.get_by_role("dialog").locator(".meta")).to_be_visible()
    expect(browser_page.locator("#card-title")).to_be_focused()
    browser_page.keyboard.press("Escape")
    expect(browser_page.get_by_role("dialog")).to_be_hidden()
    expect(feature(browser_page, key)).to_be_focused()


def test_tab_reaches_the_map_and_a_cluster_opens_by_key(browser_page: Page) -> None:
    open_map(browser_page)
    active = "() => document.activeElement.dataset.feature?.split('/')[0] ?? document.activeElement.className"
    reached = set()
    for _ in range(30):
        browser_page.keyboard.press("Tab")
        reached.add(browser_page.evaluate(active))
    assert "panel-toggle" in reached
    assert "districts" in reached
    before = browser_page.url
    browser_page.locator(".cluster").first.focus()
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_timeout(700)
    assert browser_page.url != before
    assert browser_page.evaluate("() => document.activeElement !== document.body")


def test_clusters_say_what_they_hold(browser_page: Page) -> None:
    open_map(browser_page)
    label = browser_page.locator(".cluster").first.get_attribute("aria-label")
    assert label is not None
    assert re.match(r"\d+ lieux regroupés", label)


def test_the_language_switch_keeps_the_view(browser_page: Page) -> None:
    open_map(browser_page, view="14.5/33.5912/-7.6123")
    browser_page.get_by_role("link", name="العربية").click()
    expect(browser_page.locator("html")).to_have_attribute("lang", "ar")
    expect(browser_page.locator(".map[data-started]")).to_be_visible()
    assert browser_page.url.endswith("#map=14.5/33.5912/-7.6123")
    browser_page.locator(".leaflet-control-zoom-in").click()
    expect(browser_page).to_have_url(re.compile("#map=15.5/"))


def test_a_phone_has_a_closed_panel_and_the_card_as_a_sheet(phone_page: Page) -> None:
    open_map(phone_page, view="16/33.60847/-7.63134")
    toggle = phone_page.get_by_role("button", name="Légende et couches")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    expect(phone_page.locator("[data-layer]").first).to_be_hidden()
    toggle.tap()
    expect(phone_page.locator("[data-layer]").first).to_be_visible()
    toggle.tap()
    feature(phone_page, "facilities/mosquee-hassan-ii").tap()
    sheet = phone_page.get_by_role("dialog")
    expect(sheet.locator(".meta")).to_be_attached()
    phone_page.wait_for_timeout(500)
    box = sheet.bounding_box()
    mark = feature(phone_page, "facilities/mosquee-hassan-ii").bounding_box()
    assert box is not None
    assert mark is not None
    assert (box["x"], box["width"], round(box["y"] + box["height"])) == (0, 390, 844)
    assert mark["y"] + mark["height"] <= box["y"] + 4
    for button in phone_page.locator("button:visible, .leaflet-bar a:visible, .card-actions a:visible").all():
        size = button.bounding_box()
        assert size is not None
        assert size["height"] >= 44


@pytest.mark.parametrize(("lang", "title"), [("fr", "Santé"), ("ar", "الصحة")])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844), (320, 640)])
@pytest.mark.parametrize("path", ["/maps/health", "/embed/health"])
def test_a_reader_sees_which_map_it_is(
    new_page: Callable[..., Page], path: str, lang: str, title: str, width: int, height: int
) -> None:
    page = new_page(viewport={"width": width, "height": height})
    page.goto(f"{path}?lang={lang}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    seen = page.locator("h1")
    expect(seen).to_have_text(title)
    # What is at its middle is itself: nothing lies over it.
    box = seen.bounding_box()
    assert box is not None
    at = "([x, y]) => document.elementFromPoint(x, y).localName"
    assert page.evaluate(at, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]) == "h1"
    panel = page.locator(".panel").bounding_box()
    assert panel is not None
    assert panel["x"] <= box["x"]
    if width < 900:
        assert panel["height"] <= 68, "the city has the place"
    others = page.locator(".panel .all-maps")
    if path.startswith("/embed"):
        expect(others).to_have_count(0)
    else:
        expect(others).to_have_attribute("href", f"/maps?f=html&lang={lang}")


def test_a_map_without_a_panel_has_its_title_too(browser_page: Page) -> None:
    browser_page.route(
        "**/maps/health.js?*",
        lambda route: route.fulfill(
            body=re.sub(r"L\.control\.layers\([^;]*;", "", route.fetch().text(), flags=re.DOTALL)
        ),
    )
    browser_page.goto("/maps/health?lang=fr")
    expect(browser_page.locator(".map[data-started]")).to_be_visible()
    expect(browser_page.locator(".panel")).to_have_count(0)
    box = browser_page.locator("h1").bounding_box()
    assert box is not None
    assert (box["x"], box["y"]) == (12, 68)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_districts_map_sets_it_apart(new_page: Callable[..., Page], scheme: str) -> None:
    page = new_page(color_scheme=scheme)
    page.goto("/maps/district-06.141.01.01?lang=fr")
    expect(page.locator(".map[data-started]")).to_be_visible()
    areas = page.locator("[data-feature^=districts]")
    expect(areas).to_have_count(17)
    look = "node => { const { fill, stroke } = getComputedStyle(node); return [fill, stroke].join(); }"
    own = feature(page, "districts/06.141.01.01").evaluate(look)
    others = {area.evaluate(look) for area in areas.all() if "beside" in (area.get_attribute("class") or "")}
    assert len(others) == 1
    assert own not in others
    # Its edge lies over those of its neighbours.
    assert areas.last.get_attribute("data-feature") == "districts/06.141.01.01"
    page.goto("/maps/health?lang=fr")
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator("path.beside, path.own")).to_have_count(0)


def test_zooming_the_page_is_never_disabled(browser_page: Page) -> None:
    open_map(browser_page)
    viewport = browser_page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "user-scalable" not in viewport
    assert "maximum-scale" not in viewport


def test_a_layer_that_fails_says_so_and_is_tried_again(browser_page: Page) -> None:
    browser_page.watch.expected = ""  # type: ignore[attr-defined]
    browser_page.route("**/collections/facilities/items?*", lambda route: route.fulfill(status=503, body="{}"))
    browser_page.goto("/?lang=ar")
    alert = browser_page.get_by_role("alert")
    expect(alert).to_contain_text("المرافق")
    browser_page.unroute("**/collections/facilities/items?*")
    alert.get_by_role("button").click()
    expect(alert).to_have_count(0)
    expect(browser_page.locator(".cluster").first).to_be_visible()


def test_without_javascript_the_page_leads_to_the_tables(new_page: Callable[..., Page], server_url: str) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/?lang=fr")
    links = page.locator("noscript li a, .page li a").evaluate_all(
        "found => found.map(link => link.getAttribute('href'))"
    )
    assert {link.split("/")[2] for link in links} == LAYERS | {"directory"}


def test_the_map_works_behind_a_path_prefix(
    new_page: Callable[..., Page], serve: Callable[..., str], database_url: str
) -> None:
    address = serve(database_url, public_url="http://localhost/carte")
    page = new_page(base_url=address)
    page.goto("/carte/?lang=fr")
    expect(page.locator('[data-layer][data-state="ready"]')).to_have_count(len(LAYERS))
    press(page, "transport-lines/T2")
    expect(page.get_by_role("dialog").locator(".meta")).to_be_visible()
    page.keyboard.press("Escape")


def poison(value: Any) -> Any:
    """Put the evil text after every text that people see of a feature or card."""
    if isinstance(value, list):
        return [poison(part) for part in value]
    if isinstance(value, dict):
        kept = ("id", "href", "kind", "rel", "dir", "title_lang", "type", "colour", "category", "state")
        return {key: part if key in kept or key == "geometry" else poison(part) for key, part in value.items()}
    return value + EVIL if isinstance(value, str) else value


def poisoned(route: Route) -> None:
    answer = route.fetch()
    body = answer.json()
    if "features" in body:
        body["features"] = poison(body["features"])
    else:
        body = poison(body)
    route.fulfill(response=answer, body=json.dumps(body))


class Known:
    def __init__(self, definition: LayerDefinition) -> None:
        self.definition, self.count, self.extent = definition, 10, BBox(-7.75, 33.49, -7.46, 33.64)


def sixth(definition: LayerDefinition) -> LayerDefinition:
    """A layer that no code knows; its file could be anybody's."""
    evil = Text(fr="Sixième " + EVIL, ar="السادسة " + EVIL)
    state = definition.field("state")
    assert state is not None
    values = {value: Text(fr=label.fr + EVIL, ar=label.ar + EVIL) for value, label in (state.values or {}).items()}
    fields = [field if field != state else state.model_copy(update={"values": values}) for field in definition.fields]
    changed = {"title": evil, "notice": evil, "attribution": evil, "fields": tuple(fields)}
    return definition.model_copy(update={"id": "sixth-layer", "theme": "other", **changed})


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_text_from_the_data_is_never_more_than_text(browser_page: Page, lang: Lang) -> None:
    definitions = load_definitions(PROJECT / "data" / "layers")
    shown = [definition for definition in definitions.values() if not definition.entries]
    layers = [Known(definition) for definition in (*shown, sixth(definitions["worksites"]))]
    script = build_script(describe(load_maps(PROJECT / "data" / "maps")["city"], lang, layers, Settings()))
    item = {
        "type": "Feature",
        "id": "a'\"<b>",
        "geometry": {"type": "Point", "coordinates": [-7.61, 33.57]},
        "properties": {"name_fr": EVIL, "name_ar": EVIL, "state": "planned", "demo": True},
    }
    own = {"type": "FeatureCollection", "features": [item]}
    page = browser_page
    page.route("**/maps/city.js*", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page.route("**/collections/*/items*", poisoned)
    page.route("**/card?*", poisoned)
    page.route("**/collections/sixth-layer/items?*", lambda route: route.fulfill(json=own))
    open_map(page, f"lang={lang}")

    assert page.locator("[data-layer]").count() == 6
    title = page.locator("[data-layer=sixth-layer] .layer-title")
    expect(title).to_contain_text(EVIL.split("\u2028")[0])
    expect(page.locator("[data-layer=sixth-layer] .legend li")).to_contain_text("{{7*7}}")
    assert "${canary" in (page.locator(".name:not(.note)").first.text_content() or "")
    assert "<img" in (page.locator("[data-feature^=sixth]").get_attribute("aria-label") or "")
    page.locator("[data-feature^=sixth]").hover()
    expect(page.locator(".leaflet-tooltip")).to_contain_text("<img src=x")
    press(page, "transport-lines/T1")
    expect(page.locator("#card dd").first).to_contain_text("{{7*7}}")
    expect(page.locator("#card-title")).to_contain_text("<svg onload")
    page.locator(".notices summary").click()
    page.wait_for_timeout(300)
    assert page.locator("main img, main script, svg[onload]").count() == 0


def test_a_name_in_one_language_only_is_shown_and_marked(browser_page: Page) -> None:
    def nameless(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for item in body["features"]:
            item["properties"]["name_ar"] = None
        route.fulfill(response=answer, body=json.dumps(body))

    browser_page.route("**/collections/districts/items?*", nameless)
    open_map(browser_page, "lang=ar")
    name = browser_page.locator(".name:not(.note) > span:visible").first
    expect(name).to_have_attribute("lang", "fr")
    expect(name).to_have_attribute("dir", "auto")


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_card_says_when_hours_hold(browser_page: Page, lang: str) -> None:
    """Above them, as the text that it is; other hours go without."""

    def noted(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        first = next(row for row in body["rows"] if row["kind"] == "hours")
        body["rows"] += [{**first, "label": "Autres"}]
        first["note"] = EVIL
        route.fulfill(response=answer, body=json.dumps(body))

    browser_page.route("**/card?*", noted)
    browser_page.goto(f"/?lang={lang}#select=facilities/gare-routiere-ctm-casablanca")
    hours = browser_page.locator("#card dd:has(.validity)")
    expect(hours).to_have_count(1)
    expect(hours.locator(".validity + *")).to_contain_text("04:00")
    assert hours.locator(".validity").text_content() == EVIL
    assert browser_page.locator("#card img, #card svg[onload]").count() == 0
