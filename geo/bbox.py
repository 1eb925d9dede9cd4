"""Boxes in longitude and latitude (CRS84), the antimeridian included."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from geo.errors import InvalidInput

#: A number as data formats write it; float() would also take underscores, blanks and other scripts' digits.
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class BBox:
    """A box in degrees, WGS 84 longitude/latitude; ``west > east`` crosses the antimeridian (RFC 7946, 5.2)."""

    west: float
    south: float
    east: float
    north: float

    def parts(self) -> tuple[BBox, ...]:
        """Return the box as one or, across the antimeridian, two boxes with ``west <= east``."""
        if self.west <= self.east:
            return (self,)
        return BBox(self.west, self.south, 180.0, self.north), BBox(-180.0, self.south, self.east, self.north)


def around(boxes: Iterable[BBox]) -> BBox | None:
    """Return the box around others, none of which crosses the antimeridian; None around none."""
    found = list(boxes)
    if not found:
        return None
    return BBox(
        min(box.west for box in found),
        min(box.south for box in found),
        max(box.east for box in found),
        max(box.north for box in found),
    )


def parse_bbox(text: str, parameter: str = "bbox", *, degrees: bool = True, north_first: bool = False) -> BBox:
    """Read ``west,south,east,north`` or, with heights that are passed over, six numbers.

    Parameters
    ----------
    degrees : bool
        False for a CRS in metres, where no antimeridian is crossed.
    north_first : bool
        Whether the CRS has ``south,west,north,east``.

    Raises
    ------
    InvalidInput
        ``bbox.number``, ``bbox.count``, ``bbox.range`` or ``bbox.order``.
    """
    allowed = "west,south,east,north"
    parts = text.split(",")
    if len(parts) not in (4, 6):
        raise InvalidInput("bbox.count", parameter=parameter, value=text[:120], count=len(parts), allowed=allowed)
    numbers = []
    for part in parts:
        number = float(part) if NUMBER.fullmatch(part) else math.nan
        if not math.isfinite(number):
            raise InvalidInput("bbox.number", parameter=parameter, value=part[:40], allowed=allowed)
        numbers.append(number)
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if north_first:
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    west, south, east, north = numbers
    if not degrees:
        if max(map(abs, numbers)) > 1e9:
            raise InvalidInput("bbox.range", parameter=parameter, value=text[:120], allowed="± 1e9")
        if west > east:
            raise InvalidInput("bbox.order", parameter=parameter, value=text[:120], allowed=allowed)
    elif not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise InvalidInput("bbox.range", parameter=parameter, value=text[:120], allowed="±180, ±90")
    if south > north:
        raise InvalidInput("bbox.order", parameter=parameter, value=text[:120], allowed=allowed)
    return BBox(west, south, east, north)
