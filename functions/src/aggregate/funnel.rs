//! Funnels: how far users, or the events of a group, come through a sequence of steps.

mod count;
mod durations;
mod fields;
mod window;

use arrow::array::{Array, Int64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;

use self::count::start_count;
use self::durations::start_durations;
use self::fields::start_fields;
use self::window::start_window;
use super::arrays::list_of;
use super::call::Call;
use super::computation::States;
use super::udaf::Definition;

/// Most steps of a funnel: one bit each.
const STEPS_MAX: usize = 64;
/// Most columns that values are told apart by, or given of an event.
const KEYS_MAX: usize = 16;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 6] = [
    Definition {
        // The dialect hands over how many columns there are, those columns, and the conditions.
        description: Definition::describe(
            "funnelCount",
            &[],
            "funnelCount(STEPS(condition, …), CORRELATE_BY(column, …)[, SETTINGS('setting', …)])",
            "How many distinct values of the columns have met the first step, the first two, and so on",
        ),
        arguments: 3..=STEPS_MAX + KEYS_MAX + 1,
        elements: false,
        result: |_| Ok(list_of(DataType::Int64)),
        start: start_count,
    },
    window(
        "funnelMaxStep",
        "funnelMaxStep(time, window, steps, condition, …[, 'mode'])",
        "The most steps that were taken one after the other within a window of time",
        |_| Ok(DataType::Int32),
        start_window,
    ),
    window(
        "funnelMatchStep",
        "funnelMatchStep(time, window, steps, condition, …[, 'mode'])",
        "A 1 for each step that was reached within a window of time, a 0 for the others",
        |_| Ok(list_of(DataType::Int32)),
        start_window,
    ),
    window(
        "funnelCompleteCount",
        "funnelCompleteCount(time, window, steps, condition, …[, 'mode'])",
        "How often all steps were taken within a window of time",
        |_| Ok(DataType::Int32),
        start_window,
    ),
    window(
        "funnelStepDurationStats",
        "funnelStepDurationStats(time, window, steps, condition, …, 'durationFunctions=AVG,MEDIAN,PERCENTILE95,MIN,MAX,COUNT'[, 'mode'])",
        "How long each step took to the next one, in the windows in which all steps were taken",
        |_| Ok(list_of(DataType::Float64)),
        start_durations,
    ),
    window(
        "funnelEventsFunctionEval",
        "funnelEventsFunctionEval(time, window, steps, condition, …, columns, column, …[, 'mode'])",
        "The columns' values in the events of each run of all steps; how many runs and values there are comes first",
        |_| Ok(list_of(DataType::Utf8)),
        start_fields,
    ),
];

const fn window(
    name: &'static str,
    signature: &'static str,
    text: &'static str,
    result: fn(&[DataType]) -> Result<DataType>,
    start: fn(&Call) -> Result<Box<dyn States>>,
) -> Definition {
    Definition {
        description: Definition::describe(name, &[], signature, text),
        arguments: 4..=STEPS_MAX + KEYS_MAX + 8,
        elements: false,
        result,
        start,
    }
}

fn bits(steps: &[Int64Array], row: usize) -> u64 {
    let met = steps.iter().enumerate().filter(|(_, step)| is_met(step, row));
    met.fold(0, |bits, (at, _)| bits | 1 << at)
}

fn is_met(step: &Int64Array, row: usize) -> bool {
    step.is_valid(row) && step.value(row) == 1
}
