//! Dictionary ids of one run of rows, in the narrowest of three widths.

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

    /// Returns how many ids there are.
    pub fn len(&self) -> usize {
        match self {
            Ids::U8(ids) => ids.len(),
            Ids::U16(ids) => ids.len(),
            Ids::U32(ids) => ids.len(),
        }
    }

    /// Returns whether there is no id.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the largest id.
    pub(crate) fn max(&self) -> Option<u32> {
        match self {
            Ids::U8(ids) => ids.iter().max().map(|&id| u32::from(id)),
            Ids::U16(ids) => ids.iter().max().map(|&id| u32::from(id)),
            Ids::U32(ids) => ids.iter().max().copied(),
        }
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
