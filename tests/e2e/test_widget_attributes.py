"""The widget's language where a component of the page holds it, and the time that it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.embedding import drawn, inner, ready, reveal, wait

#: Puts the element into the shadow tree of a component, which lies in another one's.
NEST = """
([page, host]) => {
  document.documentElement.lang = page;
  const make = (parent, name) => parent.appendChild(document.createElement(name));
  const outer = make(document.body, "div");
  if (host) outer.lang = host;
  const between = make(outer.attachShadow({ mode: "open" }), "div");
  window.nested = make(between.attachShadow({ mode: "open" }), "casa-map");
  nested.setAttribute("map", "worksites");
}
"""


@pytest.mark.parametrize(
    ("page_lang", "host", "own", "expected"),
    [("ar", None, None, "ar"), ("ar-MA", None, None, "ar"), ("ar", "fr", None, "fr"), ("fr", "ar", None, "ar"),
     ("ar", "ar", "fr", "fr"), ("fr", None, None, "fr")],
)  # fmt: skip
def test_the_language_is_that_of_the_page_outside_of_the_component(
    show: Callable[..., Page], page_lang: str, host: str | None, own: str | None, expected: str
) -> None:
    page = show('map="worksites" hidden')
    page.evaluate(NEST, [page_lang, host])
    if own:
        page.evaluate("own => nested.setAttribute('lang', own)", own)
    page.evaluate("nested.scrollIntoView()")
    wait(page, "nested.shadowRoot.querySelector('iframe')")
    address = page.evaluate("nested.shadowRoot.querySelector('iframe').src")
    assert parse_qs(urlsplit(address).query)["lang"] == [expected]


def of_month(service: str, month: str, last: int) -> set[str]:
    asked = {"limit": 1000, "datetime": f"{month}-01/{month}-{last}"}
    return {
        feature["id"]
        for feature in httpx.get(f"{service}/collections/worksites/items", params=asked).json()["features"]
    }


def settled(page: Page, expected: set[str]) -> None:
    for _ in range(200):
        if drawn(page) == expected:
            return
        page.wait_for_timeout(50)
    assert drawn(page) == expected


def test_the_time_is_that_of_the_attribute(show: Callable[..., Page], service: str) -> None:
    months = {("2026-12", 31): set(), ("2027-02", 28): set()}
    for month, last in months:
        months[month, last] = of_month(service, month, last)
    december, february = months.values()
    assert december != february
    page = show('map="worksites" lang="fr" time=" 2026-12 "')
    ready(page)
    expect(inner(page).locator(".time-bar output")).to_have_text("décembre 2026")
    settled(page, december)
    page.evaluate("document.querySelector('casa-map').setAttribute('time', '2027-02')")
    wait(page, "heard.filter(([kind]) => kind === 'ready').length === 2")
    expect(inner(page).locator(".time-bar output")).to_have_text("février 2027")
    settled(page, february)


def test_a_time_that_is_none_is_left_out_and_said(show: Callable[..., Page]) -> None:
    page = show('map="worksites" lang="fr" time="2026-99" hidden')
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    reveal(page)
    ready(page)
    assert any('time="2026-99"' in text for text in said)
    expect(inner(page).locator(".time-bar output")).to_have_text(re.compile(r"24 novembre 2026"))


def test_the_way_to_the_map_keeps_its_time(show: Callable[..., Page], service: str) -> None:
    page = show('map="worksites" lang="fr" time="2026-12"', host="127.0.0.1")
    address = page.locator("casa-map .said").get_by_role("link").get_attribute("href")
    assert address == f"{service}/maps/worksites?lang=fr&time=2026-12"
