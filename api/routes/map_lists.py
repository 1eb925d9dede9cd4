"""The maps in words: what a map's view holds, for those who don't see it, as a page and as GeoJSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import shapely
from fastapi import APIRouter, Request
from starlette.responses import Response

from api import opening, params, pictures, questions
from api.answers import json_answer
from api.links import GEOJSON, HTML, Links, link, link_header
from api.maps import listing
from api.maps.description import MapDescription
from api.maps.framing import NARROWED, narrowed_to, read_framing
from api.maps.listing import Group, Origin, Question, Stated, View, Works
from api.maps.times import Time
from api.negotiation import Reader, format_of
from api.pages import page
from api.routes.at import canonical
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from api.routes.maps import described, find_map, said_of
from api.routes.nearest import written_direction, written_distance
from api.state import State
from geo.bbox import BBox
from geo.errors import InvalidInput
from layers.search.find import MAX_TEXT

router = APIRouter()
KNOWN = ("bbox", "view", "layers", "select", "place", "lat", "lon", "q", "open", "time", "limit", "page", *NARROWED)
#: Zoom level at which one thing is shown on the map.
_CLOSE = 17
#: Below so many metres something is here.
_HERE = 5


@dataclass(frozen=True)
class _Asked:
    """A question with what was given for it; ``found`` False where the typed place is unknown."""

    given: Mapping[str, str]
    question: Question
    view: View
    found: bool


async def _asked(state: State, given: Mapping[str, str], shown: MapDescription, lang: str) -> _Asked:
    view = listing.view_of(given["view"]) if "view" in given else None
    own = view.box() if view else shown.extent
    box = pictures.box_of(given["bbox"]) if "bbox" in given else own
    view = view or listing.view_around(box)
    origin, found = await _origin(state, given, box, view, lang)
    chosen = pictures.layers_of(given.get("layers"), shown.layers)
    if "page" in given:
        page = questions.number_of(given["page"], "page", 1, listing.MAX_PAGE)
        if page != int(page):
            raise InvalidInput("number.invalid", parameter="page", value=given["page"][:40], allowed="1, 2, 3 …")
    else:
        page = 1
    question = Question(
        box,
        origin,
        tuple(reversed(chosen)),
        given.get("q", ""),
        opening.moment_of(given["open"], "open", state.settings.zone) if "open" in given else None,
        params.limit_of(given.get("limit"), listing.DEFAULT_LISTED, listing.MAX_LISTED),
        int(page),
        Time.shown(given, shown.controls, state.settings.zone),
    )
    return _Asked(given, question, view, found)


async def _origin(state: State, given: Mapping[str, str], box: BBox, view: View, lang: str) -> tuple[Origin, bool]:
    """Return the place that distances are from, by default the middle, and whether a typed one is known."""
    middle = Origin((box.west + box.east) / 2, (box.south + box.north) / 2)
    if "view" in given:
        middle = Origin(view.lon, view.lat)
    if "lat" in given or "lon" in given:
        place = questions.place_of({name: given[name] for name in ("lon", "lat") if name in given})
        assert place is not None, "there is no other way to name it"
        return Origin(place.lon, place.lat), True
    text = given.get("place", "")
    if len(text) > MAX_TEXT:
        raise InvalidInput("parameter.long", parameter="place", count=len(text), allowed=MAX_TEXT)
    if not text:
        return middle, True
    found = await listing.resolve_place(state, text, middle, lang)
    return found or middle, found is not None


@router.api_route("/maps/{map_id}/list", methods=["GET", "HEAD"])
async def map_list(request: Request, map_id: str, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with what a view of a map holds, layer by layer, the nearest first."""
    state = state_of(request)
    definition = find_map(state.catalogue, map_id)
    read = params.read(request, KNOWN, lists=("layers",))
    # No layers are none of them; everything else that is empty is as if it were not there.
    given = {name: value for name, value in read.items() if value or name == "layers"}
    wanted = format_of(request, "json", "html")
    framing = read_framing({name: given.get(name, "") for name in NARROWED}, state.catalogue.district_extents)
    shown = narrowed_to(framing, described(state, definition, reader.lang), state.catalogue)
    asked = await _asked(state, given, shown, reader.lang)
    listed = await listing.listed(state, shown, asked.question)
    groups = [group for group in listed if group.features]
    said = await listing.states(state, groups, reader, asked.question.open)
    works = await listing.works_at(state, asked.question.time)
    if wanted == "json":
        return _answer(map_id, asked, groups, said, works, reader, links)
    local = Links(state.settings.base_path)
    here = {name: value for name, value in given.items() if name not in ("f", "lang", "page")}
    kept = {name: given[name] for name in ("layers", "select", "time", *NARROWED) if name in given}
    return page(
        request,
        "map_list.html",
        reader.lang,
        map=shown,
        asked=asked.question,
        given=here,
        narrowed=said_of(framing, state, reader),
        whole={name: value for name, value in here.items() if name not in NARROWED},
        found=asked.found,
        groups=[_written(group, said, works, asked, shown, reader, local) for group in groups],
        to_map=local.url("maps", map_id, lang=reader.lang, view=asked.view.written(), **kept),
        picture=partial(
            local.url, "maps", f"{map_id}.png", lang=reader.lang, bbox=_corners(asked.question.box), title="false",
            layers=_drawn(given, shown), time=asked.question.time and asked.question.time.text(), **framing.narrowed(),
        ),
        following=_following(groups, asked, here),
        last=0 if groups or asked.question.page == 1 else listing.last_page(listed, asked.question.limit),
        now=_moment(state, reader),
        time=asked.question.time.written(reader.t) if asked.question.time else "",
        longest=MAX_TEXT,
    )  # fmt: skip


