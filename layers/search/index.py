"""Keeps the index of search: the things of a layer or of the annuaire that have changed, and they alone, are made anew.

What a thing is made from is kept as a hash. A refresh asks PostgreSQL which rows have another one by now, whoever
changed them, and takes out what is gone; so rows that somebody adds by SQL are found after the next refresh: the next
ingest of their layer, or the next start.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from geo.crs import WGS84_SRID
from geo.errors import IngestError
from layers.catalogue import DISTRICTS, STOPS
from layers.definition import DIRECTORY, LayerDefinition
from layers.search.normal import SPELLINGS, VERSION, Word, heard, is_arabic, misspelt, sound, words

#: Kinds of the layers that people ask for by other names than their own.
_KINDS = {DISTRICTS: "district", STOPS: "station", "transport-lines": "line"}
#: What the things of a kind are called, in case somebody says so.
_CALLED = {
    "station": ("station", "arrêt", "محطة"), "line": ("ligne", "خط"), "district": ("arrondissement", "مقاطعة"),
}  # fmt: skip
#: Which kind an alias belongs to.
_ALIASED = {"district": "district", "station": "station", "place": "facility", "category": "category"}
#: What goes before what among names that fit equally.
WEIGHTS = {"category": 100, "district": 90, "line": 80, "station": 70, "facility": 60, "entry": 50, "feature": 30}
#: Of a category that no place has.
_EMPTY = 20
#: Facilities that are asked for more often than others of their neighbourhood.
_CATEGORY_WEIGHTS = {
    "hospital": 6, "railway_station": 6, "town_hall": 5, "bus_station": 4, "university": 4, "stadium": 4, "market": 3,
    "park": 3, "place_of_worship": 2, "clinic": 2, "school": 1, "other": 1,
}  # fmt: skip
#: The kinds that are known by their codes as well.
_KEYED = {"line", "district"}
#: The kinds whose words may also be written together.
_JOINED = {"category", "district", "line", "station", "facility"}
_COLUMNS = (
    "kind", "layer", "id", "entry", "weight", "shortest", "names", "sizes", "words", "owners", "starts", "ends",
    "context", "category_words", "category", "district", "place", "geom", "area", "source",
)  # fmt: skip
_LONGEST = 500
#: Letters of another spelling that may be misspelt; of an Arabic one, which has no vowels, one fewer.
_MISSPELT = 5
_BLOCK = 20_000


@dataclass
class _Lexicon:
    """The distinct words, with what is new of them, and how many things gained each."""

    cursor: psycopg.Cursor[Any]
    ids: dict[str, int] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    gained: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.cursor.execute("SELECT form, coalesce(stands_for, id) FROM search.words")
        self.ids.update(self.cursor.fetchall())
        self.cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM search.words")
        self._next: int = (self.cursor.fetchone() or (1,))[0]

    def id_of(self, form: str) -> int:
        """Return the number of a word, which may be new."""
        known = self.ids.get(form)
        if known is None:
            known = self.ids[form] = self._next
            self._next += 1
            self.new.append(form)
        return known

    def save(self, lost: Mapping[int, int]) -> None:
        """Store the new words, how often all stand in names now, and the other spellings of those that have some."""
        with self.cursor.copy("COPY search.words (id, form, sound, heard, misspelt, arabic, uses) FROM STDIN") as copy:
            for form in self.new:
                row = (self.ids[form], form, sound(form), heard(form), misspelt(form), is_arabic(form), 0)
                copy.write_row(row)
        changed = {word: self.gained[word] - lost.get(word, 0) for word in {*self.gained, *lost}}
        rows = [(word, count) for word, count in changed.items() if count]
        self.cursor.execute(
            "UPDATE search.words w SET uses = greatest(0, uses + n) "
            "FROM unnest(%s::integer[], %s::bigint[]) AS c(id, n) WHERE w.id = c.id",
            ([word for word, _ in rows], [count for _, count in rows]),
        )
        self._save_spellings()

    def _save_spellings(self) -> None:
        spelt = [(form, self.ids[word]) for word, forms in SPELLINGS.items() if word in self.ids for form in forms]
        # Short ones are begun, but not heard or misspelt: six is no dix.
        typos = [" ".join(misspelt(form)) if len(form) >= _MISSPELT - is_arabic(form) else "" for form, _ in spelt]
        sounds = [(sound(form), heard(form)) if len(form) >= _MISSPELT else ("", "") for form, _ in spelt]
        new = {form: self._next + at for at, (form, _) in enumerate(spelt)}
        self._next += len(spelt)
        self.cursor.execute(
            "INSERT INTO search.words (id, form, sound, heard, misspelt, arabic, uses, stands_for) "
            "SELECT id, form, sound, heard, string_to_array(typos, ' '), arabic, 0, word FROM unnest(%s::integer[], "
            "%s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::integer[]) "
            "AS s(id, form, sound, heard, typos, arabic, word) ON CONFLICT (form) DO UPDATE SET stands_for = "
            "excluded.stands_for, sound = excluded.sound, heard = excluded.heard, misspelt = excluded.misspelt "
            "WHERE words.stands_for IS DISTINCT FROM excluded.stands_for",
            (
                [*new.values()], [*new], [one for one, _ in sounds], [voiced for _, voiced in sounds], typos,
                [is_arabic(form) for form in new], [word for _, word in spelt],
            ),
        )  # fmt: skip
        self.cursor.execute(
            "UPDATE search.words w SET uses = o.uses FROM search.words o WHERE o.id = w.stands_for AND w.uses <> o.uses"
        )


@dataclass(frozen=True)
class _Thing:
    """What can be found, before its names are words."""

    kind: str
    layer: str
    id: str
    names: Sequence[str]
    source: str
    weight: int
    entry: str | None = None
    context: Sequence[str] = ()
    category_words: Sequence[str] = ()
    category: str | None = None
    district: str | None = None
    place: bool = False
    geom: str | None = None
    area: str | None = None


def _written_together(name: str, parts: Sequence[Word]) -> Iterator[tuple[str, int, int]]:
    """Give what a short name, and those of its words that a hyphen joins, are without blanks; and where it stands."""
    if 2 <= len(parts) <= 3:
        yield "".join(part.form for part in parts), 0, len(name)
    run: list[Word] = []
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        run.append(part)
        if after is None or name[part.end : after.start] != "-":
            if 2 <= len(run) <= 3:
                yield "".join(word.form for word in run), run[0].start, run[-1].end
            run = []


def _numbered(thing: _Thing, lexicon: _Lexicon) -> tuple[Any, ...]:
    """Return the row of a thing."""
    found: list[int] = []
    owners: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    sizes = []
    together: set[tuple[int, str, int, int]] = set()
    for owner, name in enumerate(thing.names, 1):
        parts = words(name[:_LONGEST])
        sizes.append(len(parts))
        found += [lexicon.id_of(part.form) for part in parts]
        owners += [owner] * len(parts)
        starts += [part.start for part in parts]
        ends += [part.end for part in parts]
        if thing.kind in _JOINED:
            together |= {(owner, *written) for written in _written_together(name[:_LONGEST], parts)}
    for _, form, start, end in sorted(together):
        # A name of one word, that nobody sees: it stands behind the others, as a name of its own.
        sizes.append(1)
        owners.append(len(sizes))
        found.append(lexicon.id_of(form))
        starts.append(start)
        ends.append(end)
    names = [*thing.names, *(thing.names[owner - 1] for owner, *_ in sorted(together))]
    sort = {lexicon.id_of(part.form) for text in thing.category_words for part in words(text)}
    context = sort | {lexicon.id_of(part.form) for text in thing.context for part in words(text)}
    lexicon.gained.update(set(found))
    shortest = min((size for size in sizes if size), default=0)
    return (
        thing.kind, thing.layer, thing.id, thing.entry, thing.weight, shortest, names, sizes, found, owners, starts,
        ends, sorted(context), sorted(sort), thing.category, thing.district, thing.place, thing.geom, thing.area,
        thing.source,
    )  # fmt: skip


def _store(cursor: psycopg.Cursor[Any], condition: Composable, things: Iterable[_Thing]) -> None:
    """Replace the things for which a condition holds (``t``) and those that are given by the latter."""
    lexicon = _Lexicon(cursor)
    cursor.execute("CREATE TEMPORARY TABLE new_things (LIKE search.things) ON COMMIT DROP")
    cursor.execute("ALTER TABLE new_things DROP COLUMN fid")
    columns = SQL(", ").join(map(Identifier, _COLUMNS))
    statement = SQL("COPY new_things ({}) FROM STDIN").format(columns)
    left = iter(things)
    # Blocks, as the rows come over the connection that takes them.
    while block := [_numbered(thing, lexicon) for thing in islice(left, _BLOCK)]:
        with cursor.copy(statement) as copy:
            for row in block:
                copy.write_row(row)
    cursor.execute("CREATE INDEX ON new_things (layer, kind, id); ANALYZE new_things")
    cursor.execute(
        SQL(
            "WITH gone AS (DELETE FROM search.things t WHERE {} OR EXISTS (SELECT FROM new_things n "
            "WHERE (n.layer, n.kind, n.id) = (t.layer, t.kind, t.id)) RETURNING words), "
            "each AS (SELECT DISTINCT ctid, word FROM (SELECT row_number() OVER () AS ctid, words FROM gone) g, "
            "unnest(words) AS word) SELECT word, count(*) FROM each GROUP BY word"
        ).format(condition)
    )
    lost = dict(cursor.fetchall())
    cursor.execute(
        SQL("INSERT INTO search.things ({c}) SELECT {c} FROM new_things ORDER BY weight DESC, shortest, id").format(
            c=columns
        )
    )
    changed = cursor.rowcount
    cursor.execute("DROP TABLE new_things")
    lexicon.save(lost)
    if changed or lost:
        cursor.execute("ANALYZE search.things; ANALYZE search.words")
        # What an index of lists has not sorted in yet is read whole by every question, some 50 ms for the city's words.
        cursor.execute(
            "SELECT gin_clean_pending_list(c.oid) FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
            "WHERE c.relnamespace = 'search'::regnamespace AND c.relkind = 'i' AND a.amname = 'gin'"
        )


def load_aliases(cursor: psycopg.Cursor[Any], file: Path) -> bool:
    """Store the other names of ``data/aliases.csv``, which a city may do without; tell whether they have changed."""
    rows: set[tuple[str, str, str, str]] = set()
    if file.exists():
        with file.open(encoding="utf-8", newline="") as lines:
            rows = {(row["kind"], row["target"], row["alias"], row["lang"]) for row in csv.DictReader(lines)}
    unknown = {row[0] for row in rows} - set(_ALIASED)
    if unknown:
        raise IngestError("ingest.value-allowed", field="kind", value=min(unknown), allowed=", ".join(_ALIASED))
    cursor.execute("SELECT kind, target, alias, lang FROM search.aliases")
    wanted = {(_ALIASED[kind], target, alias, lang) for kind, target, alias, lang in rows}
    if wanted == set(cursor.fetchall()):
        return False
    cursor.execute("DELETE FROM search.aliases")
    with cursor.copy("COPY search.aliases (kind, target, alias, lang) FROM STDIN") as copy:
        for row in sorted(wanted):
            copy.write_row(row)
    return True


def kind_of(definition: LayerDefinition) -> str:
    """Return the kind of the things of a layer."""
    if definition.id in _KINDS:
        return _KINDS[definition.id]
    return "facility" if definition.places else "feature"


def _district_names(cursor: psycopg.Cursor[Any]) -> dict[str, list[str]]:
    """Return the names of the districts, and those of their quarters."""
    cursor.execute(
        "SELECT id, names[1:2] || ARRAY(SELECT alias FROM search.aliases a "
        "WHERE a.kind = 'district' AND a.target = t.id ORDER BY alias) FROM search.things t WHERE kind = 'district'"
    )
    return dict(cursor.fetchall())


def _contexts(cursor: psycopg.Cursor[Any], definition: LayerDefinition) -> dict[str, dict[str, list[str]]]:
    """Return, by field, the words that its values add to a thing: the labels of what the map shows, the district."""
    found: dict[str, dict[str, list[str]]] = {}
    for item in definition.fields:
        if item.format == "district":
            found[item.name] = _district_names(cursor)
        elif item.type == "text" and item.values and item.name in definition.tile_fields:
            found[item.name] = {value: [label.fr, label.ar] for value, label in item.values.items()}
    category = _category(definition)
    if category in found:
        cursor.execute("SELECT target, alias FROM search.aliases WHERE kind = 'category' ORDER BY target, alias")
        for target, alias in cursor.fetchall():
            if target in found[category]:
                found[category][target].append(alias)
    return found


def _category(definition: LayerDefinition) -> str:
    """Return the field that holds the category of a layer's places, or nothing."""
    return definition.directory.columns.get("category", "") if definition.directory else ""


