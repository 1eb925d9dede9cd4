"""Reads OpenStreetMap's ``opening_hours`` (https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification).

The grammar is the parser's (opening-hours-rs). Done ahead of it: public holidays become dates, as its own calendar of
Morocco lacks most of them; rules after ``||`` are set apart, as it passes over them; and what can't be known is
refused, such as school holidays, an open end and 30 February, of which it makes something definite.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache

from opening_hours import OpeningHours, validate

#: Longest value that is looked at, in characters.
LONGEST = 1000
_DAY = r"(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_DAYS = rf"{_DAY}(?:\s*-\s*{_DAY})?(?:\[[^\]]*\])?"
_ITEM = rf"(?:PH(?:\s*[+-]\s*\d+\s*days?)?|{_DAYS})"
#: One rule ends at these; at a comma only after a time or a state, before a day or month.
_SEPARATOR = re.compile(r"\s*(;|(?<=[\d\"fdn]),(?=\s+[A-Za-z]))\s*")
_HOLIDAY_RULE = re.compile(
    rf"(?P<wide>.*?)(?<![A-Za-z])(?P<days>{_ITEM}(?:\s*,\s*{_ITEM})*)(?P<narrow>(?:\s+{_DAYS}(?:,\s*{_DAYS})*)?)"
    r"(?P<rest>(?:\s+(?!PH)[^A-Z].*)?)"
)
_HOLIDAY = re.compile(r"PH(?:\s*([+-])\s*(\d+)\s*days?)?")
QUOTED = re.compile(r'"[^"]*"')
#: School holidays, of which there is no calendar; times without an end; moments that come again and again.
_UNKNOWABLE = re.compile(r"\bSH\b|\d\s*\+\s*(?:$|[;,|a-z\"])|\d:\d\d\s*/")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = "|".join(_MONTHS)
#: Days of a month; a number before a colon is an hour.
_DATES = re.compile(
    rf"(?:(?<![-\d])(?P<year>\d{{4}})\s+)?\b(?P<month>{_MONTH})\s+"
    r"(?P<days>\d{1,2}(?![\d:])(?:\s*[-,]\s*\d{1,2}(?![\d:]))*)",
    re.IGNORECASE,
)
#: From one year, or a date in it, to another.
_YEARS = re.compile(
    rf"\b(\d{{4}})(?:\s+({_MONTH})\s+(\d{{1,2}}))?\s*-\s*(\d{{4}})(?:\s+({_MONTH})\s+(\d{{1,2}}))?(?![\d:])",
    re.IGNORECASE,
)
SUN = re.compile(r"\b(?:sunrise|sunset|dawn|dusk)\b")
#: A rule that closes.
_OFF = re.compile(r'\b(?:off|closed)(?:\s*"")?\s*$')
#: An expression of which nothing follows.
NOTHING_KNOWN = "24/7 unknown"
#: The state is said, so what stands behind it is no condition.
_OPEN_REMARK = re.compile(r'\bopen\s+"[^"]*"')


class Unparsable(ValueError):
    """A value that is not understood, or can't be known exactly; it stays the text that it is."""


def parse(value: str, dates: Sequence[dt.date]) -> list[str]:
    """Return a value's expressions as the parser takes them, ahead of a ``||`` and behind it, holidays as dates.

    Parameters
    ----------
    dates : sequence of date
        The public holidays of the time that matters.

    Raises
    ------
    Unparsable
        When any part of it is not understood.
    """
    text = _OPEN_REMARK.sub("open", " ".join(value.split())).rstrip("; ")
    bare = QUOTED.sub('""', text)
    if not text or len(text) > LONGEST or _UNKNOWABLE.search(bare) or _is_never(bare):
        raise Unparsable(value)
    if not bare.strip('"|;, '):
        # A remark alone says neither when nor whether.
        return [NOTHING_KNOWN]
    only_closed = "||" not in bare and all(_OFF.search(rule) for rule, _ in split_rules(bare))
    quoted = iter(QUOTED.findall(text))
    parts = []
    for part in bare.split("||"):
        expanded = _expanded(part.strip(), dates) if re.search(r"\bPH\b", part) else part.strip()
        whole = re.sub('""', lambda _: next(quoted), expanded) if expanded.count('""') == part.count('""') else None
        if whole is None:
            # A remark on a rule that became two, or none: which is whose is lost, what it means is not.
            for _ in range(part.count('""')):
                next(quoted)
            whole = expanded.replace('""', '"?"')
        parse_expression(whole)
        if only_closed:
            # When a place is closed says nothing of the other days.
            nothing_else = expanded == "off" and re.search(r"\bPH\b", part)
            whole = NOTHING_KNOWN if nothing_else else f"{NOTHING_KNOWN}; {whole}"
        parts.append(whole)
    return parts


