"""Pages of features: their statements, and what becomes of their answers.

Most pages are joined to one text as they come. Where a page could be longer than its limit of bytes, a dearer statement
adds up the features' lengths and cuts it there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, aggregate_order_by

from layers.catalogue import PublishedLayer
from layers.database import Database, Statement, compile_statement
from layers.lines import GEOJSON, Lines
from layers.queries import ItemsShape, as_bytes, behind, feature_text, order_of, placed_in, sort_key
from layers.selection import Selection, conditions, learn

#: Up to this many features are counted for ``numberMatched``; beyond, there is an estimate.
COUNT_LIMIT = 10_000

_NOTHING: Any = literal_column("0")


@dataclass(slots=True)
class Page:
    """A page of features.

    Parameters
    ----------
    features : bytes
        Their texts, joined.
    returned : int
    last : str
        The last feature's ``fid``, or a JSON array of its sort keys as texts and the ``fid``.
    more : bool
        Whether others follow.
    matched : int, optional
        How many match on all pages; None beyond :data:`COUNT_LIMIT`.
    estimate : int, optional
        About how many there are, where ``matched`` is not known, on the first page.
    """

    features: bytes
    returned: int
    last: str
    more: bool
    matched: int | None
    estimate: int | None = None


async def read_page(
    database: Database, layer: PublishedLayer, shape: ItemsShape, values: Mapping[str, object], lines: Lines = GEOJSON
) -> Page:
    """Return a page of at most ``page`` features and ``max_bytes`` bytes, but never without its first feature."""
    row: Any = None
    with placed_in(shape.output):
        if layer.row_bytes * int(str(values["page"])) <= int(str(values["max_bytes"])):
            row = await database.row(page_statement(layer, shape, lines), **values)
        if row is None or row["long"]:
            row = await database.row(cut_page_statement(layer, shape, lines), **values)
    assert row is not None, "an aggregate has one row"
    learn(layer, shape.selection, row["matched"])
    estimate = None
    if row["matched"] is None and shape.cursor is None:
        estimate = await _estimate(database, layer, shape.selection, values)
    return Page(row["features"] or b"", row["returned"], row["last"], row["more"], row["matched"], estimate)


async def _estimate(
    database: Database, layer: PublishedLayer, selection: Selection, values: Mapping[str, object]
) -> int:
    """Return about how many features are selected: those at the last ingest, or what the planner expects."""
    if selection.everything:
        return layer.count
    plan = await database.row(_estimate_statement(layer, selection), **values)
    assert plan is not None, "EXPLAIN has one row"
    # There are more than could be counted, whatever the planner thinks.
    return max(int(json.loads(plan[0])[0]["Plan"]["Plan Rows"]), COUNT_LIMIT)


def _counted(layer: PublishedLayer, shape: ItemsShape) -> bool:
    """Tell whether the features that match are worth counting: not where nearly all of very many do."""
    return not shape.selection.everything or layer.count <= COUNT_LIMIT


def _matching(layer: PublishedLayer, shape: ItemsShape) -> ColumnElement[Any]:
    """Return how many features match on all pages, null beyond :data:`COUNT_LIMIT`."""
    selected = conditions(layer, shape.selection)
    counted: Select[Any] = (
        select(literal_column("1")).select_from(layer.table).where(and_(true(), *selected)).limit(COUNT_LIMIT + 1)
    )
    return select(func.nullif(func.count(), COUNT_LIMIT + 1)).select_from(counted.subquery("counted")).scalar_subquery()


def _found(
    layer: PublishedLayer, shape: ItemsShape, lines: Lines, count: ColumnElement[int], *columns: ColumnElement[Any]
) -> Subquery:
    """Return the first features in order: ``feature``, ``key``."""
    source, text = feature_text(layer, shape.output, lines)
    keys = [cast(sort_key(layer, key), Text) for key in shape.sort]
    fid = layer.table.c.fid
    key = func.json_build_array(*keys, fid) if keys else fid
    selected = [*conditions(layer, shape.selection), *([behind(layer, shape)] if shape.cursor is not None else [])]
    return (
        select(text.label("feature"), key.label("key"), *columns)
        .select_from(source)
        .where(and_(true(), *selected))
        .order_by(*order_of(layer, shape.sort))
        .limit(count)
        .subquery("found")
    )


@lru_cache(maxsize=1024)
def page_statement(layer: PublishedLayer, shape: ItemsShape, lines: Lines = GEOJSON) -> Statement:
    """Return the statement of a page of features that is not expected to be too long.

    Its one row has ``features`` (their texts joined; null when there are none, or they are too long), ``returned``,
    ``last``, ``more`` and ``matched`` as in :class:`Page`, and ``long``: whether they have more than ``max_bytes``.
    """
    counting = shape.cursor is None and _counted(layer, shape)
    page = (_counting_page if counting else _looking_page)(layer, shape, lines)
    return compile_statement(page, fresh=shape.selection.fresh)


def _long(found: Subquery) -> ColumnElement[bool]:
    length = func.coalesce(func.sum(func.octet_length(found.c.feature)), _NOTHING)
    return length > bindparam("max_bytes", type_=BigInteger)


def _counting_page(layer: PublishedLayer, shape: ItemsShape, lines: Lines) -> Select[Any]:
    """Return a first page, whose features are counted on all pages unless it holds them all itself."""
    page = bindparam("page", type_=Integer)
    found = _found(layer, shape, lines, page)
    count, long = func.count(), _long(found)
    # The subquery's order is that of the aggregates: nothing stands between them.
    joined = func.string_agg(found.c.feature, literal_column(f"'{lines.between}'"))
    last = func.array_agg(found.c.key, type_=ARRAY(JSON))[count] if shape.sort else func.max(found.c.key)
    read = select(
        case((not_(long), func.convert_to(joined, "UTF8", type_=LargeBinary))).label("features"),
        count.label("returned"),
        cast(last, Text).label("last"),
        case((count == page, _matching(layer, shape)), else_=count).label("matched"),
        long.label("long"),
    ).select_from(found)
    part = read.subquery("part")
    more = and_(part.c.returned == page, func.coalesce(part.c.matched > page, true()))
    return select(part, more.label("more"))


def _looking_page(layer: PublishedLayer, shape: ItemsShape, lines: Lines) -> Select[Any]:
    """Return a page that looks for one feature more, to know whether others follow."""
    page = bindparam("page", type_=Integer)
    found = _found(layer, shape, lines, page + 1)
    count, long = func.count(), _long(found)
    kept = func.least(count, page)
    features = func.array_agg(found.c.feature, type_=ARRAY(Text))[literal_column("1") : page]
    joined = func.array_to_string(features, literal_column(f"'{lines.between}'"))
    keys = func.array_agg(found.c.key, type_=ARRAY(JSON if shape.sort else BigInteger))
    matched = _matching(layer, shape) if _counted(layer, shape) else literal_column("NULL::bigint")
    return select(
        case((not_(long), func.convert_to(joined, "UTF8", type_=LargeBinary))).label("features"),
        kept.label("returned"),
        cast(keys[kept], Text).label("last"),
        (count > page).label("more"),
        matched.label("matched"),
        long.label("long"),
    ).select_from(found)


@lru_cache(maxsize=1024)
def cut_page_statement(layer: PublishedLayer, shape: ItemsShape, lines: Lines = GEOJSON) -> Statement:
    """Return the statement of a page of features that ends early when it would be longer than ``max_bytes``.

    Its one row is that of :func:`page_statement`, without ``long``.
    """
    page = bindparam("page", type_=Integer)
    number = func.row_number().over(order_by=order_of(layer, shape.sort)).label("n")
    found = _found(layer, shape, lines, page + 1, number)
    numbered = select(
        found, func.sum(func.octet_length(found.c.feature)).over(order_by=found.c.n).label("bytes")
    ).subquery("numbered")
    fits = and_(
        numbered.c.n <= page, or_(numbered.c.bytes <= bindparam("max_bytes", type_=BigInteger), numbered.c.n == 1)
    )
    returned = func.count().filter(fits)
    joined = func.string_agg(numbered.c.feature, literal_column(f"'{lines.between}' ORDER BY n")).filter(fits)
    last = func.array_agg(aggregate_order_by(numbered.c.key, numbered.c.n.desc()), type_=ARRAY(JSON)).filter(fits)
    matched = _matching(layer, shape) if _counted(layer, shape) else literal_column("NULL::bigint")
    return compile_statement(
        select(
            as_bytes(joined).label("features"),
            returned.label("returned"),
            cast(last[1], Text).label("last"),
            (func.count() > returned).label("more"),
            matched.label("matched"),
        ).select_from(numbered),
        fresh=shape.selection.fresh,
    )


@lru_cache(maxsize=256)
def _estimate_statement(layer: PublishedLayer, selection: Selection) -> Statement:
    """Return the statement of PostgreSQL's plan for the features that are selected; they are not read."""
    selected = and_(true(), *conditions(layer, selection))
    counted = compile_statement(select(literal_column("1")).select_from(layer.table).where(selected), fresh=True)
    return Statement(f"EXPLAIN (FORMAT JSON) {counted.sql}", counted.names, fresh=True)
