//! A sealed segment as readers see it: an open serving file, its dictionaries and chunks loaded when first used.
//!
//! Decoded dictionaries and chunks stay in memory under the process's budget, see [`crate::serving::set_decoded_budget`];
//! indexes stay as long as the segment.

use std::path::Path;
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;

use crate::chunk::CHUNK_ROWS;
use crate::column::Column;
use crate::dictionary::Dictionary;
use crate::error::SegmentError;
use crate::index::{
    BloomFilter, IndexParts, InvertedIndex, JsonIndex, PartitionSet, RangeIndex, SortedIndex, TextIndex,
};
use crate::offset_range::{OffsetRange, PartitionId};
use crate::seal::IndexKind;
use crate::segment_name::SegmentName;
use crate::serving::{ColumnEntry, Decoded, DurableRef, IndexEntry, ServingFile, Slot};
use crate::star_tree::StarTree;
use crate::stats::{ColumnStats, value_of_bits};
use crate::value::Value;

/// An immutable segment in a file.
#[derive(Debug)]
pub struct SealedSegment {
    name: SegmentName,
    file: ServingFile,
    columns: Vec<SealedColumn>,
    star_trees: OnceLock<Vec<Arc<StarTree>>>,
}

#[derive(Debug)]
struct SealedColumn {
    dictionary: DictionarySlot,
    chunks: Vec<Slot<Column>>,
    sorted: OnceLock<Arc<SortedIndex>>,
    inverted: OnceLock<Arc<InvertedIndex>>,
    range: OnceLock<Arc<RangeIndex>>,
    bloom: OnceLock<Arc<BloomFilter>>,
    json: OnceLock<Arc<JsonIndex>>,
    text: OnceLock<Arc<TextIndex>>,
    partitions: Option<PartitionSet>,
}

/// A dictionary that is read again only once nobody holds it any more, so that there is never a second copy.
#[derive(Debug, Default)]
struct DictionarySlot {
    slot: Slot<Arc<Dictionary>>,
    last: Mutex<Weak<Dictionary>>,
}

impl SealedSegment {
    /// Opens a serving file. Reads its footer only.
    ///
    /// # Errors
    /// [`SegmentError::Io`] when the file cannot be read, [`SegmentError::Corrupt`] or [`SegmentError::Version`] when it
    /// must be rebuilt.
    pub fn open(path: &Path) -> Result<SealedSegment, SegmentError> {
        let file = ServingFile::open(path)?;
        let columns =
            file.footer.columns.iter().map(|entry| open_column(&file, entry)).collect::<Result<_, _>>()?;
        Ok(SealedSegment {
            name: SegmentName::from(file.footer.segment.as_str()),
            file,
            columns,
            star_trees: OnceLock::new(),
        })
    }

    /// Returns the segment's name.
    pub fn name(&self) -> &SegmentName {
        &self.name
    }

    /// Returns the Kafka partition the segment covers a range of.
    pub fn partition(&self) -> PartitionId {
        self.file.footer.partition
    }

    /// Returns the offsets the segment covers.
    pub fn range(&self) -> OffsetRange {
        self.file.footer.range
    }

    /// Returns how many rows the segment holds.
    pub fn rows(&self) -> usize {
        self.file.footer.rows
    }

    /// Returns when the segment was begun, milliseconds since the epoch.
    pub fn created_ms(&self) -> i64 {
        self.file.footer.created_ms
    }

    /// Returns the durable file that the serving file was made from.
    pub fn durable(&self) -> DurableRef {
        self.file.footer.durable
    }

    /// Returns a fingerprint of the options that the file was made with; see
    /// [`crate::options::SegmentOptions::fingerprint`].
    pub fn options_fingerprint(&self) -> u64 {
        self.file.footer.options_fingerprint
    }

    /// Returns the length of the serving file.
    pub fn file_bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// Returns how many columns are stored, the offset column included.
    pub fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// Returns how many chunks the rows make.
    pub fn chunk_count(&self) -> usize {
        self.rows().div_ceil(CHUNK_ROWS)
    }

