"""Random statements: rows, groups, joins, windows, set operations and sub-queries.

Where LIMIT cuts, ORDER BY tells all rows apart, so that there is one right answer. `{facts}` stands for the table's name in a layout.
Pinot's single-stage engine has no sub-queries, joins, windows and set operations; what it has is asked of both engines.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from .expressions import Scope, as_double, both, column, condition, conditional, literal, of_elements, scope_of, value
from .tree import Expr, Order, Query, Select, SetOperation, call, leaf

DIRECTIONS = ["", "ASC", "DESC", "ASC NULLS FIRST", "DESC NULLS LAST", "ASC NULLS LAST", "DESC NULLS FIRST"]
EXACT = {"whole", "text", "bool", "time"}
VALUES = ["whole", "whole", "double", "text", "text", "time", "bool"]


def statement(rng: random.Random) -> tuple[Query, bool]:
    """Returns a statement, and whether it is one for the multi-stage engine."""
    multi_stage = rng.random() < 0.65
    if not multi_stage or rng.random() < 0.4:
        return single_table(rng, multi_stage), multi_stage
    makers: list[Callable[[random.Random], Query]] = [joined, windowed, set_operation, nested, filtered_by_query]
    return rng.choice([joined, *makers])(rng), True


def table(name: str, alias: str = "") -> Expr:
    """Returns FROM's text; names of tables are put in last."""
    text = f"<{name}>{' AS ' + alias if alias else ''}"
    return leaf("table", text)


def single_table(rng: random.Random, multi_stage: bool) -> Select:
    scope = scope_of("facts", "", multi_stage)
    if rng.random() < 0.04:
        return by_elements(rng, scope)
    return rng.choice([rows, groups, groups, groups])(rng, scope, table("facts"))


def conditions(rng: random.Random, scope: Scope) -> tuple[Expr, ...]:
    made = tuple(condition(rng, scope, rng.randint(0, 2)) for _ in range(rng.choice([0, 1, 1, 2])))
    if scope.facts is not None and not scope.multi_stage and rng.random() < 0.1:
        return (*made, of_elements(rng, scope.facts))
    return made


def rows(rng: random.Random, scope: Scope, source: Expr) -> Select:
    """Returns a selection. Every row is told apart by its ids, or by all that it shows."""
    where = conditions(rng, scope)
    if rng.random() < 0.3:
        kinds = [rng.choice(["whole", "text", "bool"]) for _ in range(rng.randint(1, 3))]
        items = tuple(some(rng, scope, kind) for kind in kinds)
        return ordered(rng, Select(items, source, True, where), range(len(items)), rng.random() < 0.6)
    ids = tuple(column("whole", name) for name in scope.columns["whole"] if name.split(".")[-1] == "id")
    items = ids + tuple(selected(rng, scope) for _ in range(rng.randint(1, 5)))
    query = ordered(rng, Select(items, source, where=where), range(len(ids)), True)
    return query if query.limit is not None or rng.random() < 0.05 else ordered(rng, query, range(len(ids)), True, always=True)


def selected(rng: random.Random, scope: Scope) -> Expr:
    kind = rng.choice([*VALUES, *scope.columns])
    if kind in VALUES:
        return value(rng, scope, kind, rng.randint(0, 3))
    return scope.any(rng, kind)


def some(rng: random.Random, scope: Scope, kind: str) -> Expr:
    """Returns an expression that is no constant."""
    for _ in range(5):
        made = value(rng, scope, kind, rng.choice([0, 0, 1, 2]))
        if made.mentions_column():
            return made
    return scope.any(rng, kind)


def ordered(rng: random.Random, query: Select, unique, limited: bool, always: bool = False) -> Select:
    """Returns the query with ORDER BY: some columns, then those that tell rows apart; and with LIMIT."""
    unique = list(unique)
    if not always and rng.random() < 0.25:
        return query
    exact = [place for place, item in enumerate(query.items) if item.kind in EXACT]
    first = rng.sample(exact, min(len(exact), rng.randint(0, 2)))
    keys = first + [place for place in unique if place not in first]
    order = tuple(Order(place, rng.choice(DIRECTIONS)) for place in keys)
    limit = rng.choice([0, 1, 5, 10, 100, 1000]) if limited and (always or rng.random() < 0.8) else None
    offset = rng.choice([1, 7, 50]) if limit and rng.random() < 0.2 else None
    return replace(query, order=order, limit=limit, offset=offset)


