"""How a map looks in another site's page, as the frame's address says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from api.maps.description import MapDescription
from geo.bbox import BBox
from geo.crs import DEFAULT_CRS
from geo.errors import InvalidInput
from layers.catalogue import Catalogue
from layers.filters.parse import parse_filter
from layers.filters.resolve import resolve

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
#: What a frame's address may hold besides a map's state.
FRAMED = ("filter", "district", "theme", "colour")
#: What of it chooses features; a map's own page, its list and its pictures take that as well.
NARROWED = ("filter", "district")
#: Height of a widget in pixels, at least and at most; the longest side that a page may ask for.
LOWEST, HIGHEST, MOST = 240, 2000, 10_000
#: Field of the layers whose features know their district.
DISTRICT = "district_code"
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)


@dataclass(frozen=True)
class Framing:
    """What a portal asks of a map in its page.

    Parameters
    ----------
    filter : str, optional
        Which features are shown, in CQL2 text, of the layers that have its fields.
    district : str, optional
        Code of the district that the map begins at and whose features it shows.
    box : BBox, optional
        Where the district lies, in degrees, WGS 84.
    theme : Theme
    colour : str, optional
        The portal's own colour, ``#rrggbb``.
    """

    filter: str | None = None
    district: str | None = None
    box: BBox | None = None
    theme: Theme = "auto"
    colour: str | None = None

    def told(self) -> dict[str, Any]:
        """Return it for the browser."""
        box = self.box and [self.box.west, self.box.south, self.box.east, self.box.north]
        return {"district": self.district, "box": box, "colour": self.colour}

    def narrowed(self) -> dict[str, str]:
        """Return the parameters that choose features, those that are given, for the addresses of the same."""
        given = {"filter": self.filter, "district": self.district}
        return {name: value for name, value in given.items() if value}

    def filters(self, layers: Sequence[Mapping[str, Any]], catalogue: Catalogue) -> dict[str, str | None]:
        """Return the filter of each of a map's layers: its own, the district's and the one asked for, where they fit.

        Raises
        ------
        InvalidInput
            As for a filter of a request, of the topmost layer, if the one asked for fits none.
        """
        held = {layer["id"]: [layer["filter"]] if layer["filter"] else [] for layer in layers}
        if self.district:
            quoted = self.district.replace("'", "''")
            _add(held, f"{DISTRICT} = '{quoted}'", catalogue)
        if self.filter:
            reasons = _add(held, self.filter, catalogue)
            if reasons and len(reasons) == len(held):
                name, error = reasons[-1]
                error.params["in_collection"] = name
                raise error
        return {name: _all_of(parts) for name, parts in held.items()}


def narrowed_to(framing: Framing, shown: MapDescription, catalogue: Catalogue) -> MapDescription:
    """Return a map that shows what a frame's address asks for: its layers with their filters, where the district lies.

    Raises
    ------
    InvalidInput
        As :meth:`Framing.filters`.
    """
    filters = framing.filters(shown.layers, catalogue)
    layers = tuple(layer | {"filter": filters[layer["id"]]} for layer in shown.layers)
    return replace(shown, layers=layers, extent=framing.box or shown.extent)


def _add(held: Mapping[str, list[str]], text: str, catalogue: Catalogue) -> list[tuple[str, InvalidInput]]:
    """Add a filter for the layers that can answer it; return the others with why they can't."""
    reasons = []
    for name, parts in held.items():
        try:
            parsed = parse_filter(text, "cql2-text")
            resolve(parsed, catalogue.by_id[name].definition, DEFAULT_CRS, list(catalogue.districts))
            parts.append(text)
        except InvalidInput as error:
            reasons.append((name, error))
    return reasons


def _all_of(parts: Sequence[str]) -> str | None:
    return " AND ".join(f"({part})" for part in parts) if len(parts) > 1 else next(iter(parts), None)


def read_framing(given: Mapping[str, str], districts: Mapping[str, BBox]) -> Framing:
    """Return what the parameters of a frame ask for; an empty filter or district asks for nothing.

    Raises
    ------
    InvalidInput
        ``parameter.value`` or ``parameter.form``, with what is allowed.
    """
    theme, colour, district = given.get("theme", "auto"), given.get("colour"), given.get("district")
    if theme not in THEMES:
        raise InvalidInput("parameter.value", parameter="theme", value=theme[:40], allowed=", ".join(THEMES))
    if colour is not None and not COLOUR.fullmatch(colour):
        raise InvalidInput("parameter.form", parameter="colour", value=colour[:40], allowed="#0f5c63")
    if district and district not in districts:
        allowed = ", ".join(sorted(districts))
        raise InvalidInput("parameter.value", parameter="district", value=district[:40], allowed=allowed)
    box = districts[district] if district else None
    return Framing(given.get("filter") or None, district or None, box, theme, colour)
