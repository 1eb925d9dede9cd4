"""Whether entries are open, as expressions of queries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    MetaData,
    Table,
    Text,
    bindparam,
    exists,
    func,
    literal_column,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE

from layers.database import Statement, compile_statement

Sql = ColumnElement[Any]

_METADATA = MetaData(schema="directory")
SCHEDULES = Table("schedules", _METADATA, Column("entry_id", Text), Column("state", Text), Column("covered", TSTZRANGE))
SPANS = Table(
    "open_spans",
    _METADATA,
    Column("entry_id", Text),
    Column("schedule", Text),
    Column("span", TSTZRANGE),
    Column("certain", Boolean),
)
_MOMENT = DateTime(timezone=True)


def is_open(entry: Sql, at: Sql) -> Sql:
    """Return whether the entry of this id is open at a moment: true, false, or null where that is not known."""
    answer: Sql = func.directory.is_open(entry, at, type_=Boolean)
    return answer


def open_at(entry: Sql, at: Sql) -> Sql:
    """Return the condition that the entry of this id is open at a moment, found by index for many entries at once."""
    opened = select(SPANS.c.entry_id).where(SPANS.c.span.op("@>", is_comparison=True)(at), SPANS.c.certain)
    # The offset keeps PostgreSQL from looking at all the spans of one entry after the other: how many are open at a
    # moment is more than it can guess, and at night that would take fifty times as long.
    return entry.in_(opened.offset(literal_column("0")))


def known_at(entry: Sql, at: Sql) -> Sql:
    """Return the condition that it is known whether the entry of this id is open at a moment, false for no id."""
    covered = SCHEDULES.c.covered.op("@>", is_comparison=True)(at)
    within = SPANS.c.span.op("@>", is_comparison=True)(at)
    unsure = exists().where(SPANS.c.entry_id == SCHEDULES.c.entry_id, within, SPANS.c.certain.is_(False))
    # Subqueries that PostgreSQL makes joins of, however many rows they have.
    return exists().where(SCHEDULES.c.entry_id == entry, covered, not_(unsure))


def closed_at(entry: Sql, at: Sql) -> Sql:
    """Return the condition that the entry of this id is surely closed at a moment."""
    return known_at(entry, at) & not_(open_at(entry, at))


def now_statement() -> Statement:
    """Return the statement of entries (``ids``) at a moment (``at``): their open time then, and their next one.

    One row an entry, none where nothing is known: ``entry_id``; ``horizon``; ``certain``, ``schedule`` and ``closes``
    of the time that the moment lies in; ``opens`` and ``opens_certain`` of the next. Times are null if there are none.
    """
    at = bindparam("at", type_=_MOMENT)
    began, ends = func.lower(SPANS.c.span, type_=_MOMENT), func.upper(SPANS.c.span, type_=_MOMENT)
    own = select(SPANS.c.certain, SPANS.c.schedule, began.label("begins"), ends.label("ends")).where(
        SPANS.c.entry_id == SCHEDULES.c.entry_id
    )
    last = own.where(began <= at).order_by(began.desc()).limit(1).lateral("_last")
    following = own.where(began > at).order_by(began).limit(1).lateral("_next")
    present = last.c.ends > at
    return compile_statement(
        select(
            SCHEDULES.c.entry_id,
            func.upper(SCHEDULES.c.covered, type_=_MOMENT).label("horizon"),
            last.c.certain.label("certain"),
            last.c.schedule.label("schedule"),
            last.c.ends.label("closes"),
            present.label("present"),
            following.c.begins.label("opens"),
            following.c.certain.label("opens_certain"),
        )
        .select_from(SCHEDULES.outerjoin(last, true()).outerjoin(following, true()))
        .where(
            SCHEDULES.c.entry_id == func.any(bindparam("ids", type_=ARRAY(Text))),
            SCHEDULES.c.covered.op("@>", is_comparison=True)(at),
        )
    )


def horizon_statement() -> Statement:
    """Return the statement of the time of which something is known: ``begins``, ``ends``; null where nothing is."""
    covered = SCHEDULES.c.covered
    begins, ends = func.lower(covered, type_=_MOMENT), func.upper(covered, type_=_MOMENT)
    columns: list[Sql] = [func.min(begins).label("begins"), func.max(ends).label("ends")]
    return compile_statement(select(*columns))
