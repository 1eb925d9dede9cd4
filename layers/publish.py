"""Publishes a layer: its record in the catalogue, which the running service sees within a second."""

from __future__ import annotations

from typing import Any

import shapely
from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.dialects.postgresql import insert

from geo.crs import WGS84_SRID
from geo.locator import Locator
from layers.definition import LayerDefinition
from layers.models import Layer
from layers.tables import SCHEMA

_ENTRIES_TABLE = "directory.entries"


def publish(connection: Connection, definition: LayerDefinition, table: Table) -> None:
    """Count the layer's rows and write its record of the catalogue; its version grows."""
    stored = _ENTRIES_TABLE if definition.entries else f'{SCHEMA}."{table.name}"'
    connection.exec_driver_sql(f"ANALYZE {stored}")
    degrees = func.ST_Transform(table.c.geom, WGS84_SRID)
    box = func.ST_Extent(degrees)
    columns: list[Any] = [
        func.count(),
        *(getattr(func, f"ST_{side}")(box) for side in ("XMin", "YMin", "XMax", "YMax")),
    ]
    if definition.temporal:
        for bound, name in ((func.min, definition.temporal.start), (func.max, definition.temporal.end)):
            column = table.c[name]
            columns.append(bound(column).filter(func.isfinite(column)))
    values = list(connection.execute(select(*columns).select_from(table)).one())
    names = ["row_count", "west", "south", "east", "north", "starts", "ends"]
    record = dict(zip(names, values + [None] * (len(names) - len(values)), strict=True))
    record |= {"definition": definition.model_dump(mode="json", by_alias=True), "updated_at": func.now()}
    statement = insert(Layer).values(id=definition.id, version=1, **record)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[Layer.id], set_={**record, "version": Layer.version + 1})
    )


def load_locator(connection: Connection) -> Locator:
    """Build the district locator from the layer of districts; empty while there is none."""
    present = connection.scalar(text("SELECT to_regclass('features.districts') IS NOT NULL"))
    if not present:
        return Locator([])
    rows = connection.execute(
        text("SELECT id, ST_AsBinary(ST_Transform(geom, 4326)) FROM features.districts ORDER BY fid")
    )
    return Locator((code, shapely.from_wkb(bytes(wkb))) for code, wkb in rows)
