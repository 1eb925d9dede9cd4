"""What the tests stand on: a throwaway PostGIS cluster, the shipped data in it, the service itself on a port."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from api.settings import PROJECT, Settings
from api.wire import Protocol
from layers.cluster import Cluster
from layers.migrate import upgrade
from layers.shipped import load_shipped

DATA = PROJECT / "data"
#: QGIS and all it needs are too much for every run; ``./casamaps test --thorough`` brings it.
collect_ignore = [] if os.environ.get("CASAMAPS_THOROUGH") else ["integration/test_qgis.py"]


def quiet(step: str, done: int, total: int) -> None:
    """Follow no progress."""


@contextmanager
def throwaway_cluster() -> Iterator[str]:
    """Run a cluster of its own in a temporary folder; give the address of its database."""
    folder = Path(tempfile.mkdtemp(prefix="casamaps-test-"))
    cluster = Cluster(folder, durable=False)
    try:
        cluster.start()
        yield cluster.url
    finally:
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


class Recorder:
    """ASGI middleware that writes down what really arrived."""

    def __init__(self, app: ASGIApp, requests: list[Request]) -> None:
        self._app, self._requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http":
            self._requests.append(Request(scope))
        await self._app(scope, receive, send)


@contextmanager
def running(settings: Settings, database_url: str, requests: list[Request] | None = None) -> Iterator[str]:
    """Run the service in a thread; give the address at which it listens. Its requests are added to a list, if given."""
    app: ASGIApp = create_app(settings, database_url)
    if requests is not None:
        app = Recorder(app, requests)
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=settings.host, port=settings.port, http=Protocol, log_level="warning", access_log=False
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    address = f"http://{settings.host}:{settings.port}"
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the service did not start")
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(20)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser's tests last: their driver keeps an event loop in this thread, where others can't run theirs.

    One of them that fails runs once more, and the summary names it: a browser on a busy machine has its own pace.
    """
    items.sort(key=lambda item: "e2e" in item.path.parts)
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in [name for name in os.environ if name.startswith("CASAMAPS_")]:
        if name != "CASAMAPS_SHARED_DATA":
            del os.environ[name]


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The address of a PostGIS database with the shipped data; tests only read it."""
    with throwaway_cluster() as url:
        upgrade(url)
        load_shipped(url, DATA, quiet)
        yield url


@pytest.fixture(scope="session")
def _second_cluster() -> Iterator[str]:
    with throwaway_cluster() as url:
        yield url


@pytest.fixture
def empty_url(_second_cluster: str) -> str:
    """The address of a migrated database without any layer, which the test may change as it likes."""
    with psycopg.connect(_second_cluster, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS features, directory, catalogue, search CASCADE")
    upgrade(_second_cluster)
    return _second_cluster


@pytest.fixture(scope="session")
def server_url(database_url: str) -> Iterator[str]:
    """The address of the running service with the shipped data."""
    with running(Settings(port=free_port()), database_url) as address:
        yield address


@pytest.fixture(scope="session")
def client(server_url: str) -> Iterator[httpx.Client]:
    """An HTTP client of the running service."""
    with httpx.Client(base_url=server_url, timeout=30) as client:
        yield client


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start services with other settings: ``serve(database_url, public_url=…)`` gives the address."""
    stack = []

    def start(database_url: str, **settings: object) -> str:
        context = running(Settings(port=free_port(), **settings), database_url)
        stack.append(context)
        return context.__enter__()

    yield start
    for context in reversed(stack):
        context.__exit__(None, None, None)
