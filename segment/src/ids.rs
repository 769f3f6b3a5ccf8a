//! Dictionary ids of one run of rows, in the narrowest of three widths.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt8Array, UInt16Array, UInt32Array};
use arrow::buffer::ScalarBuffer;

/// Immutable dictionary ids, one a value.
#[derive(Debug, Clone)]
pub enum Ids {
    /// Every id fits 8 bits.
    U8(ScalarBuffer<u8>),
    /// Every id fits 16 bits.
    U16(ScalarBuffer<u16>),
    /// Any id.
    U32(ScalarBuffer<u32>),
}

impl Ids {
    /// Returns the ids in the narrowest width that holds `dictionary_len` different ids.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "every id is below dictionary_len, which fits the width"
    )]
    pub fn narrow(ids: Vec<u32>, dictionary_len: usize) -> Ids {
        debug_assert!(ids.iter().all(|&id| (id as usize) < dictionary_len));
        if dictionary_len <= 1 << 8 {
            Ids::U8(ids.iter().map(|&id| id as u8).collect::<Vec<_>>().into())
        } else if dictionary_len <= 1 << 16 {
            Ids::U16(ids.iter().map(|&id| id as u16).collect::<Vec<_>>().into())
        } else {
            Ids::U32(ids.into())
        }
    }

    /// Returns the rank of each id of all `parts`, in the narrowest width that holds all ranks.
    pub(crate) fn concat_mapped(parts: &[&Ids], rank_of: &[u32]) -> Ids {
        let len = parts.iter().map(|ids| ids.len()).sum();
        if rank_of.len() <= 1 << 8 {
            Ids::U8(mapped(parts, rank_of, len).into())
        } else if rank_of.len() <= 1 << 16 {
            Ids::U16(mapped(parts, rank_of, len).into())
        } else {
            Ids::U32(mapped(parts, rank_of, len).into())
        }
    }

    /// Returns the rank of each id, in the narrowest width that holds all ranks.
    pub(crate) fn mapped(&self, rank_of: &[u32]) -> Ids {
        Ids::concat_mapped(&[self], rank_of)
    }

    /// Returns how many ids there are.
    pub fn len(&self) -> usize {
        match self {
            Ids::U8(ids) => ids.len(),
            Ids::U16(ids) => ids.len(),
            Ids::U32(ids) => ids.len(),
        }
    }

    /// Returns the id of a row.
    pub(crate) fn get(&self, row: usize) -> u32 {
        match self {
            Ids::U8(ids) => u32::from(ids[row]),
            Ids::U16(ids) => u32::from(ids[row]),
            Ids::U32(ids) => ids[row],
        }
    }

    /// Returns whether there is no id.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the smallest id.
    pub(crate) fn min(&self) -> Option<u32> {
        match self {
            Ids::U8(ids) => ids.iter().min().map(|&id| u32::from(id)),
            Ids::U16(ids) => ids.iter().min().map(|&id| u32::from(id)),
            Ids::U32(ids) => ids.iter().min().copied(),
        }
    }

    /// Returns the largest id.
    pub(crate) fn max(&self) -> Option<u32> {
        match self {
            Ids::U8(ids) => ids.iter().max().map(|&id| u32::from(id)),
            Ids::U16(ids) => ids.iter().max().map(|&id| u32::from(id)),
            Ids::U32(ids) => ids.iter().max().copied(),
        }
    }

    /// Returns whether no id is below the one before.
    pub(crate) fn is_sorted(&self) -> bool {
        match self {
            Ids::U8(ids) => ids.is_sorted(),
            Ids::U16(ids) => ids.is_sorted(),
            Ids::U32(ids) => ids.is_sorted(),
        }
    }

    /// Returns the ids widened, as an array.
    pub(crate) fn to_u32(&self) -> UInt32Array {
        let mut wide = Vec::with_capacity(self.len());
        self.extend_into(&mut wide);
        wide.into()
    }

    /// Returns `len` ids from `start` on, sharing the memory.
    pub fn slice(&self, start: usize, len: usize) -> Ids {
        match self {
            Ids::U8(ids) => Ids::U8(ids.slice(start, len)),
            Ids::U16(ids) => Ids::U16(ids.slice(start, len)),
            Ids::U32(ids) => Ids::U32(ids.slice(start, len)),
        }
    }

    /// Appends all ids to `out`, widened.
    pub fn extend_into(&self, out: &mut Vec<u32>) {
        match self {
            Ids::U8(ids) => out.extend(ids.iter().map(|&id| u32::from(id))),
            Ids::U16(ids) => out.extend(ids.iter().map(|&id| u32::from(id))),
            Ids::U32(ids) => out.extend_from_slice(ids),
        }
    }

    /// Returns the ids as an Arrow array that take kernels accept as indices.
    pub fn to_array(&self) -> ArrayRef {
        match self {
            Ids::U8(ids) => Arc::new(UInt8Array::new(ids.clone(), None)),
            Ids::U16(ids) => Arc::new(UInt16Array::new(ids.clone(), None)),
            Ids::U32(ids) => Arc::new(UInt32Array::new(ids.clone(), None)),
        }
    }

    /// Returns the memory the ids take.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Ids::U8(ids) => ids.inner().capacity(),
            Ids::U16(ids) => ids.inner().capacity(),
            Ids::U32(ids) => ids.inner().capacity(),
        }
    }
}

