"""What tests of the map do again and again."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import Page, expect


def open_map(page: Page, path: str = "/", query: str = "lang=fr", view: str = "") -> None:
    page.goto(f"{path}?f=html&{query}{'#map=' + view if view else ''}" if path != "/embed/city" else f"{path}?{query}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)


def tool(page: Page, name: str) -> Any:
    return page.locator(f"[data-tool={name}]")


def view_of(page: Page) -> tuple[float, float, float]:
    found = re.search(r"#map=([\d.]+)/(-?[\d.]+)/(-?[\d.]+)", page.url)
    assert found
    zoom, lat, lon = map(float, found.groups())
    return zoom, lat, lon


def in_view(page: Page, client: httpx.Client, *layers: str, **more: str) -> int:
    """Ask the service how many features of layers are in the map's view."""
    link = page.locator("#list-link").get_attribute("href") or ""
    asked = {"bbox": parse_qs(urlsplit(link).query)["bbox"][0], "limit": "1000"}
    found = 0
    for layer in layers:
        own = asked | (more if layer == "worksites" else {})
        found += len(client.get(f"/collections/{layer}/items", params=own).json()["features"])
    return found


def told(page: Page, count: int) -> None:
    expect(page.locator("#map-status")).to_contain_text(re.compile(rf"(^|\. ){count} objets? dans la vue\."))


def on_paper(page: Page) -> None:
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