def _hash(*parts: object) -> str:
    return hashlib.md5(json.dumps(parts, ensure_ascii=False).encode(), usedforsecurity=False).hexdigest()


def _rows(definition: LayerDefinition, fields: Sequence[str], stamp: str) -> Composed:
    """Return the statement of a layer's rows that are not indexed as they are now."""
    srid = definition.geometry.srid
    degrees = SQL("f.geom") if srid == WGS84_SRID else SQL("ST_Transform(f.geom, 4326)")
    point = degrees if definition.geometry.type == "Point" else SQL("ST_PointOnSurface({})").format(degrees)
    area = SQL("ST_AsHexEWKB({})").format(degrees) if kind_of(definition) == "district" else SQL("NULL")
    listed = SQL(", ").join(SQL("f.{}").format(Identifier(name)) for name in fields)
    context = SQL("ARRAY[{}]::text[]").format(listed)
    source = SQL("md5(concat_ws(chr(31), {}, f.name_fr, f.name_ar, {}::text, a.names::text, f.geom::text))").format(
        Literal(stamp), context
    )
    return SQL(
        "SELECT f.id, f.name_fr, f.name_ar, {context}, coalesce(a.names, ARRAY[]::text[]), ST_AsHexEWKB({point}), "
        "{area}, {source} FROM features.{table} f LEFT JOIN (SELECT target, array_agg(alias ORDER BY alias) AS names "
        "FROM search.aliases WHERE kind = {kind} GROUP BY target) a ON a.target = f.id "
        "LEFT JOIN search.things t ON t.layer = {layer} AND t.kind = {kind} AND t.id = f.id "
        "WHERE t.source IS DISTINCT FROM {source}"
    ).format(
        context=context, point=point, area=area, source=source, table=Identifier(definition.table_name),
        kind=Literal(kind_of(definition)), layer=Literal(definition.id),
    )  # fmt: skip


