//! `funnelStepDurationStats`: how long each step took to the next one.

use arrow::array::{ArrayRef, Float64Array};
use datafusion::error::Result;

use super::window::{Answer, Event, Funnel, NO_STEP, Window, WindowFunnel};
use crate::aggregate::arrays::lists;
use crate::aggregate::call::Call;
use crate::aggregate::computation::{Groups, States, array};

/// A figure about the durations of a step.
#[derive(Debug, Clone, Copy)]
enum Figure {
    Mean,
    /// The value below which a fraction lies.
    Quantile(f64),
    /// 1 when the step was taken.
    Count,
}

/// Reads the figures that a call asks for.
pub(super) fn start_durations(call: &Call) -> Result<Box<dyn States>> {
    let mut funnel = WindowFunnel::read(call)?;
    let mut figures = Vec::new();
    for (key, value) in funnel.read_options(call, 3 + funnel.steps)? {
        if key != "DURATIONFUNCTIONS" {
            return call.refuse(&format!("`{key}={value}` is no option of this funnel"));
        }
        for name in value.split(',').map(str::trim) {
            figures.push(figure(call, name)?);
        }
    }
    match figures.is_empty() {
        true => call.refuse("the figures are missing: write 'durationFunctions=AVG,MAX'"),
        false => Ok(Groups::boxed(Funnel { funnel, answer: Durations(figures) })),
    }
}

fn figure(call: &Call, name: &str) -> Result<Figure> {
    Ok(match name {
        "AVG" => Figure::Mean,
        "MEDIAN" => Figure::Quantile(0.5),
        "MIN" => Figure::Quantile(0.0),
        "MAX" => Figure::Quantile(1.0),
        "COUNT" => Figure::Count,
        _ => {
            let percentile = name.strip_prefix("PERCENTILE").and_then(|percentile| percentile.parse().ok());
            match percentile.filter(|percentile| (0.0..=100.0).contains(percentile)) {
                Some(percentile) => Figure::Quantile(percentile / 100.0),
                None => {
                    return call.refuse(&format!(
                        "`{name}` is none of AVG, MEDIAN, MIN, MAX, COUNT, PERCENTILE with a number from 0 to 100"
                    ));
                }
            }
        }
    })
}

/// The figures of each step, step by step.
struct Durations(Vec<Figure>);

/// What is known of a step.
#[derive(Debug, Default, Clone)]
struct Step {
    was_taken: bool,
    durations: Vec<i64>,
}

impl Answer for Durations {
    fn answer(&self, funnel: &WindowFunnel, groups: &[Vec<Event>]) -> Result<ArrayRef> {
        let rows: Vec<Vec<f64>> = groups.iter().map(|events| self.row(funnel, events)).collect();
        let lengths = rows.iter().map(|row| Some(row.len()));
        lists(array::<Float64Array, _>(rows.iter().flatten().map(|value| Some(*value))), lengths)
    }
}

impl Durations {
    fn row(&self, funnel: &WindowFunnel, events: &[Event]) -> Vec<f64> {
        let mut steps = vec![Step::default(); funnel.steps];
        let (mut window, mut was_completed) = (Window::default(), false);
        while window.back < events.len() && funnel.fill(events, &mut window) {
            let inside = &events[window.front..window.back];
            let taken = funnel.steps_taken(inside);
            steps[..taken].iter_mut().for_each(|step| step.was_taken = true);
            if taken == funnel.steps {
                was_completed = true;
                add_durations(&mut steps, inside);
            }
            window.front += 1;
        }
        let counts = self.0.iter().any(|figure| matches!(figure, Figure::Count));
        if events.is_empty() || (!was_completed && !counts) {
            return Vec::new();
        }
        steps.iter_mut().for_each(|step| step.durations.sort_unstable());
        steps.iter().flat_map(|step| self.0.iter().map(|figure| figure.of(step))).collect()
    }
}

/// Adds the times between the first event of each step and of the next one.
fn add_durations(steps: &mut [Step], events: &[Event]) {
    let (mut next, mut previous) = (0_usize, None);
    for (time, step) in events {
        // As in Pinot an event of a later step stands for the one that is looked for.
        if *step == NO_STEP || usize::from(*step) < next || next == steps.len() {
            continue;
        }
        if let (Some(previous), Some(before)) = (previous, next.checked_sub(1)) {
            steps[before].durations.push(time.saturating_sub(previous));
        }
        previous = Some(*time);
        next += 1;
    }
}

impl Figure {
    /// Returns the figure of a step whose durations are in order; 0 where there are none.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of the length")]
    fn of(self, Step { was_taken, durations }: &Step) -> f64 {
        match self {
            Figure::Count => f64::from(u8::from(*was_taken)),
            _ if durations.is_empty() => 0.0,
            Figure::Mean => {
                durations.iter().map(|duration| *duration as f64).sum::<f64>() / durations.len() as f64
            }
            Figure::Quantile(fraction) => {
                let place = (fraction * durations.len() as f64).floor() as usize;
                durations[place.min(durations.len() - 1)] as f64
            }
        }
    }
}
