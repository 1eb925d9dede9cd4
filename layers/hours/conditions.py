"""Whether entries are open, as expressions of queries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, DateTime, MetaData, Table, Text, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import TSTZRANGE

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
    return entry.in_(select(SPANS.c.entry_id).where(SPANS.c.span.op("@>", is_comparison=True)(at), SPANS.c.certain))


def known_at(entry: Sql, at: Sql) -> Sql:
    """Return the condition that it is known whether the entry of this id is open at a moment."""
    unsure = select(SPANS.c.entry_id).where(SPANS.c.span.op("@>", is_comparison=True)(at), SPANS.c.certain.is_(False))
    covered = SCHEDULES.c.covered.op("@>", is_comparison=True)(at)
    return entry.in_(select(SCHEDULES.c.entry_id).where(covered, SCHEDULES.c.entry_id.not_in(unsure)))


def now_statement() -> Statement:
    """Return the statement of an entry (``id``) at a moment (``at``): its open time then, and its next one.

    One row at most, none where nothing is known: ``horizon``; ``certain``, ``schedule`` and ``closes`` of the time that
    the moment lies in; ``opens`` and ``opens_certain`` of the next. Times are null where there are none.
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
            SCHEDULES.c.entry_id == bindparam("id", type_=Text), SCHEDULES.c.covered.op("@>", is_comparison=True)(at)
        )
    )
