"""Builds the links of answers: absolute in JSON, from the public address; path-absolute in pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypedDict
from urllib.parse import quote, quote_plus

GEOJSON = "application/geo+json"
JSON = "application/json"
JSON_LD = "application/ld+json"
HTML = "text/html"
VCARD = "text/vcard"
PNG = "image/png"
MVT = "application/vnd.mapbox-vector-tile"
OEMBED = "application/json+oembed"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
PROBLEM = "application/problem+json"
#: Media types of features, by the value of ``f``.
FEATURE_TYPES = {
    "json": GEOJSON,
    "jsonseq": "application/geo+json-seq",
    "csv": "text/csv",
    "fgb": "application/flatgeobuf",
    "gpkg": "application/geopackage+sqlite3",
    "parquet": "application/vnd.apache.parquet",
    "kml": "application/vnd.google-earth.kml+xml",
    "shp": "application/zip",
}


#: Values that stand in a query as they are (RFC 3986, 3.4).
_PLAIN = re.compile(r"[\w.,:/~-]*", re.ASCII)


class _Required(TypedDict):
    href: str
    rel: str


class Link(_Required, total=False):
    """A link as the OGC APIs write it."""

    type: str
    title: str
    hreflang: str
    templated: bool


class Links:
    """Makes addresses of this service.

    Parameters
    ----------
    base : str
        What goes before every path: the public address for absolute links, or its path prefix.
    """

    def __init__(self, base: str) -> None:
        self.base = base

    def url(self, /, *parts: str, **query: object) -> str:
        """Return the address of a path given in parts, each of them quoted; null query values are left out."""
        path = self.base + _path(parts)
        given = {key: str(value) for key, value in query.items() if value is not None}
        return f"{path}?{query_text(given)}" if given else path


def on_map(links: Links, lang: str, at: tuple[float, float, float], key: str | None) -> str:
    """Return the address of the first map at a place, with a feature's card open.

    Parameters
    ----------
    at : tuple
        Zoom level, latitude and longitude, in degrees.
    key : str, optional
        ``layer/feature``; without it no card opens.
    """
    zoom, lat, lon = at
    chosen = f"&select={quote(key, safe='/')}" if key else ""
    return f"{links.url(lang=lang)}#map={zoom:g}/{lat:.5f}/{lon:.5f}{chosen}"


@lru_cache(maxsize=1024)
def _path(parts: tuple[str, ...]) -> str:
    return "".join("/" + quote(part, safe="") for part in parts) or "/"


def query_text(given: Mapping[str, str]) -> str:
    """Write parameters as the query of an address; quoting is left out where there is nothing to quote."""
    return "&".join(
        [
            f"{name if _PLAIN.fullmatch(name) else quote_plus(name)}="
            f"{value if _PLAIN.fullmatch(value) else quote_plus(value)}"
            for name, value in given.items()
        ]
    )


def and_query(address: str, name: str, value: str) -> str:
    """Return an address with one more parameter, whose value needs no quoting: cheaper than making it anew."""
    return f"{address}{'&' if '?' in address else '?'}{name}={value}"


def link(rel: str, href: str, type: str | None = None, title: str | None = None, **more: str) -> Link:  # noqa: A002
    """Make one link; empty members are left out."""
    made: dict[str, object] = {"rel": rel, "href": href}
    made |= {key: value for key, value in {"type": type, "title": title, **more}.items() if value is not None}
    return made  # type: ignore[return-value]


def link_header(links: list[Link]) -> str:
    """Write links as an HTTP ``Link`` header (RFC 8288)."""
    return ", ".join(
        f'<{item["href"]}>; rel="{item["rel"]}"' + (f'; type="{item["type"]}"' if "type" in item else "")
        for item in links
    )
