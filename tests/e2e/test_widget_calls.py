"""Calls of the widget that come thick and fast, or while nobody sees the map: what was asked for last is what is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.embedding import CALLS, WORKS, call, drawn, events, inner, ready, reveal, wait, works

#: Calls that are begun and noted as they end, so that a test can go on meanwhile.
LATER = """
window.ended = {};
window.later = (name, make) => make(document.querySelector("casa-map")).then(
  () => { ended[name] = "done"; },
  (error) => { ended[name] = error.message; },
);
0;
"""


def at(page: Page) -> tuple[float, float, float]:
    """Return where the map says last that it is: zoom, latitude, longitude."""
    view = events(page, "view")[-1]
    return view["zoom"], view["lat"], view["lon"]


def near(zoom: float, lat: float, lon: float) -> Any:
    return pytest.approx((zoom, lat, lon), abs=2e-3)


def moved(page: Page, zoom: int) -> None:
    wait(page, f"heard.filter(([kind]) => kind === 'view').at(-1)?.[1].zoom === {zoom}")


def faults_of(page: Page) -> list[str]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def wait_for(page: Page, condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("waited in vain")


def held_back(page: Page, address: str) -> list[Route]:
    """Hold requests back; return those that wait, for the test to let them go on."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(address, hold)
    return held


def hide(page: Page) -> None:
    page.evaluate("document.body.style.display = 'none'")


def unhide(page: Page) -> None:
    page.evaluate("document.body.style.display = ''")


SUSPENDED = "state = 'suspended'"
GIVEN = "calls => { for (const [name, method, given] of calls) later(name, (map) => map[method](given)); }"


def ended(page: Page, *names: str) -> dict[str, str]:
    """Return what calls have said, once they have all ended: "done", or what is wrong."""
    wait(page, " && ".join(f"ended.{name}" for name in names))
    said: dict[str, str] = page.evaluate("ended")
    return said


def said_of(page: Page, *calls: tuple[str, str, str | None]) -> dict[str, str]:
    """Begin calls (name, method, argument) in one go; return what they have said, once they have all ended."""
    page.evaluate(LATER)
    page.evaluate(GIVEN, [list(one) for one in calls])
    return ended(page, *(name for name, _, _ in calls))


def settled(page: Page, expected: set[str]) -> None:
    """Wait until the map shows these works, and no others."""
    mark = inner(page).locator("[data-layer=worksites][data-state=ready]")
    wait_for(page, lambda: mark.count() == 1 and drawn(page) == expected)


def test_the_last_of_several_flights_ends_where_it_was_to(show: Callable[..., Page]) -> None:
    page = show()
    ready(page)
    page.evaluate(LATER)
    page.evaluate(
        "() => { for (const [name, zoom, lon] of [['a', 12, -7.7], ['b', 13, -7.5], ['c', 15, -7.6192]])"
        " later(name, (map) => map.flyTo({ lat: 33.5931, lon, zoom })); }"
    )
    wait(page, "Object.keys(ended).length === 3")
    # Whatever timers the overtaken flights had would have run by now.
    page.wait_for_timeout(2500)
    assert page.evaluate("ended") == {"a": "done", "b": "done", "c": "done"}
    assert at(page) == near(15, 33.5931, -7.6192)


def test_a_flight_that_is_overtaken_in_the_air_is_over(show: Callable[..., Page]) -> None:
    page = show()
    ready(page)
    page.evaluate(LATER)
    page.evaluate(
        "() => { later('first', (map) => map.flyTo({ lat: 33.55, lon: -7.7, zoom: 16 }));"
        " setTimeout(() => later('second', (map) => map.flyTo({ lat: 33.5931, lon: -7.6192, zoom: 14 })), 300); }"
    )
    wait(page, "ended.first")
    assert page.evaluate("ended") == {"first": "done"}
    wait(page, "ended.second")
    page.wait_for_timeout(2000)
    assert at(page) == near(14, 33.5931, -7.6192)


