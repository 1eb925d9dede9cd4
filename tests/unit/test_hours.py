"""Opening hours in words; what is not understood stands as it is in the data."""

import datetime as dt
import re

import pytest
from babel.dates import get_day_names
from hypothesis import given
from hypothesis import strategies as st

from api.hours import write_hours, write_validity
from api.i18n import messages
from layers.hours.calendar import Calendar, Month, Overrides
from layers.hours.nights import has_nights
from layers.hours.spans import open_hours
from tests.evaluator import read_values


def plain(value, lang="fr"):
    return [
        line.replace("\u2066", "").replace("\u2069", "").replace("\u2068", "")
        for line in write_hours(value, messages(lang))
    ]


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("24/7", ["Ouvert en permanence"]),
        ("sunrise-sunset", ["Du lever au coucher du soleil"]),
        ("08:00-18:00", ["tous les jours : 08:00–18:00"]),
        ("Mo-Su 04:00-24:00", ["tous les jours : 04:00–24:00"]),
        ("Mo-Fr 08:30-16:00", ["lundi – vendredi : 08:30–16:00"]),
        ("Mo,We 08:00-12:00,14:00-18:00", ["lundi, mercredi : 08:00–12:00, 14:00–18:00"]),
        ("Mo-Th 08:30-16:30; Fr 08:30-11:30,14:30-16:30; PH off", ["lundi – jeudi : 08:30–16:30", "vendredi : 08:30–11:30, 14:30–16:30", "jours fériés : fermé"]),
        ("Mo-Fr,PH 9:00-12:00, 14:00-18:00", ["lundi – vendredi : 09:00–12:00, 14:00–18:00", "jours fériés : 09:00–12:00, 14:00–18:00"]),
        ("24/7; Aug off", ["Ouvert en permanence", "août : fermé"]),
        ("Mo-Fr; Sa 18:00-26:00", ["lundi – vendredi : toute la journée", "samedi : 18:00–02:00"]),
        ("Mo 22:00-26:00; Tu 00:00-00:00", ["lundi : 22:00–02:00", "mardi : toute la journée"]),
        ("Mo-Sa 09:00-18:00; Dec 24-Jan 02,2026 May 01 off", ["lundi – samedi : 09:00–18:00", "24 décembre – 2 janvier, 1er mai 2026 : fermé"]),
        ("Jul-Aug 20:00-04:00; Sep-Jun 20:00-01:00", ["juillet – août : 20:00–04:00", "septembre – juin : 20:00–01:00"]),
        ("Mo-Fr 08:00-16:00; Jul-Aug Mo-Fr 08:00-14:00", ["lundi – vendredi : 08:00–16:00", "juillet – août (lundi – vendredi) : 08:00–14:00"]),
        ("Mo-Fr 08:00-16:00; week 30-32 off", ["lundi – vendredi : 08:00–16:00", "semaines 30 à 32 : fermé"]),
        ("Mo-Su sunrise-20:00", ["tous les jours : lever du soleil – 20:00"]),
        ('Mo-Fr 08:00-12:00 "sur rendez-vous"', ["lundi – vendredi : 08:00–12:00 (sur rendez-vous)"]),
        ('Mo-Fr 08:00-12:00 || "sur rendez-vous"', ["lundi – vendredi : 08:00–12:00", "en dehors de ces horaires : sur rendez-vous"]),
        ('"fermé pour travaux"', ["fermé pour travaux"]),
        ("Mo-Fr 08:00-12:00;", ["lundi – vendredi : 08:00–12:00"]),
        # What counts: a later rule takes the place of an earlier one, or takes time from it, or adds to it.
        ("Mo-Fr 08:00-12:00; Mo-Fr 14:00-18:00", ["lundi – vendredi : 14:00–18:00"]),
        ("Mo-Fr 08:00-16:00; Fr 12:00-14:00 off", ["lundi – jeudi : 08:00–16:00", "vendredi : 08:00–12:00, 14:00–16:00"]),
        ("Mo-Fr 08:00-12:00, Mo-Fr 14:00-18:00", ["lundi – vendredi : 08:00–12:00, 14:00–18:00"]),
        ("PH off; Mo-Fr 08:00-16:00", ["lundi – vendredi : 08:00–16:00", "jours fériés (samedi, dimanche) : fermé"]),
        ("Dec 24 off; Mo-Su 08:00-16:00", ["tous les jours : 08:00–16:00"]),
        ("Dec 24 off; Dec 09:00-10:00", ["décembre : 09:00–10:00"]),
        ("Mo-Fr 09:00-18:00; Sa unknown", ["lundi – vendredi : 09:00–18:00", "samedi : horaires inconnus"]),
        ('Mo-Fr 09:00-18:00; Sa unknown "renseignez-vous"', ["lundi – vendredi : 09:00–18:00", "samedi : horaires inconnus (renseignez-vous)"]),
        ("Mo-Fr 09:00-18:00 || unknown", ["lundi – vendredi : 09:00–18:00", "en dehors de ces horaires : horaires inconnus"]),
        ('Mo-Fr 09:00-18:00 || unknown "garde"', ["lundi – vendredi : 09:00–18:00", "en dehors de ces horaires : garde"]),
        ("Mo-Fr 08:00-12:00; Sa off", ["lundi – vendredi : 08:00–12:00", "samedi : fermé"]),
    ],
)  # fmt: skip
def test_plain_forms_are_put_into_words(value, lines):
    assert plain(value) == lines


