"""Looks over the annuaire: entries and features without each other, and entries that are likely the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from layers.database import admin_engine
from layers.tables import SCHEMA

#: How far two entries of one thing may be apart, in metres, and how alike their names are then (pg_trgm, 0 … 1).
APART, ALIKE = 250.0, 0.6


@dataclass(frozen=True)
class Pair:
    """Two entries that are likely one: their ids, a name of each, and how far they are apart in metres."""

    first: str
    second: str
    first_name: str
    second_name: str
    metres: float


@dataclass
class EntriesReport:
    """What to look at by hand.

    Parameters
    ----------
    unused : list of (id, name)
        Entries to which no feature is linked.
    unlinked : list of (layer, id, name)
        Features without an entry, of the layers whose features have one.
    doubles : list of Pair
        The nearest first.
    """

    unused: list[tuple[str, str]] = field(default_factory=list)
    unlinked: list[tuple[str, str, str]] = field(default_factory=list)
    doubles: list[Pair] = field(default_factory=list)


#: A number in a name tells apart what otherwise sounds the same: «annexe 41» and «annexe 14».
_DOUBLES = text(
    r"""
    WITH known AS (
        SELECT id, fid, name_fr, geom, search.plain(name_fr) AS fr, search.plain(name_ar) AS ar,
            regexp_replace(name_fr, '\D+', ' ', 'g') AS numbers
        FROM directory.entries WHERE geom IS NOT NULL
    )
    SELECT a.id, b.id, a.name_fr, b.name_fr, ST_Distance(a.geom::geography, b.geom::geography) AS metres
    FROM known a JOIN known b ON b.fid > a.fid AND ST_DWithin(a.geom::geography, b.geom::geography, :apart)
    WHERE btrim(a.numbers) = btrim(b.numbers) AND greatest(similarity(a.fr, b.fr), similarity(a.ar, b.ar)) >= :alike
    ORDER BY metres, a.id, b.id
    """
)


def entries_report(url: str) -> EntriesReport:
    """Look over the annuaire of a database.

    Raises
    ------
    Unavailable
        When the database refuses.
    """
    with admin_engine(url).connect() as connection:
        report = EntriesReport()
        layers = _linked_layers(connection)
        tests = [f'NOT EXISTS (SELECT FROM {SCHEMA}."{table}" f WHERE f.entry_id = e.id)' for _, table in layers]
        nowhere = " AND ".join(tests) or "true"
        unused = f"SELECT id, name_fr FROM directory.entries e WHERE {nowhere} ORDER BY id"  # noqa: S608 - our own names
        report.unused = [(row[0], row[1]) for row in connection.execute(text(unused))]
        for layer, table in layers:
            alone = f'SELECT id, name_fr FROM {SCHEMA}."{table}" WHERE entry_id IS NULL ORDER BY id'  # noqa: S608
            report.unlinked += [(layer, row[0], row[1]) for row in connection.execute(text(alone))]
        pairs = connection.execute(_DOUBLES, {"apart": APART, "alike": ALIKE})
        report.doubles = [Pair(*row) for row in pairs]
        return report


def _linked_layers(connection: Connection) -> list[tuple[str, str]]:
    """Return the layers whose features name an entry, with their tables."""
    rows = connection.execute(
        text(
            "SELECT id, replace(id, '-', '_') FROM catalogue.layers"
            " WHERE definition #>> '{directory,role}' IN ('place', 'body') ORDER BY id"
        )
    )
    return [(row[0], row[1]) for row in rows]
