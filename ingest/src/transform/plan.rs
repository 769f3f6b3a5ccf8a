//! What a table's config asks to be done with records, checked and in order.

use std::collections::{BTreeMap, BTreeSet};

use meunier_catalog::table_config::{
    ConfigProblem, EnricherKind, IngestionConfig, SourceField, TableConfig, Transform,
};
use meunier_segment::schema::Schema;

use super::expression::{Expression, ExpressionCompiler};
use super::metadata;
use super::schema_conforming::Conformer;

/// Ends the name of the column that holds an object's keys.
const KEYS_SUFFIX: &str = "__KEYS";
/// Ends the name of the column that holds an object's values.
const VALUES_SUFFIX: &str = "__VALUES";

/// A field that is computed.
#[derive(Debug)]
pub(super) struct ComputedField {
    pub(super) name: String,
    pub(super) expression: Box<dyn Expression>,
    /// Whether it is computed also where the record has a value.
    pub(super) overwrites: bool,
}

/// What adds fields to a record.
#[derive(Debug)]
pub(super) enum Enricher {
    /// Computes one.
    Compute(ComputedField),
    /// Takes a log message apart.
    EncodeLog(String),
}

/// A column that holds the keys or the values of an object, in the order of the keys.
#[derive(Debug)]
pub(super) struct MapColumn {
    pub(super) column: String,
    pub(super) source: String,
    pub(super) is_keys: bool,
}

/// All that is done with a record, in the order of the fields here.
#[derive(Debug, Default)]
pub(super) struct TransformPlan {
    pub(super) reads_metadata: bool,
    pub(super) reads_headers: bool,
    pub(super) typed_first: Vec<SourceField>,
    pub(super) enriched_first: Vec<Enricher>,
    pub(super) typed: Vec<SourceField>,
    pub(super) enriched: Vec<Enricher>,
    pub(super) map_columns: Vec<MapColumn>,
    pub(super) computed: Vec<ComputedField>,
    pub(super) filter: Option<Box<dyn Expression>>,
    pub(super) conformer: Option<Conformer>,
    /// Metrics that are taken from a field of another name, or are 1.
    pub(super) metrics: Vec<(String, Option<String>)>,
}

impl TransformPlan {
    /// Returns the plan of a table, and what is wrong with its config.
    pub(super) fn of(
        table: &TableConfig,
        schema: &Schema,
        compiler: &dyn ExpressionCompiler,
    ) -> (TransformPlan, Vec<ConfigProblem>) {
        let config = &table.ingestion;
        let populates_metadata = table.stream.as_ref().is_some_and(|stream| stream.populate_metadata);
        let mut builder = Builder { compiler, problems: Vec::new() };
        let mut plan = TransformPlan {
            filter: config
                .filter_function
                .as_deref()
                .and_then(|text| builder.expression(text, "/ingestionConfig/filterConfig/filterFunction")),
            map_columns: map_columns(config, schema),
            metrics: metrics(table, schema),
            conformer: config.schema_conforming.clone().map(|config| Conformer::new(config, schema)),
            ..TransformPlan::default()
        };
        for (i, enrichment) in config.enrichments.iter().enumerate() {
            let place = format!("/ingestionConfig/enrichmentConfigs/{i}/properties/fieldToFunctionMap");
            let to = match enrichment.before_complex_types {
                true => &mut plan.enriched_first,
                false => &mut plan.enriched,
            };
            match &enrichment.kind {
                EnricherKind::GenerateColumn(columns) => {
                    let fields = columns.iter().filter_map(|column| builder.field(column, &place, true));
                    to.extend(fields.map(Enricher::Compute));
                }
                EnricherKind::EncodeLogs(fields) => {
                    to.extend(fields.iter().cloned().map(Enricher::EncodeLog))
                }
                EnricherKind::Unsupported(_) => {}
            }
        }
        let source_fields = config.source_fields.iter().cloned();
        (plan.typed_first, plan.typed) = source_fields.partition(|field| field.before_complex_types);
        let mut computed = BTreeMap::new();
        for (i, transform) in config.transforms.iter().enumerate() {
            let place = format!("/ingestionConfig/transformConfigs/{i}/transformFunction");
            computed.extend(builder.field(transform, &place, false).map(|field| (field.name.clone(), field)));
        }
        for (column, function) in schema.transform_functions() {
            if !config.transforms.iter().any(|transform| transform.column == column) {
                let transform = Transform { column: column.clone(), function };
                let place = "/ingestionConfig/transformConfigs";
                computed.extend(builder.field(&transform, place, false).map(|field| (column, field)));
            }
        }
        plan.computed = builder.in_order(computed);
        if populates_metadata {
            let fields = plan.fields_read();
            let columns = schema.fields().iter().map(|field| field.name.to_string());
            let mut read: BTreeSet<String> = columns.collect();
            read.extend(fields);
            plan.reads_metadata = read.iter().any(|name| metadata::is_metadata(name));
            plan.reads_headers = read.iter().any(|name| metadata::is_header(name));
        }
        (plan, builder.problems)
    }

