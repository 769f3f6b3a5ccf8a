//! What the bounds of chunks say about a test, before any value is read.

use meunier_segment::schema::Field;
use meunier_segment::table_snapshot::Segment;

use super::segment_rows::{SegmentRows, row_id_in_segment};
use crate::predicate::Interval;

/// How many rows of a chunk pass a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    None,
    All,
    /// Its values tell.
    Some,
}

/// For each chunk of a segment what its bounds say of a test; empty where nothing is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Zones(Box<[Zone]>);

impl Zones {
    /// Returns what the chunks' bounds say of values that must lie in one of `intervals`. Bounds count the defaults that
    /// stand in null rows, which lie in no interval where `nulls_matter`.
    pub(super) fn of(segment: &Segment, field: &Field, intervals: &[Interval], nulls_matter: bool) -> Zones {
        let bounds = segment.chunk_bounds(field);
        let zones = bounds.into_iter().map(|bounds| match bounds {
            Some((min, max)) if intervals.iter().all(|interval| interval.misses(&min, &max)) => Zone::None,
            Some((min, max)) => {
                let holds_all = |interval: &Interval| interval.contains(&min) && interval.contains(&max);
                if !nulls_matter && intervals.iter().any(holds_all) { Zone::All } else { Zone::Some }
            }
            None => Zone::Some,
        });
        Zones(zones.collect())
    }

    /// Returns what is known of a chunk.
    pub(super) fn at(&self, chunk: usize) -> Zone {
        self.0.get(chunk).copied().unwrap_or(Zone::Some)
    }

    /// Returns the rows that pass, where no chunk has to be read for it.
    pub(super) fn rows(&self, segment: &Segment) -> Option<SegmentRows> {
        if self.0.is_empty() || self.0.contains(&Zone::Some) {
            return None;
        }
        let mut rows = SegmentRows::Range(0..0);
        let mut first = 0;
        for (zone, count) in self.0.iter().zip(segment.chunk_rows()) {
            if *zone == Zone::All {
                rows = rows.or(row_id_in_segment(first)..row_id_in_segment(first + count));
            }
            first += count;
        }
        Some(rows)
    }
}
