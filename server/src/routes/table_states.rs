//! `/tables/{t}/…` and `/debug/…` about how a table is: where its segments are, how its ingestion goes, its indexes.
//!
//! Pinot tells what should be from what is, as a cluster gets there slowly. Here both are the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use meunier_ingest::{PartitionState, PartitionStatus};
use meunier_segment::table_snapshot::Segment;
use serde_json::{Map, Value, json};

use super::consumption::consuming_info;
use super::segment_metadata::{damaged, indexes_of};
use super::segment_states::{SegmentFacts, instant_text};
use super::tables::{require_realtime, wants_realtime};
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{Parameters, PathName, PathNames};
use crate::store::definition::typed_table_name;
use crate::store::now_ms;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/tables/{name}/state", get(state).put(set_state))
        .route("/tables/{name}/idealstate", get(view))
        .route("/tables/{name}/externalview", get(view))
        .route("/tables/{name}/segmentsStatus", get(segments_status))
        .route("/tables/{name}/badLLCSegmentsPerPartition", get(bad_segments))
        .route("/tables/{name}/status", get(status))
        .route("/tables/{name}/stats", get(stats))
        .route("/tables/{name}/indexes", get(indexes))
        .route("/tables/{name}/consumerWatermarks", get(watermarks))
        .route("/tables/{name}/rebalance", post(rebalance).delete(cancel_rebalance))
        .route("/rebalanceStatus/{id}", get(rebalance_status))
        .route("/table/{name}/jobs", get(jobs))
        .route("/debug/tables/{name}", get(debug))
        .route("/debug/segments/{name}/{segment}", get(debug_segment))
        .route("/debug/routingTable/{name}", get(routing))
        .route("/debug/serverRoutingStats", get(routing_stats))
        .route("/debug/timeBoundary/{name}", get(time_boundary))
}

async fn state(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    Ok(Json(json!({"state": if entry.disabled { "disabled" } else { "enabled" }})))
}

/// A table that is disabled is neither consumed nor queried.
async fn set_state(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let word = parameters.get("state").unwrap_or_default().to_ascii_lowercase();
    let disabled = match word.as_str() {
        "enable" => false,
        "disable" => true,
        other => {
            return Err(ApiError::bad_request(format!("`state` is enable or disable, not `{other}`")));
        }
    };
    let entry = state.store.table(&name)?;
    require_realtime(&parameters, &entry)?;
    let entry = state.blocking(move |state| state.store.set_disabled(&name, disabled)).await?;
    let table = typed_table_name(&entry.name);
    Ok(Json(json!({"status": format!("Request to {word} table '{table}' is successful")})))
}

/// Returns what Helix would call a segment's state.
fn helix_state(segment: &Segment) -> &'static str {
    match segment {
        Segment::Sealed(_) => "ONLINE",
        Segment::Consuming(_) => "CONSUMING",
    }
}

async fn view(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    if !wants_realtime(&parameters)? {
        return Ok(Json(json!({"OFFLINE": null, "REALTIME": null})));
    }
    let named = parameters.list("segmentNames");
    let wanted =
        facts.segments().filter(|segment| named.is_empty() || named.contains(&segment.name().as_str()));
    let by_name: Map<String, Value> = wanted
        .map(|segment| (segment.name().to_string(), json!({&state.name: helix_state(&segment)})))
        .collect();
    Ok(Json(json!({"OFFLINE": null, "REALTIME": by_name})))
}

async fn segments_status(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    let of_one = |segment: Segment| json!({"segmentName": segment.name().as_str(), "segmentStatus": "GOOD"});
    Ok(Json(facts.segments().map(of_one).collect()))
}

/// A table with a bad segment does not open, so an open one has none.
async fn bad_segments(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    state.store.open_table(&name)?;
    Ok(Json(json!({})))
}

async fn status(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    require_realtime(&parameters, &facts.entry)?;
    Ok(Json(json!({"ingestionStatus": ingestion_json(&state, &facts)})))
}

