"""What a map's view holds, as a list: layer by layer, in the order of distance from a place, each with its state."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from api import opening, params
from api.maps.description import MapDescription
from api.maps.times import Time
from api.negotiation import Reader
from api.positions import position_of
from api.routes.nearest import find_nearest
from api.words import has_words
from geo.bbox import BBox
from geo.crs import WGS84_SRID
from geo.errors import InvalidInput
from layers.catalogue import STOPS, PublishedLayer
from layers.nearest import MAX_NEAREST, NearestShape, step_for
from layers.pages import read_page
from layers.search.find import FIND, asked
from layers.several import Chosen, value_name

if TYPE_CHECKING:
    from api.state import State

#: Features of each layer on a page of the list.
DEFAULT_LISTED, MAX_LISTED, MAX_PAGE = 20, 100, 50
#: Pixels of the screen that a view is taken to be on.
_SCREEN = (1024, 640)
VIEW = r"(\d{1,2}(?:\.\d{1,6})?)/(-?\d{1,2}(?:\.\d{1,12})?)/(-?\d{1,3}(?:\.\d{1,12})?)"
_VIEW = re.compile(VIEW, re.ASCII)
#: Things that a typed place may be, and works that are looked at.
_CANDIDATES, _MOST_WORKS = 5, 500

Json = dict[str, Any]


@dataclass(frozen=True)
class View:
    """A view of a map: zoom level, and its centre in degrees."""

    zoom: float
    lat: float
    lon: float

    def box(self) -> BBox:
        """Return what a usual screen shows of it."""
        half = 360 / 2 ** (self.zoom + 8) / 2
        wide, high = (pixels * half for pixels in _SCREEN)
        y = math.asinh(math.tan(math.radians(self.lat)))
        south, north = (math.degrees(math.atan(math.sinh(y + math.radians(part)))) for part in (-high, high))
        return BBox(max(-180.0, self.lon - wide), south, min(180.0, self.lon + wide), north)

    def written(self) -> str:
        """Return the view as addresses have it."""
        return f"{self.zoom:g}/{self.lat:.5f}/{self.lon:.5f}"


def view_of(text: str) -> View:
    """Read a view, ``zoom/latitude/longitude``.

    Raises
    ------
    InvalidInput
        ``parameter.form``.
    """
    found = _VIEW.fullmatch(text)
    zoom, lat, lon = (float(part) for part in found.groups()) if found else (0.0, 91.0, 0.0)
    if abs(lat) > 85 or abs(lon) > 180 or zoom > 22:
        raise InvalidInput("parameter.form", parameter="view", value=text[:60], allowed="14/33.5931/-7.6192")
    return View(zoom, lat, lon)


def view_around(box: BBox) -> View:
    """Return the view that shows a box on a usual screen."""
    low, high = (math.asinh(math.tan(math.radians(min(max(lat, -85), 85)))) for lat in (box.south, box.north))
    wide = max(box.east - box.west, 1e-6) / 360
    tall = max(high - low, 1e-7) / (2 * math.pi)
    zoom = min(math.log2(_SCREEN[0] / 256 / wide), math.log2(_SCREEN[1] / 256 / tall), 18)
    lat = math.degrees(math.atan(math.sinh((low + high) / 2)))
    return View(math.floor(zoom * 4 + 1e-6) / 4 if zoom > 0 else 0, lat, (box.west + box.east) / 2)


@dataclass(frozen=True)
class Origin:
    """The place that distances are from; ``name`` where it was typed and found, ``others`` what it may be as well."""

    lon: float
    lat: float
    name: str = ""
    others: tuple[str, ...] = ()


async def resolve_place(state: State, text: str, near: Origin, lang: str) -> Origin | None:
    """Return the place that a text means, best first, by the search; None where there is none."""
    position = await position_of(state, text, (near.lon, near.lat))
    if position is not None:
        return Origin(*position, f"\u2066{position[1]:.5f}, {position[0]:.5f}\u2069")
    words = asked(text)
    if words is None:
        return None
    known = [*state.catalogue.by_id]
    rows = await state.database.rows(
        FIND, **words.values(), lon=near.lon, lat=near.lat, box=None, layers=known, wanted=_CANDIDATES, lang=lang
    )
    features = [json.loads(row["feature"]) for row in rows]
    found = [feature for feature in features if feature["geometry"] is not None]
    if not found:
        return None
    names = [feature["properties"]["name"] for feature in found]
    lon, lat = found[0]["geometry"]["coordinates"]
    return Origin(lon, lat, names[0], tuple(name for name in dict.fromkeys(names[1:]) if name != names[0]))


@dataclass(frozen=True)
class Question:
    """What is asked of a map: its layers by id, the topmost first, and which of their features.

    Without ``time`` features are those of all times.
    """

    box: BBox
    origin: Origin
    layers: tuple[str, ...]
    text: str = ""
    open: dt.datetime | None = None
    limit: int = DEFAULT_LISTED
    page: int = 1
    time: Time | None = None


@dataclass
class Group:
    """A layer's part of the list; ``matched`` None where there are too many to count."""

    layer: PublishedLayer
    title: str
    matched: int | None
    features: list[Json] = field(default_factory=list)
    more: bool = False


