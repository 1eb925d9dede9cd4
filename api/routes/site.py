"""The site as people and search engines see it: its statements, the map of its pages, what robots may read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import escape

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from api import params
from api.i18n import LANGUAGES
from api.links import Links
from api.maps.description import maps_of
from api.negotiation import format_of
from api.pages import page
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from layers.catalogue import DISTRICTS
from layers.definition import DIRECTORY
from layers.queries import ids_statement

router = APIRouter()
XML = "application/xml"
STATEMENTS = ("accessibility", "privacy")
#: Addresses of a sitemap, as sitemaps.org allows.
MOST = 50_000


@router.api_route("/accessibility", methods=["GET", "HEAD"])
async def accessibility(request: Request, reader: ReaderDep) -> Response:
    """Answer with the accessibility statement."""
    params.read(request)
    format_of(request, "html")
    return page(
        request,
        "statement.html",
        reader.lang,
        statement="accessibility",
        contact=state_of(request).settings.contact,
    )


@router.api_route("/privacy", methods=["GET", "HEAD"])
async def privacy(request: Request, reader: ReaderDep) -> Response:
    """Answer with the privacy statement."""
    params.read(request)
    format_of(request, "html")
    return page(request, "statement.html", reader.lang, statement="privacy", contact="")


@router.api_route("/robots.txt", methods=["GET", "HEAD"])
async def robots(request: Request, links: LinksDep) -> Response:
    """Answer with what robots may read (RFC 9309): all but tiles and whole downloads, which are no pages."""
    base = state_of(request).settings.base_path
    closed = [f"Disallow: {base}{path}" for path in ("/tiles/", "/collections/*/tiles/", "/collections/*/export")]
    return PlainTextResponse("\n".join(["User-agent: *", *closed, f"Sitemap: {links.url('sitemap.xml')}"]) + "\n")


def _address(parts: tuple[str, ...], links: Links) -> str:
    """Return one address of the sitemap in each language, each naming all of them."""
    versions: dict[str, str] = {lang: escape(links.url(*parts, f="html", lang=lang)) for lang in LANGUAGES}
    named = {**versions, "x-default": escape(links.url(*parts, f="html"))}
    others = "".join(
        f'<xhtml:link rel="alternate" hreflang="{lang}" href="{address}"/>' for lang, address in named.items()
    )
    return "".join(f"<url><loc>{address}</loc>{others}</url>\n" for address in versions.values())


@router.api_route("/sitemap.xml", methods=["GET", "HEAD"])
async def sitemap(request: Request, links: LinksDep) -> Response:
    """Answer with the addresses of all pages (sitemaps.org), each in both languages."""
    state = state_of(request)
    pages: list[tuple[str, ...]] = [(), ("collections",), ("widgets",), *((statement,) for statement in STATEMENTS)]
    catalogue = state.catalogue
    pages += [("collections", layer.id) for layer in catalogue.layers()]
    # The first map is the page of the service's own address.
    pages += [("maps",), *(("maps", map_id) for map_id in list(maps_of(catalogue))[1:])]
    if DISTRICTS in catalogue.by_id:
        pages += [(DISTRICTS,), *((DISTRICTS, code) for code in catalogue.districts)]
    if layer := catalogue.by_id.get(DIRECTORY):
        pages.append((DIRECTORY,))
        rows = await state.database.rows(ids_statement(layer), page=MOST // len(LANGUAGES) - len(pages))
        pages += [(DIRECTORY, row["id"]) for row in rows]
    return StreamingResponse(_sitemap(pages, links), media_type=XML)


async def _sitemap(pages: list[tuple[str, ...]], links: Links) -> AsyncIterator[str]:
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
    )
    for start in range(0, len(pages), 200):
        yield "".join(_address(parts, links) for parts in pages[start : start + 200])
    yield "</urlset>\n"
