"""A small layer definition that a test changes where it needs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
import yaml

from layers.definition import LayerDefinition, parse_definition

hypothesis.settings.register_profile("casamaps", deadline=None, database=None, derandomize=True)
hypothesis.settings.load_profile("casamaps")


def text(word: str) -> dict[str, str]:
    return {"fr": word, "ar": "كلمة"}


def field(name: str, type: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type, "label": text(name), **more}


@pytest.fixture
def raw() -> dict[str, Any]:
    """A valid definition as its file has it."""
    return {
        "id": "libraries",
        "title": text("Bibliothèques"),
        "description": text("Toutes les bibliothèques"),
        "theme": "services",
        "geometry": {"type": "Point", "quality": "surveyed"},
        "fields": [
            field("name_fr", required=True),
            field("name_ar", required=True),
            field("kind", values={"public": text("Publique"), "school": text("Scolaire")}),
            field("opened", "date"),
            field("closed", "date"),
        ],
        "style": {"colour": "#112233"},
        "source": text("Ville"),
        "licence": {"id": "ODbL-1.0", "url": "https://example.org/odbl"},
        "attribution": text("Ville"),
        "update": "annual",
        "coverage": "complete",
    }


@pytest.fixture
def parse() -> Callable[[dict[str, Any]], LayerDefinition]:
    """Parse a definition given as a mapping."""
    return lambda raw: parse_definition(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), "libraries.yaml")
