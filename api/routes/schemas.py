"""What a collection's features have, what may be asked of them, and the functions of filters."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params, schemas
from api.answers import json_answer
from api.i18n import Messages
from api.links import Links
from api.negotiation import Reader, format_of
from api.pages import page
from api.routes.dependencies import LayerDep, LinksDep, ReaderDep
from layers.catalogue import PublishedLayer

router = APIRouter()
SCHEMA = "application/schema+json"


def _answer(
    request: Request,
    layer: PublishedLayer,
    reader: Reader,
    links: Links,
    kind: str,
    make: Callable[[PublishedLayer, str, Messages], schemas.Json],
) -> Response:
    params.read(request)
    document = make(layer, links.url("collections", layer.id, kind), reader.t)
    if format_of(request, "json", "html") == "html":
        heading = reader.t(f"pages.schemas.{kind}")
        return page(request, "schema.html", reader.lang, layer=layer, document=document, heading=heading)
    return json_answer(document, reader, media_type=SCHEMA)


@router.api_route("/collections/{collection}/schema", methods=["GET", "HEAD"])
async def schema(request: Request, layer: LayerDep, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with the schema of a collection's features."""
    return _answer(request, layer, reader, links, "schema", schemas.returnables)


@router.api_route("/collections/{collection}/queryables", methods=["GET", "HEAD"])
async def queryables(request: Request, layer: LayerDep, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with the properties that a filter may name."""
    return _answer(request, layer, reader, links, "queryables", schemas.queryables)


@router.api_route("/collections/{collection}/sortables", methods=["GET", "HEAD"])
async def sortables(request: Request, layer: LayerDep, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with the properties that features can be sorted by."""
    return _answer(request, layer, reader, links, "sortables", schemas.sortable)


@router.api_route("/functions", methods=["GET", "HEAD"])
async def functions(request: Request, reader: ReaderDep) -> Response:
    """Answer with the functions of filters."""
    params.read(request)
    document = schemas.functions(reader.t)
    if format_of(request, "json", "html") == "html":
        return page(request, "functions.html", reader.lang, functions=document["functions"])
    return json_answer(document, reader)
