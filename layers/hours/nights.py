"""Evaluates several rules whose hours go over midnight.

The specification applies rules one after the other: a rule takes the days that it names from the rules before it, and
what goes over midnight of its own hours stays. The parser cuts it off wherever the next day has another rule, so the
night from Sunday to Monday would end at midnight. Here each rule is evaluated alone and then they are put together.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from opening_hours import OpeningHours, State

from layers.hours.sun import UnderTheSun
from layers.hours.syntax import QUOTED, parse_expression, split_rules

#: A time of the day, open and close; what a rule's days end at.
_TIME = r"(?:\d{1,2}:\d{2}|\(?(?:sunrise|sunset|dawn|dusk)\b)"
_RULE = re.compile(
    rf'(?P<days>.*?)\s*(?P<times>(?:24/7|{_TIME}[^"a-z]*(?:[a-z]+[^"a-z]*)*?)?)\s*'
    r'(?P<state>\b(?:open|off|closed|unknown)\b)?\s*(?P<remark>"[^"]*")?\s*'
)
_SPAN = re.compile(r"(\d{1,2}:\d{2}|[a-z]\)?|\d\))\s*-\s*(\d{1,2}):(\d{2})")
_DAY = dt.timedelta(days=1)

#: How an expression is read.
Read = Callable[[str], OpeningHours | UnderTheSun]
#: Start and end in local time, and whether the place is surely open.
Piece = tuple[dt.datetime, dt.datetime, bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in its parts; ``adds`` where it leaves the days' other hours as they are."""

    days: str
    times: str
    state: str
    adds: bool


def has_nights(text: str) -> bool:
    """Tell whether an expression has several rules, and hours that go over midnight."""
    bare = QUOTED.sub("", text)
    if len(split_rules(bare)) < 2:
        return False
    for begin, hour, minute in _SPAN.findall(bare):
        end = int(hour) * 60 + int(minute)
        start = int(begin.split(":")[0]) * 60 + int(begin.split(":")[1]) if ":" in begin else 12 * 60
        if end > 24 * 60 or 0 < end <= start:
            return True
    return False


def evaluate(text: str, start: dt.datetime, end: dt.datetime, read: Read = parse_expression) -> list[Piece]:
    """Return the open time of an expression from ``start`` to ``end``, midnights in local time.

    Raises
    ------
    Unparsable
        When a rule is not understood by itself.
    """
    pieces: list[Piece] = []
    for rule in _parts(text):
        own = _times(f"{rule.days} {rule.times}", start - _DAY, end, read)
        closes_it = rule.state in ("off", "closed")
        if closes_it and rule.times:
            pieces = list(_less(pieces, own))
        elif not rule.adds or closes_it:
            pieces = list(_less(pieces, _times(rule.days, start - _DAY, end, read)))
        if not closes_it:
            pieces = [*_less(pieces, own), *((opens, closes, rule.state == "open") for opens, closes in own)]
    return sorted(pieces)


def _parts(text: str) -> Iterator[Rule]:
    remarks = iter(QUOTED.findall(text))
    for written, adds in split_rules(QUOTED.sub('""', text)):
        match = _RULE.fullmatch(written.strip())
        assert match is not None, "a rule that was parsed has these parts"
        remark = next(remarks) if match["remark"] else ""
        state = match["state"] or ("unknown" if remark else "open")
        yield Rule(match["days"].rstrip(": "), match["times"].strip(), state, adds)


def _times(text: str, start: dt.datetime, end: dt.datetime, read: Read) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return the times that days, or days with times, stand for."""
    found = read(text.strip() or "24/7").intervals(start, end)
    return [(a.replace(tzinfo=None), b.replace(tzinfo=None)) for a, b, state, _ in found if state != State.CLOSED]


def _less(pieces: Sequence[Piece], taken: Sequence[tuple[dt.datetime, dt.datetime]]) -> Iterator[Piece]:
    """Yield what of the pieces lies in none of the times taken, which are in order."""
    for opens, closes, certain in pieces:
        at = opens
        for begin, finish in taken:
            if finish <= at or begin >= closes:
                continue
            if at < begin:
                yield at, begin, certain
            at = finish
        if at < closes:
            yield at, closes, certain