def _things(
    cursor: psycopg.Cursor[Any],
    definition: LayerDefinition,
    contexts: Mapping[str, Mapping[str, list[str]]],
    stamp: str,
) -> Iterator[_Thing]:
    kind, place = kind_of(definition), definition.places
    category = _category(definition)
    district = next((item.name for item in definition.fields if item.format == "district"), "")
    at_point = definition.geometry.type == "Point"
    weight = WEIGHTS[kind] - (20 if definition.theme == "works" else 0)
    with cursor.connection.cursor("changed_things") as changed:
        changed.itersize = 5000
        changed.execute(_rows(definition, list(contexts), stamp))
        for key, name_fr, name_ar, values, aliases, geom, area, source in changed:
            given = dict(zip(contexts, values, strict=True))
            more = _CATEGORY_WEIGHTS.get(given.get(category) or "", 2) if place else 0
            names = [name_fr or name_ar or "", name_ar or name_fr or "", *aliases]
            if kind in _KEYED:
                names.append(key)
            texts = {name: contexts[name].get(value, ()) for name, value in given.items()}
            yield _Thing(
                kind, definition.id, key, names, source, weight + more, key if place else None,
                [text for name in texts for text in texts[name]], (*texts.get(category, ()), *_CALLED.get(kind, ())),
                given.get(category), given.get(district), at_point, geom, area,
            )  # fmt: skip


