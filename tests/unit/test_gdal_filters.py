"""``cql-text`` as GDAL writes it, brought to CQL2."""

import cql2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.definition import FieldDefinition
from layers.filters.gdal import as_cql2_text, typed

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
    (_, pattern) = cql2.parse_text(as_cql2_text(f"name ILIKE {quoted}")).to_json()["args"]
    # GDAL escapes no backslash, CQL2 does; what it means is taken up after the parser.
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
        ("seen < 'yesterday'", "yesterday"),
        ("name = '2026-01-05T'", "2026-01-05T"),
        ("other = 1", 1.0),
    ],
)
def test_literals_take_the_fields_type(text, value):
    for nested, dig in ((text, lambda tree: tree), (f"NOT (name = 'x' OR {text})", lambda t: t["args"][0]["args"][1])):
        before = cql2.parse_text(nested).to_json()
        after = typed(before, Definition())
        assert dig(after)["args"][1] == value
        assert type(dig(after)["args"][1]) is type(value)
        assert dig(after)["args"][0] == dig(before)["args"][0]
