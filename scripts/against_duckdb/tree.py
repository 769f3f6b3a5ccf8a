"""Queries as trees that have two spellings, and smaller trees for when their answers differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Union

MINE, DUCK = 0, 1


@dataclass(frozen=True)
class Expr:
    """An expression. `mine` and `duck` are its text; of one with arguments, a template with `{0}`, `{1}`, …"""

    kind: str
    mine: str
    duck: str
    args: tuple["Expr | Query", ...] = ()
    # Parts of a whole, such as the branches of CASE, have no meaning alone.
    has_column: bool = False

    def text(self, dialect: int) -> str:
        template = self.duck if dialect == DUCK else self.mine
        return template.format(*(arg.text(dialect) for arg in self.args)) if self.args else template

    def mentions_column(self) -> bool:
        return self.has_column or any(isinstance(arg, Expr) and arg.mentions_column() for arg in self.args)

    def smaller(self) -> Iterator["Expr"]:
        """Yields arguments of the same kind in its place, then itself with a smaller argument."""
        for arg in self.args:
            if isinstance(arg, Expr) and arg.kind == self.kind:
                yield arg
        for place, arg in enumerate(self.args):
            for less in arg.smaller():
                yield replace(self, args=(*self.args[:place], less, *self.args[place + 1 :]))


def leaf(kind: str, mine: str, duck: str | None = None) -> Expr:
    return Expr(kind, mine, mine if duck is None else duck)


def column(kind: str, name: str) -> Expr:
    return Expr(kind, name, name, has_column=True)


def call(kind: str, mine: str, *args: "Expr | Query", duck: str | None = None) -> Expr:
    return Expr(kind, mine, mine if duck is None else duck, args)


@dataclass(frozen=True)
class Order:
    """A key of ORDER BY: the place of a result column, and how."""

    item: int
    how: str


@dataclass(frozen=True)
class Select:
    """One SELECT. `source` is FROM's text, or a template of sub-queries."""

    items: tuple[Expr, ...]
    source: Expr
    distinct: bool = False
    where: tuple[Expr, ...] = ()
    group: tuple[Expr, ...] = ()
    having: tuple[Expr, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    outermost: bool = field(default=True, compare=False)
    # Whether the two spellings mean the same only with all of these items and groups.
    fixed: bool = False
    # What WITH calls `q`.
    named: "Query | None" = None

    def kinds(self) -> list[str]:
        return [item.kind for item in self.items]

    def text(self, dialect: int) -> str:
        items = ", ".join(f"{item.text(dialect)} AS c{place}" for place, item in enumerate(self.items))
        first = f"WITH q AS ({self.named.text(dialect)}) " if self.named else ""
        words = [f"{first}SELECT {'DISTINCT ' if self.distinct else ''}{items} FROM {self.source.text(dialect)}"]
        if self.where:
            words.append("WHERE " + " AND ".join(f"({one.text(dialect)})" for one in self.where))
        if self.group:
            words.append("GROUP BY " + ", ".join(key.text(dialect) for key in self.group))
        if self.having:
            words.append("HAVING " + " AND ".join(f"({one.text(dialect)})" for one in self.having))
        return " ".join(words) + tail(self.order, self.limit, self.offset, self.outermost)

    def smaller(self) -> Iterator["Select"]:
        if self.limit is not None:
            yield replace(self, limit=None, offset=None)
        if self.order and self.limit is None:
            yield replace(self, order=())
        for place in range(len(self.having)):
            yield replace(self, having=without(self.having, place))
        for place in range(len(self.where)):
            yield replace(self, where=without(self.where, place))
        if self.distinct:
            yield replace(self, distinct=False)
        if len(self.items) > 1 and not self.order and self.outermost and not self.fixed:
            for place, item in enumerate(self.items):
                group = tuple(key for key in self.group if key != item)
                yield replace(self, items=without(self.items, place), group=group)
        for name in ("where", "having"):
            conditions = getattr(self, name)
            for place, condition in enumerate(conditions):
                for less in condition.smaller():
                    yield replace(self, **{name: (*conditions[:place], less, *conditions[place + 1 :])})
        for place, item in enumerate(self.items):
            if item not in self.group:
                for less in item.smaller():
                    yield replace(self, items=(*self.items[:place], less, *self.items[place + 1 :]))
        for less in self.source.smaller():
            yield replace(self, source=less)
        for less in self.named.smaller() if self.named else ():
            yield replace(self, named=less)


@dataclass(frozen=True)
class SetOperation:
    """Two queries put together; both have the same kinds."""

    word: str
    left: Select
    right: Select
    order: tuple[Order, ...] = ()
    limit: int | None = None
    outermost: bool = field(default=True, compare=False)

    def kinds(self) -> list[str]:
        return self.left.kinds()

    def text(self, dialect: int) -> str:
        return f"{self.left.text(dialect)} {self.word} {self.right.text(dialect)}" + tail(self.order, self.limit, None, self.outermost)

    def smaller(self) -> Iterator["Query"]:
        yield replace(self.left, outermost=True)
        yield replace(self.right, outermost=True)
        if self.limit is not None:
            yield replace(self, limit=None)
        for less in self.left.smaller():
            yield replace(self, left=less)
        for less in self.right.smaller():
            yield replace(self, right=less)


Query = Union[Select, SetOperation]


def without(items: tuple, place: int) -> tuple:
    return (*items[:place], *items[place + 1 :])


ALL_ROWS = 1_000_000
"""A limit above any answer: Pinot's implicit one is 10."""


def tail(order: tuple[Order, ...], limit: int | None, offset: int | None, outermost: bool) -> str:
    text = " ORDER BY " + ", ".join(f"c{key.item} {key.how}" for key in order) if order else ""
    if limit is not None or outermost:
        text += f" LIMIT {ALL_ROWS if limit is None else limit}"
    return text + (f" OFFSET {offset}" if offset is not None else "")
