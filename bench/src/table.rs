//! The clickstream table as the runs use it: the sample's schema, and its table config with another broker, topic and size of
//! segments.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use meunier_catalog::TableEntry;
use meunier_catalog::table_config::TableConfig;
use meunier_ingest::TableDefinition;
use meunier_sample::Stream;
use meunier_segment::schema::Schema;
use serde_json::{Value, json};

/// Name of the table of every run.
pub(crate) const TABLE: &str = "clickstream";

/// What a run sets in the table config.
pub(crate) struct TableSource<'a> {
    pub(crate) brokers: &'a str,
    pub(crate) topic: &'a str,
    /// Rows of one segment.
    pub(crate) segment_rows: u64,
}

/// Returns the table's schema as JSON.
pub(crate) fn schema_json() -> Result<Value> {
    Ok(serde_json::from_str(Stream::Clickstream.schema_json())?)
}

/// Returns the table config as JSON.
pub(crate) fn config_json(source: &TableSource<'_>) -> Result<Value> {
    let mut config: Value = serde_json::from_str(Stream::Clickstream.table_json())?;
    // The events are of a fixed time, which is long ago sooner or later.
    if let Some(segments) = config.get_mut("segmentsConfig").and_then(Value::as_object_mut) {
        segments.retain(|key, _| !key.starts_with("retention"));
    }
    let stream = config
        .pointer_mut("/ingestionConfig/streamIngestionConfig/streamConfigMaps/0")
        .and_then(Value::as_object_mut)
        .context("the sample's table config has a stream")?;
    stream.remove("realtime.segment.flush.threshold.rows");
    let set = [
        ("stream.kafka.topic.name", json!(source.topic)),
        ("stream.kafka.broker.list", json!(source.brokers)),
        ("realtime.segment.flush.threshold.segment.rows", json!(source.segment_rows.to_string())),
    ];
    stream.extend(set.map(|(key, value)| (key.to_owned(), value)));
    Ok(config)
}

/// Returns the checked config.
pub(crate) fn config(source: &TableSource<'_>) -> Result<TableConfig> {
    match TableConfig::parse(&config_json(source)?.to_string(), Some(&schema()?)) {
        Ok(parsed) => Ok(parsed.config),
        Err(problems) => bail!("the sample's table config is refused: {problems:?}"),
    }
}

/// Returns the checked schema.
pub(crate) fn schema() -> Result<Schema> {
    match Schema::parse(Stream::Clickstream.schema_json()) {
        Ok(parsed) => Ok(parsed.schema),
        Err(problems) => bail!("the sample's schema is refused: {problems:?}"),
    }
}

/// Returns what the ingester needs to know of the table.
pub(crate) fn definition(entry: TableEntry, source: &TableSource<'_>) -> Result<TableDefinition> {
    Ok(TableDefinition { entry, schema: Arc::new(schema()?), config: Arc::new(config(source)?) })
}
