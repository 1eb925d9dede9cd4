"""Loads the project's own data, ``data/``, where it has changed since it was last loaded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from geo.errors import IngestError
from layers.catalogue import DISTRICTS
from layers.database import admin_engine
from layers.definition import DIRECTORY, LayerDefinition, PathThrough, fingerprint, load_definitions
from layers.directory import load_vocabulary
from layers.entries import load_directory
from layers.ingest import load_layer
from layers.map_store import refresh_maps
from layers.models import SHIPPED, Layer, ShippedFile
from layers.reports import Progress, Report
from layers.search.index import load_aliases, refresh_directory, refresh_layer
from layers.sources import Source, read_source
from layers.writing import cursor_of, transaction

#: Goes into the fingerprints of shipped data; raised when the way of loading changes what is stored.
FORMAT = "1"


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
    with transaction(url) as connection, cursor_of(connection) as cursor:
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
        with transaction(url) as connection:
            reports.append(load_directory(connection, data_dir, entries, progress))
            _remember(connection, DIRECTORY, hash_of)
    for definition in layers:
        if definition not in early:
            load(definition)
    refresh_search(url, data_dir)
    if only is None:
        refresh_maps(url, data_dir, definitions)
    return reports


def _load_shipped_layer(
    url: str, definition: LayerDefinition, data_dir: Path, hash_of: str, progress: Progress
) -> Report:
    if definition.data.file:
        source = read_source(definition, data_dir / definition.data.file, data_dir=data_dir)
    else:
        source = Source([], [], 0, 0, [])
    with transaction(url) as connection:
        report = load_layer(connection, definition, source, SHIPPED, data_dir, progress)
        _remember(connection, definition.id, hash_of)
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


def _remember(connection: Connection, name: str, hash_of: str) -> None:
    record = {"fingerprint": hash_of, "loaded_at": func.now()}
    connection.execute(
        insert(ShippedFile)
        .values(name=name, **record)
        .on_conflict_do_update(index_elements=[ShippedFile.name], set_=record)
    )


def refresh_search(url: str, data_dir: Path) -> None:
    """Bring the index of search to what all layers and the annuaire hold now, whoever has changed them."""
    names = {key: (label.fr, label.ar) for key, label in load_vocabulary(data_dir).categories.items()}
    with transaction(url) as connection:
        stored = connection.scalars(select(Layer.definition).order_by(Layer.id != DISTRICTS, Layer.id)).all()
        with cursor_of(connection) as cursor:
            for raw in stored:
                with suppress(ValidationError):  # it is not served either, until it is ingested again
                    refresh_layer(cursor, LayerDefinition.model_validate(raw))
            refresh_directory(cursor, names)
