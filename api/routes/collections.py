"""The collections: what layers there are and what each is (OGC API - Features Part 1, 7.13 and 7.14)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import dcat, params
from api.answers import json_answer
from api.links import FEATURE_TYPES, HTML, JSON, JSON_LD, Link, Links, link
from api.negotiation import Reader, format_of
from api.pages import page
from api.routes.dcat import linked_data
from api.routes.dependencies import LayerDep, LinksDep, ReaderDep, state_of
from geo.crs import CRS84, DEFAULT_CRS, WGS84_SRID, parse_crs
from layers.catalogue import PublishedLayer

router = APIRouter()
SCHEMA = "application/schema+json"


def collection_links(layer: PublishedLayer, links: Links, lang: str) -> list[Link]:
    """Return the links of a collection."""
    title = layer.definition.title[lang]
    return [
        link("self", links.url("collections", layer.id, f="json"), JSON, title),
        link("alternate", links.url("collections", layer.id, f="html"), HTML, title),
        link("alternate", links.url("collections", layer.id, f="jsonld"), JSON_LD, title),
        # GeoJSON without a query: GDAL writes the ids of features behind it.
        *(
            link("items", links.url("collections", layer.id, "items", f=None if form == "json" else form), kind, title)
            for form, kind in {**FEATURE_TYPES, "html": HTML}.items()
        ),
        link(
            "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector", links.url("collections", layer.id, "tiles"), JSON
        ),
        *(
            link(f"http://www.opengis.net/def/rel/ogc/1.0/{kind}", links.url("collections", layer.id, kind), SCHEMA)
            for kind in ("schema", "queryables", "sortables")
        ),
        link("license", layer.definition.licence.url, HTML, layer.definition.licence.id),
    ]


def span_of(layer: PublishedLayer) -> list[str | None]:
    """Return when a layer's features begin and end, in UTC; an end is None where nobody knows it."""
    return [moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None for moment in (layer.starts, layer.ends)]


def describe(layer: PublishedLayer, links: Links, reader: Reader) -> dict[str, object]:
    """Describe a collection in the reader's language."""
    definition, lang = layer.definition, reader.lang
    storage = DEFAULT_CRS
    if definition.geometry.srid != WGS84_SRID:
        storage = parse_crs(f"EPSG:{definition.geometry.srid}", "crs", definition.geometry.srid)
    body: dict[str, object] = {
        "id": layer.id,
        "title": definition.title[lang],
        "description": definition.description[lang],
        "attribution": definition.attribution[lang],
        "license": definition.licence.id,
        "itemType": "feature",
        "crs": [*layer.crs],
        "storageCrs": storage.uri,
    }
    extent: dict[str, object] = {}
    if layer.extent:
        box = layer.extent
        extent["spatial"] = {"bbox": [[box.west, box.south, box.east, box.north]], "crs": CRS84}
    if definition.temporal and (layer.starts or layer.ends):
        extent["temporal"] = {
            "interval": [span_of(layer)],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        }
    if extent:
        body["extent"] = extent
    body |= {
        "theme": definition.theme,
        "geometryType": definition.geometry.type,
        "quality": definition.geometry.quality,
        "coverage": definition.coverage,
        "updateRhythm": definition.update,
        "updated": layer.updated.isoformat(),
        "itemCount": layer.count,
    }
    if definition.notice:
        body["notice"] = definition.notice[lang]
    body["links"] = collection_links(layer, links, lang)
    return body


@router.api_route("/collections", methods=["GET", "HEAD"])
async def collections(request: Request, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with all collections."""
    params.read(request)
    wanted, layers = format_of(request, "json", "html", "jsonld"), state_of(request).catalogue.layers()
    if wanted == "html":
        return page(request, "collections.html", reader.lang)
    if wanted == "jsonld":
        return linked_data(dcat.Catalogue(links).document(layers), reader)
    title = reader.t("pages.collections.title")
    body = {
        "title": title,
        "links": [
            link("self", links.url("collections", f="json"), JSON, title),
            link("alternate", links.url("collections", f="html"), HTML, title),
            link("alternate", links.url("catalog.jsonld"), JSON_LD, reader.t("dcat.title")),
        ],
        "collections": [describe(layer, links, reader) for layer in layers],
    }
    return json_answer(body, reader)


@router.api_route("/collections/{collection}", methods=["GET", "HEAD"])
async def collection(request: Request, layer: LayerDep, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with one collection."""
    params.read(request)
    wanted = format_of(request, "json", "html", "jsonld")
    if wanted == "html":
        return page(
            request, "collection.html", reader.lang, layer=layer, definition=layer.definition, formats=FEATURE_TYPES
        )
    if wanted == "jsonld":
        return linked_data(dcat.Catalogue(links).dataset(layer), reader)
    return json_answer(describe(layer, links, reader), reader)
