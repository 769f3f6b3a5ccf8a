//! Finds the rows of a segment that pass a predicate.
//!
//! Binding a predicate to a segment does once what need not be done for each row: bounds and dictionaries decide whether a
//! test can hold at all, tests become sets of dictionary ids, and those that an index answers become sets of rows. What is
//! left is evaluated chunk by chunk, cheapest first, on the rows that are still in question.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::buffer::NullBuffer;
use meunier_segment::chunk::CHUNK_ROWS;
use meunier_segment::column::{Column, ColumnValues};
use meunier_segment::index::IndexError;
use meunier_segment::schema::Field;
use meunier_segment::stats::ColumnStats;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;
use roaring::RoaringBitmap;

use crate::compute::Compute;
use crate::counters::ScanCounters;
use crate::error::{ExecutionError, Result};
use crate::id_set::IdSet;
use crate::input::{ChunkView, InputColumn, unreadable};
use crate::number_test::{narrow_list, narrow_mask};
use crate::predicate::{Interval, Predicate, Test};
use crate::rows::{ChunkRows, row_id};

/// Below this share of a chunk's rows, rows are tested one by one instead of all at once.
const LIST_SHARE: usize = 64;
/// An inverted or range index is asked when it names at most this share of a segment's rows: above, reading ids or numbers
/// side by side is faster than making a bitmap of rows.
const INDEX_SHARE: u64 = 16;

/// A predicate bound to one segment.
#[derive(Debug)]
pub struct SegmentFilter {
    columns: Arc<[InputColumn]>,
    /// Rows that may pass, counted through the segment.
    candidates: SegmentRows,
    /// What they must pass besides, cheapest first.
    tests: Vec<Node>,
}

/// Rows of a whole segment.
#[derive(Debug, Clone)]
enum SegmentRows {
    All,
    Range(Range<u32>),
    Bitmap(RoaringBitmap),
}

/// A part of a bound predicate.
#[derive(Debug)]
enum Node {
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

/// A test of one column's values.
#[derive(Debug)]
struct ValueNode {
    field: Arc<Field>,
    shows_nulls: bool,
    test: Test,
    /// The ids that pass, where the segment has one dictionary for the column.
    ids: Option<IdSet>,
    holds_for_null: bool,
}

impl SegmentFilter {
    /// Binds a predicate to a segment. `use_indexes` lets dictionaries and indexes answer.
    ///
    /// # Errors
    /// When the segment's file cannot be read.
    pub fn bind(
        predicate: &Predicate,
        columns: &Arc<[InputColumn]>,
        segment: &Segment,
        use_indexes: bool,
    ) -> Result<SegmentFilter> {
        let binder = Binder { columns, segment, use_indexes };
        let mut filter =
            SegmentFilter { columns: Arc::clone(columns), candidates: SegmentRows::All, tests: Vec::new() };
        let parts = match binder.bind(predicate)? {
            Node::And(parts) => parts,
            part => vec![part],
        };
        for part in parts {
            match part {
                Node::All => {}
                Node::None => filter.candidates = SegmentRows::Range(0..0),
                Node::Indexed(rows) => filter.candidates = filter.candidates.and(rows),
                other => filter.tests.push(other),
            }
        }
        filter.tests.sort_by_key(Node::cost);
        Ok(filter)
    }

    /// Returns how many rows of a chunk pass, where that is known without reading any.
    pub fn known_count(&self, view: &ChunkView<'_>) -> Option<u64> {
        let (first, last) =
            (row_id_in_segment(view.first_row), row_id_in_segment(view.first_row + view.rows));
        self.tests.is_empty().then(|| match &self.candidates {
            SegmentRows::All => view.rows as u64,
            SegmentRows::Range(range) => {
                u64::from(range.end.min(last).saturating_sub(range.start.max(first)))
            }
            SegmentRows::Bitmap(bitmap) => bitmap.range_cardinality(first..last),
        })
    }

