"""Query parameters: each at most once, none unknown, every mistake named."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api import params
from geo.errors import InvalidInput
from layers.catalogue import PublishedLayer
from layers.hours.clock import zone
from layers.tables import layer_table

CITY = zone("Africa/Casablanca")


def request(query):
    return Request({"type": "http", "query_string": query.encode("latin-1"), "headers": [], "path": "/"})


def refused(function, *arguments):
    with pytest.raises(InvalidInput) as caught:
        function(*arguments)
    return caught.value


@pytest.fixture
def layer(raw, parse):
    raw["temporal"] = {"start": "opened", "end": "closed"}
    raw["directory"] = {"role": "body"}
    for name, kind in (("seats", "integer"), ("free", "boolean"), ("tags", "text[]"), ("seen", "timestamp")):
        raw["fields"].append({"name": name, "type": kind, "label": raw["title"]})
    definition = parse(raw)
    now = dt.datetime.now(dt.UTC)
    return PublishedLayer(definition, layer_table(definition), 1, 0, None, None, None, now)


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_is_read_as_it_was_made(fid):
    assert params.cursor_of(params.make_cursor(str(fid)), None, ()) == ([], fid)


@given(st.text(max_size=16))
def test_any_text_is_a_cursor_or_refused(text):
    try:
        assert 0 <= params.cursor_of(text, None, ())[1] < 2**63
    except InvalidInput as error:
        assert error.code == "cursor.invalid"


@pytest.mark.parametrize(
    "text", ["", "AAAA", "AAAAAAAAAAAAAAAA", "//////////8", "gAAAAAAAAAA", "١", "LTE", "InhiIg", "WyJhIiwxXQ", "dHJ1ZQ"]
)
def test_a_foreign_cursor_is_refused(text):
    assert refused(params.cursor_of, text, None, ()).params["parameter"] == "cursor"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (None, 100),
        ("1", 1),
        ("007", 7),
        ("10000", 10_000),
        ("10001", 10_000),
        ("9" * 18, 10_000),
        ("9" * 19, 10_000),
        ("1" * 10_000, 10_000),
        ("0" * 30 + "5", 5),
    ],
)
def test_a_limit_is_at_most_the_largest_page(text, limit):
    assert params.limit_of(text) == limit


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "1e3", "+1", " 1", "1_0", "٣", "²", "00", "many"])
def test_a_wrong_limit_is_refused(text):
    error = refused(params.limit_of, text)
    assert (error.code, error.params["parameter"]) == ("limit.invalid", "limit")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-23", dt.date(2026, 11, 23), dt.date(2026, 11, 23)),
        ("2026-11-01/2026-11-30", dt.date(2026, 11, 1), dt.date(2026, 11, 30)),
        ("../2026-11-30", None, dt.date(2026, 11, 30)),
        ("/2026-11-30", None, dt.date(2026, 11, 30)),
        ("0000-01-01T00:00:00Z/2026-11-30", None, dt.date(2026, 11, 30)),
        ("2026-11-01/..", dt.date(2026, 11, 1), None),
        ("2026-11-01/", dt.date(2026, 11, 1), None),
        ("2026-11-23T08:00:00Z/..", dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC), None),
        ("2026-11-23t09:00:00+01:00/..", dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC), None),
        ("2026-11-23T08:00:00.1234567Z/..", dt.datetime(2026, 11, 23, 8, 0, 0, 123456, dt.UTC), None),
        ("2026-11-23/2026-11-23T08:00:00Z", dt.date(2026, 11, 23), dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)),
    ],
)
def test_an_interval_is_read(text, start, end):
    assert params.interval_of(text) == params.Interval(start, end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2026",
        "2026-13-01",
        "2026-02-30",
        "0000-01-01T00:00:00Z",
        "2026-11-23/0000-01-01T00:00:00Z",
        "2026-11-23T08:00:00",
        "2026-11-23 08:00:00Z",
        "2026-11-23T25:00:00Z",
        "20261123",
        "2026-W47-1",
        "2026-11-23/2026-11-24/2026-11-25",
        "2026-11-23/..x",
        "٢٠٢٦-١١-٢٣",
        "infinity",
    ],
)
def test_a_wrong_moment_is_refused(text):
    error = refused(params.interval_of, text)
    assert (error.code, error.params["parameter"]) == ("datetime.invalid", "datetime")
    assert "2026-11-23" in error.params["allowed"]


@pytest.mark.parametrize("text", ["2026-11-24/2026-11-23", "2026-11-23T09:00:00Z/2026-11-23T09:59:00+01:00"])
def test_an_interval_that_ends_before_it_starts_is_refused(text):
    assert refused(params.interval_of, text).code == "datetime.order"


@given(st.text(alphabet="0123456789-:TZ./+", max_size=42))
def test_any_text_is_an_interval_or_refused(text):
    try:
        params.interval_of(text)
    except InvalidInput as error:
        assert error.code.startswith("datetime.")


def test_a_moment_counts_as_its_day_in_the_city(layer):
    shape, values = params.items_query(layer, {"datetime": "2026-05-23T23:30:00Z"}, CITY, 1)
    assert (shape.selection.after, shape.selection.before) == (True, True)
    assert values["after"] == values["before"] == dt.date(2026, 5, 24)


@pytest.mark.parametrize(
    ("text", "day"), [("0001-01-01T00:00:00+14:00", dt.date.min), ("9999-12-31T23:59:59-12:00", dt.date.max)]
)
def test_what_lies_beyond_the_calendar_is_its_end(layer, text, day):
    _, values = params.items_query(layer, {"datetime": text}, CITY, 1)
    assert values["after"] == values["before"] == day


def test_the_shape_has_no_values(layer):
    given_ = {"bbox": "170,0,-170,1", "kind": "public", "seats": "5", "tags": "a", "cursor": params.make_cursor("3")}
    shape, values = params.items_query(layer, given_, CITY, 1)
    other, _ = params.items_query(layer, {**given_, "kind": "school", "seats": "6", "bbox": "179,0,-179,2"}, CITY, 9)
    assert shape == other
    assert shape.selection.equal == ("kind", "seats", "tags")
    assert (shape.selection.boxes, values["west1"], values["after_fid"], values["equal_seats"]) == (2, -180.0, 3, 5)


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("kind", "private", "public, school"),
        ("kind", "", "public, school"),
        ("seats", "many", "42"),
        ("seats", "", "42"),
        ("seats", str(2**63), "42"),
        ("free", "maybe", "true, false"),
        ("opened", "2026-02-30", "2026-11-23"),
        ("seen", "yesterday", "2026-11-23T08:00:00Z"),
        ("seen", "0001-01-01T00:00:00+14:00", "2026-11-23T08:00:00Z"),
    ],
)
def test_a_value_that_a_property_can_not_have_is_refused(layer, name, text, allowed):
    error = refused(params.items_query, layer, {name: text}, CITY, 1)
    assert (error.code, error.params["parameter"]) == ("parameter.value" if name == "kind" else "parameter.form", name)
    assert allowed in error.params["allowed"]


def test_a_free_text_may_be_anything(layer):
    for text in ("", "'; --", "مكتبة", "x" * 10_000):
        assert params.items_query(layer, {"name_fr": text, "entry_id": text}, CITY, 1)[1]["equal_name_fr"] == text


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ("bbox=1&bbox=2", "parameter.twice", "bbox"),
        ("lang=fr&lang=fr", "parameter.twice", "lang"),
        ("bBox=1", "parameter.unknown", "bBox"),
        ("=1", "parameter.unknown", ""),
        ("bbox=a%00b", "parameter.nul", "bbox"),
    ],
)
def test_a_wrong_query_is_refused(query, code, name):
    error = refused(params.read, request(query), {"bbox"})
    assert (error.code, error.params["parameter"]) == (code, name)


def test_an_unknown_parameter_names_those_that_there_are():
    assert refused(params.read, request("x=1"), {"bbox"}).params["allowed"] == "bbox, f, lang"


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_read_can_be_sent_to_postgresql(name, value):
    from urllib.parse import quote

    try:
        found = params.read(request(f"{quote(name)}={quote(value)}"), {name})
    except InvalidInput:
        return
    assert all("\0" not in text for text in found.values())


@pytest.mark.parametrize("key", ["a\0b", "x" * 201, "\ud800"])
def test_an_id_that_postgresql_can_not_have_is_refused(key):
    assert refused(params.path_id, key, "featureId").params["parameter"] == "featureId"
