"""Describes a layer's properties as JSON Schema (OGC API - Features Part 5), and the functions of its filters."""

from __future__ import annotations

import re
from typing import Any

from api.i18n import Messages
from api.params import sortables
from layers.catalogue import PublishedLayer
from layers.definition import FieldDefinition
from layers.filters.resolve import FUNCTIONS, GEOMETRY

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES: dict[str, Json] = {
    "text": {"type": "string"},
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
    "text[]": {"type": "array", "items": {"type": "string"}},
}
_GEOMETRY_FORMATS = {"Geometry": "geometry-any"}
#: Units as people write them -> as UCUM does, case-sensitive.
_UCUM = {"km²": "km2", "m²": "m2", "m³": "m3", "ha": "har", "°": "deg", "°C": "Cel", "km/h": "km/h"}
_UCUM |= {
    symbol: symbol for symbol in ("m", "km", "cm", "mm", "s", "min", "h", "d", "g", "kg", "t", "L", "%", "W", "kW")
}


def ucum(symbol: str) -> str | None:
    """Return a unit as UCUM writes it (Part 5, ``/req/schemas/unit``).

    What UCUM has no unit for, such as a currency, is an annotation in braces; None for one that ASCII can't write.
    """
    if symbol in _UCUM:
        return _UCUM[symbol]
    return f"{{{symbol}}}" if re.fullmatch(r"[!-z|~]+", symbol) else None


def field_schema(field: FieldDefinition, lang: str) -> Json:
    """Return the schema of a field: type, title in the reader's language, unit, allowed values."""
    schema: Json = {"title": field.label[lang], **TYPES[field.type]}
    if field.unit and (unit := ucum(field.unit)):
        schema["x-ogc-unit"] = unit
    if field.values:
        values = list(field.values)
        if field.type == "text[]":
            schema["items"] = {"type": "string", "enum": values}
        else:
            schema["enum"] = values
    return schema


def _document(identifier: str, title: str, properties: Json) -> Json:
    for number, schema in enumerate(properties.values(), 1):
        schema["x-ogc-propertySeq"] = number
    return {
        "$schema": DIALECT,
        "$id": identifier,
        "type": "object",
        "title": title,
        "properties": properties,
        "additionalProperties": False,
    }


def _geometry(layer: PublishedLayer, t: Messages) -> Json:
    kind = layer.definition.geometry.type
    format_ = _GEOMETRY_FORMATS.get(kind, f"geometry-{kind.lower()}")
    return {"title": t("api.geometry"), "format": format_, "x-ogc-role": "primary-geometry"}


def _fields(layer: PublishedLayer, lang: str) -> Json:
    properties = {field.name: field_schema(field, lang) for field in layer.definition.fields}
    temporal = layer.definition.temporal
    if temporal and temporal.start == temporal.end:
        properties[temporal.start]["x-ogc-role"] = "primary-instant"
    elif temporal:
        properties[temporal.start]["x-ogc-role"] = "primary-interval-start"
        properties[temporal.end]["x-ogc-role"] = "primary-interval-end"
    return properties


def _id(t: Messages) -> Json:
    return {"title": t("api.featureId"), "type": "string", "x-ogc-role": "id"}


def _entry(layer: PublishedLayer, t: Messages) -> Json:
    return {"entry_id": {"title": t("api.entryId"), "type": "string"}} if layer.definition.linked else {}


def returnables(layer: PublishedLayer, identifier: str, t: Messages) -> Json:
    """Return what a feature of the layer has (Part 5, returnables), and which of it every feature has.

    A value that is unknown is null in GeoJSON and no value of its property, which is then not ``required``. A type
    stays a single name (Part 5, ``/rec/schemas/properties``), as clients read nothing else.
    """
    properties = {"id": _id(t), **_fields(layer, t.lang), **_entry(layer, t), "geometry": _geometry(layer, t)}
    always = ["id", *(field.name for field in layer.definition.fields if field.required), "geometry"]
    return {**_document(identifier, layer.definition.title[t.lang], properties), "required": always}


def queryables(layer: PublishedLayer, identifier: str, t: Messages) -> Json:
    """Return what a filter may name (Part 3, 6.2)."""
    properties = {"id": _id(t), **_fields(layer, t.lang), **_entry(layer, t), GEOMETRY: _geometry(layer, t)}
    return _document(identifier, layer.definition.title[t.lang], properties)


def sortable(layer: PublishedLayer, identifier: str, t: Messages) -> Json:
    """Return what ``sortby`` may name (Part 5, sortables)."""
    fields = {"id": _id(t), **_fields(layer, t.lang)}
    properties = {name: fields[name] for name in sortables(layer)}
    return _document(identifier, layer.definition.title[t.lang], properties)


def functions(t: Messages) -> Json:
    """Return the functions of filters (Part 3, functions)."""
    kinds = {
        "text": "string",
        "number": "number",
        "boolean": "boolean",
        "geometry": "geometry",
        "timestamp": "datetime",
    }
    return {
        "functions": [
            {
                "name": name,
                "description": t(f"api.functions.{name}"),
                "arguments": [{"title": t(f"api.arguments.{kind}"), "type": [kinds[kind]]} for kind in arguments],
                "returns": [kinds[result]],
            }
            for name, (arguments, result) in FUNCTIONS.items()
        ]
    }
