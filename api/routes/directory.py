"""The annuaire: a list that can be searched, and one address for each place and institution."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import cards, opening, params
from api.answers import bytes_answer, dumps
from api.hours import write_all_hours
from api.i18n import Messages, messages
from api.linked_place import linked_place
from api.links import GEOJSON, HTML, JSON, JSON_LD, VCARD, Link, Links, link, link_header, on_map
from api.negotiation import Reader, format_of
from api.pages import page
from api.pictures import shared_url
from api.places import neighbours, service_links
from api.routes.dcat import linked_data
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from api.routes.items import FORMATS, Asked, features_answer, known, page_of
from api.sketches import Sketch, sketch, surroundings
from api.state import State
from api.vcard import vcard
from api.words import has_words
from geo.bbox import BBox
from geo.errors import InvalidInput, NotFound
from layers.definition import DIRECTORY, Text
from layers.models import WHEELCHAIR
from layers.queries import category_statement, count_statement, entry_statement

router = APIRouter()
#: Parameters for people, which become conditions beside the filter. ``AT`` is a form's moment, where ``OPEN`` is it.
TEXT, OPEN, UNKNOWN, AT = "q", "open", "unknown", "at"
PEOPLE = frozenset({TEXT, OPEN, UNKNOWN, AT})
#: Entries on a page for people.
PAGE_SIZE = 30
#: Months after which an entry's page says that it is old.
OLD = 36
_TYPES = {"json": GEOJSON, "html": HTML, "jsonld": JSON_LD, "vcf": VCARD}


class _Moments(NamedTuple):
    """The moments at which entries should be open, or at which it should be unknown whether they are."""

    open: dt.datetime | None
    unknown: dt.datetime | None
    #: As they were asked for.
    given: Mapping[str, str]

    def conditions(self) -> list[params.Condition]:
        found = [opening.is_open(self.open)] if self.open else []
        return [*found, *([opening.is_unknown(self.unknown)] if self.unknown else [])]

    def kept(self) -> dict[str, str]:
        """Return the parameters that mean the same at any later time."""
        found = {OPEN: self.open, UNKNOWN: self.unknown}
        return {name: opening.lasting(self.given[name], moment) for name, moment in found.items() if moment}


def _tidied(given: Mapping[str, str], zone: ZoneInfo, form: bool) -> dict[str, str]:
    """Return what a form sends without the fields that nobody filled in, and with its moment where it belongs.

    Where no form has sent it, an empty moment is a mistake and stays.
    """
    moments = () if form or AT in given else (OPEN, UNKNOWN)
    found = {name: value for name, value in given.items() if (value or name in moments) and name != AT}
    at = given.get(AT, "")
    if at:
        opening.local_moment(at, AT, zone)
    if found.get(OPEN) == AT:
        if not at:
            raise InvalidInput("directory.at", parameter=AT, allowed=opening.LOCAL_FORM)
        found[OPEN] = at
    return found


async def _check_values(state: State, query: Mapping[str, str]) -> None:
    """Refuse a category or a district that there is not: an empty list would look as if there were no such places."""
    category, district = query.get("category"), query.get("district_code")
    if category is not None and category not in state.vocabulary.categories:
        # One of somebody's own file is not in the vocabulary.
        row = await state.database.row(category_statement(), category=category)
        if row is None or not row[0]:
            raise _not_allowed("category", category, state.vocabulary.categories)
    districts = state.catalogue.districts
    if district is not None and districts and district not in districts:
        raise _not_allowed("district_code", district, districts)


def _not_allowed(parameter: str, value: str, allowed: Iterable[str]) -> InvalidInput:
    return InvalidInput("parameter.value", parameter=parameter, value=value[:60], allowed=", ".join(sorted(allowed)))


@router.api_route("/directory", methods=["GET", "HEAD"])
async def listed(request: Request, reader: ReaderDep) -> Response:
    """Answer with entries: the items of the collection ``directory``, or a list for people."""
    state = state_of(request)
    layer, zone = state.catalogue.layer(DIRECTORY), state.settings.zone
    given = params.read(request, known(layer) | PEOPLE)
    wanted = format_of(request, *FORMATS)
    given = _tidied(given, zone, wanted == "html")
    at, unknown = (opening.moment_of(given[name], name, zone) if name in given else None for name in (OPEN, UNKNOWN))
    moments = _Moments(at, unknown, given)
    query = {name: value for name, value in given.items() if name not in PEOPLE}
    await _check_values(state, query)
    words = has_words(given.get(TEXT, ""), TEXT, layer.definition)
    counts = {}
    if moments.open:
        more = [*words, opening.is_unknown(moments.open)]
        selection, values = params.selection_of(layer, query, zone, state.catalogue.districts, more)
        row = await state.database.row(count_statement(layer, selection), **values)
        counts["numberUnknown"] = row[0] if row else 0
    more = [*words, *moments.conditions()]
    # Pages that follow are those of the moment of the first.
    asked = Asked(layer, given | moments.kept(), query, (DIRECTORY,), tuple(more), counts)
    if wanted != "html":
        return await features_answer(request, asked, reader, wanted)
    return await _list_page(request, asked, reader, given, moments)


async def _list_page(
    request: Request, asked: Asked, reader: Reader, given: Mapping[str, str], moments: _Moments
) -> Response:
    state, t = state_of(request), reader.t
    # People look for names; all that the page shows of an entry comes with it.
    query = {"limit": str(PAGE_SIZE), "sortby": f"name_{reader.lang}", **asked.query}
    for name in ("properties", "skipGeometry", "crs"):
        query.pop(name, None)
    try:
        shape, got = await page_of(request, replace(asked, query=query))
    except InvalidInput as error:
        if error.code != "cursor.order" or "sortby" in asked.query:
            raise
        # A page in the other language, whose names have another order: it begins anew.
        del query["cursor"]
        shape, got = await page_of(request, replace(asked, query=query))
    features = json.loads(b"[" + got.features + b"]")
    moment = moments.open or moments.unknown
    said = await opening.opening(state, [feature["id"] for feature in features], t, moment)
    here = {name: value for name, value in given.items() if name not in ("f", "cursor", "lang")}
    categories = {key: name[reader.lang] for key, name in state.vocabulary.categories.items()}
    others = {name: here[name] for name in here if name not in (*PEOPLE, "category", "district_code", "wheelchair")}
    return page(
        request,
        "directory.html",
        reader.lang,
        rows=[_row(request, reader, feature, said[feature["id"]]) for feature in features],
        got=got,
        here=here,
        others=others,
        following={**here, **moments.kept(), "cursor": params.make_cursor(got.last, shape.sort)} if got.more else None,
        categories=sorted(categories.items(), key=lambda item: item[1]),
        districts=sorted((name[reader.lang], code) for code, name in state.catalogue.districts.items()),
        wheelchair=WHEELCHAIR,
        time=await _times(request, here, moments, asked.counts, t),
    )


async def _times(
    request: Request, here: Mapping[str, str], moments: _Moments, counts: Mapping[str, int], t: Messages
) -> dict[str, Any]:
    """Return what the list says of the moment that it is about: the form's fields, and what is not known."""
    state = state_of(request)
    zone, moment = state.settings.zone, moments.open or moments.unknown
    local = (moment or dt.datetime.now(dt.UTC)).astimezone(zone)
    choice = opening.NOW if here.get(OPEN) == opening.NOW else AT if moments.open else ""
    beyond = await opening.horizon(state, moment) if moment else None
    unknown = {name: value for name, value in here.items() if name not in (OPEN, UNKNOWN)}
    return {
        "choice": choice,
        "field": local.replace(tzinfo=None).isoformat(timespec="minutes"),
        "said": t("directory.at-moment", day=t.day(local.date()), time=f"\u2066{local:%H:%M}\u2069") if moment else "",
        "horizon": t.date(beyond.astimezone(zone).date()) if beyond else "",
        "unknown": counts.get("numberUnknown", 0),
        "unknown_only": moments.unknown is not None,
        "shows_unknown": unknown | {UNKNOWN: opening.written_moment(moments.open)} if moments.open else {},
    }


