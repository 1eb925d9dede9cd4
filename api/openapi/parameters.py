"""The parameters of the OpenAPI document that several operations share, and those of a layer's fields."""

from __future__ import annotations

import re

from api.downloads import GEOMETRY_FORMATS, formats
from api.negotiation import Reader
from api.openapi.parts import COUNT, NUMBER, TEXT, Json, array, in_path, one_of, parameters, query
from api.openapi.schemas import field_schema
from api.params import DEFAULT_LIMIT, FILTER_LANGS, MAX_ID, MAX_LIMIT, sortables
from geo.crs import CRS84, offered_crs
from geo.grid import MAX_ZOOM
from layers.catalogue import Catalogue, PublishedLayer
from layers.queries import properties

#: Values of ``f``, by what is asked for; the first is the default.
FORMATS: dict[str, tuple[str, ...]] = {
    "f": ("json", "html"),
    "f.collections": ("json", "html", "jsonld"),
    "f.catalog": ("jsonld",),
    "f.items": ("json", *formats()[1:], "html"),
    "f.export": formats(),
    "f.aggregate": ("json", "csv", "geojson", "html"),
    "f.tileset": ("json", "tilejson", "html"),
    "f.entry": ("json", "html", "jsonld", "vcf"),
    "f.html": ("html",),
    "f.json": ("json",),
    "f.embed": ("html", "json"),
    "f.tile": ("mvt",),
}
#: How the standards write the parameters that they define.
_FORM: Json = {"style": "form", "explode": False}
_CRS = ("crs", "bbox-crs", "filter-crs")
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
#: Filters that every layer can answer.
FILTERS = {
    "name": "CASEI(name_fr) LIKE CASEI('%hassan%')",
    "box": "S_INTERSECTS(geom, BBOX(-7.65, 33.55, -7.6, 33.6))",
    "distance": "distance(geom, POINT(-7.6192 33.5931)) < 1500",
}


def filters(reader: Reader) -> Json:
    """Return the examples of filters, with what they are called in the reader's language."""
    return {name: {"summary": reader.t(f"api.examples.{name}"), "value": text} for name, text in FILTERS.items()}


def crs_suffix(layer: PublishedLayer) -> str:
    """Return what the names of a layer's CRS parameters end with: those of a layer in another CRS have it, too."""
    srid = layer.definition.geometry.srid
    return "" if srid in {crs.srid for crs in offered_crs().values()} else f".{srid}"


def lacking(layer: PublishedLayer) -> bool:
    """Tell whether a layer can't be given in all the CRS that there are: its ``crs`` is a parameter of its own."""
    return not offered_crs().keys() <= layer.crs.keys()


def _crs(reader: Reader, layers: list[PublishedLayer]) -> Json:
    more = {suffix: [f"{_EPSG}{suffix[1:]}"] for suffix in sorted({crs_suffix(layer) for layer in layers} - {""})}
    return {
        f"{name}{suffix}": query(name, reader.t(f"api.{name}"), one_of(*offered_crs(), *own, default=CRS84), **_FORM)
        for name in _CRS
        for suffix, own in {"": [], **more}.items()
    }


def _select(reader: Reader) -> Json:
    t = reader.t
    box = array(NUMBER, oneOf=[{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}])
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    return {
        "bbox": query("bbox", t("api.bbox"), box, example=[-7.65, 33.55, -7.6, 33.6]),
        "datetime": query("datetime", t("api.datetime"), TEXT, **_FORM, example="2026-11-01/.."),
        "filter": query("filter", t("api.filter"), TEXT, **_FORM, examples=filters(reader)),
        "filter-lang": query("filter-lang", t("api.filter-lang"), one_of(*FILTER_LANGS, default="cql2-text"), **_FORM),
        "limit": query("limit", t("api.limit"), limit, **_FORM),
        "cursor": query("cursor", t("api.cursor"), TEXT),
        "skipGeometry": query("skipGeometry", t("api.skipGeometry"), {"type": "boolean", "default": False}),
    }


def shared(catalogue: Catalogue, reader: Reader) -> Json:
    """Return the parameters that do not depend on a layer's fields."""
    t = reader.t
    wkt = one_of(*GEOMETRY_FORMATS[:1], default=GEOMETRY_FORMATS[0])
    points = one_of(*GEOMETRY_FORMATS, default=GEOMETRY_FORMATS[0])
    key = {**TEXT, "minLength": 1, "maxLength": MAX_ID}
    tile = {**COUNT, "maximum": 2**MAX_ZOOM - 1}
    known = array(one_of(*catalogue.by_id) if catalogue.by_id else TEXT, minItems=1, uniqueItems=True)
    return {
        **_select(reader),
        **_crs(reader, list(catalogue.layers())),
        "id": query("id", t("api.featureId"), TEXT),
        "lang": query("lang", t("api.lang"), one_of("fr", "ar")),
        **{name: query("f", t("api.f"), one_of(*values, default=values[0])) for name, values in FORMATS.items()},
        "geometry-format": query("geometry-format", t("api.geometry-format"), wkt),
        "geometry-format.points": query("geometry-format", t("api.geometry-format"), points),
        "bom": query("bom", t("api.bom"), {"type": "boolean", "default": False}),
        "collections": query("collections", t("api.collections"), known),
        "featureId": in_path("featureId", t("api.featureId"), key),
        "entryId": in_path("entryId", t("api.entryId"), key),
        "tileMatrix": in_path("tileMatrix", t("api.tileMatrix"), {**COUNT, "maximum": MAX_ZOOM}),
        "tileRow": in_path("tileRow", t("api.tileRow"), tile),
        "tileCol": in_path("tileCol", t("api.tileCol"), tile),
    }


def fields(layer: PublishedLayer) -> dict[str, str]:
    """Return the fields that can be asked for by their value, with the names of their parameters."""
    return {"id": "id"} | {name: f"{layer.definition.table_name}.{name}" for name in properties(layer)}


def own(layer: PublishedLayer, reader: Reader) -> Json:
    """Return the parameters that a layer's fields make."""
    t, definition = reader.t, layer.definition
    found: Json = {}
    for name, component in fields(layer).items():
        if name == "id":
            continue
        field = definition.field(name)
        label = field.label[reader.lang] if field else t("api.entryId")
        # A list is asked for one of its values.
        simple = field is None or field.type == "text[]"
        described = TEXT if field is None or simple else field_schema(field, reader.lang, nullable=False)
        found[component] = query(name, label, {key: value for key, value in described.items() if key != "title"})
    table = definition.table_name
    if lacking(layer):
        found[f"{table}.crs"] = query("crs", t("api.crs"), one_of(*layer.crs, default=CRS84), **_FORM)
    keys = "|".join(map(re.escape, sortables(layer)))
    sort = array({**TEXT, "pattern": f"^[+-]?({keys})$"}, minItems=1, uniqueItems=True)
    found[f"{table}.properties"] = query("properties", t("api.properties"), array(one_of(*properties(layer))))
    found[f"{table}.sortby"] = query("sortby", t("api.sortby"), sort, example=["-name_fr"])
    return found


def of_layer(layer: PublishedLayer, *names: str) -> list[Json]:
    """Return references to parameters as a layer has them: CRS with its own, the fields that it has."""
    suffix, table = crs_suffix(layer), layer.definition.table_name
    changed = {name: name + suffix for name in _CRS} | {name: f"{table}.{name}" for name in ("properties", "sortby")}
    if lacking(layer):
        changed["crs"] = f"{table}.crs"
    if layer.definition.geometry.type == "Point":
        changed["geometry-format"] = "geometry-format.points"
    return parameters(*(changed.get(name, name) for name in names))