# --- groups -----------------------------------------------------------------------------------------------------------


def groups(rng: random.Random, scope: Scope, source: Expr) -> Select:
    keys = tuple(group_key(rng, scope) for _ in range(rng.choice([0, 1, 1, 2, 3])))
    items = keys + tuple(aggregate(rng, scope) for _ in range(rng.randint(1, 4)))
    having = (having_condition(rng, scope),) if keys and rng.random() < 0.3 else ()
    query = Select(items, source, False, conditions(rng, scope), keys, having)
    return ordered(rng, query, range(len(keys)), True) if keys else query


def group_key(rng: random.Random, scope: Scope) -> Expr:
    if rng.random() < 0.7:
        kind = rng.choice(["whole", "tiny", "text", "bool", "time", "wild", "double"])
        kind = kind if kind in scope.columns else "whole"
        return scope.any(rng, kind)
    return some(rng, scope, rng.choice(["whole", "text", "bool"]))


def aggregate(rng: random.Random, scope: Scope) -> Expr:
    made = bare_aggregate(rng, scope)
    if rng.random() < 0.25:
        return call(made.kind, "{0} FILTER (WHERE {1})", made, condition(rng, scope, rng.randint(0, 1)))
    return made


def bare_aggregate(rng: random.Random, scope: Scope) -> Expr:
    form = rng.randrange(13)
    if form < 2:
        return leaf("whole", "COUNT(*)")
    if form == 2:
        return call("whole", "COUNT({0})", scope.any(rng, rng.choice(sorted(scope.columns))))
    if form == 3:
        kind = rng.choice(["whole", "text", "bool", "time", *[kind for kind in ("edge", "wild", "decimal", "bytes") if kind in scope.columns]])
        return call("whole", "COUNT(DISTINCT {0})", scope.any(rng, kind))
    if form < 6:
        # Sums of whole numbers are LONG or DOUBLE by the engine; both are compared as numbers.
        argument = some(rng, scope, "tiny") if rng.random() < 0.6 else scope.any(rng, "whole")
        if rng.random() < 0.2:
            return call("double", "AVG({0})", argument)
        return call("whole", rng.choice(["SUM({0})", "SUM({0})", "SUM(DISTINCT {0})"]), argument)
    if form == 6:
        return call("double", f"{rng.choice(['SUM', 'AVG'])}({{0}})", scope.any(rng, "double"))
    if form < 9:
        # Pinot's single-stage MIN and MAX are DOUBLE, and its texts and times have functions of their own.
        kind = rng.choice(["whole", "double", "edge" if scope.multi_stage else "tiny", "wild", "decimal"])
        kind = kind if kind in scope.columns else "whole"
        argument = value(rng, scope, kind, 1) if kind in ("whole", "double") else scope.any(rng, kind)
        return call(argument.kind, f"{rng.choice(['MIN', 'MAX'])}({{0}})", argument)
    if form == 9:
        mine, duck = rng.choice([("STDDEV_POP", "stddev_pop"), ("VAR_SAMP", "var_samp"), ("VAR_POP", "var_pop")])
        return call("double", f"{mine}({{0}})", as_double(scope.any(rng, "whole")), duck=f"{duck}({{0}})")
    if form == 12:
        word = rng.choice(["MIN", "MAX"])
        return call("text", f"{word}STRING({{0}})", scope.any(rng, "text"), duck=f"{word}({{0}})")
    if form == 10:
        mine, duck = rng.choice([("BOOLAND", "bool_and"), ("BOOLOR", "bool_or")])
        return call("bool", f"{mine}({{0}})", scope.any(rng, "bool"), duck=f"{duck}({{0}})")
    inner = conditional(rng, scope, "whole", 1)
    return call("whole", "SUM({0})", inner)


def having_condition(rng: random.Random, scope: Scope) -> Expr:
    what = rng.choice([leaf("whole", "COUNT(*)"), call("whole", "SUM({0})", scope.any(rng, "tiny")), call("whole", "MAX({0})", scope.any(rng, "tiny"))])
    made = call("bool", f"{{0}} {rng.choice(['>', '<=', '<>', '='])} {{1}}", what, leaf("whole", str(rng.choice([0, 1, 2, 10, 500]))))
    return call("bool", "NOT ({0})", made) if rng.random() < 0.15 else made


