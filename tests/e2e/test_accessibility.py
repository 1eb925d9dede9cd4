"""axe-core, an independent checker of WCAG, on the pages, in both languages and schemes, and on paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e.axe import problems

PAGES = [
    "/maps",
    "/maps/city/list",
    "/maps/worksites/list?place=casa+port&limit=5",
    "/directory?category=pharmacy",
    "/directory/gare-routiere-ctm-casablanca",
    "/districts",
    "/districts/06.141.01.01",
    "/accessibility",
    "/privacy",
    "/search?q=poste",
    "/collections",
    "/collections/facilities",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_axe_finds_nothing(new_page: Callable[..., Page], lang: str, scheme: str) -> None:
    # The checker is not of our origin; what the policy forbids is watched in the other tests.
    page = new_page(color_scheme=scheme, bypass_csp=True)
    found = {}
    for path in PAGES:
        page.goto(f"{path}{'&' if '?' in path else '?'}f=html&lang={lang}")
        assert page.locator("h1").count() == 1, path
        if told := problems(page):
            found[path] = told
    assert found == {}


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_axe_finds_nothing_on_a_phone(new_page: Callable[..., Page], lang: str) -> None:
    page = new_page(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True, bypass_csp=True)
    found = {}
    for path in ("/maps", "/maps/city/list", "/directory"):
        page.goto(f"{path}?f=html&lang={lang}")
        if told := problems(page):
            found[path] = told
        # Nothing is cut off at the side.
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360, path
    assert found == {}
