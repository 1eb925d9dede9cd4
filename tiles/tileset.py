"""Describes tilesets: OGC tileset metadata and TileJSON 3.0, for one layer or several in one tile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geo.bbox import BBox, around
from geo.crs import CRS84
from geo.grid import CRS_URI, TILE_MATRIX_SET_URI, tile_limits
from layers.catalogue import PublishedLayer
from tiles.statements import tile_fields

_DIMENSIONS = {"Point": 0, "MultiPoint": 0, "LineString": 1, "MultiLineString": 1, "Polygon": 2, "MultiPolygon": 2}


def in_range(layers: Sequence[PublishedLayer], matrix: int) -> tuple[PublishedLayer, ...]:
    """Return the layers that have tiles at a zoom level."""
    return tuple(layer for layer in layers if layer.definition.zoom.min <= matrix <= layer.definition.zoom.max)


def zooms(layers: Sequence[PublishedLayer]) -> tuple[int, int]:
    """Return the smallest and largest zoom level at which any of the layers has tiles."""
    ranges = [layer.definition.zoom for layer in layers]
    return min(item.min for item in ranges), max(item.max for item in ranges)


def extent(layers: Sequence[PublishedLayer]) -> BBox | None:
    """Return the box around all layers, in degrees; None when none has a feature."""
    return around(layer.extent for layer in layers if layer.extent)


def _fields(layer: PublishedLayer, lang: str) -> dict[str, str]:
    labels = {field.name: field.label[lang] for field in layer.definition.fields}
    return {name: labels.get(name, name) for name in tile_fields(layer)}


def tilejson(layers: Sequence[PublishedLayer], template: str, title: str, lang: str) -> dict[str, Any]:
    """Return the TileJSON 3.0 document; ``template`` has ``{z}``, ``{y}`` (row) and ``{x}`` (column)."""
    lowest, highest = zooms(layers)
    box = extent(layers)
    document: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": title,
        "tiles": [template],
        "scheme": "xyz",
        "minzoom": lowest,
        "maxzoom": highest,
        "attribution": " | ".join(dict.fromkeys(layer.definition.attribution[lang] for layer in layers)),
        "vector_layers": [
            {
                "id": layer.id,
                "description": layer.definition.title[lang],
                "minzoom": layer.definition.zoom.min,
                "maxzoom": layer.definition.zoom.max,
                "fields": _fields(layer, lang),
            }
            for layer in layers
        ],
    }
    if box:
        document["bounds"] = [box.west, box.south, box.east, box.north]
    return document


def metadata(layers: Sequence[PublishedLayer], title: str, lang: str) -> dict[str, Any]:
    """Return the tileset metadata (OGC Two Dimensional Tile Matrix Set 2.0, 7.3), without links."""
    lowest, highest = zooms(layers)
    box = extent(layers)
    body: dict[str, Any] = {
        "title": title,
        "dataType": "vector",
        "crs": CRS_URI,
        "tileMatrixSetURI": TILE_MATRIX_SET_URI,
        "layers": [_layer(layer, lang) for layer in layers],
    }
    if box:
        body["boundingBox"] = {"lowerLeft": [box.west, box.south], "upperRight": [box.east, box.north], "crs": CRS84}
        limits = [(matrix, *tile_limits(box, matrix)) for matrix in range(lowest, highest + 1)]
        body["tileMatrixSetLimits"] = [
            {
                "tileMatrix": str(matrix),
                "minTileRow": top,
                "maxTileRow": bottom,
                "minTileCol": left,
                "maxTileCol": right,
            }
            for matrix, top, bottom, left, right in limits
        ]
    return body


def _layer(layer: PublishedLayer, lang: str) -> dict[str, Any]:
    definition = layer.definition
    described: dict[str, Any] = {
        "id": layer.id,
        "title": definition.title[lang],
        "dataType": "vector",
        "minTileMatrix": str(definition.zoom.min),
        "maxTileMatrix": str(definition.zoom.max),
        "propertiesSchema": {
            "type": "object",
            "properties": {name: {"title": title} for name, title in _fields(layer, lang).items()},
        },
    }
    if definition.geometry.type in _DIMENSIONS:
        described["geometryDimension"] = _DIMENSIONS[definition.geometry.type]
    return described