def test_a_view_that_follows_something_ends_at_the_last_place(show: Callable[..., Page]) -> None:
    page = show()
    ready(page)
    page.evaluate(
        "() => new Promise((done) => { let left = 20; const timer = setInterval(() => { left -= 1;"
        " document.querySelector('casa-map').setAttribute('view', `15/33.6/${-7.6 - left / 1000}`);"
        " if (!left) { clearInterval(timer); done(); } }, 30); })"
    )
    moved(page, 15)
    page.wait_for_timeout(2500)
    assert at(page) == near(15, 33.6, -7.6)


def test_of_two_filters_the_later_one_is_shown(show: Callable[..., Page], service: str) -> None:
    page = show()
    ready(page)
    page.evaluate(LATER)
    held: list[Route] = []

    def hold(route: Route) -> None:
        asked = parse_qs(urlsplit(route.request.url).query).get("filter")
        if asked == ["state = 'suspended'"] and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/embed/worksites?**", hold)
    page.evaluate("() => { later('slow', (map) => map.setFilter(\"state = 'suspended'\")); }")
    for _ in range(100):
        if held:
            break
        page.wait_for_timeout(50)
    page.evaluate("() => { document.querySelector('casa-map').setAttribute('filter', \"state <> 'suspended'\"); }")
    expected = works(service, "state <> 'suspended'")
    mark = inner(page).locator("[data-layer=worksites][data-state=ready]")
    wait_for(page, lambda: mark.count() == 1 and drawn(page) == expected)
    held[0].continue_()
    wait(page, "ended.slow")
    page.wait_for_timeout(500)
    assert page.evaluate("ended.slow") == "done"
    assert drawn(page) == expected != works(service, "state = 'suspended'")


def test_of_two_selections_the_later_one_is_shown(show: Callable[..., Page], service: str) -> None:
    page = show()
    ready(page)
    page.evaluate(LATER)
    stop = httpx.get(f"{service}/collections/transport-stops/items", params={"limit": 1, "f": "json"}).json()
    key = f"transport-stops/{stop['features'][0]['id']}"
    held = held_back(page, "**/collections/transport-stops/items?**")
    page.evaluate("key => { later('slow', (map) => map.select(key)); }", key)
    wait_for(page, lambda: bool(held))
    page.evaluate(f"() => {{ later('quick', (map) => map.select('worksites/{WORKS}')); }}")
    wait(page, "ended.quick === 'done'")
    # Its layer was on for the sake of the selection only.
    for route in held:
        route.continue_()
    page.unroute("**/collections/transport-stops/items?**")
    wait(page, "ended.slow")
    assert page.evaluate("ended.slow") == "done"
    expect(inner(page).locator("[data-layer=transport-stops] input")).not_to_be_checked()
    assert [told["id"] for told in events(page, "select")] == [WORKS]
    # To close the card is a selection too.
    page.evaluate(f"() => {{ later('open', (map) => map.select('{key}')); later('shut', (map) => map.select(null)); }}")
    wait(page, "ended.open && ended.shut")
    expect(inner(page).get_by_role("dialog")).to_be_hidden()


