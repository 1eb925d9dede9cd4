"""Arithmetic of filters on double precision: constants are calculated at once, and what may overflow is found out.

PostgreSQL ends a whole query where one row's result is beyond double precision, or smaller than its smallest number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, localcontext

from layers.filters.tree import Interval, Literal, Node, Property

ARITHMETIC = ("+", "-", "*", "/", "%", "div", "^")
#: Decimal logarithms of the smallest and the greatest double.
_LEAST, _MOST = math.log10(5e-324), math.log10(1.7976931348623157e308)
#: Digits of a double: a difference of two has at least their last one.
_DIGITS = 16.0
#: Digits of a double that are always as they were written; whole numbers up to the second have all of theirs.
WRITTEN, WHOLE = 15, 2**53
#: More than the digits of the quotient of the greatest double by the smallest.
_PRECISION = 1000
_HAIR = 1e-9
#: Decimal logarithms between which the magnitude of a number lies that is not 0.
Reach = tuple[float, float]
_ANY: Reach = (_LEAST, _MOST)
#: Of whole numbers of 64 bits; of metres and square metres.
_WHOLE: Reach = (0.0, 19.0)
_METRES: Reach = (-30.0, 15.0)


def calculate(op: str, left: float, right: float) -> float | None:
    """Return the result of an operation on two constants; None where there is none, or none that a double can hold."""
    try:
        if op in ("%", "div"):
            return whole(op, left, right)
        left, right = float(left), float(right)
        if op == "^":
            result: float = math.pow(left, right)
        elif op == "/":
            result = left / right
        else:
            result = {"+": left + right, "-": left - right, "*": left * right}[op]
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return result if math.isfinite(result) else None


def whole(op: str, left: float, right: float) -> float | None:
    """Return how often a number goes into another, or what is left then, with the sign of the first: exactly.

    Both are taken as they were written, to 15 digits: 0.3 is three times 0.1, though the nearest doubles are not.
    :mod:`layers.filters.arithmetic` has the same for rows.

    Parameters
    ----------
    op : ``div`` or ``%``
    """
    if right == 0:
        return None
    with localcontext(prec=_PRECISION):
        one, other = _written(left), _written(right)
        result = float(one % other if op == "%" else one // other)
    return result if math.isfinite(result) else None


def _written(value: float) -> Decimal:
    if isinstance(value, int) or (value.is_integer() and abs(value) <= WHOLE):
        return Decimal(int(value))
    return Decimal(f"{value:.{WRITTEN}g}")


def marked(node: Node, values: Mapping[str, object]) -> Node:
    """Return a tree in which the operations that may leave double precision in some row are marked as ``risky``.

    Parameters
    ----------
    values : The literals' values by parameter name; a filter with others may have other marks, and so another shape.
    """
    if isinstance(node, Interval):
        start, end = (end and marked(end, values) for end in (node.start, node.end))
        return Interval(start, end)
    return _marked(node, values)[0]


def _marked(node: Node, values: Mapping[str, object]) -> tuple[Node, Reach]:
    if isinstance(node, Literal):
        value = values[f"literal{node.index}"]
        number = abs(value) if isinstance(value, int | float) else 0
        return node, (math.log10(number),) * 2 if number else (0.0, 0.0)
    if isinstance(node, Property):
        return node, _WHOLE if node.type == "integer" else _ANY
    if isinstance(node, Interval):
        return marked(node, values), _ANY
    if node.op not in ARITHMETIC:
        return replace(node, args=tuple(marked(arg, values) for arg in node.args)), _METRES
    (left, one), (right, other) = (_marked(arg, values) for arg in node.args)
    exponent = values[f"literal{right.index}"] if isinstance(right, Literal) else None
    least, most = _reach(node.op, one, other, exponent)
    # Decimal numbers have no such limits.
    risky = node.op not in ("%", "div") and (least < _LEAST - _HAIR or most > _MOST + _HAIR)
    if node.op == "div":
        least = 0.0
    elif node.op == "%":
        least, most = min(one[0], other[0]) - _DIGITS, min(one[1], other[1])
    return replace(node, args=(left, right), risky=risky), (max(least, _LEAST), min(most, _MOST))


def _reach(op: str, left: Reach, right: Reach, exponent: object) -> Reach:
    """Return how small and how large a result may be before it is rounded to a double; of div, the quotient."""
    if op in ("+", "-"):
        low, high = sorted((left[1], right[1]))
        # What is left of a difference is no less than the last digit of the smaller one, nor than a double can be.
        return max(min(left[0], right[0]) - _DIGITS, _LEAST), high + math.log10(1 + 10 ** (low - high))
    if op == "*":
        return left[0] + right[0], left[1] + right[1]
    if op == "^":
        if isinstance(exponent, int | float):
            ends = sorted(side * exponent for side in left)
            return ends[0], ends[1]
        most = max(abs(left[0]), abs(left[1])) * 10 ** min(right[1], 300.0)
        return -most, most
    return left[0] - right[1], left[1] - right[0]
