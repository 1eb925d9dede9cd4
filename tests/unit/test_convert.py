"""Cells of a file as values of a field: kept as they are, or refused with the reason."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import IngestError
from layers.definition import FieldDefinition, Text
from layers.values import convert

LABEL = Text(fr="Champ", ar="حقل")
MOMENT = dt.datetime(2026, 1, 5, 10, 30, tzinfo=dt.UTC)


def field(kind, **more):
    return FieldDefinition(name="x", type=kind, label=LABEL, **more)


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("text", " Café ", "Café"),
        ("text", "مكتبة الحي", "مكتبة الحي"),
        ("text", "'; DROP TABLE x; --", "'; DROP TABLE x; --"),
        ("text", 20000, "20000"),
        ("text", 20000.0, "20000"),
        ("integer", "42", 42),
        ("integer", " -7 ", -7),
        ("integer", 42.0, 42),
        ("integer", float(2**53 - 1), 2**53 - 1),
        ("integer", np.int64(42), 42),
        ("integer", str(2**63 - 1), 2**63 - 1),
        ("number", "1.5", 1.5),
        ("number", "-3e2", -300.0),
        ("number", np.float32(0.5), 0.5),
        ("boolean", "yes", True),
        ("boolean", "False", False),
        ("boolean", np.True_, True),
        ("boolean", 1, True),
        ("boolean", 0.0, False),
        ("date", "2026-01-05", dt.date(2026, 1, 5)),
        ("date", "2026/01/05", dt.date(2026, 1, 5)),
        ("date", "2026-01-05T10:30:00", dt.date(2026, 1, 5)),
        ("date", dt.date(2026, 1, 5), dt.date(2026, 1, 5)),
        ("date", pd.Timestamp("2026-01-05"), dt.date(2026, 1, 5)),
        ("timestamp", "2026-01-05T10:30:00Z", MOMENT),
        ("timestamp", "2026-01-05T11:30:00+01:00", MOMENT),
        ("timestamp", pd.Timestamp(MOMENT), MOMENT),
        ("text[]", "a;b", ["a", "b"]),
        ("text[]", "Salle de sport;Piscine", ["Salle de sport", "Piscine"]),
        ("text[]", ["a b", "c"], ["a b", "c"]),
        ("text[]", np.array(["a b", "c"]), ["a b", "c"]),
        ("text[]", ["a", None, math.nan, " "], ["a"]),
    ],
)
def test_a_cell_is_read_as_the_type(kind, cell, value):
    assert convert(field(kind), cell) == value


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("text", "a\0b"),
        ("integer", "1.5"),
        ("integer", "x"),
        ("integer", 1.5),
        ("integer", float("inf")),
        ("integer", 1e300),
        ("integer", float(2**53)),
        ("integer", -float(2**53 + 2)),
        ("integer", str(2**63)),
        ("integer", True),
        ("integer", "1_000"),
        ("number", "1,5"),
        ("number", "1_000"),
        ("number", "nan"),
        ("number", "1e999"),
        ("number", float("-inf")),
        ("boolean", "vrai"),
        ("boolean", 2),
        ("date", "2026-02-30"),
        ("date", "05/01/2026"),
        ("date", "2026-01-05garbage"),
        ("date", "2026-01-055"),
        ("date", "2026-W02-1"),
        ("date", "infinity"),
        ("timestamp", "yesterday"),
        ("timestamp", "2026-01-05T25:00:00"),
        ("text[]", "a;b\0"),
    ],
)
def test_a_cell_of_another_type_is_refused(kind, cell):
    with pytest.raises(IngestError) as caught:
        convert(field(kind), cell)
    assert caught.value.code == "ingest.value-type"
    assert caught.value.params["field"] == "x"
    assert caught.value.params["allowed"] == kind


@pytest.mark.parametrize("kind", ["text", "integer", "number", "boolean", "date", "timestamp", "text[]"])
@pytest.mark.parametrize("cell", [None, "", "  ", float("nan"), np.nan, pd.NA, pd.NaT])
def test_an_empty_cell_is_unknown_or_refused_where_required(kind, cell):
    assert convert(field(kind), cell) is None
    with pytest.raises(IngestError) as caught:
        convert(field(kind, required=True), cell)
    assert caught.value.code == "ingest.value-missing"


@pytest.mark.parametrize(("kind", "cell", "wrong"), [("text", "c", "c"), ("text", "A", "A"), ("text[]", "a;c", "c")])
def test_a_value_that_is_not_allowed_is_named(kind, cell, wrong):
    with pytest.raises(IngestError) as caught:
        convert(field(kind, values={"a": LABEL, "b": LABEL}), cell)
    assert caught.value.code == "ingest.value-allowed"
    assert caught.value.params["value"] == wrong
    assert caught.value.params["allowed"] == "a, b"


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_bigint_is_kept(number):
    assert convert(field("integer"), str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_kept(number):
    assert convert(field("number"), repr(number)) == number


@given(st.dates())
def test_every_date_is_kept(day):
    assert convert(field("date"), day.isoformat()) == day


@given(st.sampled_from(["integer", "number", "boolean", "date", "timestamp", "text[]", "text"]), st.text(max_size=30))
def test_any_text_is_a_value_or_refused(kind, cell):
    try:
        convert(field(kind), cell)
    except IngestError as error:
        assert error.code == "ingest.value-type"


def test_a_long_wrong_value_is_not_repeated_whole():
    with pytest.raises(IngestError) as caught:
        convert(field("integer"), "x" * 10_000)
    assert len(caught.value.params["value"]) <= 60
