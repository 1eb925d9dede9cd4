"""Brings the catalogue's maps to what their files say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from layers.catalogue import DISTRICTS
from layers.database import admin_engine
from layers.definition import LayerDefinition, Text
from layers.maps import check_maps, load_maps
from layers.migrate import UPGRADE_LOCK
from layers.models import Layer, Map


def refresh_maps(url: str, data_dir: Path, shipped: Mapping[str, LayerDefinition]) -> None:
    """Load the maps whose files have changed, and take away those that have none any more.

    Parameters
    ----------
    shipped : mapping
        The layers that have a file; those of the catalogue, from wherever they came, are known as well.

    Raises
    ------
    DefinitionError
        When a description is wrong, or names a layer, a field, a district or a filter that can't be; all maps stay as
        they were.
    """
    maps = load_maps(data_dir / "maps")
    with admin_engine(url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        check_maps(maps.values(), {**_known(connection), **shipped}, _districts(connection))
        # Compared as texts, as the order of a definition's keys has a meaning.
        stored = {key: json.dumps(raw) for key, raw in connection.execute(select(Map.id, Map.definition)).all()}
        for key, described in maps.items():
            raw = described.model_dump(mode="json")
            if stored.get(key) == json.dumps(raw):
                continue
            record = {"definition": raw, "updated_at": func.now()}
            statement = insert(Map).values(id=key, version=1, **record)
            connection.execute(
                statement.on_conflict_do_update(index_elements=[Map.id], set_={**record, "version": Map.version + 1})
            )
        connection.execute(delete(Map).where(Map.id.not_in(list(maps))))


def _known(connection: Connection) -> dict[str, LayerDefinition]:
    found = {}
    for key, raw in connection.execute(select(Layer.id, Layer.definition)).all():
        try:
            found[key] = LayerDefinition.model_validate(raw)
        except ValidationError:  # it is not served either, until it is ingested again
            continue
    return found


def _districts(connection: Connection) -> dict[str, Text]:
    if not connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": f"features.{DISTRICTS}"}):
        return {}
    rows = connection.execute(text(f"SELECT id, name_fr, name_ar FROM features.{DISTRICTS}"))  # noqa: S608
    return {row.id: Text(fr=row.name_fr, ar=row.name_ar) for row in rows}
