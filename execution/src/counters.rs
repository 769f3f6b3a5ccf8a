//! What one query read: the figures of Pinot's answer.
//!
//! All readers of a query add to one shared set while they run. What is answered from metadata alone is never scanned, and
//! is counted when the answer is written.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one query.
#[derive(Debug, Default)]
pub struct ScanCounters {
    /// Rows handed on after the filter.
    pub rows_scanned: AtomicU64,
    /// Values looked at by filters.
    pub entries_in_filter: AtomicU64,
    /// Values handed on after the filter.
    pub entries_after_filter: AtomicU64,
    /// Segments whose rows were read.
    pub segments_processed: AtomicU64,
    /// Segments of which a row was handed on.
    pub segments_matched: AtomicU64,
    /// The same for consuming segments alone.
    pub consuming_processed: AtomicU64,
    /// The same for consuming segments alone.
    pub consuming_matched: AtomicU64,
    /// Segments that their metadata ruled out.
    pub segments_pruned: AtomicU64,
    /// Scans that ran.
    pub scans_run: AtomicU64,
}

impl ScanCounters {
    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    /// Reads a counter.
    pub fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
