"""Builds the links of answers: absolute in JSON, from the public address; path-absolute in pages."""

from __future__ import annotations

from typing import TypedDict
from urllib.parse import quote, urlencode

GEOJSON = "application/geo+json"
JSON = "application/json"
JSON_LD = "application/ld+json"
HTML = "text/html"
VCARD = "text/vcard"
MVT = "application/vnd.mapbox-vector-tile"
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
        path = "".join("/" + quote(part, safe="") for part in parts) or "/"
        given = {key: value for key, value in query.items() if value is not None}
        return self.base + path + (f"?{urlencode(given)}" if given else "")


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
