//! Sets of rows, made from lists of row numbers in time linear to the lists.

use roaring::{MultiOps, RoaringBitmap};

use super::IndexError;

/// Lists shorter than one in so many rows are sorted; longer ones set bits of a bit for every row.
const SORTED_SHARE: usize = 512;
/// Sets with less than one in so many rows are lists inside, whose union by merging costs more than bits.
const SPARSE_SHARE: u64 = 16;

/// Returns the union of sets, of which the rows must be below `rows`. Together they have `count` rows or so.
pub(super) fn union(
    sets: impl ExactSizeIterator<Item = Result<RoaringBitmap, IndexError>>,
    count: u64,
    rows: u32,
) -> Result<RoaringBitmap, IndexError> {
    let is_large = count > u64::from(rows) / SORTED_SHARE as u64;
    let are_sparse = count / (sets.len() as u64).max(1) < u64::from(rows) / SPARSE_SHARE;
    if !(is_large && are_sparse) {
        return check_below(sets.union()?, rows);
    }
    let mut bits = Bits::new(rows);
    for set in sets {
        for row in set? {
            bits.insert(row)?;
        }
    }
    Ok(bits.into_set())
}

/// Returns the set of `listed`, each of which must be below `rows`.
pub(super) fn of_unordered(
    listed: impl ExactSizeIterator<Item = u32>,
    rows: u32,
) -> Result<RoaringBitmap, IndexError> {
    if listed.len() > rows as usize / SORTED_SHARE {
        let mut bits = Bits::new(rows);
        for row in listed {
            bits.insert(row)?;
        }
        return Ok(bits.into_set());
    }
    let mut listed: Vec<u32> = listed.collect();
    listed.sort_unstable();
    listed.dedup();
    of_ascending(listed.into_iter(), rows)
}

/// Returns the set of `listed`, which must ascend and lie below `rows`.
pub(super) fn of_ascending(
    listed: impl Iterator<Item = u32>,
    rows: u32,
) -> Result<RoaringBitmap, IndexError> {
    let set =
        RoaringBitmap::from_sorted_iter(listed).map_err(|_| IndexError::Damaged("rows do not ascend"))?;
    check_below(set, rows)
}

/// Returns the set if the segment has all its rows.
pub(super) fn check_below(set: RoaringBitmap, rows: u32) -> Result<RoaringBitmap, IndexError> {
    match set.max() {
        Some(last) if last >= rows => Err(IndexError::Damaged("a row that the segment does not have")),
        _ => Ok(set),
    }
}

/// Returns the set of all rows.
pub(super) fn all(rows: u32) -> RoaringBitmap {
    let mut set = RoaringBitmap::new();
    set.insert_range(0..rows);
    set
}

/// A bit for every row.
struct Bits {
    bytes: Vec<u8>,
    rows: u32,
}

impl Bits {
    fn new(rows: u32) -> Bits {
        Bits { bytes: vec![0; (rows as usize).div_ceil(8)], rows }
    }

    fn insert(&mut self, row: u32) -> Result<(), IndexError> {
        if row >= self.rows {
            return Err(IndexError::Damaged("a row that the segment does not have"));
        }
        self.bytes[row as usize / 8] |= 1 << (row % 8);
        Ok(())
    }

    fn into_set(self) -> RoaringBitmap {
        RoaringBitmap::from_lsb0_bytes(0, &self.bytes)
    }
}
