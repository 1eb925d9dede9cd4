"""Layers as vector tiles in a real browser: what is drawn, what is asked for, what a click finds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml
from playwright.sync_api import Page, expect

from api.settings import PROJECT, Settings
from layers.migrate import upgrade
from layers.shipped import load_shipped
from tests.benchmarks import million
from tests.conftest import free_port, quiet, running, throwaway_cluster

POINTS = 5_000
TILED = ["transport-lines", "transport-stops", "facilities"]
CENTRE = (33.5902, -7.6186)


@pytest.fixture(scope="module")
def tiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with a map whose layers come as tiles, one of them made of thousands of points."""
    data = tmp_path_factory.mktemp("tiled") / "data"
    shutil.copytree(PROJECT / "data", data)
    described: dict[str, Any] = yaml.safe_load((data / "maps" / "city.yaml").read_text(encoding="utf-8"))
    described |= {"id": "tiled", "order": 90, "controls": ["layers", "legend", "scale"]}
    described["layers"] = [
        {"id": "districts"},
        {"id": "transport-lines", "source": "tiles"},
        {"id": "transport-stops", "source": "tiles", "style": {"label": True}},
        {"id": "facilities", "source": "tiles", "cluster": False},
        {"id": "worksites", "source": "tiles", "shown": False, "filter": "state <> 'done'"},
        {"id": "*"},
    ]
    (data / "maps" / "tiled.yaml").write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    with throwaway_cluster() as url:
        upgrade(url)
        load_shipped(url, data, quiet)
        million.fill(url, POINTS, lambda done, total: None)
        with running(Settings(port=free_port()), url) as address:
            yield address


def asked(page: Page) -> list[dict[str, list[str]]]:
    """Follow the tiles that a page asks for."""
    found: list[dict[str, list[str]]] = []

    def add(address: str) -> None:
        if "/tiles/" in address:
            found.append(parse_qs(urlsplit(address).query))

    page.on("request", lambda request: add(request.url))
    return found


def open_map(page: Page, query: str = "lang=fr", view: str = "") -> None:
    page.goto(f"/maps/tiled?f=html&{query}{'#map=' + view if view else ''}")
    expect(page.locator(".map[data-started]")).to_be_visible()
    shown = page.locator("[data-layer]:has(input:checked)")
    expect(shown.and_(page.locator('[data-state="ready"]'))).to_have_count(5)


def feature(address: str, layer: str, key: str) -> dict[str, Any]:
    body: dict[str, Any] = httpx.get(f"{address}/collections/{layer}/items/{key}?f=json").json()
    return body


@pytest.fixture
def page(new_page: Callable[..., Page], tiled: str) -> Page:
    return new_page(base_url=tiled)


def test_layers_of_one_filter_come_in_one_tile(page: Page) -> None:
    found = asked(page)
    open_map(page)
    assert found
    names = {",".join(query["collections"]) for query in found}
    assert names == {",".join([*TILED, "street-furniture"])}
    assert not any("filter" in query for query in found)
    before = len(found)
    page.locator("[data-layer=worksites] input").check()
    expect(page.locator('[data-layer=worksites][data-state="ready"]')).to_be_visible()
    assert {(query["collections"][0], query["filter"][0]) for query in found[before:]} == {
        ("worksites", "state <> 'done'")
    }
    # Features as GeoJSON are asked for none of them.
    page.locator("[data-layer=transport-stops] input").uncheck()
    assert page.locator("[data-feature^=transport-stops]").count() == 0


