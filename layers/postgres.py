"""Finds the PostgreSQL servers of the machine and the PostGIS that each of them has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from geo.errors import SetupError

OLDEST = 15


@dataclass(frozen=True)
class Server:
    """An installed PostgreSQL server: its programs, its version, and the version of its PostGIS, if any."""

    bin: Path
    major: int
    version: str
    postgis: str | None


def _output(*command: str | Path) -> str:
    try:
        return subprocess.run(  # noqa: S603 - fixed programs of the machine
            [str(part) for part in command], capture_output=True, text=True, timeout=20, check=False, cwd="/"
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _folders() -> list[Path]:
    # Debian keeps each major version in a folder of its own, outside of PATH.
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found += sorted(Path("/usr").glob("pgsql-*/bin"))
    if shutil.which("pg_config"):
        found.append(Path(_output("pg_config", "--bindir") or "/nonexistent"))
    for name in ("postgres", "initdb"):
        program = shutil.which(name)
        if program:
            found.append(Path(program).resolve().parent)
    unique = dict.fromkeys(folder.resolve() for folder in found)
    return [folder for folder in unique if all((folder / name).is_file() for name in ("postgres", "initdb"))]


def _postgis(folder: Path, major: int) -> str | None:
    shares = [
        Path(f"/usr/share/postgresql/{major}") if folder.is_relative_to("/usr/lib/postgresql") else None,
        folder.parent / "share" / "postgresql",
        folder.parent / "share",
    ]
    if (folder / "pg_config").is_file():
        shares.append(Path(_output(folder / "pg_config", "--sharedir") or "/nonexistent"))
    for share in shares:
        control = share / "extension" / "postgis.control" if share else None
        if control and control.is_file():
            match = re.search(r"default_version\s*=\s*'([^']+)'", control.read_text(encoding="utf-8", errors="replace"))
            return match[1] if match else "?"
    return None


def installed_servers() -> list[Server]:
    """Return the servers of this machine, the newest first, whatever their version and with or without PostGIS."""
    servers = []
    for folder in _folders():
        match = re.search(r"(\d+)(?:\.\d+|devel|beta\d+|rc\d+)", _output(folder / "postgres", "--version"))
        if match:
            major = int(match[1])
            servers.append(Server(folder, major, match[0], _postgis(folder, major)))
    return sorted(servers, key=lambda server: server.major, reverse=True)


def find_server(major: int | None = None) -> Server:
    """Return the newest server that has PostGIS, or the one of the major version that an existing cluster needs.

    Raises
    ------
    SetupError
        ``setup.postgres`` if there is none, ``setup.cluster_version`` if there are only servers of other versions.
    """
    servers = [server for server in installed_servers() if server.postgis and server.major >= OLDEST]
    if major is not None:
        servers_of_version = [server for server in servers if server.major == major]
        if not servers_of_version and servers:
            raise SetupError(
                "setup.cluster_version",
                cluster=str(major),
                server=str(servers[0].major),
                remedy=f"apt-get install --no-install-recommends postgresql-{major} postgresql-{major}-postgis-3",
            )
        servers = servers_of_version
    if not servers:
        raise SetupError("setup.postgres", oldest=str(OLDEST))
    return servers[0]


def clean_environment() -> dict[str, str]:
    """Return the environment for the server's programs: nothing of the user's own PostgreSQL settings."""
    return {"PATH": os.defpath, "LC_ALL": "C", "HOME": "/"}
