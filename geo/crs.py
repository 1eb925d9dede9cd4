"""Coordinate reference systems: names, SRIDs and where they apply."""

from __future__ import annotations

import re
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class AxisOrderedCrs:
    """A CRS as clients name it: its URI, the SRID that PostGIS knows it by, and whether its authority puts north first.

    PostGIS and shapely always have x (east) before y (north); what goes out to or comes from a client is swapped for
    those whose authority defines it the other way round, such as EPSG:4326 (but not CRS84).
    """

    uri: str
    srid: int
    north_first: bool


def _epsg(code: int) -> AxisOrderedCrs:
    north_first = CRS.from_epsg(code).axis_info[0].direction == "north"
    return AxisOrderedCrs(f"http://www.opengis.net/def/crs/EPSG/0/{code}", code, north_first)


#: Longitude, latitude: the default of everything that clients send and get.
DEFAULT_CRS = AxisOrderedCrs(CRS84, WGS84_SRID, False)


@cache
def offered_crs() -> dict[str, AxisOrderedCrs]:
    """Return the CRS that collections are offered in, by URI.

    CRS84, WGS 84, Web Mercator, UTM zone 29N, and Merchich / Nord Maroc, the one that the city's planners use.
    """
    return {CRS84: DEFAULT_CRS} | {crs.uri: crs for crs in map(_epsg, (WGS84_SRID, WEB_MERCATOR_SRID, 32629, 26191))}


def parse_crs(text: str, parameter: str, extra_srid: int = WGS84_SRID) -> AxisOrderedCrs:
    """Read a CRS given as URI, ``EPSG:code`` or safe CURIE ``[EPSG:code]``; ``extra_srid`` is a layer's own.

    Raises
    ------
    InvalidInput
        ``crs.unknown``, with the CRS that are offered.
    """
    offered = dict(offered_crs())
    if extra_srid != WGS84_SRID:
        own = _epsg(extra_srid)
        offered[own.uri] = own
    short = re.fullmatch(r"\[?(?:EPSG:(\d{4,6})|(OGC:CRS84))\]?", text)
    uri = text if short is None else CRS84 if short[2] else f"http://www.opengis.net/def/crs/EPSG/0/{short[1]}"
    try:
        return offered[uri]
    except KeyError:
        raise InvalidInput("crs.unknown", parameter=parameter, value=text[:80], allowed=", ".join(offered)) from None


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
def overlap(source: int, target: int) -> BBox:
    """Return where two CRS both make sense, as a box in the units of the first, x before y."""
    one, other = domain(source), domain(target)
    area = BBox(
        max(one.west, other.west), max(one.south, other.south), min(one.east, other.east), min(one.north, other.north)
    )
    return BBox(*transformer(WGS84_SRID, source).transform_bounds(area.west, area.south, area.east, area.north))


@cache
def transformer(source: int, target: int) -> Transformer:
    """Return the transformation between two SRIDs; x (east) comes before y (north) on both sides."""
    return Transformer.from_crs(source, target, always_xy=True)
