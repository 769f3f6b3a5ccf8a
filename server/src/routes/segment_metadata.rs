//! One segment in Pinot's words: as its controller keeps it in its register, and as its server reads it from the file.

use meunier_segment::error::SegmentError;
use meunier_segment::schema::{ColumnName, Field};
use meunier_segment::stats::ColumnStats;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::{Value as SegmentValue, format_timestamp};
use serde_json::{Map, Value, json};

use super::segment_states::{SegmentFacts, instant_text};
use crate::error::ApiError;

/// Returns what Pinot's controller keeps of a segment, all of it as texts.
pub(super) fn register_json(facts: &SegmentFacts, segment: &Segment) -> Value {
    let range = segment.range();
    let mut json = json!({
        "segment.creation.time": created_ms(segment).to_string(),
        "segment.realtime.numReplicas": "1",
        "segment.realtime.startOffset": range.start.to_string(),
    });
    let Some(commit) = facts.commit(segment.name().as_str()) else {
        let is_consuming = facts.snapshot.partitions.iter().any(|partition| {
            partition.consuming.as_ref().is_some_and(|consuming| consuming.identity().name == *segment.name())
        });
        json["segment.realtime.status"] = if is_consuming { "IN_PROGRESS" } else { "COMMITTING" }.into();
        return json;
    };
    json["segment.realtime.status"] = "DONE".into();
    json["segment.realtime.endOffset"] = commit.range.end.to_string().into();
    json["segment.total.docs"] = commit.rows.to_string().into();
    if let Some((first, last)) = commit.min_time_ms.zip(commit.max_time_ms) {
        json["segment.start.time"] = first.to_string().into();
        json["segment.end.time"] = last.to_string().into();
        json["segment.time.unit"] = "MILLISECONDS".into();
    }
    if let Some(durable) = &commit.durable {
        json["segment.crc"] = durable.crc32c.to_string().into();
        json["segment.size.in.bytes"] = durable.bytes.to_string().into();
        json["segment.download.url"] = format!("deep_store/{}/{}", facts.entry.dir, durable.file_name).into();
    }
    json
}

/// Returns what Pinot's server reads from a segment; columns only where they are named, `*` for all.
///
/// # Errors
/// 500 when the file's bytes are not what was written.
pub(super) fn metadata_json(
    facts: &SegmentFacts,
    segment: &Segment,
    columns: &[&str],
) -> Result<Value, ApiError> {
    let commit = facts.commit(segment.name().as_str());
    let times = commit.and_then(|commit| commit.min_time_ms.zip(commit.max_time_ms));
    let durable = commit.and_then(|commit| commit.durable.as_ref());
    let readable = |at_ms: Option<i64>| at_ms.map(instant_text);
    let mut shown = Vec::new();
    let mut indexes = Map::new();
    for field in facts.snapshot.schema.fields() {
        if columns.contains(&"*") || columns.contains(&&*field.name) {
            shown.push(column_json(segment, field));
            indexes.insert(field.name.to_string(), indexes_json(segment, field)?);
        }
    }
    Ok(json!({
        "segmentName": segment.name().as_str(),
        "schemaName": facts.snapshot.schema.name(),
        "crc": durable.map(|durable| durable.crc32c),
        "creationTimeMillis": created_ms(segment),
        "creationTimeReadable": log_time(created_ms(segment)),
        "timeColumn": facts.table.config.time_column.as_ref().map(ToString::to_string),
        "timeUnit": times.map(|_| "MILLISECONDS"),
        "timeGranularitySec": times.map(|_| 0),
        "startTimeMillis": times.map(|(first, _)| first),
        "startTimeReadable": readable(times.map(|(first, _)| first)),
        "endTimeMillis": times.map(|(_, last)| last),
        "endTimeReadable": readable(times.map(|(_, last)| last)),
        "segmentVersion": null,
        "creatorName": "meunier",
        "totalDocs": segment.rows(),
        "custom": {},
        "startOffset": segment.range().start.to_string(),
        "endOffset": segment.range().end.to_string(),
        "columns": shown,
        "indexes": indexes,
        "star-tree-index": star_trees_json(segment)?,
    }))
}

