"""chdb: ClickHouse as a library.

`chdb` is tuned as ClickHouse's own guides say: a sorting key, LowCardinality texts, bloom filters on what is looked up. `chdb-plain`
has texts as they are, in about the order of arrival.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from chdb import session

from ..answers import Answer, answer
from ..datasets import Table
from ..processes import Stopwatch
from . import Options, Phase

TYPES = {"INT": "Int32", "LONG": "Int64", "DOUBLE": "Float64", "STRING": "String"}
SETTINGS = "use_query_condition_cache = 0, use_query_cache = 0"


class Chdb:
    dialects = ("chdb",)
    warm_ups = 2

    def __init__(self, options: Options) -> None:
        self.options = options
        self.pid = os.getpid()
        self.is_tuned = options.variant == "chdb"
        self.session = session.Session(str(options.store))
        self.execute("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
        self.execute("USE bench")
        self.version = self.session.query("SELECT version()", "TSV").bytes().decode().strip()

    def execute(self, sql: str) -> None:
        """Runs a statement without an answer."""
        self.session.query(sql)

    def load(self) -> list[Phase]:
        dataset = self.options.dataset
        ingest = Stopwatch(self.pid)
        for table in dataset.tables:
            self.execute(f"DROP TABLE IF EXISTS {table.name}")
            self.execute(self.definition(table))
            for path in dataset.ndjson(table):
                threads = f"max_threads = {self.options.threads}, max_insert_threads = {self.options.threads}"
                self.execute(f"INSERT INTO {table.name} SELECT * FROM file('{path}', JSONEachRow, '{self.columns(table)}') SETTINGS {threads}")
        phases = [Phase("ingest", ingest.stop(), dataset.rows)]
        seal = Stopwatch(self.pid)
        self.execute(f"OPTIMIZE TABLE {dataset.fact.name} FINAL")
        return [*phases, Phase("merge", seal.stop(), dataset.rows)]

    def columns(self, table: Table) -> str:
        """Returns the columns with their types, as the JSON has them."""
        nullable = {column: f"Nullable({TYPES[kind]})" for column, kind in table.types.items() if column in table.nullable}
        return ", ".join(f"{column} {nullable.get(column, TYPES[kind])}" for column, kind in table.types.items())

    def definition(self, table: Table) -> str:
        """Returns the statement that makes a table."""
        columns, key = self.columns(table), table.arrival_key
        if self.is_tuned:
            key = table.sort_key
            for column in table.low_cardinality:
                columns = columns.replace(f"{column} String", f"{column} LowCardinality(String)")
            for column in table.looked_up:
                columns += f", INDEX bloom_{column} {column} TYPE bloom_filter(0.01) GRANULARITY 1"
        return f"CREATE TABLE {table.name} ({columns}) ENGINE = MergeTree ORDER BY ({', '.join(key)})"

    def run(self, sql: str) -> Any:
        return self.session.query(f"{sql} SETTINGS {SETTINGS}, max_threads = {self.options.threads}", "JSONCompact").bytes()

    def answer(self, raw: Any) -> Answer:
        read = json.loads(raw)
        # Quoted are 64-bit integers, which JSON's numbers need not hold.
        is_number = ["Int" in column["type"] for column in read["meta"]]
        rows = [[int(cell) if number and cell is not None else cell for cell, number in zip(row, is_number)] for row in read["data"]]
        return answer([column["name"] for column in read["meta"]], rows)

    def client(self) -> Callable[[str], Any]:
        return self.run

    def disk(self) -> dict[str, int]:
        active = f"FROM system.parts WHERE database = 'bench' AND table = '{self.options.dataset.fact.name}' AND active"
        total, = self.session.query(f"SELECT sum(bytes_on_disk) {active}", "TSV").bytes().decode().split()
        indexes, = self.session.query(f"SELECT sum(secondary_indices_compressed_bytes) {active}", "TSV").bytes().decode().split()
        return {"columns": int(total) - int(indexes), "indexes": int(indexes)}

    def close(self) -> None:
        self.session.close()
