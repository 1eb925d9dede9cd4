"""A layer of a million points, made from a seed: the same rows on every machine."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import psycopg

from layers.database import admin_engine
from layers.definition import LayerDefinition, parse_definition
from layers.publish import publish
from layers.tables import apply_definition

SEED = 26191
ROWS = 1_000_000
KINDS = ("bench", "fountain", "kiosk", "lamp", "shelter", "tree")
_BLOCK = 50_000
#: The city and the country around it: west, south, east, north in degrees.
BOX = (-7.9, 33.3, -7.3, 33.8)


def definition(name: str = "street-furniture") -> LayerDefinition:
    """Return the definition of the layer."""
    both = {"fr": "Mobilier urbain", "ar": "أثاث حضري"}
    kinds = {kind: {"fr": kind, "ar": kind} for kind in KINDS}
    fields = [
        *({"name": f"name_{lang}", "label": both, "required": True} for lang in ("fr", "ar")),
        {"name": "kind", "label": both, "values": kinds},
        {"name": "amount", "type": "integer", "label": both},
        {"name": "score", "type": "number", "label": both},
        {"name": "day", "type": "date", "label": both},
    ]
    raw = {
        "id": name, "title": both, "description": both, "theme": "other", "source": both, "attribution": both,
        "geometry": {"type": "Point", "srid": 4326, "quality": "surveyed"}, "style": {"colour": "#112233"},
        "coverage": "complete", "fields": fields, "update": "irregular",
        "licence": {"id": "CC0-1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
    }  # fmt: skip
    return parse_definition(json.dumps(raw), f"{name}.yaml")


def _block(chance: np.random.Generator, first: int, count: int) -> str:
    west, south, east, north = BOX
    lon, lat = chance.uniform(west, east, count).round(7), chance.uniform(south, north, count).round(7)
    kind, amount = chance.integers(0, len(KINDS), count), chance.integers(0, 1000, count)
    score, day = chance.normal(0, 10, count).round(3), chance.integers(1, 28, count)
    lines = []
    for n in range(count):
        number = first + n
        lines.append(
            f"f{number:07}\tMobilier {number}\tأثاث {number}\t{KINDS[kind[n]]}\t{amount[n]}\t{score[n]}"
            f"\t2026-01-{day[n]:02}\tSRID=4326;POINT({lon[n]} {lat[n]})\n"
        )
    return "".join(lines)


def fill(url: str, rows: int, progress: Callable[[int, int], None]) -> LayerDefinition:
    """Make the layer in a migrated database and publish it."""
    made = definition()
    chance = np.random.default_rng(SEED)
    with admin_engine(url).begin() as connection:
        table, _ = apply_definition(connection, made)
        raw: psycopg.Connection[tuple[object, ...]] = connection.connection.driver_connection  # type: ignore[assignment]
        columns = "id, name_fr, name_ar, kind, amount, score, day, geom"
        with raw.cursor().copy(f"COPY features.street_furniture ({columns}) FROM STDIN") as copy:
            for first in range(0, rows, _BLOCK):
                copy.write(_block(chance, first, min(_BLOCK, rows - first)))
                progress(min(first + _BLOCK, rows), rows)
        publish(connection, made, table)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) features.street_furniture")
    return made
