"""Boxes: what is read is what was meant, and nothing else is read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.bbox import BBox, parse_bbox
from geo.errors import InvalidInput

longitudes = st.floats(-180, 180)
latitudes = st.floats(-90, 90)


@given(longitudes, longitudes, latitudes, latitudes)
def test_what_is_written_is_read(west, east, one, other):
    south, north = sorted((one, other))
    assert parse_bbox(f"{west!r},{south!r},{east!r},{north!r}") == BBox(west, south, east, north)


@given(longitudes, longitudes, latitudes, latitudes, st.floats(allow_nan=False, allow_infinity=False))
def test_heights_are_passed_over(west, east, one, other, height):
    south, north = sorted((one, other))
    text = f"{west!r},{south!r},{height!r},{east!r},{north!r},{height!r}"
    assert parse_bbox(text) == BBox(west, south, east, north)


@given(longitudes, longitudes, longitudes)
def test_parts_cover_the_same_longitudes_in_order(west, east, lon):
    parts = BBox(west, 0, east, 1).parts()
    assert all(part.west <= part.east for part in parts)
    inside = west <= lon <= east if west <= east else lon >= west or lon <= east
    assert any(part.west <= lon <= part.east for part in parts) == inside


@given(st.text(max_size=60))
def test_any_text_is_a_box_or_refused(text):
    try:
        box = parse_bbox(text)
    except InvalidInput as error:
        assert error.code.startswith("bbox.")
        assert error.params["parameter"] == "bbox"
        assert error.params["allowed"]
    else:
        assert all(math.isfinite(side) for side in (box.west, box.south, box.east, box.north))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bbox.count"),
        ("1,2,3", "bbox.count"),
        ("1,2,3,4,5", "bbox.count"),
        ("1,2,3,4,5,6,7", "bbox.count"),
        ("1,,3,4", "bbox.number"),
        ("a,2,3,4", "bbox.number"),
        ("nan,2,3,4", "bbox.number"),
        ("1,2,inf,4", "bbox.number"),
        ("0x1,2,3,4", "bbox.number"),
        ("1_0,2,33,4", "bbox.number"),
        ("٣,2,33,4", "bbox.number"),
        ("-181,0,1,1", "bbox.range"),
        ("0,0,180.0001,1", "bbox.range"),
        ("0,-90.1,1,1", "bbox.range"),
        ("0,0,1,91", "bbox.range"),
        ("0,2,1,1", "bbox.order"),
    ],
)
def test_a_wrong_box_is_named(text, code):
    with pytest.raises(InvalidInput) as caught:
        parse_bbox(text, "zone")
    assert caught.value.code == code
    assert caught.value.params["parameter"] == "zone"


def test_a_box_across_the_antimeridian_has_two_parts():
    assert parse_bbox("170,-20,-170,-10").parts() == (BBox(170, -20, 180, -10), BBox(-180, -20, -170, -10))


def test_long_input_is_not_echoed_whole():
    with pytest.raises(InvalidInput) as caught:
        parse_bbox("x" * 10_000)
    assert len(str(caught.value.params["value"])) <= 120