fn ingestion_json(state: &AppState, facts: &SegmentFacts) -> Value {
    let trouble = ingestion_trouble(state, facts);
    json!({
        "ingestionState": if trouble.is_some() { "UNHEALTHY" } else { "HEALTHY" },
        "errorMessage": trouble.unwrap_or_default(),
    })
}

/// Returns why not every partition is consumed, in the words of `/ready`.
fn ingestion_trouble(state: &AppState, facts: &SegmentFacts) -> Option<String> {
    if facts.entry.disabled {
        return Some("the table is disabled".to_owned());
    }
    if let Some(paused) = &facts.entry.paused {
        return Some(format!("paused by {}: {}", paused.by, paused.comment));
    }
    let Some(status) = state.store.status(facts.entry.id) else {
        return Some("ingestion has not begun".to_owned());
    };
    let of_partition = |status: &PartitionStatus| match &status.state {
        PartitionState::Stuck(reason) | PartitionState::Expired(reason) => {
            Some(format!("partition {}: {reason}", status.partition))
        }
        PartitionState::Starting
        | PartitionState::Live
        | PartitionState::Idle
        | PartitionState::Lagging
        | PartitionState::Paused => None,
    };
    status.source_error.or_else(|| status.partitions.iter().find_map(of_partition))
}

async fn stats(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    Ok(Json(match wants_realtime(&parameters)? {
        true => json!({"REALTIME": {"creationTime": instant_text(entry.created_ms)}}),
        false => json!({}),
    }))
}

async fn indexes(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let answer = state.blocking(move |state| {
        let facts = SegmentFacts::of(state, &name)?;
        let sealed: Vec<Segment> =
            facts.segments().filter(|segment| matches!(segment, Segment::Sealed(_))).collect();
        let mut columns = Map::new();
        for field in facts.snapshot.schema.fields() {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for segment in &sealed {
                let there = indexes_of(segment, field).map_err(damaged)?;
                let kinds = [
                    "dictionary",
                    "inverted_index",
                    "range_index",
                    "bloom_filter",
                    "sorted_index",
                    "json_index",
                    "text_index",
                ];
                for (kind, _) in kinds.iter().zip(there).filter(|(_, is_there)| *is_there) {
                    *counts.entry(*kind).or_default() += 1;
                }
                *counts.entry("forward_index").or_default() += 1;
            }
            columns.insert(field.name.to_string(), json!(counts));
        }
        Ok(json!({"totalOnlineSegments": sealed.len(), "columnToIndexesCount": columns}))
    });
    answer.await.map(Json)
}

async fn watermarks(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    let partitions = state.store.catalog().partitions(entry.id);
    let of_one = |partition: &meunier_catalog::PartitionState| {
        json!({
            "partitionGroupId": partition.partition.0,
            "sequenceNumber": partition.next_sequence,
            "offset": partition.committed.0,
        })
    };
    Ok(Json(json!({"watermarks": partitions.iter().map(of_one).collect::<Vec<_>>()})))
}

/// One process is always balanced.
async fn rebalance(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    let assignment: Map<String, Value> = facts
        .segments()
        .map(|segment| (segment.name().to_string(), json!({&state.name: helix_state(&segment)})))
        .collect();
    Ok(Json(json!({
        "jobId": format!("{}__{}", facts.entry.name, now_ms()),
        "status": "NO_OP",
        "description": "Table is already balanced",
        "segmentAssignment": assignment,
    })))
}

async fn cancel_rebalance(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    state.store.table(&name)?;
    Ok(Json(json!([])))
}

async fn rebalance_status(PathName(id): PathName) -> ApiError {
    let shown: String = id.chars().take(200).collect();
    ApiError::not_found(format!("there is no rebalance job `{shown}`: one process is always balanced"))
}

/// Only commits on request are jobs, and those are asked for by their id.
async fn jobs(State(state): State<Arc<AppState>>, PathName(name): PathName) -> Result<Json<Value>, ApiError> {
    state.store.table(&name)?;
    Ok(Json(json!({})))
}

