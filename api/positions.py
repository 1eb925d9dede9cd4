"""Positions out of texts that name a place beside: short plus codes, as maps give them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from geo.coordinates import parse_coordinates
from geo.plus_codes import read_short, split_short
from layers.catalogue import DISTRICTS
from layers.search.find import FIND, asked
from layers.search.normal import OPTIONAL, words

if TYPE_CHECKING:
    from api.state import State


async def position_of(state: State, text: str, near: tuple[float, float] | None = None) -> tuple[float, float] | None:
    """Return the longitude and latitude (degrees, WGS 84) that a text is, or None.

    A short plus code is read near the district that is named behind it, near the city where that or nothing is, or near
    ``near`` (longitude, latitude).
    """
    position = parse_coordinates(text)
    short = split_short(text) if position is None else None
    if short is None:
        return position
    code, place = short
    home = _middle_of_city(state)
    if not place:
        around = near or home
    elif all(word.form in OPTIONAL for word in words(place)):
        around = home
    else:
        around = await _district(state, place)
    return read_short(code, *around) if around else None


def _middle_of_city(state: State) -> tuple[float, float] | None:
    layer = state.catalogue.by_id.get(DISTRICTS)
    extent = layer.extent if layer else None
    return ((extent.west + extent.east) / 2, (extent.south + extent.north) / 2) if extent else None


async def _district(state: State, text: str) -> tuple[float, float] | None:
    given = asked(text)
    if given is None or DISTRICTS not in state.catalogue.by_id:
        return None
    rows = await state.database.rows(
        FIND, **given.values(), lon=None, lat=None, box=None, layers=[DISTRICTS], wanted=1, lang="fr"
    )
    if not rows:
        return None
    lon, lat = json.loads(rows[0]["feature"])["geometry"]["coordinates"]
    return lon, lat
