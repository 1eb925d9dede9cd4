"""Says whether places are open at a moment, until when, and when they open next; reads the moments that people name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.lists import format_list

from api.i18n import Messages
from api.params import MOMENT, Condition
from geo.errors import InvalidInput
from layers.hours.conditions import horizon_statement, now_statement
from layers.hours.spans import UNKNOWN
from layers.hours.store import LEAST

if TYPE_CHECKING:
    from api.cards import Row
    from api.state import State

_DAY = dt.timedelta(days=1)
NOW = "now"
#: What a browser's field for a day and a time sends: the clock on the wall.
LOCAL = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?"
LOCAL_FORM = "2026-11-23T09:00"
_LOCAL = re.compile(LOCAL)
#: What Python can still bring to another zone; nothing is known that far away.
_FIRST = dt.datetime.min.replace(tzinfo=dt.UTC) + 2 * _DAY
_LAST = dt.datetime.max.replace(tzinfo=dt.UTC, microsecond=0) - 2 * _DAY

_now = cache(now_statement)
_horizon = cache(horizon_statement)


class Said(NamedTuple):
    """Whether a place is open: ``state`` is open, closed, condition or unknown; ``text`` says it."""

    state: str
    text: str


def moment_of(text: str, parameter: str, zone: ZoneInfo) -> dt.datetime:
    """Read a moment: ``now``, one of RFC 3339, or a local time without a zone; it is returned in UTC, in seconds.

    Raises
    ------
    InvalidInput
        ``parameter.form``, with the forms that there are.
    """
    if text == NOW:
        return dt.datetime.now(dt.UTC).replace(microsecond=0)
    written = _with_plus(text)
    try:
        if _LOCAL.fullmatch(written):
            return local_moment(written, parameter, zone)
        if MOMENT.fullmatch(written):
            return _within(dt.datetime.fromisoformat(re.sub(r"\.\d+", "", written.upper())))
    except ValueError:
        pass
    allowed = f"{NOW}, 2026-11-23T08:00:00Z, {LOCAL_FORM}"
    raise InvalidInput("parameter.form", parameter=parameter, value=text[:60], allowed=allowed)


def local_moment(text: str, parameter: str, zone: ZoneInfo) -> dt.datetime:
    """Read a local time without a zone; of an hour that comes twice it is the first.

    Raises
    ------
    InvalidInput
        ``parameter.form``.
    """
    try:
        if _LOCAL.fullmatch(text):
            return _within(dt.datetime.fromisoformat(text).replace(tzinfo=zone))
    except ValueError:
        pass
    raise InvalidInput("parameter.form", parameter=parameter, value=text[:60], allowed=LOCAL_FORM)


def _within(moment: dt.datetime) -> dt.datetime:
    try:
        moment = moment.astimezone(dt.UTC).replace(microsecond=0)
    except OverflowError:
        moment = _FIRST if moment.year == 1 else _LAST
    return min(max(moment, _FIRST), _LAST)


def _with_plus(text: str) -> str:
    """Return a moment as it was typed: a plus sign in an address is a blank when it arrives."""
    return re.sub(r" (?=\d{2}:\d{2}$)", "+", text)


def lasting(text: str, moment: dt.datetime) -> str:
    """Return the text of a moment that was read from ``text`` so that it means the same at any later time."""
    return written_moment(moment) if text == NOW else _with_plus(text)


def written_moment(moment: dt.datetime) -> str:
    """Write a moment in UTC as RFC 3339 has it."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def is_open(moment: dt.datetime) -> Condition:
    """Return the condition that a place is open, as CQL2-JSON."""
    return {"op": "is_open", "args": [{"timestamp": written_moment(moment)}]}


def is_unknown(moment: dt.datetime) -> Condition:
    """Return the condition that it is not known whether a place is open, as CQL2-JSON."""
    return {"op": "isNull", "args": [is_open(moment)]}


