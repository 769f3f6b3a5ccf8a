//! What a table's config does with records on their way to rows, in Pinot's order: fields of Kafka's metadata, enrichment,
//! objects and lists taken apart, enrichment again, columns computed, rows filtered.
//!
//! Only tables whose config or schema asks for any of it have a [`RecordPipeline`]; all others decode their records straight
//! to columns. Here a record is its fields, of whatever type (`fields`); expressions are computed for a batch of records at
//! once (`computed`). What comes out goes through the same decoder as a record that came so from Kafka, so conversions,
//! lengths and rejects are the same.
//!
//! Invariant: each record becomes rows, or is filtered, or is rejected, and is counted once.

mod clp;
mod complex_type;
mod columns;
mod computed;
mod expression;
mod fields;
mod metadata;
mod plan;
mod schema_conforming;

use std::sync::Arc;

use meunier_catalog::table_config::{ConfigProblem, SourceField, TableConfig};
use meunier_segment::offset_range::PartitionId;
use meunier_segment::reject::RejectReason;
use meunier_segment::schema::Schema;

use crate::decode::{DecodeLimits, Fault, JsonDecoder, RecordRef, RecordTreeReader, in_type};
pub use expression::{Expression, ExpressionCompiler, ExpressionInput, NoExpressions};
pub(crate) use fields::{FieldValue, Fields};

use complex_type::ComplexTypes;
use computed::compute;
use plan::{ComputedField, Enricher, MapColumn, TransformPlan};

/// Rows that are computed together. More would leave the second-level cache.
const ROWS_TOGETHER: usize = 512;
/// What the rows that are computed together may take, beside those of the last record: lists that are unnested repeat all
/// other fields of theirs.
const BYTES_TOGETHER: usize = 8 << 20;

/// Says what is wrong with the expressions of a table config.
pub fn check_expressions(
    config: &TableConfig,
    schema: &Schema,
    compiler: &dyn ExpressionCompiler,
) -> Vec<ConfigProblem> {
    TransformPlan::of(config, schema, compiler).1
}

/// Turns the records of one partition into rows.
pub(crate) struct RecordPipeline {
    schema: Arc<Schema>,
    partition: PartitionId,
    continue_on_error: bool,
    reader: RecordTreeReader,
    complex_types: Option<ComplexTypes>,
    plan: TransformPlan,
}

/// A record that waits for its batch.
pub(crate) struct PendingRecord<'f> {
    pub(crate) record: RecordRef<'f>,
    /// Its headers, where they are read.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

/// A row on its way.
#[derive(Debug)]
struct Row {
    /// The record it is of, by its place in the batch.
    record: usize,
    fields: Fields,
    /// Why it cannot be stored.
    fault: Option<String>,
    is_filtered: bool,
    /// Something could not be computed, and the table goes on without it.
    is_incomplete: bool,
}

impl RecordPipeline {
    /// Returns the pipeline of a table's partition; none when its records are rows as they come.
    ///
    /// # Errors
    /// The first thing that is wrong with the config, in words.
    pub(crate) fn new(
        config: &TableConfig,
        schema: &Arc<Schema>,
        partition: PartitionId,
        limits: DecodeLimits,
        compiler: &dyn ExpressionCompiler,
    ) -> Result<Option<RecordPipeline>, String> {
        let ingestion = &config.ingestion;
        let (plan, problems) = TransformPlan::of(config, schema, compiler);
        if let Some(problem) = problems.first() {
            return Err(format!("{}: {}", problem.path, problem.message));
        }
        if plan.is_empty() && ingestion.complex_types.is_none() {
            return Ok(None);
        }
        Ok(Some(RecordPipeline {
            schema: Arc::clone(schema),
            partition,
            continue_on_error: ingestion.continue_on_error,
            reader: RecordTreeReader::new(limits),
            complex_types: ingestion.complex_types.clone().map(ComplexTypes::new),
            plan,
        }))
    }

    /// Returns whether records' headers are read.
    pub(crate) fn reads_headers(&self) -> bool {
        self.plan.reads_headers
    }

