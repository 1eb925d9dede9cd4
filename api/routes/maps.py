"""The map page and the script that draws its map."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params
from api.i18n import LANGUAGES, Lang
from api.maps.description import MapDescription, describe_city
from api.negotiation import Reader
from api.pages import page
from api.routes.dependencies import ReaderDep, state_of
from geo.errors import NotFound
from layers.catalogue import Catalogue

router = APIRouter()

MAPS = {"city": describe_city}


@dataclass(frozen=True)
class Script:
    """A map's script with the tag of its content."""

    body: bytes
    etag: str


# A script depends on the catalogue alone, so it is kept as long as the catalogue is the current one.
_scripts: WeakKeyDictionary[Catalogue, dict[tuple[str, Lang], Script]] = WeakKeyDictionary()


def _build(description: MapDescription) -> Script:
    from api.maps.build import build_script  # folium takes 1.7 s to import: at the first map, not at the start

    body = build_script(description).encode()
    return Script(body, f'"{hashlib.sha256(body).hexdigest()[:20]}"')


async def warm_up(state: Any) -> None:
    """Build the scripts of the maps ahead of the first reader."""
    for lang in LANGUAGES:
        for map_id in MAPS:
            await map_script(state, map_id, lang)


async def map_script(state: Any, map_id: str, lang: Lang) -> Script:
    """Return the script of a map in one language.

    Raises
    ------
    NotFound
        ``map.unknown``, with the maps that there are.
    """
    if map_id not in MAPS:
        raise NotFound("map.unknown", parameter="map", value=map_id[:60], allowed=", ".join(MAPS))
    catalogue: Catalogue = state.catalogue
    kept = _scripts.setdefault(catalogue, {})
    if (map_id, lang) not in kept:
        description = MAPS[map_id](lang, catalogue.drawn(), state.settings)
        kept[map_id, lang] = await asyncio.to_thread(_build, description)
    return kept[map_id, lang]


async def map_page(request: Request, reader: Reader, map_id: str = "city") -> Response:
    """Answer with the page of a map; the map itself comes with the script that the page names."""
    state = state_of(request)
    description = MAPS[map_id](reader.lang, state.catalogue.drawn(), state.settings)
    texts = {"lang": reader.lang, "base": state.settings.base_path, "texts": reader.t.domain("map")}
    return page(request, "map.html", reader.lang, map=description, browser=texts)


@router.api_route("/maps/{map_id}.js", methods=["GET", "HEAD"])
async def script(request: Request, map_id: str, reader: ReaderDep) -> Response:
    """Answer with the script that draws a map."""
    params.read(request)
    found = await map_script(state_of(request), map_id, reader.lang)
    headers = {
        "ETag": found.etag,
        "Cache-Control": "no-cache",
        "Content-Language": reader.lang,
        "Vary": "Accept-Language",
    }
    # GZipMiddleware makes no tag of its own, so the tag is compared as weakly as a cache along the way would.
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if found.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(found.body, 200, headers, "text/javascript; charset=utf-8")
