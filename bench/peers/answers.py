"""Answers in one form, and whether two of them are the same.

Column names are compared without case, and by name where both answers have the same, as `SELECT *` has an order of its own in each
engine. Whole numbers must be equal; of others ten digits, since a sum of doubles differs in its last digits with the order of addition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

DIGITS = 1e-10
WHOLE_MAX = 2.0**53
"""Doubles below this hold whole numbers exactly."""


@dataclass(frozen=True)
class Answer:
    """Names and rows."""

    columns: list[str]
    rows: list[list[Any]]

    def to_json(self) -> dict[str, Any]:
        return {"columns": self.columns, "rows": self.rows}


def answer(columns: list[str], rows: list[Any]) -> Answer:
    """Returns an answer in the form that is kept and compared."""
    return Answer([column.lower() for column in columns], [[plain(value) for value in row] for row in rows])


def plain(value: Any) -> Any:
    """Returns whole numbers as integers whatever type an engine gives them, and texts and nulls as they are."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return str(value)
        return int(value) if value.is_integer() and abs(value) < WHOLE_MAX else value
    if value is None or isinstance(value, (int, str)):
        return value
    return str(value)


def difference(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """Returns the first difference of two answers, or nothing."""
    if len(one["rows"]) != len(other["rows"]):
        return f"{len(one['rows'])} rows and {len(other['rows'])}"
    order = columns_of_other(one["columns"], other["columns"])
    if order is None:
        return f"columns {one['columns']} and {other['columns']}"
    for number, (mine, theirs) in enumerate(zip(one["rows"], other["rows"])):
        for name, left, right in zip(one["columns"], mine, [theirs[place] for place in order]):
            if not same(left, right):
                return f"row {number}, `{name}`: {left!r} and {right!r}"
    return None


def columns_of_other(mine: list[str], theirs: list[str]) -> list[int] | None:
    """Returns where each of my columns stands in the other answer."""
    if len(mine) != len(theirs):
        return None
    if set(mine) == set(theirs):
        return [theirs.index(name) for name in mine]
    return list(range(len(mine)))


def same(left: Any, right: Any) -> bool:
    """Returns whether two values are the same, doubles to ten digits."""
    if isinstance(left, float) or isinstance(right, float):
        both = isinstance(left, (int, float)) and isinstance(right, (int, float))
        return both and math.isclose(left, right, rel_tol=DIGITS)
    return type(left) is type(right) and left == right
