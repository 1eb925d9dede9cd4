"""Reads plus codes (Open Location Code): a position as a small area, in letters and digits that can't be confused.

A full code has eight digits of base 20 before the plus sign, latitude and longitude in turn, and more behind it. A
short one leaves out the first, which whoever is near can do without.
"""

from __future__ import annotations

import re

DIGITS = "23456789CFGHJMPQRVWX"
_DIGIT = f"[{DIGITS}]"
#: Before the sign, zeros stand for digits that are not given, in pairs and at the end; behind it are none or several.
_FULL = re.compile(
    rf"([2-9C][2-9CFGHJMPQRV](?:{_DIGIT}{{6}}|{_DIGIT}{{4}}00|{_DIGIT}{{2}}0000|000000))\+({_DIGIT}{{2,}})?",
    re.IGNORECASE,
)
#: The sign is a blank when it arrives in an address that somebody has written by hand.
_BLANK = re.compile(rf"(?=.*[A-Z])([2-9C][2-9CFGHJMPQRV]{_DIGIT}{{6}}) ({_DIGIT}{{2,7}})", re.IGNORECASE)
_SHORT = re.compile(rf"({_DIGIT}{{4}}|{_DIGIT}{{6}})\+({_DIGIT}{{2,7}})(?:[\s,،]+(.*))?", re.IGNORECASE)
#: Parts of a degree in a pair of digits each, and in the last digits: five rows of latitude, four columns of longitude.
_PAIRS = (20.0, 1.0, 1 / 20, 1 / 400, 1 / 8000)
_ROWS, _COLUMNS = 5, 4
#: More digits than these tell nothing more.
_MOST = 15


def read_full(text: str) -> tuple[float, float] | None:
    """Return the longitude and latitude (degrees, WGS 84) of the middle of a full code's area; None for other texts."""
    found = _FULL.fullmatch(text) or _BLANK.fullmatch(text)
    if found is None or (found[1].endswith("0") and found[2]):
        return None
    return _middle(found[1].rstrip("0") + (found[2] or ""))


def _middle(code: str) -> tuple[float, float]:
    values = [DIGITS.index(digit) for digit in code.upper()[:_MOST]]
    south, west = -90.0, -180.0
    high = wide = 0.0
    for size, latitude, longitude in zip(_PAIRS, values[:10:2], values[1:10:2], strict=False):
        south, west = south + latitude * size, west + longitude * size
        high = wide = size
    for value in values[10:]:
        high, wide = high / _ROWS, wide / _COLUMNS
        south, west = south + value // _COLUMNS * high, west + value % _COLUMNS * wide
    return west + wide / 2, south + high / 2


def split_short(text: str) -> tuple[str, str] | None:
    """Return a short code and what is written behind it, such as a town; None for other texts."""
    found = _SHORT.fullmatch(text.strip())
    return (f"{found[1]}+{found[2]}", (found[3] or "").strip()) if found else None


def read_short(code: str, lon: float, lat: float) -> tuple[float, float]:
    """Return the longitude and latitude of the middle of that area of a short code which is nearest to a position."""
    digits, _, rest = code.partition("+")
    left_out = (8 - len(digits)) // 2
    size = _PAIRS[left_out - 1]
    # The pairs that are left out are those of the position, or of a neighbour.
    first, x, y = "", lon + 180, min(max(lat, -90.0), 89.999999) + 90
    for step in _PAIRS[:left_out]:
        first += DIGITS[int(y // step)] + DIGITS[int(x % 360 // step)]
        x, y = x % 360 % step, y % step
    found_lon, found_lat = _middle(first + digits + rest)
    if found_lat + size / 2 < lat and found_lat + size < 90:
        found_lat += size
    elif found_lat - size / 2 > lat and found_lat - size > -90:
        found_lat -= size
    found_lon += size if found_lon + size / 2 < lon else -size if found_lon - size / 2 > lon else 0
    return (found_lon + 180) % 360 - 180, found_lat
