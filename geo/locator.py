"""Which district a place lies in, answered in the process, without the database."""

from __future__ import annotations

from collections.abc import Iterable

import shapely
from rtree import index
from shapely.geometry.base import BaseGeometry


class Locator:
    """An R-tree over areas, asked with points.

    Parameters
    ----------
    areas : iterable of (str, geometry)
        Code and polygon or multipolygon of each area, in one CRS with x before y (here longitude, latitude).
    """

    def __init__(self, areas: Iterable[tuple[str, BaseGeometry]]) -> None:
        self._areas = list(areas)
        for _, geometry in self._areas:
            shapely.prepare(geometry)
        # The bulk loader refuses an empty stream.
        entries = ((number, geometry.bounds, None) for number, (_, geometry) in enumerate(self._areas))
        self._index = index.Index(entries) if self._areas else index.Index()

    def __len__(self) -> int:
        return len(self._areas)

    def locate(self, x: float, y: float) -> str | None:
        """Return the code of the area that holds the point, or None.

        A point on a shared border belongs to the area that was given first, as ``ST_Intersects`` with an
        order by that rank would answer.
        """
        point = shapely.Point(x, y)
        for number in sorted(self._index.intersection((x, y, x, y))):
            code, geometry = self._areas[number]
            if geometry.intersects(point):
                return code
        return None
