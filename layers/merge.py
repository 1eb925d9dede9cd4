"""Brings a table's rows of one dataset to a new state: staged by COPY, then inserted, updated and deleted in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor
from psycopg.sql import SQL, Composed, Identifier


@dataclass(frozen=True, slots=True)
class Merged:
    """How many rows a merge changed."""

    inserted: int
    updated: int
    unchanged: int


class Merge:
    """One merge into one table, in the caller's transaction.

    The target has the columns ``id``, ``dataset`` and ``updated_at`` besides those given.
    """

    def __init__(self, cursor: Cursor[Any], schema: str, table: str, columns: Sequence[str]) -> None:
        self._cursor = cursor
        self.target = SQL("{}.{}").format(Identifier(schema), Identifier(table))
        self._staging_name = Identifier(f"staging_{table}")
        self.staging = SQL("pg_temp.{}").format(self._staging_name)
        self._columns = list(columns)
        self._listed = SQL(", ").join(map(Identifier, self._columns))

    def stage(self, rows: Iterable[Sequence[object]], progress: Callable[[int], None]) -> None:
        """Copy rows into the staging table, whose column ``_n`` keeps their order."""
        self._run(SQL("DROP TABLE IF EXISTS {s}"))
        self._run(
            SQL("CREATE TEMPORARY TABLE {s} ON COMMIT DROP AS SELECT 0::bigint AS _n, {c} FROM {t} LIMIT 0").format(
                s=self._staging_name, c=self._listed, t=self.target
            )
        )
        with self._cursor.copy(SQL("COPY {} (_n, {}) FROM STDIN").format(self.staging, self._listed)) as copy:
            for number, row in enumerate(rows, 1):
                copy.write_row((number, *row))
                if number % 1000 == 0:
                    progress(number)
        self._run(SQL("CREATE UNIQUE INDEX ON {s} (id)"))
        self._run(SQL("ANALYZE {s}"))

    def drop_unlinked(self, column: str, target: Composed) -> list[tuple[str, str]]:
        """Take out staged rows whose ``column`` names no id of ``target``; return (id, value) of each."""
        statement = SQL(
            "DELETE FROM {s} s WHERE {c} IS NOT NULL "
            "AND NOT EXISTS (SELECT FROM {o} o WHERE o.id = s.{c}) RETURNING id, {c}"
        )
        bound = statement.format(s=self.staging, c=Identifier(column), o=target)
        return [(key, value) for key, value in self._run(bound)]

    def drop_taken(self, dataset: str) -> list[str]:
        """Take out staged rows whose id is another dataset's; return their ids."""
        statement = SQL("DELETE FROM {s} s USING {t} t WHERE t.id = s.id AND t.dataset <> %(dataset)s RETURNING s.id")
        return [row[0] for row in self._run(statement, {"dataset": dataset})]

    def drop(self, ids: Sequence[str]) -> None:
        """Take out staged rows by id."""
        self._run(SQL("DELETE FROM {s} s WHERE id = ANY(%(ids)s)"), {"ids": list(ids)})

    def upsert(self, dataset: str) -> Merged:
        """Insert and update rows from the staged ones; none may have an id that another dataset has."""
        values = {"dataset": dataset}
        staged = self._run(SQL("SELECT count(*) FROM {s}")).fetchone()[0]
        others = [column for column in self._columns if column != "id"]
        assigned = SQL(", ").join(SQL("{c} = s.{c}").format(c=Identifier(column)) for column in others)
        old, new = (
            SQL(", ").join(SQL("{}.{}").format(SQL(alias), Identifier(column)) for column in others)
            for alias in ("t", "s")
        )
        updated = self._run(
            SQL(
                "UPDATE {t} t SET {assigned}, updated_at = now() FROM {s} s "
                "WHERE t.id = s.id AND ROW({old}) IS DISTINCT FROM ROW({new})"
            ).format(t=self.target, s=self.staging, assigned=assigned, old=old, new=new)
        ).rowcount
        inserted = self._run(
            SQL(
                "INSERT INTO {t} ({c}, dataset) SELECT {c}, %(dataset)s FROM {s} s "
                "WHERE NOT EXISTS (SELECT FROM {t} t WHERE t.id = s.id) ORDER BY _n"
            ).format(t=self.target, s=self.staging, c=self._listed),
            values,
        ).rowcount
        return Merged(inserted, updated, staged - inserted - updated)

    def prune(self, dataset: str, *, keep: Composed | None = None, spare: Sequence[str] = ()) -> int:
        """Delete the dataset's rows that were not staged, but not those (``t``) for which ``keep`` holds.

        Parameters
        ----------
        spare : sequence of str
            Ids that the file has in a form that was rejected: their older rows are better than none.
        """
        statement = SQL(
            "DELETE FROM {t} t WHERE dataset = %(dataset)s "
            "AND NOT EXISTS (SELECT FROM {s} s WHERE s.id = t.id) AND NOT ({keep}) AND NOT id = ANY(%(spare)s)"
        ).format(t=self.target, s=self.staging, keep=keep or SQL("false"))
        return int(self._run(statement, {"dataset": dataset, "spare": list(spare)}).rowcount)

    def _run(self, statement: SQL | Composed, values: Mapping[str, object] | None = None) -> Any:
        if isinstance(statement, SQL):
            statement = statement.format(t=self.target, s=self.staging)
        return self._cursor.execute(statement, values)
