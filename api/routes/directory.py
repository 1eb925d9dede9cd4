"""The annuaire: one address for each place and institution."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import cards, params
from api.answers import bytes_answer, dumps
from api.links import GEOJSON, HTML, Links, link, link_header
from api.negotiation import format_of
from api.pages import page
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from geo.errors import NotFound
from layers.queries import entry_statement

router = APIRouter()


@router.api_route("/directory/{entry}", methods=["GET", "HEAD"])
async def entry(request: Request, entry: str, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with one entry: its page, or GeoJSON (the geometry is null for an institution without a place)."""
    params.read(request)
    state = state_of(request)
    key = params.path_id(entry, "entryId")
    itself = links.url("directory", key)
    if format_of(request, "json", "html") == "html":
        card, linked = await cards.entry_card(state, key, reader, Links(state.settings.base_path))
        return page(request, "entry.html", reader.lang, card=card, linked=linked, canonical=itself)
    row = await state.database.row(entry_statement(), id=key)
    if row is None:
        raise NotFound("entry.unknown", parameter="entryId", value=key[:80])
    found = [
        link("canonical", itself, GEOJSON),
        link("self", itself + "?f=json", GEOJSON),
        link("alternate", itself + "?f=html", HTML),
    ]
    body = row["feature"][:-1] + b',"links":' + dumps(found) + b"}"
    return bytes_answer(body, reader, media_type=GEOJSON, headers={"Link": link_header(found)})
