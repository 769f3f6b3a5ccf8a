//! `/segments/{t}/metadata` and its kin: what is known of each segment, and whether it is as its table wants it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use meunier_catalog::{SegmentCommit, TableEntry};
use meunier_segment::table_snapshot::{Segment, TableSnapshot};
use meunier_segment::value::format_timestamp;
use serde_json::{Map, Value, json};

use super::segment_metadata::{metadata_json, register_json};
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{Parameters, PathName, PathNames};
use crate::store::definition::typed_table_name;
use crate::store::{OpenTable, now_ms};

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/segments/{name}/metadata", get(metadata_of_all))
        .route("/segments/{name}/{segment}/metadata", get(metadata_of_one))
        .route("/segments/{name}/zkmetadata", get(register))
        .route("/segments/{name}/lineage", get(lineage))
        .route("/segments/{name}/needReload", get(need_reload))
        .route("/segments/{name}/isStale", get(stale))
        .route("/segments/{name}/reload", post(reload))
        .route("/segments/{name}/{segment}/reload", post(reload_one))
        .route("/segments/segmentReloadStatus/{id}", get(reload_status))
}

/// A table at one moment: its segments, and what the catalog has of those that are committed.
pub(super) struct SegmentFacts {
    pub(super) entry: TableEntry,
    pub(super) table: OpenTable,
    pub(super) snapshot: TableSnapshot,
    commits: HashMap<String, Arc<SegmentCommit>>,
}

impl SegmentFacts {
    /// Looks a table up.
    ///
    /// # Errors
    /// 404 when there is none, 503 while it is not open.
    pub(super) fn of(state: &AppState, name: &str) -> Result<SegmentFacts, ApiError> {
        let (entry, table) = state.store.open_table(name)?;
        let snapshot = table.live.snapshot();
        let commits = state.store.catalog().segments(entry.id);
        let commits = commits.into_iter().map(|commit| (commit.name.clone(), commit)).collect();
        Ok(SegmentFacts { entry, table, snapshot, commits })
    }

    /// Returns all segments, sealed and consuming.
    pub(super) fn segments(&self) -> impl Iterator<Item = Segment> {
        self.snapshot.segments()
    }

    /// Returns the segment of this name.
    ///
    /// # Errors
    /// 404 when there is none.
    pub(super) fn segment(&self, name: &str) -> Result<Segment, ApiError> {
        self.segments().find(|segment| segment.name().as_str() == name).ok_or_else(|| {
            let shown: String = name.chars().take(200).collect();
            ApiError::not_found(format!("table `{}` has no segment `{shown}`", self.entry.name))
        })
    }

    /// Returns what is committed of a segment.
    pub(super) fn commit(&self, segment: &str) -> Option<&Arc<SegmentCommit>> {
        self.commits.get(segment)
    }

    /// Returns whether a segment is still read from a file that was made for another index config.
    fn is_outdated(&self, segment: &Segment) -> bool {
        match segment {
            Segment::Sealed(sealed) => {
                sealed.options_fingerprint() != self.table.config.segment_options().fingerprint()
            }
            Segment::Consuming(_) => false,
        }
    }
}

async fn metadata_of_all(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let answer = state.blocking(move |state| {
        let facts = SegmentFacts::of(state, &name)?;
        let (columns, segments) = (parameters.list("columns"), parameters.list("segments"));
        let mut answer = Map::new();
        for segment in facts.segments() {
            let is_wanted = segments.is_empty() || segments.contains(&segment.name().as_str());
            if is_wanted {
                answer.insert(segment.name().to_string(), metadata_json(&facts, &segment, &columns)?);
            }
        }
        Ok(Value::Object(answer))
    });
    answer.await.map(Json)
}

/// What Pinot's controller knows of a segment; with `columns` also what its server knows.
async fn metadata_of_one(
    State(state): State<Arc<AppState>>,
    PathNames(name, segment): PathNames,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let answer = state.blocking(move |state| {
        let facts = SegmentFacts::of(state, &name)?;
        let segment = facts.segment(&segment)?;
        let mut answer = register_json(&facts, &segment);
        let columns = parameters.list("columns");
        if !columns.is_empty() {
            let metadata = metadata_json(&facts, &segment, &columns)?;
            for part in ["indexes", "columns"] {
                answer[part] = metadata[part].clone();
            }
        }
        Ok(answer)
    });
    answer.await.map(Json)
}

