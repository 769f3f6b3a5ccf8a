//! A table's whole life over HTTP, with Kafka behind it: every record is a row once, at every moment.

use std::time::Instant;

use meunier_ingest::{EmbeddedBroker, Producer};
use meunier_server::config::Config;
use meunier_server::serve::RunningServer;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{Client, DEADLINE, POLL, config, produce_visits, visits};

const COUNT_AND_SUM: &str = "SELECT COUNT(*), SUM(n) FROM visits";

fn settings(directory: &TempDir, broker: &EmbeddedBroker) -> Config {
    let mut config = config(directory);
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.ingest.embedded_broker = Some(broker.bootstrap());
    config
}

/// Count and sum of `n` from 0 to `end`, as an answer has them: sums of the single-stage dialect are doubles.
fn first(end: u32) -> Value {
    let count = f64::from(end);
    json!([[end, count * (count - 1.0) / 2.0]])
}

async fn start(config: &Config) -> (RunningServer, Client) {
    let server = RunningServer::start(config).await.unwrap();
    let client = Client::new(server.state());
    let deadline = Instant::now() + DEADLINE;
    while client.get("/ready").await.status != 200 {
        assert!(Instant::now() < deadline, "not ready: {}", client.get("/ready").await.text);
        tokio::time::sleep(POLL).await;
    }
    (server, client)
}

