"""Reads positions in metres: UTM, the squares of MGRS, and Morocco's own Merchich / Nord Maroc."""

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
#: ``X=295000 Y=331000`` or ``X 295000 Y 331000``, as plans have it, or with the system's name.
_MERCHICH = re.compile(
    rf"(?:merchich(?:\s*/?\s*nord\s*maroc)?[\s:]+)?x\s*[=:]?\s*{_METRES}[\s,;]+y\s*[=:]?\s*{_METRES}"
    rf"|merchich(?:\s*/?\s*nord\s*maroc)?[\s:]+{_METRES}[\s,;]+{_METRES}",
    re.IGNORECASE,
)
#: ``29S PT 31000 15000``: zone, band, the letters of a square of 100 km, as many digits to the east as to the north.
_MGRS = re.compile(
    r"(?:mgrs\s*)?([1-9]|[1-5][0-9]|60)\s*([c-hj-np-x])\s*([a-hj-np-z])([a-hj-np-v])\s*([0-9]{2,5})\s+([0-9]{2,5})"
    r"|(?:mgrs\s*)?([1-9]|[1-5][0-9]|60)\s*([c-hj-np-x])\s*([a-hj-np-z])([a-hj-np-v])\s*([0-9]{4,10})",
    re.IGNORECASE,
)
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
#: Letters of squares from west to east, by zone, and from south to north, where they begin anew after 2000 km.
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_SQUARE, _ROUND = 100_000, 2_000_000
_MERCHICH_SRID = 26191
#: Where Nord Maroc is used, in degrees.
_NORTH_OF_MOROCCO = (-10.5, 31.0, -0.9, 36.1)


def parse_metres(text: str) -> tuple[float, float] | None:
    """Return the longitude and latitude (degrees, WGS 84) that a text in metres is, or None."""
    if found := _UTM.fullmatch(text):
        return _utm(int(found[1]), found[2].upper(), _number(found[3]), _number(found[4]))
    if found := _MGRS.fullmatch(text):
        zone, band, column, row, *digits = (part.upper() for part in found.groups() if part)
        if len(digits) == 1:
            half = len(digits[0]) / 2
            digits = [digits[0][: int(half)], digits[0][int(half) :]]
        return _mgrs(int(zone), band, column, row, *digits) if len(digits[0]) == len(digits[1]) else None
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


def _mgrs(zone: int, band: str, column: str, row: str, east: str, north: str) -> tuple[float, float] | None:
    """Return the middle of a square."""
    columns = _COLUMNS[zone % 3]
    if column not in columns:
        return None
    size = 10 ** (5 - len(east))
    x = (columns.index(column) + 1) * _SQUARE + (int(east) + 0.5) * size
    # The rows of even zones begin five letters further.
    y = (_ROWS.index(row) - (0 if zone % 2 else 5)) % len(_ROWS) * _SQUARE + (int(north) + 0.5) * size
    south = _BANDS.index(band) * 8 - 80
    srid = 32600 + zone if band >= "N" else 32700 + zone
    for begun in range(0, 10_000_000, _ROUND):
        place = _degrees(srid, x, y + begun)
        # A square may lie across the border of its band, at 100 km by a degree; the topmost band has twelve.
        if place and south - 1 <= place[1] <= south + (12 if band == "X" else 8) + 1:
            return place
    return None


def _degrees(srid: int, x: float, y: float) -> tuple[float, float] | None:
    lon, lat = transformer(srid, WGS84_SRID).transform(x, y)
    return (lon, lat) if math.isfinite(lon) and math.isfinite(lat) and abs(lat) <= 90 and abs(lon) <= 180 else None