fn created_ms(segment: &Segment) -> i64 {
    match segment {
        Segment::Sealed(sealed) => sealed.created_ms(),
        Segment::Consuming(consuming) => consuming.identity().created_ms,
    }
}

fn column_json(segment: &Segment, field: &Field) -> Value {
    let stats = segment.stats(field).unwrap_or_default();
    let ColumnStats { min, max, null_count, distinct_count, .. } = stats;
    let bound = |bound: Option<SegmentValue>| bound.map(|bound| bound.to_json());
    json!({
        "columnName": &*field.name,
        "dataType": field.data_type.to_string(),
        "singleValue": field.single_value,
        "totalDocs": segment.rows(),
        "cardinality": distinct_count,
        "minValue": bound(min),
        "maxValue": bound(max),
        "nullCount": null_count,
    })
}

fn indexes_json(segment: &Segment, field: &Field) -> Result<Value, ApiError> {
    let [dictionary, inverted, range, bloom, sorted, json, text] =
        indexes_of(segment, field).map_err(damaged)?;
    let has_nulls = segment.stats(field).is_some_and(|stats| stats.null_count > 0);
    let word = |is_there: bool| if is_there { "YES" } else { "NO" };
    Ok(json!({
        "bloom-filter": word(bloom),
        "dictionary": word(dictionary),
        "forward-index": "YES",
        "inverted-index": word(inverted || sorted),
        "null-value-vector-reader": word(has_nulls),
        "range-index": word(range),
        "json-index": word(json),
        "h3-index": "NO",
        "fst-index": "NO",
        "text-index": word(text),
    }))
}

/// Returns whether a segment has a dictionary of a column, an inverted, a range, a bloom, a sorted, a JSON and a text index.
///
/// # Errors
/// When the file's bytes are not what was written.
pub(super) fn indexes_of(segment: &Segment, field: &Field) -> Result<[bool; 7], SegmentError> {
    Ok([
        segment.dictionary(field)?.is_some(),
        segment.inverted_index(field)?.is_some(),
        segment.range_index(field)?.is_some(),
        segment.bloom_filter(field)?.is_some(),
        segment.sorted_index(field)?.is_some(),
        segment.json_index(field)?.is_some(),
        segment.text_index(field)?.is_some(),
    ])
}

fn star_trees_json(segment: &Segment) -> Result<Value, ApiError> {
    let trees = segment.star_trees().map_err(damaged)?;
    let texts = |columns: &[ColumnName]| columns.iter().map(ToString::to_string).collect::<Vec<_>>();
    let shown: Vec<Value> = trees
        .iter()
        .map(|tree| {
            let options = tree.options();
            let pairs: Vec<String> = options.function_pairs.iter().map(ToString::to_string).collect();
            json!({
                "dimension-columns": texts(&options.dimensions),
                "metric-aggregations": pairs,
                "max-leaf-records": options.leaf_records_max,
                "dimension-columns-skipped": texts(&options.skip_star_dimensions),
            })
        })
        .collect();
    Ok(if shown.is_empty() { Value::Null } else { shown.into() })
}

/// Turns a segment that cannot be read into a refusal.
pub(super) fn damaged(error: SegmentError) -> ApiError {
    let message = crate::error::chain(&error);
    ApiError::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, message)
}

/// Returns a moment in the form that Pinot's servers print.
fn log_time(at_ms: i64) -> String {
    let whole = format_timestamp(at_ms - at_ms.rem_euclid(1000));
    let whole = whole.strip_suffix(".0").unwrap_or(&whole);
    format!("{}:{:03} UTC", whole.replacen(' ', "T", 1), at_ms.rem_euclid(1000))
}
