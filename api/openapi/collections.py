"""A layer's paths in the OpenAPI document: each layer has its own, because clients such as GDAL look for them."""

from __future__ import annotations

from api.links import FEATURE_TYPES, GEOJSON, HTML, JSON, JSON_LD, MVT
from api.negotiation import Reader
from api.openapi.examples import at_address
from api.openapi.parameters import FORMATS, fields, of_layer
from api.openapi.parts import (
    BINARY,
    SELECT,
    TEXT,
    TILE_SELECT,
    Json,
    answers,
    json_or_page,
    operation,
    parameters,
    ref,
    schema,
)
from geo.grid import TILE_MATRIX_SET
from layers.catalogue import PublishedLayer

SCHEMA = "application/schema+json"
_OUTPUT = ("crs", "properties", "skipGeometry")
_CSV = ("geometry-format", "bom")
#: Formats whose body is text.
_TEXTS = ("jsonseq", "csv", "kml")


def _features(name: str, forms: tuple[str, ...]) -> Json:
    """Return the content of an answer with features in several formats."""
    types = {form: FEATURE_TYPES.get(form, HTML) for form in forms}
    bodies = {"json": schema(name), **dict.fromkeys((*_TEXTS, "html"), TEXT)}
    return {media_type: bodies.get(form, BINARY) for form, media_type in types.items()}


def _page(layer: PublishedLayer, title: str, *headers: str) -> Json:
    return answers(
        title,
        _features(f"{layer.definition.table_name}.page", FORMATS["f.items"]),
        headers=("Content-Crs", "Content-Disposition", "Link", "OGC-NumberReturned", "OGC-NumberMatched", *headers),
        missing=True,
    )


def features_page(
    identifier: str, title: str, tag: str, layer: PublishedLayer, more: list[Json], *headers: str
) -> Json:
    """Return the operation that answers with a page of a layer's features at an address of its own."""
    chosen = [*of_layer(layer, *SELECT, "sortby"), *parameters(*fields(layer).values())]
    output = [*parameters("limit", "cursor"), *of_layer(layer, *_OUTPUT, *_CSV), *parameters("f.items", "lang")]
    return operation(identifier, title, tag, [*more, *chosen, *output], _page(layer, title, *headers))


def _features_paths(layer: PublishedLayer, reader: Reader) -> Json:
    t, name, title = reader.t, layer.id, layer.definition.title[reader.lang]
    table, base = layer.definition.table_name, f"/collections/{layer.id}"
    own = parameters(*fields(layer).values())
    chosen = [*of_layer(layer, *SELECT, "sortby"), *own]
    output = of_layer(layer, *_OUTPUT, *_CSV)
    page = _page(layer, title)
    whole = answers(
        title,
        _features(f"{table}.export", FORMATS["f.export"]),
        headers=("Content-Crs", "Content-Disposition"),
        missing=True,
    )
    item = answers(title, json_or_page(GEOJSON, schema(f"{table}.item")), headers=("Content-Crs", "Link"), missing=True)
    texts = {kind: t(f"api.{kind}", title=title) for kind in ("items", "item", "export")}
    long = {
        kind: at_address(reader, f"api.{kind}-long", f"{base}/{kind}", crs=[*layer.crs][-1])
        for kind in ("items", "export")
    }
    return {
        f"{base}/items": operation(
            f"items.{name}",
            (texts["items"], long["items"]),
            name,
            [*chosen, *parameters("limit", "cursor"), *output, *parameters("f.items", "lang")],
            page,
        ),
        f"{base}/items/{{featureId}}": operation(
            f"item.{name}",
            texts["item"],
            name,
            [*parameters("featureId"), *of_layer(layer, *_OUTPUT), *parameters("f", "lang")],
            item,
        ),
        f"{base}/export": operation(
            f"export.{name}",
            (texts["export"], long["export"]),
            name,
            [*chosen, *output, *parameters("f.export", "lang")],
            whole,
        ),
    }


def collection_paths(layer: PublishedLayer, reader: Reader) -> Json:
    """Return the paths of a layer."""
    t, name, title = reader.t, layer.id, layer.definition.title[reader.lang]
    base = f"/collections/{name}"
    common = parameters("f", "lang")
    collection = {**json_or_page(JSON, schema("Collection")), JSON_LD: schema("LinkedData")}
    described = answers(title, collection, missing=True)
    card = answers(title, {JSON: schema("Card")}, missing=True)
    asked = [*parameters("featureId"), *of_layer(layer, "properties"), *parameters("f.json", "lang")]
    schemas = {
        kind: answers(title, json_or_page(SCHEMA, schema("Schema")), missing=True)
        for kind in ("schema", "queryables", "sortables")
    }
    return {
        base: operation(f"describe.{name}", title, name, parameters("f.collections", "lang"), described),
        **_features_paths(layer, reader),
        f"{base}/items/{{featureId}}/card": operation(
            f"card.{name}",
            t("api.card", title=title),
            name,
            asked,
            card,
        ),
        **{
            f"{base}/{kind}": operation(f"{kind}.{name}", t(f"api.{kind}", title=title), name, common, responses)
            for kind, responses in schemas.items()
        },
        **tile_paths(base, name, t("api.tiles", title=title), reader, filters=of_layer(layer, *TILE_SELECT)),
    }


def tile_paths(base: str, name: str, summary: str, reader: Reader, *chosen: str, filters: list[Json]) -> Json:
    """Return the paths of a tileset.

    ``chosen`` are parameters that say what is in its tiles, ``filters`` those that say which features.
    """
    t = reader.t
    tiles, suffix = f"{base}/tiles", f".{name}" if base else ""
    described = {"anyOf": [schema("TileSet"), schema("TileJson")]}
    tile: Json = {
        "200": {
            "description": summary,
            "headers": {"ETag": ref("headers", "ETag")},
            "content": {MVT: {"schema": BINARY}},
        },
        "204": {"description": t("api.empty-tile")},
        "304": {"description": t("api.unchanged"), "headers": {"ETag": ref("headers", "ETag")}},
        "400": ref("responses", "Invalid"),
        "404": ref("responses", "NotFound"),
        "421": ref("responses", "Misdirected"),
        "503": ref("responses", "Unavailable"),
    }
    return {
        tiles: operation(
            f"tilesets{suffix}",
            t("api.tilesets", title=summary),
            name,
            parameters("f.json", "lang"),
            answers(summary, {JSON: schema("TileSets")}, missing=bool(base)),
        ),
        f"{tiles}/{TILE_MATRIX_SET}": operation(
            f"tileset{suffix}",
            t("api.tileset", title=summary),
            name,
            parameters(*chosen, "f.tileset", "lang"),
            answers(summary, json_or_page(JSON, described), missing=True),
        ),
        f"{tiles}/{TILE_MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": operation(
            f"tile{suffix}",
            summary,
            name,
            [*parameters("tileMatrix", "tileRow", "tileCol", *chosen), *filters, *parameters("f.tile")],
            tile,
        ),
    }
