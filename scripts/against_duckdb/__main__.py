"""Asks meunier and DuckDB generated queries over the same random rows, and proves their answers equal.

The rows lie in meunier in several layouts: consuming without and with every index, sealed, both at once, with star-trees. Queries have
`enableNullHandling=true`, so that both mean what SQL means. Where answers differ, the query is made smaller as long as they still do,
and both texts and answers are printed; the exit is 1. Query N of a seed is the same in every run: `--only N` asks it alone.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from . import answers, defects, rows
from .layouts import LAYOUTS, Layout
from .statements import statement
from .store import Refused, Store, Topics, serving
from .tree import DUCK, MINE, Query

SHRINK_TRIALS = 150
SHOWN_ROWS = 5
SMALL_LAYOUT = Layout("small", {"invertedIndexColumns": ["num", "txt"]}, seal_late=True)


@dataclass(frozen=True)
class Difference:
    """What two answers differ in, and their first rows."""

    kind: str
    what: str
    mine: Any
    duck: Any


class Arena:
    """Both engines with the same rows."""

    def __init__(self, store: Store, duck: duckdb.DuckDBPyConnection, prefix: str) -> None:
        self.store, self.duck, self.prefix = store, duck, prefix

    def names(self) -> list[str]:
        return [self.prefix + layout.name for layout in (*LAYOUTS, SMALL_LAYOUT)]

    def fill(self, seed: int, count: int, brokers: str) -> None:
        """Makes all tables. The early half of the rows is sealed where a layout says so before the others come."""
        topics = Topics(brokers)
        facts, smalls = rows.facts(seed, count), rows.smalls(seed)
        topics.create(self.names())
        for layout in LAYOUTS:
            self.store.create("facts", self.prefix + layout.name, layout, brokers)
        self.store.create("small", self.prefix + SMALL_LAYOUT.name, SMALL_LAYOUT, brokers)
        topics.fill(self.prefix + SMALL_LAYOUT.name, smalls)
        for part, seals in ((facts[: count // 2], "seal_early"), (facts[count // 2 :], "seal_late")):
            for layout in LAYOUTS:
                topics.fill(self.prefix + layout.name, part)
            for layout in LAYOUTS:
                self.store.wait_for_rows(self.prefix + layout.name, part[-1]["id"] + 1)
            for layout in LAYOUTS:
                if getattr(layout, seals):
                    self.store.seal(self.prefix + layout.name)
        self.store.wait_for_rows(self.prefix + SMALL_LAYOUT.name, len(smalls))
        self.store.seal(self.prefix + SMALL_LAYOUT.name)
        topics.delete(self.names())
        rows.load(self.duck, "facts", facts)
        rows.load(self.duck, "small", smalls)

    def my_text(self, query: Query, layout: Layout) -> str:
        return query.text(MINE).replace("<facts>", self.prefix + layout.name).replace("<small>", self.prefix + SMALL_LAYOUT.name)

    def compare(self, query: Query, multi_stage: bool, layouts: list[Layout]) -> Iterator[tuple[Layout, Difference | None]]:
        """Asks DuckDB once and meunier in each layout."""
        text = query.text(DUCK).replace("<facts>", "facts").replace("<small>", "small")
        try:
            expected = answers.ducks(self.duck.execute(text).fetchall())
        except duckdb.Error as error:
            for layout in layouts:
                yield layout, Difference("generator", f"DuckDB refused: {error}", None, None)
            return
        for layout in layouts:
            yield layout, self.compare_one(query, multi_stage, layout, expected)

    def compare_one(self, query: Query, multi_stage: bool, layout: Layout, expected: list[list[Any]]) -> Difference | None:
        try:
            got = answers.mine(self.store.query(self.my_text(query, layout), multi_stage), query.kinds())
        except Refused as refusal:
            return Difference("refused", str(refusal), None, expected[:SHOWN_ROWS])
        what = answers.difference(got, expected, query.kinds(), bool(query.order))
        return what and Difference("answer", what, got[:SHOWN_ROWS], expected[:SHOWN_ROWS])

    def shrink(self, query: Query, multi_stage: bool, layout: Layout, difference: Difference) -> tuple[Query, Difference]:
        """Returns a smaller query that still differs, and the last difference."""
        trials = 0
        while True:
            for less in query.smaller():
                trials += 1
                if trials > SHRINK_TRIALS:
                    return query, difference
                found = next(self.compare(less, multi_stage, [layout]))[1]
                if found and alike(found, difference):
                    query, difference = less, found
                    break
            else:
                return query, difference


def alike(one: Difference, other: Difference) -> bool:
    """Returns whether a smaller query fails in the same way: a refusal's first words say which it is."""
    return one.kind == other.kind and (one.kind != "refused" or one.what[:40] == other.what[:40])


