"""Turns cells of files and values of parameters into the types of fields."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable

from geo.bbox import NUMBER
from geo.errors import IngestError
from layers.definition import FieldDefinition

_TRUE, _FALSE = frozenset({"true", "yes", "1", "t"}), frozenset({"false", "no", "0", "f"})


def _text(value: object) -> str:
    # A format without integers has 20000.0 for the postcode 20000.
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    if "\0" in text:
        raise ValueError
    return text


def _integer(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        result = int(value)
        # A format, or a column that holds one number beyond 64 bits, gave a double, whose last digits may be others.
        if abs(result) >= 2**53:
            raise ValueError
    elif re.fullmatch(r"[+-]?[0-9]{1,30}(\.0*)?", str(value).strip()):
        result = int(str(value).split(".")[0])
    else:
        raise ValueError
    if not -(2**63) <= result < 2**63:
        raise ValueError
    return result


def _number(value: object) -> float:
    text = str(value).strip()
    if not NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError
    return float(text)


def _boolean(value: object) -> bool:
    lowered = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower()
    if lowered in _TRUE or lowered in _FALSE:
        return lowered in _TRUE
    raise ValueError


def _date(value: object) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = str(value).strip().replace("/", "-")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ].+)?", text, re.ASCII):
        raise ValueError
    return dt.datetime.fromisoformat(text).date()


def _timestamp(value: object) -> dt.datetime:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value).strip())
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _texts(value: object) -> list[str]:
    # A cell holds several texts between semicolons; formats that know lists have lists.
    parts = str(value).split(";") if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    return [_text(part) for part in parts if not is_missing(part)]


_CONVERT: dict[str, Callable[[object], object]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "text[]": _texts,
}


def is_missing(value: object) -> bool:
    """Tell whether a cell is empty: null, not-a-number, or text without a character."""
    # pandas' own kinds of nothing go by their names: pandas is large, and not there where parameters are read.
    if value is None or type(value).__name__ in ("NaTType", "NAType"):
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and not value.strip()


def convert(definition: FieldDefinition, value: object) -> object:
    """Return a cell as the field's type; None for an empty one.

    Raises
    ------
    IngestError
        ``ingest.value-missing``, ``ingest.value-type`` or ``ingest.value-allowed``.
    """
    if is_missing(value):
        if definition.required:
            raise IngestError("ingest.value-missing", field=definition.name)
        return None
    try:
        result = _CONVERT[definition.type](value)
    except (ValueError, TypeError, OverflowError):
        raise IngestError(
            "ingest.value-type", field=definition.name, value=str(value)[:60], allowed=definition.type
        ) from None
    if definition.values is not None:
        for part in result if isinstance(result, list) else [result]:
            if part not in definition.values:
                raise IngestError(
                    "ingest.value-allowed",
                    field=definition.name,
                    value=str(part)[:60],
                    allowed=", ".join(definition.values),
                )
    return result
