//! The distinct values of a column, found by id.
//!
//! A dictionary is a list of blocks, each an Arrow array, and ids count through them. A sealed segment's dictionary is
//! sorted, so its ids compare as its values do; a consuming segment's is in order of first arrival and grows by blocks
//! while older snapshots keep reading the blocks they hold.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{TakeOptions, cast, concat, interleave, take};
use arrow::datatypes::DataType as ArrowType;
use arrow::error::ArrowError;

use crate::ids::Ids;
use crate::value::Value;
use crate::value_index::ValueIndex;

/// Consecutive values of a dictionary.
#[derive(Debug)]
pub struct DictionaryBlock {
    first_id: u32,
    values: ArrayRef,
    /// `values` as the scan hands them out; strings and bytes become views into the same memory.
    scan_values: OnceLock<ArrayRef>,
    /// Where each value is; made when it is first asked.
    index: OnceLock<Option<ValueIndex>>,
}

impl DictionaryBlock {
    /// Returns a block whose first value has the id `first_id`.
    pub fn new(first_id: u32, values: ArrayRef) -> DictionaryBlock {
        assert_eq!(values.null_count(), 0, "a dictionary holds no null");
        DictionaryBlock { first_id, values, scan_values: OnceLock::new(), index: OnceLock::new() }
    }

    /// Returns the id of the first value.
    pub fn first_id(&self) -> u32 {
        self.first_id
    }

    /// Returns the values: Utf8, Binary, or a primitive type.
    pub fn values(&self) -> &ArrayRef {
        &self.values
    }

    /// Returns the values as the scan hands them out: Utf8View, BinaryView, or a primitive type.
    fn scan_values(&self) -> &ArrayRef {
        self.scan_values.get_or_init(|| scan_array(&self.values))
    }

    /// Returns the id of a value, `Some(None)` when the block does not hold it, and nothing when it cannot tell quickly.
    #[expect(clippy::option_option, reason = "not there and not known are different")]
    fn find(&self, value: &Value) -> Option<Option<u32>> {
        let index = self.index.get_or_init(|| ValueIndex::of_array(&self.values)).as_ref()?;
        Some(index.of_value(value, &self.values)?.next().map(|at| self.first_id + at))
    }

    /// Returns the memory the block takes.
    pub fn memory_bytes(&self) -> usize {
        self.values.get_array_memory_size()
            + self.index.get().and_then(Option::as_ref).map_or(0, ValueIndex::memory_bytes)
            + self.scan_values.get().map_or(0, |views| match views.data_type() {
                ArrowType::Utf8View | ArrowType::BinaryView => views.len() * size_of::<u128>(),
                _ => 0,
            })
    }
}

/// Distinct values, immutable.
#[derive(Debug, Clone)]
pub struct Dictionary {
    blocks: Arc<[Arc<DictionaryBlock>]>,
    len: usize,
    sorted: bool,
}

impl Dictionary {
    /// Returns the dictionary of these blocks, whose ids must follow on each other from zero. There is at least one, so
    /// that a dictionary without values still has their type.
    pub fn new(blocks: Vec<Arc<DictionaryBlock>>, sorted: bool) -> Dictionary {
        assert!(!blocks.is_empty(), "a dictionary has a block");
        let mut len = 0;
        for block in &blocks {
            assert_eq!(block.first_id as usize, len, "dictionary blocks leave no id out");
            len += block.values.len();
        }
        Dictionary { blocks: blocks.into(), len, sorted }
    }

    /// Returns the dictionary of one block that holds `values`.
    pub fn of_values(values: ArrayRef, sorted: bool) -> Dictionary {
        Dictionary::new(vec![Arc::new(DictionaryBlock::new(0, values))], sorted)
    }

    /// Returns how many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns whether ids compare as their values do.
    pub fn is_sorted(&self) -> bool {
        self.sorted
    }

    /// Returns the blocks in order of id.
    pub fn blocks(&self) -> &[Arc<DictionaryBlock>] {
        &self.blocks
    }

    /// Returns all values as one array of the type the scan hands out, in order of id.
    ///
    /// # Errors
    /// When the values together are too large for one array.
    pub fn scan_values(&self) -> Result<ArrayRef, ArrowError> {
        match &*self.blocks {
            [block] => Ok(Arc::clone(block.scan_values())),
            blocks => concat(&blocks.iter().map(|block| block.scan_values().as_ref()).collect::<Vec<_>>()),
        }
    }

    /// Returns all values as one array of their stored type (Utf8, Binary or a primitive), in order of id.
    ///
    /// # Errors
    /// When the values together are too large for one array.
    pub fn stored_values(&self) -> Result<ArrayRef, ArrowError> {
        match &*self.blocks {
            [block] => Ok(Arc::clone(block.values())),
            blocks => concat(&blocks.iter().map(|block| block.values().as_ref()).collect::<Vec<_>>()),
        }
    }

    /// Returns the value of each id, as the scan hands them out.
    ///
    /// # Errors
    /// When the values together are too large for one array.
    ///
    /// # Panics
    /// When an id lies outside the dictionary: the writer makes no such id, and the reader of a file refuses it.
    pub fn gather(&self, ids: &Ids) -> Result<ArrayRef, ArrowError> {
        match &*self.blocks {
            [block] => take(block.scan_values(), &ids.to_array(), None),
            blocks => {
                let arrays: Vec<&dyn Array> =
                    blocks.iter().map(|block| block.scan_values().as_ref()).collect();
                let mut wide = Vec::with_capacity(ids.len());
                ids.extend_into(&mut wide);
                let places: Vec<(usize, usize)> = wide.into_iter().map(|id| self.place(id)).collect();
                interleave(&arrays, &places)
            }
        }
    }

    /// Returns the block that holds `id` and the position in it.
    pub fn place(&self, id: u32) -> (usize, usize) {
        let block = self.blocks.partition_point(|block| block.first_id <= id) - 1;
        (block, (id - self.blocks[block].first_id) as usize)
    }

    /// Returns the id of a value, `Some(None)` when there is none, and nothing when all values would have to be compared.
    pub fn find(&self, value: &Value) -> Option<Option<u32>> {
        for block in self.blocks.iter().filter(|block| !block.values.is_empty()) {
            let found = block.find(value)?;
            if found.is_some() {
                return Some(found);
            }
        }
        Some(None)
    }

    /// Returns the memory the dictionary takes.
    pub fn memory_bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.memory_bytes()).sum()
    }
}

/// Returns stored values as the scan hands them out: strings and bytes as views, all else unchanged.
pub(crate) fn scan_array(values: &ArrayRef) -> ArrayRef {
    let views = match values.data_type() {
        ArrowType::Utf8 => ArrowType::Utf8View,
        ArrowType::Binary => ArrowType::BinaryView,
        _ => return Arc::clone(values),
    };
    cast(values, &views).expect("every string array casts to views of itself")
}

/// Returns the rows of `array` named by `indices`, or an error when one does not exist.
pub(crate) fn take_rows(array: &ArrayRef, indices: &UInt32Array) -> Result<ArrayRef, ArrowError> {
    take(array, indices, Some(TakeOptions { check_bounds: true }))
}