async def horizon(state: State, moment: dt.datetime) -> dt.datetime | None:
    """Return where knowledge ends, its begin or its end, if a moment lies beyond it."""
    now = dt.datetime.now(dt.UTC)
    if now - _DAY < moment < now + (LEAST - 1) * _DAY:
        return None
    row = await state.database.row(_horizon())
    if row is None or row["begins"] is None or row["begins"] <= moment < row["ends"]:
        return None
    end: dt.datetime = row["begins"] if moment < row["begins"] else row["ends"]
    return end


async def opening(state: State, entries: Sequence[str], t: Messages, at: dt.datetime | None = None) -> dict[str, Said]:
    """Say whether entries are open at a moment, now by default, in one question for all."""
    now = dt.datetime.now(dt.UTC)
    rows = await state.database.rows(_now(), ids=list(entries), at=at or now)
    known = {row["entry_id"]: row for row in rows}
    zone = state.settings.zone
    local, today = (at or now).astimezone(zone), now.astimezone(zone).date()
    unknown = Said("unknown", t("cards.now.unknown"))
    return {key: say(known[key], local, t, today) if key in known else unknown for key in entries}


async def opening_rows(state: State, entry: str, t: Messages, now: dt.datetime | None = None) -> list[Row]:
    """Return the rows of a card on an entry's hours at a moment, now by default; a holiday is named."""
    now = now or dt.datetime.now(dt.UTC)
    local = now.astimezone(state.settings.zone)
    found = await state.database.rows(_now(), ids=[entry], at=now)
    said = say(found[0], local, t, local.date()) if found else Said("unknown", t("cards.now.unknown"))
    known = said.state in ("open", "closed")
    rows: list[Row] = [{"kind": "text", "label": t("cards.now.label"), "value": said.text, "known": known}]
    for holiday in state.calendar.holidays(local.date(), local.date() + _DAY):
        # Two may fall on one day, such as that of Oued Eddahab and the Prophet's birthday in 2027.
        name = format_list(holiday.ar if t.lang == "ar" else holiday.fr, locale=t.locale)
        text = t("cards.now.estimated", name=name) if holiday.estimated else name
        rows.append({"kind": "text", "label": t("cards.now.holiday"), "value": text, "known": True})
    return rows


def say(row: Mapping[str, Any], at: dt.datetime, t: Messages, today: dt.date) -> Said:
    """Put an answer of :func:`layers.hours.conditions.now_statement` into words; ``at`` is local time."""
    if row["present"]:
        if row["schedule"] == UNKNOWN:
            return Said("unknown", t("cards.now.unknown"))
        if not row["certain"]:
            return Said("condition", t("cards.now.condition"))
        # At the horizon our knowledge ends, not the opening.
        ends = row["closes"] < row["horizon"]
        return Said("open", _when("open", row["closes"], at, t, today) if ends else t("cards.now.open"))
    if row["opens"] is None or not row["opens_certain"]:
        return Said("closed", t("cards.now.closed"))
    return Said("closed", _when("closed", row["opens"], at, t, today))


def _when(key: str, moment: dt.datetime, at: dt.datetime, t: Messages, today: dt.date) -> str:
    local = moment.astimezone(at.tzinfo)
    day, time = local.date(), f"{local:%H:%M}"
    if time == "00:00" and key == "open":
        # The end of a day is the day's own.
        day, key = day - _DAY, "midnight"
    # Times stay left to right within an Arabic line.
    time = f"\u2066{time}\u2069"
    if day == at.date():
        return t(f"cards.now.{key}-today", time=time)
    # The morrow is that of the reader, not of a moment that is asked for.
    if day == today + _DAY and at.date() == today:
        return t(f"cards.now.{key}-tomorrow", time=time)
    return t(f"cards.now.{key}-day", day=write_day(day, t), time=time)


def write_day(day: dt.date, t: Messages) -> str:
    """Write a day of these weeks, such as ``lundi 30 novembre``."""
    return t.date(day, "EEEE d MMMM")
