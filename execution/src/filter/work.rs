//! The rows of a chunk that are still in question, as a flag for each or as a list, whichever tests run over faster.

use meunier_segment::chunk::CHUNK_ROWS;

use crate::rows::{ChunkRows, row_id};

/// Below this share of a chunk's rows, rows are tested one by one instead of all at once.
const LIST_SHARE: usize = 64;

/// Rows in question while tests run over them.
pub(super) enum Work {
    Rows(ChunkRows),
    /// A flag for each row from `start` on.
    Mask {
        start: usize,
        mask: Vec<u8>,
    },
}

impl Work {
    pub(super) fn of(rows: ChunkRows) -> Work {
        Work::Rows(rows)
    }

    /// Returns whether no row is left. A mask that was not settled may hold none without this being known.
    pub(super) fn is_known_empty(&self) -> bool {
        matches!(self, Work::Rows(rows) if rows.is_empty())
    }

    /// Returns whether all of a chunk's rows are in question.
    pub(super) fn is_whole(&self, chunk_rows: usize) -> bool {
        match self {
            Work::Rows(rows) => rows.len() == chunk_rows,
            Work::Mask { mask, .. } => mask.len() == chunk_rows && count(mask) == chunk_rows,
        }
    }

    pub(super) fn tested_rows(&self) -> usize {
        match self {
            Work::Rows(rows) => rows.len(),
            Work::Mask { mask, .. } => mask.len(),
        }
    }

    /// Returns the work as a list when few rows are left, and as a mask otherwise.
    pub(super) fn settle(self) -> Work {
        match self {
            Work::Rows(ChunkRows::Range(range)) if range.len() > CHUNK_ROWS / LIST_SHARE => {
                Work::Mask { start: range.start, mask: vec![1; range.len()] }
            }
            Work::Rows(rows) => Work::Rows(ChunkRows::List(listed(rows))),
            Work::Mask { start, mask } => match count(&mask) * LIST_SHARE < mask.len() {
                true => Work::Rows(ChunkRows::List(rows_of_mask(start, &mask))),
                false => Work::Mask { start, mask },
            },
        }
    }

    /// Keeps the rows that are listed, in order.
    pub(super) fn keep(self, mut listed: Vec<u32>) -> Work {
        match self {
            Work::Rows(ChunkRows::Range(range)) => listed.retain(|row| range.contains(&(*row as usize))),
            Work::Rows(ChunkRows::List(rows)) => listed.retain(|row| rows.binary_search(row).is_ok()),
            Work::Mask { start, mask } => listed.retain(|row| {
                let at = (*row as usize).checked_sub(start);
                at.and_then(|at| mask.get(at)).is_some_and(|holds| *holds != 0)
            }),
        }
        Work::Rows(ChunkRows::List(listed))
    }

    pub(super) fn finish(self) -> ChunkRows {
        match self {
            Work::Rows(rows) => rows,
            Work::Mask { start, mask } => match count(&mask) {
                all if all == mask.len() => ChunkRows::Range(start..start + all),
                0 => ChunkRows::none(),
                _ => ChunkRows::List(rows_of_mask(start, &mask)),
            },
        }
    }
}

fn count(mask: &[u8]) -> usize {
    // Sums of 255 flags fit a byte, and bytes are what vector instructions add fastest.
    mask.chunks(255).map(|part| usize::from(part.iter().sum::<u8>())).sum()
}

fn rows_of_mask(start: usize, mask: &[u8]) -> Vec<u32> {
    let mut rows = Vec::with_capacity(count(mask));
    for (word, flags) in mask.chunks(8).enumerate() {
        let mut bytes = [0; 8];
        bytes[..flags.len()].copy_from_slice(flags);
        let mut word_flags = u64::from_le_bytes(bytes);
        let first = start + word * 8;
        while word_flags != 0 {
            rows.push(row_id(first + word_flags.trailing_zeros() as usize / 8));
            word_flags &= word_flags - 1;
        }
    }
    rows
}

pub(super) fn listed(rows: ChunkRows) -> Vec<u32> {
    match rows {
        ChunkRows::Range(range) => range.map(row_id).collect(),
        ChunkRows::List(rows) => rows,
    }
}

pub(super) fn retain(work: Work, mut keep: impl FnMut(usize) -> bool) -> Work {
    match work {
        Work::Rows(rows) => Work::Rows(rows.retain(keep)),
        Work::Mask { start, mut mask } => {
            for (row, holds) in mask.iter_mut().enumerate() {
                *holds &= u8::from(*holds != 0 && keep(start + row));
            }
            Work::Mask { start, mask }
        }
    }
}

pub(super) fn intersect(work: Work, rows: &ChunkRows, chunk_rows: usize) -> Work {
    match rows {
        ChunkRows::Range(range) => retain(work, |row| range.contains(&row)),
        ChunkRows::List(rows) => {
            let mut listed = vec![false; chunk_rows];
            rows.iter().for_each(|&row| listed[row as usize] = true);
            retain(work, |row| listed[row])
        }
    }
}

pub(super) fn snapshot_of(work: &Work) -> ChunkRows {
    match work {
        Work::Rows(rows) => rows.clone(),
        Work::Mask { start, mask } => ChunkRows::List(rows_of_mask(*start, mask)),
    }
}
