"""Reads query parameters: each at most once, none unknown, every mistake named."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import HTTPConnection

from api.negotiation import query_of
from geo.bbox import BBox, parse_bbox
from geo.crs import DEFAULT_CRS, WGS84_SRID, AxisOrderedCrs, parse_crs
from geo.errors import IngestError, InvalidInput
from layers.catalogue import PublishedLayer
from layers.definition import FieldDefinition
from layers.filters.gdal import typed
from layers.filters.parse import FilterLang, parse_filter
from layers.filters.resolve import resolve
from layers.filters.tree import Node
from layers.queries import ItemsShape, Output, Sort, properties
from layers.search.find import Words
from layers.selection import Selection, box_values, few
from layers.values import convert

#: A condition as CQL2-JSON, or of words.
Condition = Mapping[str, object] | Words | bool

COMMON = frozenset({"f", "lang"})
#: Parameters that choose features, for items and all other questions.
SELECT = frozenset({"bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs"})
#: Parameters that say what of them is given.
OUTPUT = frozenset({"crs", "properties", "skipGeometry"})
_OUTPUT = Output()
ITEMS = SELECT | OUTPUT | {"limit", "cursor", "sortby"}
#: ``cql-text`` is what GDAL asks for, and writes in its own way.
FILTER_LANGS: dict[str, FilterLang] = {"cql2-text": "cql2-text", "cql2-json": "cql2-json", "cql-text": "cql-text"}
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
#: The last is the year in which what QGIS before 3.32 sends begins; Python's calendar begins a year later.
_OPEN_START = re.compile(r"|\.\.|0000-.*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")


def read(connection: HTTPConnection, known: Collection[str] = (), *, lists: Collection[str] = ()) -> dict[str, str]:
    """Return the query parameters; those of ``lists`` may stand several times, as forms write what is ticked.

    Raises
    ------
    InvalidInput
        ``parameter.unknown``, ``parameter.twice`` or ``parameter.nul`` (OGC API - Features Part 1, 7.15.1).
    """
    found: dict[str, str] = {}
    for name, value in query_of(connection):
        if name not in known and name not in COMMON:
            allowed = COMMON.union(known)
            raise InvalidInput("parameter.unknown", parameter=name[:60], allowed=", ".join(sorted(allowed)))
        if name in found and name not in lists:
            raise InvalidInput("parameter.twice", parameter=name)
        value = text_of(value, name)
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def text_of(value: str, parameter: str) -> str:
    """Return a value, made sure that PostgreSQL can be asked for it."""
    if value.isascii() and "\0" not in value:
        return value
    # The second stands for bytes that are no UTF-8.
    if "\0" in value or "\ufffd" in value:
        raise InvalidInput("parameter.nul", parameter=parameter, allowed="Unicode, U+0001 …")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("parameter.nul", parameter=parameter, allowed="Unicode, U+0001 …") from error
    return value


def path_id(value: str, parameter: str) -> str:
    """Return an id out of the path, made sure that PostgreSQL can be asked for it."""
    if len(value) > MAX_ID:
        raise InvalidInput("parameter.long", parameter=parameter, count=len(value), allowed=MAX_ID)
    return text_of(value, parameter)


def limit_of(text: str | None, default: int = DEFAULT_LIMIT, largest: int = MAX_LIMIT) -> int:
    """Read ``limit``; more than the largest page is taken as the largest page."""
    if text is None:
        return default
    digits = text.lstrip("0")
    if not re.fullmatch(r"[0-9]+", text) or not digits:
        raise InvalidInput("limit.invalid", parameter="limit", value=text[:40], allowed=f"1 … {largest}")
    # Python refuses to read thousands of digits.
    return min(int(digits[:18]), largest)


def _order(sort: tuple[Sort, ...]) -> str:
    """Write an order as ``sortby`` has it, always alike; nothing for that of no ``sortby``."""
    return ",".join(f"{'-' if key.descending else ''}{key.name}" for key in sort)


def make_cursor(last: str, sort: tuple[Sort, ...] = ()) -> str:
    """Return the opaque cursor that goes on after a feature, from the column ``last`` of a page in an order."""
    text = f'{{"by":{json.dumps(_order(sort))},"last":{last}}}' if sort else last
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def cursor_of(text: str, layer: PublishedLayer, sort: tuple[Sort, ...]) -> tuple[list[object], int]:
    """Read a cursor that :func:`make_cursor` made for the same order: the values of the sort keys, and the ``fid``.

    Raises
    ------
    InvalidInput
        ``cursor.invalid``, or ``cursor.order`` for one of another order, in which it would pass features over.
    """
    try:
        read = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        order, last = (read["by"], read["last"]) if isinstance(read, dict) else ("", [read])
        if not isinstance(order, str) or not isinstance(last, list):
            raise ValueError("not made here")
        if order != _order(sort):
            raise InvalidInput("cursor.order", parameter="cursor", value=order[:80] or "–", allowed=_order(sort) or "–")
        *keys, fid = last
        if len(keys) != len(sort) or type(fid) is not int or not 0 <= fid < 2**63:
            raise ValueError("not for this order")
        return [_sort_value(layer, key, value) for key, value in zip(sort, keys, strict=True)], fid
    except (ValueError, TypeError, KeyError, RecursionError, IngestError) as error:
        raise InvalidInput("cursor.invalid", parameter="cursor", value=text[:40], log=str(error)) from error


def _sort_value(layer: PublishedLayer, key: Sort, value: object) -> object:
    if value is None:
        return None
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("a sort key is a text")
    field = layer.definition.field(key.name)
    return value if field is None or field.type == "text" else convert(field, value)


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time; an open end is None. A date counts as its whole day in the city's time."""

    start: dt.date | dt.datetime | None
    end: dt.date | dt.datetime | None


