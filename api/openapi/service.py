"""The paths of the service as a whole in the OpenAPI document."""

from __future__ import annotations

from api.links import HTML, JSON, JSON_LD, OPENAPI
from api.maps.description import maps_of
from api.maps.listing import VIEW
from api.maps.times import TIME
from api.negotiation import Reader
from api.openapi.embedding import framing_parameters, narrowing_parameters
from api.openapi.parts import (
    TEXT,
    Json,
    answers,
    in_path,
    json_or_page,
    one_of,
    operation,
    parameters,
    query,
    ref,
    schema,
)
from layers.catalogue import Catalogue

SCRIPT = "text/javascript"
#: What the address of a map may hold of its state.
_STATE: dict[str, tuple[Json, str]] = {
    "view": ({"pattern": f"^({VIEW})?$"}, "14/33.5931/-7.6192"),
    "layers": ({}, "districts,facilities"),
    "select": ({}, "transport-stops/tram-place-des-nations-unies"),
    "time": ({"pattern": f"^({TIME})?$"}, "2026-11"),
}


def service_paths(catalogue: Catalogue, reader: Reader) -> Json:
    """Return the paths of the service as a whole."""
    t = reader.t
    common = parameters("f", "lang")

    def service(identifier: str, of: Json, media_type: str = JSON, *headers: str) -> Json:
        summary = t(f"api.{identifier}")
        found = answers(summary, json_or_page(media_type, of), headers=headers)
        return operation(identifier, summary, "service", common, found)

    collections = {**json_or_page(JSON, schema("Collections")), JSON_LD: schema("LinkedData")}
    listed = answers(t("api.collections-list"), collections)
    harvested = answers(t("dcat.harvest"), {JSON_LD: schema("LinkedData")})
    return {
        "/": service("landing", schema("Landing"), JSON, "Link"),
        "/conformance": service("conformance", schema("Conformance")),
        "/api": service("api", {"type": "object", "required": ["openapi", "info", "paths"]}, OPENAPI),
        "/collections": operation(
            "collections-list", t("api.collections-list"), "service", parameters("f.collections", "lang"), listed
        ),
        "/catalog.jsonld": operation(
            "catalog", t("dcat.harvest"), "service", parameters("f.catalog", "lang"), harvested
        ),
        "/functions": service("functions-list", schema("Functions")),
        **_maps(catalogue, reader),
        **_health(reader),
    }


def _maps(catalogue: Catalogue, reader: Reader) -> Json:
    """Return the paths of the maps."""
    t = reader.t
    which = in_path("mapId", t("api.mapId"), one_of(*maps_of(catalogue)))
    state = [query(name, t(f"api.{name}"), {**TEXT, **form}, example=said) for name, (form, said) in _STATE.items()]
    listed = answers(t("api.maps"), json_or_page(JSON, schema("Maps")))
    one = answers(t("api.map"), json_or_page(JSON, schema("Map")), headers=("Link",), missing=True)
    framed = answers(t("api.embed"), {HTML: TEXT, JSON: schema("Map")}, missing=True)
    return {
        "/maps": operation("maps", t("api.maps"), "service", parameters("f", "lang"), listed),
        "/maps/{mapId}": operation(
            "map",
            t("api.map"),
            "service",
            [which, *state, *narrowing_parameters(reader), *parameters("f", "lang")],
            one,
        ),
        "/embed/{mapId}": operation(
            "embed",
            t("api.embed"),
            "service",
            [which, *state, *framing_parameters(reader), *parameters("f.embed", "lang")],
            framed,
        ),
        "/maps/{mapId}.js": _script(which, reader),
    }


def _script(which: Json, reader: Reader) -> Json:
    t = reader.t
    headers = ("ETag",)
    found = answers(t("api.script"), {SCRIPT: TEXT}, headers=headers, missing=True)
    found["304"] = {"description": t("api.same-script"), "headers": {name: ref("headers", name) for name in headers}}
    return operation("script", t("api.script"), "service", [which, *parameters("lang")], found)


def _health(reader: Reader) -> Json:
    """Return the paths that watchers ask; they have no parameters and no language."""
    t = reader.t
    refused = {"421": ref("responses", "Misdirected")}
    alive = {"200": {"description": t("api.alive"), "content": {JSON: {"schema": schema("Alive")}}}}
    ready = {JSON: {"schema": schema("Ready")}}
    checked = {
        "200": {"description": t("api.ready"), "content": ready},
        "503": {"description": t("api.not-ready"), "content": ready},
    }
    return {
        "/healthz": operation("alive", t("api.alive"), "service", [], alive | refused),
        "/readyz": operation("ready", t("api.ready"), "service", [], checked | refused),
    }
