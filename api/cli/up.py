"""``./casamaps up``: database, migrations, shipped data, browser packages, then the server."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from api.cli import assets
from api.cli.console import bars, done, note, say, set_up_logging
from api.cli.database import open_database
from api.cli.signals import SIGNALS, ignore_signals, is_ignored
from api.settings import PROJECT, Settings
from geo.errors import SetupError

if TYPE_CHECKING:
    from layers.ingest import Report

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
        taken = error.errno in (98, 48)
        reason = error.strerror or str(error)
        raise SetupError(
            "setup.port" if taken else "setup.host", host=settings.host, port=str(settings.port), reason=reason
        ) from error
    return listener


def load(settings: Settings, url: str) -> None:
    """Apply migrations and shipped data that have changed."""
    from layers.ingest import load_shipped
    from layers.migrate import upgrade

    upgrade(url)
    with bars() as progress:
        reports = load_shipped(url, DATA, progress)
    for report in reports:
        show_report(report)


def show_report(report: Report) -> None:
    """Print what became of a data set, in one line, and each row that was not taken."""
    from api.cli.console import err, sentence

    done(
        "report",
        layer=report.layer,
        read=report.read,
        inserted=report.inserted,
        updated=report.updated,
        unchanged=report.unchanged,
        deleted=report.deleted,
    )
    console = err()
    if report.repaired:
        note("repaired", count=report.repaired)
    for code, params in report.notes:
        console.print(f"    {sentence(code, params)}", markup=False)
    for row in report.rejected[:20]:
        console.print(
            "    " + say("rejected", row=str(row.row), id=row.id, reason=sentence(row.code, row.params)), markup=False
        )
    if len(report.rejected) > 20:
        console.print("    " + say("rejected_more", count=len(report.rejected) - 20), markup=False)


def serve(settings: Settings, url: str) -> None:
    """Run the server until a signal ends it."""
    import uvicorn

    from api.app import create_app

    class Server(uvicorn.Server):
        """Says when it is ready, and ends at the first signal of any kind."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            announce(settings)

        @contextmanager
        def capture_signals(self) -> Generator[None]:
            def end(number: int, frame: FrameType | None) -> None:
                ignore_signals()
                self.should_exit = True

            for number in SIGNALS:
                if not is_ignored(number):
                    signal.signal(number, end)
            yield

    config = uvicorn.Config(
        create_app(settings, url),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # an address line holds people's positions
        server_header=False,
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
            load(settings, url)
            packages.finish()
            done("prepared", seconds=round(time.monotonic() - begun, 1))
            serve(settings, url)
            note("stopping")
    finally:
        packages.cancel()


def ingest(
    settings: Settings,
    layer: str,
    file: Path | None,
    *,
    dataset: str | None,
    srid: int | None,
    source_layer: str | None,
) -> None:
    """Take a file into a layer, or the layer's shipped data again."""
    from geo.errors import IngestError
    from layers.definition import load_definition, load_definitions
    from layers.ingest import ingest_file
    from layers.migrate import upgrade

    caller = Path(os.environ.get("CASAMAPS_CWD", "."))
    if layer.endswith((".yaml", ".yml")):
        definition = load_definition(caller / layer)
    else:
        known = load_definitions(DATA / "layers")
        if layer not in known:
            raise IngestError("ingest.layer-unknown", layer=layer, allowed=", ".join(sorted(known)))
        definition = known[layer]
    shipped = file is None
    if file is None:
        if not definition.data.file:
            raise IngestError("ingest.no-shipped-data", layer=definition.id)
        file, dataset = DATA / definition.data.file, dataset or "shipped"
    with open_database(settings, f"ingest {definition.id}", share=True) as url:
        upgrade(url)
        with bars() as progress:
            report = ingest_file(
                url,
                definition,
                file if shipped else caller / file,
                dataset=dataset,
                srid=srid,
                source_layer=source_layer,
                data_dir=DATA,
                progress=progress,
            )
        show_report(report)