def _moment(text: str) -> dt.date | dt.datetime:
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
        if MOMENT.fullmatch(text):
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
    start = None if _OPEN_START.fullmatch(parts[0]) else _moment(parts[0])
    end = None if parts[1] in ("", "..") else _moment(parts[1])
    if start is not None and end is not None and _utc(start, False, dt.UTC) > _utc(end, True, dt.UTC):
        raise InvalidInput("datetime.order", parameter="datetime", value=text[:80])
    return Interval(start, end)


def _utc(moment: dt.date | dt.datetime, last: bool, zone: dt.tzinfo) -> dt.datetime:
    if isinstance(moment, dt.datetime):
        return moment
    return dt.datetime.combine(moment, dt.time.max if last else dt.time.min, zone)


def _as_column(moment: dt.date | dt.datetime, field: FieldDefinition, last: bool, zone: ZoneInfo) -> object:
    if field.type == "timestamp":
        return _utc(moment, last, zone)
    if not isinstance(moment, dt.datetime):
        return moment
    try:
        return moment.astimezone(zone).date()
    except OverflowError:  # the first and last hours of the calendar, which stand for no limit
        return dt.date.max if moment.year > 5000 else dt.date.min


@lru_cache(maxsize=256)
def equalities(layer: PublishedLayer) -> tuple[str, ...]:
    """Return what features can be asked for by its value (Part 3, ``/req/queryables-query-parameters/parameters``)."""
    return ("id", *properties(layer))


def selection_of(
    layer: PublishedLayer,
    given: Mapping[str, str],
    zone: ZoneInfo,
    districts: Collection[str],
    more: Sequence[Condition] = (),
) -> tuple[Selection, dict[str, object]]:
    """Turn ``bbox``, ``datetime``, ``filter`` and equalities into a selection's shape and its values.

    ``more`` are conditions that hold beside the filter.

    Raises
    ------
    InvalidInput
        Naming the parameter, its value and what is allowed.
    """
    values: dict[str, object] = {}
    srid = layer.definition.geometry.srid
    crs = parse_crs(given["bbox-crs"], "bbox-crs", srid) if "bbox-crs" in given else DEFAULT_CRS
    boxes: tuple[BBox, ...] = ()
    if "bbox" in given:
        degrees = crs.srid == WGS84_SRID
        boxes = parse_bbox(given["bbox"], degrees=degrees, north_first=crs.north_first).parts()
        values |= box_values(boxes)
    after, before = _datetime(layer, given, zone, values)
    equal = () if ITEMS.issuperset(given) else tuple(name for name in equalities(layer) if name in given)
    for name in equal:
        values[f"equal_{name}"] = _equal_value(layer.definition.field(name), name, given[name])
    node = _filter(layer, given, districts, values, more)
    small = crs.srid == WGS84_SRID and few(layer, boxes)
    return Selection(len(boxes), crs.srid, after, before, equal, node, small), values


def _datetime(
    layer: PublishedLayer, given: Mapping[str, str], zone: ZoneInfo, values: dict[str, object]
) -> tuple[bool, bool]:
    if "datetime" not in given:
        return False, False
    interval = interval_of(given["datetime"])
    temporal = layer.definition.temporal
    if temporal is None:
        return False, False
    fields = {field.name: field for field in layer.definition.fields}
    if interval.start is not None:
        values["after"] = _as_column(interval.start, fields[temporal.end], False, zone)
    if interval.end is not None:
        values["before"] = _as_column(interval.end, fields[temporal.start], True, zone)
    return interval.start is not None, interval.end is not None


