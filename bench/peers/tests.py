"""Checks of what figures rest on: that data is what it says, and that answers which differ are told apart.

    cd bench && ~/.cache/meunier/peers/*/bin/python -m unittest peers.tests
"""

from __future__ import annotations

import json
import unittest
from pathlib import Path

import pyarrow as pa

from . import events
from .answers import answer, difference
from .datasets import Dataset, read_query


def differ(one: tuple[list[str], list[list[object]]], other: tuple[list[str], list[list[object]]]) -> str | None:
    return difference(answer(*one).to_json(), answer(*other).to_json())


class EventsTest(unittest.TestCase):
    def test_fewer_rows_are_a_prefix_of_more(self) -> None:
        few = pa.Table.from_batches(events.blocks(1_000))
        more = pa.Table.from_batches(events.blocks(events.BLOCK_ROWS + 10))
        self.assertEqual((few.num_rows, more.num_rows), (1_000, events.BLOCK_ROWS + 10))
        self.assertTrue(few.equals(more.slice(0, 1_000).combine_chunks()))

    def test_json_has_the_values_of_the_columns(self) -> None:
        batch = events.block(3).slice(5, 50)
        lines = bytes(events.ndjson(batch)).decode().splitlines()
        self.assertEqual([json.loads(line) for line in lines], batch.to_pylist())

    def test_ids_are_unique_and_exact_as_doubles(self) -> None:
        ids = [value for batch in events.blocks(300_000) for value in batch.column("event_id").to_pylist()]
        self.assertEqual(len(set(ids)), len(ids))
        self.assertLess(max(ids), 2**52)

    def test_what_queries_look_for_is_in_the_data(self) -> None:
        rows = 20_000
        found = {row["event_id"] for batch in events.blocks(rows) for row in batch.to_pylist()}
        self.assertTrue({wanted["e"] for wanted in events.parameters(rows)["events"]} <= found)


class AnswersTest(unittest.TestCase):
    def test_equal_answers_of_other_types_are_the_same(self) -> None:
        self.assertIsNone(differ((["n", "S"], [[3, 1.5]]), (["n", "s"], [[3.0, 1.5 + 1e-12]])))

    def test_columns_are_matched_by_name(self) -> None:
        self.assertIsNone(differ((["a", "b"], [[1, "x"]]), (["b", "a"], [["x", 1]])))

    def test_a_count_that_is_off_by_one_is_told(self) -> None:
        self.assertEqual(differ((["n"], [[160_000_000_001]]), (["n"], [[160_000_000_002]])), "row 0, `n`: 160000000001 and 160000000002")

    def test_null_is_not_zero_and_text_is_no_number(self) -> None:
        self.assertIsNotNone(differ((["n"], [[None]]), (["n"], [[0]])))
        self.assertIsNotNone(differ((["n"], [["1"]]), (["n"], [[1]])))

    def test_missing_rows_are_told(self) -> None:
        self.assertEqual(differ((["n"], [[1], [2]]), (["n"], [[1]])), "2 rows and 1")


class QueriesTest(unittest.TestCase):
    def test_every_text_can_be_filled(self) -> None:
        named = events.parameters(20_000)
        for kind, count in (("events", 24), ("ssb", 13)):
            queries = [read_query(raw, named) for raw in Dataset(kind, 1, Path("/nowhere")).spec()["queries"]]
            self.assertEqual(len(queries), count)
            for query in queries:
                for dialect in ("chdb", "duckdb", "datafusion", "pinot"):
                    self.assertTrue(all("{" not in text for text in query.statements((dialect,))), query.id)


if __name__ == "__main__":
    unittest.main()
