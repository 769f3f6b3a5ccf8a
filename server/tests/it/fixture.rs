//! A server on a temporary directory, asked without a port, and what tests say to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use meunier_ingest::{EmbeddedBroker, Producer};
use meunier_server::app::{AppState, app};
use meunier_server::config::{Config, RawConfig};
use meunier_server::serve::open;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// Longest wait for anything that happens in the background; a test that waits this long fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// Pause between two looks.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// Returns default settings over a directory.
pub(crate) fn config(directory: &TempDir) -> Config {
    let mut config = Config::try_from(&RawConfig::default()).unwrap();
    config.data_dir = Some(directory.path().to_path_buf());
    config.ingest.worker_threads = 1;
    config.ingest.seal_threads = 1;
    config.query.threads = 1;
    config
}

/// A server without tables and without a port.
pub(crate) struct Fixture {
    pub(crate) client: Client,
    pub(crate) state: Arc<AppState>,
    _directory: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        Fixture::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Fixture {
        let directory = TempDir::new().unwrap();
        let mut config = config(&directory);
        change(&mut config);
        let state = open(&config, "127.0.0.1:8099".parse().unwrap()).unwrap();
        state.store.open_tables();
        Fixture { client: Client::new(&state), state, _directory: directory }
    }

    /// A server with an embedded broker that has this topic.
    pub(crate) fn with_topic(topic: &str, partitions: i32) -> (Fixture, EmbeddedBroker) {
        let broker = EmbeddedBroker::start(&[(topic, partitions)]).unwrap();
        let fixture = Fixture::with(|config| config.ingest.embedded_broker = Some(broker.bootstrap()));
        (fixture, broker)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.state.store.ingester().shutdown();
    }
}

/// Sends requests to a server past its port.
#[derive(Clone)]
pub(crate) struct Client(Router);

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Status and body in one text, as tests write it.
    pub(crate) fn shown(&self) -> String {
        match serde_json::from_str::<Value>(&self.text) {
            Ok(json) => format!("{} {}", self.status.as_u16(), serde_json::to_string_pretty(&json).unwrap()),
            Err(_) => format!("{} {}", self.status.as_u16(), self.text),
        }
    }
}

impl Client {
    pub(crate) fn new(state: &Arc<AppState>) -> Client {
        Client(app(Arc::clone(state)))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 30).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn request(&self, method: &str, path: &str, body: impl Into<Body>) -> Reply {
        self.send(Request::builder().method(method).uri(path).body(body.into()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.request("GET", path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.request("POST", path, body.to_string()).await
    }

    /// The rows of a query, which must succeed.
    pub(crate) async fn rows(&self, sql: &str) -> Value {
        let answer = self.post("/query/sql", &json!({"sql": sql})).await.json();
        assert_eq!(answer["exceptions"], json!([]), "{sql}");
        answer["resultTable"]["rows"].clone()
    }

    /// Waits until a query has these rows.
    pub(crate) async fn await_rows(&self, sql: &str, expected: &Value) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let rows = self.rows(sql).await;
            if rows == *expected {
                return;
            }
            assert!(Instant::now() < deadline, "{sql}: still {rows}, not {expected}");
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Schema and table config of `visits`, reading topic `visits`.
pub(crate) fn visits(brokers: &str) -> Value {
    json!({
        "tableName": "visits",
        "schema": {
            "schemaName": "visits",
            "dimensionFieldSpecs": [{"name": "city", "dataType": "STRING"}],
            "metricFieldSpecs": [{"name": "n", "dataType": "LONG"}],
            "dateTimeFieldSpecs": [
                {"name": "ts", "dataType": "TIMESTAMP", "format": "1:MILLISECONDS:TIMESTAMP", "granularity": "1:MILLISECONDS"}
            ]
        },
        "realtime": {
            "tableName": "visits",
            "tableType": "REALTIME",
            "segmentsConfig": {"timeColumnName": "ts", "replication": "1"},
            "tenants": {},
            "tableIndexConfig": {"loadMode": "MMAP"},
            "ingestionConfig": {"streamIngestionConfig": {"streamConfigMaps": [{
                "streamType": "kafka",
                "stream.kafka.topic.name": "visits",
                "stream.kafka.broker.list": brokers,
                "stream.kafka.decoder.class.name": "org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder",
                "stream.kafka.consumer.prop.auto.offset.reset": "smallest"
            }]}},
            "metadata": {}
        }
    })
}

/// Sends rows of `visits` with `n` from a range, partitions in turns.
pub(crate) fn produce_visits(brokers: &str, partitions: i32, numbers: std::ops::Range<i64>) {
    let producer = Producer::connect(brokers, &[]).unwrap();
    for n in numbers {
        let partition = i32::try_from(n % i64::from(partitions)).unwrap();
        let now_ms = 1_790_000_000_000 + n;
        let payload = json!({"city": format!("city {}", n % 7), "n": n, "ts": now_ms}).to_string();
        producer.send("visits", partition, None, payload.as_bytes(), now_ms).unwrap();
    }
    assert_eq!(producer.flush(DEADLINE).unwrap(), 0);
    assert_eq!(producer.failed(), 0);
}

/// Replaces the values of these keys, wherever they are, by their kind: for what differs from run to run.
pub(crate) fn blurred(value: &Value, keys: &[&str]) -> Value {
    match value {
        Value::Object(map) => {
            let blur = |key: &String, value: &Value| match value {
                _ if !keys.contains(&key.as_str()) => blurred(value, keys),
                Value::Number(_) => json!("<number>"),
                Value::String(_) => json!("<text>"),
                other => blurred(other, keys),
            };
            Value::Object(map.iter().map(|(key, value)| (key.clone(), blur(key, value))).collect())
        }
        Value::Array(items) => items.iter().map(|item| blurred(item, keys)).collect(),
        other => other.clone(),
    }
}
