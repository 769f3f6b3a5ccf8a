//! `/tables`: table configs, and what a table holds.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use meunier_catalog::TableEntry;
use meunier_catalog::table_config::TableConfig;
use meunier_segment::schema::{DataType, Schema};
use meunier_segment::table_snapshot::{Segment, TableSnapshot};
use serde_json::{Map, Value, json};

use super::elsewhere::not_here;
use super::schemas::schema_json;
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{BodyText, Parameters, PathName};
use crate::store::CreateOptions;
use crate::store::definition::{parse_object, typed_table_name};

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/tables", get(list).post(create))
        .route("/tables/validate", post(validate))
        .route("/tables/recommender", put(not_here).get(not_here))
        .route("/tables/{name}", get(show).put(replace).delete(remove))
        .route("/tables/{name}/schema", get(schema))
        .route("/tables/{name}/size", get(size))
        .route("/tables/{name}/metadata", get(metadata))
        .route("/tables/{name}/aggregateMetadata", get(metadata))
}

async fn list(State(state): State<Arc<AppState>>, parameters: Parameters) -> Result<Json<Value>, ApiError> {
    let entries = if wants_realtime(&parameters)? { state.store.catalog().tables() } else { Vec::new() };
    let mut names: Vec<&str> = entries.iter().map(|table| &*table.name).collect();
    names.sort_unstable();
    Ok(Json(json!({"tables": names})))
}

async fn create(
    State(state): State<Arc<AppState>>,
    parameters: Parameters,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let options = create_options(&parameters)?;
    let answer = state.blocking(move |state| {
        let document = parse_object("table config", &text)?;
        let (sent, warnings) = state.store.create_with_known_schema(&document, options)?;
        let mut notes = sent.notes.clone();
        for warning in warnings {
            notes.warn(warning);
        }
        Ok(notes
            .to_answer(&format!("Table {} successfully added", typed_table_name(&sent.config.table_name))))
    });
    answer.await.map(Json)
}

/// Reads how a table is to be created.
pub(super) fn create_options(parameters: &Parameters) -> Result<CreateOptions, ApiError> {
    Ok(CreateOptions { force: parameters.flag("force")? })
}

async fn show(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    require_realtime(&parameters, &entry)?;
    Ok(Json(json!({"REALTIME": config_json(&entry)})))
}

/// Returns a table's config as it was written, without its secrets.
pub(super) fn config_json(entry: &TableEntry) -> Value {
    let parsed = TableConfig::parse(&entry.config.to_string(), None);
    parsed.map_or_else(|_| json!({"tableName": &*entry.name}), |parsed| parsed.config.redacted_json())
}

async fn replace(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let answer = state.blocking(move |state| {
        state.store.table(&name)?;
        let sent = state.store.pair_with_known_schema(&parse_object("table config", &text)?)?;
        state.store.update(&name, &sent)?;
        Ok(sent.table.notes.to_answer(&format!("Table config updated for {}", sent.table.config.table_name)))
    });
    answer.await.map(Json)
}

async fn remove(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    require_realtime(&parameters, &entry)?;
    let entry = state.blocking(move |state| state.store.delete(&name)).await?;
    Ok(Json(json!({"status": format!("Tables: [{}] deleted", typed_table_name(&entry.name))})))
}

async fn validate(
    State(state): State<Arc<AppState>>,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let sent = state.store.pair_with_known_schema(&parse_object("table config", &text)?)?;
    let mut answer = json!({"REALTIME": sent.table.config.redacted_json()});
    sent.table.notes.write_into(&mut answer);
    Ok(Json(answer))
}

async fn schema(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    schema_json(&state, &entry.name).map(Json)
}

async fn size(State(state): State<Arc<AppState>>, PathName(name): PathName) -> Result<Json<Value>, ApiError> {
    let (entry, table) = state.store.open_table(&name)?;
    let mut segments = Map::new();
    let mut bytes = 0;
    for segment in table.live.snapshot().segments() {
        let Segment::Sealed(sealed) = &segment else { continue };
        let of_one = sealed.file_bytes();
        bytes += of_one;
        let sizes = json!({
            "reportedSizeInBytes": of_one,
            "estimatedSizeInBytes": of_one,
            "maxReportedSizePerReplicaInBytes": of_one,
            "serverInfo": {&state.name: {"segmentName": segment.name().as_str(), "diskSizeInBytes": of_one}},
        });
        segments.insert(segment.name().to_string(), sizes);
    }
    let durable: u64 = state
        .store
        .catalog()
        .segments(entry.id)
        .iter()
        .flat_map(|commit| commit.files())
        .map(|file| file.bytes)
        .sum();
    let memory: u64 = state
        .store
        .status(entry.id)
        .map(|status| status.partitions.iter().map(|p| p.memory_bytes).sum())
        .unwrap_or(0);
    Ok(Json(json!({
        "tableName": &*entry.name,
        "reportedSizeInBytes": bytes,
        "estimatedSizeInBytes": bytes,
        "reportedSizePerReplicaInBytes": bytes,
        "offlineSegments": null,
        "realtimeSegments": {
            "reportedSizeInBytes": bytes,
            "estimatedSizeInBytes": bytes,
            "missingSegments": 0,
            "reportedSizePerReplicaInBytes": bytes,
            "segments": segments,
        },
        "durableSizeInBytes": durable,
        "consumingMemoryInBytes": memory,
    })))
}

