"""The OpenAPI 3.0 document of the service, built from the catalogue.

It lists every collection's concrete paths with its own properties, because clients such as GDAL look there for what
they may ask.
"""

from __future__ import annotations

from typing import Any

from api.links import GEOJSON, HTML, JSON, MVT, OPENAPI, PROBLEM
from api.negotiation import Reader
from api.openapi_questions import question_paths, question_schemas
from api.params import DEFAULT_LIMIT, FILTER_LANGS, MAX_LIMIT
from api.schemas import TYPES
from api.settings import Settings
from geo.grid import MAX_ZOOM, TILE_MATRIX_SET
from layers.catalogue import Catalogue, PublishedLayer
from layers.definition import FieldDefinition

Json = dict[str, Any]
SCHEMA_TYPE = "application/schema+json"
#: Parameters that choose features, in the order of the document.
SELECT_NAMES = ("bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs")


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def _schema(name: str) -> Json:
    return _ref("schemas", name)


def field_schema(field: FieldDefinition, lang: str, nullable: bool = True) -> Json:
    """Return the JSON schema of a field."""
    schema: Json = {**TYPES[field.type], "title": field.label[lang]}
    if field.unit:
        schema["x-ogc-unit"] = field.unit
    if field.values:
        # OpenAPI 3.0 wants null among the values of a nullable enumeration.
        values: list[str | None] = list(field.values)
        if field.type == "text[]":
            schema["items"] = {"type": "string", "enum": values}
        else:
            schema["enum"] = values if field.required or not nullable else [*values, None]
    if nullable and not field.required:
        schema["nullable"] = True
    return schema


def _query(name: str, description: str, schema: Json, **more: Any) -> Json:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema, **more}


def _path(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _parameters(reader: Reader) -> Json:
    t = reader.t
    number = {"type": "integer", "minimum": 0}
    texts = {"type": "array", "items": {"type": "string"}}
    box = {
        "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
        "type": "array",
        "items": {"type": "number"},
    }
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    return {
        "bbox": _query("bbox", t("api.bbox"), box, style="form", explode=False),
        "datetime": _query("datetime", t("api.datetime"), {"type": "string"}),
        "limit": _query("limit", t("api.limit"), limit, style="form", explode=False),
        "cursor": _query("cursor", t("api.cursor"), {"type": "string"}),
        "bbox-crs": _query("bbox-crs", t("api.bbox-crs"), {"type": "string"}),
        "crs": _query("crs", t("api.crs"), {"type": "string"}),
        "filter": _query("filter", t("api.filter"), {"type": "string"}),
        "filter-lang": _query(
            "filter-lang",
            t("api.filter-lang"),
            {"type": "string", "enum": list(FILTER_LANGS), "default": "cql2-text"},
        ),
        "filter-crs": _query("filter-crs", t("api.filter-crs"), {"type": "string"}),
        "sortby": _query("sortby", t("api.sortby"), texts, style="form", explode=False),
        "properties": _query("properties", t("api.properties"), texts, style="form", explode=False),
        "skipGeometry": _query("skipGeometry", t("api.skipGeometry"), {"type": "boolean", "default": False}),
        "lang": _query("lang", t("api.lang"), {"type": "string", "enum": ["fr", "ar"]}),
        "f": _query("f", t("api.f"), {"type": "string", "enum": ["json", "html"]}),
        "collections": _query(
            "collections",
            t("api.collections"),
            {"type": "array", "items": {"type": "string"}},
            style="form",
            explode=False,
        ),
        "featureId": _path("featureId", t("api.featureId"), {"type": "string"}),
        "entryId": _path("entryId", t("api.entryId"), {"type": "string"}),
        "tileMatrix": _path("tileMatrix", t("api.tileMatrix"), {**number, "maximum": MAX_ZOOM}),
        "tileRow": _path("tileRow", t("api.tileRow"), number),
        "tileCol": _path("tileCol", t("api.tileCol"), number),
    }


def _answers(
    schema: Json, description: str, media_type: str = JSON, *, html: bool = True, missing: bool = False
) -> Json:
    content: Json = {media_type: {"schema": schema}}
    if html:
        content[HTML] = {"schema": {"type": "string"}}
    found: Json = {"200": {"description": description, "content": content}, "400": _ref("responses", "Invalid")}
    if missing:
        found["404"] = _ref("responses", "NotFound")
    return found | {"503": _ref("responses", "Unavailable")}


def _get(identifier: str, summary: str, tag: str, parameters: list[Json], responses: Json) -> Json:
    return {
        "get": {
            "operationId": identifier,
            "summary": summary,
            "tags": [tag],
            "parameters": parameters,
            "responses": responses,
        }
    }


def _item_schema(layer: PublishedLayer, lang: str) -> Json:
    properties = {field.name: field_schema(field, lang) for field in layer.definition.fields}
    if layer.definition.directory:
        properties["entry_id"] = {"type": "string", "nullable": True}
    return {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string"},
            "geometry": _schema("Geometry"),
            "properties": {"type": "object", "properties": properties},
            "links": {"type": "array", "items": _schema("Link")},
        },
    }