def _categories(cursor: psycopg.Cursor[Any], definition: LayerDefinition) -> Iterator[_Thing]:
    """Give the categories of a layer's places, as things to be found."""
    item = definition.field(_category(definition)) if definition.places else None
    cursor.execute("SELECT target, alias FROM search.aliases WHERE kind = 'category' ORDER BY target, alias")
    aliases: dict[str, list[str]] = {}
    for target, alias in cursor.fetchall():
        aliases.setdefault(target, []).append(alias)
    cursor.execute("SELECT id, source FROM search.things WHERE layer = %s AND kind = 'category'", (definition.id,))
    known = dict(cursor.fetchall())
    if item:
        cursor.execute(
            SQL("SELECT {} FROM features.{} UNION SELECT category FROM directory.entries").format(
                Identifier(item.name), Identifier(definition.table_name)
            )
        )
    met = {value for (value,) in cursor.fetchall()} if item else set()
    for value, label in ((item.values if item else None) or {}).items():
        names = [label.fr, label.ar, *aliases.get(value, [])]
        weight = WEIGHTS["category"] if value in met else _EMPTY
        source = _hash(VERSION, names, weight)
        if known.get(value) != source:
            yield _Thing("category", definition.id, value, names, source, weight)


def refresh_layer(cursor: psycopg.Cursor[Any], definition: LayerDefinition) -> None:
    """Bring the things of a layer to what its rows are now; those of an internal layer go.

    The annuaire's own layer has its things from :func:`refresh_directory`.
    """
    if definition.entries:
        return
    layer = Literal(definition.id)
    if definition.visibility != "public":
        _store(cursor, SQL("t.layer = {}").format(layer), ())
        return
    contexts = _contexts(cursor, definition)
    item = definition.field(_category(definition))
    gone = SQL(
        "t.layer = {layer} AND CASE WHEN t.kind = 'category' THEN t.id <> ALL ({values}) "
        "ELSE t.kind <> {kind} OR NOT EXISTS (SELECT FROM features.{table} f WHERE f.id = t.id) END"
    ).format(
        layer=layer, kind=Literal(kind_of(definition)), table=Identifier(definition.table_name),
        values=Literal(list((item.values if item else None) or {}) if definition.places else []),
    )  # fmt: skip
    stamp = _hash(VERSION, contexts, WEIGHTS, _CATEGORY_WEIGHTS, _CALLED)
    _store(cursor, gone, chain(_categories(cursor, definition), _things(cursor, definition, contexts, stamp)))