async def listed(state: State, shown: MapDescription, asked: Question) -> list[Group]:
    """Return the list, layer by layer, those without anything on this page as well."""
    described = {layer["id"]: layer for layer in shown.layers}
    found = []
    for key in asked.layers:
        layer = state.catalogue.layer(key)
        # Only places have hours; nothing else is open or closed.
        if asked.open is None or layer.definition.places:
            found.append(await _group(state, layer, described[key], asked))
    return found


def last_page(groups: Sequence[Group], limit: int) -> int:
    """Return the number of the last page that has something of any group; 0 where none has."""
    counts = (MAX_NEAREST if group.matched is None else min(group.matched, MAX_NEAREST) for group in groups)
    return min(math.ceil(max(counts, default=0) / limit), MAX_PAGE)


async def _group(state: State, layer: PublishedLayer, described: Json, asked: Question) -> Group:
    settings, districts = state.settings, state.catalogue.districts
    box = asked.box
    given = {"bbox": f"{box.west!r},{box.south!r},{box.east!r},{box.north!r}", "limit": "1", "skipGeometry": "true"}
    if described["filter"]:
        given["filter"] = described["filter"]
    if asked.time:
        given["datetime"] = asked.time.asked()
    more = has_words(asked.text, "q", layer.definition)
    if asked.open is not None:
        more.append(opening.is_open(asked.open))
    shape, values = params.items_query(layer, given, settings.zone, settings.max_bytes, districts, more)
    first = await read_page(state.database, layer, shape, values)
    group = Group(layer, described["title"], first.matched)
    skipped = (asked.page - 1) * asked.limit
    if first.returned and skipped < MAX_NEAREST:
        wanted = min(skipped + asked.limit + 1, MAX_NEAREST)
        near = NearestShape((Chosen(layer, shape.selection),), srid=WGS84_SRID, step=step_for(wanted))
        own = {value_name(0, name): value for name, value in values.items()}
        place = {"x": asked.origin.lon, "y": asked.origin.lat, "page": wanted, "max_bytes": settings.max_bytes}
        row = await find_nearest(state.database, near, own | place)
        features = json.loads(b"[" + (row["features"] or b"") + b"]")
        group.features = features[skipped : skipped + asked.limit]
        group.more = len(features) > skipped + asked.limit
    return group


@dataclass(frozen=True)
class Works:
    """Works that are going on at a time, by the stop that they name."""

    by_stop: Mapping[str, tuple[Json, ...]]

    def at(self, layer: PublishedLayer, feature: Json) -> list[Json]:
        """Return the works that a stop, or a line by its stops, is met by."""
        if layer.definition.temporal is not None:
            return []
        stops = [feature["id"]] if layer.id == STOPS else []
        for item in layer.definition.fields:
            if item.format == "stops":
                stops += (feature["properties"].get(item.name) or "").split()
        met = {work["id"]: work for stop in stops for work in self.by_stop.get(stop, ())}
        return list(met.values())


async def works_at(state: State, time: Time | None) -> Works:
    """Return the works of a time, by default of today, of all layers that have times and name stops."""
    time = time or Time(dt.datetime.now(state.settings.zone).date())
    found: dict[str, list[Json]] = {}
    for layer in state.catalogue.drawn():
        names = [item.name for item in layer.definition.fields if item.format == "stops"]
        if layer.definition.temporal is None or not names:
            continue
        given = {"datetime": time.asked(), "limit": str(_MOST_WORKS), "skipGeometry": "true"}
        shape, values = params.items_query(
            layer, given, state.settings.zone, state.settings.max_bytes, state.catalogue.districts
        )
        page = await read_page(state.database, layer, shape, values)
        for feature in json.loads(b"[" + page.features + b"]"):
            work = {"collection": layer.id, "id": feature["id"], **feature["properties"]}
            for stop in (feature["properties"][names[0]] or "").split():
                found.setdefault(stop, []).append(work)
    return Works({stop: tuple(met) for stop, met in found.items()})


@dataclass(frozen=True)
class Stated:
    """What is said of a feature's state: a code, and the words."""

    code: str
    text: str


async def states(
    state: State, groups: Sequence[Group], reader: Reader, at: dt.datetime | None
) -> dict[tuple[str, str], Stated]:
    """Return the states of what is listed: whether places are open, and how far works are."""
    entries = {
        feature["properties"]["entry_id"]: (group.layer.id, feature["id"], feature["properties"])
        for group in groups
        if group.layer.definition.places
        for feature in group.features
        if feature["properties"].get("entry_id")
    }
    said = await opening.opening(state, [*entries], reader.t, at) if entries else {}
    found = {}
    for entry, (collection, key, properties) in entries.items():
        words = said[entry]
        hours = properties.get("opening_hours") or properties.get("opening_hours_ramadan")
        if words.state == "unknown" and not hours:
            words = words._replace(text=reader.t("directory.no-hours"))
        found[collection, key] = Stated(words.state, words.text)
    for group in groups:
        definition = group.layer.definition
        by = definition.field(definition.style.by) if definition.style.by else None
        if definition.temporal is None or by is None or not by.values:
            continue
        for feature in group.features:
            value = feature["properties"].get(by.name)
            if value in by.values:
                found[group.layer.id, feature["id"]] = Stated(value, by.values[value][reader.lang])
    return found
