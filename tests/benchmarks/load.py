"""Load, from programs that nobody here wrote: wrk asks a server, pgbench asks PostgreSQL."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from layers.database import Statement

#: Questions at the same time.
CLIENTS = 8
# Each thread of wrk goes through all paths again and again.
_SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local number = 0
request = function()
  number = number %% #paths + 1
  return wrk.format("GET", paths[number])
end
done = function(summary, latency)
  print("Within: " .. latency:percentile(50) .. " " .. latency:percentile(95) .. " " .. summary.requests)
end
"""


class LoadError(Exception):
    """A measurement that measured something else."""


def ask_server(address: str, paths: Sequence[str], seconds: int) -> float:
    """Return the answers a second that a server gives to a list of paths.

    Raises
    ------
    LoadError
        When not all of the answers were good.
    """
    return float(_asked(address, paths, seconds, r"Requests/sec:\s+([\d.]+)")[1])


def wait_for_server(address: str, paths: Sequence[str], seconds: int) -> tuple[float, float, int]:
    """Return within how many milliseconds half of the answers came, and 19 of 20, and how many they were.

    Raises
    ------
    LoadError
        When not all of the answers were good.
    """
    found = _asked(address, paths, seconds, r"Within: ([\d.]+) ([\d.]+) (\d+)")
    return float(found[1]) / 1000, float(found[2]) / 1000, int(found[3])


def _asked(address: str, paths: Sequence[str], seconds: int, wanted: str) -> re.Match[str]:
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder, "paths"), Path(folder, "ask.lua")
        listed.write_text("\n".join(paths), encoding="utf-8")
        script.write_text(_SCRIPT % listed, encoding="utf-8")
        done = subprocess.run(
            ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "-s", str(script), address],
            capture_output=True, text=True, check=True, timeout=seconds + 60,
        )  # fmt: skip
    found = re.search(wanted, done.stdout)
    if found is None or re.search(r"Non-2xx|Socket errors", done.stdout):
        raise LoadError(done.stdout + done.stderr)
    return found


def _socket_of(url: str) -> tuple[str, str, str]:
    """Return host, user and database of an address."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query)["host"][0]
    return host, parts.username or "", parts.path.lstrip("/")


def ask_database(
    program: Path, url: str, statement: Statement, variables: Mapping[str, str], options: str, seconds: int
) -> float:
    """Return the answers a second that PostgreSQL gives to a prepared statement.

    Parameters
    ----------
    program : Path
        ``pgbench``.
    variables : mapping
        What ``\\set`` computes for each parameter of the statement, and for whatever they need, in order.
    options : str
        Settings of the sessions, as ``PGOPTIONS`` has them.
    """
    sql = statement.sql
    for number, name in reversed(list(enumerate(statement.names, 1))):
        sql = sql.replace(f"${number}", f" :{name} ")
    lines = [f"\\set {name} {value}" for name, value in variables.items()]
    host, user, database = _socket_of(url)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "ask.sql")
        script.write_text("\n".join([*lines, " ".join(sql.split()) + ";", ""]), encoding="utf-8")
        done = subprocess.run(
            [str(program), "-h", host, "-U", user, "-n", "-M", "prepared", f"-c{CLIENTS}", "-j2", f"-T{seconds}",
             "-f", str(script), database],
            capture_output=True, text=True, check=False, timeout=seconds + 60, env={"PGOPTIONS": options},
        )  # fmt: skip
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None or "aborted" in done.stderr:
        raise LoadError(done.stdout + done.stderr)
    return float(found[1])