def _collection_paths(layer: PublishedLayer, reader: Reader) -> Json:
    t, lang, name = reader.t, reader.lang, layer.id
    title = layer.definition.title[lang]
    common = [_ref("parameters", "f"), _ref("parameters", "lang")]
    filters = [
        _query(
            field.name,
            field.label[lang],
            field_schema(field, lang, nullable=False) if field.type != "text[]" else {"type": "string"},
        )
        for field in layer.definition.fields
    ]
    if layer.definition.directory:
        filters.append(_query("entry_id", t("api.entryId"), {"type": "string"}))
    output = [_ref("parameters", part) for part in ("crs", "properties", "skipGeometry")]
    asked = [_ref("parameters", part) for part in (*SELECT_NAMES, "sortby", "limit", "cursor")] + output
    item = _schema(f"{layer.definition.table_name}.item")
    page = {
        "allOf": [
            _schema("FeatureCollection"),
            {"type": "object", "properties": {"features": {"type": "array", "items": item}}},
        ]
    }
    base = f"/collections/{name}"
    feature = _ref("parameters", "featureId")
    anything: Json = {"type": "object"}
    lang_only = _ref("parameters", "lang")
    items, one = t("api.items", title=title), t("api.item", title=title)
    several = _answers(page, title, GEOJSON)
    single = _answers(item, title, GEOJSON, missing=True)
    card = _answers({"type": "object"}, title, html=False, missing=True)
    return {
        base: _get(f"describe.{name}", title, name, common, _answers(_schema("Collection"), title)),
        f"{base}/items": _get(f"items.{name}", items, name, [*asked, *filters, *common], several),
        f"{base}/items/{{featureId}}": _get(f"item.{name}", one, name, [feature, *output, *common], single),
        f"{base}/items/{{featureId}}/card": _get(
            f"card.{name}", t("api.card", title=title), name, [feature, lang_only], card
        ),
        **{
            f"{base}/{kind}": _get(
                f"{kind}.{name}", t(f"api.{kind}", title=title), name, common, _answers(anything, title, SCHEMA_TYPE)
            )
            for kind in ("schema", "queryables", "sortables")
        },
        **_tile_paths(base, name, t("api.tiles", title=title), [], reader),
    }


def _tile_paths(base: str, name: str, summary: str, chosen: list[Json], reader: Reader) -> Json:
    lang = [_ref("parameters", "lang")]
    address = [_ref("parameters", part) for part in ("tileMatrix", "tileRow", "tileCol")]
    formats = _query("f", reader.t("api.f"), {"type": "string", "enum": ["json", "tilejson", "html"]})
    tile: Json = {
        "200": {"description": summary, "content": {MVT: {"schema": {"type": "string", "format": "binary"}}}},
        "204": {"description": reader.t("api.empty-tile")},
        "304": {"description": reader.t("api.unchanged")},
        "400": _ref("responses", "Invalid"),
        "404": _ref("responses", "NotFound"),
        "503": _ref("responses", "Unavailable"),
    }
    tiles = f"{base}/tiles"
    suffix = f".{name}" if name != "tiles" else ""
    tag = name
    return {
        tiles: _get(f"tilesets{suffix}", summary, tag, lang, _answers({"type": "object"}, summary, html=False)),
        f"{tiles}/{TILE_MATRIX_SET}": _get(
            f"tileset{suffix}", summary, tag, [*chosen, formats, *lang], _answers({"type": "object"}, summary)
        ),
        f"{tiles}/{TILE_MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": _get(
            f"tile{suffix}", summary, tag, [*address, *chosen], tile
        ),
    }


