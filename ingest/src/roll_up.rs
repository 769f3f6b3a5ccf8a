//! Makes one row of those that differ in their metrics only.
//!
//! While a segment consumes, readers see the rows as they came: aggregates over them are the same, since each row holds
//! its own share. What is kept here beside them, the rolled up rows, takes the segment's place when it is sealed.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Decimal256Array, Float64Array, Int64Array, RecordBatch, RecordBatchOptions,
    UInt32Array,
};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Decimal256Type, Float64Type, Int64Type, i256};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use meunier_catalog::table_config::{MetricRollUp, RollUpFunction};
use meunier_segment::row_buffer::RowBuffer;
use meunier_segment::schema::{FieldRole, Schema};

/// What a key takes in the table of places beside its bytes.
const KEY_BYTES: usize = 48;

/// The rolled up rows of one segment.
#[derive(Debug)]
pub(crate) struct RollUp {
    schema: Arc<Schema>,
    functions: Vec<(usize, RollUpFunction)>,
    keys: Vec<usize>,
    converter: RowConverter,
    /// The place of each key, by its bytes as the converter writes them.
    places: HashMap<Box<[u8]>, usize>,
    /// The first row of each key, its metrics as they came.
    firsts: Vec<RecordBatch>,
    /// The offset of each key's first row.
    offsets: Vec<i64>,
    metrics: Vec<Metric>,
    rows_taken: u64,
    /// What keys and first rows take; the metrics are counted by their lengths.
    bytes: usize,
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
        let functions: Vec<_> = metrics.iter().filter_map(function).collect();
        let fields = schema.fields().iter().enumerate();
        let keys: Vec<usize> =
            fields.filter(|(_, field)| field.role != FieldRole::Metric).map(|(at, _)| at).collect();
        let arrow = schema.arrow_schema();
        let sorts = keys.iter().map(|&key| SortField::new(arrow.field(key).data_type().clone()));
        let metrics = functions.iter().map(|&(column, _)| Metric::of(arrow.field(column).data_type()));
        Ok(RollUp {
            converter: RowConverter::new(sorts.collect())?,
            metrics: metrics.collect(),
            keys,
            functions,
            schema,
            places: HashMap::new(),
            firsts: Vec::new(),
            offsets: Vec::new(),
            rows_taken: 0,
            bytes: 0,
        })
    }

    /// Takes decoded rows.
    ///
    /// # Errors
    /// When they cannot be read as the schema's columns, which would be a bug.
    pub(crate) fn add(&mut self, rows: &RowBuffer) -> Result<(), ArrowError> {
        let batch = rows.to_batch();
        let keys: Vec<ArrayRef> = self.keys.iter().map(|&key| Arc::clone(batch.column(key))).collect();
        let mut firsts = Vec::new();
        let mut places = Vec::with_capacity(batch.num_rows());
        if keys.is_empty() {
            let is_first = self.offsets.is_empty() && batch.num_rows() > 0;
            firsts.extend(is_first.then_some(0));
            places.resize(batch.num_rows(), 0);
        } else {
            let converted = self.converter.convert_columns(&keys)?;
            for (row, key) in (0..).zip(converted.iter()) {
                let key = key.as_ref();
                let place = self.places.get(key).copied().unwrap_or_else(|| {
                    let next = self.places.len();
                    self.places.insert(key.into(), next);
                    self.bytes += key.len() + KEY_BYTES;
                    firsts.push(row);
                    next
                });
                places.push(place);
            }
        }
        self.offsets.extend(firsts.iter().map(|&row: &u32| rows.offsets[row as usize]));
        for ((column, function), metric) in self.functions.iter().zip(&mut self.metrics) {
            metric.add(*function, batch.column(*column), &places)?;
        }
        if !firsts.is_empty() {
            let firsts = take_record_batch(&batch, &UInt32Array::from(firsts))?;
            self.bytes += firsts.get_array_memory_size();
            self.firsts.push(firsts);
        }
        self.rows_taken += batch.num_rows() as u64;
        Ok(())
    }

    /// Returns the memory it takes, roughly.
    pub(crate) fn memory_bytes(&self) -> usize {
        let metrics: usize = self.metrics.iter().map(Metric::memory_bytes).sum();
        self.bytes + self.offsets.capacity() * size_of::<i64>() + metrics
    }

    /// Returns how many rows were rolled up into others.
    pub(crate) fn merged_rows(&self) -> u64 {
        self.rows_taken - self.offsets.len() as u64
    }

    /// Returns the rows with their metrics, and each one's offset.
    ///
    /// # Errors
    /// When the rows are together too much for one array.
    pub(crate) fn finish(&self) -> Result<(RecordBatch, &[i64]), ArrowError> {
        let arrow = self.schema.arrow_schema();
        let firsts = concat_batches(&arrow, &self.firsts)?;
        let mut columns = firsts.columns().to_vec();
        for ((column, _), metric) in self.functions.iter().zip(&self.metrics) {
            columns[*column] = metric.array(arrow.field(*column).data_type())?;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(firsts.num_rows()));
        Ok((RecordBatch::try_new_with_options(arrow, columns, &options)?, &self.offsets))
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
    fn add(
        &mut self,
        function: RollUpFunction,
        column: &ArrayRef,
        places: &[usize],
    ) -> Result<(), ArrowError> {
        match self {
            Metric::Whole(values) => {
                let column = cast(column, &DataType::Int64)?;
                put(values, places, column.as_primitive::<Int64Type>().iter(), |a, b| match function {
                    RollUpFunction::Sum => a.saturating_add(b),
                    RollUpFunction::Min => a.min(b),
                    RollUpFunction::Max => a.max(b),
                });
            }
            Metric::Double(values) => {
                let column = cast(column, &DataType::Float64)?;
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
        Ok(())
    }

    fn array(&self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        match (self, data_type) {
            (Metric::Whole(values), DataType::Int32) => {
                let clamp = |value: i64| value.clamp(i32::MIN.into(), i32::MAX.into());
                let clamped: Int64Array = values.iter().map(|value| value.map(clamp)).collect();
                cast(&clamped, data_type)
            }
            (Metric::Whole(values), _) => Ok(Arc::new(Int64Array::from(values.clone()))),
            (Metric::Double(values), _) => cast(&Float64Array::from(values.clone()), data_type),
            (Metric::Decimal(values), _) => {
                Ok(Arc::new(Decimal256Array::from(values.clone()).with_data_type(data_type.clone())))
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
