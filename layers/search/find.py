"""Asks the index of search: a text as words that PostgreSQL understands, and the statements; nothing here executes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from layers.database import Statement
from layers.search.normal import OPTIONAL, heard, misspelt, sound, variants, words

DEFAULT_FOUND, MAX_FOUND = 10, 50
#: Longest text that can be asked for, in characters, and words of it that count.
MAX_TEXT = 200
_MAX_WORDS = 8

#: Rows in the order of rank: ``feature`` (GeoJSON text as bytes, whose last two characters end the properties and the
#: feature), ``collection``, ``kind``, ``id`` and ``entry``.
FIND = Statement(
    """
    SELECT convert_to(concat(
            '{"type":"Feature","id":', to_json(t.id),
            ',"geometry":', coalesce(ST_AsGeoJSON(t.geom, 7), 'null'),
            ',"properties":', json_build_object(
                'kind', t.kind, 'collection', t.layer, 'id', t.id,
                'name', CASE $18::text WHEN 'ar' THEN t.names[2] ELSE t.names[1] END,
                'name_fr', t.names[1], 'name_ar', t.names[2],
                'matched', t.names[f.owner], 'highlight', f.spans, 'distance', f.distance)::text,
            '}'), 'UTF8') AS feature,
        t.layer AS collection, t.kind, t.id, t.entry
    FROM (
        SELECT *, row_number() OVER () AS rank FROM search.find(
            $1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::integer[], $8::integer,
            $9::text, $10::text, $11::text, $12::text, $13::float8, $14::float8, $15::float8[], $16::text[],
            $17::integer)
    ) f
    JOIN search.things t ON t.layer = f.layer AND t.kind = f.kind AND t.id = f.id
    ORDER BY f.rank
    """,
    (
        "forms", "tokens", "sounds", "heard", "misspelt", "loose", "needed", "total", "joined", "joined_sound",
        "joined_heard", "joined_misspelt", "lon", "lat", "box", "layers", "wanted", "lang",
    ),
)  # fmt: skip
#: The place that is nearest to a point by name, and how far it is in metres on the ellipsoid.
NEAREST_NAMED = Statement(
    """
    SELECT convert_to(concat(
            '{"type":"Feature","id":', to_json(id), ',"geometry":', ST_AsGeoJSON(geom, 7), ',"properties":',
            json_build_object('kind', kind, 'collection', layer, 'id', id,
                'name', CASE $3::text WHEN 'ar' THEN names[2] ELSE names[1] END,
                'name_fr', names[1], 'name_ar', names[2], 'distance', distance)::text,
            '}'), 'UTF8') AS feature,
        layer AS collection, kind, id, entry, names[1] AS name_fr, names[2] AS name_ar, distance
    FROM (
        SELECT t.*, ST_Distance(geography(geom), at) AS distance
        FROM search.things t, geography(ST_SetSRID(ST_MakePoint($1::float8, $2::float8), 4326)) AS at
        WHERE place AND layer = ANY ($4::text[]) AND weight >= 30
        ORDER BY geography(geom) <-> at LIMIT 5
    ) near
    ORDER BY distance, weight DESC, layer, id LIMIT 1
    """,
    ("lon", "lat", "lang", "layers"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A text as :data:`FIND` takes it: the forms that each word may have, and which words must be met."""

    forms: list[str]
    tokens: list[int]
    sounds: list[str]
    heard: list[str]
    #: What a word may be but for a letter, with blanks between.
    misspelt: list[str]
    loose: list[bool]
    needed: list[int]
    total: int
    joined: str
    joined_sound: str
    joined_heard: str
    joined_misspelt: str

    def values(self) -> dict[str, object]:
        """Return the values of the statement that the text gives."""
        return {name: getattr(self, name) for name in self.__slots__}


def asked(text: str) -> Asked | None:
    """Return what a text asks for; None when there is no word in it."""
    parts = words(text)[:_MAX_WORDS]
    found = [word.form for word in parts]
    if not found:
        return None
    forms, tokens, typos = [], [], []
    for token, word in enumerate(parts, 1):
        for variant in variants(word):
            forms.append(variant)
            tokens.append(token)
            # Another form of the word with another letter beside is another word.
            typos.append(" ".join(misspelt(variant)) if variant in (word.form, word.typed) else "")
    needed = [token for token, form in enumerate(found, 1) if form not in OPTIONAL]
    joined = "".join(found) if 2 <= len(found) <= 3 else ""
    return Asked(
        forms, tokens, [sound(form) for form in forms], [heard(form) for form in forms],
        typos,
        [form.isascii() and any(map(str.isdigit, form)) and not form.isdigit() for form in forms],
        needed or list(range(1, len(found) + 1)), len(found),
        joined, *(("", "") if re.search("[0-9]", joined) else (sound(joined), heard(joined))),
        " ".join(misspelt(joined)),
    )  # fmt: skip
