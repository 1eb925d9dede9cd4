"""Guards a filter's text and parses it; what comes out is CQL2-JSON, still untrusted."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import cql2

from geo.errors import InvalidInput
from layers.filters.gdal import as_cql2_text

FilterLang = Literal["cql2-text", "cql2-json", "cql-text"]
#: Brackets, NOTs and calls that may lie within one another; the parser ends the process at some hundred.
MAX_NESTING = 64
MAX_LENGTH = 65_536
#: Commas outside of texts: vertices, list members, arguments.
MAX_ITEMS = 20_000
#: Integers beyond lose digits in the parser.
MAX_INTEGER = 2**53

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_NOTS = re.compile(r"(?:\bNOT\b[\s(]*)+", re.IGNORECASE)
_SIGNS = re.compile(r"(?:[-+*/%^=<>][\s(]*){2,}")
_INTEGER = re.compile(r"(?<![\w.])\d{16,}(?![\d.eE])")


def parse_filter(text: str, lang: FilterLang, parameter: str = "filter") -> Any:
    """Parse a filter, after counting whatever could crash or slow the parser.

    Returns
    -------
    CQL2-JSON as Python values; integers stay integers.

    Raises
    ------
    InvalidInput
        ``filter.long``, ``filter.nested``, ``filter.items``, ``filter.number`` or ``filter.syntax``.
    """
    _guard(text, lang, parameter)
    try:
        if lang == "cql2-json":
            tree = json.loads(text, parse_constant=_refuse_constant)
            cql2.parse_json(text)
            return tree
        return cql2.parse_text(as_cql2_text(text) if lang == "cql-text" else text).to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError, RecursionError) as error:
        raise InvalidInput(
            "filter.syntax",
            parameter=parameter,
            value=text[:120],
            allowed=lang,
            at=_position(str(error)),
            log=str(error),
        ) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _guard(text: str, lang: FilterLang, parameter: str) -> None:
    if len(text) > MAX_LENGTH:
        raise InvalidInput("filter.long", parameter=parameter, count=len(text), allowed=MAX_LENGTH)
    bare = (_JSON_TEXT if lang == "cql2-json" else _QUOTED).sub("''", text)
    if nesting(bare) > MAX_NESTING:
        raise InvalidInput("filter.nested", parameter=parameter, allowed=MAX_NESTING)
    items = bare.count(",")
    if items > MAX_ITEMS:
        raise InvalidInput("filter.items", parameter=parameter, count=items, allowed=MAX_ITEMS)
    for match in _INTEGER.finditer(bare):
        if int(match[0]) > MAX_INTEGER:
            raise InvalidInput("filter.number", parameter=parameter, value=match[0][:40], allowed=f"± {MAX_INTEGER}")


def nesting(bare: str) -> int:
    """Return how deep brackets lie within one another, with the longest row of NOTs and signs on top."""
    depth = deepest = 0
    for character in bare:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    rows = [match[0].upper().count("NOT") for match in _NOTS.finditer(bare)]
    signs = [len(re.sub(r"[\s(]", "", match[0])) for match in _SIGNS.finditer(bare)]
    return deepest + max(rows, default=0) + max(signs, default=0)


def _position(message: str) -> str:
    """Take the line and column out of the parser's message; the rest of it is not for the public."""
    match = re.search(r"(\d+):(\d+)", message)
    return f"{match[1]}:{match[2]}" if match else "1:1"