    /// Returns whether nothing is to be done.
    pub(super) fn is_empty(&self) -> bool {
        !self.reads_metadata
            && self.filter.is_none()
            && self.metrics.is_empty()
            && self.conformer.is_none()
            && [&self.enriched_first, &self.enriched].iter().all(|fields| fields.is_empty())
            && [&self.typed_first, &self.typed].iter().all(|fields| fields.is_empty())
            && self.computed.is_empty()
            && self.map_columns.is_empty()
    }

    fn fields_read(&self) -> Vec<String> {
        let enriched =
            self.enriched_first.iter().chain(&self.enriched).filter_map(|enricher| match enricher {
                Enricher::Compute(field) => Some(field),
                Enricher::EncodeLog(_) => None,
            });
        let expressions = enriched.chain(&self.computed).map(|field| &field.expression).chain(&self.filter);
        expressions.flat_map(|expression| expression.inputs()).map(|input| input.name.clone()).collect()
    }
}

/// The columns that Pinot fills from an object by their name, unless a transform does.
fn map_columns(config: &IngestionConfig, schema: &Schema) -> Vec<MapColumn> {
    let columns = schema
        .fields()
        .iter()
        .filter(|field| !config.transforms.iter().any(|transform| transform.column == *field.name));
    let map_column = |name: &str| {
        let (source, is_keys) = match name.strip_suffix(KEYS_SUFFIX) {
            Some(source) => (source, true),
            None => (name.strip_suffix(VALUES_SUFFIX)?, false),
        };
        Some(MapColumn { column: name.to_owned(), source: source.to_owned(), is_keys })
    };
    columns.filter_map(|field| map_column(&field.name)).collect()
}

/// The metrics of a roll-up that are not read from fields of their own names.
fn metrics(table: &TableConfig, schema: &Schema) -> Vec<(String, Option<String>)> {
    let metrics = table.roll_up(schema).ok().flatten().unwrap_or_default();
    let metrics = metrics.into_iter().map(|metric| (metric.column, metric.source));
    metrics.filter(|(column, source)| source.as_ref() != Some(column)).collect()
}

struct Builder<'a> {
    compiler: &'a dyn ExpressionCompiler,
    problems: Vec<ConfigProblem>,
}

impl Builder<'_> {
    fn expression(&mut self, text: &str, place: &str) -> Option<Box<dyn Expression>> {
        if is_groovy(text) {
            let message = "Groovy scripts are not run here: write the expression with functions, CASE and operators \
                 of SQL (docs/reference/ingestion.md lists what replaces common scripts)";
            self.problem(place, message);
            return None;
        }
        match self.compiler.compile(text) {
            Ok(expression) => Some(expression),
            Err(message) => {
                self.problem(place, format!("`{text}` cannot be read: {message}"));
                None
            }
        }
    }

    fn field(&mut self, transform: &Transform, place: &str, overwrites: bool) -> Option<ComputedField> {
        let expression = self.expression(&transform.function, place)?;
        let name = transform.column.clone();
        if !overwrites && expression.inputs().iter().any(|input| input.name == name) {
            self.problem(
                place,
                format!("`{name}` is computed from itself: read the field under another name"),
            );
            return None;
        }
        Some(ComputedField { name, expression, overwrites })
    }

    /// Sorts fields so that each comes after those that it is computed from.
    fn in_order(&mut self, mut fields: BTreeMap<String, ComputedField>) -> Vec<ComputedField> {
        let mut sorted = Vec::with_capacity(fields.len());
        while !fields.is_empty() {
            let waits = |field: &ComputedField| {
                field.expression.inputs().iter().any(|input| fields.contains_key(&input.name))
            };
            let Some(ready) = fields.iter().find(|(_, field)| !waits(field)).map(|(name, _)| name.clone())
            else {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                let message = format!("these columns are computed from each other: {}", names.join(", "));
                self.problem("/ingestionConfig/transformConfigs", message);
                return sorted;
            };
            sorted.extend(fields.remove(&ready));
        }
        sorted
    }

    fn problem(&mut self, place: &str, message: impl Into<String>) {
        self.problems.push(ConfigProblem { path: place.to_owned(), message: message.into() });
    }
}

fn is_groovy(text: &str) -> bool {
    let name = text.trim_start().split('(').next().unwrap_or_default();
    name.trim_end().eq_ignore_ascii_case("groovy")
}
