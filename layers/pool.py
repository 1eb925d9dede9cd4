"""Connections that are used again and again, handed from one query to the next as they are.

The driver's own pool resets the session between two queries, which costs a round trip to the server as long as reading
one feature. Nothing can change the sessions kept here: they are read-only, and only run our own statements.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

#: Seconds after which whoever waits is given what was kept back.
PATIENCE = 0.02


class Pool:
    """Some connections to one database, opened when they are needed; to be used from one event loop.

    Parameters
    ----------
    connect : callable
        Opens a connection.
    size : int
        How many there may be at once; whoever wants one more waits for its turn.
    eager : int, optional
        How many are lent as long as nobody waits for :data:`PATIENCE`; without it, all. Short queries are all answered
        sooner in turn than at once on a few cores, but none has to wait for the end of a long one.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int, eager: int | None = None) -> None:
        self._connect = connect
        self._size = size
        self._eager = min(eager or size, size)
        #: Connections that are lent, being opened, or promised.
        self._busy = 0
        self._idle: deque[Any] = deque()
        self._lent: set[Any] = set()
        #: Who waits, and since when.
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    async def take(self, seconds: float) -> Any:
        """Return a connection of one's own; it must be given back.

        Raises
        ------
        TimeoutError
            When none is free within ``seconds``.
        """
        if self._busy < self._eager and not self._waiting:
            connection = self._promise()
        else:
            connection = await self._wait(seconds)
        return await self._open() if connection is None else connection

    def _promise(self) -> Any | None:
        """Set aside the idle connection that was used last, as others may be left to rest; None for a new one."""
        self._busy += 1
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                self._lent.add(connection)
                return connection
        return None

    async def _open(self) -> Any:
        """Open a connection that was promised."""
        try:
            connection = await self._connect()
        except BaseException:
            self._withdraw()
            raise
        self._lent.add(connection)
        return connection

    async def _wait(self, seconds: float) -> Any | None:
        """Wait for a promise."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((turn, loop.time()))
        self._serve()
        limit = loop.call_later(seconds, _too_late, turn)
        try:
            return await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                # Given at the last moment, to one who has just left.
                if turn.result() is None:
                    self._withdraw()
                else:
                    self.give(turn.result())
            raise
        finally:
            limit.cancel()

    def give(self, connection: Any) -> None:
        """Take a connection back; one that is closed leaves room for a new one."""
        self._lent.discard(connection)
        if not connection.is_closed():
            self._idle.append(connection)
        self._withdraw()

    def _withdraw(self) -> None:
        """End a promise, for the next who waits."""
        self._busy -= 1
        if self._waiting:
            self._serve()

    def _serve(self) -> None:
        """Promise what may be lent now to those who have waited longest."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._waiting:
            turn, since = self._waiting[0]
            if not turn.done():
                patient = now - since < PATIENCE
                if self._busy >= (self._eager if patient else self._size):
                    if patient and self._alarm is None and self._busy < self._size:
                        self._alarm = loop.call_later(since + PATIENCE - now, self._wake)
                    return
                turn.set_result(self._promise())
            self._waiting.popleft()

    def _wake(self) -> None:
        self._alarm = None
        self._serve()

    def terminate(self) -> None:
        """Close all connections at once; running queries are ended."""
        for connection in (*self._idle, *self._lent):
            connection.terminate()
        self._idle.clear()


def _too_late(turn: asyncio.Future[Any]) -> None:
    if not turn.done():
        turn.set_exception(TimeoutError())
