"""The clocks of cities, by the newest rules of time zones at hand: the machine's, or those of the tzdata package.

Governments change their clocks at a few weeks' notice, and machines learn of it when somebody updates them: Morocco
went back to UTC in September 2026, and a machine with the rules of 2025 is an hour ahead ever since.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from tzdata import IANA_VERSION  # type: ignore[import-untyped]


def machine_rules(folders: Iterable[str]) -> str:
    """Return which rules a machine has, such as ``2026f``; empty where its files don't say."""
    for folder in folders:
        try:
            with Path(folder, "tzdata.zi").open(encoding="utf-8") as file:
                found = re.fullmatch(r"# version (\d{4}[a-z]+)\s*", file.readline())
        except (OSError, UnicodeDecodeError):
            continue
        return found[1] if found else ""
    return ""


@cache
def rules() -> tuple[str, str]:
    """Return which rules are used from now on in this process, the newest, and which the machine has."""
    machine = machine_rules(zoneinfo.TZPATH)
    if machine < IANA_VERSION:
        # Without folders to look in, the package is read.
        zoneinfo.reset_tzpath(to=())
        ZoneInfo.clear_cache()
    return max(machine, IANA_VERSION), machine


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA database.

    Raises
    ------
    ValueError
        If there is no such zone.
    """
    rules()
    if name not in zoneinfo.available_timezones():
        raise ValueError("must be a name of the tz database, like Africa/Casablanca")
    return ZoneInfo(name)
