"""Coordinate systems: their codes, and the order of their axes."""

import math

import pytest

from geo.bbox import BBox
from geo.crs import CRS84, crs_for, srid_of, transformer
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


@pytest.mark.parametrize(
    ("extent", "srids"),
    [
        (BBox(-7.8, 33.4, -7.4, 33.7), {4326, 3857, 32629, 26191}),  # a city
        (BBox(-17, 20, -1, 36), {4326, 3857, 32629, 26191}),  # a country
        (BBox(-7.6, 33.5, -7.6, 33.5), {4326, 3857, 32629, 26191}),  # a place
        (BBox(-180, -90, 180, 83), {4326, 3857}),
        (BBox(-175, -41, 179, 64), {4326, 3857}),
        (BBox(170, -20, -170, -10), {4326, 3857}),  # across the antimeridian
        (
            BBox(-10, -85, 10, -70),
            {4326, 3857, 32629},
        ),  # a cone's far side leads back, but from beyond the earth's size
        (None, {4326, 3857, 32629, 26191}),
    ],
)
def test_a_layer_is_given_in_what_holds_all_of_it(extent, srids):
    assert {crs.srid for crs in crs_for(4326, extent).values()} == srids
    assert CRS84 in crs_for(4326, extent)


def test_a_layers_own_system_stays():
    offered = crs_for(26192, BBox(-180, -90, 180, 90))
    assert [crs.short for crs in offered.values()] == ["OGC:CRS84", "EPSG:4326", "EPSG:3857", "EPSG:26192"]
    assert "EPSG:26191" in [crs.short for crs in crs_for(26191, BBox(-180, -90, 180, 90)).values()]