def test_a_map_in_a_hidden_part_of_a_page_waits_with_its_calls(show: Callable[..., Page], service: str) -> None:
    page = show('map="worksites" lang="fr" hidden')
    faults = faults_of(page)
    page.evaluate(LATER)
    hide(page)
    reveal(page)
    page.evaluate(
        "() => { later('filter', (map) => map.setFilter(\"state = 'suspended'\"));"
        " later('fly', (map) => map.flyTo({ lat: 33.5931, lon: -7.6192, zoom: 15 }));"
        f" later('select', (map) => map.select('worksites/{WORKS}')); }}"
    )
    ready(page)
    (told,) = events(page, "ready")
    assert told["view"] is None
    assert "worksites" in told["layers"]
    page.wait_for_timeout(2500)
    assert page.evaluate("ended") == {}, "nothing is shown yet"
    unhide(page)
    wait(page, "Object.keys(ended).length === 3")
    said = page.evaluate("ended")
    assert (said["filter"], said["fly"]) == ("done", "done")
    expect(inner(page).locator("[data-layer=worksites]")).to_have_attribute("data-state", "ready")
    wait_for(page, lambda: drawn(page) == works(service, "state = 'suspended'"))
    moved(page, 15)
    assert faults == []


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_map_that_is_hidden_before_it_is_there_begins_with_its_view(show: Callable[..., Page], lang: str) -> None:
    page = show(f'map="city" lang="{lang}"')
    ready(page)
    (usual,) = events(page, "ready")
    page.close()
    page = show(f'map="city" lang="{lang}" hidden')
    faults = faults_of(page)
    held = held_back(page, "**/maps/city.js?**")
    reveal(page)
    wait_for(page, lambda: bool(held))
    hide(page)
    held[0].continue_()
    ready(page)
    assert events(page, "ready")[0]["view"] is None
    page.evaluate(CALLS)
    page.evaluate(LATER)
    page.evaluate("() => { later('close', calls.close); }")
    unhide(page)
    wait(page, "ended.close")
    wait(page, "heard.some(([kind]) => kind === 'view')")
    begun = usual["view"]
    assert at(page) == near(begun["zoom"], begun["lat"], begun["lon"])
    frame = inner(page)
    expect(frame.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)
    assert frame.locator(".map .map-icon").count() > 3
    assert faults == []


def test_a_map_that_is_hidden_for_a_while_goes_on_where_it_was(show: Callable[..., Page]) -> None:
    page = show()
    faults = faults_of(page)
    ready(page)
    page.evaluate(CALLS)
    page.evaluate(LATER)
    assert call(page, "flyTo") == ""
    hide(page)
    wait_for(page, lambda: page.frames[1].evaluate("() => !document.querySelector('.map').clientWidth"))
    page.evaluate("() => { later('fly', (map) => map.flyTo({ lat: 33.57, lon: -7.6, zoom: 16 })); }")
    page.wait_for_timeout(1000)
    unhide(page)
    wait(page, "ended.fly")
    assert page.evaluate("ended.fly") == "done"
    moved(page, 16)
    assert at(page) == near(16, 33.57, -7.6)
    assert faults == []


def test_a_layer_that_there_is_not_changes_nothing(show: Callable[..., Page]) -> None:
    page = show('map="worksites" lang="fr" layers=" districts , worksites "')
    ready(page)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    ticked = inner(page).locator("[data-layer]:has(input:checked)")

    def shown() -> list[str]:
        found: list[str] = ticked.evaluate_all("all => all.map(one => one.dataset.layer).sort()")
        return found

    assert shown() == ["districts", "worksites"]
    set_layers = "layers => document.querySelector('casa-map').setAttribute('layers', layers)"
    page.evaluate(set_layers, "worksites,trees")
    wait_for(page, lambda: any("trees" in text for text in said))
    assert any(text.startswith("<casa-map>") and "transport-stops" in text for text in said)
    assert shown() == ["districts", "worksites"]
    page.evaluate(set_layers, " worksites , transport-stops")
    wait_for(page, lambda: shown() == ["transport-stops", "worksites"])
    page.evaluate(set_layers, "")
    wait_for(page, lambda: "districts" in shown())


#: A flight and a selection that are asked for at once, in the order that is given.
TOGETHER = f"""
(order) => {{
  const asked = {{
    fly: (map) => map.flyTo({{ lat: 33.53, lon: -7.68, zoom: 15 }}),
    select: (map) => map.select("worksites/{WORKS}"),
  }};
  for (const name of order) later(name, asked[name]);
}}
"""


