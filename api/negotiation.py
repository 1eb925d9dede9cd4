"""Who is reading: the language and the representation that a request asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import parse_qsl

from babel import Locale, negotiate_locale
from starlette.requests import HTTPConnection
from starlette.types import Scope

from api.i18n import LANGUAGES, Lang, Messages, messages
from api.links import FEATURE_TYPES, GEOJSON, HTML, JSON, JSON_LD, VCARD
from geo.errors import InvalidInput

#: Media types of each value of ``f``, the first being the one that answers have.
FORMATS: dict[str, tuple[str, ...]] = {
    **{name: (media_type,) for name, media_type in FEATURE_TYPES.items()},
    "fgb": (FEATURE_TYPES["fgb"], "application/vnd.flatgeobuf", "application/x-flatgeobuf"),
    "gpkg": (FEATURE_TYPES["gpkg"], "application/geopackage+vnd.sqlite3"),
    "parquet": (FEATURE_TYPES["parquet"], "application/parquet", "application/x-parquet", "application/geo+parquet"),
    "shp": (FEATURE_TYPES["shp"], "application/x-shapefile", "application/vnd.shp"),
    "jsonseq": (FEATURE_TYPES["jsonseq"], "application/json-seq"),
    "json": (JSON, GEOJSON, "application/schema+json", "application/vnd.oai.openapi+json"),
    "geojson": (GEOJSON,),
    "jsonld": (JSON_LD,),
    "vcf": (VCARD, "text/x-vcard", "text/directory"),
    "html": (HTML, "application/xhtml+xml"),
    "mvt": ("application/vnd.mapbox-vector-tile", "application/x-protobuf"),
    "tilejson": ("application/vnd.mapbox.tile+json", "application/tilejson+json"),
}


#: What an answer depends on, whether or not this one is worth compressing.
VARY = "Accept, Accept-Language, Accept-Encoding"
#: Queries that mean what they say.
_PLAIN = re.compile(r"[!-$&-*,-~]*")
#: Where a request keeps its parameters.
_QUERY = "casamaps.query"


@dataclass(frozen=True, slots=True)
class Reader:
    """The person or program that asks: its language and texts."""

    lang: Lang
    t: Messages


def query_of(connection: HTTPConnection) -> list[tuple[str, str]]:
    """Return the parameters of a request in their order, read once."""
    scope = connection.scope
    found: list[tuple[str, str]] | None = scope.get(_QUERY)
    if found is None:
        text = scope["query_string"].decode("latin-1")
        if "%20" in text and "+" in text:
            # Who writes a blank as %20 means a plus by a plus (RFC 3986), as GDAL does; forms write a blank as a plus.
            text = "&".join(part.replace("+", "%2B") if "%20" in part else part for part in text.split("&"))
        found = scope[_QUERY] = _plainly(text) if _PLAIN.fullmatch(text) else parse_qsl(text, keep_blank_values=True)
    return found


def _plainly(text: str) -> list[tuple[str, str]]:
    """Read parameters in which nothing is escaped."""
    return [(name, value) for name, _, value in [part.partition("=") for part in text.split("&") if part]]


def _asked(connection: HTTPConnection, name: str) -> str | None:
    """Return what a parameter says, the last one if it stands twice."""
    for key, value in reversed(query_of(connection)):
        if key == name:
            return value
    return None


def header_of(scope: Scope, name: bytes) -> str:
    """Return what a header says, named in lower case; empty without one."""
    for key, value in scope["headers"]:
        if key == name:
            found: str = value.decode("latin-1")
            return found
    return ""


@lru_cache(maxsize=1024)
def weighted(header: str) -> tuple[tuple[str, float], ...]:
    """Read a header of weighted values, best first; those with weight 0 or without sense are left out."""
    return tuple(sorted((item for item in _read(header) if item[1] > 0), key=lambda item: -item[1]))


def _read(header: str) -> list[tuple[str, float]]:
    """Read a header of weighted values in its order; what has a weight without sense has weight 0."""
    found = []
    for part in header.split(","):
        value, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        if value:
            found.append((value, weight))
    return found


def language_of(connection: HTTPConnection) -> Lang:
    """Return the language of ``lang``, else of ``Accept-Language``, else French; never fails."""
    asked = _asked(connection, "lang")
    if asked in LANGUAGES:
        return asked
    return _preferred(header_of(connection.scope, b"accept-language"))


@lru_cache(maxsize=1024)
def _preferred(header: str) -> Lang:
    """Return which of our languages ``Accept-Language`` prefers."""
    preferred = [value for value, _ in weighted(header) if value != "*"]
    try:
        best = negotiate_locale([value.replace("-", "_") for value in preferred], list(LANGUAGES))
    except ValueError:
        best = None
    return "ar" if best and Locale.parse(best).language == "ar" else "fr"


def reader_of(connection: HTTPConnection) -> Reader:
    """Return who is reading; used as a dependency of routes.

    Raises
    ------
    InvalidInput
        ``parameter.value`` when ``lang`` names another language.
    """
    asked = _asked(connection, "lang")
    if asked is not None and asked not in LANGUAGES:
        raise InvalidInput("parameter.value", parameter="lang", value=asked[:40], allowed=", ".join(LANGUAGES))
    return _reader(asked or _preferred(header_of(connection.scope, b"accept-language")))


@cache
def _reader(lang: Lang) -> Reader:
    return Reader(lang, messages(lang))


def format_of(connection: HTTPConnection, *offered: str) -> str:
    """Return which of the offered formats is wanted; the first is the default, for ``*/*`` and unknown types too.

    Raises
    ------
    InvalidInput
        ``parameter.value`` when ``f`` names a format that is not offered here.
    """
    asked = _asked(connection, "f")
    if asked is not None:
        if asked not in offered:
            raise InvalidInput("parameter.value", parameter="f", value=asked[:40], allowed=", ".join(offered))
        return asked
    return _accepted(header_of(connection.scope, b"accept"), offered)


@lru_cache(maxsize=1024)
def _accepted(header: str, offered: tuple[str, ...]) -> str:
    """Return which of the offered formats ``Accept`` prefers (RFC 9110, 12.5.1); of equals the first offered."""
    ranges = list(enumerate(_read(header)))
    wanted = [(rank, name) for name in offered if (rank := _rank(name, ranges))[0] > 0]
    # Stable, so that of equals the first stays the first.
    return max(wanted, key=lambda item: item[0])[1] if wanted else offered[0]


def _rank(name: str, ranges: list[tuple[int, tuple[str, float]]]) -> tuple[float, int, int, bool]:
    """Return how much a format is wanted, compared in order: its weight, how precisely it is meant, how early.

    The most specific range that fits says its weight. A format whose own type is named goes before one that takes the
    type as well.
    """
    own, *_ = types = FORMATS[name]
    for precision, fitting in ((2, types), (1, (f"{own.partition('/')[0]}/*",)), (0, ("*/*",))):
        found = [
            (weight, precision, -at, media_type == own) for at, (media_type, weight) in ranges if media_type in fitting
        ]
        if found:
            return max(found)
    return 0.0, 0, 0, False


def wants_html(connection: HTTPConnection) -> bool:
    """Tell whether an error should be a page; never fails."""
    asked = _asked(connection, "f")
    if asked is not None:
        return asked == "html"
    best = weighted(header_of(connection.scope, b"accept"))
    return bool(best) and best[0][0] in (*FORMATS["html"], "text/*")


@lru_cache(maxsize=1024)
def codings(header: str) -> str:
    """Return ``Accept-Encoding`` as those who compress look at it, who only look whether a name is there.

    Names are in lower case, those with weight 0 are left out, and ``*`` stands for what it takes in.
    """
    named = {value for value, _ in _read(header)}
    wanted = [value for value, _ in weighted(header)]
    return ", ".join(["gzip" if value == "*" else value for value in wanted if value != "*" or "gzip" not in named])