def ask_all(arena: Arena, options: argparse.Namespace) -> int:
    """Asks all queries; returns how many differ."""
    differing, left_out = 0, 0
    began = time.monotonic()
    numbers = range(options.queries) if options.only is None else [options.only]
    for number in numbers:
        rng = random.Random(f"query {options.seed} {number}")
        query, multi_stage = statement(rng)
        if defects.touches(query.text(MINE)) and not options.defects:
            left_out += 1
            continue
        layouts = rng.sample(LAYOUTS, min(options.layouts, len(LAYOUTS)))
        found = [(layout, difference) for layout, difference in arena.compare(query, multi_stage, layouts) if difference]
        if found:
            differing += 1
            report(arena, options, number, query, multi_stage, found)
        if (number + 1) % 500 == 0:
            print(f"{number + 1} queries in {time.monotonic() - began:.0f} s, {differing} differ", flush=True)
    asked = len(numbers) - left_out
    print(f"seed {options.seed}: {asked} queries in {time.monotonic() - began:.0f} s; {left_out} left out for {len(defects.DEFECTS)} known defects")
    print(f"test result: {'FAILED' if differing else 'ok'}. {asked - differing} passed; {differing} failed;")
    return differing


def report(arena: Arena, options: argparse.Namespace, number: int, query: Query, multi_stage: bool, found: list) -> None:
    layout, difference = found[0]
    print(f"\n--- seed {options.seed}, query {number}, {options.rows} rows, {'multi' if multi_stage else 'single'}-stage, ", end="")
    print(f"in {', '.join(one.name for one, _ in found)}: {difference.what}")
    print(f"meunier: {arena.my_text(query, layout)}")
    if difference.kind != "generator":
        query, difference = arena.shrink(query, multi_stage, layout, difference)
        print(f"smaller: {arena.my_text(query, layout)}")
    print(f"DuckDB:  {query.text(DUCK)}")
    print(f"         {difference.what}\n  meunier {difference.mine}\n  DuckDB  {difference.duck}", flush=True)


@contextmanager
def filled(options: argparse.Namespace) -> Iterator[Arena]:
    """Yields both engines with the rows of the options' seed."""
    with nullcontext(options.server) if options.server else serving(options.meunier) as address:
        duck = duckdb.connect()
        duck.execute("SET TimeZone = 'UTC'")
        # Pinot takes null for the largest value.
        duck.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
        arena = Arena(Store(address), duck, f"duck_{int(time.time() * 1000) % 10**9}_")
        began = time.monotonic()
        arena.fill(options.seed, options.rows, options.kafka)
        print(f"{options.rows} rows in {len(LAYOUTS)} layouts in {time.monotonic() - began:.0f} s", flush=True)
        yield arena


def main() -> int:
    parser = argparse.ArgumentParser(prog="against_duckdb.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    server = parser.add_mutually_exclusive_group(required=True)
    server.add_argument("--meunier", type=Path, help="a built meunier, which is started with an empty data directory")
    server.add_argument("--server", help="HOST:PORT of one that runs; its tables stay")
    parser.add_argument("--kafka", required=True, help="HOST:PORT of a broker")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--layouts", type=int, default=2, help="in how many of the layouts, chosen at random, each query is asked")
    parser.add_argument("--only", type=int, metavar="N", help="asks only this query of the seed")
    parser.add_argument("--defects", action="store_true", help="asks also what is known to be answered wrong: defects.py lists it")
    options = parser.parse_args()
    with filled(options) as arena:
        return 1 if ask_all(arena, options) else 0


if __name__ == "__main__":
    sys.exit(main())
