//! Turns a predicate into the parts that one segment needs: bounds and dictionaries decide what they can, indexes answer what
//! they are asked, and what is left is tested row by row.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray, new_null_array};
use meunier_segment::schema::Field;
use meunier_segment::table_snapshot::Segment;
use roaring::RoaringBitmap;

use super::explain::Means;
use super::node::Node;
use super::prune::by_bounds;
use super::segment_rows::SegmentRows;
use super::value_node::ValueNode;
use super::zones::Zones;
use crate::error::Result;
use crate::id_set::IdSet;
use crate::input::{InputColumn, unreadable};
use crate::predicate::{Predicate, Test};

/// Turns predicates into nodes of one segment.
pub(super) struct Binder<'a> {
    pub(super) columns: &'a [InputColumn],
    pub(super) segment: &'a Segment,
    pub(super) use_indexes: bool,
    /// Where it is noted what answers, for EXPLAIN.
    pub(super) means: Option<&'a RefCell<BTreeSet<Means>>>,
}

impl Binder<'_> {
    pub(super) fn note(&self, means: Means) {
        if let Some(noted) = self.means {
            noted.borrow_mut().insert(means);
        }
    }

    pub(super) fn bind(&self, predicate: &Predicate) -> Result<Node> {
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
                    (0, negated) => {
                        self.note(Means::Nulls);
                        if *negated { Node::All } else { Node::None }
                    }
                    (nulls, negated) if nulls == rows => {
                        self.note(Means::Nulls);
                        if *negated { Node::None } else { Node::All }
                    }
                    _ => Node::Null { field: Arc::clone(field), negated: *negated },
                })
            }
            Predicate::Rows { columns, truth } => Ok(match self.lists_by_index(columns, truth)? {
                Some(found) => found,
                None => Node::Rows { columns: columns.clone(), truth: Arc::clone(truth) },
            }),
        }
    }

    pub(super) fn bind_and(&self, parts: &[Predicate]) -> Result<Node> {
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

    pub(super) fn bind_or(&self, parts: &[Predicate]) -> Result<Node> {
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

    pub(super) fn stored(&self, column: usize) -> (&Arc<Field>, bool) {
        match &self.columns[column] {
            InputColumn::Stored { field, shows_nulls } => (field, *shows_nulls),
            InputColumn::NullFlag(field) => (field, false),
            other => unreachable!("{other:?} is not a stored column"),
        }
    }

    pub(super) fn bind_value(&self, column: usize, test: &Test) -> Result<Node> {
        let (field, shows_nulls) = self.stored(column);
        let mut node = ValueNode {
            field: Arc::clone(field),
            shows_nulls,
            test: test.clone(),
            ids: None,
            holds_for_null: false,
            zones: Zones::default(),
            points: None,
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
            self.note(Means::Bounds);
            return Ok(node);
        }
        if let Test::Intervals(intervals) = test {
            node.zones = Zones::of(self.segment, field, intervals, nulls_matter);
            if let Some(rows) = node.zones.rows(self.segment) {
                self.note(Means::ZoneMap);
                return Ok(Node::Indexed(rows));
            }
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
        let Some(dictionary) = dictionary else {
            self.ask_chunks(&mut node);
            return self.plain_by_index(node, nulls_matter);
        };
        // A value that no row in question has may make a computation fail, so a failure here is not the query's.
        let by_index = match self.documents_by_index(field, test)? {
            Some(documents) => self.ids_of_documents(documents, test, &dictionary)?,
            None => None,
        };
        let Some(ids) = by_index.or_else(|| IdSet::of(test, &dictionary).ok()) else {
            return Ok(Node::Value(node));
        };
        if !nulls_matter {
            if ids.is_empty() || ids.is_full() {
                self.note(Means::Dictionary);
                return Ok(if ids.is_empty() { Node::None } else { Node::All });
            }
            if let Some(rows) = self.rows_of_ids(field, &ids)? {
                return Ok(Node::Indexed(rows));
            }
        }
        node.ids = Some(ids);
        self.ask_chunks(&mut node);
        Ok(Node::Value(node))
    }

    /// Lets the chunks of a consuming segment answer from their indexes, where they have them.
    fn ask_chunks(&self, node: &mut ValueNode) {
        if self.segment.is_indexed_by_chunk(&node.field) && !node.holds_for_null {
            node.find_points();
            if node.points.is_some() {
                self.note(Means::Inverted);
            }
        }
    }

    pub(super) fn bind_elements(&self, column: usize, test: &Test, negated: bool) -> Result<Node> {
        let (field, shows_nulls) = self.stored(column);
        let mut value = ValueNode {
            field: Arc::clone(field),
            shows_nulls,
            test: test.clone(),
            ids: None,
            holds_for_null: false,
            zones: Zones::default(),
            points: None,
        };
        if self.use_indexes {
            let dictionary =
                self.segment.dictionary(field).map_err(|source| unreadable(self.segment, source))?;
            if let Some(dictionary) = dictionary {
                value.ids = IdSet::of(test, &dictionary).ok();
            }
        }
        if value.ids.as_ref().is_some_and(IdSet::is_empty) && !negated {
            self.note(Means::Dictionary);
            return Ok(Node::None);
        }
        if let Some(ids) = value.ids.as_ref().filter(|_| !negated && !shows_nulls) {
            let failed = |source| unreadable(self.segment, source);
            let inverted = self.segment.inverted_index(field).map_err(failed)?;
            let inverted = inverted.filter(|index| self.is_worth_an_index(index.count(ids.ranges())));
            if let Some(Ok(rows)) = inverted.map(|index| index.rows(ids.ranges())) {
                self.note(Means::Inverted);
                return Ok(Node::Indexed(SegmentRows::Bitmap(rows)));
            }
        }
        Ok(Node::AnyElement { value, negated })
    }
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
