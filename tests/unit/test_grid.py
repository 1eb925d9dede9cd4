"""The tile grid, against the formulas of the tile matrix set's own corner and cell size."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.bbox import BBox
from geo.crs import transformer
from geo.errors import NotFound
from geo.grid import MAX_LATITUDE, MAX_ZOOM, TileAddress, tile_address, tile_limits

#: Half the side of the world of Web Mercator, in metres (OGC 17-083r4, D.1: pointOfOrigin).
HALF = 20_037_508.342789244
longitudes = st.floats(-179.9, 179.9)
latitudes = st.floats(-85, 85)


@given(longitudes, latitudes, st.integers(0, MAX_ZOOM))
def test_a_point_lies_in_the_tile_of_the_projected_coordinates(lon, lat, matrix):
    x, y = transformer(4326, 3857).transform(lon, lat)
    span = 2 * HALF / 2**matrix
    column, row = (x + HALF) / span, (HALF - y) / span
    top, bottom, left, right = tile_limits(BBox(lon, lat, lon, lat), matrix)
    assert top == bottom
    assert left == right
    # A point on the very border may fall to either side in floating point.
    assert top <= row + 1e-6
    assert row - 1e-6 <= top + 1
    assert left <= column + 1e-6
    assert column - 1e-6 <= left + 1


@given(longitudes, longitudes, latitudes, latitudes, st.integers(0, MAX_ZOOM))
def test_limits_hold_all_corners(one, other, low, high, matrix):
    (west, east), (south, north) = sorted((one, other)), sorted((low, high))
    top, bottom, left, right = tile_limits(BBox(west, south, east, north), matrix)
    assert 0 <= top <= bottom < 2**matrix
    assert 0 <= left <= right < 2**matrix
    assert tile_limits(BBox(east, south, east, south), matrix) == (bottom, bottom, right, right)


@pytest.mark.parametrize("matrix", [0, 1, 7, MAX_ZOOM])
def test_the_whole_world_is_the_whole_grid(matrix):
    last = 2**matrix - 1
    assert tile_limits(BBox(-180, -90, 180, 90), matrix) == (0, last, 0, last)


def test_the_world_is_a_square():
    assert math.isclose(transformer(4326, 3857).transform(0, MAX_LATITUDE)[1], HALF, rel_tol=1e-9)


@pytest.mark.parametrize(("parts", "size"), [(("0", "0", "0"), 1), (("22", "4194303", "4194303"), 1 << 22)])
def test_the_corners_of_the_grid_are_on_it(parts, size):
    address = tile_address(*parts)
    assert address == TileAddress(*map(int, parts))
    assert max(address.row, address.column) < size


@pytest.mark.parametrize(
    "parts",
    [
        ("23", "0", "0"),
        ("0", "1", "0"),
        ("0", "0", "1"),
        ("5", "32", "0"),
        ("-1", "0", "0"),
        ("1.0", "0", "0"),
        ("1_0", "0", "0"),
        ("+1", "0", "0"),
        (" 1", "0", "0"),
        ("١", "0", "0"),
        ("²", "0", "0"),
        ("", "0", "0"),
        ("9" * 5000, "0", "0"),
    ],
)
def test_an_address_off_the_grid_is_not_found(parts):
    with pytest.raises(NotFound) as caught:
        tile_address(*parts)
    assert caught.value.code == "tile.outside"


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_an_address_or_not_found(matrix, row, column):
    try:
        address = tile_address(matrix, row, column)
    except NotFound:
        return
    assert max(address.row, address.column) < 2**address.matrix <= 2**MAX_ZOOM
