"""SQL of arithmetic on double precision in which what has no result is null, and no row ends the query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Double, Integer, cast, func, literal_column

from layers.filters.numbers import WHOLE
from layers.filters.operands import Named

Sql = ColumnElement[Any]

_ZERO: Sql = literal_column("0::float8")
#: A hair below the greatest double, and twice the smallest: between them, no rounding decides.
_MOST, _LEAST = "1.797693134862315e308::float8", "1e-323::float8"
_TEXTS = {
    "+": "CASE WHEN l > 0 THEN CASE WHEN r <= {most} - l THEN l + r END WHEN r >= - {most} - l THEN l + r END",
    "-": "CASE WHEN l > 0 THEN CASE WHEN r >= l - {most} THEN l - r END WHEN r <= l + {most} THEN l - r END",
    "*": "CASE WHEN l = 0 OR r = 0 THEN l * r WHEN abs(l) > 1 THEN CASE WHEN abs(r) <= {most} / abs(l) THEN l * r END"
    " WHEN abs(r) < {least} / abs(l) THEN 0 ELSE l * r END",
    # Where either is 0, there is nothing to be feared.
    "/": "CASE WHEN r = 0 OR abs(l) > {most} THEN NULL WHEN l = 0 THEN l / r"
    " WHEN abs(r) < 1 THEN CASE WHEN abs(l) <= {most} * abs(r) THEN l / r END"
    " WHEN abs(l) < {least} * abs(r) THEN 0 ELSE l / r END",
    # By the logarithm of the result; exponents are cut to where they no longer matter.
    "^": "CASE WHEN r IS NULL THEN NULL WHEN l = 0 THEN CASE WHEN r >= 0 THEN power(l, r) END"
    " WHEN l < 0 AND r <> trunc(r) THEN NULL WHEN abs(r) < 1e-25::float8 THEN power(l, r)"
    " WHEN least(greatest(r, -1e30::float8), 1e30::float8) * ln(abs(l)) > 709.78::float8 THEN NULL"
    " WHEN least(greatest(r, -1e30::float8), 1e30::float8) * ln(abs(l)) < -744::float8 THEN 0 ELSE power(l, r) END",
}


#: The greatest double, beyond which there are infinity and, as PostgreSQL sorts it, what is no number.
_GREATEST = "1.7976931348623157e308"
_FINITE = f"{_GREATEST}::float8"
#: Half of the smallest double, below which a number is 0.
_HALF = "2.4703282292062328e-324"


def _whole(op: str, left: Sql, right: Sql) -> Sql:
    """Return how often a number goes into another, or what is left then, as :func:`layers.filters.numbers.whole` does.

    PostgreSQL's cast of doubles to decimal numbers keeps 15 digits.
    """
    operands = [cast(side, BigInteger if isinstance(side.type, Integer) else Double) for side in (left, right)]
    none, decimals = ["r = 0"], []
    for name, side in zip("lr", operands, strict=True):
        if isinstance(side.type, Integer):
            decimals.append(f"{name}::numeric")
            continue
        none.append(f"abs({name}) > {_FINITE}")
        whole = f"{name} = trunc({name}) AND abs({name}) <= {WHOLE}::float8"
        decimals.append(f"CASE WHEN {whole} THEN {name}::bigint::numeric ELSE {name}::numeric END")
    exact = f"SELECT {'mod' if op == '%' else 'div'}({', '.join(decimals)}) AS m OFFSET 0"
    double = f"CASE WHEN abs(m) > {_HALF} AND abs(m) <= {_GREATEST} THEN m::float8 WHEN abs(m) <= {_HALF} THEN 0 END"
    result = f"(SELECT {double} FROM ({exact}) AS exact)"  # noqa: S608 - of the names above
    return Named(f"CASE WHEN {' OR '.join(none)} THEN NULL ELSE {result} END", operands[0], operands[1], Double())


def operation(op: str, left: Sql, right: Sql, *, risky: bool) -> Sql:
    """Return an operation on double precision; what has no result, and what a double can't hold, is null.

    Parameters
    ----------
    risky : bool
        Whether the operands may be so large or small that PostgreSQL would end the query with an error.
    """
    if op in ("%", "div"):
        return _whole(op, left, right)
    left, right = cast(left, Double), cast(right, Double)
    if risky or op == "^":
        return Named(_TEXTS[op].replace("{most}", _MOST).replace("{least}", _LEAST), left, right, Double())
    if op == "/":
        return left / func.nullif(right, _ZERO)
    return {"+": left + right, "-": left - right, "*": left * right}[op]
