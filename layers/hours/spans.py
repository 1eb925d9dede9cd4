"""Works out when a place is open: from the values of its hours to spans of time in UTC.

Hours are those of the clock on the wall. Spans are worked out in local time and become instants last, so that a shop
that opens at eight does so whether or not the clock goes back for Ramadan; of an hour that comes twice, both count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from opening_hours import State

from layers.hours.calendar import ZONE, Calendar
from layers.hours.nights import evaluate, has_nights
from layers.hours.sun import UnderTheSun, offsets
from layers.hours.syntax import QUOTED, Unparsable, depends_on_sun, parse, parse_expression

USUAL = "usual"
RAMADAN = "ramadan"
#: The schedule of a time of which no value says anything.
UNKNOWN = "unknown"
#: A span of the eve that ends by this hour is the eve's night, not hours of the day itself.
_NIGHT = dt.timedelta(hours=6)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A time, from ``start`` to before ``end``, in which a place is open or, where not ``certain``, may be.

    It may be on a condition that the value names or, where ``schedule`` is ``unknown``, because nothing is known.
    """

    start: dt.datetime
    end: dt.datetime
    certain: bool = True
    schedule: str = USUAL


@dataclass(frozen=True, slots=True)
class Hours:
    """What is known of a place: whether its values are understood, whether any is, and spans in UTC.

    The spans stand in order and do not touch, unless they differ in what is known: open, on a condition, nothing.
    """

    parsed: bool
    known: bool
    spans: tuple[Span, ...]


def open_hours(usual: str | None, ramadan: str | None, calendar: Calendar, start: dt.date, end: dt.date) -> Hours:
    """Work out when a place is open.

    Parameters
    ----------
    usual, ramadan : str, optional
        Values of ``opening_hours``; without one of its own, Ramadan is as usual.
    start, end : date
        The days, from the midnight that begins ``start`` to the one that begins ``end``, local time.
    """
    values = {USUAL: usual, RAMADAN: ramadan or usual}
    found: list[Span] = []
    known = False
    # One day more at each side, as nights go over midnight.
    wide = (start - _DAY, end + _DAY)
    for first, after, schedule in _seasons(calendar, *wide) if ramadan else [(*wide, USUAL)]:
        local = _local(values[schedule], calendar, first, after)
        if local is None:
            local = [Span(_midnight(first), _midnight(after), False, UNKNOWN)]
        else:
            known = True
        found += [span if span.schedule == UNKNOWN else replace(span, schedule=schedule) for span in local]
    found.sort(key=lambda span: not span.certain)
    spans = apart(_instants(_clipped(apart(found), _midnight(start), _midnight(end)), start, end))
    parsed = all(_is_understood(value) for value in (usual, ramadan))
    # Hours of Ramadan alone are understood, though they tell of no day until it comes.
    known = known or parsed
    return Hours(parsed, known, tuple(spans) if known else ())


def apart(spans: Iterable[Span]) -> list[Span]:
    """Return spans that do not overlap, in order; of two that do the one that comes first has the time of both.

    Those that touch and of which the same is known become one, with the schedule of its begin.
    """
    given = list(spans)
    events = sorted(
        event for number, span in enumerate(given) for event in ((span.start, 1, number), (span.end, 0, number))
    )
    active: set[int] = set()
    found: list[Span] = []
    since: dt.datetime | None = None
    for time, begins, number in events:
        if active and since is not None and since < time:
            winner = given[min(active)]
            last = found[-1] if found else None
            if last is not None and last.end == since and _known(last) == _known(winner):
                found[-1] = replace(last, end=time)
            else:
                found.append(replace(winner, start=since, end=time))
        (active.add if begins else active.discard)(number)
        since = time
    return found


def _known(span: Span) -> tuple[bool, bool]:
    return span.certain, span.schedule == UNKNOWN


def _is_understood(value: str | None) -> bool:
    return value is None or _parsed(value, ()) is not None


def _parsed(value: str, dates: tuple[dt.date, ...]) -> list[str] | None:
    try:
        return parse(value, dates)
    except Unparsable:
        return None


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())


def _seasons(calendar: Calendar, start: dt.date, end: dt.date) -> Iterator[tuple[dt.date, dt.date, str]]:
    at = start
    for month in calendar.ramadans(start, end):
        first, after = max(month.first, at), min(month.last + _DAY, end)
        if at < first:
            yield at, first, USUAL
        yield first, after, RAMADAN
        at = after
    if at < end:
        yield at, end, USUAL


def _local(value: str | None, calendar: Calendar, first: dt.date, after: dt.date) -> list[Span] | None:
    """Return a value's spans of the days from ``first`` to before ``after``, or None; nights are their evening's."""
    dates = tuple(holiday.date for holiday in calendar.holidays(first - 7 * _DAY, after + 7 * _DAY))
    texts = None if value is None else _parsed(value, dates)
    if texts is None:
        return None
    start, end = _midnight(first), _midnight(after)
    # What stands behind || is for the time in which all that stands before leaves the place closed.
    spans = apart(span for text in texts for span in _intervals(text, start - _DAY, end + _DAY))
    kept = []
    for span in spans:
        eve = span.start < start and span.end <= start + _NIGHT
        if span.start < end and span.end > start and not eve:
            closes = span.end if span.end <= end + _NIGHT else end
            kept.append(replace(span, start=max(span.start, start), end=closes))
    return kept


def _intervals(text: str, start: dt.datetime, end: dt.datetime) -> Iterator[Span]:
    """Yield the spans of one expression; a remark without a state is a condition that we can't judge."""
    unsaid = USUAL if QUOTED.search(text) else UNKNOWN
    read = UnderTheSun if depends_on_sun(text) else parse_expression
    if has_nights(text):
        with suppress(Unparsable):  # the parser knows ways to write a whole that its parts have not
            for opens, closes, certain in evaluate(text, start, end, read):
                yield Span(opens, closes, certain, USUAL if certain else unsaid)
            return
    for opens, closes, state, remark in read(text).intervals(start, end):
        if state != State.CLOSED:
            certain = state == State.OPEN and not remark
            schedule = USUAL if certain or remark else UNKNOWN
            yield Span(opens.replace(tzinfo=None), closes.replace(tzinfo=None), certain, schedule)


def _clipped(spans: Iterable[Span], start: dt.datetime, end: dt.datetime) -> Iterator[Span]:
    for span in spans:
        if span.start < end and span.end > start:
            yield replace(span, start=max(span.start, start), end=min(span.end, end))


def _instants(spans: Iterable[Span], start: dt.date, end: dt.date) -> Iterator[Span]:
    """Turn local spans into UTC: all instants at which the clock on the wall shows a time of theirs."""
    for span in spans:
        for since, until, offset in offsets(start, end):
            opens = max(span.start.replace(tzinfo=dt.UTC) - offset, since)
            closes = min(span.end.replace(tzinfo=dt.UTC) - offset, until)
            if opens < closes:
                yield replace(span, start=opens, end=closes)


def instant(day: dt.date) -> dt.datetime:
    """Return the instant at which a day begins."""
    return dt.datetime.combine(day, dt.time(), ZONE).astimezone(dt.UTC)
