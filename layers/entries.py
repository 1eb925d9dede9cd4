"""Entries of the annuaire: institutions of its own, and the places that are features of layers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import psycopg
import shapely
from psycopg.sql import SQL, Composed, Identifier
from pydantic import ValidationError
from sqlalchemy import Connection, Table, select, text

from geo.crs import WGS84_SRID, transformer
from layers.definition import DIRECTORY, LayerDefinition
from layers.directory import load_vocabulary
from layers.hours.calendar import load_calendar
from layers.hours.report import HOURS, misunderstood
from layers.hours.store import refresh
from layers.merge import Merge
from layers.models import INNER, SHIPPED, WHEELCHAIR, Entry, Layer
from layers.publish import load_locator, misplaced, publish
from layers.reports import Progress, Report
from layers.search.index import refresh_categories, refresh_directory
from layers.sources import Rejected, Row, Source, directory_rows
from layers.tables import SCHEMA, layer_table
from layers.writing import cursor_of, ewkb, place_on

_ENTRY_COLUMNS = [column.name for column in cast("Table", Entry.__table__).columns if column.name not in INNER]
_LISTS = ("phone", "services")


def linked(connection: Connection) -> Composed:
    """Return the condition under which some feature refers to the entry ``t``."""
    tables = connection.scalars(
        text(
            "SELECT table_name FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name)"
            " WHERE table_schema = :s AND column_name = 'entry_id' AND table_type = 'BASE TABLE'"
        ),
        {"s": SCHEMA},
    ).all()
    tests = [
        SQL("EXISTS (SELECT FROM {}.{} f WHERE f.entry_id = t.id)").format(Identifier(SCHEMA), Identifier(name))
        for name in tables
    ]
    return SQL(" OR ").join(tests) if tests else SQL("false").format()


def stage_entries(cursor: psycopg.Cursor[Any], rows: list[dict[str, Any]]) -> Merge:
    """Stage rows for the annuaire; cells that hold several values are split at semicolons."""
    for row in rows:
        for column in _LISTS:
            cell = row.get(column)
            parts = cell.split(";") if isinstance(cell, str) else cell or []
            row[column] = [part.strip() for part in parts if part.strip()] or None
    merge = Merge(cursor, "directory", "entries", _ENTRY_COLUMNS)
    merge.stage(([row.get(column) for column in _ENTRY_COLUMNS] for row in rows), lambda _: None)
    return merge


def places_of(definition: LayerDefinition, rows: list[Row]) -> list[dict[str, Any]]:
    """Make the annuaire's entries of a layer whose features are places: the entry has the feature's id."""
    assert definition.directory is not None, "only layers with a directory have places"
    names = [item.name for item in definition.fields]
    to_degrees = transformer(definition.geometry.srid, WGS84_SRID)
    places = []
    for row in rows:
        values = dict(zip(names, row.values, strict=True))
        point = shapely.Point(to_degrees.transform(*place_on(row.geometry)))
        place: dict[str, Any] = {column: values[name] for column, name in definition.directory.columns.items()}
        place |= {"id": row.id, "name_fr": values["name_fr"], "name_ar": values["name_ar"]}
        place["category"] = place.get("category") or definition.id
        place["source"] = place.get("source") or definition.source.fr
        places.append(place | {"geom": ewkb(point, WGS84_SRID)})
    return places


def entry_dataset(definition: LayerDefinition, dataset: str) -> str:
    """Return the dataset of the entries that belong to the rows of a layer's dataset."""
    return f"{definition.id}:{dataset}"


def check_access(definition: LayerDefinition, source: Source) -> None:
    """Reject places whose wheelchair access is not one of the annuaire's values."""
    name = definition.directory.columns.get("wheelchair") if definition.directory else None
    if name is None:
        return
    position = [item.name for item in definition.fields].index(name)
    kept = []
    for row in source.rows:
        value = row.values[position]
        if value is None or value in WHEELCHAIR:
            kept.append(row)
        else:
            params: dict[str, object] = {"field": name, "value": str(value)[:60], "allowed": ", ".join(WHEELCHAIR)}
            source.rejected.append(Rejected(row.number, row.id, "ingest.value-allowed", params))
    source.rows[:] = kept