    /// Returns whether a chunk can hold a row that passes.
    pub fn may_hold(&self, first_row: usize, rows: usize) -> bool {
        let (first, last) = (row_id_in_segment(first_row), row_id_in_segment(first_row + rows));
        match &self.candidates {
            SegmentRows::All => true,
            SegmentRows::Range(range) => range.start < last && first < range.end,
            SegmentRows::Bitmap(bitmap) => bitmap.range_cardinality(first..last) > 0,
        }
    }

    /// Returns the rows of a chunk that pass.
    ///
    /// # Errors
    /// When a column cannot be read, or a value makes a computation fail.
    pub fn select(&self, view: &ChunkView<'_>, counters: &ScanCounters) -> Result<ChunkRows> {
        let mut work = Work::of(self.candidates.in_chunk(view.first_row, view.rows));
        for test in &self.tests {
            work = work.settle();
            if work.is_known_empty() {
                return Ok(ChunkRows::none());
            }
            // A mask is tested as a whole, whatever rows it still holds.
            let rows = work.tested_rows();
            ScanCounters::add(&counters.entries_in_filter, (rows * test.columns_read()) as u64);
            work = test.narrow_settled(work, view, &self.columns)?;
        }
        Ok(work.finish())
    }
}

impl SegmentRows {
    fn and(&self, other: SegmentRows) -> SegmentRows {
        match (self, other) {
            (SegmentRows::All, other) => other,
            (present, SegmentRows::All) => present.clone(),
            (SegmentRows::Range(a), SegmentRows::Range(b)) => {
                let start = a.start.max(b.start);
                SegmentRows::Range(start..a.end.min(b.end).max(start))
            }
            (SegmentRows::Range(range), SegmentRows::Bitmap(bitmap)) => within(bitmap, range),
            (SegmentRows::Bitmap(bitmap), SegmentRows::Range(range)) => within(bitmap.clone(), &range),
            (SegmentRows::Bitmap(a), SegmentRows::Bitmap(b)) => SegmentRows::Bitmap(a & b),
        }
    }

    fn in_chunk(&self, first_row: usize, rows: usize) -> ChunkRows {
        let (first, last) = (row_id_in_segment(first_row), row_id_in_segment(first_row + rows));
        match self {
            SegmentRows::All => ChunkRows::Range(0..rows),
            SegmentRows::Range(range) => {
                let (start, end) = (range.start.clamp(first, last), range.end.clamp(first, last));
                ChunkRows::Range((start - first) as usize..(end.max(start) - first) as usize)
            }
            SegmentRows::Bitmap(bitmap) => {
                ChunkRows::List(bitmap.range(first..last).map(|row| row - first).collect())
            }
        }
    }
}

fn within(mut bitmap: RoaringBitmap, range: &Range<u32>) -> SegmentRows {
    bitmap.remove_range(..range.start);
    bitmap.remove_range(range.end..);
    SegmentRows::Bitmap(bitmap)
}

fn row_id_in_segment(row: usize) -> u32 {
    u32::try_from(row).expect("a segment has fewer than 2^32 rows")
}

/// Rows in question while tests run over them.
enum Work {
    Rows(ChunkRows),
    /// A flag for each row from `start` on.
    Mask {
        start: usize,
        mask: Vec<u8>,
    },
}

impl Work {
    fn of(rows: ChunkRows) -> Work {
        Work::Rows(rows)
    }

    /// Returns whether no row is left. A mask that was not settled may hold none without this being known.
    fn is_known_empty(&self) -> bool {
        matches!(self, Work::Rows(rows) if rows.is_empty())
    }

    fn tested_rows(&self) -> usize {
        match self {
            Work::Rows(rows) => rows.len(),
            Work::Mask { mask, .. } => mask.len(),
        }
    }