def _is_never(text: str) -> bool:
    """Tell whether an expression names a day that no month has, or a time that ends before it begins."""
    for dates in _DATES.finditer(text):
        # Without a year, 29 February comes now and then.
        year = int(dates["year"] or 2000)
        last = calendar.monthrange(year, _MONTHS.index(dates["month"].capitalize()) + 1)[1]
        if any(not 1 <= int(day) <= last for day in re.findall(r"\d+", dates["days"])):
            return True

    def moment(year: str, month: str | None, day: str | None, unsaid: int) -> tuple[int, int, int]:
        return int(year), _MONTHS.index(month.capitalize()) if month else unsaid, int(day or unsaid)

    for years in _YEARS.finditer(text):
        begun, month, day, ended, other_month, other_day = years.groups()
        if moment(begun, month, day, 0) > moment(ended, other_month, other_day, 99):
            return True
    return False


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> OpeningHours:
    """Parse one expression, without public holidays and fallbacks, in local time.

    Raises
    ------
    Unparsable
        When it is not in the syntax.
    """
    if not validate(text):
        raise Unparsable(text)
    return OpeningHours(text, auto_country=False, auto_timezone=False)


def depends_on_sun(text: str) -> bool:
    """Tell whether an expression names sunrise or sunset."""
    return SUN.search(QUOTED.sub("", text)) is not None


def is_understood(value: str) -> bool:
    """Tell whether a value is understood."""
    try:
        parse(value, [dt.date(2000, 1, 1)])
    except Unparsable:
        return False
    return True


def split_rules(text: str) -> list[tuple[str, bool]]:
    """Return the rules of an expression without remarks, and whether each adds to the ones before it."""
    pieces = _SEPARATOR.split(text)
    return [(pieces[number], number > 0 and pieces[number - 1] == ",") for number in range(0, len(pieces), 2)]


def _expanded(text: str, dates: Sequence[dt.date]) -> str:
    """Write an expression with dates in place of ``PH``."""
    written = ""
    for rule, adds in split_rules(text):
        before = ", " if adds else "; "
        for part in _rules(rule, dates) if re.search(r"\bPH\b", rule) else [rule]:
            written += (before if written else "") + part
    return written or "off"


def _rules(rule: str, dates: Sequence[dt.date]) -> list[str]:
    """Write a rule about public holidays as one about its other days, if any, and one about dates."""
    match = _HOLIDAY_RULE.fullmatch(rule.strip())
    if match is None or "PH" in match["wide"]:
        raise Unparsable(rule)
    wide, narrow, rest = match["wide"].strip(), match["narrow"].strip(), match["rest"].strip()
    items = [item.strip() for item in re.split(r",(?![^\[]*\])", match["days"])]
    others = [item for item in items if not item.startswith("PH")]
    if others and narrow:
        raise Unparsable(rule)
    days: set[dt.date] = set()
    for item in items:
        if (found := _HOLIDAY.fullmatch(item)) is not None:
            shift = dt.timedelta(days=int(found[2] or 0) * (-1 if found[1] == "-" else 1))
            days.update(day + shift for day in dates)
    if condition := f"{wide} {narrow}".strip():
        wanted = parse_expression(condition)
        days = {day for day in days if wanted.is_open(dt.datetime.combine(day, dt.time(12)))}
    written = [f"{wide} {','.join(others)} {rest}".strip()] if others else []
    # Whether it is understood must not depend on whether there is such a day.
    parse_expression(f"2000 Jan 01 {rest}".strip().replace('""', '"?"'))
    if days:
        listed = ",".join(f"{day:%Y} {_MONTHS[day.month - 1]} {day:%d}" for day in sorted(days))
        written.append(f"{listed} {rest}".strip())
    return written
