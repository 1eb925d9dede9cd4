"""Hours that follow the sun: what the parser works out with a clock that stays, between the changes of the city's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, State, validate

from layers.hours.calendar import ZONE
from layers.hours.syntax import Unparsable

#: Where the sun is looked at, latitude first: the middle of Casablanca, whose edges are less than a minute away.
_PLACE = (33.573, -7.6)
_DAY = dt.timedelta(days=1)
_HOUR = dt.timedelta(hours=1)


@lru_cache(maxsize=64)
def offsets(start: dt.date, end: dt.date) -> list[tuple[dt.datetime, dt.datetime, dt.timedelta]]:
    """Return the times, in UTC, between changes of the clock, with what it is ahead; clocks change at full hours."""
    first = dt.datetime.combine(start, dt.time(), dt.UTC) - _DAY
    hours = [first + number * _HOUR for number in range(((end - start).days + 2) * 24 + 1)]
    found: list[tuple[dt.datetime, dt.datetime, dt.timedelta]] = []
    for hour in hours:
        offset = hour.astimezone(ZONE).utcoffset() or dt.timedelta()
        if found and found[-1][2] == offset:
            found[-1] = (found[-1][0], hour + _HOUR, offset)
        else:
            found.append((hour, hour + _HOUR, offset))
    return found


class UnderTheSun:
    """An expression that names sunrise or sunset.

    The parser has rules of time zones of its own, which are as old as it is; so it is told of none that change.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def intervals(self, start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime, State, str]]:
        """Yield the intervals of the expression by the clock on the wall, cut where that is put forward or back."""
        for since, until, offset in offsets(start.date(), end.date()):
            first, last = max(start, _wall(since, offset)), min(end, _wall(until, offset))
            if first < last:
                yield from _read(self._text, offset).intervals(first, last)


def _wall(instant: dt.datetime, offset: dt.timedelta) -> dt.datetime:
    return (instant + offset).replace(tzinfo=None)


@lru_cache(maxsize=64)
def _read(text: str, offset: dt.timedelta) -> OpeningHours:
    if not validate(text):
        raise Unparsable(text)
    # The names of these zones say what is behind UTC.
    clock = ZoneInfo(f"Etc/GMT{-offset // _HOUR:+d}")
    return OpeningHours(text, timezone=clock, coords=_PLACE, auto_country=False)
