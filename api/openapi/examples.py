"""Whole addresses that show how the parameters go together; the tests ask every one of them."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote, urlencode

from api.negotiation import Reader

#: An example in a description.
_SHOWN = re.compile(r"^- `(/.*)`$", re.MULTILINE)
#: By the last part of a path: what is asked of it.
ADDRESSES: dict[str, tuple[dict[str, str], ...]] = {
    "items": (
        {"filter": "CASEI(name_fr) LIKE CASEI('%hassan%')", "sortby": "-name_fr", "limit": "10"},
        {"bbox": "-7.65,33.55,-7.6,33.6", "crs": "http://www.opengis.net/def/crs/EPSG/0/26191"},
        {"filter": '{"op":"isNull","args":[{"property":"name_ar"}]}', "filter-lang": "cql2-json"},
    ),
    "export": (
        {"f": "csv", "geometry-format": "wkt", "bom": "true"},
        {"f": "gpkg", "filter": "S_INTERSECTS(geom, BBOX(-7.65, 33.55, -7.6, 33.6))"},
    ),
    "nearest": (
        {"lon": "-7.6192", "lat": "33.5931", "limit": "5", "max-distance": "2000"},
        {"point": "628000,3717700", "point-crs": "http://www.opengis.net/def/crs/EPSG/0/32629"},
    ),
    "at": ({"lon": "-7.6192", "lat": "33.5931", "tolerance": "20"},),
    "search": (
        {"q": "hopital 20 aout", "lon": "-7.6192", "lat": "33.5931"},
        {"q": "3in cho9", "layers": "districts,transport-stops"},
        {"q": "صيدلية", "lang": "ar", "bbox": "-7.65,33.55,-7.6,33.6"},
    ),
    "reverse": ({"lon": "-7.6192", "lat": "33.5931"},),
    "aggregate": (
        {"by": "grid", "size": "1000", "f": "geojson"},
        {"filter": "CASEI(name_fr) LIKE CASEI('%a%')", "f": "csv"},
    ),
}


def addresses(path: str, layers: Collection[str] | None = None, **instead: str | None) -> list[str]:
    """Return the examples of a path, as they are written in an address bar.

    Parameters
    ----------
    layers : collection of str, optional
        The layers that there are; examples that name others are left out.
    instead : Values that take the place of an example's own, by parameter; None leaves it out.
    """
    asked = ADDRESSES[path.rsplit("/", 1)[1]]
    if layers is not None:
        asked = tuple(one for one in asked if {*filter(None, one.get("layers", "").split(","))} <= {*layers})
    given = [{name: instead.get(name, value) for name, value in one.items()} for one in asked]
    kept = [{name: value for name, value in one.items() if value is not None} for one in given]
    return [f"{path}?{urlencode(one, safe=',:/(){}[]', quote_via=quote)}" for one in kept]


def at_address(
    reader: Reader, key: str, path: str, layers: Collection[str] | None = None, **instead: str | None
) -> str:
    """Return a description with the examples of its path, a line each."""
    return "\n".join([reader.t(key), "", *(f"- `{address}`" for address in addresses(path, layers, **instead))])


def shown(description: str) -> list[str]:
    """Return the examples that a description has."""
    return _SHOWN.findall(description)
