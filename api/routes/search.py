"""What a text may mean, as it is typed, and what is at a position: PostgreSQL finds, ranks and writes the features."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from api import params, questions
from api.answers import bytes_answer, dumps
from api.hot import Route
from api.links import GEOJSON, HTML, Links, and_query, link, link_header
from api.negotiation import Reader, format_of, reader_of
from api.pages import page
from api.positions import position_of
from api.routes.dependencies import absolute, state_of
from api.routes.nearest import written_distance
from api.state import State
from geo.bbox import parse_bbox
from geo.errors import InvalidInput
from layers.catalogue import DISTRICTS, Catalogue
from layers.definition import DIRECTORY
from layers.search.find import DEFAULT_FOUND, FIND, MAX_FOUND, MAX_TEXT, NEAREST_NAMED, asked, highlighted

KNOWN = frozenset({"q", "lat", "lon", "bbox", "layers", "limit"})


def _layers(given: dict[str, str], catalogue: Catalogue) -> list[str]:
    """Return the layers in which things are looked for: those of ``layers``, or all, the annuaire among them."""
    known = [*catalogue.by_id]
    if "layers" not in given:
        return known
    names = given["layers"].split(",")
    for name in names:
        if name not in known or names.count(name) > 1:
            raise InvalidInput("parameter.value", parameter="layers", value=name[:60], allowed=", ".join(known))
    return names


def _looked_in(names: list[str], catalogue: Catalogue) -> list[str]:
    """Return the layers whose things may be found: the annuaire's entries are the places of other layers, too."""
    if DIRECTORY not in names:
        return names
    return [*names, *(layer.id for layer in catalogue.layers() if layer.definition.places and layer.id not in names)]


def _text(given: dict[str, str]) -> str:
    text = given.get("q", "")
    if len(text) > MAX_TEXT:
        raise InvalidInput("parameter.long", parameter="q", count=len(text), allowed=MAX_TEXT)
    return text


def _values(given: dict[str, str], catalogue: Catalogue, lang: str) -> dict[str, object]:
    lon = lat = box = None
    if "lon" in given or "lat" in given:
        place = questions.place_of({name: given[name] for name in ("lon", "lat") if name in given})
        assert place is not None, "there is no other way to name it"
        lon, lat = place.lon, place.lat
    if "bbox" in given:
        found = parse_bbox(given["bbox"])
        box = [found.west, found.south, found.east, found.north]
    return {
        "lon": lon, "lat": lat, "box": box, "layers": _looked_in(_layers(given, catalogue), catalogue), "lang": lang,
        "wanted": params.limit_of(given.get("limit"), DEFAULT_FOUND, MAX_FOUND),
    }  # fmt: skip


def canonical(kind: str, collection: str, key: str, entry: str | None, links: Links) -> str:
    """Return the address of what was found: its page, its feature, or the entries of a category."""
    if kind == "category":
        return links.url(DIRECTORY, category=key)
    if collection == DISTRICTS:
        return links.url(DISTRICTS, key)
    if entry:
        return links.url("directory", entry)
    return links.url("collections", collection, "items", key)


def _finished(row: Any, links: Links, more: dict[str, object], collections: Container[str] | None = None) -> bytes:
    """Return a row's feature with more properties, and its canonical address, as a property and as a link.

    What is in none of ``collections`` was found as an entry of the annuaire, and is one of its collection.
    """
    address = canonical(row["kind"], row["collection"], row["id"], row["entry"], links)
    feature: bytes = row["feature"]
    if collections is not None and row["collection"] not in collections:
        read = json.loads(feature)
        read["properties"]["collection"] = DIRECTORY
        feature = dumps(read)
    linked = [link("canonical", address, GEOJSON)]
    return feature[:-2] + b"," + dumps({**more, "url": address})[1:] + b',"links":' + dumps(linked) + b"}"


def _known_by(row: Any, state: State, text: str, lang: str) -> dict[str, object]:
    """Return what tells a thing from others of its name, and where its name is what was typed."""
    district = state.catalogue.districts.get(row["district"] or "")
    category = state.vocabulary.category(row["category"], lang) if row["category"] else None
    return {
        "district": district[lang] if district else None,
        "category": category,
        "highlight": highlighted(text, row["matched"], json.loads(row["spans"])),
    }


def _position(lon: float, lat: float, text: str, links: Links) -> bytes:
    """Return the feature of a position that was typed."""
    name = f"{lat:.6f}, {lon:.6f}"
    address = links.url("at", lon=f"{lon:.7f}", lat=f"{lat:.7f}")
    properties = {
        "kind": "coordinates", "collection": None, "id": name, "name": name, "name_fr": name, "name_ar": name,
        "matched": text, "highlight": [[0, len(text)]], "district": None, "category": None, "distance": None,
        "url": address,
    }  # fmt: skip
    return dumps(
        {
            "type": "Feature",
            "id": name,
            "geometry": {"type": "Point", "coordinates": [round(lon, 7), round(lat, 7)]},
            "properties": properties,
            "links": [link("canonical", address, GEOJSON)],
        }
    )


