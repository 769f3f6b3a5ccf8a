//! What is not here: paths of Pinot that one process has no use for, with what to use in their place, and paths that are none.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use crate::app::{AppState, app};
use crate::error::ApiError;

/// How Pinot's paths begin that are answered with 501, and what to do instead. `*` stands for one step of a path; the
/// first that fits counts. These are asked only for what no route takes.
const INSTEAD: &[(&str, &str)] = &[
    (
        "/zk",
        "there is no ZooKeeper: definitions are at /tableConfigs, segments at /segments/TABLE/zkmetadata",
    ),
    (
        "/tasks",
        "there are no minions and no tasks: sealing, retention and repair run by themselves, see /ready",
    ),
    (
        "/periodictask",
        "there are no periodic tasks: sealing, retention and repair run by themselves, see /ready",
    ),
    ("/users", "there are no users yet: put a proxy that knows them in front"),
    ("/logicalTables", "there are no logical tables: write UNION ALL over the tables"),
    ("/materializedViews", "there are no materialized views: use a star-tree index, `starTreeIndexConfigs`"),
    (
        "/queryWorkloadConfigs",
        "there are no workloads: limit queries with the settings `query.*` and `timeoutMs`",
    ),
    ("/applicationQuotas", "there are no quotas: limit queries with the settings `query.*`"),
    ("/instances", "there is one process and nothing to assign: see /instances and /ready"),
    ("/tenants", "there is one process, which serves every tenant: see /tenants"),
    (
        "/cluster/configs",
        "there is no cluster to configure: settings are in the file, see docs/reference/configuration.md",
    ),
    ("/databases", "there is only the database `default`"),
    ("/brokers", "there is one broker, this process: limit queries with the settings `query.*`"),
    ("/leader", "there is no leader to elect: this process leads every table"),
    ("/appconfigs", "settings are in the file and the environment, see docs/reference/configuration.md"),
    ("/loggers", "the log is set at the start, with `log.filter` and `log.format`"),
    ("/sql/ddl", "there are no DDL statements: POST the schema and the table config to /tableConfigs"),
    ("/query/timeseries", "there are no time-series languages: ask in SQL at /query/sql"),
    ("/timeseries", "there are no time-series languages: ask in SQL at /query/sql"),
    ("/query/sql/queryFingerprint", "queries have no fingerprints: see /queries for what runs"),
    ("/segmentConsumed", SEGMENT_COMPLETION),
    ("/segmentStoppedConsuming", SEGMENT_COMPLETION),
    ("/segmentCommit", SEGMENT_COMPLETION),
    ("/segmentCommitStart", SEGMENT_COMPLETION),
    ("/segmentUpload", SEGMENT_COMPLETION),
    ("/segmentCommitEnd", SEGMENT_COMPLETION),
    ("/segmentCommitEndWithMetadata", SEGMENT_COMPLETION),
    ("/extendBuildTime", SEGMENT_COMPLETION),
    ("/segmentBuildDeterministicFailure", SEGMENT_COMPLETION),
    ("/ingestFromFile", UPLOAD),
    ("/ingestFromURI", UPLOAD),
    ("/v2/segments", UPLOAD),
    ("/v3/segments", UPLOAD),
    (
        "/segments/*/*/reset",
        "a partition that is stuck tries again by itself: see /tables/TABLE/consumingSegmentsInfo",
    ),
    (
        "/segments/*/reset",
        "a partition that is stuck tries again by itself: see /tables/TABLE/consumingSegmentsInfo",
    ),
    ("/segments/*/tiers", ONE_TIER),
    ("/segments/*/*/tiers", ONE_TIER),
    (
        "/segments/*/uploadFromServerToDeepstore",
        "a segment is committed only once its durable file is in the deep store: see /segments/TABLE/crc",
    ),
    (
        "/segments/*/updateZKTimeInterval",
        "times of segments are those of their rows: see /segments/TABLE/zkmetadata",
    ),
    (
        "/segments/*/invalidPartitionMetadata",
        "partitions are those of the topic and of the rows themselves: see /segments/TABLE/zkmetadata",
    ),
    (
        "/segments",
        "segments come from the stream and lie in the data directory: see /segments/TABLE/metadata, and DELETE /segments/TABLE/SEGMENT",
    ),
    (
        "/deleteSegmentsFromSequenceNum",
        "dropped offsets are not read again: DELETE /segments/TABLE/SEGMENT drops rows, a new table reads its topic anew",
    ),
    ("/tables/recommender", "there is no recommender: EXPLAIN PLAN FOR shows which indexes a query uses"),
    (
        "/tables/*/segments",
        "ask /segments/TABLE, /segments/TABLE/SEGMENT/metadata and POST /segments/TABLE/SEGMENT/reload",
    ),
    ("/tables/*/rebalanceResult", "one process is always balanced: see POST /tables/TABLE/rebalance"),
    ("/tables/*/replaceInstance", "there is one process and nothing to assign"),
    (
        "/tables/*/rebuildBrokerResourceFromHelixTags",
        "there is one broker, this process: see /tables/livebrokers",
    ),
    (
        "/schemas/fieldSpec",
        "field specs are described at https://docs.pinot.apache.org/configuration-reference/schema; POST /schemas/validate checks one",
    ),
    ("/tables/*/timeBoundary", "there is no offline part, so nothing has to be cut at a time boundary"),
    ("/tables/*/copy", "one process copies nothing: POST the definition to /tableConfigs of the other one"),
    ("/tables/*/assignInstances", "there is one process and nothing to assign"),
    ("/tables/*/instancePartitions", "there is one process and nothing to assign"),
    ("/tables/*/validDocIdsMetadata", "every row is valid: see /tables/TABLE/metadata"),
    ("/tables/*/pauseTopicConsumption", "pause the whole table with /tables/TABLE/pauseConsumption"),
    ("/tables/*/resumeTopicConsumption", "resume the whole table with /tables/TABLE/resumeConsumption"),
    (
        "/tables/*/pauselessDebugInfo",
        "commits never pause consumption: see /tables/TABLE/consumingSegmentsInfo",
    ),
    ("/upsert/estimateHeapUsage", "keys are not on a heap: see `memoryBytes` of /ready"),
    ("/debug/threads", "see /metrics for what threads do"),
    ("/debug/queries", "see /queries for what runs and /metrics for what it costs"),
    ("/debug/applicationQuotas", "there are no quotas: limit queries with the settings `query.*`"),
    ("/debug/tables/queryQuota", "there are no quotas: limit queries with the settings `query.*`"),
    ("/debug/databases", "there are no quotas: limit queries with the settings `query.*`"),
];

