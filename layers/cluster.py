"""The private PostGIS cluster of an instance: made when missing, found again after a crash, stopped in order."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from geo.errors import SetupError
from layers import home, tuning
from layers.account import Account, make_socket_dir, own_account, remove_socket_dir, server_account
from layers.datadir import LOGS, Holder, Lock, prepare
from layers.postgres import Server, clean_environment, find_server
from layers.postmaster import Postmaster

log = logging.getLogger("casamaps")
#: Seconds between two looks at whether the server lives.
WATCH = 1.0
DATABASE = "casamaps"
ROLE = "casamaps"
SUPERUSER = "postgres"
EXTENSIONS = ("postgis", "pg_trgm", "unaccent")

#: Told what is going on: ``create``, ``recover``, ``start``, ``wait`` or ``database``.
Notice = Callable[[str], None]


def _silent(step: str) -> None:
    """Tell nobody."""


class Cluster:
    """A PostgreSQL cluster with PostGIS that belongs to one data folder.

    Parameters
    ----------
    data_dir : Path
        The instance's data folder; made where missing.
    label : str
        What other commands are told about the one that runs the cluster, such as its address.
    durable : bool
        False for databases that tests throw away: nothing is forced to the disk.

    Attributes
    ----------
    url : str
        Address of the database for its owner ``casamaps``, who is no superuser; empty until it runs.
    """

    def __init__(self, data_dir: Path, *, label: str = "", durable: bool = True) -> None:
        self.data_dir = data_dir.absolute()
        self.url = ""
        self._label = label
        self._durable = durable
        self._lock = Lock(self.data_dir)
        self._postmaster: Postmaster | None = None
        self._socket_dir: Path | None = None

    def start(self, progress: Notice = _silent) -> None:
        """Start the cluster, making or recovering whatever is needed.

        Raises
        ------
        SetupError
            If another command owns the data folder, or the machine lacks something.
        """
        prepare(self.data_dir)
        self._take()
        try:
            self._start(progress)
        except BaseException:
            self.stop()
            raise

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Start the server again, at its old address, whenever it dies within the block."""
        ended = threading.Event()

        def keep() -> None:
            while not ended.wait(WATCH):
                try:
                    self._revive()
                except (SetupError, OSError) as error:
                    log.error("the database server can't be started again: %s", error)

        keeper = threading.Thread(target=keep, name="cluster", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()

    def _revive(self) -> None:
        postmaster, socket_dir = self._postmaster, self._socket_dir
        if postmaster is None or socket_dir is None or postmaster.alive():
            return
        log.warning("the database server has died; it is started again")
        postmaster.stop()
        postmaster.forget()
        server = find_server(_major_version(postmaster.data))
        postmaster.start(server, socket_dir, self.data_dir / LOGS / "postgres-start.log", lambda: None)

    def attach(self, seconds: float = 30) -> bool:
        """Use the server of the command that owns the data folder; False if no command does.

        Raises
        ------
        SetupError
            If that command's server doesn't come up in time.
        """
        end = time.monotonic() + seconds
        while holder := self._lock.holder():
            data = home.find(self.data_dir)
            running = Postmaster(data, own_account()).running() if data else None
            if running is not None:
                self.url = self._url(running.socket_dir)
                return True
            if time.monotonic() > end:
                raise _running(self.data_dir, holder)
            time.sleep(0.1)
        return False

    def stop(self) -> None:
        """Stop the server, if it is ours, and give the data folder free. Safe to call at any time, and twice."""
        if not self._lock.held:
            return
        try:
            if self._postmaster is not None:
                self._postmaster.stop()
                if self._socket_dir is not None:
                    remove_socket_dir(self._socket_dir, self._postmaster.account)
        finally:
            self.url = ""
            self._postmaster = self._socket_dir = None
            self._lock.release()

    def remove(self) -> None:
        """Stop the server and delete the cluster with all that it holds.

        Raises
        ------
        SetupError
            If another command is using it.
        """
        self.stop()
        if not self.data_dir.is_dir():
            return
        self._take()
        try:
            data = home.find(self.data_dir)
            if data is not None:
                self._postmaster = Postmaster(data, server_account(data))
                self._recover(_silent)
            home.remove(self.data_dir)
        finally:
            self._postmaster = None
            self._lock.release()

    def _take(self) -> None:
        if not self._lock.acquire(self._label):
            raise _running(self.data_dir, self._lock.holder())

    def _start(self, progress: Notice) -> None:
        existing = home.find(self.data_dir)
        version = _major_version(existing) if existing else None
        server = find_server(version)
        account = server_account(existing or self.data_dir / "cluster")
        data = home.settle(self.data_dir, account)
        self._postmaster = Postmaster(data, account)
        if version is None:
            progress("create")
            _create(data, account, server, durable=self._durable)
        else:
            self._recover(progress)
        tuning.configure(data, account, {account.name, own_account().name}, durable=self._durable)
        self._socket_dir = make_socket_dir(account)
        logs = self.data_dir / LOGS
        logs.mkdir(exist_ok=True)
        progress("start")
        begun = time.monotonic()
        self._postmaster.start(
            server,
            self._socket_dir,
            logs / "postgres-start.log",
            lambda: progress("wait") if time.monotonic() - begun > 5 else None,
        )
        progress("database")
        self._prepare_database(self._socket_dir)
        self.url = self._url(self._socket_dir)

    def _recover(self, progress: Notice) -> None:
        """Clear what a killed command left: its server, the server's socket and its pid file."""
        assert self._postmaster is not None, "set before"
        if self._postmaster.processes():
            progress("recover")
        left = self._postmaster.last_socket_dir()
        self._postmaster.stop()
        self._postmaster.forget()
        if left is not None:
            remove_socket_dir(left, self._postmaster.account)

    def _url(self, socket_dir: Path) -> str:
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(socket_dir), safe='/')}"

    def _prepare_database(self, socket_dir: Path) -> None:
        """Make role, database and extensions where missing, and lift extensions to the installed versions."""
        import psycopg

        def connect(database: str) -> psycopg.Connection[Any]:
            return psycopg.connect(host=str(socket_dir), port=5432, user=SUPERUSER, dbname=database, autocommit=True)

        with connect(SUPERUSER) as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
                connection.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        with connect(DATABASE) as connection:
            found = connection.execute(
                "SELECT name, installed_version, default_version FROM pg_available_extensions WHERE name = ANY(%s)",
                [list(EXTENSIONS)],
            ).fetchall()
            for name, installed, default in found:
                if installed is None:
                    connection.execute(f"CREATE EXTENSION IF NOT EXISTS {name}")
                elif installed != default:
                    connection.execute(f"ALTER EXTENSION {name} UPDATE")


