"""The search box in a real browser, with the keyboard alone: in the header of pages, on the map, on its own page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from api.i18n import messages

#: Each part would run somewhere, as HTML or in a script.
EVIL = "<img src=x onerror=\"canary.push('html')\"></script><svg onload=canary.push('svg')>${canary.push('js')}"


def box(page: Page) -> Locator:
    return page.get_by_role("combobox")


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def reach(page: Page) -> Locator:
    """Go to the box with Tab, as the keyboard does."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if box(page).evaluate("it => it === document.activeElement"):
            return box(page)
    raise AssertionError("Tab does not come to the box")


def write(page: Page, text: str) -> Locator:
    reach(page)
    page.keyboard.type(text)
    expect(options(page).first).to_be_visible()
    return box(page)


def chosen(page: Page) -> Any:
    """Return the text of the option that a screen reader is told of."""
    return box(page).evaluate(
        "it => document.getElementById(it.getAttribute('aria-activedescendant'))?.querySelector('.what').textContent"
    )


@pytest.mark.parametrize(
    ("lang", "typed", "name", "code"),
    [("fr", "ain chok", "Aïn Chock", "06.141.01.41"), ("ar", "عين شق", "عين الشق", "06.141.01.41")],
)
def test_the_keyboard_alone_leads_to_a_page(browser_page: Page, lang: str, typed: str, name: str, code: str) -> None:
    browser_page.goto(f"/collections?f=html&lang={lang}")
    write(browser_page, typed)
    expect(box(browser_page)).to_have_attribute("aria-expanded", "true")
    listed = browser_page.get_by_role("listbox")
    assert box(browser_page).get_attribute("aria-controls") == listed.get_attribute("id")
    assert chosen(browser_page) is None
    count = options(browser_page).count()
    expect(browser_page.locator("form.find [role=status]")).to_contain_text(
        re.compile(r"\d" if count > 2 else messages(lang)("search.box.list")[:5])
    )
    browser_page.keyboard.press("ArrowDown")
    assert chosen(browser_page) == name
    expect(options(browser_page).first).to_have_attribute("aria-selected", "true")
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_url(f"**/districts/{code}?*")
    assert parse_qs(urlsplit(browser_page.url).query)["lang"] == [lang]
    expect(browser_page.locator("h1")).to_contain_text(name)


@pytest.mark.parametrize(("lang", "districts"), [("fr", ["Al Fida", "Sbata"]), ("ar", ["الفداء", "سباتة"])])
def test_options_of_one_name_are_told_apart(browser_page: Page, lang: str, districts: list[str]) -> None:
    """The district belongs to the option's name, which screen readers say."""
    browser_page.goto(f"/collections?f=html&lang={lang}")
    write(browser_page, "taha hussein")
    for name in districts:
        expect(browser_page.get_by_role("option", name=name)).to_have_count(1)


def test_arrows_go_round_and_home_end_and_escape_come_back(browser_page: Page) -> None:
    browser_page.goto("/collections?f=html&lang=fr")
    write(browser_page, "clinique")
    names = options(browser_page).locator(".what").all_text_contents()
    assert len(names) == 8
    seen = []
    for _ in names:
        browser_page.keyboard.press("ArrowDown")
        seen.append(chosen(browser_page))
    assert seen == names
    browser_page.keyboard.press("ArrowDown")
    assert chosen(browser_page) is None, "past the last one is the box"
    browser_page.keyboard.press("ArrowUp")
    assert chosen(browser_page) == names[-1]
    for key, at in (("Home", 0), ("End", 8)):
        browser_page.keyboard.press("ArrowDown")
        browser_page.keyboard.press("ArrowDown")
        browser_page.keyboard.press(key)
        assert chosen(browser_page) is None
        assert box(browser_page).evaluate("it => it.selectionStart") == at
    browser_page.keyboard.press("Escape")
    expect(browser_page.get_by_role("listbox")).to_have_count(0)
    expect(box(browser_page)).to_have_attribute("aria-expanded", "false")
    expect(box(browser_page)).to_have_value("clinique")
    browser_page.keyboard.press("ArrowDown")
    assert chosen(browser_page) == names[0], "an arrow opens it again"
    browser_page.keyboard.press("Escape")
    browser_page.keyboard.press("Escape")
    expect(box(browser_page)).to_have_value("")
    box(browser_page).press_sequentially("gare")
    expect(options(browser_page).first).to_be_visible()
    browser_page.keyboard.press("Tab")
    expect(browser_page.get_by_role("listbox")).to_have_count(0)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_enter_without_a_choice_leads_to_all_results(browser_page: Page, lang: str) -> None:
    browser_page.goto(f"/collections?f=html&lang={lang}")
    write(browser_page, "hay hassani")
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_url("**/search?*")
    assert parse_qs(urlsplit(browser_page.url).query) == {"q": ["hay hassani"], "f": ["html"], "lang": [lang]}
    expect(browser_page.locator(".found li").first).to_be_visible()
    assert browser_page.locator("html").get_attribute("lang") == lang


