"""The Star Schema Benchmark, flat: TPC-H's tables reshaped to SSB's columns, as one Parquet file and as NDJSON for Kafka.

SSB (O'Neil et al., 2007) turns TPC-H into a star: LINEITEM joined with ORDERS is LINEORDER, and the flat form joins the dimensions
into it. No generator of SSB itself is at hand, so this takes TPC-H's values and makes of them what SSB's filters ask for: regions and
nations in capitals, a city from the nation's first nine letters and a digit, a category from the digits of TPC-H's brand, and 40 brands
a category. Each filter then selects the share of rows that it selects in SSB (a year 1/7, a region 1/5, a nation or category 1/25, a
city 1/250, a brand 1/1000), but the answers are not those of SSB's own files.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from . import events

TABLES = ("lineitem", "orders", "customer", "supplier", "part", "nation", "region")
FILE_ROWS = 1_000_000

# A digit that depends on the key alone, and brands as the benchmark numbers them.
FLAT = """
COPY (
  WITH
    places AS (
      SELECT n_nationkey AS key, upper(n_name) AS nation, upper(r_name) AS region
      FROM '{tables}/nation.parquet' JOIN '{tables}/region.parquet' ON n_regionkey = r_regionkey),
    customers AS (
      SELECT c_custkey AS key, nation, region, rpad(left(nation, 9), 9, ' ') || (c_custkey * 7919 % 104729 % 10)::VARCHAR AS city
      FROM '{tables}/customer.parquet' JOIN places ON c_nationkey = places.key),
    suppliers AS (
      SELECT s_suppkey AS key, nation, region, rpad(left(nation, 9), 9, ' ') || (s_suppkey * 6007 % 99991 % 10)::VARCHAR AS city
      FROM '{tables}/supplier.parquet' JOIN places ON s_nationkey = places.key),
    parts AS (
      SELECT p_partkey AS key, 'MFGR#' || right(p_mfgr, 1) AS mfgr, 'MFGR#' || right(p_brand, 2) AS category,
        'MFGR#' || right(p_brand, 2) || (1 + p_partkey * 5003 % 100003 % 40)::VARCHAR AS brand
      FROM '{tables}/part.parquet')
  SELECT
    l_orderkey::BIGINT AS lo_orderkey, l_linenumber::INT AS lo_linenumber, o_custkey::INT AS lo_custkey,
    l_partkey::INT AS lo_partkey, l_suppkey::INT AS lo_suppkey, epoch_ms(o_orderdate) AS lo_orderdate,
    year(o_orderdate)::INT AS d_year, (year(o_orderdate) * 100 + month(o_orderdate))::INT AS d_yearmonthnum,
    week(o_orderdate)::INT AS d_weeknuminyear, o_orderpriority AS lo_orderpriority, l_quantity::INT AS lo_quantity,
    (l_extendedprice * 100)::BIGINT AS lo_extendedprice, (l_discount * 100)::INT AS lo_discount,
    (l_extendedprice * (1 - l_discount) * 100)::BIGINT AS lo_revenue,
    (l_extendedprice / l_quantity * 60)::BIGINT AS lo_supplycost, l_shipmode AS lo_shipmode,
    customers.city AS c_city, customers.nation AS c_nation, customers.region AS c_region,
    suppliers.city AS s_city, suppliers.nation AS s_nation, suppliers.region AS s_region,
    parts.mfgr AS p_mfgr, parts.category AS p_category, parts.brand AS p_brand
  FROM '{tables}/lineitem.parquet'
    JOIN '{tables}/orders.parquet' ON l_orderkey = o_orderkey
    JOIN customers ON o_custkey = customers.key
    JOIN suppliers ON l_suppkey = suppliers.key
    JOIN parts ON l_partkey = parts.key
  ORDER BY o_orderdate, l_orderkey, l_linenumber
) TO '{out}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)
"""


def tpch(scale: int, folder: Path) -> None:
    """Writes TPC-H's tables as Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("tpchgen-cli")), "parquet", "--scale-factor", str(scale)]
    command += ["--num-threads", "1", f"--tables={','.join(TABLES)}", f"--output-dir={folder}"]
    subprocess.run(command, check=True, stdout=sys.stderr)


def reshape(tables: Path, out: Path) -> None:
    """Writes the flat table as one Parquet file, in the order of the orders' dates."""
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '6GB'")
        connection.execute(f"SET temp_directory = '{out.parent}/spill'")
        connection.execute(FLAT.format(tables=tables, out=out))


def write_ndjson(parquet: Path, folder: Path) -> None:
    """Writes the rows of the flat table as JSON, a million a file."""
    text, number, left = None, 0, 0
    try:
        for batch in pq.ParquetFile(parquet).iter_batches(batch_size=125_000):
            while batch.num_rows:
                if left == 0:
                    if text is not None:
                        text.close()
                    text, number, left = open(folder / f"lineorder_flat-{number:05d}.ndjson", "wb"), number + 1, FILE_ROWS
                part, batch = batch.slice(0, left), batch.slice(left)
                left -= part.num_rows
                text.write(events.ndjson(part))
    finally:
        if text is not None:
            text.close()


def write(scale: int, folder: Path) -> None:
    """Writes the flat table at a scale factor: 6 million rows each."""
    folder.mkdir(parents=True, exist_ok=True)
    tables, flat = folder / "tpch", folder / "lineorder_flat.parquet"
    tpch(scale, tables)
    reshape(tables, flat)
    write_ndjson(flat, folder)
    for table in tables.glob("*.parquet"):
        table.unlink()