@pytest.mark.parametrize("order", [["select", "fly"], ["fly", "select"]])
def test_a_selection_does_not_break_off_a_flight(show: Callable[..., Page], order: list[str]) -> None:
    page = show()
    ready(page)
    page.evaluate(LATER)
    # From near by, the thing's place is not seen as its card comes, which is while the map flies.
    page.evaluate(CALLS)
    assert call(page, "flyTo") == ""
    page.evaluate(TOGETHER, order)
    wait(page, "ended.fly && ended.select")
    assert page.evaluate("ended") == {"fly": "done", "select": "done"}
    wait(page, "heard.filter(([kind]) => kind === 'view').at(-1)?.[1].lon < -7.67")
    assert at(page) == near(15, 33.53, -7.68)
    expect(inner(page).locator("#card .card-page")).to_be_visible()
    # Whatever waited for the flight's end has been done by now.
    page.wait_for_timeout(1000)
    assert at(page) == near(15, 33.53, -7.68)
    # A selection after the flight has the map show its thing, as ever.
    page.evaluate(f"() => {{ later('again', (map) => map.select('worksites/{WORKS}')); }}")
    wait(page, "heard.filter(([kind]) => kind === 'view').at(-1)?.[1].lon > -7.6")


def test_a_card_that_comes_after_the_flight_leaves_the_map_there(show: Callable[..., Page]) -> None:
    page = show()
    ready(page)
    page.evaluate(LATER)
    held = held_back(page, f"**/{WORKS}/card?**")
    page.evaluate(TOGETHER, ["select", "fly"])
    wait_for(page, lambda: bool(held))
    wait(page, "ended.fly && ended.select")
    moved(page, 15)
    held[0].continue_()
    expect(inner(page).locator("#card .card-page")).to_be_visible()
    page.wait_for_timeout(1000)
    assert at(page) == near(15, 33.53, -7.68)


def test_a_flight_without_a_zoom_keeps_that_of_the_flight_before(show: Callable[..., Page]) -> None:
    page = show()
    ready(page)
    page.evaluate(LATER)
    page.evaluate(
        "() => { later('first', (map) => map.flyTo({ lat: 33.55, lon: -7.7, zoom: 16 }));"
        " setTimeout(() => later('second', (map) => map.flyTo({ lat: 33.5931, lon: -7.6192 })), 300); }"
    )
    wait(page, "ended.first && ended.second")
    assert page.evaluate("ended") == {"first": "done", "second": "done"}
    moved(page, 16)
    assert at(page) == near(16, 33.5931, -7.6192)


@pytest.mark.parametrize("given", [None, SUSPENDED])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_selection_after_a_filter_opens_its_card(
    show: Callable[..., Page], service: str, given: str | None, hidden: bool
) -> None:
    page = show()
    ready(page)
    settled(page, works(service))
    page.evaluate(LATER)
    if hidden:
        hide(page)
        wait_for(page, lambda: page.frames[1].evaluate("() => !document.querySelector('.map').clientWidth"))
    page.evaluate(GIVEN, [["filter", "setFilter", given], ["select", "select", f"worksites/{WORKS}"]])
    unhide(page)
    assert ended(page, "filter", "select") == {"filter": "done", "select": "done"}
    settled(page, works(service, given))
    expect(inner(page).locator("#card .card-page")).to_be_visible()
    assert [told["id"] for told in events(page, "select")] == [WORKS]


def test_a_selection_is_one_of_the_filter_that_was_asked_for_before(show: Callable[..., Page], service: str) -> None:
    page = show()
    ready(page)
    other = min(works(service) - works(service, SUSPENDED))
    said = said_of(page, ("filter", "setFilter", SUSPENDED), ("select", "select", f"worksites/{other}"))
    assert said["filter"] == "done"
    assert other in said["select"]
    expect(inner(page).get_by_role("dialog")).to_be_hidden()
    said = said_of(page, ("filter", "setFilter", None), ("select", "select", f"worksites/{other}"))
    assert said == {"filter": "done", "select": "done"}
    expect(inner(page).locator("#card .card-page")).to_be_visible()
    # What is asked for after the selection may leave its thing out.
    said = said_of(page, ("select", "select", f"worksites/{other}"), ("filter", "setFilter", SUSPENDED))
    assert said == {"select": "done", "filter": "done"}
    expect(inner(page).get_by_role("dialog")).to_be_hidden()
    wait(page, "heard.filter(([kind]) => kind === 'select').at(-1)[1].id === null")


