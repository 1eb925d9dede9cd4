"""Geometry made fit for storage: two dimensions, valid, of the layer's type."""

from __future__ import annotations

from typing import cast

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

#: No CRS of the earth has a coordinate beyond, in any unit.
FARTHEST = 1e9
_MULTI = {"MultiPoint": "Point", "MultiLineString": "LineString", "MultiPolygon": "Polygon"}


def fit(geometry: BaseGeometry | None, wanted: str) -> tuple[BaseGeometry | None, str]:
    """Return the geometry as a layer of the type ``wanted`` stores it, and what became of it.

    Heights are dropped; an invalid geometry is repaired; a single geometry is wrapped for a ``Multi…`` layer and a
    multi-geometry of one part unwrapped for a single one.

    Returns
    -------
    geometry : shapely geometry or None
        None when it can't be stored.
    outcome : str
        ``ok``, ``repaired``, or why not: ``missing``, ``empty``, ``infinite``, ``type``.
    """
    if geometry is None:
        return None, "missing"
    if geometry.is_empty:
        return None, "empty"
    coordinates = shapely.get_coordinates(geometry)
    if not (np.isfinite(coordinates).all() and np.abs(coordinates).max() <= FARTHEST):
        return None, "infinite"
    flat = shapely.force_2d(geometry)
    outcome = "ok"
    if not shapely.is_valid(flat):
        before = shapely.get_dimensions(flat)
        # make_valid may leave lines and points beside a polygon's parts; they are no part of an area.
        parts = [part for part in shapely.get_parts(shapely.make_valid(flat)) if shapely.get_dimensions(part) == before]
        parts = [piece for part in parts for piece in shapely.get_parts(part)]
        if not parts:
            return None, "type"
        flat = parts[0] if len(parts) == 1 else _collect(parts)
        outcome = "repaired"
    if wanted == "Geometry" or flat.geom_type == wanted:
        return flat, outcome
    if _MULTI.get(wanted) == flat.geom_type:
        return _collect([flat]), outcome
    if _MULTI.get(flat.geom_type) == wanted and shapely.get_num_geometries(flat) == 1:
        return shapely.get_geometry(flat, 0), outcome
    return None, "type"


def _collect(parts: list[BaseGeometry]) -> BaseGeometry:
    array = np.array(parts)
    kind = parts[0].geom_type
    if kind == "Point":
        return cast("BaseGeometry", shapely.multipoints(array))
    if kind == "LineString":
        return cast("BaseGeometry", shapely.multilinestrings(array))
    return cast("BaseGeometry", shapely.multipolygons(array))
