"""``cql-text`` as GDAL writes it, brought to CQL2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.definition import FieldDefinition
from layers.filters.gdal import as_cql2_text, typed
from layers.filters.parse import parse_filter

TYPES = {"open": "boolean", "day": "date", "seen": "timestamp", "name": "text", "amount": "integer"}


class Definition:
    """What the module looks at of a definition."""

    def field(self, name):
        label = {"fr": name, "ar": name}
        return FieldDefinition(name=name, type=TYPES[name], label=label) if name in TYPES else None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("name ILIKE 'a%'", "CASEI(name) LIKE CASEI('a%')"),
        ("(a ILIKE 'l''eau') AND (b ilike '')", "(CASEI(a) LIKE CASEI('l''eau')) AND (CASEI(b) LIKE CASEI(''))"),
        ("NOT (\"a ILIKE\" ILIKE 'x')", "NOT (CASEI(\"a ILIKE\") LIKE CASEI('x'))"),
        ("name = 'x ILIKE ''y'''", "name = 'x ILIKE ''y'''"),
        ("name = '''' OR a ILIKE 'x'", "name = '''' OR CASEI(a) LIKE CASEI('x')"),
        ("محل ILIKE 'م%'", "CASEI(محل) LIKE CASEI('م%')"),
        ("name ILIKE", "name ILIKE"),
    ],
)
def test_ilike(text, wanted):
    assert as_cql2_text(text) == wanted


@given(st.text(alphabet="'\"aI %()", max_size=40))
def test_a_filter_without_it_stays(text):
    assert as_cql2_text(text) == text


@given(st.text(max_size=30).filter(lambda text: "\0" not in text))
def test_a_text_in_it_stays(text):
    quoted = "'" + text.replace("'", "''") + "'"
    assert parse_filter(f"name = {quoted}", "cql-text")["args"][1] == text
    # A backslash, which is no escape for GDAL, is escaped in the pattern.
    (_, pattern) = parse_filter(f"name ILIKE {quoted}", "cql-text")["args"]
    assert pattern == {"op": "casei", "args": [text.replace("\\", "\\\\")]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("open = 1", True),
        ("open <> 0", False),
        ("open = 2", 2.0),
        ("amount = 1", 1.0),
        ("day = '2026-01-05T'", {"date": "2026-01-05"}),
        ("day >= '2026-01-05T12:30:00Z'", {"timestamp": "2026-01-05T12:30:00Z"}),
        ("day = '2026-01-05'", {"date": "2026-01-05"}),
        ("seen < '2026-01-05T12:30Z'", {"timestamp": "2026-01-05T12:30:00Z"}),
        ("seen < '2026-01-05T12Z'", {"timestamp": "2026-01-05T12:00:00Z"}),
        # Of a column whose first features have none, GDAL takes the filter as it was typed.
        ("day >= '2026/01/05'", {"date": "2026-01-05"}),
        ("seen > '2026/01/05 12:30:15+00'", {"timestamp": "2026-01-05T12:30:15Z"}),
        ("seen > '2026/01-05'", "2026/01-05"),
        ("seen > '2026/01/05 12:30:15+01'", "2026/01/05 12:30:15+01"),
        ("open IN (1, 0)", [True, False]),
        ("seen < 'yesterday'", "yesterday"),
        ("name = '2026-01-05T'", "2026-01-05T"),
        ("other = 1", 1.0),
    ],
)
def test_literals_take_the_fields_type(text, value):
    for nested, dig in ((text, lambda tree: tree), (f"NOT (name = 'x' OR {text})", lambda t: t["args"][0]["args"][1])):
        before = parse_filter(nested, "cql2-text")
        after = typed(before, Definition())
        assert dig(after)["args"][1] == value
        assert type(dig(after)["args"][1]) is type(value)
        assert dig(after)["args"][0] == dig(before)["args"][0]


def test_the_field_may_stand_behind():
    assert typed(parse_filter("1 = open", "cql2-text"), Definition())["args"][0] is True
