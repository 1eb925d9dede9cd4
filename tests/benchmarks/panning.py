"""How smoothly a map with many features moves: frames a second in a headless Chromium, while a mouse drags and zooms it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from playwright.sync_api import Page, sync_playwright

from api.cli.packages import find_chromium
from tests.benchmarks import million
from tests.benchmarks.servers import LAYER, process
from tests.benchmarks.speed import Row

#: Features of the layer, and frames that there are in each second.
POINTS, GOAL = 100_000, 30.0
WIDTH, HEIGHT = 1280, 800
#: Where the map is moved: zoom level, latitude and longitude, from the whole city to a few streets.
VIEWS = ("11/33.575/-7.6", "13/33.575/-7.6", "16/33.59/-7.62")
_MIDDLE = (800, 420)
#: Pixels that one drag goes, in so many steps.
_FAR, _STEPS = 300, 24
_RECORD = """() => {
  const stamps = [];
  window.stamps = stamps;
  // One recording ends where the next begins.
  const note = (time) => {
    stamps.push(time);
    if (window.stamps === stamps) requestAnimationFrame(note);
  };
  requestAnimationFrame(note);
}"""
_STOP = "() => { const found = window.stamps; window.stamps = null; return found; }"
_READY = '[data-layer]:has(input:checked):not([data-state="ready"])'


def rates(stamps: Sequence[float]) -> tuple[float, float]:
    """Return how many frames a second there were on the whole, and in the slowest whole second.

    Parameters
    ----------
    stamps : sequence of float
        When the frames were, in milliseconds, in their order; a second of them at least.
    """
    spent = stamps[-1] - stamps[0]
    if spent < 1000:
        raise ValueError("frames of a second at least are needed")
    slowest, after = float(len(stamps)), 0
    for first, begun in enumerate(stamps):
        while after < len(stamps) and stamps[after] < begun + 1000:
            after += 1
        if after == len(stamps):
            break
        slowest = min(slowest, float(after - first))
    return (len(stamps) - 1) * 1000 / spent, slowest


def _drag(page: Page, number: int) -> None:
    x, y = _MIDDLE
    across, down = ((-1, 0), (0, -1), (1, 0), (0, 1))[number % 4]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across * _FAR, y + down * _FAR, steps=_STEPS)
    page.mouse.up()


def _turn(page: Page, number: int) -> None:
    page.mouse.move(*_MIDDLE)
    # In for a while, then out again as far.
    page.mouse.wheel(0, -120 if number // 4 % 2 == 0 else 120)
    page.wait_for_timeout(120)


def _moved(page: Page, move: Callable[[Page, int], None], seconds: float) -> list[float]:
    """Return when the frames were while the map was moved for some seconds."""
    page.evaluate(_RECORD)
    number, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        move(page, number)
        number += 1
    found: list[float] = page.evaluate(_STOP)
    return found


def panning(url: str, seconds: int) -> list[Row]:
    """Measure how a map moves that has :data:`POINTS` features in a layer, dragged and zoomed for some seconds a view.

    Parameters
    ----------
    url : str
        Database with the layer of :mod:`tests.benchmarks.million`.
    """
    found = []
    with process("casamaps", url, "/healthz") as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, base_url=service.address, service_workers="block"
        )
        for view in VIEWS:
            for name, move in (("panning", _drag), ("zooming", _turn)):
                page.goto(f"/?lang=fr&view={view}")
                page.locator(f'[data-layer="{LAYER}"][data-state="ready"]').wait_for(state="attached", timeout=60_000)
                page.locator(_READY).first.wait_for(state="detached", timeout=60_000)
                _moved(page, move, 1.5)  # what is drawn once has been drawn
                mean, slowest = rates(_moved(page, move, max(seconds, 5)))
                what = (
                    f"{name} from zoom {view.split('/')[0]}, frames in the slowest second (on the whole {mean:.0f}/s)"
                )
                # What is held is panning; a new level has all that is in view to be drawn anew.
                held = move is _drag
                goal = f"≥ {GOAL:.0f} frames/s" if held else "–"
                found.append(Row(what, slowest, "the goal", GOAL, goal, slowest >= GOAL or not held))
        browser.close()
    return found


def fill(url: str, progress: Callable[[int, int], None]) -> None:
    """Make the layer."""
    million.fill(url, POINTS, progress)
