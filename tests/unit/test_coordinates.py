"""Positions in the notations that people paste."""

import math

import hypothesis
import pytest
from hypothesis import strategies as st

from geo.coordinates import parse_coordinates
from geo.crs import transformer
from geo.plus_codes import read_full, read_short, split_short


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
        "N 33° 35.400 W 007° 36.600",
        "33° 35.4 N, 7° 36.6 W",
        "33°35'24\"ن 7°36'36\"غ",
        "33.59ن 7.61غ",
        "lat 33.59 lng -7.61",
        "lat: 33.59, lng: -7.61",
        "[33.59,-7.61]",
        "[-7.61, 33.59]",
        "+33.59-7.61",
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
        "33.5N 7.6N", "1" * 300, "33.59" + " " * 300 + "-7.61", "33-7", "+212-522", "20-08.1953", "33.59-7.61", "1e400,1e400",
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


@pytest.mark.parametrize(
    ("text", "south", "west", "north", "east"),
    [
        # The areas of codes that the format's own specification publishes.
        ("7FG49Q00+", 20.35, 2.75, 20.4, 2.8),
        ("7FG49QCJ+2V", 20.37, 2.782125, 20.370125, 2.78225),
        ("7fg49qcj+2vx", 20.3701, 2.78221875, 20.370125, 2.78225),
        ("4VCPPQGP+Q9", -41.273125, 174.785875, -41.273, 174.786),
        ("22222222+22", -90, -180, -89.999875, -179.999875),
        ("CFX3X2X2+X2", 89.999875, 1, 90, 1.000125),
        ("84000000+", 30, -140, 50, -120),
        ("849VGJQF+VX7QR3J7QR3J", 37.53966912, -122.3750698242, 37.53966916, -122.3750697021),
        # In Casablanca; a plus sign may have become a blank on its way.
        ("8C5JH9QC+XX", 33.589875, -7.627625, 33.59, -7.6275),
        (" 8C5JH9QC XX ", 33.589875, -7.627625, 33.59, -7.6275),
    ],
)
def test_plus_codes(text, south, west, north, east):
    assert parse_coordinates(text) == pytest.approx(((west + east) / 2, (south + north) / 2), abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "8C5JH9QC+X", "8C5JH9Q+XX", "8C5JH9QC", "8C5JH900+XX", "8C5J0000", "8C5J00H9+", "0C5JH9QC+XX", "FC5JH9QC+XX",
        "8W5JH9QC+XX", "8A5JH9QC+XX", "H9QC+XX", "22222222 22", "+", "8C5JH9QC+XX+", "8C5JH9QC+XX rue",
    ],
)  # fmt: skip
def test_other_texts_are_no_plus_codes(text):
    assert parse_coordinates(text) is None


def plus_code(lon, lat):
    """Return the code of ten digits, in whole steps of 1/8000 of a degree."""
    y, x = math.floor((lat + 90) * 8000), math.floor((lon + 180) * 8000)
    digits = []
    for _ in range(5):
        digits += [x % 20, y % 20]
        x, y = x // 20, y // 20
    text = "".join("23456789CFGHJMPQRVWX"[digit] for digit in reversed(digits))
    return f"{text[:8]}+{text[8:]}"


@hypothesis.given(st.floats(-89.9, 89.9), st.floats(-179.9, 179.9))
def test_the_code_of_a_place_is_the_place(lat, lon):
    found = parse_coordinates(plus_code(lon, lat))
    assert found == pytest.approx((lon, lat), abs=1 / 16000 + 1e-9)


@hypothesis.given(st.floats(-80, 80), st.floats(-175, 175), st.floats(-0.45, 0.45), st.floats(-0.45, 0.45))
def test_a_short_code_is_read_near_a_place(lat, lon, south, west):
    code = plus_code(lon, lat)
    full = read_full(code)
    for left_out in (2, 4):
        short, rest = split_short(code[left_out:] + " Casablanca")
        assert (short, rest) == (code[left_out:], "Casablanca")
        assert read_short(short, lon + west, lat + south) == pytest.approx(full, abs=1e-6)


