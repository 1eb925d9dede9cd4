"""Statements that make Mapbox Vector Tiles in PostGIS; nothing here executes.

The tile's envelope is transformed to the column's CRS, never the indexed column, and selects with a margin, so that
symbols are not cut at tile edges.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, LargeBinary, bindparam, func, literal_column, select, type_coerce

from geo.crs import WEB_MERCATOR_SRID
from layers.catalogue import PublishedLayer
from layers.database import Statement, compile_statement
from layers.selection import EVERYTHING, Selection, to_column
from layers.several import Chosen, wanted

#: Units of a tile's own coordinate system, and its margin in these units.
EXTENT, BUFFER = 4096, 256
#: Most features in one tile and layer.
MAX_FEATURES = 50_000


def tile_fields(layer: PublishedLayer) -> list[str]:
    """Return the attributes that a layer's tiles carry: names always, and what its definition lists."""
    names = ["id", "name_fr", "name_ar", *layer.definition.tile_fields]
    return list(dict.fromkeys(names))


def _tile(number: int, chosen: Chosen) -> ColumnElement[bytes]:
    layer = chosen.layer
    table = layer.table
    address = [bindparam(part, type_=Integer) for part in ("matrix", "column", "row")]
    envelope = func.ST_TileEnvelope(*address)
    # The margin is given by name, because PostGIS has the bounds of the grid before it.
    search: Any = func.ST_TileEnvelope(*address, literal_column(f"margin => {BUFFER / EXTENT}"))
    geometry: ColumnElement[Any] = table.c.geom
    if layer.definition.geometry.srid != WEB_MERCATOR_SRID:
        search = to_column(layer, search, WEB_MERCATOR_SRID)
        geometry = func.ST_Transform(geometry, WEB_MERCATOR_SRID)
    shape = func.ST_AsMVTGeom(geometry, envelope, EXTENT, BUFFER, literal_column("true"))
    rows = (
        select(table.c.fid, *(table.c[name] for name in tile_fields(layer)), shape.label("geom"))
        .where(func.ST_Intersects(table.c.geom, search), *wanted(number, chosen))
        .order_by(table.c.fid)  # the same features, the same bytes, whatever the plan
        .limit(MAX_FEATURES)
        .subquery("_t")
    )
    encoded = func.ST_AsMVT(literal_column("_t"), layer.id, EXTENT, "geom", "fid", type_=LargeBinary)
    return type_coerce(select(encoded).where(rows.c.geom.is_not(None)).scalar_subquery(), LargeBinary)


@lru_cache(maxsize=512)
def tile_statement(layers: tuple[PublishedLayer, ...], selections: tuple[Selection, ...] = ()) -> Statement:
    """Return the statement of a tile with these layers; its one value is the MVT, empty where nothing lies.

    Layers of a tile follow one another in its bytes, so a tile of several is their concatenation (MVT 2.1, 4.1).
    Parameters: ``matrix``, ``row``, ``column``, and the values of the selections, one a layer, if there are any
    (:func:`layers.several.value_name`).
    """
    chosen = [Chosen(*pair) for pair in zip(layers, selections or (EVERYTHING,) * len(layers), strict=True)]
    tile = _tile(0, chosen[0])
    for number, other in enumerate(chosen[1:], 1):
        tile = tile.op("||", return_type=LargeBinary())(_tile(number, other))
    return compile_statement(select(tile.label("tile")), fresh=any(selection.fresh for selection in selections))
