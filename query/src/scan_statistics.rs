//! What one query read: the figures of Pinot's answer.
//!
//! Scans of all partitions add to one shared set of counters while they run; a plan that is answered from metadata never
//! scans and is counted when the answer is written.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one query.
#[derive(Debug, Default)]
pub(crate) struct ScanStatistics {
    /// Rows handed on after the filter.
    pub(crate) rows_scanned: AtomicU64,
    /// Values looked at by filters.
    pub(crate) entries_in_filter: AtomicU64,
    /// Values handed on after the filter.
    pub(crate) entries_after_filter: AtomicU64,
    /// Segments whose rows were read.
    pub(crate) segments_processed: AtomicU64,
    /// Segments of which a row was handed on.
    pub(crate) segments_matched: AtomicU64,
    /// The same for consuming segments alone.
    pub(crate) consuming_processed: AtomicU64,
    /// The same for consuming segments alone.
    pub(crate) consuming_matched: AtomicU64,
    /// Segments that their metadata ruled out.
    pub(crate) segments_pruned: AtomicU64,
    /// Scans that ran.
    pub(crate) scans_run: AtomicU64,
}

impl ScanStatistics {
    /// Adds to a counter.
    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    /// Reads a counter.
    pub(crate) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
