"""When places are open, in instants: nights, Ramadan with its clock, public holidays, what is not understood."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opening_hours import OpeningHours

from geo.errors import DefinitionError
from layers.hours import nights
from layers.hours.calendar import Calendar, Month, Overrides, load_calendar
from layers.hours.report import SHOWN, misunderstood
from layers.hours.spans import RAMADAN, UNKNOWN, USUAL, Span, apart, open_hours
from layers.hours.syntax import LONGEST, depends_on_sun, is_understood
from tests.clocks import citys, of_ramadan
from tests.conftest import DATA
from tests.evaluator import read_values

CALENDAR = Calendar(Overrides({}, [], [Month(dt.date(2027, 2, 8), dt.date(2027, 3, 9))]))
VALUES = read_values("moroccan.txt")
DAY = dt.timedelta(days=1)
days = st.dates(dt.date(2026, 1, 1), dt.date(2034, 1, 1))
#: A clock that changes twice a year.
ZONE = of_ramadan(2026, 2034)


@pytest.fixture(scope="module", autouse=True)
def changing_clock():
    """Let the city's clock be one that changes."""
    with citys(ZONE):
        yield


def utc(text):
    return dt.datetime.fromisoformat(text + "+00:00")


def spans(usual, ramadan=None, start="2027-02-06", end="2027-02-09", calendar=CALENDAR):
    found = open_hours(usual, ramadan, calendar, dt.date.fromisoformat(start), dt.date.fromisoformat(end))
    return [(f"{span.start:%d %H:%M}", f"{span.end:%d %H:%M}", span.schedule[0] + "?!"[span.certain]) for span in found.spans]  # fmt: skip


def _differ(one, other):
    return (one.certain, one.schedule == UNKNOWN) != (other.certain, other.schedule == UNKNOWN)


@given(st.sampled_from(VALUES), st.sampled_from([None, *VALUES]), days, st.integers(1, 90))
@settings(max_examples=150)
def test_spans_are_in_order_apart_and_within_the_horizon(usual, ramadan, start, length):
    hours = open_hours(usual, ramadan, CALENDAR, start, start + length * DAY)
    assert hours.parsed
    assert hours.known
    first, last = (dt.datetime.combine(day, dt.time(), ZONE) for day in (start, start + length * DAY))
    for span in hours.spans:
        assert first <= span.start < span.end <= last
        assert span.start.utcoffset() == dt.timedelta()
    for one, other in zip(hours.spans, hours.spans[1:], strict=False):
        assert one.end < other.start or (one.end == other.start and _differ(one, other))


@given(st.sampled_from(VALUES), st.sampled_from([None, *VALUES]), days, st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=150)
def test_two_horizons_side_by_side_are_one(usual, ramadan, start, left, right):
    middle, end = start + left * DAY, start + (left + right) * DAY
    parts = [open_hours(usual, ramadan, CALENDAR, *ends).spans for ends in ((start, middle), (middle, end))]
    joined = [(span.start, span.end, span.certain) for span in apart([*parts[0], *parts[1]])]
    whole = open_hours(usual, ramadan, CALENDAR, start, end).spans
    assert joined == [(span.start, span.end, span.certain) for span in whole]


PLAIN = [v for v in VALUES if "PH" not in v and "|" not in v and '"' not in v and not depends_on_sun(v) and not nights.has_nights(v) and "unknown" not in v]  # fmt: skip


