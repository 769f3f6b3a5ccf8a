//! `/segments/{t}`: the names of a table's segments, and where they are in time.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use meunier_segment::table_snapshot::Segment;
use serde_json::{Value, json};

use super::segment_states::SegmentFacts;
use super::tables::wants_realtime;
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{Parameters, PathName};
use crate::store::definition::typed_table_name;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/segments/{name}", get(list))
        .route("/segments/{name}/select", get(list))
        .route("/segments/{name}/servers", get(servers))
        .route("/segments/{name}/crc", get(checksums))
}

async fn list(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    if !wants_realtime(&parameters)? {
        return Ok(Json(json!([])));
    }
    let times = WantedTimes::read(&parameters)?;
    let wanted = facts.segments().filter(|segment| times.take(segment, &facts));
    let names: Vec<String> = wanted.map(|segment| segment.name().to_string()).collect();
    Ok(Json(json!([{"REALTIME": names}])))
}

/// Which times a client asks for, in milliseconds since the epoch; the end is the first that is too late.
struct WantedTimes {
    start: Option<i64>,
    end: Option<i64>,
    without_overlapping: bool,
}

impl WantedTimes {
    fn read(parameters: &Parameters) -> Result<WantedTimes, ApiError> {
        let times = WantedTimes {
            start: parameters.number("startTimestamp")?,
            end: parameters.number("endTimestamp")?,
            without_overlapping: parameters.flag("excludeOverlapping")?,
        };
        if let (Some(start), Some(end)) = (times.start, times.end)
            && start >= end
        {
            let message = format!("`startTimestamp` {start} is not before `endTimestamp` {end}");
            return Err(ApiError::bad_request(message));
        }
        Ok(times)
    }

    /// Pinot's rule: a segment of unknown times is wanted, but a consuming one only where no end is asked for.
    fn take(&self, segment: &Segment, facts: &SegmentFacts) -> bool {
        let Segment::Sealed(_) = segment else { return self.end.is_none() };
        let commit = facts.commit(segment.name().as_str());
        let Some((first, last)) = commit.and_then(|commit| commit.min_time_ms.zip(commit.max_time_ms)) else {
            return true;
        };
        let starts_in = self.start.is_none_or(|start| start <= first);
        let ends_in = self.end.is_none_or(|end| last < end);
        let is_outside =
            self.start.is_some_and(|start| last < start) || self.end.is_some_and(|end| first >= end);
        (starts_in && ends_in) || (!is_outside && !self.without_overlapping)
    }
}

async fn servers(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    if !wants_realtime(&parameters)? {
        return Ok(Json(json!([])));
    }
    let names: Vec<String> = facts.segments().map(|segment| segment.name().to_string()).collect();
    let mut answer = json!({"tableName": typed_table_name(&facts.entry.name)});
    if parameters.get("verbose").is_none() || parameters.flag("verbose")? {
        answer["serverToSegmentsMap"] = json!({&state.name: names});
    }
    answer["serverToSegmentsCountMap"] = json!({&state.name: names.len()});
    Ok(Json(json!([answer])))
}

/// Checksums of the durable files, which Pinot has for OFFLINE tables only.
async fn checksums(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    let of_segment = |segment: Segment| {
        let durable = facts.commit(segment.name().as_str())?.durable.as_ref()?;
        Some((segment.name().to_string(), Value::from(durable.crc32c.to_string())))
    };
    Ok(Json(Value::Object(facts.segments().filter_map(of_segment).collect())))
}