@pytest.mark.parametrize(
    "value",
    [
        "Mo-Fr 08:00+",
        "Sa[1] 09:00-13:00",
        "Mo-Fr 08:00-12:00; PH -1 day 08:00-10:00",
        "PH off; Jul-Aug 08:00-14:00",
        "Jul-Aug 08:00-14:00; Aug 15-Sep 15 09:00-12:00",
        "(sunrise+01:00)-(sunset-00:30)",
        "Mo-Fr 09:00-12:00 unknown",
        "Mo-Fr unknown, Fr 09:00-12:00",
        "week 1-53/2 Sa 09:00-12:00",
        "Ramadan 09:00-15:00",
        "Mo 00:00-26:00",
        "Mo-Fr 09:00-12:00; Sa 10:00-36:00",
        "Feb 31 off",
        "",
        "<b>24/7</b>",
    ],
)
def test_other_forms_are_never_guessed(value):
    assert write_hours(value, messages("fr")) == [value]


def test_arabic_names_the_days_and_keeps_times_left_to_right():
    (line,) = write_hours("Mo-Fr 08:30-16:00", messages("ar"))
    assert "الاثنين" in line
    assert "\u206608:30–16:00\u2069" in line


@given(st.text(max_size=40))
def test_any_text_has_lines(value):
    assert write_hours(value, messages("ar"))


def test_arabic_says_holidays_and_seasons():
    lines = plain("Mo-Th 08:30-16:30; Fr 08:30-11:30,14:30-16:30; Aug off; PH off", "ar")
    assert lines == [
        "الاثنين – الخميس: 08:30–16:30",
        "الجمعة: 08:30–11:30، 14:30–16:30",
        "غشت: مغلق",
        "أيام العطل الرسمية: مغلق",
    ]


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        ("fr", "en dehors de ces horaires : samedi : 10:00–12:00 ; dimanche : 10:00–11:00"),
        ("ar", "خارج هذه الأوقات: السبت: 10:00–12:00؛ الأحد: 10:00–11:00"),
    ],
)
def test_rules_in_one_line_are_parted_as_the_language_does(lang, line):
    assert plain("Mo-Fr 08:00-12:00 || Sa 10:00-12:00; Su 10:00-11:00", lang)[-1] == line


ANNOUNCED = Calendar(Overrides({}, [], [Month(dt.date(2027, 2, 8), dt.date(2027, 3, 9))]))


