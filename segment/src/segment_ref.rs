//! A segment of either kind, borrowed from a snapshot: what is asked of thousands of segments before most are left out.

use std::sync::Arc;

use crate::consuming_segment::ConsumingSnapshot;
use crate::index::PartitionSet;
use crate::offset_range::PartitionId;
use crate::sealed_segment::SealedSegment;
use crate::segment_name::SegmentName;
use crate::stats::ColumnStats;
use crate::table_snapshot::Segment;

/// A segment that is looked at, and not kept.
#[derive(Debug, Clone, Copy)]
pub enum SegmentRef<'a> {
    /// Still takes rows, or waits for its seal.
    Consuming(&'a Arc<ConsumingSnapshot>),
    /// Immutable, in a file.
    Sealed(&'a Arc<SealedSegment>),
}

impl Segment {
    /// Returns the segment to be looked at.
    pub fn borrowed(&self) -> SegmentRef<'_> {
        match self {
            Segment::Consuming(segment) => SegmentRef::Consuming(segment),
            Segment::Sealed(segment) => SegmentRef::Sealed(segment),
        }
    }
}

impl<'a> SegmentRef<'a> {
    /// Returns the segment to be kept.
    pub fn to_segment(self) -> Segment {
        match self {
            SegmentRef::Consuming(segment) => Segment::Consuming(Arc::clone(segment)),
            SegmentRef::Sealed(segment) => Segment::Sealed(Arc::clone(segment)),
        }
    }

    /// Returns the segment's name.
    pub fn name(self) -> &'a SegmentName {
        match self {
            SegmentRef::Consuming(segment) => &segment.identity().name,
            SegmentRef::Sealed(segment) => segment.name(),
        }
    }

    /// Returns the Kafka partition the segment covers a range of.
    pub fn partition(self) -> PartitionId {
        match self {
            SegmentRef::Consuming(segment) => segment.identity().partition,
            SegmentRef::Sealed(segment) => segment.partition(),
        }
    }

    /// Returns how many rows the segment holds.
    pub fn rows(self) -> usize {
        match self {
            SegmentRef::Consuming(segment) => segment.rows(),
            SegmentRef::Sealed(segment) => segment.rows(),
        }
    }

    /// Returns the position of a column by name. `guess` is where it stood in the segment before, and as a rule stands here.
    pub fn column_index(self, name: &str, guess: usize) -> Option<usize> {
        match self {
            SegmentRef::Consuming(segment) => segment.column_index(name),
            SegmentRef::Sealed(segment) if segment.is_column(guess, name) => Some(guess),
            SegmentRef::Sealed(segment) => segment.column_index(name),
        }
    }

    /// Returns what is known of a column by position.
    pub fn stats(self, column: usize) -> &'a ColumnStats {
        match self {
            SegmentRef::Consuming(segment) => segment.stats(column),
            SegmentRef::Sealed(segment) => segment.stats(column),
        }
    }

    /// Returns which partitions a column's values fall into, where the segment is sealed and knows it.
    pub fn partitions(self, column: usize) -> Option<&'a PartitionSet> {
        match self {
            SegmentRef::Consuming(_) => None,
            SegmentRef::Sealed(segment) => segment.partitions(column),
        }
    }
}

impl<'a> From<&'a Segment> for SegmentRef<'a> {
    fn from(segment: &'a Segment) -> SegmentRef<'a> {
        match segment {
            Segment::Consuming(segment) => SegmentRef::Consuming(segment),
            Segment::Sealed(segment) => SegmentRef::Sealed(segment),
        }
    }
}
