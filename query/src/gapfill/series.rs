//! The rows of time series with their gaps filled, bucket after bucket. Reads no clock and waits for nothing.

use std::collections::HashMap;
use std::fmt;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::Int64Type;
use arrow::row::{RowConverter, SortField};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::scalar::ScalarValue;

/// What fills which gaps, columns by their positions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct Gaps {
    /// The column of times, milliseconds since the epoch.
    pub(super) millis: usize,
    /// The columns that tell series apart.
    pub(super) keys: Vec<usize>,
    /// The columns that keep the last value; others get the default of their type.
    pub(super) filled: Vec<usize>,
    /// The first bucket.
    pub(super) start: i64,
    /// Where buckets end.
    pub(super) end: i64,
    /// A bucket's length.
    pub(super) step: i64,
}

impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gaps { start, end, step, keys, filled, .. } = self;
        write!(f, "from {start} to {end} by {step} ms, series by {keys:?}, last values of {filled:?}")
    }
}

/// Series and how far they are written.
#[derive(Debug)]
pub(super) struct Series {
    gaps: Gaps,
    /// The columns of all rows, with a row of defaults behind the last one.
    columns: Vec<ArrayRef>,
    schema: arrow::datatypes::SchemaRef,
    default_row: u32,
    /// Rows that lie on a bucket, by bucket and then as they came.
    rows: Vec<(i64, u32)>,
    written: usize,
    series_of_row: Vec<usize>,
    /// A row of each series.
    examples: Vec<u32>,
    /// The last row of each series before the next bucket.
    previous: Vec<Option<u32>>,
    next_bucket: i64,
}

impl Series {
    /// Returns the series of all rows, none of them written.
    pub(super) fn new(batch: &RecordBatch, gaps: Gaps) -> Result<Series> {
        let Ok(default_row) = u32::try_from(batch.num_rows()) else {
            return exec_err!("GAPFILL takes fewer than 2^32 rows");
        };
        let millis = batch.column(gaps.millis).as_primitive::<Int64Type>();
        let fields = gaps.keys.iter().map(|&key| SortField::new(batch.column(key).data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let keys: Vec<ArrayRef> = gaps.keys.iter().map(|&key| ArrayRef::clone(batch.column(key))).collect();
        let keys = match keys.is_empty() {
            true => None,
            false => Some(converter.convert_columns(&keys)?),
        };
        let mut known = HashMap::new();
        let mut series = Series {
            columns: with_default_row(batch)?,
            schema: batch.schema(),
            default_row,
            rows: Vec::new(),
            written: 0,
            series_of_row: vec![usize::MAX; batch.num_rows()],
            examples: Vec::new(),
            previous: Vec::new(),
            next_bucket: gaps.start,
            gaps,
        };
        for (row, (id, time)) in (0..default_row).zip(millis.iter().enumerate()) {
            let Some(time) = time.filter(|&time| time < series.gaps.end) else { continue };
            let key = keys.as_ref().map(|keys| keys.row(id).owned());
            let next = known.len();
            let of_series = *known.entry(key).or_insert(next);
            if of_series == next {
                series.examples.push(row);
                series.previous.push(None);
            }
            series.series_of_row[id] = of_series;
            if time < series.gaps.start {
                let last = series.previous[of_series].map(|last| millis.value(last as usize));
                if last.is_none_or(|last| last < time) {
                    series.previous[of_series] = Some(row);
                }
            } else if (time - series.gaps.start) % series.gaps.step == 0 {
                series.rows.push((time, row));
            }
        }
        series.rows.sort();
        Ok(series)
    }

    /// Returns the next buckets, about so many rows of them, or nothing behind the last one.
    pub(super) fn next_batch(&mut self, rows: usize) -> Result<Option<RecordBatch>> {
        let mut picked = Picked::default();
        while picked.millis.len() < rows && self.next_bucket < self.gaps.end && !self.examples.is_empty() {
            self.write_bucket(&mut picked);
            self.next_bucket += self.gaps.step;
        }
        if picked.millis.is_empty() {
            return Ok(None);
        }
        let (rows, keys, last) =
            (UInt32Array::from(picked.rows), UInt32Array::from(picked.keys), UInt32Array::from(picked.last));
        let mut columns = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            columns.push(match at {
                at if at == self.gaps.millis => {
                    std::sync::Arc::new(Int64Array::from(picked.millis.clone())) as ArrayRef
                }
                at if self.gaps.keys.contains(&at) => take(column, &keys, None)?,
                at if self.gaps.filled.contains(&at) => take(column, &last, None)?,
                _ => take(column, &rows, None)?,
            });
        }
        Ok(Some(RecordBatch::try_new(self.schema.clone(), columns)?))
    }

    /// Writes the rows that a bucket has, and one for each series that has none.
    fn write_bucket(&mut self, picked: &mut Picked) {
        let mut has_row = vec![false; self.examples.len()];
        while let Some(&(time, row)) =
            self.rows.get(self.written).filter(|(time, _)| *time <= self.next_bucket)
        {
            self.written += 1;
            let series = self.series_of_row[row as usize];
            has_row[series] = true;
            self.previous[series] = Some(row);
            picked.push(time, row, row, row);
        }
        for (series, _) in has_row.iter().enumerate().filter(|(_, has_row)| !**has_row) {
            let last = self.previous[series].unwrap_or(self.default_row);
            picked.push(self.next_bucket, self.default_row, self.examples[series], last);
        }
    }
}

/// The rows that values are taken from, for each row written.
#[derive(Debug, Default)]
struct Picked {
    millis: Vec<i64>,
    rows: Vec<u32>,
    keys: Vec<u32>,
    last: Vec<u32>,
}

impl Picked {
    fn push(&mut self, millis: i64, row: u32, key: u32, last: u32) {
        self.millis.push(millis);
        self.rows.push(row);
        self.keys.push(key);
        self.last.push(last);
    }
}

/// Returns the columns with a row of zeros, empty texts and empty lists behind the last one.
fn with_default_row(batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    let mut columns = Vec::with_capacity(batch.num_columns());
    for column in batch.columns() {
        let default = ScalarValue::new_default(column.data_type())?.to_array()?;
        columns.push(concat(&[column.as_ref(), default.as_ref()])?);
    }
    Ok(columns)
}