def test_lines_are_drawn_in_their_official_colours(page: Page, tiled: str) -> None:
    page.watch.expected = "Canvas2D: Multiple readback"  # type: ignore[attr-defined]  # by this test
    open_map(page, view=f"14/{CENTRE[0]}/{CENTRE[1]}")
    official = feature(tiled, "transport-lines", "T1")["properties"]["colour"]
    red, green, blue = (int(official[start : start + 2], 16) for start in (1, 3, 5))
    count = """([red, green, blue]) => [...document.querySelectorAll(".leaflet-layer-transport-lines-pane canvas")]
      .filter((canvas) => canvas.width).map((canvas) => {
        const pixels = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height).data;
        let found = 0;
        for (let at = 0; at < pixels.length; at += 4) {
          if (pixels[at] === red && pixels[at + 1] === green && pixels[at + 2] === blue) found += 1;
        }
        return found;
      }).reduce((sum, found) => sum + found, 0)"""
    assert page.evaluate(count, [red, green, blue]) > 1000
    assert page.evaluate(count, [1, 2, 3]) == 0


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_click_on_a_tile_opens_the_card(page: Page, tiled: str, lang: str) -> None:
    key = "tram-place-des-nations-unies"
    found = feature(tiled, "transport-stops", key)
    lon, lat = found["geometry"]["coordinates"]
    open_map(page, f"lang={lang}", view=f"17/{lat}/{lon}")
    page.locator("[data-layer=street-furniture] input").uncheck()
    box = page.locator(".map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("dialog")).to_have_accessible_name(found["properties"][f"name_{lang}"])
    expect(page.locator(".tile-selected")).to_have_count(1)
    assert f"select=transport-stops/{key}" in page.url
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".tile-selected")).to_have_count(0)
    expect(page.locator(".map")).to_be_focused()


def test_a_link_selects_what_no_tile_has_brought(page: Page, tiled: str) -> None:
    page.goto("/maps/tiled?f=html&lang=fr&select=facilities/mosquee-hassan-ii")
    expect(page.get_by_role("dialog")).to_have_accessible_name("Mosquée Hassan II")


@pytest.mark.parametrize(("lang", "field"), [("fr", "name_fr"), ("ar", "name_ar")])
def test_names_are_written_in_the_pages_language(page: Page, tiled: str, lang: str, field: str) -> None:
    open_map(page, f"lang={lang}", view=f"16/{CENTRE[0]}/{CENTRE[1]}")
    stops = httpx.get(f"{tiled}/collections/transport-stops/items?limit=500").json()["features"]
    known = {item["properties"][field] for item in stops}
    written = page.locator(".name:not(.note) > span:visible")
    expect(written.filter(has_text=re.compile("Place|ساحة")).first).to_be_visible()
    districts = httpx.get(f"{tiled}/collections/districts/items").json()["features"]
    known |= {item["properties"][field] for item in districts}
    assert set(written.all_text_contents()) <= known
    assert written.first.get_attribute("dir") == "auto"


def test_the_layer_is_reached_without_pointing(page: Page) -> None:
    open_map(page)
    link = page.locator("[data-layer=transport-stops] a.in-list")
    expect(link).to_have_attribute("href", "/maps/tiled/list?lang=fr&layers=transport-stops")
    assert page.locator("[data-layer=districts] a.in-list").count() == 0


def test_a_tile_that_fails_says_so_and_is_tried_again(page: Page) -> None:
    page.watch.expected = ""  # type: ignore[attr-defined]
    page.route("**/tiles/**", lambda route: route.fulfill(status=503, body="{}"))
    page.goto("/maps/tiled?f=html&lang=fr")
    alert = page.get_by_role("alert").first
    expect(alert).to_be_visible()
    page.unroute("**/tiles/**")
    while page.get_by_role("alert").count():
        page.get_by_role("alert").first.get_by_role("button").click()
        page.wait_for_timeout(500)
    expect(page.locator('[data-layer=facilities][data-state="ready"]')).to_be_visible()


def test_maps_without_tiles_load_nothing_for_them(page: Page) -> None:
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(Path(urlsplit(request.url).path).name))
    page.goto("/maps/health?f=html&lang=fr")
    expect(page.locator(".map[data-started]")).to_be_visible()
    assert "main.js" in scripts
    assert not {"tiles.js", "pbf.js", "vector-tile.js"} & set(scripts)
