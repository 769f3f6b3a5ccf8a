//! Which segments can hold a row that passes, by what their metadata says.
//!
//! A predicate is asked of all segments at once, part by part: what is the same for all of them is done once, and of each
//! only the statistics of the columns in question are touched. A segment is left out only when that is proven.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array, StringViewArray};
use meunier_segment::schema::Field;
use meunier_segment::segment_ref::SegmentRef;
use meunier_segment::stats::ColumnStats;

use super::node::Node;
use crate::compute::Compute;
use crate::input::InputColumn;
use crate::predicate::{Interval, Predicate, Test};

/// What told that no row of a segment passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrunedBy {
    /// The segment holds no row.
    Empty,
    /// The predicate is false whatever the row, or for all of a segment's name and partition.
    Constant,
    /// The smallest and the largest value.
    Bounds,
    /// How many rows are null.
    Nulls,
    /// The partitions that the values fall into.
    Partitions,
}

impl PrunedBy {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            PrunedBy::Empty => "having no rows",
            PrunedBy::Constant => "constants",
            PrunedBy::Bounds => "bounds",
            PrunedBy::Nulls => "null counts",
            PrunedBy::Partitions => "partitions",
        }
    }
}

/// A segment that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// What told that no row of it passes.
    pub by: PrunedBy,
    /// Its rows.
    pub rows: u64,
}

/// Returns for each segment what tells that no row of it passes; nothing where one may.
pub fn prune(
    predicate: &Predicate,
    columns: &[InputColumn],
    segments: &[SegmentRef<'_>],
) -> Vec<Option<PrunedBy>> {
    let empty = segments.iter().map(|segment| (segment.rows() == 0).then_some(PrunedBy::Empty));
    let mut verdicts = empty.collect();
    Pruning { columns, segments }.ask(predicate, &mut verdicts);
    verdicts
}

type Verdicts = Vec<Option<PrunedBy>>;

struct Pruning<'a> {
    columns: &'a [InputColumn],
    segments: &'a [SegmentRef<'a>],
}

