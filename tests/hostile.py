"""An instance whose every text was written by somebody who means harm: layers, labels, maps, and all of the data.

Which fields there are is read from the shipped definitions, so a new field or layer is poisoned without being named here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg.sql import SQL, Composable, Identifier, Literal

from layers.definition import FieldDefinition, LayerDefinition, load_definitions
from layers.migrate import upgrade
from layers.shipped import load_shipped, refresh_search
from tests.conftest import DATA, quiet, throwaway_cluster

#: What would be seen if one of them was obeyed: ``hit`` would be set, another host asked, 49 be written.
SCRIPT = "<script>window.hit=1</script>"
EVIL = (
    f" {SCRIPT}</script>\"'><img src=x onerror=window.hit=2><svg onload=window.hit=3>"
    "<a href=javascript:window.hit=4>${window.hit=5}${7*7}{{7*7}}{%x%}&lt;'; DROP TABLE--\u202egpj"
)
#: The same in what the administrator writes, whose marks of direction are the administrator's own.
SAID = EVIL.removesuffix("\u202egpj")
#: A part that no reader of HTML, template or SQL leaves as it is; its spaces are single, so it is seen as written.
SEEN = "<img src=x onerror=window.hit=2><svg onload=window.hit=3>"
LINKS = (
    "javascript:window.hit=6//",
    " JaVaScRiPt:window.hit=7",
    "data:text/html,<script>window.hit=8</script>",
    'https://elsewhere.invalid/"><img src=https://elsewhere.invalid/x onerror=window.hit=9>',
)
COLOUR = 'url("https://elsewhere.invalid/colour#a");}*{--x:1'
#: What a definition says in words that readers see, besides each field's label and its values' labels.
_SAID = ("title", "description", "source", "attribution", "notice")


def _both(text: dict[str, str]) -> dict[str, str]:
    return {lang: words + SAID for lang, words in text.items()}


def _layer(raw: dict[str, Any]) -> None:
    raw.update({key: _both(raw[key]) for key in _SAID if key in raw})
    for field in raw["fields"]:
        field["label"] = _both(field["label"])
        if "values" in field:
            field["values"] = {value: _both(label) for value, label in field["values"].items()}
        if field.get("type") in ("integer", "number"):
            field["unit"] = SAID


def _map(raw: dict[str, Any]) -> None:
    raw.update({key: _both(raw[key]) for key in ("title", "description")})
    for word in raw.get("words", ()):
        word["text"] = _both(word["text"])
    for layer in raw["layers"]:
        if layer["id"] != "*":
            layer["title"] = {"fr": layer["id"] + SAID, "ar": layer["id"] + SAID}


def write(folder: Path) -> None:
    """Write the shipped data into a folder, with evil in every text of its definitions and maps."""
    shutil.copytree(DATA, folder)
    for part, poison in (("layers", _layer), ("maps", _map)):
        for file in (folder / part).glob("*.yaml"):
            raw = yaml.safe_load(file.read_text(encoding="utf-8"))
            poison(raw)
            file.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _value(field: FieldDefinition, marked: Composable) -> Composable | None:
    """Return what a text field holds from now on: None where the table takes no other values than the allowed ones.

    What the service understands (codes, hours, telephones) is spoilt in one feature only: all the others show as they do.
    """
    name = Identifier(field.name)
    if field.values is not None or field.name == "wheelchair":
        return None
    if field.format == "url":
        many = SQL("(ARRAY[{}])").format(SQL(", ").join(map(Literal, LINKS)))
        return SQL("{}[1 + (row_number() OVER (ORDER BY id) % {})]").format(many, Literal(len(LINKS)))
    if field.type == "text[]":
        text: Composable = SQL("coalesce({}, ARRAY[]::text[]) || ARRAY[{}]").format(name, Literal(EVIL))
    elif field.format == "colour":
        text = Literal(COLOUR)
    else:
        text = SQL("coalesce({}, '') || {}").format(name, Literal(EVIL))
    if field.format is None:
        return text
    return SQL("CASE WHEN {} THEN {} ELSE {} END").format(marked, text, name)


def spoil(url: str, definition: LayerDefinition) -> list[str]:
    """Put evil into every text field of a layer; return the fields' names."""
    entries = definition.entries
    table = Identifier("directory", "entries") if entries else Identifier("features", definition.table_name)
    marked = SQL("row_number() OVER (ORDER BY id) = 1")
    found = {field.name: _value(field, marked) for field in definition.fields if field.type.startswith("text")}
    values = {name: value for name, value in found.items() if value is not None}
    made = [SQL("{} AS {}").format(value, Identifier(name)) for name, value in values.items()]
    sets = [SQL("{0} = made.{0}").format(Identifier(name)) for name in values]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            SQL("UPDATE {0} AS kept SET {1} FROM (SELECT id, {2} FROM {0}) AS made WHERE made.id = kept.id").format(
                table, SQL(", ").join(sets), SQL(", ").join(made)
            )
        )
    return [*values]


@contextmanager
def hostile(folder: Path) -> Iterator[str]:
    """Run a database with all of it; give its address."""
    write(folder / "data")
    with throwaway_cluster() as url:
        upgrade(url)
        load_shipped(url, folder / "data", quiet)
        for definition in load_definitions(folder / "data" / "layers").values():
            spoil(url, definition)
        refresh_search(url, folder / "data")
        yield url
