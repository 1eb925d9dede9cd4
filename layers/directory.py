"""The annuaire's vocabulary: the categories of its entries, with their names."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from geo.errors import DefinitionError
from layers.definition import Text

_CATEGORIES = TypeAdapter(dict[str, Text])


def load_categories(data_dir: Path) -> dict[str, Text]:
    """Read the names of the categories from ``data/directory.yaml``.

    Raises
    ------
    DefinitionError
        Naming the file and the key that is wrong.
    """
    path = data_dir / "directory.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _CATEGORIES.validate_python(raw["categories"])
    except yaml.YAMLError as error:
        raise DefinitionError(
            "definition.yaml", file=path.name, key="the file", value=str(error)[:80], allowed="YAML"
        ) from error
    except (ValidationError, KeyError, TypeError) as error:
        key = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else "categories"
        raise DefinitionError(
            "definition.invalid", file=path.name, key=key, value="?", allowed="a mapping of ids to fr and ar", count=1
        ) from error
