"""The maps: their list, their pages with and without the site around them, and the scripts that draw them."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params, pictures
from api.answers import json_answer
from api.errors import detail_of
from api.i18n import LANGUAGES, Lang, messages
from api.links import HTML, JSON, OEMBED, PNG, Links, link, link_header
from api.maps.description import MapDescription, describe, maps_of
from api.maps.framing import FRAMED, NARROWED, Framing, narrowed_to, read_framing
from api.maps.state import STATE, check_state
from api.maps.times import Time, seconds_left
from api.negotiation import Reader, format_of, wants_html
from api.pages import page
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from api.security import framers, page_policy
from geo.errors import InvalidInput, NotFound
from layers.catalogue import Catalogue
from layers.maps import MapDefinition

router = APIRouter()


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
    """Build the scripts of the first map ahead of its first reader."""
    first = next(iter(maps_of(state.catalogue)))
    for lang in LANGUAGES:
        await map_script(state, first, lang)


def find_map(catalogue: Catalogue, map_id: str) -> MapDefinition:
    """Return a map.

    Raises
    ------
    NotFound
        ``map.unknown``, with the maps that there are.
    """
    known = maps_of(catalogue)
    if map_id not in known:
        raise NotFound("map.unknown", parameter="mapId", value=map_id[:60], allowed=", ".join(known))
    return known[map_id]


def described(state: Any, definition: MapDefinition, lang: Lang) -> MapDescription:
    """Describe a map in a language, as the catalogue is now."""
    catalogue: Catalogue = state.catalogue
    return describe(definition, lang, catalogue.layers(), state.settings, catalogue.district_extents)


async def map_script(state: Any, map_id: str, lang: Lang) -> Script:
    """Return the script of a map in one language.

    Raises
    ------
    NotFound
        ``map.unknown``, with the maps that there are.
    """
    catalogue: Catalogue = state.catalogue
    definition = find_map(catalogue, map_id)
    kept = _scripts.setdefault(catalogue, {})
    if (map_id, lang) not in kept:
        kept[map_id, lang] = await asyncio.to_thread(_build, described(state, definition, lang))
    return kept[map_id, lang]


def _reader(request: Request, reader: Reader, definition: MapDefinition) -> Reader:
    """Return the reader in the language that the map begins in, where none has been chosen."""
    if definition.lang is None or "lang" in request.query_params:
        return reader
    return Reader(definition.lang, messages(definition.lang))


def canonical_of(catalogue: Catalogue, map_id: str, links: Links) -> str:
    """Return the address of a map's page."""
    return links.url() if map_id == next(iter(maps_of(catalogue))) else links.url("maps", map_id)


def said_of(framing: Framing, state: Any, reader: Reader) -> str:
    """Return what readers are told where an address has a map show a part of its features; empty where it does not."""
    told = []
    if framing.district:
        name = state.catalogue.districts[framing.district][reader.lang]
        told.append(reader.t("list.narrowed-district", district=f"\u2068{name}\u2069"))
    if framing.filter:
        told.append(reader.t("list.narrowed-filter"))
    return " ".join(told)


def map_page(request: Request, reader: Reader, map_id: str | None = None) -> Response:
    """Answer with the page of a map, by default of the first; the map itself comes with the script that it names."""
    state = state_of(request)
    definition = find_map(state.catalogue, map_id or next(iter(maps_of(state.catalogue))))
    reader = _reader(request, reader, definition)
    shown = described(state, definition, reader.lang)
    check_state(request.query_params, shown.layers)
    asked = {name: request.query_params.get(name, "") for name in NARROWED}
    framing = read_framing(asked, state.catalogue.district_extents)
    box, narrowed = framing.box, framing.narrowed()
    links, local = Links(state.settings.base_url), Links(state.settings.base_path)
    canonical = canonical_of(state.catalogue, definition.id, links)
    address = links.url("maps", definition.id, lang=reader.lang, **narrowed)
    filters = framing.filters(shown.layers, state.catalogue)
    whole = {
        "text": said_of(framing, state, reader),
        "all": reader.t("list.narrowed-all"),
        "href": local.url("maps", definition.id, lang=reader.lang),
    }
    oembed = links.url("oembed", url=address, format="json")
    return page(
        request,
        "map.html",
        reader.lang,
        headers={"Link": link_header([link("alternate", oembed, OEMBED)])},
        canonical=canonical,
        oembed=oembed,
        image=pictures.shared_url(state, reader.lang, definition.id, narrowed=narrowed),
        map=shown,
        definition=definition,
        filters=filters,
        narrowed=narrowed,
        browser={
            "lang": reader.lang,
            "base": state.settings.base_path,
            "list": local.url("maps", definition.id, "list", lang=reader.lang, **narrowed),
            "maps": local.url("maps", f="html", lang=reader.lang),
            "extent": box and [box.west, box.south, box.east, box.north],
            "zone": shown.time_zone,
            "texts": reader.t.domain("map"),
            **({"filters": filters, "narrowed": whole} if narrowed else {}),
        },
    )


