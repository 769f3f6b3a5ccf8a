"""Apache Pinot's own segments and single-stage engine in one Java process, asked over HTTP as meunier is; see bench/pinot.

There is no Kafka, controller or broker process in it, and no multi-stage engine, so no join: it stands here for what Pinot's indexes and
operators do with a query. Loading makes a segment of each million rows, as sealing does.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..answers import Answer
from ..datasets import TABLES
from ..pinot_http import PinotHttp, Refused, read_answer, wait_until
from ..processes import Cost, cpu_ns, disk_bytes
from . import Options, Phase

CLASSPATH = Path(__file__).parents[2] / "pinot" / "classpath.sh"
HEAP = "4g"
START_SECONDS = 300
# Memory-mapped buffers reach into the runtime, as Pinot's own start scripts allow.
OPENED = ("java.base/java.nio", "java.base/sun.nio.ch", "java.base/java.lang", "java.base/java.util", "java.base/java.lang.reflect")


class Pinot:
    dialects = ("pinot",)
    # The runtime compiles what runs often; until then it interprets.
    warm_ups = 200

    def __init__(self, options: Options) -> None:
        self.options = options
        self.segments = options.store / "segments"
        self.process: subprocess.Popen[str] | None = None
        self.pid = -1
        classpath = subprocess.run([str(CLASSPATH)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        opens = [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
        fact = options.dataset.fact
        files = [str(TABLES / f"{fact.name}.schema.json"), str(fact.config(options.variant.endswith("tuned")))]
        self.java = ["java", f"-Xmx{HEAP}", *opens, "-cp", classpath, "PinotEngine"]
        self.files = files
        self.version = next(part for part in classpath.split("/") if part.startswith("jars-")).split("-")[1]
        if self.segments.exists():
            self.start()

    def start(self) -> None:
        """Starts the engine on its segments and waits until it answers."""
        self.options.store.mkdir(parents=True, exist_ok=True)
        with open(self.options.store / "engine.log", "a") as log:
            words = [*self.java, "serve", *self.files, str(self.segments), "0", str(self.options.threads)]
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout
        port = self.process.stdout.readline().strip()
        if not port:
            raise SystemExit(f"Pinot's engine did not start; its log is {self.options.store / 'engine.log'}")
        self.pid = self.process.pid
        self.address = f"127.0.0.1:{port}"
        self.http = PinotHttp(self.address)
        wait_until("Pinot's engine answers", START_SECONDS, lambda: self.http.request("GET", "/health") == b"OK")

    def load(self) -> list[Phase]:
        self.close()
        shutil.rmtree(self.options.store, ignore_errors=True)
        self.segments.mkdir(parents=True)
        dataset = self.options.dataset
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        words = [*self.java, "build", *self.files, str(self.segments), *map(str, dataset.ndjson(dataset.fact))]
        with open(self.options.store / "engine.log", "a") as log:
            subprocess.run(words, check=True, stdout=log, stderr=log)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        phases = [Phase("build segments", Cost(cpu_s * 1e3, (time.perf_counter() - began) * 1e3), dataset.rows)]
        began = time.perf_counter()
        self.start()
        # The first opening makes what indexes were left to it.
        opening = Cost(cpu_ns(self.pid) / 1e6, (time.perf_counter() - began) * 1e3)
        return [*phases, Phase("first opening", opening, dataset.rows)]

    def run(self, sql: str) -> Any:
        if "useMultistageEngine" in sql:
            raise Refused("needs Pinot's multi-stage engine, which Maven Central does not have")
        return self.http.query(sql)

    def answer(self, raw: Any) -> Answer:
        return read_answer(raw)

    def client(self) -> Callable[[str], Any]:
        return PinotHttp(self.address).query

    def disk(self) -> dict[str, int]:
        return {"segments": disk_bytes(self.segments)}

    def close(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=START_SECONDS)
