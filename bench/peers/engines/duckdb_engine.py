"""DuckDB: a native table in the order of arrival, or (`duckdb-sorted`) sorted as the tuned layouts are, with its ART index on the first
column that is looked up."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import duckdb

from ..answers import Answer, answer
from ..datasets import Table
from ..processes import Stopwatch, disk_bytes
from . import Options, Phase

TYPES = {"INT": "INTEGER", "LONG": "BIGINT", "DOUBLE": "DOUBLE", "STRING": "VARCHAR"}
Raw = tuple[list[str], list[Any]]


class DuckDb:
    dialects = ("duckdb",)
    warm_ups = 2
    version = duckdb.__version__

    def __init__(self, options: Options) -> None:
        self.options = options
        self.pid = os.getpid()
        self.is_sorted = options.variant == "duckdb-sorted"
        self.connection = duckdb.connect(str(options.store))
        self.connection.execute(f"SET threads = {options.threads}")
        self.connection.execute("SET memory_limit = '8GB'")

    def load(self) -> list[Phase]:
        dataset, execute = self.options.dataset, self.connection.execute
        ingest = Stopwatch(self.pid)
        for table in dataset.tables:
            execute(f"CREATE OR REPLACE TABLE {table.name} AS {self.selection(table)}")
        execute("CHECKPOINT")
        phases = [Phase("ingest", ingest.stop(), dataset.rows)]
        if self.is_sorted and dataset.fact.looked_up:
            index = Stopwatch(self.pid)
            execute(f"CREATE INDEX looked_up ON {dataset.fact.name} ({dataset.fact.looked_up[0]})")
            execute("CHECKPOINT")
            phases.append(Phase("index", index.stop(), dataset.rows))
        return phases

    def selection(self, table: Table) -> str:
        """Returns the query over the JSON that makes a table's rows."""
        types = ", ".join(f"{column}: '{TYPES[kind]}'" for column, kind in table.types.items())
        files = ", ".join(f"'{path}'" for path in self.options.dataset.ndjson(table))
        order = f" ORDER BY {', '.join(table.sort_key)}" if self.is_sorted else ""
        return f"SELECT * FROM read_json([{files}], format = 'newline_delimited', columns = {{{types}}}){order}"

    def run(self, sql: str) -> Raw:
        return fetch(self.connection, sql)

    def answer(self, raw: Raw) -> Answer:
        return answer(*raw)

    def client(self) -> Callable[[str], Raw]:
        cursor = self.connection.cursor()
        return lambda sql: fetch(cursor, sql)

    def disk(self) -> dict[str, int]:
        return {"file": disk_bytes(self.options.store)}

    def close(self) -> None:
        self.connection.close()


def fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> Raw:
    """Returns names and rows."""
    rows = connection.execute(sql).fetchall()
    return [column[0] for column in connection.description or []], rows
