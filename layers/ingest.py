"""Takes data into the layers: read, check, stage, merge, count, publish, all in one transaction.

A row belongs to a *dataset*. The project's own rows are ``shipped``; rows that users add by SQL or QGIS fall into
``local``; a file that is ingested has a dataset named after it. Ingesting a dataset again inserts, updates and deletes
within this dataset only, so nobody's rows are touched by somebody else's file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import psycopg
import shapely
from psycopg.sql import SQL, Composed, Identifier
from pydantic import ValidationError
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from geo.crs import WGS84_SRID, transformer
from geo.errors import IngestError, Unavailable
from geo.locator import Locator
from layers.catalogue import DISTRICTS
from layers.database import admin_engine
from layers.definition import DIRECTORY, LayerDefinition, PathThrough, fingerprint, load_definitions
from layers.directory import load_vocabulary
from layers.hours.calendar import load_calendar
from layers.hours.report import HOURS, hours_of, misunderstood
from layers.hours.store import refresh
from layers.map_store import refresh_maps
from layers.merge import Merge, Merged
from layers.migrate import UPGRADE_LOCK
from layers.models import INNER, LOCAL, SHIPPED, WHEELCHAIR, Entry, Layer, ShippedFile
from layers.search.index import load_aliases, refresh_directory, refresh_layer
from layers.sources import Rejected, Row, Source, directory_rows, read_source
from layers.tables import SCHEMA, apply_definition, enforce_definition, layer_table

#: Goes into the fingerprints of shipped data; raised when the way of loading changes what is stored.
FORMAT = "1"
_ENTRIES_TABLE = "directory.entries"
_ENTRIES = SQL("directory.entries").format()
_ENTRY_COLUMNS = [column.name for column in cast("Table", Entry.__table__).columns if column.name not in INNER]
_LISTS = ("phone", "services")


class Progress(Protocol):
    """Told how far a long work is; ``step`` is a layer's id or ``directory``."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """Take note of ``done`` of ``total`` rows."""


