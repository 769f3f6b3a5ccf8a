//! `funnelEventsFunctionEval`: the values of some columns in the events of each run of all steps.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::error::Result;

use super::KEYS_MAX;
use super::window::{Event, WindowFunnel, order_of, step_of};
use crate::aggregate::arrays::lists;
use crate::aggregate::call::Call;
use crate::aggregate::columns::{cast_to, longs, texts};
use crate::aggregate::computation::{Computation, Groups, States, array};
use crate::aggregate::serial::{Reader, Write};
use crate::scalar::number::{double_text, float_text};

/// Reads how many columns there are, and modes behind them.
pub(super) fn start_fields(call: &Call) -> Result<Box<dyn States>> {
    let mut funnel = WindowFunnel::read(call)?;
    let at = 3 + funnel.steps;
    if call.len() <= at {
        return call.refuse("the number of columns is missing");
    }
    let count = usize::try_from(call.integer(at, 0..=KEYS_MAX as i64, 0)?).unwrap_or(0);
    let first = at + 1;
    if call.len() < first + count {
        return call.refuse(&format!("{count} columns are announced"));
    }
    let has_text = |of: &&DataType| {
        of.is_numeric() || matches!(of, DataType::Utf8 | DataType::Timestamp(..) | DataType::Null)
    };
    if let Some(other) = call.types[first..first + count].iter().find(|of| !has_text(of)) {
        return call.refuse(&format!("a column of an event is a number, a moment or a text, not {other}"));
    }
    if let Some((key, value)) = funnel.read_options(call, first + count)?.first() {
        return call.refuse(&format!("`{key}={value}` is no option of this funnel"));
    }
    Ok(Groups::boxed(Fields { funnel, first, count }))
}

/// Runs of all steps, with the columns of their events.
struct Fields {
    funnel: WindowFunnel,
    /// The position of the first column among the arguments.
    first: usize,
    count: usize,
}

/// An event and its columns as texts.
type FullEvent = (Event, Box<[String]>);

/// The events of a group, and the bytes of their texts.
type Events = (Vec<FullEvent>, usize);

/// Returns the texts that Java has of values.
fn written(values: &ArrayRef) -> Result<StringArray> {
    Ok(match values.data_type() {
        DataType::Float32 => {
            values.as_primitive::<Float32Type>().iter().map(|value| value.map(float_text)).collect()
        }
        DataType::Float64 => {
            values.as_primitive::<Float64Type>().iter().map(|value| value.map(double_text)).collect()
        }
        DataType::Timestamp(..) => texts(&cast_to(values, &DataType::Int64)?)?,
        _ => texts(values)?,
    })
}

impl Fields {
    fn put(&self, (events, bytes): &mut Events, event: FullEvent) {
        *bytes += event.1.iter().map(|text| size_of::<String>() + text.len()).sum::<usize>();
        events.push(event);
    }

    fn row(&self, events: &mut [FullEvent]) -> Vec<String> {
        if events.is_empty() {
            return Vec::new();
        }
        events.sort_by(|(event, fields), (other, theirs)| {
            order_of(event).cmp(&order_of(other)).then_with(|| fields.cmp(theirs))
        });
        let plain: Vec<Event> = events.iter().map(|(event, _)| *event).collect();
        let mut runs: Vec<Vec<usize>> = Vec::new();
        self.funnel.each_run(&plain, |window| {
            let mut run = Vec::with_capacity(self.funnel.steps);
            let inside = plain[window.front..window.back].iter();
            for (place, (_, step)) in (window.front..).zip(inside) {
                if usize::from(*step) == run.len() {
                    run.push(place);
                }
            }
            runs.push(run);
        });
        let sizes = runs.iter().map(|run| format!(", {}", run.len() * self.count));
        let mut row = vec![std::iter::once(runs.len().to_string()).chain(sizes).collect::<String>()];
        for place in runs.iter().flatten() {
            row.extend(events[*place].1.iter().cloned());
        }
        row
    }
}

impl Computation for Fields {
    type State = Events;
    type Columns = (Int64Array, Vec<Int64Array>, Vec<StringArray>);

    fn start(&self) -> Events {
        Events::default()
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Self::Columns> {
        let steps = arguments[3..3 + self.funnel.steps].iter().map(longs).collect::<Result<_>>()?;
        let fields =
            arguments[self.first..self.first + self.count].iter().map(written).collect::<Result<_>>()?;
        Ok((longs(&arguments[0])?, steps, fields))
    }

    fn add(&mut self, state: &mut Events, columns: &Self::Columns, row: usize) -> Result<()> {
        let (times, steps, fields) = columns;
        if let Some(step) = step_of(steps, row, self.funnel.modes) {
            let text = |field: &StringArray| match field.is_valid(row) {
                true => field.value(row).to_owned(),
                false => "null".to_owned(),
            };
            self.put(state, ((times.value(row), step), fields.iter().map(text).collect()));
        }
        Ok(())
    }

    fn write(&mut self, (events, _): &mut Events, out: &mut Vec<u8>) {
        for ((time, step), fields) in &*events {
            out.put_i64(*time);
            out.put_u8(*step);
            fields.iter().for_each(|text| out.put_bytes(text.as_bytes()));
        }
    }

    fn merge(&mut self, state: &mut Events, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        while !reader.is_at_end() {
            let event = (reader.i64()?, reader.u8()?);
            let mut fields = Vec::with_capacity(self.count);
            for _ in 0..self.count {
                fields.push(String::from_utf8_lossy(reader.bytes()?).into_owned());
            }
            self.put(state, (event, fields.into()));
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Events]) -> Result<ArrayRef> {
        let rows: Vec<Vec<String>> = states.iter_mut().map(|(events, _)| self.row(events)).collect();
        let values = array::<StringArray, _>(rows.iter().flatten().map(Some));
        lists(values, rows.iter().map(|row| Some(row.len())))
    }

    fn heap_bytes(&self, (events, bytes): &Events) -> usize {
        events.capacity() * size_of::<FullEvent>() + bytes
    }
}
