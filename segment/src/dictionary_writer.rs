//! The growing dictionary of one column of a consuming segment.
//!
//! One writer interns values; readers hold [`Dictionary`] snapshots. New values collect in an open block, which a
//! snapshot turns into an immutable one. So that frequent snapshots do not leave thousands of tiny blocks, neighbours of
//! like size merge, as the levels of a log-structured merge tree do: each value is copied a small multiple of log2 of
//! [`BLOCK_VALUES_MAX`] times at most.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Decimal256Array, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::compute::concat;
use arrow::datatypes::{Decimal256Type, i256};
use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::dictionary::{Dictionary, DictionaryBlock};
use crate::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE};

/// Merged blocks hold at most this many values.
const BLOCK_VALUES_MAX: usize = 1 << 16;
/// Merged blocks hold at most this many bytes, far below the 2 GiB that an Arrow string array can address.
const BLOCK_BYTES_MAX: usize = 64 << 20;

/// Length of a BIG_DECIMAL's bytes.
const DECIMAL_BYTES: usize = 32;

/// What the interned bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueBytes {
    /// UTF-8 text.
    Utf8,
    /// Raw bytes.
    Binary,
    /// The 32 little-endian bytes of a BIG_DECIMAL.
    Decimal,
}

/// A value of at most sixteen bytes, whole: with the length, its first and its last eight bytes tell it from any other. To
/// find it no dictionary has to be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ShortValue {
    head: u64,
    tail: u64,
    len: u32,
}

#[derive(Debug)]
struct ShortEntry {
    value: ShortValue,
    id: u32,
}

#[derive(Debug)]
struct LongEntry {
    hash: u64,
    id: u32,
}

/// The bytes of a block's values, shared with its array.
#[derive(Debug)]
struct BlockBytes {
    first_id: u32,
    bytes: Buffer,
    /// Where values end; those of a BIG_DECIMAL column are all of one length.
    borders: Option<OffsetBuffer<i32>>,
}

/// Interns the values of one column.
#[derive(Debug)]
pub(crate) struct DictionaryWriter {
    kind: ValueBytes,
    short: HashTable<ShortEntry>,
    long: HashTable<LongEntry>,
    hasher: FixedState,
    blocks: Vec<Arc<DictionaryBlock>>,
    /// For each block its bytes.
    block_bytes: Vec<BlockBytes>,
    open_first_id: u32,
    open_bytes: Vec<u8>,
    open_ends: Vec<i32>,
    snapshot: Arc<Dictionary>,
}

impl DictionaryWriter {
    pub(crate) fn new(kind: ValueBytes) -> DictionaryWriter {
        DictionaryWriter {
            kind,
            short: HashTable::new(),
            long: HashTable::new(),
            hasher: FixedState::default(),
            blocks: Vec::new(),
            block_bytes: Vec::new(),
            open_first_id: 0,
            open_bytes: Vec::new(),
            open_ends: vec![0],
            // One block without a value, and not none: it still has a type, which readers of no rows ask for.
            snapshot: Arc::new(Dictionary::of_values(kind.array(Vec::new(), vec![0]), false)),
        }
    }

    /// Returns how many distinct values there are.
    pub(crate) fn len(&self) -> usize {
        self.open_first_id as usize + self.open_ends.len() - 1
    }

    /// Ends interning: what is known stays readable, and the memory for finding it is given back.
    pub(crate) fn stop_interning(&mut self) {
        self.short = HashTable::new();
        self.long = HashTable::new();
        self.block_bytes = Vec::new();
    }

    /// Returns the id of `value`, a new one if it is not known.
    #[inline]
    pub(crate) fn intern(&mut self, value: &[u8]) -> u32 {
        let Some(short) = ShortValue::of(value) else { return self.intern_long(value) };
        let hash = short.hash(&self.hasher);
        match self.short.find(hash, |entry| entry.value == short) {
            Some(entry) => entry.id,
            None => {
                let id = self.push(value);
                let hasher = &self.hasher;
                let entry = ShortEntry { value: short, id };
                self.short.insert_unique(hash, entry, |entry| entry.value.hash(hasher));
                id
            }
        }
    }

    fn intern_long(&mut self, value: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(value);
        let found = self.long.find(hash, |entry| entry.hash == hash && self.value(entry.id) == value);
        if let Some(entry) = found {
            return entry.id;
        }
        let id = self.push(value);
        self.long.insert_unique(hash, LongEntry { hash, id }, |entry| entry.hash);
        id
    }

    /// Appends a value that is not known and returns its id.
    fn push(&mut self, value: &[u8]) -> u32 {
        if self.open_bytes.len() + value.len() > BLOCK_BYTES_MAX {
            self.close_open_block();
        }
        let id = u32::try_from(self.len()).expect("a segment has fewer than 2^32 rows");
        self.open_bytes.extend_from_slice(value);
        self.open_ends.push(i32::try_from(self.open_bytes.len()).expect("an open block is bounded"));
        id
    }

    /// Returns the values so far. Costs nothing when none is new since the last call.
    pub(crate) fn snapshot(&mut self) -> Arc<Dictionary> {
        if self.open_ends.len() > 1 {
            self.close_open_block();
            self.snapshot = Arc::new(Dictionary::new(self.blocks.clone(), false));
        }
        Arc::clone(&self.snapshot)
    }

