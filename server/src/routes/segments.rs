//! `/segments/{t}`: the names of a table's segments, where they are in time, and their end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use meunier_catalog::table_config::quantity::parse_period;
use meunier_segment::table_snapshot::Segment;
use serde_json::{Value, json};

use super::segment_states::SegmentFacts;
use super::tables::{require_realtime, wants_realtime};
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{BodyText, Parameters, PathName, PathNames};
use crate::store::definition::typed_table_name;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/segments/{name}", get(list).delete(drop_all_or_named))
        .route("/segments/{name}/{segment}", delete(drop_one))
        .route("/segments/{name}/delete", post(drop_listed))
        .route("/segments/{name}/choose", delete(drop_of_times))
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

async fn drop_one(
    State(state): State<Arc<AppState>>,
    PathNames(name, segment): PathNames,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    drop_segments(&state, name, vec![segment], &parameters).await?;
    Ok(Json(json!({"status": "Segment deleted"})))
}

/// As in Pinot the type has to be written, so that nobody drops all by leaving out a name.
async fn drop_all_or_named(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    if parameters.get("type").is_none() {
        let name = &entry.name;
        let message = format!(
            "`type` is missing: DELETE /segments/{name}?type=REALTIME drops all segments, `&segments=NAME,…` those that it names"
        );
        return Err(ApiError::bad_request(message));
    }
    let named: Vec<String> = parameters.list("segments").into_iter().map(str::to_owned).collect();
    let table = drop_segments(&state, name, named.clone(), &parameters).await?;
    let status = match named.is_empty() {
        true => format!("All segments of table {table} deleted"),
        false => dropped_status(&named, &table),
    };
    Ok(Json(json!({"status": status})))
}

async fn drop_listed(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let listed: Vec<String> = serde_json::from_str(&text).map_err(|error| {
        ApiError::bad_request(format!("the body is no list of segments: send [\"NAME\", …]: {error}"))
    })?;
    if listed.is_empty() {
        return Err(ApiError::bad_request("the list of segments is empty: send [\"NAME\", …]"));
    }
    let table = drop_segments(&state, name, listed.clone(), &parameters).await?;
    Ok(Json(json!({"status": dropped_status(&listed, &table)})))
}

async fn drop_of_times(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let times = WantedTimes {
        without_overlapping: parameters.get("excludeOverlapping").is_none()
            || parameters.flag("excludeOverlapping")?,
        ..WantedTimes::read(&parameters)?
    };
    if times.start.is_none() || times.end.is_none() {
        return Err(ApiError::bad_request(
            "`startTimestamp` or `endTimestamp` is missing: write both, in milliseconds since 1970",
        ));
    }
    let facts = SegmentFacts::of(&state, &name)?;
    let chosen = facts.segments().filter(|segment| times.take(segment, &facts));
    let chosen: Vec<String> = chosen.map(|segment| segment.name().to_string()).collect();
    let count = chosen.len();
    if !chosen.is_empty() {
        drop_segments(&state, name, chosen, &parameters).await?;
    }
    Ok(Json(json!({"status": format!("Deleted {count} segments from table: {}", facts.entry.name)})))
}

/// Drops segments, all where none is named. Returns the table's name with its type.
async fn drop_segments(
    state: &Arc<AppState>,
    name: String,
    segments: Vec<String>,
    parameters: &Parameters,
) -> Result<String, ApiError> {
    let files_kept = parameters.get("retention").map(files_kept).transpose()?;
    require_realtime(parameters, &state.store.table(&name)?)?;
    let dropped = state.blocking(move |state| state.store.drop_segments(&name, &segments, files_kept));
    Ok(typed_table_name(&dropped.await?.name))
}

/// How long the files of dropped segments stay; Pinot takes `-1d` for not at all.
fn files_kept(text: &str) -> Result<Duration, ApiError> {
    let period = if text == "-1d" { Some(Duration::ZERO) } else { parse_period(text) };
    period.ok_or_else(|| {
        ApiError::bad_request(format!("`retention` is a period such as 7d, 12h or 0d, not `{text}`"))
    })
}

/// Pinot lists up to five names.
fn dropped_status(names: &[String], table: &str) -> String {
    match names.len() {
        0..=5 => format!("Deleted segments: [{}] from table: {table}", names.join(", ")),
        count => format!("Deleted {count} segments from table: {table}"),
    }
}
