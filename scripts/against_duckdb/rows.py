"""The two tables: their columns, random rows from a seed, as JSON messages and as tables of DuckDB.

`facts` has a column of every type; `small` is what it is joined with. Doubles that are added are multiples of 1/64 below 10,000, so that
sums are exact in whatever order they are made; `wild` has all the others, infinities among them, and is never added.
"""

from __future__ import annotations

import json
import math
import random
import tempfile
from pathlib import Path
from typing import Any

import duckdb

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
DAY_MS = 86_400_000

# Letters of one UTF-16 unit, and of two: the order of UTF-8 and of UTF-16 is the same for these.
TEXTS = ["", " ", "a", "A", "ab", "abc", "a_b", "a%b", "it's", "Ωmega", "été", "漢字", "x😀y", "null", "0", "-1.5", "true", "two words"]
KEYS = ["red", "green", "blue", "black", "white"]

# column -> (Pinot's type, whether it may be null, DuckDB's type)
FACTS: dict[str, tuple[str, bool, str]] = {
    "id": ("INT", False, "INTEGER"),
    "grp": ("INT", False, "INTEGER"),
    "kind": ("STRING", False, "VARCHAR"),
    "num": ("INT", True, "INTEGER"),
    "edge": ("INT", True, "INTEGER"),
    "big": ("LONG", True, "BIGINT"),
    "flt": ("FLOAT", True, "FLOAT"),
    "dbl": ("DOUBLE", True, "DOUBLE"),
    "wild": ("DOUBLE", True, "DOUBLE"),
    "dec": ("BIG_DECIMAL", True, "DECIMAL(38,10)"),
    "flag": ("BOOLEAN", True, "BOOLEAN"),
    "moment": ("TIMESTAMP", True, "TIMESTAMP"),
    "made": ("TIMESTAMP", False, "TIMESTAMP"),
    "txt": ("STRING", True, "VARCHAR"),
    "uniq": ("STRING", True, "VARCHAR"),
    "raw": ("BYTES", True, "BLOB"),
    "doc": ("JSON", True, "VARCHAR"),
    "ints": ("INT[]", False, "INTEGER[]"),
    "texts": ("STRING[]", False, "VARCHAR[]"),
    "amount": ("LONG", False, "BIGINT"),
}
SMALL: dict[str, tuple[str, bool, str]] = {
    "id": ("INT", False, "INTEGER"),
    "num": ("INT", True, "INTEGER"),
    "txt": ("STRING", True, "VARCHAR"),
    "kind": ("STRING", False, "VARCHAR"),
    "dbl": ("DOUBLE", True, "DOUBLE"),
    "flag": ("BOOLEAN", True, "BOOLEAN"),
    "made": ("TIMESTAMP", False, "TIMESTAMP"),
}
TABLES = {"facts": FACTS, "small": SMALL}
METRICS = {"amount"}
SMALL_ROWS = 300
NULL_SHARE = 0.12
BASE_MS = 1_700_000_000_000


def facts(seed: int, count: int) -> list[dict[str, Any]]:
    """Returns the rows of `facts` as Python's values."""
    rng = random.Random(f"facts {seed}")
    return [fact(rng, number) for number in range(count)]


