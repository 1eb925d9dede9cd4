"""What a map shows, as plain values: the description from which :mod:`api.maps.build` makes the map."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from api.i18n import Lang, messages
from api.links import Links
from api.settings import Settings
from geo.bbox import BBox, around
from geo.grid import TILE_MATRIX_SET
from layers.catalogue import Catalogue
from layers.definition import LayerDefinition, Text
from layers.maps import REST, Control, Extent, MapDefinition, MapLayer

#: Largest page of features that the service gives; the browser follows the ``next`` links after it.
PAGE_SIZE = 10_000
#: For a map without any data: longitude and latitude in degrees, WGS 84.
_WORLD = BBox(-180, -70, 180, 75)
NO_DISTRICTS: Mapping[str, BBox] = {}


class Shown(Protocol):
    """The part of a published layer that a map needs."""

    @property
    def definition(self) -> LayerDefinition:
        """What the layer is."""

    @property
    def count(self) -> int:
        """How many features it holds."""

    @property
    def extent(self) -> BBox | None:
        """Where they lie; None for an empty layer."""


@dataclass(frozen=True)
class Background:
    """Raster tiles under the map: a URL with ``{z}``, ``{x}``, ``{y}``, and their credit as plain text."""

    url: str
    attribution: str


@dataclass(frozen=True)
class Note:
    """A word on the map that belongs to no layer, such as the ocean's name."""

    lat: float
    lon: float
    text: str


@dataclass(frozen=True)
class MapDescription:
    """A map in one language.

    Parameters
    ----------
    id : str
        Identifier of the map; all ids in its page derive from it.
    lang : Lang
    title : str
    extent : BBox
        What the map shows at first, in degrees, WGS 84.
    layers : tuple of dict
        What the browser is told of each layer, in drawing order; see :func:`layer_options`.
    notes : tuple of Note
    background : Background, optional
    controls : tuple of str
        What its readers can do with it.
    time_zone : str
        The city's, by its name in the IANA database: whose day it is today.
    """

    id: str
    lang: Lang
    title: str
    extent: BBox
    layers: tuple[dict[str, Any], ...]
    notes: tuple[Note, ...] = ()
    background: Background | None = None
    controls: tuple[Control, ...] = ()
    time_zone: str = "UTC"

    @property
    def rtl(self) -> bool:
        """Whether the page runs from right to left."""
        return messages(self.lang).dir == "rtl"

    @property
    def tiled(self) -> bool:
        """Whether a layer comes as vector tiles, for which the browser needs more code."""
        return any(layer["source"] == "tiles" for layer in self.layers)

    @property
    def element_id(self) -> str:
        """Id of the page's element that holds the map; folium names the script's variable alike."""
        return "map_" + identifier(self.id)


def identifier(text: str) -> str:
    """Return a text as a part of a JavaScript name."""
    return re.sub(r"\W", "_", text, flags=re.ASCII)


def plain_map() -> MapDefinition:
    """Return the map of a catalogue that has none: all that there is."""
    title = Text(fr=messages("fr")("map.title"), ar=messages("ar")("map.title"))
    return MapDefinition(id="city", title=title, description=title, layers=(MapLayer(id=REST),))


def maps_of(catalogue: Catalogue) -> dict[str, MapDefinition]:
    """Return the maps that there are, by id; the first is shown at the service's own address."""
    if catalogue.maps:
        return catalogue.maps
    plain = plain_map()
    return {plain.id: plain}