/// An id of one of the widths.
trait Id: Copy {
    fn of(rank: u32) -> Self;
}

#[expect(clippy::cast_possible_truncation, reason = "the width was chosen to hold all ranks")]
impl Id for u8 {
    fn of(rank: u32) -> u8 {
        rank as u8
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the width was chosen to hold all ranks")]
impl Id for u16 {
    fn of(rank: u32) -> u16 {
        rank as u16
    }
}

impl Id for u32 {
    fn of(rank: u32) -> u32 {
        rank
    }
}

fn mapped<T: Id>(parts: &[&Ids], rank_of: &[u32], len: usize) -> Vec<T> {
    // Ranks of the wanted width, so that the table takes less of the cache.
    let ranks: Vec<T> = rank_of.iter().map(|&rank| T::of(rank)).collect();
    let mut out = Vec::with_capacity(len);
    for ids in parts {
        match ids {
            Ids::U8(ids) => out.extend(ids.iter().map(|&id| ranks[usize::from(id)])),
            Ids::U16(ids) => out.extend(ids.iter().map(|&id| ranks[usize::from(id)])),
            Ids::U32(ids) => out.extend(ids.iter().map(|&id| ranks[id as usize])),
        }
    }
    out
}

/// Growing dictionary ids, in the narrowest width that has held them so far.
#[derive(Debug)]
pub(crate) enum IdBuffer {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
}

impl IdBuffer {
    pub(crate) fn new() -> IdBuffer {
        IdBuffer::U8(Vec::new())
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            IdBuffer::U8(ids) => ids.len(),
            IdBuffer::U16(ids) => 2 * ids.len(),
            IdBuffer::U32(ids) => 4 * ids.len(),
        }
    }

    /// Appends ids of a dictionary that has `dictionary_len` of them now.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "every id is below dictionary_len, which fits the width"
    )]
    pub(crate) fn extend(&mut self, ids: &[u32], dictionary_len: usize) {
        debug_assert!(ids.iter().all(|&id| (id as usize) < dictionary_len));
        self.widen(dictionary_len);
        match self {
            IdBuffer::U8(narrow) => narrow.extend(ids.iter().map(|&id| id as u8)),
            IdBuffer::U16(narrow) => narrow.extend(ids.iter().map(|&id| id as u16)),
            IdBuffer::U32(wide) => wide.extend_from_slice(ids),
        }
    }

    /// Returns a copy of some ids.
    pub(crate) fn slice(&self, range: Range<usize>) -> Ids {
        match self {
            IdBuffer::U8(ids) => Ids::U8(ids[range].to_vec().into()),
            IdBuffer::U16(ids) => Ids::U16(ids[range].to_vec().into()),
            IdBuffer::U32(ids) => Ids::U32(ids[range].to_vec().into()),
        }
    }

    /// Makes room for `count` ids in all.
    pub(crate) fn reserve(&mut self, count: usize) {
        match self {
            IdBuffer::U8(ids) => ids.reserve_exact(count.saturating_sub(ids.len())),
            IdBuffer::U16(ids) => ids.reserve_exact(count.saturating_sub(ids.len())),
            IdBuffer::U32(ids) => ids.reserve_exact(count.saturating_sub(ids.len())),
        }
    }

    /// Takes all ids.
    pub(crate) fn take(&mut self) -> Ids {
        fn taken<T>(ids: &mut Vec<T>) -> Vec<T> {
            let mut taken = mem::take(ids);
            taken.shrink_to_fit();
            taken
        }
        match self {
            IdBuffer::U8(ids) => Ids::U8(taken(ids).into()),
            IdBuffer::U16(ids) => Ids::U16(taken(ids).into()),
            IdBuffer::U32(ids) => Ids::U32(taken(ids).into()),
        }
    }

    fn widen(&mut self, dictionary_len: usize) {
        match self {
            IdBuffer::U8(ids) if dictionary_len > 1 << 16 => *self = IdBuffer::U32(widened(ids)),
            IdBuffer::U16(ids) if dictionary_len > 1 << 16 => *self = IdBuffer::U32(widened(ids)),
            IdBuffer::U8(ids) if dictionary_len > 1 << 8 => *self = IdBuffer::U16(widened(ids)),
            IdBuffer::U8(_) | IdBuffer::U16(_) | IdBuffer::U32(_) => {}
        }
    }
}

fn widened<T: Copy, W: From<T>>(ids: &Vec<T>) -> Vec<W> {
    let mut wide = Vec::with_capacity(ids.capacity());
    wide.extend(ids.iter().map(|&id| W::from(id)));
    wide
}