def document(catalogue: Catalogue, settings: Settings, reader: Reader) -> Json:
    """Return the OpenAPI 3.0 document in the reader's language."""
    t = reader.t
    common = [_ref("parameters", "f"), _ref("parameters", "lang")]

    def service(identifier: str, schema: Json, media_type: str = JSON) -> Json:
        summary = t(f"api.{identifier}")
        return _get(identifier, summary, "service", common, _answers(schema, summary, media_type))

    entry = _answers(_schema("Feature"), t("api.entry"), GEOJSON, missing=True)
    paths: Json = {
        "/": service("landing", _schema("Landing")),
        "/conformance": service("conformance", _schema("Conformance")),
        "/api": service("api", {"type": "object"}, OPENAPI),
        "/collections": service("collections-list", _schema("Collections")),
        "/functions": service("functions-list", {"type": "object"}),
        "/directory/{entryId}": _get(
            "entry", t("api.entry"), "directory", [_ref("parameters", "entryId"), *common], entry
        ),
    }
    schemas = _schemas()
    for layer in catalogue.layers():
        paths |= _collection_paths(layer, reader)
        schemas[f"{layer.definition.table_name}.item"] = _item_schema(layer, reader.lang)
    paths |= question_paths(catalogue, reader)
    schemas |= question_schemas()
    paths |= _tile_paths("", "tiles", t("api.all-tiles"), [_ref("parameters", "collections")], reader)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": t("layout.name"),
            "description": t("layout.description"),
            "version": "1.0.0",
        },
        "servers": [{"url": settings.base_url}],
        "tags": [{"name": name} for name in ("service", *catalogue.by_id, "tiles", "directory")],
        "paths": paths,
        "components": {
            "parameters": _parameters(reader),
            "schemas": schemas,
            "responses": {
                "Invalid": _problem(t("errors.status.400")),
                "NotFound": _problem(t("errors.status.404")),
                "Unavailable": _problem(t("errors.status.503")),
            },
        },
    }


def _problem(description: str) -> Json:
    content: Json = {PROBLEM: {"schema": _schema("Problem")}, HTML: {"schema": {"type": "string"}}}
    return {"description": description, "content": content}


def _schemas() -> Json:
    text: Json = {"type": "string"}
    links: Json = {"type": "array", "items": _schema("Link")}

    def record(required: list[str], **properties: Json) -> Json:
        return {"type": "object", "required": required, "properties": properties}

    boolean: Json = {"type": "boolean"}
    count: Json = {"type": "integer", "minimum": 0}
    texts: Json = {"type": "array", "items": text}
    described = {"title": text, "description": text, "attribution": text, "links": links}
    return {
        "Link": record(["href", "rel"], href=text, rel=text, type=text, title=text, hreflang=text, templated=boolean),
        "Landing": record(["links"], **described),
        "Conformance": record(["conformsTo"], conformsTo=texts),
        "Collection": record(
            ["id", "links"], id=text, license=text, itemType=text, crs=texts, extent={"type": "object"}, **described
        ),
        "Collections": record(
            ["collections", "links"], collections={"type": "array", "items": _schema("Collection")}, links=links
        ),
        "Geometry": {"type": "object", "nullable": True, "required": ["type"], "properties": {"type": text}},
        "Feature": record(
            ["type", "geometry", "properties"],
            type={"type": "string", "enum": ["Feature"]},
            id=text,
            geometry=_schema("Geometry"),
            properties={"type": "object", "nullable": True},
            links=links,
        ),
        "FeatureCollection": record(
            ["type", "features"],
            type={"type": "string", "enum": ["FeatureCollection"]},
            features={"type": "array", "items": {"type": "object"}},
            links=links,
            numberMatched=count,
            numberReturned=count,
            timeStamp={"type": "string", "format": "date-time"},
        ),
        "Problem": record(
            ["type", "title", "status", "detail"],
            type=text,
            title=text,
            status={"type": "integer"},
            detail=text,
            parameter=text,
            value=text,
            allowed=text,
        ),
    }


def operations(openapi: Json) -> list[tuple[str, list[tuple[str, str, list[Json]]]]]:
    """Return the operations for the page: for each tag its (path, summary, parameters)."""
    known = openapi["components"]["parameters"]
    found: dict[str, list[tuple[str, str, list[Json]]]] = {tag["name"]: [] for tag in openapi["tags"]}
    for path, methods in openapi["paths"].items():
        get = methods["get"]
        parameters = [known[item["$ref"].rsplit("/", 1)[1]] if "$ref" in item else item for item in get["parameters"]]
        found[get["tags"][0]].append((path, get["summary"], parameters))
    return list(found.items())