    /// Returns the position of a column by name.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.file.footer.columns.iter().position(|column| column.name == name)
    }

    /// Returns whether the column at a position has this name.
    pub fn is_column(&self, position: usize, name: &str) -> bool {
        self.file.footer.columns.get(position).is_some_and(|column| column.name == name)
    }

    /// Returns what is known of a column.
    pub fn stats(&self, column: usize) -> &ColumnStats {
        &self.entry(column).stats
    }

    /// Returns the smallest and the largest value of one column in one chunk, where they are known: those of numbers
    /// and times are.
    pub fn chunk_bounds(&self, chunk: usize, column: usize) -> Option<(Value, Value)> {
        let entry = self.entry(column);
        let (min, max) = entry.chunks[chunk].bounds?;
        Some((value_of_bits(min, entry.data_type)?, value_of_bits(max, entry.data_type)?))
    }

    /// Returns one column of one chunk.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn column(&self, chunk: usize, column: usize) -> Result<Column, SegmentError> {
        let slot = &self.columns[column].chunks[chunk];
        if let Some(loaded) = slot.read(Column::clone) {
            return Ok(loaded);
        }
        let entry = self.entry(column);
        let dictionary = self.dictionary(column)?;
        let rows = CHUNK_ROWS.min(self.rows() - chunk * CHUNK_ROWS);
        let decoded = self.file.column(&entry.chunks[chunk], rows, entry.data_type, dictionary.as_ref())?;
        let loaded = decoded.value.clone();
        slot.store(decoded);
        Ok(loaded)
    }

    /// Returns a column's sorted dictionary, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn dictionary(&self, column: usize) -> Result<Option<Arc<Dictionary>>, SegmentError> {
        let entry = self.entry(column);
        let Some(values) = &entry.dictionary else { return Ok(None) };
        let place = &self.columns[column].dictionary;
        if let Some(loaded) = place.slot.read(Arc::clone) {
            return Ok(Some(loaded));
        }
        // One reader decodes, and others wait: a dictionary may be large.
        let mut last = place.last.lock();
        let decoded = match last.upgrade() {
            Some(value) => Decoded { bytes: value.memory_bytes(), value },
            None => {
                let Decoded { value, bytes } = self.file.dictionary(values, entry.data_type)?;
                Decoded { value: Arc::new(value), bytes }
            }
        };
        let loaded = Arc::clone(&decoded.value);
        *last = Arc::downgrade(&loaded);
        place.slot.store(decoded);
        Ok(Some(loaded))
    }

    /// Returns a column's sorted index, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn sorted_index(&self, column: usize) -> Result<Option<Arc<SortedIndex>>, SegmentError> {
        let (distinct, rows) = (self.distinct(column), self.row_count());
        self.index(column, IndexKind::Sorted, &self.columns[column].sorted, |parts| {
            SortedIndex::from_parts(parts, distinct, rows)
        })
    }

    /// Returns a column's inverted index, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn inverted_index(&self, column: usize) -> Result<Option<Arc<InvertedIndex>>, SegmentError> {
        let (distinct, rows) = (self.distinct(column), self.row_count());
        self.index(column, IndexKind::Inverted, &self.columns[column].inverted, |parts| {
            InvertedIndex::from_parts(parts, distinct, rows)
        })
    }

    /// Returns a column's range index, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn range_index(&self, column: usize) -> Result<Option<Arc<RangeIndex>>, SegmentError> {
        let (stored, rows) = (self.entry(column).data_type.arrow(), self.row_count());
        self.index(column, IndexKind::Range, &self.columns[column].range, |parts| {
            RangeIndex::from_parts(parts, &stored, rows)
        })
    }

    /// Returns a column's bloom filter, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn bloom_filter(&self, column: usize) -> Result<Option<Arc<BloomFilter>>, SegmentError> {
        let stored = self.entry(column).data_type.arrow();
        self.index(column, IndexKind::Bloom, &self.columns[column].bloom, |parts| {
            BloomFilter::from_parts(parts, &stored)
        })
    }

    /// Returns a column's JSON index, where it has one: of the documents of its dictionary's ids, or of its rows.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn json_index(&self, column: usize) -> Result<Option<Arc<JsonIndex>>, SegmentError> {
        let dictionary = self.entry(column).dictionary.as_ref();
        let documents = dictionary.map_or(self.rows(), |values| values.count);
        self.index(column, IndexKind::Json, &self.columns[column].json, |parts| {
            let documents = u32::try_from(documents).map_err(|_| "too many documents".to_owned())?;
            JsonIndex::from_parts(parts, documents)
        })
    }

    /// Returns a column's text index, where it has one: of the texts of its dictionary's ids, or of its rows where it has no
    /// dictionary or is a multi-value column.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn text_index(&self, column: usize) -> Result<Option<Arc<TextIndex>>, SegmentError> {
        let entry = self.entry(column);
        let dictionary = entry.dictionary.as_ref().filter(|_| entry.single_value);
        let texts = dictionary.map_or(self.rows(), |values| values.count);
        self.index(column, IndexKind::Text, &self.columns[column].text, |parts| {
            let texts = u32::try_from(texts).map_err(|_| "too many texts".to_owned())?;
            TextIndex::from_parts(parts, texts)
        })
    }

    /// Returns which partitions a column's values fall into, where that was asked for.
    pub fn partitions(&self, column: usize) -> Option<&PartitionSet> {
        self.columns[column].partitions.as_ref()
    }

    /// Returns all indexes of one kind that belong to the segment and not to a column, in the order of the options.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn segment_indexes(&self, kind: IndexKind) -> Result<Vec<IndexParts>, SegmentError> {
        let entries = self.file.footer.indexes.iter().filter(|entry| entry.kind == kind.name());
        entries.map(|entry| self.file.index_parts(entry)).collect()
    }

    /// Returns the segment's star-trees.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn star_trees(&self) -> Result<&[Arc<StarTree>], SegmentError> {
        if let Some(trees) = self.star_trees.get() {
            return Ok(trees);
        }
        let mut trees = Vec::new();
        for parts in self.segment_indexes(IndexKind::StarTree)? {
            let distinct = |column: &str| {
                let column = self.column_index(column)?;
                self.dictionary(column).ok().flatten().map(|dictionary| dictionary.len())
            };
            let tree = StarTree::from_parts(&parts, self.rows(), distinct)
                .map_err(|detail| self.file.corrupt(&format!("star-tree: {detail}")))?;
            trees.push(Arc::new(tree));
        }
        // Two readers may open at once; both read the same bytes.
        Ok(self.star_trees.get_or_init(|| trees))
    }

    fn index<T>(
        &self,
        column: usize,
        kind: IndexKind,
        place: &OnceLock<Arc<T>>,
        open: impl FnOnce(&IndexParts) -> Result<T, String>,
    ) -> Result<Option<Arc<T>>, SegmentError> {
        if let Some(loaded) = place.get() {
            return Ok(Some(Arc::clone(loaded)));
        }
        let entry = self.entry(column);
        let is_wanted = |index: &&IndexEntry| index.kind == kind.name();
        let Some(index) = entry.indexes.iter().find(is_wanted) else { return Ok(None) };
        let opened = open(&self.file.index_parts(index)?).map_err(|detail| {
            self.file.corrupt(&format!("{} index of column `{}`: {detail}", kind.name(), entry.name))
        })?;
        // Two readers may open at once; both read the same bytes.
        Ok(Some(Arc::clone(place.get_or_init(|| Arc::new(opened)))))
    }

    fn entry(&self, column: usize) -> &ColumnEntry {
        &self.file.footer.columns[column]
    }

    fn distinct(&self, column: usize) -> usize {
        self.entry(column).dictionary.as_ref().map_or(0, |values| values.count)
    }

    fn row_count(&self) -> u32 {
        u32::try_from(self.rows()).expect("the footer was checked")
    }
}

fn open_column(file: &ServingFile, entry: &ColumnEntry) -> Result<SealedColumn, SegmentError> {
    if u32::try_from(file.footer.rows).is_err() {
        return Err(file.corrupt("the segment has more than 2^32 rows"));
    }
    if entry.chunks.len() != file.footer.rows.div_ceil(CHUNK_ROWS) {
        return Err(
            file.corrupt(&format!("column `{}` has another number of chunks than the segment", entry.name))
        );
    }
    let set = entry.indexes.iter().find(|index| index.kind == IndexKind::Partitions.name());
    let partitions = set
        .map(|index| PartitionSet::from_header(&index.header))
        .transpose()
        .map_err(|detail| file.corrupt(&format!("partitions of column `{}`: {detail}", entry.name)))?;
    Ok(SealedColumn {
        dictionary: DictionarySlot::default(),
        chunks: entry.chunks.iter().map(|_| Slot::default()).collect(),
        sorted: OnceLock::new(),
        inverted: OnceLock::new(),
        range: OnceLock::new(),
        bloom: OnceLock::new(),
        json: OnceLock::new(),
        text: OnceLock::new(),
        partitions,
    })
}
