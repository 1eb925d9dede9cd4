"""Coordinate reference systems: names, SRIDs and where they apply."""

from __future__ import annotations

from functools import cache

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geo.bbox import BBox
from geo.errors import InvalidInput

#: Longitude, latitude on WGS 84, in this order (OGC API - Features Part 1, 7.5).
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
WGS84_SRID = 4326
WEB_MERCATOR_SRID = 3857


def srid_of(crs: object) -> int:
    """Return the EPSG code of a coordinate system given in any form that PROJ knows.

    Raises
    ------
    InvalidInput
        ``crs.unknown``, when PROJ does not know it or it has no EPSG code.
    """
    try:
        known = CRS.from_user_input(crs)
    except CRSError as error:
        raise InvalidInput("crs.unknown", value=str(crs)[:80], allowed="EPSG", log=str(error)) from error
    if known.to_authority() == ("OGC", "CRS84"):
        return WGS84_SRID
    code = known.to_epsg(min_confidence=70)
    if code is None:
        raise InvalidInput("crs.unknown", value=known.name, allowed="EPSG")
    return code


@cache
def known_srid(srid: int) -> bool:
    """Tell whether PROJ knows an EPSG code."""
    try:
        CRS.from_epsg(srid)
    except CRSError:
        return False
    return True


@cache
def north_first(srid: int) -> bool:
    """Tell whether the authority of a CRS puts the northing or latitude first; 4326 here means CRS84."""
    return srid != WGS84_SRID and CRS.from_epsg(srid).axis_info[0].direction == "north"


@cache
def domain(srid: int) -> BBox:
    """Return where coordinates of a CRS make sense, in degrees: its area of use with a margin of two degrees.

    Far outside of it a projection folds or has no result, so a box must be clipped to it before it is transformed.
    """
    area = CRS.from_epsg(srid).area_of_use
    if area is None or area.west > area.east:
        return BBox(-180, -89.9, 180, 89.9)
    return BBox(
        max(-180, area.west - 2), max(-89.9, area.south - 2), min(180, area.east + 2), min(89.9, area.north + 2)
    )


@cache
def transformer(source: int, target: int) -> Transformer:
    """Return the transformation between two SRIDs; x (east) comes before y (north) on both sides."""
    return Transformer.from_crs(source, target, always_xy=True)
