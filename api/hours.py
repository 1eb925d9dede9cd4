"""Writes opening hours as people do: OpenStreetMap's ``Mo-Fr 08:30-16:00`` as «lundi – vendredi : 08:30–16:00».

What is written is what counts once later rules have taken the place of earlier ones. What can't be put into words, or
would mean something else in them, is shown as it stands in the data, never guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from babel.dates import get_day_names

from api.i18n import Messages
from layers.hours.calendar import Calendar, Month
from layers.hours.report import HOURS
from layers.hours.syntax import QUOTED, is_understood, split_rules

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = "(?:" + "|".join(_DAYS) + ")"
_MONTH = "(?:" + "|".join(_MONTHS) + ")"
_NUMBER = r"\d{1,2}(?![\d:])"
_DATE = rf"(?:\d{{4}} )?{_MONTH}(?: {_NUMBER})?"
_DATES = rf"{_DATE}(?: ?- ?(?:{_DATE}|{_NUMBER}))?"
_ITEM = rf"(?:PH|{_DAY}(?: ?- ?{_DAY})?)"
_POINT = r"(?:\d{1,2}:\d{2}|sunrise|sunset|dawn|dusk)"
_SPAN = rf"{_POINT} ?- ?{_POINT}"
_RULE = re.compile(
    rf"(?:(?P<dates>{_DATES}(?:, ?{_DATES})*)|week (?P<weeks>\d{{1,2}}(?: ?- ?\d{{1,2}})?))?:? ?"
    rf"(?P<days>{_ITEM}(?:, ?{_ITEM})*)? ?(?P<times>24/7|{_SPAN}(?:, ?{_SPAN})*)? ?"
    r'(?P<state>open|off|closed|unknown)? ?(?P<remark>"")?'
)
_WEEK = frozenset(range(7))
_HOLIDAYS = "PH"
_FULL = 24 * 60
#: A year in which every day of the calendar occurs.
_LEAP = 2024

#: Minutes of the day, or an event of the sun by its name.
Point = int | str
Span = tuple[Point, Point]


class _Unwritable(Exception):
    """A value for which we have no words."""


@dataclass(frozen=True, slots=True)
class _Period:
    """Days of the year: ``text`` as people write them, ``days`` of a leap year; none if they differ by year."""

    text: str
    days: frozenset[int] = frozenset()
    holidays: bool = False


@dataclass(frozen=True, slots=True)
class _Hours:
    """The hours of a day: none where the place is closed."""

    spans: tuple[Span, ...]
    remark: str = ""
    #: Not known on these days, so without spans.
    unknown: bool = False


@dataclass(slots=True)
class _Table:
    """The hours of each weekday in a period, or all year."""

    period: _Period | None
    hours: dict[int, _Hours] = field(default_factory=dict)


def write_hours(value: str, t: Messages) -> list[str]:
    """Return the lines of an opening-hours value in the reader's language."""
    text = " ".join(value.split()).rstrip("; ")
    if not is_understood(text):
        return [value.strip()]
    if not QUOTED.sub("", text):
        return [_isolated(text.strip('"'))]
    try:
        main, *others = _parted(text)
        lines = _lines(*main, t)
        for bare, remarks in others:
            lines.append(t("cards.hours.rule", days=t("cards.hours.otherwise"), hours=_otherwise(bare, remarks, t)))
    except _Unwritable:
        return [value.strip()]
    return lines


def write_all_hours(record: Mapping[str, Any], t: Messages, calendar: Calendar, today: dt.date) -> list[str]:
    """Return the lines of an entry's hours: the usual ones, and those of the next Ramadan or the one that it is."""
    usual, ramadan = (record[name] for name in HOURS)
    lines = write_hours(usual, t) if usual else []
    if not ramadan:
        return lines
    return [*lines, _dated("ramadan", _ramadan(calendar, today), t), *write_hours(ramadan, t)]


