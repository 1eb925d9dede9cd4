"""The service as a whole: landing page, conformance, API definition, health."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api import openapi, params
from api.answers import json_answer
from api.links import HTML, JSON, JSON_LD, OPENAPI, Link, Links, link, link_header
from api.negotiation import format_of
from api.pages import page
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from api.routes.maps import map_page
from geo.errors import CasaMapsError
from layers.catalogue import revision

router = APIRouter()

_FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
_FILTER = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf"
#: Part 5 of Features is Part 3 of Common, under whose name its classes are.
_SCHEMAS = "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf"
_TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
_REL = "http://www.opengis.net/def/rel/ogc/1.0"
#: Only what holds; clients switch features on by these.
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    f"{_FEATURES}/core",
    f"{_FEATURES}/geojson",
    f"{_FEATURES}/html",
    f"{_FEATURES}/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    *(f"{_FILTER}/{name}" for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")),
    *(
        f"{_CQL2}/{name}"
        for name in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "accent-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "spatial-functions",
            "temporal-functions",
            "array-functions",
            "property-property",
            "functions",
            "arithmetic",
        )
    ),
    *(
        f"{_SCHEMAS}/{name}"
        for name in ("schemas", "advanced-property-roles", "returnables-and-receivables", "queryables", "sortables")
    ),
    # The name that it had as a draft, which QGIS looks for.
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
    f"{_TILES}/core",
    f"{_TILES}/tileset",
    f"{_TILES}/tilesets-list",
    f"{_TILES}/dataset-tilesets",
    f"{_TILES}/geodata-tilesets",
    f"{_TILES}/collections-selection",
    f"{_TILES}/mvt",
)


def service_links(links: Links, lang: str, title: str) -> list[Link]:
    """Return the links of the landing page."""
    return [
        link("self", links.url(f="json"), JSON, title),
        link("alternate", links.url(f="html"), HTML, title, hreflang=lang),
        link("service-desc", links.url("api", f="json"), OPENAPI),
        link("service-doc", links.url("api", f="html"), HTML),
        # OGC API - Features and Common name the same relations differently.
        *(link(rel, links.url("conformance"), JSON) for rel in ("conformance", f"{_REL}/conformance")),
        *(link(rel, links.url("collections"), JSON) for rel in ("data", f"{_REL}/data")),
        link("describedby", links.url("catalog.jsonld"), JSON_LD),
        link(f"{_REL}/tilesets-vector", links.url("tiles"), JSON),
        link(f"{_REL}/functions", links.url("functions"), JSON),
    ]


@router.api_route("/", methods=["GET", "HEAD"])
async def landing(request: Request, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with the landing page (OGC API - Features Part 1, 7.2); people get the map."""
    if format_of(request, "json", "html") == "html":
        return map_page(request, reader)
    params.read(request)
    body = {
        "title": reader.t("layout.name"),
        "description": reader.t("layout.description"),
        "attribution": reader.t("layout.attribution"),
        "links": service_links(links, reader.lang, reader.t("layout.name")),
    }
    return json_answer(body, reader, headers={"Link": link_header(body["links"])})  # type: ignore[arg-type]


@router.api_route("/conformance", methods=["GET", "HEAD"])
async def conformance(request: Request, reader: ReaderDep) -> Response:
    """Answer with the conformance classes that hold (7.4)."""
    params.read(request)
    if format_of(request, "json", "html") == "html":
        return page(request, "conformance.html", reader.lang, classes=CONFORMANCE)
    return json_answer({"conformsTo": CONFORMANCE}, reader)


@router.api_route("/api", methods=["GET", "HEAD"])
async def api_definition(request: Request, reader: ReaderDep) -> Response:
    """Answer with the OpenAPI document, or its page (7.3)."""
    params.read(request)
    state = state_of(request)
    document = openapi.document(state.catalogue, state.settings, reader)
    if format_of(request, "json", "html") == "html":
        titles = {layer.id: layer.definition.title[reader.lang] for layer in state.catalogue.layers()}
        titles |= {tag: reader.t(f"pages.api.tags.{tag}") for tag in ("service", "tiles", "directory")}
        operations = openapi.operations(document)
        return page(request, "api.html", reader.lang, document=document, operations=operations, titles=titles)
    return json_answer(document, reader, media_type=OPENAPI)


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def alive() -> Response:
    """Tell that the process answers."""
    return JSONResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})


@router.api_route("/readyz", methods=["GET", "HEAD"])
async def ready(request: Request) -> Response:
    """Tell whether the service can do its work: database, migrations, data; 503 while it can't."""
    state = state_of(request)
    checks = {"database": "ok", "migrations": "ok", "data": "ok"}
    try:
        if await revision(state.database) != state.revision:
            checks["migrations"] = "outdated"
        if not state.catalogue.by_id:
            checks["data"] = "missing"
    except CasaMapsError:
        checks = {"database": "away", "migrations": "unknown", "data": "unknown"}
    good = all(value == "ok" for value in checks.values())
    body = {"status": "ready" if good else "not ready", "checks": checks}
    return JSONResponse(body, 200 if good else 503, {"Cache-Control": "no-store"})