def _drawn(given: Mapping[str, str], shown: MapDescription) -> str | None:
    """Return the layers of the list's picture: those that are chosen, on the ground that they stand on."""
    if "layers" not in given:
        return None
    chosen = pictures.layers_of(given["layers"], shown.layers)
    return ",".join(one["id"] for one in shown.layers if one["id"] in chosen or one["theme"] == "administration")


def _moment(state: State, reader: Reader) -> dict[str, str]:
    """Return the day and the time at which the list is made."""
    local = dt.datetime.now(state.settings.zone)
    return {"day": reader.t.day(local.date()), "time": f"\u2066{local:%H:%M}\u2069"}


def _corners(box: BBox) -> str:
    return ",".join(f"{side:.5f}" for side in (box.west, box.south, box.east, box.north))


def _following(groups: list[Group], asked: _Asked, here: Mapping[str, str]) -> dict[str, str] | None:
    more = asked.question.page < listing.MAX_PAGE and any(group.more for group in groups)
    # Pages that follow are those of the moment of the first.
    moment = {"open": opening.written_moment(asked.question.open)} if asked.question.open else {}
    return {**here, **moment, "page": str(asked.question.page + 1)} if more else None


def _written(
    group: Group, said: Mapping[tuple[str, str], Stated], works: Works, asked: _Asked, shown: MapDescription,
    reader: Reader, links: Links,
) -> dict[str, Any]:  # fmt: skip
    """Return what the page shows of a layer."""
    definition = group.layer.definition
    by = definition.field(definition.style.by) if definition.style.by else None
    labels = by.values or {} if by and definition.temporal is None else {}
    rows = []
    for feature in group.features:
        properties = feature["properties"]
        kind = labels.get(properties.get(by.name)) if by else None
        address = properties.get(f"address_{reader.lang}") or properties.get("address_fr") or ""
        near = feature["distance"] < _HERE
        rows.append(
            {
                "id": feature["id"],
                "name": properties[f"name_{reader.lang}"],
                "other": properties[f"name_{'fr' if reader.lang == 'ar' else 'ar'}"],
                "href": canonical(group.layer, feature["id"], properties.get("entry_id"), links),
                "distance": reader.t("list.here") if near else written_distance(reader, feature["distance"]),
                "direction": "" if near else written_direction(reader, feature["bearing"]),
                "kind": kind[reader.lang] if kind else "",
                "address": address,
                "state": said.get((group.layer.id, feature["id"])),
                "dates": _dates(group, properties, reader),
                "demo": properties.get("demo") is True,
                "works": [
                    {"name": work[f"name_{reader.lang}"], "demo": work.get("demo") is True,
                     "href": links.url("collections", work["collection"], "items", work["id"])}
                    for work in works.at(group.layer, feature)
                ],
                "on_map": _on_map(group, feature, asked, shown, reader, links),
            }
        )  # fmt: skip
    return {
        "id": group.layer.id,
        "title": group.title,
        "matched": group.matched,
        "rows": rows,
        "all": group.more and len(asked.question.layers) > 1,
        "notice": definition.notice[reader.lang] if definition.notice else "",
    }