@given(st.sampled_from(PLAIN), days, st.integers(0, 30 * 24 * 60 - 1))
def test_a_place_is_open_when_the_clock_on_the_wall_says_so(value, start, minutes):
    at = dt.datetime.combine(start, dt.time(), ZONE).astimezone(dt.UTC) + dt.timedelta(minutes=minutes)
    hours = open_hours(value, None, Calendar(), start, start + 31 * DAY)
    local = at.astimezone(ZONE).replace(tzinfo=None)
    expected = OpeningHours(value.rstrip(";"), auto_country=False).is_open(local)
    assert any(span.certain and span.start <= at < span.end for span in hours.spans) == expected


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20), st.booleans()), max_size=12))
def test_of_spans_that_overlap_the_first_has_the_time(parts):
    noon = utc("2027-01-01T12:00")
    minute = dt.timedelta(minutes=1)
    given_spans = [Span(noon + a * minute, noon + (a + length) * minute, certain) for a, length, certain in parts]
    found = apart(given_spans)
    for number in range(75):
        at = noon + number * minute
        first = next((span.certain for span in given_spans if span.start <= at < span.end), None)
        assert [span.certain for span in found if span.start <= at < span.end] == ([] if first is None else [first])


def test_estimated_months_are_months():
    months = Calendar().ramadans(dt.date(2026, 11, 1), dt.date(2036, 11, 1))
    assert len(months) >= 10  # the lunar year is eleven days shorter
    for month in months:
        assert month.estimated
        assert 29 <= (month.last - month.first).days + 1 <= 30


def test_hours_follow_the_clock_on_the_wall():
    # On Sunday 7 February 2027 at 03:00 it is 02:00 again; on 14 March 02:00 is 03:00.
    assert spans("08:00-12:00") == [("06 07:00", "06 11:00", "u!"), ("07 08:00", "07 12:00", "u!"), ("08 08:00", "08 12:00", "u!")]  # fmt: skip
    assert spans("08:00-12:00", start="2027-03-13", end="2027-03-15") == [("13 08:00", "13 12:00", "u!"), ("14 07:00", "14 11:00", "u!")]  # fmt: skip


def test_an_hour_that_comes_twice_counts_twice_and_one_that_does_not_come_is_nothing():
    assert spans("Su 01:00-04:00") == [("07 00:00", "07 04:00", "u!")]
    assert spans("Su 01:00-02:30") == [("07 00:00", "07 01:30", "u!"), ("07 02:00", "07 02:30", "u!")]
    assert spans("Su 02:00-03:00", start="2027-03-14", end="2027-03-15") == []
    assert spans("Su 01:00-04:00", start="2027-03-14", end="2027-03-15") == [("14 01:00", "14 03:00", "u!")]
    assert spans("24/7") == [("05 23:00", "09 00:00", "u!")]


def test_ramadan_has_hours_of_its_own():
    found = spans("Mo-Fr 08:30-16:30", "Mo-Fr 09:00-15:00", "2027-02-05", "2027-02-10")
    assert found == [("05 07:30", "05 15:30", "u!"), ("08 09:00", "08 15:00", "r!"), ("09 09:00", "09 15:00", "r!")]
    assert spans("Mo-Fr 08:30-16:30", None, "2027-02-08", "2027-02-09") == [("08 08:30", "08 16:30", "u!")]


def test_the_night_before_ramadan_goes_on_to_its_end():
    found = spans("22:00-02:00", "20:00-03:00", "2027-02-07", "2027-02-09")
    assert found == [("06 23:00", "07 01:00", "u!"), ("07 22:00", "08 02:00", "u!"), ("08 20:00", "09 00:00", "r!")]
    # The last night of the month is the month's: 9 March.
    found = spans("22:00-02:00", "20:00-03:00", "2027-03-09", "2027-03-11")
    assert found == [("09 00:00", "09 03:00", "r!"), ("09 20:00", "10 03:00", "r!"), ("10 22:00", "11 00:00", "u!")]


