//! Finds the rows of a segment that pass a predicate.
//!
//! Binding a predicate to a segment does once what need not be done for each row: bounds and dictionaries decide whether a
//! test can hold at all, tests become sets of dictionary ids, and those that an index answers become sets of rows. What is
//! left is evaluated chunk by chunk, cheapest first, on the rows that are still in question.

pub(crate) mod segment_rows;
mod zones;
mod work;
mod node;
mod value_node;
mod index_use;
mod bind;
mod prune;
mod explain;

use std::sync::Arc;

use meunier_segment::table_snapshot::Segment;

use bind::Binder;
pub use explain::{FilterStep, Means, explain};
use node::Node;
pub use prune::{Pruned, PrunedBy, prune};
use segment_rows::SegmentRows;
use work::Work;
use zones::Zone;

use crate::counters::ScanCounters;
use crate::error::Result;
use crate::input::{ChunkView, InputColumn};
use crate::predicate::Predicate;
use crate::predicate_cache::{KnownRows, Recorder};
use crate::rows::ChunkRows;

/// Rows that an index names are kept for later queries when they take more than so many bytes: fewer are found again sooner
/// than they are looked up.
const INDEXED_BYTES_KEPT: usize = 4096;

/// A predicate bound to one segment.
#[derive(Debug)]
pub struct SegmentFilter {
    columns: Arc<[InputColumn]>,
    /// Rows that may pass, counted through the segment.
    candidates: SegmentRows,
    /// What they must pass besides, cheapest first.
    tests: Vec<BoundTest>,
    /// Where the rows that pass are noted for later queries.
    recorder: Option<Recorder>,
}

#[derive(Debug)]
struct BoundTest {
    node: Node,
    recorder: Option<Recorder>,
}

impl SegmentFilter {
    /// Binds a predicate to a segment. `use_indexes` lets dictionaries and indexes answer, and `known` what was found for
    /// earlier queries.
    ///
    /// # Errors
    /// When the segment's file cannot be read.
    pub fn bind(
        predicate: &Predicate,
        columns: &Arc<[InputColumn]>,
        segment: &Segment,
        use_indexes: bool,
        known: Option<&KnownRows>,
    ) -> Result<SegmentFilter> {
        let mut filter = SegmentFilter {
            columns: Arc::clone(columns),
            candidates: SegmentRows::All,
            tests: Vec::new(),
            recorder: None,
        };
        let rows_of = |part| known.and_then(|known| known.rows(segment, part));
        if let Some(rows) = rows_of(None) {
            filter.candidates = SegmentRows::clone(&rows);
            return Ok(filter);
        }
        let binder = Binder { columns, segment, use_indexes, means: None };
        let parts = match predicate {
            Predicate::And(parts) => parts,
            only => std::slice::from_ref(only),
        };
        for (number, part) in parts.iter().enumerate() {
            if let Some(rows) = rows_of(Some(number)) {
                filter.candidates = filter.candidates.and(SegmentRows::clone(&rows));
                continue;
            }
            let bound = binder.bind(part)?;
            if let (Some(known), Node::Indexed(rows)) = (known, &bound)
                && (part.computes() || rows.memory_bytes() > INDEXED_BYTES_KEPT)
            {
                known.keep(segment, number, rows);
            }
            filter.add(bound, &|| known.and_then(|known| known.recorder(segment, Some(number))));
        }
        filter.tests.sort_by_key(|test| test.node.cost());
        if filter.tests.iter().any(|test| test.node.is_costly()) {
            filter.recorder = known.and_then(|known| known.recorder(segment, None));
        }
        filter.record_what_is_decided(segment);
        Ok(filter)
    }

    fn add(&mut self, part: Node, recorder: &dyn Fn() -> Option<Recorder>) {
        match part {
            Node::All => {}
            Node::None => self.candidates = SegmentRows::Range(0..0),
            Node::Indexed(rows) => self.candidates = self.candidates.and(rows),
            Node::And(parts) => parts.into_iter().for_each(|part| self.add(part, &|| None)),
            node => {
                let recorder = if node.is_costly() { recorder() } else { None };
                self.tests.push(BoundTest { node, recorder });
            }
        }
    }

    /// Notes the rows of chunks that will not be read.
    fn record_what_is_decided(&self, segment: &Segment) {
        let mut first_row = 0;
        for (chunk, rows) in segment.chunk_rows().into_iter().enumerate() {
            let view = ChunkView { segment, chunk, first_row, rows };
            let record = |recorder: &Recorder, zone, candidates: &SegmentRows| match zone {
                Zone::None => recorder.record(&view, &ChunkRows::none()),
                Zone::All => recorder.record(&view, &candidates.in_chunk(first_row, rows)),
                Zone::Some => {}
            };
            for test in &self.tests {
                if let Some(recorder) = &test.recorder {
                    record(recorder, test.node.zone(chunk), &SegmentRows::All);
                }
            }
            if let Some(recorder) = &self.recorder {
                let meets = self.candidates.meets(first_row, rows);
                record(recorder, if meets { self.zone(chunk) } else { Zone::None }, &self.candidates);
            }
            first_row += rows;
        }
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
            match test.node.zone(chunk) {
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
        let work = Work::of(self.candidates.in_chunk(view.first_row, view.rows));
        let rows = self.narrowed(work, view, counters)?.finish();
        if let Some(recorder) = &self.recorder {
            recorder.record(view, &rows);
        }
        Ok(rows)
    }

    fn narrowed(&self, mut work: Work, view: &ChunkView<'_>, counters: &ScanCounters) -> Result<Work> {
        for test in self.tests.iter().filter(|test| test.node.zone(view.chunk) != Zone::All) {
            if let Some(rows) = test.node.indexed_rows(view)? {
                work = work.keep(rows);
                continue;
            }
            work = work.settle();
            if work.is_known_empty() {
                return Ok(work);
            }
            // A mask is tested as a whole, whatever rows it still holds.
            let rows = work.tested_rows();
            ScanCounters::add(&counters.entries_in_filter, (rows * test.node.columns_read()) as u64);
            // What a test makes of some rows says nothing of the others.
            let recorder = test.recorder.as_ref().filter(|_| work.is_whole(view.rows));
            work = test.node.narrow_settled(work, view, &self.columns)?;
            if let Some(recorder) = recorder {
                recorder.record(view, &work::snapshot_of(&work));
            }
        }
        Ok(work)
    }
}
