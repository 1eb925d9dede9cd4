"""The published layers: what the database holds, with definitions and counts, as one unchanging value."""

from __future__ import annotations

import datetime as dt
import json
import logging
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Double, Table, func, literal_column, select

from geo.bbox import BBox
from geo.crs import WGS84_SRID, AxisOrderedCrs, crs_for
from geo.errors import NotFound
from layers.database import Database, Statement, compile_statement
from layers.definition import DISTRICTS as DISTRICTS  # for those who read the catalogue
from layers.definition import LayerDefinition, Text
from layers.maps import MapDefinition, expand, fitting
from layers.models import Layer, Map
from layers.tables import SCHEMA, layer_table

log = logging.getLogger("casamaps")
#: The layer whose features are the stops that a field of format ``stops`` names.
STOPS = "transport-stops"


@dataclass(frozen=True, eq=False)
class PublishedLayer:
    """A layer as it is served; one object for each version, so statements can be kept by it."""

    definition: LayerDefinition
    table: Table
    version: int
    count: int
    extent: BBox | None
    starts: dt.datetime | None
    ends: dt.datetime | None
    updated: dt.datetime
    #: What a row takes in the database on the average.
    row_bytes: int = 0

    @property
    def id(self) -> str:
        """The layer's id, which is the collection's."""
        return self.definition.id

    @cached_property
    def crs(self) -> dict[str, AxisOrderedCrs]:
        """The CRS in which all of its features can be given, by URI."""
        return crs_for(self.definition.geometry.srid, self.extent)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All public layers, in drawing order."""

    by_id: dict[str, PublishedLayer] = field(default_factory=dict)
    #: Names of the districts by their code.
    districts: dict[str, Text] = field(default_factory=dict)
    #: Where they lie, in degrees, by their code.
    district_extents: dict[str, BBox] = field(default_factory=dict)
    #: The maps, by id, in the order of lists; the first is the service's own.
    maps: dict[str, MapDefinition] = field(default_factory=dict)
    stamp: str = ""

    def layers(self) -> list[PublishedLayer]:
        """Return the public layers in the order in which they are drawn."""
        return list(self.by_id.values())

    def drawn(self) -> list[PublishedLayer]:
        """Return the layers that tell each thing once: all but the annuaire, whose places are features of others."""
        return [layer for layer in self.by_id.values() if not layer.definition.entries]

    def layer(self, collection: str) -> PublishedLayer:
        """Return one layer.

        Raises
        ------
        NotFound
            ``collection.unknown``, with the ids that there are.
        """
        try:
            return self.by_id[collection]
        except KeyError:
            raise NotFound(
                "collection.unknown", parameter="collectionId", value=collection[:60], allowed=", ".join(self.by_id)
            ) from None


#: A layer's table; the definition says the same in Python.
_TABLE_NAME = func.concat(SCHEMA + ".", func.quote_ident(func.replace(Layer.id, "-", "_")))
_LAYERS = compile_statement(
    select(
        Layer.id,
        Layer.definition,
        Layer.version,
        Layer.row_count,
        Layer.west,
        Layer.south,
        Layer.east,
        Layer.north,
        Layer.starts,
        Layer.ends,
        Layer.updated_at,
        func.pg_table_size(func.to_regclass(_TABLE_NAME)).label("bytes"),
    )
)
_MAPS = compile_statement(select(Map.id, Map.definition))


def _versions(model: type[Layer] | type[Map]) -> Any:
    """Return the ids and versions of all rows, as one text."""
    listed = func.string_agg(func.concat(model.id, ":", model.version), literal_column("' ' ORDER BY id"))
    return select(func.coalesce(listed, "")).scalar_subquery()


_STAMP = compile_statement(select(func.md5(func.concat(_versions(Layer), "/", _versions(Map)))))
_REVISION = Statement("SELECT version_num FROM catalogue.alembic_version", ())


async def stamp(database: Database) -> str:
    """Return a value that changes whenever a layer or a map does."""
    row = await database.row(_STAMP)
    return str(row[0]) if row else ""


async def revision(database: Database) -> str:
    """Return the migration that the database is at; empty when none has run."""
    row = await database.row(_REVISION)
    return str(row[0]) if row else ""


async def load_catalogue(database: Database, *, internal: bool = False) -> Catalogue:
    """Read the public layers from the database; ``internal`` adds the others, for those who own the database."""
    version = await stamp(database)
    found = [_published(row) for row in await database.rows(_LAYERS)]
    layers = [layer for layer in found if layer is not None and (internal or layer.definition.visibility == "public")]
    layers.sort(key=lambda layer: (layer.definition.style.order, layer.id))
    by_id = {layer.id: layer for layer in layers}
    names, extents = await _districts(database, by_id[DISTRICTS]) if DISTRICTS in by_id else ({}, {})
    described = [_described(row) for row in await database.rows(_MAPS)]
    definitions = {layer.id: layer.definition for layer in layers}
    maps = {}
    for key, item in expand((item for item in described if item is not None), names).items():
        maps[key], errors = fitting(item, definitions, names)
        for error in errors:
            log.warning("a layer is left off the map %s: %s", key, error)
    return Catalogue(by_id, names, extents, maps, version)


async def _districts(database: Database, layer: PublishedLayer) -> tuple[dict[str, Text], dict[str, BBox]]:
    """Return the districts' names and where they lie."""
    table = layer.table
    degrees = func.ST_Transform(table.c.geom, WGS84_SRID)
    corners = (getattr(func, f"ST_{side}")(degrees, type_=Double) for side in ("XMin", "YMin", "XMax", "YMax"))
    rows = await database.rows(
        compile_statement(select(table.c.id, table.c.name_fr, table.c.name_ar, *corners).limit(1000))
    )
    names = {row["id"]: Text(fr=row["name_fr"], ar=row["name_ar"]) for row in rows}
    return names, {row["id"]: BBox(*list(row)[3:]) for row in rows}


def _described(row: Any) -> MapDefinition | None:
    try:
        return MapDefinition.model_validate(json.loads(row["definition"]))
    except ValidationError as error:
        log.warning("the map %s is left out until its file is loaded again: %s", row["id"], error)
        return None


def _published(row: Any) -> PublishedLayer | None:
    try:
        definition = LayerDefinition.model_validate(json.loads(row["definition"]))
    except ValidationError as error:
        # An older or broken definition takes its own layer off the map, not the service.
        log.warning("the layer %s is left out until it is ingested again: %s", row["id"], error)
        return None
    extent = None if row["west"] is None else BBox(row["west"], row["south"], row["east"], row["north"])
    layer = PublishedLayer(
        definition,
        layer_table(definition),
        row["version"],
        row["row_count"],
        extent,
        row["starts"],
        row["ends"],
        row["updated_at"],
        (row["bytes"] or 0) // max(1, row["row_count"]),
    )
    # Projected once, here, rather than while somebody waits for features.
    log.debug("the layer %s is given in %d CRS", layer.id, len(layer.crs))
    return layer
