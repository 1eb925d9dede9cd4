"""The questions beyond the standard in the OpenAPI document: ``/nearest``, ``/at`` and the layers' ``/aggregate``."""

from __future__ import annotations

from typing import Any

from api import questions
from api.links import FEATURE_TYPES, GEOJSON, HTML, JSON
from api.negotiation import Reader
from api.openapi.examples import at_address
from api.openapi.parameters import fields, filters, of_layer
from api.openapi.parts import (
    COUNT,
    DATE_TIME,
    NUMBER,
    SELECT,
    TEXT,
    Json,
    answers,
    array,
    one_of,
    operation,
    parameters,
    query,
    record,
    schema,
)
from api.openapi.schemas import MAYBE_TEXT, feature, feature_collection, literals
from geo.crs import CRS84, domain, offered_crs
from layers.aggregates import GRID_SRIDS, MAX_SIZE, MEASURES, MIN_SIZE
from layers.catalogue import Catalogue, PublishedLayer
from layers.definition import LayerDefinition
from layers.nearest import DEFAULT_NEAREST, FARTHEST, MAX_NEAREST
from layers.places import DEFAULT_AT, DEFAULT_TOLERANCE, MAX_AT, MAX_TOLERANCE

_MAYBE_NUMBER: Json = {**NUMBER, "nullable": True}
_BOOLEAN: Json = {"type": "boolean"}
_METRES: Json = {**NUMBER, "minimum": 0, "x-ogc-unit": "m"}
_BEARING: Json = {
    **NUMBER, "minimum": 0, "maximum": 360, "exclusiveMaximum": True, "nullable": True, "x-ogc-unit": "deg"
}  # fmt: skip
#: What the examples ask about.
_POINT = [-7.6192, 33.5931]
_CELLS = tuple(step * 10**digits for digits in (3, 4, 5) for step in (1, 2, 5))
#: As many cells as a grid should have from one side to the other, and the length of a degree in metres.
_ACROSS, _DEGREE = 60, 111_320
_LAYER, _STOP = "transport-stops", "tram-place-des-nations-unies"


def _place(reader: Reader) -> list[Json]:
    t = reader.t
    lon, lat = ({**NUMBER, "minimum": -end, "maximum": end} for end in (180, 90))
    return [
        query("lon", t("questions.api.lon"), lon, example=_POINT[0]),
        query("lat", t("questions.api.lat"), lat, example=_POINT[1]),
        query("point", t("questions.api.point"), array(NUMBER, minItems=2, maxItems=2), example=_POINT),
        query("point-crs", t("questions.api.point-crs"), one_of(*offered_crs(), default=CRS84)),
    ]


def _several(reader: Reader) -> list[Json]:
    """Return the parameters that choose features of several layers and say what of them is given."""
    return [*several(reader, *SELECT), *parameters("crs", "skipGeometry", "f", "lang")]


def several(reader: Reader, *names: str) -> list[Json]:
    """Return parameters that choose features of several layers, the filter first."""
    chosen = parameters(*(name for name in names if name != "filter"))
    return [query("filter", reader.t("questions.api.filter"), TEXT, examples=filters(reader)), *chosen]


def _collections(description: str, catalogue: Catalogue, example: list[str]) -> Json:
    listed = array(one_of(*catalogue.by_id) if catalogue.by_id else TEXT, minItems=1, uniqueItems=True)
    return query("collections", description, listed, **({"example": example} if example else {}))


def _answer(description: str, name: str, example: Json) -> Json:
    content = {GEOJSON: {"schema": schema(name), "example": example}, HTML: TEXT}
    return answers(description, content, headers=("Content-Crs", "Link"))


def _found(measured: Json) -> Json:
    """Return a feature as an example."""
    return {
        "type": "Feature",
        "id": _STOP,
        "collection": _LAYER,
        **measured,
        "geometry": {"type": "Point", "coordinates": [-7.6176, 33.5935]},
        "properties": {"name_fr": "Place des Nations Unies", "collection": _LAYER, **measured},
    }


