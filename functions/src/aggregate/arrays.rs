//! Aggregates whose result is an array of numbers: `histogram`, `sumArrayLong`, `sumArrayDouble`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};
use datafusion::common::plan_err;
use datafusion::error::Result;

use super::call::Call;
use super::columns::{cast_to, check_number, doubles, longs};
use super::computation::{Computation, Groups, States, array};
use super::serial::{Reader, Write};
use super::udaf::Definition;

/// More bins than this nobody looks at.
const BINS_MAX: i64 = 100_000;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 3] = [
    Definition {
        description: Definition::describe(
            "histogram",
            &[],
            "histogram(column, lower, upper, bins) or histogram(column, ARRAY[edge, …])",
            "How many values lie in each bin; a bin holds its lower edge, the last one its upper edge too",
        ),
        arguments: 2..=4,
        elements: true,
        result: |types| {
            check_number("histogram", &types[0])?;
            Ok(list_of(DataType::Float64))
        },
        start: histogram,
    },
    Definition {
        description: Definition::describe(
            "sumArrayLong",
            &[],
            "sumArrayLong(column)",
            "The sums of the first elements, of the second ones and so on, as LONG",
        ),
        arguments: 1..=1,
        elements: false,
        result: |types| list_argument(types, DataType::Int64),
        start: |_| Ok(Groups::boxed(SumArray { of: DataType::Int64 })),
    },
    Definition {
        description: Definition::describe(
            "sumArrayDouble",
            &[],
            "sumArrayDouble(column)",
            "The sums of the first elements, of the second ones and so on, as DOUBLE",
        ),
        arguments: 1..=1,
        elements: false,
        result: |types| list_argument(types, DataType::Float64),
        start: |_| Ok(Groups::boxed(SumArray { of: DataType::Float64 })),
    },
];

/// Returns the type of a list.
pub(crate) fn list_of(data_type: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(data_type, true)))
}

fn list_argument(types: &[DataType], result: DataType) -> Result<DataType> {
    match &types[0] {
        DataType::List(_) => Ok(list_of(result)),
        other => plan_err!("sums of arrays are taken of a multi-value column, not of {other}"),
    }
}

/// Returns the array of lists, null where there is none.
pub(crate) fn lists(values: ArrayRef, lengths: impl Iterator<Item = Option<usize>>) -> Result<ArrayRef> {
    let (mut valid, mut plain) = (Vec::new(), Vec::new());
    for length in lengths {
        valid.push(length.is_some());
        plain.push(length.unwrap_or(0));
    }
    let element = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(plain);
    Ok(Arc::new(ListArray::try_new(element, offsets, values, Some(NullBuffer::from(valid)))?))
}

fn histogram(call: &Call) -> Result<Box<dyn States>> {
    let edges = match call.len() {
        2 => call.numbers(1)?,
        4 => {
            let (lower, upper) = (call.number(1)?, call.number(2)?);
            let bins = call.integer(3, 1..=BINS_MAX, 1)?;
            let width = (upper - lower) / bins as f64;
            let inner = (1..bins).map(|bin| bin as f64 * width + lower);
            std::iter::once(lower).chain(inner).chain([upper]).collect()
        }
        _ => return call.refuse("a histogram takes two or four arguments"),
    };
    if edges.len() < 2 || edges.windows(2).any(|pair| pair[0] >= pair[1]) {
        return call.refuse("the edges of a histogram are at least two, each larger than the one before");
    }
    let equal_width =
        (call.len() == 4).then(|| (edges[edges.len() - 1] - edges[0]) / (edges.len() - 1) as f64);
    Ok(Groups::boxed(Histogram { edges, equal_width }))
}

/// Counts of values between edges.
struct Histogram {
    edges: Vec<f64>,
    /// How wide each bin is, where all are of one width.
    equal_width: Option<f64>,
}

impl Histogram {
    fn bin(&self, value: f64) -> Option<usize> {
        let (bins, lower, upper) = (self.edges.len() - 1, self.edges[0], self.edges[self.edges.len() - 1]);
        if !(lower..=upper).contains(&value) {
            return None;
        }
        if value == upper {
            return Some(bins - 1);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the value lies between the edges")]
        Some(match self.equal_width {
            Some(width) => (((value - lower) / width).floor() as usize).min(bins - 1),
            None => self.edges.partition_point(|edge| *edge <= value) - 1,
        })
    }
}

impl Computation for Histogram {
    type State = Vec<f64>;
    type Columns = Float64Array;

