"""Packages of the operating system: what is missing, and apt-get to bring it, where that is allowed.

The launcher runs this module with the machine's own Python, beside the making of the environment: nothing but the
standard library here.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from geo.errors import SetupError
from layers.postgres import OLDEST, installed_servers

PROJECT = Path(__file__).resolve().parents[2]
#: Told which packages are about to be installed.
Say = Callable[[list[str]], None]

# Root's part, in one script so that sudo is asked once. Debian's package would make and start a cluster of its own; it
# is told not to for as long as we install, and whoever administers the machine keeps the setting that was there.
_ROOT_SCRIPT = r"""
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
update=$1; shift
folder=/etc/postgresql-common/createcluster.d
made=
if [ -z "$(ls /etc/postgresql 2>/dev/null)" ]; then
    [ -d "$folder" ] || made=$folder
    mkdir -p "$folder"
    trap 'rm -f "$folder/casamaps.conf"; [ -z "$made" ] || rmdir "$made" 2>/dev/null || :' EXIT
    echo 'create_main_cluster = false' >"$folder/casamaps.conf"
fi
# An installation that was killed half-way is finished first, as apt-get would only tell us to.
[ -z "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] || dpkg --configure -a
install() { apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "$@"; }
[ "$update" = no ] || apt-get -q update
[ "$#" = 0 ] || install "$@" || { apt-get -q update && install "$@"; }
"""

#: The Python that the system's packages, such as QGIS, belong to.
SYSTEM_PYTHON = "/usr/bin/python3"
APT_LINE = "apt-get install --no-install-recommends"


def _output(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs of the machine
            command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _candidates(pattern: str) -> set[str]:
    lines = _output("apt-cache", "search", "--names-only", pattern).splitlines()
    return {line.split()[0] for line in lines if line.strip()}


def _postgres_packages(major: int | None) -> list[str]:
    """Return the packages that bring a server with PostGIS: for the server that is there, else the newest on offer."""
    offered = {
        int(match[1])
        for name in _candidates(r"^postgresql-[0-9]+-postgis-3$")
        if (match := re.fullmatch(r"postgresql-(\d+)-postgis-3", name)) and int(match[1]) >= OLDEST
    }
    installed = [server.major for server in installed_servers()]
    wanted = (
        [major] if major else [*(number for number in installed if number in offered), *sorted(offered, reverse=True)]
    )
    for number in wanted:
        if number in offered:
            names = [f"postgresql-{number}-postgis-3"]
            return names if number in installed else [f"postgresql-{number}", *names]
    return []


def has_arabic_font() -> bool:
    """Tell whether the machine has a font with Arabic letters."""
    return bool(_output("fc-list", ":lang=ar", "file").strip())


def _has_library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def has_qgis() -> bool:
    """Tell whether the machine has QGIS with its Python modules."""
    return bool(_output(SYSTEM_PYTHON, "-c", "import qgis.core; print(qgis.core.Qgis.QGIS_VERSION_INT)").strip())


def find_chromium() -> str | None:
    """Return the path of Debian's Chromium, which the tests drive, or None."""
    return shutil.which("chromium")


def _has_postgres(major: int | None) -> bool:
    return any(
        server.postgis and server.major >= OLDEST and major in (None, server.major) for server in installed_servers()
    )


def missing(kinds: Iterable[str], major: int | None = None) -> list[tuple[str, str]]:
    """Return what is missing as pairs of the kind and the package that brings it.

    Parameters
    ----------
    kinds : iterable of str
        ``postgres`` for the service, ``test`` for the tests, ``thorough`` for what only the thorough run needs,
        ``venv`` for Python environments.
    major : int, optional
        The major version of PostgreSQL that an existing cluster needs.
    """
    found: list[tuple[str, str]] = []
    if "venv" in kinds:
        found.append(("venv", f"python{sys.version_info.major}.{sys.version_info.minor}-venv"))
    if "postgres" in kinds and not _has_postgres(major):
        names = _postgres_packages(major)
        default = f"postgresql-{major}" if major else "postgresql"
        found += [
            ("postgres", name) for name in names or [default, f"{default}-postgis-3" if major else "postgresql-postgis"]
        ]
    if "bench" in kinds and shutil.which("wrk") is None:
        found.append(("bench", "wrk"))
    if "test" in kinds:
        if find_chromium() is None:
            found.append(("test", "chromium"))
        if not has_arabic_font():
            found += [("test", "fonts-noto-core"), ("test", "fontconfig")]
        if not _has_library("libatomic.so.1"):  # the program that drives the browser is linked with it
            found.append(("test", "libatomic1"))
        if shutil.which("ogrinfo") is None:
            found.append(("test", "gdal-bin"))
    if "thorough" in kinds and not has_qgis():
        found.append(("thorough", "python3-qgis"))
    return found


def privilege(*, ask: bool) -> list[str] | None:
    """Return the words that make a command root's: none for root, else sudo; None if this user can't.

    With ``ask``, sudo may ask for a password, on a terminal.
    """
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:  # noqa: S607
        return ["sudo", "-n"]
    return ["sudo"] if ask and sys.stdin.isatty() and sys.stderr.isatty() else None


def _as_root(words: list[str], update: bool, names: list[str], log: Path) -> int:
    """Run root's script; its output goes to the log.

    A signal that ends us is passed on as Ctrl-C: apt-get gives up a download at once, and finishes what dpkg has begun.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - fixed script
            [*words, "/bin/sh", "-c", _ROOT_SCRIPT, "sh", "yes" if update else "no", *names],
            stdin=None if words == ["sudo"] else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=words != ["sudo"],  # sudo must see the terminal to ask for the password
        )
        try:
            return process.wait()
        except BaseException:
            with suppress(ProcessLookupError, PermissionError):  # ended, or sudo's: it passes Ctrl-C on
                os.killpg(os.getpgid(process.pid), signal.SIGINT)
            process.wait()
            raise


def ensure(kinds: set[str], say: Say, log: Path, *, major: int | None = None, ask: bool = False) -> None:
    """Install what is missing of some kinds.

    Raises
    ------
    SetupError
        ``setup.packages`` if this user may not install, ``setup.packages_other`` if the system isn't Debian's kind,
        ``setup.apt`` if apt-get fails.
    """
    lacking = missing(kinds, major)
    if not lacking:
        return
    words = privilege(ask=ask)
    names = [name for _, name in lacking]
    if words is None:
        code = "setup.packages" if shutil.which("apt-get") else "setup.packages_other"
        raise SetupError(code, packages=", ".join(names), remedy=f"sudo {APT_LINE} {' '.join(names)}")
    log.parent.mkdir(parents=True, exist_ok=True)
    if any(name not in _candidates(f"^{re.escape(name)}$") for name in names):
        # The machine has no lists of packages, or old ones.
        say([])
        _as_root(words, True, [], log)
        names = [name for _, name in missing(kinds, major)]
    say(names)
    status = _as_root(words, False, names, log)
    left = [name for _, name in missing(kinds - {"venv"}, major)]
    if status != 0 or left:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()
        reason = next((line for line in reversed(tail) if line.startswith(("E:", "dpkg: error"))), (tail or ["?"])[-1])
        raise SetupError(
            "setup.apt", packages=" ".join(names), reason=reason, path=str(log), remedy=f"{APT_LINE} {' '.join(names)}"
        )


def say_plainly(names: list[str]) -> None:
    """Say on standard error what is about to be installed."""
    text = f"installing {' '.join(names)} (apt-get)" if names else "fetching the lists of packages (apt-get)"
    print(f"  · System packages: {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Install the packages of the kinds given, quietly: the command line tells later, and better, what went wrong."""

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        ensure(set(arguments), say_plainly, PROJECT / ".casamaps" / "setup.log")
    except SetupError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
