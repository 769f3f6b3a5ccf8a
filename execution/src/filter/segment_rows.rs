//! Rows of a whole segment: what indexes answer with.

use std::ops::Range;

use roaring::RoaringBitmap;

use crate::rows::ChunkRows;

/// Rows of a whole segment.
#[derive(Debug, Clone)]
pub(super) enum SegmentRows {
    All,
    Range(Range<u32>),
    Bitmap(RoaringBitmap),
}

impl SegmentRows {
    pub(super) fn and(&self, other: SegmentRows) -> SegmentRows {
        match (self, other) {
            (SegmentRows::All, other) => other,
            (present, SegmentRows::All) => present.clone(),
            (SegmentRows::Range(a), SegmentRows::Range(b)) => {
                let start = a.start.max(b.start);
                SegmentRows::Range(start..a.end.min(b.end).max(start))
            }
            (SegmentRows::Range(range), SegmentRows::Bitmap(bitmap)) => within(bitmap, range),
            (SegmentRows::Bitmap(bitmap), SegmentRows::Range(range)) => within(bitmap.clone(), &range),
            (SegmentRows::Bitmap(a), SegmentRows::Bitmap(b)) => SegmentRows::Bitmap(a & b),
        }
    }

    pub(super) fn in_chunk(&self, first_row: usize, rows: usize) -> ChunkRows {
        let (first, last) = (row_id_in_segment(first_row), row_id_in_segment(first_row + rows));
        match self {
            SegmentRows::All => ChunkRows::Range(0..rows),
            SegmentRows::Range(range) => {
                let (start, end) = (range.start.clamp(first, last), range.end.clamp(first, last));
                ChunkRows::Range((start - first) as usize..(end.max(start) - first) as usize)
            }
            SegmentRows::Bitmap(bitmap) => {
                ChunkRows::List(bitmap.range(first..last).map(|row| row - first).collect())
            }
        }
    }
}

fn within(mut bitmap: RoaringBitmap, range: &Range<u32>) -> SegmentRows {
    bitmap.remove_range(..range.start);
    bitmap.remove_range(range.end..);
    SegmentRows::Bitmap(bitmap)
}

pub(super) fn row_id_in_segment(row: usize) -> u32 {
    u32::try_from(row).expect("a segment has fewer than 2^32 rows")
}
