"""Morocco's days: public holidays and Ramadan, and the city's clock."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import holidays
import yaml
from holidays.calendars.islamic import _IslamicLunar
from pydantic import ConfigDict, ValidationError
from pydantic.dataclasses import dataclass as checked

from geo.errors import DefinitionError
from layers.definition import Text
from layers.hours.clock import rules, zone
from layers.strict import load_yaml

ZONE = zone("Africa/Casablanca")
FILE = "holidays.yaml"
_COUNTRY = "MA"
_STRICT = ConfigDict(extra="forbid")


@checked(frozen=True, config=_STRICT)
class Month:
    """A Ramadan: its first and its last day."""

    first: dt.date
    last: dt.date
    estimated: bool = False


@checked(frozen=True, config=_STRICT)
class Overrides:
    """What ``data/holidays.yaml`` says beyond the calendar."""

    added: dict[dt.date, Text]
    removed: list[dt.date]
    ramadan: list[Month]


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day with the names of its public holidays; ``estimated`` where one follows the moon and is not announced."""

    date: dt.date
    fr: tuple[str, ...]
    ar: tuple[str, ...]
    estimated: bool


class Calendar:
    """Public holidays of Morocco and the days of Ramadan.

    ``fingerprint`` tells two calendars apart: spans made with another one are made again.
    """

    def __init__(self, overrides: Overrides | None = None) -> None:
        self._overrides = overrides or Overrides({}, [], [])
        said = [
            version("holidays"),
            rules()[0],
            *(str(day) for day in sorted(self._overrides.added)),
            "-", *(str(day) for day in sorted(self._overrides.removed)),
            *(f"{month.first}/{month.last}" for month in self._overrides.ramadan),
        ]  # fmt: skip
        self.fingerprint = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    def holidays(self, start: dt.date, end: dt.date) -> list[Holiday]:
        """Return the public holidays from ``start`` to before ``end``, in order."""
        found = {day: holiday for year in range(start.year, end.year + 1) for day, holiday in _year(year).items()}
        for day in self._overrides.removed:
            found.pop(day, None)
        for day, name in self._overrides.added.items():
            found[day] = Holiday(day, (name.fr,), (name.ar,), False)
        return [found[day] for day in sorted(found) if start <= day < end]

    def ramadans(self, start: dt.date, end: dt.date) -> list[Month]:
        """Return the Ramadans that have a day from ``start`` to before ``end``, in order.

        The month ends on the eve of Eid al-Fitr; the calendar's estimates are those of the holidays package.
        """
        known = list(self._overrides.ramadan)
        months = known + [
            month
            for year in range(start.year - 1, end.year + 1)
            for month in _ramadans(year)
            if not any(month.first <= other.last and other.first <= month.last for other in known)
        ]
        return sorted((m for m in set(months) if m.first < end and m.last >= start), key=lambda m: m.first)


@lru_cache(maxsize=64)
def _year(year: int) -> dict[dt.date, Holiday]:
    french, arabic, plain = (
        holidays.country_holidays(_COUNTRY, years=year, language=lang, islamic_show_estimated=show)
        for lang, show in (("fr", False), ("ar", False), ("fr", True))
    )
    return {
        day: Holiday(day, tuple(french.get_list(day)), tuple(arabic.get_list(day)), french[day] != plain[day])
        for day in french
    }


@lru_cache(maxsize=64)
def _ramadans(year: int) -> list[Month]:
    """Return the Ramadans that begin in a year."""
    lunar = _IslamicLunar()
    ends = sorted({day for some in (year, year + 1) for day, _ in lunar.eid_al_fitr_dates(some)})
    firsts = sorted({day for day, _ in lunar.ramadan_beginning_dates(year) if day.year == year})
    return [Month(first, next(end for end in ends if end > first) - dt.timedelta(days=1), True) for first in firsts]


def load_calendar(data_dir: Path) -> Calendar:
    """Read ``data/holidays.yaml``; the calendar is the plain one where there is no such file.

    Raises
    ------
    DefinitionError
        Naming the file and the key that is wrong.
    """
    path = data_dir / FILE
    if not path.is_file():
        return Calendar()
    try:
        raw: Any = load_yaml(path.read_text(encoding="utf-8"))
        return Calendar(Overrides(**raw))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DefinitionError(
            "definition.yaml", file=path.name, key="the file", value=str(error)[:80], allowed="YAML"
        ) from error
    except (ValidationError, TypeError, ValueError) as error:
        key = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else "(whole file)"
        raise DefinitionError(
            "definition.invalid", file=path.name, key=key, value="?", allowed="added, removed, ramadan", count=1
        ) from error
