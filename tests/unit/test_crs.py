"""Coordinate systems: their codes, and the order of their axes."""

import math

import pytest

from geo.crs import CRS84, srid_of, transformer
from geo.errors import InvalidInput


@pytest.mark.parametrize(
    ("given", "srid"),
    [(4326, 4326), ("EPSG:26191", 26191), (CRS84, 4326), ("OGC:CRS84", 4326), ("urn:ogc:def:crs:EPSG::3857", 3857)],
)
def test_known_systems_have_their_code(given, srid):
    assert srid_of(given) == srid


@pytest.mark.parametrize("given", ["", "EPSG:1", "nonsense", None, "+proj=tmerc +lat_0=1 +lon_0=2", 10**12])
def test_an_unknown_system_is_refused(given):
    with pytest.raises(InvalidInput) as caught:
        srid_of(given)
    assert caught.value.code == "crs.unknown"
    assert caught.value.params["allowed"]


def test_longitude_comes_first():
    x, y = transformer(4326, 3857).transform(-7.6, 33.5)
    radius = 6_378_137
    assert math.isclose(x, radius * math.radians(-7.6))
    assert math.isclose(y, radius * math.asinh(math.tan(math.radians(33.5))))


def test_the_planners_grid_lies_in_casablanca():
    lon, lat = transformer(26191, 4326).transform(297_000, 330_000)
    assert -7.7 < lon < -7.5
    assert 33.4 < lat < 33.7
