"""Going through time on the map, by pointer and keyboard, and what screen readers are told of it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from layers.hours.calendar import ZONE
from tests.e2e.steps import in_view, on_paper, open_map, told


def works_at(client: httpx.Client, when: str) -> int:
    answer = client.get("/collections/worksites/items", params={"datetime": when, "limit": 500})
    return len(answer.json()["features"])


def test_time_starts_today_and_goes_by_day_and_month(browser_page: Page, client: httpx.Client) -> None:
    page = browser_page
    asked: list[str] = []
    page.on("request", lambda request: "worksites/items?" in request.url and asked.append(request.url))
    open_map(page, "/maps/worksites")
    today = dt.datetime.now(ZONE).date()
    assert [parse_qs(urlsplit(one).query).get("datetime") for one in asked] == [[today.isoformat()]]
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


@pytest.mark.parametrize(
    ("zone", "moment"), [("Pacific/Kiritimati", "2026-06-01T12:30:00Z"), ("Pacific/Pago_Pago", "2026-05-31T23:30:00Z")]
)
def test_today_is_the_citys_wherever_its_reader_is(new_page: Callable[..., Page], zone: str, moment: str) -> None:
    page = new_page(timezone_id=zone)
    page.clock.set_system_time(moment)
    asked: list[str] = []
    page.on("request", lambda request: "worksites/items?" in request.url and asked.append(request.url))
    open_map(page, "/maps/worksites")
    assert parse_qs(urlsplit(asked[-1]).query)["datetime"] == ["2026-06-01"]
    slider = page.get_by_role("slider", name="Quand ?")
    expect(slider).to_have_attribute("aria-valuetext", "Aujourd'hui, 1er juin 2026")
    on_paper(page)
    expect(page.locator(".print-head")).to_contain_text("1er juin 2026")


def test_time_is_written_as_morocco_writes_it_and_comes_from_the_link(browser_page: Page) -> None:
    open_map(browser_page, "/maps/worksites", "lang=ar#time=2026-08")
    expect(browser_page.get_by_role("slider")).to_have_attribute("aria-valuetext", "غشت 2026")


def test_screen_readers_are_told_what_another_time_brings(browser_page: Page, client: httpx.Client) -> None:
    page = browser_page
    open_map(page, "/maps/worksites")
    today = dt.datetime.now(ZONE).date()
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