    /// Makes rows of records and gives them to the decoder; `pass` is called now and then with what it holds.
    pub(crate) fn run(
        &mut self,
        records: &[PendingRecord<'_>],
        decoder: &mut JsonDecoder,
        mut pass: impl FnMut(&mut JsonDecoder),
    ) {
        let mut next = 0;
        while next < records.len() {
            let first = next;
            let mut rows = Vec::with_capacity(ROWS_TOGETHER);
            let mut bytes = 0;
            while next < records.len() && rows.len() < ROWS_TOGETHER && bytes < BYTES_TOGETHER {
                let before = rows.len();
                self.read(next, &records[next], &mut rows);
                bytes += rows[before..].iter().map(|row| row.fields.bytes()).sum::<usize>();
                next += 1;
            }
            self.compute(&mut rows);
            self.hand_over(&records[first..next], first, rows, decoder);
            pass(decoder);
        }
    }

    /// Adds the rows of a record. One that cannot be read has none.
    fn read(&mut self, number: usize, pending: &PendingRecord<'_>, rows: &mut Vec<Row>) {
        let Some(mut fields) = pending.record.payload.and_then(|payload| self.reader.read(payload)) else {
            return;
        };
        if self.plan.reads_metadata {
            metadata::add(&mut fields, self.partition, &pending.record, &pending.headers);
        }
        let row =
            |fields| Row { record: number, fields, fault: None, is_filtered: false, is_incomplete: false };
        let mut whole = vec![row(fields)];
        give_types(&self.plan.typed_first, &mut whole, self.continue_on_error);
        enrich(&mut self.plan.enriched_first, &mut whole, self.continue_on_error);
        let Some(complex_types) = &self.complex_types else {
            rows.append(&mut whole);
            return;
        };
        for mut whole in whole {
            if whole.fault.is_some() {
                rows.push(whole);
                continue;
            }
            match complex_types.rows(std::mem::take(&mut whole.fields)) {
                Ok(parts) => {
                    let is_incomplete = whole.is_incomplete;
                    rows.extend(parts.into_iter().map(|fields| Row { is_incomplete, ..row(fields) }));
                }
                Err(message) => rows.push(Row { fault: Some(message), ..whole }),
            }
        }
    }

    fn compute(&mut self, rows: &mut [Row]) {
        give_types(&self.plan.typed, rows, self.continue_on_error);
        enrich(&mut self.plan.enriched, rows, self.continue_on_error);
        for row in rows.iter_mut() {
            self.plan.map_columns.iter().for_each(|column| fill_map_column(column, &mut row.fields));
        }
        compute_fields(self.plan.computed.iter_mut(), rows, self.continue_on_error);
        self.filter(rows);
        if let Some(conformer) = &self.plan.conformer {
            for row in rows.iter_mut().filter(|row| row.fault.is_none() && !row.is_filtered) {
                row.fields = conformer.conform(std::mem::take(&mut row.fields));
            }
        }
    }

    fn filter(&mut self, rows: &mut [Row]) {
        let Some(filter) = &mut self.plan.filter else { return };
        let wanted: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].fault.is_none()).collect();
        let values = compute(filter.as_mut(), rows, &wanted);
        for (&row, value) in wanted.iter().zip(values) {
            match value {
                Ok(FieldValue::Boolean(is_filtered)) => rows[row].is_filtered = is_filtered,
                Ok(_) => {}
                Err(message) if !self.continue_on_error => {
                    rows[row].fault = Some(format!("the filter cannot be computed: {message}"));
                }
                Err(_) => rows[row].is_incomplete = true,
            }
        }
    }

    /// Gives each record to the decoder as what became of it. `first` is the number of the first record.
    fn hand_over(
        &self,
        records: &[PendingRecord<'_>],
        first: usize,
        rows: Vec<Row>,
        decoder: &mut JsonDecoder,
    ) {
        let mut rows = rows.into_iter().peekable();
        let mut text = String::new();
        let mut ends = Vec::new();
        for (i, pending) in records.iter().enumerate() {
            let record = &pending.record;
            let (mut row_count, mut fault) = (0_usize, None);
            text.clear();
            ends.clear();
            while let Some(mut row) = rows.next_if(|row| row.record == first + i) {
                row_count += 1;
                for (metric, source) in &self.plan.metrics {
                    let value = match source {
                        Some(source) => row.fields.get(source).cloned().unwrap_or(FieldValue::Null),
                        None => FieldValue::Integer(1),
                    };
                    row.fields.set(metric.as_str(), value);
                }
                fault = fault.or(row.fault);
                if !row.is_filtered {
                    row.fields.write_row(&self.schema, &mut text);
                    ends.push((text.len(), row.is_incomplete));
                }
            }
            match fault {
                Some(message) => {
                    decoder.push_rejected(record, Fault::new(RejectReason::NotComputed, message));
                }
                // The decoder finds out what is wrong with it, and says so.
                None if row_count == 0 => decoder.push(record),
                None if ends.is_empty() => decoder.push_filtered(record),
                None => {
                    let starts = [0].into_iter().chain(ends.iter().map(|(end, _)| *end));
                    let parts = starts
                        .zip(&ends)
                        .map(|(start, &(end, is_incomplete))| (&text.as_bytes()[start..end], is_incomplete));
                    decoder.push_rows(record, parts);
                }
            }
        }
    }
}

