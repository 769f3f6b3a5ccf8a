//! `/health`, `/ready`, `/version` and their kin: whether the process lives, whether it can work, and what it is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use meunier_catalog::TableEntry;
use meunier_ingest::{PartitionStatus, TableStatus};
use serde_json::{Value, json};

use super::segment_states::instant_text;
use crate::app::AppState;
use crate::metrics::{availability_lag_ms, end_offset};
use crate::store::Opened;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/health", get(health))
        .route("/health/liveness", get(health))
        .route("/health/readiness", get(readiness))
        .route("/pinot-controller/admin", get(controller_admin))
        .route("/ready", get(ready))
        .route("/uptime", get(uptime))
        .route("/start-time", get(start_time))
        .route("/version", get(version))
        .route("/auth/info", get(auth_info))
        .route("/auth/verify", get(auth_verify))
        .route("/auth/verify/v2", get(auth_verify))
}

async fn health() -> &'static str {
    "OK"
}

/// The word that Pinot's controllers answer probes with.
async fn controller_admin() -> &'static str {
    "GOOD"
}

/// `/ready` for probes that only look at the status, under the name that Pinot's servers have.
async fn readiness(State(state): State<Arc<AppState>>) -> (StatusCode, &'static str) {
    match readiness_of(&state) {
        "ready" => (StatusCode::OK, "OK"),
        why_not => (StatusCode::SERVICE_UNAVAILABLE, why_not),
    }
}

async fn uptime(State(state): State<Arc<AppState>>) -> String {
    state.started.elapsed().as_secs().to_string()
}

async fn start_time(State(state): State<Arc<AppState>>) -> String {
    instant_text(state.started_ms)
}

/// There are no users yet, and clients that ask how to log in are told so.
async fn auth_info() -> Json<Value> {
    Json(json!({"workflow": "NONE"}))
}

async fn auth_verify() -> Json<Value> {
    Json(true.into())
}

async fn version() -> Json<Value> {
    Json(json!({"meunier": env!("CARGO_PKG_VERSION")}))
}

/// 503 while tables are being opened or the process stops. A table that fails does not make it 503: the others answer.
async fn ready(State(state): State<Arc<AppState>>) -> Response {
    let tables: Vec<Value> =
        state.store.tables().iter().map(|(entry, opened)| table_json(&state, entry, opened)).collect();
    let status = readiness_of(&state);
    let code = if status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "status": status,
        "uptimeMs": u64::try_from(state.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "tables": tables,
    });
    (code, Json(body)).into_response()
}

fn readiness_of(state: &AppState) -> &'static str {
    match (state.is_stopping(), state.store.is_loaded()) {
        (true, _) => "stopping",
        (false, false) => "opening",
        (false, true) => "ready",
    }
}

fn table_json(state: &AppState, entry: &TableEntry, opened: &Opened) -> Value {
    let mut json = json!({"tableName": &*entry.name, "state": opened.state_name(entry)});
    match (opened, &entry.paused) {
        (Opened::Failed(reason), _) => json["reason"] = reason.as_str().into(),
        (Opened::Opening | Opened::Open(_), Some(paused)) => {
            json["reason"] = format!("paused by {}: {}", paused.by, paused.comment).into();
        }
        (Opened::Opening | Opened::Open(_), None) => {}
    }
    if let Some(status) = state.store.status(entry.id) {
        add_ingestion(&mut json, &status);
    }
    json
}

fn add_ingestion(json: &mut Value, status: &TableStatus) {
    if let Some(reason) = &status.source_error {
        json["sourceError"] = reason.as_str().into();
    }
    if status.embedded {
        json["embeddedBroker"] = true.into();
    }
    json["partitions"] = status.partitions.iter().map(partition_json).collect();
}

fn partition_json(status: &PartitionStatus) -> Value {
    json!({
        "partition": status.partition.0,
        "state": status.state.name(),
        "reason": status.state.reason(),
        "committedOffset": status.committed.0,
        "visibleOffset": status.position.0,
        "endOffset": end_offset(status),
        "recordsLag": status.lag,
        "availabilityLagMs": availability_lag_ms(status),
        "consumingRows": status.consuming_rows,
        "sealingSegments": status.sealing_segments,
        "memoryBytes": status.memory_bytes,
        "rows": status.rows_total,
        "rejected": status.rejected_total,
        "filtered": status.filtered_total,
        "incomplete": status.incomplete_total,
        "lastError": status.last_error,
    })
}
