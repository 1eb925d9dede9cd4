"""Takes data into the layers: read, check, stage, merge, count, publish, all in one transaction.

A row belongs to a *dataset*. The project's own rows are ``shipped``; rows that users add by SQL or QGIS fall into
``local``; a file that is ingested has a dataset named after it. Ingesting a dataset again inserts, updates and deletes
within this dataset only, so nobody's rows are touched by somebody else's file.
"""

from __future__ import annotations

from pathlib import Path

from psycopg.sql import SQL
from sqlalchemy import Connection

from geo.errors import IngestError
from layers.definition import LayerDefinition
from layers.entries import (
    check_access,
    entry_dataset,
    linked,
    load_entries,
    places_of,
    publish_entries,
    stage_entries,
    weigh_categories,
)
from layers.hours.calendar import load_calendar
from layers.hours.report import hours_of, misunderstood
from layers.hours.store import refresh
from layers.merge import Merge
from layers.models import LOCAL, SHIPPED
from layers.publish import misplaced, publish
from layers.reports import Progress, Report
from layers.search.index import refresh_layer
from layers.sources import Rejected, Source, read_source
from layers.tables import SCHEMA, apply_definition, enforce_definition
from layers.writing import cursor_of, ewkb, transaction

_ENTRIES = SQL("directory.entries").format()


def ingest_file(
    url: str,
    definition: LayerDefinition,
    file: Path,
    *,
    dataset: str | None,
    srid: int | None,
    source_layer: str | None,
    data_dir: Path,
    progress: Progress,
) -> Report:
    """Take a file into a layer; the layer is made, or brought to its definition, when needed.

    Rows of the annuaire's own layer are institutions, with or without a place.

    Parameters
    ----------
    dataset : str, optional
        Whose rows these are; by default the file's name. An earlier version of the same dataset is replaced.

    Raises
    ------
    IngestError
        When the file can't be read, or none of its rows fits; nothing is changed then.
    Unavailable
        When the database refuses.
    """
    source = read_source(definition, file, data_dir=data_dir, srid=srid, source_layer=source_layer)
    name = dataset or file.stem
    # With a colon they are those of the entries that belong to features.
    if name in (SHIPPED, LOCAL) or (definition.entries and ":" in name):
        raise IngestError("ingest.dataset-reserved", value=name)
    if not source.read:
        raise IngestError("ingest.empty", file=file.name)
    if not source.rows:
        raise _no_row_fits(file, source.rejected, source.read)
    with transaction(url) as connection:
        load = load_entries if definition.entries else load_layer
        report = load(connection, definition, source, name, data_dir, progress)
        if len(report.rejected) == report.read:
            # Every row was refused in the database, such as ids of another dataset; what was there stays.
            raise _no_row_fits(file, report.rejected, report.read)
        return report


def load_layer(
    connection: Connection,
    definition: LayerDefinition,
    source: Source,
    dataset: str,
    data_dir: Path,
    progress: Progress,
) -> Report:
    """Merge checked rows into the layer's table, with their entries, and publish the layer."""
    check_access(definition, source)
    report = Report(definition.id, dataset, read=source.read, repaired=source.repaired, rejected=source.rejected)
    report.notes += [("ingest.column-ignored", {"column": column}) for column in source.ignored_columns]
    table, notes = apply_definition(connection, definition)
    report.notes += notes
    place = definition.places
    columns = ["id", *(item.name for item in definition.fields), "geom", "entry_id"]
    with cursor_of(connection) as cursor:
        merge = Merge(cursor, SCHEMA, table.name, columns)
        staged = (
            (row.id, *row.values, ewkb(row.geometry, definition.geometry.srid), row.id if place else row.entry_id)
            for row in source.rows
        )
        merge.stage(staged, lambda done: progress(definition.id, done, source.read))
        numbers = {row.id: row.number for row in source.rows}
        entries = stage_entries(cursor, places_of(definition, source.rows)) if place else None
        for key, entry in [] if place else merge.drop_unlinked("entry_id", _ENTRIES):
            report.rejected.append(Rejected(numbers[key], key, "ingest.entry-unknown", {"value": entry}))
        taken = merge.drop_taken(dataset)
        if entries:
            # Feature and entry come and go together: what the one can't have, the other must not.
            taken_entries = entries.drop_taken(entry_dataset(definition, dataset))
            entries.drop(taken)
            merge.drop(taken_entries)
            taken += taken_entries
            entries.upsert(entry_dataset(definition, dataset))
        report.rejected += [
            Rejected(numbers[key], key, "ingest.id-taken", {"value": key}) for key in sorted(set(taken))
        ]
        spare = [row.id for row in report.rejected if row.id]
        report.count(merge.upsert(dataset), merge.prune(dataset, spare=spare))
        if entries:
            entries.prune(entry_dataset(definition, dataset), keep=linked(connection), spare=spare)
    report.notes += enforce_definition(connection, definition, table)
    report.notes += misplaced(connection, definition, source.rows)
    report.notes += misunderstood(hours_of(definition, source.rows))
    if place:
        refresh(connection, load_calendar(data_dir))
    publish(connection, definition, table)
    if definition.linked:
        publish_entries(connection)
    with cursor_of(connection) as cursor:
        refresh_layer(cursor, definition)
    if entries:
        weigh_categories(connection)
    progress(definition.id, source.read, source.read)
    return report


def _no_row_fits(file: Path, rejected: list[Rejected], count: int) -> IngestError:
    first = rejected[0]
    return IngestError("ingest.no-row-fits", file=file.name, count=count, reason=first.code, params=first.params)
