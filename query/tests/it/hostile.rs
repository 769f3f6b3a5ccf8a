//! Statements that must never harm the process: too deep, too long, too large, or not queries at all.
//!
//! Each must be answered, most with an error, and the engine must answer the next query right.

use std::time::{Duration, Instant};

use meunier_query::QueryRequest;
use serde_json::json;

use crate::table::{Bed, Layout, TableSpec};

const SCHEMA: &str = r#"{"schemaName":"t","dimensionFieldSpecs":[{"name":"c","dataType":"INT"},{"name":"s","dataType":"STRING"}]}"#;

fn bed() -> Bed {
    let rows = (0..1000).map(|row| json!({"c": row, "s": format!("value {row}")})).collect();
    Bed::new(&[TableSpec::new(SCHEMA, rows)], Layout::Split)
}

/// Asserts that every statement fails with one of the codes, soon, and that the engine still works.
fn refused(statements: impl IntoIterator<Item = String>, codes: &[i32]) {
    let bed = bed();
    for statement in statements {
        let shown: String = statement.chars().take(120).collect();
        let began = Instant::now();
        let answer = bed.query(&statement);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let code = answer.error_code.unwrap_or_else(|| panic!("{shown} was answered: {body:.200}"));
        assert!(codes.contains(&code), "{shown} gave {code}: {body:.300}");
        assert!(began.elapsed() < Duration::from_secs(20), "{shown} took {:?}", began.elapsed());
    }
    assert_eq!(bed.json("SELECT COUNT(*) FROM t")["resultTable"]["rows"], json!([[1000]]));
}

#[test]
fn chains_and_nests_that_overflow_a_stack_are_refused() {
    let nested = |open: &str, close: &str, times: usize| {
        format!("SELECT {}c{} FROM t", open.repeat(times), close.repeat(times))
    };
    let chained =
        |operator: &str, times: usize| format!("SELECT c FROM t WHERE c=1{}", operator.repeat(times));
    let statements = vec![
        chained(" OR c=1", 20_000),
        chained(" AND c=1", 20_000),
        chained(" OR c=1", 600),
        chained("+1", 100_000),
        chained("+1", 600),
        chained("||'x'", 15_000),
        chained(" IS NULL IS NULL", 9_000),
        nested("(", ")", 100_000),
        nested("(", ")", 60),
        nested("abs(", ")", 6_000),
        nested("CASE WHEN c=1 THEN ", " END", 3_000),
        nested("(SELECT ", ")", 5_000),
        format!("SELECT {}c FROM t", "NOT ".repeat(15_000)),
        format!("SELECT {}c FROM t", "- ".repeat(15_000)),
        format!("SELECT c FROM t WHERE {}c", "NOT ".repeat(400)),
        format!("SELECT c FROM t {}", "UNION SELECT c FROM t ".repeat(4_000)),
        format!("SELECT c FROM t {}", "JOIN t ON 1=1 ".repeat(3_000)),
        format!("SELECT c{} FROM t", "[1]".repeat(6_000)),
        format!("SELECT c{} FROM t", "::INT".repeat(6_000)),
        format!("SELECT 1 FROM {}t{}", "(SELECT * FROM ".repeat(1_000), ")".repeat(1_000)),
        format!("SELECT {}1{}", "(a.end + ".repeat(2_000), ")".repeat(2_000)),
        format!("SELECT c FROM t WHERE c IN ({}1)", "1,".repeat(30_000)),
        // Each chain is short enough, but they stand in each other.
        format!("SELECT {}c{} FROM t", "(".repeat(4), format!("{})", "+1".repeat(240)).repeat(4)),
        format!("SELECT {}c{} FROM t", "abs(".repeat(40), format!("{})", "+1".repeat(20)).repeat(40)),
        format!(
            "SELECT {}SELECT 1 AS n{}",
            "(".repeat(4),
            format!("{})", " UNION SELECT 1".repeat(40)).repeat(4)
        ),
        "(".repeat(200_000),
        "SELECT ".repeat(19_000),
    ];
    refused(statements, &[150, 700, 720]);
}

