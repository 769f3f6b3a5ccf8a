"""meunier over HTTP, and the topics that its tables consume."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from .layouts import PARTITIONS, Layout, schema, table_config
from .rows import message

TIMEOUT_SECONDS = 60
WAIT_SECONDS = 20


class Refused(Exception):
    """The store's own words why it did not answer."""


class Store:
    """One connection to a server that stays open."""

    def __init__(self, address: str) -> None:
        self.host, port = address.removeprefix("http://").split(":")
        self.port = int(port)
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Returns an answer, parsed."""
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            response = self.connection.getresponse()
            read = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise Refused(f"{method} {path}: no answer: {error!r}") from error
        if response.status >= 300:
            raise Refused(f"{method} {path}: status {response.status}: {read.decode(errors='replace')[:1000]}")
        return json.loads(read)

    def query(self, sql: str, multi_stage: bool) -> list[list[Any]]:
        """Returns the rows of an answer."""
        options = f"enableNullHandling=true;useMultistageEngine={str(multi_stage).lower()};timeoutMs={TIMEOUT_SECONDS * 1000}"
        answer = self.request("POST", "/query/sql", {"sql": sql, "queryOptions": options})
        if answer.get("exceptions"):
            first = answer["exceptions"][0]
            raise Refused(f"{first.get('errorCode')}: {first.get('message')}")
        return answer["resultTable"]["rows"]

    def create(self, table: str, name: str, layout: Layout, brokers: str) -> None:
        """Adds a schema and a table, which consumes the topic of its name."""
        self.request("POST", "/schemas", schema(table, name))
        self.request("POST", "/tables", table_config(name, layout, brokers))

    def wait_for_rows(self, name: str, count: int) -> None:
        """Waits until all rows can be seen."""
        wait_until(f"`{name}` has {count} rows", lambda: self.query(f"SELECT COUNT(*) FROM {name}", False)[0][0] == count)

    def seal(self, name: str) -> None:
        """Seals what is there and waits until it is committed."""
        job = self.request("POST", f"/tables/{name}/forceCommit")["forceCommitJobId"]
        path = f"/tables/forceCommitStatus/{job}"
        wait_until(f"`{name}` is sealed", lambda: self.request("GET", path)["numberOfSegmentsYetToBeCommitted"] == 0)


def wait_until(what: str, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    reason: Any = "not yet"
    while time.monotonic() < deadline:
        try:
            if done():
                return
        except Refused as error:
            reason = error
        time.sleep(0.1)
    raise SystemExit(f"waited {WAIT_SECONDS} s until {what}: {reason}")


class Topics:
    """Makes topics and fills them."""

    def __init__(self, brokers: str) -> None:
        self.admin = AdminClient({"bootstrap.servers": brokers})
        self.producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})

    def create(self, names: list[str]) -> None:
        topics = [NewTopic(name, num_partitions=PARTITIONS, replication_factor=1) for name in names]
        for made in self.admin.create_topics(topics).values():
            made.result()

    def delete(self, names: list[str]) -> None:
        for gone in self.admin.delete_topics(names).values():
            gone.result()

    def fill(self, name: str, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            self.producer.produce(name, message(row), partition=row["id"] % PARTITIONS)
        left = self.producer.flush(60)
        if left:
            raise SystemExit(f"Kafka did not take {left} records")


@contextmanager
def serving(meunier: Path) -> Iterator[str]:
    """Yields the address of a server with an empty data directory; both go afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="meunier-duckdb.") as folder, open(Path(folder) / "log", "w") as log:
        environment = {**os.environ, "MEUNIER_DATA_DIR": f"{folder}/data"}
        process = subprocess.Popen([meunier, "serve", "--listen", address], env=environment, stdout=log, stderr=log)
        try:
            store = Store(address)
            wait_until("the server is ready", lambda: process.poll() is None and store.request("GET", "/tables") is not None)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=WAIT_SECONDS)
            if process.returncode:
                print(Path(log.name).read_text()[-3000:])
