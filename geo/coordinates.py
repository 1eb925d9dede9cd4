"""Reads a position out of a text, as people paste it: degrees, minutes, seconds, links of maps, codes, metres."""

from __future__ import annotations

import re
import unicodedata

from geo.plus_codes import read_full
from geo.projected import parse_metres

#: Letters of the quarters of the sky, in French, English and Arabic: the axis and its sign.
_QUARTERS = {
    "n": ("lat", 1), "s": ("lat", -1), "e": ("lon", 1), "w": ("lon", -1), "o": ("lon", -1),
    "ش": ("lat", 1), "ن": ("lat", 1), "ج": ("lat", -1), "ق": ("lon", 1),
    "غ": ("lon", -1),
}  # fmt: skip
_WORDS = {
    "nord": "n", "north": "n", "sud": "s", "south": "s", "est": "e", "east": "e", "ouest": "w", "west": "w",
    "شمالا": "ش", "شمال": "ش", "جنوبا": "ج", "جنوب": "ج", "شرقا": "ق", "شرق": "ق", "غربا": "غ", "غرب": "غ",
}  # fmt: skip
_WORD = re.compile("|".join(sorted(_WORDS, key=len, reverse=True)))
#: Maps' links: ``geo:33.59,-7.61``, ``@33.59,-7.61,17z``, ``#map=15/33.59/-7.61``, ``?mlat=33.59&mlon=-7.61``.
_LINK = re.compile(
    r"(?:geo:|@|[?&](?:q|ll|query)=|#map=[0-9.]+/|[?&]mlat=)"
    r"([+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?)(?:,|/|%2c|&mlon=)([+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?)",
)
_NUMBER = r"[0-9]{1,3}(?:\.[0-9]{1,15})?"
_ANGLE = (
    rf"([nsewoشنجقغ])?\s*([+-]?{_NUMBER})\s*(?:°\s*(?:({_NUMBER})\s*(?:'\s*(?:({_NUMBER})\s*\"\s*)?)?)?)?"
    "([nsewoشنجقغ])?"
)
_PAIR = re.compile(rf"[(\[]?\s*{_ANGLE}\s*[,;/\s]\s*{_ANGLE}\s*[)\]]?")
#: The quarters of the sky before the numbers, both of them.
_BEFORE = re.compile(_PAIR.pattern.replace(r")?)?([nsewoشنجقغ])?", ")?)?()"))
#: Longitude first, as OGC's WKT has it.
_WKT = re.compile(rf"point\s*\(\s*([+-]?{_NUMBER})\s+([+-]?{_NUMBER})\s*\)")
#: ISO 6709, annex H, in degrees.
_ISO = re.compile(r"([+-][0-9]{2}(?:\.[0-9]{1,15})?)([+-][0-9]{3}(?:\.[0-9]{1,15})?)(?:[+-][0-9.]{1,9})?/?")
#: Other ways to write degrees, minutes and seconds, and two numbers with decimal commas and one more between them.
_OTHERS = (
    (rf"([0-9])\s*d\s*({_NUMBER})\s*m\s*({_NUMBER})\s*s(?=\s*[nsewo])", r"\1°\2'\3" + '"'),
    (
        rf"^([nsewo])\s*([0-9]+) +([0-9]+) +({_NUMBER})\s+([nsewo])\s*([0-9]+) +([0-9]+) +({_NUMBER})$",
        r"\1\2°\3'\4" + '" ' + r"\5\6°\7'\8" + '"',
    ),
    (
        rf"^([0-9]+) +([0-9]+) +({_NUMBER})\s*([nsewo])[\s,]+([0-9]+) +([0-9]+) +({_NUMBER})\s*([nsewo])$",
        r"\1°\2'\3" + '"' + r"\4 \5°\6'\7" + '"' + r"\8",
    ),
    # Two signs part two numbers, as in ISO 6709, whose zeros are left out.
    (r"^([+-][0-9]{1,2}\.[0-9]{1,15})([+-][0-9]{1,2}\.[0-9]{1,15})$", r"\1 \2"),
    (r"^([+-]?[0-9]{1,3}),([0-9]{2,15}),\s*([+-]?[0-9]{1,3}),([0-9]{2,15})$", r"\1.\2;\3.\4"),
)
_STRANGE = str.maketrans(
    {
        "′": "'", "’": "'", "‘": "'", "ʹ": "'", "″": '"', "”": '"', "“": '"', "º": "°", "˚": "°", "−": "-", "–": "-",
        "٫": ".", "،": ",", "؛": ";", **{chr(0x660 + digit): str(digit) for digit in range(10)},
    }
)  # fmt: skip
_LONGEST = 200


