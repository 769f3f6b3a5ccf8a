//! Percentiles of values that are kept until there are too many: `percentile`, `percentileEst`, `percentileSmartTDigest`.
//!
//! Up to the threshold the answer is the value itself at that rank, as Pinot's `percentile` takes it: element
//! `size * percentile / 100` of the values in order. Beyond it the values go into a t-digest. `percentile` has no threshold;
//! `percentileEst`, whose digest in Pinot is wrong by up to five per cent of the ranks, is exact below the threshold of the
//! smart form.

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array};
use datafusion::common::exec_err;
use datafusion::error::Result;

use super::digest::{Digest, Scratch};
use crate::aggregate::columns::{doubles, longs};
use crate::aggregate::computation::{Computation, array};
use crate::aggregate::serial::{Reader, Write};

/// Values of a group that the smart forms keep before they go into a digest.
pub(crate) const EXACT_VALUES_MAX: usize = 100_000;
const EXACT: u8 = 0;
const DIGESTED: u8 = 1;

/// A type whose percentiles are taken.
pub(crate) trait Sample: Copy + Send + Sync + 'static {
    type Column: Array;
    fn column(argument: &ArrayRef) -> Result<Self::Column>;
    fn at(column: &Self::Column, row: usize) -> Self;
    fn compare(&self, other: &Self) -> std::cmp::Ordering;
    fn to_double(self) -> f64;
    fn of_double(value: f64) -> Self;
    fn write(self, out: &mut Vec<u8>);
    fn read(reader: &mut Reader<'_>) -> Result<Self>;
    fn results(values: impl Iterator<Item = Option<Self>>) -> ArrayRef;
}

impl Sample for f64 {
    type Column = Float64Array;

    fn column(argument: &ArrayRef) -> Result<Float64Array> {
        doubles(argument)
    }

    fn at(column: &Float64Array, row: usize) -> f64 {
        column.values()[row]
    }

    fn compare(&self, other: &f64) -> std::cmp::Ordering {
        self.total_cmp(other)
    }

    fn to_double(self) -> f64 {
        self
    }

    fn of_double(value: f64) -> f64 {
        value
    }

    fn write(self, out: &mut Vec<u8>) {
        out.put_f64(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<f64> {
        reader.f64()
    }

    fn results(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
        array::<Float64Array, _>(values)
    }
}

impl Sample for i64 {
    type Column = Int64Array;

    fn column(argument: &ArrayRef) -> Result<Int64Array> {
        longs(argument)
    }

    fn at(column: &Int64Array, row: usize) -> i64 {
        column.values()[row]
    }

    fn compare(&self, other: &i64) -> std::cmp::Ordering {
        self.cmp(other)
    }

    fn to_double(self) -> f64 {
        self as f64
    }

    #[expect(clippy::cast_possible_truncation, reason = "it lies between two values of the type")]
    fn of_double(value: f64) -> i64 {
        value.round() as i64
    }

    fn write(self, out: &mut Vec<u8>) {
        out.put_i64(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<i64> {
        reader.i64()
    }

    fn results(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
        array::<Int64Array, _>(values)
    }
}

/// A percentile of values kept up to a threshold.
pub(crate) struct ListedPercentile {
    pub(crate) percentile: f64,
    pub(crate) threshold: usize,
    pub(crate) compression: f64,
}

/// A [`ListedPercentile`] of one type.
pub(crate) struct Listed<T> {
    settings: ListedPercentile,
    scratch: Scratch,
    sample: std::marker::PhantomData<T>,
}

impl<T: Sample> Listed<T> {
    pub(crate) fn new(settings: ListedPercentile) -> Listed<T> {
        Listed { settings, scratch: Scratch::default(), sample: std::marker::PhantomData }
    }

    fn put(&mut self, state: &mut Values<T>, value: T) -> Result<()> {
        match state {
            Values::Exact(values) if values.len() < self.settings.threshold => values.push(value),
            Values::Exact(values) => {
                let mut digest = Box::new(Digest::new(self.settings.compression));
                for value in values.iter().copied().chain([value]) {
                    digest.add(number(value)?, &mut self.scratch);
                }
                *state = Values::Digested(digest);
            }
            Values::Digested(digest) => digest.add(number(value)?, &mut self.scratch),
        }
        Ok(())
    }
}

/// What is kept of one group.
pub(crate) enum Values<T> {
    Exact(Vec<T>),
    Digested(Box<Digest>),
}

fn number<T: Sample>(value: T) -> Result<f64> {
    match value.to_double() {
        number if number.is_nan() => exec_err!("NaN has no place among the values of a t-digest"),
        number => Ok(number),
    }
}

impl<T: Sample> Computation for Listed<T> {
    type State = Values<T>;
    type Columns = T::Column;

    fn start(&self) -> Values<T> {
        Values::Exact(Vec::new())
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<T::Column> {
        T::column(&arguments[0])
    }

    fn add(&mut self, state: &mut Values<T>, columns: &T::Column, row: usize) -> Result<()> {
        self.put(state, T::at(columns, row))
    }

    fn write(&mut self, state: &mut Values<T>, out: &mut Vec<u8>) {
        match state {
            Values::Exact(values) if values.is_empty() => {}
            Values::Exact(values) => {
                out.put_u8(EXACT);
                values.iter().for_each(|value| value.write(out));
            }
            Values::Digested(digest) => {
                out.put_u8(DIGESTED);
                digest.write(out, &mut self.scratch);
            }
        }
    }

    fn merge(&mut self, state: &mut Values<T>, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        if reader.u8()? == EXACT {
            while !reader.is_at_end() {
                self.put(state, T::read(&mut reader)?)?;
            }
            return Ok(());
        }
        let mut merged = Digest::read(self.settings.compression, reader.0)?;
        match state {
            Values::Exact(values) => {
                for value in values {
                    merged.add(number(*value)?, &mut self.scratch);
                }
                *state = Values::Digested(Box::new(merged));
            }
            Values::Digested(digest) => digest.merge(merged, &mut self.scratch),
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Values<T>]) -> Result<ArrayRef> {
        let percentile = self.settings.percentile;
        let results = states.iter_mut().map(|state| match state {
            Values::Exact(values) => at_rank(values, percentile),
            Values::Digested(digest) => {
                digest.quantile(percentile / 100.0, &mut self.scratch).map(T::of_double)
            }
        });
        Ok(T::results(results))
    }

    fn heap_bytes(&self, state: &Values<T>) -> usize {
        match state {
            Values::Exact(values) => values.capacity() * size_of::<T>(),
            Values::Digested(digest) => size_of::<Digest>() + digest.heap_bytes(),
        }
    }
}

fn at_rank<T: Sample>(values: &mut [T], percentile: f64) -> Option<T> {
    let last = values.len().checked_sub(1)?;
    #[expect(clippy::cast_possible_truncation, reason = "cut off as Pinot cuts it off")]
    let rank = (values.len() as f64 * percentile / 100.0) as usize;
    let (_, found, _) = values.select_nth_unstable_by(rank.min(last), T::compare);
    Some(*found)
}
