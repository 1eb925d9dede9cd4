"""The vocabulary of the annuaire and of provenance: categories and sources, with their names in both languages."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ConfigDict, ValidationError
from pydantic.dataclasses import dataclass

from geo.errors import DefinitionError
from layers.definition import Text
from layers.search.normal import fold
from layers.strict import load_yaml


def _plain(name: str) -> str:
    return fold(name.replace("\u2019", "'"))


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Offices:
    """The category of administrations, and how the names of a district's own ones begin, in either language."""

    category: str
    own: list[str]

    def are_own(self, *names: str) -> bool:
        """Tell whether an administration of these names is a district's own town hall or annex.

        Case, accents, the form of apostrophes and the variants of letters do not matter.
        """
        beginnings = tuple(map(_plain, self.own))
        return any(_plain(name).startswith(beginnings) for name in names)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Vocabulary:
    """Names of the categories of entries, with their types in schema.org, and of the sources that rows name."""

    categories: dict[str, Text]
    sources: dict[str, Text]
    schema_org: dict[str, str] = field(default_factory=dict)
    offices: Offices | None = None

    def category(self, key: str, lang: str) -> str:
        """Return the name of a category; one of somebody's own file has none but its key."""
        known = self.categories.get(key)
        return known[lang] if known else key


def load_vocabulary(data_dir: Path) -> Vocabulary:
    """Read ``data/directory.yaml``.

    Raises
    ------
    DefinitionError
        Naming the file and the key that is wrong.
    """
    path = data_dir / "directory.yaml"
    try:
        raw: Any = load_yaml(path.read_text(encoding="utf-8"))
        return Vocabulary(**raw)
    except yaml.YAMLError as error:
        raise DefinitionError(
            "definition.yaml", file=path.name, key="the file", value=str(error)[:80], allowed="YAML"
        ) from error
    except (ValidationError, TypeError) as error:
        key = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else "(whole file)"
        raise DefinitionError(
            "definition.invalid", file=path.name, key=key, value="?", allowed="names in fr and ar", count=1
        ) from error
