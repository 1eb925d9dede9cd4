"""The two servers that are measured side by side: the service, and the least that could send the same SQL.

The bare one is an ASGI function with a pool of asyncpg connections: it reads the values out of the address, runs the
statement that the service runs for the same question, and sends the bytes that come back. It checks, negotiates,
frames and links nothing.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import asyncpg
import httpx
import uvicorn

from api.app import create_app
from api.settings import PROJECT, Settings
from api.wire import Protocol
from layers.catalogue import PublishedLayer, load_catalogue
from layers.database import Database, Statement
from layers.nearest import NearestShape, nearest_statement, step_for
from layers.pages import page_statement
from layers.queries import ItemsShape, item_statement
from layers.selection import EVERYTHING, Selection
from layers.several import Chosen
from tests.conftest import free_port

LAYER = "street-furniture"
BBOX_SHAPE = ItemsShape(Selection(boxes=1, few=True))
NEAREST = 10
MAX_BYTES = Settings().max_bytes


@dataclass(frozen=True)
class Running:
    """A server in a process of its own."""

    address: str
    pid: int


@contextmanager
def process(kind: str, url: str, first: str = f"/collections/{LAYER}/items/f0000000") -> Iterator[Running]:
    """Run one of the servers, from when it answers ``first`` until the end of the block."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.servers", kind, url, str(port)]
    server = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with suppress(httpx.TransportError):
                if httpx.get(address + first).status_code == 200:
                    break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"the server '{kind}' did not start")
        yield Running(address, server.pid)
    finally:
        server.terminate()
        server.wait(20)


@asynccontextmanager
async def catalogue(url: str) -> Any:
    """Read the catalogue as the service does."""
    database = Database(url, statement_timeout=5, pool_size=1)
    try:
        yield await load_catalogue(database)
    finally:
        await database.close()


def statements(layer: PublishedLayer) -> dict[str, Statement]:
    """Return the service's own statements of the questions that are measured."""
    near = NearestShape((Chosen(layer, EVERYTHING),), step=step_for(NEAREST))
    return {
        "item": item_statement(layer),
        "nearest": nearest_statement(near),
        "items": page_statement(layer, BBOX_SHAPE),
    }


def values_of(kind: str, scope: Any) -> dict[str, object]:
    """Read the values of a question out of the address, without a look at anything else."""
    if kind == "item":
        return {"id": unquote(scope["path"].rsplit("/", 1)[1])}
    given = dict(part.split("=", 1) for part in scope["query_string"].decode().split("&"))
    if kind == "nearest":
        return {"x": float(given["lon"]), "y": float(given["lat"]), "page": NEAREST, "max_bytes": MAX_BYTES}
    corners = zip(("west0", "south0", "east0", "north0"), map(float, given["bbox"].split(",")), strict=True)
    return {**dict(corners), "page": int(given["limit"]), "max_bytes": MAX_BYTES}


class Bare:
    """The least that could send the same SQL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Any = None
        self._known: dict[str, Statement] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or start and stop with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        kind = "nearest" if scope["path"] == "/nearest" else "items" if scope["path"].endswith("/items") else "item"
        statement = self._known[kind]
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(statement.sql, *statement.arguments(values_of(kind, scope)))
        body = row[0]
        headers = [(b"content-type", b"application/geo+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        async with catalogue(self._url) as found:
            self._known = statements(found.layer(LAYER))
        self._pool = await asyncpg.create_pool(self._url, min_size=0, max_size=Settings().pool_size)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


def main(kind: str, url: str, port: int) -> None:
    """Run one of the servers as ``casamaps up`` runs the service."""
    app = Bare(url) if kind == "bare" else create_app(Settings(port=port), url)
    uvicorn.run(
        app, host="127.0.0.1", port=port, loop="uvloop", http="httptools" if kind == "bare" else Protocol, ws="none",
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
