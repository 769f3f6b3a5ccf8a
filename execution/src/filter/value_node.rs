//! Tests of one column's values over the rows of a chunk: on dictionary ids, on plain numbers, or on the values themselves.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use meunier_segment::chunk::Wanted;
use meunier_segment::column::{Column, ColumnValues};
use meunier_segment::schema::Field;
use meunier_segment::value::Value;

use super::work::{Work, listed, retain, snapshot_of};
use super::zones::{Zone, Zones};
use crate::error::Result;
use crate::id_set::{IdSet, POINTS_FOUND_MAX};
use crate::input::ChunkView;
use crate::number_test::{narrow_list, narrow_mask};
use crate::predicate::Test;
use crate::rows::ChunkRows;

/// A test of one column's values.
#[derive(Debug)]
pub(super) struct ValueNode {
    pub(super) field: Arc<Field>,
    pub(super) shows_nulls: bool,
    pub(super) test: Test,
    /// The ids that pass, where the segment has one dictionary for the column.
    pub(super) ids: Option<IdSet>,
    pub(super) holds_for_null: bool,
    /// What the bounds of chunks say.
    pub(super) zones: Zones,
    /// What chunks of a consuming segment are asked for, where they know their values' rows.
    pub(super) points: Option<Points>,
}

/// Single values.
#[derive(Debug)]
pub(super) enum Points {
    Ids(Vec<u32>),
    Values(Vec<Value>),
}

impl ValueNode {
    /// Finds out whether chunks can be asked for the rows.
    pub(super) fn find_points(&mut self) {
        let Test::Intervals(intervals) = &self.test else { return };
        self.points = match &self.ids {
            Some(ids) => ids.few().map(Points::Ids),
            None if intervals.len() > POINTS_FOUND_MAX => None,
            None => {
                let values = intervals.iter().map(|interval| interval.only().cloned());
                values.collect::<Option<_>>().map(Points::Values)
            }
        };
    }

    /// Returns the rows of a chunk that pass, where its index knows them.
    pub(super) fn indexed_rows(&self, view: &ChunkView<'_>) -> Result<Option<Vec<u32>>> {
        let wanted = match &self.points {
            None => return Ok(None),
            Some(Points::Ids(ids)) => Wanted::Ids(ids),
            Some(Points::Values(values)) => Wanted::Values(values),
        };
        let Some(mut rows) = view.segment.rows_in_chunk(view.chunk, &self.field, wanted) else {
            return Ok(None);
        };
        if self.shows_nulls
            && let Some(nulls) = view.stored(&self.field)?.nulls
        {
            // The index has null rows under the default value.
            rows.retain(|row| nulls.is_valid(*row as usize));
        }
        Ok(Some(rows))
    }

    pub(super) fn narrow(&self, work: Work, view: &ChunkView<'_>) -> Result<Work> {
        match self.zones.at(view.chunk) {
            Zone::None => return Ok(Work::of(ChunkRows::none())),
            Zone::All => return Ok(work),
            Zone::Some => {}
        }
        let column = view.stored(&self.field)?;
        let nulls = column.nulls.clone().filter(|_| self.shows_nulls);
        if let (Some(ids), ColumnValues::Ids { ids: stored, .. }) = (&self.ids, &column.values) {
            let before = nulls.as_ref().map(|_| snapshot_of(&work));
            let narrowed = match work {
                Work::Mask { start, mut mask } => {
                    ids.narrow_mask(&mut mask, stored, start);
                    Work::Mask { start, mask }
                }
                Work::Rows(rows) => {
                    let mut rows = listed(rows);
                    ids.narrow_list(&mut rows, stored);
                    Work::Rows(ChunkRows::List(rows))
                }
            };
            return Ok(match (before, nulls) {
                (Some(before), Some(nulls)) => self.with_nulls(before, narrowed, &nulls),
                _ => narrowed,
            });
        }
        if let (Test::Intervals(intervals), ColumnValues::Plain(values)) = (&self.test, &column.values) {
            let narrowed = match work {
                Work::Mask { start, mut mask } => {
                    narrow_mask(&mut mask, intervals, values, start);
                    Work::Mask { start, mask }
                }
                Work::Rows(rows) => {
                    let mut rows = listed(rows);
                    narrow_list(&mut rows, intervals, values);
                    Work::Rows(ChunkRows::List(rows))
                }
            };
            return Ok(match nulls {
                Some(nulls) => retain(narrowed, |row| nulls.is_valid(row)),
                None => narrowed,
            });
        }
        self.narrow_by_values(work, &column)
    }

