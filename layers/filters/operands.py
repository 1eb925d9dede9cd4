"""SQL in which two operands stand several times, each of them calculated once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

Sql = ColumnElement[Any]


class Named(FunctionElement[Any]):
    """An expression of two operands, which are called ``l`` and ``r`` in its text."""

    inherit_cache = False

    def __init__(self, text: str, left: Sql, right: Sql, type_: TypeEngine[Any]) -> None:
        self.text = text
        self.type = type_
        super().__init__(left, right)


@compiles(Named)
def _written(element: Named, compiler: SQLCompiler, **options: Any) -> str:
    left, right = (compiler.process(part, **options) for part in element.clauses)
    # Written out where they stand, operands within operands would grow without end; OFFSET keeps the planner from it.
    operands = f"SELECT {left} AS l, {right} AS r OFFSET 0"
    return f"(SELECT {element.text} FROM ({operands}) AS operands)"  # noqa: S608 - of compiled expressions