def fact(rng: random.Random, number: int) -> dict[str, Any]:
    row = {
        "id": number,
        "grp": min(int(rng.expovariate(0.4)), 12),
        "kind": rng.choices(KEYS, [50, 25, 15, 9, 1])[0],
        "num": rng.choice([0, 0, 1, rng.randint(-100, 100)]),
        "edge": rng.choice([INT_MIN + 1, INT_MAX, INT_MAX - 1, 0, -1, rng.randint(INT_MIN + 1, INT_MAX)]),
        "big": rng.choice([LONG_MIN + 1, LONG_MAX, LONG_MAX - 1, 2**53 + 1, 2**53, -(2**53) - 1, rng.randint(LONG_MIN + 1, LONG_MAX)]),
        "flt": rng.choice([0.0, -0.0, rng.randint(-8000, 8000) / 8]),
        "dbl": rng.choice([0.0, -0.0, 0.5, rng.randint(-640_000, 640_000) / 64]),
        "wild": rng.choice([math.inf, -math.inf, math.nan, -0.0, 1e308, -1e308, 5e-324, 0.1, rng.uniform(-1, 1), rng.gauss(0, 1e12)]),
        "dec": f"{rng.choice([rng.randint(-99, 99), rng.randint(-(10**20), 10**20)])}.{rng.choice(['0', '5', '25', '0000000001'])}",
        "flag": rng.random() < 0.7,
        # Whole days and whole months are more frequent than chance would have them, so that buckets have edges that are met.
        "moment": rng.choice([rng.randint(-30_000, 30_000) * DAY_MS, rng.randint(-(10**12), 3 * 10**12), BASE_MS + rng.randint(0, 10**7)]),
        "made": BASE_MS + number * 60_000 + rng.randint(0, 59_999),
        "txt": rng.choice(TEXTS[: 1 + int(rng.random() ** 2 * len(TEXTS))]),
        "uniq": f"{rng.choice(['u', 'é', '漢', '😀'])}{rng.randrange(10**9)}-{number}",
        "raw": rng.choice(["", "00", "ff", "00ff", f"{rng.randrange(2**32):08x}"]),
        "doc": document(rng),
        "ints": [rng.randint(-5, 5) for _ in range(rng.choice([1, 1, 2, 3, 6]))],
        "texts": [rng.choice(TEXTS[2:]) for _ in range(rng.choice([1, 2, 3]))],
        "amount": rng.randint(-1000, 100_000),
    }
    return with_nulls(rng, row, FACTS)


def document(rng: random.Random) -> str:
    document: dict[str, Any] = {"n": rng.randint(-9, 9), "t": rng.choice(["p", "q", "", "é"]), "in": {"f": rng.randint(-64, 64) / 8}}
    if rng.random() < 0.2:
        del document[rng.choice(["n", "t"])]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def smalls(seed: int) -> list[dict[str, Any]]:
    """Returns the rows of `small`: some ids that `facts` does not have, some keys several times."""
    rng = random.Random(f"small {seed}")
    rows = []
    for number in range(SMALL_ROWS):
        row = {
            "id": number * 3 - 150,
            "num": rng.randint(-120, 120),
            "txt": rng.choice([*TEXTS, "other"]),
            "kind": rng.choice([*KEYS, "none"]),
            "dbl": rng.randint(-640, 640) / 64,
            "flag": rng.random() < 0.5,
            "made": BASE_MS + number * 3_600_000,
        }
        rows.append(with_nulls(rng, row, SMALL))
    return rows


def with_nulls(rng: random.Random, row: dict[str, Any], columns: dict[str, tuple[str, bool, str]]) -> dict[str, Any]:
    return {name: None if columns[name][1] and rng.random() < NULL_SHARE else value for name, value in row.items()}


def message(row: dict[str, Any]) -> bytes:
    """Returns a row as a Kafka record. A null is left out half the time; JSON has no NaN and no infinity, texts stand for them."""
    out = {}
    for name, value in row.items():
        if value is None and row["id"] % 2:
            continue
        out[name] = str(value).replace("inf", "Infinity").replace("nan", "NaN") if is_odd(value) else value
    return json.dumps(out, ensure_ascii=False).encode()


def is_odd(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def load(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Makes a table of DuckDB of the same rows. NaN is no value to meunier, as its reference says, and -0.0 is 0.0."""
    columns = TABLES[table]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.ndjson"
        with path.open("w") as file:
            for row in rows:
                file.write(json.dumps({name: plain(value) for name, value in row.items()}) + "\n")
        types = ", ".join(f"{name}: '{'VARCHAR[]' if kind.endswith('[]') else 'VARCHAR'}'" for name, (_, _, kind) in columns.items())
        values = ", ".join(f"{converted(name, *columns[name])} AS {name}" for name in columns)
        connection.execute(
            f"CREATE TABLE {table} AS SELECT {values} FROM read_json('{path}', format='newline_delimited', columns={{{types}}})"
        )


def plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else repr(value + 0.0)
    if isinstance(value, list):
        return [str(element) for element in value]
    return value if value is None or isinstance(value, str) else str(value)


def converted(name: str, pinot: str, _nullable: bool, duck: str) -> str:
    if pinot == "TIMESTAMP":
        return f"epoch_ms(CAST({name} AS BIGINT))"
    if pinot == "BYTES":
        return f"unhex({name})"
    return f"CAST({name} AS {duck})"
