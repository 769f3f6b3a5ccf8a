//! Pinot's table config JSON: read into checked types, with every problem at once.
//!
//! Three things come of a config that is right: the types that the rest of the system acts on, the text as it was written
//! (given back on request, and kept on disk), and what this version keeps but does not act on (`not_supported.rs`), told
//! apart by whether rows and answers would differ.

mod columns;
mod indexing;
mod ingestion;
mod known_keys;
mod not_supported;
pub mod quantity;
mod query_config;
mod secret;
mod segments_config;
mod stream;
mod upsert;

use std::fmt;
use std::time::Duration;

use meunier_segment::json_reader::{self, Findings, JsonObject, JsonProblem};
use meunier_segment::options::SegmentOptions;
use meunier_segment::schema::{ColumnName, Schema, check_table_name};
use serde_json::{Map, Value};

pub use indexing::{
    BloomFilter, ColumnPartition, IndexKind, IndexingConfig, JsonIndex, OtherIndex, StarTree,
    StarTreeAggregation, TIMESTAMP_GRANULARITIES, TextIndex, TimestampIndex,
};
pub use ingestion::{
    CollectionsToJson, ComplexTypeConfig, EnricherKind, Enrichment, IngestionConfig, MergedText,
    MetricRollUp, RollUpFunction, SchemaConforming, SourceField, Transform,
};
pub use query_config::QueryConfig;
pub use stream::{Decoder, FlushThresholds, Isolation, OffsetCriteria, StreamConfig};

/// One thing that is wrong or surprising in a table config, and what to write instead.
pub type ConfigProblem = JsonProblem;

/// Whether a table is fed by a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableType {
    /// Fed by a stream.
    Realtime,
    /// Fed by segments made elsewhere.
    Offline,
}

impl TableType {
    /// Returns the type's name in Pinot's JSON.
    pub fn name(self) -> &'static str {
        match self {
            TableType::Realtime => "REALTIME",
            TableType::Offline => "OFFLINE",
        }
    }

    /// Returns what the table's full name ends with.
    pub fn suffix(self) -> &'static str {
        match self {
            TableType::Realtime => "_REALTIME",
            TableType::Offline => "_OFFLINE",
        }
    }
}

/// A checked table config.
#[derive(Clone, PartialEq)]
pub struct TableConfig {
    /// The table's name, without its type.
    pub table_name: String,
    /// Whether a stream feeds it.
    pub table_type: TableType,
    /// The column that tells the time of a row.
    pub time_column: Option<ColumnName>,
    /// How long rows are kept; `None` means for ever.
    pub retention: Option<Duration>,
    /// How long the files of dropped segments are kept aside.
    pub deleted_segments_retention: Duration,
    /// How many copies are asked for.
    pub replication: u32,
    /// How columns are stored and indexed.
    pub indexing: IndexingConfig,
    /// The topic; with several in the config, the first.
    pub stream: Option<StreamConfig>,
    /// What happens to records on their way to rows.
    pub ingestion: IngestionConfig,
    /// Whether nulls are told apart from default values, for all columns.
    pub null_handling_enabled: bool,
    /// Limits of queries.
    pub query: QueryConfig,
    /// Whether queries may look values up in it by its primary key.
    pub is_dimension: bool,
    json: Value,
}

/// A table config and what was noticed while reading it.
#[derive(Debug, Clone)]
pub struct ParsedTableConfig {
    /// The checked config.
    pub config: TableConfig,
    /// Keys that Pinot does not know: JSON pointer to value, secrets hidden.
    pub unrecognized: Map<String, Value>,
    /// What works, but likely not as meant.
    pub warnings: Vec<ConfigProblem>,
    /// What is kept but not acted on; rows and answers are the same without it.
    pub not_supported: Vec<ConfigProblem>,
    /// What is kept but not acted on although rows or answers **differ** without it. To be shown before all else.
    pub changes_answers: Vec<ConfigProblem>,
}