const SEGMENT_COMPLETION: &str =
    "segments are committed inside this process, not between server and controller";
const ONE_TIER: &str = "there is one tier, this process's disk: see /segments/TABLE/servers";
const UPLOAD: &str = "segments cannot be uploaded: a table is filled from its stream";

/// Answers for a path that is none. One with a slash too many at its end is answered as the one without, as in Pinot.
pub(crate) async fn no_such_path(State(state): State<Arc<AppState>>, request: Request) -> Response {
    if let Some(shorter) = without_last_slash(request.uri()) {
        let (mut parts, body) = request.into_parts();
        parts.uri = shorter;
        parts.extensions.clear();
        return answered_by(state, Request::from_parts(parts, body)).await;
    }
    let (method, uri) = (request.method(), request.uri());
    match instead(uri.path()) {
        Some(instead) => ApiError::new(status_of_absence(uri.path()), instead).into_response(),
        None => {
            let message = format!("there is no `{method} {}`; GET / lists what there is", shown(uri));
            ApiError::not_found(message).into_response()
        }
    }
}

async fn answered_by(state: Arc<AppState>, request: Request<Body>) -> Response {
    // Boxed, as the type of the application's future holds this one.
    match Box::pin(app(state).oneshot(request)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Answers for a path of Pinot's that a route with a name in its place would take.
pub(super) async fn not_here(uri: Uri) -> ApiError {
    let message = instead(uri.path()).unwrap_or("this is not served");
    ApiError::new(StatusCode::NOT_IMPLEMENTED, message)
}

/// Answers for a path that takes other methods.
pub(crate) async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    match instead(uri.path()) {
        Some(instead) => ApiError::new(status_of_absence(uri.path()), instead),
        None => {
            let message = format!("`{}` does not take {method}; GET / lists what there is", shown(&uri));
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message)
        }
    }
}

/// Grafana's plugin asks for time-series languages by a HEAD, and takes every status but 404 for a yes.
fn status_of_absence(path: &str) -> StatusCode {
    if path.starts_with("/timeseries/") { StatusCode::NOT_FOUND } else { StatusCode::NOT_IMPLEMENTED }
}

/// Returns what to use in place of a path of Pinot's.
fn instead(path: &str) -> Option<&'static str> {
    let fits = |pattern: &str| {
        let mut steps = path.split('/');
        pattern.split('/').all(|wanted| steps.next().is_some_and(|step| wanted == "*" || wanted == step))
    };
    INSTEAD.iter().find(|(pattern, _)| fits(pattern)).map(|(_, instead)| *instead)
}

fn without_last_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path().trim_end_matches('/');
    if path.is_empty() || path.len() == uri.path().len() {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

/// Paths come from outside and may be long.
fn shown(uri: &Uri) -> String {
    uri.path().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_special_pattern_counts() {
        assert_eq!(instead("/segments/t/s/reset"), instead("/segments/t/reset"));
        assert_ne!(instead("/segments/t/reset"), instead("/segments/t/s"));
        assert_eq!(instead("/zk/ls"), instead("/zk"));
        assert_eq!(instead("/zkx"), None);
        assert_eq!(instead("/tables/t"), None);
        assert_eq!(instead("/"), None);
    }
}