def _plain(text: str) -> str:
    kept = "".join(" " if letter.isspace() else letter for letter in text if unicodedata.category(letter) != "Cf")
    plain = _WORD.sub(lambda word: _WORDS[word[0]], kept.strip().lower().translate(_STRANGE)).replace("''", '"')
    for pattern, written in _OTHERS:
        plain = re.sub(pattern, written, plain)
    # A comma between digits is a decimal one where another sign parts the two numbers.
    if re.search(r"[;/]|[0-9]\s+[+-]?[0-9]|[nsewoشن]\s|,\s", plain) and "." not in plain:
        plain = re.sub(r"(?<=[0-9]),(?=[0-9])", ".", plain)
    return re.sub(r"\b(?:lat(?:itude)?|lng|lon(?:g(?:itude)?)?)\s*[:=]?\s*", "", plain)


def _angle(before: str | None, degrees: str, minutes: str | None, seconds: str | None, after: str | None) -> (
    tuple[str | None, float] | None
):  # fmt: skip
    if before and after:
        return None
    value = abs(float(degrees)) + float(minutes or 0) / 60 + float(seconds or 0) / 3600
    if float(minutes or 0) >= 60 or float(seconds or 0) >= 60:
        return None
    axis, sign = _QUARTERS[before or after or ""] if before or after else (None, 1)
    if degrees.startswith("-"):
        sign = -sign
    return axis, sign * value


def parse_coordinates(text: str) -> tuple[float, float] | None:
    """Return the longitude and latitude (degrees, WGS 84) that a text is, or None.

    Two numbers are latitude and longitude unless letters or ranges say otherwise. Where only one order lies in
    Morocco, it is that one.
    """
    if len(text) > _LONGEST:
        return None
    if found := read_full(text.strip()) or parse_metres(" ".join(text.split())):
        return found
    plain = _plain(text)
    linked = _LINK.search(plain)
    if linked:
        return _checked(float(linked[2]), float(linked[1]), swap=False)
    if exact := _WKT.fullmatch(plain):
        return _checked(float(exact[1]), float(exact[2]), swap=False)
    if exact := _ISO.fullmatch(plain):
        return _checked(float(exact[2]), float(exact[1]), swap=False)
    pair = (_BEFORE if plain.lstrip("([ ")[:1] in _QUARTERS else _PAIR).fullmatch(plain)
    if pair is None:
        return None
    parts = pair.groups()
    first, second = _angle(*parts[:5]), _angle(*parts[5:])
    if first is None or second is None:
        return None
    axes = (first[0], second[0])
    if axes in (("lat", "lon"), (None, "lon"), ("lat", None)):
        return _checked(second[1], first[1], swap=False)
    if axes in (("lon", "lat"), (None, "lat"), ("lon", None)):
        return _checked(first[1], second[1], swap=False)
    # Two whole numbers are rather an address or a date.
    fine = "." in plain or "°" in plain
    return _checked(second[1], first[1], swap=True) if axes == (None, None) and fine else None


def _checked(lon: float, lat: float, *, swap: bool) -> tuple[float, float] | None:
    def in_morocco(x: float, y: float) -> bool:
        return -18 <= x <= 0 and 20 <= y <= 37

    if swap and not in_morocco(lon, lat) and (in_morocco(lat, lon) or abs(lat) > 90):
        lon, lat = lat, lon
    return (lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 else None
