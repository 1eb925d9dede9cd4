"""Says which opening hours of a data file are not understood."""

from __future__ import annotations

from collections.abc import Iterable

from layers.hours.syntax import is_understood

#: Values that are named one by one.
SHOWN = 20
#: Characters of a value that are shown.
_WIDTH = 120


def misunderstood(values: Iterable[tuple[str, object]]) -> list[tuple[str, dict[str, object]]]:
    """Return notes on the values, given with their rows' ids, that are not understood: each once, with an id."""
    rows: dict[str, list[str]] = {}
    for key, value in values:
        if isinstance(value, str):
            rows.setdefault(value, []).append(key)
    wrong = [(value, keys) for value, keys in rows.items() if not is_understood(value)]
    notes: list[tuple[str, dict[str, object]]] = [
        ("ingest.hours-not-understood", {"value": value[:_WIDTH], "id": keys[0], "count": len(keys)})
        for value, keys in wrong[:SHOWN]
    ]
    if len(wrong) > SHOWN:
        notes.append(("ingest.hours-not-understood-more", {"count": len(wrong) - SHOWN}))
    return notes
