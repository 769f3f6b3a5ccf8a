//! `/tables/{t}/…` about consumption: how it goes, pause, resume, commits on request.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use meunier_catalog::TableEntry;
use meunier_ingest::{ConsumeFrom, PartitionState, PartitionStatus};
use meunier_segment::offset_range::PartitionId;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::value::format_timestamp;
use serde_json::{Map, Value, json};

use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{Parameters, PathName};
use crate::metrics::{availability_lag_ms, end_offset};

/// Longest comment of a pause that is kept.
const COMMENT_CHARS_MAX: usize = 1_000;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/tables/{name}/consumingSegmentsInfo", get(consuming_segments_info))
        .route("/tables/{name}/pauseConsumption", post(pause))
        .route("/tables/{name}/resumeConsumption", post(resume))
        .route("/tables/{name}/pauseStatus", get(pause_status))
        .route("/tables/{name}/forceCommit", post(force_commit))
        .route("/tables/forceCommitStatus/{id}", get(force_commit_status))
}

async fn consuming_segments_info(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let (entry, _) = state.store.open_table(&name)?;
    let partitions = state.store.status(entry.id).map(|status| status.partitions).unwrap_or_default();
    let mut segments = Map::new();
    for partition in &partitions {
        if let Some(segment) = &partition.consuming_segment {
            segments.insert(segment.to_string(), json!([consuming_info(&state.name, partition)]));
        }
    }
    Ok(Json(json!({
        "serversFailingToRespond": 0,
        "serversUnparsableRespond": 0,
        "_segmentToConsumingInfoMap": segments,
    })))
}

/// Numbers are texts, as in Pinot, where a lag may also be `UNKNOWN`.
pub(super) fn consuming_info(server: &str, status: &PartitionStatus) -> Value {
    let partition = status.partition.to_string();
    let number = |value: Option<String>| value.unwrap_or_else(|| "UNKNOWN".to_owned());
    let position = status.position.to_string();
    let log_end = number(end_offset(status).map(|end| end.to_string()));
    let lag = number(status.lag.map(|lag| lag.to_string()));
    let mut info = json!({
        "serverName": server,
        "consumerState": if is_consuming(&status.state) { "CONSUMING" } else { "NOT_CONSUMING" },
        "lastConsumedTimestamp": status.last_fetch_ms.unwrap_or(0),
        "partitionToOffsetMap": {&partition: position},
        "partitionOffsetInfo": {
            "currentOffsetsMap": {&partition: position},
            "latestUpstreamOffsetMap": {&partition: log_end},
            "recordsLagMap": {&partition: lag},
            "availabilityLagMsMap": {&partition: number(availability_lag_ms(status).map(|lag| lag.to_string()))},
        },
        "partitionState": status.state.name(),
    });
    if let Some(reason) = status.state.reason() {
        info["reason"] = reason.into();
    }
    info
}

fn is_consuming(state: &PartitionState) -> bool {
    match state {
        PartitionState::Starting | PartitionState::Live | PartitionState::Idle | PartitionState::Lagging => {
            true
        }
        PartitionState::Paused | PartitionState::Stuck(_) | PartitionState::Expired(_) => false,
    }
}

async fn pause(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let comment: String =
        parameters.get("comment").unwrap_or_default().chars().take(COMMENT_CHARS_MAX).collect();
    let entry = state.blocking(move |state| state.store.pause(&name, &comment)).await?;
    let mut answer = pause_json(&state, &entry);
    answer["description"] = "Consumption is paused; all rows stay visible.".into();
    Ok(Json(answer))
}

async fn resume(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let from = match parameters.get("consumeFrom") {
        None => None,
        Some(text) if text.eq_ignore_ascii_case("lastConsumed") => Some(ConsumeFrom::LastConsumed),
        Some(text) if text.eq_ignore_ascii_case("smallest") => Some(ConsumeFrom::Smallest),
        Some(text) if text.eq_ignore_ascii_case("largest") => Some(ConsumeFrom::Largest),
        Some(other) => {
            let message = format!("`consumeFrom` is lastConsumed, smallest or largest, not `{other}`");
            return Err(ApiError::bad_request(message));
        }
    };
    let entry = state.blocking(move |state| state.store.resume(&name, from)).await?;
    let mut answer = pause_json(&state, &entry);
    answer["description"] = "Consumption goes on.".into();
    Ok(Json(answer))
}

