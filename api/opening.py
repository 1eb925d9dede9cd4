"""Says whether a place is open now, until when, and when it opens next."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

from babel.dates import format_date

from api.i18n import Messages
from layers.database import Statement
from layers.hours.conditions import now_statement

if TYPE_CHECKING:
    from api.cards import Row
    from api.state import State

_DAY = dt.timedelta(days=1)


@cache
def _statement() -> Statement:
    return now_statement()


async def opening_rows(state: State, entry: str, t: Messages, now: dt.datetime | None = None) -> list[Row]:
    """Return the rows of a card on an entry's hours at a moment, now by default; a holiday is named."""
    now = now or dt.datetime.now(dt.UTC)
    row = await state.database.row(_statement(), id=entry, at=now)
    local = now.astimezone(state.settings.zone)
    value = t("cards.now.unknown") if row is None else say(row, local, t)
    known = row is not None and not (row["present"] and not row["certain"])
    rows: list[Row] = [{"kind": "text", "label": t("cards.now.label"), "value": value, "known": known}]
    for holiday in state.calendar.holidays(local.date(), local.date() + _DAY):
        name = holiday.ar if t.lang == "ar" else holiday.fr
        text = t("cards.now.estimated", name=name) if holiday.estimated else name
        rows.append({"kind": "text", "label": t("cards.now.holiday"), "value": text, "known": True})
    return rows


def say(row: Any, now: dt.datetime, t: Messages) -> str:
    """Put an answer of :func:`now_statement` into words; ``now`` is local time."""
    if row["present"]:
        if not row["certain"]:
            return t("cards.now.condition")
        # At the horizon our knowledge ends, not the opening.
        return t("cards.now.open") if row["closes"] >= row["horizon"] else _when("open", row["closes"], now, t)
    if row["opens"] is None or not row["opens_certain"]:
        return t("cards.now.closed")
    return _when("closed", row["opens"], now, t)


def _when(key: str, moment: dt.datetime, now: dt.datetime, t: Messages) -> str:
    local = moment.astimezone(now.tzinfo)
    day, time = local.date(), f"{local:%H:%M}"
    if time == "00:00" and key == "open":
        # The end of a day is the day's own.
        day, time = day - _DAY, "24:00"
    # Times stay left to right within an Arabic line.
    time = f"\u2066{time}\u2069"
    if day == now.date():
        return t(f"cards.now.{key}-today", time=time)
    if day == now.date() + _DAY:
        return t(f"cards.now.{key}-tomorrow", time=time)
    return t(f"cards.now.{key}-day", day=format_date(day, "EEEE d MMMM", locale=t.locale), time=time)
