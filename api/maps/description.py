"""What a map shows, as plain values: the description from which :mod:`api.maps.build` makes the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from api.i18n import Lang, messages
from api.links import Links
from api.settings import Settings
from geo.bbox import BBox
from layers.definition import LayerDefinition

#: Largest page of features that the service gives; the browser follows the ``next`` links after it.
PAGE_SIZE = 10_000
#: The city, for a map without any data: longitude and latitude in degrees, WGS 84.
_CASABLANCA = BBox(-7.72, 33.50, -7.46, 33.66)


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
    extent : BBox
        What the map shows at first, in degrees, WGS 84.
    layers : tuple of dict
        What the browser is told of each layer, in drawing order; see :func:`layer_options`.
    notes : tuple of Note
    background : Background, optional
    """

    id: str
    lang: Lang
    extent: BBox
    layers: tuple[dict[str, Any], ...]
    notes: tuple[Note, ...] = ()
    background: Background | None = None

    @property
    def rtl(self) -> bool:
        """Whether the page runs from right to left."""
        return messages(self.lang).dir == "rtl"

    @property
    def element_id(self) -> str:
        """Id of the page's element that holds the map; folium names the script's variable alike."""
        return "map_" + self.id.replace("-", "_")


def describe_city(lang: Lang, layers: Sequence[Shown], settings: Settings) -> MapDescription:
    """Describe the default map: every public layer of the catalogue, around the city's districts."""
    t = messages(lang)
    links = Links(settings.base_path)
    background = (
        Background(settings.background_url, settings.background_attribution) if settings.background_url else None
    )
    return MapDescription(
        id="city",
        lang=lang,
        extent=_extent(layers),
        layers=tuple(layer_options(layer, lang, links) for layer in layers),
        notes=() if background else (Note(33.655, -7.645, t("map.notes.ocean")),),
        background=background,
    )


def layer_options(layer: Shown, lang: Lang, links: Links) -> dict[str, Any]:
    """Return what the browser needs to fetch, draw and explain a layer; all texts are plain and in one language."""
    definition, style = layer.definition, layer.definition.style
    by = definition.field(style.by) if style.by else None
    return {
        "id": definition.id,
        "title": definition.title[lang],
        "theme": definition.theme,
        "themeTitle": messages(lang)(f"map.theme-{definition.theme}"),
        "count": layer.count,
        "items": links.url("collections", definition.id, "items", f="json", limit=PAGE_SIZE),
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
            "order": style.order,
        },
    }


def _extent(layers: Sequence[Shown]) -> BBox:
    """Return where the administrative areas lie, else where anything lies, else the city."""
    areas = [layer.extent for layer in layers if layer.definition.theme == "administration" and layer.extent]
    found = areas or [layer.extent for layer in layers if layer.extent]
    if not found:
        return _CASABLANCA
    return BBox(
        min(box.west for box in found), min(box.south for box in found),
        max(box.east for box in found), max(box.north for box in found),
    )  # fmt: skip
