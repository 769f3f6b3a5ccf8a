//! Funnels whose steps are taken within a window of time.

use arrow::array::{ArrayRef, Int32Array, Int64Array};
use datafusion::error::Result;

use super::{STEPS_MAX, is_met};
use crate::aggregate::arrays::lists;
use crate::aggregate::call::Call;
use crate::aggregate::columns::longs;
use crate::aggregate::computation::{Computation, Groups, States, array};
use crate::aggregate::serial::{Reader, Write};

/// The step of an event that is none, kept in mode `KEEP_ALL`.
pub(super) const NO_STEP: u8 = u8::MAX;

/// What an event has to do besides being the next step.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Modes {
    /// A step that is taken again ends the run.
    pub(super) strict_deduplication: bool,
    /// Another step than the next ends the run.
    pub(super) strict_order: bool,
    /// Two steps at the same time do not count.
    pub(super) strict_increase: bool,
    /// Events of no step are in the window too.
    pub(super) keep_all: bool,
}

/// One event: when, and which step it takes.
pub(super) type Event = (i64, u8);

/// A funnel whose steps are taken within a window of time.
pub(super) struct WindowFunnel {
    pub(super) window: i64,
    pub(super) steps: usize,
    pub(super) modes: Modes,
    /// The longest time between two events, where it is limited.
    step_duration_max: Option<i64>,
}

/// What is answered of the events of a group, in order.
pub(super) trait Answer: Send + Sync + 'static {
    fn answer(&self, funnel: &WindowFunnel, groups: &[Vec<Event>]) -> Result<ArrayRef>;
}

/// Reads the arguments of a funnel that has no options of its own.
pub(super) fn start_window(call: &Call) -> Result<Box<dyn States>> {
    let mut funnel = WindowFunnel::read(call)?;
    let options = funnel.read_options(call, 3 + funnel.steps)?;
    if let Some((key, value)) = options.first() {
        return call.refuse(&format!("`{key}={value}` is no option of this funnel"));
    }
    Ok(Groups::boxed(Funnel { funnel, answer: Reached(call.name) }))
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
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) front: usize,
    pub(super) back: usize,
}

impl WindowFunnel {
    /// Reads the window and the steps.
    pub(super) fn read(call: &Call) -> Result<WindowFunnel> {
        let window = call.integer(1, 1..=i64::MAX / 2, 1)?;
        let steps = call.integer(2, 1..=STEPS_MAX as i64, 1)?;
        let steps = usize::try_from(steps).unwrap_or(STEPS_MAX);
        if call.len() < 3 + steps {
            return call.refuse(&format!("{steps} steps need {steps} conditions"));
        }
        Ok(WindowFunnel { window, steps, modes: Modes::default(), step_duration_max: None })
    }

    /// Reads modes and options from a position on; returns the options that are not of every funnel, in capitals.
    pub(super) fn read_options(&mut self, call: &Call, from: usize) -> Result<Vec<(String, String)>> {
        let mut others = Vec::new();
        for position in from..call.len() {
            let written = call.text(position)?.to_uppercase();
            match written.split_once('=') {
                Some(("MAXSTEPDURATION", duration)) => match duration.trim().parse() {
                    Ok(duration) if duration > 0 => self.step_duration_max = Some(duration),
                    _ => return call.refuse(&format!("`{duration}` is no duration above 0")),
                },
                Some(("MODE", modes)) => {
                    modes.split(',').try_for_each(|mode| self.modes.add(call, mode.trim()))?;
                }
                Some((key, value)) => others.push((key.trim().to_owned(), value.trim().to_owned())),
                None => self.modes.add(call, written.trim())?,
            }
        }
        Ok(others)
    }

    /// Moves the window to the next first step and fills it; returns whether there is one.
    pub(super) fn fill(&self, events: &[Event], window: &mut Window) -> bool {
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
            let pause = events[*back].0.saturating_sub(events[*back - 1].0);
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
        let (mut best, mut window) = (0, Window::default());
        while window.back < events.len() && best < self.steps && self.fill(events, &mut window) {
            best = best.max(self.steps_taken(&events[window.front..window.back]));
            window.front += 1;
        }
        best
    }

    pub(super) fn steps_taken(&self, events: &[Event]) -> usize {
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

    /// Calls for each run of all steps with the window that it is in.
    pub(super) fn each_run(&self, events: &[Event], mut found: impl FnMut(&Window)) {
        let mut window = Window::default();
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
                    found(&window);
                    taken = 0;
                    next_begin = *time;
                }
            }
            window.front += 1;
            while window.front < window.back && events[window.front].0 < next_begin {
                window.front += 1;
            }
        }
    }
}

/// Puts events in the order of a funnel. One of no step comes first among those of its time, as Pinot's number for it is -1.
pub(super) fn order_of((time, step): &Event) -> (i64, u8) {
    (*time, step.wrapping_add(1))
}

/// Returns the step that a row takes, if it takes one or all events are kept.
pub(super) fn step_of(steps: &[Int64Array], row: usize, modes: Modes) -> Option<u8> {
    let step = steps.iter().position(|step| is_met(step, row)).and_then(|step| u8::try_from(step).ok());
    step.or_else(|| modes.keep_all.then_some(NO_STEP))
}

/// The events of a funnel, and what is answered of them.
pub(super) struct Funnel<A> {
    pub(super) funnel: WindowFunnel,
    pub(super) answer: A,
}

/// How far a funnel was gone, or how often: by the name of the function.
struct Reached(&'static str);

impl Answer for Reached {
    fn answer(&self, funnel: &WindowFunnel, groups: &[Vec<Event>]) -> Result<ArrayRef> {
        let best = |events: &Vec<Event>| funnel.max_step(events);
        let runs = |events: &Vec<Event>| {
            let mut runs = 0_i32;
            funnel.each_run(events, |_| runs = runs.saturating_add(1));
            runs
        };
        Ok(match self.0 {
            "funnelCompleteCount" => array::<Int32Array, _>(groups.iter().map(|events| Some(runs(events)))),
            "funnelMaxStep" => {
                array::<Int32Array, _>(groups.iter().map(|events| i32::try_from(best(events)).ok()))
            }
            _ => {
                let marks = groups
                    .iter()
                    .map(best)
                    .flat_map(|best| (0..funnel.steps).map(move |step| Some(i32::from(step < best))));
                lists(array::<Int32Array, _>(marks), groups.iter().map(|_| Some(funnel.steps)))?
            }
        })
    }
}

impl<A: Answer> Computation for Funnel<A> {
    type State = Vec<Event>;
    type Columns = (Int64Array, Vec<Int64Array>);

    fn start(&self) -> Vec<Event> {
        Vec::new()
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Self::Columns> {
        let steps = arguments[3..3 + self.funnel.steps].iter().map(longs).collect::<Result<_>>()?;
        Ok((longs(&arguments[0])?, steps))
    }

    fn add(&mut self, state: &mut Vec<Event>, columns: &Self::Columns, row: usize) -> Result<()> {
        let (times, steps) = columns;
        if let Some(step) = step_of(steps, row, self.funnel.modes) {
            state.push((times.value(row), step));
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
        states.iter_mut().for_each(|events| events.sort_unstable_by_key(order_of));
        self.answer.answer(&self.funnel, states)
    }

    fn heap_bytes(&self, state: &Vec<Event>) -> usize {
        state.capacity() * size_of::<Event>()
    }
}
