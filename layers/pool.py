"""Connections that are used again and again, handed from one query to the next as they are.

The driver's own pool resets the session between two queries, which costs a round trip to the server as long as reading
one feature. Nothing can change the sessions kept here: they are read-only, and only run our own statements.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any


class Pool:
    """Some connections to one database, opened when they are needed; to be used from one event loop.

    Parameters
    ----------
    connect : callable
        Opens a connection.
    size : int
        How many there may be at once; whoever wants one more waits for its turn.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int) -> None:
        self._connect = connect
        self._size = size
        self._opened = 0
        self._idle: deque[Any] = deque()
        self._lent: set[Any] = set()
        self._waiting: deque[asyncio.Future[Any]] = deque()

    async def take(self, seconds: float) -> Any:
        """Return a connection of one's own; it must be given back.

        Raises
        ------
        TimeoutError
            When none is free within ``seconds``.
        """
        while self._idle:
            # The one that was used last: the others may be left to rest.
            connection = self._idle.pop()
            if not connection.is_closed():
                self._lent.add(connection)
                return connection
            self._opened -= 1
        if self._opened < self._size:
            self._opened += 1
            return await self._open()
        return await self._wait(seconds)

    async def _open(self) -> Any:
        """Open a connection in a room that is ours already."""
        try:
            connection = await self._connect()
        except BaseException:
            self._pass_on(None)
            raise
        self._lent.add(connection)
        return connection

    async def _wait(self, seconds: float) -> Any:
        turn: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(seconds):
                connection = await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # given at the last moment, to one who has just left
                self._lent.discard(turn.result())
                self._pass_on(turn.result())
            raise
        return await self._open() if connection is None else connection

    def give(self, connection: Any) -> None:
        """Take a connection back, for the next who waits; one that is closed leaves room for a new one."""
        self._lent.discard(connection)
        self._pass_on(None if connection.is_closed() else connection)

    def _pass_on(self, connection: Any) -> None:
        """Give a connection, or the room for one (None), to whoever has waited longest, or keep it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                if connection is not None:
                    self._lent.add(connection)
                return
        if connection is None:
            self._opened -= 1
        else:
            self._idle.append(connection)

    def terminate(self) -> None:
        """Close all connections at once; running queries are ended."""
        for connection in (*self._idle, *self._lent):
            connection.terminate()
        self._idle.clear()