def _row(request: Request, reader: Reader, feature: Mapping[str, Any], said: opening.Said) -> dict[str, Any]:
    """Return what the list shows of an entry."""
    state, properties = state_of(request), feature["properties"]
    other = "fr" if reader.lang == "ar" else "ar"
    district = state.catalogue.districts.get(properties["district_code"])
    known_hours = properties["opening_hours"] or properties["opening_hours_ramadan"]
    return {
        "id": feature["id"],
        "name": properties[f"name_{reader.lang}"],
        "other": properties[f"name_{other}"],
        "category": state.vocabulary.category(properties["category"], reader.lang),
        "district": district[reader.lang] if district else "",
        "address": properties[f"address_{reader.lang}"] or properties["address_fr"] or "",
        "phones": [cards.phone_link(number) for number in properties["phone"] or ()],
        "hours": write_all_hours(properties, reader.t, state.calendar, _today(state)),
        "wheelchair": properties["wheelchair"],
        "said": said if known_hours or said.state != "unknown" else said._replace(text=reader.t("directory.no-hours")),
    }


@router.api_route("/directory/{entry}", methods=["GET", "HEAD"])
async def entry(request: Request, entry: str, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with one entry: its page, GeoJSON (the geometry null without a place), schema.org JSON-LD or vCard."""
    params.read(request)
    state = state_of(request)
    key = params.path_id(entry, "entryId")
    wanted = format_of(request, "json", "html", "jsonld", "vcf")
    row = await state.database.row(entry_statement(), id=key)
    if row is None:
        raise NotFound("entry.unknown", parameter="entryId", value=key[:80])
    if wanted == "html":
        return await _entry_page(request, row, reader, links)
    found = entry_links(key, links, wanted)
    headers = {"Link": link_header(found)}
    if wanted == "jsonld":
        return linked_data(_linked(state, row, links), reader, headers)
    if wanted == "vcf":
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(key, safe='')}.vcf"
        card = vcard(row, state.vocabulary, reader, links, state.calendar, _today(state))
        return bytes_answer(card, reader, media_type=VCARD, headers=headers)
    body = row["feature"][:-1] + b',"links":' + dumps(found) + b"}"
    return bytes_answer(body, reader, media_type=GEOJSON, headers=headers)


def _today(state: State) -> dt.date:
    return dt.datetime.now(state.settings.zone).date()


def _linked(state: State, row: Mapping[str, Any], links: Links) -> dict[str, Any]:
    estimated = Text(fr=messages("fr")("cards.hours.estimated"), ar=messages("ar")("cards.hours.estimated"))
    return linked_place(row, state.vocabulary, state.catalogue, links, state.calendar, _today(state), estimated)


def entry_links(key: str, links: Links, form: str) -> list[Link]:
    """Return the links of an entry, in one of its forms."""
    itself = links.url("directory", key)
    return [
        link("canonical", itself, GEOJSON),
        link("self", f"{itself}?f={form}", _TYPES[form]),
        *(link("alternate", f"{itself}?f={other}", _TYPES[other]) for other in _TYPES if other != form),
        link("collection", links.url("collections", DIRECTORY), JSON),
    ]


def _old(as_of: str | None, today: dt.date) -> bool:
    """Tell whether a month such as ``2019-09`` is so long ago that people should ask before they go."""
    match = re.fullmatch(r"(\d{4})-(\d{2})", as_of or "")
    return match is not None and (today.year - int(match[1])) * 12 + today.month - int(match[2]) > OLD


async def _entry_page(request: Request, row: Mapping[str, Any], reader: Reader, links: Links) -> Response:
    state = state_of(request)
    key, itself = row["id"], links.url("directory", row["id"])
    card, linked = await cards.entry_card(state, key, reader, Links(state.settings.base_path))
    picture: Sketch | None = None
    near, shown = [], ""
    if card["point"] is not None:
        lon, lat = card["point"]
        picture = await sketch(state, BBox(lon, lat, lon, lat), reader.lang, surroundings(state))
        place = await cards.place_of(state, key)
        shown = on_map(Links(state.settings.base_path), reader.lang, (16, lat, lon), place)
        near = await neighbours(state, reader, lon, lat, key)
    area, address = state.catalogue.districts.get(row["district_code"]), cards.address_of(row, reader.lang)
    return page(
        request,
        "entry.html",
        reader.lang,
        card=card,
        described=cards.describe(
            card["title"], card["subtitle"], area[reader.lang] if area else None, reader.t, address
        ),
        linked=linked,
        canonical=itself,
        image=shared_url(state, reader.lang, point=card["point"]) if card["point"] else None,
        picture=picture,
        shown=shown,
        near=near,
        services=service_links(state.settings, row, reader.lang, itself),
        old=_old(row["as_of"], _today(state)),
    )
