//! Which segments can hold a row that passes, by what their metadata says.

use arrow::array::{Array, ArrayRef, AsArray};
use meunier_segment::stats::ColumnStats;
use meunier_segment::table_snapshot::Segment;

use super::node::Node;
use crate::input::{ChunkView, InputColumn};
use crate::predicate::{Interval, Predicate, Test};
use crate::rows::ChunkRows;

/// Returns whether a segment can hold a row that passes, by what its metadata says alone: no file is touched.
pub fn can_match(predicate: &Predicate, columns: &[InputColumn], segment: &Segment) -> bool {
    if segment.rows() == 0 {
        return false;
    }
    match predicate {
        Predicate::True | Predicate::AnyElement { .. } => true,
        Predicate::False => false,
        Predicate::And(parts) => parts.iter().all(|part| can_match(part, columns, segment)),
        Predicate::Or(parts) => parts.iter().any(|part| can_match(part, columns, segment)),
        Predicate::Null { column, negated } => {
            let (InputColumn::Stored { field, .. } | InputColumn::NullFlag(field)) = &columns[*column] else {
                return true;
            };
            let rows = segment.rows() as u64;
            let nulls = segment.stats(field).map_or(rows, |stats| stats.null_count);
            if *negated { nulls < rows } else { nulls > 0 }
        }
        Predicate::Value { column, test: Test::Intervals(intervals) } => {
            let InputColumn::Stored { field, shows_nulls } = &columns[*column] else { return true };
            match segment.stats(field) {
                Some(stats) => !matches!(by_bounds(intervals, &stats, true), Some(Node::None)),
                None => {
                    !shows_nulls
                        && intervals.iter().any(|interval| interval.contains(&field.default_null_value))
                }
            }
        }
        Predicate::Value { test: Test::Truth(_), .. } => true,
        Predicate::Rows { columns: read, truth } => match constants(read, columns, segment) {
            Some(values) => match truth.compute(&values, 1) {
                Ok(holds) => holds.as_boolean().is_valid(0) && holds.as_boolean().value(0),
                Err(_) => true,
            },
            None => true,
        },
    }
}

/// Returns the one value that each column has in all rows of a segment.
fn constants(read: &[usize], columns: &[InputColumn], segment: &Segment) -> Option<Vec<ArrayRef>> {
    let view = ChunkView { segment, chunk: 0, first_row: 0, rows: 1 };
    let mut values = Vec::with_capacity(read.len());
    for &column in read {
        match &columns[column] {
            column @ (InputColumn::SegmentName | InputColumn::PartitionId | InputColumn::HostName(_)) => {
                values.push(view.values(column, &ChunkRows::Range(0..1)).ok()?);
            }
            InputColumn::Stored { .. } | InputColumn::NullFlag(_) | InputColumn::DocId => return None,
        }
    }
    Some(values)
}

/// Decides by the smallest and largest value, where they suffice.
pub(super) fn by_bounds(intervals: &[Interval], stats: &ColumnStats, nulls_matter: bool) -> Option<Node> {
    let (min, max) = stats.min.as_ref().zip(stats.max.as_ref()).filter(|_| stats.bounds_known)?;
    if intervals.iter().all(|interval| interval.misses(min, max)) {
        return Some(Node::None);
    }
    let all = intervals.iter().any(|interval| interval.contains(min) && interval.contains(max));
    (all && !nulls_matter).then_some(Node::All)
}
