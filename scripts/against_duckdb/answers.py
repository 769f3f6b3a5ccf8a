"""Values of both answers in one form, and whether two answers are equal."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any

RELATIVE = 1e-9
EPOCH = datetime.datetime(1970, 1, 1)


def mine(rows: list[list[Any]], kinds: list[str]) -> list[list[Any]]:
    """Returns meunier's rows in the common form."""
    return [[my_value(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows]


def my_value(value: Any, kind: str) -> Any:
    if value is None or kind in ("text", "bool"):
        return value
    if kind == "time":
        # Java prints a time with at least one digit of its second's fraction.
        return milliseconds(datetime.datetime.fromisoformat(value)) if isinstance(value, str) else value
    if isinstance(value, str) and kind in ("whole", "double", "decimal"):
        return float(value) if value in ("NaN", "Infinity", "-Infinity") else Decimal(value)
    return value


def ducks(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    """Returns DuckDB's rows in the common form."""
    return [[duck_value(value) for value in row] for row in rows]


def duck_value(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return milliseconds(value)
    return value.hex() if isinstance(value, bytes) else value


def milliseconds(moment: datetime.datetime) -> int:
    return (moment.replace(tzinfo=None) - EPOCH) // datetime.timedelta(milliseconds=1)


EXACT = frozenset({"whole", "text", "bool", "time", "bytes"})


def difference(left: list[list[Any]], right: list[list[Any]], kinds: list[str], ordered: bool) -> str | None:
    """Returns the first difference of two answers, or nothing. Without an order rows may come in any."""
    if len(left) != len(right):
        return f"{len(left)} rows and {len(right)}"
    if not ordered:
        # Exact columns first, as fractions may differ in their last digits.
        places = sorted(range(len(kinds)), key=lambda place: kinds[place] not in EXACT)
        left, right = ([*sorted(rows, key=lambda row: [value_key(row[place]) for place in places])] for rows in (left, right))
    for number, (one, other) in enumerate(zip(left, right)):
        for place, (a, b) in enumerate(zip(one, other, strict=True)):
            if not same(a, b):
                return f"row {number}, c{place}: {a!r} and {b!r}"
    return None


def value_key(value: Any) -> tuple[int, Any]:
    """Orders values of one column, whatever types two engines give them."""
    if value is None:
        return (0, 0)
    if isinstance(value, (int, float, Decimal)):
        return (1, 0) if math.isnan(value) else (2, value)
    return (3, str(value))


def same(a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, (bool, str)) or isinstance(b, (bool, str)):
        return type(a) is type(b) and a == b
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    if isinstance(a, list) or isinstance(b, list):
        return isinstance(a, list) and isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    x, y = float(a), float(b)
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    # A difference of equal sums is zero but for the last digits of what was added.
    return math.isclose(x, y, rel_tol=RELATIVE, abs_tol=RELATIVE)
