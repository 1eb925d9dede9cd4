"""Reads the geometries and boxes of filters (CQL2, 6.6 and 7.2) into what a layer's column can be compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import LineString, Point, box, shape
from shapely.geometry.base import BaseGeometry

from geo.bbox import BBox
from geo.crs import WGS84_SRID, AxisOrderedCrs, overlap
from geo.repair import FARTHEST

#: What a vertex every so many metres and degrees leaves between a line that is straight in one CRS and its image in
#: another: some millimetres; geometries as large as a country have fewer.
STEP, STEP_DEGREES = 500.0, 0.005
MOST_STEPS = 4096
#: Vertices that are added to one geometry, however many long edges it has.
_MOST_VERTICES = 20_000


def read_geometry(part: Mapping[str, Any], crs: AxisOrderedCrs) -> BaseGeometry:
    """Read GeoJSON or a ``bbox`` whose axes are in the order of ``crs``; the result has x before y and no heights.

    Raises
    ------
    ValueError
        With the reason; also for what is empty, not valid or not on earth.
    """
    try:
        geometry = _box(part["bbox"], crs) if "bbox" in part else shape(dict(part))
        if geometry.is_empty:
            raise ValueError("empty")
        if not all(math.isfinite(side) and abs(side) <= FARTHEST for side in geometry.bounds):
            raise ValueError("not on earth")
    except (TypeError, KeyError, IndexError, AttributeError, ShapelyError) as error:
        raise ValueError(str(error)) from error
    flat: BaseGeometry = shapely.force_2d(geometry)
    if not flat.is_valid:
        raise ValueError(shapely.is_valid_reason(flat))
    if crs.north_first and "bbox" not in part:
        flat = shapely.transform(flat, lambda axes: axes[:, ::-1])
    west, south, east, north = flat.bounds
    if crs.srid == WGS84_SRID and not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError(f"{west}, {south}, {east}, {north}")
    return flat


def fit_for(geometry: BaseGeometry, source: int, target: int) -> BaseGeometry:
    """Make a geometry fit to be transformed: cut to where both CRS hold, with vertices along its straight lines."""
    if source == target:
        return geometry
    area = overlap(source, target)
    whole = box(area.west, area.south, area.east, area.north)
    if not whole.covers(geometry):
        geometry = geometry.intersection(whole)
    if geometry.is_empty or shapely.get_dimensions(geometry) == 0:
        return geometry
    west, south, east, north = geometry.bounds
    least = STEP_DEGREES if source == WGS84_SRID else STEP
    step = max(least, (east - west) / MOST_STEPS, (north - south) / MOST_STEPS, geometry.length / _MOST_VERTICES)
    finer: BaseGeometry = shapely.segmentize(geometry, step)
    return finer


def _box(numbers: Any, crs: AxisOrderedCrs) -> BaseGeometry:
    corners = [float(number) for number in numbers]
    if len(corners) == 6:
        corners = [corners[0], corners[1], corners[3], corners[4]]
    if len(corners) != 4:
        raise ValueError("a box has 4 or 6 numbers")
    if not all(map(math.isfinite, corners)):
        raise ValueError("not on earth")
    if crs.north_first:
        corners = [corners[1], corners[0], corners[3], corners[2]]
    whole = BBox(*corners)
    degrees = crs.srid == WGS84_SRID
    if whole.south > whole.north or (whole.west > whole.east and not degrees):
        raise ValueError("the first corner lies behind the second")
    # Across the antimeridian a box is two.
    return shapely.union_all([_extent(part) for part in whole.parts()])


def _extent(part: BBox) -> BaseGeometry:
    """Return a box as an area or, without width or height, as a line or a point."""
    if part.west < part.east and part.south < part.north:
        return box(part.west, part.south, part.east, part.north)
    corners = [(part.west, part.south), (part.east, part.north)]
    return Point(corners[0]) if corners[0] == corners[1] else LineString(corners)
