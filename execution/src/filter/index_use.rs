//! What indexes know of a test's rows, where they are worth asking.

use std::sync::Arc;

use arrow::array::{AsArray, UInt32Array};
use arrow::compute::take;
use meunier_segment::chunk::CHUNK_ROWS;
use meunier_segment::column::ColumnValues;
use meunier_segment::dictionary::Dictionary;
use meunier_segment::index::IndexError;
use meunier_segment::schema::Field;
use meunier_segment::value::Value;
use roaring::RoaringBitmap;

use super::bind::Binder;
use super::explain::Means;
use super::node::Node;
use super::segment_rows::SegmentRows;
use super::value_node::ValueNode;
use crate::compute::Compute;
use crate::error::{ExecutionError, Result};
use crate::id_set::IdSet;
use crate::input::{InputColumn, unreadable};
use crate::predicate::{Interval, Test};

/// An inverted or range index is asked when it names at most this share of a segment's rows: above, reading ids or numbers
/// side by side is faster than making a bitmap of rows.
const INDEX_SHARE: u64 = 16;

impl Binder<'_> {
    /// Returns the rows with these ids where an index knows them and is worth asking. An index that is damaged is not:
    /// the column itself answers then.
    pub(super) fn rows_of_ids(&self, field: &Field, ids: &IdSet) -> Result<Option<SegmentRows>> {
        let failed = |source| unreadable(self.segment, source);
        if let Some(sorted) = self.segment.sorted_index(field).map_err(failed)? {
            self.note(Means::Sorted);
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
        let rows = inverted.rows(ids.ranges()).ok().map(SegmentRows::Bitmap);
        rows.is_some().then(|| self.note(Means::Inverted));
        Ok(rows)
    }

    /// Asks the indexes of a column without a dictionary.
    pub(super) fn plain_by_index(&self, node: ValueNode, nulls_matter: bool) -> Result<Node> {
        let Test::Intervals(intervals) = &node.test else {
            // The index holds null rows as the document that is their default value.
            let rows = if nulls_matter { None } else { self.documents_by_index(&node.field, &node.test)? };
            return Ok(match rows {
                Some(rows) => rows.tested_by(Node::Value(node)),
                None => Node::Value(node),
            });
        };
        let failed = |source| unreadable(self.segment, source);
        if let Some(bloom) = self.segment.bloom_filter(&node.field).map_err(failed)? {
            let missing =
                |interval: &Interval| interval.only().is_some_and(|value| !bloom.may_contain(value));
            if intervals.iter().all(missing) {
                self.note(Means::Bloom);
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
        self.note(Means::Range);
        Ok(match rows.is_empty() {
            true => Node::None,
            false => Node::Indexed(SegmentRows::Bitmap(rows)),
        })
    }

    /// Returns the documents that pass, by their ids in the dictionary or by rows, where a JSON or a text index knows them.
    /// One that is damaged, or took documents apart in another way, does not.
    pub(super) fn documents_by_index(&self, field: &Field, test: &Test) -> Result<Option<Documents>> {
        let Test::Truth(truth) = test else { return Ok(None) };
        let failed = |source| unreadable(self.segment, source);
        if let Some(question) = truth.json_question() {
            let index = self.segment.json_index(field).map_err(failed)?;
            let index = index.filter(|index| index.options() == question.options);
            let Some(Ok(surely)) = index.map(|index| index.documents(question.condition)) else {
                return Ok(None);
            };
            self.note(Means::Json);
            return Ok(Some(Documents { surely, perhaps: RoaringBitmap::new() }));
        }
        let Some(question) = truth.text_question() else { return Ok(None) };
        let index = self.segment.text_index(field).map_err(failed)?;
        let index = index.filter(|index| index.options() == question.options);
        let Some(Ok(found)) = index.map(|index| index.texts(question.query, question.negated)) else {
            return Ok(None);
        };
        self.note(Means::Text);
        Ok(Some(Documents { surely: found.surely, perhaps: found.perhaps }))
    }

    /// Returns the rows of a multi-value column that pass a computation over it alone, where an index knows them.
    pub(super) fn lists_by_index(&self, columns: &[usize], truth: &Arc<dyn Compute>) -> Result<Option<Node>> {
        let ([column], true) = (columns, self.use_indexes) else { return Ok(None) };
        let InputColumn::Stored { field, shows_nulls } = &self.columns[*column] else { return Ok(None) };
        let any_null = self.segment.stats(field).is_none_or(|stats| stats.null_count > 0);
        if field.single_value || *shows_nulls && any_null {
            return Ok(None);
        }
        let found = self.documents_by_index(field, &Test::Truth(Arc::clone(truth)))?;
        let test = Node::Rows { columns: columns.to_vec(), truth: Arc::clone(truth) };
        Ok(found.map(|found| found.tested_by(test)))
    }

    /// Returns the ids of a dictionary whose documents pass; those of which the index does not know are tested.
    pub(super) fn ids_of_documents(
        &self,
        documents: Documents,
        test: &Test,
        dictionary: &Dictionary,
    ) -> Result<Option<IdSet>> {
        let Documents { surely: mut passing, perhaps } = documents;
        if let (Test::Truth(truth), false) = (test, perhaps.is_empty()) {
            let known = u32::try_from(dictionary.len()).unwrap_or(u32::MAX);
            let ids: Vec<u32> = perhaps.iter().take_while(|id| *id < known).collect();
            let values = take(&dictionary.scan_values()?, &UInt32Array::from(ids.clone()), None)?;
            // As with all tests of a dictionary: a failure here is not the query's.
            let Ok(holds) = truth.compute(&[values], ids.len()) else { return Ok(None) };
            let holds = ids.iter().zip(holds.as_boolean()).filter(|(_, holds)| *holds == Some(true));
            passing.extend(holds.map(|(id, _)| *id));
        }
        Ok(Some(IdSet::of_bitmap(&passing, dictionary.len())))
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

    pub(super) fn is_worth_an_index(&self, rows: u64) -> bool {
        rows.saturating_mul(INDEX_SHARE) <= self.segment.rows() as u64
    }
}

/// What an index knows of some documents.
pub(super) struct Documents {
    /// These pass.
    surely: RoaringBitmap,
    /// Of these they themselves tell.
    perhaps: RoaringBitmap,
}

impl Documents {
    /// Returns the documents as rows; those of which it is not known pass the test of them all.
    fn tested_by(self, test: Node) -> Node {
        let is_known = self.perhaps.is_empty();
        let rows = self.surely | self.perhaps;
        match (rows.is_empty(), is_known) {
            (true, _) => Node::None,
            (false, true) => Node::Indexed(SegmentRows::Bitmap(rows)),
            (false, false) => Node::And(vec![Node::Indexed(SegmentRows::Bitmap(rows)), test]),
        }
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
