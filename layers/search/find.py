"""Asks the index of search: a text as words that PostgreSQL understands, and the statements; nothing here executes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from layers.database import Statement
from layers.search.normal import (
    ASKING,
    OFTEN_NAMED,
    TOKEN,
    article_rest,
    asked_words,
    elided,
    fold,
    heard,
    misspelt,
    sound,
    spare,
    variants,
)

DEFAULT_FOUND, MAX_FOUND = 10, 50
#: Longest text that can be asked for, in characters, and words of it that count.
MAX_TEXT = 200
_MAX_WORDS = 8
#: A letter before an apostrophe that was not typed.
_ELIDED = re.compile("[b-df-hj-np-tv-z]")

#: Rows in the order of rank: ``feature`` (GeoJSON text as bytes, whose last two characters end the properties and the
#: feature), ``collection``, ``kind``, ``id``, ``entry``, the keys of its
#: ``category`` and ``district``, which of its names was ``matched``, and ``spans``, a JSON list of what was met in it.
FIND = Statement(
    """
    SELECT convert_to(concat(
            '{"type":"Feature","id":', to_json(t.id),
            ',"geometry":', coalesce(ST_AsGeoJSON(t.geom, 7), 'null'),
            ',"properties":', json_build_object(
                'kind', t.kind, 'collection', t.layer, 'id', t.id,
                'name', CASE $19::text WHEN 'ar' THEN t.names[2] ELSE t.names[1] END,
                'name_fr', t.names[1], 'name_ar', t.names[2],
                'matched', t.names[f.owner], 'distance', round(f.distance::numeric, 1))::text,
            '}'), 'UTF8') AS feature,
        t.layer AS collection, t.kind, t.id, t.entry, t.category, t.district,
        t.names[f.owner] AS matched, f.spans::text AS spans
    FROM (
        SELECT *, row_number() OVER () AS rank FROM search.find(
            $1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::integer[], $8::integer,
            $9::text, $10::text, $11::text, $12::text, $13::text, $14::float8, $15::float8, $16::float8[],
            $17::text[], $18::integer)
    ) f
    JOIN search.things t ON t.layer = f.layer AND t.kind = f.kind AND t.id = f.id
    ORDER BY f.rank
    """,
    (
        "forms", "tokens", "sounds", "heard", "misspelt", "loose", "needed", "total", "joined", "joined_sound",
        "joined_heard", "joined_misspelt", "whole", "lon", "lat", "box", "layers", "wanted", "lang",
    ),
)  # fmt: skip
#: The place that is nearest to a point by name, and how far it is in metres on the ellipsoid.
NEAREST_NAMED = Statement(
    """
    SELECT convert_to(concat(
            '{"type":"Feature","id":', to_json(id), ',"geometry":', ST_AsGeoJSON(geom, 7), ',"properties":',
            json_build_object('kind', kind, 'collection', layer, 'id', id,
                'name', CASE $3::text WHEN 'ar' THEN names[2] ELSE names[1] END,
                'name_fr', names[1], 'name_ar', names[2], 'distance', round(distance::numeric, 1))::text,
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
    #: Of a word with digits for letters, that its sound says as much; of a number, that more digits may follow.
    loose: list[bool]
    needed: list[int]
    total: int
    joined: str
    joined_sound: str
    joined_heard: str
    joined_misspelt: str
    #: The text itself where it has an article, as a name may have it too; else empty.
    whole: str = ""

    def values(self) -> dict[str, object]:
        """Return the values of the statement that the text gives."""
        return {name: getattr(self, name) for name in self.__slots__}


def asked(text: str) -> Asked | None:
    """Return what a text asks for; None when there is no word in it."""
    parts, open_ended = asked_words(text)
    open_ended = open_ended and len(parts) <= _MAX_WORDS
    parts = parts[:_MAX_WORDS]
    found = [word.form for word in parts]
    if not found:
        return None
    forms, tokens, typos, sounds = [], [], [], []
    loose: list[bool] = []

    def add(token: int, form: str, may_be_misspelt: bool, begun: bool = False, heard_alike: bool = True) -> None:
        forms.append(form)
        tokens.append(token)
        sounds.append(sound(form) if heard_alike else "")
        typos.append(" ".join(misspelt(form)) if may_be_misspelt else "")
        loose.append(begun if form.isdigit() else form.isascii() and any(map(str.isdigit, form)))

    for token, word in enumerate(parts, 1):
        last = token == len(parts)
        # A number alone or of a code (``T1``) is no part of another one.
        begun = last and token > 1 and word.start != parts[token - 2].start
        for variant in variants(word, last):
            # Another form of the word with another letter beside is another word.
            # What an elision has left sounds like too much.
            add(token, variant, variant in (word.form, word.typed), begun, variant != elided(word.form))
    for token, (one, other) in enumerate(pairwise(parts), 1):
        if _ELIDED.fullmatch(one.typed) and other.typed[:1].isalpha():
            # Both stand for the word that they are together: ``m sick``.
            add(token, one.typed + other.typed, False)
            add(token + 1, one.typed + other.typed, False)
    certain = len(found) - open_ended
    needed = [token for token, form in enumerate(found[:certain], 1) if not spare(form, token == len(found))]
    # A name that has all but an article's rest lacks nothing. Of two words each may yet be a part of one.
    rests = sum(article_rest(form) for form in found[:-1]) if needed else 0
    # What only says what somebody is looking for is nothing that a name lacks.
    asking = sum(form in ASKING for form in found) if needed else 0
    total = max(1, max(len(found) - rests, min(2, len(found))) - asking)
    joined = "".join(found) if 2 <= len(found) <= 3 else ""
    return Asked(
        forms, tokens, sounds,
        [heard(form) for form in forms], typos, loose,
        needed or list(range(1, certain + 1)), total,
        joined, *(("", "") if re.search("[0-9]", joined) else (sound(joined), heard(joined))),
        " ".join(misspelt(joined)),
        text if _letters(text) != "".join(word.typed for word in parts) else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """A text as a condition beside a filter, in whose tree it may stand: all its words are met, as the search does."""

    #: As the SQL function ``search.keys`` takes it, JSON.
    asked: str
    #: The layer whose own things are meant; empty for the entries that features belong to.
    within: str = ""


def listed(text: str, within: str = "") -> Words | None:
    """Return a text as the condition of a list; None when there is no word in it."""
    found = asked(text)
    if found is None:
        return None
    given = asdict(found)
    each = ("forms", "tokens", "sounds", "heard", "misspelt", "loose")
    columns = zip(*(given.pop(name) for name in each), strict=True)
    names = ("form", "token", "sound", "heard", "misspelt", "loose")
    forms = [dict(zip(names, row, strict=True)) for row in columns]
    parts = asked_words(text)[0][:_MAX_WORDS]
    typed = [[text[word.start : word.end], word.form] for word in parts]
    # A list is not ranked: what has such a word too is not to be lost among what has not.
    often = {token for token, word in enumerate(parts, 1) if word.form in OFTEN_NAMED | ASKING}
    more = {**given, "forms": forms, "typed": typed, "rather": sorted({*found.needed, *often})}
    return Words(json.dumps(more, ensure_ascii=False), within)


def _begun(name: str, start: int, end: int, typed: Sequence[str]) -> int:
    """Return where the part of a word ends that was typed: at its end, but for the longest word that only begins it."""
    letters = [_letters(letter) for letter in name[start:end]]
    whole = "".join(letters)
    given = [*map(_letters, typed), *(_letters(one + other) for one, other in pairwise(typed))]
    # The word's article may have been left out.
    rests = {whole, *(whole.removeprefix(article) for article in ("l", "d", "ال"))}
    if not rests.isdisjoint(given):
        return end
    left = min((len(rest) - len(word) for rest in rests for word in given if word and rest.startswith(word)), default=0)
    while left > 0:
        end -= 1
        left -= len(letters[end - start])
    return end


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, fold(text)))


def highlighted(text: str, name: str, spans: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the parts of a name that a text has met, the articles that were typed before them among them.

    Of a word that was only begun that is its beginning.
    """
    typed = [fold(token[0]) for token in TOKEN.finditer(text)]
    pairs = set(pairwise(typed))
    parts = [(token.start(), token.end(), fold(token[0])) for token in TOKEN.finditer(name)]
    spans = [[start, _begun(name, start, end, typed)] for start, end in spans]
    met = [any(begun < end and start < ended for begun, ended in spans) for start, end, _ in parts]

    def follows(at: int) -> bool:
        # The last word may be unfinished.
        one, other = parts[at][2], parts[at + 1][2]
        return (one, other) in pairs or (typed[-2:-1] == [one] and other.startswith(typed[-1]))

    found = [list(span) for span in spans]
    for at in reversed(range(len(parts) - 1)):
        if not met[at] and met[at + 1] and follows(at):
            met[at] = True
            start = parts[at - 1][1] if at and met[at - 1] and follows(at - 1) else parts[at][0]
            found.append([start, parts[at + 1][0]])
    joined: list[list[int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(end, joined[-1][1])
        else:
            joined.append([start, end])
    return joined
