"""The features nearest to a place or to another feature: PostGIS finds, measures, orders and writes them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api import params, questions
from api.answers import bytes_answer, dumps
from api.hot import Route
from api.links import GEOJSON, HTML, Links, and_query, link, link_header
from api.negotiation import Reader, format_of, reader_of
from api.pages import page
from api.questions import Place
from api.routes.dependencies import absolute, state_of
from api.routes.items import content_crs
from geo.crs import WGS84_SRID
from geo.errors import InvalidInput
from layers.catalogue import Catalogue, PublishedLayer
from layers.database import Database
from layers.nearest import DEFAULT_NEAREST, FARTHEST, MAX_NEAREST, NearestShape, nearest_statement, step_for
from layers.queries import placed_in

KNOWN = questions.PLACE | questions.SELECT | {"feature", "limit", "max-distance", "crs", "skipGeometry"}
_POINTS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def _values(given: dict[str, str], place: Place | None) -> dict[str, object]:
    values: dict[str, object] = {"page": params.limit_of(given.get("limit"), DEFAULT_NEAREST, MAX_NEAREST)}
    if place is not None:
        values |= {"x": place.x, "y": place.y}
    if "max-distance" in given:
        values["farthest"] = questions.number_of(given["max-distance"], "max-distance", 0, FARTHEST)
    return values


async def find_nearest(database: Database, shape: NearestShape, values: dict[str, object]) -> Any:
    """Return the row of :func:`layers.nearest.nearest_statement`."""
    try:
        return await database.row(nearest_statement(shape), **values)
    except InvalidInput:  # where the index fails, see NearestShape
        return await database.row(nearest_statement(replace(shape, indexed=False)), **values)


async def nearest(request: Request) -> Response:
    """Answer with the nearest features, in order."""
    state, reader = state_of(request), reader_of(request)
    given = params.read(request, KNOWN)
    wanted = format_of(request, "json", "html")
    catalogue: Catalogue = state.catalogue
    place = questions.place_of(given, "feature")
    origin: tuple[PublishedLayer, str] | None = None
    if place is None:
        origin = questions.feature_of(given["feature"], catalogue)
    layers = questions.layers_of(given, catalogue, areas=False)
    chosen, values = questions.choose(layers, given, state.settings.zone, catalogue)
    values |= _values(given, place) | {"max_bytes": state.settings.max_bytes}
    output = questions.output_of(given, layers)
    row: Any = {"features": None, "returned": 0, "cut": False, "known": True}
    if chosen:
        shape = NearestShape(
            chosen,
            output,
            place.srid if place else WGS84_SRID,
            origin[0] if origin else None,
            step_for(int(str(values["page"]))),
            "farthest" in values,
        )
        if origin:
            values["origin"] = origin[1]
        with placed_in(output):
            row = await find_nearest(state.database, shape, values)
    if origin and not row["known"]:
        raise InvalidInput("feature.unknown", parameter="feature", value=origin[1][:80], collection=origin[0].id)
    if wanted == "html":
        return _page(request, reader, row, place, origin)
    return _answer(request, reader, given, row, content_crs(output))


def _answer(request: Request, reader: Reader, given: dict[str, str], row: Any, headers: dict[str, str]) -> Response:
    links: Links = absolute(request)
    here = {name: value for name, value in given.items() if name != "f"}
    itself = links.url("nearest", **here)
    found = [
        link("self", and_query(itself, "f", "json"), GEOJSON),
        link("alternate", and_query(itself, "f", "html"), HTML),
    ]
    head: dict[str, object] = {"type": "FeatureCollection", "numberReturned": row["returned"]}
    if row["cut"]:
        head["truncated"] = True
    head["timeStamp"] = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = dumps({**head, "links": found})[:-1] + b',"features":[' + (row["features"] or b"") + b"]}"
    return bytes_answer(body, reader, media_type=GEOJSON, headers={**headers, "Link": link_header(found)})


def written_distance(reader: Reader, metres: float) -> str:
    """Write a distance as people say it: whole metres, kilometres from a thousand."""
    if metres < 999.5:
        return reader.t("questions.metres", value=round(metres))
    return reader.t("questions.kilometres", value=round(metres / 1000, 1 if metres < 1e5 else 0))


def written_direction(reader: Reader, bearing: float | None) -> str:
    """Write a bearing as one of eight points of the compass; nothing without one."""
    if bearing is None:
        return ""
    return reader.t(f"questions.towards.{_POINTS[round(bearing / 45) % 8]}")


def _page(
    request: Request, reader: Reader, row: Any, place: Place | None, origin: tuple[PublishedLayer, str] | None
) -> Response:
    catalogue: Catalogue = state_of(request).catalogue
    rows = [
        {
            "collection": feature["collection"],
            "id": feature["id"],
            "name": feature["properties"][f"name_{reader.lang}"],
            "layer": catalogue.by_id[feature["collection"]].definition.title[reader.lang],
            "distance": written_distance(reader, feature["distance"]),
            "direction": written_direction(reader, feature["bearing"]),
        }
        for feature in json.loads(b"[" + (row["features"] or b"") + b"]")
    ]
    return page(
        request,
        "nearest.html",
        reader.lang,
        rows=rows,
        cut=row["cut"],
        place=questions.written_place(place) if place else None,
        point=f"{place.lon:.6f},{place.lat:.6f}" if place else None,
        origin=origin,
        here={name: value for name, value in request.query_params.items() if name not in ("f", "lang")},
    )


HOT: tuple[Route, ...] = (("/nearest", nearest),)