async fn register(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    let of_one = |segment: Segment| (segment.name().to_string(), register_json(&facts, &segment));
    Ok(Json(Value::Object(facts.segments().map(of_one).collect())))
}

/// Segments are never replaced by others.
async fn lineage(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    state.store.table(&name)?;
    Ok(Json(json!({})))
}

async fn need_reload(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    let needed = facts.segments().any(|segment| facts.is_outdated(&segment));
    let servers = match parameters.flag("verbose")? {
        true => json!({&state.name: {"needReload": needed, "instanceId": state.name}}),
        false => json!({}),
    };
    Ok(Json(json!({"needReload": needed, "serverToSegmentsCheckReloadList": servers})))
}

async fn stale(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    let stale: Vec<Value> = facts
        .segments()
        .filter(|segment| facts.is_outdated(segment))
        .map(|segment| {
            json!({
                "segmentName": segment.name().as_str(),
                "isStale": true,
                "reason": "the index config has changed; the file is being made anew",
            })
        })
        .collect();
    Ok(Json(json!({&state.name: {"staleSegmentList": stale, "valid": true}})))
}

/// Nothing has to be asked for here: a changed config is applied by itself, and the job only shows how far that is.
async fn reload(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let (entry, _) = state.store.open_table(&name)?;
    let of_table = json!({
        "numMessagesSent": "1",
        "reloadJobId": job_id(&entry.name),
        "reloadJobMetaZKStorageStatus": "SUCCESS",
    });
    Ok(Json(json!({"status": json!({typed_table_name(&entry.name): of_table}).to_string()})))
}

async fn reload_one(
    State(state): State<Arc<AppState>>,
    PathNames(name, segment): PathNames,
) -> Result<Json<Value>, ApiError> {
    let facts = SegmentFacts::of(&state, &name)?;
    facts.segment(&segment)?;
    Ok(Json(json!({
        "status": format!(
            "Submitted reload job id: {}, sent 1 reload messages. Job meta ZK storage status: SUCCESS",
            job_id(&facts.entry.name)
        ),
    })))
}

/// A job is looked at by what its table is like now, so its id says all there is to know: the table and the time.
fn job_id(table: &str) -> String {
    format!("{table}__{}", now_ms())
}

async fn reload_status(
    State(state): State<Arc<AppState>>,
    PathName(id): PathName,
) -> Result<Json<Value>, ApiError> {
    let known = id.rsplit_once("__").and_then(|(table, at)| Some((table, at.parse::<i64>().ok()?)));
    let Some((table, submitted_ms)) = known else {
        let shown: String = id.chars().take(200).collect();
        return Err(ApiError::not_found(format!("there is no reload job `{shown}`")));
    };
    let facts = SegmentFacts::of(&state, table)?;
    let total = facts.segments().count();
    let waiting = facts.segments().filter(|segment| facts.is_outdated(segment)).count();
    let elapsed = (now_ms() - submitted_ms).max(0) as f64 / 60_000.0;
    let left = match total - waiting {
        _ if waiting == 0 => 0.0,
        0 => -1.0,
        done => elapsed * waiting as f64 / done as f64,
    };
    Ok(Json(json!({
        "status": if waiting == 0 { "COMPLETED" } else { "IN_PROGRESS" },
        "timeElapsedInMinutes": elapsed,
        "estimatedTimeRemainingInMinutes": left,
        "totalSegmentCount": total,
        "successCount": total - waiting,
        "totalServersQueried": 1,
        "totalServerCallsFailed": 0,
        "failureCount": 0,
        "metadata": {
            "jobId": id,
            "jobType": "RELOAD_SEGMENT",
            "tableName": typed_table_name(&facts.entry.name),
            "submissionTimeMs": submitted_ms.to_string(),
        },
        "segmentReloadFailures": [],
    })))
}

/// Returns a moment as ISO 8601 in UTC, such as `2026-11-22T10:15:00.25Z`.
pub(super) fn instant_text(at_ms: i64) -> String {
    format!("{}Z", format_timestamp(at_ms).replacen(' ', "T", 1))
}