    /// Ids say nothing of null rows, in which a default value stands.
    pub(super) fn with_nulls(&self, before: ChunkRows, narrowed: Work, nulls: &NullBuffer) -> Work {
        if !self.holds_for_null {
            return retain(narrowed, |row| nulls.is_valid(row));
        }
        let rows = narrowed.finish();
        let mut passed = vec![false; nulls.len()];
        rows.for_each(|row| passed[row] = true);
        Work::of(before.retain(|row| passed[row] || nulls.is_null(row)))
    }

    /// Tests the rows' values themselves.
    pub(super) fn narrow_by_values(&self, work: Work, column: &Column) -> Result<Work> {
        let rows = work.finish();
        let values = crate::input::values_of(column, &rows, self.shows_nulls)?;
        match &self.test {
            Test::Truth(truth) => {
                let holds = truth.compute(&[values], rows.len())?;
                let mut holds = holds.as_boolean().iter();
                Ok(Work::of(rows.retain(|_| holds.next().flatten() == Some(true))))
            }
            Test::Intervals(intervals) => {
                let stored = stored_form(&values)?;
                let holds = crate::number_test::holds_in_array(intervals, &stored);
                let mut position = 0;
                Ok(Work::of(rows.retain(|_| {
                    position += 1;
                    holds[position - 1] != 0 && values.is_valid(position - 1)
                })))
            }
        }
    }

    pub(super) fn narrow_lists(&self, work: Work, view: &ChunkView<'_>, negated: bool) -> Result<Work> {
        let column = view.stored(&self.field)?;
        let nulls = column.nulls.clone().filter(|_| self.shows_nulls);
        let (offsets, passed) = match &column.values {
            ColumnValues::IdLists { offsets, ids, dictionary } => {
                let mut mask = vec![1; ids.len()];
                match &self.ids {
                    Some(set) => set.narrow_mask(&mut mask, ids, 0),
                    None => IdSet::of(&self.test, dictionary)?.narrow_mask(&mut mask, ids, 0),
                }
                (offsets, mask)
            }
            ColumnValues::PlainLists { offsets, values } => (offsets, elements_passing(&self.test, values)?),
            ColumnValues::Ids { .. } | ColumnValues::Plain(_) => {
                unreachable!("only multi-value columns are tested for their elements")
            }
        };
        Ok(retain(work, |row| {
            let elements = offsets[row] as usize..offsets[row + 1] as usize;
            let any = passed[elements].iter().any(|&passed| passed != 0);
            any != negated && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
        }))
    }
}

fn elements_passing(test: &Test, values: &ArrayRef) -> Result<Vec<u8>> {
    match test {
        Test::Intervals(intervals) => Ok(crate::number_test::holds_in_array(intervals, values)),
        Test::Truth(truth) => {
            let holds = truth.compute(&[scan_form(values)?], values.len())?;
            Ok(holds.as_boolean().iter().map(|holds| u8::from(holds == Some(true))).collect())
        }
    }
}

/// Returns texts and bytes as they are stored; other values are alike in both forms.
fn stored_form(values: &ArrayRef) -> Result<ArrayRef> {
    use arrow::datatypes::DataType;
    Ok(match values.data_type() {
        DataType::Utf8View => arrow::compute::cast(values, &DataType::Utf8)?,
        DataType::BinaryView => arrow::compute::cast(values, &DataType::Binary)?,
        _ => values.clone(),
    })
}

/// Returns texts and bytes as computations get them.
fn scan_form(values: &ArrayRef) -> Result<ArrayRef> {
    use arrow::datatypes::DataType;
    Ok(match values.data_type() {
        DataType::Utf8 => arrow::compute::cast(values, &DataType::Utf8View)?,
        DataType::Binary => arrow::compute::cast(values, &DataType::BinaryView)?,
        _ => values.clone(),
    })
}
