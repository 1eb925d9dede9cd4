"""``./casamaps bench``: measures the service on a million features, beside the least that could answer."""

from __future__ import annotations

import sys

from api.cli import assets
from api.cli.database import say_packages
from api.cli.packages import ensure
from api.cli.test import environment, run


def bench(arguments: list[str]) -> int:
    """Bring what the benchmarks need, run them, and return the exit status: 0 if all goals are reached."""
    # A map is moved in a browser, which other parts can do without.
    named = [word for word in arguments if word.isalpha()]
    browser = {"test"} if "panning" in named or not named else set()
    ensure({"postgres", "bench", *browser}, say_packages, assets.LOG, ask=True)
    return run([sys.executable, "-m", "tests.benchmarks", *arguments], environment())
