"""Reads the durable files of one table with DuckDB, an engine that shares no code with meunier, and proves what they hold.

usage: read_durable.py DATA_DIR --table NAME [--sequence COLUMN] [--expect-json FILE]      (duckdb)

Prints as JSON the count of rows, the sum and the count of distinct values of the sequence column, and for each partition the rows, the
offsets its files cover, and the least and greatest value. FILE holds the same shape, or any part of it, such as
`{"rows": 1000, "partitions": {"0": {"rows": 250}}}`: what it names must be equal, and where it names partitions there must be no others.

Without FILE too it holds that the files of a partition cover its offsets without a gap or an overlap, and that each row's own offset is in
its file's range and nowhere else. Faults and differences go to stderr, and the exit is 1.

Durable files are DATA_DIR/deep_store/<id>-<table>/**/*.parquet without *.rejects.parquet. Run it beside a stopped server: a running one
may be between writing a file and committing it.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import duckdb


def table_folder(data_dir, table):
    store = data_dir / "deep_store"
    if not store.is_dir():
        sys.exit(f"there is no folder `{store}`")
    own = re.compile(rf"\d+-{re.escape(table)}(_REALTIME)?")
    folders = [folder for folder in sorted(store.iterdir()) if own.fullmatch(folder.name)]
    if len(folders) != 1:
        sys.exit(f"`{store}` should hold one folder of table `{table}`, and has {[folder.name for folder in folders]}")
    return folders[0]


def durable_files(folder):
    files = [file for file in sorted(folder.rglob("*.parquet")) if not file.name.endswith(".rejects.parquet")]
    if not files:
        sys.exit(f"`{folder}` holds no durable file")
    return files


def segment_of(connection, file):
    """Returns what a file's own metadata says of it: (partition, first offset, first offset after it)."""
    pairs = dict(connection.execute("SELECT decode(key), decode(value) FROM parquet_kv_metadata(?)", [str(file)]).fetchall())
    try:
        return tuple(int(pairs[f"meunier.{key}"]) for key in ("partition", "offset.start", "offset.end"))
    except KeyError as missing:
        sys.exit(f"the metadata of `{file}` has no {missing}, only {sorted(pairs)}")


def load(files, sequence):
    """Returns a connection with the tables `segment` (a row a file) and `durable` (a row a row)."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE segment (filename VARCHAR, partition INTEGER, range_start BIGINT, range_end BIGINT)")
    segments = [(str(file), *segment_of(connection, file)) for file in files]
    connection.executemany("INSERT INTO segment VALUES (?, ?, ?, ?)", segments)
    column = '"' + sequence.replace('"', '""') + '"'
    connection.execute(
        f"""CREATE TABLE durable AS
            SELECT partition, range_start, range_end, "$offset" AS kafka_offset, {column} AS seq
            FROM read_parquet(?, filename = true, union_by_name = true) JOIN segment USING (filename)""",
        [[str(file) for file in files]],
    )
    return connection


def summary(connection):
    def query(sql):
        return connection.execute(sql).fetchall()

    [(files,)] = query("SELECT count(*) FROM segment")
    [(rows, total, distinct)] = query("SELECT count(*), sum(seq), count(DISTINCT seq) FROM durable")
    offsets = {
        partition: ends for partition, *ends in query("SELECT partition, min(range_start), max(range_end) FROM segment GROUP BY 1")
    }
    partitions = query("SELECT partition, count(*), min(seq), max(seq) FROM durable GROUP BY 1 ORDER BY 1")
    return {
        "files": files,
        "rows": rows,
        "sequence_sum": int(total or 0),
        "sequence_distinct": distinct,
        "partitions": {
            str(partition): {"rows": count, "offsets": offsets[partition], "sequence_min": least, "sequence_max": greatest}
            for partition, count, least, greatest in partitions
        },
    }


def faults_of_offsets(connection):
    """Names every seam where two files of a partition do not meet, and every row outside its file's range or stored twice."""
    seams = connection.execute(
        """SELECT partition, previous_end, range_start
           FROM (SELECT *, lag(range_end) OVER (PARTITION BY partition ORDER BY range_start, range_end) AS previous_end FROM segment)
           WHERE previous_end <> range_start ORDER BY ALL"""
    ).fetchall()
    strays = connection.execute(
        """SELECT partition, count(*) FROM durable
           WHERE kafka_offset IS NULL OR kafka_offset < range_start OR kafka_offset >= range_end GROUP BY 1 ORDER BY 1"""
    ).fetchall()
    doubles = connection.execute(
        "SELECT partition, count(*) - count(DISTINCT kafka_offset) AS extra FROM durable GROUP BY 1 HAVING extra > 0 ORDER BY 1"
    ).fetchall()
    return (
        [f"partition {partition}: a file ends at offset {end}, the next begins at {start}" for partition, end, start in seams]
        + [f"partition {partition}: {count} rows have an offset outside their file's range" for partition, count in strays]
        + [f"partition {partition}: {extra} rows have the offset of another row" for partition, extra in doubles]
    )


def differences(expected, found, path=""):
    """Names everything in `expected` that `found` does not equal."""
    if not isinstance(expected, dict) or not isinstance(found, dict):
        return [] if expected == found else [f"{path}: expected {expected}, found {found}"]
    unexpected = set(found) - set(expected) if path == "partitions" else set()
    faults = [f"{path}.{key}: expected none, found {found[key]}" for key in sorted(unexpected)]
    for key, value in expected.items():
        faults += differences(value, found.get(key), f"{path}.{key}" if path else key)
    return faults


def main():
    parser = argparse.ArgumentParser(description="Proves with DuckDB what the durable files of a table hold.")
    parser.add_argument("data_dir", type=Path, metavar="DATA_DIR")
    parser.add_argument("--table", required=True, metavar="NAME")
    parser.add_argument("--sequence", default="seq", metavar="COLUMN", help="a column of dense numbers (default: seq)")
    parser.add_argument("--expect-json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    connection = load(durable_files(table_folder(arguments.data_dir, arguments.table)), arguments.sequence)
    found = summary(connection)
    print(json.dumps(found, indent=2))
    faults = faults_of_offsets(connection)
    if arguments.expect_json is not None:
        faults += differences(json.loads(arguments.expect_json.read_text()), found)
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
