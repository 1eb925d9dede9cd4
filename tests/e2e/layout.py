"""Boxes of what lies over a map."""

from __future__ import annotations

from itertools import combinations

from playwright.sync_api import Page

#: What lies over a map, each apart from every other.
CORNER = (".tools", ".leaflet-control-zoom", ".leaflet-control-scale", ".leaflet-control-attribution")
PARTS = (".panel", ".map-alert", ".time-bar", *CORNER, ".list-link", ".card-sheet")


#: Every seen part's box, once none of them has changed for a tenth of a second: what is told to a style sheet, such as the
#: height of the time's bar, comes a frame after what it is told of.
_SETTLED = """
async (parts) => {
  const look = () => parts.flatMap((part) => [...document.querySelectorAll(part)].map((node, number) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    const seen = width && height && getComputedStyle(node).visibility === "visible";
    return seen ? [`${part} ${number}`, { x, y, width, height }] : null;
  }).filter(Boolean));
  let [last, since] = ["", 0];
  for (const end = performance.now() + 5000; performance.now() < end;) {
    const now = JSON.stringify(look());
    if (now !== last) [last, since] = [now, performance.now()];
    else if (performance.now() - since > 100) break;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  return Object.fromEntries(JSON.parse(last));
}
"""

Box = dict[str, float]


def boxes(page: Page, *parts: str) -> dict[str, Box]:
    """Return the settled boxes of what is seen of some selectors, by selector and number, all of one moment."""
    found: dict[str, Box] = page.evaluate(_SETTLED, list(parts))
    return found


def clear(one: Box, other: Box, slack: float = 0) -> bool:
    """Tell whether two boxes lie beside or above one another."""
    return any(
        a[start] + a[length] <= b[start] + slack
        for a, b in ((one, other), (other, one))
        for start, length in (("x", "width"), ("y", "height"))
    )


def apart(page: Page, *, least: int, sheet: bool = False) -> None:
    """See that of what lies over the map nothing lies over anything else, or out of the map.

    A card that is a phone's sheet lies over the scale and the credits.
    """
    found = boxes(page, ".map-area", *PARTS)
    area = found.pop(".map-area 0")
    if sheet:
        found = {name: box for name, box in found.items() if not name.startswith(CORNER[2:])}
    assert len(found) >= least
    for name, box in found.items():
        assert area["x"] - 1 <= box["x"], name
        assert area["y"] - 1 <= box["y"], name
        assert box["x"] + box["width"] <= area["x"] + area["width"] + 1, name
        assert box["y"] + box["height"] <= area["y"] + area["height"] + 1, name
    for (one, a), (other, b) in combinations(found.items(), 2):
        assert clear(a, b, 1), (one, other, a, b)
