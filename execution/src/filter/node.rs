//! Parts of a predicate that is bound to a segment, and how each narrows the rows of a chunk.

use std::sync::Arc;

use arrow::array::AsArray;
use meunier_segment::schema::Field;

use super::segment_rows::SegmentRows;
use super::value_node::ValueNode;
use super::work::{Work, intersect, retain};
use super::zones::Zone;
use crate::compute::Compute;
use crate::error::Result;
use crate::input::{ChunkView, InputColumn};
use crate::predicate::Test;
use crate::rows::ChunkRows;

/// A part of a bound predicate.
#[derive(Debug)]
pub(super) enum Node {
    All,
    None,
    /// Answered for the whole segment by an index.
    Indexed(SegmentRows),
    Value(ValueNode),
    AnyElement {
        value: ValueNode,
        negated: bool,
    },
    Null {
        field: Arc<Field>,
        negated: bool,
    },
    Rows {
        columns: Vec<usize>,
        truth: Arc<dyn Compute>,
    },
    And(Vec<Node>),
    Or(Vec<Node>),
}

impl Node {
    /// Orders tests: ids before plain numbers, those before computations.
    pub(super) fn cost(&self) -> usize {
        match self {
            Node::All | Node::None | Node::Indexed(_) => 0,
            Node::Value(value) if value.points.is_some() => 0,
            Node::Value(value) | Node::AnyElement { value, .. } => match (value.ids.is_some(), &value.test) {
                (true, _) => 1,
                (false, Test::Intervals(_)) => 2,
                (false, Test::Truth(_)) => 100,
            },
            Node::Null { .. } => 1,
            Node::Rows { columns, .. } => 100 + columns.len(),
            Node::And(parts) | Node::Or(parts) => 10 + parts.iter().map(Node::cost).sum::<usize>(),
        }
    }

    /// Returns whether finding the rows takes more than comparing small ids.
    pub(super) fn is_costly(&self) -> bool {
        match self {
            Node::All | Node::None | Node::Indexed(_) | Node::Null { .. } => false,
            Node::Value(value) => value.ids.is_none() || matches!(value.test, Test::Truth(_)),
            Node::AnyElement { .. } | Node::Rows { .. } => true,
            Node::And(parts) | Node::Or(parts) => parts.iter().any(Node::is_costly),
        }
    }

    /// Returns what is known of a chunk without reading it.
    pub(super) fn zone(&self, chunk: usize) -> Zone {
        let all_are = |parts: &[Node], wanted| parts.iter().all(|part| part.zone(chunk) == wanted);
        let any_is = |parts: &[Node], wanted| parts.iter().any(|part| part.zone(chunk) == wanted);
        match self {
            Node::All => Zone::All,
            Node::None => Zone::None,
            Node::Value(value) => value.zones.at(chunk),
            Node::And(parts) if any_is(parts, Zone::None) => Zone::None,
            Node::And(parts) if all_are(parts, Zone::All) => Zone::All,
            Node::Or(parts) if any_is(parts, Zone::All) => Zone::All,
            Node::Or(parts) if all_are(parts, Zone::None) => Zone::None,
            Node::Indexed(_)
            | Node::AnyElement { .. }
            | Node::Null { .. }
            | Node::Rows { .. }
            | Node::And(_)
            | Node::Or(_) => Zone::Some,
        }
    }

    pub(super) fn columns_read(&self) -> usize {
        match self {
            Node::All | Node::None | Node::Indexed(_) => 0,
            Node::Value(_) | Node::AnyElement { .. } | Node::Null { .. } => 1,
            Node::Rows { columns, .. } => columns.len(),
            Node::And(parts) | Node::Or(parts) => parts.iter().map(Node::columns_read).sum(),
        }
    }

    /// Keeps the rows that pass.
    pub(super) fn narrow(&self, work: Work, view: &ChunkView<'_>, columns: &[InputColumn]) -> Result<Work> {
        match self.indexed_rows(view)? {
            Some(rows) => Ok(work.keep(rows)),
            None => self.narrow_settled(work.settle(), view, columns),
        }
    }

    /// Returns the rows that pass where the chunk's own index knows them.
    pub(super) fn indexed_rows(&self, view: &ChunkView<'_>) -> Result<Option<Vec<u32>>> {
        match self {
            Node::Value(value) => value.indexed_rows(view),
            _ => Ok(None),
        }
    }

    pub(super) fn narrow_settled(
        &self,
        work: Work,
        view: &ChunkView<'_>,
        columns: &[InputColumn],
    ) -> Result<Work> {
        match self {
            Node::All => Ok(work),
            Node::None => Ok(Work::of(ChunkRows::none())),
            Node::Indexed(rows) => {
                let rows = rows.in_chunk(view.first_row, view.rows);
                Ok(intersect(work, &rows, view.rows))
            }
            Node::Value(value) => value.narrow(work, view),
            Node::AnyElement { value, negated } => value.narrow_lists(work, view, *negated),
            Node::Null { field, negated } => {
                let nulls = view.stored(field)?.nulls;
                let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                Ok(retain(work, |row| is_null(row) != *negated))
            }
            Node::Rows { columns: read, truth } => narrow_by_truth(work, view, columns, read, truth.as_ref()),
            Node::And(parts) => {
                let mut work = work;
                for part in parts {
                    work = part.narrow(work, view, columns)?;
                }
                Ok(work)
            }
            Node::Or(parts) => {
                let mut passed = vec![0_u8; view.rows];
                let rows = work.finish();
                for part in parts {
                    let part = part.narrow(Work::of(rows.clone()), view, columns)?.finish();
                    part.for_each(|row| passed[row] = 1);
                }
                Ok(Work::of(rows.retain(|row| passed[row] != 0)))
            }
        }
    }
}

fn narrow_by_truth(
    work: Work,
    view: &ChunkView<'_>,
    columns: &[InputColumn],
    read: &[usize],
    truth: &dyn Compute,
) -> Result<Work> {
    let rows = work.finish();
    let mut inputs = Vec::with_capacity(read.len());
    for &column in read {
        inputs.push(view.values(&columns[column], &rows)?);
    }
    let holds = truth.compute(&inputs, rows.len())?;
    let mut holds = holds.as_boolean().iter();
    Ok(Work::of(rows.retain(|_| holds.next().flatten() == Some(true))))
}
