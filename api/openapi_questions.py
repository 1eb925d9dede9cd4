"""The questions beyond the standard in the OpenAPI document: ``/nearest``, ``/at`` and the layers' ``/aggregate``."""

from __future__ import annotations

from typing import Any

from api import questions
from api.links import FEATURE_TYPES, GEOJSON, HTML, JSON
from api.negotiation import Reader
from api.schemas import TYPES
from geo.crs import offered_crs
from layers.aggregates import ADDITIVE, FIELD_MEASURES, GRID_SRIDS, MAX_SIZE, MIN_SIZE
from layers.catalogue import Catalogue, PublishedLayer
from layers.nearest import DEFAULT_NEAREST, FARTHEST, MAX_NEAREST
from layers.places import DEFAULT_AT, DEFAULT_TOLERANCE, MAX_AT, MAX_TOLERANCE

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_NUMBER: Json = {"type": "number"}
_SELECT = ("bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs")


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def _query(name: str, description: str, schema: Json, **more: Any) -> Json:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema, **more}


def _listed(name: str, description: str, allowed: list[str], example: list[str]) -> Json:
    items = {**_TEXT, "enum": allowed} if allowed else _TEXT
    return _query(
        name, description, {"type": "array", "items": items}, style="form", explode=False, example=example or None
    )


def _get(identifier: str, texts: tuple[str, str], tag: str, parameters: list[Json], content: Json) -> Json:
    responses: Json = {
        "200": {"description": texts[0], "content": content},
        "400": _ref("responses", "Invalid"),
        "503": _ref("responses", "Unavailable"),
    }
    operation = {"operationId": identifier, "summary": texts[0], "description": texts[1], "tags": [tag]}
    return {"get": {**operation, "parameters": parameters, "responses": responses}}


def _place(reader: Reader) -> list[Json]:
    t = reader.t
    degrees = {"lon": {**_NUMBER, "minimum": -180, "maximum": 180}, "lat": {**_NUMBER, "minimum": -90, "maximum": 90}}
    pair = {**_TEXTS, "items": _NUMBER, "minItems": 2, "maxItems": 2}
    return [
        _query("lon", t("questions.api.lon"), degrees["lon"], example=-7.6192),
        _query("lat", t("questions.api.lat"), degrees["lat"], example=33.5931),
        _query("point", t("questions.api.point"), pair, style="form", explode=False),
        _query("point-crs", t("questions.api.point-crs"), {**_TEXT, "enum": [*offered_crs()]}),
    ]


def _several(reader: Reader) -> list[Json]:
    """Return the parameters that choose features of several layers and say what of them is given."""
    chosen = [_ref("parameters", name) for name in _SELECT if name != "filter"]
    output = [_ref("parameters", name) for name in ("crs", "skipGeometry", "lang")]
    formats = _query("f", reader.t("api.f"), {**_TEXT, "enum": ["json", "html"]})
    return [_query("filter", reader.t("questions.api.filter"), _TEXT), *chosen, *output, formats]


def _measured(name: str, required: list[str], **members: Json) -> Json:
    """Return the schema of an answer whose features have what was measured beside their id."""
    feature: Json = {
        "type": "object",
        "required": ["type", "id", "collection", "geometry", "properties", *required],
        "properties": {
            "type": {**_TEXT, "enum": ["Feature"]},
            "id": _TEXT,
            "collection": _TEXT,
            "geometry": _ref("schemas", "Geometry"),
            "properties": {"type": "object"},
            **members,
        },
    }
    more = {"truncated": {"type": "boolean"}, "features": {"type": "array", "items": feature}}
    if name == "at":
        district: Json = {"type": "object", "nullable": True, "properties": {"code": _TEXT, "name": _TEXT}}
        more |= {"place": {"type": "object", "properties": {"lon": _NUMBER, "lat": _NUMBER}}, "district": district}
    return {"allOf": [_ref("schemas", "FeatureCollection"), {"type": "object", "properties": more}]}


def _nearest(catalogue: Catalogue, reader: Reader) -> Json:
    t = reader.t
    default = [layer.id for layer in questions.layers_of({}, catalogue, areas=False)]
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_NEAREST, "default": DEFAULT_NEAREST}
    farthest = {**_NUMBER, "minimum": 0, "maximum": FARTHEST}
    parameters = [
        *_place(reader),
        _query("feature", t("questions.api.feature"), _TEXT),
        _listed("collections", t("questions.api.nearest-collections"), [*catalogue.by_id], default[:2]),
        _query("limit", t("questions.api.limit"), limit, style="form", explode=False, example=5),
        _query("max-distance", t("questions.api.max-distance"), farthest, example=2000),
        *_several(reader),
    ]
    metres = {**_NUMBER, "minimum": 0, "x-ogc-unit": "m"}
    bearing = {**_NUMBER, "minimum": 0, "maximum": 360, "exclusiveMaximum": True, "nullable": True, "x-ogc-unit": "°"}
    schema = _measured("nearest", ["distance", "bearing"], distance=metres, bearing=bearing)
    example = {
        "type": "FeatureCollection",
        "numberReturned": 1,
        "features": [
            {
                "type": "Feature",
                "id": "tram-place-des-nations-unies",
                "collection": "transport-stops",
                "distance": 154.07214872,
                "bearing": 71.303412,
                "geometry": {"type": "Point", "coordinates": [-7.6176, 33.5935]},
                "properties": {"collection": "transport-stops", "distance": 154.07214872, "bearing": 71.303412},
            }
        ],
    }
    content = {GEOJSON: {"schema": schema, "example": example}, HTML: {"schema": _TEXT}}
    return _get(
        "nearest", (t("questions.api.nearest"), t("questions.api.nearest-long")), "service", parameters, content
    )