def test_nights_keep_their_end_in_every_way_of_writing():
    ends = [("06 21:00", "07 01:00", "u!"), ("07 21:00", "08 00:00", "u!"), ("08 20:00", "08 23:00", "u!")]
    for value in (
        "Mo 20:00-23:00; Su 21:00-00:00; Sa 22:00-02:00",
        "Sa 22:00-02:00, Su 21:00-24:00, Mo 20:00-23:00",
    ):
        assert spans(value, start="2027-02-06") == ends, value
    # A rule takes its days from those before it, from midnight on.
    assert spans("Sa 22:00-02:00; Su 21:00-00:00", start="2027-02-06")[0] == ("06 21:00", "06 23:00", "u!")
    # On 6 February the sun sets at about 19:08; on the 8th the clock is an hour back.
    ((opens, closes, _), *_) = spans("Sa sunset-02:00; Su 10:00-12:00; Mo sunset-23:00", start="2027-02-06")
    assert ("06 18:00" < opens < "06 18:20", closes) == (True, "06 23:00")
    ((opens, closes, _), *_) = spans("Su 10:00-12:00; Sa sunset-02:00", start="2027-02-06")
    assert ("06 18:00" < opens < "06 18:20", closes) == (True, "07 01:00")


def test_the_sun_does_not_follow_the_clock():
    found = spans("sunrise-sunset", start="2027-02-05", end="2027-02-10")
    assert len(found) == 5
    for day, (opens, closes, known) in enumerate(found, 5):
        assert f"{day:02} 07:18" < opens < f"{day:02} 07:28"
        assert f"{day:02} 18:02" < closes < f"{day:02} 18:12"
        assert known == "u!"
    # What is open where the clock is put back is open all the while.
    assert len(spans("sunset-sunrise", start="2027-02-07", end="2027-02-08")) == 2


def test_one_of_two_values_may_be_unknown():
    hours = open_hours("selon le gardien", "10:00-12:00", CALENDAR, dt.date(2027, 2, 7), dt.date(2027, 2, 9))
    assert (hours.parsed, hours.known) == (False, True)
    assert [(span.certain, span.schedule) for span in hours.spans] == [(False, UNKNOWN), (True, RAMADAN)]
    only_usual = open_hours("10:00-12:00", "?", CALENDAR, dt.date(2027, 2, 7), dt.date(2027, 2, 9))
    assert [(span.certain, span.schedule) for span in only_usual.spans] == [(True, USUAL), (False, UNKNOWN)]
    # What is wrong is said before its time comes.
    assert not open_hours("10:00-12:00", "?", CALENDAR, dt.date(2027, 6, 1), dt.date(2027, 6, 3)).parsed
    nothing = open_hours("?", "??", CALENDAR, dt.date(2027, 2, 7), dt.date(2027, 2, 9))
    assert (nothing.parsed, nothing.known, nothing.spans) == (False, False, ())


def test_a_condition_is_no_certainty():
    assert spans('08:00-09:00 "sur rendez-vous"; 10:00-11:00 open "porte B"', start="2027-02-06", end="2027-02-07") == [("06 09:00", "06 10:00", "u!")]  # fmt: skip
    assert spans('08:00-09:00 "sur rendez-vous"', start="2027-02-06", end="2027-02-07") == [("06 07:00", "06 08:00", "u?")]  # fmt: skip
    assert spans('Mo "fermé";"?"', start="2027-02-06", end="2027-02-07") == [("05 23:00", "06 23:00", "u?")]


def test_what_no_value_tells_of_is_unknown_not_a_condition():
    assert spans(None, "10:00-12:00", "2027-02-07", "2027-02-09") == [("06 23:00", "08 00:00", "u?"), ("08 10:00", "08 12:00", "r!")]  # fmt: skip
    ahead = open_hours(None, "10:00-12:00", CALENDAR, dt.date(2026, 12, 1), dt.date(2026, 12, 3))
    assert (ahead.parsed, ahead.known, [span.schedule for span in ahead.spans]) == (True, True, [UNKNOWN])
    for value in ('"fermé pour travaux"', "Mo-Su unknown", '"a";"b"', '"a" || "b"'):
        hours = open_hours(value, None, CALENDAR, dt.date(2026, 12, 1), dt.date(2026, 12, 3))
        assert [(span.certain, span.schedule) for span in hours.spans] == [(False, UNKNOWN)], value
    (condition,) = open_hours('Tu 08:00-09:00 "sur rdv"', None, CALENDAR, dt.date(2026, 12, 1), dt.date(2026, 12, 3)).spans  # fmt: skip
    assert (condition.certain, condition.schedule) == (False, USUAL)


