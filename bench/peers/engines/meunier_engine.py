"""meunier as its users run it: `meunier serve`, fed by a real Kafka, asked over HTTP.

Loading consumes the topics that `feed` wrote, seals everything and pauses consumption, which holds over restarts: what is measured
afterwards are sealed segments, and no broker need run. Of the variant `half` about half of the rows of each partition are sealed; the
others are consumed anew by each start, and stay so.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from typing import Any

from ..answers import Answer
from ..datasets import TABLES, Table
from ..pinot_http import PinotHttp, read_answer, wait_until
from ..processes import Stopwatch, disk_bytes
from . import Options, Phase

LOAD_SECONDS = 3600
START_SECONDS = 120
HALF = 0.52
"""Share of a partition's rows that the variant `half` seals: enough above a half that no second segment fills up."""


class Meunier:
    dialects = ("meunier", "pinot")
    warm_ups = 5

    def __init__(self, options: Options) -> None:
        self.options = options
        self.is_tuned = not options.variant.endswith("plain")
        self.stays_half = options.variant.endswith("half")
        options.store.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        """Starts the server on the store, and waits until it answers."""
        self.address = f"127.0.0.1:{free_port()}"
        command = [str(self.options.meunier), "serve", "--data-dir", str(self.options.store / "data"), "--listen", self.address]
        settings = {
            "MEUNIER_QUERY_THREADS": str(self.options.threads),
            "MEUNIER_QUERY_TIMEOUT": "5m",
            "MEUNIER_QUERY_MEMORY_MAX": "8GiB",
            "MEUNIER_QUERY_MEMORY_PER_QUERY_MAX": "8GiB",
        }
        with open(self.options.store / "server.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **settings})
        self.pid = self.process.pid
        self.http = PinotHttp(self.address)
        wait_until("meunier is ready", START_SECONDS, self.is_ready, every=0.01)
        self.version = self.http.json("GET", "/version")["meunier"]
        if self.stays_half and self.http.json("GET", "/tables")["tables"]:
            self.await_rows()

    def is_ready(self) -> bool:
        """Whether the server answers; its tables may well be paused."""
        if self.process.poll() is not None:
            raise SystemExit(f"meunier ended with {self.process.returncode}; its log is {self.options.store / 'server.log'}")
        PinotHttp(self.address).request("GET", "/ready")
        return True

    def load(self) -> list[Phase]:
        self.close()
        shutil.rmtree(self.options.store / "data", ignore_errors=True)
        self.start()
        dataset = self.options.dataset
        ingest = Stopwatch(self.pid)
        for table in dataset.tables:
            self.create(table)
        self.await_rows()
        phases = [Phase("ingest", ingest.stop(), dataset.rows)]
        if self.stays_half:
            return phases
        seal = Stopwatch(self.pid)
        for table in dataset.tables:
            self.seal(table)
        phases.append(Phase("seal the rest", seal.stop(), dataset.rows))
        for table in dataset.tables:
            self.http.request("POST", f"/tables/{table.name}/pauseConsumption")
        return phases

    def await_rows(self) -> None:
        """Waits until queries see every row."""
        for table in self.options.dataset.tables:
            wanted = self.options.dataset.row_counts[table.name]
            wait_until(f"{wanted} rows of {table.name} are visible", LOAD_SECONDS, lambda: self.rows_of(table) == wanted, every=0.2)

    def create(self, table: Table) -> None:
        """Creates a table from Pinot's files, on the topic of this data set."""
        config = json.loads(table.config(self.is_tuned).read_text())
        stream = config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0]
        stream["stream.kafka.topic.name"] = self.options.dataset.topic(table)
        stream["stream.kafka.broker.list"] = self.options.kafka
        if self.stays_half:
            rows = int(HALF * self.options.dataset.row_counts[table.name] / table.partitions)
            stream["realtime.segment.flush.threshold.segment.rows"] = str(rows)
        schema = json.loads((TABLES / f"{table.name}.schema.json").read_text())
        self.http.request("POST", "/tableConfigs", {"tableName": table.name, "schema": schema, "realtime": config})

    def rows_of(self, table: Table) -> int:
        """Returns the rows that queries see."""
        return read_answer(self.http.query(f"SELECT COUNT(*) FROM {table.name}")).rows[0][0]

    def seal(self, table: Table) -> None:
        """Seals and commits what is being consumed, and waits for it."""
        job = self.http.json("POST", f"/tables/{table.name}/forceCommit")["forceCommitJobId"]
        status = f"/tables/forceCommitStatus/{job}"
        wait_until(f"{table.name} is sealed", LOAD_SECONDS, lambda: self.http.json("GET", status)["numberOfSegmentsYetToBeCommitted"] == 0)

    def run(self, sql: str) -> Any:
        # Rows that an earlier run of the same condition selected would be an answer half known.
        return self.http.query(f"SET usePredicateCache = false; {sql}")

    def answer(self, raw: Any) -> Answer:
        return read_answer(raw)

    def client(self) -> Callable[[str], Any]:
        return PinotHttp(self.address).query

    def disk(self) -> dict[str, int]:
        data, fact = self.options.store / "data", self.options.dataset.fact.name
        parts = {"durable": "deep_store", "serving": "serving"}
        return {part: sum(disk_bytes(path) for path in (data / folder).glob(f"*-{fact}*")) for part, folder in parts.items()}

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=START_SECONDS)


def free_port() -> int:
    """Returns a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
