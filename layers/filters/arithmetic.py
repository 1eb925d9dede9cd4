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
#: Products and quotients: where either is 0, there is nothing to be feared.
_QUOTIENT = (
    "CASE WHEN r = 0 OR abs(l) > {most} THEN NULL WHEN l = 0 THEN l / r"
    " WHEN abs(r) < 1 THEN CASE WHEN abs(l) <= {most} * abs(r) THEN {result} END"
    " WHEN abs(l) < {least} * abs(r) THEN {tiny} ELSE {result} END"
)
_TEXTS = {
    "+": "CASE WHEN l > 0 THEN CASE WHEN r <= {most} - l THEN l + r END WHEN r >= - {most} - l THEN l + r END",
    "-": "CASE WHEN l > 0 THEN CASE WHEN r >= l - {most} THEN l - r END WHEN r <= l + {most} THEN l - r END",
    "*": "CASE WHEN l = 0 OR r = 0 THEN l * r WHEN abs(l) > 1 THEN CASE WHEN abs(r) <= {most} / abs(l) THEN l * r END"
    " WHEN abs(r) < {least} / abs(l) THEN 0 ELSE l * r END",
    "/": _QUOTIENT.replace("{result}", "l / r").replace("{tiny}", "0"),
    "div": _QUOTIENT.replace("{result}", "trunc(l / r)").replace("{tiny}", "0"),
    # By the logarithm of the result; exponents are cut to where they no longer matter.
    "^": "CASE WHEN r IS NULL THEN NULL WHEN l = 0 THEN CASE WHEN r >= 0 THEN power(l, r) END"
    " WHEN l < 0 AND r <> trunc(r) THEN NULL WHEN abs(r) < 1e-25::float8 THEN power(l, r)"
    " WHEN least(greatest(r, -1e30::float8), 1e30::float8) * ln(abs(l)) > 709.78::float8 THEN NULL"
    " WHEN least(greatest(r, -1e30::float8), 1e30::float8) * ln(abs(l)) < -744::float8 THEN 0 ELSE power(l, r) END",
}


#: The greatest double, beyond which there are infinity and, as PostgreSQL sorts it, what is no number.
_FINITE = "1.7976931348623157e308::float8"
#: Half of the smallest double, below which a number is 0.
_HALF = "2.4703282292062328e-324"


def _remainder(left: Sql, right: Sql) -> Sql:
    """Return what is left of a number when another is taken from it, as :func:`layers.filters.numbers.remainder` does.

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
    rest = f"SELECT mod({', '.join(decimals)}) AS m OFFSET 0"
    over = f"CASE WHEN abs(m) > {_HALF} THEN m::float8 WHEN m IS NOT NULL THEN 0 END"
    result = f"(SELECT {over} FROM ({rest}) AS rest)"  # noqa: S608 - of the names above
    return Named(f"CASE WHEN {' OR '.join(none)} THEN NULL ELSE {result} END", operands[0], operands[1], Double())


def operation(op: str, left: Sql, right: Sql, *, risky: bool) -> Sql:
    """Return an operation on double precision; what has no result, and what a double can't hold, is null.

    Parameters
    ----------
    risky : bool
        Whether the operands may be so large or small that PostgreSQL would end the query with an error.
    """
    if op == "%":
        return _remainder(left, right)
    left, right = cast(left, Double), cast(right, Double)
    if risky or op == "^":
        return Named(_TEXTS[op].replace("{most}", _MOST).replace("{least}", _LEAST), left, right, Double())
    if op in ("/", "div"):
        quotient = left / func.nullif(right, _ZERO)
        return quotient if op == "/" else func.trunc(quotient, type_=Double)
    return {"+": left + right, "-": left - right, "*": left * right}[op]