    fn start(&self) -> Vec<f64> {
        Vec::new()
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Float64Array> {
        doubles(&arguments[0])
    }

    fn add(&mut self, state: &mut Vec<f64>, columns: &Float64Array, row: usize) -> Result<()> {
        state.resize(self.edges.len() - 1, 0.0);
        if let Some(bin) = self.bin(columns.values()[row]) {
            state[bin] += 1.0;
        }
        Ok(())
    }

    fn write(&mut self, state: &mut Vec<f64>, out: &mut Vec<u8>) {
        state.iter().for_each(|count| out.put_f64(*count));
    }

    fn merge(&mut self, state: &mut Vec<f64>, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        state.resize(self.edges.len() - 1, 0.0);
        for count in state {
            *count += reader.f64()?;
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Vec<f64>]) -> Result<ArrayRef> {
        let values = array::<Float64Array, _>(states.iter().flatten().copied().map(Some));
        lists(values, states.iter().map(|state| (!state.is_empty()).then_some(state.len())))
    }

    fn heap_bytes(&self, state: &Vec<f64>) -> usize {
        state.capacity() * size_of::<f64>()
    }
}

/// Sums of the elements at each position. Both kinds are kept as the bits of their type.
struct SumArray {
    of: DataType,
}

impl SumArray {
    fn put(&self, state: &mut Option<Vec<u64>>, position: usize, bits: u64) {
        let sums = state.get_or_insert_default();
        if position == sums.len() {
            sums.push(bits);
            return;
        }
        sums[position] = match self.of {
            DataType::Int64 => sums[position].wrapping_add(bits),
            _ => (f64::from_bits(sums[position]) + f64::from_bits(bits)).to_bits(),
        };
    }
}

impl Computation for SumArray {
    type State = Option<Vec<u64>>;
    type Columns = (ListArray, Vec<u64>);

    fn start(&self) -> Option<Vec<u64>> {
        None
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<(ListArray, Vec<u64>)> {
        let lists = cast_to(&arguments[0], &list_of(self.of.clone()))?.as_list::<i32>().clone();
        let bits = match self.of {
            DataType::Int64 => longs(lists.values())?.values().iter().map(|v| v.cast_unsigned()).collect(),
            _ => doubles(lists.values())?.values().iter().map(|value| value.to_bits()).collect(),
        };
        Ok((lists, bits))
    }

    fn add(&mut self, state: &mut Option<Vec<u64>>, columns: &Self::Columns, row: usize) -> Result<()> {
        let (lists, bits) = columns;
        let range = lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize;
        state.get_or_insert_default();
        for (position, element) in range.enumerate() {
            let is_null = lists.values().is_null(element);
            self.put(state, position, if is_null { 0 } else { bits[element] });
        }
        Ok(())
    }

    fn write(&mut self, state: &mut Option<Vec<u64>>, out: &mut Vec<u8>) {
        if let Some(sums) = state {
            out.put_length(sums.len());
            sums.iter().for_each(|bits| out.put_u64(*bits));
        }
    }

    fn merge(&mut self, state: &mut Option<Vec<u64>>, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        state.get_or_insert_default();
        for position in 0..reader.length()? {
            self.put(state, position, reader.u64()?);
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Option<Vec<u64>>]) -> Result<ArrayRef> {
        let bits = states.iter().flatten().flatten().copied();
        let values = match self.of {
            DataType::Int64 => array::<Int64Array, _>(bits.map(|bits| Some(bits.cast_signed()))),
            _ => array::<Float64Array, _>(bits.map(|bits| Some(f64::from_bits(bits)))),
        };
        lists(values, states.iter().map(|state| state.as_ref().map(Vec::len)))
    }

    fn heap_bytes(&self, state: &Option<Vec<u64>>) -> usize {
        state.as_ref().map_or(0, |sums| sums.capacity() * size_of::<u64>())
    }
}