impl TableConfig {
    /// Reads Pinot's table config JSON. With a schema, all columns that it names are checked against it.
    ///
    /// # Errors
    /// Every problem at once, each with its place.
    pub fn parse(text: &str, schema: Option<&Schema>) -> Result<ParsedTableConfig, Vec<ConfigProblem>> {
        let document = json_reader::parse_object(text).map_err(|problem| vec![problem])?;
        let mut findings = Findings { warnings: json_reader::duplicate_keys(text), ..Findings::default() };
        json_reader::find_unrecognized(&document, known_keys::KNOWN, &mut findings);
        let config = read(&document, schema, &mut findings);
        let config = match config {
            Some(config) if findings.problems.is_empty() => config,
            Some(_) | None => return Err(findings.into_refusal()),
        };
        let kept = not_supported::find(&JsonObject::new(&document, ""), &config, schema);
        Ok(ParsedTableConfig {
            config,
            unrecognized: secret::redacted_map(&findings.unrecognized),
            warnings: findings.warnings,
            not_supported: kept.not_supported,
            changes_answers: kept.changes_answers,
        })
    }

    /// Returns the config as it was written, secrets included: for keeping, not for showing.
    pub fn to_json(&self) -> &Value {
        &self.json
    }

    /// Returns the config as it was written, with every secret hidden.
    pub fn redacted_json(&self) -> Value {
        secret::redacted(&self.json)
    }

    /// Returns the table's name with its type, as in `orders_REALTIME`.
    pub fn name_with_type(&self) -> String {
        format!("{}{}", self.table_name, self.table_type.suffix())
    }

    /// Returns how rows that differ in their metrics only become one, where they do.
    ///
    /// # Errors
    /// Why they cannot, although the config asks for it, in words.
    pub fn roll_up(&self, schema: &Schema) -> Result<Option<Vec<MetricRollUp>>, String> {
        ingestion::roll_up::of(&self.ingestion, self.indexing.aggregate_metrics, schema)
    }

    /// Returns the part of the config that segments act on.
    pub fn segment_options(&self) -> SegmentOptions {
        self.indexing.segment_options()
    }
}

impl fmt::Debug for TableConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableConfig")
            .field("table_name", &self.table_name)
            .field("table_type", &self.table_type)
            .field("time_column", &self.time_column)
            .field("retention", &self.retention)
            .field("deleted_segments_retention", &self.deleted_segments_retention)
            .field("replication", &self.replication)
            .field("indexing", &self.indexing)
            .field("stream", &self.stream)
            .field("ingestion", &self.ingestion)
            .field("null_handling_enabled", &self.null_handling_enabled)
            .field("query", &self.query)
            .field("is_dimension", &self.is_dimension)
            .field("json", &self.redacted_json())
            .finish()
    }
}