async fn debug(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    require_realtime(&parameters, &facts.entry)?;
    let shows_all = parameters.number::<i32>("verbosity")?.unwrap_or(0) > 0;
    let infos: Vec<(Segment, Value)> =
        facts.segments().map(|segment| (segment.clone(), segment_state(&state, &facts, &segment))).collect();
    let has_trouble = |info: &Value| info["consumerInfo"]["consumerState"] == json!("NOT_CONSUMING");
    let shown: Vec<Value> = infos
        .iter()
        .filter(|(_, info)| shows_all || has_trouble(info))
        .map(|(segment, info)| debug_json(&state, segment, info))
        .collect();
    let size = display_size(sealed_bytes(&facts));
    let broker = json!({"brokerName": state.broker_name, "idealState": "ONLINE", "externalView": "ONLINE"});
    Ok(Json(json!([{
        "tableName": typed_table_name(&facts.entry.name),
        "ingestionStatus": ingestion_json(&state, &facts),
        "tableSize": {"reportedSize": size, "estimatedSize": size},
        "numSegments": infos.len(),
        "numServers": 1,
        "numBrokers": 1,
        "segmentDebugInfos": shown,
        "serverDebugInfos": [{"serverName": state.name, "numErrors": 0, "numMessages": 0}],
        "brokerDebugInfos": if shows_all { json!([broker]) } else { json!([]) },
    }])))
}

async fn debug_segment(
    State(state): State<Arc<AppState>>,
    PathNames(name, segment): PathNames,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    let segment = facts.segment(&segment)?;
    Ok(Json(debug_json(&state, &segment, &segment_state(&state, &facts, &segment))))
}

fn debug_json(state: &AppState, segment: &Segment, info: &Value) -> Value {
    json!({"segmentName": segment.name().as_str(), "serverState": {&state.name: info}})
}

fn segment_state(state: &AppState, facts: &SegmentFacts, segment: &Segment) -> Value {
    let partitions = state.store.status(facts.entry.id).map(|status| status.partitions).unwrap_or_default();
    let consumer = partitions.iter().find(|status| status.consuming_segment.as_ref() == Some(segment.name()));
    let size = match segment {
        Segment::Sealed(sealed) => display_size(sealed.file_bytes()),
        Segment::Consuming(consuming) => display_size(consuming.memory_bytes() as u64),
    };
    json!({
        "idealState": helix_state(segment),
        "externalView": helix_state(segment),
        "segmentSize": size,
        "consumerInfo": consumer.map(|status| consuming_info(&state.name, status)),
        "errorInfo": null,
    })
}

fn sealed_bytes(facts: &SegmentFacts) -> u64 {
    let bytes = |segment: Segment| match segment {
        Segment::Sealed(sealed) => sealed.file_bytes(),
        Segment::Consuming(_) => 0,
    };
    facts.segments().map(bytes).sum()
}

/// Returns a size as Pinot shows it: whole numbers of the largest unit that gives at least one.
fn display_size(bytes: u64) -> String {
    for (shift, unit) in [(40, "TB"), (30, "GB"), (20, "MB"), (10, "KB")] {
        if bytes >> shift > 0 {
            return format!("{} {unit}", bytes >> shift);
        }
    }
    format!("{bytes} bytes")
}

async fn routing(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    let names: Vec<String> = facts.segments().map(|segment| segment.name().to_string()).collect();
    Ok(Json(json!({typed_table_name(&facts.entry.name): {&state.name: names}})))
}

async fn routing_stats() -> ApiError {
    ApiError::not_found("there are no servers to choose among: this process answers every query itself")
}

async fn time_boundary(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    let message = format!("table `{}` has no OFFLINE part, so it has no time boundary", entry.name);
    Err(ApiError::not_found(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_cut_to_whole_units() {
        let shown: Vec<String> = [0, 1023, 1024, 2047, 3 << 20, u64::MAX].map(display_size).into();
        assert_eq!(shown, ["0 bytes", "1023 bytes", "1 KB", "1 KB", "3 MB", "16777215 TB"]);
    }
}
