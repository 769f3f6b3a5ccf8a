//! Reads a serving file through a memory map, without copying: arrays point into the map.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal256Array, Float32Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMillisecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use bytes::Bytes;

use super::layout::{BlockId, ChunkEntry, ChunkValuesEntry, Footer, IdsEntry, ValuesEntry, ValuesForm};
use super::{BLOCK_ALIGNMENT, FORMAT_VERSION, MAGIC, TRAILER_BYTES};
use crate::column::{Column, ColumnValues};
use crate::dictionary::{Dictionary, DictionaryBlock};
use crate::error::SegmentError;
use crate::ids::Ids;
use crate::schema::DataType;
use crate::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE};

/// An open serving file. Blocks are checked when they are first touched.
#[derive(Debug)]
pub(crate) struct ServingFile {
    path: PathBuf,
    map: Bytes,
    pub(crate) footer: Footer,
    /// Set once a block's checksum was found right.
    checked: Vec<OnceLock<()>>,
}

impl ServingFile {
    pub(crate) fn open(path: &Path) -> Result<ServingFile, SegmentError> {
        let map = map_file(path).map_err(|source| SegmentError::Io { path: path.to_owned(), source })?;
        let footer = read_footer(path, &map)?;
        let checked = footer.blocks.iter().map(|_| OnceLock::new()).collect();
        Ok(ServingFile { path: path.to_owned(), map, footer, checked })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    pub(crate) fn dictionary(
        &self,
        blocks: &[ValuesEntry],
        data_type: DataType,
    ) -> Result<Dictionary, SegmentError> {
        if blocks.is_empty() {
            return Err(self.corrupt("a dictionary has no block"));
        }
        let mut first_id = 0;
        let mut loaded = Vec::with_capacity(blocks.len());
        for entry in blocks {
            loaded.push(Arc::new(DictionaryBlock::new(first_id, self.values(entry, data_type)?)));
            first_id +=
                u32::try_from(entry.count).map_err(|_| self.corrupt("a dictionary has 2^32 values"))?;
        }
        Ok(Dictionary::new(loaded, true))
    }

    /// Reads one column of one chunk of `rows` rows.
    pub(crate) fn column(
        &self,
        chunk: &ChunkEntry,
        rows: usize,
        data_type: DataType,
        dictionary: Option<&Arc<Dictionary>>,
    ) -> Result<Column, SegmentError> {
        let dictionary =
            || dictionary.cloned().ok_or_else(|| self.corrupt("a column of ids has no dictionary"));
        let values = match &chunk.values {
            ChunkValuesEntry::Ids(ids) => {
                let dictionary = dictionary()?;
                ColumnValues::Ids { ids: self.ids(ids, &dictionary)?, dictionary }
            }
            ChunkValuesEntry::Plain(values) => ColumnValues::Plain(self.values(values, data_type)?),
            ChunkValuesEntry::IdLists { offsets, ids } => {
                let dictionary = dictionary()?;
                ColumnValues::IdLists {
                    offsets: self.list_offsets(*offsets, rows, ids.count)?,
                    ids: self.ids(ids, &dictionary)?,
                    dictionary,
                }
            }
            ChunkValuesEntry::PlainLists { offsets, values } => ColumnValues::PlainLists {
                offsets: self.list_offsets(*offsets, rows, values.count)?,
                values: self.values(values, data_type)?,
            },
        };
        let nulls = match chunk.nulls {
            Some(block) => {
                Some(NullBuffer::new(BooleanBuffer::new(self.block(block, rows.div_ceil(8))?, 0, rows)))
            }
            None => None,
        };
        let column = Column { values, nulls };
        if column.len() != rows {
            return Err(self.corrupt("a column has another number of rows than its chunk"));
        }
        Ok(column)
    }

    /// Reads ids. Those who group or gather by them index without a check, so none may lie outside the dictionary.
    fn ids(&self, entry: &IdsEntry, dictionary: &Dictionary) -> Result<Ids, SegmentError> {
        let block = self.block(entry.block, entry.count.saturating_mul(usize::from(entry.width)))?;
        let ids = match entry.width {
            1 => Ids::U8(ScalarBuffer::new(block, 0, entry.count)),
            2 => Ids::U16(ScalarBuffer::new(block, 0, entry.count)),
            4 => Ids::U32(ScalarBuffer::new(block, 0, entry.count)),
            width => return Err(self.corrupt(&format!("ids are {width} bytes wide"))),
        };
        if ids.max().is_some_and(|id| id as usize >= dictionary.len()) {
            return Err(self.corrupt("an id lies outside its dictionary"));
        }
        Ok(ids)
    }

    fn values(&self, entry: &ValuesEntry, data_type: DataType) -> Result<ArrayRef, SegmentError> {
        let count = entry.count;
        let refused = |error: ArrowError| self.corrupt(&error.to_string());
        let array: ArrayRef = match (&entry.form, data_type) {
            (ValuesForm::Bytes { offsets, data }, DataType::String | DataType::Json) => {
                let (offsets, data) = (self.offsets(*offsets, count)?, self.block(*data, 0)?);
                Arc::new(StringArray::try_new(offsets, data, None).map_err(refused)?)
            }
            (ValuesForm::Bytes { offsets, data }, DataType::Bytes) => {
                let (offsets, data) = (self.offsets(*offsets, count)?, self.block(*data, 0)?);
                Arc::new(BinaryArray::try_new(offsets, data, None).map_err(refused)?)
            }
            (ValuesForm::Bits { block }, DataType::Boolean) => Arc::new(BooleanArray::new(
                BooleanBuffer::new(self.block(*block, count.div_ceil(8))?, 0, count),
                None,
            )),
            (ValuesForm::Fixed { block }, DataType::Int) => Arc::new(Int32Array::new(
                ScalarBuffer::new(self.block(*block, count.saturating_mul(4))?, 0, count),
                None,
            )),
            (ValuesForm::Fixed { block }, DataType::Long) => Arc::new(Int64Array::new(
                ScalarBuffer::new(self.block(*block, count.saturating_mul(8))?, 0, count),
                None,
            )),
            (ValuesForm::Fixed { block }, DataType::Timestamp) => {
                let values = ScalarBuffer::new(self.block(*block, count.saturating_mul(8))?, 0, count);
                Arc::new(TimestampMillisecondArray::new(values, None))
            }
            (ValuesForm::Fixed { block }, DataType::Float) => Arc::new(Float32Array::new(
                ScalarBuffer::new(self.block(*block, count.saturating_mul(4))?, 0, count),
                None,
            )),
            (ValuesForm::Fixed { block }, DataType::Double) => Arc::new(Float64Array::new(
                ScalarBuffer::new(self.block(*block, count.saturating_mul(8))?, 0, count),
                None,
            )),
            (ValuesForm::Fixed { block }, DataType::BigDecimal) => {
                let values = ScalarBuffer::new(self.block(*block, count.saturating_mul(32))?, 0, count);
                let array = Decimal256Array::new(values, None);
                Arc::new(array.with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)?)
            }
            (form, data_type) => {
                return Err(self.corrupt(&format!("{data_type} values are stored as {form:?}")));
            }
        };
        Ok(array)
    }

