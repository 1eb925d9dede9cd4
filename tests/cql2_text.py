"""Writes CQL2-JSON as CQL2 text (21-065r2, annex B), in one of the ways that the grammar leaves."""

from __future__ import annotations

import random
from typing import Any

Tree = Any
_LEVELS = {"or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "div": 6, "^": 7}


class Writer:
    """Writes a tree as CQL2 text; ``chance`` chooses among the ways that the grammar leaves."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def word(self, keyword: str) -> str:
        """Return a keyword in some case."""
        return self._chance.choice([keyword.upper(), keyword.lower(), keyword.capitalize()])

    def text(self, value: str, pattern: bool = False) -> str:
        """Return a literal; in a pattern the backslashes are its own already."""
        quote = self._chance.choice(["''", "\\'"])
        written = value if pattern else value.replace("\\", "\\\\")
        return "'" + written.replace("'", quote).replace("\t", self._chance.choice(["\t", "\\t"])) + "'"

    def write(self, tree: Tree, least: int = 0) -> str:
        """Return an expression, in brackets when it binds less than ``least``, or by chance."""
        written, level = self._expression(tree)
        if level < least or (level < 8 and self._chance.random() < 0.1):
            return f"({written})"
        return written

    def _expression(self, tree: Tree) -> tuple[str, int]:
        if isinstance(tree, bool):
            return self.word(str(tree)), 9
        if isinstance(tree, str):
            return self.text(tree), 9
        if isinstance(tree, int | float):
            return repr(tree), 9
        if isinstance(tree, list):
            return "(" + ", ".join(self.write(item) for item in tree) + ")", 9
        if "op" in tree:
            return self._call(tree["op"], tree["args"])
        if "property" in tree:
            name = tree["property"]
            return (f'"{name}"' if self._chance.random() < 0.3 else name), 9
        if "interval" in tree:
            ends = (self.text(end) if isinstance(end, str) else self.write(end) for end in tree["interval"])
            return f"{self.word('interval')}({', '.join(ends)})", 9
        for key in ("date", "timestamp"):
            if key in tree:
                return f"{self.word(key)}('{tree[key]}')", 9
        return self.geometry(tree), 9

    def _call(self, op: str, args: list[Tree]) -> tuple[str, int]:
        if op in ("and", "or"):
            level = _LEVELS[op]
            return f" {self.word(op)} ".join(self.write(arg, level + 1) for arg in args), level
        if op == "not":
            return self._not(args[0]), 3
        if op in ("=", "<>", "<", ">", "<=", ">="):
            space = self._chance.choice(["", " "])
            return f"{space}{op}{space}".join(self.write(arg, 5) for arg in args), 4
        if op in _LEVELS:
            level = _LEVELS[op]
            sign = self.word(op) if op == "div" else op
            least = 8 if op == "^" else level
            return f"{self.write(args[0], least)} {sign} {self.write(args[1], level + 1)}", level
        if op == "isNull":
            return f"{self.write(args[0], 5)} {self.word('is')} {self.word('null')}", 4
        if op in ("like", "between", "in"):
            return self._special(op, args, ""), 4
        return f"{self.word(op)}({', '.join(self.write(arg) for arg in args)})", 9

    def _not(self, arg: Tree) -> str:
        word = self.word("not")
        op = arg.get("op") if isinstance(arg, dict) else None
        if op in ("like", "between", "in") and self._chance.random() < 0.7:
            return self._special(op, arg["args"], f"{word} ")
        if op == "isNull" and self._chance.random() < 0.7:
            return f"{self.write(arg['args'][0], 5)} {self.word('is')} {word} {self.word('null')}"
        return f"{word} {self.write(arg, 3)}"

    def _special(self, op: str, args: list[Tree], negated: str) -> str:
        left = f"{self.write(args[0], 5)} {negated}{self.word(op)} "
        if op == "like":
            return left + self._pattern(args[1])
        if op == "in":
            return left + "(" + ", ".join(self.write(arg, 5) for arg in args[1]) + ")"
        return left + f"{self.write(args[1], 5)} {self.word('and')} {self.write(args[2], 5)}"

    def _pattern(self, tree: Tree) -> str:
        if isinstance(tree, str):
            return self.text(tree, pattern=True)
        return f"{self.word(tree['op'])}({self._pattern(tree['args'][0])})"

    def geometry(self, tree: Tree) -> str:
        """Return well-known text, or BBOX."""
        if "bbox" in tree:
            return f"{self.word('bbox')}({', '.join(map(repr, tree['bbox']))})"
        kind = self.word(tree["type"])
        if tree["type"] == "GeometryCollection":
            return f"{kind}({', '.join(self.geometry(part) for part in tree['geometries'])})"
        depth = {"Point": 0, "MultiPoint": 1, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}
        heights = " Z" if _first(tree["coordinates"], depth[tree["type"]]) == 3 else ""
        inner = _coordinates(tree["coordinates"], depth[tree["type"]], tree["type"] == "MultiPoint")
        return f"{kind}{heights}{inner if depth[tree['type']] else f'({inner})'}"


def _first(coordinates: Any, depth: int) -> int:
    return len(coordinates) if depth == 0 else _first(coordinates[0], depth - 1)


def _coordinates(coordinates: Any, depth: int, points: bool) -> str:
    if depth == 0:
        return " ".join(map(repr, coordinates))
    inner = (_coordinates(part, depth - 1, False) for part in coordinates)
    return "(" + ", ".join(f"({part})" if points else part for part in inner) + ")"


def write(tree: Tree, seed: int) -> str:
    """Return a filter as CQL2 text, in one of the ways that the grammar leaves."""
    return Writer(random.Random(seed)).write(tree)