@pytest.mark.parametrize(
    ("calendar", "today", "fr", "ar"),
    [
        (Calendar(), dt.date(2026, 11, 27), (None, "Du 8 février 2027 au 8 mars 2027 (dates estimées)"), (None, "من 8 فبراير 2027 إلى 8 مارس 2027 (تواريخ تقديرية)")),
        (ANNOUNCED, dt.date(2027, 2, 7), (None, "Du 8 février 2027 au 9 mars 2027"), (None, "من 8 فبراير 2027 إلى 9 مارس 2027")),
        (
            ANNOUNCED,
            dt.date(2027, 2, 8),
            ("Pas en vigueur en ce moment : c'est le ramadan, jusqu'au 9 mars 2027", "En vigueur en ce moment, du 8 février 2027 au 9 mars 2027"),
            ("غير معمول بها الآن: نحن في شهر رمضان، إلى غاية 9 مارس 2027", "معمول بها الآن، من 8 فبراير 2027 إلى 9 مارس 2027"),
        ),
        (
            Calendar(),
            dt.date(2027, 3, 8),
            ("Pas en vigueur en ce moment : c'est le ramadan, jusqu'au 8 mars 2027 (date estimée)", "En vigueur en ce moment, du 8 février 2027 au 8 mars 2027 (dates estimées)"),
            ("غير معمول بها الآن: نحن في شهر رمضان، إلى غاية 8 مارس 2027 (تاريخ تقديري)", "معمول بها الآن، من 8 فبراير 2027 إلى 8 مارس 2027 (تواريخ تقديرية)"),
        ),
        (ANNOUNCED, dt.date(2027, 3, 10), (None, "Du 28 janvier 2028 au 25 février 2028 (dates estimées)"), (None, "من 28 يناير 2028 إلى 25 فبراير 2028 (تواريخ تقديرية)")),
    ],
)  # fmt: skip
def test_hours_say_when_they_hold_and_which_do_today(calendar, today, fr, ar):
    for lang, expected in (("fr", fr), ("ar", ar)):
        said = write_validity(messages(lang), calendar, today)
        assert (said.get("opening_hours"), said["opening_hours_ramadan"]) == expected


def test_what_is_kept_has_the_dates_alone():
    said = write_validity(messages("fr"), ANNOUNCED, dt.date(2027, 2, 20), lasting=True)
    assert said == {"opening_hours_ramadan": "Du 8 février 2027 au 9 mars 2027"}


WEEKLY = [
    value
    for value in read_values("moroccan.txt")
    if not re.search(r"PH|\b(week|[JFMASOND][a-z]{2} |\d{4} )|sun|dawn|\"|[|]", value)
]


@pytest.mark.parametrize("value", WEEKLY)
def test_words_of_a_week_mean_what_the_value_means(value):
    """What is written is read back and evaluated, beside the value itself."""
    names = [get_day_names("wide", locale="fr")[day] for day in range(7)]
    lines = plain(value)
    if lines == [value]:
        return
    back = []
    for line in lines:
        line = {"Ouvert en permanence": "tous les jours : toute la journée"}.get(line, line)
        days, _, hours = line.partition(" : ")
        for name in names:
            days = days.replace(name, ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"][names.index(name)])
        days = days.replace("tous les jours", "Mo-Su").replace(" – ", "-").replace(", ", ",")
        hours = (
            hours.replace("–", "-")
            .replace(", ", ",")
            .replace("fermé", "off")
            .replace("toute la journée", "00:00-24:00")
        )
        back.append(f"{days} {hours}")
    start = dt.date(2026, 11, 2)
    spans = [
        open_hours(text, None, Calendar(), start, start + dt.timedelta(days=7)).spans
        for text in (value, "; ".join(back))
    ]
    # Where a night of the last rule but one is cut off depends on the order of the rules, which words have not.
    known = [[span.start if has_nights(value) else span for span in found if span.certain] for found in spans]
    assert known[0] == known[1], back
