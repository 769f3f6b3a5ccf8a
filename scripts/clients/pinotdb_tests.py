"""pinotdb against a running server: DB-API, its asynchronous form, and SQLAlchemy with what Superset asks of it.

Run with the server's address, such as 127.0.0.1:8099. The table `clickstream` must hold rows that do not change meanwhile. What a client
returns is compared with the server's own JSON, read without any client.
"""

import asyncio
import datetime
import decimal
import json
import sys
import unittest
import urllib.request

import pinotdb
import sqlalchemy
from sqlalchemy import Column, MetaData, Table, column, func, inspect, select, text
from sqlalchemy.types import TIMESTAMP, BigInteger, Integer, Numeric, String

ADDRESS = sys.argv.pop(1)
HOST, PORT = ADDRESS.rsplit(":", 1)
ROWS = "SELECT event_type, user_id, status, latency_ms, ts FROM clickstream ORDER BY ts, session_id, seq LIMIT 50"


def raw(sql, path="/query/sql"):
    """The server's rows, without any client between."""
    body = json.dumps({"sql": sql}).encode()
    with urllib.request.urlopen(f"http://{ADDRESS}{path}", body, timeout=60) as reply:
        answer = json.load(reply)
    assert answer["exceptions"] == [], answer["exceptions"]
    return answer["resultTable"]["rows"]


def instant(shown):
    """A TIMESTAMP as the server writes it."""
    return datetime.datetime.strptime(shown, "%Y-%m-%d %H:%M:%S.%f")


class DbApi(unittest.TestCase):
    def setUp(self):
        self.connection = pinotdb.connect(host=HOST, port=int(PORT), path="/query/sql", scheme="http", timeout=60)
        self.addCleanup(self.connection.close)

    def execute(self, sql, *parameters, **options):
        cursor = self.connection.cursor()
        cursor.execute(sql, *parameters, **options)
        return cursor

    def test_rows_have_the_types_of_their_columns(self):
        cursor = self.execute(ROWS)
        types = [description[1] for description in cursor.description]
        kinds = pinotdb.db.Type
        self.assertEqual([d[0] for d in cursor.description], ["event_type", "user_id", "status", "latency_ms", "ts"])
        self.assertEqual(types, [kinds.STRING, kinds.NUMBER, kinds.NUMBER, kinds.NUMBER, kinds.TIMESTAMP])
        expected = [[event, user, status, latency, instant(ts)] for event, user, status, latency, ts in raw(ROWS)]
        rows = [list(row) for row in cursor.fetchall()]
        self.assertEqual(rows, expected)
        self.assertEqual(len(rows), 50)
        self.assertEqual([type(value) for value in rows[0]], [str, int, int, float, datetime.datetime])

    def test_values_of_every_kind(self):
        sql = (
            "SELECT 1, 2147483648, 1.5, 'it''s', true, CAST('2024-02-29 12:34:56.789' AS TIMESTAMP),"
            " CAST('0.10' AS BIG_DECIMAL), ARRAY[1, 2] FROM clickstream LIMIT 1"
        )
        row = self.execute(sql).fetchone()
        moment = datetime.datetime(2024, 2, 29, 12, 34, 56, 789000)
        self.assertEqual(list(row[:6]), [1, 2147483648, 1.5, "it's", True, moment])
        # pinotdb writes what it does not know as JSON.
        self.assertEqual(decimal.Decimal(json.loads(row[6])), decimal.Decimal("0.1"))
        self.assertEqual(row[7], [1, 2])

    def test_parameters_are_escaped(self):
        country = raw("SELECT country, COUNT(*) FROM clickstream GROUP BY country ORDER BY COUNT(*) DESC LIMIT 1")[0]
        sql = "SELECT COUNT(*) FROM clickstream WHERE country = %(country)s"
        self.assertEqual(self.execute(sql, {"country": country[0]}).fetchone()[0], country[1])
        self.assertEqual(self.execute(sql, {"country": "x' OR '1' = '1"}).fetchone()[0], 0)

    def test_faults_name_what_is_meant(self):
        for sql, code, words in [
            ("SELECT cuontry FROM clickstream", 710, ["`cuontry`", "did you mean `country`"]),
            ("SELECT * FROM clickstraem", 190, ["`clickstraem`", "did you mean `clickstream`"]),
            ("SELECT * FORM clickstream", 150, ["line 1, column"]),
            ("SELECT cuont(*) FROM clickstream", 700, ["`cuont`"]),
        ]:
            with self.assertRaises(pinotdb.exceptions.DatabaseError) as raised:
                self.execute(sql)
            # The exception is printed over several lines, in quoted parts.
            message = "".join(part.strip().strip("'\"") for part in str(raised.exception).splitlines())
            message = message.replace("' '", " ").replace('" "', " ")
            self.assertIn(str(code), message)
            for word in words:
                self.assertIn(word.replace(" ", ""), message.replace(" ", ""))

    def test_both_dialects(self):
        sql = "SELECT SUM(status) AS s FROM clickstream"
        self.assertIsInstance(self.execute(sql).fetchone()[0], float)
        multi = pinotdb.connect(host=HOST, port=int(PORT), use_multistage_engine=True, timeout=60)
        self.addCleanup(multi.close)
        cursor = multi.cursor()
        cursor.execute(sql)
        self.assertIsInstance(cursor.fetchone()[0], int)
        join = (
            "WITH top AS (SELECT country, COUNT(*) AS n FROM clickstream GROUP BY country)"
            " SELECT a.country, a.n, RANK() OVER (ORDER BY a.n DESC, a.country) FROM top a JOIN top b"
            " ON a.country = b.country ORDER BY a.n DESC, a.country LIMIT 3"
        )
        cursor.execute(join)
        self.assertEqual([list(row) for row in cursor.fetchall()], raw(join, "/query"))

    def test_query_options_and_statistics(self):
        cursor = self.execute("SELECT COUNT(*) FROM clickstream", queryOptions="timeoutMs=30000;clientQueryId=mine")
        self.assertEqual(cursor.query_stats["clientRequestId"], "mine")
        self.assertEqual(cursor.query_stats["totalDocs"], cursor.fetchone()[0])
        self.assertGreaterEqual(cursor.timeUsedMs, 0)

    def test_fetching_in_parts(self):
        cursor = self.execute(ROWS)
        parts = [cursor.fetchone()] + cursor.fetchmany(20) + cursor.fetchall()
        self.assertEqual([row[1] for row in parts], [row[1] for row in raw(ROWS)])

    def test_asynchronous_connections(self):
        async def count():
            connection = pinotdb.connect_async(host=HOST, port=int(PORT), timeout=60)
            cursor = await connection.execute("SELECT COUNT(*) FROM clickstream")
            counted = cursor.fetchone()[0]
            await connection.close()
            return counted

        self.assertEqual(asyncio.run(count()), raw("SELECT COUNT(*) FROM clickstream")[0][0])


