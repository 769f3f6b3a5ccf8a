//! Aggregates over the distinct numbers of a group: `mode`, `distinctSum`, `distinctAvg`.

use std::hash::BuildHasher;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::call::Call;
use super::cell::{Cell, CellColumn, cells_to_array};
use super::columns::{check_number, doubles};
use super::computation::{Computation, Groups, States, array};
use super::serial::{Reader, Write};
use super::udaf::Definition;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 3] = [
    Definition {
        description: Definition::describe(
            "mode",
            &[],
            "mode(column[, 'MIN' | 'MAX' | 'AVG'])",
            "The most frequent value; of several the smallest, the largest or their mean",
        ),
        arguments: 1..=2,
        elements: true,
        result: double,
        start: mode,
    },
    Definition {
        description: Definition::describe(
            "distinctSum",
            &["distinctSumMV"],
            "distinctSum(column)",
            "The sum of the distinct values",
        ),
        arguments: 1..=1,
        elements: true,
        result: double,
        start: |call| Ok(counts(call, |values| values.map(|(value, _)| value).sum())),
    },
    Definition {
        description: Definition::describe(
            "distinctAvg",
            &["distinctAvgMV"],
            "distinctAvg(column)",
            "The mean of the distinct values",
        ),
        arguments: 1..=1,
        elements: true,
        result: double,
        start: |call| Ok(counts(call, |values| mean(values.map(|(value, _)| value)))),
    },
];

type Answer = fn(&mut dyn Iterator<Item = (f64, u64)>) -> f64;

fn double(types: &[DataType]) -> Result<DataType> {
    check_number("the aggregate", &types[0])?;
    Ok(DataType::Float64)
}

fn counts(call: &Call, answer: Answer) -> Box<dyn States> {
    // Whole numbers are told apart beyond the precision of a double.
    let kept = match call.types[0] {
        DataType::Int32 | DataType::Int64 | DataType::Timestamp(..) | DataType::Boolean => DataType::Int64,
        _ => DataType::Float64,
    };
    Groups::boxed(Counts { kept, answer })
}

fn mode(call: &Call) -> Result<Box<dyn States>> {
    let reducer = if call.len() > 1 { call.text(1)?.to_uppercase() } else { "MIN".to_owned() };
    Ok(counts(
        call,
        match reducer.as_str() {
            "MIN" => |values| most_frequent(values).into_iter().fold(f64::INFINITY, f64::min),
            "MAX" => |values| most_frequent(values).into_iter().fold(f64::NEG_INFINITY, f64::max),
            "AVG" => |values| mean(most_frequent(values).into_iter()),
            _ => return call.refuse(&format!("`{reducer}` is no way to choose between modes")),
        },
    ))
}

fn most_frequent(values: &mut dyn Iterator<Item = (f64, u64)>) -> Vec<f64> {
    let (mut modes, mut most) = (Vec::new(), 0);
    for (value, count) in values {
        if count > most {
            modes.clear();
            most = count;
        }
        if count == most {
            modes.push(value);
        }
    }
    modes
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0_u64, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / count as f64
}

/// How often each number occurs.
struct Counts {
    kept: DataType,
    answer: Answer,
}

type Frequencies = HashMap<u64, u64, FixedState>;

impl Computation for Counts {
    type State = Frequencies;
    type Columns = CellColumn;

    fn start(&self) -> Frequencies {
        HashMap::with_hasher(FixedState::default())
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<CellColumn> {
        CellColumn::new(&arguments[0], &self.kept)
    }

    fn add(&mut self, state: &mut Frequencies, columns: &CellColumn, row: usize) -> Result<()> {
        *state.entry(columns.at(row).bits()).or_insert(0) += 1;
        Ok(())
    }

    fn write(&mut self, state: &mut Frequencies, out: &mut Vec<u8>) {
        for (bits, count) in &*state {
            out.put_u64(*bits);
            out.put_u64(*count);
        }
    }

    fn merge(&mut self, state: &mut Frequencies, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        while !reader.is_at_end() {
            let bits = reader.u64()?;
            *state.entry(bits).or_insert(0) += reader.u64()?;
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Frequencies]) -> Result<ArrayRef> {
        let mut results = Vec::with_capacity(states.len());
        for state in states {
            if state.is_empty() {
                results.push(None);
                continue;
            }
            let (cells, counts): (Vec<Cell>, Vec<u64>) =
                state.iter().map(|(bits, count)| (Cell::Number(*bits), *count)).unzip();
            let values = doubles(&cells_to_array(cells.iter().map(Some), &self.kept)?)?;
            results.push(Some((self.answer)(&mut values.values().iter().copied().zip(counts))));
        }
        Ok(array::<Float64Array, _>(results.into_iter()))
    }

    fn heap_bytes(&self, state: &Frequencies) -> usize {
        state.allocation_size()
    }
}

/// Returns a hash that is the same in every partition and process.
pub(crate) fn hash_of(value: impl std::hash::Hash) -> u64 {
    FixedState::default().hash_one(value)
}
