"""Positions in the notations that people paste."""

import hypothesis
import pytest
from hypothesis import strategies as st

from geo.coordinates import parse_coordinates


@pytest.mark.parametrize(
    "text",
    [
        "33.59,-7.61",
        "33.59, -7.61",
        "33.59 -7.61",
        "-7.61, 33.59",
        "(33.59, -7.61)",
        "33,59 ; -7,61",
        "33,59 -7,61",
        "33.59°, -7.61°",
        "33.59N 7.61W",
        "N33.59 W7.61",
        "7.61 ouest, 33.59 nord",
        "33°35'24\"N 7°36'36\"W",
        "33°35′24″N, 7°36′36″O",
        "33° 35.4' N 7° 36.6' W",
        "lat: 33.59 lon: -7.61",
        "geo:33.59,-7.61",
        "https://www.google.com/maps/@33.59,-7.61,17z",
        "https://www.openstreetmap.org/#map=15/33.59/-7.61",
        "https://www.openstreetmap.org/?mlat=33.59&mlon=-7.61",
        "٣٣٫٥٩، -٧٫٦١",
        "33.59 شمالا 7.61 غربا",
        "\u200f33.59, −7.61\u200f",
        "N 33° 35' 24\" W 7° 36' 36\"",
        "N 33° 35.4' W 7° 36.6'",
        "33 35 24 N 7 36 36 W",
        "N 33 35 24 W 7 36 36",
        "33d35m24s N 7d36m36s W",
        "33d35m24sN 7d36m36sW",
        "+33.5900-007.6100/",
        "POINT(-7.61 33.59)",
        "33,5900,-7,6100",
        "33,5900 -7,6100",
    ],
)
def test_notations(text):
    assert parse_coordinates(text) == pytest.approx((-7.61, 33.59))


def test_elsewhere_the_latitude_goes_first():
    assert parse_coordinates("48.85, 2.35") == (2.35, 48.85)
    assert parse_coordinates("120.5, 30.5") == (120.5, 30.5)
    assert parse_coordinates("30°S 151°E") == (151, -30)


@pytest.mark.parametrize(
    "text",
    [
        "", "20 aout", "2 mars", "20 1953", "33.59", "T1", "33.59, -7.61, 4", "999.1, 3.5", "33°75'N 7°W", "N33.5N 7.6W",
        "33.5N 7.6N", "1" * 300, "33.59" + " " * 300 + "-7.61",
    ],
)  # fmt: skip
def test_other_texts_are_none(text):
    assert parse_coordinates(text) is None


@hypothesis.given(st.text(alphabet=" 0123456789.,;/-+°'\"nsewoش٣٫،@#?=&geo:map", max_size=200))
def test_anything_is_a_position_on_earth_or_none(text):
    found = parse_coordinates(text)
    assert found is None or (abs(found[0]) <= 180 and abs(found[1]) <= 90)


@hypothesis.given(st.floats(21, 36), st.floats(-17, -1))
def test_degrees_minutes_and_seconds_agree_with_the_decimals(lat, lon):
    def written(value: float, letter: str) -> str:
        seconds = round(abs(value) * 3600, 3)
        return f"{int(seconds // 3600)}°{int(seconds % 3600 // 60)}'{seconds % 60:.3f}\"{letter}"

    text = f"{written(lat, 'N')} {written(lon, 'W')}"
    hypothesis.assume("60.000" not in text)
    assert parse_coordinates(text) == pytest.approx((lon, lat), abs=1e-6)