async fn metadata(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let (entry, table) = state.store.open_table(&name)?;
    let snapshot = table.live.snapshot();
    let sealed = || {
        snapshot.segments().filter_map(|segment| match segment {
            Segment::Sealed(sealed) => Some(sealed),
            Segment::Consuming(_) => None,
        })
    };
    let columns = wanted_columns(&parameters, &snapshot.schema)?;
    let lengths: Map<String, Value> =
        columns.iter().map(|(name, data_type)| (name.clone(), fixed_width(*data_type).into())).collect();
    let cardinalities: Map<String, Value> = columns
        .iter()
        .filter_map(|(name, _)| Some((name.clone(), mean_cardinality(&snapshot, name)?.into())))
        .collect();
    Ok(Json(json!({
        "tableName": typed_table_name(&entry.name),
        "diskSizeInBytes": sealed().map(|segment| segment.file_bytes()).sum::<u64>(),
        "numSegments": sealed().count(),
        "numRows": sealed().map(|segment| segment.rows() as u64).sum::<u64>(),
        "columnLengthMap": lengths,
        "columnCardinalityMap": cardinalities,
        "maxNumMultiValuesMap": {},
        "columnIndexSizeMap": {},
        "upsertPartitionToServerPrimaryKeyCountMap": {},
        "consumingSegments": snapshot.segments().filter(|segment| matches!(segment, Segment::Consuming(_))).count(),
        "numRowsWithConsuming": snapshot.rows(),
    })))
}

/// Reads `columns=a,b`, or `*` for all; none without the parameter, as in Pinot.
fn wanted_columns(parameters: &Parameters, schema: &Schema) -> Result<Vec<(String, DataType)>, ApiError> {
    let all = || schema.fields().iter().map(|field| (field.name.to_string(), field.data_type));
    let mut wanted = Vec::new();
    for name in parameters.list("columns") {
        if name == "*" {
            return Ok(all().collect());
        }
        let Some((_, field)) = schema.field(name) else {
            return Err(ApiError::bad_request(format!("table `{}` has no column `{name}`", schema.name())));
        };
        wanted.push((name.to_owned(), field.data_type));
    }
    Ok(wanted)
}

/// Returns a value's width in bytes; 0 for types of variable width.
fn fixed_width(data_type: DataType) -> u32 {
    match data_type {
        DataType::Int | DataType::Float | DataType::Boolean => 4,
        DataType::Long | DataType::Double | DataType::Timestamp => 8,
        DataType::BigDecimal | DataType::String | DataType::Json | DataType::Bytes => 0,
    }
}

/// Returns the mean number of distinct values in a sealed segment, where it is known.
fn mean_cardinality(snapshot: &TableSnapshot, column: &str) -> Option<f64> {
    let (_, field) = snapshot.schema.field(column)?;
    let sealed = snapshot.segments().filter(|segment| matches!(segment, Segment::Sealed(_)));
    let counts: Vec<f64> =
        sealed.filter_map(|segment| segment.stats(field)?.distinct_count).map(|count| count as f64).collect();
    (!counts.is_empty()).then(|| counts.iter().sum::<f64>() / counts.len() as f64)
}

/// Reads `type=`: tables here are all of type REALTIME.
pub(super) fn wants_realtime(parameters: &Parameters) -> Result<bool, ApiError> {
    match parameters.get("type").map(str::to_ascii_uppercase).as_deref() {
        None | Some("REALTIME") => Ok(true),
        Some("OFFLINE") => Ok(false),
        Some(other) => Err(ApiError::bad_request(format!("`type` is REALTIME or OFFLINE, not `{other}`"))),
    }
}

/// Lets those pass who ask for the table as it is filled from its stream, which is all there is of it.
///
/// # Errors
/// 404 for those who ask for an OFFLINE one.
pub(super) fn require_realtime(parameters: &Parameters, entry: &TableEntry) -> Result<(), ApiError> {
    match wants_realtime(parameters)? {
        true => Ok(()),
        false => Err(ApiError::not_found(format!("table `{}` has no OFFLINE part", entry.name))),
    }
}
