"""Opening hours as another evaluator has them: a year of them, value by value, at hundreds of moments."""

import bisect
import csv
import datetime as dt
import random

import holidays
import pytest

from layers.hours import nights
from layers.hours.calendar import Calendar
from layers.hours.spans import open_hours
from layers.hours.syntax import depends_on_sun, parse, parse_expression
from tests.clocks import citys, of_ramadan
from tests.conftest import DATA
from tests.evaluator import evaluate, read_values
from tests.many import THOROUGH

START, END = dt.date(2026, 11, 1), dt.date(2027, 11, 1)
WEEK = dt.timedelta(days=7)
CALENDAR = Calendar()
#: What each says of sunrise differs by a minute or two.
SUN = dt.timedelta(minutes=6)
#: An hour ahead, as the other's clock is, but around Ramadan.
ZONE = of_ramadan(2026, 2027)


@pytest.fixture(scope="module", autouse=True)
def changing_clock():
    """Let the city's clock be one that changes."""
    with citys(ZONE):
        yield


def moments(count, seed=1):
    """Return times of the clock on the wall over the year, at random, and at the quarters that values often name."""
    chance = random.Random(seed)
    days = (END - START).days
    midnight = dt.datetime.combine(START, dt.time())
    return [
        midnight + dt.timedelta(days=chance.randrange(days), minutes=chance.choice((5, 15)) * chance.randrange(96))
        for _ in range(count)
    ]


def letters(value, times, calendar=CALENDAR):
    """Say of each time what our spans say; a space near what follows the sun, or where the clock is put back."""
    hours = open_hours(value, None, calendar, START, END)
    if not hours.parsed:
        return None
    starts = [span.start for span in hours.spans]
    edges = sorted(edge for span in hours.spans for edge in (span.start, span.end)) if depends_on_sun(value) else []
    said = ""
    for time in times:
        at = time.replace(tzinfo=ZONE)
        place = bisect.bisect_right(starts, at) - 1
        span = hours.spans[place] if place >= 0 else None
        near = bisect.bisect_left(edges, at - SUN) != bisect.bisect_right(edges, at + SUN)
        if edges and (near or at.utcoffset() != dt.timedelta(hours=1)):
            said += " "
        else:
            said += "c" if span is None or span.end <= at else "o" if span.certain else "u"
    return said


def differences(ours, theirs):
    return [number for number, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a not in (b, " ")]


def with_dates(value, calendar=CALENDAR):
    dates = [day.date for day in calendar.holidays(START - WEEK, END + WEEK)]
    return " || ".join(parse(value, dates))


def data_values():
    found = set()
    for file in DATA.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                found |= {row.get("opening_hours") or "", row.get("opening_hours_ramadan") or ""}
    return sorted(found - {""})


def test_there_are_values_to_compare():
    assert len(set(read_values("moroccan.txt"))) >= 200
    assert len(data_values()) >= 14


@pytest.mark.parametrize("values", [data_values(), read_values("moroccan.txt")], ids=["data", "moroccan"])
def test_both_say_the_same_over_a_year(values):
    times = moments(3000 if THOROUGH else 500)
    found = evaluate([with_dates(value) for value in values], times)
    for value, theirs in zip(values, found, strict=True):
        ours = letters(value, times)
        assert ours is not None, value
        assert theirs is not None, value
        wrong = differences(ours, theirs)
        assert not wrong, (value, [(str(times[n]), ours[n], theirs[n]) for n in wrong[:5]])
        assert ours.count(" ") < len(times) / 4


class France(Calendar):
    """France, of which opening_hours.js knows the public holidays by itself."""

    def holidays(self, start, end):
        days = holidays.country_holidays("FR", years=range(start.year, end.year + 1))
        named = Calendar().holidays(dt.date(2027, 1, 1), dt.date(2027, 1, 2))[0]
        return [type(named)(day, name, name, False) for day, name in sorted(days.items()) if start <= day < end]


def test_holidays_become_dates_as_the_other_evaluator_understands_them():
    values = [value for value in read_values("moroccan.txt") if "PH" in value]
    assert len(values) > 20
    calendar = France()
    days = [holiday.date for holiday in calendar.holidays(START, END)]
    times = moments(300) + [
        dt.datetime.combine(day + dt.timedelta(days=shift), dt.time(hour, 5))
        for day in days
        for shift in (-1, 0, 1)
        for hour in range(0, 24, 2)
        if START <= day + dt.timedelta(days=shift) < END
    ]
    # To them a place of which only closed days are known is closed on all; to us the others are unknown.
    asked = [f"24/7 unknown; {value}" if value == "PH off" else value for value in values]
    for value, theirs in zip(values, evaluate(asked, times, "fr", (48.85, 2.35)), strict=True):
        wrong = differences(letters(value, times, calendar), theirs)
        assert not wrong, (value, [str(times[n]) for n in wrong[:5]])


def drawn(chance):
    """Draw a value of some rules, often with nights and remarks."""

    def days():
        first, last = sorted(chance.sample(range(7), 2))
        names = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
        return chance.choice([f"{names[first]}-{names[last]} ", f"{names[first]},{names[last]} ", f"{names[first]} "])

    def time():
        begin = chance.randrange(0, 92)
        end = chance.choice([begin + chance.randrange(1, 40), begin + 4])
        end = end % 96 if end > 96 else end
        return f"{begin // 4:02}:{begin % 4 * 15:02}-{end // 4:02}:{end % 4 * 15:02}"

    rules = [days() + time()]
    for _ in range(chance.randrange(0, 4)):
        when = chance.choice([days(), days(), chance.choice(["Jul-Aug ", "week 10-30 ", "Mar 03 ", "Dec 24-Jan 02 "])])
        what = chance.choice([time(), time(), time(), "off", f"{time()} off", f'{time()} "sur rendez-vous"'])
        rules.append(chance.choice(["; ", "; ", ", "]) + when + what)
    return "".join(rules)


def test_drawn_values_agree():
    chance = random.Random(7)
    values = [drawn(chance) for _ in range(3000 if THOROUGH else 250)]
    times = moments(250, seed=3)
    for value, theirs in zip(values, evaluate([with_dates(value) for value in values], times), strict=True):
        ours = letters(value, times)
        assert (ours is None) == (theirs is None), value
        wrong = differences(ours, theirs)
        assert not wrong, (value, [(f"{times[n]:%a %d %b %H:%M}", ours[n], theirs[n]) for n in wrong[:5]])


def test_rules_put_together_are_what_the_parser_makes_of_the_whole():
    """Where no hours go over midnight, the two ways must lead to the same."""
    begin, end = (dt.datetime.combine(day, dt.time()) for day in (START, END))
    compared = 0
    for value in read_values("moroccan.txt"):
        (text, *others) = with_dates(value).split(" || ")
        if others or depends_on_sun(text) or nights.has_nights(text) or '"' in text:
            continue
        whole = [(s, e) for s, e, state, _ in parse_expression(text).intervals(begin, end) if str(state) == "open"]
        parts = nights.evaluate(text, begin, end)
        minutes = set(moments(200, seed=5))
        compared += 1
        for time in minutes:
            assert any(s <= time < e for s, e in whole) == any(s <= time < e for s, e, sure in parts if sure), value
    assert compared > 100
