"""The list of what a map shows: without scripts, and between the map and its list, the view is kept."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from layers.hours.calendar import ZONE
from tests.e2e.axe import problems


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
    for box in page.locator("input[name=layers]:not([value=facilities])").all():
        box.press("Space")
    assert page.locator("input[name=layers]:checked").count() == 1
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


def works(client: httpx.Client, when: str) -> set[str]:
    answer = client.get("/collections/worksites/items", params={"datetime": when, "limit": 500})
    return {feature["id"] for feature in answer.json()["features"]}


@pytest.mark.parametrize(
    ("time", "when", "said"),
    [("2026-09-15", "2026-09-15", "15 septembre 2026"), ("2026-08", "2026-08-01/2026-08-31", "août 2026")],
)
def test_the_time_is_kept_from_the_map_to_its_list_and_back(
    browser_page: Page, client: httpx.Client, time: str, when: str, said: str
) -> None:
    page = browser_page
    page.goto("/maps/worksites?f=html&lang=fr")
    expect(page.locator(".map[data-started]")).to_be_visible()
    page.goto(f"/maps/worksites?f=html&lang=fr&time={time}&view=11/33.57/-7.6")
    link = page.locator("#list-link")
    expect(link).to_have_attribute("href", re.compile(f"time={time}(&|$)"))
    expect(page).to_have_url(re.compile(f"#.*time={time}(&|$)"))
    link.click()
    assert asked(page.url)["time"] == time
    expect(page.locator(".moment").last).to_contain_text(said)
    shown = page.locator("section[aria-labelledby=layer-worksites] h2 .meta")
    expect(shown).to_contain_text(re.compile(rf"^{len(works(client, when))} élément"))
    assert works(client, when) != works(client, dt.datetime.now(ZONE).date().isoformat())
    page.locator(".listing .show a[href*=worksites\\/demo]").first.click()
    expect(page.locator("#card")).to_be_visible()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile(said))
    page.go_back()
    page.locator(".overview").click()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile(said))


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_several_layers_and_a_day_are_chosen_without_scripts(
    new_page: Callable[..., Page], client: httpx.Client, lang: str
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"/maps/worksites/list?f=html&lang={lang}")
    ticked = page.locator("input[name=layers]:checked")
    begins = ticked.evaluate_all("all => all.map(one => one.value)")
    assert set(begins) == {"districts", "transport-lines", "worksites"}
    page.locator("input[name=layers][value=districts]").press("Space")
    page.locator("input[name=layers][value=transport-stops]").press("Space")
    page.locator("input[name=time]").fill("2026-09-15")
    page.locator(".filters button").press("Enter")
    expect(page.locator("section h2")).to_have_count(3)
    assert {one.get_attribute("value") for one in ticked.all()} == {"transport-lines", "worksites", "transport-stops"}
    expect(page.locator("input[name=time]")).to_have_value("2026-09-15")
    counted = page.locator("#layer-worksites .meta").inner_text()
    assert str(len(works(client, "2026-09-15"))) in counted
    to_map = asked(page.locator(".overview").get_attribute("href") or "")
    assert set(to_map["layers"].split(",")) == {"transport-lines", "worksites", "transport-stops"}
    assert to_map["time"] == "2026-09-15"
    following = asked(page.locator("a[rel=next]").get_attribute("href") or "")
    assert set(following["layers"].split(",")) == {"transport-lines", "worksites", "transport-stops"}
    assert following["time"] == "2026-09-15"


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/directory/mosquee-hassan-ii", "facilities/mosquee-hassan-ii"),
        ("/districts/06.141.01.01", "districts/06.141.01.01"),
        ("/collections/directory/items/mosquee-hassan-ii", "facilities/mosquee-hassan-ii"),
        ("/collections/worksites/items/demo-t1-ennassim", "worksites/demo-t1-ennassim"),
        ("/collections/transport-lines/items/T1", "transport-lines/T1"),
        ("/collections/transport-stops/items/tram-technopark", "transport-stops/tram-technopark"),
    ],
)
def test_a_page_leads_to_its_thing_on_the_map(browser_page: Page, path: str, key: str, lang: str) -> None:
    page = browser_page
    page.goto(f"{path}?f=html&lang={lang}")
    name = page.locator("h1").inner_text()
    page.get_by_role("link", name={"fr": "Voir sur la carte", "ar": "عرض على الخريطة"}[lang]).click()
    expect(page.locator("#card-title")).to_have_text(name)
    expect(page).to_have_url(re.compile(f"[#&]select={key}(&|$)"))
    expect(page.locator("#card .meta")).to_be_visible()


def test_a_thing_is_shown_though_the_map_begins_without_its_layer(browser_page: Page) -> None:
    page = browser_page
    page.goto("/maps/around-me?f=html&lang=fr&select=worksites/demo-t1-hay-mohammadi")
    expect(page.locator("#card .meta")).to_be_visible()
    expect(page.locator("[data-layer=worksites] input")).to_be_checked()


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("query", ["", "&place=Casa-Port"])
def test_on_a_phone_the_list_is_on_the_first_screen(phone_page: Page, query: str, lang: str) -> None:
    page = phone_page
    page.goto(f"/maps/health/list?f=html&lang={lang}{query}")
    first = page.locator(".listing .card").first.bounding_box()
    assert first
    assert first["y"] < 780
    form = page.locator("form.filters")
    expect(form).to_be_hidden()
    # As it is read: what the page is, what may be asked for, what there is.
    order = page.locator("h1, .overview, summary, #results, .listing").evaluate_all(
        "all => all.map(one => one.tagName)"
    )
    assert order[:5] == ["H1", "A", "SUMMARY", "SPAN", "OL"]
    page.locator(".asked summary").press("Enter")
    expect(form).to_be_visible()
    form.locator("[name=place]").fill("nulle part du tout")
    form.locator("button").press("Enter")
    expect(page.locator(".notice[role=status]")).to_be_visible()
    expect(form).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert problems(page) == []


def test_on_a_wide_screen_the_form_is_there_and_the_keyboard_goes_past_it(browser_page: Page) -> None:
    page = browser_page
    page.goto("/maps/health/list?f=html&lang=fr&place=Casa-Port")
    expect(page.locator("form.filters [name=place]")).to_be_visible()
    expect(page.locator(".asked summary")).to_be_hidden()
    page.locator(".skip[href='#results']").press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => Boolean(document.activeElement.closest('.others, .contents, .listing'))")


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_on_paper_there_is_the_list_and_nothing_to_press(browser_page: Page, lang: str) -> None:
    page = browser_page
    page.goto(f"/maps/city/list?f=html&lang={lang}")
    page.emulate_media(media="print")
    for gone in ("header.site", ".filters", ".asked", ".pagination", ".show"):
        expect(page.locator(gone).first).to_be_hidden()
    for there in ("h1", ".listing h3", ".away", ".made", ".overview img"):
        expect(page.locator(there).first).to_be_visible()


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_around_a_typed_place_the_first_result_begins_on_a_phones_screen(phone_page: Page, lang: str) -> None:
    phone_page.goto(f"/maps/city/list?f=html&lang={lang}&place=Maârif")
    first = phone_page.locator(".listing .card").first.bounding_box()
    assert first
    assert first["y"] < 750
    # In one line, all of it there; targets of fingers stay large enough (WCAG 2.2, 2.5.8).
    others = phone_page.locator(".others a")
    assert len({round(one["y"]) for link in others.all() if (one := link.bounding_box())}) == 1
    for link in phone_page.locator(".contents a").all():
        box = link.bounding_box()
        assert box
        assert box["height"] >= 24
    assert phone_page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_narrow_list_is_accessible_and_shows_what_has_the_focus(new_page: Callable[..., Page], lang: str) -> None:
    page = new_page(viewport={"width": 320, "height": 568})
    page.goto(f"/maps/city/list?f=html&lang={lang}&place=Maârif")
    assert problems(page) == []
    places = page.locator(".others a")
    assert places.count() > 2
    for number in range(places.count()):
        places.nth(number).focus()
        page.wait_for_function(
            "() => { const a = document.activeElement.getBoundingClientRect();"
            " const row = document.activeElement.closest('.others').getBoundingClientRect();"
            " return a.left >= row.left && a.right <= row.right && a.top >= row.top + 5 && a.bottom <= row.bottom - 5; }"
        )
