//! Kafka positions as types: an offset, a partition, and the half-open range a segment covers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Position of one record in its Kafka partition, or the position after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub i64);

/// Number of a Kafka partition within its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartitionId(pub i32);

/// The offsets `[start, end)` of one partition.
///
/// It may hold gaps (compaction, transaction markers, expired data), so its width is not a number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OffsetRange {
    /// First offset in the range.
    pub start: Offset,
    /// First offset after the range.
    pub end: Offset,
}

impl OffsetRange {
    /// Returns the range `[start, end)`.
    ///
    /// # Panics
    /// When `end` lies before `start`.
    pub fn new(start: Offset, end: Offset) -> OffsetRange {
        assert!(start <= end, "offset range {start}..{end} runs backwards");
        OffsetRange { start, end }
    }

    /// Returns how many offsets the range spans, gaps included.
    pub fn width(self) -> u64 {
        self.end.0.abs_diff(self.start.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for OffsetRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.start, self.end)
    }
}