def refresh_categories(cursor: psycopg.Cursor[Any], definition: LayerDefinition) -> None:
    """Bring the categories of a layer's places to what all entries are now, whichever layer or file these are from."""
    if definition.places and definition.visibility == "public" and (changed := [*_categories(cursor, definition)]):
        _store(cursor, SQL("false"), changed)


def refresh_directory(cursor: psycopg.Cursor[Any], categories: Mapping[str, Sequence[str]]) -> None:
    """Bring the annuaire's entries that are no feature of a layer to what they are now.

    Parameters
    ----------
    categories : mapping
        Names of the categories of entries.
    """
    cursor.execute(
        "SELECT e.id, e.name_fr, e.name_ar, e.category, e.district_code, ST_AsHexEWKB(e.geom), t.source "
        "FROM directory.entries e LEFT JOIN search.things t "
        "ON t.layer = %(layer)s AND t.kind = 'entry' AND t.id = e.id "
        "WHERE NOT EXISTS (SELECT FROM search.things p WHERE p.entry = e.id AND p.layer <> %(layer)s)",
        {"layer": DIRECTORY},
    )
    rows = cursor.fetchall()
    districts = _district_names(cursor)
    things = []
    for key, name_fr, name_ar, category, district, geom, known in rows:
        sort = categories.get(category, ())
        context = [*sort, *districts.get(district, ())]
        source = _hash(VERSION, name_fr, name_ar, category, district, context, geom)
        if source != known:
            thing = _Thing("entry", DIRECTORY, key, [name_fr, name_ar], source, WEIGHTS["entry"], key, context, sort)
            known_as = {"category": category, "district": district}
            things.append(replace(thing, **known_as, place=geom is not None, geom=geom))
    gone = SQL("t.layer = {layer} AND t.id <> ALL ({ids})").format(
        layer=Literal(DIRECTORY), ids=Literal([row[0] for row in rows])
    )
    _store(cursor, gone, things)
