"""Connections: a read-only pool for public queries, and an engine for migrations and ingest."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import asyncpg
from sqlalchemy import BindParameter, Engine, Select, create_engine
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from geo.errors import CasaMapsError, InvalidInput, Unavailable
from layers.pool import Pool

#: What a database says, or does not say, that is starting, stopping, full or gone.
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,
    asyncpg.InternalClientError,  # the server said good-bye while nobody listened
    OSError,
)


class _Compiler(asyncpg_dialect.PGCompiler_asyncpg):
    """Writes a query's own constants into the text; only named parameters are bound."""

    def visit_bindparam(self, bindparam: BindParameter[Any], *args: Any, **kwargs: Any) -> str:
        if not bindparam.required:
            kwargs["literal_binds"] = True
        return cast("str", super().visit_bindparam(bindparam, *args, **kwargs))  # type: ignore[no-untyped-call]


class _Dialect(asyncpg_dialect.dialect):
    statement_compiler = _Compiler


_DIALECT = _Dialect()  # type: ignore[no-untyped-call]


#: Longest statement, in characters, that a connection keeps prepared.
_LONGEST = 200_000
#: Short queries that are run at once: with two a core, pages came a tenth more often than with four.
_EAGER_A_CORE, _EAGER = 2, 4
#: Settings of every connection of the service.
_SETTINGS = {
    "application_name": "casamaps",
    "default_transaction_read_only": "on",
    "timezone": "UTC",
    "jit": "off",
    # Starting workers takes longer than most questions; other requests want the cores.
    "max_parallel_workers_per_gather": "0",
    "search_path": "public",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with the names of its parameters in the order of its ``$1``, ``$2`` and so on.

    ``fresh`` says that PostgreSQL must plan it anew for its values, because the best plan depends on them; other plans
    are made once a connection.
    """

    sql: str
    names: tuple[str, ...]
    fresh: bool = False

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """Return the values in the statement's order."""
        return [values[name] for name in self.names]


def compile_statement(select: Select[Any], *, fresh: bool = False) -> Statement:
    """Compile a Select once: named ``bindparam`` become parameters, the query's own constants stand in the text.

    Compiling costs about as much as a whole query, so callers keep the result by the query's shape.
    """
    compiled = select.compile(dialect=_DIALECT)
    return Statement(str(compiled), tuple(compiled.positiontup or ()), fresh)


def admin_engine(url: str) -> Engine:
    """Return an engine for migrations and ingest; it keeps no connection open."""
    parsed = make_url(re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", url))
    return create_engine(parsed, poolclass=NullPool)


class Cursor:
    """Rows of one column of bytes, some at a time."""

    def __init__(self, connection: Any, found: Any, seconds: float) -> None:
        self._connection = connection
        self._found = found
        self._seconds = seconds

    async def fetch(self, count: int) -> list[bytes]:
        """Return the next values, at most ``count``; none at the end."""
        if self._connection.is_closed():  # by the server, between two blocks
            raise Unavailable("database.away", log="the connection is closed")
        with _translated(self._seconds):
            return [row[0] for row in await self._found.fetch(count, timeout=self._seconds)]


def _milliseconds(seconds: float) -> str:
    """Write a limit of time for PostgreSQL, for which 0 is none."""
    return str(max(1, int(seconds * 1000)))


async def _close(connection: Any) -> None:
    """Close a connection, ending what it still does."""
    try:
        await asyncio.shield(connection.close(timeout=3))
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


def _translate(error: BaseException, seconds: float) -> BaseException:
    """Turn the driver's error into one of ours; others stay what they are."""
    if isinstance(error, asyncpg.QueryCanceledError):
        return Unavailable("database.timeout", seconds=seconds, log=str(error))
    if isinstance(error, TimeoutError):
        return Unavailable("database.busy", log="no free connection, or no answer")
    if isinstance(error, asyncpg.DataError | asyncpg.exceptions.DataError | asyncpg.InternalServerError):
        # The internal errors are those of GEOS and PROJ, about geometries that a request gave.
        return InvalidInput("query.data", log=str(error))
    if isinstance(error, _AWAY):
        return Unavailable("database.away", log=f"{type(error).__name__}: {error}")
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
        return CasaMapsError("database.failed", log=f"{type(error).__name__}: {error}")
    return error


@contextmanager
def _translated(seconds: float) -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except Exception as error:
        raise _translate(error, seconds) from error


class Database:
    """A pool of read-only connections with a statement timeout.

    Every failure of the driver leaves as one of :mod:`geo.errors`: the database is away, a value was impossible, or the
    mistake is ours. Nothing of PostgreSQL's own text is public.
    """

    def __init__(self, url: str, *, statement_timeout: float, pool_size: int) -> None:
        self._url = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
        self._timeout = statement_timeout
        # A session plans all its statements in one way, so there are sessions of two kinds.
        eager = max(_EAGER, _EAGER_A_CORE * (os.cpu_count() or 1))
        self._pools = {fresh: Pool(partial(self._connect, fresh), pool_size, eager) for fresh in (False, True)}

    async def close(self) -> None:
        """Close all connections; running queries are ended."""
        for pool in self._pools.values():
            pool.terminate()

    async def _connect(self, fresh: bool) -> Any:
        settings = _SETTINGS | {
            "plan_cache_mode": "force_custom_plan" if fresh else "auto",
            "statement_timeout": _milliseconds(self._timeout),
            "idle_in_transaction_session_timeout": "30000",
        }
        return await asyncpg.connect(
            self._url,
            timeout=5,
            # The server ends a query; this one is for a server that hangs.
            command_timeout=self._timeout + 2,
            server_settings=settings,
            # Questions over many layers are long.
            max_cacheable_statement_size=_LONGEST,
        )

    async def _ask(self, statement: Statement, ask: Callable[[Any], Awaitable[Any]]) -> Any:
        """Ask something on a connection that plans as the statement wants."""
        pool = self._pools[statement.fresh]
        try:
            connection = await pool.take(self._timeout)
            try:
                return await ask(connection)
            except (asyncpg.PostgresError, asyncpg.InterfaceError):
                raise
            except BaseException:
                # An answer that we don't wait for any longer would come to the next who asks.
                connection.terminate()
                raise
            finally:
                pool.give(connection)
        except Exception as error:
            raise _translate(error, self._timeout) from error

    @asynccontextmanager
    async def cursor(self, statement: Statement, *, seconds: float, **values: object) -> AsyncIterator[Cursor]:
        """Open a cursor over a statement of any number of rows, on a connection of its own.

        Parameters
        ----------
        seconds : float
            What the whole may take; the pool's own limit is for a page.
        """
        limit = _milliseconds(seconds)
        settings = _SETTINGS | {
            "statement_timeout": limit,
            "idle_in_transaction_session_timeout": limit,
            # The server sees that we are gone even while it sorts.
            "client_connection_check_interval": "2000",
        }
        with _translated(seconds):
            connection = await asyncpg.connect(self._url, timeout=5, command_timeout=seconds, server_settings=settings)
        try:
            with _translated(seconds):
                # All rows are those of one moment; the connection ends with the cursor, and the transaction with it.
                await connection.transaction(isolation="repeatable_read", readonly=True).start()
                found = await connection.cursor(statement.sql, *statement.arguments(values))
            yield Cursor(connection, found, seconds)
        finally:
            await _close(connection)

    async def row(self, statement: Statement, **values: object) -> Any | None:
        """Return the first row, or None."""
        arguments = statement.arguments(values)
        return await self._ask(statement, lambda connection: connection.fetchrow(statement.sql, *arguments))

    async def rows(self, statement: Statement, **values: object) -> list[Any]:
        """Return all rows of a statement that bounds their number itself."""
        arguments = statement.arguments(values)
        found = await self._ask(statement, lambda connection: connection.fetch(statement.sql, *arguments))
        return cast("list[Any]", found)
