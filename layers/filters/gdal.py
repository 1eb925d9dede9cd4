"""Reads ``cql-text`` as GDAL's OAPIF driver writes it, where that is not CQL2.

Since 2022 the driver has written the draft of the time: ``ILIKE``, 0 and 1 for booleans, dates as texts. It does not
filter again what it has sent, so a filter that isn't understood is an error for whoever typed ``-where``.
"""

from __future__ import annotations

import re
from typing import Any

from layers.definition import LayerDefinition

_COMPARED = frozenset({"=", "<>", "<", ">", "<=", ">=", "in", "between"})
_ILIKE = re.compile(
    r"""(?P<text>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*"|\b[^\W\d]\w*)(?P<like>\s+ILIKE\s+(?P<pattern>'(?:[^']|'')*'))?""",
    re.IGNORECASE,
)
#: In the way of RFC 3339 or, of a column whose first features have none, as it was typed: 2026/11/23 08:00:00+00.
_MOMENT = re.compile(r"(\d{4})([-/])(\d\d)\2(\d\d)(?:[T ](?:(\d\d)(?::(\d\d))?(?::(\d\d(?:\.\d+)?))?(?:Z|[+]00)?)?)?")


def as_cql2_text(text: str) -> str:
    """Write ``name ILIKE 'pattern'`` as CQL2 does, and backslashes, which GDAL does not escape; all else stays."""

    def comparison(match: re.Match[str]) -> str:
        if match["like"] is None:
            return match[0]
        return f"CASEI({match['name']}) LIKE CASEI({match['pattern']})"

    return _ILIKE.sub(comparison, text).replace("\\", "\\\\")


def typed(tree: Any, definition: LayerDefinition) -> Any:
    """Give the literals that a field is compared with the field's type, where GDAL's way of writing it is plain.

    Parameters
    ----------
    tree : CQL2-JSON, as :func:`layers.filters.parse.parse_filter` returns it.
    """
    if isinstance(tree, list):
        return [typed(part, definition) for part in tree]
    if not isinstance(tree, dict):
        return tree
    args = tree.get("args")
    if tree.get("op") in _COMPARED and isinstance(args, list):
        fields = (definition.field(str(arg["property"])) for arg in args if isinstance(arg, dict) and "property" in arg)
        field = next((field for field in fields if field is not None), None)
        return {**tree, "args": [_literal(arg, field.type) for arg in args]} if field else tree
    return {key: typed(part, definition) for key, part in tree.items()}


def _literal(value: Any, type_: str) -> Any:
    if isinstance(value, list):
        return [_literal(item, type_) for item in value]
    if type_ == "boolean" and value in (0, 1):
        return bool(value)
    if type_ in ("date", "timestamp") and isinstance(value, str) and (match := _MOMENT.fullmatch(value)):
        year, _, month, of_month, hour, minute, second = match.groups()
        day = f"{year}-{month}-{of_month}"
        if hour is None:
            return {"date": day}
        return {"timestamp": f"{day}T{hour}:{minute or '00'}:{second or '00'}Z"}
    return value
