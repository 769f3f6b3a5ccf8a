//! What a filter asks, apart from any segment.
//!
//! A predicate says for which rows it is true; a row for which it is false or unknown (null) does not pass. Negation is
//! therefore pushed down to the tests by whoever builds a predicate, where it is exact also for nulls.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use meunier_segment::value::Value;

use crate::compute::Compute;

/// A condition on rows. Columns count in the list of columns that comes with it.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// Every row passes.
    True,
    /// No row passes.
    False,
    /// Rows that pass all of these.
    And(Vec<Predicate>),
    /// Rows that pass one of these.
    Or(Vec<Predicate>),
    /// Rows whose value in a single-value column passes.
    Value {
        /// The column, a stored one.
        column: usize,
        /// What its value is tested for.
        test: Test,
    },
    /// Rows of which an element in a multi-value column passes.
    AnyElement {
        /// The column, a stored one.
        column: usize,
        /// What its elements are tested for.
        test: Test,
        /// Rows of which no element passes, instead.
        negated: bool,
    },
    /// Rows that are null in a stored column, whether or not its nulls are shown.
    Null {
        /// The column.
        column: usize,
        /// Rows that are not null, instead.
        negated: bool,
    },
    /// Rows for which a computation over any columns is true.
    Rows {
        /// The columns it reads.
        columns: Vec<usize>,
        /// Gives a Boolean array.
        truth: Arc<dyn Compute>,
    },
}

impl Predicate {
    /// Returns whether something is computed over values, be it those of a dictionary.
    pub(crate) fn computes(&self) -> bool {
        match self {
            Predicate::True | Predicate::False | Predicate::Null { .. } => false,
            Predicate::And(parts) | Predicate::Or(parts) => parts.iter().any(Predicate::computes),
            Predicate::Value { test, .. } | Predicate::AnyElement { test, .. } => {
                matches!(test, Test::Truth(_))
            }
            Predicate::Rows { .. } => true,
        }
    }
}

/// A question to one value. Where nulls are shown, no null lies in an interval.
#[derive(Debug, Clone)]
pub enum Test {
    /// The value lies in one of these intervals, which are disjoint and ascend. Values have the column's type and compare
    /// as [`Value::compare`] does.
    Intervals(Arc<[Interval]>),
    /// A computation over the value alone, which gives a Boolean array, is true.
    Truth(Arc<dyn Compute>),
}

/// The values between two bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// The lower one.
    pub low: Bound<Value>,
    /// The upper one.
    pub high: Bound<Value>,
}

impl Interval {
    /// Returns the interval of one value.
    pub fn of(value: Value) -> Interval {
        Interval { low: Bound::Included(value.clone()), high: Bound::Included(value) }
    }

    /// Returns the value of an interval that holds one only.
    pub(crate) fn only(&self) -> Option<&Value> {
        match (&self.low, &self.high) {
            (Bound::Included(low), Bound::Included(high)) if low == high => Some(low),
            _ => None,
        }
    }

    fn may_hold_a_value(&self) -> bool {
        let (Bound::Included(low) | Bound::Excluded(low)) = &self.low else { return true };
        let (Bound::Included(high) | Bound::Excluded(high)) = &self.high else { return true };
        match low.compare(high) {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => {
                matches!((&self.low, &self.high), (Bound::Included(_), Bound::Included(_)))
            }
            _ => false,
        }
    }

    /// Returns whether a value lies in the interval.
    pub fn contains(&self, value: &Value) -> bool {
        let above = match &self.low {
            Bound::Unbounded => true,
            Bound::Included(low) => value.compare(low).is_some_and(|order| order.is_ge()),
            Bound::Excluded(low) => value.compare(low).is_some_and(|order| order.is_gt()),
        };
        above
            && match &self.high {
                Bound::Unbounded => true,
                Bound::Included(high) => value.compare(high).is_some_and(|order| order.is_le()),
                Bound::Excluded(high) => value.compare(high).is_some_and(|order| order.is_lt()),
            }
    }

