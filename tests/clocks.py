"""Clocks that change when a test says so, whatever governments have decided since."""

from __future__ import annotations

import datetime as dt
import io
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest

from layers.hours import spans, sun
from layers.hours.calendar import Calendar

_DAY = dt.timedelta(days=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def changing(ahead: int, changes: Iterable[tuple[dt.datetime, int]], name: str = "Test/Clock") -> ZoneInfo:
    """Return a clock by the hours that it is ahead of UTC, at first and from each instant on (RFC 9636, version 1)."""
    steps = sorted(changes)
    hours = sorted({ahead, *(hour for _, hour in steps)}, key=lambda hour: hour != ahead)
    header = b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, len(steps), len(hours), 4)
    instants = b"".join(struct.pack(">l", int((instant - _EPOCH).total_seconds())) for instant, _ in steps)
    indexes = bytes(hours.index(hour) for _, hour in steps)
    types = b"".join(struct.pack(">lbb", hour * 3600, 0, 0) for hour in hours)
    return ZoneInfo.from_file(io.BytesIO(header + instants + indexes + types + b"+00\0"), key=name)


def of_ramadan(first: int, last: int) -> ZoneInfo:
    """Return Morocco's clock as it was until 2026: an hour ahead, but for the Sundays around each Ramadan."""
    changes = []
    for month in Calendar().ramadans(dt.date(first, 1, 1), dt.date(last, 12, 31)):
        back = month.first - ((month.first.isoweekday() - 1) % 7 + 1) * _DAY
        on = month.last + (7 - month.last.isoweekday() % 7) * _DAY
        changes += [(dt.datetime.combine(day, dt.time(2), dt.UTC), hour) for day, hour in ((back, 0), (on, 1))]
    return changing(1, changes)


@contextmanager
def citys(clock: ZoneInfo) -> Iterator[None]:
    """Let a clock be the city's where hours become instants, for the time of a block."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (sun, spans):
            patch.setattr(module, "ZONE", clock)
        sun.offsets.cache_clear()
        yield
    sun.offsets.cache_clear()
