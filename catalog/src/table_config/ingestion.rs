//! `ingestionConfig` apart from its streams: what happens to a record on its way to a row.

mod complex_type;
mod enrichment;
pub(super) mod roll_up;
mod schema_conforming;
mod source_fields;

use std::collections::HashSet;

use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::schema::{FieldRole, Schema};

use super::columns::check_column;
pub use complex_type::{CollectionsToJson, ComplexTypeConfig};
pub use enrichment::{EnricherKind, Enrichment};
pub use roll_up::{MetricRollUp, RollUpFunction};
pub use schema_conforming::{MergedText, SchemaConforming};
pub use source_fields::SourceField;

/// A column that is computed from the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transform {
    /// The column.
    pub column: String,
    /// The expression, as written.
    pub function: String,
}

/// What happens to a record on its way to a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestionConfig {
    /// Computed columns.
    pub transforms: Vec<Transform>,
    /// An expression; a record for which it is true is dropped.
    pub filter_function: Option<String>,
    /// Fields that get a type before anything else.
    pub source_fields: Vec<SourceField>,
    /// What becomes of fields without a column, where they are kept.
    pub schema_conforming: Option<SchemaConforming>,
    /// Fields added before anything else.
    pub enrichments: Vec<Enrichment>,
    /// How objects and lists become columns and rows, where they do.
    pub complex_types: Option<ComplexTypeConfig>,
    /// Roll-up while ingesting: a column and its aggregation.
    pub aggregations: Vec<Transform>,
    /// Whether a record with a wrong value is kept with the default in its place.
    pub continue_on_error: bool,
    /// Whether a time out of range counts as a wrong value.
    pub row_time_value_check: bool,
    /// Whether a segment with times out of range is refused; on by default.
    pub segment_time_value_check: bool,
}

impl Default for IngestionConfig {
    fn default() -> IngestionConfig {
        IngestionConfig {
            transforms: Vec::new(),
            filter_function: None,
            source_fields: Vec::new(),
            schema_conforming: None,
            enrichments: Vec::new(),
            complex_types: None,
            aggregations: Vec::new(),
            continue_on_error: false,
            row_time_value_check: false,
            segment_time_value_check: true,
        }
    }
}

pub(super) fn read(
    config: &JsonObject<'_>,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> IngestionConfig {
    let filter = config.object("filterConfig", findings);
    let complex_types = config.object("complexTypeConfig", findings);
    let complex_types = complex_types.map(|complex_types| complex_type::read(&complex_types, findings));
    let enrichments = config.objects("enrichmentConfigs", findings);
    let enrichments = enrichments.iter().filter_map(|entry| enrichment::read(entry, findings)).collect();
    IngestionConfig {
        transforms: read_transforms(config, schema, findings),
        source_fields: source_fields::read(config, findings),
        schema_conforming: schema_conforming::read(config, schema, findings),
        enrichments,
        complex_types,
        filter_function: filter.and_then(|filter| filter.text_or_empty("filterFunction", findings)),
        aggregations: read_aggregations(config, schema, findings),
        continue_on_error: config.boolean("continueOnError", findings).unwrap_or(false),
        row_time_value_check: config.boolean("rowTimeValueCheck", findings).unwrap_or(false),
        segment_time_value_check: config.boolean("segmentTimeValueCheck", findings).unwrap_or(true),
    }
}

fn read_transforms(
    config: &JsonObject<'_>,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Vec<Transform> {
    let mut seen = HashSet::new();
    let mut transforms = Vec::new();
    for entry in config.objects("transformConfigs", findings) {
        let column = entry.required_text("columnName", "the column to compute", findings);
        let function = entry.required_text("transformFunction", "an expression", findings);
        let (Some(column), Some(function)) = (column, function) else { continue };
        check_column(&column, &entry.place("columnName"), schema, findings);
        if !seen.insert(column.clone()) {
            findings.problem(entry.place("columnName"), format!("`{column}` is computed twice: remove one"));
        }
        transforms.push(Transform { column, function });
    }
    transforms
}

fn read_aggregations(
    config: &JsonObject<'_>,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Vec<Transform> {
    let mut aggregations = Vec::new();
    for entry in config.objects("aggregationConfigs", findings) {
        let column = entry.required_text("columnName", "the metric to aggregate into", findings);
        let function = entry.required_text("aggregationFunction", "such as \"SUM(amount)\"", findings);
        let (Some(column), Some(function)) = (column, function) else { continue };
        let field = check_column(&column, &entry.place("columnName"), schema, findings);
        if field.is_some_and(|field| field.role != FieldRole::Metric) {
            let message = format!("`{column}` is no metric: declare it in the schema's `metricFieldSpecs`");
            findings.problem(entry.place("columnName"), message);
        }
        aggregations.push(Transform { column, function });
    }
    aggregations
}
