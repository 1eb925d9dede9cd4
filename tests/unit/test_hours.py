"""Opening hours in words; what is not understood stands as it is in the data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.hours import write_hours
from api.i18n import messages


def plain(value, lang="fr"):
    return [line.replace("\u2066", "").replace("\u2069", "") for line in write_hours(value, messages(lang))]


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("24/7", ["Ouvert en permanence"]),
        ("sunrise-sunset", ["Du lever au coucher du soleil"]),
        ("08:00-18:00", ["tous les jours : 08:00–18:00"]),
        ("Mo-Su 04:00-24:00", ["tous les jours : 04:00–24:00"]),
        ("Mo-Fr 08:30-16:00", ["lundi – vendredi : 08:30–16:00"]),
        ("Mo,We 08:00-12:00,14:00-18:00", ["lundi, mercredi : 08:00–12:00, 14:00–18:00"]),
        ("Mo-Fr 08:00-12:00; Sa off", ["lundi – vendredi : 08:00–12:00", "samedi : fermé"]),
    ],
)
def test_plain_forms_are_put_into_words(value, lines):
    assert plain(value) == lines


@pytest.mark.parametrize(
    "value",
    [
        "Mo-Fr 08:00-12:00; PH off",
        "Mo-Fr 08:00+",
        "Mo-Fr 8:00-12:00",
        'Mo-Fr 08:00-12:00 "sur rendez-vous"',
        "Ramadan 09:00-15:00",
        "Mo-Fr 08:00-12:00;",
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
