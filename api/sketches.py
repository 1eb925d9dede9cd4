"""Small pictures of a part of the map, drawn into pages as SVG: no script, no request, and they print."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from geo.bbox import BBox
from geo.crs import WGS84_SRID, transformer
from layers.catalogue import DISTRICTS, PublishedLayer
from layers.selection import EVERYTHING
from layers.several import Chosen
from layers.sketch import SRID, sketch_statement

if TYPE_CHECKING:
    from api.state import State

#: Pixels of a picture, which the page scales.
WIDTH, HEIGHT = 640, 400
#: Features of a layer in a picture.
MOST = 600
#: Half the width of a place's surroundings in metres of Web Mercator, some 700 m on the ground.
AROUND = 850.0
#: Web Mercator ends here; beyond there are no tiles either.
_NORTHERNMOST = 85.0
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True)
class Mark:
    """One feature of a picture: a dot at ``x``, ``y``, or the ``path`` of a line or area, with some point on it."""

    id: str
    kind: str
    colour: str
    name: str
    path: str = ""
    x: float = 0.0
    y: float = 0.0
    #: Number of its layer, its sign on the map, and whether it is an example.
    layer: int = 0
    symbol: str = ""
    demo: bool = False


@dataclass(frozen=True)
class Sketch:
    """A picture: areas, lines and dots, from below to above, and where the map opens for more."""

    lon: float
    lat: float
    zoom: int
    width: int = WIDTH
    height: int = HEIGHT
    marks: list[Mark] = field(default_factory=list)


def window(box: BBox, width: int = WIDTH, height: int = HEIGHT) -> tuple[float, float, float, float, float]:
    """Return the corners of a picture around a box in degrees, in metres of Web Mercator, and pixels a metre."""
    to_metres = transformer(WGS84_SRID, SRID)
    west, south = to_metres.transform(box.west, _within(box.south))
    east, north = to_metres.transform(box.east, _within(box.north))
    scale = min(width / max(east - west, 2 * AROUND), height / max(north - south, 2 * AROUND * height / width))
    x, y = (west + east) / 2, (south + north) / 2
    half_width, half_height = width / scale / 2, height / scale / 2
    return x - half_width, y - half_height, x + half_width, y + half_height, scale


def _within(lat: float) -> float:
    return min(max(lat, -_NORTHERNMOST), _NORTHERNMOST)


def zoom_of(scale: float) -> int:
    """Return the zoom level whose pixels are about the picture's."""
    level = 0
    while level < 18 and 2 ** (level + 1) * 256 / 40_075_016.7 <= scale * 1.2:
        level += 1
    return level


async def sketch(state: State, box: BBox, lang: str, layers: list[PublishedLayer], margin: float = 0.06) -> Sketch:
    """Draw what layers have around a box in degrees; a point is a box without width."""
    wide, high = (box.east - box.west) * margin, (box.north - box.south) * margin
    around = BBox(box.west - wide, box.south - high, box.east + wide, box.north + high)
    marks = await marks_of(state, window(around), lang, [Chosen(layer, EVERYTHING) for layer in layers])
    return Sketch((box.west + box.east) / 2, (box.south + box.north) / 2, zoom_of(window(around)[4]), marks=marks)


async def marks_of(
    state: State,
    within: tuple[float, float, float, float, float],
    lang: str,
    layers: Sequence[Chosen],
    most: int = MOST,
    **values: object,
) -> list[Mark]:
    """Return what layers have in a :func:`window`, layer by layer; ``values`` are those of their selections."""
    if not layers:
        return []
    west, south, east, north, scale = within
    own = {"west": west, "south": south, "east": east, "north": north, "scale": scale, "most": most}
    rows = await state.database.rows(sketch_statement(tuple(layers)), **own, **values)
    return [_mark(layers[row["layer"]].layer, row, lang) for row in rows if row["path"] or row["x"] is not None]


def _mark(layer: PublishedLayer, row: Any, lang: str) -> Mark:
    style, value = layer.definition.style, row["value"]
    look = style.values.get(value) if value is not None else None
    colour = look.colour if look else style.colour
    if value is not None and style.colour_field and _COLOUR.fullmatch(value):
        colour = value
    if not row["path"]:
        kind = "dot"
    else:
        kind = "area" if layer.definition.geometry.type in ("Polygon", "MultiPolygon") else "line"
    return Mark(
        row["id"], kind, colour, row[f"name_{lang}"], row["path"] or "", round(row["x"] or 0, 1),
        round(row["y"] or 0, 1), row["layer"], (look and look.symbol) or "", row["demo"] is True,
    )  # fmt: skip


def surroundings(state: State) -> list[PublishedLayer]:
    """Return the layers of a picture: what lasts, districts below."""
    layers = [layer for layer in state.catalogue.drawn() if layer.definition.temporal is None]
    return sorted(layers, key=lambda layer: layer.id != DISTRICTS)