#[test]
fn names_that_multiply_are_refused() {
    let chain = |levels: usize, body: &str| {
        let mut sql = "WITH x0 AS (SELECT c FROM t)".to_owned();
        for level in 0..levels {
            let before = format!("x{level}");
            sql.push_str(&format!(", x{} AS ({})", level + 1, body.replace("BEFORE", &before)));
        }
        format!("{sql} SELECT COUNT(*) FROM x{levels}")
    };
    refused(
        [
            chain(40, "SELECT a.c FROM BEFORE a JOIN BEFORE b ON a.c = b.c"),
            chain(40, "SELECT c FROM BEFORE UNION ALL SELECT c FROM BEFORE"),
            chain(40, "SELECT c FROM BEFORE WHERE c IN (SELECT c FROM BEFORE)"),
            chain(300, "SELECT c FROM BEFORE"),
            chain(9, "SELECT c FROM t WHERE c IN (SELECT c FROM BEFORE)"),
            format!("SELECT {}c{} FROM t", "(SELECT MAX(".repeat(9), ") FROM t)".repeat(9)),
            chain(40, "WITH y AS (SELECT c FROM BEFORE) SELECT a.c FROM y a, y b"),
        ],
        &[700],
    );
}

#[test]
fn statements_at_the_limits_are_answered() {
    let bed = bed();
    let chained =
        |operator: &str, times: usize| format!("SELECT COUNT(*) FROM t WHERE c=1{}", operator.repeat(times));
    for statement in [
        chained(" OR c=1", 248),
        chained(" OR s='x'", 248),
        chained(" OR c+1=3", 160),
        format!("SELECT c{} FROM t LIMIT 1", "+1".repeat(499)),
        format!("SELECT s{} FROM t LIMIT 1", "||'x'".repeat(499)),
        format!("SELECT {}c{} FROM t LIMIT 1", "(".repeat(50), ")".repeat(50)),
        format!("SELECT {}c{} FROM t LIMIT 1", "abs(".repeat(50), ")".repeat(50)),
        format!("SELECT {}c{} FROM t LIMIT 1", "CASE WHEN c=1 THEN ".repeat(50), " END".repeat(50)),
        format!("SELECT {}c FROM t LIMIT 1", "- ".repeat(40)),
        format!("SELECT COUNT(*) FROM t WHERE c IN ({}1)", "1,".repeat(9_900)),
        format!("SELECT c FROM t {}", "UNION ALL SELECT c FROM t ".repeat(99)),
        format!("SELECT {}c{} FROM t LIMIT 1", "(".repeat(2), format!("{})", "+1".repeat(240)).repeat(2)),
        format!("SELECT {}s{} FROM t LIMIT 1", "lower(".repeat(48), "||'x')".repeat(48)),
        format!(
            "SET useMultistageEngine=true; SELECT {}s{} FROM t LIMIT 1",
            "lower(".repeat(48),
            "||'x')".repeat(48)
        ),
        format!("SELECT {}c{} FROM t LIMIT 1", "ceiling(pow(".repeat(24), ", 1))".repeat(24)),
        format!("SELECT {}c{} FROM t LIMIT 1", "length(CAST(".repeat(24), " AS STRING))".repeat(24)),
        format!("SELECT {}c{} FROM t LIMIT 1", "abs(".repeat(25), format!("{})", "+1".repeat(11)).repeat(25)),
        format!(
            "SELECT {}c{} FROM t LIMIT 1",
            "CASE WHEN c=1 THEN ".repeat(35),
            format!("{} END", "+1".repeat(5)).repeat(35)
        ),
        (1..100)
            .fold("SELECT t.c FROM t".to_owned(), |sql, n| format!("{sql} JOIN t AS t{n} ON t.c = t{n}.c"))
            + " LIMIT 1",
        format!("SELECT COUNT(*) FROM t WHERE {}c=1{}", "NOT (".repeat(45), ")".repeat(45)),
        format!("SELECT {}c{} FROM t LIMIT 1", "(SELECT MAX(".repeat(8), ") FROM t)".repeat(8)),
    ] {
        let shown: String = statement.chars().take(60).collect();
        let began = Instant::now();
        // The limit that is not tested here is time: how long a debug build takes depends on who else computes.
        let options = "timeoutMs=120000".into();
        let answer = bed.ask(QueryRequest { sql: statement.clone(), options, ..QueryRequest::default() });
        println!("{:>6} ms {shown}", began.elapsed().as_millis());
        assert_eq!(answer.error_code, None, "{shown}: {}", String::from_utf8_lossy(&answer.body));
    }
}