    /// Reads the borders of `rows` lists of together `elements` elements.
    fn list_offsets(
        &self,
        block: BlockId,
        rows: usize,
        elements: usize,
    ) -> Result<OffsetBuffer<i32>, SegmentError> {
        let offsets = self.offsets(block, rows)?;
        if usize::try_from(offsets[rows]) != Ok(elements) {
            return Err(self.corrupt("lists have another number of elements than their column"));
        }
        Ok(offsets)
    }

    fn offsets(&self, block: BlockId, count: usize) -> Result<OffsetBuffer<i32>, SegmentError> {
        let block = self.block(block, count.saturating_add(1).saturating_mul(4))?;
        let offsets = ScalarBuffer::<i32>::new(block, 0, count + 1);
        let in_order = offsets[0] == 0 && offsets.is_sorted();
        if !in_order {
            return Err(self.corrupt("offsets run backwards"));
        }
        Ok(OffsetBuffer::new(offsets))
    }

    /// Returns a block of at least `bytes_min` bytes, checked against its checksum.
    fn block(&self, id: BlockId, bytes_min: usize) -> Result<Buffer, SegmentError> {
        let entry =
            self.footer.blocks.get(id).ok_or_else(|| self.corrupt(&format!("block {id} does not exist")))?;
        let start = usize::try_from(entry.start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(entry.bytes).unwrap_or(usize::MAX));
        if end > self.map.len() || end - start < bytes_min {
            return Err(self.corrupt(&format!("block {id} is too short")));
        }
        if start % BLOCK_ALIGNMENT != 0 {
            return Err(self.corrupt(&format!("block {id} is not aligned")));
        }
        let bytes = self.map.slice(start..end);
        if self.checked[id].get().is_none() {
            if crc32c::crc32c(&bytes) != entry.crc32c {
                return Err(self.corrupt(&format!("checksum of block {id} at byte {start} does not match")));
            }
            // Two readers may check at once; both find the same.
            let _ = self.checked[id].set(());
        }
        Ok(Buffer::from(bytes))
    }

    pub(crate) fn corrupt(&self, detail: &str) -> SegmentError {
        corrupt(&self.path, detail)
    }
}

fn corrupt(path: &Path, detail: &str) -> SegmentError {
    SegmentError::Corrupt { path: path.to_owned(), detail: detail.to_owned() }
}

#[expect(unsafe_code, reason = "a memory map is the point of a serving file")]
fn map_file(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    // SAFETY: the map is sound while nobody changes the file's bytes under it. Serving files are written under a
    // temporary name, renamed once complete, and afterwards only ever unlinked; the data directory is locked against
    // other processes of ours.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Bytes::from_owner(map))
}

fn read_footer(path: &Path, map: &Bytes) -> Result<Footer, SegmentError> {
    if map.len() < MAGIC.len() + TRAILER_BYTES || map[..MAGIC.len()] != MAGIC {
        return Err(corrupt(path, "it does not begin as a serving file"));
    }
    let trailer = &map[map.len() - TRAILER_BYTES..];
    if trailer[16..] != MAGIC {
        return Err(corrupt(path, "it does not end as a serving file; it was cut"));
    }
    let word =
        |range: std::ops::Range<usize>| u32::from_le_bytes(trailer[range].try_into().expect("four bytes"));
    let found = word(12..16);
    if found != FORMAT_VERSION {
        return Err(SegmentError::Version { path: path.to_owned(), found, supported: FORMAT_VERSION });
    }
    let footer_bytes = u64::from_le_bytes(trailer[..8].try_into().expect("eight bytes"));
    let footer_end = map.len() - TRAILER_BYTES;
    let footer_start = usize::try_from(footer_bytes).ok().and_then(|bytes| footer_end.checked_sub(bytes));
    let Some(footer_start) = footer_start else {
        return Err(corrupt(path, "its footer is longer than the file"));
    };
    let footer = &map[footer_start..footer_end];
    if crc32c::crc32c(footer) != word(8..12) {
        return Err(corrupt(path, "checksum of the footer does not match"));
    }
    serde_json::from_slice(footer)
        .map_err(|error| corrupt(path, &format!("its footer cannot be read: {error}")))
}
