"""Says which opening hours of a data file are not understood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from layers.definition import LayerDefinition
from layers.hours.syntax import is_understood
from layers.sources import Row

#: The columns of the annuaire that have hours.
HOURS = ("opening_hours", "opening_hours_ramadan")

#: Values that are named one by one.
SHOWN = 20
#: Characters of a value that are shown.
_WIDTH = 120


def hours_of(definition: LayerDefinition, rows: Iterable[Row]) -> Iterator[tuple[str, object]]:
    """Yield the opening hours that rows of a layer have, with their ids."""
    mapped = definition.directory.columns if definition.directory else {}
    names = {name for column, name in mapped.items() if column in HOURS}
    places = [
        place for place, item in enumerate(definition.fields) if item.format == "opening-hours" or item.name in names
    ]
    return ((row.id, row.values[place]) for row in rows for place in places)


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
