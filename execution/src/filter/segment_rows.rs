//! Rows of a whole segment: what indexes answer with.

use std::ops::Range;

use roaring::RoaringBitmap;

use crate::rows::ChunkRows;

/// Rows of a whole segment.
#[derive(Debug, Clone)]
pub(crate) enum SegmentRows {
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

    /// Returns these rows and those of a range that begins behind them all, or where they end.
    pub(super) fn or(self, range: Range<u32>) -> SegmentRows {
        match self {
            SegmentRows::All => SegmentRows::All,
            SegmentRows::Range(rows) if rows.is_empty() => SegmentRows::Range(range),
            SegmentRows::Range(rows) if rows.end == range.start => SegmentRows::Range(rows.start..range.end),
            SegmentRows::Range(rows) => {
                let mut both = RoaringBitmap::new();
                both.insert_range(rows);
                both.insert_range(range);
                SegmentRows::Bitmap(both)
            }
            SegmentRows::Bitmap(mut rows) => {
                rows.insert_range(range);
                SegmentRows::Bitmap(rows)
            }
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            SegmentRows::All | SegmentRows::Range(_) => 0,
            SegmentRows::Bitmap(bitmap) => bitmap.serialized_size(),
        }
    }

    /// Returns how many of them lie among `rows` rows from `first_row` on.
    pub(super) fn count(&self, first_row: usize, rows: usize) -> u64 {
        let (first, last) = (row_id_in_segment(first_row), row_id_in_segment(first_row + rows));
        match self {
            SegmentRows::All => rows as u64,
            SegmentRows::Range(range) => {
                u64::from(range.end.min(last).saturating_sub(range.start.max(first)))
            }
            SegmentRows::Bitmap(bitmap) => bitmap.range_cardinality(first..last),
        }
    }

    /// Returns whether one of them lies among `rows` rows from `first_row` on.
    pub(super) fn meets(&self, first_row: usize, rows: usize) -> bool {
        self.count(first_row, rows) > 0
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
                let count = usize::try_from(self.count(first_row, rows)).unwrap_or(rows);
                let mut listed = vec![0; count];
                let mut left = bitmap.range(first..last);
                // Many at once: one after the other, each row would ask for its kind of container again.
                let mut filled = 0;
                loop {
                    let more = left.next_many(&mut listed[filled..]).len();
                    filled += more;
                    if more == 0 {
                        break;
                    }
                }
                listed.truncate(filled);
                listed.iter_mut().for_each(|row| *row -= first);
                ChunkRows::List(listed)
            }
        }
    }
}

fn within(mut bitmap: RoaringBitmap, range: &Range<u32>) -> SegmentRows {
    bitmap.remove_range(..range.start);
    bitmap.remove_range(range.end..);
    SegmentRows::Bitmap(bitmap)
}

pub(crate) fn row_id_in_segment(row: usize) -> u32 {
    u32::try_from(row).expect("a segment has fewer than 2^32 rows")
}
