"""Static pictures of a map (PNG): what PostGIS has in a box, drawn as SVG with signs and colours of the map."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api import params
from api.captions import AROUND, STEP, caption, width_of
from api.i18n import Lang, messages
from api.links import Links
from api.maps.description import maps_of
from api.maps.times import Time
from api.questions import number_of
from api.sketches import Mark, marks_of, window, zoom_of
from geo.bbox import BBox, parse_bbox
from geo.crs import WGS84_SRID, transformer
from geo.errors import InvalidInput, SetupError, Unavailable
from layers.maps import MapDefinition
from layers.several import Chosen, value_name
from layers.sketch import SRID

if TYPE_CHECKING:
    from api.state import State

#: Pixels of a side.
SMALLEST, LARGEST = 64, 2000
DEFAULT_SIZE = (800, 500)
DENSITIES = (1, 2, 3)
#: What pages that show a link make room for.
SHARED = (1200, 630)
#: Size of names in a usual picture, in pixels.
NAME = 13.0
SMALLEST_NAME = 11.0
#: Features of a layer in a picture.
MOST = 3000
#: Bytes of pictures that are kept, pictures that are drawn at once, and seconds that one may take.
KEPT, AT_ONCE, SECONDS = 24_000_000, 2, 20.0
#: Pictures that may wait for others to be drawn, beyond which who asks is told to come back.
WAITING = 64
FONTS = ("400Regular/IBMPlexSansArabic_400Regular.ttf", "600SemiBold/IBMPlexSansArabic_600SemiBold.ttf")
FONT_DIR = "node_modules/@expo-google-fonts/ibm-plex-sans-arabic"
#: Half of what is shown around a place, in degrees.
_AROUND = 0.006
#: From this zoom level on features have the signs of the map; further out they are dots.
_SIGNS = 14
_SIZE = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")
_ICONS = Path(__file__).parent / "web" / "js" / "icons.js"
#: What XML 1.0 can't hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which picture of a map is asked for; ``pin`` is a place that is marked, longitude and latitude in degrees.

    ``density`` is how many pixels stand for one of ``width`` and ``height`` along each side, for fine screens;
    ``filters`` are those of layers that have one, by the layer's id, in CQL2 text.
    """

    box: BBox
    width: int
    height: int
    lang: Lang
    layers: tuple[str, ...]
    title: bool = True
    pin: tuple[float, float] | None = None
    time: Time | None = None
    density: int = 1
    filters: tuple[tuple[str, str], ...] = ()


@cache
def glyphs() -> dict[str, str]:
    """Return the paths of the map's signs, in a box of 16 by 16, from the browser's own module."""
    return dict(re.findall(r'^  "(.+?)": "([^"]+)",$', _ICONS.read_text(encoding="utf-8"), re.MULTILINE))


def size_of(text: str | None) -> tuple[int, int]:
    """Read ``size``, width x height in pixels.

    Raises
    ------
    InvalidInput
        ``parameter.form``.
    """
    if text is None:
        return DEFAULT_SIZE
    found = _SIZE.fullmatch(text)
    width, height = (int(side) for side in found.groups()) if found else (0, 0)
    if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST):
        allowed = f"{SMALLEST}x{SMALLEST} … {LARGEST}x{LARGEST}"
        raise InvalidInput("parameter.form", parameter="size", value=text[:40], allowed=allowed)
    return width, height


def density_of(text: str | None, width: int, height: int) -> int:
    """Read ``density``: how many pixels of the picture stand for one of its size along each side.

    Raises
    ------
    InvalidInput
        ``parameter.value``, also for a picture that would be too large.
    """
    allowed = [str(number) for number in DENSITIES if max(width, height) * number <= LARGEST]
    if text is not None and text not in allowed:
        raise InvalidInput("parameter.value", parameter="density", value=text[:40], allowed=", ".join(allowed))
    return int(text or 1)


def box_of(text: str) -> BBox:
    """Read a ``bbox`` that does not cross the antimeridian, as maps don't.

    Raises
    ------
    InvalidInput
        As for any ``bbox``, and ``bbox.order``.
    """
    box = parse_bbox(text)
    if box.west > box.east:
        raise InvalidInput("bbox.order", parameter="bbox", value=text[:120], allowed="west,south,east,north")
    return box


def pin_of(text: str) -> tuple[float, float]:
    """Read ``pin``: longitude and latitude in degrees."""
    lon, comma, lat = text.partition(",")
    if not comma:
        raise InvalidInput("place.form", parameter="pin", value=text[:60], allowed="pin=lon,lat")
    return number_of(lon, "pin", -180, 180), number_of(lat, "pin", -90, 90)


