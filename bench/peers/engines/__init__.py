"""One driver an engine: how it loads, opens, answers and is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..answers import Answer
from ..datasets import Dataset
from ..processes import Cost


@dataclass(frozen=True)
class Phase:
    """One step of loading, such as `ingest` or `seal`."""

    name: str
    cost: Cost
    rows: int


class Engine(Protocol):
    """An engine that is open on a data set."""

    pid: int
    """The process that does the work."""
    dialects: tuple[str, ...]
    version: str
    warm_ups: int
    """Runs of a statement before it is measured."""

    def load(self) -> list[Phase]:
        """Makes the engine's own storage from the JSON."""
        ...

    def run(self, sql: str) -> Any:
        """Answers a statement, in whatever form is the engine's own; this is what is measured."""
        ...

    def answer(self, raw: Any) -> Answer:
        """Returns the answer in the common form; not measured."""
        ...

    def client(self) -> Callable[[str], Any]:
        """Returns a way to ask beside other threads."""
        ...

    def disk(self) -> dict[str, int]:
        """Returns bytes on disk by part."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Options:
    """What an engine is opened with."""

    variant: str
    dataset: Dataset
    threads: int
    store: Path
    meunier: Path
    """The `meunier` binary."""
    kafka: str | None


LABELS = {
    "meunier-tuned": "meunier, every index",
    "meunier-plain": "meunier, no index",
    "meunier-half": "meunier, half consuming",
    "pinot-tuned": "Pinot, every index",
    "pinot-plain": "Pinot, no index",
    "chdb": "chdb, tuned",
    "chdb-plain": "chdb, plain",
    "duckdb": "DuckDB",
    "duckdb-sorted": "DuckDB, sorted, ART",
    "datafusion": "DataFusion",
    "datafusion-pushdown": "DataFusion, push-down",
    "datafusion-sorted": "DataFusion, sorted, push-down",
}
OURS = ("meunier-tuned", "meunier-plain", "meunier-half")
NEEDS_KAFKA = ("meunier-half",)
"""Engines that read from Kafka while they are measured."""
PEERS = {
    "events": (
        "chdb", "chdb-plain", "duckdb", "duckdb-sorted", "datafusion", "datafusion-pushdown", "datafusion-sorted", "pinot-tuned",
        "pinot-plain",
    ),
    # Rows arrive in the order that a tuned layout would have.
    "ssb": ("chdb", "chdb-plain", "duckdb", "datafusion", "datafusion-pushdown", "pinot-tuned", "pinot-plain"),
}


SHARES_STORE = {"datafusion-pushdown": "datafusion"}
"""Engines that read what another one loaded."""


def open_engine(options: Options) -> Engine:
    """Opens an engine; each brings its library only then."""
    family = options.variant.split("-")[0]
    if family == "chdb":
        from .chdb_engine import Chdb

        return Chdb(options)
    if family == "duckdb":
        from .duckdb_engine import DuckDb

        return DuckDb(options)
    if family == "datafusion":
        from .datafusion_engine import DataFusion

        return DataFusion(options)
    if family == "pinot":
        from .pinot_engine import Pinot

        return Pinot(options)
    from .meunier_engine import Meunier

    return Meunier(options)
