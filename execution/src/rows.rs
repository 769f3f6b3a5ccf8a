//! Some rows of one chunk.

use std::ops::Range;

use arrow::array::UInt32Array;

/// Rows of a chunk, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkRows {
    /// Rows that follow on each other.
    Range(Range<usize>),
    /// Any rows.
    List(Vec<u32>),
}

impl ChunkRows {
    /// Returns no row.
    pub fn none() -> ChunkRows {
        ChunkRows::Range(0..0)
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        match self {
            ChunkRows::Range(range) => range.len(),
            ChunkRows::List(rows) => rows.len(),
        }
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns `count` of the rows from the `start`-th on.
    #[must_use]
    pub fn slice(&self, start: usize, count: usize) -> ChunkRows {
        match self {
            ChunkRows::Range(range) => ChunkRows::Range(range.start + start..range.start + start + count),
            ChunkRows::List(rows) => ChunkRows::List(rows[start..start + count].to_vec()),
        }
    }

    /// Calls `f` on each row.
    pub fn for_each(&self, mut f: impl FnMut(usize)) {
        match self {
            ChunkRows::Range(range) => range.clone().for_each(f),
            ChunkRows::List(rows) => rows.iter().for_each(|&row| f(row as usize)),
        }
    }

    /// Returns the rows as indices for Arrow's kernels.
    pub fn to_indices(&self) -> UInt32Array {
        match self {
            ChunkRows::Range(range) => range.clone().map(row_id).collect::<Vec<_>>().into(),
            ChunkRows::List(rows) => rows.clone().into(),
        }
    }

    /// Keeps the rows for which `keep` holds.
    pub(crate) fn retain(self, mut keep: impl FnMut(usize) -> bool) -> ChunkRows {
        match self {
            ChunkRows::Range(range) => {
                let len = range.len();
                let kept: Vec<u32> = range.clone().filter(|&row| keep(row)).map(row_id).collect();
                if kept.len() == len { ChunkRows::Range(range) } else { ChunkRows::List(kept) }
            }
            ChunkRows::List(mut rows) => {
                rows.retain(|&row| keep(row as usize));
                ChunkRows::List(rows)
            }
        }
    }
}

pub(crate) fn row_id(row: usize) -> u32 {
    u32::try_from(row).expect("a chunk has at most 65,536 rows")
}
