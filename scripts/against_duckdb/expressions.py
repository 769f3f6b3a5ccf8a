"""Random expressions over columns, spelt as meunier and DuckDB spell them.

What Pinot means otherwise than SQL is left out here, each with its reason; everything else is asked of both.

- Quotients of whole numbers: Pinot's are cut or keep their fraction by where they stand. Divisors are never 0: Pinot's are errors or infinite.
- Arithmetic of whole numbers beyond 64 bits: Pinot wraps, DuckDB refuses.
- Letters beyond 16 bits in LENGTH and SUBSTRING, and the small sharp s in UPPER: Java counts units and writes two letters.
- LIKE with a backslash, which escapes in Pinot.
- Texts compared with numbers, which Pinot converts.
- Conditions on a multi-value column but `=` and IN, which ask whether any element fits, for NOT too; and these outside WHERE, where
  Pinot has none.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from .rows import BASE_MS, FACTS, INT_MAX, INT_MIN, KEYS, LONG_MAX, LONG_MIN, SMALL, TEXTS
from .tree import Expr, call, column, leaf

COMPARISONS = ["=", "<>", "!=", "<", "<=", ">", ">="]
PATTERNS = ["%", "", "a%", "%b", "%a%", "_", "__", "a_b", "%_%", "%é%", "漢_", "%u%1%", "a%b%c", "%'%", " %", "A%"]
UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"]


@dataclass(frozen=True)
class Scope:
    """The columns that an expression may use, by kind: whole, edge (whole numbers too large to add), double, …"""

    columns: dict[str, list[str]]
    multi_stage: bool
    facts: str | None = None

    def any(self, rng: random.Random, kind: str) -> Expr:
        name = rng.choice(self.columns[kind])
        return column(KIND_OF_RESULT.get(kind, kind), name)


KIND_OF_RESULT = {"tiny": "whole", "edge": "whole", "wild": "double"}
FACTS_KINDS = {
    "whole": ["id", "grp", "num"],
    "tiny": ["grp", "num"],
    "edge": ["edge", "big", "amount"],
    "double": ["flt", "dbl"],
    "wild": ["wild"],
    "decimal": ["dec"],
    "bool": ["flag"],
    "time": ["moment", "made"],
    "text": ["kind", "txt", "uniq"],
    "bytes": ["raw"],
}
SMALL_KINDS = {
    "whole": ["id", "num"],
    "tiny": ["num"],
    "double": ["dbl"],
    "bool": ["flag"],
    "time": ["made"],
    "text": ["kind", "txt"],
}


def scope_of(table: str, alias: str, multi_stage: bool) -> Scope:
    kinds = FACTS_KINDS if table == "facts" else SMALL_KINDS
    prefix = f"{alias}." if alias else ""
    columns = {kind: [prefix + name for name in names] for kind, names in kinds.items()}
    return Scope(columns, multi_stage, prefix if table == "facts" else None)


def both(left: Scope, right: Scope) -> Scope:
    """Returns the scope of a join."""
    kinds = left.columns.keys() | right.columns.keys()
    columns = {kind: left.columns.get(kind, []) + right.columns.get(kind, []) for kind in sorted(kinds)}
    return Scope(columns, left.multi_stage, left.facts or right.facts)


# --- literals ---------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def literal(rng: random.Random, kind: str) -> Expr:
    """Returns a constant that rows are likely to hold."""
    if kind in ("whole", "tiny"):
        return leaf("whole", str(rng.choice([0, 1, 3, rng.randint(-100, 100), rng.randint(0, 30_000)])))
    if kind == "edge":
        values = [INT_MAX, INT_MIN + 1, LONG_MAX, LONG_MIN + 1, 2**53, 2**53 + 1, 0, -1, rng.randint(0, 100_000)]
        return leaf("whole", str(rng.choice(values)))
    if kind in ("double", "wild"):
        return leaf("double", *double(rng))
    if kind == "decimal":
        value = rng.choice(["0", "-1.5", "12.25", "7.0000000001", "10000000000000.5"])
        return leaf("decimal", f"CAST({quoted(value)} AS DECIMAL(38,10))")
    if kind == "bool":
        return leaf("bool", rng.choice(["TRUE", "FALSE"]))
    if kind == "time":
        millis = rng.choice([0, BASE_MS, BASE_MS + rng.randint(0, 30_000) * 60_000, rng.randint(-30_000, 30_000) * 86_400_000])
        return leaf("time", f"toTimestamp({millis})", f"epoch_ms(CAST({millis} AS BIGINT))")
    if kind == "bytes":
        value = rng.choice(["00", "ff", "00ff"])
        return leaf("bytes", f"hexToBytes('{value}')", f"unhex('{value}')")
    return leaf("text", quoted(rng.choice([*TEXTS, *KEYS])))


def double(rng: random.Random) -> tuple[str, str]:
    value = rng.choice([0.0, 0.5, -0.5, 2.25, rng.randint(-640_000, 640_000) / 64])
    return (repr(value), f"CAST({value!r} AS DOUBLE)")


# --- values -----------------------------------------------------------------------------------------------------------


def value(rng: random.Random, scope: Scope, kind: str, depth: int) -> Expr:
    """Returns an expression of a kind that every scope can make."""
    if depth <= 0 or rng.random() < 0.35:
        return scope.any(rng, kind) if kind in scope.columns and rng.random() < 0.8 else literal(rng, kind)
    if rng.random() < 0.15:
        return conditional(rng, scope, kind, depth)
    makers = {"whole": whole, "double": double_of, "text": text, "bool": condition, "time": time}
    return makers[kind](rng, scope, depth - 1) if kind in makers else scope.any(rng, kind)


def conditional(rng: random.Random, scope: Scope, kind: str, depth: int) -> Expr:
    asked, one, other = condition(rng, scope, depth - 1), value(rng, scope, kind, depth - 1), value(rng, scope, kind, depth - 1)
    form = rng.randrange(5)
    if form == 0:
        return call(kind, "CASE WHEN {0} THEN {1} END", asked, one)
    if form == 1:
        again = condition(rng, scope, depth - 1)
        return call(kind, "CASE WHEN {0} THEN {1} WHEN {2} THEN {3} ELSE {1} END", asked, one, again, other)
    if form == 2:
        return call(kind, "COALESCE({0}, {1})", one, other)
    if form == 3 and kind in ("whole", "text"):
        return call(kind, "NULLIF({0}, {1})", one, other)
    return call(kind, "CASE WHEN {0} THEN {1} ELSE {2} END", asked, one, other)


def whole(rng: random.Random, scope: Scope, depth: int) -> Expr:
    form = rng.randrange(14)
    if form == 12:
        return call("whole", "SIGN({0})", tiny(rng, scope, depth))
    if form == 13:
        return call("whole", "CAST(CAST({0} AS VARCHAR) AS BIGINT)", leaf_or_column(rng, scope, "tiny"))
    if form < 4:
        one, other = tiny(rng, scope, depth), tiny(rng, scope, depth)
        return sum_or_product(rng, scope, one, other)
    if form == 4:
        divisor = leaf("whole", str(rng.choice([2, 3, 7, 10])))
        return call("whole", f"(MOD({{0}}, {{1}}){no_negative_zero(scope)})", tiny(rng, scope, depth), divisor)
    if form == 5:
        return call("whole", "ABS({0})", tiny(rng, scope, depth))
    if form == 6:
        return call("whole", "LENGTH({0})", plain_text(rng, scope))
    if form < 9:
        return time_part(rng, scope, depth)
    if form == 9 and scope.facts is not None:
        name = rng.choice(["ints", "texts"])
        return Expr("whole", f"ARRAYLENGTH({scope.facts}{name})", f"len({scope.facts}{name})", has_column=True)
    if form == 10 and scope.facts is not None:
        name = f"{scope.facts}doc"
        mine = f"JSONEXTRACTSCALAR({name}, '$.n', 'INT', 77)"
        return Expr("whole", mine, f"CASE WHEN {name} IS NOT NULL THEN COALESCE(CAST({name}->>'$.n' AS INTEGER), 77) END", has_column=True)
    if form == 11:
        return call("whole", "CAST({0} AS BIGINT)", leaf_or_column(rng, scope, "whole"))
    return leaf_or_column(rng, scope, "whole")


def tiny(rng: random.Random, scope: Scope, depth: int) -> Expr:
    """Returns a whole number whose products stay far below 64 bits."""
    if depth > 0 and rng.random() < 0.3:
        return sum_or_product(rng, scope, tiny(rng, scope, 0), tiny(rng, scope, 0))
    return scope.any(rng, "tiny") if rng.random() < 0.75 else leaf("whole", str(rng.randint(0, 20)))


def sum_or_product(rng: random.Random, scope: Scope, one: Expr, other: Expr) -> Expr:
    return call("whole", f"(CAST({{0}} AS BIGINT) {rng.choice('+-*')} {{1}}{no_negative_zero(scope)})", one, other)


def no_negative_zero(scope: Scope) -> str:
    """The single-stage engine counts in DOUBLE, where 0 times a negative number is -0.0, another value than 0.0. Adding 0 makes it 0.0."""
    return "" if scope.multi_stage else " + 0"


def leaf_or_column(rng: random.Random, scope: Scope, kind: str) -> Expr:
    return scope.any(rng, kind) if kind in scope.columns else literal(rng, kind)


def double_of(rng: random.Random, scope: Scope, depth: int) -> Expr:
    one = leaf_or_column(rng, scope, "double")
    form = rng.randrange(8)
    if form < 3:
        return call("double", f"({{0}} {rng.choice('+-*')} {{1}})", as_double(one), as_double(leaf_or_column(rng, scope, "double")))
    if form == 3:
        divisor = call("double", "(ABS({0}) + 1)", as_double(tiny(rng, scope, 0)))
        return call("double", "({0} / {1})", as_double(one), divisor)
    if form == 4:
        return as_double(whole(rng, scope, depth))
    if form == 5:
        return call("double", f"{rng.choice(['FLOOR', 'CEIL', 'ABS'])}({{0}})", one)
    if form == 6:
        return call("double", "SQRT(ABS({0}))", as_double(one))
    return call("double", "CASE WHEN {0} > 0 THEN LN({0}) END", as_double(one))


def as_double(number: Expr) -> Expr:
    return call("double", "CAST({0} AS DOUBLE)", number)


def plain_text(rng: random.Random, scope: Scope) -> Expr:
    """Returns a text without letters beyond 16 bits: of the columns only `kind` has none."""
    names = [name for name in scope.columns["text"] if name.endswith("kind")]
    return column("text", rng.choice(names))


def text(rng: random.Random, scope: Scope, depth: int) -> Expr:
    one = value(rng, scope, "text", depth - 1)
    form = rng.randrange(8)
    if form == 0:
        return call("text", "LOWER({0})", one)
    if form == 1:
        return call("text", "UPPER({0})", one)
    if form == 2:
        return call("text", f"SUBSTRING({{0}}, {rng.randint(1, 4)}, {rng.randint(1, 4)})", plain_text(rng, scope))
    if form == 3:
        return call("text", "({0} || {1})", one, value(rng, scope, "text", depth - 1))
    if form == 4:
        return call("text", "REPLACE({0}, 'a', 'xy')", one)
    if form == 5:
        return call("text", "TRIM({0})", one)
    if form == 6:
        return call("text", "CAST({0} AS VARCHAR)", leaf_or_column(rng, scope, "tiny"))
    return call("text", "REVERSE({0})", plain_text(rng, scope))


def time(rng: random.Random, scope: Scope, depth: int) -> Expr:
    one = leaf_or_column(rng, scope, "time")
    if rng.random() < 0.6:
        unit = rng.choice(UNITS)
        # DATE_TRUNC of a TIMESTAMP gives milliseconds in one engine of Pinot's and a TIMESTAMP in the other; both are compared as milliseconds.
        return call("time", f"toTimestamp(DATETRUNC('{unit}', {{0}}))", one, duck=f"date_trunc('{unit}', {{0}})")
    unit, count = rng.choice(["SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"]), rng.randint(-20, 20)
    # TIMESTAMPADD gives milliseconds.
    mine = f"toTimestamp(TIMESTAMPADD({unit}, {count}, {{0}}))"
    return call("time", mine, one, duck=f"({{0}} + INTERVAL ({count}) {unit})")


def time_part(rng: random.Random, scope: Scope, depth: int) -> Expr:
    one = leaf_or_column(rng, scope, "time") if depth <= 0 else value(rng, scope, "time", depth - 1)
    form = rng.randrange(5)
    if form < 3:
        mine, duck = rng.choice(
            [("YEAR", "year"), ("MONTH", "month"), ("DAYOFMONTH", "day"), ("HOUR", "hour"), ("MINUTE", "minute"), ("SECOND", "second")]
            + [("DAYOFWEEK", "isodow"), ("DAYOFYEAR", "dayofyear"), ("WEEK", "week"), ("QUARTER", "quarter"), ("YEAROFWEEK", "isoyear")]
        )
        return call("whole", f"{mine}({{0}})", one, duck=f"{duck}({{0}})")
    if form == 3:
        part = rng.choice(["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "QUARTER"])
        return call("whole", f"EXTRACT({part} FROM {{0}})", one)
    # Java's units are cut towards zero, as are DuckDB's quotients of whole numbers.
    unit, millis = rng.choice([("Seconds", 1000), ("Minutes", 60_000), ("Hours", 3_600_000), ("Days", 86_400_000)])
    return call("whole", f"toEpoch{unit}({{0}})", one, duck=f"(epoch_ms({{0}}) // {millis})")


# --- conditions -------------------------------------------------------------------------------------------------------

COMPARED = ["whole", "whole", "edge", "double", "wild", "text", "text", "time", "decimal", "bytes"]


def condition(rng: random.Random, scope: Scope, depth: int) -> Expr:
    if depth > 0 and rng.random() < 0.45:
        form = rng.randrange(5)
        if form == 0:
            return call("bool", "NOT ({0})", condition(rng, scope, depth - 1))
        word = "AND" if form < 3 else "OR"
        return call("bool", f"({{0}}) {word} ({{1}})", condition(rng, scope, depth - 1), condition(rng, scope, depth - 1))
    form = rng.randrange(15)
    if form == 14:
        start = leaf("text", quoted(rng.choice(["", "a", "b", "u1", "é", "漢", "gr"])))
        return call("bool", "STARTSWITH({0}, {1})", scope.any(rng, "text"), start, duck="starts_with({0}, {1})")
    if form < 5:
        return comparison(rng, scope, depth)
    if form == 5:
        return in_list(rng, scope)
    if form == 6:
        return between(rng, scope)
    if form == 7:
        word = rng.choice(["LIKE", "LIKE", "NOT LIKE"])
        return call("bool", f"{{0}} {word} {{1}}", scope.any(rng, "text"), leaf("text", quoted(rng.choice(PATTERNS))))
    if form == 8:
        kind = rng.choice(sorted(scope.columns))
        return call("bool", f"{{0}} IS {rng.choice(['NULL', 'NOT NULL'])}", scope.any(rng, kind))
    if form == 9:
        return scope.any(rng, "bool")
    if form == 10:
        return call("bool", f"{{0}} = {rng.choice(['TRUE', 'FALSE'])}", scope.any(rng, "bool"))
    if form == 11:
        return call("bool", f"({{0}}) IS {rng.choice(['TRUE', 'FALSE', 'NOT TRUE', 'NOT FALSE'])}", comparison(rng, scope, depth))
    if form == 13 and scope.multi_stage:
        kind = rng.choice(["whole", "text"])
        word = rng.choice(["IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
        return call("bool", f"({{0}} {word} {{1}})", scope.any(rng, kind), leaf_or_column(rng, scope, kind))
    return comparison(rng, scope, depth)


def comparison(rng: random.Random, scope: Scope, depth: int) -> Expr:
    kind = rng.choice([kind for kind in COMPARED if kind in scope.columns])
    sign = rng.choice(["=", "<>"] if kind == "bytes" else COMPARISONS)
    left = scope.any(rng, kind) if depth <= 0 or rng.random() < 0.6 else value(rng, scope, kind, depth)
    right = literal(rng, kind) if rng.random() < 0.75 else scope.any(rng, kind)
    if rng.random() < 0.1:
        left, right = right, left
    return call("bool", f"{{0}} {sign} {{1}}", left, right)


def in_list(rng: random.Random, scope: Scope) -> Expr:
    kind = rng.choice([kind for kind in ("whole", "edge", "double", "text") if kind in scope.columns])
    values = tuple(literal(rng, kind) for _ in range(rng.choice([1, 2, 3, 8, 20])))
    places = ", ".join(f"{{{place}}}" for place in range(1, len(values) + 1))
    return call("bool", f"{{0}} {rng.choice(['IN', 'NOT IN'])} ({places})", scope.any(rng, kind), *values)


def between(rng: random.Random, scope: Scope) -> Expr:
    kind = rng.choice([kind for kind in ("whole", "edge", "double", "text", "time", "wild") if kind in scope.columns])
    word = rng.choice(["BETWEEN", "BETWEEN", "NOT BETWEEN"])
    return call("bool", f"{{0}} {word} {{1}} AND {{2}}", scope.any(rng, kind), literal(rng, kind), literal(rng, kind))


def of_elements(rng: random.Random, prefix: str) -> Expr:
    """Returns whether any element of a multi-value column is one of some values."""
    if rng.random() < 0.5:
        wanted = rng.randint(-6, 6)
        return Expr("bool", f"{prefix}ints = {wanted}", f"list_contains({prefix}ints, {wanted})", has_column=True)
    wanted = ", ".join(quoted(rng.choice(TEXTS)) for _ in range(2))
    return Expr("bool", f"{prefix}texts IN ({wanted})", f"list_has_any({prefix}texts, [{wanted}])", has_column=True)


assert set(name for names in FACTS_KINDS.values() for name in names) <= FACTS.keys()
assert set(name for names in SMALL_KINDS.values() for name in names) <= SMALL.keys()
