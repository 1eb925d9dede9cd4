"""The maps in words and as pictures in the OpenAPI document."""

from __future__ import annotations

from api.links import GEOJSON, HTML, PNG
from api.maps.description import maps_of
from api.maps.listing import DEFAULT_LISTED, MAX_LISTED, MAX_PAGE, VIEW
from api.maps.times import TIME
from api.negotiation import Reader
from api.openapi.embedding import narrowing_parameters
from api.openapi.parts import (
    BINARY,
    COUNT,
    NUMBER,
    TEXT,
    Json,
    answers,
    array,
    in_path,
    one_of,
    operation,
    parameters,
    query,
    record,
    ref,
    schema,
)
from api.openapi.schemas import MAYBE_TEXT, feature, feature_collection
from api.opening import LOCAL, NOW
from api.pictures import DEFAULT_SIZE, DENSITIES
from api.words import MAX_TEXT
from layers.catalogue import Catalogue

_DEGREES = {"lon": {**NUMBER, "minimum": -180, "maximum": 180}, "lat": {**NUMBER, "minimum": -90, "maximum": 90}}
_BOX: Json = array(NUMBER, oneOf=[{"minItems": n, "maxItems": n} for n in (4, 6)])
_EMPTY: Json = {"allowEmptyValue": True}
#: A whole number from 64 to 2000, twice.
_SIDE = "(6[4-9]|[7-9][0-9]|[1-9][0-9]{2}|1[0-9]{3}|2000)"


def map_paths(catalogue: Catalogue, reader: Reader) -> Json:
    """Return the paths of the maps' lists and pictures."""
    which = in_path("mapId", reader.t("api.mapId"), one_of(*maps_of(catalogue)))
    return {"/maps/{mapId}/list": _listed(which, reader), "/maps/{mapId}.png": _picture(which, reader)}


def _listed(which: Json, reader: Reader) -> Json:
    t = reader.t
    moment = {**TEXT, "anyOf": [{"enum": ["", NOW]}, {"format": "date-time"}, {"pattern": f"^{LOCAL}$"}]}
    asked = [
        which,
        query("bbox", t("list.api.bbox"), _BOX),
        query("view", t("list.api.view"), {**TEXT, "pattern": f"^({VIEW})?$"}, example="14/33.5931/-7.6192"),
        query("layers", t("api.layers"), TEXT, example="districts"),
        query("select", t("api.select"), TEXT),
        query("place", t("list.api.place"), {**TEXT, "maxLength": MAX_TEXT}, **_EMPTY),
        *(query(name, t(f"list.api.{name}"), _DEGREES[name]) for name in ("lon", "lat")),
        query("q", t("list.api.q"), {**TEXT, "maxLength": MAX_TEXT}, **_EMPTY),
        query("open", t("list.api.open"), moment, example=NOW, **_EMPTY),
        query("time", t("list.api.time"), {**TEXT, "pattern": f"^({TIME})?$"}, example="2026-11-24", **_EMPTY),
        *narrowing_parameters(reader),
        query("limit", t("list.api.limit"), {
            "type": "integer", "minimum": 1, "maximum": MAX_LISTED, "default": DEFAULT_LISTED
        }),
        query("page", t("list.api.page"), {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1}),
        *parameters("f", "lang"),
    ]  # fmt: skip
    found = answers(t("list.api.list"), {GEOJSON: schema("MapList"), HTML: TEXT}, headers=("Link",), missing=True)
    return operation("map-list", (t("list.api.list"), t("list.api.list-long")), "service", asked, found)


def _picture(which: Json, reader: Reader) -> Json:
    t, headers = reader.t, ("ETag",)
    usual, finest = "x".join(map(str, DEFAULT_SIZE)), DENSITIES[-1]
    asked = [
        which,
        query("bbox", t("list.api.bbox"), _BOX),
        query("size", t("list.api.size"), {**TEXT, "pattern": f"^{_SIDE}x{_SIDE}$", "default": usual}),
        query("layers", t("api.layers"), TEXT, example="districts"),
        query("title", t("list.api.title"), {"type": "boolean", "default": True}),
        query("density", t("list.api.density"), {"type": "integer", "minimum": 1, "maximum": finest, "default": 1}),
        query("pin", t("list.api.pin"), array(NUMBER, minItems=2, maxItems=2)),
        query("time", t("list.api.picture-time"), {**TEXT, "pattern": f"^{TIME}$"}, example="2026-11"),
        *narrowing_parameters(reader),
        *parameters("lang"),
    ]
    found = answers(t("list.api.picture"), {PNG: BINARY}, headers=headers, missing=True)
    same = {name: ref("headers", name) for name in headers}
    found["304"] = {"description": t("list.api.same-picture"), "headers": same}
    return operation("map-picture", (t("list.api.picture"), t("list.api.picture-long")), "service", asked, found)


def map_schemas() -> dict[str, Json]:
    """Return the schema of a list."""
    metres: Json = {**NUMBER, "minimum": 0, "x-ogc-unit": "m"}
    bearing: Json = {**NUMBER, "minimum": 0, "maximum": 360, "exclusiveMaximum": True, "nullable": True}
    measured: dict[str, Json] = {"collection": TEXT, "distance": metres, "bearing": bearing}
    work = record("collection id name demo", {
        "collection": TEXT, "id": TEXT, "name": TEXT, "demo": {"type": "boolean"},
    })  # fmt: skip
    more: dict[str, Json] = {
        **measured,
        "state": record("code text", {"code": TEXT, "text": TEXT}, nullable=True),
        "works": array(work),
        "links": array(schema("Link")),
    }
    one = feature(
        record(" ".join(measured), measured, additionalProperties=True), schema("Geometry"), " ".join(more), **more
    )
    group = {
        "collection": TEXT, "title": TEXT, "numberMatched": {**COUNT, "nullable": True}, "numberReturned": COUNT
    }  # fmt: skip
    head: dict[str, Json] = {
        "map": TEXT,
        "bbox": array(NUMBER, minItems=4, maxItems=4),
        "origin": record("lon lat name", {**_DEGREES, "name": MAYBE_TEXT}),
        "placeFound": {"type": "boolean"},
        "time": MAYBE_TEXT,
        "groups": array(record(" ".join(group), group)),
        "numberReturned": COUNT,
    }
    return {"MapList": feature_collection(one, " ".join(head), **head)}