#[test]
fn only_queries_are_let_through() {
    let statements = [
        "COPY (SELECT 1) TO '/tmp/meunier-hostile.csv'",
        "COPY t TO '/tmp/meunier-hostile.parquet' STORED AS PARQUET",
        "CREATE EXTERNAL TABLE x (a TEXT) STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "INSERT INTO t VALUES (1, 'x')",
        "UPDATE t SET c = 1",
        "DELETE FROM t",
        "DROP TABLE t",
        "TRUNCATE TABLE t",
        "MERGE INTO t USING t ON 1=1 WHEN MATCHED THEN DELETE",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "DEALLOCATE p",
        "RESET datafusion.execution.batch_size",
        "SHOW TABLES",
        "SHOW ALL",
        "DESCRIBE t",
        "BEGIN",
        "KILL 1",
        "CALL x()",
        "INSTALL x",
        "LOAD x",
        "ATTACH DATABASE 'x' AS y",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN DROP TABLE t",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE t",
        "SET a = 1",
        "",
        ";;;",
        "-- nothing",
        "/* never closed",
        "SELECT 'never closed",
        "SELECT * FROM t INTO OUTFILE 'x'",
        "\u{0}",
        "SELECT * FROM t FORMAT JSON",
    ];
    refused(statements.map(str::to_owned), &[150]);
    assert!(!std::path::Path::new("/tmp/meunier-hostile.csv").exists());
    assert!(!std::path::Path::new("/tmp/meunier-hostile.parquet").exists());
}

#[test]
fn no_statement_reaches_settings_files_or_table_functions() {
    let statements = [
        "SET datafusion.runtime.memory_limit = '100G'; SELECT 1",
        "SET datafusion.runtime.temp_directory = '/tmp/x'; SELECT 1",
        "SELECT 1 OPTION(datafusion.execution.batch_size=1)",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM 'file:///etc/passwd'",
        "SELECT * FROM \"s3://bucket/key.parquet\"",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM generate_series(1, 100000000000)",
        "SELECT * FROM range(1, 100000000000)",
        "SELECT * FROM TABLE(generate_series(1, 100000000000))",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM information_schema.df_settings",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
        "SELECT rpad(s, 300000000) FROM t",
        "SELECT array_repeat(1, 1000000000)",
        "SELECT range(1, 100000000000)",
        "SELECT version(), input_file_name()",
        "SELECT $mveq(c, 1) FROM t",
        "SELECT c INTO x FROM t",
        "SELECT @@version",
        "SELECT ?",
    ];
    refused(statements.map(str::to_owned), &[150, 190, 245, 700, 710, 720]);
}

#[test]
fn text_that_grows_is_held_to_its_limit() {
    let mut replaced = "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'".to_owned();
    for _ in 0..6 {
        replaced = format!("replace({replaced}, 'a', '{}')", "a".repeat(1000));
    }
    let mut doubled = "WITH x0 AS (SELECT s AS v FROM t)".to_owned();
    for level in 0..40 {
        doubled.push_str(&format!(", x{} AS (SELECT v || v AS v FROM x{level})", level + 1));
    }
    let mut concatenated = "WITH x0 AS (SELECT s AS v FROM t)".to_owned();
    for level in 0..40 {
        concatenated.push_str(&format!(", x{} AS (SELECT concat(v, v, v) AS v FROM x{level})", level + 1));
    }
    refused(
        [
            format!("SELECT length({replaced})"),
            format!("{doubled} SELECT length(v) FROM x40"),
            format!("{concatenated} SELECT length(v) FROM x40"),
        ],
        &[245, 700, 720],
    );
}

#[test]
fn sketches_of_many_groups_end_the_query_and_not_the_process() {
    let bed = bed();
    let answer = bed.json("SELECT c, DISTINCTCOUNTHLL(s, 24) FROM t GROUP BY c LIMIT 5");
    let message = answer["exceptions"][0]["message"].as_str().unwrap();
    assert!(message.contains("HyperLogLogs of 2^24 registers for"), "{message}");
    assert_eq!(bed.json("SELECT DISTINCTCOUNTHLL(c, 16) FROM t")["exceptions"], json!([]));
}
