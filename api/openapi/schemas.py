"""The schemas of the OpenAPI document: what the service answers, besides what a layer's fields add."""

from __future__ import annotations

from typing import Any, get_args

from api.openapi.parts import COUNT, DATE_TIME, NUMBER, TEXT, Json, array, one_of, record, schema
from api.schemas import TYPES, ucum
from geo.crs import CRS84
from geo.grid import CRS_URI, TILE_MATRIX_SET_URI
from layers.catalogue import PublishedLayer
from layers.definition import (
    FieldDefinition,
    GeometryDefinition,
    GeometryType,
    LayerDefinition,
    Theme,
)
from layers.maps import Control, Source

MAYBE_TEXT: Json = {**TEXT, "nullable": True}
_BOOLEAN: Json = {"type": "boolean"}
_LINKS = array(schema("Link"))
_MAP = {"id": TEXT, "title": TEXT, "description": TEXT, "links": _LINKS}
_POSITION = array(NUMBER, minItems=2, maxItems=2)
_LINE = array(schema("Position"), minItems=2)
_RING = array(schema("Position"), minItems=4)
_COORDINATES: dict[str, Json] = {
    "Point": schema("Position"),
    "MultiPoint": array(schema("Position")),
    "LineString": _LINE,
    "MultiLineString": array(_LINE),
    "Polygon": array(_RING),
    "MultiPolygon": array(array(_RING)),
}


def literals(model: type[Any], field: str) -> tuple[str, ...]:
    """Return the values that a field of a definition may have."""
    return get_args(model.model_fields[field].annotation)


def field_schema(field: FieldDefinition, lang: str, nullable: bool = True) -> Json:
    """Return the schema of a field's value; ``nullable`` False for one that is asked for."""
    described: Json = {**TYPES[field.type], "title": field.label[lang]}
    if field.unit and (unit := ucum(field.unit)):
        described["x-ogc-unit"] = unit
    if field.values:
        # OpenAPI 3.0 wants null among the values of a nullable enumeration.
        values: list[str | None] = list(field.values)
        if field.type == "text[]":
            described["items"] = {"type": "string", "enum": values}
        else:
            described["enum"] = values if field.required or not nullable else [*values, None]
    if nullable and not field.required:
        described["nullable"] = True
    return described


def _geometries() -> dict[str, Json]:
    """Return the schemas of geometries (RFC 7946, 3.1); null for a feature without, or asked for without."""
    found = {
        f"Geometry.{kind}": record(
            "type coordinates", {"type": one_of(kind), "coordinates": coordinates}, nullable=True
        )
        for kind, coordinates in _COORDINATES.items()
    }
    known = [schema(name) for name in (*found, "Geometry.GeometryCollection")]
    found["Geometry.GeometryCollection"] = record(
        "type geometries",
        {"type": one_of("GeometryCollection"), "geometries": array(schema("Geometry"))},
        nullable=True,
    )
    return {"Position": _POSITION, **found, "Geometry": {"type": "object", "nullable": True, "anyOf": known}}


def geometry_of(layer: PublishedLayer) -> Json:
    """Return the schema of the geometries of a layer."""
    kind = layer.definition.geometry.type
    return schema("Geometry" if kind == "Geometry" else f"Geometry.{kind}")


def feature(properties: Json, geometry: Json, required: str = "", **more: Json) -> Json:
    """Return the schema of a feature; ``more`` are members beside those of GeoJSON."""
    members = {"type": one_of("Feature"), "id": TEXT, **more, "geometry": geometry, "properties": properties}
    return record(f"type id geometry properties {required}", members)


def feature_collection(features: Json, required: str = "", **more: Json) -> Json:
    """Return the schema of an answer with features."""
    members = {"type": one_of("FeatureCollection"), **more, "links": _LINKS, "features": array(features)}
    return record(f"type links features {required}", members)


def item_schemas(layer: PublishedLayer, lang: str) -> dict[str, Json]:
    """Return the schemas of a layer's features: one alone, a page of them, all of them.

    No property is required, as ``properties`` chooses among them.
    """
    table = layer.definition.table_name
    properties = {field.name: field_schema(field, lang) for field in layer.definition.fields}
    if layer.definition.linked:
        properties["entry_id"] = MAYBE_TEXT
    item, geometry = schema(f"{table}.properties"), geometry_of(layer)
    crs = record("type properties", {"type": one_of("name"), "properties": record("name", {"name": TEXT})})
    counts = {"numberReturned": COUNT, "numberMatched": COUNT, "numberMatchedEstimate": COUNT}
    if layer.definition.entries:
        counts["numberUnknown"] = COUNT
    page = {**counts, "crs": crs, "timeStamp": DATE_TIME}
    whole = {"name": TEXT, "crs": crs, "timeStamp": DATE_TIME}
    return {
        f"{table}.properties": {"type": "object", "properties": properties},
        f"{table}.feature": feature(item, geometry),
        f"{table}.item": feature(item, geometry, "links", links=_LINKS),
        f"{table}.page": feature_collection(schema(f"{table}.feature"), "numberReturned timeStamp", **page),
        f"{table}.export": feature_collection(schema(f"{table}.feature"), "name timeStamp", **whole),
    }


