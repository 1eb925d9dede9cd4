"""What makes the service an application on a phone: a manifest a language, and the worker that keeps what was seen."""

from __future__ import annotations

import json
import re

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params
from api.i18n import LANGUAGES
from api.links import Links
from api.maps.description import maps_of
from api.pages import page
from api.routes.dependencies import ReaderDep, state_of
from api.routes.maps import described
from api.security import DATA_POLICY, page_policy

router = APIRouter()
MANIFEST = "application/manifest+json"
#: What the map's page is made of, to be there without network; what only some maps need is kept once it was used.
_NOT_SHELL = re.compile(
    r"js/(worker|tiles|tile-draw|embed|channel|widgets?|widget-.*)\.js|lib/(pbf|point-geometry|vector-tile)\.js"
    r"|css/(embed|widgets|.*-light|.*-dark)\.css"
)
#: Needed as well where the first map has layers that come as tiles.
_OF_TILES = re.compile(r"js/(tiles|tile-draw)\.js|lib/(pbf|point-geometry|vector-tile)\.js")
#: The worker asks our own service, and nobody else.
_POLICY = DATA_POLICY.replace("default-src 'none'", "default-src 'none'; connect-src 'self'; script-src 'self'")


@router.api_route("/manifest.webmanifest", methods=["GET", "HEAD"])
async def manifest(request: Request, reader: ReaderDep) -> Response:
    """Answer with the manifest in the reader's language (W3C Web Application Manifest)."""
    params.read(request)
    state = state_of(request)
    links = Links(state.settings.base_path)
    home = state.settings.base_path + "/"
    body = {
        "id": home,
        "name": reader.t("layout.name"),
        "short_name": reader.t("layout.name"),
        "description": reader.t("layout.description"),
        "lang": reader.lang,
        "dir": reader.t.dir,
        "start_url": f"{home}?lang={reader.lang}",
        "scope": home,
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#0f5c63",
        "icons": [
            {"src": state.assets.url("img/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            {
                "src": state.assets.url("img/maskable.svg"),
                "sizes": "any",
                "type": "image/svg+xml",
                "purpose": "maskable",
            },
        ],
        "shortcuts": [
            {"name": reader.t("layout.directory"), "url": links.url("directory", f="html", lang=reader.lang)},
        ],
    }
    headers = {"Cache-Control": "no-cache", "Content-Language": reader.lang, "Vary": "Accept-Language"}
    return Response(json.dumps(body, ensure_ascii=False), 200, headers, MANIFEST)


@router.api_route("/sw.js", methods=["GET", "HEAD"])
async def worker(request: Request) -> Response:
    """Answer with the service worker, another one for each version of the files; its scope is the whole service."""
    params.read(request)
    state = state_of(request)
    home = state.settings.base_path + "/"
    first = next(iter(maps_of(state.catalogue).values()))
    shown = [described(state, first, lang) for lang in LANGUAGES]
    names = [
        name
        for name in state.assets.names()
        if not _NOT_SHELL.fullmatch(name) or (shown[0].tiled and _OF_TILES.fullmatch(name))
    ]
    scripts = [Links(state.settings.base_path).url("maps", f"{first.id}.js", lang=lang) for lang in LANGUAGES]
    features = [layer["items"] for layer in shown[0].layers if layer["shown"] and layer["source"] == "geojson"]
    pages = {lang: page(request, "offline.html", lang, canonical=state.settings.base_url + "/") for lang in LANGUAGES}
    told = {
        "version": state.assets.version,
        "base": home,
        "shell": [state.assets.url(name) for name in names],
        "first": first.id,
        "start": [f"{home}?lang={lang}" for lang in LANGUAGES],
        "needs": [*scripts, *features],
        "missing": {lang: bytes(answer.body).decode() for lang, answer in pages.items()},
        "policy": page_policy(state.settings),
    }
    body = f"const told = {json.dumps(told)};\n".encode() + (state.assets.content("js/worker.js") or b"")
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
    return Response(body, 200, headers, "text/javascript; charset=utf-8")
