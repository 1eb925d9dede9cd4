"""Everything about a place: its district, from memory, and the statement of the features there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import shapely
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    LargeBinary,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from geo.crs import WGS84_SRID
from geo.locator import Locator
from layers.catalogue import DISTRICTS, Catalogue, PublishedLayer
from layers.database import Database, Statement, compile_statement
from layers.queries import Output
from layers.several import Chosen, measured_text, point_geometry, wanted
from layers.tables import geography

Sql = ColumnElement[Any]
#: How far a point or a line may lie from a place to be at it, in metres.
DEFAULT_TOLERANCE, MAX_TOLERANCE = 5.0, 1000.0
#: Features of each layer in an answer.
DEFAULT_AT, MAX_AT = 100, 1000
WHOLE = Output()
#: More districts than any city has; the locator's shapes stay in memory.
_MAX_DISTRICTS = 10_000


class DistrictLocator:
    """The locator of the districts, built once for each version of their layer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._built: tuple[tuple[int, object], Locator] | None = None
        self._building = asyncio.Lock()

    async def current(self, catalogue: Catalogue) -> Locator:
        """Return the locator of a catalogue's districts; it finds nothing where there are none."""
        layer = catalogue.by_id.get(DISTRICTS)
        if layer is None:
            return Locator([])
        version = (layer.version, layer.updated)
        if self._built is None or self._built[0] != version:
            async with self._building:
                if self._built is None or self._built[0] != version:
                    self._built = version, await self._build(layer)
        return self._built[1]

    async def _build(self, layer: PublishedLayer) -> Locator:
        rows = await self._database.rows(_areas_statement(layer))
        # Half a second for a city of 10,000 districts: not in the loop that answers everybody.
        return await asyncio.to_thread(lambda: Locator((row["id"], shapely.from_wkb(row["area"])) for row in rows))


@lru_cache(maxsize=4)
def _areas_statement(layer: PublishedLayer) -> Statement:
    table = layer.table
    area = func.ST_AsBinary(func.ST_Transform(table.c.geom, WGS84_SRID), type_=LargeBinary)
    return compile_statement(
        select(table.c.id, area.label("area")).order_by(table.c.fid).limit(literal_column(str(_MAX_DISTRICTS)))
    )


@dataclass(frozen=True, slots=True)
class AtShape:
    """What a question about a place has; questions of one shape share their statement.

    Values: ``x``, ``y`` of the place in the CRS ``srid``, ``tolerance`` in metres, ``page`` features of each layer,
    ``max_bytes``, and those of the layers' selections (:class:`~layers.several.Chosen`).
    """

    layers: tuple[Chosen, ...]
    output: Output = WHOLE
    srid: int = WGS84_SRID


def _there(layer: PublishedLayer, srid: int) -> Sql:
    """Return the condition that an area contains or touches the place, or a point or line is within the tolerance."""
    definition, geometry = layer.definition, layer.table.c.geom
    # Moved at most once: a vertex that is given in the layer's own CRS is still one.
    place = point_geometry(srid, definition.geometry.srid)
    holds: Sql = func.ST_Intersects(geometry, place)
    near: Sql = func.ST_DWithin(
        geography(definition, layer.table), func.geography(point_geometry(srid)), bindparam("tolerance", type_=Double)
    )
    if definition.geometry.type in ("Polygon", "MultiPolygon"):
        return holds
    if definition.geometry.type == "Geometry":
        return or_(holds, and_(func.ST_Dimension(geometry) < literal_column("2"), near))
    return near


def _found(number: int, chosen: Chosen, shape: AtShape) -> Select[Any]:
    layer, table = chosen.layer, chosen.layer.table
    place = point_geometry(shape.srid)
    apart = func.ST_Distance(geography(layer.definition, table), func.geography(place), type_=Double)
    area = func.ST_Dimension(table.c.geom) == literal_column("2")
    distance: Sql = case((area, literal_column("0::float8")), else_=apart)
    measured = select(distance.label("distance")).correlate(table).lateral("_m")
    attributes, text = measured_text(layer, shape.output, measured)
    order = [measured.c.distance, table.c.id.collate("C")]
    rows = (
        select(
            literal_column(str(number), Integer).label("layer"),
            func.row_number().over(order_by=order).label("n"),
            table.c.id.label("id"),
            table.c.entry_id.label("entry_id"),
            text.label("feature"),
        )
        .select_from(table.join(measured, true()).join(attributes, true()))
        .where(and_(true(), *wanted(number, chosen), _there(layer, shape.srid)))
        .order_by(*order)
        .limit(bindparam("page", type_=BigInteger) + literal_column("1"))
        .subquery(f"found{number}")
    )
    return select(rows)


@lru_cache(maxsize=512)
def at_statement(shape: AtShape) -> Statement:
    """Return the statement of the features at a place, layer by layer, the nearest first.

    Its rows have ``layer`` (its number), ``n`` (from 1 in each layer; up to ``page`` + 1), ``id``, ``entry_id`` and
    ``feature`` (GeoJSON text; null behind the first that would make the answer longer than ``max_bytes``).
    """
    several = union_all(*(_found(number, chosen, shape) for number, chosen in enumerate(shape.layers)))
    rows = several.subquery("rows")
    order = [rows.c.layer, rows.c.n]
    length = func.sum(func.octet_length(rows.c.feature)).over(order_by=order, rows=(None, 0))
    numbered = select(rows, length.label("bytes"), func.row_number().over(order_by=order).label("all")).subquery("x")
    fits = or_(numbered.c.bytes <= bindparam("max_bytes", type_=BigInteger), numbered.c.all == literal_column("1"))
    feature = func.convert_to(numbered.c.feature, "UTF8", type_=LargeBinary)
    return compile_statement(
        select(
            numbered.c.layer,
            numbered.c.n,
            numbered.c.id,
            numbered.c.entry_id,
            case((fits, feature)).label("feature"),
        ).order_by(numbered.c.layer, numbered.c.n)
    )