def _collection() -> Json:
    spatial = record(
        "bbox crs", {"bbox": array(array(NUMBER, minItems=4, maxItems=4), minItems=1), "crs": one_of(CRS84)}
    )
    interval = array({**DATE_TIME, "nullable": True}, minItems=2, maxItems=2)
    temporal = record("interval trs", {"interval": array(interval, minItems=1), "trs": TEXT})
    return record(
        "id title description attribution license itemType crs storageCrs theme geometryType quality coverage"
        " updateRhythm updated itemCount links",
        {
            "id": TEXT,
            "title": TEXT,
            "description": TEXT,
            "attribution": TEXT,
            "license": TEXT,
            "itemType": one_of("feature"),
            "crs": array(TEXT),
            "storageCrs": TEXT,
            "extent": {"type": "object", "properties": {"spatial": spatial, "temporal": temporal}},
            "theme": one_of(*get_args(Theme)),
            "geometryType": one_of(*get_args(GeometryType)),
            "quality": one_of(*literals(GeometryDefinition, "quality")),
            "coverage": one_of(*literals(LayerDefinition, "coverage")),
            "updateRhythm": one_of(*literals(LayerDefinition, "update")),
            "updated": DATE_TIME,
            "itemCount": COUNT,
            "notice": TEXT,
            "links": _LINKS,
        },
    )


def _service() -> dict[str, Json]:
    link = {"href": TEXT, "rel": TEXT, "type": TEXT, "title": TEXT, "hreflang": TEXT, "templated": _BOOLEAN}
    states = record(
        "database migrations data",
        {
            "database": one_of("ok", "away"),
            "migrations": one_of("ok", "outdated", "unknown"),
            "data": one_of("ok", "missing", "unknown"),
        },
    )
    kinds = array(one_of("string", "number", "boolean", "geometry", "datetime"))
    function = {
        "name": TEXT,
        "description": TEXT,
        "arguments": array(record("title type", {"title": TEXT, "type": kinds})),
        "returns": kinds,
    }
    return {
        "Link": record("href rel", link),
        "Landing": record(
            "title description attribution links",
            {"title": TEXT, "description": TEXT, "attribution": TEXT, "links": _LINKS},
        ),
        "Conformance": record("conformsTo", {"conformsTo": array({**TEXT, "format": "uri"})}),
        "Collection": _collection(),
        "Collections": record(
            "title collections links", {"title": TEXT, "collections": array(schema("Collection")), "links": _LINKS}
        ),
        "Maps": record("maps links", {"maps": array(record("id title description links", _MAP)), "links": _LINKS}),
        "Map": record(
            "id title description extent layers controls links",
            {
                **_MAP,
                "extent": array(NUMBER, minItems=4, maxItems=4),
                "layers": array(
                    record(
                        "id title shown filter source",
                        {
                            "id": TEXT,
                            "title": TEXT,
                            "shown": _BOOLEAN,
                            "filter": MAYBE_TEXT,
                            "source": one_of(*get_args(Source)),
                        },
                    )
                ),
                "controls": array(one_of(*get_args(Control))),
            },
        ),
        "LinkedData": record(
            "@context @id @type",
            {"@context": {"type": "object"}, "@id": TEXT, "@type": TEXT},
            additionalProperties=True,
        ),
        "Functions": record("functions", {"functions": array(record("name description arguments returns", function))}),
        "Schema": record(
            "$schema $id type title properties additionalProperties",
            {
                "$schema": TEXT,
                "$id": {**TEXT, "format": "uri"},
                "type": one_of("object"),
                "title": TEXT,
                "properties": {"type": "object", "additionalProperties": {"type": "object"}},
                "required": array(TEXT),
                "additionalProperties": _BOOLEAN,
            },
        ),
        "Alive": record("status", {"status": one_of("alive")}),
        "Ready": record("status checks", {"status": one_of("ready", "not ready"), "checks": states}),
        "Problem": record(
            "type title status detail",
            {
                "type": {**TEXT, "pattern": "^urn:problem-type:casamaps:"},
                "title": TEXT,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": TEXT,
                "parameter": TEXT,
                "value": TEXT,
                "allowed": TEXT,
                "at": TEXT,
            },
        ),
    }