def _at(catalogue: Catalogue, reader: Reader) -> Json:
    t = reader.t
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_AT, "default": DEFAULT_AT}
    tolerance = {**_NUMBER, "minimum": 0, "maximum": MAX_TOLERANCE, "default": DEFAULT_TOLERANCE}
    parameters = [
        *_place(reader),
        _listed("collections", t("questions.api.at-collections"), [*catalogue.by_id], [*catalogue.by_id][:2]),
        _query("tolerance", t("questions.api.tolerance"), tolerance, example=20),
        _query("limit", t("questions.api.at-limit"), limit, style="form", explode=False),
        *_several(reader),
    ]
    links = {"type": "array", "items": _ref("schemas", "Link")}
    schema = _measured("at", ["distance"], distance={**_NUMBER, "minimum": 0, "x-ogc-unit": "m"}, links=links)
    content = {GEOJSON: {"schema": schema}, HTML: {"schema": _TEXT}}
    return _get("at", (t("questions.api.at"), t("questions.api.at-long")), "service", parameters, content)


def _asked(layer: PublishedLayer, catalogue: Catalogue, reader: Reader) -> list[Json]:
    t = reader.t
    numbers, populations = questions.numbers_of(layer), questions.populations_of(catalogue)
    by = questions.groups_of(layer, catalogue)
    asked = [
        _query(
            "measure",
            t("questions.api.measure"),
            {**_TEXT, "enum": questions.measures_of(layer), "default": "count"},
            example="count",
        ),
        _query("by", t("questions.api.by"), {**_TEXT, "enum": by}, example=by[0]),
        _query("size", t("questions.api.size"), {**_NUMBER, "minimum": MIN_SIZE, "maximum": MAX_SIZE}),
        _query("grid-crs", t("questions.api.grid-crs"), {**_TEXT, "enum": [f"EPSG:{srid}" for srid in GRID_SRIDS]}),
    ]
    if numbers:
        asked.append(_query("field", t("questions.api.field"), {**_TEXT, "enum": numbers}))
    if populations:
        asked += [
            _query("per", t("questions.api.per"), {**_TEXT, "enum": [questions.PER]}),
            _query("population", t("questions.api.population"), {**_TEXT, "enum": populations}),
        ]
    return asked


def _aggregate(layer: PublishedLayer, catalogue: Catalogue, reader: Reader) -> Json:
    t, lang = reader.t, reader.lang
    fields = [
        _query(field.name, field.label[lang], TYPES[field.type] if field.type != "text[]" else _TEXT)
        for field in layer.definition.fields
        if field.name not in questions.AGGREGATE
    ]
    if layer.definition.directory:
        fields.append(_query("entry_id", t("api.entryId"), _TEXT))
    formats = {**_TEXT, "enum": ["json", "csv", "geojson", "html"]}
    parameters = [
        *_asked(layer, catalogue, reader),
        *(_ref("parameters", name) for name in _SELECT),
        *fields,
        _query("f", t("api.f"), formats),
        _ref("parameters", "lang"),
    ]
    rows = [{"key": "06.141.01.11", "label": "Al Fida", "count": 12, "value": 12}]
    example = {
        "collection": layer.id, "measure": "count", "field": None, "by": "district", "unit": None,
        "coverage": layer.definition.coverage, "results": rows, "links": [],
    }  # fmt: skip
    content = {
        JSON: {"schema": _ref("schemas", "Aggregate"), "example": example},
        FEATURE_TYPES["csv"]: {"schema": _TEXT, "example": "key,label,count,value,coverage\r\n"},
        GEOJSON: {"schema": _ref("schemas", "FeatureCollection")},
        HTML: {"schema": _TEXT},
    }
    texts = (t("questions.api.aggregate", title=layer.definition.title[lang]), t("questions.api.aggregate-long"))
    return _get(f"aggregate.{layer.id}", texts, layer.id, parameters, content)


def question_paths(catalogue: Catalogue, reader: Reader) -> Json:
    """Return the paths of the questions beyond the standard."""
    return {
        "/nearest": _nearest(catalogue, reader),
        "/at": _at(catalogue, reader),
        **{f"/collections/{layer.id}/aggregate": _aggregate(layer, catalogue, reader) for layer in catalogue.layers()},
    }


def question_schemas() -> Json:
    """Return the schemas that the paths refer to."""
    nothing: Json = {"nullable": True}
    maybe_text, maybe_number = {**_TEXT, **nothing}, {**_NUMBER, **nothing}
    count = {"type": "integer", "minimum": 0}
    key: Json = {"nullable": True, "oneOf": [_TEXT, _NUMBER, {"type": "boolean"}]}
    row = {
        "type": "object",
        "required": ["key", "label", "count", "value"],
        "properties": {
            "key": key,
            "label": _TEXT,
            "x": maybe_number,
            "y": maybe_number,
            "count": count,
            "value": maybe_number,
            "population": {"type": "integer", **nothing},
            "rate": maybe_number,
        },
    }
    return {
        "Aggregate": {
            "type": "object",
            "required": ["collection", "measure", "coverage", "results", "links"],
            "properties": {
                "collection": _TEXT,
                "measure": {**_TEXT, "enum": [*dict.fromkeys((*ADDITIVE, *FIELD_MEASURES))]},
                "field": maybe_text,
                "by": maybe_text,
                "unit": maybe_text,
                "per": {**_TEXT, "enum": [questions.PER]},
                "population": _TEXT,
                "gridCrs": _TEXT,
                "coverage": {**_TEXT, "enum": ["complete", "partial", "unknown"]},
                "warning": _TEXT,
                "note": _TEXT,
                "results": {"type": "array", "items": row},
                "links": {"type": "array", "items": _ref("schemas", "Link")},
            },
        }
    }