@dataclass
class Report:
    """What became of every row of a data file: ``read`` is the sum of inserted, updated, unchanged and rejected."""

    layer: str
    dataset: str
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    repaired: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether any stored row is now different."""
        return bool(self.inserted or self.updated or self.deleted)

    def count(self, merged: Merged, deleted: int) -> None:
        """Take over the counts of a merge."""
        self.inserted, self.updated, self.unchanged = merged.inserted, merged.updated, merged.unchanged
        self.deleted = deleted


@contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    """One transaction, one writer at a time."""
    try:
        with admin_engine(url).begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
            yield connection
    except (DBAPIError, psycopg.Error) as error:
        raise Unavailable("database.refused", log=str(error)) from error


def _cursor(connection: Connection) -> psycopg.Cursor[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection).cursor()


def _ewkb(geometry: Any, srid: int) -> str:
    return str(shapely.to_wkb(shapely.set_srid(geometry, srid), hex=True, include_srid=True))


def _on(geometry: BaseGeometry) -> tuple[float, float]:
    """Return a place that lies on the geometry."""
    point = geometry if isinstance(geometry, shapely.Point) else geometry.representative_point()
    return point.x, point.y


def _linked(connection: Connection) -> Composed:
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


def _entries(cursor: psycopg.Cursor[Any], rows: list[dict[str, Any]]) -> Merge:
    """Stage rows for the annuaire; cells that hold several values are split at semicolons."""
    for row in rows:
        for column in _LISTS:
            cell = row.get(column)
            parts = cell.split(";") if isinstance(cell, str) else cell or []
            row[column] = [part.strip() for part in parts if part.strip()] or None
    merge = Merge(cursor, "directory", "entries", _ENTRY_COLUMNS)
    merge.stage(([row.get(column) for column in _ENTRY_COLUMNS] for row in rows), lambda _: None)
    return merge


def _load_directory(
    connection: Connection, data_dir: Path, definition: LayerDefinition | None, progress: Progress
) -> Report:
    """Bring the annuaire's own institutions, ``data/directory.csv``, to what the file says, and publish its layer.

    One at a place has the district that it lies in, unless the file names one.
    """
    rows = directory_rows(data_dir / "directory.csv")
    report = Report(DIRECTORY, SHIPPED, read=len(rows))
    locator = load_locator(connection)
    for row in rows:
        point = row["point"]
        row["geom"] = None if point is None else _ewkb(point, WGS84_SRID)
        if point is not None and not row.get("district_code"):
            row["district_code"] = locator.locate(point.x, point.y)
    with _cursor(connection) as cursor:
        merge = _entries(cursor, rows)
        for key in merge.drop_taken(SHIPPED):
            report.rejected.append(Rejected(0, key, "ingest.id-taken", {"value": key}))
        report.count(merge.upsert(SHIPPED), merge.prune(SHIPPED, keep=_linked(connection)))
    report.notes += misunderstood((row["id"], row.get(column)) for row in rows for column in HOURS)
    refresh(connection, load_calendar(data_dir))
    _publish_entries(connection, definition)
    progress(DIRECTORY, len(rows), len(rows))
    return report


def _places(definition: LayerDefinition, rows: list[Row]) -> list[dict[str, Any]]:
    """Make the annuaire's entries of a layer whose features are places: the entry has the feature's id."""
    assert definition.directory is not None, "only layers with a directory have places"
    names = [item.name for item in definition.fields]
    to_degrees = transformer(definition.geometry.srid, WGS84_SRID)
    places = []
    for row in rows:
        values = dict(zip(names, row.values, strict=True))
        point = shapely.Point(to_degrees.transform(*_on(row.geometry)))
        place: dict[str, Any] = {column: values[name] for column, name in definition.directory.columns.items()}
        place |= {"id": row.id, "name_fr": values["name_fr"], "name_ar": values["name_ar"]}
        place["category"] = place.get("category") or definition.id
        place["source"] = place.get("source") or definition.source.fr
        places.append(place | {"geom": _ewkb(point, WGS84_SRID)})
    return places


def _load_layer(
    connection: Connection,
    definition: LayerDefinition,
    source: Source,
    dataset: str,
    data_dir: Path,
    progress: Progress,
) -> Report:
    """Merge checked rows into the layer's table, with their entries, and publish the layer."""
    _check_access(definition, source)
    report = Report(definition.id, dataset, read=source.read, repaired=source.repaired, rejected=source.rejected)
    report.notes += [("ingest.column-ignored", {"column": column}) for column in source.ignored_columns]
    table, notes = apply_definition(connection, definition)
    report.notes += notes
    place = definition.places
    columns = ["id", *(item.name for item in definition.fields), "geom", "entry_id"]
    with _cursor(connection) as cursor:
        merge = Merge(cursor, SCHEMA, table.name, columns)
        staged = (
            (row.id, *row.values, _ewkb(row.geometry, definition.geometry.srid), row.id if place else row.entry_id)
            for row in source.rows
        )
        merge.stage(staged, lambda done: progress(definition.id, done, source.read))
        numbers = {row.id: row.number for row in source.rows}
        entries = _entries(cursor, _places(definition, source.rows)) if place else None
        for key, entry in [] if place else merge.drop_unlinked("entry_id", _ENTRIES):
            report.rejected.append(Rejected(numbers[key], key, "ingest.entry-unknown", {"value": entry}))
        taken = merge.drop_taken(dataset)
        if entries:
            # Feature and entry come and go together: what the one can't have, the other must not.
            taken_entries = entries.drop_taken(_entry_dataset(definition, dataset))
            entries.drop(taken)
            merge.drop(taken_entries)
            taken += taken_entries
            entries.upsert(_entry_dataset(definition, dataset))
        report.rejected += [
            Rejected(numbers[key], key, "ingest.id-taken", {"value": key}) for key in sorted(set(taken))
        ]
        spare = [row.id for row in report.rejected if row.id]
        report.count(merge.upsert(dataset), merge.prune(dataset, spare=spare))
        if entries:
            entries.prune(_entry_dataset(definition, dataset), keep=_linked(connection), spare=spare)
    report.notes += enforce_definition(connection, definition, table)
    report.notes += _misplaced(connection, definition, source.rows)
    report.notes += misunderstood(hours_of(definition, source.rows))
    if place:
        refresh(connection, load_calendar(data_dir))
    publish(connection, definition, table)
    if definition.linked:
        _publish_entries(connection)
    with _cursor(connection) as cursor:
        refresh_layer(cursor, definition)
    progress(definition.id, source.read, source.read)
    return report