def layers_of(text: str | None, known: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the layers of a map that are chosen, in its order; by default those that it begins with.

    There may be blanks around the names.

    Raises
    ------
    InvalidInput
        ``parameter.value``, with the map's layers.
    """
    if text is None:
        return tuple(layer["id"] for layer in known if layer["shown"])
    ids, asked = [layer["id"] for layer in known], [name.strip() for name in text.split(",")] if text else []
    for name in asked:
        if name not in ids or asked.count(name) > 1:
            raise InvalidInput("parameter.value", parameter="layers", value=name[:60], allowed=", ".join(ids))
    return tuple(key for key in ids if key in asked)


def tag_of(state: State, definition: MapDefinition, wanted: Wanted) -> str:
    """Return the tag of a picture: what it is made from, so that nothing has to be drawn to know it."""
    told = f"{state.catalogue.stamp}|{state.assets.version}|{definition.model_dump_json()}|{wanted}"
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:20]}"'


@dataclass
class Pictures:
    """Draws pictures, some at once, and keeps those that were asked for last."""

    state: State
    kept: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    waiting: int = 0

    def __post_init__(self) -> None:
        """Find the fonts, without which a picture would have no letters, at the start."""
        self.fonts = [self.state.web_dir / FONT_DIR / name for name in FONTS]
        for font in self.fonts:
            if not font.exists():
                raise SetupError("assets.missing", value=font.name, remedy="./casamaps up")

    async def get(self, definition: MapDefinition, wanted: Wanted) -> bytes:
        """Return a picture.

        Raises
        ------
        Unavailable
            ``picture.failed`` where it could not be drawn in time, ``picture.busy`` where too many are waited for.
        """
        tag = tag_of(self.state, definition, wanted)
        if tag not in self.kept:
            if self.waiting >= WAITING:
                raise Unavailable("picture.busy", log="too many pictures are waited for")
            self.waiting += 1
            try:
                async with self.slots:
                    if tag not in self.kept:  # somebody else who waited for the same one may have drawn it
                        self.kept[tag] = await self._draw(definition, wanted)
            finally:
                self.waiting -= 1
        self.kept.move_to_end(tag)
        picture = self.kept[tag]
        while sum(map(len, self.kept.values())) > KEPT and len(self.kept) > 1:
            self.kept.popitem(last=False)
        return picture

    async def _draw(self, definition: MapDefinition, wanted: Wanted) -> bytes:
        svg = await picture_svg(self.state, definition, wanted)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "api.rasterise", *map(str, self.fonts),
            cwd=Path(__file__).parents[1],
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            png, said = await asyncio.wait_for(process.communicate(svg.encode()), SECONDS)
        except TimeoutError as error:
            raise Unavailable("picture.failed", log="it took too long") from error
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode != 0:
            raise Unavailable("picture.failed", log=said.decode(errors="replace")[-500:])
        return png


def plain(text: str) -> str:
    """Return a text without what XML can't hold; the template escapes the rest."""
    return _NOT_XML.sub("", text)


async def picture_svg(state: State, definition: MapDefinition, wanted: Wanted) -> str:
    """Return a picture as SVG, in pixels; every text of the data is a text node or an attribute that is escaped."""
    found: list[Chosen] = []
    values: dict[str, object] = {}
    filters = {said.id: said.filter for said in definition.layers if said.filter} | dict(wanted.filters)
    for number, key in enumerate(wanted.layers):
        layer = state.catalogue.layer(key)
        given = {"filter": filters[key]} if key in filters else {}
        if wanted.time:
            given["datetime"] = wanted.time.asked()
        selection, own = params.selection_of(layer, given, state.settings.zone, state.catalogue.districts)
        found.append(Chosen(layer, selection))
        values |= {value_name(number, name): value for name, value in own.items()}
    within = window(wanted.box, wanted.width, wanted.height)
    marks = await marks_of(state, within, wanted.lang, found, MOST, **values)
    zoom = zoom_of(within[4])
    layers = [chosen.layer for chosen in found]
    styles = [(said.applied(layer.definition) if (said := definition.layer(layer.id)) else layer.definition).style
              for layer in layers]  # fmt: skip
    template = state.templates.get_template("picture.svg")
    pin, scale = _pin(wanted, within), scale_of(wanted)
    letters, lines = caption(_told(layers, marks, wanted), wanted.width, wanted.height, scale)
    strip = letters * (STEP * len(lines) + AROUND) if lines else 0.0
    return template.render(
        w=wanted.width,
        h=wanted.height,
        density=wanted.density,
        k=scale,
        rtl=wanted.lang == "ar",
        marks=marks,
        styles=styles,
        about=[said.about if (said := definition.layer(layer.id)) else None for layer in layers],
        themes=[layer.definition.theme for layer in layers],
        near=zoom >= _SIGNS,
        zoom=zoom,
        glyphs=glyphs(),
        names=_names(marks, styles, wanted, pin, strip + 4),
        name_size=name_size(wanted),
        pin=pin,
        light=_is_light,
        plain=plain,
        title=plain(definition.title[wanted.lang]) if wanted.title else "",
        title_width=width_of,
        lines=lines,
        letters=letters,
        step=letters * STEP,
        strip=strip,
    )


def scale_of(wanted: Wanted) -> float:
    """Return how much larger than in a usual picture signs and texts are."""
    return min(1.6, max(0.62, min(wanted.width / 800, wanted.height / 500)))


def name_size(wanted: Wanted) -> float:
    """Return the size of names, in pixels: never smaller than can be read."""
    return max(SMALLEST_NAME, NAME * scale_of(wanted))


def _is_light(colour: str) -> bool:
    """Tell whether a colour is light, so that what stands on it must be dark."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue > 170


def _pin(wanted: Wanted, within: tuple[float, float, float, float, float]) -> tuple[float, float] | None:
    if wanted.pin is None:
        return None
    lon, lat = wanted.pin
    x, y = transformer(WGS84_SRID, SRID).transform(lon, min(max(lat, -85), 85))
    return round((x - within[0]) * within[4], 1), round((within[3] - y) * within[4], 1)


def _names(
    marks: Sequence[Mark], styles: Sequence[Any], wanted: Wanted, pin: tuple[float, float] | None, foot: float
) -> list[Mark]:
    """Return the marks whose names have room: of layers with names, clear of each other, the pin, edges and caption."""
    size, found = name_size(wanted), []
    taken = [(pin[0] - 30, pin[1] - 60, pin[0] + 30, pin[1] + 6)] if pin else []
    for mark in marks:
        if mark.kind != "area" or not styles[mark.layer].label:
            continue
        half = width_of(mark.name, size) / 2 + 3
        box = (mark.x - half, mark.y - size * 0.85, mark.x + half, mark.y + size * 0.85)
        free = all(box[0] > b[2] or box[2] < b[0] or box[1] > b[3] or box[3] < b[1] for b in taken)
        if free and box[0] > 0 and box[2] < wanted.width and box[1] > 0 and box[3] < wanted.height - foot:
            taken.append(box)
            found.append(mark)
    return found


def _told(layers: Sequence[Any], marks: Sequence[Mark], wanted: Wanted) -> list[str]:
    """Return what is told below: which day it shows, whom it is owed to, how old it is, that examples are examples."""
    t = messages(wanted.lang)
    owed = [part for layer in layers for part in re.split(r"\s*[;؛]\s*", layer.definition.attribution[wanted.lang])]
    known = list(dict.fromkeys(part for part in owed if part))
    own = [part for part in known if not any(other != part and part.startswith(f"{other} (") for other in known)]
    updated = max((layer.updated for layer in layers), default=None)
    return [
        wanted.time.stated(t) if wanted.time else "",
        *map(plain, own),
        t("map.picture-date", date=t.date(updated.date())) if updated else "",
        t("map.picture-demo") if any(mark.demo for mark in marks) else "",
    ]


def shared_url(
    state: State,
    lang: Lang,
    map_id: str | None = None,
    point: tuple[float, float] | None = None,
    narrowed: Mapping[str, str] | None = None,
) -> str:
    """Return the absolute address of the picture that a shared link is shown with.

    It is that of a map, by default of the first, of those features that ``narrowed`` chooses; with ``point`` (longitude
    and latitude in degrees) what is around it.
    """
    known = maps_of(state.catalogue)
    chosen = map_id if map_id in known else next(iter(known))
    links, size = Links(state.settings.base_url), f"{SHARED[0]}x{SHARED[1]}"
    if point is None:
        return links.url("maps", f"{chosen}.png", lang=lang, size=size, **(narrowed or {}))
    lon, lat = point
    north, south = min(lat + _AROUND, 85.0), max(lat - _AROUND, -85.0)
    box = f"{max(lon - _AROUND, -180.0):.5f},{south:.5f},{min(lon + _AROUND, 180.0):.5f},{north:.5f}"
    pin = f"{lon:.5f},{lat:.5f}"
    return links.url("maps", f"{chosen}.png", lang=lang, bbox=box, size=size, title="false", pin=pin)
