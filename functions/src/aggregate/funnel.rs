//! Funnels: how far users, or the events of a group, come through a sequence of steps.

use arrow::array::{Array, ArrayRef, Int32Array, Int64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::arrays::{list_of, lists};
use super::call::Call;
use super::cell::{Cell, CellColumn, check_cell};
use super::columns::longs;
use super::computation::{Computation, Groups, States, array};
use super::serial::{Reader, Write};
use super::udaf::Definition;

/// Most steps of a funnel: one bit each.
const STEPS_MAX: usize = 64;
/// The step of an event that is none, kept in mode `KEEP_ALL`.
const NO_STEP: u8 = u8::MAX;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 4] = [
    Definition {
        description: Definition::describe(
            "funnelCount",
            &[],
            "funnelCount(STEPS(condition, …), CORRELATE_BY(column))",
            "How many distinct values of the column have met the first step, the first two, and so on",
        ),
        arguments: 2..=STEPS_MAX + 1,
        elements: false,
        result: |types| check_cell(&types[0]).map(|_| list_of(DataType::Int64)),
        start: |call| {
            let of = check_cell(&call.types[0])?;
            Ok(Groups::boxed(FunnelCount { of, steps: call.len() - 1 }))
        },
    },
    window(
        "funnelMaxStep",
        "funnelMaxStep(time, window, steps, condition, …[, 'mode'])",
        "The most steps that were taken one after the other within a window of time",
        |_| Ok(DataType::Int32),
    ),
    window(
        "funnelMatchStep",
        "funnelMatchStep(time, window, steps, condition, …[, 'mode'])",
        "A 1 for each step that was reached within a window of time, a 0 for the others",
        |_| Ok(list_of(DataType::Int32)),
    ),
    window(
        "funnelCompleteCount",
        "funnelCompleteCount(time, window, steps, condition, …[, 'mode'])",
        "How often all steps were taken within a window of time",
        |_| Ok(DataType::Int32),
    ),
];

const fn window(
    name: &'static str,
    signature: &'static str,
    text: &'static str,
    result: fn(&[DataType]) -> Result<DataType>,
) -> Definition {
    Definition {
        description: Definition::describe(name, &[], signature, text),
        arguments: 4..=STEPS_MAX + 8,
        elements: false,
        result,
        start: start_window,
    }
}

/// How many values have met each run of steps from the first.
struct FunnelCount {
    of: DataType,
    steps: usize,
}

/// The steps that each value has met, one bit each.
type Met = HashMap<Cell, u64, FixedState>;

impl Computation for FunnelCount {
    type State = (Met, usize);
    type Columns = (CellColumn, Vec<Int64Array>);