def by_elements(rng: random.Random, scope: Scope) -> Select:
    """Returns groups by the elements of a multi-value column: Pinot groups by them, DuckDB makes a row of each before."""
    name, kind = rng.choice([("ints", "whole"), ("texts", "text")])
    element = Expr(kind, f"ARRAYTOMV({name})" if scope.multi_stage else name, "element", has_column=True)
    source = Expr("table", "<facts>", f"(SELECT *, UNNEST({name}) AS element FROM <facts>)")
    items = (element, leaf("whole", "COUNT(*)"), call("whole", "SUM({0})", scope.any(rng, "tiny")))
    query = Select(items, source, where=conditions(rng, scope), group=(element,), fixed=True)
    return ordered(rng, query, range(1), True)


# --- several tables ---------------------------------------------------------------------------------------------------


def joined(rng: random.Random) -> Query:
    """Returns a join of both tables, or of `facts` with a part of itself, on equalities and maybe another condition."""
    left = scope_of("facts", "a", True)
    if rng.random() < 0.75:
        right, right_table = scope_of("small", "b", True), "small"
        pairs = ["a.id = b.id", "a.num = b.num", "a.txt = b.txt AND a.num = b.num", "a.kind = b.kind AND a.id = b.id", "a.grp = b.id"]
    else:
        right, right_table = scope_of("facts", "b", True), "facts"
        pairs = ["a.id = b.id", "a.id = b.id + 1", "a.uniq = b.uniq", "a.id = b.amount"]
    word = rng.choice(["JOIN", "INNER JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
    equal = leaf("bool", rng.choice(pairs))
    on = call("bool", "{0} AND {1}", equal, wrapped(condition(rng, both(left, right), 0))) if rng.random() < 0.2 else equal
    source = call("table", f"{{0}} {word} {{1}} ON {{2}}", table("facts", "a"), table(right_table, "b"), on)
    return rng.choice([rows, groups, groups])(rng, both(left, right), source)


def wrapped(condition_: Expr) -> Expr:
    return call("bool", "({0})", condition_)


def windowed(rng: random.Random) -> Query:
    """Returns window functions over rows in a total order, of some of the table."""
    scope = scope_of("facts", "", True)
    below = rng.choice([50, 500, 3000, 30_000])
    where = (leaf("bool", f"id < {below}"), *conditions(rng, scope)[:1])
    items = (column("whole", "id"), *(window(rng, scope) for _ in range(rng.randint(1, 3))))
    return ordered(rng, Select(items, table("facts"), where=where), range(1), True, always=True)


def window(rng: random.Random, scope: Scope) -> Expr:
    parts = rng.choice(["", "PARTITION BY kind ", "PARTITION BY grp, flag ", "PARTITION BY txt "])
    total = f"ORDER BY {rng.choice(['id', 'id DESC', 'num, id', 'txt DESC, id', 'num DESC NULLS LAST, id DESC'])}"
    form = rng.randrange(7)
    if form == 0:
        return Expr("whole", f"ROW_NUMBER() OVER ({parts}{total})", f"ROW_NUMBER() OVER ({parts}{total})", has_column=True)
    if form == 1:
        return same_spelling(f"{rng.choice(['RANK', 'DENSE_RANK'])}() OVER ({parts}ORDER BY {rng.choice(['num', 'txt DESC', 'flag, grp'])})")
    if form == 2:
        one = rng.choice(["LAG", "LEAD"])
        ahead = rng.choice(["", ", 1", ", 3", ", 2, -7"])
        return call("whole", f"{one}({{0}}{ahead}) OVER ({parts}{total})", column("whole", rng.choice(["num", "id"])))
    if form == 3:
        name = rng.choice(["FIRST_VALUE", "LAST_VALUE"])
        frame = rng.choice(["", *FRAMES])
        return call("text", f"{name}({{0}}) OVER ({parts}{total}{frame})", column("text", rng.choice(["txt", "uniq"])))
    if form == 4:
        return same_spelling(f"NTILE({rng.choice([1, 3, 10])}) OVER ({parts}{total})")
    function = rng.choice(["SUM", "COUNT", "MIN", "MAX", "AVG"])
    argument = scope.any(rng, rng.choice(["tiny", "double"]))
    kind = "whole" if function == "COUNT" else "double" if function == "AVG" else argument.kind
    order = rng.choice(["", total, "ORDER BY num", "ORDER BY kind"])
    frame = rng.choice(["", *FRAMES]) if order == total else ""
    return call(kind, f"{function}({{0}}) OVER ({parts}{order}{frame})", argument)


FRAMES = [
    " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
    " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    " ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING",
    " RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
]


def same_spelling(text: str) -> Expr:
    return Expr("whole", text, text, has_column=True)


def set_operation(rng: random.Random) -> Query:
    kinds = [rng.choice(["whole", "text", "bool", "time"]) for _ in range(rng.randint(1, 3))]
    word = rng.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"])
    sides = []
    for name in ("facts", rng.choice(["facts", "small"])):
        scope = scope_of(name, "", True)
        items = tuple(same_column(rng, scope, kind) for kind in kinds)
        sides.append(Select(items, table(name), rng.random() < 0.2, conditions(rng, scope), outermost=False))
    order = tuple(Order(place, rng.choice(DIRECTIONS)) for place in range(len(kinds)))
    return SetOperation(word, *sides, order, rng.choice([None, 3, 20, 500]))


def same_column(rng: random.Random, scope: Scope, kind: str) -> Expr:
    return scope.any(rng, kind) if rng.random() < 0.6 else value(rng, scope, kind, 1)


# --- sub-queries ------------------------------------------------------------------------------------------------------


def nested(rng: random.Random) -> Query:
    """Returns groups or rows over a sub-query, whose columns are c0, c1, …"""
    inner_scope = scope_of("facts", "", True)
    inner = rng.choice([rows, groups, lambda *given: windowed(given[0])])(rng, inner_scope, table("facts"))
    inner = replace(inner, outermost=False)
    columns: dict[str, list[str]] = {}
    for place, kind in enumerate(inner.kinds()):
        columns.setdefault(kind, []).append(f"q.c{place}")
    if "whole" not in columns or inner.limit == 0:
        return replace(inner, outermost=True)
    in_front = rng.random() < 0.3
    source = leaf("table", "q") if in_front else call("table", "({0}) AS q", inner)
    whole = columns["whole"]
    keys = tuple(column(kind, rng.choice(columns[kind])) for kind in ("whole", "text", "bool") if kind in columns and rng.random() < 0.4)
    # Sums of sums may be of either type, and so are counted and compared only.
    aggregates = [leaf("whole", "COUNT(*)"), *(call("whole", f"{word}({{0}})", column("whole", rng.choice(whole))) for word in ("MIN", "MAX", "COUNT"))]
    where = ()
    if rng.random() < 0.5:
        where = (call("bool", f"{{0}} {rng.choice(['>', '<', '<>', '='])} {{1}}", column("whole", rng.choice(whole)), literal(rng, "whole")),)
    items = keys + tuple(rng.sample(aggregates, 2))
    query = Select(items, source, False, where, keys, named=inner if in_front else None)
    return ordered(rng, query, range(len(keys)), True) if keys else query


def filtered_by_query(rng: random.Random) -> Query:
    """Returns rows or groups of `facts` that a query over the other table lets through."""
    scope = scope_of("facts", "a", True)
    inner_scope = scope_of("small", "b", True)
    query = rng.choice([rows, groups])(rng, scope, table("facts", "a"))
    form = rng.randrange(4)
    kept = conditions(rng, inner_scope)[:1]
    if form < 2:
        name = rng.choice(["num", "id", "txt"])
        kind = "text" if name == "txt" else "whole"
        inner = Select((column(kind, f"b.{name}"),), table("small", "b"), where=kept, outermost=False)
        word = rng.choice(["IN", "NOT IN"])
        extra = call("bool", f"{{0}} {word} ({{1}})", column(kind, f"a.{name}"), inner)
    elif form == 2:
        inner = Select((call("whole", f"{rng.choice(['MAX', 'MIN', 'COUNT'])}({{0}})", inner_scope.any(rng, "whole")),), table("small", "b"), where=kept, outermost=False)
        extra = call("bool", f"{{0}} {rng.choice(['<', '>=', '='])} ({{1}})", scope.any(rng, "whole"), inner)
    else:
        equal = leaf("bool", rng.choice(["a.id = b.id", "a.num = b.num", "a.txt = b.txt"]))
        inner = Select((leaf("whole", "1"),), table("small", "b"), where=(equal, *kept), outermost=False)
        extra = call("bool", rng.choice(["EXISTS ({0})", "NOT EXISTS ({0})"]), inner)
    return replace(query, where=(*query.where, extra))