def load_directory(
    connection: Connection, data_dir: Path, definition: LayerDefinition | None, progress: Progress
) -> Report:
    """Bring the annuaire's own institutions, ``data/directory.csv``, to what the file says, and publish its layer.

    One at a place has the district that it lies in, unless the file names one.
    """
    rows = directory_rows(data_dir / "directory.csv")
    report = Report(DIRECTORY, SHIPPED, read=len(rows))
    _bring(connection, rows, report, {}, data_dir)
    publish_entries(connection, definition)
    progress(DIRECTORY, len(rows), len(rows))
    return report


def load_entries(
    connection: Connection,
    definition: LayerDefinition,
    source: Source,
    dataset: str,
    data_dir: Path,
    progress: Progress,
) -> Report:
    """Bring the institutions of somebody's own file to what it says, publish the annuaire and index it for the search.

    Features may refer to them; one that some do refer to stays when the file has it no more.
    """
    names = [item.name for item in definition.fields]
    rows: list[dict[str, Any]] = [
        {**dict(zip(names, row.values, strict=True)), "id": row.id, "point": row.geometry} for row in source.rows
    ]
    report = Report(DIRECTORY, dataset, read=source.read, repaired=source.repaired, rejected=source.rejected)
    report.notes += [("ingest.column-ignored", {"column": column}) for column in source.ignored_columns]
    _bring(connection, rows, report, {row.id: row.number for row in source.rows}, data_dir)
    report.notes += misplaced(connection, definition, source.rows)
    publish_entries(connection, definition)
    labels = load_vocabulary(data_dir).categories
    with cursor_of(connection) as cursor:
        refresh_directory(cursor, {key: (label.fr, label.ar) for key, label in labels.items()})
    weigh_categories(connection)
    progress(DIRECTORY, source.read, source.read)
    return report


def weigh_categories(connection: Connection) -> None:
    """Let the search know of which categories there are entries, after some have come or gone."""
    stored = connection.scalars(select(Layer.definition).order_by(Layer.id)).all()
    with cursor_of(connection) as cursor:
        for raw in stored:
            with suppress(ValidationError):  # it is not served either, until it is ingested again
                refresh_categories(cursor, LayerDefinition.model_validate(raw))


def _bring(
    connection: Connection, rows: list[dict[str, Any]], report: Report, numbers: Mapping[str, int], data_dir: Path
) -> None:
    """Merge rows with their ``point`` into the entries of the report's dataset, and work out when they are open."""
    locator = load_locator(connection)
    for row in rows:
        point = row["point"]
        placed = point is not None and not point.is_empty
        row["geom"] = ewkb(point, WGS84_SRID) if placed else None
        if placed and not row.get("district_code"):
            row["district_code"] = locator.locate(point.x, point.y)
    with cursor_of(connection) as cursor:
        merge = stage_entries(cursor, rows)
        for key in merge.drop_taken(report.dataset):
            report.rejected.append(Rejected(numbers.get(key, 0), key, "ingest.id-taken", {"value": key}))
        spare = [row.id for row in report.rejected if row.id]
        merged = merge.upsert(report.dataset)
        report.count(merged, merge.prune(report.dataset, keep=linked(connection), spare=spare))
    report.notes += misunderstood((row["id"], row.get(column)) for row in rows for column in HOURS)
    refresh(connection, load_calendar(data_dir))


def publish_entries(connection: Connection, definition: LayerDefinition | None = None) -> None:
    """Publish the annuaire's layer after its entries, or who may see them, have changed; by default as it was."""
    if definition is None:
        stored = connection.scalar(select(Layer.definition).where(Layer.id == DIRECTORY))
        definition = None if stored is None else LayerDefinition.model_validate(stored)
    if definition is not None:
        # Its table is a view, made by a migration.
        publish(connection, definition, layer_table(definition))
