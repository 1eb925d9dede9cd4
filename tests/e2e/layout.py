"""Boxes of what lies over a map."""

from __future__ import annotations

from itertools import combinations

from playwright.sync_api import Page

#: What lies over a map, each apart from every other.
CORNER = (".tools", ".leaflet-control-zoom", ".leaflet-control-scale", ".leaflet-control-attribution")
PARTS = (".panel", ".map-alert", ".time-bar", *CORNER, ".list-link", ".card-sheet")


def apart(page: Page, *, least: int, sheet: bool = False) -> None:
    """See that of what lies over the map nothing lies over anything else, or out of the map.

    A card that is a phone's sheet lies over the scale and the credits.
    """
    boxes = {}
    for part in PARTS:
        for number, one in enumerate(page.locator(part).all()):
            if one.is_visible() and (box := one.bounding_box()):
                boxes[f"{part} {number}"] = box
    if sheet:
        boxes = {name: box for name, box in boxes.items() if not name.startswith(CORNER[2:])}
    assert len(boxes) >= least
    area = page.locator(".map-area").bounding_box()
    assert area
    for name, box in boxes.items():
        assert area["x"] - 1 <= box["x"], name
        assert area["y"] - 1 <= box["y"], name
        assert box["x"] + box["width"] <= area["x"] + area["width"] + 1, name
        assert box["y"] + box["height"] <= area["y"] + area["height"] + 1, name
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        beside = a["x"] + a["width"] <= b["x"] + 1 or b["x"] + b["width"] <= a["x"] + 1
        above = a["y"] + a["height"] <= b["y"] + 1 or b["y"] + b["height"] <= a["y"] + 1
        assert beside or above, (one, other, a, b)
