//! Makes one row of those that differ in their metrics only, as they come.
//!
//! The first row of a key goes into the segment like any other; its metrics, and those of the rows that follow, are kept
//! here, and put into the segment in the place of the first row's before readers see it. So a segment has the same rows
//! while it consumes and once it is sealed.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal256Array, Float64Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Decimal256Type, Float64Type, Int64Type, i256};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use meunier_catalog::table_config::{MetricRollUp, RollUpFunction};
use meunier_segment::consuming_segment::ConsumingSegment;
use meunier_segment::row_buffer::RowBuffer;
use meunier_segment::schema::{FieldRole, Schema};

/// What a key takes in the table of places beside its bytes.
const KEY_BYTES: usize = 48;

/// Rows whose metrics are put into the segment anew when one of them changed.
const BLOCK_ROWS: usize = 1 << 12;

/// Why columns of one type are read as that type.
const OF_THE_SCHEMA: &str = "a row buffer has the schema's columns";

/// Which rows of one segment are one, and their metrics.
#[derive(Debug)]
pub(crate) struct RollUp {
    schema: Arc<Schema>,
    /// The metrics by their columns.
    columns: Vec<usize>,
    functions: Vec<RollUpFunction>,
    keys: Vec<usize>,
    converter: RowConverter,
    /// The row of each key, by its bytes as the converter writes them.
    places: HashMap<Box<[u8]>, usize>,
    metrics: Vec<Metric>,
    rows: usize,
    rows_taken: u64,
    /// Blocks of rows whose metrics are not in the segment yet.
    changed: Vec<bool>,
    key_bytes: usize,
}

/// The values of one metric, one a key.
#[derive(Debug)]
enum Metric {
    Whole(Vec<Option<i64>>),
    Double(Vec<Option<f64>>),
    Decimal(Vec<Option<i256>>),
}

impl RollUp {
    /// Returns a roll-up without rows.
    ///
    /// # Errors
    /// When the columns cannot be compared.
    pub(crate) fn new(schema: Arc<Schema>, metrics: &[MetricRollUp]) -> Result<RollUp, ArrowError> {
        let function = |metric: &MetricRollUp| Some((schema.field(&metric.column)?.0, metric.function));
        let (columns, functions): (Vec<usize>, Vec<_>) = metrics.iter().filter_map(function).unzip();
        let fields = schema.fields().iter().enumerate();
        let keys: Vec<usize> =
            fields.filter(|(_, field)| field.role != FieldRole::Metric).map(|(at, _)| at).collect();
        let arrow = schema.arrow_schema();
        let sorts = keys.iter().map(|&key| SortField::new(arrow.field(key).data_type().clone()));
        let metrics = columns.iter().map(|&column| Metric::of(arrow.field(column).data_type()));
        Ok(RollUp {
            converter: RowConverter::new(sorts.collect())?,
            metrics: metrics.collect(),
            keys,
            columns,
            functions,
            schema,
            places: HashMap::new(),
            rows: 0,
            rows_taken: 0,
            changed: Vec::new(),
            key_bytes: 0,
        })
    }

    /// Takes decoded rows: appends those of new keys to the segment, and keeps the metrics of all.
    pub(crate) fn add(&mut self, rows: &RowBuffer, segment: &mut ConsumingSegment) {
        let batch = rows.to_batch();
        let (places, firsts) = self.places_of(&batch);
        let offsets: Vec<i64> = firsts.iter().map(|&row| rows.offsets[row as usize]).collect();
        for ((column, function), metric) in self.columns.iter().zip(&self.functions).zip(&mut self.metrics) {
            metric.add(*function, batch.column(*column), &places);
        }
        self.rows += firsts.len();
        self.rows_taken += batch.num_rows() as u64;
        self.changed.resize(self.rows.div_ceil(BLOCK_ROWS), true);
        for place in places {
            self.changed[place / BLOCK_ROWS] = true;
        }
        if firsts.len() == batch.num_rows() {
            segment.append(&batch, &offsets);
        } else if !firsts.is_empty() {
            let firsts = take_record_batch(&batch, &UInt32Array::from(firsts)).expect(OF_THE_SCHEMA);
            segment.append(&firsts, &offsets);
        }
    }

    /// Returns the place of each row, and the rows whose keys are new.
    fn places_of(&mut self, batch: &RecordBatch) -> (Vec<usize>, Vec<u32>) {
        if self.keys.is_empty() {
            let is_first = self.rows == 0 && batch.num_rows() > 0;
            return (vec![0; batch.num_rows()], Vec::from_iter(is_first.then_some(0)));
        }
        let keys: Vec<ArrayRef> = self.keys.iter().map(|&key| Arc::clone(batch.column(key))).collect();
        let converted = self.converter.convert_columns(&keys).expect(OF_THE_SCHEMA);
        let mut places = Vec::with_capacity(batch.num_rows());
        let mut firsts = Vec::new();
        for (row, key) in (0..).zip(converted.iter()) {
            let key = key.as_ref();
            let place = self.places.get(key).copied().unwrap_or_else(|| {
                let next = self.places.len();
                self.places.insert(key.into(), next);
                self.key_bytes += key.len() + KEY_BYTES;
                firsts.push(row);
                next
            });
            places.push(place);
        }
        (places, firsts)
    }

