"""Gathers what a district's page says of it: offices, places by category, what each layer has there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api import params
from api.links import FEATURE_TYPES, Links, link
from api.negotiation import Reader
from api.routes.at import canonical
from layers.aggregates import AggregateShape, aggregate_statement
from layers.catalogue import DISTRICTS, STOPS, PublishedLayer
from layers.definition import DIRECTORY
from layers.pages import Page, read_page
from layers.within import belonging_statement

if TYPE_CHECKING:
    from api.state import State

#: Features of a layer that a page names.
MOST = 200
#: Formats in which a page offers what is in a district.
DOWNLOADS = ("csv", "json", "gpkg")
_LINES = ("LineString", "MultiLineString")

Json = dict[str, Any]


async def _read(state: State, layer: PublishedLayer, query: dict[str, str]) -> Page:
    settings, catalogue = state.settings, state.catalogue
    shape, values = params.items_query(layer, query, settings.zone, settings.max_bytes, catalogue.districts)
    return await read_page(state.database, layer, shape, values)


def _named(layer: PublishedLayer, key: str, names: Mapping[str, str], entry: str | None, links: Links) -> Json:
    """Return a feature's id, names and address."""
    return {
        "id": key,
        "name_fr": names["name_fr"],
        "name_ar": names["name_ar"],
        "href": canonical(layer, key, entry, links),
    }


async def offices(state: State, code: str, reader: Reader, links: Links) -> dict[str, list[Json]]:
    """Return a district's own town hall and annexes (``offices``), and the ``administrations`` seated there."""
    layer, rule = state.catalogue.by_id.get(DIRECTORY), state.vocabulary.offices
    if layer is None or rule is None:
        return {"offices": [], "administrations": []}
    query = {"category": rule.category, "district_code": code, "limit": str(MOST), "sortby": f"name_{reader.lang}"}
    page = await _read(state, layer, query)
    found = json.loads(b"[" + page.features + b"]")
    named = [_named(layer, item["id"], item["properties"], item["id"], links) for item in found]
    own = [item for item in named if rule.are_own(item["name_fr"], item["name_ar"])]
    return {"offices": own, "administrations": [item for item in named if item not in own]}


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
    """Return what each layer has in a district, and where to download it.

    Lines and what comes and goes are named one by one, the latter as of today; of the others there is a number.
    """
    found = []
    for layer in state.catalogue.drawn():
        definition = layer.definition
        if layer.id == DISTRICTS:
            continue
        part: Json = {"collection": layer.id, "title": definition.title[reader.lang]}
        if definition.temporal is not None or definition.geometry.type in _LINES:
            part["features"] = await _belonging(state, layer, code, links)
            part["count"] = len(part["features"])
            chosen = "id IN ({})".format(",".join(_quoted(item["id"]) for item in part["features"]))
            if definition.temporal is not None:
                part["day"] = today(state).isoformat()
        else:
            chosen = f"within_district({_quoted(code)})"
            page = await _read(state, layer, {"filter": chosen, "limit": "1", "skipGeometry": "true"})
            part["count"] = page.matched if page.matched is not None else page.estimate or page.returned
        files = (link("enclosure", _export(layer, chosen, form, links), FEATURE_TYPES[form]) for form in DOWNLOADS)
        part["links"] = list(files) if part["count"] else []
        found.append(part)
    return found


async def _belonging(state: State, layer: PublishedLayer, code: str, links: Links) -> list[Json]:
    catalogue, given = state.catalogue, {}
    if layer.definition.temporal is not None:
        given["datetime"] = today(state).isoformat()
    selection, values = params.selection_of(layer, given, state.settings.zone, catalogue.districts)
    statement = belonging_statement(layer, catalogue.layer(DISTRICTS), catalogue.by_id.get(STOPS), selection)
    rows = await state.database.rows(statement, **values, district=code, page=MOST)
    return [_named(layer, row["id"], row, row["entry_id"], links) for row in rows]


def _quoted(text: str) -> str:
    """Write a text as CQL2 does."""
    return "'" + text.replace("'", "''") + "'"


def _export(layer: PublishedLayer, chosen: str, form: str, links: Links) -> str:
    return links.url("collections", layer.id, "export", filter=chosen, f=form)