def _missing_page(request: Request, reader: Reader, map_id: str) -> Response:
    """Answer with what a frame shows for a map that there is not, to all who may show one of those that there are."""
    state = state_of(request)
    known = maps_of(state.catalogue).values()
    origins = [origin for definition in known for origin in framers(state.settings, definition.embed)]
    # Those of districts are many, and known by their codes.
    some = ", ".join(definition.id for definition in known if definition.extent.district is None)
    said = detail_of(reader.t, "map.framed", {"value": map_id[:60], "allowed": some})
    return page(
        request,
        "embed-refused.html",
        reader.lang,
        status=404,
        headers={"Content-Security-Policy": page_policy(state.settings, list(dict.fromkeys(origins)))},
        map=None,
        problem=said,
        browser={"lang": reader.lang, "embed": {"origins": origins, "map": None, "problem": said, "missing": True}},
    )


def framed_page(request: Request, reader: Reader, definition: MapDefinition, framing: Framing | str) -> Response:
    """Answer with a map without the site around it, for the pages that may show it; or with why there is none."""
    state = state_of(request)
    reader = _reader(request, reader, definition)
    theme = "auto" if isinstance(framing, str) else framing.theme
    shared = {"origins": framers(state.settings, definition.embed), "map": definition.id}
    inner = {f"embed.{key}": text for key, text in reader.t.domain("widget.inner").items()}
    shown = described(state, definition, reader.lang)
    own: dict[str, Any] = {"problem": framing} if isinstance(framing, str) else framing.told()
    filters = {} if isinstance(framing, str) else framing.filters(shown.layers, state.catalogue)
    narrowed = {} if isinstance(framing, str) else framing.narrowed()
    return page(
        request,
        "embed-refused.html" if isinstance(framing, str) else "embed.html",
        reader.lang,
        status=400 if isinstance(framing, str) else 200,
        headers={"Content-Security-Policy": page_policy(state.settings, definition.embed, map_id=definition.id)},
        canonical=canonical_of(state.catalogue, definition.id, Links(state.settings.base_url)),
        map=shown,
        definition=definition,
        theme=theme,
        suffix="" if theme == "auto" else f"-{theme}",
        problem=own.get("problem"),
        filters=filters,
        narrowed=narrowed,
        browser={
            "lang": reader.lang,
            "base": state.settings.base_path,
            "list": Links(state.settings.base_path).url("maps", definition.id, "list", lang=reader.lang, **narrowed),
            "zone": shown.time_zone,
            "texts": reader.t.domain("map") | inner,
            "filters": filters,
            "embed": shared | own,
        },
    )


