//! `idSet`: all values of a group as a set that `inIdSet` can be asked for.

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type};
use datafusion::common::plan_err;
use datafusion::error::Result;

use super::call::Call;
use super::columns::{cast_to, longs};
use super::computation::{Computation, Groups, States, array};
use super::udaf::Definition;
use crate::id_set::{Id, IdSet};

/// The one of them.
pub(crate) static DEFINITIONS: [Definition; 1] = [Definition {
    description: Definition::describe(
        "idSet",
        &[],
        "idSet(column[, 'expectedInsertions=5000000;fpp=0.03'])",
        "The set of all values, in Base64, for `inIdSet`; of texts and fractions a bloom filter",
    ),
    arguments: 1..=2,
    elements: true,
    result: |types| match &types[0] {
        DataType::Int32
        | DataType::Int64
        | DataType::Boolean
        | DataType::Timestamp(..)
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Binary => Ok(DataType::Utf8),
        other => plan_err!("there are no sets of {other}"),
    },
    start: id_set,
}];

fn id_set(call: &Call) -> Result<Box<dyn States>> {
    let mut settings = Ids { of: call.types[0].clone(), expected: 5_000_000, false_positives: 0.03 };
    for (key, value) in call.parameters(1)? {
        match (key.as_str(), value.parse::<f64>()) {
            // Bitmaps stay bitmaps here, however large: they answer exactly.
            ("sizethresholdinbytes", Ok(_)) => {}
            ("expectedinsertions", Ok(expected)) if (1.0..=1e9).contains(&expected) => {
                #[expect(clippy::cast_possible_truncation, reason = "it is in the range")]
                let expected = expected as u32;
                settings.expected = expected;
            }
            ("fpp", Ok(fpp)) if fpp > 0.0 && fpp < 1.0 => settings.false_positives = fpp,
            _ => return call.refuse(&format!("`{key}={value}` is no parameter that is known")),
        }
    }
    Ok(Groups::boxed(settings))
}

/// Sets of the values of a column.
struct Ids {
    of: DataType,
    expected: u32,
    false_positives: f64,
}

/// A set, and the bytes that it held when last asked; a bitmap is asked again when it has doubled.
pub(crate) struct State {
    set: IdSet,
    inserted: usize,
    bytes: usize,
}

impl Computation for Ids {
    type State = State;
    type Columns = ArrayRef;

    fn start(&self) -> State {
        State { set: IdSet::Empty, inserted: 0, bytes: 0 }
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        match self.of {
            DataType::Timestamp(..) => Ok(std::sync::Arc::new(longs(&arguments[0])?)),
            DataType::Boolean => cast_to(&arguments[0], &DataType::Int32),
            _ => cast_to(&arguments[0], &self.of),
        }
    }

    fn add(&mut self, state: &mut State, columns: &ArrayRef, row: usize) -> Result<()> {
        let id = match columns.data_type() {
            DataType::Int32 => Id::Int(columns.as_primitive::<Int32Type>().value(row)),
            DataType::Float32 => Id::Float(columns.as_primitive::<Float32Type>().value(row)),
            DataType::Float64 => Id::Double(columns.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => Id::Text(columns.as_string::<i32>().value(row)),
            DataType::Binary => Id::Bytes(columns.as_binary::<i32>().value(row)),
            _ => Id::Long(columns.as_primitive::<Int64Type>().value(row)),
        };
        if matches!(state.set, IdSet::Empty) {
            state.set = IdSet::for_ids(id, self.expected, self.false_positives);
        }
        state.set.insert(id);
        state.inserted += 1;
        if state.inserted.is_power_of_two() {
            state.bytes = state.set.bytes_held();
        }
        Ok(())
    }

    fn write(&mut self, state: &mut State, out: &mut Vec<u8>) {
        if !matches!(state.set, IdSet::Empty) {
            out.extend(state.set.to_bytes().expect("writing to memory does not fail"));
        }
    }

    fn merge(&mut self, state: &mut State, written: &[u8]) -> Result<()> {
        state.set.merge(IdSet::from_bytes(written)?)?;
        state.bytes = state.set.bytes_held();
        Ok(())
    }

    fn finish(&mut self, states: &mut [State]) -> Result<ArrayRef> {
        let mut sets = Vec::with_capacity(states.len());
        for state in states {
            sets.push(if matches!(state.set, IdSet::Empty) { None } else { Some(state.set.to_base64()?) });
        }
        Ok(array::<StringArray, _>(sets.into_iter()))
    }

    fn heap_bytes(&self, state: &State) -> usize {
        state.bytes
    }
}
