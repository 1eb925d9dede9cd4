"""The search in the OpenAPI document."""

from __future__ import annotations

from api.links import GEOJSON, HTML
from api.negotiation import Reader
from api.openapi.examples import at_address
from api.openapi.parts import (
    COUNT,
    NUMBER,
    TEXT,
    Json,
    answers,
    array,
    one_of,
    operation,
    parameters,
    query,
    record,
    schema,
)
from api.openapi.schemas import MAYBE_TEXT, feature, feature_collection
from layers.catalogue import Catalogue
from layers.search.find import DEFAULT_FOUND, MAX_FOUND, MAX_TEXT
from layers.search.index import WEIGHTS

_KINDS = one_of(*WEIGHTS, "coordinates")
_METRES: Json = {**NUMBER, "minimum": 0, "x-ogc-unit": "m"}
_DEGREES = {"lon": {**NUMBER, "minimum": -180, "maximum": 180}, "lat": {**NUMBER, "minimum": -90, "maximum": 90}}
_NAMES: Json = {"kind": _KINDS, "collection": MAYBE_TEXT, "id": TEXT, "name": TEXT, "name_fr": TEXT, "name_ar": TEXT}


def _answer(description: str, name: str, example: Json) -> Json:
    return answers(description, {GEOJSON: {"schema": schema(name), "example": example}, HTML: TEXT}, headers=("Link",))


def _found(more: Json) -> Json:
    names = {
        "kind": "station", "collection": "transport-stops", "id": "tram-ali-yata", "name": "Ali Yata",
        "name_fr": "Ali Yata", "name_ar": "علي يعتة",
    }  # fmt: skip
    return {
        "type": "Feature", "id": "tram-ali-yata", "geometry": {"type": "Point", "coordinates": [-7.5668, 33.5902]},
        "properties": {**names, **more, "url": "/collections/transport-stops/items/tram-ali-yata"}, "links": [],
    }  # fmt: skip


def search_paths(catalogue: Catalogue, reader: Reader) -> Json:
    """Return the paths of the search."""
    t = reader.t
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_FOUND, "default": DEFAULT_FOUND}
    known = array(one_of(*catalogue.by_id) if catalogue.by_id else TEXT, minItems=1, uniqueItems=True)
    asked = [
        query("q", t("search.api.q"), {**TEXT, "maxLength": MAX_TEXT}, example="ali yata"),
        query("lon", t("search.api.lon"), _DEGREES["lon"], example=-7.6192),
        query("lat", t("search.api.lat"), _DEGREES["lat"], example=33.5931),
        query("bbox", t("search.api.bbox"), array(NUMBER, oneOf=[{"minItems": n, "maxItems": n} for n in (4, 6)])),
        query("layers", t("search.api.layers"), known),
        query("limit", t("search.api.limit"), limit),
        *parameters("f", "lang"),
    ]
    more = {
        "matched": "علي يعتة", "distance": 4862.1, "district": "Hay Mohammadi", "category": None,
        "highlight": [[0, 3], [4, 8]],
    }  # fmt: skip
    found = {"type": "FeatureCollection", "numberReturned": 1, "links": [], "features": [_found(more)]}
    place = {"lon": -7.567, "lat": 33.59}
    named = {
        "type": "FeatureCollection", "place": place, "label": "Ali Yata, Hay Mohammadi",
        "district": {
            "code": "06.141.01.25", "name": "Hay Mohammadi", "name_fr": "Hay Mohammadi", "name_ar": "الحي المحمدي",
        },
        "numberReturned": 1, "links": [], "features": [_found({"distance": 29.1})],
    }  # fmt: skip
    texts = (t("search.api.search"), at_address(reader, "search.api.search-long", "/search", catalogue.by_id))
    naming = (t("search.api.reverse"), at_address(reader, "search.api.reverse-long", "/search/reverse"))
    position = [
        query("lon", t("questions.api.lon"), _DEGREES["lon"], example=place["lon"], required=True),
        query("lat", t("questions.api.lat"), _DEGREES["lat"], example=place["lat"], required=True),
        *parameters("f", "lang"),
    ]
    return {
        "/search": operation("search", texts, "service", asked, _answer(texts[0], "Search", found)),
        "/search/reverse": operation("reverse", naming, "service", position, _answer(naming[0], "Reverse", named)),
    }


def search_schemas() -> dict[str, Json]:
    """Return the schemas that the paths refer to."""
    links = array(schema("Link"))
    ends = array(COUNT, minItems=2, maxItems=2)
    url = {"url": {**TEXT, "format": "uri"}}
    found: Json = {
        **_NAMES, "matched": TEXT, "highlight": array(ends), "distance": {**_METRES, "nullable": True}, **url,
        "district": MAYBE_TEXT, "category": MAYBE_TEXT,
    }  # fmt: skip
    named: Json = {**_NAMES, "distance": _METRES, **url}
    district = {"code": TEXT, "name": TEXT, "name_fr": TEXT, "name_ar": TEXT}
    return {
        "Search": feature_collection(
            feature(record(" ".join(found), found), schema("Geometry"), "links", links=links),
            "numberReturned",
            numberReturned=COUNT,
        ),
        "Reverse": feature_collection(
            feature(record(" ".join(named), named), schema("Geometry"), "links", links=links),
            "place label district numberReturned",
            place=record("lon lat", _DEGREES),
            label=TEXT,
            district=record("code", district, nullable=True),
            numberReturned=COUNT,
        ),
    }
