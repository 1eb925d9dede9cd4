"""axe-core, an independent checker of WCAG, on the pages, in both languages and schemes, and on paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

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


#: Every kind of page that is not a map.
KINDS = [
    *PAGES,
    "/directory",
    "/maps/around-me/list",
    "/widgets",
    "/collections/facilities/items",
    "/api",
    "/functions",
]
KINDS += ["/collections/districts/items/06.141.01.07", "/at?point=-7.6,33.58", "/nearest?point=-7.6,33.58"]
KINDS += ["/search/reverse?lat=33.58&lon=-7.6", "/none"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_axe_finds_nothing_on_a_phone(new_page: Callable[..., Page], lang: str, scheme: str) -> None:
    page = new_page(
        viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True, bypass_csp=True, color_scheme=scheme
    )
    page.watch.expected = "404"  # type: ignore[attr-defined]
    found = {}
    for path in KINDS:
        page.goto(f"{path}{'&' if '?' in path else '?'}f=html&lang={lang}")
        if told := problems(page):
            found[path] = told
        # Nothing is cut off at the side.
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360, path
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("size", [(390, 844), (844, 390)])
def test_axe_finds_nothing_on_maps_on_a_phone(
    new_page: Callable[..., Page], size: tuple[int, int], lang: str, scheme: str
) -> None:
    page = new_page(
        viewport={"width": size[0], "height": size[1]},
        is_mobile=True,
        has_touch=True,
        bypass_csp=True,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    found: dict[str, list[str]] = {}

    def check(what: str) -> None:
        if told := problems(page, moves=True):
            found[what] = told

    for path in ("/maps/city", "/maps/worksites", "/embed/worksites"):
        page.goto("about:blank")
        page.goto(f"{path}?lang={lang}")
        expect(page.locator(".map[data-started]")).to_be_visible()
        expect(page.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)
        if "worksites" in path:
            expect(page.get_by_role("slider")).to_be_visible()
        check(path)
        page.locator(".panel-toggle").tap()
        check(f"{path} panel")
        page.locator(".panel-toggle").tap()
        page.locator("[data-tool=measure]").tap()
        expect(page.locator(".tool-box")).to_be_visible()
        check(f"{path} measure")
        page.locator(".tool-box .close").tap()
    page.goto("about:blank")
    page.goto(f"/maps/worksites?lang={lang}&select=worksites/demo-t1-hay-mohammadi")
    expect(page.locator("#card .meta")).to_be_attached()
    check("card")
    assert found == {}