def _nearest(catalogue: Catalogue, reader: Reader) -> Json:
    t = reader.t
    usual = [layer.id for layer in questions.layers_of({}, catalogue, areas=False)]
    stop = {"example": f"{_LAYER}/{_STOP}"} if _LAYER in catalogue.by_id else {}
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_NEAREST, "default": DEFAULT_NEAREST}
    asked = [
        *_place(reader),
        query("feature", t("questions.api.feature"), {**TEXT, "pattern": "^[^/]+/.+"}, **stop),
        _collections(t("questions.api.nearest-collections"), catalogue, usual[:2]),
        query("limit", t("questions.api.limit"), limit, example=5),
        query("max-distance", t("questions.api.max-distance"), {**_METRES, "maximum": FARTHEST}, example=2000),
        *_several(reader),
    ]
    example = {
        "type": "FeatureCollection",
        "numberReturned": 1,
        "timeStamp": "2026-11-23T08:00:00Z",
        "links": [],
        "features": [_found({"distance": 154.07214872, "bearing": 71.303412})],
    }
    texts = (t("questions.api.nearest"), at_address(reader, "questions.api.nearest-long", "/nearest"))
    return operation("nearest", texts, "service", asked, _answer(texts[0], "Nearest", example))


def _at(catalogue: Catalogue, reader: Reader) -> Json:
    t = reader.t
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_AT, "default": DEFAULT_AT}
    tolerance = {**_METRES, "maximum": MAX_TOLERANCE, "default": DEFAULT_TOLERANCE}
    asked = [
        *_place(reader),
        _collections(t("questions.api.at-collections"), catalogue, [*catalogue.by_id][:2]),
        query("tolerance", t("questions.api.tolerance"), tolerance, example=20),
        query("limit", t("questions.api.at-limit"), limit),
        *_several(reader),
    ]
    example = {
        "type": "FeatureCollection",
        "place": {"lon": -7.6192, "lat": 33.5931},
        "district": {
            "code": "06.141.01.07", "name": "Sidi Belyout", "name_fr": "Sidi Belyout", "name_ar": "سيدي بليوط",
            "links": [],
        },
        "numberReturned": 1,
        "links": [],
        "features": [{**_found({"distance": 4.2}), "links": []}],
    }  # fmt: skip
    texts = (t("questions.api.at"), at_address(reader, "questions.api.at-long", "/at"))
    return operation("at", texts, "service", asked, _answer(texts[0], "At", example))


def cell_size(layer: PublishedLayer) -> int:
    """Return the side of cells, in metres, with which a grid over a layer can be read: 1,000 for one of a city."""
    limits = domain(GRID_SRIDS[0])
    extent = layer.extent or limits
    # At least a degree's length, so at most as many cells as on the equator.
    sides = (
        min(extent.east, limits.east) - max(extent.west, limits.west),
        min(extent.north, limits.north) - max(extent.south, limits.south),
    )
    return next((size for size in _CELLS if max(sides) * _DEGREE / size <= _ACROSS), _CELLS[-1])


def _asked(layer: PublishedLayer, catalogue: Catalogue, reader: Reader) -> list[Json]:
    t = reader.t
    numbers, populations = questions.numbers_of(layer), questions.populations_of(catalogue)
    by = questions.groups_of(layer, catalogue)
    size = {**NUMBER, "minimum": MIN_SIZE, "maximum": MAX_SIZE, "x-ogc-unit": "m"}
    grids = [crs.uri for crs in offered_crs().values() if crs.srid in GRID_SRIDS]
    asked = [
        query("measure", t("questions.api.measure"), one_of(*questions.measures_of(layer), default="count")),
        query("by", t("questions.api.by"), one_of(*by), example=next(name for name in by if name != "grid")),
        # Without an example: one is for a question as a whole, and neither is allowed without by=grid.
        query("size", t("questions.api.size"), size),
        query("grid-crs", t("questions.api.grid-crs"), one_of(*grids)),
    ]
    if numbers:
        asked.append(query("field", t("questions.api.field"), one_of(*numbers)))
    if populations:
        asked += [
            query("per", t("questions.api.per"), one_of(questions.PER)),
            query("population", t("questions.api.population"), one_of(*populations)),
        ]
    return asked


