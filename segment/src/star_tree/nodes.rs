//! The tree's nodes as columns: a node is a number, and its children's numbers follow on each other.

use std::ops::Range;

use arrow::buffer::ScalarBuffer;

/// Value of a node that stands for all values of its dimension; it is the last among its siblings.
pub(super) const STAR: u32 = u32::MAX;

/// Nodes in order of breadth; the first is the root. How deep a node is, and with that its dimension, is known on the
/// way to it.
#[derive(Debug, Clone)]
pub(super) struct Nodes {
    /// The dictionary id of a node in its dimension, or [`STAR`]. Ascends among siblings. The root's has no meaning.
    pub(super) values: ScalarBuffer<u32>,
    /// Where a node's children begin; they end where the next node's begin. One more entry than nodes.
    pub(super) first_children: ScalarBuffer<u32>,
    /// The first of the records of a node without children; 0 for others.
    pub(super) first_records: ScalarBuffer<u32>,
    /// How many records a node without children has; 0 for others.
    pub(super) record_counts: ScalarBuffer<u32>,
    /// The record that aggregates all of a node's.
    pub(super) aggregated: ScalarBuffer<u32>,
}

impl Nodes {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn children(&self, node: usize) -> Range<usize> {
        self.first_children[node] as usize..self.first_children[node + 1] as usize
    }

    pub(super) fn records(&self, node: usize) -> Range<u32> {
        let first = self.first_records[node];
        first..first + self.record_counts[node]
    }
}
