//! Aggregates that keep a few numbers of a group: typed sums and extremes, and what multi-value columns need of them.

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;

use super::call::Call;
use super::columns::{check_number, doubles, longs, texts};
use super::computation::{Computation, Groups, States, array};
use super::serial::{Reader, Write};
use super::udaf::Definition;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 13] = [
    long("sumInt", "sumInt(column)", "The sum of INT values, as LONG"),
    long("sumLong", "sumLong(column)", "The sum of LONG values, as LONG"),
    long("minLong", "minLong(column)", "The smallest value, as LONG"),
    long("maxLong", "maxLong(column)", "The largest value, as LONG"),
    text("minString", "minString(column)", "The first text in order"),
    text("maxString", "maxString(column)", "The last text in order"),
    double("minMaxRange", &["minMaxRangeMV"], "minMaxRange(column)", "The largest value less the smallest"),
    double("sum0", &[], "sum0(column)", "The sum as DOUBLE; 0 where there is nothing to add"),
    double("sumMV", &[], "sumMV(column)", "The sum of all elements of a multi-value column"),
    double("minMV", &[], "minMV(column)", "The smallest of all elements of a multi-value column"),
    double("maxMV", &[], "maxMV(column)", "The largest of all elements of a multi-value column"),
    double("avgMV", &[], "avgMV(column)", "The mean of all elements of a multi-value column"),
    Definition {
        description: Definition::describe(
            "countMV",
            &[],
            "countMV(column)",
            "How many elements a multi-value column has",
        ),
        arguments: 1..=1,
        elements: true,
        result: |_| Ok(DataType::Int64),
        start: |_| Ok(Groups::boxed(Count)),
    },
];

const fn long(name: &'static str, signature: &'static str, text: &'static str) -> Definition {
    Definition {
        description: Definition::describe(name, &[], signature, text),
        arguments: 1..=1,
        elements: true,
        result: |types| check_number("the aggregate", &types[0]).map(|()| DataType::Int64),
        start: start_long,
    }
}

const fn text(name: &'static str, signature: &'static str, text: &'static str) -> Definition {
    Definition {
        description: Definition::describe(name, &[], signature, text),
        arguments: 1..=1,
        elements: true,
        result: |_| Ok(DataType::Utf8),
        start: |call| Ok(Groups::boxed(TextExtreme { keeps_first: call.name == "minString" })),
    }
}

const fn double(
    name: &'static str,
    aliases: &'static [&'static str],
    signature: &'static str,
    text: &'static str,
) -> Definition {
    Definition {
        description: Definition::describe(name, aliases, signature, text),
        arguments: 1..=1,
        elements: true,
        result: |types| check_number("the aggregate", &types[0]).map(|()| DataType::Float64),
        start: start_double,
    }
}

fn start_long(call: &Call) -> Result<Box<dyn States>> {
    let combine = match call.name {
        "minLong" => std::cmp::min,
        "maxLong" => std::cmp::max,
        // Pinot's sums of LONG wrap around.
        _ => i64::wrapping_add,
    };
    Ok(Groups::boxed(LongFold { combine }))
}

fn start_double(call: &Call) -> Result<Box<dyn States>> {
    let answer: fn(&Summary) -> Option<f64> = match call.name {
        "sumMV" => |summary| summary.of_some(summary.sum),
        "minMaxRange" => |summary| summary.of_some(summary.max - summary.min),
        "minMV" => |summary| summary.of_some(summary.min),
        "maxMV" => |summary| summary.of_some(summary.max),
        "avgMV" => |summary| summary.of_some(summary.sum / summary.count as f64),
        _ => |summary| Some(summary.sum),
    };
    Ok(Groups::boxed(Doubles { answer }))
}

/// A sum or an extreme of LONG values.
struct LongFold {
    combine: fn(i64, i64) -> i64,
}

impl LongFold {
    fn put(&self, state: &mut Option<i64>, value: i64) {
        *state = Some(state.map_or(value, |present| (self.combine)(present, value)));
    }
}

impl Computation for LongFold {
    type State = Option<i64>;
    type Columns = Int64Array;