impl Pruning<'_> {
    /// Notes which of the segments that are left the predicate rules out.
    fn ask(&self, predicate: &Predicate, verdicts: &mut Verdicts) {
        match predicate {
            Predicate::True
            | Predicate::AnyElement { .. }
            | Predicate::Value { test: Test::Truth(_), .. } => {}
            Predicate::False => {
                verdicts.iter_mut().for_each(|verdict| *verdict = verdict.or(Some(PrunedBy::Constant)));
            }
            Predicate::And(parts) => parts.iter().for_each(|part| self.ask(part, verdicts)),
            Predicate::Or(parts) => self.ask_any(parts, verdicts),
            Predicate::Null { column, negated } => self.ask_nulls(*column, *negated, verdicts),
            Predicate::Value { column, test: Test::Intervals(intervals) } => {
                self.ask_bounds(*column, intervals, verdicts);
            }
            Predicate::Rows { columns, truth } => self.ask_constants(columns, truth.as_ref(), verdicts),
        }
    }

    /// A segment is ruled out by alternatives when each of them rules it out.
    fn ask_any(&self, parts: &[Predicate], verdicts: &mut Verdicts) {
        let mut any_may = vec![false; verdicts.len()];
        let mut last = verdicts.clone();
        for part in parts {
            last.clone_from(verdicts);
            self.ask(part, &mut last);
            any_may.iter_mut().zip(&last).for_each(|(may, verdict)| *may |= verdict.is_none());
        }
        for ((verdict, last), any_may) in verdicts.iter_mut().zip(last).zip(any_may) {
            if !any_may {
                *verdict = last;
            }
        }
    }

    fn ask_nulls(&self, column: usize, negated: bool, verdicts: &mut Verdicts) {
        let (InputColumn::Stored { field, .. } | InputColumn::NullFlag(field)) = &self.columns[column] else {
            return;
        };
        self.ask_stats(field, verdicts, PrunedBy::Nulls, |segment, stats| {
            let rows = segment.rows() as u64;
            let nulls = stats.map_or(rows, |stats| stats.null_count);
            if negated { nulls < rows } else { nulls > 0 }
        });
    }

    fn ask_bounds(&self, column: usize, intervals: &[Interval], verdicts: &mut Verdicts) {
        let InputColumn::Stored { field, shows_nulls } = &self.columns[column] else { return };
        // Of a column that the segment does not have, every row holds the default.
        let default = &field.default_null_value;
        let default_passes = !shows_nulls && intervals.iter().any(|interval| interval.contains(default));
        self.ask_stats(field, verdicts, PrunedBy::Bounds, |_, stats| match stats {
            Some(stats) => !misses(intervals, stats),
            None => default_passes,
        });
        self.ask_partitions(field, intervals, verdicts);
    }

    /// Of single values it is known which partition they belong to.
    fn ask_partitions(&self, field: &Field, intervals: &[Interval], verdicts: &mut Verdicts) {
        let Some(values) = intervals.iter().map(Interval::only).collect::<Option<Vec<_>>>() else { return };
        let mut place = 0;
        for (verdict, &segment) in verdicts.iter_mut().zip(self.segments) {
            let is_sealed = matches!(segment, SegmentRef::Sealed(_));
            if verdict.is_some() || !is_sealed {
                continue;
            }
            let Some(column) = segment.column_index(&field.name, place) else { continue };
            place = column;
            let Some(partitions) = segment.partitions(column) else { continue };
            if !values.iter().any(|value| partitions.may_contain(value)) {
                *verdict = Some(PrunedBy::Partitions);
            }
        }
    }

    fn ask_stats(
        &self,
        field: &Field,
        verdicts: &mut Verdicts,
        reason: PrunedBy,
        may_pass: impl Fn(SegmentRef<'_>, Option<&ColumnStats>) -> bool,
    ) {
        let mut place = 0;
        for (verdict, &segment) in verdicts.iter_mut().zip(self.segments) {
            if verdict.is_some() {
                continue;
            }
            let column = segment.column_index(&field.name, place);
            place = column.unwrap_or(place);
            if !may_pass(segment, column.map(|column| segment.stats(column))) {
                *verdict = Some(reason);
            }
        }
    }

    /// Computes once over all segments what depends on nothing but their names and partitions.
    fn ask_constants(&self, read: &[usize], truth: &dyn Compute, verdicts: &mut Verdicts) {
        let inputs = read.iter().map(|&column| self.constants(&self.columns[column]));
        let Some(inputs) = inputs.collect::<Option<Vec<ArrayRef>>>() else { return };
        // A failure is one of rows that may not be there.
        let Ok(holds) = truth.compute(&inputs, self.segments.len()) else { return };
        for (verdict, holds) in verdicts.iter_mut().zip(holds.as_boolean()) {
            if verdict.is_none() && holds != Some(true) {
                *verdict = Some(PrunedBy::Constant);
            }
        }
    }

    /// Returns the one value that a column has in all rows of each segment.
    fn constants(&self, column: &InputColumn) -> Option<ArrayRef> {
        let segments = self.segments.iter();
        match column {
            InputColumn::SegmentName => {
                let names = segments.map(|segment| segment.name().as_str());
                Some(Arc::new(StringViewArray::from_iter_values(names)))
            }
            InputColumn::PartitionId => {
                Some(Arc::new(Int32Array::from_iter_values(segments.map(|segment| segment.partition().0))))
            }
            InputColumn::HostName(name) => {
                Some(Arc::new(StringViewArray::from_iter_values(segments.map(|_| name))))
            }
            InputColumn::Stored { .. } | InputColumn::NullFlag(_) | InputColumn::DocId => None,
        }
    }
}

/// Returns whether bounds tell that no value lies in one of the intervals.
fn misses(intervals: &[Interval], stats: &ColumnStats) -> bool {
    match (&stats.min, &stats.max) {
        (Some(min), Some(max)) if stats.bounds_known => {
            intervals.iter().all(|interval| interval.misses(min, max))
        }
        _ => false,
    }
}

/// Decides by the smallest and largest value, where they suffice.
pub(super) fn by_bounds(intervals: &[Interval], stats: &ColumnStats, nulls_matter: bool) -> Option<Node> {
    if misses(intervals, stats) {
        return Some(Node::None);
    }
    let (min, max) = stats.min.as_ref().zip(stats.max.as_ref()).filter(|_| stats.bounds_known)?;
    let all = intervals.iter().any(|interval| interval.contains(min) && interval.contains(max));
    (all && !nulls_matter).then_some(Node::All)
}