def describe(
    definition: MapDefinition,
    lang: Lang,
    layers: Sequence[Shown],
    settings: Settings,
    districts: Mapping[str, BBox] = NO_DISTRICTS,
) -> MapDescription:
    """Describe a map in one language, with those of its layers that are published.

    Parameters
    ----------
    layers : sequence of Shown
        The layers that there are, in the order of their own styles.
    districts : mapping
        Where the districts lie, in degrees, by their code.
    """
    links = Links(settings.base_path)
    background = (
        Background(settings.background_url, settings.background_attribution) if settings.background_url else None
    )
    drawn = _drawn(definition, layers)
    # Orders are the panes' z-indexes, of which there are a hundred.
    step = min(10, 100 // max(1, len(drawn)))
    return MapDescription(
        id=definition.id,
        lang=lang,
        title=definition.title[lang],
        extent=_extent(definition.extent, layers, drawn, districts),
        layers=tuple(
            layer_options(layer, lang, links, chosen, step * (number + 1))
            for number, (chosen, layer) in enumerate(drawn)
        ),
        notes=() if background else tuple(Note(word.lat, word.lon, word.text[lang]) for word in definition.words),
        background=background,
        controls=definition.controls,
        time_zone=settings.time_zone,
    )


def _drawn(definition: MapDefinition, layers: Sequence[Shown]) -> list[tuple[MapLayer, Shown]]:
    """Return the layers of a map from the lowest to the topmost, with what the map says of them."""
    by_id = {layer.definition.id: layer for layer in layers}
    named = {chosen.id for chosen in definition.layers}
    found: list[tuple[MapLayer, Shown]] = []
    for chosen in definition.layers:
        if chosen.id == REST:
            # The annuaire's places are features of other layers, which tell each thing once.
            rest = [layer for key, layer in by_id.items() if key not in named and not layer.definition.entries]
            found += [(chosen, layer) for layer in rest]
        elif chosen.id in by_id:
            found.append((chosen, by_id[chosen.id]))
    return found


def layer_options(layer: Shown, lang: Lang, links: Links, chosen: MapLayer, order: int) -> dict[str, Any]:
    """Return what the browser needs to fetch, draw and explain a layer; all texts are plain and in one language."""
    definition = chosen.applied(layer.definition)
    style = definition.style
    by = definition.field(style.by) if style.by else None
    own = links.url("collections", definition.id)
    return {
        "id": definition.id,
        "title": definition.title[lang],
        "theme": definition.theme,
        "themeTitle": messages(lang)(f"map.theme-{definition.theme}"),
        "count": layer.count,
        "shown": chosen.shown,
        "source": chosen.source_of(layer.count, style.cluster),
        "filter": chosen.filter,
        "items": links.url("collections", definition.id, "items", f="json", limit=PAGE_SIZE, filter=chosen.filter),
        "tiles": f"{own}/tiles/{TILE_MATRIX_SET}",
        "zoom": [definition.zoom.min, definition.zoom.max],
        "times": [definition.temporal.start, definition.temporal.end] if definition.temporal else None,
        "card": None if chosen.card is None else ",".join(chosen.card),
        "feature": links.url("collections", definition.id, "items"),
        "page": links.url("collections", definition.id, f="html", lang=lang),
        "notice": definition.notice[lang] if definition.notice else None,
        "attribution": definition.attribution[lang],
        "demo": definition.field("demo") is not None,
        "style": {
            "colour": style.colour,
            "colourField": style.colour_field,
            "by": style.by,
            "labels": {value: label[lang] for value, label in (by.values or {}).items()} if by else {},
            "values": {value: {"colour": look.colour, "symbol": look.symbol} for value, look in style.values.items()},
            "symbol": style.symbol,
            "width": style.width,
            "cluster": style.cluster,
            "label": style.label,
            "about": chosen.about,
            "order": order,
        },
    }


def _extent(
    wanted: Extent, layers: Sequence[Shown], drawn: Sequence[tuple[MapLayer, Shown]], districts: Mapping[str, BBox]
) -> BBox:
    """Return what a map shows at first: what it asks for, as far as that is there, else where its layers lie."""
    if wanted.district is not None and wanted.district in districts:
        return districts[wanted.district]
    for layer in layers:
        if layer.definition.id == wanted.layer and layer.extent:
            return layer.extent
    return wanted.box or around(layer.extent for _, layer in drawn if layer.extent) or _WORLD