    fn start(&self) -> Option<i64> {
        None
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Int64Array> {
        longs(&arguments[0])
    }

    fn add(&mut self, state: &mut Option<i64>, columns: &Int64Array, row: usize) -> Result<()> {
        self.put(state, columns.values()[row]);
        Ok(())
    }

    fn write(&mut self, state: &mut Option<i64>, out: &mut Vec<u8>) {
        if let Some(value) = state {
            out.put_i64(*value);
        }
    }

    fn merge(&mut self, state: &mut Option<i64>, written: &[u8]) -> Result<()> {
        self.put(state, Reader(written).i64()?);
        Ok(())
    }

    fn finish(&mut self, states: &mut [Option<i64>]) -> Result<ArrayRef> {
        Ok(array::<Int64Array, _>(states.iter().copied()))
    }

    fn heap_bytes(&self, _: &Option<i64>) -> usize {
        0
    }
}

/// The first or last text in order.
struct TextExtreme {
    keeps_first: bool,
}

impl TextExtreme {
    fn put(&self, state: &mut Option<String>, value: &str) {
        let is_better = match state.as_deref() {
            None => true,
            Some(present) => {
                if self.keeps_first {
                    value < present
                } else {
                    value > present
                }
            }
        };
        if is_better {
            *state = Some(value.to_owned());
        }
    }
}

impl Computation for TextExtreme {
    type State = Option<String>;
    type Columns = StringArray;

    fn start(&self) -> Option<String> {
        None
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<StringArray> {
        texts(&arguments[0])
    }

    fn add(&mut self, state: &mut Option<String>, columns: &StringArray, row: usize) -> Result<()> {
        self.put(state, columns.value(row));
        Ok(())
    }

    fn write(&mut self, state: &mut Option<String>, out: &mut Vec<u8>) {
        if let Some(value) = state {
            out.put_bytes(value.as_bytes());
        }
    }

    fn merge(&mut self, state: &mut Option<String>, written: &[u8]) -> Result<()> {
        self.put(state, &String::from_utf8_lossy(Reader(written).bytes()?));
        Ok(())
    }

    fn finish(&mut self, states: &mut [Option<String>]) -> Result<ArrayRef> {
        Ok(array::<StringArray, _>(states.iter().map(Option::as_deref)))
    }

    fn heap_bytes(&self, state: &Option<String>) -> usize {
        state.as_ref().map_or(0, String::capacity)
    }
}

/// What answers are taken from.
struct Summary {
    count: i64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Summary {
    fn of_some(&self, value: f64) -> Option<f64> {
        (self.count > 0).then_some(value)
    }
}

/// An answer from sum, count and extremes.
struct Doubles {
    answer: fn(&Summary) -> Option<f64>,
}

impl Computation for Doubles {
    type State = Summary;
    type Columns = Float64Array;

    fn start(&self) -> Summary {
        Summary { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Float64Array> {
        doubles(&arguments[0])
    }

    fn add(&mut self, state: &mut Summary, columns: &Float64Array, row: usize) -> Result<()> {
        let value = columns.values()[row];
        state.count += 1;
        state.sum += value;
        state.min = state.min.min(value);
        state.max = state.max.max(value);
        Ok(())
    }

    fn write(&mut self, state: &mut Summary, out: &mut Vec<u8>) {
        if state.count > 0 {
            out.put_i64(state.count);
            [state.sum, state.min, state.max].into_iter().for_each(|number| out.put_f64(number));
        }
    }

    fn merge(&mut self, state: &mut Summary, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        state.count += reader.i64()?;
        state.sum += reader.f64()?;
        state.min = state.min.min(reader.f64()?);
        state.max = state.max.max(reader.f64()?);
        Ok(())
    }

    fn finish(&mut self, states: &mut [Summary]) -> Result<ArrayRef> {
        Ok(array::<Float64Array, _>(states.iter().map(self.answer)))
    }

    fn heap_bytes(&self, _: &Summary) -> usize {
        0
    }
}

/// How many values there are.
struct Count;

impl Computation for Count {
    type State = i64;
    type Columns = ();

    fn start(&self) -> i64 {
        0
    }

    fn columns(&self, _: &[ArrayRef]) -> Result<()> {
        Ok(())
    }

    fn add(&mut self, state: &mut i64, (): &(), _: usize) -> Result<()> {
        *state += 1;
        Ok(())
    }

    fn write(&mut self, state: &mut i64, out: &mut Vec<u8>) {
        out.put_i64(*state);
    }

    fn merge(&mut self, state: &mut i64, written: &[u8]) -> Result<()> {
        *state += Reader(written).i64()?;
        Ok(())
    }

    fn finish(&mut self, states: &mut [i64]) -> Result<ArrayRef> {
        Ok(array::<Int64Array, _>(states.iter().copied().map(Some)))
    }

    fn heap_bytes(&self, _: &i64) -> usize {
        0
    }
}
