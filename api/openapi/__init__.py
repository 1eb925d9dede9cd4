"""The OpenAPI 3.0 document of the service, built from the catalogue.

It lists every collection's concrete paths with its own properties, because clients such as GDAL look there for what
they may ask. What several paths share are components: ``parts`` has the words it is written in, ``parameters`` and
``schemas`` the components, ``service``, ``collections``, ``questions``, ``search``, ``places`` and ``embedding`` the
paths.
"""

from __future__ import annotations

from api.negotiation import Reader
from api.openapi import parameters
from api.openapi.collections import collection_paths, tile_paths
from api.openapi.embedding import embedding_paths, embedding_schemas
from api.openapi.maps import map_paths, map_schemas
from api.openapi.page import Entry, operations
from api.openapi.parts import TEXT, TILE_SELECT, Json, problem
from api.openapi.places import place_paths, place_schemas, site_paths
from api.openapi.questions import question_paths, question_schemas, several
from api.openapi.schemas import item_schemas, schemas
from api.openapi.search import search_paths, search_schemas
from api.openapi.service import service_paths
from api.settings import Settings
from layers.catalogue import Catalogue

__all__ = ["Entry", "document", "operations"]


def document(catalogue: Catalogue, settings: Settings, reader: Reader) -> Json:
    """Return the OpenAPI 3.0 document in the reader's language."""
    t = reader.t
    paths = service_paths(catalogue, reader)
    described, asked = schemas(), parameters.shared(catalogue, reader)
    for layer in catalogue.layers():
        paths |= collection_paths(layer, reader)
        described |= item_schemas(layer, reader.lang)
        asked |= parameters.own(layer, reader)
    paths |= question_paths(catalogue, reader) | search_paths(catalogue, reader)
    paths |= map_paths(catalogue, reader) | embedding_paths(reader)
    paths |= place_paths(catalogue, reader) | site_paths(reader)
    described |= question_schemas() | search_schemas() | map_schemas() | place_schemas() | embedding_schemas()
    paths |= tile_paths("", "tiles", t("api.all-tiles"), reader, "collections", filters=several(reader, *TILE_SELECT))
    return {
        "openapi": "3.0.3",
        "info": {"title": t("layout.name"), "description": t("layout.description"), "version": "1.0.0"},
        "servers": [{"url": settings.base_url}],
        "tags": [{"name": name} for name in dict.fromkeys(("service", *catalogue.by_id, "tiles", "directory"))],
        "paths": paths,
        "components": {
            "parameters": asked,
            "schemas": described,
            "headers": _headers(reader),
            "responses": {
                "Invalid": problem(t("errors.status.400")),
                "NotFound": problem(t("errors.status.404")),
                "Misdirected": problem(t("errors.status.421")),
                "Unavailable": problem(t("errors.status.503"), ("Retry-After",)),
            },
        },
    }


def _headers(reader: Reader) -> Json:
    def header(name: str, schema: Json, required: bool = False) -> Json:
        return {"description": reader.t(f"api.headers.{name}"), "required": required, "schema": schema}

    count = {"type": "integer", "minimum": 0}
    return {
        "Content-Language": header("content-language", {**TEXT, "enum": ["fr", "ar", "fr, ar"]}, required=True),
        "Content-Crs": header("content-crs", {**TEXT, "pattern": "^<http.+>$"}),
        "Content-Disposition": header("content-disposition", TEXT),
        "Link": header("link", TEXT),
        "OGC-NumberReturned": header("returned", count),
        "OGC-NumberMatched": header("matched", count),
        "CasaMaps-NumberUnknown": header("unknown", count),
        "ETag": header("etag", {**TEXT, "pattern": '^"[^"]+"$'}, required=True),
        "Retry-After": header("retry-after", count, required=True),
    }