def test_the_form_works_without_scripts(new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/collections?f=html&lang=fr")
    page.get_by_role("searchbox").fill("technopark")
    page.keyboard.press("Enter")
    expect(page.locator(".found li").first).to_contain_text("Technopark")


@pytest.mark.parametrize(("lang", "name"), [("fr", "Technopark"), ("ar", "تكنوبارك")])
def test_on_the_map_a_choice_opens_its_card(browser_page: Page, lang: str, name: str) -> None:
    browser_page.goto(f"/?lang={lang}")
    expect(browser_page.locator('[data-layer]:not([data-state="ready"])')).to_have_count(0)
    write(browser_page, "technopark")
    browser_page.keyboard.press("ArrowDown")
    browser_page.keyboard.press("Enter")
    expect(browser_page.locator("#card-title")).to_have_text(name)
    expect(browser_page.locator("#card-title")).to_be_focused()
    expect(browser_page).to_have_url(re.compile(r"[#&]map=16/33\.54\d+/-7\.63\d+"))
    browser_page.keyboard.press("Escape")
    expect(browser_page.locator("#card")).to_be_hidden()


def test_on_the_map_a_hidden_layer_is_shown_and_a_line_whole(phone_page: Page) -> None:
    phone_page.goto("/?lang=fr")
    expect(phone_page.locator('[data-layer]:not([data-state="ready"])')).to_have_count(0)
    phone_page.locator(".panel-toggle").click()
    lines = phone_page.locator("[data-layer=transport-lines] input[type=checkbox]").first
    lines.uncheck()
    phone_page.locator(".panel-toggle").click()
    box(phone_page).tap()
    phone_page.keyboard.type("T2")
    options(phone_page).first.tap()
    expect(phone_page.locator("#card-title")).to_have_text("Tramway T2")
    expect(lines).to_be_checked()
    # The map moves there.
    phone_page.wait_for_function(
        "() => document.querySelector('[data-feature=\"transport-lines/T2\"]')?.getBoundingClientRect().bottom <= 422"
    )
    drawn = phone_page.locator('[data-feature="transport-lines/T2"]').bounding_box()
    assert drawn is not None
    assert drawn["x"] >= 0
    assert drawn["x"] + drawn["width"] <= 390
    assert drawn["y"] + drawn["height"] <= 844 * 0.5


def test_on_the_map_coordinates_are_shown_and_districts_and_categories_have_pages(browser_page: Page) -> None:
    for typed, address in (("maarif", "**/districts/06.141.01.03?*"), ("pharmacie", "**/directory?category=pharmacy*")):
        browser_page.goto("/?lang=fr")
        expect(browser_page.locator(".map[data-started]")).to_be_visible()
        write(browser_page, typed)
        browser_page.keyboard.press("ArrowDown")
        browser_page.keyboard.press("Enter")
        browser_page.wait_for_url(address)
    browser_page.goto("/?lang=fr")
    expect(browser_page.locator(".map[data-started]")).to_be_visible()
    write(browser_page, "33.5731, -7.5898")
    browser_page.keyboard.press("ArrowDown")
    browser_page.keyboard.press("Enter")
    expect(browser_page.locator(".found-pin")).to_be_visible()
    expect(browser_page).to_have_url(re.compile(r"[#&]map=16/33\.573\d+/-7\.589\d+"))


def answer(route: Route, **changed: Any) -> None:
    """Answer as the service does, with one feature that is not in the data."""
    properties = {
        "kind": "facility", "collection": "facilities", "id": "x", "name": "x", "name_fr": "x", "name_ar": "x",
        "matched": "x", "highlight": [], "distance": None, "url": "http://elsewhere.example/directory/x", **changed,
    }  # fmt: skip
    feature = {"type": "Feature", "id": "x", "geometry": None, "properties": properties}
    route.fulfill(content_type="application/geo+json", body=json.dumps({"features": [feature]}))


def test_names_are_never_markup(browser_page: Page) -> None:
    name = "😀" + EVIL
    browser_page.route(
        re.compile(r"/search\?"), lambda route: answer(route, name=name, matched=name, highlight=[[1, 8], [3, 4]])
    )
    browser_page.goto("/collections?f=html&lang=fr")
    write(browser_page, "xx")
    assert options(browser_page).locator(".what").text_content() == name
    assert options(browser_page).locator("mark").all_text_contents() == [EVIL[:7]]
    assert browser_page.locator(".suggestions :is(img, svg, script)").count() == 0


def test_a_choice_stays_on_this_host(browser_page: Page) -> None:
    browser_page.route(re.compile(r"/search\?"), answer)
    browser_page.goto("/collections?f=html&lang=fr")
    with browser_page.expect_request(re.compile(r"/directory/x\?")) as asked:
        browser_page.watch.expected = "404"  # type: ignore[attr-defined]
        write(browser_page, "xx")
        browser_page.keyboard.press("ArrowDown")
        browser_page.keyboard.press("Enter")
    assert urlsplit(asked.value.url).netloc == urlsplit(browser_page.url).netloc
    expect(browser_page.locator("main")).to_contain_text("404")


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_hopeless_and_empty_texts(browser_page: Page, lang: str) -> None:
    asked: list[str] = []
    browser_page.on("request", lambda request: "/search?" in request.url and asked.append(request.url))
    browser_page.goto(f"/collections?f=html&lang={lang}")
    here = browser_page.url
    reach(browser_page)
    for typed in ("   ", "z"):
        browser_page.keyboard.type(typed)
        browser_page.wait_for_timeout(300)
    assert asked == []
    browser_page.keyboard.type("zzqqzz")
    note = browser_page.locator(".suggestions [role=status]")
    expect(note).to_have_text(messages(lang)("search.box.nothing"))
    expect(note).to_be_visible()
    assert box(browser_page).get_attribute("aria-expanded") == "false"
    assert len(asked) == 1, "one question for what was typed at once"
    box(browser_page).fill("")
    expect(note).to_have_text("")
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_timeout(200)
    assert browser_page.url == here


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_an_error_is_said_and_the_next_answer_shown(browser_page: Page, lang: str) -> None:
    browser_page.watch.expected = "500"  # type: ignore[attr-defined]
    pattern = re.compile(r"/search\?")
    browser_page.route(pattern, lambda route: route.fulfill(status=500, body="<b>no</b>"))
    browser_page.goto(f"/collections?f=html&lang={lang}")
    reach(browser_page)
    browser_page.keyboard.type("gare")
    note = browser_page.locator(".suggestions [role=status]")
    expect(note).to_have_text(messages(lang)("search.box.failed"))
    expect(note).to_be_visible()
    browser_page.unroute(pattern)
    browser_page.keyboard.type(" ")
    browser_page.keyboard.type("casa")
    expect(options(browser_page).first).to_be_visible()
    expect(note).to_have_class("visually-hidden")


def test_an_older_answer_does_not_replace_a_newer_one(browser_page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "q=ga&" in route.request.url:
            held.append(route)
        else:
            answer(route, name="newer", matched="newer")

    browser_page.route(re.compile(r"/search\?"), hold)
    browser_page.goto("/collections?f=html&lang=fr")
    reach(browser_page)
    with browser_page.expect_request(re.compile(r"q=ga&")):
        browser_page.keyboard.type("ga")
    browser_page.keyboard.type("re")
    expect(options(browser_page)).to_contain_text("newer")
    answer(held[0], name="older", matched="older")
    browser_page.wait_for_timeout(200)
    expect(options(browser_page)).to_contain_text("newer")


def test_the_page_of_results_has_the_box_once(browser_page: Page) -> None:
    browser_page.goto("/search?f=html&lang=ar&q=%D8%B3%D9%88%D9%82")
    assert browser_page.locator("form[role=search]").count() == 1
    box(browser_page).fill("مكتبة")
    expect(options(browser_page).first).to_be_visible()
    browser_page.keyboard.press("ArrowDown")
    assert chosen(browser_page) == "مكتبة"