def _filter(
    layer: PublishedLayer,
    given: Mapping[str, str],
    districts: Collection[str],
    values: dict[str, object],
    more: Sequence[Condition],
) -> Node | None:
    crs = DEFAULT_CRS
    if "filter-crs" in given:
        crs = parse_crs(given["filter-crs"], "filter-crs", layer.definition.geometry.srid)
    lang = given.get("filter-lang", "cql2-text")
    if lang not in FILTER_LANGS:
        raise InvalidInput("parameter.value", parameter="filter-lang", value=lang[:40], allowed=", ".join(FILTER_LANGS))
    trees: list[Any] = [*more]
    if "filter" in given:
        if lang != "cql2-json" and given["filter"].lstrip().startswith("{"):
            # No filter in words begins so.
            allowed = "filter-lang=cql2-json"
            raise InvalidInput("filter.json", parameter="filter", value=given["filter"][:40], allowed=allowed)
        tree = parse_filter(given["filter"], FILTER_LANGS[lang])
        trees.append(typed(tree, layer.definition) if lang == "cql-text" else tree)
    if not trees:
        return None
    whole = trees[0] if len(trees) == 1 else {"op": "and", "args": trees}
    resolved = resolve(whole, layer.definition, crs, districts)
    values |= resolved.values
    return resolved.node


def output_of(layer: PublishedLayer, given: Mapping[str, str]) -> Output:
    """Turn ``crs``, ``properties`` and ``skipGeometry`` into what of each feature is given."""
    if OUTPUT.isdisjoint(given):
        return _OUTPUT
    crs = crs_of(layer, given["crs"]) if "crs" in given else DEFAULT_CRS
    names = properties_of(layer, given)
    fields = None if names is None else tuple(name for name in properties(layer) if name in names)
    return Output(crs, fields, with_geometry(given))


def crs_of(layer: PublishedLayer, text: str, parameter: str = "crs") -> AxisOrderedCrs:
    """Read the CRS in which features of a layer are wanted: one that holds the whole of it.

    Raises
    ------
    InvalidInput
        ``crs.unknown`` or ``crs.layer``, with the CRS that the layer has.
    """
    return parse_crs(text, parameter, given=layer.crs, layer=layer.id)


def properties_of(layer: PublishedLayer, given: Mapping[str, str]) -> list[str] | None:
    """Read ``properties``: names of fields, in the order in which they are given; None without it."""
    if "properties" not in given:
        return None
    names = given["properties"].split(",") if given["properties"] else []
    allowed = properties(layer)
    for name in names:
        if name not in allowed:
            raise InvalidInput("parameter.value", parameter="properties", value=name[:60], allowed=", ".join(allowed))
    return names


def with_geometry(given: Mapping[str, str]) -> bool:
    """Tell whether features have their geometry, from ``skipGeometry``."""
    skip = given.get("skipGeometry", "false").lower()
    if skip not in ("true", "false"):
        raise InvalidInput("parameter.value", parameter="skipGeometry", value=skip[:40], allowed="true, false")
    return skip == "false"


def sort_of(layer: PublishedLayer, text: str | None) -> tuple[Sort, ...]:
    """Read ``sortby``: fields separated by commas, each with ``+`` (or nothing) or ``-`` (Part 8 draft, 7.2)."""
    if text is None:
        return ()
    keys: list[Sort] = []
    allowed = sortables(layer)
    for part in text.split(","):
        # A plus sign in an address is a blank when it arrives.
        name = part.lstrip("+ -")
        if name not in allowed or len(part) - len(name) > 1 or name in {key.name for key in keys}:
            raise InvalidInput("parameter.value", parameter="sortby", value=part[:60], allowed=", ".join(allowed))
        keys.append(Sort(name, part.startswith("-")))
    return tuple(keys)


def sortables(layer: PublishedLayer) -> list[str]:
    """Return the fields that a layer can be sorted by: all but lists."""
    return ["id", *(field.name for field in layer.definition.fields if field.type != "text[]")]


def items_query(
    layer: PublishedLayer,
    given: Mapping[str, str],
    zone: ZoneInfo,
    max_bytes: int,
    districts: Collection[str] = (),
    more: Sequence[Condition] = (),
) -> tuple[ItemsShape, dict[str, object]]:
    """Turn the parameters of an items request into a query's shape and values.

    Raises
    ------
    InvalidInput
        Naming the parameter, its value and what is allowed.
    """
    selection, values = selection_of(layer, given, zone, districts, more)
    values |= {"page": limit_of(given.get("limit")), "max_bytes": max_bytes}
    sort = sort_of(layer, given.get("sortby"))
    cursor = None
    if "cursor" in given:
        keys, values["after_fid"] = cursor_of(given["cursor"], layer, sort)
        values |= {f"after{number}": key for number, key in enumerate(keys)}
        cursor = tuple(key is None for key in keys)
    return ItemsShape(selection, output_of(layer, given), sort, cursor), values


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
