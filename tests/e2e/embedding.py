"""What tests of the widget do again and again, in a page of another origin."""

from __future__ import annotations

import time
from typing import Any

import httpx
from playwright.sync_api import FrameLocator, Page

#: The day on which the browsers think they are: the map of worksites begins with those of today.
DAY = "2026-11-24"
WORKS = "demo-t1-hay-mohammadi"
SETUP = """
window.canary = [];
window.heard = [];
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
for (const kind of ["ready", "select", "view"]) {
  document.addEventListener(kind, (event) => window.heard.push([kind, event.detail]), true);
}
"""


def inner(page: Page) -> FrameLocator:
    return page.frame_locator("casa-map iframe")


def ready(page: Page) -> None:
    wait(page, "heard.some(([kind]) => kind === 'ready')")


def wait(page: Page, condition: str) -> None:
    """Wait for a condition; the pages' policies let Playwright's own way, which evaluates text, not run."""
    deadline = time.monotonic() + 20
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(50)


def reveal(page: Page) -> None:
    page.evaluate("document.querySelector('casa-map').hidden = false")


def events(page: Page, kind: str) -> list[Any]:
    found: list[Any] = page.evaluate(
        "kind => heard.filter(([name]) => name === kind).map(([, detail]) => detail)", kind
    )
    return found


def call(page: Page, expression: str) -> str:
    """Call a method of the element; return its error, empty without one."""
    said: str = page.evaluate(
        "async (code) => { const map = document.querySelector('casa-map');"
        " try { await calls[code](map); return ''; } catch (error) { return error.message || 'empty'; } }",
        expression,
    )
    return said


#: The portal's policy lets no text be evaluated, so its calls are functions.
CALLS = """
window.calls = {
  flyTo: (map) => map.flyTo({ lat: 33.5931, lon: -7.6192, zoom: 15 }),
  nowhere: (map) => map.flyTo({ lat: 133, lon: "x" }),
  tooClose: (map) => map.flyTo({ lat: 33.59, lon: -7.62, zoom: 99 }),
  tooFar: (map) => map.flyTo({ lat: 33.59, lon: -7.62, zoom: -5 }),
  select: (map) => map.select("worksites/demo-t1-hay-mohammadi"),
  close: (map) => map.select(null),
  unknownLayer: (map) => map.select("trees/1"),
  unknownFeature: (map) => map.select("worksites/none"),
  layerThatIsOff: (map) => map.select("transport-stops/none"),
  number: (map) => map.select(7),
  suspended: (map) => map.setFilter("state = 'suspended'"),
  unfit: (map) => map.setFilter("height > 3"),
  broken: (map) => map.setFilter("(("),
  all: (map) => map.setFilter(null),
};
"""


def drawn(page: Page) -> set[str]:
    marks = inner(page).locator("[data-feature^=worksites]")
    return set(marks.evaluate_all("marks => marks.map(mark => mark.dataset.feature.split('/')[1])"))


def works(service: str, text: str | None = None) -> set[str]:
    """Ask the service what the map of today shows."""
    asked = {"limit": 1000, "datetime": DAY, **({"filter": text} if text else {})}
    found = httpx.get(f"{service}/collections/worksites/items", params=asked).json()["features"]
    return {feature["id"] for feature in found}
