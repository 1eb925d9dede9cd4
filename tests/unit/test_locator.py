"""The locator, against shapely asked one area after the other."""

import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.locator import Locator

numbers = st.integers(0, 8)
boxes = st.builds(
    lambda x, y, width, height: shapely.box(x, y, x + width, y + height),
    numbers,
    numbers,
    st.integers(1, 5),
    st.integers(1, 5),
)


@given(st.lists(boxes, max_size=8), st.lists(st.tuples(st.floats(-1, 14), st.floats(-1, 14)), min_size=1, max_size=8))
def test_answers_as_shapely_does(areas, points):
    locator = Locator((str(number), area) for number, area in enumerate(areas))
    for x, y in points:
        holding = [str(number) for number, area in enumerate(areas) if area.intersects(shapely.Point(x, y))]
        assert locator.locate(x, y) == (holding[0] if holding else None)


@given(st.lists(boxes, min_size=1, max_size=8), numbers, numbers)
def test_a_shared_border_belongs_to_the_area_given_first(areas, x, y):
    locator = Locator((str(number), area) for number, area in enumerate(areas))
    holding = [str(number) for number, area in enumerate(areas) if area.intersects(shapely.Point(x, y))]
    assert locator.locate(x, y) == next(iter(holding), None)


def test_a_hole_is_outside():
    ring = shapely.box(0, 0, 9, 9).difference(shapely.box(3, 3, 6, 6))
    assert Locator([("ring", ring)]).locate(4, 4) is None


def test_without_areas_nothing_is_found():
    locator = Locator([])
    assert len(locator) == 0
    assert locator.locate(0, 0) is None
