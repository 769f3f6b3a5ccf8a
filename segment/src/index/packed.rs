//! Unsigned integers of one width, side by side without gaps, each found in one read.
//!
//! ```text
//! value i: bits [i × width, (i + 1) × width), least significant first; behind the last value 7 bytes of zero,
//! so that the eight bytes from any value's first byte on are there
//! ```

use std::ops::Range;

use arrow::buffer::Buffer;

/// Bytes behind the last value.
const PADDING: usize = 7;
/// Widest value. Its first bit lies in the first byte that is read, so that 32 + 7 bits are in reach.
const WIDTH_MAX: u32 = 32;

/// Immutable bit-packed integers.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    bytes: Buffer,
    width: u32,
    len: usize,
}

impl Packed {
    /// Packs `values`, none of which is above `max`.
    pub(super) fn new(values: impl ExactSizeIterator<Item = u32>, max: u32) -> Packed {
        let width = width_of(max);
        let len = values.len();
        let byte_len = byte_len(width, len).expect("values in memory fit memory packed");
        let mut bytes = Vec::with_capacity(byte_len + PADDING);
        let (mut pending, mut pending_bits) = (0_u64, 0);
        for value in values {
            debug_assert!(value <= max);
            pending |= u64::from(value) << pending_bits;
            pending_bits += width;
            if pending_bits >= 32 {
                bytes.extend_from_slice(&pending.to_le_bytes()[..4]);
                pending >>= 32;
                pending_bits -= 32;
            }
        }
        bytes.extend_from_slice(&pending.to_le_bytes());
        bytes.resize(byte_len, 0);
        Packed { bytes: Buffer::from_vec(bytes), width, len }
    }

    /// Opens `len` values of `width` bits.
    pub(super) fn open(bytes: Buffer, width: u32, len: usize) -> Result<Packed, String> {
        if width == 0 || width > WIDTH_MAX {
            return Err(format!("a value of {width} bits"));
        }
        if byte_len(width, len) != Some(bytes.len()) {
            return Err(format!("{len} values of {width} bits in {} bytes", bytes.len()));
        }
        Ok(Packed { bytes, width, len })
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn buffer(&self) -> &Buffer {
        &self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns one value.
    pub(super) fn get(&self, i: usize) -> u32 {
        assert!(i < self.len, "packed value {i} of {}", self.len);
        read(self.bytes.as_slice(), self.width, i)
    }

    /// Returns the values of a range that lies within.
    pub(super) fn iter(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = u32> + '_ {
        assert!(range.end <= self.len, "packed values up to {} of {}", range.end, self.len);
        let (bytes, width) = (self.bytes.as_slice(), self.width);
        range.map(move |i| read(bytes, width, i))
    }
}

/// Returns the bits that hold `max`.
pub(super) fn width_of(max: u32) -> u32 {
    (u32::BITS - max.leading_zeros()).max(1)
}

/// Returns the bytes that values take; `None` when no memory could hold them.
pub(super) fn byte_len(width: u32, len: usize) -> Option<usize> {
    let bits = len.checked_mul(width as usize)?;
    bits.div_ceil(8).checked_add(PADDING)
}

#[expect(clippy::cast_possible_truncation, reason = "the mask leaves 32 bits at most")]
fn read(bytes: &[u8], width: u32, i: usize) -> u32 {
    let bit = i * width as usize;
    let at = bit / 8;
    let word: [u8; 8] = bytes[at..at + 8].try_into().expect("the slice is of eight bytes");
    ((u64::from_le_bytes(word) >> (bit % 8)) & ((1 << width) - 1)) as u32
}

#[cfg(test)]
mod tests;
