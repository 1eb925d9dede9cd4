"""The nodes of a resolved filter. They hold no literal values, so that equal shapes are equal nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

Type = OneOf[
    "text", "integer", "number", "boolean", "date", "timestamp", "geometry", "interval",
    "text[]", "number[]", "boolean[]", "timestamp[]",
]  # fmt: skip
#: Relations of arrays.
ARRAYS = ("a_equals", "a_contains", "a_containedBy", "a_overlaps")


@dataclass(frozen=True, slots=True)
class Property:
    """A field of the layer, its id or its geometry."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Literal:
    """A value, held apart under its index; ``many`` for a list of values, ``area`` for a geometry with an inside."""

    index: int
    type: Type
    many: bool = False
    area: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """A span between two instants; None is an open end."""

    start: Node | None
    end: Node | None
    type: Type = "interval"


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function applied to its arguments; ``risky`` arithmetic may leave double precision."""

    op: str
    args: tuple[Node, ...]
    type: Type
    risky: bool = False


Node = Property | Literal | Interval | Call
