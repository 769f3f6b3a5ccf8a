//! Finds the rows of a segment that pass a predicate.
//!
//! Binding a predicate to a segment does once what need not be done for each row: bounds and dictionaries decide whether a
//! test can hold at all, tests become sets of dictionary ids, and those that an index answers become sets of rows. What is
//! left is evaluated chunk by chunk, cheapest first, on the rows that are still in question.

mod segment_rows;
mod zones;
mod work;
mod node;
mod value_node;
mod index_use;
mod bind;
mod prune;

use std::sync::Arc;

use meunier_segment::table_snapshot::Segment;

use bind::Binder;
use node::Node;
pub use prune::{PrunedBy, prune};
use segment_rows::SegmentRows;
use work::Work;
use zones::Zone;

use crate::counters::ScanCounters;
use crate::error::Result;
use crate::input::{ChunkView, InputColumn};
use crate::predicate::Predicate;
use crate::rows::ChunkRows;

/// A predicate bound to one segment.
#[derive(Debug)]
pub struct SegmentFilter {
    columns: Arc<[InputColumn]>,
    /// Rows that may pass, counted through the segment.
    candidates: SegmentRows,
    /// What they must pass besides, cheapest first.
    tests: Vec<Node>,
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
        match self.zone(view.chunk) {
            Zone::None => Some(0),
            Zone::All => Some(self.candidates.count(view.first_row, view.rows)),
            Zone::Some => None,
        }
    }

    /// Returns whether a chunk can hold a row that passes.
    pub fn may_hold(&self, chunk: usize, first_row: usize, rows: usize) -> bool {
        self.candidates.meets(first_row, rows) && self.zone(chunk) != Zone::None
    }

    /// Returns what is known of the tests in a chunk.
    fn zone(&self, chunk: usize) -> Zone {
        let mut zone = Zone::All;
        for test in &self.tests {
            match test.zone(chunk) {
                Zone::None => return Zone::None,
                Zone::All => {}
                Zone::Some => zone = Zone::Some,
            }
        }
        zone
    }

    /// Returns the rows of a chunk that pass.
    ///
    /// # Errors
    /// When a column cannot be read, or a value makes a computation fail.
    pub fn select(&self, view: &ChunkView<'_>, counters: &ScanCounters) -> Result<ChunkRows> {
        if self.zone(view.chunk) == Zone::None {
            return Ok(ChunkRows::none());
        }
        let mut work = Work::of(self.candidates.in_chunk(view.first_row, view.rows));
        for test in self.tests.iter().filter(|test| test.zone(view.chunk) != Zone::All) {
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