def _cards() -> dict[str, Json]:
    texts = {"type": "object", "additionalProperties": TEXT}
    row = {
        "kind": one_of("text", "hours", "phone", "link", "place", "list"),
        "label": TEXT,
        "value": TEXT,
        "values": array(texts),
        "href": TEXT,
        "dir": one_of("ltr"),
        "known": _BOOLEAN,
        "note": TEXT,
    }
    card = {
        "id": TEXT,
        "layer": record("id title", {"id": TEXT, "title": TEXT}, nullable=True),
        "title": TEXT,
        "title_lang": one_of("fr", "ar"),
        "alternate": TEXT,
        "subtitle": TEXT,
        "badges": array(record("kind value text", {"kind": TEXT, "value": TEXT, "text": TEXT})),
        "rows": array(record("kind label value", row)),
        "links": array(record("rel href text", {"rel": TEXT, "href": TEXT, "text": TEXT})),
        "notice": MAYBE_TEXT,
        "source": TEXT,
        "attribution": MAYBE_TEXT,
        "point": {**_POSITION, "nullable": True},
    }
    return {"Card": record(" ".join(card), card)}


def _entry() -> Json:
    maybe = (
        "address_fr",
        "address_ar",
        "website",
        "opening_hours",
        "opening_hours_ramadan",
        "operator",
        "district_code",
        "as_of",
    )
    texts = {**array(TEXT), "nullable": True}
    wheelchair = {**TEXT, "enum": ["yes", "limited", "no", "designated", None], "nullable": True}
    properties = dict.fromkeys(("category", "name_fr", "name_ar", "source"), TEXT)
    properties |= dict.fromkeys(maybe, MAYBE_TEXT)
    properties |= {"phone": texts, "services": texts, "wheelchair": wheelchair}
    return feature(record(" ".join(properties), properties), schema("Geometry"), "links", links=_LINKS)


def _tilesets() -> dict[str, Json]:
    crs, grid = one_of(CRS_URI), one_of(TILE_MATRIX_SET_URI)
    vector = one_of("vector")
    head = {"title": TEXT, "dataType": vector, "crs": crs, "tileMatrixSetURI": grid}
    corner = array(NUMBER, minItems=2, maxItems=2)
    limits = {"tileMatrix": TEXT, **{f"{end}Tile{axis}": COUNT for end in ("min", "max") for axis in ("Row", "Col")}}
    titles = {"type": "object", "additionalProperties": record("title", {"title": TEXT})}
    layer = {
        "id": TEXT,
        "title": TEXT,
        "dataType": vector,
        "minTileMatrix": TEXT,
        "maxTileMatrix": TEXT,
        "propertiesSchema": record("type properties", {"type": one_of("object"), "properties": titles}),
        "geometryDimension": {**COUNT, "maximum": 2},
    }
    vector_layer = {
        "id": TEXT,
        "description": TEXT,
        "minzoom": COUNT,
        "maxzoom": COUNT,
        "fields": {"type": "object", "additionalProperties": TEXT},
    }
    described = {
        **head,
        "layers": array(record("id title dataType minTileMatrix maxTileMatrix propertiesSchema", layer)),
        "boundingBox": record(
            "lowerLeft upperRight crs", {"lowerLeft": corner, "upperRight": corner, "crs": one_of(CRS84)}
        ),
        "tileMatrixSetLimits": array(record(" ".join(limits), limits)),
        "links": _LINKS,
    }
    tilejson = {
        "tilejson": one_of("3.0.0"),
        "name": TEXT,
        "tiles": array(TEXT, minItems=1),
        "scheme": one_of("xyz"),
        "minzoom": COUNT,
        "maxzoom": COUNT,
        "attribution": TEXT,
        "vector_layers": array(record(" ".join(vector_layer), vector_layer)),
        "bounds": array(NUMBER, minItems=4, maxItems=4),
    }
    listed = record(" ".join([*head, "links"]), {**head, "links": _LINKS})
    return {
        "TileSets": record("tilesets links", {"tilesets": array(listed), "links": _LINKS}),
        "TileSet": record(" ".join([*head, "layers", "links"]), described),
        "TileJson": record("tilejson name tiles scheme minzoom maxzoom attribution vector_layers", tilejson),
    }


def schemas() -> dict[str, Json]:
    """Return the schemas that do not depend on the layers."""
    return {**_service(), **_geometries(), **_cards(), "Entry": _entry(), **_tilesets()}
