"""DataFusion over zstd Parquet, a file for each million rows.

`datafusion` has default settings and rows in the order of arrival; `datafusion-pushdown` evaluates filters while it decodes;
`datafusion-sorted` does so over files that are each sorted as the tuned layouts are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import datafusion
import pyarrow as pa

from ..answers import Answer, answer
from ..datasets import Table
from ..processes import Stopwatch, disk_bytes
from . import Options, Phase

TYPES = {"INT": pa.int32(), "LONG": pa.int64(), "DOUBLE": pa.float64(), "STRING": pa.string()}
ROW_GROUP_ROWS = 122_880


class DataFusion:
    dialects = ("datafusion",)
    warm_ups = 2
    version = datafusion.__version__

    def __init__(self, options: Options) -> None:
        self.options = options
        self.pid = os.getpid()
        self.is_sorted = options.variant == "datafusion-sorted"
        # The first two differ in how files are read, not in the files.
        self.folder = options.store if self.is_sorted else options.store.with_name("datafusion")
        self.context = self.new_context()
        for table in options.dataset.tables:
            if (self.folder / table.name).exists():
                self.context.register_parquet(table.name, f"{self.folder / table.name}/")

    def new_context(self) -> datafusion.SessionContext:
        config = datafusion.SessionConfig().with_target_partitions(self.options.threads).with_information_schema(False)
        if self.options.variant != "datafusion":
            config = config.set("datafusion.execution.parquet.pushdown_filters", "true")
            config = config.set("datafusion.execution.parquet.reorder_filters", "true")
        config = config.set("datafusion.execution.parquet.compression", "zstd(1)")
        config = config.set("datafusion.execution.parquet.max_row_group_size", str(ROW_GROUP_ROWS))
        return datafusion.SessionContext(config)

    def load(self) -> list[Phase]:
        ingest = Stopwatch(self.pid)
        shutil.rmtree(self.folder, ignore_errors=True)
        for table in self.options.dataset.tables:
            (self.folder / table.name).mkdir(parents=True)
            for number, path in enumerate(self.options.dataset.ndjson(table)):
                self.write(table, str(path), str(self.folder / table.name / f"{number:05d}.parquet"))
        self.__init__(self.options)  # type: ignore[misc]
        return [Phase("ingest", ingest.stop(), self.options.dataset.rows)]

    def write(self, table: Table, json_path: str, parquet_path: str) -> None:
        """Makes one Parquet file of one file of JSON."""
        context = self.new_context()
        schema = pa.schema([(column, TYPES[kind]) for column, kind in table.types.items()])
        context.register_json("source", json_path, schema=schema, file_extension=".ndjson")
        order = f" ORDER BY {', '.join(table.sort_key)}" if self.is_sorted else ""
        context.sql(f"COPY (SELECT * FROM source{order}) TO '{parquet_path}' STORED AS PARQUET").collect()

    def run(self, sql: str) -> Any:
        frame = self.context.sql(sql)
        return frame.schema(), frame.collect()

    def answer(self, raw: Any) -> Answer:
        schema, batches = raw
        rows = [list(row.values()) for batch in batches for row in batch.to_pylist()]
        return answer(schema.names, rows)

    def client(self) -> Callable[[str], Any]:
        return self.run

    def disk(self) -> dict[str, int]:
        return {"files": disk_bytes(self.folder / self.options.dataset.fact.name)}

    def close(self) -> None:
        pass