def _running(data_dir: Path, holder: Holder | None) -> SetupError:
    pid, label = (str(holder.pid), holder.label) if holder else ("?", "?")
    return SetupError("setup.running", path=str(data_dir), pid=pid, label=label)


def _major_version(data: Path) -> int | None:
    """Return the version that made a cluster; None for an empty folder.

    Raises
    ------
    SetupError
        If the folder holds something that is no cluster.
    """
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        if any(data.iterdir()):
            raise SetupError("setup.foreign", path=str(data)) from error
        return None


def _create(data: Path, account: Account, server: Server, *, durable: bool) -> None:
    """Make a new cluster under a temporary name and give it its own when it is whole."""
    parent = data.parent
    home.clear_drafts(parent)  # of an initdb that was interrupted
    draft = parent / f"{data.name}.new-{server.major}"
    draft.mkdir(mode=0o700)
    account.give_file(draft)
    locale = ["--locale=C.UTF-8"]  # the class of letters that trigrams need for Arabic; plain C has ASCII only
    if server.major >= 17:
        # PostgreSQL's own order of letters never changes under an index, the system's may.
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = [
        str(server.bin / "initdb"), "-D", str(draft), "-U", SUPERUSER, "-E", "UTF8", *locale,
        "--auth-local=peer", "--auth-host=reject", "--data-checksums", "--no-instructions",
        *([] if durable else ["--no-sync"]),
    ]  # fmt: skip
    try:
        status, errors = _run_initdb(command, account)
        if status != 0:
            reasons = re.findall(r"(?:error|FATAL|PANIC): *(.+)", errors) or errors.splitlines()[-1:] or ["?"]
            code = "setup.disk" if "No space left on device" in errors else "setup.cluster_create"
            raise SetupError(code, reason=reasons[0], path=str(parent), log=errors)
        if data.is_dir():
            data.rmdir()  # empty: looked at before
        draft.rename(data)
    except BaseException:
        home.clear_drafts(parent)
        raise


def _run_initdb(command: list[str], account: Account) -> tuple[int, str]:
    """Run initdb in a session of its own; when we are interrupted it ends with all that it started."""
    process = subprocess.Popen(  # noqa: S603 - our own server
        command,
        cwd="/",
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        umask=0o077,
        **account.identity(),
    )
    try:
        _, errors = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, errors