def write_validity(t: Messages, calendar: Calendar, today: dt.date, *, lasting: bool = False) -> dict[str, str]:
    """Say when the usual hours and those of Ramadan hold, and which do today, by the names in ``HOURS``.

    It is for an entry that has both; of the usual ones there is something to say in Ramadan only. What is kept for
    later, ``lasting``, has the dates alone.
    """
    usual, ramadan = HOURS
    month = _ramadan(calendar, today)
    if lasting or today < month.first:
        return {ramadan: _dated("holds", month, t)}
    return {usual: _dated("holds-not", month, t), ramadan: _dated("holds-now", month, t)}


def _ramadan(calendar: Calendar, today: dt.date) -> Month:
    """Return the next Ramadan, or the one that it is."""
    # A year of the moon is shorter than ours.
    return calendar.ramadans(today, today + dt.timedelta(days=365))[0]


def _dated(key: str, month: Month, t: Messages) -> str:
    key = f"cards.hours.{key}-estimated" if month.estimated else f"cards.hours.{key}"
    return t(key, first=month.first, last=month.last)


def _otherwise(bare: str, remarks: list[str], t: Messages) -> str:
    """Write what holds at all other times, in one line."""
    if bare in ('""', 'unknown ""'):
        return _isolated(remarks[0])
    if bare == "unknown":
        return t("cards.hours.unknown")
    return t("cards.hours.then").join(_lines(bare, remarks, t))


def _parted(text: str) -> list[tuple[str, list[str]]]:
    """Return the parts between ``||``, each without what stands in quotes, and that."""
    remarks = [remark.strip('"').strip() for remark in QUOTED.findall(text)]
    found = []
    for part in QUOTED.sub('""', text).split("||"):
        count = part.count('""')
        found.append((part.strip(), remarks[:count]))
        remarks = remarks[count:]
    return found


def _lines(bare: str, remarks: list[str], t: Messages) -> list[str]:
    if bare == "sunrise-sunset":
        return [t("cards.hours.daylight")]
    tables = _tables(bare, iter(remarks), t)
    always = {day: _Hours(((0, _FULL),)) for day in _WEEK}
    lines = []
    for table in tables:
        if table.period is None and table.hours == always:
            lines.append(t("cards.hours.always"))
        else:
            lines += _table(table, t)
    if not lines:
        raise _Unwritable
    return lines


def _tables(bare: str, remarks: Iterator[str], t: Messages) -> list[_Table]:
    """Apply the rules one after the other."""
    tables: list[_Table] = []
    for rule, adds in split_rules(bare):
        match = _RULE.fullmatch(rule.strip())
        if match is None or not rule.strip():
            raise _Unwritable
        remark = next(remarks) if match["remark"] else ""
        items = re.split(r", ?", match["days"] or "")
        period = _period(match["dates"], match["weeks"], t)
        on_holidays = _HOLIDAYS in items
        if period and on_holidays:
            raise _Unwritable
        days = frozenset(day for item in items if item != _HOLIDAYS for day in _weekdays(item))
        closed, unknown = match["state"] in ("off", "closed"), match["state"] == "unknown"
        if unknown and match["times"]:
            raise _Unwritable
        hours = _Hours(() if closed or unknown else _spans(match["times"]), remark, unknown)
        less = _spans(match["times"]) if closed and match["times"] not in (None, "24/7") else ()
        if days or not on_holidays:
            _apply(tables, period, days or _WEEK, hours, less, adds)
        if on_holidays:
            _apply(tables, _Period(t("cards.hours.holidays"), holidays=True), _WEEK, hours, less, adds)
    return [table for table in tables if table.hours]


