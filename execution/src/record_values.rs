//! The distinct values under some records of a star-tree, for aggregates that gather values.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use meunier_segment::schema::Field;
use meunier_segment::star_tree::{FunctionPair, MetricColumn, PairFunction, StarTree};
use meunier_segment::table_snapshot::Segment;
use roaring::RoaringBitmap;

use crate::error::Result;
use crate::input::unreadable;

/// Values, and the group of each.
#[derive(Debug)]
pub(crate) struct RecordValues {
    pub(crate) values: ArrayRef,
    pub(crate) groups: Vec<u32>,
}

impl RecordValues {
    /// Returns the distinct values of a column under some records, each of the group given for it; a value comes once a group.
    ///
    /// # Errors
    /// When the segment's dictionary cannot be read.
    pub(crate) fn of(
        tree: &StarTree,
        segment: &Segment,
        field: &Field,
        records: &[u32],
        groups: &[u32],
    ) -> Result<RecordValues> {
        let pair =
            FunctionPair { function: PairFunction::DistinctCount, column: Some(Arc::clone(&field.name)) };
        let Some(MetricColumn::Ids(sets)) = tree.metric(&pair) else {
            unreachable!("the tree covers the query, and distinct values are sets");
        };
        let mut of_groups: BTreeMap<u32, RoaringBitmap> = BTreeMap::new();
        for (&record, &group) in records.iter().zip(groups) {
            *of_groups.entry(group).or_default() |= sets.of_record(record);
        }
        let (mut ids, mut groups) = (Vec::new(), Vec::new());
        for (group, set) in of_groups {
            ids.extend(&set);
            groups.resize(ids.len(), group);
        }
        let dictionary = segment.dictionary(field).map_err(|source| unreadable(segment, source))?;
        let dictionary = dictionary.expect("a tree with ids was opened with their dictionary");
        let values = take(&dictionary.scan_values()?, &UInt32Array::from(ids), None)?;
        Ok(RecordValues { values, groups })
    }
}
