//! Every limit, reached.

use std::time::{Duration, Instant};

use meunier_query::{EngineConfig, QueryRequest};
use serde_json::json;

use crate::table::{Bed, Layout, TableSpec};

const SCHEMA: &str = r#"{"schemaName":"t","dimensionFieldSpecs":[{"name":"c","dataType":"INT"},{"name":"s","dataType":"STRING"}]}"#;
/// Joins ten thousand rows with themselves three times over: never ends within a test's patience.
const ENDLESS: &str = "SELECT COUNT(*) FROM t a JOIN t b ON a.c <> b.c JOIN t d ON b.c <> d.c";

fn bed(config: EngineConfig) -> Bed {
    let rows = (0..10_000)
        .map(|row| json!({"c": row, "s": format!("a longer value of row number {row}")}))
        .collect();
    Bed::with_config(&[TableSpec::new(SCHEMA, rows)], Layout::Split, EngineConfig { threads: 2, ..config })
}

fn works(bed: &Bed) {
    let answer = bed.json("SELECT COUNT(*) FROM t");
    assert_eq!(answer["resultTable"]["rows"], json!([[10_000]]), "{answer}");
}

#[test]
fn a_query_ends_at_its_timeout() {
    let bed = bed(EngineConfig::default());
    let began = Instant::now();
    let answer = bed.query(&format!("SET timeoutMs = 300; {ENDLESS}"));
    assert_eq!(answer.error_code, Some(250), "{}", String::from_utf8_lossy(&answer.body));
    assert!(began.elapsed() < Duration::from_millis(1300), "{:?}", began.elapsed());
    assert_eq!(answer.http_status, 408);
    works(&bed);
}

#[test]
fn the_default_timeout_holds_without_an_option() {
    let bed = bed(EngineConfig { timeout: Duration::from_millis(200), ..EngineConfig::default() });
    assert_eq!(bed.query(ENDLESS).error_code, Some(250));
}

#[test]
fn a_query_gets_no_more_than_its_memory() {
    let bed = bed(EngineConfig { query_memory_bytes_max: 1 << 17, ..EngineConfig::default() });
    for sql in [
        "SELECT a.s, b.s FROM t a JOIN t b ON a.c = b.c ORDER BY a.s DESC, b.s LIMIT 100000",
        "SELECT s, COUNT(*) FROM t GROUP BY s LIMIT 100000",
        "SELECT COUNT(DISTINCT s || s || s || s) FROM t",
    ] {
        let answer = bed.query(sql);
        assert_eq!(answer.error_code, Some(245), "{sql}: {:.300}", String::from_utf8_lossy(&answer.body));
    }
    works(&bed);
}

#[test]
fn an_answer_is_cut_at_its_rows_and_says_so() {
    let bed = bed(EngineConfig { rows_max: 100, ..EngineConfig::default() });
    let answer = bed.json("SELECT c FROM t LIMIT 5000");
    assert_eq!(answer["numRowsResultSet"], 100);
    assert_eq!(answer["partialResult"], true);
    assert_eq!(answer["exceptions"][0]["errorCode"], 245);
}

#[test]
fn an_answer_is_cut_at_its_bytes_and_says_so() {
    let bed = bed(EngineConfig { response_bytes_max: 1000, ..EngineConfig::default() });
    let answer = bed.json("SELECT s FROM t LIMIT 10000");
    assert_eq!(
        (&answer["partialResult"], &answer["exceptions"][0]["errorCode"]),
        (&json!(true), &json!(245))
    );
    assert!(answer["numRowsResultSet"].as_u64().unwrap() < 10_000);
}

#[test]
fn queries_wait_for_their_turn_and_are_refused_beyond_the_queue() {
    let bed = bed(EngineConfig { concurrency_max: 1, queue_length_max: 1, ..EngineConfig::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ask = |sql: &str| {
        bed.engine.query(&bed.tables, QueryRequest { sql: sql.into(), ..QueryRequest::default() })
    };
    let (slow, waiting, refused) = runtime.block_on(async {
        let slow = ask(&format!("SET timeoutMs = 600; {ENDLESS}"));
        let waiting = async {
            tokio::task::yield_now().await;
            ask("SET timeoutMs = 100; SELECT 1").await
        };
        let refused = async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            ask("SELECT 1").await
        };
        futures::join!(slow, waiting, refused)
    });
    assert_eq!((slow.error_code, waiting.error_code, refused.error_code), (Some(250), Some(240), Some(211)));
    works(&bed);
}

#[test]
fn a_query_ends_when_its_caller_is_gone() {
    let bed = bed(EngineConfig { concurrency_max: 1, ..EngineConfig::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let request = QueryRequest { sql: ENDLESS.into(), ..QueryRequest::default() };
        let gone =
            tokio::time::timeout(Duration::from_millis(100), bed.engine.query(&bed.tables, request)).await;
        assert!(gone.is_err());
    });
    // Its turn is free again well before its ten seconds are over.
    let began = Instant::now();
    works(&bed);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