@pytest.mark.parametrize(
    ("value", "closed", "other"),
    [
        ("Dec 24 - Jan 02 off", "2026-12-26", "2026-12-20"),
        ('Dec 24-Jan 02 closed "congés"', "2026-12-26", "2026-12-20"),
        ("Sa,Su off", "2026-12-26", "2026-12-24"),
        ("PH off", "2027-01-11", "2027-01-12"),
        ("Jul 30 off; PH off", "2027-07-30", "2027-07-20"),
        ("22:00-02:00 off; Mo off", "2026-12-28", "2026-12-26"),
    ],
)
def test_days_that_are_closed_say_nothing_of_the_others(value, closed, other):
    for day, known in ((closed, True), (other, False)):
        noon = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(12), ZONE)
        hours = open_hours(value, None, CALENDAR, noon.date() - DAY, noon.date() + 2 * DAY)
        assert hours.parsed
        assert [span.schedule for span in hours.spans if span.start <= noon < span.end] == ([] if known else [UNKNOWN])
    for always in ("off", "24/7 off", "Mo-Su closed"):
        assert open_hours(always, None, CALENDAR, dt.date(2026, 12, 1), dt.date(2026, 12, 3)).spans == ()


@pytest.mark.parametrize(
    "value",
    [
        "", "   ", ";", "lundi 08:00-12:00", "8h-12h", "Mo-Fr 08:00+", "18:00-20:00+", "SH off", "Mo-Fr 08:00-12:00; SH off",
        "Ramadan 09:00-15:00", "Mo-Fr 25:00-26:00", "PHx", "PH PH", "Mo,PH Tu 08:00-10:00", "ouvert", "مفتوح", "<b>24/7</b>",
        "\0", "Mo-Fr 08:00-12:00 \"a", "x" * (LONGEST + 1), "Mo-Fr 08:00-12:00 ||", "|| Mo", "[" * 900, "(" * 900, "1" * 900,
        "Mo-Fr 08.00-12.00", "08:00-12:00-14:00", "Mo-Fr 09:00-17:00/02:00",
        # The parser takes these for every day of the month, or for none.
        "Feb 30 09:00-17:00", "nov 31 09:00-17:00", "Mo-Fr 09:00-17:00; Feb 31 off", "Nov 20-Nov 31", "Jun 15-31 10:00-12:00",
        "2027 Feb 29 10:00-12:00", "2026-2028 Feb 30 10:00-12:00", "2026 Dec 10-2026 Dec 01", "2027-2026 10:00-12:00",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_never_guessed(value):
    assert not is_understood(value)
    hours = open_hours(value, None, CALENDAR, dt.date(2027, 2, 7), dt.date(2027, 2, 9))
    assert (hours.parsed, hours.known, hours.spans) == (False, False, ())


@pytest.mark.parametrize(
    "value",
    [
        "Feb 29 09:00-17:00", "2028 Feb 29 10:00-12:00", "Jan-Mar 08:00-10:00", "Jun 08:30-12:00", "Dec 24-Jan 05 off",
        "2026 Dec 24-2027 Jan 05 off; Mo 10:00-12:00", "2026 Dec 10-2026 Dec 20 10:00-12:00", "2026 Dec 20-25 10:00-12:00",
        "2026-2027 10:00-12:00", "Jun 15-Sep 15 Mo-Fr 08:00-14:00", "week 1-53/2 Mo 10:00-12:00", "Oct 31 10:00-12:00",
    ],
)  # fmt: skip
def test_days_and_years_that_there_are_are_understood(value):
    assert is_understood(value)


@given(st.text(max_size=60) | st.lists(st.sampled_from(["Mo", "-", "PH", " ", ";", ", ", "08:00", "20:00", "02:00", "off", '"', "||", "Jan", "week", "+", "[1]", "sunset", "24/7", "2026", "/2", ",", "("]), max_size=14).map("".join))  # fmt: skip
@settings(max_examples=500)
def test_any_text_has_an_answer(value):
    hours = open_hours(value, None, CALENDAR, dt.date(2027, 2, 1), dt.date(2027, 2, 20))
    assert hours.parsed == is_understood(value)


def test_the_report_names_each_value_once():
    notes = misunderstood([("a", "nie"), ("b", "24/7"), ("c", "nie"), ("d", None), ("e", "x" * 500)])
    assert notes == [
        ("ingest.hours-not-understood", {"value": "nie", "id": "a", "count": 2}),
        ("ingest.hours-not-understood", {"value": "x" * 120, "id": "e", "count": 1}),
    ]
    many = misunderstood((str(number), f"nie {number}") for number in range(SHOWN + 7))
    assert many[-1] == ("ingest.hours-not-understood-more", {"count": 7})
    assert len(many) == SHOWN + 1


def test_the_holidays_of_a_year():
    found = {day.date: day for day in Calendar().holidays(dt.date(2027, 1, 1), dt.date(2028, 1, 1))}
    fixed = [(1, 1), (1, 11), (1, 14), (5, 1), (7, 30), (8, 14), (8, 20), (8, 21), (10, 31), (11, 6), (11, 18)]
    assert {dt.date(2027, *day) for day in fixed} == {day for day, holiday in found.items() if not holiday.estimated} | {dt.date(2027, 8, 14)}  # fmt: skip
    # Both Eids, 1 Muharram and Mawlid follow the moon.
    assert len(found[dt.date(2027, 8, 14)].fr) == len(found[dt.date(2027, 8, 14)].ar) == 2
    lunar = [holiday.fr for holiday in found.values() if holiday.estimated]
    assert len(lunar) >= 6
    assert found[dt.date(2027, 3, 9)].ar == ("عيد الفطر",)


def write(folder, text):
    (folder / "holidays.yaml").write_text(text, encoding="utf-8")
    return load_calendar(folder)


def test_announced_days_take_the_place_of_estimates(tmp_path):
    calendar = write(tmp_path, "added: {2027-03-11: {fr: Aïd al-Fitr, ar: عيد الفطر}}\nremoved: [2027-03-09]\nramadan: [{first: 2027-02-09, last: 2027-03-09}]\n")  # fmt: skip
    named = {day.date: day for day in calendar.holidays(dt.date(2027, 3, 1), dt.date(2027, 4, 1))}
    assert list(named) == [dt.date(2027, 3, 10), dt.date(2027, 3, 11)]
    assert (named[dt.date(2027, 3, 11)].fr, named[dt.date(2027, 3, 11)].estimated) == (("Aïd al-Fitr",), False)
    assert named[dt.date(2027, 3, 10)].estimated
    (month,) = calendar.ramadans(dt.date(2027, 1, 1), dt.date(2027, 12, 1))
    assert (month.first, month.last, month.estimated) == (dt.date(2027, 2, 9), dt.date(2027, 3, 9), False)
    assert spans("PH 10:00-12:00", start="2027-03-08", end="2027-03-13", calendar=calendar) == [("10 10:00", "10 12:00", "u!"), ("11 10:00", "11 12:00", "u!")]  # fmt: skip
    assert calendar.fingerprint != Calendar().fingerprint
    assert load_calendar(DATA).fingerprint == Calendar().fingerprint == load_calendar(tmp_path / "none").fingerprint


@pytest.mark.parametrize(
    "text",
    ["added: 1", "added: {2027-13-01: {fr: a, ar: b}}\nremoved: []\nramadan: []", "added: {}\nremoved: [demain]\nramadan: []",
     "added: {}\nremoved: []", "added: {}\nremoved: []\nramadan: []\nmore: 1", "[", "", "added: {2027-01-02: {fr: a}}\nremoved: []\nramadan: []"],
)  # fmt: skip
def test_a_mistake_in_the_file_is_named(tmp_path, text):
    with pytest.raises(DefinitionError) as caught:
        write(tmp_path, text)
    assert caught.value.params["file"] == "holidays.yaml"