async fn seal(client: &Client) -> Vec<String> {
    let started = client.post("/tables/visits/forceCommit", &json!({})).await.json();
    assert_eq!(started["forceCommitStatus"], "SUCCESS");
    let path = format!("/tables/forceCommitStatus/{}", started["forceCommitJobId"].as_str().unwrap());
    let deadline = Instant::now() + DEADLINE;
    loop {
        let status = client.get(&path).await.json();
        if status["numberOfSegmentsYetToBeCommitted"] == json!(0) {
            let segments = status["segmentsForceCommitted"].as_array().unwrap();
            return segments.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        }
        assert!(Instant::now() < deadline, "not committed: {status}");
        tokio::time::sleep(POLL).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_lives_over_seal_restart_pause_and_delete() {
    let directory = TempDir::new().unwrap();
    let broker = EmbeddedBroker::start(&[("visits", 2)]).unwrap();
    let brokers = broker.bootstrap();
    let config = settings(&directory, &broker);
    let (server, client) = start(&config).await;

    let created = client.post("/tableConfigs", &visits(&brokers)).await;
    assert_eq!(created.status, 200, "{}", created.text);
    produce_visits(&brokers, 2, 0..1_000);
    client.await_rows(COUNT_AND_SUM, &first(1_000)).await;
    let info = client.get("/tables/visits/consumingSegmentsInfo").await.json();
    let segments = info["_segmentToConsumingInfoMap"].as_object().unwrap();
    assert_eq!(segments.len(), 2, "{info}");
    for infos in segments.values() {
        assert_eq!(infos[0]["consumerState"], "CONSUMING", "{info}");
        assert_eq!(
            infos[0]["partitionToOffsetMap"].as_object().unwrap().values().next(),
            Some(&json!("500"))
        );
    }

    let sealed = seal(&client).await;
    assert_eq!(sealed.len(), 2);
    client.await_rows(COUNT_AND_SUM, &first(1_000)).await;
    let names = client.get("/segments/visits").await.json()[0]["REALTIME"].clone();
    assert!(sealed.iter().all(|name| names.as_array().unwrap().contains(&json!(name))), "{names}");
    let metadata = client.get("/tables/visits/metadata?columns=city").await.json();
    assert_eq!(metadata["numRows"], json!(1_000), "{metadata}");
    assert!(client.get("/tables/visits/size").await.json()["reportedSizeInBytes"].as_u64() > Some(0));

    // Some rows committed, some not: the restart must bring each back once.
    produce_visits(&brokers, 2, 1_000..1_100);
    client.await_rows(COUNT_AND_SUM, &first(1_100)).await;
    // The directory is free once nobody holds the server's state.
    drop(client);
    server.stop().await;
    let (server, client) = start(&config).await;
    client.await_rows(COUNT_AND_SUM, &first(1_100)).await;

    let paused = client.post("/tables/visits/pauseConsumption?comment=test", &json!({})).await;
    assert_eq!(paused.json()["pauseFlag"], json!(true));
    client.await_rows(COUNT_AND_SUM, &first(1_100)).await;
    produce_visits(&brokers, 2, 1_100..1_110);
    assert_eq!(client.rows(COUNT_AND_SUM).await, first(1_100));
    client.post("/tables/visits/resumeConsumption", &json!({})).await;
    client.await_rows(COUNT_AND_SUM, &first(1_110)).await;

    let deleted = client.request("DELETE", "/tables/visits", "").await;
    assert_eq!(deleted.json(), json!({"status": "Tables: [visits_REALTIME] deleted"}));
    assert_eq!(client.get("/tables").await.json(), json!({"tables": []}));
    let answer = client.post("/query/sql", &json!({"sql": COUNT_AND_SUM})).await.json();
    assert_eq!(answer["exceptions"][0]["errorCode"], json!(190));
    let left =
        files_below(&directory.path().join("deep_store")) + files_below(&directory.path().join("serving"));
    assert_eq!(left, 0, "files of a deleted table stay");
    server.stop().await;
}

fn files_below(directory: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let of_entry = |path: std::path::PathBuf| if path.is_dir() { files_below(&path) } else { 1 };
    entries.map(|entry| of_entry(entry.unwrap().path())).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_added_to_the_schema_is_there_at_once() {
    let directory = TempDir::new().unwrap();
    let broker = EmbeddedBroker::start(&[("visits", 1)]).unwrap();
    let (server, client) = start(&settings(&directory, &broker)).await;
    let pair = visits(&broker.bootstrap());
    assert_eq!(client.post("/tableConfigs", &pair).await.status, 200);
    produce_visits(&broker.bootstrap(), 1, 0..50);
    client.await_rows(COUNT_AND_SUM, &first(50)).await;

    let mut schema = pair["schema"].clone();
    let browser = json!({"name": "browser", "dataType": "STRING", "defaultNullValue": "none"});
    schema["dimensionFieldSpecs"].as_array_mut().unwrap().push(browser);
    let changed = client.request("PUT", "/schemas/visits", schema.to_string()).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    client.await_rows("SELECT browser, COUNT(*) FROM visits GROUP BY browser", &json!([["none", 50]])).await;

    let producer = Producer::connect(&broker.bootstrap(), &[]).unwrap();
    let payload = br#"{"city": "Rome", "n": 50, "ts": 1790000000050, "browser": "Lynx"}"#;
    producer.send("visits", 0, None, payload, 1_790_000_000_050).unwrap();
    producer.flush(DEADLINE).unwrap();
    client.await_rows("SELECT city, n FROM visits WHERE browser = 'Lynx'", &json!([["Rome", 50]])).await;
    client.await_rows(COUNT_AND_SUM, &first(51)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_records_are_counted_and_their_neighbours_are_rows() {
    let directory = TempDir::new().unwrap();
    let broker = EmbeddedBroker::start(&[("visits", 1)]).unwrap();
    let (server, client) = start(&settings(&directory, &broker)).await;
    assert_eq!(client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    let producer = Producer::connect(&broker.bootstrap(), &[]).unwrap();
    for payload in ["{\"n\": 0}", "no json", "{\"n\": \"many\"}", "{\"n\": 1}", "[", "{\"n\": 2}"] {
        producer.send("visits", 0, None, payload.as_bytes(), 1_790_000_000_000).unwrap();
    }
    producer.flush(DEADLINE).unwrap();
    client.await_rows(COUNT_AND_SUM, &first(3)).await;
    let partition = client.get("/ready").await.json()["tables"][0]["partitions"][0].clone();
    assert_eq!(partition["rejected"], json!(3), "{partition}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_one_topic_all_have_its_rows() {
    let directory = TempDir::new().unwrap();
    let broker = EmbeddedBroker::start(&[("visits", 2)]).unwrap();
    let brokers = broker.bootstrap();
    let (server, client) = start(&settings(&directory, &broker)).await;
    let names = ["first", "second", "third", "fourth"];
    for name in names {
        let mut table = visits(&brokers);
        for place in ["/tableName", "/schema/schemaName", "/realtime/tableName"] {
            *table.pointer_mut(place).unwrap() = json!(name);
        }
        assert_eq!(client.post("/tableConfigs", &table).await.status, 200);
    }
    let all_have = async |names: &[&str], end: u32| {
        for name in names {
            client.await_rows(&format!("SELECT COUNT(*), SUM(n) FROM {name}"), &first(end)).await;
        }
    };
    produce_visits(&brokers, 2, 0..1_000);
    all_have(&names, 1_000).await;
    // One that goes takes nothing from the others.
    assert_eq!(client.request("DELETE", "/tables/second", "").await.status, 200);
    produce_visits(&brokers, 2, 1_000..1_500);
    all_have(&["first", "third", "fourth"], 1_500).await;
    server.stop().await;
}