def _dates(group: Group, properties: Mapping[str, Any], reader: Reader) -> str:
    """Return from when until when something that comes and goes is there."""
    temporal = group.layer.definition.temporal
    if temporal is None:
        return ""
    ends = [properties.get(name) for name in (temporal.start, temporal.end)]
    start, end = (reader.t.date(dt.date.fromisoformat(day[:10])) if day else None for day in ends)
    if start and end:
        return reader.t("list.from-to", start=start, end=end)
    return reader.t("list.from", start=start) if start else ""


def _on_map(
    group: Group, feature: Mapping[str, Any], asked: _Asked, shown: MapDescription, reader: Reader, links: Links
) -> str:
    """Return the address of the map with a feature's card open, and its layer on."""
    point = shapely.geometry.shape(feature["geometry"]).representative_point()
    close = View(max(asked.view.zoom, _CLOSE) if feature["geometry"]["type"] == "Point" else 14, point.y, point.x)
    on = asked.question.layers if "layers" in asked.given else ()
    return links.url(
        "maps", shown.id, lang=reader.lang, view=close.written(), layers=",".join(reversed(on)) or None,
        select=f"{group.layer.id}/{feature['id']}", time=asked.given.get("time"),
        **{name: asked.given[name] for name in NARROWED if name in asked.given},
    )  # fmt: skip


def _answer(
    map_id: str, asked: _Asked, groups: list[Group], said: Mapping[tuple[str, str], Stated], works: Works,
    reader: Reader, links: Links,
) -> Response:  # fmt: skip
    here = {name: value for name, value in asked.given.items() if name not in ("f", "lang")}
    address = {form: links.url("maps", map_id, "list", **here, f=form, lang=reader.lang) for form in ("json", "html")}
    found = [link("self", address["json"], GEOJSON), link("alternate", address["html"], HTML, hreflang=reader.lang)]
    following = _following(groups, asked, {name: value for name, value in here.items() if name != "page"})
    if following:
        found.append(link("next", links.url("maps", map_id, "list", **following, f="json", lang=reader.lang), GEOJSON))
    features = []
    for group in groups:
        for feature in group.features:
            stated = said.get((group.layer.id, feature["id"]))
            entry = feature["properties"].get("entry_id")
            more = {
                "state": {"code": stated.code, "text": stated.text} if stated else None,
                "works": [
                    {
                        "collection": work["collection"],
                        "id": work["id"],
                        "name": work[f"name_{reader.lang}"],
                        "demo": work.get("demo") is True,
                    }
                    for work in works.at(group.layer, feature)
                ],
                "links": [link("canonical", canonical(group.layer, feature["id"], entry, links), GEOJSON)],
            }
            features.append({**feature, **more})
    question = asked.question
    body = {
        "type": "FeatureCollection",
        "map": map_id,
        "bbox": [question.box.west, question.box.south, question.box.east, question.box.north],
        "origin": {"lon": question.origin.lon, "lat": question.origin.lat, "name": question.origin.name or None},
        "placeFound": asked.found,
        "time": question.time.asked() if question.time else None,
        "groups": [
            {
                "collection": group.layer.id,
                "title": group.title,
                "numberMatched": group.matched,
                "numberReturned": len(group.features),
            }
            for group in groups
        ],
        "numberReturned": len(features),
        "links": found,
        "features": features,
    }
    return json_answer(body, reader, media_type=GEOJSON, headers={"Link": link_header(found)})