    /// Returns whether no value between `min` and `max` lies in the interval.
    pub(crate) fn misses(&self, min: &Value, max: &Value) -> bool {
        let below = match &self.high {
            Bound::Unbounded => false,
            Bound::Included(high) => high.compare(min).is_some_and(|order| order.is_lt()),
            Bound::Excluded(high) => high.compare(min).is_some_and(|order| order.is_le()),
        };
        below
            || match &self.low {
                Bound::Unbounded => false,
                Bound::Included(low) => low.compare(max).is_some_and(|order| order.is_gt()),
                Bound::Excluded(low) => low.compare(max).is_some_and(|order| order.is_ge()),
            }
    }
}

/// Returns the conjunction of these predicates, in which all intervals of one column are one test: an index is asked once,
/// for what all of them leave.
pub fn all_of(predicates: Vec<Predicate>) -> Predicate {
    let mut parts: Vec<Predicate> = Vec::with_capacity(predicates.len());
    for predicate in predicates {
        match predicate {
            Predicate::True => {}
            Predicate::False => return Predicate::False,
            Predicate::And(inner) => parts.extend(inner),
            other => parts.push(other),
        }
    }
    let mut merged: Vec<Predicate> = Vec::with_capacity(parts.len());
    for part in parts {
        let Predicate::Value { column, test: Test::Intervals(intervals) } = &part else {
            merged.push(part);
            continue;
        };
        let same = merged.iter_mut().find_map(|present| match present {
            Predicate::Value { column: other, test: Test::Intervals(known) } if other == column => {
                Some(known)
            }
            _ => None,
        });
        match same {
            Some(known) => *known = intersection(known, intervals).into(),
            None => merged.push(part),
        }
    }
    let is_empty = |part: &Predicate| matches!(part, Predicate::Value { test: Test::Intervals(intervals), .. } if intervals.is_empty());
    if merged.iter().any(is_empty) {
        return Predicate::False;
    }
    match merged.len() {
        0 => Predicate::True,
        1 => merged.remove(0),
        _ => Predicate::And(merged),
    }
}

/// Returns the values that lie in an interval of both lists, each disjoint and ascending.
fn intersection(a: &[Interval], b: &[Interval]) -> Vec<Interval> {
    let mut both = Vec::new();
    for a in a {
        for b in b {
            let low = tighter(&a.low, &b.low, Ordering::Greater);
            let high = tighter(&a.high, &b.high, Ordering::Less);
            let interval = Interval { low: low.clone(), high: high.clone() };
            if interval.may_hold_a_value() {
                both.push(interval);
            }
        }
    }
    both
}

/// Returns the bound that leaves less; `wanted` is how it compares to the other.
fn tighter<'a>(a: &'a Bound<Value>, b: &'a Bound<Value>, wanted: Ordering) -> &'a Bound<Value> {
    let (Bound::Included(x) | Bound::Excluded(x)) = a else { return b };
    let (Bound::Included(y) | Bound::Excluded(y)) = b else { return a };
    match x.compare(y) {
        Some(order) if order == wanted => a,
        Some(Ordering::Equal) if matches!(a, Bound::Excluded(_)) => a,
        _ => b,
    }
}

/// Returns the values that lie in none of `intervals`, which are disjoint and ascend.
pub fn complement(intervals: &[Interval]) -> Vec<Interval> {
    let mut outside = Vec::with_capacity(intervals.len() + 1);
    let mut low = Bound::Unbounded;
    for interval in intervals {
        match &interval.low {
            Bound::Unbounded => {}
            Bound::Included(value) => {
                outside.push(Interval { low, high: Bound::Excluded(value.clone()) });
            }
            Bound::Excluded(value) => {
                outside.push(Interval { low, high: Bound::Included(value.clone()) });
            }
        }
        low = match &interval.high {
            Bound::Unbounded => return outside,
            Bound::Included(value) => Bound::Excluded(value.clone()),
            Bound::Excluded(value) => Bound::Included(value.clone()),
        };
    }
    outside.push(Interval { low, high: Bound::Unbounded });
    outside
}

#[cfg(test)]
mod tests;
