"""Guards a filter's text and parses it; what comes out is CQL2-JSON, still untrusted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
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
#: Operators in a row, and BETWEENs, that are nothing unusual: ``a = b + c * d``, conditions joined by AND.
_FEW_OPERATORS, _FEW_BETWEENS = 8, 500
#: Integers beyond lose digits in the parser.
MAX_INTEGER = 2**53

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
#: As the standard has it, the backslash is the escape character of texts (CQL2, 8.2, ``/req/cql2-text/escaping``).
_ESCAPED = re.compile(r"'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)|\"(?:[^\"]|\"\")*(?:\"|\Z)", re.DOTALL)
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_NUMBER = re.compile(r"(?<![\w.:])(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
#: An array without elements, which the parser can't read: a call of a function that nobody can have.
_EMPTY = "no_elements_"
_NO_ELEMENTS = re.compile(r"([(,]\s*)\(\s*\)")
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_NOTS = re.compile(r"(?:\bNOT\b[\s(]*)+", re.IGNORECASE)
_SIGNS = re.compile(r"(?:[-+*/%^=<>][\s(]*){2,}")
#: What the parser reads into a tree that grows deeper with each operator of a row, unlike AND and OR.
_ROW = re.compile(
    r"(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<apart>,|\b(?:AND|OR)\b)|(?P<between>\bBETWEEN\b)"
    r"|(?P<operator><=|>=|<>|[-+*/%^=<>]|\b(?:LIKE|IN|DIV|IS)\b)",
    re.IGNORECASE,
)
_INTEGER = re.compile(r"(?<![\w.])\d{16,}(?![\d.eE])")


def parse_filter(text: str, lang: FilterLang, parameter: str = "filter") -> Any:
    """Parse a filter, after counting whatever could crash or slow the parser.

    Returns
    -------
    CQL2-JSON as Python values; integers stay integers.

    Raises
    ------
    InvalidInput
        ``filter.long``, ``filter.nested``, ``filter.items``, ``filter.number``, ``filter.syntax``, or ``filter.form``
        where the parser names no place.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidInput("filter.long", parameter=parameter, count=len(text), allowed=MAX_LENGTH)
    written = text
    if lang != "cql2-json":
        written = _readable(as_cql2_text(text) if lang == "cql-text" else text)
    _guard(written, lang, parameter)
    try:
        if lang == "cql2-json":
            tree = json.loads(text)
            cql2.parse_json(text)
            return tree
        tree = _unescaped(cql2.parse_text(written).to_json())
        numbers = _NUMBER.finditer(_QUOTED.sub("''", written))
        return _exact(tree, (float(number[0]) for number in numbers))
    except Exception as error:  # the parser raises classes of its own, and sometimes none but this
        at = _position(str(error))
        raise InvalidInput(
            "filter.syntax" if at else "filter.form",
            parameter=parameter,
            value=text[:120],
            allowed=lang,
            log=str(error),
            **at,
        ) from error


def _readable(text: str) -> str:
    r"""Write what the standard's grammar has and the parser does not read in the way that it reads.

    That is ``\'`` in texts, numbers such as ``.5`` (and ``1e-5`` in geometries), and arrays without elements.
    """
    parts, end = [], 0
    for quoted in _ESCAPED.finditer(text):
        parts.append(_bare(text[end : quoted.start()]))
        token = quoted[0]
        if token.startswith("'"):
            token = _PAIR.sub(lambda pair: "''" if pair[1] == "'" else pair[0], token)
        parts.append(token)
        end = quoted.end()
    return "".join([*parts, _bare(text[end:])])


def _bare(text: str) -> str:
    return _NO_ELEMENTS.sub(rf"\1{_EMPTY}()", _NUMBER.sub(_decimal, text))


def _decimal(number: re.Match[str]) -> str:
    if _PLAIN.fullmatch(number[0]):
        return number[0]
    try:
        value = Decimal(number[0])
    except InvalidOperation:  # an exponent of twenty digits
        return number[0]
    # One of many digits stays as it is; no geometry has it.
    if value and not -30 <= value.adjusted() < 15:
        return "0" + number[0] if number[0].startswith(".") else number[0]
    return f"{value:f}"


