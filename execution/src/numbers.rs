//! The numbers that an aggregate adds up or compares, for some rows of a chunk.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use meunier_segment::column::{Column, ColumnValues};
use meunier_segment::dictionary::Dictionary;
use meunier_segment::ids::Ids;
use meunier_segment::schema::Field;

use crate::compute::Compute;
use crate::error::Result;
use crate::input::{ChunkView, InputColumn};
use crate::rows::ChunkRows;

/// What an aggregate reads.
#[derive(Debug, Clone)]
pub enum Input {
    /// A stored single-value column, as it is.
    Column(usize),
    /// Anything else.
    Computed {
        /// The columns it reads.
        columns: Vec<usize>,
        /// The computation.
        compute: Arc<dyn Compute>,
    },
}

/// A kind of numbers that aggregates work in.
pub(crate) trait Number: Copy + Default + PartialOrd + std::fmt::Debug + 'static {
    const TYPE: DataType;
    fn of_array(array: &ArrayRef) -> &[Self];
    fn of_i32(value: i32) -> Self;
    fn of_i64(value: i64) -> Self;
    /// Only for sums and bounds of the kind itself.
    fn of_f64(value: f64) -> Self;
    fn add(self, other: Self) -> Self;
    /// Orders all values, NaN included.
    fn less(self, other: Self) -> bool;
    fn sum(values: &[Self]) -> Self;
}

impl Number for f64 {
    const TYPE: DataType = DataType::Float64;

    fn of_array(array: &ArrayRef) -> &[f64] {
        array.as_primitive::<Float64Type>().values()
    }

    fn of_i32(value: i32) -> f64 {
        f64::from(value)
    }

    fn of_i64(value: i64) -> f64 {
        value as f64
    }

    fn of_f64(value: f64) -> f64 {
        value
    }

    fn add(self, other: f64) -> f64 {
        self + other
    }

    fn less(self, other: f64) -> bool {
        self.total_cmp(&other).is_lt()
    }

    fn sum(values: &[f64]) -> f64 {
        // Eight sums side by side fill vector registers; one after the other would wait for each addition.
        let mut lanes = [0.0; 8];
        let parts = values.chunks_exact(8);
        let rest: f64 = parts.remainder().iter().sum();
        for part in parts {
            for (lane, value) in lanes.iter_mut().zip(part) {
                *lane += value;
            }
        }
        lanes.iter().sum::<f64>() + rest
    }
}

impl Number for i64 {
    const TYPE: DataType = DataType::Int64;

    fn of_array(array: &ArrayRef) -> &[i64] {
        array.as_primitive::<Int64Type>().values()
    }

    fn of_i32(value: i32) -> i64 {
        i64::from(value)
    }

    fn of_i64(value: i64) -> i64 {
        value
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a sum that overflows whole numbers is inexact anyhow"
    )]
    fn of_f64(value: f64) -> i64 {
        value as i64
    }

    fn add(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }

    fn less(self, other: i64) -> bool {
        self < other
    }

    fn sum(values: &[i64]) -> i64 {
        values.iter().fold(0, |sum, &value| sum.wrapping_add(value))
    }
}

/// Reads one input as numbers of one kind.
#[derive(Debug)]
pub(crate) struct NumberReader<T> {
    input: Input,
    columns: Arc<[InputColumn]>,
    column: Option<(Column, bool)>,
    /// The numbers of the dictionary last seen.
    dictionary: Option<(Arc<Dictionary>, Vec<T>)>,
}

impl<T: Number> NumberReader<T> {
    pub(crate) fn new(input: &Input, columns: &Arc<[InputColumn]>) -> NumberReader<T> {
        NumberReader { input: input.clone(), columns: Arc::clone(columns), column: None, dictionary: None }
    }

    /// Returns whether every row has a number.
    pub(crate) fn is_never_null(&self) -> bool {
        match &self.input {
            Input::Column(column) => {
                matches!(&self.columns[*column], InputColumn::Stored { shows_nulls: false, .. })
            }
            Input::Computed { .. } => false,
        }
    }

    /// Returns the column that is read as it is.
    pub(crate) fn field(&self) -> Option<&Field> {
        match (&self.input, &*self.columns) {
            (Input::Column(column), columns) => match &columns[*column] {
                InputColumn::Stored { field, .. } => Some(field),
                _ => None,
            },
            (Input::Computed { .. }, _) => None,
        }
    }

    /// Makes ready for the rows of a chunk.
    pub(crate) fn open(&mut self, view: &ChunkView<'_>) -> Result<()> {
        let Input::Column(column) = &self.input else { return Ok(()) };
        let InputColumn::Stored { field, shows_nulls } = &self.columns[*column] else {
            unreachable!("only stored columns are read as they are");
        };
        let stored = view.stored(field)?;
        if let ColumnValues::Ids { dictionary, .. } = &stored.values {
            let known = matches!(&self.dictionary, Some((known, _)) if Arc::ptr_eq(known, dictionary));
            if !known {
                let values = numbers_of(&dictionary.scan_values()?)?;
                self.dictionary = Some((Arc::clone(dictionary), values));
            }
        }
        self.column = Some((stored, *shows_nulls));
        Ok(())
    }

