"""``./casamaps doctor`` and ``settings``: what is there, what is missing, how to get it."""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from api.cli import assets, bootstrap, packages
from api.cli.console import err, say, sentence
from api.cli.database import cluster_version
from api.cli.up import listen
from api.settings import Settings, load_settings
from geo.errors import CasaMapsError, SetupError
from layers import home
from layers.datadir import Lock
from layers.hours.clock import rules
from layers.postgres import find_server

#: ``there``; ``later``: the command that needs it brings it; ``missing``: ``up`` can't work so.
State = Literal["there", "later", "missing"]
_SIGNS: dict[State, str] = {"there": "[green]✓[/]", "later": "[yellow]·[/]", "missing": "[red]✗[/]"}
ENOUGH_SPACE = 2_000_000_000


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report, with what to do where something is missing."""

    state: State
    subject: str
    text: str
    remedy: str = ""


def _failed(subject: str, error: CasaMapsError) -> Finding:
    first, *rest = sentence(error.code, error.params).strip().splitlines()
    return Finding("missing", subject, first, "\n".join(rest))


def _python() -> Iterator[Finding]:
    text = f"Python {platform.python_version()}"
    if bootstrap.is_current("runtime"):
        yield Finding("there", "python", f"{text}, {say('doctor.locked')}")
    else:
        yield Finding("later", "python", f"{text}, {say('doctor.unlocked')}")
    current = bootstrap.is_current("test")
    yield Finding("there" if current else "later", "python-test", say("doctor.there" if current else "doctor.by_test"))


def _postgres(settings: Settings) -> Finding:
    if settings.database_url:
        from layers.external import check_database

        try:
            check_database(settings.database_url, create=False)
        except SetupError as error:
            return _failed("postgres", error)
        return Finding("there", "postgres", say("doctor.own_database"))
    try:
        server = find_server(cluster_version(settings))
    except SetupError as error:
        names = " ".join(name for _, name in packages.missing(["postgres"], cluster_version(settings)))
        if packages.privilege(ask=False) is not None:
            return Finding("later", "postgres", say("doctor.packages_by_up", names=names))
        if shutil.which("apt-get"):
            return Finding(
                "missing", "postgres", say("doctor.packages", names=names), f"sudo {packages.APT_LINE} {names}"
            )
        return _failed("postgres", error)
    return Finding("there", "postgres", f"PostgreSQL {server.version}, PostGIS {server.postgis}")


def _browser() -> Iterator[Finding]:
    system = assets.system_node()
    if system:
        yield Finding("there", "node", f"Node {system[1]} ({system[0]})")
    elif assets.packaged_node():
        yield Finding("there", "node", say("doctor.node_packaged"))
    else:
        yield Finding("later", "node", say("doctor.node_by_up", oldest=str(assets.OLDEST_NODE)))
    current = assets.is_current()
    yield Finding("there" if current else "later", "assets", say("doctor.there" if current else "doctor.by_up"))


def _tests() -> Finding:
    lacking = [name for _, name in packages.missing(["test"])]
    if not lacking:
        return Finding("there", "tests", say("doctor.tests_there"))
    text = say("doctor.tests_missing", names=" ".join(lacking))
    remedy = "" if packages.privilege(ask=False) is not None else f"sudo {packages.APT_LINE} {' '.join(lacking)}"
    return Finding("later", "tests", text, remedy)


def _data(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    if os.access(folder, os.W_OK | os.X_OK):
        free = shutil.disk_usage(folder).free
        state: State = "there" if free > ENOUGH_SPACE else "missing"
        text = say("doctor.space", path=settings.data_dir, free=free / 1e9)
        yield Finding(state, "data", text, "" if state == "there" else say("doctor.space_remedy"))
    else:
        yield Finding("missing", "data", say("doctor.unwritable", path=settings.data_dir), say("doctor.data_remedy"))
    if settings.database_url:
        return
    holder = Lock(settings.data_dir).holder()
    cluster = home.find(settings.data_dir)
    if holder:
        yield Finding("there", "cluster", say("doctor.cluster_running", label=holder.label, pid=str(holder.pid)))
    elif cluster:
        yield Finding("there", "cluster", say("doctor.cluster_stopped", path=cluster))
    else:
        yield Finding("later", "cluster", say("doctor.cluster_none"))


def _port(settings: Settings) -> Finding:
    try:
        listen(settings).close()
    except SetupError as error:
        holder = Lock(settings.data_dir).holder()
        if holder and settings.base_url in holder.label:
            return Finding("there", "port", say("doctor.port_ours", address=settings.base_url))
        return _failed("port", error)
    return Finding("there", "port", say("doctor.port_free", host=settings.host, port=str(settings.port)))


def _clock(settings: Settings) -> Finding:
    now = f"{dt.datetime.now(settings.zone):%H:%M}"
    used, machine = rules()
    text = say("doctor.clock", zone=settings.time_zone, now=now, rules=used)
    if machine != used:
        text += say("doctor.clock_old", machine=machine or "?")
    return Finding("there", "clock", text)


def findings(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one after the other."""
    yield from _python()
    yield _postgres(settings)
    yield from _browser()
    yield from _data(settings)
    yield _port(settings)
    yield _clock(settings)
    yield _tests()


def doctor(settings: Settings) -> int:
    """Print what is there and what is missing; return 0 if ``up`` can work."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    worst = 0
    for finding in findings(settings):
        subject = say(f"doctor.subject.{finding.subject}")
        console.print(f"{_SIGNS[finding.state]} {escape(subject):<20} {escape(finding.text)}")
        for line in finding.remedy.splitlines():
            console.print(f"  {'':<20} {line}", markup=False)
        worst = max(worst, int(finding.state == "missing"))
    console.print()
    console.print(say("doctor.bad" if worst else "doctor.good"), markup=False)
    return worst


def show_settings() -> None:
    """Print all settings with their values, defaults and help."""
    from rich.console import Console
    from rich.table import Table

    try:
        current: Settings | None = load_settings()
    except SetupError as error:
        from api.cli.console import show_error

        show_error(error)
        current = None
    table = Table(say("settings.name"), say("settings.value"), say("settings.help"), box=None, pad_edge=False)
    for name, field in Settings.model_fields.items():
        value = getattr(current, name) if current else field.default
        default = str(field.default)
        shown = _hide_password(str(value)) or "-"
        if str(value) != default:
            shown += f"\n({say('settings.default', value=default or '-')})"
        table.add_row(f"CASAMAPS_{name.upper()}", shown, str(field.description))
    width = None if sys.stdout.isatty() else 200
    Console(highlight=False, width=width, markup=False).print(table)
    err().print()


def _hide_password(text: str) -> str:
    from layers.external import without_password

    return without_password(text)
