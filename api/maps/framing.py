"""How a map looks in another site's page, as the frame's address says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from geo.bbox import BBox
from geo.errors import InvalidInput

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
#: What a frame's address may hold besides a map's state.
FRAMED = ("filter", "district", "theme", "colour")
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)


@dataclass(frozen=True)
class Framing:
    """What a portal asks of a map in its page.

    Parameters
    ----------
    filter : str, optional
        Which features are shown, in CQL2 text, of the layers that have its fields; the browser asks which do.
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
        return {"filter": self.filter, "district": self.district, "box": box, "colour": self.colour}


def read_framing(given: Mapping[str, str], districts: Mapping[str, BBox]) -> Framing:
    """Return what the parameters of a frame ask for; an empty one asks for nothing.

    Raises
    ------
    InvalidInput
        ``parameter.value`` or ``parameter.form``, with what is allowed.
    """
    asked = {name: value for name, value in given.items() if name in FRAMED and value}
    theme, colour, district = asked.get("theme", "auto"), asked.get("colour"), asked.get("district")
    if theme not in THEMES:
        raise InvalidInput("parameter.value", parameter="theme", value=theme[:40], allowed=", ".join(THEMES))
    if colour and not COLOUR.fullmatch(colour):
        raise InvalidInput("parameter.form", parameter="colour", value=colour[:40], allowed="#0f5c63")
    if district and district not in districts:
        allowed = ", ".join(sorted(districts))
        raise InvalidInput("parameter.value", parameter="district", value=district[:40], allowed=allowed)
    box = districts[district] if district else None
    return Framing(asked.get("filter"), district, box, cast("Theme", theme), colour)
