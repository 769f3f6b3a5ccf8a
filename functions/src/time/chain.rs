//! Conversions of whole numbers that never turn around: a greater input never gives a smaller result.
//!
//! So an interval of results has an interval of inputs, by which segments can be left out.

use super::calendar::DAY;
use super::spec::{EpochUnit, Format, Granularity};
use super::truncate::CalendarUnit;
use super::unit::{Ratio, TimeUnit};
use super::zone::{Clock, Zone};

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Times a positive number, held at the ends.
    Multiply(i64),
    /// Over a positive number, truncated towards zero.
    Divide(i64),
    /// To a multiple of a positive number, towards zero.
    Round(i64),
    /// Down to the begin of a calendar unit.
    Floor(CalendarUnit, Zone),
    /// Down to the begin of a bucket within the next larger unit of a place's clock.
    Bucket(Granularity, Zone),
    /// To the whole units since the epoch.
    Count(CalendarUnit),
}

/// Steps one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Chain(Vec<Step>);

/// Whole numbers from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The smallest.
    pub from: i64,
    /// The greatest.
    pub to: i64,
}

impl Chain {
    /// Adds a step; a number to multiply or divide by must be positive.
    pub(crate) fn then(mut self, step: Step) -> Chain {
        match step {
            Step::Multiply(1) | Step::Divide(1) | Step::Round(1) => {}
            step => self.0.push(step),
        }
        self
    }

    /// Adds the change from one unit to another.
    pub(crate) fn then_unit(self, from: TimeUnit, to: TimeUnit) -> Chain {
        match from.ratio_to(to) {
            Ratio::Times(factor) => self.then(Step::Multiply(factor)),
            Ratio::Over(divisor) => self.then(Step::Divide(divisor)),
        }
    }

    /// Adds what takes milliseconds to an epoch's numbers.
    pub(crate) fn then_epoch(self, size: i64, unit: EpochUnit) -> Chain {
        let counted = match unit {
            EpochUnit::Time(unit) => self.then_unit(TimeUnit::Milliseconds, unit),
            EpochUnit::Weeks => self.then(Step::Divide(7 * DAY)),
            EpochUnit::Months => self.then(Step::Count(CalendarUnit::Month)),
            EpochUnit::Years => self.then(Step::Count(CalendarUnit::Year)),
        };
        counted.then(Step::Divide(size))
    }

    /// Returns what takes a format's numbers to milliseconds; nothing when the format has none.
    pub(crate) fn to_millis(format: &Format) -> Option<Chain> {
        match format {
            Format::Epoch { size, unit: EpochUnit::Time(unit) } => {
                Some(Chain::default().then(Step::Multiply(*size)).then_unit(*unit, TimeUnit::Milliseconds))
            }
            Format::Timestamp => Some(Chain::default()),
            Format::Epoch { .. } | Format::Text { .. } => None,
        }
    }

    /// Applies the steps to all values.
    pub(crate) fn apply(&self, values: &mut [i64]) {
        for step in &self.0 {
            match *step {
                Step::Multiply(factor) => each(values, |value| value.saturating_mul(factor)),
                Step::Divide(divisor) => each(values, |value| value / divisor),
                Step::Round(divisor) => each(values, |value| value - value % divisor),
                Step::Floor(unit, Zone::UTC) => match unit.millis() {
                    Some(_) if unit == CalendarUnit::Week => each(values, |value| unit.floor(value)),
                    Some(length) => each(values, |value| super::truncate::round_down(value, length)),
                    None => floor_by_memory(values, unit),
                },
                Step::Floor(unit, zone) => {
                    let mut clock = Clock::of(zone);
                    each(values, |value| unit.floor_in(value, zone, &mut clock));
                }
                Step::Bucket(granularity, zone) => {
                    let mut clock = Clock::of(zone);
                    each(values, |value| granularity.bucket_in(value, zone, &mut clock));
                }
                Step::Count(unit) => each(values, |value| unit.between(0, value).unwrap_or(value)),
            }
        }
    }

    /// Applies the steps to one value.
    pub(crate) fn apply_one(&self, value: i64) -> i64 {
        let mut values = [value];
        self.apply(&mut values);
        values[0]
    }

    /// Returns the inputs whose results lie in an interval: all of them, and where clocks change perhaps some more. Nothing
    /// when there are none.
    pub(crate) fn inverse(&self, results: Interval) -> Option<Interval> {
        let mut interval = results;
        for step in self.0.iter().rev() {
            if interval.from > interval.to {
                return None;
            }
            interval = step.inverse(interval);
        }
        (interval.from <= interval.to).then_some(interval)
    }
}

#[inline]
fn each(values: &mut [i64], mut step: impl FnMut(i64) -> i64) {
    for value in values {
        *value = step(*value);
    }
}

/// Months differ in length, but rows of one batch are mostly in the same.
fn floor_by_memory(values: &mut [i64], unit: CalendarUnit) {
    let (mut begin, mut end) = (0, 0);
    for value in values {
        if *value < begin || *value >= end {
            begin = unit.floor(*value);
            end = unit.add(begin, 1).unwrap_or(begin);
        }
        *value = begin;
    }
}

impl Step {
    fn inverse(self, results: Interval) -> Interval {
        let Interval { from, to } = results;
        match self {
            Step::Multiply(factor) => {
                let last = |end: i64, rounded: i64, held: i64| if end == held { held } else { rounded };
                Interval {
                    from: last(from, ceil_div(from, factor), i64::MIN),
                    to: last(to, to.div_euclid(factor), i64::MAX),
                }
            }
            Step::Divide(divisor) => truncated_to(from, to, divisor),
            Step::Round(divisor) => {
                let (first, last) = (ceil_div(from, divisor), to.div_euclid(divisor));
                if first > last { Interval { from: 1, to: 0 } } else { truncated_to(first, last, divisor) }
            }
            Step::Floor(unit, zone) => floored_to(results, unit.millis_at_most(), zone),
            Step::Bucket(granularity, zone) => floored_to(results, granularity.millis_at_most(), zone),
            Step::Count(unit) => {
                let begin = |count: i64, held: i64| unit.add(0, count).unwrap_or(held);
                Interval {
                    from: match from {
                        ..=0 => begin(from.saturating_sub(1), i64::MIN).saturating_add(1),
                        _ => begin(from, i64::MAX),
                    },
                    to: match to {
                        0.. => begin(to.saturating_add(1), i64::MAX).saturating_sub(1),
                        _ => begin(to, i64::MIN),
                    },
                }
            }
        }
    }
}

/// Returns the instants that are rounded down into an interval by units of a length; clocks that change may move them.
fn floored_to(results: Interval, longest: i64, zone: Zone) -> Interval {
    let slack = if matches!(zone, Zone::Fixed(_)) { 0 } else { DAY };
    Interval {
        from: results.from.saturating_sub(slack),
        to: results.to.saturating_add(longest - 1).saturating_add(slack),
    }
}

/// Returns the numbers whose quotient, truncated towards zero, lies in an interval.
fn truncated_to(from: i64, to: i64, divisor: i64) -> Interval {
    let reach = divisor - 1;
    Interval {
        from: if from <= 0 {
            from.saturating_mul(divisor).saturating_sub(reach)
        } else {
            from.saturating_mul(divisor)
        },
        to: if to >= 0 {
            to.saturating_mul(divisor).saturating_add(reach)
        } else {
            to.saturating_mul(divisor)
        },
    }
}

fn ceil_div(value: i64, divisor: i64) -> i64 {
    let quotient = value.div_euclid(divisor);
    if value.rem_euclid(divisor) == 0 { quotient } else { quotient + 1 }
}
