"""Writes an entry of the annuaire as a vCard, which telephones take into their contacts (RFC 6350)."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from api.cards import phone_link
from api.hours import write_all_hours
from api.links import Links
from api.negotiation import Reader
from layers.directory import Vocabulary
from layers.hours.calendar import Calendar

#: Bytes of a line without its end (3.2).
_WIDTH = 75
#: What stands for itself in an address, escapes that it has already among it.
_URI = "%:/?#[]@!$&'()*+,;="
#: Marks that keep texts of two directions apart on a page; whoever shows a contact has no use for them.
_ISOLATES = re.compile("[\u2066-\u2069]")


def _text(value: str) -> str:
    """Escape a text (3.4); other control characters have no place in it."""
    escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    escaped = escaped.replace("\r\n", "\\n").replace("\n", "\\n")
    return "".join(character for character in escaped if character == "\t" or not _control(character))


def _control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def _folded(line: str) -> str:
    """Fold a line so that no part is longer than 75 bytes, and no character is cut."""
    parts, size = [""], 0
    for character in line:
        length = len(character.encode())
        if size + length > _WIDTH:
            parts.append(" ")
            size = 1
        parts[-1] += character
        size += length
    return "\r\n".join(parts)


def _uri(value: str) -> str:
    """Return an address (RFC 3986) without what would end a line; all that is not ASCII is percent-encoded."""
    return quote("".join(character for character in value if not _control(character)), safe=_URI)


def _in_languages(name: str, values: Mapping[str, str | None], reader: Reader) -> list[str]:
    """Return a property in each language there is, the reader's first; they are one (``ALTID``, 5.4)."""
    order = sorted(values, key=lambda lang: lang != reader.lang)
    return [
        f"{name};ALTID=1;LANGUAGE={lang};PREF={number}:{values[lang]}"
        for number, lang in enumerate(order, 1)
        if values[lang]
    ]


def vcard(
    record: Mapping[str, Any],
    vocabulary: Vocabulary,
    reader: Reader,
    links: Links,
    calendar: Calendar,
    today: dt.date,
) -> bytes:
    """Return the vCard 4.0 of an entry; ``record`` is a row of :func:`layers.queries.entry_statement`."""
    address = links.url("directory", record["id"])
    lines = [
        "BEGIN:VCARD",
        "VERSION:4.0",
        "KIND:org",
        f"UID:{address}",
        f"SOURCE:{address}?f=vcf",
        f"LANG:{reader.lang}",
    ]
    lines += _in_languages("FN", {lang: _text(record[f"name_{lang}"]) for lang in ("fr", "ar")}, reader)
    lines.append(f"CATEGORIES:{_text(vocabulary.category(record['category'], reader.lang))}")
    streets = {lang: _text(record[f"address_{lang}"] or "") for lang in ("fr", "ar")}
    lines += _in_languages(
        "ADR", {lang: f";;{street};;;;" if street else None for lang, street in streets.items()}, reader
    )
    for number in record["phone"] or ():
        href = phone_link(number)[1]
        lines.append(f"TEL;VALUE=uri:{href}" if href != "tel:" else f"TEL:{_text(number)}")
    if record["website"] and record["website"].startswith(("https://", "http://")):
        lines.append(f"URL:{_uri(record['website'])}")
    if record["_lon"] is not None:
        lines.append(f"GEO:geo:{record['_lat']:.7g},{record['_lon']:.7g}")
    if notes := write_all_hours(record, reader.t, calendar, today):
        written = _ISOLATES.sub("", "\n".join(notes))
        lines.append(f"NOTE;LANGUAGE={reader.lang}:{_text(written)}")
    lines.append("END:VCARD")
    return ("\r\n".join(map(_folded, lines)) + "\r\n").encode()
