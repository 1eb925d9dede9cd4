"""Layers as vector tiles in a real browser: what is drawn, what is asked for, what a click finds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
import yaml
from playwright.sync_api import Page, expect

from api.settings import PROJECT, Settings
from layers.migrate import upgrade
from layers.shipped import load_shipped
from tests.benchmarks import million
from tests.conftest import free_port, quiet, running, throwaway_cluster
from tests.e2e.axe import problems

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
    described |= {"id": "drawn", "layers": [{"id": "facilities", "source": "geojson"}]}
    (data / "maps" / "drawn.yaml").write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    described |= {"id": "under", "layers": [{"id": "*"}, {"id": "districts"}, {"id": "transport-lines"}]}
    (data / "maps" / "under.yaml").write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    with throwaway_cluster() as url:
        upgrade(url)
        load_shipped(url, data, quiet)
        million.fill(url, POINTS, lambda done, total: None)
        with psycopg.connect(url) as connection:
            # The layer's definition is in no file.
            stated = "replace(definition::text, '\"facilities\"', '\"street-furniture\"')::json"
            connection.execute(f"UPDATE catalogue.maps SET definition = {stated} WHERE id = 'drawn'")
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
    # In a frame, too, with what the frame shows a part of.
    page.goto("/embed/tiled?lang=ar&district=06.141.01.03")
    expect(link).to_have_attribute("href", "/maps/tiled/list?lang=ar&district=06.141.01.03&layers=transport-stops")


def alone(
    page: Page, zoom: float, layer: str = "street-furniture", lang: str = "fr", on: str = "tiled"
) -> tuple[int, list[str]]:
    """Open the map with one layer; return how many features it says are in view, and what Tab stops at."""
    page.goto(f"/maps/{on}?f=html&lang={lang}#map={zoom}/{CENTRE[0]}/{CENTRE[1]}&layers={layer}")
    expect(page.locator(f'[data-layer={layer}][data-state="ready"]')).to_be_visible()
    status = page.locator("#map-status")
    expect(status).to_contain_text(re.compile(r"\d objets? dans la vue|المعروضة"))
    said = re.search(r"(\d[\d\s.\u202f]*)", status.text_content() or "")
    assert said
    stops = page.locator(".tile-stop").evaluate_all("nodes => nodes.map(node => node.dataset.feature.split('/')[1])")
    return int(re.sub(r"\D", "", said[1])), stops


def in_view(page: Page, tiled: str, layer: str = "street-furniture") -> set[str]:
    link = page.locator("#list-link").get_attribute("href") or ""
    box = parse_qs(urlsplit(link).query)["bbox"][0]
    found = httpx.get(f"{tiled}/collections/{layer}/items", params={"bbox": box, "limit": 10_000}).json()
    return {item["id"] for item in found["features"]}


@pytest.mark.parametrize("on", ["tiled", "drawn"])
def test_each_feature_in_view_is_counted_once_and_reached_by_tab(page: Page, tiled: str, on: str) -> None:
    count, stops = alone(page, 15.5, on=on)
    known = in_view(page, tiled)
    assert 5 < len(known) < 40
    assert count == len(known)
    assert sorted(stops) == sorted(known)
    active = "() => [document.activeElement.dataset.feature, ...['x', 'y'].map(side => document.activeElement.getBoundingClientRect()[side])]"
    page.locator(".panel summary, .panel a, .panel input").last.focus()
    reached = []
    for _ in range(len(known) + 8):
        page.keyboard.press("Tab")
        key, x, y = page.evaluate(active)
        if key:
            reached.append(key.split("/")[1])
            # Neither the panel nor the map's edge hides it.
            assert 338 < x < 1260
            assert 56 < y < 780
    assert reached == stops
    page.locator(".list-link").focus()
    assert page.evaluate("() => document.activeElement.id") == "list-link"


def test_a_stop_says_what_it_is_opens_the_card_and_gets_the_focus_back(page: Page) -> None:
    alone(page, 15, "transport-stops")
    stop = page.locator(".tile-stop").first
    key = (stop.get_attribute("data-feature") or "").split("/")[1]
    stop.focus()
    name = stop.get_attribute("aria-label") or ""
    assert name.endswith("Stations de tramway et de busway")
    expect(page.locator(".leaflet-tooltip")).to_contain_text(name.split(",", maxsplit=1)[0])
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_have_text(name.split(",", maxsplit=1)[0])
    expect(page.locator("#card .meta")).to_be_visible()
    assert f"select=transport-stops/{key}" in page.url
    page.wait_for_timeout(1000)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(f'.tile-stop[data-feature="transport-stops/{key}"]')).to_be_focused()


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_of_many_features_those_near_the_middle_are_stops_and_the_group_says_so(page: Page, lang: str) -> None:
    count, stops = alone(page, 11, lang=lang)
    assert count > 1000
    assert len(stops) == len(set(stops)) == 40
    group = page.locator("[role=group]:has(> .tile-stop)")
    expect(group).to_have_accessible_name(re.compile("40 sur" if lang == "fr" else "40 من أصل"))
    places = page.locator(".tile-stop").evaluate_all(
        "nodes => nodes.map(node => node.getBoundingClientRect()).map(({ x, y }) => [x - 640, y - 428])"
    )
    assert all(abs(x) < 200 and abs(y) < 200 for x, y in places)
    rows = [round(y / 48) for _, y in places]
    assert all(after - before >= -1 for before, after in pairwise(rows))
    page.locator("[data-layer=street-furniture] input").uncheck()
    expect(page.locator(".tile-stop")).to_have_count(0)


def test_lines_and_areas_are_stops_too(page: Page, tiled: str) -> None:
    count, stops = alone(page, 13, "transport-lines")
    known = in_view(page, tiled, "transport-lines")
    assert count == len(stops) == len(known) > 1
    assert set(stops) == known


def test_axe_finds_nothing_where_features_are_tiles(page: Page) -> None:
    open_map(page, view=f"15/{CENTRE[0]}/{CENTRE[1]}")
    expect(page.locator(".tile-stop").first).to_be_attached()
    assert problems(page) == []


def test_dots_lie_where_the_map_puts_their_layer_but_never_below_the_land(page: Page) -> None:
    page.goto("/maps/under?f=html&lang=fr")
    expect(page.locator('[data-layer=street-furniture][data-state="ready"]')).to_be_visible()
    expect(page.locator('[data-layer=transport-lines][data-state="ready"]')).to_be_visible()
    level = {
        name: int(page.locator(f".leaflet-layer-{name}-pane").evaluate("pane => pane.style.zIndex"))
        for name in ("districts", "street-furniture", "transport-lines")
    }
    assert level["districts"] < level["street-furniture"] < level["transport-lines"]


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
