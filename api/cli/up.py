"""``./casamaps up``: database, migrations, shipped data, browser packages, then the server."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from api.cli import assets
from api.cli.console import bars, done, note, say, set_up_logging
from api.cli.database import open_database
from api.cli.signals import SIGNALS, ignore_signals, is_ignored
from api.settings import PROJECT, Settings
from geo.errors import SetupError

DATA = PROJECT / "data"


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens on the chosen address.

    Raises
    ------
    SetupError
        If the address is taken, or isn't one of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind(address)
            listener.listen(1024)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = error.strerror or str(error)
        raise SetupError(
            "setup.port" if taken else "setup.host", host=settings.host, port=str(settings.port), reason=reason
        ) from error
    return listener


def load(url: str) -> None:
    """Apply migrations and shipped data that have changed."""
    from api.cli.ingest import show_report
    from layers.hours.store import extend
    from layers.migrate import upgrade
    from layers.shipped import load_shipped

    upgrade(url)
    with bars() as progress:
        reports = load_shipped(url, DATA, progress)
    for report in reports:
        show_report(report)
    extend(url, DATA)


def serve(settings: Settings, url: str) -> None:
    """Run the server until a signal ends it."""
    import uvicorn

    from api.app import create_app
    from api.wire import Protocol

    class Server(uvicorn.Server):
        """Says when it is ready, and ends at the first signal of any kind."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            announce(settings)

        @contextmanager
        def capture_signals(self) -> Generator[None]:
            def end(_number: int, _frame: FrameType | None) -> None:
                ignore_signals()
                self.should_exit = True

            for number in SIGNALS:
                if not is_ignored(number):
                    signal.signal(number, end)
            yield

    config = uvicorn.Config(
        create_app(settings, url),
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # an address line holds people's positions
        server_header=False,
        proxy_headers=False,  # our address is a setting, and nobody's address is kept
        timeout_keep_alive=15,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=64 * 1024,
    )
    with listen(settings) as listener:
        Server(config).run(sockets=[listener])


def announce(settings: Settings) -> None:
    """Print the address: the one line that the command is about."""
    local = f"http://{'127.0.0.1' if settings.host in ('0.0.0.0', '::') else settings.host}:{settings.port}"
    print(say("ready", address=settings.base_url), flush=True)
    if settings.public_url:
        print(say("ready_local", address=local), flush=True)
    if sys.stdout.isatty():
        note("stop_hint")


def up(settings: Settings) -> None:
    """Bring everything up, serve, and take everything down again."""
    begun = time.monotonic()
    listen(settings).close()  # a taken port shows now, not after a minute of setting up
    set_up_logging(settings.data_dir)
    packages = assets.Installation()
    try:
        with open_database(settings, f"up, {settings.base_url}") as url:
            if packages.needed:
                note("assets")
            load(url)
            packages.finish()
            done("prepared", seconds=round(time.monotonic() - begun, 1))
            serve(settings, url)
            note("stopping")
    finally:
        packages.cancel()
