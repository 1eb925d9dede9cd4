"""One PostgreSQL server process over one data directory: start, find again, stop."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from geo.errors import SetupError
from layers.account import Account
from layers.postgres import Server, clean_environment

_PID_LINE, _SOCKET_LINE, _STATUS_LINE = 0, 4, 7
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Running:
    """A server that answers: its process and the folder of its socket."""

    pid: int
    socket_dir: Path


@contextmanager
def _signals_held() -> Iterator[None]:
    # Between the birth of the server and our note of it, no Ctrl-C may take us away from it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _without_interrupting(pid: int) -> None:
    """Have the server's processes wait for a core instead of interrupting who has it, as far as the system can.

    The service wakes one of them with each question and would at once have to make room for it, on few cores more than
    once a question.
    """
    if hasattr(os, "sched_setscheduler"):
        with suppress(OSError):  # it may have ended, which is told below, or the system may forbid it
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))


def _serves(process: Path, data: Path) -> bool:
    try:
        return (process / "cwd").readlink() == data and "postgres" in (process / "exe").readlink().name
    except OSError:  # it has just ended, or is somebody else's
        return False


class Postmaster:
    """The server over ``data``; knows it again after a crash of this program, by the kernel's own word."""

    def __init__(self, data: Path, account: Account) -> None:
        self.data = data
        self.account = account
        self._child: subprocess.Popen[bytes] | None = None

    def alive(self) -> bool:
        """Tell whether the server that we started is still there."""
        return self._child is not None and self._child.poll() is None

    def processes(self) -> set[int]:
        """Return all server processes over this data directory, orphans too.

        A number in ``postmaster.pid`` proves nothing, the kernel may have given it to another process since; every
        server process has the data directory as its current one.
        """
        data = self.data.resolve()
        found = {
            int(process.name)
            for process in Path("/proc").iterdir()
            if process.name.isdigit() and _serves(process, data)
        }
        # Just born, it has not gone to its directory yet.
        return found | ({self._child.pid} if self._child is not None and self._child.poll() is None else set())

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []

    def _postmaster(self) -> int | None:
        lines = self._pid_file()
        if not lines or not lines[_PID_LINE].strip().isdigit():
            return None
        pid = int(lines[_PID_LINE])
        return pid if pid in self.processes() else None

    def running(self) -> Running | None:
        """Return the server if it is there and has said that it is ready."""
        lines = self._pid_file()
        pid = self._postmaster()
        if pid is None or len(lines) <= _STATUS_LINE or lines[_STATUS_LINE].strip() != "ready":
            return None
        return Running(pid, Path(lines[_SOCKET_LINE].strip()))

    def last_socket_dir(self) -> Path | None:
        """Return the socket's folder that the last server of this data directory used, as far as it left word."""
        lines = self._pid_file()
        return Path(lines[_SOCKET_LINE].strip()) if len(lines) > _SOCKET_LINE else None

    def start(self, server: Server, socket_dir: Path, log: Path, waiting: Callable[[], None]) -> None:
        """Start the server and wait until it is ready; recovery after a crash may take its time.

        Raises
        ------
        SetupError
            If it ends instead, with the last lines of its log.
        """
        with log.open("wb") as output, _signals_held():
            # A session of its own: Ctrl-C on the terminal must reach us alone, we stop the server in order.
            self._child = subprocess.Popen(  # noqa: S603 - our own server
                [str(server.bin / "postgres"), "-D", str(self.data), "-c", f"unix_socket_directories={socket_dir}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=clean_environment(),
                umask=0o077,
                start_new_session=True,
                **self.account.identity(),
            )
            _without_interrupting(self._child.pid)
        while self.running() is None:
            if self._child.poll() is not None:
                raise self._failure(log)
            waiting()
            time.sleep(0.03)

    def _failure(self, log: Path) -> SetupError:
        own = sorted((self.data / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        lines: list[str] = []
        for path in [log, *own[-1:]]:
            lines += path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        text = "\n".join(lines)
        code = "setup.disk" if "No space left on device" in text else "setup.cluster_start"
        important = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "ERROR", "error:"))]
        return SetupError(code, reason=(important or lines or ["?"])[-1].strip(), path=str(log), log=text)

    def stop(self) -> None:
        """Stop the server and wait for its end: politely, then firmly; never by SIGKILL, which would cost a recovery.

        Raises
        ------
        SetupError
            If it doesn't end.
        """
        for number, seconds in ((signal.SIGINT, 30.0), (signal.SIGQUIT, 15.0)):
            pids = self.processes()
            if not pids:
                break
            postmaster = self._postmaster() or (self._child.pid if self._child and self._child.poll() is None else None)
            # Orphans, without their postmaster, are asked one by one; SIGINT would only cancel their queries. They have
            # no reason to stay, but for a lock whose holder is dead: for that they need not be given long.
            asked = {postmaster: number} if postmaster else dict.fromkeys(pids, signal.SIGTERM)
            for pid, how in asked.items():
                with suppress(ProcessLookupError):
                    os.kill(pid, how)
            end = time.monotonic() + (seconds if postmaster else 3.0)
            while self.processes() and time.monotonic() < end:
                time.sleep(0.03)
        if self.processes():
            raise SetupError("setup.cluster_stop", pids=", ".join(map(str, sorted(self.processes()))))
        if self._child is not None:
            self._child.wait()
            self._child = None

    def forget(self) -> None:
        """Remove a ``postmaster.pid`` whose server is gone.

        PostgreSQL keeps away when another process of the same account has got the number since.
        """
        if not self.processes():
            (self.data / "postmaster.pid").unlink(missing_ok=True)
