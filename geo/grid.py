"""The tile grid WebMercatorQuad (OGC Two Dimensional Tile Matrix Set 2.0, D.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geo.bbox import BBox
from geo.errors import NotFound

TILE_MATRIX_SET = "WebMercatorQuad"
TILE_MATRIX_SET_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
CRS_URI = "http://www.opengis.net/def/crs/EPSG/0/3857"
MAX_ZOOM = 22
#: Latitude at which the square world of Web Mercator ends, in degrees.
MAX_LATITUDE = math.degrees(math.atan(math.sinh(math.pi)))


@dataclass(frozen=True, slots=True)
class TileAddress:
    """A tile of WebMercatorQuad, in the order of OGC API - Tiles: tile matrix (zoom), row from the north, column."""

    matrix: int
    row: int
    column: int


def tile_address(matrix: str, row: str, column: str) -> TileAddress:
    """Read a tile's address from the three parts of its path.

    Raises
    ------
    NotFound
        ``tile.outside``, when a part is not a number or the tile is not on the grid.
    """
    try:
        # int() takes signs, spaces, underscores and other scripts' digits; an address has none of them.
        if not all(part.isascii() and part.isdigit() and len(part) <= 8 for part in (matrix, row, column)):
            raise ValueError
        address = TileAddress(int(matrix), int(row), int(column))
    except ValueError as error:
        raise NotFound("tile.outside", value=f"{matrix}/{row}/{column}"[:60], allowed=f"0 … {MAX_ZOOM}") from error
    size = 1 << min(address.matrix, MAX_ZOOM)
    if address.matrix > MAX_ZOOM or address.row >= size or address.column >= size:
        raise NotFound("tile.outside", value=f"{matrix}/{row}/{column}", allowed=f"0 … {MAX_ZOOM}")
    return address


def tile_limits(box: BBox, matrix: int) -> tuple[int, int, int, int]:
    """Return (first row, last row, first column, last column) of the tiles that a box touches at a zoom level."""
    size = 1 << matrix

    def column(lon: float) -> int:
        return min(size - 1, max(0, math.floor((lon + 180) / 360 * size)))

    def row(lat: float) -> int:
        lat = math.radians(min(MAX_LATITUDE, max(-MAX_LATITUDE, lat)))
        return min(size - 1, max(0, math.floor((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * size)))

    return row(box.north), row(box.south), column(box.west), column(box.east)
