"""What becomes of geometries on their way into a table."""

import math
import struct

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.repair import fit

BOW_TIE = shapely.from_wkt("POLYGON((0 0, 2 2, 2 0, 0 2, 0 0))")
coordinates = st.tuples(st.integers(-5, 5), st.integers(-5, 5))


def test_a_bow_tie_becomes_its_two_triangles():
    fitted, outcome = fit(BOW_TIE, "MultiPolygon")
    assert outcome == "repaired"
    assert fitted.is_valid
    assert fitted.area == 2


def test_a_bow_tie_is_no_single_polygon():
    assert fit(BOW_TIE, "Polygon") == (None, "type")


@given(st.lists(coordinates, min_size=3, max_size=9), st.sampled_from(["Polygon", "MultiPolygon", "Geometry"]))
def test_whatever_is_stored_is_valid_and_of_the_type(ring, wanted):
    fitted, outcome = fit(shapely.Polygon(ring), wanted)
    if fitted is None:
        assert outcome == "type"
    else:
        assert outcome in ("ok", "repaired")
        assert fitted.is_valid
        assert not fitted.is_empty
        assert wanted in (fitted.geom_type, "Geometry")
        assert fitted.area > 0


@pytest.mark.parametrize("single", ["POINT(1 2)", "LINESTRING(0 0,1 1)", "POLYGON((0 0,1 0,1 1,0 0))"])
def test_single_and_multi_are_exchanged(single):
    one = shapely.from_wkt(single)
    many, outcome = fit(one, "Multi" + one.geom_type)
    assert outcome == "ok"
    assert many.geom_type == "Multi" + one.geom_type
    assert fit(many, one.geom_type) == (one, "ok")


@pytest.mark.parametrize(
    ("wkt", "wanted"),
    [
        ("MULTIPOINT((0 0),(1 1))", "Point"),
        ("POINT(0 0)", "Polygon"),
        ("LINESTRING(0 0,1 1)", "MultiPolygon"),
        ("LINESTRING(1 1,1 1)", "LineString"),
        ("GEOMETRYCOLLECTION(POINT(0 0))", "Point"),
        ("POLYGON((0 0,1 1,2 2,0 0))", "Polygon"),
    ],
)
def test_another_type_is_refused(wkt, wanted):
    assert fit(shapely.from_wkt(wkt), wanted) == (None, "type")


def test_nothing_and_empty_are_told_apart():
    assert fit(None, "Point") == (None, "missing")
    assert fit(shapely.from_wkt("POINT EMPTY"), "Point") == (None, "empty")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_coordinates_that_are_no_numbers_are_refused(number):
    with np.errstate(invalid="ignore"):
        line = shapely.from_wkb(struct.pack("<BII4d", 1, 2, 2, 0, 0, number, 1))
    assert fit(line, "LineString") == (None, "infinite")


@pytest.mark.parametrize("wkt", ["POINT Z(1 2 3)", "POINT Z(1 2 NaN)", "POLYGON Z((0 0 1,1 0 2,1 1 3,0 0 1))"])
def test_heights_are_dropped(wkt):
    solid = shapely.from_wkt(wkt)
    flat, outcome = fit(solid, solid.geom_type)
    assert outcome == "ok"
    assert not shapely.has_z(flat)
    assert flat.bounds == solid.bounds
