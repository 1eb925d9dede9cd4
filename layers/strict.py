"""Reads the project's YAML files into strict models; every mistake is named by file, key, value and what is allowed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from geo.errors import DefinitionError


class Strict(BaseModel):
    """A model that knows all its keys and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Protocol):
    """A model whose file is named by its id."""

    @property
    def id(self) -> str:
        """The name of the file, without ``.yaml``."""


_Model = TypeVar("_Model", bound=BaseModel)


class Mistake(ValueError):
    """A mistake that a check over several keys finds: which key it is about, what stands there, what is allowed."""

    def __init__(self, key: str, value: str, allowed: str) -> None:
        super().__init__(f"{key}: {value}; {allowed}")
        self.key, self.value, self.allowed = key, value, allowed


class RepeatedKey(yaml.MarkedYAMLError):
    """A key that stands twice in a mapping: only one of the two would count, and nobody would be told which."""

    def __init__(self, key: yaml.ScalarNode, before: yaml.ScalarNode) -> None:
        self.key: str = key.value
        self.lines = (before.start_mark.line + 1, key.start_mark.line + 1)
        # Short, as those who show it cut it.
        super().__init__(problem=f"key '{key.value}' of line {self.lines[0]} repeated", problem_mark=key.start_mark)


class _Loader(yaml.SafeLoader):
    """Reads plain values, and refuses mappings with a key that stands twice."""

    # Where the mapping is still as it was written: later it holds what it merges, too.
    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Build the node of a mapping."""
        node = super().compose_mapping_node(anchor)
        seen: dict[tuple[str, str], yaml.ScalarNode] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and seen.setdefault((key.tag, key.value), key) is not key:
                raise RepeatedKey(key, seen[key.tag, key.value])
        return node


def load_yaml(text: str) -> Any:
    """Read the plain values of a YAML text.

    Raises
    ------
    yaml.YAMLError
        For text that is no YAML; :class:`RepeatedKey` for a key that stands twice.
    """
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader


def _key(location: tuple[int | str, ...], raw: Any) -> str:
    """Name a place in the file as people do: a field by its name, a layer by its id, rather than by its number."""
    parts: list[str] = []
    value = raw
    for step in location:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
        named = next((key for key in ("name", "id") if isinstance(value, dict) and key in value), None)
        if isinstance(step, int) and isinstance(value, dict) and named:
            parts.append(str(value[named]))
        elif not (isinstance(step, str) and re.fullmatch(r"[A-Z]\w+|\[key\]", step)):  # pydantic's own steps
            parts.append(str(step))
    return ".".join(parts)


def _allowed(error: Any) -> str:
    context = error.get("ctx") or {}
    if "expected" in context:
        return str(context["expected"])
    if error["type"] == "extra_forbidden":
        return "only the keys that the documentation lists"
    if "pattern" in context:
        return f"text that matches {context['pattern']}"
    return re.sub(r"^Value error, (?:[a-z_.]+: )?", "", str(error["msg"]))


def _shown(value: object) -> str:
    return f"a {type(value).__name__}" if isinstance(value, dict | list) else repr(value)[:120]


def parse(text: str, file: str, model: type[_Model]) -> _Model:
    """Parse a file's text and check it whole.

    Raises
    ------
    DefinitionError
        With ``file``, ``key``, ``value`` and ``allowed`` of the first thing wrong, and ``count`` of all.
    """
    try:
        raw = load_yaml(text)
    except RepeatedKey as error:
        first, second = error.lines
        raise wrong(file, error.key, f"a second value, in line {second},", f"there once, as in line {first}") from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f"line {where.line + 1}" if where else "the file"
        raise DefinitionError(
            "definition.yaml", file=file, key=line, value=getattr(error, "problem", None) or "?", allowed="YAML"
        ) from error
    if not isinstance(raw, dict):
        raise wrong(file, "(whole file)", type(raw).__name__, "a mapping of keys to values")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        found = (first.get("ctx") or {}).get("error")
        if isinstance(found, Mistake):
            parts = (_key(first["loc"], raw), found.key)
            key = ".".join(part for part in parts if part)
            raise wrong(file, key, found.value, found.allowed, error.error_count()) from error
        missing = first["type"] == "missing"
        # A check over several keys says itself which one it is about.
        named = re.match(r"Value error, ([a-z_.]+): ", first["msg"])
        raise wrong(
            file,
            _key(first["loc"], raw) or (named[1] if named else "(whole file)"),
            "nothing" if missing else _shown(first["input"]),
            "a value: this key is required" if missing else _allowed(first),
            error.error_count(),
        ) from error


def wrong(file: str, key: str, value: str, allowed: str, count: int = 1) -> DefinitionError:
    """Return the error that names a mistake in a file."""
    return DefinitionError("definition.invalid", file=file, key=key, value=value, allowed=allowed, count=count)


def read(path: Path) -> str:
    """Return a file's text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DefinitionError(
            "definition.yaml", file=path.name, key="the file", value="not UTF-8", allowed="UTF-8"
        ) from error


def check_name(path: Path, found: Named) -> None:
    """Refuse a file that is not named by its id."""
    if path.stem != found.id:
        raise wrong(path.name, "id", repr(found.id), f"'{path.stem}', as the file is named")