/// Gives fields the types that the config names.
fn give_types(fields: &[SourceField], rows: &mut [Row], continue_on_error: bool) {
    for field in fields {
        for row in rows.iter_mut().filter(|row| row.fault.is_none()) {
            let Some(value) = row.fields.get_mut(&field.name) else { continue };
            match in_type(std::mem::replace(value, FieldValue::Null), field.data_type, field.is_list) {
                Ok(typed) => *value = typed,
                Err(_) if continue_on_error => row.is_incomplete = true,
                Err(reason) => {
                    let message =
                        format!("`{}` cannot become {}: {}", field.name, field.data_type, reason.name());
                    row.fault = Some(message);
                }
            }
        }
    }
}

fn enrich(enrichers: &mut [Enricher], rows: &mut [Row], continue_on_error: bool) {
    for enricher in enrichers {
        match enricher {
            Enricher::Compute(field) => compute_fields(std::iter::once(field), rows, continue_on_error),
            Enricher::EncodeLog(field) => {
                let wanted = rows.iter_mut().filter(|row| row.fault.is_none());
                wanted.for_each(|row| encode_log(field, &mut row.fields));
            }
        }
    }
}

/// Adds what a log message is made of: its text with places, and what stands there. Of a value that is no text, nothing.
fn encode_log(field: &str, fields: &mut Fields) {
    let Some(value) = fields.value(field) else { return };
    let (log_type, texts, numbers) = match value {
        FieldValue::Text(message) => {
            let encoded = clp::encode(message);
            let texts = encoded.texts.into_iter().map(FieldValue::Text).collect();
            let numbers = encoded.numbers.into_iter().map(FieldValue::Integer).collect();
            (FieldValue::Text(encoded.log_type), FieldValue::List(texts), FieldValue::List(numbers))
        }
        _ => (FieldValue::Null, FieldValue::Null, FieldValue::Null),
    };
    fields.set(format!("{field}_logtype"), log_type);
    fields.set(format!("{field}_dictionaryVars"), texts);
    fields.set(format!("{field}_encodedVars"), numbers);
}

/// Computes fields one after the other, each for all rows that want it.
fn compute_fields<'a>(
    fields: impl Iterator<Item = &'a mut ComputedField>,
    rows: &mut [Row],
    continue_on_error: bool,
) {
    for field in fields {
        let wants =
            |row: &Row| row.fault.is_none() && (field.overwrites || row.fields.value(&field.name).is_none());
        let wanted: Vec<usize> = (0..rows.len()).filter(|&row| wants(&rows[row])).collect();
        let values = compute(field.expression.as_mut(), rows, &wanted);
        for (&row, value) in wanted.iter().zip(values) {
            match value {
                Ok(value) => rows[row].fields.set(field.name.as_str(), value),
                Err(message) if !continue_on_error => {
                    rows[row].fault = Some(format!("`{}` cannot be computed: {message}", field.name));
                }
                Err(_) => rows[row].is_incomplete = true,
            }
        }
    }
}

/// Fills a column with the keys or values of an object, in the order of its keys.
fn fill_map_column(column: &MapColumn, fields: &mut Fields) {
    if fields.value(&column.column).is_some() {
        return;
    }
    let Some(FieldValue::Map(map)) = fields.get(&column.source) else { return };
    let mut entries: Vec<(&str, &FieldValue)> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    let part = |(key, value): (&str, &FieldValue)| match column.is_keys {
        true => FieldValue::Text(key.to_owned()),
        false => value.clone(),
    };
    let values = FieldValue::List(entries.into_iter().map(part).collect());
    fields.set(column.column.as_str(), values);
}

#[cfg(test)]
mod tests;
