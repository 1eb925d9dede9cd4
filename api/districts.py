"""Gathers what a district's page says of it: offices, what there is by layer, what is downloaded for it alone."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from api import params
from api.links import Links
from api.negotiation import Reader
from api.routes.at import canonical
from layers.aggregates import AggregateShape, aggregate_statement
from layers.catalogue import DISTRICTS, PublishedLayer
from layers.definition import DIRECTORY
from layers.pages import Page, read_page

if TYPE_CHECKING:
    from api.state import State

#: The annuaire's category of town halls and their annexes.
OFFICES = "town_hall"
#: Features of a layer that a page names.
MOST = 200
_LINES = ("LineString", "MultiLineString")

Json = dict[str, Any]


def within(code: str) -> str:
    """Return the filter for what lies within a district, in CQL2 text."""
    return "within_district('{}')".format(code.replace("'", "''"))


async def _read(state: State, layer: PublishedLayer, query: dict[str, str]) -> Page:
    settings, catalogue = state.settings, state.catalogue
    shape, values = params.items_query(layer, query, settings.zone, settings.max_bytes, catalogue.districts)
    return await read_page(state.database, layer, shape, values)


def _named(layer: PublishedLayer, page: Page, links: Links) -> list[Json]:
    """Return ids, names and addresses of a page's features."""
    return [
        {
            "id": feature["id"],
            "name_fr": feature["properties"]["name_fr"],
            "name_ar": feature["properties"]["name_ar"],
            "href": canonical(layer, feature["id"], feature["properties"].get("entry_id", feature["id"]), links),
        }
        for feature in json.loads(b"[" + page.features + b"]")
    ]


async def offices(state: State, code: str, reader: Reader, links: Links) -> list[Json]:
    """Return the town hall and the annexes that the annuaire has in a district."""
    layer = state.catalogue.by_id.get(DIRECTORY)
    if layer is None:
        return []
    query = {"category": OFFICES, "district_code": code, "limit": str(MOST), "sortby": f"name_{reader.lang}"}
    return _named(layer, await _read(state, layer, query), links)


async def categories(state: State, code: str, reader: Reader) -> list[Json]:
    """Return how many entries the annuaire has in a district, by category, the most frequent first."""
    layer = state.catalogue.by_id.get(DIRECTORY)
    if layer is None:
        return []
    given = {"district_code": code}
    selection, values = params.selection_of(layer, given, state.settings.zone, state.catalogue.districts)
    shape = AggregateShape(selection, by="field", group="category")
    rows = await state.database.rows(aggregate_statement(layer, shape, None), **values)
    counted = [(json.loads(row["key"]), row["count"]) for row in rows]
    found = [
        {"category": key, "label": state.vocabulary.category(key, reader.lang), "count": count}
        for key, count in counted
    ]
    return sorted(found, key=lambda item: (-item["count"], item["label"]))


def today(state: State) -> dt.date:
    """Return the day that it is in the city."""
    return dt.datetime.now(state.settings.zone).date()


async def contents(state: State, code: str, reader: Reader, links: Links) -> list[Json]:
    """Return what each layer has within a district: how many, and which where they are few and named by people.

    Of what comes and goes only what is there today counts.
    """
    found = []
    day = today(state).isoformat()
    for layer in state.catalogue.drawn():
        definition = layer.definition
        if layer.id == DISTRICTS:
            continue
        listed = definition.temporal is not None or definition.geometry.type in _LINES
        query = {"filter": within(code), "limit": str(MOST if listed else 1)}
        if definition.temporal is not None:
            query["datetime"] = day
        page = await _read(state, layer, query)
        found.append(
            {
                "collection": layer.id,
                "title": definition.title[reader.lang],
                "count": page.matched if page.matched is not None else page.estimate or page.returned,
                **({"features": _named(layer, page, links)} if listed else {}),
                **({"day": day} if definition.temporal is not None else {}),
            }
        )
    return found


def downloads(state: State, code: str, links: Links) -> dict[str, list[tuple[str, str]]]:
    """Return for each layer the addresses of what it has within a district, by format."""
    return {
        layer.id: [
            (form, links.url("collections", layer.id, "export", filter=within(code), f=form))
            for form in ("csv", "json", "gpkg")
        ]
        for layer in state.catalogue.drawn()
        if layer.id != DISTRICTS
    }