class SqlAlchemy(unittest.TestCase):
    def setUp(self):
        url = f"pinot://{ADDRESS}/query/sql?controller=http://{ADDRESS}/"
        self.engine = sqlalchemy.create_engine(url)
        self.addCleanup(self.engine.dispose)

    def rows(self, statement):
        with self.engine.connect() as connection:
            return [list(row) for row in connection.execute(statement)]

    def test_reflection_as_superset_asks_for_it(self):
        inspector = inspect(self.engine)
        self.assertEqual(inspector.get_schema_names(), ["default"])
        self.assertIn("clickstream", inspector.get_table_names("default"))
        self.assertEqual(inspector.get_view_names("default"), [])
        self.assertTrue(inspector.has_table("clickstream"))
        self.assertFalse(inspector.has_table("nothing"))
        self.assertEqual(inspector.get_pk_constraint("clickstream")["constrained_columns"], [])
        self.assertEqual(inspector.get_foreign_keys("clickstream"), [])
        self.assertEqual(inspector.get_indexes("clickstream"), [])
        types = {found["name"]: type(found["type"]) for found in inspector.get_columns("clickstream", "default")}
        expected = {"country": String, "user_id": BigInteger, "status": Integer, "latency_ms": Numeric, "ts": TIMESTAMP}
        for name, kind in expected.items():
            self.assertTrue(issubclass(types[name], kind), f"{name}: {types[name]}")

    def test_a_reflected_table_is_queried(self):
        table = Table("clickstream", MetaData(), autoload_with=self.engine)
        statement = (
            select(table.c.country, func.count().label("n"))
            .where(table.c.status == 200)
            .group_by(table.c.country)
            .order_by(func.count().desc(), table.c.country)
            .limit(5)
        )
        sql = (
            "SELECT country, COUNT(*) FROM clickstream WHERE status = 200 GROUP BY country"
            " ORDER BY COUNT(*) DESC, country LIMIT 5"
        )
        self.assertEqual(self.rows(statement), raw(sql))

    def test_time_grains_of_superset(self):
        for grain in [
            "CAST(DATE_TRUNC('minute', CAST(ts AS TIMESTAMP)) AS TIMESTAMP)",
            "CAST(DATE_TRUNC('day', CAST(ts AS TIMESTAMP)) AS TIMESTAMP)",
            "CAST(ROUND(DATE_TRUNC('minute', CAST(ts AS TIMESTAMP)), 300000) AS TIMESTAMP)",
        ]:
            sql = (
                f"SELECT {grain} AS bucket, COUNT(*) AS n FROM clickstream"
                f" GROUP BY {grain} ORDER BY {grain} LIMIT 1000"
            )
            rows = self.rows(text(sql))
            self.assertEqual(sum(row[1] for row in rows), raw("SELECT COUNT(*) FROM clickstream")[0][0], grain)
            for bucket, _ in rows:
                self.assertIsInstance(bucket, datetime.datetime)
                self.assertEqual((bucket.second, bucket.microsecond), (0, 0))

    def test_expressions_without_reflection(self):
        table = Table("clickstream", MetaData(), Column("ts", TIMESTAMP))
        statement = select(func.max(column("latency_ms"))).select_from(table)
        self.assertEqual(self.rows(statement), raw("SELECT MAX(latency_ms) FROM clickstream"))

    def test_faults_are_database_errors(self):
        with self.assertRaises(sqlalchemy.exc.DatabaseError):
            self.rows(text("SELECT nothing FROM clickstream"))


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=2)
    failed = len(program.result.failures) + len(program.result.errors)
    passed = program.result.testsRun - failed
    # As cargo's test runner sums up, so that one reader counts both.
    print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed;")
    sys.exit(1 if failed else 0)
