"""Reads positions in metres: UTM, and Morocco's own Merchich / Nord Maroc."""

from __future__ import annotations

import math
import re

from geo.crs import WGS84_SRID, transformer

_METRES = r"([0-9]{5,7}(?:[.,][0-9]{1,6})?)"
#: ``29N 628500 3718000``, ``UTM 29 S 628500mE 3718000mN``: the zone with a hemisphere or a band of eight degrees.
_UTM = re.compile(
    rf"(?:utm\s*)?([1-9]|[1-5][0-9]|60)\s*([c-hj-np-x])[\s,:]+{_METRES}\s*m?\s*e?[\s,;]+{_METRES}\s*m?\s*n?",
    re.IGNORECASE,
)
#: ``X=295000 Y=331000``, as plans have it, or with the system's name.
_MERCHICH = re.compile(
    rf"(?:merchich(?:\s*/?\s*nord\s*maroc)?[\s:]+)?x\s*[=:]\s*{_METRES}[\s,;]+y\s*[=:]\s*{_METRES}"
    rf"|merchich(?:\s*/?\s*nord\s*maroc)?[\s:]+{_METRES}[\s,;]+{_METRES}",
    re.IGNORECASE,
)
_MERCHICH_SRID = 26191
#: Where Nord Maroc is used, in degrees.
_NORTH_OF_MOROCCO = (-10.5, 31.0, -0.9, 36.1)


def parse_metres(text: str) -> tuple[float, float] | None:
    """Return the longitude and latitude (degrees, WGS 84) that a text in metres is, or None."""
    if found := _UTM.fullmatch(text):
        return _utm(int(found[1]), found[2].upper(), _number(found[3]), _number(found[4]))
    if found := _MERCHICH.fullmatch(text):
        x, y = (_number(part) for part in found.groups() if part)
        place = _degrees(_MERCHICH_SRID, x, y)
        west, south, east, north = _NORTH_OF_MOROCCO
        return place if place and west <= place[0] <= east and south <= place[1] <= north else None
    return None


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _utm(zone: int, letter: str, east: float, north: float) -> tuple[float, float] | None:
    if not (100_000 <= east < 1_000_000 and north <= 10_000_000):
        return None
    # S is a hemisphere or a band of the other one: whatever is no sea south of Africa is meant.
    if letter >= "N" and (letter != "S" or 3_500_000 <= north <= 4_500_000):
        return _degrees(32600 + zone, east, north)
    return _degrees(32700 + zone, east, north)


def _degrees(srid: int, x: float, y: float) -> tuple[float, float] | None:
    lon, lat = transformer(srid, WGS84_SRID).transform(x, y)
    return (lon, lat) if math.isfinite(lon) and math.isfinite(lat) and abs(lat) <= 90 and abs(lon) <= 180 else None