fn read(
    document: &Map<String, Value>,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Option<TableConfig> {
    let top = JsonObject::new(document, "");
    let table_type = read_table_type(&top, findings);
    let table_name = read_table_name(&top, table_type, findings);
    check_blocks(&top, findings);
    let empty = Map::new();
    let block = |key: &str| match document.get(key) {
        Some(Value::Object(map)) => JsonObject::new(map, json_reader::pointer("", key)),
        Some(_) | None => JsonObject::new(&empty, json_reader::pointer("", key)),
    };
    let (segments, index) = (block("segmentsConfig"), block("tableIndexConfig"));
    let (ingestion, query) = (block("ingestionConfig"), block("query"));
    let name = table_name.clone().unwrap_or_default();
    if let (Some(schema), Some(table)) = (schema, &table_name) {
        check_schema_name(schema, table, findings);
    }
    if table_type == Some(TableType::Realtime) && segments.get("timeColumnName").is_none() {
        let message =
            "`timeColumnName` is missing: rows are kept for ever, and no time filter skips segments";
        findings.warning(segments.place("timeColumnName"), message);
    }
    let segments = segments_config::read(&segments, &name, schema, findings);
    let field_configs = top.objects("fieldConfigList", findings);
    let indexing = indexing::read(&index, &field_configs, schema, findings);
    let null_handling_enabled = index.boolean("nullHandlingEnabled", findings).unwrap_or(false);
    query_config::check_quota(&block("quota"), findings);
    upsert::check(&top, schema, null_handling_enabled, findings);
    check_tiers(&top, findings);
    let stream = read_stream(&index, &ingestion, table_type, findings);
    let ingestion = ingestion::read(&ingestion, schema, findings);
    let query = query_config::read(&query, findings);
    Some(TableConfig {
        table_name: table_name?,
        table_type: table_type?,
        time_column: segments.time_column,
        retention: segments.retention,
        deleted_segments_retention: segments.deleted_segments_retention,
        replication: segments.replication.unwrap_or(1),
        indexing,
        stream,
        ingestion,
        null_handling_enabled,
        query,
        is_dimension: top.boolean("isDimTable", findings).unwrap_or(false),
        json: Value::Object(document.clone()),
    })
}

fn read_table_type(top: &JsonObject<'_>, findings: &mut Findings) -> Option<TableType> {
    let text = top.required_text("tableType", "\"REALTIME\"", findings)?;
    let found =
        [TableType::Realtime, TableType::Offline].into_iter().find(|t| t.name().eq_ignore_ascii_case(&text));
    if found.is_none() {
        findings.problem("/tableType", format!("`{text}` is no table type: write \"REALTIME\""));
    }
    found
}

/// Reads the raw name: a suffix of either type is taken off, and must not contradict the table's type.
fn read_table_name(
    top: &JsonObject<'_>,
    table_type: Option<TableType>,
    findings: &mut Findings,
) -> Option<String> {
    let written = top.required_text("tableName", "the table's name, such as \"orders\"", findings)?;
    let mut name = written.as_str();
    for suffixed in [TableType::Realtime, TableType::Offline] {
        let Some(raw) = written.strip_suffix(suffixed.suffix()) else { continue };
        name = raw;
        if table_type.is_some_and(|table_type| table_type != suffixed) {
            let message = format!("`{written}` ends with another type than `tableType` says: write `{raw}`");
            findings.problem("/tableName", message);
        }
    }
    if let Some(message) = check_table_name(name) {
        findings.problem("/tableName", message);
        return None;
    }
    Some(name.to_string())
}

fn check_schema_name(schema: &Schema, table: &str, findings: &mut Findings) {
    if schema.name() != table {
        let message = format!("the schema is `{}`: table and schema must have one name", schema.name());
        findings.problem("/tableName", message);
    }
}

/// Checks the kinds of the blocks, of which some are read no further.
fn check_blocks(top: &JsonObject<'_>, findings: &mut Findings) {
    const OBJECTS: [&str; 14] = [
        "segmentsConfig",
        "tenants",
        "tableIndexConfig",
        "metadata",
        "quota",
        "task",
        "routing",
        "query",
        "instanceAssignmentConfigMap",
        "instancePartitionsMap",
        "segmentAssignmentConfigMap",
        "dimensionTableConfig",
        "ingestionConfig",
        "tierOverwrites",
    ];
    for key in OBJECTS {
        let _ = top.object(key, findings);
    }
    let _ = top.boolean("isMaterializedView", findings);
    for key in ["tunerConfigs", "tableSamplers"] {
        let _ = top.objects(key, findings);
    }
}

fn check_tiers(top: &JsonObject<'_>, findings: &mut Findings) {
    let mut names = Vec::new();
    for tier in top.objects("tierConfigs", findings) {
        let Some(name) = tier.required_text("name", "the tier's name", findings) else { continue };
        if names.contains(&name) {
            findings.problem(
                tier.place("name"),
                format!("the tier `{name}` is there twice: rename or remove one"),
            );
        }
        names.push(name);
        if let Some(age) = tier.text_or_empty("segmentAge", findings)
            && quantity::parse_period(&age).is_none()
        {
            findings.problem(tier.place("segmentAge"), format!("`{age}` is no period: write for example 7d"));
        }
    }
}

/// Reads the stream from its place in `ingestionConfig`, or from the old one in `tableIndexConfig`.
fn read_stream(
    index: &JsonObject<'_>,
    ingestion: &JsonObject<'_>,
    table_type: Option<TableType>,
    findings: &mut Findings,
) -> Option<StreamConfig> {
    let place = ingestion.object("streamIngestionConfig", findings);
    let maps = place.map(|place| place.objects("streamConfigMaps", findings)).unwrap_or_default();
    let old = index.object("streamConfigs", findings).filter(|map| map.entries().next().is_some());
    if let (Some(old), false) = (&old, maps.is_empty()) {
        findings.warning(
            old.path(),
            "ignored, as `ingestionConfig.streamIngestionConfig` is there too: remove it",
        );
    }
    let mut streams = if maps.is_empty() { old.into_iter().collect() } else { maps }.into_iter();
    let Some(first) = streams.next() else {
        if table_type == Some(TableType::Realtime) {
            let place = "/ingestionConfig/streamIngestionConfig/streamConfigMaps";
            findings.problem(
                place,
                "a REALTIME table needs a stream: write one map with `streamType`, topic and brokers",
            );
        }
        return None;
    };
    let stream = stream::read(&first, findings);
    for other in streams {
        let _ = stream::read(&other, findings);
    }
    stream
}

#[cfg(test)]
mod tests;