def test_an_open_card_stays_where_the_new_filter_shows_its_thing(show: Callable[..., Page], service: str) -> None:
    page = show('map="worksites" lang="fr" view="18/33.57/-7.6"')
    ready(page)
    assert said_of(page, ("select", "select", f"worksites/{WORKS}")) == {"select": "done"}
    mark = inner(page).locator(f".map-icon.selected[data-feature='worksites/{WORKS}']")
    expect(mark).to_be_visible()
    assert said_of(page, ("filter", "setFilter", SUSPENDED)) == {"filter": "done"}
    settled(page, drawn(page) & works(service, SUSPENDED))
    expect(mark).to_be_visible()
    expect(inner(page).locator("#card .card-page")).to_be_visible()
    assert said_of(page, ("filter", "setFilter", "state <> 'suspended'")) == {"filter": "done"}
    expect(inner(page).get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("bad", ["((", "height > 3"])
def test_a_filter_that_is_refused_leaves_the_last_good_one(show: Callable[..., Page], service: str, bad: str) -> None:
    page = show()
    ready(page)
    said = said_of(page, ("good", "setFilter", SUSPENDED), ("bad", "setFilter", bad))
    assert said["good"] == "done" != said["bad"]
    settled(page, works(service, SUSPENDED))
    # Where the good one's answer is the later one, too.
    held = held_back(page, "**/embed/worksites?**state+%3C%3E**")
    page.evaluate(LATER)
    page.evaluate(GIVEN, [["good", "setFilter", "state <> 'suspended'"], ["bad", "setFilter", bad]])
    assert ended(page, "bad")["bad"] == said["bad"]
    wait_for(page, lambda: bool(held))
    held[0].continue_()
    assert ended(page, "good")["good"] == "done"
    settled(page, works(service, "state <> 'suspended'"))


@pytest.mark.parametrize(("name", "value"), [("lang", "ar"), ("time", "2026-12")])
def test_a_call_after_an_attribute_goes_to_the_map_that_it_loads(
    show: Callable[..., Page], name: str, value: str
) -> None:
    page = show()
    ready(page)
    page.evaluate(LATER)
    # What is set after the call, in the same turn, brings no third map.
    page.evaluate(
        "([name, value]) => { const map = document.querySelector('casa-map'); map.setAttribute(name, value);"
        " later('fly', () => map.flyTo({ lat: 33.55, lon: -7.65, zoom: 13 })); map.setAttribute('theme', 'dark'); }",
        [name, value],
    )
    assert ended(page, "fly") == {"fly": "done"}
    moved(page, 13)
    assert at(page) == near(13, 33.55, -7.65)
    assert len(events(page, "ready")) == 2


def test_a_selection_after_layers_shows_its_own(show: Callable[..., Page]) -> None:
    page = show()
    ready(page)
    page.evaluate(LATER)
    page.evaluate(
        "key => { document.querySelector('casa-map').setAttribute('layers', 'districts');"
        " later('select', (map) => map.select(key)); }",
        f"worksites/{WORKS}",
    )
    assert ended(page, "select") == {"select": "done"}
    expect(inner(page).locator("#card .card-page")).to_be_visible()
    expect(inner(page).locator("[data-layer=worksites] input")).to_be_checked()


def test_no_view_is_told_in_the_midst_of_a_flight(show: Callable[..., Page], service: str) -> None:
    page = show()
    ready(page)
    settled(page, works(service))
    page.evaluate(LATER)
    page.evaluate("heard.length = 0")
    # The map's new size ends in an event of its own while the map flies.
    page.evaluate(
        "() => { later('fly', (map) => map.flyTo({ lat: 33.5931, lon: -7.6192, zoom: 15 }));"
        " document.querySelector('casa-map').setAttribute('height', '420'); }"
    )
    assert ended(page, "fly") == {"fly": "done"}
    moved(page, 15)
    assert [told["zoom"] for told in events(page, "view")] == [15]
