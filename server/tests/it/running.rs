//! Queries that run: listing and ending them; and looking at statements without running them.

use std::time::Instant;

use axum::body::Body;
use serde_json::{Value, json};

use crate::fixture::{Client, DEADLINE, Fixture, POLL, produce_visits, visits};

/// Pairs of pairs of rows: far more than can be counted before a test gives up.
const ENDLESS: &str = "SET timeoutMs = 60000; SELECT COUNT(*) FROM visits a JOIN visits b ON a.n <> b.n \
                       JOIN visits c ON b.n <> c.n JOIN visits d ON c.n <> d.n";

async fn fixture() -> (Fixture, meunier_ingest::EmbeddedBroker) {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    assert_eq!(fixture.client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    produce_visits(&broker.bootstrap(), 1, 0..1_000);
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[1_000]])).await;
    (fixture, broker)
}

/// Waits until one query runs, and returns its number.
async fn running_id(client: &Client) -> String {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let running = client.get("/queries").await.json();
        if let Some((id, sql)) = running.as_object().unwrap().iter().next() {
            assert!(sql.as_str().unwrap().contains("JOIN visits"), "{running}");
            return id.clone();
        }
        assert!(Instant::now() < deadline, "no query runs");
        tokio::time::sleep(POLL).await;
    }
}