async def search(request: Request) -> Response:
    """Answer with what a text may mean, best first."""
    state, reader = state_of(request), reader_of(request)
    given = params.read(request, KNOWN)
    wanted = format_of(request, "json", "html")
    catalogue: Catalogue = state.catalogue
    text = _text(given)
    values = _values(given, catalogue, reader.lang)
    links = Links(state.settings.base_path) if wanted == "html" else absolute(request)
    lon, lat = values["lon"], values["lat"]
    near = (lon, lat) if isinstance(lon, float) and isinstance(lat, float) else None
    position, words = await position_of(state, text, near), asked(text)
    features: list[bytes] = []
    if position is not None and "layers" not in given:
        features = [_position(*position, text, links)]
    elif words is not None:
        rows = await state.database.rows(FIND, **words.values(), **values)
        asked_for = _layers(given, catalogue)
        features = [_finished(row, links, _known_by(row, state, text, reader.lang), asked_for) for row in rows]
    if wanted == "html":
        return _page(request, reader, text, features)
    here = {name: value for name, value in given.items() if name != "f"}
    return _collection(links.url("search", **here), reader, features, {})


def _collection(itself: str, reader: Reader, features: list[bytes], head: dict[str, object]) -> Response:
    found = [
        link("self", and_query(itself, "f", "json"), GEOJSON),
        link("alternate", and_query(itself, "f", "html"), HTML),
    ]
    begun = {"type": "FeatureCollection", **head, "numberReturned": len(features), "links": found}
    body = dumps(begun)[:-1] + b',"features":[' + b",".join(features) + b"]}"
    return bytes_answer(body, reader, media_type=GEOJSON, headers={"Link": link_header(found)})


def _parts(text: str, highlight: list[list[int]] | None) -> list[tuple[str, bool]]:
    """Cut a text where its highlighted parts begin and end."""
    found, at = [], 0
    for start, end in sorted(highlight or []):
        start = max(start, at)
        found += [(text[at:start], False), (text[start:end], True)]
        at = max(at, end)
    return [(part, marked) for part, marked in [*found, (text[at:], False)] if part]


def _page(request: Request, reader: Reader, text: str, features: list[bytes]) -> Response:
    catalogue: Catalogue = state_of(request).catalogue
    rows = []
    for feature in map(json.loads, features):
        found = feature["properties"]
        layer = catalogue.by_id.get(found["collection"] or "")
        kind = reader.t(f"search.kinds.{found['kind']}")
        rows.append(
            {
                "href": and_query(and_query(found["url"], "f", "html"), "lang", reader.lang),
                "name": found["name"],
                "parts": _parts(found["matched"], found["highlight"]),
                "alias": found["matched"] != found["name"],
                "kind": layer.definition.title[reader.lang] if layer and found["kind"] == "feature" else kind,
                "category": found["category"],
                "district": found["district"],
                "distance": written_distance(reader, found["distance"]) if found["distance"] is not None else "",
            }
        )
    kept = {name: value for name, value in request.query_params.items() if name in KNOWN - {"q"}}
    return page(request, "search.html", reader.lang, text=text, rows=rows, kept=kept, longest=MAX_TEXT)


async def reverse(request: Request) -> Response:
    """Answer with the nearest named place, the district, and what one would call the position."""
    state, reader = state_of(request), reader_of(request)
    given = params.read(request, {"lat", "lon"})
    wanted = format_of(request, "json", "html")
    catalogue: Catalogue = state.catalogue
    missing = [name for name in ("lat", "lon") if name not in given]
    if missing:
        raise InvalidInput("place.missing", parameter=missing[0], allowed="lat, lon")
    place = questions.place_of(given)
    assert place is not None, "there is no other way to name it"
    row = await state.database.row(
        NEAREST_NAMED, lon=place.lon, lat=place.lat, lang=reader.lang, layers=[*catalogue.by_id]
    )
    code = (await state.locator.current(catalogue)).locate(place.lon, place.lat)
    name = catalogue.districts.get(code) if code else None
    label = _label(reader, row, name[reader.lang] if name else None)
    links = Links(state.settings.base_path) if wanted == "html" else absolute(request)
    features = [_finished(row, links, {})] if row else []
    if wanted == "html":
        district = {"code": code, "name": name[reader.lang]} if code and name else None
        nearest = json.loads(features[0])["properties"] if features else None
        distance = written_distance(reader, nearest["distance"]) if nearest else ""
        return page(
            request, "reverse.html", reader.lang, label=label, district=district, nearest=nearest, distance=distance,
            place=questions.written_place(place), point=quote(f"{place.lon:.6f},{place.lat:.6f}"),
        )  # fmt: skip
    district = None
    if code:
        known = {"name": name[reader.lang], "name_fr": name.fr, "name_ar": name.ar} if name else {}
        district = {"code": code, **known}
    head: dict[str, object] = {"place": {"lon": place.lon, "lat": place.lat}, "label": label, "district": district}
    return _collection(links.url("search", "reverse", lon=given["lon"], lat=given["lat"]), reader, features, head)


#: Metres within which a place is said to be at a position, within which it is near, and beyond which it has nothing to
#: do with it.
_AT, _NEAR, _FAR = 30, 2000, 100_000


def _label(reader: Reader, row: Any, district: str | None) -> str:
    """Return what one would call a position: by the nearest name, how far it is unless it is near, and the district."""
    if row is None or row["distance"] > _FAR:
        return district or reader.t("questions.at.outside")
    near = row[f"name_{reader.lang}"]
    if row["distance"] > _NEAR:
        near = reader.t("search.far", name=near, distance=written_distance(reader, row["distance"]))
    elif row["distance"] > _AT:
        near = reader.t("search.near", name=near)
    return near if district is None else reader.t("search.in-district", name=near, district=district)


HOT: tuple[Route, ...] = (("/search", search), ("/search/reverse", reverse))
