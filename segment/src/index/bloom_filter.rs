//! Tells that a column surely does not hold a value.
//!
//! The filter is Parquet's split block bloom filter: one buffer of 32-byte blocks, each eight 32-bit words with one bit
//! set for each value that falls into the block. A value's hash is XXH64 with seed 0 of its bytes, as `value_bytes` writes
//! them; its upper half chooses the block, its lower half, multiplied by eight odd numbers, the bits. Unlike Parquet's
//! writers, ours takes as many blocks as it needs and not a power of two.

use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use arrow::datatypes::DataType as ArrowType;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::IndexParts;
use super::value_bytes::{self, StoredType};
use crate::value::Value;

const BLOCK_BYTES: usize = 32;

/// The eight numbers of Parquet's specification.
const SALT: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// How large a filter becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BloomFilterSize {
    /// Of a million absent values, how many the filter may let pass. Taken as one where it is none, and as 999,999 where
    /// it is more.
    pub false_positives_per_million: u32,
    /// Most bytes of the filter, which then lets more values pass; `None` means any.
    pub bytes_max: Option<u64>,
}

impl Default for BloomFilterSize {
    /// One in twenty, of any size, as in Pinot.
    fn default() -> BloomFilterSize {
        BloomFilterSize { false_positives_per_million: 50_000, bytes_max: None }
    }
}

/// Which values a column may hold.
#[derive(Debug, Clone)]
pub struct BloomFilter {
    stored: StoredType,
    blocks: Buffer,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BloomFilterHeader {
    stored: StoredType,
}

impl BloomFilter {
    /// Returns the filter of all values of an array: a dictionary's, a column's, or the elements of a column's lists.
    /// `None` for BOOLEAN.
    pub fn build(values: &ArrayRef, size: BloomFilterSize) -> Option<BloomFilter> {
        let stored = StoredType::of(values.data_type())?;
        let mut hashes = Vec::with_capacity(values.len());
        value_bytes::for_each(values, |value| hashes.push(hash(value)));
        // In order of hash, which is the order of the blocks, every block is written to while it is in the cache.
        hashes.sort_unstable();
        hashes.dedup();
        let mut words = vec![0_u32; size.blocks(hashes.len()) * SALT.len()];
        let block_count = words.len() / SALT.len();
        for hash in hashes {
            let block = block_of(hash, block_count) * SALT.len();
            for (word, bit) in words[block..].iter_mut().zip(bits_of(hash)) {
                *word |= bit;
            }
        }
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        Some(BloomFilter { stored, blocks: Buffer::from_vec(bytes) })
    }

    /// Returns false only when the column surely does not hold the value. A value of another type than the column's may
    /// be there.
    pub fn may_contain(&self, value: &Value) -> bool {
        value_bytes::with_bytes(value, |stored, bytes| {
            stored != self.stored || self.may_contain_hash(hash(bytes))
        })
        .unwrap_or(true)
    }

    /// Returns the filter as a serving file holds it.
    pub fn to_parts(&self) -> IndexParts {
        IndexParts::new(&BloomFilterHeader { stored: self.stored }, vec![self.blocks.clone()])
    }

    /// Opens the filter of a column stored as `stored`.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn from_parts(parts: &IndexParts, stored: &ArrowType) -> Result<BloomFilter, String> {
        let (header, mut buffers) = parts.open::<BloomFilterHeader>()?;
        if StoredType::of(stored) != Some(header.stored) {
            return Err(format!("values of {:?} in a column of {stored}", header.stored));
        }
        let blocks = buffers.next()?;
        buffers.end()?;
        if blocks.is_empty() || blocks.len() % BLOCK_BYTES != 0 {
            return Err(format!("{} bytes are no blocks of {BLOCK_BYTES}", blocks.len()));
        }
        Ok(BloomFilter { stored: header.stored, blocks })
    }

    /// Returns the memory the filter takes, that of its buffer included.
    pub fn memory_bytes(&self) -> usize {
        self.blocks.len()
    }

    fn may_contain_hash(&self, hash: u64) -> bool {
        let (blocks, _) = self.blocks.as_slice().as_chunks::<BLOCK_BYTES>();
        let (words, _) = blocks[block_of(hash, blocks.len())].as_chunks::<4>();
        words.iter().zip(bits_of(hash)).all(|(word, bit)| u32::from_le_bytes(*word) & bit != 0)
    }
}

impl BloomFilterSize {
    /// Returns how many blocks hold `distinct` values.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and is clamped"
    )]
    fn blocks(self, distinct: usize) -> usize {
        let rate = f64::from(self.false_positives_per_million.clamp(1, 999_999)) / 1e6;
        let wanted = (distinct as f64 / values_per_block(rate)).ceil() as usize;
        let most = self.bytes_max.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        wanted.min(most / BLOCK_BYTES).max(1)
    }
}

/// Returns how many values may fall into a block on average, found by halving: the rate grows with them.
fn values_per_block(rate: f64) -> f64 {
    let (mut low, mut high) = (0.1, 256.0);
    while high - low > 0.01 {
        let middle = (low + high) / 2.0;
        if false_positive_rate(middle) <= rate { low = middle } else { high = middle }
    }
    low
}

/// Returns the share of absent values that find all their bits set, when so many values fall into a block on average. The
/// common formula for bloom filters takes blocks for evenly filled; here blocks have 0, 1, 2, … values by Poisson.
fn false_positive_rate(values_per_block: f64) -> f64 {
    let (mut probability, mut unset, mut rate) = ((-values_per_block).exp(), 1.0_f64, 0.0);
    for values in 1..1000 {
        probability *= values_per_block / f64::from(values);
        unset *= 31.0 / 32.0;
        rate += probability * (1.0 - unset).powi(8);
    }
    rate
}

fn hash(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes)
}

fn block_of(hash: u64, count: usize) -> usize {
    (((hash >> 32) * count as u64) >> 32) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
fn bits_of(hash: u64) -> impl Iterator<Item = u32> {
    let low = hash as u32;
    SALT.into_iter().map(move |salt| 1 << (low.wrapping_mul(salt) >> 27))
}