    /// Puts the metrics into the segment, those that changed since the last time.
    pub(crate) fn write_metrics(&mut self, segment: &mut ConsumingSegment) {
        let arrow = self.schema.arrow_schema();
        let is_changed = |rows: &Range<usize>| {
            let blocks = rows.start / BLOCK_ROWS..rows.end.div_ceil(BLOCK_ROWS);
            self.changed[blocks].contains(&true)
        };
        let values = |column: usize, rows: &Range<usize>| {
            let at = self.columns.iter().position(|&known| known == column).expect("asked for a metric");
            self.metrics[at].array(arrow.field(column).data_type(), rows)
        };
        segment.revise(&self.columns, is_changed, values);
        self.changed.fill(false);
    }

    /// Returns the memory it takes beside the segment, roughly.
    pub(crate) fn memory_bytes(&self) -> usize {
        let metrics: usize = self.metrics.iter().map(Metric::memory_bytes).sum();
        self.key_bytes + metrics
    }

    /// Returns how many rows were rolled up into others.
    pub(crate) fn merged_rows(&self) -> u64 {
        self.rows_taken - self.rows as u64
    }
}

impl Metric {
    fn of(data_type: &DataType) -> Metric {
        match data_type {
            DataType::Int32 | DataType::Int64 => Metric::Whole(Vec::new()),
            DataType::Decimal256(..) => Metric::Decimal(Vec::new()),
            _ => Metric::Double(Vec::new()),
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Metric::Whole(values) => values.capacity() * size_of::<Option<i64>>(),
            Metric::Double(values) => values.capacity() * size_of::<Option<f64>>(),
            Metric::Decimal(values) => values.capacity() * size_of::<Option<i256>>(),
        }
    }

    /// Takes the values of rows, each into its key's place. Null changes nothing.
    fn add(&mut self, function: RollUpFunction, column: &ArrayRef, places: &[usize]) {
        match self {
            Metric::Whole(values) => {
                let column = cast(column, &DataType::Int64).expect(OF_THE_SCHEMA);
                put(values, places, column.as_primitive::<Int64Type>().iter(), |a, b| match function {
                    RollUpFunction::Sum => a.saturating_add(b),
                    RollUpFunction::Min => a.min(b),
                    RollUpFunction::Max => a.max(b),
                });
            }
            Metric::Double(values) => {
                let column = cast(column, &DataType::Float64).expect(OF_THE_SCHEMA);
                put(values, places, column.as_primitive::<Float64Type>().iter(), |a, b| match function {
                    RollUpFunction::Sum => a + b,
                    RollUpFunction::Min => a.min(b),
                    RollUpFunction::Max => a.max(b),
                });
            }
            Metric::Decimal(values) => {
                put(values, places, column.as_primitive::<Decimal256Type>().iter(), |a, b| match function {
                    RollUpFunction::Sum => {
                        a.checked_add(b).unwrap_or(if b < i256::ZERO { i256::MIN } else { i256::MAX })
                    }
                    RollUpFunction::Min => a.min(b),
                    RollUpFunction::Max => a.max(b),
                });
            }
        }
    }

    /// Returns the values of some rows in a column's type. Whole numbers that do not fit stay at its edge.
    fn array(&self, data_type: &DataType, rows: &Range<usize>) -> ArrayRef {
        let rows = rows.clone();
        match (self, data_type) {
            (Metric::Whole(values), DataType::Int32) => {
                let clamp = |value: i64| value.clamp(i32::MIN.into(), i32::MAX.into());
                let clamped: Int64Array = values[rows].iter().map(|value| value.map(clamp)).collect();
                cast(&clamped, data_type).expect(OF_THE_SCHEMA)
            }
            (Metric::Whole(values), _) => Arc::new(values[rows].iter().copied().collect::<Int64Array>()),
            (Metric::Double(values), _) => {
                let doubles: Float64Array = values[rows].iter().copied().collect();
                cast(&doubles, data_type).expect(OF_THE_SCHEMA)
            }
            (Metric::Decimal(values), _) => {
                let decimals: Decimal256Array = values[rows].iter().copied().collect();
                Arc::new(decimals.with_data_type(data_type.clone()))
            }
        }
    }
}

fn put<T: Copy>(
    values: &mut Vec<Option<T>>,
    places: &[usize],
    added: impl Iterator<Item = Option<T>>,
    combine: impl Fn(T, T) -> T,
) {
    for (&place, added) in places.iter().zip(added) {
        if place == values.len() {
            values.push(added);
        } else if let Some(added) = added {
            values[place] = Some(values[place].map_or(added, |value| combine(value, added)));
        }
    }
}

#[cfg(test)]
mod tests;