def _check_access(definition: LayerDefinition, source: Source) -> None:
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


def _entry_dataset(definition: LayerDefinition, dataset: str) -> str:
    return f"{definition.id}:{dataset}"


def _misplaced(
    connection: Connection, definition: LayerDefinition, rows: list[Row]
) -> list[tuple[str, dict[str, object]]]:
    """Compare the districts that rows name with the districts that they lie in."""
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
        found = locator.locate(*to_degrees.transform(*_on(row.geometry)))
        if found != row.values[position]:
            wrong.append((row.id, row.values[position], found))
    if not wrong:
        return []
    key, named, found = wrong[0]
    return [("ingest.district-differs", {"count": len(wrong), "id": key, "named": named or "–", "found": found or "–"})]


def load_locator(connection: Connection) -> Locator:
    """Build the district locator from the layer of districts; empty while there is none."""
    present = connection.scalar(text("SELECT to_regclass('features.districts') IS NOT NULL"))
    if not present:
        return Locator([])
    rows = connection.execute(
        text("SELECT id, ST_AsBinary(ST_Transform(geom, 4326)) FROM features.districts ORDER BY fid")
    )
    return Locator((code, shapely.from_wkb(bytes(wkb))) for code, wkb in rows)


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


def _no_row_fits(file: Path, rejected: list[Rejected], count: int) -> IngestError:
    first = rejected[0]
    return IngestError("ingest.no-row-fits", file=file.name, count=count, reason=first.code, params=first.params)


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
    if definition.entries:
        raise IngestError("ingest.directory", layer=definition.id)
    source = read_source(definition, file, data_dir=data_dir, srid=srid, source_layer=source_layer)
    name = dataset or file.stem
    if name in (SHIPPED, LOCAL):
        raise IngestError("ingest.dataset-reserved", value=name)
    if not source.read:
        raise IngestError("ingest.empty", file=file.name)
    if not source.rows:
        raise _no_row_fits(file, source.rejected, source.read)
    with _transaction(url) as connection:
        report = _load_layer(connection, definition, source, name, data_dir, progress)
        if len(report.rejected) == report.read:
            # Every row was refused in the database, such as ids of another dataset; what was there stays.
            raise _no_row_fits(file, report.rejected, report.read)
        return report


def _files(definition: LayerDefinition, data_dir: Path) -> list[Path]:
    files = [data_dir / "layers" / f"{definition.id}.yaml"]
    if definition.data.file:
        files.append(data_dir / definition.data.file)
    if isinstance(definition.data.geometry, PathThrough):
        files.append(data_dir / definition.data.geometry.points)
    for file in files:
        if not file.is_file():
            raise IngestError("ingest.no-file", file=file.name)
    return files


def _load_rank(definition: LayerDefinition) -> tuple[bool, bool]:
    """Districts first, as the others are checked against them; then places, to whose entries the others may refer."""
    return definition.id != DISTRICTS, not definition.places


