"""Coordinate reference systems: names, SRIDs and where they apply."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geo.bbox import BBox
from geo.errors import InvalidInput

#: Longitude, latitude on WGS 84, in this order (OGC API - Features Part 1, 7.5).
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
WGS84_SRID = 4326
WEB_MERCATOR_SRID = 3857
#: Those that all layers are served in: the whole world but the poles has coordinates in each.
_EVERYWHERE = frozenset({WGS84_SRID, WEB_MERCATOR_SRID})
#: Half way round the earth, in metres, beyond which no coordinate of a map of it lies.
_FARTHEST = 20_037_508.4
#: Points along each side of an extent that are tried, and how far they may come back from where they left, in metres.
_TRIED, _NEAR = 33, 1.0
_DEGREE = 111_320


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

    @property
    def short(self) -> str:
        """The name that people use: authority and code."""
        return "OGC:CRS84" if self.uri == CRS84 else f"EPSG:{self.srid}"


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


def crs_for(srid: int, extent: BBox | None) -> dict[str, AxisOrderedCrs]:
    """Return the CRS in which a layer can be given, by URI: its own, degrees, Web Mercator, and those that hold it all.

    Parameters
    ----------
    srid : int
        Of the CRS that the layer is stored in.
    extent : BBox, optional
        What the layer covers, in degrees; a layer without an extent has nothing that could lie outside of a CRS.
    """
    kept = {srid, *_EVERYWHERE}
    held = {
        uri: crs
        for uri, crs in offered_crs().items()
        if crs.srid in kept or extent is None or all(holds(crs.srid, part) for part in extent.parts())
    }
    return held if srid == WGS84_SRID else held | {own.uri: own for own in (_epsg(srid),)}


@cache
def holds(srid: int, box: BBox) -> bool:
    """Tell whether a CRS represents all of a box in degrees: a grid of points over it goes there and comes back.

    Beyond where a projection holds there are numbers, too, but they do not lead back, or lie further out than the earth
    is round.
    """
    lon, lat = np.meshgrid(np.linspace(box.west, box.east, _TRIED), np.linspace(box.south, box.north, _TRIED))
    x, y = transformer(WGS84_SRID, srid).transform(lon, lat)
    there = np.isfinite(x) & np.isfinite(y)
    if not there.all() or max(np.abs(x).max(), np.abs(y).max()) > _FARTHEST:
        return False
    east, north = transformer(srid, WGS84_SRID).transform(x, y)
    off = np.hypot((east - lon) * np.cos(np.radians(lat)), north - lat) * _DEGREE
    return bool((off < _NEAR).all())


def parse_crs(
    text: str,
    parameter: str,
    extra_srid: int = WGS84_SRID,
    given: Mapping[str, AxisOrderedCrs] | None = None,
    layer: str = "",
) -> AxisOrderedCrs:
    """Read a CRS given as URI, ``EPSG:code`` or safe CURIE ``[EPSG:code]``.

    Parameters
    ----------
    extra_srid : int
        A layer's own.
    given : dict of AxisOrderedCrs, optional
        Those in which a layer can be given, by URI, where only these will do; ``layer`` is its id.

    Raises
    ------
    InvalidInput
        ``crs.unknown``, or ``crs.layer`` for one that does not hold the layer, with the CRS that are offered.
    """
    offered = dict(offered_crs() if given is None else given)
    if extra_srid != WGS84_SRID:
        own = _epsg(extra_srid)
        offered[own.uri] = own
    short = re.fullmatch(r"\[?(?:EPSG:(\d{4,6})|(OGC:CRS84))\]?", text)
    uri = text if short is None else CRS84 if short[2] else f"http://www.opengis.net/def/crs/EPSG/0/{short[1]}"
    try:
        return offered[uri]
    except KeyError:
        code, named = ("crs.layer", {"collection": layer}) if uri in offered_crs() else ("crs.unknown", {})
        raise InvalidInput(
            code, parameter=parameter, value=text[:80], **named, allowed=", ".join(offered) or "–"
        ) from None


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
