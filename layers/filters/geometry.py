"""Reads the geometries and boxes of filters (CQL2, 6.6 and 7.2) into what a layer's column can be compared with."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import shapely
from pyproj import Geod
from shapely.errors import ShapelyError
from shapely.geometry import LineString, Point, Polygon, box, shape
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from geo.bbox import BBox
from geo.crs import WGS84_SRID, AxisOrderedCrs, overlap, transformer
from geo.errors import InvalidInput
from geo.repair import FARTHEST

#: What a vertex every so many metres and degrees leaves between a line that is straight in one CRS and its image in
#: another: some millimetres; geometries as large as a country have fewer.
STEP, STEP_DEGREES = 500.0, 0.005
MOST_STEPS = 4096
_CELLS = [box(west, south, west + 60, south + 30) for west in range(-180, 180, 60) for south in range(-90, 90, 30)]
_ELLIPSOID = Geod(ellps="WGS84")
#: Vertices that are added to one geometry, however many long edges it has.
_MOST_VERTICES = 20_000


def read_geometry(part: Mapping[str, Any], crs: AxisOrderedCrs) -> BaseGeometry:
    """Read GeoJSON or a ``bbox`` whose axes are in the order of ``crs``; the result has x before y and no heights.

    Raises
    ------
    InvalidInput
        ``filter.geometry`` or ``filter.geometry-<what>``, without the parameter and the part of the filter; also for
        what is empty, not valid or outside of the CRS.
    """
    # A geometry in GeoJSON may have a box as well, which says nothing about its shape.
    boxed = "bbox" in part and "type" not in part
    flat = _box(part["bbox"], crs) if boxed else _shape(part)
    if flat.is_empty:
        raise InvalidInput("filter.geometry-empty")
    if not all(math.isfinite(side) and abs(side) <= FARTHEST for side in flat.bounds):
        raise _outside(flat)
    if not flat.is_valid:
        raise _fault(shapely.is_valid_reason(flat))
    if flat.geom_type == "GeometryCollection":
        # The same points in parts that are apart: GEOS knows no relations of parts that lie over one another.
        flat = shapely.unary_union(flat)
    if crs.north_first and not boxed:
        flat = shapely.transform(flat, lambda axes: axes[:, ::-1])
    west, south, east, north = flat.bounds
    if crs.srid == WGS84_SRID and not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _outside(flat)
    return flat


def _shape(part: Mapping[str, Any]) -> BaseGeometry:
    try:
        for ring in _rings(part):
            if len(ring) < 4:
                raise InvalidInput("filter.geometry-short")
            # Shapely closes it in silence.
            if ring[0] != ring[-1]:
                raise InvalidInput("filter.geometry-open")
        flat: BaseGeometry = shapely.force_2d(shape(dict(part)))
    except (TypeError, KeyError, IndexError, AttributeError, ValueError, ShapelyError) as error:
        raise _fault(str(error)) from error
    return flat


def _rings(part: Mapping[str, Any]) -> Iterator[list[Any]]:
    if part["type"] == "Polygon":
        yield from part["coordinates"]
    elif part["type"] == "MultiPolygon":
        for polygon in part["coordinates"]:
            yield from polygon
    elif part["type"] == "GeometryCollection":
        for geometry in part["geometries"]:
            yield from _rings(geometry)


def _fault(reason: str) -> InvalidInput:
    """Name what GEOS found wrong; its own words, in English, are for the log."""
    place = re.search(r"self-intersection\[(.*)\]", reason, re.IGNORECASE)
    if place:
        return InvalidInput("filter.geometry-crossing", value=place[1], log=reason)
    if "Too few points" in reason or "point array must contain" in reason:
        return InvalidInput("filter.geometry-short", log=reason)
    return InvalidInput("filter.geometry", log=reason)


def _outside(geometry: BaseGeometry) -> InvalidInput:
    return InvalidInput("filter.geometry-range", value=", ".join(f"{side:.12g}" for side in geometry.bounds))


def fit_for(geometry: BaseGeometry, source: int, target: int) -> BaseGeometry:
    """Make a geometry fit to be transformed: cut to where both CRS hold, with vertices along its straight lines."""
    if source == target:
        return geometry
    area = overlap(source, target)
    whole = box(area.west, area.south, area.east, area.north)
    if not whole.covers(geometry):
        geometry = geometry.intersection(whole)
    return finer(geometry, source)


def finer(geometry: BaseGeometry, source: int) -> BaseGeometry:
    """Return a geometry with vertices along its edges, which are straight in its own CRS only."""
    if geometry.is_empty or shapely.get_dimensions(geometry) == 0:
        return geometry
    west, south, east, north = geometry.bounds
    least = STEP_DEGREES if source == WGS84_SRID else STEP
    step = max(least, (east - west) / MOST_STEPS, (north - south) / MOST_STEPS, geometry.length / _MOST_VERTICES)
    fine: BaseGeometry = shapely.segmentize(geometry, step)
    return fine


def on_globe(geometry: BaseGeometry, source: int) -> BaseGeometry:
    """Return a geometry in degrees, with vertices along the edges that are straight in its own CRS."""
    if source == WGS84_SRID:
        return finer(geometry, source)
    change = transformer(source, WGS84_SRID)
    fine = fit_for(geometry, source, WGS84_SRID)
    return shapely.transform(fine, lambda axes: np.column_stack(change.transform(axes[:, 0], axes[:, 1])))


def measure(op: str, globe: BaseGeometry) -> float:
    """Return the ``area`` in m² or the ``length`` in m of a geometry in degrees, on the ellipsoid."""
    if op == "length":
        return math.fsum(_ELLIPSOID.geometry_length(part) for part in _simple(globe) if isinstance(part, LineString))
    # By parts, as an area's inside is not known on the globe once it is as large as half of it.
    parts = [part for cell in _CELLS for part in _simple(globe.intersection(cell)) if isinstance(part, Polygon)]
    return math.fsum(abs(_ELLIPSOID.geometry_area_perimeter(orient(part))[0]) for part in parts)


def _simple(geometry: BaseGeometry) -> Iterator[BaseGeometry]:
    for part in shapely.get_parts(geometry):
        if shapely.get_num_geometries(part) > 1:
            yield from _simple(part)
        else:
            yield part


def _box(numbers: Any, crs: AxisOrderedCrs) -> BaseGeometry:
    if not isinstance(numbers, list) or len(numbers) not in (4, 6):
        raise InvalidInput("filter.geometry-box", value=str(numbers)[:60])
    corners = [_side(number) for number in numbers]
    if len(corners) == 6:
        corners = [corners[0], corners[1], corners[3], corners[4]]
    if crs.north_first:
        corners = [corners[1], corners[0], corners[3], corners[2]]
    whole = BBox(*corners)
    degrees = crs.srid == WGS84_SRID
    if whole.south > whole.north or (whole.west > whole.east and not degrees):
        raise InvalidInput("filter.geometry-box", value=str(numbers)[:60])
    # Across the antimeridian a box is two.
    return shapely.union_all([_extent(part) for part in whole.parts()])


def _side(number: Any) -> float:
    try:
        side = float(number)
    except (TypeError, ValueError):
        side = math.nan
    if not math.isfinite(side):
        raise InvalidInput("filter.geometry-number", value=str(number)[:60])
    return side


def _extent(part: BBox) -> BaseGeometry:
    """Return a box as an area or, without width or height, as a line or a point."""
    if part.west < part.east and part.south < part.north:
        return box(part.west, part.south, part.east, part.north)
    corners = [(part.west, part.south), (part.east, part.north)]
    return Point(corners[0]) if corners[0] == corners[1] else LineString(corners)
