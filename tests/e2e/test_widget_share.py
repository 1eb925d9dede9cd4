"""Sharing from a map in a frame: the link is copied where the browser lets it be, else it is there to copy, until it is sent away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from api.i18n import messages
from tests.e2e.axe import problems
from tests.e2e.embedding import CALLS, WORKS, call, inner, ready, wait
from tests.e2e.layout import boxes, clear

#: A browser that lets no page write to its clipboard, or none in a frame.
REFUSED = "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
SHARE = "[data-tool=share]"


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_widget_copies_the_link(show: Callable[..., Page], service: str, lang: str) -> None:
    page = show(f'map="worksites" lang="{lang}"', permissions=["clipboard-read", "clipboard-write"])
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    ready(page)
    inner(page).locator(SHARE).click()
    expect(inner(page).locator(".map-toast")).to_have_text(messages(lang)("map.share.copied"))
    page.locator("#before").focus()
    wait(page, "document.activeElement.id === 'before'")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{service}/maps/worksites?lang={lang}#map=")
    assert [text for text in said if "policy" in text.lower()] == []


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_link_to_copy_goes_away_by_its_button_and_by_escape(show: Callable[..., Page], lang: str) -> None:
    page = show(f'map="worksites" lang="{lang}"')
    ready(page)
    page.evaluate(CALLS)
    frame = inner(page)
    frame.locator("html").evaluate(REFUSED)
    share, toast, card = frame.locator(SHARE), frame.locator(".map-toast"), frame.get_by_role("dialog")
    field = toast.get_by_label(messages(lang)("map.share.by-hand"))
    share.click()
    expect(field).to_be_focused()
    button = toast.get_by_role("button", name=messages(lang)("map.close"))
    box = button.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 44
    button.click()
    expect(toast).to_be_empty()
    expect(share).to_be_focused()
    # The card that is open below it stays open for another Escape.
    assert call(page, "select") == ""
    expect(card.locator(".card-page")).to_be_visible()
    share.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(toast).to_be_empty()
    expect(share).to_be_focused()
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    # Whoever is in the card closes that.
    share.click()
    expect(field).to_be_focused()
    assert call(page, "select") == ""
    expect(card.locator(".card-page")).to_be_visible()
    card.locator("h2").focus()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(field).to_be_visible()


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("size", [(340, 420), (390, 844), (800, 520), (1280, 800)])
def test_a_link_to_copy_fits_on_the_map(new_page: Callable[..., Page], size: tuple[int, int], lang: str) -> None:
    page = new_page(viewport={"width": size[0], "height": size[1]})
    # On phones a card takes the place of the tools.
    beside = size[0] > 700
    page.goto(f"/embed/worksites?lang={lang}{f'&select=worksites/{WORKS}' if beside else ''}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    if beside:
        expect(page.locator("#card .card-page")).to_be_visible()
    page.evaluate(REFUSED)
    page.locator(SHARE).click()
    expect(page.locator(".map-toast input")).to_be_focused()
    found = boxes(page, ".map-area", ".map-toast", ".map-toast input", ".map-toast .close", ".card-sheet")
    area, toast, field, close, *others = found.values()
    assert len(others) == beside
    assert all(clear(toast, other) for other in others)
    for inside, around in ((toast, area), (field, toast), (close, toast)):
        assert around["x"] <= inside["x"] + 0.5
        assert around["y"] <= inside["y"] + 0.5
        assert inside["x"] + inside["width"] <= around["x"] + around["width"] + 0.5
        assert inside["y"] + inside["height"] <= around["y"] + around["height"] + 0.5
    assert close["y"] + close["height"] <= field["y"] + 0.5
    assert [problem for problem in problems(page) if "map-icon" not in problem] == []
    page.locator(".map-toast .close").click()
    expect(page.locator(".map-toast")).to_be_empty()


def test_a_phone_that_may_not_share_from_a_frame_copies_the_link(new_page: Callable[..., Page]) -> None:
    page = new_page(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, permissions=["clipboard-write"]
    )
    page.add_init_script(
        "window.asked = 0; navigator.share = () => { asked += 1;"
        " return Promise.reject(new DOMException('no', asked > 1 ? 'AbortError' : 'NotAllowedError')); }"
    )
    page.goto("/embed/worksites?lang=fr")
    expect(page.locator(".map[data-started]")).to_be_visible()
    toast = page.locator(".map-toast")
    page.locator(SHARE).tap()
    expect(toast).to_have_text(messages("fr")("map.share.copied"))
    toast.evaluate("node => node.replaceChildren()")
    # Who closes the phone's own dialog is left alone.
    page.locator(SHARE).tap()
    page.wait_for_function("() => asked === 2")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(toast).to_be_empty()