    /// Returns the work as a list when few rows are left, and as a mask otherwise.
    fn settle(self) -> Work {
        match self {
            Work::Rows(ChunkRows::Range(range)) if range.len() > CHUNK_ROWS / LIST_SHARE => {
                Work::Mask { start: range.start, mask: vec![1; range.len()] }
            }
            Work::Rows(rows) => Work::Rows(ChunkRows::List(listed(rows))),
            Work::Mask { start, mask } => match count(&mask) * LIST_SHARE < mask.len() {
                true => Work::Rows(ChunkRows::List(rows_of_mask(start, &mask))),
                false => Work::Mask { start, mask },
            },
        }
    }

    fn finish(self) -> ChunkRows {
        match self {
            Work::Rows(rows) => rows,
            Work::Mask { start, mask } => match count(&mask) {
                all if all == mask.len() => ChunkRows::Range(start..start + all),
                0 => ChunkRows::none(),
                _ => ChunkRows::List(rows_of_mask(start, &mask)),
            },
        }
    }
}

fn count(mask: &[u8]) -> usize {
    // Sums of 255 flags fit a byte, and bytes are what vector instructions add fastest.
    mask.chunks(255).map(|part| usize::from(part.iter().sum::<u8>())).sum()
}

fn rows_of_mask(start: usize, mask: &[u8]) -> Vec<u32> {
    let mut rows = Vec::with_capacity(count(mask));
    for (word, flags) in mask.chunks(8).enumerate() {
        let mut bytes = [0; 8];
        bytes[..flags.len()].copy_from_slice(flags);
        let mut word_flags = u64::from_le_bytes(bytes);
        let first = start + word * 8;
        while word_flags != 0 {
            rows.push(row_id(first + word_flags.trailing_zeros() as usize / 8));
            word_flags &= word_flags - 1;
        }
    }
    rows
}

fn listed(rows: ChunkRows) -> Vec<u32> {
    match rows {
        ChunkRows::Range(range) => range.map(row_id).collect(),
        ChunkRows::List(rows) => rows,
    }
}

impl Node {
    /// Orders tests: ids before plain numbers, those before computations.
    fn cost(&self) -> usize {
        match self {
            Node::All | Node::None | Node::Indexed(_) => 0,
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

    fn columns_read(&self) -> usize {
        match self {
            Node::All | Node::None | Node::Indexed(_) => 0,
            Node::Value(_) | Node::AnyElement { .. } | Node::Null { .. } => 1,
            Node::Rows { columns, .. } => columns.len(),
            Node::And(parts) | Node::Or(parts) => parts.iter().map(Node::columns_read).sum(),
        }
    }

    /// Keeps the rows that pass.
    fn narrow(&self, work: Work, view: &ChunkView<'_>, columns: &[InputColumn]) -> Result<Work> {
        self.narrow_settled(work.settle(), view, columns)
    }

    fn narrow_settled(&self, work: Work, view: &ChunkView<'_>, columns: &[InputColumn]) -> Result<Work> {
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

fn retain(work: Work, mut keep: impl FnMut(usize) -> bool) -> Work {
    match work {
        Work::Rows(rows) => Work::Rows(rows.retain(keep)),
        Work::Mask { start, mut mask } => {
            for (row, holds) in mask.iter_mut().enumerate() {
                *holds &= u8::from(*holds != 0 && keep(start + row));
            }
            Work::Mask { start, mask }
        }
    }
}

fn intersect(work: Work, rows: &ChunkRows, chunk_rows: usize) -> Work {
    match rows {
        ChunkRows::Range(range) => retain(work, |row| range.contains(&row)),
        ChunkRows::List(rows) => {
            let mut listed = vec![false; chunk_rows];
            rows.iter().for_each(|&row| listed[row as usize] = true);
            retain(work, |row| listed[row])
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

impl ValueNode {
    fn narrow(&self, work: Work, view: &ChunkView<'_>) -> Result<Work> {
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
    fn with_nulls(&self, before: ChunkRows, narrowed: Work, nulls: &NullBuffer) -> Work {
        if !self.holds_for_null {
            return retain(narrowed, |row| nulls.is_valid(row));
        }
        let rows = narrowed.finish();
        let mut passed = vec![false; nulls.len()];
        rows.for_each(|row| passed[row] = true);
        Work::of(before.retain(|row| passed[row] || nulls.is_null(row)))
    }

    /// Tests the rows' values themselves.
    fn narrow_by_values(&self, work: Work, column: &Column) -> Result<Work> {
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

    fn narrow_lists(&self, work: Work, view: &ChunkView<'_>, negated: bool) -> Result<Work> {
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

fn snapshot_of(work: &Work) -> ChunkRows {
    match work {
        Work::Rows(rows) => rows.clone(),
        Work::Mask { start, mask } => ChunkRows::List(rows_of_mask(*start, mask)),
    }
}

/// Turns predicates into nodes of one segment.
struct Binder<'a> {
    columns: &'a [InputColumn],
    segment: &'a Segment,
    use_indexes: bool,
}

impl Binder<'_> {
    fn bind(&self, predicate: &Predicate) -> Result<Node> {
        match predicate {
            Predicate::True => Ok(Node::All),
            Predicate::False => Ok(Node::None),
            Predicate::And(parts) => self.bind_and(parts),
            Predicate::Or(parts) => self.bind_or(parts),
            Predicate::Value { column, test } => self.bind_value(*column, test),
            Predicate::AnyElement { column, test, negated } => self.bind_elements(*column, test, *negated),
            Predicate::Null { column, negated } => {
                let (field, _) = self.stored(*column);
                let nulls = self.segment.stats(field).map(|stats| stats.null_count);
                let rows = self.segment.rows() as u64;
                // A column that the segment does not have is null in every row.
                Ok(match (nulls.unwrap_or(rows), negated) {
                    (0, true) => Node::All,
                    (0, false) => Node::None,
                    (nulls, negated) if nulls == rows => {
                        if *negated {
                            Node::None
                        } else {
                            Node::All
                        }
                    }
                    _ => Node::Null { field: Arc::clone(field), negated: *negated },
                })
            }
            Predicate::Rows { columns, truth } => {
                Ok(Node::Rows { columns: columns.clone(), truth: Arc::clone(truth) })
            }
        }
    }

    fn bind_and(&self, parts: &[Predicate]) -> Result<Node> {
        let mut bound = Vec::with_capacity(parts.len());
        for part in parts {
            match self.bind(part)? {
                Node::All => {}
                Node::None => return Ok(Node::None),
                Node::And(parts) => bound.extend(parts),
                part => bound.push(part),
            }
        }
        bound.sort_by_key(Node::cost);
        Ok(match bound.len() {
            0 => Node::All,
            _ => Node::And(bound),
        })
    }

    fn bind_or(&self, parts: &[Predicate]) -> Result<Node> {
        let mut bound = Vec::with_capacity(parts.len());
        for part in parts {
            match self.bind(part)? {
                Node::None => {}
                Node::All => return Ok(Node::All),
                Node::Or(parts) => bound.extend(parts),
                part => bound.push(part),
            }
        }
        if bound.is_empty() {
            return Ok(Node::None);
        }
        Ok(match union(&bound) {
            Some(rows) => Node::Indexed(SegmentRows::Bitmap(rows)),
            None => Node::Or(bound),
        })
    }

    fn stored(&self, column: usize) -> (&Arc<Field>, bool) {
        match &self.columns[column] {
            InputColumn::Stored { field, shows_nulls } => (field, *shows_nulls),
            InputColumn::NullFlag(field) => (field, false),
            other => unreachable!("{other:?} is not a stored column"),
        }
    }

    fn bind_value(&self, column: usize, test: &Test) -> Result<Node> {
        let (field, shows_nulls) = self.stored(column);
        let mut node = ValueNode {
            field: Arc::clone(field),
            shows_nulls,
            test: test.clone(),
            ids: None,
            holds_for_null: false,
        };
        if !self.use_indexes {
            return Ok(Node::Value(node));
        }
        let stats = self.segment.stats(field);
        let any_null = match &stats {
            Some(stats) => stats.null_count > 0,
            None => true,
        };
        let nulls_matter = shows_nulls && any_null;
        if let (Test::Intervals(intervals), Some(stats)) = (test, &stats)
            && let Some(node) = by_bounds(intervals, stats, nulls_matter)
        {
            return Ok(node);
        }
        if let Test::Truth(truth) = test
            && nulls_matter
        {
            let null = new_null_array(&crate::input::scan_type(field.data_type), 1);
            // As with a value that no row has: a failure here is not the query's.
            let Ok(holds) = truth.compute(&[null], 1) else { return Ok(Node::Value(node)) };
            node.holds_for_null = holds.as_boolean().is_valid(0) && holds.as_boolean().value(0);
        }
        let dictionary = self.segment.dictionary(field).map_err(|source| unreadable(self.segment, source))?;
        let Some(dictionary) = dictionary else { return self.plain_by_index(node, nulls_matter) };
        // A value that no row in question has may make a computation fail, so a failure here is not the query's.
        let Ok(ids) = IdSet::of(test, &dictionary) else { return Ok(Node::Value(node)) };
        if !nulls_matter {
            if ids.is_empty() {
                return Ok(Node::None);
            }
            if ids.is_full() {
                return Ok(Node::All);
            }
            if let Some(rows) = self.rows_of_ids(field, &ids)? {
                return Ok(Node::Indexed(rows));
            }
        }
        node.ids = Some(ids);
        Ok(Node::Value(node))
    }

    fn bind_elements(&self, column: usize, test: &Test, negated: bool) -> Result<Node> {
        let (field, shows_nulls) = self.stored(column);
        let mut value = ValueNode {
            field: Arc::clone(field),
            shows_nulls,
            test: test.clone(),
            ids: None,
            holds_for_null: false,
        };
        if self.use_indexes {
            let dictionary =
                self.segment.dictionary(field).map_err(|source| unreadable(self.segment, source))?;
            if let Some(dictionary) = dictionary {
                value.ids = IdSet::of(test, &dictionary).ok();
            }
        }
        if value.ids.as_ref().is_some_and(IdSet::is_empty) && !negated {
            return Ok(Node::None);
        }
        if let Some(ids) = value.ids.as_ref().filter(|_| !negated && !shows_nulls) {
            let failed = |source| unreadable(self.segment, source);
            let inverted = self.segment.inverted_index(field).map_err(failed)?;
            let inverted = inverted.filter(|index| self.is_worth_an_index(index.count(ids.ranges())));
            if let Some(Ok(rows)) = inverted.map(|index| index.rows(ids.ranges())) {
                return Ok(Node::Indexed(SegmentRows::Bitmap(rows)));
            }
        }
        Ok(Node::AnyElement { value, negated })
    }

    /// Returns the rows with these ids where an index knows them and is worth asking. An index that is damaged is not:
    /// the column itself answers then.
    fn rows_of_ids(&self, field: &Field, ids: &IdSet) -> Result<Option<SegmentRows>> {
        let failed = |source| unreadable(self.segment, source);
        if let Some(sorted) = self.segment.sorted_index(field).map_err(failed)? {
            return Ok(Some(match ids.ranges() {
                [only] => SegmentRows::Range(sorted.rows(only.clone())),
                many => SegmentRows::Bitmap(many.iter().fold(RoaringBitmap::new(), |mut rows, ids| {
                    rows.insert_range(sorted.rows(ids.clone()));
                    rows
                })),
            }));
        }
        let Some(inverted) = self.segment.inverted_index(field).map_err(failed)? else { return Ok(None) };
        if !self.is_worth_an_index(inverted.count(ids.ranges())) {
            return Ok(None);
        }
        Ok(inverted.rows(ids.ranges()).ok().map(SegmentRows::Bitmap))
    }

    /// Asks the indexes of a column without a dictionary.
    fn plain_by_index(&self, node: ValueNode, nulls_matter: bool) -> Result<Node> {
        let Test::Intervals(intervals) = &node.test else { return Ok(Node::Value(node)) };
        let failed = |source| unreadable(self.segment, source);
        if let Some(bloom) = self.segment.bloom_filter(&node.field).map_err(failed)? {
            let missing =
                |interval: &Interval| interval.only().is_some_and(|value| !bloom.may_contain(value));
            if intervals.iter().all(missing) {
                return Ok(Node::None);
            }
        }
        if nulls_matter {
            // The index holds null rows under their default value.
            return Ok(Node::Value(node));
        }
        let Some(range) = self.segment.range_index(&node.field).map_err(failed)? else {
            return Ok(Node::Value(node));
        };
        let count = intervals.iter().map(|at| range.count(at.low.as_ref(), at.high.as_ref())).sum();
        if !self.is_worth_an_index(count) {
            return Ok(Node::Value(node));
        }
        let mut rows = RoaringBitmap::new();
        for interval in intervals.iter() {
            let (low, high) = (interval.low.as_ref(), interval.high.as_ref());
            match range.rows(low, high, |row| self.value_at(&node.field, row)) {
                Ok(found) => rows |= found,
                Err(LookUpError::Damaged) => return Ok(Node::Value(node)),
                Err(LookUpError::Unreadable(error)) => return Err(error),
            }
        }
        Ok(match rows.is_empty() {
            true => Node::None,
            false => Node::Indexed(SegmentRows::Bitmap(rows)),
        })
    }

    fn value_at(&self, field: &Field, row: u32) -> std::result::Result<Value, LookUpError> {
        let (chunk, row) = (row as usize / CHUNK_ROWS, row as usize % CHUNK_ROWS);
        let column = self
            .segment
            .column(chunk, field)
            .map_err(|source| LookUpError::Unreadable(unreadable(self.segment, source)))?;
        let ColumnValues::Plain(values) = &column.values else { return Err(LookUpError::Damaged) };
        (row < values.len()).then(|| Value::at(values, row)).flatten().ok_or(LookUpError::Damaged)
    }

    fn is_worth_an_index(&self, rows: u64) -> bool {
        rows.saturating_mul(INDEX_SHARE) <= self.segment.rows() as u64
    }
}

/// Why an index gave no rows.
enum LookUpError {
    Damaged,
    Unreadable(ExecutionError),
}

impl From<IndexError> for LookUpError {
    fn from(_: IndexError) -> LookUpError {
        LookUpError::Damaged
    }
}

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
fn by_bounds(intervals: &[Interval], stats: &ColumnStats, nulls_matter: bool) -> Option<Node> {
    let (min, max) = stats.min.as_ref().zip(stats.max.as_ref()).filter(|_| stats.bounds_known)?;
    if intervals.iter().all(|interval| interval.misses(min, max)) {
        return Some(Node::None);
    }
    let all = intervals.iter().any(|interval| interval.contains(min) && interval.contains(max));
    (all && !nulls_matter).then_some(Node::All)
}

/// Returns the rows of all parts, when an index answered every one.
fn union(parts: &[Node]) -> Option<RoaringBitmap> {
    let mut rows = RoaringBitmap::new();
    for part in parts {
        match part {
            Node::Indexed(SegmentRows::Range(range)) => {
                rows.insert_range(range.clone());
            }
            Node::Indexed(SegmentRows::Bitmap(bitmap)) => rows |= bitmap,
            _ => return None,
        }
    }
    Some(rows)
}
