"""What taking data in tells while it goes on, and at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from layers.merge import Merged
from layers.sources import Rejected


class Progress(Protocol):
    """Told how far a long work is; ``step`` is a layer's id or ``directory``."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """Take note of ``done`` of ``total`` rows."""


@dataclass
class Report:
    """What became of every row of a data file: ``read`` is the sum of inserted, updated, unchanged and rejected."""

    layer: str
    dataset: str
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    repaired: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether any stored row is now different."""
        return bool(self.inserted or self.updated or self.deleted)

    def count(self, merged: Merged, deleted: int) -> None:
        """Take over the counts of a merge."""
        self.inserted, self.updated, self.unchanged = merged.inserted, merged.updated, merged.unchanged
        self.deleted = deleted
