"""Publishes a layer: its record in the catalogue, which the running service sees within a second."""

from __future__ import annotations

from typing import Any

import shapely
from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.dialects.postgresql import insert

from geo.crs import WGS84_SRID, transformer
from geo.locator import Locator
from layers.definition import LayerDefinition
from layers.models import Layer
from layers.sources import Row
from layers.tables import SCHEMA
from layers.writing import place_on

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


def misplaced(
    connection: Connection, definition: LayerDefinition, rows: list[Row]
) -> list[tuple[str, dict[str, object]]]:
    """Compare the districts that rows name with the districts that they lie in, and say of how many they differ.

    Of institutions those only that have a place, and name a district.
    """
    item = next((item for item in definition.fields if item.format == "district"), None)
    if item is None or not rows:
        return []
    locator = load_locator(connection)
    if not len(locator):
        return []
    position = definition.fields.index(item)
    to_degrees = transformer(definition.geometry.srid, WGS84_SRID)
    wrong = []
    for row in rows:
        if definition.entries and (row.geometry.is_empty or row.values[position] is None):
            continue
        found = locator.locate(*to_degrees.transform(*place_on(row.geometry)))
        if found != row.values[position]:
            wrong.append((row.id, row.values[position], found))
    if not wrong:
        return []
    key, named, found = wrong[0]
    return [("ingest.district-differs", {"count": len(wrong), "id": key, "named": named or "–", "found": found or "–"})]
