"""What is stored and asked: the tables of a data set, how peers are told to lay them out, and where files and results of a run lie.

The work directory, which is kept and can be deleted at any time:

    WORK/events-20000000/data/      the generated files
    WORK/events-20000000/stores/    one folder or file an engine: what it made of the data, with its load figures beside it
    WORK/events-20000000/results/   one file an engine and number of threads
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from . import events, ssb

HERE = Path(__file__).parent
TABLES = HERE.parent / "tables"


@dataclass(frozen=True)
class Table:
    """One table. Types come from its Pinot schema, so that all engines store the same."""

    name: str
    partitions: int
    """Partitions of its topic."""
    columns: tuple[str, ...]
    """In the order of the JSON."""
    low_cardinality: tuple[str, ...] = ()
    looked_up: tuple[str, ...] = ()
    """Columns of near-unique values that queries look for."""
    nullable: tuple[str, ...] = ()
    sort_key: tuple[str, ...] = ()
    """What tuned layouts are sorted by."""
    arrival_key: tuple[str, ...] = ()
    """What rows are about sorted by as they arrive."""
    tuned: bool = False
    """Whether there is a second, tuned table config."""

    @cached_property
    def types(self) -> dict[str, str]:
        """Pinot's type of each column, in the order of the JSON."""
        schema = json.loads((TABLES / f"{self.name}.schema.json").read_text())
        specs = [spec for key, part in schema.items() if key.endswith("FieldSpecs") for spec in part]
        types = {spec["name"]: spec["dataType"] for spec in specs}
        return {column: types[column] for column in self.columns}

    def config(self, tuned: bool) -> Path:
        """Pinot's table config."""
        return TABLES / (f"{self.name}.{'tuned' if tuned else 'plain'}.table.json" if self.tuned else f"{self.name}.table.json")


EVENTS = Table(
    name="events",
    partitions=4,
    columns=tuple(events.SCHEMA.names),
    low_cardinality=("event_type", "country", "city", "device", "browser", "url"),
    looked_up=("event_id", "user_id", "session_id"),
    nullable=("revenue",),
    sort_key=("tenant_id", "ts"),
    arrival_key=("ts",),
    tuned=True,
)
TENANTS = Table(
    name="tenants", partitions=1, columns=("tenant_id", "tenant_name", "plan", "region", "industry"), arrival_key=("tenant_id",),
    sort_key=("tenant_id",),
)
LINEORDER = Table(
    name="lineorder_flat",
    partitions=4,
    columns=(
        "lo_orderkey", "lo_linenumber", "lo_custkey", "lo_partkey", "lo_suppkey", "lo_orderdate", "d_year", "d_yearmonthnum",
        "d_weeknuminyear", "lo_orderpriority", "lo_quantity", "lo_extendedprice", "lo_discount", "lo_revenue", "lo_supplycost",
        "lo_shipmode", "c_city", "c_nation", "c_region", "s_city", "s_nation", "s_region", "p_mfgr", "p_category", "p_brand",
    ),
    low_cardinality=(
        "lo_orderpriority", "lo_shipmode", "c_city", "c_nation", "c_region", "s_city", "s_nation", "s_region", "p_mfgr", "p_category",
        "p_brand",
    ),
    sort_key=("lo_orderdate", "lo_orderkey"),
    arrival_key=("lo_orderdate", "lo_orderkey"),
    tuned=True,
)


@dataclass(frozen=True)
class Query:
    """One statement, as a text for each dialect, and what fills it."""

    id: str
    class_name: str
    title: str
    approximate: bool
    texts: dict[str, str]
    exact: str | None
    """DuckDB's text for the exact answer of an approximate statement."""
    parameters: list[dict[str, Any]]

    def statements(self, dialects: tuple[str, ...]) -> list[str]:
        """Returns the statement with each set of parameters, in the first of the dialects that has a text of its own."""
        text = next((self.texts[dialect] for dialect in dialects if dialect in self.texts), self.texts["sql"])
        return [text.format(**values) for values in self.parameters]


@dataclass(frozen=True)
class Dataset:
    """A data set at a size, and its place in the work directory."""

    kind: str
    size: int
    """Rows of the events, or SSB's scale factor."""
    work: Path
    tables: tuple[Table, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", (EVENTS, TENANTS) if self.kind == "events" else (LINEORDER,))

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.size}"

    @property
    def data(self) -> Path:
        return self.work / self.name / "data"

    @property
    def stores(self) -> Path:
        return self.work / self.name / "stores"

    @property
    def results(self) -> Path:
        return self.work / self.name / "results"

    @property
    def fact(self) -> Table:
        return self.tables[0]

    def topic(self, table: Table) -> str:
        """The topic that holds a table at this size."""
        return f"{self.name}-{table.name}"

    def ndjson(self, table: Table) -> list[Path]:
        """The files of a table, in order."""
        return sorted([*self.data.glob(f"{table.name}-[0-9]*.ndjson"), *self.data.glob(f"{table.name}.ndjson")])

    def json_bytes(self) -> int:
        """Bytes of the fact table as JSON."""
        return sum(path.stat().st_size for path in self.ndjson(self.fact))

    @cached_property
    def rows(self) -> int:
        """Rows of the fact table."""
        return self.row_counts[self.fact.name]

    @cached_property
    def row_counts(self) -> dict[str, int]:
        """Rows of each table, counted once."""
        kept = self.data / "rows.json"
        if not kept.exists():
            kept.write_text(json.dumps({table.name: sum(map(count_lines, self.ndjson(table))) for table in self.tables}))
        return json.loads(kept.read_text())

    def generate(self) -> None:
        """Writes the files, unless they are there."""
        complete = self.data / "complete"
        if not complete.exists():
            (events if self.kind == "events" else ssb).write(self.size, self.data)
            complete.touch()

    def spec(self) -> dict[str, Any]:
        """The queries as they are written."""
        return json.loads((HERE / "queries" / f"{self.kind}.json").read_text())

    def queries(self) -> list[Query]:
        """The queries with the parameters of this size."""
        kept = self.data / "parameters.json"
        named: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
        return [read_query(raw, named) for raw in self.spec()["queries"]]


def read_query(raw: dict[str, Any], named: dict[str, Any]) -> Query:
    """Returns a query of the file, with the parameters it names."""
    parameters = raw.get("parameters", [{}])
    if isinstance(parameters, str):
        parameters = named[parameters]
    texts = {key: text for key, text in raw.items() if key not in ("id", "class", "title", "approximate", "exact", "parameters")}
    return Query(raw["id"], raw["class"], raw["title"], raw.get("approximate", False), texts, raw.get("exact"), parameters)


def count_lines(path: Path) -> int:
    """Returns the lines of a file."""
    with open(path, "rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
