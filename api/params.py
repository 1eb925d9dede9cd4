"""Reads query parameters: each at most once, none unknown, every mistake named."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.requests import HTTPConnection

from geo.bbox import parse_bbox
from geo.errors import IngestError, InvalidInput
from layers.catalogue import PublishedLayer
from layers.definition import FieldDefinition
from layers.queries import ItemsShape, properties
from layers.sources import convert

COMMON = frozenset({"f", "lang"})
ITEMS = frozenset({"bbox", "datetime", "limit", "cursor"})
DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000
#: How a value of each type is written; understood in every language.
_FORMS = {
    "text": "…",
    "text[]": "…",
    "integer": "42",
    "number": "3.5",
    "boolean": "true, false",
    "date": "2026-11-23",
    "timestamp": "2026-11-23T08:00:00Z",
}
#: Longest id of a feature or an entry.
MAX_ID = 200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")


def read(connection: HTTPConnection, known: Iterable[str] = ()) -> dict[str, str]:
    """Return the query parameters.

    Raises
    ------
    InvalidInput
        ``parameter.unknown``, ``parameter.twice`` or ``parameter.nul`` (OGC API - Features Part 1, 7.15.1).
    """
    allowed = COMMON | set(known)
    found: dict[str, str] = {}
    for name, value in connection.query_params.multi_items():
        if name not in allowed:
            raise InvalidInput("parameter.unknown", parameter=name[:60], allowed=", ".join(sorted(allowed)))
        if name in found:
            raise InvalidInput("parameter.twice", parameter=name)
        if "\0" in value:
            raise InvalidInput("parameter.nul", parameter=name, allowed="Unicode, U+0001 …")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput("parameter.nul", parameter=name, allowed="Unicode, U+0001 …") from error
        found[name] = value
    return found


def path_id(value: str, parameter: str) -> str:
    """Return an id out of the path, made sure that PostgreSQL can be asked for it."""
    if len(value) > MAX_ID:
        raise InvalidInput("parameter.long", parameter=parameter, count=len(value), allowed=MAX_ID)
    if "\0" in value:
        raise InvalidInput("parameter.nul", parameter=parameter, allowed="Unicode, U+0001 …")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("parameter.nul", parameter=parameter, allowed="Unicode, U+0001 …") from error
    return value


def limit_of(text: str | None) -> int:
    """Read ``limit``; more than the largest page is taken as the largest page."""
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < 1:
        raise InvalidInput("limit.invalid", parameter="limit", value=text[:40], allowed=f"1 … {MAX_LIMIT}")
    return min(int(text), MAX_LIMIT)


def make_cursor(fid: int) -> str:
    """Return the opaque cursor that goes on after a feature."""
    return base64.urlsafe_b64encode(fid.to_bytes(8, "big")).rstrip(b"=").decode()


def cursor_of(text: str) -> int:
    """Read a cursor that :func:`make_cursor` made."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 8 or raw[0] >= 0x80:
        raise InvalidInput("cursor.invalid", parameter="cursor", value=text[:40])
    return int.from_bytes(raw, "big")


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time; an open end is None. A date counts as its whole day in the city's time."""

    start: dt.date | dt.datetime | None
    end: dt.date | dt.datetime | None


def _moment(text: str) -> dt.date | dt.datetime:
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
        if _MOMENT.fullmatch(text):
            # Python reads at most microseconds.
            return dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper()))
    except ValueError:
        pass
    raise InvalidInput(
        "datetime.invalid",
        parameter="datetime",
        value=text[:60],
        allowed="2026-11-23, 2026-11-23T08:00:00Z, a/b, ../b, a/..",
    )


def interval_of(text: str) -> Interval:
    """Read ``datetime``: a date or moment of RFC 3339, or an interval of them (OGC API - Features Part 1, 7.15.4)."""
    parts = text.split("/")
    if len(parts) == 1:
        moment = _moment(parts[0])
        return Interval(moment, moment)
    if len(parts) != 2:
        _moment(text)
    start, end = (None if part in ("", "..") else _moment(part) for part in parts)
    if start is not None and end is not None and _utc(start, False, dt.UTC) > _utc(end, True, dt.UTC):
        raise InvalidInput("datetime.order", parameter="datetime", value=text[:80])
    return Interval(start, end)


def _utc(moment: dt.date | dt.datetime, last: bool, zone: dt.tzinfo) -> dt.datetime:
    if isinstance(moment, dt.datetime):
        return moment
    return dt.datetime.combine(moment, dt.time.max if last else dt.time.min, zone)


def _as_column(moment: dt.date | dt.datetime, field: FieldDefinition, last: bool, zone: ZoneInfo) -> object:
    try:
        if field.type == "timestamp":
            return _utc(moment, last, zone)
        return moment.astimezone(zone).date() if isinstance(moment, dt.datetime) else moment
    except OverflowError as error:  # the first and last hours of the calendar
        raise InvalidInput(
            "datetime.invalid", parameter="datetime", value=str(moment), allowed="0001 … 9999"
        ) from error


def items_query(
    layer: PublishedLayer, given: dict[str, str], zone: ZoneInfo, max_bytes: int
) -> tuple[ItemsShape, dict[str, object]]:
    """Turn the parameters of an items request into a query's shape and values.

    Raises
    ------
    InvalidInput
        Naming the parameter, its value and what is allowed.
    """
    values: dict[str, object] = {"page": limit_of(given.get("limit")), "max_bytes": max_bytes}
    boxes = parse_bbox(given["bbox"]).parts() if "bbox" in given else ()
    for number, box in enumerate(boxes):
        sides = {"west": box.west, "south": box.south, "east": box.east, "north": box.north}
        values |= {f"{side}{number}": value for side, value in sides.items()}
    after = before = False
    if "datetime" in given:
        interval = interval_of(given["datetime"])
        temporal = layer.definition.temporal
        if temporal:
            fields = {field.name: field for field in layer.definition.fields}
            if interval.start is not None:
                after, values["after"] = True, _as_column(interval.start, fields[temporal.end], False, zone)
            if interval.end is not None:
                before, values["before"] = True, _as_column(interval.end, fields[temporal.start], True, zone)
    equal = tuple(name for name in properties(layer) if name in given)
    for name in equal:
        values[f"equal_{name}"] = _equal_value(layer.definition.field(name), name, given[name])
    if "cursor" in given:
        values["after_fid"] = cursor_of(given["cursor"])
    return ItemsShape(len(boxes), after, before, equal, "cursor" in given), values


def _equal_value(field: FieldDefinition | None, name: str, text: str) -> object:
    if field is None or field.type == "text[]":
        return text
    if field.type == "text" and field.values is None:
        return text
    code, allowed = (
        ("parameter.value", ", ".join(field.values)) if field.values else ("parameter.form", _FORMS[field.type])
    )
    try:
        value = convert(field, text)
    except IngestError as error:
        raise InvalidInput(code, parameter=name, value=text[:60], allowed=allowed) from error
    if value is None:
        raise InvalidInput(code, parameter=name, value=text[:60], allowed=allowed)
    return value