def test_a_short_code_may_lie_in_the_next_square():
    """Codes and places of the format's own specification."""
    for code, lon, lat, short in (
        ("9C3W9QCJ+2VX", -1.217765625, 51.3852125, "9QCJ+2VX"),
        ("8FRCXGRF+PM", 8.55, 47.0, "XGRF+PM"),
        ("CFX22222+22", 0.0, 89.6, "2222+22"),
        ("2CXXXXXX+XX", 0.0, -81.0, "XXXXXX+XX"),
    ):
        assert read_short(short, lon, lat) == pytest.approx(read_full(code), abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "29N 628982 3717563", "29S 628982 3717563", "29 s 628982.0, 3717563.0", "UTM 29N 628982 3717563",
        "UTM 29 N 628982mE 3717563mN", "X=294794 Y=334615", "x: 294794 ; y: 334615", "Merchich 294794 334615",
        "Merchich / Nord Maroc X=294793,8 Y=334614,6",
    ],
)  # fmt: skip
def test_metres(text):
    """One place in UTM 29 and in EPSG:26191, as PROJ has it."""
    assert parse_coordinates(text) == pytest.approx((-7.61, 33.59), abs=1e-4)


def test_metres_elsewhere():
    lon, lat = parse_coordinates("56H 334000 6252000")
    assert (lon, lat) == pytest.approx((151.2, -33.86), abs=0.02)
    assert parse_coordinates("30S 628982 3717563")[0] == pytest.approx(-1.61, abs=1e-4)


@pytest.mark.parametrize(
    "text",
    ["61N 628982 3717563", "29I 628982 3717563", "29N 1 2", "29N 99999 3717563", "X=294794", "X=999999 Y=999999"],
)
def test_other_texts_are_no_metres(text):
    assert parse_coordinates(text) is None


@pytest.mark.parametrize(
    ("text", "lon", "lat"),
    [
        # The Washington Monument, Honolulu, Casablanca.
        ("18S UJ 23480 06479", -77.03524, 38.88947),
        ("18SUJ2348006479", -77.03524, 38.88947),
        ("4Q FJ 12345 67890", -157.916082, 21.409796),
        ("29S PT 31000 15000", -7.588633, 33.566642),
        ("mgrs 29spt 31000 15000", -7.588633, 33.566642),
    ],
)
def test_squares_of_mgrs(text, lon, lat):
    assert parse_coordinates(text) == pytest.approx((lon, lat), abs=5e-5)


@hypothesis.given(st.floats(-79, 83), st.floats(-179.9, 179.9))
def test_mgrs_agrees_with_metres(lat, lon):
    zone = int((lon + 180) // 6) + 1
    band = "CDEFGHJKLMNPQRSTUVWX"[min(int((lat + 80) // 8), 19)]
    srid = 32600 + zone if lat >= 0 else 32700 + zone
    east, north = transformer(4326, srid).transform(lon, lat)
    columns = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")[zone % 3]
    rows = "ABCDEFGHJKLMNPQRSTUV" if zone % 2 else "FGHJKLMNPQRSTUVABCDE"
    square = columns[int(east // 100_000) - 1] + rows[int(north // 100_000) % 20]
    text = f"{zone}{band} {square} {int(east % 100_000):05} {int(north % 100_000):05}"
    found = parse_coordinates(text)
    assert found is not None
    x, y = transformer(4326, srid).transform(*found)
    assert math.hypot(x - east, y - north) < 1


@pytest.mark.parametrize(
    "text", ["29S AT 31000 15000", "29S PT 31000 1500", "29S PT 3", "29S PW 31000 15000", "29S PT"]
)
def test_other_texts_are_no_squares(text):
    assert parse_coordinates(text) is None
