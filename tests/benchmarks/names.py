"""A layer of generated names for the search: a million points whose names are drawn from distinct words.

The words are made of syllables, French and Arabic ones for the two names, and drawn as words of names are: few of them
often, most of them seldom.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import psycopg

from layers.database import admin_engine
from layers.definition import LayerDefinition, parse_definition
from layers.publish import publish
from layers.shipped import refresh_search
from layers.tables import apply_definition
from tests.benchmarks.million import BOX, SEED, definition
from tests.conftest import DATA

#: Distinct words of each language.
WORDS = 12_000
LAYER = "named-things"
_BLOCK = 50_000
_LATIN = [a + b for a in (*"bcdfghjklmnrstz", "ch") for b in (*"aeiou", "ai", "an", "ou")]
_ARABIC = [a + b for a in "بتجحدرزسشصطعفقكلمنه" for b in ("ا", "ي", "و", "")]
_KINDS = (("Rue", "زنقة"), ("Résidence", "إقامة"), ("Café", "مقهى"), ("École", "مدرسة"), ("Pharmacie", "صيدلية"))


def lexicon(chance: np.random.Generator, syllables: list[str]) -> list[str]:
    """Return distinct words of two to four syllables."""
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(chance.choice(syllables, chance.integers(2, 5)))] = None
    return list(found)


def names_layer() -> LayerDefinition:
    """Return the definition of the layer: that of the other million, without its fields."""
    raw = definition(LAYER).model_dump(mode="json", by_alias=True)
    raw["fields"] = [field for field in raw["fields"] if field["name"].startswith("name_")]
    return parse_definition(json.dumps(raw), f"{LAYER}.yaml")


def fill(url: str, rows: int, progress: Callable[[int, int], None]) -> list[tuple[str, str]]:
    """Make the layer, publish and index it; return some of its names."""
    made = names_layer()
    chance = np.random.default_rng(SEED)
    latin, arabic = lexicon(chance, _LATIN), lexicon(chance, _ARABIC)
    often = 1 / np.arange(10, WORDS + 10)
    often /= often.sum()
    west, south, east, north = BOX
    kept: list[tuple[str, str]] = []
    with admin_engine(url).begin() as connection:
        table, _ = apply_definition(connection, made)
        raw: psycopg.Connection[tuple[object, ...]] = connection.connection.driver_connection  # type: ignore[assignment]
        columns = "id, name_fr, name_ar, geom"
        with raw.cursor().copy(f"COPY features.{made.table_name} ({columns}) FROM STDIN") as copy:
            for first in range(0, rows, _BLOCK):
                count = min(_BLOCK, rows - first)
                drawn = chance.choice(WORDS, (count, 2), p=often)
                kinds = chance.integers(0, len(_KINDS), count)
                lon, lat = chance.uniform(west, east, count), chance.uniform(south, north, count)
                lines = []
                for n in range(count):
                    (a, b), (fr, ar) = drawn[n], _KINDS[kinds[n]]
                    name_fr = f"{fr} {latin[a].capitalize()} {latin[b].capitalize()}"
                    name_ar = f"{ar} {arabic[a]} {arabic[b]}"
                    kept += [(name_fr, name_ar)] if n % 1000 == 0 else []
                    lines.append(f"n{first + n:07}\t{name_fr}\t{name_ar}\tSRID=4326;POINT({lon[n]:.6f} {lat[n]:.6f})\n")
                copy.write("".join(lines))
                progress(first + count, rows)
        publish(connection, made, table)
    refresh_search(url, DATA)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) search.things")
        connection.execute("VACUUM (ANALYZE) search.words")
    return kept