def _apply(
    tables: list[_Table],
    period: _Period | None,
    days: frozenset[int],
    hours: _Hours,
    less: tuple[Span, ...],
    adds: bool,
) -> None:
    """Have a rule take the place of earlier ones on its days, add to them, or take a closed time from them."""
    table = next((one for one in tables if one.period == period), None)
    others = [one for one in tables if one is not table]
    if less or (adds and hours.spans):
        if period is not None or others:
            raise _Unwritable
        table = table or _added(tables, period)
        for day in days:
            had = table.hours.get(day)
            if had and had.unknown:
                raise _Unwritable
            if less and had:
                table.hours[day] = _Hours(_less(had.spans, less), had.remark)
            elif not less:
                if had and had.remark != hours.remark:
                    raise _Unwritable
                table.hours[day] = _Hours((had.spans if had else ()) + hours.spans, hours.remark)
        return
    for other in others:
        _replace(other, period, days, hours)
    table = table or _added(tables, period)
    # A rule that comes later stands later, so that what is special follows what is usual.
    table.hours.update(dict.fromkeys(days, hours))


def _added(tables: list[_Table], period: _Period | None) -> _Table:
    table = _Table(period)
    tables.insert(0 if period is None else len(tables), table)
    return table


def _replace(other: _Table, period: _Period | None, days: frozenset[int], hours: _Hours) -> None:
    """Take the days of a later rule from the table of another period."""
    if period is None:
        covers = True
    elif other.period is None or period.holidays:
        # An exception to what is usual, or to a season.
        return
    else:
        mine, theirs = period.days, other.period.days
        if mine and theirs and (not mine & theirs or mine < theirs):
            return
        covers = bool(theirs) and theirs <= mine
    for day in days & other.hours.keys():
        if covers:
            del other.hours[day]
        elif other.hours[day] != hours:
            raise _Unwritable


def _weekdays(item: str) -> list[int]:
    if not item:
        return []
    first, _, last = item.replace(" ", "").partition("-")
    start, end = _DAYS.index(first), _DAYS.index(last or first)
    return [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]


def _spans(text: str | None) -> tuple[Span, ...]:
    if text in (None, "24/7"):
        return ((0, _FULL),)
    return tuple(_read_span(span) for span in text.split(","))


def _read_span(text: str) -> Span:
    """Read a span; one from midnight to midnight is the whole day."""
    opens, closes = map(_point, text.split("-"))
    if isinstance(opens, int) and isinstance(closes, int) and closes - opens > _FULL:
        # Its end as a time of the day would say a day too little.
        raise _Unwritable
    return (0, _FULL) if (opens, closes) == (0, 0) else (opens, closes)


def _point(text: str) -> Point:
    hour, colon, minute = text.strip().partition(":")
    return int(hour) * 60 + int(minute) if colon else hour


def _less(spans: Iterable[Span], taken: Iterable[Span]) -> tuple[Span, ...]:
    """Return what of the spans lies in none of those taken, all of them within one day."""
    left = list(spans)
    for begin, finish in taken:
        cut: list[Span] = []
        for opens, closes in left:
            if not all(isinstance(point, int) for point in (begin, finish, opens, closes)):
                raise _Unwritable
            assert isinstance(begin, int) and isinstance(finish, int) and isinstance(opens, int)  # noqa: PT018
            assert isinstance(closes, int)
            if finish <= begin or closes <= opens or max(finish, closes) > _FULL:
                raise _Unwritable
            cut += [(opens, min(closes, begin))] if opens < begin else []
            cut += [(max(opens, finish), closes)] if closes > finish else []
        left = cut
    return tuple(left)


def _period(dates: str | None, weeks: str | None, t: Messages) -> _Period | None:
    if weeks:
        first, _, last = weeks.replace(" ", "").partition("-")
        if last:
            return _Period(t("cards.hours.weeks", first=int(first), last=int(last)))
        return _Period(t("cards.hours.week", number=int(first)))
    if not dates:
        return None
    texts: list[str] = []
    days: set[int] = set()
    for part in re.split(r", ?", dates):
        first, _, last = (end.strip() for end in part.partition("-"))
        if last.isdigit():
            last = f"{first.rsplit(' ', 1)[0]} {last}"
        begin, end = _date(first, 1), _date(last or first, 31)
        shown = [_written(first, t), *([_written(last, t)] if last else [])]
        texts.append(" – ".join(shown))
        days.update(_between(begin, end))
    by_year = re.search(r"\d{4}", dates)
    return _Period(t("cards.hours.and").join(texts), frozenset() if by_year else frozenset(days))


