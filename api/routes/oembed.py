"""The maps for editors' systems that turn an address into what it shows (oEmbed 1.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params
from api.answers import json_answer
from api.errors import problem
from api.i18n import LANGUAGES, Lang
from api.links import Links
from api.maps.description import maps_of
from api.maps.framing import FRAMED, MOST, read_framing
from api.maps.state import STATE, check_state
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from api.routes.maps import described
from api.settings import Settings
from geo.errors import InvalidInput, NotFound
from layers.catalogue import Catalogue
from layers.maps import MapDefinition

router = APIRouter()
#: Size in pixels of a map for a page that sets no limits.
WIDTH, HEIGHT = 800, 520
#: What the frame may do, and no more: the map's own requests need its origin.
SANDBOX = "allow-scripts allow-same-origin allow-popups"
#: What a page behind a link hands on to it.
ALLOW = "fullscreen; geolocation; clipboard-write"
#: Seconds for which an answer may be kept.
_AGE = 86400


def _limit(given: dict[str, str], name: str, usual: int) -> int:
    """Return a side of the frame: what is usual, else the most that the page has room for (oEmbed 1.0, 2.2)."""
    text = given.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MOST):
        raise InvalidInput("limit.invalid", parameter=name, value=text[:40], allowed=f"1 … {MOST}")
    return min(usual, int(text))


def _own(address: str, settings: Settings) -> SplitResult | None:
    """Return the address of a page of ours, in parts, with its path below our own; None for any other."""
    try:
        parts, own = urlsplit(address), urlsplit(settings.base_url)
        ours = (parts.scheme.lower(), parts.netloc.lower()) == (own.scheme.lower(), own.netloc.lower())
    except ValueError:
        return None
    path = unquote(parts.path)
    if not ours or not (path + "/").startswith(own.path + "/"):
        return None
    return parts._replace(path=path[len(own.path) :])


def _find(parts: SplitResult, catalogue: Catalogue) -> MapDefinition | None:
    """Return the map whose page an address is."""
    known = maps_of(catalogue)
    if parts.path in ("", "/"):
        return next(iter(known.values()))
    _, kind, name, *rest = [*parts.path.split("/"), ""]
    return known.get(name) if kind in ("maps", "embed") and rest in ([], [""]) else None


def _asked(parts: SplitResult) -> dict[str, str]:
    """Return what an address asks of a map, before and behind ``#``, which counts where both say something."""
    before, fragment = (parse_qsl(text, keep_blank_values=True) for text in (parts.query, parts.fragment))
    behind = {{"map": "view"}.get(name, name): value for name, value in fragment}
    return dict(before) | {name: value for name, value in behind.items() if name in STATE}


def _known(listed: str, layers: Sequence[Mapping[str, Any]]) -> str:
    """Return the layers of a list that are on the map, each once."""
    known = [layer["id"] for layer in layers]
    return ",".join(dict.fromkeys(name for name in map(str.strip, listed.split(",")) if name in known))


def _state(asked: Mapping[str, str], layers: Sequence[Mapping[str, Any]], catalogue: Catalogue) -> dict[str, str]:
    """Return what an address asks of a map, for its frame; what makes no sense is left out, each by itself."""
    found = {name: asked[name] for name in (*STATE, *FRAMED) if asked.get(name)}
    if "layers" in found:
        found["layers"] = _known(found["layers"], layers)
        # A list of which no layer is there would show none, as only an empty one wants it.
        if not found["layers"]:
            del found["layers"]
    kept = {"layers": ""} if asked.get("layers") == "" else {}
    for name in found:
        try:
            check_state({name: found[name]}, layers)
            read_framing({name: found[name]}, catalogue.district_extents).filters(layers, catalogue)
        except InvalidInput:
            continue
        kept[name] = found[name]
    return kept


@router.api_route("/oembed", methods=["GET", "HEAD"])
async def oembed(request: Request, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with how to show a map's page in another one (oEmbed 1.0, 2.3).

    Its addresses come from our own public address; what the caller says it reached us by counts for nothing.
    """
    state = state_of(request)
    given = params.read(request, ("url", "maxwidth", "maxheight", "format"))
    if given.get("format", "json") != "json":
        known: dict[str, object] = {"parameter": "format", "value": given["format"][:40], "allowed": "json"}
        return problem(request, 501, "parameter.value", known)
    width, height = _limit(given, "maxwidth", WIDTH), _limit(given, "maxheight", HEIGHT)
    address = given.get("url", "")
    if not address:
        raise InvalidInput("oembed.url", parameter="url", allowed=links.url("maps", "…"))
    parts = _own(address, state.settings)
    definition = parts and _find(parts, state.catalogue)
    if parts is None or definition is None:
        raise NotFound("oembed.unknown", parameter="url", value=address[:200], allowed=links.url("maps"))
    asked = _asked(parts)
    given_lang = asked.get("lang") if asked.get("lang") in LANGUAGES else None
    lang: Lang = "ar" if (given_lang or definition.lang or reader.lang) == "ar" else "fr"
    shown = _state(asked, described(state, definition, lang).layers, state.catalogue)
    body = {
        "version": "1.0",
        "type": "rich",
        "title": definition.title[lang],
        "provider_name": reader.t("layout.name"),
        "provider_url": links.url(),
        "cache_age": _AGE,
        "width": width,
        "height": height,
        "html": frame(links, definition, lang, shown, width, height),
    }
    return json_answer(body, reader, headers={"Cache-Control": f"public, max-age={_AGE // 24}"})


def frame(links: Links, definition: MapDefinition, lang: Lang, state: dict[str, str], width: int, height: int) -> str:
    """Return the HTML of a frame with a map, for pages that want no script of ours."""
    address = links.url("embed", definition.id, lang=lang, **state)
    return (
        f'<iframe src="{escape(address)}" title="{escape(definition.title[lang])}" width="{width}" height="{height}" '
        f'loading="lazy" sandbox="{SANDBOX}" allow="{ALLOW}"></iframe>'
    )
