"""The paths of maps in other sites' pages in the OpenAPI document."""

from __future__ import annotations

from api.links import HTML, JSON
from api.maps.framing import HIGHEST, LOWEST, MOST, THEMES
from api.negotiation import Reader
from api.openapi.parts import (
    COUNT,
    TEXT,
    Json,
    answers,
    array,
    in_path,
    one_of,
    operation,
    parameters,
    problem,
    query,
    record,
    ref,
    schema,
)
from api.reports import MOST_BYTES, TYPES

SCRIPT = "text/javascript"


def narrowing_parameters(reader: Reader) -> list[Json]:
    """Return the parameters that choose a map's features: of its frame, its page, its list and its pictures."""
    t = reader.t
    return [query("filter", t("api.embed-filter"), TEXT), query("district", t("api.embed-district"), TEXT)]


def framing_parameters(reader: Reader) -> list[Json]:
    """Return the parameters of a frame's address besides a map's state."""
    t = reader.t
    return [
        *narrowing_parameters(reader),
        query("theme", t("api.theme"), one_of(*THEMES)),
        query("colour", t("api.colour"), {**TEXT, "pattern": "^#[0-9A-Fa-f]{6}$"}),
    ]


def embedding_schemas() -> Json:
    """Return the schemas of oEmbed's answers and of browsers' reports."""
    size = {"type": "integer", "minimum": 1}
    embedded: Json = dict.fromkeys(("title", "provider_name", "provider_url", "html"), TEXT)
    embedded |= {"version": one_of("1.0"), "type": one_of("rich")}
    return {
        "Embedded": record(
            "version type title provider_name provider_url cache_age width height html",
            {**embedded, "cache_age": COUNT, "width": size, "height": size},
        ),
        "PolicyReport": {
            **record("csp-report", {"type": TEXT, "csp-report": {"type": "object", "additionalProperties": True}}),
            "additionalProperties": True,
        },
        "PolicyReports": array(
            {**record("body", {"type": TEXT, "body": {"type": "object"}}), "additionalProperties": True}
        ),
    }


def embedding_paths(reader: Reader) -> Json:
    """Return the paths of the widget, its page, oEmbed and the reports."""
    t = reader.t
    script = {"200": {"description": t("api.widget"), "content": {SCRIPT: {"schema": TEXT}}, "headers": _etag()}}
    refused = {"400": ref("responses", "Invalid"), "421": ref("responses", "Misdirected")}
    which = in_path("version", t("api.widget-version"), {**TEXT, "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"})
    missing = {"404": ref("responses", "NotFound")}
    return {
        "/widget.js": operation("widget", t("api.widget"), "service", [], script | refused),
        "/widget/{version}.js": operation(
            "widget-version", t("api.widget"), "service", [which], script | refused | missing
        ),
        "/widgets": operation(
            "widgets", t("api.widgets"), "service", _choices(reader), answers(t("api.widgets"), {HTML: TEXT})
        ),
        "/oembed": _oembed(reader),
        "/csp-reports": _reports(reader),
    }


def _etag() -> Json:
    return {"ETag": ref("headers", "ETag")}


def _choices(reader: Reader) -> list[Json]:
    t = reader.t
    height = {"type": "integer", "minimum": LOWEST, "maximum": HIGHEST}
    return [
        query("map", t("api.mapId"), TEXT),
        query("language", t("api.embed-language"), one_of("fr", "ar")),
        query("district", t("api.embed-district"), TEXT),
        query("layers", t("api.layers"), array(TEXT), style="form", explode=True),
        query("of", t("api.embed-of"), TEXT),
        query("theme", t("api.theme"), one_of(*THEMES)),
        query("colour", t("api.colour"), {**TEXT, "pattern": "^#[0-9A-Fa-f]{6}$"}),
        query("height", t("api.embed-height"), height),
        *parameters("f.html", "lang"),
    ]


def _oembed(reader: Reader) -> Json:
    t = reader.t
    side = {"type": "integer", "minimum": 1, "maximum": MOST}
    asked = [
        query("url", t("api.oembed-url"), TEXT) | {"required": True},
        query("maxwidth", t("api.oembed-width"), side),
        query("maxheight", t("api.oembed-height"), side),
        # Others are answered with 501, as the standard says, so there is no list of what is allowed.
        query("format", t("api.oembed-format"), TEXT),
        *parameters("lang"),
    ]
    other = problem(t("errors.status.501"))
    found = answers(t("api.oembed"), {JSON: schema("Embedded")}, missing=True, status_501=other)
    return operation("oembed", t("api.oembed"), "service", asked, found)


def _reports(reader: Reader) -> Json:
    t = reader.t
    either = {"oneOf": [schema("PolicyReport"), schema("PolicyReports")]}
    post = {
        "operationId": "csp-reports",
        "summary": t("api.csp-reports"),
        "description": t("api.csp-reports-long", count=MOST_BYTES),
        "tags": ["service"],
        "parameters": [query("map", t("api.mapId"), TEXT)],
        "requestBody": {"required": True, "content": {kind: {"schema": either} for kind in TYPES}},
        "responses": {
            "204": {"description": t("api.csp-reports-taken")},
            "400": ref("responses", "Invalid"),
            "413": problem(t("errors.status.413")),
            "415": problem(t("errors.status.415")),
            "421": ref("responses", "Misdirected"),
        },
    }
    return {"post": post}
