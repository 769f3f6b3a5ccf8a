//! Rows of each value in a column that the segment is sorted by: a range.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::IndexParts;
use super::starts::{Starts, StartsHeader};
use crate::ids::Ids;

/// Where the rows of each dictionary id begin. One buffer at most.
#[derive(Debug, Clone)]
pub struct SortedIndex {
    starts: Starts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SortedHeader {
    starts: StartsHeader,
}

impl SortedIndex {
    /// Returns the index of a column with these ids out of `distinct`; `None` when they do not ascend.
    pub fn build(ids: &Ids, distinct: usize) -> Option<SortedIndex> {
        let mut counts = vec![0; distinct];
        let mut wide = Vec::with_capacity(ids.len());
        ids.extend_into(&mut wide);
        let mut before = 0;
        for id in wide {
            if id < before {
                return None;
            }
            *counts.get_mut(id as usize)? += 1;
            before = id;
        }
        Some(SortedIndex { starts: Starts::of_counts(&counts) })
    }

    /// Returns the rows that hold these ids.
    pub fn rows(&self, ids: Range<u32>) -> Range<u32> {
        self.starts.range(&ids)
    }

    /// Returns the index as a serving file holds it.
    pub fn to_parts(&self) -> IndexParts {
        let header = SortedHeader { starts: self.starts.header() };
        IndexParts::new(&header, self.starts.buffer().cloned().into_iter().collect())
    }

    /// Opens an index over `rows` rows with `distinct` different ids.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn from_parts(parts: &IndexParts, distinct: usize, rows: u32) -> Result<SortedIndex, String> {
        let (header, mut buffers) = parts.open::<SortedHeader>()?;
        let starts = Starts::open(&header.starts, &mut buffers, distinct, rows)?;
        buffers.end()?;
        Ok(SortedIndex { starts })
    }

    /// Returns the memory the index takes, that of its buffers included.
    pub fn memory_bytes(&self) -> usize {
        self.starts.memory_bytes()
    }
}
