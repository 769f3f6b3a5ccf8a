"""Measures meunier beside its peers: ingest, size, every query class, load from many clients. `docs/benchmarks.md` says what comes out.

Everything slow is kept in the work directory and used again: generated data, filled topics, loaded peers. meunier is loaded and measured
anew in every run, and so are the peers' queries unless `--reuse-peers` says otherwise: ratios are of one run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

from . import kafka, report
from .datasets import Dataset
from .engines import NEEDS_KAFKA, OURS, PEERS, SHARES_STORE

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "meunier"


class Run:
    """One run over one data set."""

    def __init__(self, given: argparse.Namespace, dataset: Dataset) -> None:
        self.given = given
        self.dataset = dataset
        self.kafka_home: Path = given.kafka_home or given.work / "kafka"
        wanted = (*OURS, *PEERS[dataset.kind])
        if not given.pinot:
            wanted = tuple(engine for engine in wanted if not engine.startswith("pinot"))
        if given.engines:
            wanted = tuple(given.engines.split(","))
        self.engines = wanted

    def generate(self) -> None:
        """Writes the data, unless it is there."""
        say(f"generate {self.dataset.name}")
        self.dataset.generate()

    def feed(self) -> None:
        """Fills the topics, unless they are."""
        self.generate()
        with kafka.running(self.kafka_home) as address:
            say(f"feed {self.dataset.name} to {address}")
            kafka.feed(self.dataset, self.kafka_home, address, self.meunier_bench)

    def load(self) -> None:
        """Loads every engine; peers that are loaded stay as they are."""
        self.generate()
        ours = [engine for engine in self.engines if engine in OURS]
        for engine in self.engines:
            is_loaded = self.out(engine, "load").exists() and not self.given.again
            if SHARES_STORE.get(engine) in self.engines:
                continue
            if engine not in ours and not is_loaded:
                self.worker("load", engine)
        if ours:
            self.feed()
            with kafka.running(self.kafka_home) as address:
                for engine in ours:
                    self.worker("load", engine, "--kafka", address)

    def measure(self) -> None:
        """Measures every query on every engine, on one thread and on all cores."""
        for threads in map(int, self.given.threads.split(",")):
            for engine in self.engines:
                is_kept = self.given.reuse_peers and engine not in OURS and self.out(engine, f"measure.t{threads}").exists()
                if not is_kept:
                    extra = ["--repetitions", str(self.given.repetitions), "--only", self.given.only]
                    with kafka.running(self.kafka_home) if engine in NEEDS_KAFKA else nullcontext():
                        self.worker("measure", engine, *extra, threads=threads)

    def throughput(self) -> None:
        """Asks every engine from several clients at once."""
        if not self.dataset.spec()["throughput_mix"]:
            return
        extra = ["--clients", self.given.clients, "--seconds", str(self.given.seconds), "--meunier-bench", str(self.meunier_bench)]
        engines = self.engines
        if self.given.rate:
            extra += ["--rate", str(self.given.rate)]
            engines = tuple(engine for engine in engines if engine.startswith(("meunier", "pinot")))
        for engine in engines:
            is_kept = self.given.reuse_peers and engine not in OURS and self.out(engine, "throughput").exists()
            if not is_kept:
                self.worker("throughput", engine, *extra, threads=os.cpu_count() or 1)

    def worker(self, action: str, engine: str, *extra: str, threads: int = 1) -> None:
        """Runs one engine in a process of its own; one that fails does not end the run."""
        suffix = f"{action}.t{threads}" if action == "measure" else "rate" if "--rate" in extra else action
        if action == "measure" and self.given.only:
            # A part of the queries stands beside the reported figures, not in their place.
            suffix = f"some.t{threads}"
        out = self.out(engine, suffix)
        say(f"{action} {engine}, {self.dataset.name}, {threads} thread{'s' if threads > 1 else ''}")
        words = [sys.executable, "-m", "peers.worker", action, "--engine", engine, "--kind", self.dataset.kind]
        words += ["--size", str(self.dataset.size), "--work", str(self.dataset.work), "--out", str(out), "--threads", str(threads)]
        words += ["--meunier", str(self.given.meunier), *extra]
        if subprocess.run(words, cwd=ROOT / "bench").returncode:
            say(f"{action} {engine} FAILED")
            out.unlink(missing_ok=True)

    def out(self, engine: str, what: str) -> Path:
        return self.dataset.results / f"{engine}.{what}.json"

    @property
    def meunier_bench(self) -> Path:
        return self.given.meunier_bench or self.given.meunier.with_name("meunier-bench")


def say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["all", "generate", "feed", "load", "measure", "throughput", "report"])
    parser.add_argument("--rows", type=int, default=20_000_000, help="events; 0 leaves them out")
    parser.add_argument("--scale", type=int, default=1, help="scale factor of the Star Schema Benchmark; 0 leaves it out")
    parser.add_argument("--engines", help="only these, separated by commas")
    parser.add_argument("--only", default="", help="only these queries, separated by commas")
    parser.add_argument("--threads", default=f"1,{os.cpu_count()}", help="threads that a query may use, each measured on its own")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--seconds", type=float, default=10, help="of load, for each number of clients")
    parser.add_argument("--rate", type=float, help="queries a second of all clients of a server; without it as many as it answers")
    parser.add_argument("--reuse-peers", action="store_true", help="keep the peers' figures of an earlier run")
    parser.add_argument("--again", action="store_true", help="load the peers anew")
    parser.add_argument("--pinot", action="store_true", help="measure Apache Pinot's engine too, which needs a JDK and Maven")
    parser.add_argument("--work", type=Path, default=CACHE / "bench", help="where data, stores and results are kept")
    parser.add_argument("--kafka-home", type=Path, help="where the broker keeps its data; WORK/kafka by default")
    parser.add_argument("--meunier", type=Path, default=ROOT / "target" / "release" / "meunier", help="the release binary")
    parser.add_argument("--meunier-bench", type=Path, help="beside the other by default")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where `report` writes")
    given = parser.parse_args()
    # Workers run in another directory.
    for name in ("work", "kafka_home", "meunier", "meunier_bench", "docs"):
        if path := getattr(given, name):
            setattr(given, name, path.resolve())
    return given


def main() -> None:
    given = arguments()
    sizes = {"events": given.rows, "ssb": given.scale}
    runs = [Run(given, Dataset(kind, size, given.work)) for kind, size in sizes.items() if size]
    for run in runs:
        steps = ("load", "measure", "throughput") if given.step == "all" else () if given.step == "report" else (given.step,)
        for step in steps:
            getattr(run, step)()
    if given.step in ("all", "report"):
        report.write([run.dataset for run in runs], given.docs)


if __name__ == "__main__":
    main()
