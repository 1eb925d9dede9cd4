"""The catalogue for open-data portals, at the address by which they know it."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import dcat, params
from api.answers import bytes_answer, dumps
from api.i18n import LANGUAGES
from api.links import JSON_LD
from api.negotiation import Reader, format_of
from api.routes.dependencies import LinksDep, ReaderDep, state_of

router = APIRouter()


def linked_data(body: Mapping[str, object], reader: Reader, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON-LD, which has its texts in every language."""
    both = {"Content-Language": ", ".join(LANGUAGES), **(headers or {})}
    return bytes_answer(dumps(body), reader, media_type=JSON_LD, headers=both)


@router.api_route("/catalog.jsonld", methods=["GET", "HEAD"])
async def catalogue(request: Request, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with the whole catalogue (DCAT 3): harvesters tell its format by the ending of its address."""
    params.read(request)
    format_of(request, "jsonld")
    return linked_data(dcat.Catalogue(links).document(state_of(request).catalogue.layers()), reader)
