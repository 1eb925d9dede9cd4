"""What the search finds of sets of questions whose answers are known: one way to count, for tests and benchmarks.

A set is a CSV file of ``tests/search``: ``query``, ``expected`` (``kind/id``; several that are equally right between
``|``, none for nothing), ``case``. The city's own data is asked.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "search"
#: Parts of a set that must be right: the first result, and one of the first five.
FIRST, FIVE = 0.90, 0.98
SHOWN = 5


@dataclass
class Recall:
    """How much of a set was found: ``first`` and ``five`` count rows, ``wrong`` has those whose first is not right."""

    name: str
    count: int = 0
    first: int = 0
    five: int = 0
    wrong: list[tuple[str, str, list[str]]] = field(default_factory=list)

    @property
    def shares(self) -> tuple[float, float]:
        """Parts of the rows whose first result is right, and that have a right one among the first five."""
        return self.first / self.count, self.five / self.count

    @property
    def holds(self) -> bool:
        """Whether the set is found as well as the search is held to."""
        return self.shares[0] >= FIRST and self.shares[1] >= FIVE


def recall_sets() -> list[Path]:
    """Return the files of all sets."""
    return sorted(FOLDER.glob("recall*.csv"))


def read_set(file: Path) -> list[dict[str, str]]:
    """Return the rows of a set."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def keys(features: Sequence[dict[str, Any]]) -> list[str]:
    """Return the features of an answer as sets name them."""
    return [f"{one['properties']['kind']}/{one['properties']['id']}" for one in features]


def evaluate(file: Path, ask: Callable[[str], Sequence[dict[str, Any]]]) -> Recall:
    """Ask for each row of a set; ``ask`` gives the first five features that a text finds."""
    found = Recall(file.stem)
    for row in read_set(file):
        got = keys(ask(row["query"]))[:SHOWN]
        # Where nothing is right, nothing must be found.
        ranked = got if row["expected"] else got or [""]
        right = set(row["expected"].split("|"))
        found.count += 1
        found.first += bool(right & {*ranked[:1]})
        found.five += bool(right & {*ranked})
        if not right & {*ranked[:1]}:
            found.wrong.append((row["query"], row["expected"], got))
    return found