def _unescaped(part: Any, pattern: bool = False) -> Any:
    """Read the escapes in a tree's texts; in a pattern of LIKE, a pair of backslashes is left for the pattern."""
    if isinstance(part, str):
        return _PAIR.sub(lambda pair: _character(pair, pattern), part)
    if isinstance(part, list):
        return [_unescaped(item, pattern) for item in part]
    if not isinstance(part, dict) or "op" not in part:
        return part
    if part["op"] == _EMPTY:
        return []
    like = str(part["op"]).lower() == "like"
    args = [_unescaped(arg, pattern or (like and number == 1)) for number, arg in enumerate(part["args"])]
    return part | {"args": args}


def _exact(part: Any, written: Iterator[float]) -> Any:
    """Put the numbers that were written into the geometries of a tree, which has them in the same order.

    In geometries, and only there, the parser is often wrong in the last bit, which parts a point from the vertex that
    it is.
    """
    if isinstance(part, list):
        return [_exact(item, written) for item in part]
    if isinstance(part, dict):
        return {
            key: _corrected(value, written) if key == "coordinates" else _exact(value, written)
            for key, value in part.items()
        }
    return part


def _corrected(part: Any, written: Iterator[float]) -> Any:
    if isinstance(part, list):
        return [_corrected(item, written) for item in part]
    size = abs(part)
    return math.copysign(next((number for number in written if abs(number - size) <= 2 * math.ulp(size)), size), part)


def _character(pair: re.Match[str], pattern: bool) -> str:
    if pair[1] == "\\" and not pattern:
        return "\\"
    return _CONTROLS.get(pair[1], pair[0])


def _guard(text: str, lang: FilterLang, parameter: str) -> None:
    bare = (_JSON_TEXT if lang == "cql2-json" else _QUOTED).sub("''", text)
    if nesting(bare) > MAX_NESTING:
        raise InvalidInput("filter.nested", parameter=parameter, allowed=MAX_NESTING)
    items = bare.count(",")
    if items > MAX_ITEMS:
        raise InvalidInput("filter.items", parameter=parameter, count=items, allowed=MAX_ITEMS)
    for match in _INTEGER.finditer(bare):
        # Python refuses to read thousands of digits.
        if len(match[0]) > 400 or int(match[0]) > MAX_INTEGER:
            raise InvalidInput("filter.number", parameter=parameter, value=match[0][:40], allowed=f"± {MAX_INTEGER}")


def nesting(bare: str) -> int:
    """Return how deep brackets lie within one another, with the longest rows of operators, NOTs and signs on top."""
    deepest = longest = 0
    # For each bracket that is open, its row of operators, and its BETWEENs: an AND does not end those.
    open_rows = [[0, 0]]
    for match in _ROW.finditer(bare):
        row = open_rows[-1]
        if match["open"]:
            open_rows.append([0, 0])
            deepest = max(deepest, len(open_rows) - 1)
        elif match["close"]:
            if len(open_rows) > 1:
                open_rows.pop()
        elif match["apart"]:
            row[0] = 0
        else:
            row[1 if match["between"] else 0] += 1
            longest = max(longest, row[0] - _FEW_OPERATORS, row[1] - _FEW_BETWEENS)
    rows = [match[0].upper().count("NOT") for match in _NOTS.finditer(bare)]
    signs = [len(re.sub(r"[\s(]", "", match[0])) for match in _SIGNS.finditer(bare)]
    return deepest + longest + max(rows, default=0) + max(signs, default=0)


def _position(message: str) -> dict[str, str]:
    """Take the line and column out of a parser's message; the rest of it is not for the public."""
    match = re.search(r"(\d+):(\d+)|line (\d+) column (\d+)", message)
    return {"at": f"{match[1] or match[3]}:{match[2] or match[4]}"} if match else {}
