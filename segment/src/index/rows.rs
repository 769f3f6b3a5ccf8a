//! Sets of rows, made from lists of row numbers in time linear to the lists.

use roaring::RoaringBitmap;

use super::IndexError;

/// Lists shorter than one in so many rows are sorted; longer ones set bits of a bit for every row.
const SORTED_SHARE: usize = 512;

/// Returns the set of `listed`, each of which must be below `rows`.
pub(super) fn of_unordered(
    listed: impl ExactSizeIterator<Item = u32>,
    rows: u32,
) -> Result<RoaringBitmap, IndexError> {
    if listed.len() > rows as usize / SORTED_SHARE {
        return of_bits(listed, rows);
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

fn of_bits(listed: impl Iterator<Item = u32>, rows: u32) -> Result<RoaringBitmap, IndexError> {
    let mut bits = vec![0_u8; (rows as usize).div_ceil(8)];
    for row in listed {
        if row >= rows {
            return Err(IndexError::Damaged("a row that the segment does not have"));
        }
        bits[row as usize / 8] |= 1 << (row % 8);
    }
    Ok(RoaringBitmap::from_lsb0_bytes(0, &bits))
}