def _aggregate(layer: PublishedLayer, catalogue: Catalogue, reader: Reader) -> Json:
    t, title = reader.t, layer.definition.title[reader.lang]
    base = f"/collections/{layer.id}/aggregate"
    own = [component for name, component in fields(layer).items() if name not in questions.AGGREGATE]
    asked = [
        *_asked(layer, catalogue, reader),
        *of_layer(layer, *SELECT),
        *parameters(*own, "f.aggregate", "lang"),
    ]
    coverage = layer.definition.coverage
    rows = [{"key": "06.141.01.11", "label": "Al Fida", "count": 12, "value": 12}]
    head = {
        "collection": layer.id, "measure": "count", "field": None, "by": "district", "unit": None,
        "coverage": coverage,
    }  # fmt: skip
    table = f"key,label,count,value,measure,unit,coverage\r\n06.141.01.11,Al Fida,12,12,count,,{coverage}\r\n"
    ring = [[-7.61, 33.56], [-7.59, 33.56], [-7.59, 33.58], [-7.61, 33.58], [-7.61, 33.56]]
    district = {
        "type": "Feature",
        "id": rows[0]["key"],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {**rows[0], "coverage": coverage},
    }
    shapes = {"type": "FeatureCollection", **head, "links": [], "features": [district]}
    content: Json = {
        JSON: {"schema": schema("Aggregate"), "example": {**head, "results": rows, "links": []}},
        FEATURE_TYPES["csv"]: {"schema": TEXT, "example": table},
        GEOJSON: {"schema": schema("AggregateFeatures"), "example": shapes},
        HTML: TEXT,
    }
    texts = (
        t("questions.api.aggregate", title=title),
        at_address(reader, "questions.api.aggregate-long", base, size=str(cell_size(layer))),
    )
    found = answers(texts[0], content, headers=("Content-Disposition", "Link"), missing=True)
    return operation(f"aggregate.{layer.id}", texts, layer.id, asked, found)


def question_paths(catalogue: Catalogue, reader: Reader) -> Json:
    """Return the paths of the questions beyond the standard."""
    return {
        "/nearest": _nearest(catalogue, reader),
        "/at": _at(catalogue, reader),
        **{f"/collections/{layer.id}/aggregate": _aggregate(layer, catalogue, reader) for layer in catalogue.layers()},
    }


def _measured() -> dict[str, Json]:
    """Return the schemas of features with what was measured, beside their id and among their properties."""
    properties: dict[str, Any] = {"collection": TEXT, "distance": _METRES}
    links = array(schema("Link"))
    near = {**properties, "bearing": _BEARING}
    nearest = feature(
        record(" ".join(near), near, additionalProperties=True), schema("Geometry"), " ".join(near), **near
    )
    there = feature(
        record(" ".join(properties), properties, additionalProperties=True),
        schema("Geometry"),
        f"{' '.join(properties)} links",
        **properties,
        links=links,
    )
    district = {"code": TEXT, "name": TEXT, "name_fr": TEXT, "name_ar": TEXT, "links": links}
    degrees = {"lon": {**NUMBER, "minimum": -180, "maximum": 180}, "lat": {**NUMBER, "minimum": -90, "maximum": 90}}
    more = {"numberReturned": COUNT, "truncated": _BOOLEAN}
    return {
        "Nearest": feature_collection(nearest, "numberReturned timeStamp", **more, timeStamp=DATE_TIME),
        "At": feature_collection(
            there,
            "place district numberReturned",
            place=record("lon lat", degrees),
            district=record("code links", district, nullable=True),
            **more,
        ),
    }


def question_schemas() -> dict[str, Json]:
    """Return the schemas that the paths refer to."""
    # A group is named by a value of its field, whatever its type; null where it has none.
    key: Json = {"anyOf": [{**kind, "nullable": True} for kind in (TEXT, NUMBER, _BOOLEAN)]}
    coverage = one_of(*literals(LayerDefinition, "coverage"))
    row = {
        "key": key, "label": TEXT, "x": _MAYBE_NUMBER, "y": _MAYBE_NUMBER, "count": COUNT, "value": _MAYBE_NUMBER,
        "population": {**COUNT, "nullable": True}, "rate": _MAYBE_NUMBER,
    }  # fmt: skip
    head = {
        "collection": TEXT, "measure": one_of(*MEASURES), "field": MAYBE_TEXT, "by": MAYBE_TEXT, "unit": MAYBE_TEXT,
        "per": one_of(questions.PER), "population": TEXT, "gridCrs": TEXT, "coverage": coverage,
        "warning": TEXT, "note": TEXT,
    }  # fmt: skip
    always = "collection measure field by unit coverage"
    rows = array(record("key label count value", row))
    flat = record("key label count value coverage", {**row, "coverage": coverage, "warning": MAYBE_TEXT})
    shape = feature(flat, schema("Geometry"))
    # The group without a key has no id.
    shape["required"] = ["type", "geometry", "properties"]
    shape["properties"] = {**shape["properties"], "id": key}
    return {
        **_measured(),
        "Aggregate": record(f"{always} results links", {**head, "results": rows, "links": array(schema("Link"))}),
        "AggregateFeatures": feature_collection(shape, always, **head),
    }
