"""An instance whose every text means harm, looked at wherever its texts are shown: nothing runs, all of it is text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Frame, Locator, Page, expect

from api.i18n import Lang, messages
from api.settings import Settings
from layers.definition import load_definitions
from tests.conftest import DATA, free_port, running
from tests.e2e.test_map_export import make, offline
from tests.hostile import EVIL, SEEN, hostile, spoil
from tests.portal import Portal

DEFINITIONS = load_definitions(DATA / "layers")
DRAWN = [key for key, definition in DEFINITIONS.items() if not definition.entries]
LANGUAGES: tuple[Lang, ...] = ("fr", "ar")
#: What a page must not have got from a text: elements, handlers, addresses that run or lead away by themselves; and
#: texts whose order is turned around must not turn what stands behind them.
INERT = """(own) => {
  const found = [];
  const say = (why, node) => found.push(`${why}: ${node.outerHTML.slice(0, 300)}`);
  if ("hit" in window) found.push(`ran: ${window.hit}`);
  const kinds = ["application/json", "application/ld+json", "text/css"];
  for (const node of document.querySelectorAll("*")) {
    for (const { name, value } of node.attributes) {
      if (/^on/i.test(name)) say("handler", node);
      if (name === "style" && /url\\(|elsewhere/i.test(value)) say("style", node);
      if (!/^(href|src|action|formaction|srcset|data|xlink:href|poster)$/i.test(name)) continue;
      const { protocol, host } = new URL(value, document.baseURI);
      const follows = node.matches("a[href]");
      if (!(follows ? ["http:", "https:", "tel:", "mailto:", "file:"] : ["http:", "https:", "file:"]).includes(protocol)) say("address", node);
      else if (!follows && !node.matches("link, script") && host !== location.host) say("elsewhere", node);
    }
    if (node.matches("script:not([src])") && !kinds.includes(node.type) && !own) say("script", node);
    if (node.matches("base:not([target]), object, embed, meta[http-equiv=refresh]")) say("element", node);
    if (node.matches("img[src='x'], svg[onload]")) say("element", node);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (!data.includes("\\u202e") || parentElement.closest("script, style, option, title")) continue;
    let holder = parentElement;
    while (!/isolate|plaintext/.test(getComputedStyle(holder).unicodeBidi)) holder = holder.parentElement;
    const all = holder.textContent;
    const last = all.lastIndexOf("\\u202e");
    const open = all.slice(0, last).replace(/[\\u2066-\\u2068][^\\u2066-\\u2069]*\\u2069/g, "").match(/[\\u2066-\\u2068]/);
    if (!open && all.slice(last + 4).trim()) say("turned", holder);
  }
  return found;
}"""


def inert(page: Page | Frame, scripts: bool = False) -> None:
    """Look through a page; ``scripts`` where it has scripts of its own inside, named by its policy."""
    assert page.evaluate(INERT, scripts) == []


def shows(place: Locator) -> None:
    """Make sure that a place shows the text as it is."""
    expect(place.filter(has_text=SEEN).first).to_be_visible()


@pytest.fixture(scope="module")
def evil_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with hostile(tmp_path_factory.mktemp("hostile")) as url:
        yield url


@pytest.fixture(scope="module")
def service(evil_url: str, portal: Portal) -> Iterator[str]:
    settings = Settings(port=free_port(), frame_origins=portal.url("localhost", ""))
    with running(settings, evil_url) as address:
        yield address


@pytest.fixture
def evil_page(new_page: Callable[..., Page], service: str) -> Iterator[Callable[..., Page]]:
    """Open pages of the instance; none of them may ask its reader anything."""
    asked: list[str] = []

    def make_page(**options: Any) -> Page:
        page = new_page(**({"base_url": service} | options))
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        return page

    yield make_page
    assert asked == []


def marked(service: str, layer: str) -> str:
    """Return the id of the feature whose coded texts are spoilt too."""
    found = httpx.get(f"{service}/collections/{layer}/items", params={"limit": 10_000}).json()["features"]
    return min(feature["id"] for feature in found)


def started(page: Page | Any) -> None:
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)


def test_every_text_of_every_layer_is_spoilt(service: str, evil_url: str) -> None:
    for key, definition in DEFINITIONS.items():
        free = {field.name for field in definition.fields if field.type.startswith("text") and field.values is None}
        assert set(spoil(evil_url, definition)) >= free - {"wheelchair"}
        wanted = httpx.get(f"{service}/collections/{key}/items", params={"limit": 10_000}).json()["features"]
        first = min(wanted, key=lambda feature: feature["id"])
        for field in definition.fields:
            value = first["properties"][field.name]
            if field.name in free and field.format not in ("url", "colour"):
                assert EVIL in (value[-1] if isinstance(value, list) else value), (key, field.name)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_map_and_each_layers_card(evil_page: Callable[..., Page], service: str, lang: Lang) -> None:
    page = evil_page()
    page.goto(f"/maps/city?f=html&lang={lang}#map=13/33.59/-7.61")
    started(page)
    inert(page)
    assert SEEN in (page.locator(".name > span").first.text_content() or "")
    assert SEEN in (page.locator(".cluster").first.get_attribute("aria-label") or "")
    assert SEEN in (page.locator("[data-feature^=transport-lines]").first.get_attribute("aria-label") or "")
    shows(page.locator(".panel .layer-title"))
    page.locator(".panel details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    shows(page.locator(".panel .legend li"))
    shows(page.locator(".leaflet-control-attribution"))
    for layer in DRAWN:
        page.goto("about:blank")
        page.goto(f"/maps/city?lang={lang}&view=15/33.59/-7.61&select={layer}/{marked(service, layer)}")
        started(page)
        shows(page.locator("#card-title"))
        shows(page.locator("#card dd"))
        shows(page.locator("#card dt"))
        shows(page.locator("#card .meta"))
        inert(page)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_the_search_suggests(evil_page: Callable[..., Page], lang: Lang) -> None:
    page = evil_page()
    page.goto(f"/maps/city?f=html&lang={lang}")
    started(page)
    for text in ("hassan", "<script>window.hit", "javascript:window", "T1"):
        page.locator("#find").fill(text)
        shows(page.locator(".suggestions [role=option]"))
        inert(page)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_map_on_paper(evil_page: Callable[..., Page], tmp_path: Path, lang: Lang) -> None:
    page = evil_page()
    page.add_init_script(
        "window.print = () => { window.dispatchEvent(new Event('beforeprint')); window.printed = true; }"
    )
    page.goto(f"/maps/worksites?f=html&lang={lang}")
    started(page)
    page.locator("[data-tool=print]").click()
    page.locator(".tool-box").get_by_role("button", name=messages(lang)("map.print.start")).click()
    page.wait_for_function("() => window.printed")
    page.emulate_media(media="print")
    for part in (".print-head h2", ".print-legend h3", ".print-foot bdi"):
        shows(page.locator(part))
    inert(page)
    page.pdf(path=tmp_path / "map.pdf", prefer_css_page_size=True)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "path",
    [
        "/maps?f=html", "/maps/city/list?f=html&layers={layer}", "/maps/district-06.141.01.01/list?f=html",
        "/directory?f=html", "/directory/{place}?f=html", "/districts?f=html", "/districts/06.141.01.01?f=html",
        "/collections?f=html", "/collections/{layer}?f=html", "/collections/{layer}/items?f=html",
        "/collections/{layer}/items/{id}?f=html", "/collections/{layer}/queryables?f=html",
        "/nearest?f=html&lon=-7.61&lat=33.59", "/search?f=html&q=hassan", "/widgets?map=worksites",
        "/at?f=html&lon=-7.61&lat=33.59",
    ],
)  # fmt: skip
def test_pages(evil_page: Callable[..., Page], service: str, path: str, lang: Lang) -> None:
    page = evil_page()
    for layer in DRAWN if "{layer}" in path else [""]:
        known = {"layer": layer, "place": marked(service, "directory"), "id": layer and marked(service, layer)}
        answer = page.goto(f"{path.format(**known)}&lang={lang}")
        assert answer is not None
        assert answer.status == 200, path
        assert SEEN in " ".join(page.locator("main").inner_text().split()), path
        inert(page)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_list_on_paper(evil_page: Callable[..., Page], lang: Lang) -> None:
    page = evil_page()
    page.goto(f"/maps/city/list?f=html&lang={lang}")
    page.emulate_media(media="print")
    shows(page.locator("h1"))
    shows(page.locator(".listing h3"))
    inert(page)


def test_the_frame_alone(evil_page: Callable[..., Page], service: str) -> None:
    page = evil_page()
    page.goto(f"/embed/worksites?lang=fr&select=worksites/{marked(service, 'worksites')}")
    started(page)
    shows(page.locator("#card-title"))
    inert(page)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_widget_in_another_sites_page(browser: Browser, portal: Portal, service: str, lang: Lang) -> None:
    portal.policy = f"default-src 'none'; script-src {service}; frame-src {service}"
    portal.pages["/page"] = (
        f'<!doctype html><meta charset="utf-8"><title>Portail</title><script src="{service}/widget.js" defer></script>'
        f'<casa-map map="worksites" lang="{lang}"></casa-map>'
    )
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    context.add_init_script(
        "window.violations = []; window.names = [];"
        "document.addEventListener('securitypolicyviolation', (event) => violations.push(event.blockedURI));"
        "document.addEventListener('select', (event) => names.push(event.detail.name), true);"
    )
    page = context.new_page()
    asked: set[str] = set()
    said: list[str] = []
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.goto(portal.url("localhost"))
    frame = page.frame_locator("casa-map iframe")
    started(frame)
    frame.locator("[data-feature^=worksites]").first.press("Enter")
    shows(frame.locator("#card-title"))
    shows(frame.locator("#card dd"))
    assert SEEN in (page.locator("casa-map iframe").get_attribute("title") or "")
    for one in page.frames:
        inert(one)
        assert one.evaluate("() => window.violations") == []
    assert SEEN in page.evaluate("() => window.names.at(-1)")
    assert asked == {service.split("/")[2], f"localhost:{portal.port}"}
    assert said == []
    context.close()


@pytest.mark.parametrize("name", ["city", "district-06.141.01.01"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_picture(evil_page: Callable[..., Page], service: str, name: str, lang: Lang) -> None:
    page = evil_page()
    page.goto(f"/maps/{name}/list?f=html&lang={lang}")
    size = page.locator(".overview img").evaluate(
        "async (image) => { await image.decode(); return image.naturalWidth; }"
    )
    assert size == 840
    alone = httpx.get(f"{service}/maps/{name}.png", params={"lang": lang, "size": "1200x630"})
    assert (alone.status_code, alone.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_file_for_the_disk(
    new_page: Callable[..., Page], evil_url: str, service: str, tmp_path: Path, lang: Lang
) -> None:
    page = offline(new_page, make(evil_url, tmp_path, "worksites", lang))
    shows(page.locator("h1"))
    shows(page.locator(".panel .layer-title"))
    for layer in ("worksites", "transport-lines", "districts"):
        # Works are those of today, of which the first may be none.
        key = f"='{layer}/{marked(service, layer)}'" if layer != "worksites" else "^='worksites/'"
        page.locator(f"[data-feature{key}]").first.focus()
        page.keyboard.press("Enter")
        shows(page.locator("#card-title"))
        shows(page.locator("#card dd"))
        inert(page, scripts=True)
