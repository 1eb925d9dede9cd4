"""``./casamaps bench``: measures the service on a million features, beside the least that could answer."""

from __future__ import annotations

import sys

from api.cli import assets
from api.cli.database import say_packages
from api.cli.packages import ensure
from api.cli.test import environment, run


def bench(arguments: list[str]) -> int:
    """Bring what the benchmarks need, run them, and return the exit status: 0 if all goals are reached."""
    ensure({"postgres", "bench"}, say_packages, assets.LOG, ask=True)
    return run([sys.executable, "-m", "tests.benchmarks", *arguments], environment())