def summary(
    definition: MapDefinition, lang: Lang, links: Links, narrowed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what the list of maps says of one; ``narrowed`` is what its addresses say of the features to show."""
    chosen = narrowed or {}
    where = {kind: links.url(kind, definition.id, lang=lang, **chosen) for kind in ("maps", "embed")}
    return {
        "id": definition.id,
        "title": definition.title[lang],
        "description": definition.description[lang],
        "links": [
            link("self", links.url("maps", definition.id, f="json", **chosen), JSON),
            link("alternate", where["maps"], HTML, hreflang=lang),
            link("embed", where["embed"], HTML, hreflang=lang),
        ],
    }


def map_body(
    definition: MapDefinition, shown: MapDescription, links: Links, framing: Framing, catalogue: Catalogue
) -> dict[str, Any]:
    """Return what a map shows, narrowed as its address says."""
    shown = narrowed_to(framing, shown, catalogue)
    box = shown.extent
    return summary(definition, shown.lang, links, framing.narrowed()) | {
        "extent": [box.west, box.south, box.east, box.north],
        "layers": [
            {name: layer[name] for name in ("id", "title", "shown", "source", "filter")} for layer in shown.layers
        ],
        "controls": definition.controls,
    }


def _unchanged(request: Request, etag: str) -> bool:
    """Tell whether who asks has it already; tags are compared as weakly as a cache along the way would."""
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return etag in known or "*" in known


@router.api_route("/maps", methods=["GET", "HEAD"])
async def map_list(request: Request, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with the maps that there are."""
    params.read(request)
    known = maps_of(state_of(request).catalogue)
    if format_of(request, "json", "html") == "html":
        districts = [item for item in known.values() if item.extent.district]
        return page(
            request,
            "maps.html",
            reader.lang,
            image=pictures.shared_url(state_of(request), reader.lang),
            groups=[[item for item in known.values() if item not in districts], districts],
        )
    body = {
        "maps": [summary(definition, reader.lang, links) for definition in known.values()],
        "links": [
            link("self", links.url("maps", f="json"), JSON),
            link("alternate", links.url("maps", f="html"), HTML, hreflang=reader.lang),
        ],
    }
    return json_answer(body, reader)


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
    if _unchanged(request, found.etag):
        return Response(status_code=304, headers=headers)
    return Response(found.body, 200, headers, "text/javascript; charset=utf-8")


@router.api_route("/maps/{map_id}.png", methods=["GET", "HEAD"])
async def picture(request: Request, map_id: str, reader: ReaderDep) -> Response:
    """Answer with a static picture of a map, for cards, mail and print."""
    state = state_of(request)
    given = params.read(request, ("bbox", "size", "layers", "title", "pin", "time", "density", *NARROWED))
    definition = find_map(state.catalogue, map_id)
    shown = described(state, definition, reader.lang)
    width, height = pictures.size_of(given.get("size"))
    if given.get("title", "true") not in ("true", "false"):
        raise InvalidInput("parameter.value", parameter="title", value=given["title"][:40], allowed="true, false")
    framing = read_framing({name: given.get(name, "") for name in NARROWED}, state.catalogue.district_extents)
    filters = framing.filters(shown.layers, state.catalogue)
    wanted = pictures.Wanted(
        pictures.box_of(given["bbox"]) if "bbox" in given else framing.box or shown.extent,
        width,
        height,
        reader.lang,
        pictures.layers_of(given.get("layers"), shown.layers),
        given.get("title") != "false",
        pictures.pin_of(given["pin"]) if "pin" in given else None,
        Time.shown(given, shown.controls, state.settings.zone),
        pictures.density_of(given.get("density"), width, height),
        tuple((name, text) for name, text in filters.items() if text),
    )
    # Nobody keeps a picture of today until tomorrow.
    kept = (
        300 if "time" in given or wanted.time is None else min(300, seconds_left(dt.datetime.now(state.settings.zone)))
    )
    headers = {
        "ETag": pictures.tag_of(state, definition, wanted),
        "Cache-Control": f"public, max-age={kept}",
        "Content-Language": reader.lang,
        "Vary": "Accept-Language",
    }
    if _unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(await state.pictures.get(definition, wanted), 200, headers, PNG)


@router.api_route("/maps/{map_id}", methods=["GET", "HEAD"])
async def one_map(request: Request, map_id: str, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with a map: its page, or what it shows."""
    state = state_of(request)
    definition = find_map(state.catalogue, map_id)
    given = params.read(request, (*STATE, *NARROWED))
    if format_of(request, "json", "html") == "html":
        return map_page(request, reader, map_id)
    framing = read_framing(given, state.catalogue.district_extents)
    shown = described(state, definition, reader.lang)
    check_state(given, shown.layers)
    return json_answer(map_body(definition, shown, links, framing, state.catalogue), reader)


@router.api_route("/embed/{map_id}", methods=["GET", "HEAD"])
async def embedded(request: Request, map_id: str, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with a map for a frame in another page, or what it shows with the filters of its address."""
    state = state_of(request)
    if map_id not in maps_of(state.catalogue) and wants_html(request):
        return _missing_page(request, reader, map_id)
    definition = find_map(state.catalogue, map_id)
    form = format_of(request, "html", "json")
    try:
        given = params.read(request, (*STATE, *FRAMED))
        framing = read_framing(given, state.catalogue.district_extents)
        shown = described(state, definition, reader.lang)
        check_state(given, shown.layers)
        if form == "html":
            return framed_page(request, reader, definition, framing)
        return json_answer(map_body(definition, shown, links, framing, state.catalogue), reader)
    except InvalidInput as error:
        if not wants_html(request):
            raise
        # What is wrong is said in the frame: a page of ours that no other may show would leave it empty.
        return framed_page(request, reader, definition, detail_of(reader.t, error.code, error.params))
