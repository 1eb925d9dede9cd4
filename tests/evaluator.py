"""An evaluator of opening hours that we did not write: opening_hours.js, run by Node for many values at once."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from api.cli import assets

FOLDER = Path(__file__).parent / "opening_hours"
#: A clock that never changes; opening_hours.js takes all days for 24 hours, and errs by one around a change.
AHEAD = dt.timezone(dt.timedelta(hours=1))
CASABLANCA = (33.573, -7.6)


def read_values(name: str) -> list[str]:
    """Return the values of a file, one a line; ``#`` begins a heading."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def evaluate(
    values: Sequence[str], times: Sequence[dt.datetime], country: str = "ma", place: tuple[float, float] = CASABLANCA
) -> list[str | None]:
    """Return for each value a letter for each time of the clock on the wall, or None where it does not parse.

    The letters are ``o`` (open), ``c`` (closed) and ``u`` (unknown).
    """
    assets.Installation(dev=True).finish()
    system = assets.system_node()
    node = system[0] if system else str(assets.packaged_node())
    given = {
        "folder": str(assets.WEB / "node_modules" / "opening_hours"),
        "country": country,
        "lat": str(place[0]),
        "lon": str(place[1]),
        "values": list(values),
        "instants": [time.replace(tzinfo=AHEAD).isoformat() for time in times],
    }
    done = subprocess.run(
        [node, str(FOLDER / "evaluator.cjs")],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TZ": "Etc/GMT-1"},
        timeout=120,
    )
    found: list[str | None] = json.loads(done.stdout)
    return found