    /// Returns the memory the dictionary takes, its hash tables included.
    pub(crate) fn memory_bytes(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(|block| block.memory_bytes()).sum();
        let open = self.open_bytes.capacity() + self.open_ends.capacity() * size_of::<i32>();
        blocks + open + self.short.allocation_size() + self.long.allocation_size()
    }

    fn value(&self, id: u32) -> &[u8] {
        let range = |ends: &[i32], index: usize| ends[index] as usize..ends[index + 1] as usize;
        if id >= self.open_first_id {
            return &self.open_bytes[range(&self.open_ends, (id - self.open_first_id) as usize)];
        }
        let block = &self.block_bytes[self.block_bytes.partition_point(|block| block.first_id <= id) - 1];
        let index = (id - block.first_id) as usize;
        match &block.borders {
            Some(borders) => &block.bytes[range(borders, index)],
            None => &block.bytes[index * DECIMAL_BYTES..(index + 1) * DECIMAL_BYTES],
        }
    }

    fn close_open_block(&mut self) {
        let bytes = std::mem::take(&mut self.open_bytes);
        let ends = std::mem::replace(&mut self.open_ends, vec![0]);
        let count = ends.len() - 1;
        if count == 0 {
            self.open_bytes = bytes;
            return;
        }
        self.push_block(self.open_first_id, self.kind.array(bytes, ends));
        self.open_first_id += u32::try_from(count).expect("a block is bounded");
        while let [.., left, right] = self.blocks.as_slice() {
            let (left_len, right_len) = (left.values().len(), right.values().len());
            let bytes = left.values().get_array_memory_size() + right.values().get_array_memory_size();
            let fits = left_len + right_len <= BLOCK_VALUES_MAX && bytes <= BLOCK_BYTES_MAX;
            if !fits || left_len > 2 * right_len {
                break;
            }
            let values = concat(&[left.values().as_ref(), right.values().as_ref()])
                .expect("two bounded arrays of one type concatenate");
            let first_id = left.first_id();
            self.blocks.truncate(self.blocks.len() - 2);
            self.block_bytes.truncate(self.blocks.len());
            self.push_block(first_id, values);
        }
    }

    fn push_block(&mut self, first_id: u32, values: ArrayRef) {
        let (bytes, borders) = match self.kind {
            ValueBytes::Utf8 => {
                let values = values.as_string::<i32>();
                (values.values().clone(), Some(values.offsets().clone()))
            }
            ValueBytes::Binary => {
                let values = values.as_binary::<i32>();
                (values.values().clone(), Some(values.offsets().clone()))
            }
            ValueBytes::Decimal => (values.as_primitive::<Decimal256Type>().values().inner().clone(), None),
        };
        self.block_bytes.push(BlockBytes { first_id, bytes, borders });
        self.blocks.push(Arc::new(DictionaryBlock::new(first_id, values)));
    }
}

impl ShortValue {
    /// Returns the value if it is short.
    #[inline]
    fn of(value: &[u8]) -> Option<ShortValue> {
        let (head, tail) = match value.len() {
            8..=16 => (
                u64::from_le_bytes(*value.first_chunk().expect("there are eight bytes")),
                u64::from_le_bytes(*value.last_chunk().expect("there are eight bytes")),
            ),
            4..8 => (
                u32::from_le_bytes(*value.first_chunk().expect("there are four bytes")).into(),
                u32::from_le_bytes(*value.last_chunk().expect("there are four bytes")).into(),
            ),
            0..4 => (value.iter().fold(0, |bytes, byte| bytes << 8 | u64::from(*byte)), 0),
            _ => return None,
        };
        #[expect(clippy::cast_possible_truncation, reason = "it is at most sixteen")]
        let len = value.len() as u32;
        Some(ShortValue { head, tail, len })
    }

    #[inline]
    fn hash(&self, hasher: &FixedState) -> u64 {
        // Both halves are words of one 128-bit number, which takes one multiplication to hash.
        let words = u128::from(self.head) << 64 | u128::from(self.tail ^ u64::from(self.len) << 56);
        hasher.hash_one(words)
    }
}

impl ValueBytes {
    /// Returns the array of the values that lie in `bytes` between each two of `ends`.
    fn array(self, bytes: Vec<u8>, ends: Vec<i32>) -> ArrayRef {
        let offsets = OffsetBuffer::new(ends.into());
        match self {
            ValueBytes::Utf8 => Arc::new(
                StringArray::try_new(offsets, Buffer::from_vec(bytes), None).expect("strings were interned"),
            ),
            ValueBytes::Binary => Arc::new(BinaryArray::new(offsets, Buffer::from_vec(bytes), None)),
            ValueBytes::Decimal => {
                let values: Vec<i256> = bytes
                    .chunks_exact(DECIMAL_BYTES)
                    .map(|value| i256::from_le_bytes(value.try_into().expect("chunks of 32 bytes")))
                    .collect();
                let array = Decimal256Array::new(values.into(), None)
                    .with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)
                    .expect("precision and scale are constants that fit");
                Arc::new(array)
            }
        }
    }
}