async fn pause_status(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    Ok(Json(pause_json(&state, &entry)))
}

fn pause_json(state: &AppState, entry: &TableEntry) -> Value {
    let partitions = state.store.status(entry.id).map(|status| status.partitions).unwrap_or_default();
    let consuming: Vec<&str> = partitions
        .iter()
        .filter_map(|status| status.consuming_segment.as_ref().map(SegmentName::as_str))
        .collect();
    let mut json = json!({"pauseFlag": entry.paused.is_some(), "consumingSegments": consuming});
    if let Some(paused) = &entry.paused {
        json["reasonCode"] = "ADMINISTRATIVE".into();
        json["comment"] = paused.comment.as_str().into();
        json["timestamp"] = format_timestamp(paused.at_ms).into();
    }
    json
}

async fn force_commit(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let (entry, _) = state.store.open_table(&name)?;
    let partitions = wanted_partitions(&state, &entry, &parameters)?;
    let job = state.blocking(move |state| state.store.force_commit(&name, partitions.as_deref())).await?;
    Ok(Json(json!({
        "forceCommitStatus": "SUCCESS",
        "jobMetaZKWriteStatus": "SUCCESS",
        "forceCommitJobId": job.id.to_string(),
    })))
}

/// Reads `partitions=0,1` or `segments=NAME,…`; `None` for all.
fn wanted_partitions(
    state: &AppState,
    entry: &TableEntry,
    parameters: &Parameters,
) -> Result<Option<Vec<PartitionId>>, ApiError> {
    let (numbers, segments) = (parameters.list("partitions"), parameters.list("segments"));
    if numbers.is_empty() && segments.is_empty() {
        return Ok(None);
    }
    if !numbers.is_empty() && !segments.is_empty() {
        return Err(ApiError::bad_request("write `partitions` or `segments`, not both"));
    }
    let known = state.store.status(entry.id).map(|status| status.partitions).unwrap_or_default();
    let mut wanted = Vec::new();
    for number in numbers {
        let partition = number.parse().ok().map(PartitionId);
        match partition.filter(|partition| known.iter().any(|status| status.partition == *partition)) {
            Some(partition) => wanted.push(partition),
            None => {
                return Err(ApiError::bad_request(format!(
                    "table `{}` has no partition `{number}`",
                    entry.name
                )));
            }
        }
    }
    for name in segments {
        let holds =
            |status: &&PartitionStatus| status.consuming_segment.as_ref().is_some_and(|s| s.as_str() == name);
        match known.iter().find(holds) {
            Some(status) => wanted.push(status.partition),
            None => {
                return Err(ApiError::bad_request(format!(
                    "`{name}` is no consuming segment of `{}`",
                    entry.name
                )));
            }
        }
    }
    Ok(Some(wanted))
}

async fn force_commit_status(
    State(state): State<Arc<AppState>>,
    PathName(id): PathName,
) -> Result<Json<Value>, ApiError> {
    let found = id.parse().ok().and_then(|id| state.store.force_commit_status(id));
    let Some((job, pending)) = found else {
        let shown: String = id.chars().take(100).collect();
        return Err(ApiError::not_found(format!(
            "there is no force commit `{shown}` since this server started"
        )));
    };
    let segments: Vec<&str> = job.segments.iter().map(SegmentName::as_str).collect();
    Ok(Json(json!({
        "jobId": job.id.to_string(),
        "jobType": "FORCE_COMMIT",
        "tableName": crate::store::definition::typed_table_name(&job.table),
        "submissionTimeMs": job.submitted_ms,
        "segmentsForceCommitted": segments,
        "numberOfSegmentsYetToBeCommitted": pending.len(),
        "segmentsYetToBeCommitted": pending,
    })))
}