async fn endless(client: Client, options: &'static str) -> Value {
    client.post("/query", &json!({"sql": ENDLESS, "queryOptions": options})).await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_query_is_listed_and_ended_by_its_number() {
    let (fixture, _broker) = fixture().await;
    let client = &fixture.client;
    let running = tokio::spawn(endless(client.clone(), ""));
    let id = running_id(client).await;
    let ended = client.request("DELETE", &format!("/query/{id}"), Body::empty()).await;
    assert_eq!((ended.status.as_u16(), ended.text), (200, format!("Cancelled query: {id}")));
    let answer = running.await.unwrap();
    assert_eq!(answer["exceptions"][0]["errorCode"], json!(503), "{answer}");
    assert_eq!(answer["requestId"], json!(id));
    assert_eq!(answer.get("resultTable"), None);
    assert_eq!(client.get("/queries").await.json(), json!({}));
    assert_eq!(client.request("DELETE", &format!("/query/{id}"), Body::empty()).await.status, 404);
    assert_eq!(client.request("DELETE", "/query/mine", Body::empty()).await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_query_is_ended_by_the_name_its_client_gave_it() {
    let (fixture, _broker) = fixture().await;
    let client = &fixture.client;
    for path in ["/query/mine?client=true", "/clientQuery/mine", "/clientQuery/Broker_127.0.0.1_8099/mine"] {
        let running = tokio::spawn(endless(client.clone(), "clientQueryId=mine"));
        running_id(client).await;
        assert_eq!(client.request("DELETE", "/clientQuery/other", Body::empty()).await.status, 404);
        let ended = client.request("DELETE", path, Body::empty()).await;
        assert_eq!(ended.text, "Cancelled client query: mine", "{path}");
        let answer = running.await.unwrap();
        assert_eq!(answer["exceptions"][0]["errorCode"], json!(503));
        assert_eq!(answer["clientRequestId"], "mine");
    }
    assert_eq!(client.request("DELETE", "/query/Broker_other_1/1", Body::empty()).await.status, 400);
}

/// Waits until what a path answers is as `wanted` says.
async fn until(client: &Client, path: &str, wanted: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let answer = client.get(path).await.json();
        if wanted(&answer) {
            return;
        }
        assert!(Instant::now() < deadline, "{path}: {answer}");
        tokio::time::sleep(POLL).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_that_take_every_place_leave_ingestion_and_probes_alone() {
    const QUERIES: usize = 12;
    let (fixture, broker) = fixture().await;
    let client = &fixture.client;
    let running: Vec<_> = (0..QUERIES).map(|_| tokio::spawn(endless(client.clone(), ""))).collect();
    until(client, "/queries", |listed| listed.as_object().unwrap().len() == QUERIES).await;

    produce_visits(&broker.bootstrap(), 1, 1_000..2_000);
    until(client, "/tables/visits/consumingSegmentsInfo", |info| {
        let segments = info["_segmentToConsumingInfoMap"].as_object().unwrap();
        segments.values().any(|infos| infos[0]["partitionToOffsetMap"]["0"] == json!("2000"))
    })
    .await;
    assert_eq!(client.get("/health").await.text, "OK");
    assert_eq!(client.get("/ready").await.status, 200);
    let sealing = client.post("/tables/visits/forceCommit", &json!({})).await.json();
    let job = format!("/tables/forceCommitStatus/{}", sealing["forceCommitJobId"].as_str().unwrap());
    until(client, &job, |status| status["numberOfSegmentsYetToBeCommitted"] == json!(0)).await;

    // All of this came to pass beside the queries, none of which has ended.
    let listed = client.get("/queries").await.json();
    assert_eq!(listed.as_object().unwrap().len(), QUERIES, "{listed}");
    for id in listed.as_object().unwrap().keys() {
        assert_eq!(client.request("DELETE", &format!("/query/{id}"), Body::empty()).await.status, 200);
    }
    for query in running {
        assert_eq!(query.await.unwrap()["exceptions"][0]["errorCode"], json!(503));
    }
    client.await_rows("SELECT COUNT(*) FROM visits", &json!([[2_000]])).await;
}

#[tokio::test]
async fn statements_are_looked_at_without_being_run() {
    let (fixture, _broker) = fixture().await;
    let client = &fixture.client;
    let valid = client.post("/query/sql/validateSyntax", &json!({"sql": "SELECT a FROM nowhere"})).await;
    assert_eq!(valid.json(), json!({"valid": true, "sqlType": "DQL"}));
    let invalid = client.post("/query/sql/validateSyntax", &json!({"sql": "SELECT a FROM"})).await.json();
    assert_eq!(invalid["valid"], json!(false));
    assert!(invalid["errorMessage"].as_str().unwrap().starts_with("SQLParsingError: line 1"), "{invalid}");
    assert_eq!(client.post("/query/sql/validateSyntax", &json!({})).await.status, 400);

    let statements =
        json!(["SELECT * FROM b JOIN a ON 1 = 1", "WITH c AS (SELECT 1 FROM a) SELECT * FROM c"]);
    assert_eq!(client.post("/query/tableNames", &statements).await.json(), json!(["a", "b"]));
    assert_eq!(client.post("/query/tableNames", &json!({})).await.status, 400);

    let sqls = json!({"sqls": ["SET timeoutMs = 9000; SELECT n FROM visits", "SELECT m FROM visits"]});
    let plans = client.post("/validateMultiStageQuery", &sqls).await.json();
    assert_eq!(plans[0]["compiledSuccessfully"], json!(true), "{plans}");
    assert_eq!(plans[0]["errorCode"], json!(null));
    assert_eq!(plans[1]["compiledSuccessfully"], json!(false));
    assert_eq!(plans[1]["errorCode"], json!("UNKNOWN_COLUMN"));
    // A plan that is known must not make the look at a statement an answer to it.
    client.rows("SELECT n FROM visits LIMIT 3").await;
    let known =
        client.post("/validateMultiStageQuery", &json!({"sql": "SELECT n FROM visits LIMIT 3"})).await;
    assert_eq!(known.json()[0]["compiledSuccessfully"], json!(true));

    let compared =
        client.post("/query/compare", &json!({"sql": "SELECT SUM(n) AS s FROM visits"})).await.json();
    let types = |answer: &str| compared[answer]["resultTable"]["dataSchema"]["columnDataTypes"].clone();
    assert_eq!((types("v1Response"), types("v2Response")), (json!(["DOUBLE"]), json!(["LONG"])));
    assert!(!compared["comparisonAnalysis"].as_array().unwrap().is_empty(), "{compared}");
}

#[tokio::test]
async fn an_exception_says_where_the_text_is_at_fault() {
    let (fixture, _broker) = fixture().await;
    for (sql, code, line, column) in [
        ("SELECT n,\n  cty FROM visits", 710, 2, 3),
        ("SELECT * FROM visit", 190, 1, 15),
        ("SELECT summ(n) FROM visits", 700, 1, 8),
        ("SELECT n FROM visits WHERE", 150, 1, 27),
    ] {
        let body = json!({"sql": sql, "queryOptions": "clientQueryId=mine"});
        let answer = fixture.client.post("/query/sql", &body).await.json();
        assert_eq!(answer["clientRequestId"], "mine");
        let exception = &answer["exceptions"][0];
        assert_eq!(exception["errorCode"], json!(code), "{exception}");
        assert_eq!((&exception["line"], &exception["column"]), (&json!(line), &json!(column)), "{exception}");
    }
}
