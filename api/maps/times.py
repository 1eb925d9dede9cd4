"""The time that a map or its list is at: a day or a month, as addresses have it."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from api.i18n import Messages
from geo.errors import InvalidInput

TIME = r"\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?"
_TIME = re.compile(TIME, re.ASCII)


@dataclass(frozen=True)
class Time:
    """A day, or with ``month`` all days of a month, whose first it then is."""

    day: dt.date
    month: bool = False

    def asked(self) -> str:
        """Return it as ``datetime`` of a request for features: a date, or an interval of dates, both ends included."""
        if not self.month:
            return self.day.isoformat()
        last = calendar.monthrange(self.day.year, self.day.month)[1]
        return f"{self.day.isoformat()}/{self.day.replace(day=last).isoformat()}"

    def text(self) -> str:
        """Return it as addresses have it."""
        return self.day.isoformat()[: 7 if self.month else 10]

    def written(self, t: Messages) -> str:
        """Return it as a sentence for readers."""
        if self.month:
            return t("list.in-month", date=t.month(self.text()))
        return t("list.on-day", date=t.date(self.day))

    def stated(self, t: Messages) -> str:
        """Return it as what a picture says of itself."""
        date = t.month(self.text()) if self.month else t.date(self.day)
        return t("map.picture-month" if self.month else "map.picture-day", date=date)

    @classmethod
    def shown(cls, given: Mapping[str, str], controls: Collection[str], zone: dt.tzinfo) -> Time | None:
        """Return the time that is given, else today for a map with the control of time, as it begins; else None: all.

        Raises
        ------
        InvalidInput
            ``parameter.form``.
        """
        if "time" in given:
            return time_of(given["time"])
        return cls(dt.datetime.now(zone).date()) if "time" in controls else None


def seconds_left(now: dt.datetime) -> int:
    """Return for how many seconds it stays the day that it is."""
    tomorrow = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), now.tzinfo)
    return max(int(tomorrow.timestamp() - now.timestamp()), 0)


def time_of(text: str) -> Time:
    """Read a time, ``2026-11-24`` or ``2026-11``.

    Raises
    ------
    InvalidInput
        ``parameter.form``.
    """
    if _TIME.fullmatch(text):
        month = len(text) == len("2026-11")
        try:
            return Time(dt.date.fromisoformat(f"{text}-01" if month else text), month)
        except ValueError:
            pass
    raise InvalidInput("parameter.form", parameter="time", value=text[:40], allowed="2026-11-24, 2026-11")
