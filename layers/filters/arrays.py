"""SQL of the relations of arrays (CQL2, 7.8), which are taken as sets; the truth of some is unknown."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_

from layers.filters.operands import Named

Sql = ColumnElement[Any]

#: An element that is null may be equal to any other; PostgreSQL says of it that it is equal to none.
_CONTAINS = (
    "CASE WHEN {0} @> {1} THEN true WHEN cardinality({0}) = 0 AND cardinality({1}) > 0 THEN false"
    " WHEN array_position({0}, NULL) IS NULL AND NOT {0} @> array_remove({1}, NULL) THEN false END"
)
_TEXTS = {
    "a_contains": _CONTAINS.format("l", "r"),
    "a_containedBy": _CONTAINS.format("r", "l"),
    "a_equals": f"({_CONTAINS.format('l', 'r')}) AND ({_CONTAINS.format('r', 'l')})",
    "a_overlaps": "CASE WHEN l && r THEN true WHEN cardinality(l) = 0 AND r IS NOT NULL THEN false"
    " WHEN cardinality(r) = 0 AND l IS NOT NULL THEN false"
    " WHEN array_position(l, NULL) IS NULL AND array_position(r, NULL) IS NULL THEN l && r END",
}


def known(op: str, left: Sql, right: Sql) -> Sql:
    """Return whether a relation surely holds, in a way that an index can answer; what is unknown may be false."""
    if op == "a_overlaps":
        return left.op("&&", is_comparison=True)(right)
    contains, contained = left.op("@>", is_comparison=True)(right), left.op("<@", is_comparison=True)(right)
    return {"a_contains": contains, "a_containedBy": contained, "a_equals": and_(contains, contained)}[op]


def relation(op: str, left: Sql, right: Sql) -> Sql:
    """Return a relation in three-valued logic: null where an array, or an element that decides, is null."""
    return Named(_TEXTS[op], left, right, Boolean())