    fn start(&self) -> (Met, usize) {
        (HashMap::default(), 0)
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Self::Columns> {
        let steps = arguments[1..].iter().map(longs).collect::<Result<_>>()?;
        Ok((CellColumn::new(&arguments[0], &self.of)?, steps))
    }

    fn add(&mut self, state: &mut (Met, usize), columns: &Self::Columns, row: usize) -> Result<()> {
        let (values, steps) = columns;
        let met = bits(steps, row);
        if met != 0 {
            put(state, values.at(row), met);
        }
        Ok(())
    }

    fn write(&mut self, (met, _): &mut (Met, usize), out: &mut Vec<u8>) {
        for (value, bits) in &*met {
            value.write(out);
            out.put_u64(*bits);
        }
    }

    fn merge(&mut self, state: &mut (Met, usize), written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        while !reader.is_at_end() {
            let value = Cell::read(&mut reader)?;
            put(state, value, reader.u64()?);
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [(Met, usize)]) -> Result<ArrayRef> {
        let mut counts = Vec::with_capacity(states.len() * self.steps);
        for (met, _) in &*states {
            let begin = counts.len();
            counts.resize(begin + self.steps, 0_i64);
            for bits in met.values() {
                let reached = (bits.trailing_ones() as usize).min(self.steps);
                counts[begin..begin + reached].iter_mut().for_each(|count| *count += 1);
            }
        }
        let values = array::<Int64Array, _>(counts.into_iter().map(Some));
        lists(values, states.iter().map(|_| Some(self.steps)))
    }

    fn heap_bytes(&self, (met, value_bytes): &(Met, usize)) -> usize {
        met.allocation_size() + value_bytes
    }
}

fn put((met, value_bytes): &mut (Met, usize), value: Cell, bits: u64) {
    let (before, bytes) = (met.len(), value.heap_bytes());
    *met.entry(value).or_insert(0) |= bits;
    if met.len() > before {
        *value_bytes += bytes;
    }
}

fn bits(steps: &[Int64Array], row: usize) -> u64 {
    let met = steps.iter().enumerate().filter(|(_, step)| is_met(step, row));
    met.fold(0, |bits, (at, _)| bits | 1 << at)
}

fn is_met(step: &Int64Array, row: usize) -> bool {
    step.is_valid(row) && step.value(row) == 1
}

/// What an event has to do besides being the next step.
#[derive(Debug, Clone, Copy, Default)]
struct Modes {
    /// A step that is taken again ends the run.
    strict_deduplication: bool,
    /// Another step than the next ends the run.
    strict_order: bool,
    /// Two steps at the same time do not count.
    strict_increase: bool,
    /// Events of no step are in the window too.
    keep_all: bool,
}

/// One event: when, and which step it takes.
type Event = (i64, u8);

/// A funnel whose steps are taken within a window of time.
struct WindowFunnel {
    name: &'static str,
    window: i64,
    steps: usize,
    modes: Modes,
    /// The longest time between two events, where it is limited.
    step_duration_max: Option<i64>,
}

fn start_window(call: &Call) -> Result<Box<dyn States>> {
    let window = call.integer(1, 1..=i64::MAX / 2, 1)?;
    let steps = call.integer(2, 1..=STEPS_MAX as i64, 1)?;
    let steps = usize::try_from(steps).unwrap_or(STEPS_MAX);
    if call.len() < 3 + steps {
        return call.refuse(&format!("{steps} steps need {steps} conditions"));
    }
    let mut funnel =
        WindowFunnel { name: call.name, window, steps, modes: Modes::default(), step_duration_max: None };
    for position in 3 + steps..call.len() {
        let written = call.text(position)?.to_uppercase();
        match written.split_once('=') {
            Some(("MAXSTEPDURATION", duration)) => match duration.trim().parse() {
                Ok(duration) if duration > 0 => funnel.step_duration_max = Some(duration),
                _ => return call.refuse(&format!("`{duration}` is no duration above 0")),
            },
            Some(("MODE", modes)) => {
                modes.split(',').try_for_each(|mode| funnel.modes.add(call, mode.trim()))?;
            }
            _ => funnel.modes.add(call, written.trim())?,
        }
    }
    Ok(Groups::boxed(funnel))
}

impl Modes {
    fn add(&mut self, call: &Call, mode: &str) -> Result<()> {
        match mode {
            "STRICT_DEDUPLICATION" => self.strict_deduplication = true,
            "STRICT_ORDER" => self.strict_order = true,
            "STRICT_INCREASE" => self.strict_increase = true,
            "KEEP_ALL" => self.keep_all = true,
            _ => {
                return call.refuse(&format!(
                    "`{mode}` is none of STRICT_DEDUPLICATION, STRICT_ORDER, STRICT_INCREASE, KEEP_ALL, MAXSTEPDURATION=…"
                ));
            }
        }
        Ok(())
    }
}

/// The events of a window, and where those after it begin.
struct Window {
    front: usize,
    back: usize,
}

impl WindowFunnel {
    /// Moves the window to the next first step and fills it; returns whether there is one.
    fn fill(&self, events: &[Event], window: &mut Window) -> bool {
        let Window { front, back } = window;
        while front < back && events[*front].1 != 0 {
            *front += 1;
        }
        if front == back {
            while *back < events.len() && events[*back].1 != 0 {
                *back += 1;
            }
            *front = *back;
            if *back == events.len() {
                return false;
            }
            *back += 1;
        }
        let end = events[*front].0.saturating_add(self.window);
        while *back < events.len() && events[*back].0 < end {
            let pause = events[*back].0 - events[*back - 1].0;
            if self.step_duration_max.is_some_and(|max| pause > max) {
                break;
            }
            *back += 1;
        }
        true
    }

    /// Returns how many steps were taken in the best window. As in Pinot the search ends with the window that holds the
    /// last event.
    fn max_step(&self, events: &[Event]) -> usize {
        let (mut best, mut window) = (0, Window { front: 0, back: 0 });
        while window.back < events.len() && best < self.steps && self.fill(events, &mut window) {
            best = best.max(self.steps_taken(&events[window.front..window.back]));
            window.front += 1;
        }
        best
    }

    fn steps_taken(&self, events: &[Event]) -> usize {
        let (mut taken, mut last_time) = (0_usize, None);
        for (time, step) in events {
            let step = usize::from(*step);
            let again = self.modes.strict_deduplication && step + 1 == taken;
            if again || (self.modes.strict_order && step != taken) {
                return taken;
            }
            if self.modes.strict_increase && last_time == Some(*time) {
                continue;
            }
            if step == taken {
                taken += 1;
                last_time = Some(*time);
            }
            if taken == self.steps {
                break;
            }
        }
        taken
    }

    /// Returns how often all steps were taken.
    fn completed(&self, events: &[Event]) -> i32 {
        let (mut completed, mut window) = (0, Window { front: 0, back: 0 });
        while window.back < events.len() && self.fill(events, &mut window) {
            let (mut taken, mut last_time, mut next_begin) = (0_usize, None, events[window.front].0);
            for (time, step) in &events[window.front..window.back] {
                let step = usize::from(*step);
                let again = self.modes.strict_deduplication && step + 1 == taken;
                if again || (self.modes.strict_order && step != taken) {
                    taken = 0;
                }
                if self.modes.strict_increase && last_time == Some(*time) {
                    continue;
                }
                last_time = Some(*time);
                taken += usize::from(step == taken);
                if taken == self.steps {
                    completed += 1;
                    taken = 0;
                    next_begin = *time;
                }
            }
            window.front += 1;
            while window.front < window.back && events[window.front].0 < next_begin {
                window.front += 1;
            }
        }
        completed
    }
}

impl Computation for WindowFunnel {
    type State = Vec<Event>;
    type Columns = (Int64Array, Vec<Int64Array>);

    fn start(&self) -> Vec<Event> {
        Vec::new()
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Self::Columns> {
        let steps = arguments[3..3 + self.steps].iter().map(longs).collect::<Result<_>>()?;
        Ok((longs(&arguments[0])?, steps))
    }

    fn add(&mut self, state: &mut Vec<Event>, columns: &Self::Columns, row: usize) -> Result<()> {
        let (times, steps) = columns;
        let step = steps.iter().position(|step| is_met(step, row)).and_then(|step| u8::try_from(step).ok());
        if step.is_some() || self.modes.keep_all {
            state.push((times.value(row), step.unwrap_or(NO_STEP)));
        }
        Ok(())
    }

    fn write(&mut self, state: &mut Vec<Event>, out: &mut Vec<u8>) {
        for (time, step) in &*state {
            out.put_i64(*time);
            out.put_u8(*step);
        }
    }

    fn merge(&mut self, state: &mut Vec<Event>, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        while !reader.is_at_end() {
            state.push((reader.i64()?, reader.u8()?));
        }
        Ok(())
    }

    fn finish(&mut self, states: &mut [Vec<Event>]) -> Result<ArrayRef> {
        // An event of no step comes first among those of its time, as Pinot's number for it is -1.
        states
            .iter_mut()
            .for_each(|events| events.sort_unstable_by_key(|(time, step)| (*time, step.wrapping_add(1))));
        let best = |events: &Vec<Event>| self.max_step(events);
        Ok(match self.name {
            "funnelCompleteCount" => {
                array::<Int32Array, _>(states.iter().map(|events| Some(self.completed(events))))
            }
            "funnelMaxStep" => {
                array::<Int32Array, _>(states.iter().map(|events| i32::try_from(best(events)).ok()))
            }
            _ => {
                let marks = states
                    .iter()
                    .map(best)
                    .flat_map(|best| (0..self.steps).map(move |step| Some(i32::from(step < best))));
                lists(array::<Int32Array, _>(marks), states.iter().map(|_| Some(self.steps)))?
            }
        })
    }

    fn heap_bytes(&self, state: &Vec<Event>) -> usize {
        state.capacity() * size_of::<Event>()
    }
}
