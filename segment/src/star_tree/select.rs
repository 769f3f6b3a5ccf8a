//! Finds the records that together answer a query: each row of the segment that passes the filters is in one of them.
//!
//! At a node whose children split a dimension that is filtered, the children whose ids pass are followed; where the
//! dimension is grouped by, all but the star; else the star, or all where there is none. Where neither this nor a later
//! dimension is filtered or grouped by, the node's aggregated record is the answer; a node without children gives its
//! records, whose later dimensions are then checked one by one.

use std::ops::Range;

use super::StarTree;
use super::id_set::IdSet;
use super::nodes::STAR;
use crate::ids::Ids;

/// A filter on one dimension. Filters are joined by AND, also those on one dimension.
#[derive(Debug, Clone)]
pub struct DimensionFilter {
    /// Position in the split order.
    pub dimension: usize,
    /// The ids that pass.
    pub ids: IdSet,
}

/// Consecutive records that are alike in what is still to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedRecords {
    /// The records.
    pub records: Range<u32>,
    /// Filters on dimensions from this one on were not applied yet; the number of dimensions when all were.
    pub first_unchecked: usize,
}

/// What a query wants of one dimension.
enum Want {
    /// Nothing: the star will do.
    Nothing,
    /// Every value apart.
    Each,
    /// These values only.
    Only(IdSet),
}

/// A query as the walk needs it.
struct Wants {
    /// One for each dimension.
    of: Vec<Want>,
    /// From this dimension on nothing is wanted.
    end: usize,
}

/// Takes what a walk finds.
trait Found {
    /// Records that aggregate nodes, each of which passes.
    fn aggregates(&mut self, records: &[u32]);
    /// Consecutive records, and the first dimension whose filter was not applied to them.
    fn records(&mut self, records: Range<u32>, first_unchecked: usize);
}

struct Ranges {
    selected: Vec<SelectedRecords>,
    dimensions: usize,
}

impl Found for Ranges {
    fn aggregates(&mut self, records: &[u32]) {
        records.iter().for_each(|&record| self.records(record..record + 1, self.dimensions));
    }

    fn records(&mut self, records: Range<u32>, first_unchecked: usize) {
        match self.selected.last_mut() {
            Some(last) if last.records.end == records.start && last.first_unchecked == first_unchecked => {
                last.records.end = records.end;
            }
            _ => self.selected.push(SelectedRecords { records, first_unchecked }),
        }
    }
}

struct Passing<'a> {
    tree: &'a StarTree,
    wants: &'a Wants,
    found: Vec<u32>,
}

impl Found for Passing<'_> {
    fn aggregates(&mut self, records: &[u32]) {
        self.found.extend_from_slice(records);
    }

    fn records(&mut self, records: Range<u32>, first_unchecked: usize) {
        let start = self.found.len();
        self.found.extend(records);
        for dimension in first_unchecked..self.wants.end {
            if let Want::Only(ids) = &self.wants.of[dimension] {
                retain_from(&mut self.found, start, &self.tree.dimensions[dimension].ids, ids);
            }
        }
    }
}

impl StarTree {
    /// Returns the records that answer a query in ascending ranges of each node, before the filters that the walk could
    /// not apply.
    ///
    /// # Panics
    /// When a dimension does not exist.
    pub fn select(&self, filters: &[DimensionFilter], group_by: &[usize]) -> Vec<SelectedRecords> {
        let mut ranges = Ranges { selected: Vec::new(), dimensions: self.dimensions.len() };
        self.walk(&self.wants(filters, group_by), &mut ranges);
        ranges.selected
    }

    /// Returns the records that answer a query: grouping them by `group_by` and aggregating their metrics gives what
    /// grouping the segment's rows would. Each stands once.
    ///
    /// # Panics
    /// When a dimension does not exist.
    pub fn records(&self, filters: &[DimensionFilter], group_by: &[usize]) -> Vec<u32> {
        let wants = self.wants(filters, group_by);
        let mut passing = Passing { tree: self, wants: &wants, found: Vec::new() };
        self.walk(&wants, &mut passing);
        passing.found
    }

    fn wants(&self, filters: &[DimensionFilter], group_by: &[usize]) -> Wants {
        let mut of: Vec<Want> = self.dimensions.iter().map(|_| Want::Nothing).collect();
        for &dimension in group_by {
            of[dimension] = Want::Each;
        }
        for filter in filters {
            if filter.ids.is_all(self.dimensions[filter.dimension].cardinality) {
                continue;
            }
            let want = &mut of[filter.dimension];
            *want = Want::Only(match want {
                Want::Only(ids) => ids.intersect(&filter.ids),
                Want::Nothing | Want::Each => filter.ids.clone(),
            });
        }
        let end = of.iter().rposition(|want| !matches!(want, Want::Nothing)).map_or(0, |last| last + 1);
        Wants { of, end }
    }

    fn walk(&self, wants: &Wants, found: &mut impl Found) {
        if self.record_count() > 0 {
            self.walk_node(0, 0, wants, found);
        }
    }

    /// Goes as deep as there are dimensions, of which there are at most [`super::DIMENSIONS_MAX`].
    fn walk_node(&self, node: usize, depth: usize, wants: &Wants, found: &mut impl Found) {
        if depth >= wants.end {
            return found.aggregates(&self.nodes.aggregated[node..=node]);
        }
        let mut children = self.nodes.children(node);
        if children.is_empty() {
            return found.records(self.nodes.records(node), depth);
        }
        let has_star = self.nodes.values[children.end - 1] == STAR;
        if has_star {
            children.end -= 1;
        }
        match &wants.of[depth] {
            Want::Nothing if has_star => self.walk_node(children.end, depth + 1, wants, found),
            Want::Nothing | Want::Each if depth + 1 == wants.end => {
                found.aggregates(&self.nodes.aggregated[children])
            }
            Want::Nothing | Want::Each => {
                for child in children {
                    self.walk_node(child, depth + 1, wants, found);
                }
            }
            Want::Only(ids) => {
                let mut child = children.start;
                for range in ids.ranges() {
                    child += self.nodes.values[child..children.end].partition_point(|&id| id < range.start);
                    while child < children.end && self.nodes.values[child] < range.end {
                        self.walk_node(child, depth + 1, wants, found);
                        child += 1;
                    }
                }
            }
        }
    }
}

/// Drops the records behind `start` whose id is not in `set`.
fn retain_from(records: &mut Vec<u32>, start: usize, ids: &Ids, set: &IdSet) {
    match ids {
        Ids::U8(ids) => retain(records, start, |record| set.contains(ids[record].into())),
        Ids::U16(ids) => retain(records, start, |record| set.contains(ids[record].into())),
        Ids::U32(ids) => retain(records, start, |record| set.contains(ids[record])),
    }
}

fn retain(records: &mut Vec<u32>, start: usize, passes: impl Fn(usize) -> bool) {
    let mut kept = start;
    for index in start..records.len() {
        let record = records[index];
        records[kept] = record;
        kept += usize::from(passes(record as usize));
    }
    records.truncate(kept);
}
