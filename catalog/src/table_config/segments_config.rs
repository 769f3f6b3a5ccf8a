//! `segmentsConfig`: time column, retention, replication.

use std::time::Duration;

use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::nearest::did_you_mean;
use meunier_segment::schema::{ColumnName, Field, FieldRole, Schema, TimeUnit};

use super::quantity::parse_period;

/// How long files of dropped segments are kept where the config does not say, as in Pinot.
const DELETED_SEGMENTS_RETENTION: Duration = Duration::from_secs(7 * 86_400);
const DELETED_KEY: &str = "deletedSegmentsRetentionPeriod";

/// What `segmentsConfig` says.
#[derive(Debug, Default)]
pub(super) struct SegmentsConfig {
    pub(super) time_column: Option<ColumnName>,
    pub(super) retention: Option<Duration>,
    pub(super) deleted_segments_retention: Duration,
    pub(super) replication: Option<u32>,
}

pub(super) fn read(
    config: &JsonObject<'_>,
    table: &str,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> SegmentsConfig {
    warn_of_other_schema(config, table, findings);
    check_texts(config, findings);
    let time_column = read_time_column(config, schema, findings);
    let retention = read_retention(config, findings);
    if retention.is_some() && time_column.is_none() && config.get("timeColumnName").is_none() {
        findings.warning(config.place("retentionTimeValue"), "has no effect without `timeColumnName`");
    }
    let deleted = config.text_or_empty(DELETED_KEY, findings).and_then(|text| parse_period(&text));
    SegmentsConfig {
        time_column,
        retention,
        deleted_segments_retention: deleted.unwrap_or(DELETED_SEGMENTS_RETENTION),
        replication: read_replication(config, findings),
    }
}

fn warn_of_other_schema(config: &JsonObject<'_>, table: &str, findings: &mut Findings) {
    let Some(schema_name) = config.text_or_empty("schemaName", findings) else { return };
    if schema_name != table {
        let message =
            format!("ignored: the table's schema is the one of its own name, `{table}`; remove the key");
        findings.warning(config.place("schemaName"), message);
    }
}

fn check_texts(config: &JsonObject<'_>, findings: &mut Findings) {
    if let Some(scheme) = config.text_or_empty("peerSegmentDownloadScheme", findings)
        && !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str())
    {
        let message = format!("`{scheme}` is no download scheme: write http or https");
        findings.problem(config.place("peerSegmentDownloadScheme"), message);
    }
    for key in [DELETED_KEY, "replacedSegmentsRetentionPeriod", "lineageEntryCleanupRetentionPeriod"] {
        if let Some(text) = config.text_or_empty(key, findings)
            && parse_period(&text).is_none()
        {
            findings
                .problem(config.place(key), format!("`{text}` is no period: write for example 7d or 1h30m"));
        }
    }
    for key in ["timeType", "segmentPushType", "segmentPushFrequency", "segmentAssignmentStrategy"] {
        let _ = config.text(key, findings);
    }
}

fn read_time_column(
    config: &JsonObject<'_>,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Option<ColumnName> {
    let name = config.text_or_empty("timeColumnName", findings)?;
    let Some(schema) = schema else { return Some(name.into()) };
    let place = config.place("timeColumnName");
    let Some((_, field)) = schema.field(&name) else {
        let columns = schema.fields().iter().filter(|field| is_date_time(field)).map(|field| &*field.name);
        findings
            .problem(place, format!("the schema has no column `{name}`{}", time_column_hint(&name, columns)));
        return None;
    };
    let FieldRole::DateTime { format, .. } = &field.role else {
        findings.problem(
            place,
            format!("`{name}` is no date-time column: declare it in the schema's `dateTimeFieldSpecs`"),
        );
        return None;
    };
    if !format.sorts_as_text() {
        let message = format!(
            "values of the format `{format}` do not sort in the order of time: write for example yyyyMMdd"
        );
        findings.problem(place, message);
        return None;
    }
    Some(field.name.clone())
}

fn is_date_time(field: &Field) -> bool {
    matches!(field.role, FieldRole::DateTime { .. })
}

fn time_column_hint<'a>(name: &str, columns: impl Iterator<Item = &'a str>) -> String {
    let columns: Vec<&str> = columns.collect();
    let near = did_you_mean(name, columns.iter().copied());
    match (near.is_empty(), columns.is_empty()) {
        (false, _) => near,
        (true, true) => ": declare it in the schema's `dateTimeFieldSpecs`".to_string(),
        (true, false) => format!("; its date-time columns are {}", columns.join(", ")),
    }
}

fn read_retention(config: &JsonObject<'_>, findings: &mut Findings) -> Option<Duration> {
    let unit = config.text_or_empty("retentionTimeUnit", findings);
    let value = config.text_or_empty("retentionTimeValue", findings);
    let (unit, value) = match (unit, value) {
        (Some(unit), Some(value)) => (unit, value),
        (None, None) => return None,
        (Some(_), None) => {
            findings.problem(
                config.place("retentionTimeValue"),
                "is missing beside `retentionTimeUnit`: write \"30\"",
            );
            return None;
        }
        (None, Some(_)) => {
            findings.problem(
                config.place("retentionTimeUnit"),
                "is missing beside `retentionTimeValue`: write \"DAYS\"",
            );
            return None;
        }
    };
    let Some(parsed_unit) = TimeUnit::parse(&unit) else {
        let names = TimeUnit::ALL.map(TimeUnit::name);
        let message =
            format!("`{unit}` is no unit of time: write DAYS or HOURS{}", did_you_mean(&unit, names));
        findings.problem(config.place("retentionTimeUnit"), message);
        return None;
    };
    let millis = value.parse().ok().filter(|count| *count > 0).and_then(|count| parsed_unit.to_millis(count));
    let millis = millis.and_then(|millis| u64::try_from(millis).ok());
    if millis.is_none() {
        let message = format!("`{value}` is no number of {parsed_unit}: write a whole number from 1");
        findings.problem(config.place("retentionTimeValue"), message);
    }
    millis.map(Duration::from_millis)
}

fn read_replication(config: &JsonObject<'_>, findings: &mut Findings) -> Option<u32> {
    let mut read = |key| config.integer(key, 1, 1_000, findings).and_then(|count| u32::try_from(count).ok());
    let replication = read("replication");
    let legacy = read("replicasPerPartition");
    if let (Some(replication), Some(legacy)) = (replication, legacy)
        && replication != legacy
    {
        let message = format!("{legacy} is ignored, as `replication` says {replication}: remove this key");
        findings.warning(config.place("replicasPerPartition"), message);
    }
    replication.or(legacy)
}