    /// Puts the rows' numbers into `out`, and returns which of them are null.
    pub(crate) fn read(
        &self,
        view: &ChunkView<'_>,
        rows: &ChunkRows,
        out: &mut Vec<T>,
    ) -> Result<Option<NullBuffer>> {
        out.clear();
        match (&self.input, &self.column) {
            (Input::Column(_), Some((column, shows_nulls))) => {
                self.read_column(column, rows, out);
                let nulls = column.nulls.as_ref().filter(|_| *shows_nulls);
                Ok(nulls.map(|nulls| valid_rows(nulls, rows)))
            }
            (Input::Computed { columns, compute }, _) => {
                let mut inputs = Vec::with_capacity(columns.len());
                for &column in columns {
                    inputs.push(view.values(&self.columns[column], rows)?);
                }
                let computed = compute.compute(&inputs, rows.len())?;
                let array = cast(&computed, &T::TYPE)?;
                out.extend_from_slice(T::of_array(&array));
                Ok(array.nulls().cloned())
            }
            (Input::Column(_), None) => unreachable!("a chunk is opened before it is read"),
        }
    }

    /// Returns the rows' numbers without copying, where they lie side by side in this kind and none is null.
    pub(crate) fn slice(&self, rows: &ChunkRows) -> Option<&[T]> {
        let (Some((column, shows_nulls)), ChunkRows::Range(range)) = (&self.column, rows) else {
            return None;
        };
        let ColumnValues::Plain(values) = &column.values else { return None };
        let hidden = column.nulls.is_none() || !shows_nulls;
        (hidden && *values.data_type() == T::TYPE).then(|| &T::of_array(values)[range.clone()])
    }

    fn read_column(&self, column: &Column, rows: &ChunkRows, out: &mut Vec<T>) {
        match (&column.values, &self.dictionary) {
            (ColumnValues::Ids { ids, .. }, Some((_, numbers))) => match ids {
                Ids::U8(ids) => push_each(rows, out, |row| numbers[ids[row] as usize]),
                Ids::U16(ids) => push_each(rows, out, |row| numbers[ids[row] as usize]),
                Ids::U32(ids) => push_each(rows, out, |row| numbers[ids[row] as usize]),
            },
            (ColumnValues::Plain(values), _) => match values.data_type() {
                DataType::Int32 => {
                    let values = values.as_primitive::<Int32Type>().values();
                    push_each(rows, out, |row| T::of_i32(values[row]));
                }
                DataType::Int64 => {
                    let values = values.as_primitive::<Int64Type>().values();
                    push_each(rows, out, |row| T::of_i64(values[row]));
                }
                DataType::Timestamp(..) => {
                    let values = values.as_primitive::<TimestampMillisecondType>().values();
                    push_each(rows, out, |row| T::of_i64(values[row]));
                }
                own if *own == T::TYPE => {
                    let values = T::of_array(values);
                    push_each(rows, out, |row| values[row]);
                }
                _ => {
                    let values = numbers_of::<T>(values).expect("numbers cast to wider ones");
                    push_each(rows, out, |row| values[row]);
                }
            },
            _ => unreachable!("only single-value columns are read as they are"),
        }
    }
}

/// Reads which rows of one input are null.
#[derive(Debug)]
pub(crate) struct NullReader {
    input: Input,
    columns: Arc<[InputColumn]>,
}

impl NullReader {
    pub(crate) fn new(input: &Input, columns: &Arc<[InputColumn]>) -> NullReader {
        NullReader { input: input.clone(), columns: Arc::clone(columns) }
    }

    pub(crate) fn read(&self, view: &ChunkView<'_>, rows: &ChunkRows) -> Result<Option<NullBuffer>> {
        match &self.input {
            Input::Column(column) => match &self.columns[*column] {
                InputColumn::Stored { shows_nulls: false, .. } => Ok(None),
                InputColumn::Stored { field, shows_nulls: true } => {
                    let nulls = view.stored(field)?.nulls;
                    Ok(nulls.map(|nulls| valid_rows(&nulls, rows)))
                }
                other => Ok(view.values(other, rows)?.nulls().cloned()),
            },
            Input::Computed { columns, compute } => {
                let mut inputs = Vec::with_capacity(columns.len());
                for &column in columns {
                    inputs.push(view.values(&self.columns[column], rows)?);
                }
                Ok(compute.compute(&inputs, rows.len())?.nulls().cloned())
            }
        }
    }
}

pub(crate) fn valid_rows(nulls: &NullBuffer, rows: &ChunkRows) -> NullBuffer {
    let mut valid = Vec::with_capacity(rows.len());
    rows.for_each(|row| valid.push(nulls.is_valid(row)));
    NullBuffer::from(valid)
}

fn push_each<T>(rows: &ChunkRows, out: &mut Vec<T>, number: impl Fn(usize) -> T) {
    match rows {
        ChunkRows::Range(range) => out.extend(range.clone().map(number)),
        ChunkRows::List(rows) => out.extend(rows.iter().map(|&row| number(row as usize))),
    }
}

fn numbers_of<T: Number>(values: &ArrayRef) -> Result<Vec<T>> {
    Ok(T::of_array(&cast(values, &T::TYPE)?).to_vec())
}
