//! Tables taken out of use, and segments dropped on request: over queries, routes, files and restarts.

use std::path::Path;

use axum::body::Body;
use meunier_server::serve::open;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{Client, Fixture, config, produce_visits, visits};

async fn ok(client: &Client, method: &str, path: &str) -> Value {
    let reply = client.request(method, path, Body::empty()).await;
    assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text);
    reply.json()
}

async fn segment_names(client: &Client) -> Vec<String> {
    let names = ok(client, "GET", "/segments/visits").await[0]["REALTIME"].clone();
    names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

async fn exception(client: &Client, sql: &str) -> Value {
    client.post("/query/sql", &json!({"sql": sql})).await.json()["exceptions"][0].clone()
}

/// Names of the files below a directory, however deep.
fn files_below(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => names.extend(files_below(&path)),
            false => names.push(path.file_name().unwrap().to_str().unwrap().to_owned()),
        }
    }
    names.sort();
    names
}

#[tokio::test]
async fn a_disabled_table_is_neither_read_nor_consumed_until_it_is_enabled() {
    let broker = meunier_ingest::EmbeddedBroker::start(&[("visits", 1)]).unwrap();
    let directory = TempDir::new().unwrap();
    let mut config = config(&directory);
    config.ingest.embedded_broker = Some(broker.bootstrap());
    let start = || {
        let state = open(&config, "127.0.0.1:8099".parse().unwrap()).unwrap();
        state.store.open_tables();
        state
    };
    let disabled_error = json!({
        "errorCode": 191,
        "message": "TableIsDisabledError: table `visits` is disabled: enable it with PUT /tables/visits/state?state=enable&type=realtime",
        "line": 1,
        "column": 22,
    });
    let state = start();
    let client = Client::new(&state);
    assert_eq!(client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    produce_visits(&broker.bootstrap(), 1, 0..10);
    client.await_rows("SELECT COUNT(*) FROM visits", &json!([[10]])).await;

    let path = "/tables/visits/state?state=DISABLE&type=realtime";
    let status = ok(&client, "PUT", path).await;
    assert_eq!(status, json!({"status": "Request to disable table 'visits_REALTIME' is successful"}));
    assert_eq!(ok(&client, "PUT", path).await, status);
    assert_eq!(exception(&client, "SELECT COUNT(*) FROM visits").await, disabled_error);
    let multistage = "SET useMultistageEngine=true; SELECT COUNT(*) FROM visits";
    assert_eq!(exception(&client, multistage).await["errorCode"], json!(191));
    assert_eq!(ok(&client, "GET", "/tables/visits/state").await, json!({"state": "disabled"}));
    assert_eq!(ok(&client, "GET", "/ready").await["tables"][0]["state"], "disabled");
    let ingestion = ok(&client, "GET", "/tables/visits/status").await["ingestionStatus"].clone();
    assert_eq!(ingestion, json!({"ingestionState": "UNHEALTHY", "errorMessage": "the table is disabled"}));
    // A disabled table is not paused, and resuming does not make it consume.
    let resumed = client.post("/tables/visits/resumeConsumption", &json!({})).await.json();
    assert_eq!(resumed["pauseFlag"], json!(false));
    assert_eq!(exception(&client, "SELECT COUNT(*) FROM visits").await, disabled_error);
    state.store.ingester().shutdown();
    drop((client, state));

    let state = start();
    let client = Client::new(&state);
    assert_eq!(exception(&client, "SELECT COUNT(*) FROM visits").await, disabled_error);
    produce_visits(&broker.bootstrap(), 1, 10..15);
    ok(&client, "PUT", "/tables/visits/state?state=enable&type=realtime").await;
    client.await_rows("SELECT COUNT(*), SUM(n) FROM visits", &json!([[15, 105.0]])).await;
    state.store.ingester().shutdown();
}

#[tokio::test]
async fn what_is_wrong_with_a_change_of_state_is_told() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let client = &fixture.client;
    assert_eq!(client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    for (path, status) in [
        ("/tables/visits/state?state=off&type=realtime", 400),
        ("/tables/visits/state?type=realtime", 400),
        ("/tables/visits/state?state=enable&type=offline", 404),
        ("/tables/visits/state?state=enable&type=x", 400),
        ("/tables/vists/state?state=enable&type=realtime", 404),
    ] {
        assert_eq!(client.request("PUT", path, Body::empty()).await.status, status, "{path}");
    }
    assert_eq!(ok(client, "GET", "/tables/default.visits_REALTIME/state").await, json!({"state": "enabled"}));
}

#[tokio::test]
async fn dropped_segments_leave_queries_and_books_balanced() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let client = &fixture.client;
    assert_eq!(client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    produce_visits(&broker.bootstrap(), 1, 0..100);
    client.await_rows("SELECT COUNT(*) FROM visits", &json!([[100]])).await;
    let first = segment_names(client).await[0].clone();
    let data = fixture.state.store.catalog().data_dir().path().to_path_buf();

    // One that is being consumed is committed first: its offsets are not read again.
    let status = ok(client, "DELETE", &format!("/segments/visits/{first}?retention=1d")).await;
    assert_eq!(status, json!({"status": "Segment deleted"}));
    assert_eq!(client.rows("SELECT COUNT(*) FROM visits").await, json!([[0]]));
    assert_eq!(files_below(&data.join("deep_store")), Vec::<String>::new());
    let kept = files_below(&data.join("dropped"));
    assert!(matches!(kept.as_slice(), [one] if one.ends_with(".parquet")), "{kept:?}");
    produce_visits(&broker.bootstrap(), 1, 100..110);
    client.await_rows("SELECT COUNT(*), MIN(n) FROM visits", &json!([[10, 100.0]])).await;
    let watermark = ok(client, "GET", "/tables/visits/consumerWatermarks").await["watermarks"][0].clone();
    assert_eq!(watermark, json!({"partitionGroupId": 0, "sequenceNumber": 1, "offset": 100}));

    // All of them, without files kept.
    let status = ok(client, "DELETE", "/segments/visits_REALTIME?type=realtime&retention=0d").await;
    assert_eq!(status, json!({"status": "All segments of table visits_REALTIME deleted"}));
    assert_eq!(client.rows("SELECT COUNT(*) FROM visits").await, json!([[0]]));
    assert_eq!(files_below(&data.join("dropped")).len(), 1);
    let positions = fixture.state.store.catalog().partitions(fixture.state.store.table("visits").unwrap().id);
    assert_eq!((positions[0].committed.0, positions[0].rows), (110, 110));
    produce_visits(&broker.bootstrap(), 1, 110..113);
    client.await_rows("SELECT COUNT(*) FROM visits", &json!([[3]])).await;
}

#[tokio::test]
async fn segments_are_dropped_by_list_and_by_time() {
    let (fixture, broker) = Fixture::with_topic("visits", 2);
    let client = &fixture.client;
    assert_eq!(client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    produce_visits(&broker.bootstrap(), 2, 0..10);
    client.await_rows("SELECT COUNT(*) FROM visits", &json!([[10]])).await;
    let names = segment_names(client).await;

    let reply = client.post("/segments/visits/delete", &json!([names[0], "visits__0__99__x"])).await;
    assert_eq!(reply.status, 404, "{}", reply.text);
    let error = reply.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("has no segment `visits__0__99__x`"), "{error}");
    assert_eq!(client.rows("SELECT COUNT(*) FROM visits").await, json!([[10]]));
    let reply = client.post("/segments/visits/delete", &json!([names[0]])).await.json();
    let status = format!("Deleted segments: [{}] from table: visits_REALTIME", names[0]);
    assert_eq!(reply, json!({"status": status}));
    assert_eq!(client.rows("SELECT COUNT(*) FROM visits").await, json!([[5]]));

    // What is being consumed has no end yet, so that no window of time holds it.
    let window = "/segments/visits/choose?startTimestamp=1790000000000&endTimestamp=1790000001000";
    let status = ok(client, "DELETE", window).await;
    assert_eq!(status, json!({"status": "Deleted 0 segments from table: visits"}));
    let named = format!("/segments/visits?type=REALTIME&segments={}", names[1]);
    ok(client, "DELETE", &named).await;
    assert_eq!(client.rows("SELECT COUNT(*) FROM visits").await, json!([[0]]));

    for (method, path, body) in [
        ("DELETE", "/segments/visits", ""),
        ("DELETE", "/segments/visits?type=REALTIME&retention=soon", ""),
        ("DELETE", "/segments/visits/choose?startTimestamp=1", ""),
        ("POST", "/segments/visits/delete", "{}"),
        ("POST", "/segments/visits/delete", "[]"),
    ] {
        assert_eq!(client.request(method, path, body).await.status, 400, "{method} {path}");
    }
    for path in ["/segments/visits/none", "/segments/none?type=REALTIME", "/segments/visits?type=OFFLINE"] {
        assert_eq!(client.request("DELETE", path, Body::empty()).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn tables_may_be_named_with_their_database() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let client = &fixture.client;
    assert_eq!(client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    for engine in ["false", "true"] {
        for name in [
            "visits",
            "default.visits",
            "\"default\".\"visits\"",
            "\"default.visits\"",
            "Default.visits_REALTIME",
        ] {
            let sql = format!("SET useMultistageEngine={engine}; SELECT COUNT(*) FROM {name}");
            assert_eq!(client.rows(&sql).await, json!([[0]]), "{sql}");
        }
        let sql = format!("SET useMultistageEngine={engine}; SELECT COUNT(*) FROM sales.visits");
        assert_eq!(exception(client, &sql).await["errorCode"], json!(190), "{sql}");
    }
    for path in
        ["/tables/default.visits/schema", "/segments/default.visits_REALTIME", "/schemas/default.visits"]
    {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
}