def _date(text: str, day: int) -> dt.date:
    """Return a date in a year that has them all; of a month its first day, or its last where ``day`` is 31."""
    parts = text.split()
    month = next(number for number, name in enumerate(_MONTHS, 1) if name in parts)
    if parts[-1] not in _MONTHS:
        day = int(parts[-1])
    elif day > 1:
        return (dt.date(_LEAP, month, 28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    try:
        return dt.date(_LEAP, month, day)
    except ValueError as error:
        raise _Unwritable from error


def _between(begin: dt.date, end: dt.date) -> Iterator[int]:
    first, last = begin.timetuple().tm_yday, end.timetuple().tm_yday
    yield from range(first, last + 1) if first <= last else (*range(first, 367), *range(1, last + 1))


def _written(text: str, t: Messages) -> str:
    parts = text.split()
    form = ("d " if parts[-1] not in _MONTHS else "") + ("MMMM" if parts[-1] not in _MONTHS else "LLLL")
    year = int(parts[0]) if parts[0].isdigit() else None
    day = _date(text, 1)
    if year is None:
        return t.date(day, form)
    try:
        return t.date(day.replace(year=year), f"{form} y")
    except ValueError as error:
        raise _Unwritable from error


def _table(table: _Table, t: Messages) -> Iterator[str]:
    """Yield a line for the days that have the same hours."""
    groups: dict[_Hours, list[int]] = {}
    for day in sorted(table.hours):
        groups.setdefault(table.hours[day], []).append(day)
    for hours, days in groups.items():
        when = "" if table.period else t("cards.hours.daily")
        if len(days) < len(_WEEK):
            when = t("cards.hours.and").join(_runs(days, t))
        if table.period:
            when = t("cards.hours.within", period=table.period.text, days=when) if when else table.period.text
        yield t("cards.hours.rule", days=when, hours=_hours(hours, t))


def _runs(days: list[int], t: Messages) -> Iterator[str]:
    """Yield weekdays, three and more that follow each other as from one to another."""
    names = get_day_names("wide", locale=t.locale)
    run: list[int] = []
    for day in [*days, 99]:
        if run and day != run[-1] + 1:
            yield from [f"{names[run[0]]} – {names[run[-1]]}"] if len(run) > 2 else [str(names[one]) for one in run]
            run = []
        run.append(day)


def _hours(hours: _Hours, t: Messages) -> str:
    spans = t("cards.hours.and").join(_span(span, t) for span in sorted(hours.spans, key=_order))
    said = spans or t("cards.hours.unknown" if hours.unknown else "cards.hours.closed")
    return t("cards.hours.remark", hours=said, remark=_isolated(hours.remark)) if hours.remark else said


def _order(span: Span) -> int:
    opens = span[0]
    return opens if isinstance(opens, int) else {"dawn": 360, "sunrise": 390, "sunset": 1140}.get(opens, 1170)


def _span(span: Span, t: Messages) -> str:
    opens, closes = span
    if span == (0, _FULL):
        return t("cards.hours.whole-day")
    if isinstance(opens, int) and isinstance(closes, int):
        # Times stay left to right within an Arabic line.
        return f"\u2066{_clock(opens)}–{_clock(closes)}\u2069"
    ends = (f"\u2066{_clock(end)}\u2069" if isinstance(end, int) else t(f"cards.hours.{end}") for end in span)
    return " – ".join(ends)


def _clock(minutes: int) -> str:
    minutes -= _FULL if minutes > _FULL else 0
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _isolated(text: str) -> str:
    """Keep a text of either direction apart from what stands around it."""
    return f"\u2068{text}\u2069"
