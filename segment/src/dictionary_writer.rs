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

#[derive(Debug)]
struct Entry {
    hash: u64,
    id: u32,
}

/// Interns the values of one column.
#[derive(Debug)]
pub(crate) struct DictionaryWriter {
    kind: ValueBytes,
    entries: HashTable<Entry>,
    hasher: FixedState,
    blocks: Vec<Arc<DictionaryBlock>>,
    open_first_id: u32,
    open_bytes: Vec<u8>,
    open_ends: Vec<i32>,
    snapshot: Arc<Dictionary>,
}

impl DictionaryWriter {
    pub(crate) fn new(kind: ValueBytes) -> DictionaryWriter {
        DictionaryWriter {
            kind,
            entries: HashTable::new(),
            hasher: FixedState::default(),
            blocks: Vec::new(),
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
        self.entries = HashTable::new();
    }

    /// Returns the id of `value`, a new one if it is not known.
    pub(crate) fn intern(&mut self, value: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(value);
        let found = self.entries.find(hash, |entry| entry.hash == hash && self.value(entry.id) == value);
        if let Some(entry) = found {
            return entry.id;
        }
        if self.open_bytes.len() + value.len() > BLOCK_BYTES_MAX {
            self.close_open_block();
        }
        let id = u32::try_from(self.len()).expect("a segment has fewer than 2^32 rows");
        self.open_bytes.extend_from_slice(value);
        self.open_ends.push(i32::try_from(self.open_bytes.len()).expect("an open block is bounded"));
        self.entries.insert_unique(hash, Entry { hash, id }, |entry| entry.hash);
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

    /// Returns the memory the dictionary takes, its hash table included.
    pub(crate) fn memory_bytes(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(|block| block.memory_bytes()).sum();
        blocks + self.open_bytes.capacity() + self.open_ends.capacity() * 4 + self.entries.allocation_size()
    }

    fn value(&self, id: u32) -> &[u8] {
        if id >= self.open_first_id {
            let index = (id - self.open_first_id) as usize;
            return &self.open_bytes[self.open_ends[index] as usize..self.open_ends[index + 1] as usize];
        }
        let block = &self.blocks[self.blocks.partition_point(|block| block.first_id() <= id) - 1];
        let index = (id - block.first_id()) as usize;
        match self.kind {
            ValueBytes::Utf8 => block.values().as_string::<i32>().value(index).as_bytes(),
            ValueBytes::Binary => block.values().as_binary::<i32>().value(index),
            ValueBytes::Decimal => {
                let bytes = block.values().as_primitive::<Decimal256Type>().values().inner().as_slice();
                &bytes[index * 32..(index + 1) * 32]
            }
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
        let values = self.kind.array(bytes, ends);
        self.blocks.push(Arc::new(DictionaryBlock::new(self.open_first_id, values)));
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
            let merged = Arc::new(DictionaryBlock::new(left.first_id(), values));
            self.blocks.truncate(self.blocks.len() - 2);
            self.blocks.push(merged);
        }
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
                    .chunks_exact(32)
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