def load_shipped(
    url: str, data_dir: Path, progress: Progress, force: bool = False, only: str | None = None
) -> list[Report]:
    """Load the project's own data where it has changed since it was last loaded.

    Parameters
    ----------
    force : bool
        Load what has not changed as well.
    only : str, optional
        The one layer to look at.

    Every layer has a transaction of its own, so that an interrupted start goes on where it was.

    Raises
    ------
    DefinitionError, IngestError
        When a shipped file is wrong; the layer keeps the rows that it had.
    """
    definitions = load_definitions(data_dir / "layers")
    with _transaction(url) as connection, _cursor(connection) as cursor:
        load_aliases(cursor, data_dir / "aliases.csv")
    with admin_engine(url).connect() as connection:
        loaded = dict(connection.execute(select(ShippedFile.name, ShippedFile.fingerprint)).all())
    reports = []

    def changed(name: str, files: list[Path]) -> str | None:
        hash_of = FORMAT + fingerprint(files)
        return hash_of if only in (None, name) and (force or loaded.get(name) != hash_of) else None

    def load(definition: LayerDefinition) -> None:
        if hash_of := changed(definition.id, _files(definition, data_dir)):
            reports.append(_load_shipped_layer(url, definition, data_dir, hash_of, progress))

    entries, districts = definitions.get(DIRECTORY), definitions.get(DISTRICTS)
    # Districts first, as everything else is checked against them or has its own from them; but for a city whose
    # districts refer to entries themselves.
    layers = sorted((each for each in definitions.values() if each is not entries), key=_load_rank)
    early = [each for each in layers if each is districts and not each.linked]
    for definition in early:
        load(definition)
    files = [file for layer in (entries, districts) if layer for file in _files(layer, data_dir)]
    if hash_of := changed(DIRECTORY, [data_dir / "directory.csv", *files]):
        with _transaction(url) as connection:
            reports.append(_load_directory(connection, data_dir, entries, progress))
            _remember(connection, DIRECTORY, hash_of)
    for definition in layers:
        if definition not in early:
            load(definition)
    refresh_search(url, data_dir)
    if only is None:
        refresh_maps(url, data_dir, definitions)
    return reports


def refresh_search(url: str, data_dir: Path) -> None:
    """Bring the index of search to what all layers and the annuaire hold now, whoever has changed them."""
    names = {key: (label.fr, label.ar) for key, label in load_vocabulary(data_dir).categories.items()}
    with _transaction(url) as connection:
        stored = connection.scalars(select(Layer.definition).order_by(Layer.id != DISTRICTS, Layer.id)).all()
        with _cursor(connection) as cursor:
            for raw in stored:
                with suppress(ValidationError):  # it is not served either, until it is ingested again
                    refresh_layer(cursor, LayerDefinition.model_validate(raw))
            refresh_directory(cursor, names)


def _load_shipped_layer(
    url: str, definition: LayerDefinition, data_dir: Path, hash_of: str, progress: Progress
) -> Report:
    if definition.data.file:
        source = read_source(definition, data_dir / definition.data.file, data_dir=data_dir)
    else:
        source = Source([], [], 0, 0, [])
    with _transaction(url) as connection:
        report = _load_layer(connection, definition, source, SHIPPED, data_dir, progress)
        _remember(connection, definition.id, hash_of)
    return report


def _publish_entries(connection: Connection, definition: LayerDefinition | None = None) -> None:
    """Publish the annuaire's layer after its entries, or who may see them, have changed; by default as it was."""
    if definition is None:
        stored = connection.scalar(select(Layer.definition).where(Layer.id == DIRECTORY))
        definition = None if stored is None else LayerDefinition.model_validate(stored)
    if definition is not None:
        # Its table is a view, made by a migration.
        publish(connection, definition, layer_table(definition))


def _remember(connection: Connection, name: str, hash_of: str) -> None:
    record = {"fingerprint": hash_of, "loaded_at": func.now()}
    connection.execute(
        insert(ShippedFile)
        .values(name=name, **record)
        .on_conflict_do_update(index_elements=[ShippedFile.name], set_=record)
    )
