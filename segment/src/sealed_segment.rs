//! A sealed segment as readers see it: an open serving file, its dictionaries and chunks loaded when first used.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::chunk::CHUNK_ROWS;
use crate::column::Column;
use crate::dictionary::Dictionary;
use crate::error::SegmentError;
use crate::index::{BloomFilter, InvertedIndex, RangeIndex, SortedIndex};
use crate::offset_range::{OffsetRange, PartitionId};
use crate::schema::DataType;
use crate::segment_name::SegmentName;
use crate::serving::{ColumnEntry, DurableRef, ServingFile};
use crate::stats::ColumnStats;
use crate::value::Value;

/// An immutable segment in a file.
#[derive(Debug)]
pub struct SealedSegment {
    name: SegmentName,
    file: ServingFile,
    columns: Vec<SealedColumn>,
}

#[derive(Debug)]
struct SealedColumn {
    data_type: DataType,
    stats: ColumnStats,
    dictionary: OnceLock<Arc<Dictionary>>,
    chunks: Vec<OnceLock<Column>>,
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
        Ok(SealedSegment { name: SegmentName::from(file.footer.segment.as_str()), file, columns })
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

    /// Returns the length of the serving file.
    pub fn file_bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// Returns the position of a column by name.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.file.footer.columns.iter().position(|column| column.name == name)
    }

    /// Returns what is known of a column.
    pub fn stats(&self, column: usize) -> &ColumnStats {
        &self.columns[column].stats
    }

    /// Returns one column of one chunk.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn column(&self, chunk: usize, column: usize) -> Result<Column, SegmentError> {
        let sealed = &self.columns[column];
        if let Some(loaded) = sealed.chunks[chunk].get() {
            return Ok(loaded.clone());
        }
        let entry = &self.file.footer.columns[column];
        let dictionary = self.dictionary(column)?;
        let rows = CHUNK_ROWS.min(self.rows() - chunk * CHUNK_ROWS);
        let loaded = self.file.column(&entry.chunks[chunk], rows, sealed.data_type, dictionary.as_ref())?;
        Ok(sealed.chunks[chunk].get_or_init(|| loaded).clone())
    }

    /// Returns a column's sorted dictionary, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn dictionary(&self, column: usize) -> Result<Option<Arc<Dictionary>>, SegmentError> {
        let Some(blocks) = &self.file.footer.columns[column].dictionary else { return Ok(None) };
        let sealed = &self.columns[column];
        if sealed.dictionary.get().is_none() {
            let loaded = Arc::new(self.file.dictionary(blocks, sealed.data_type)?);
            // Two readers may load at once; both read the same bytes.
            let _ = sealed.dictionary.set(loaded);
        }
        Ok(sealed.dictionary.get().cloned())
    }

    /// Returns a fingerprint of the options that the file was made with; see
    /// [`crate::options::SegmentOptions::fingerprint`].
    pub fn options_fingerprint(&self) -> u64 {
        0
    }

    /// Returns the smallest and the largest value of one column in one chunk, where they are known.
    pub fn chunk_bounds(&self, _chunk: usize, _column: usize) -> Option<(Value, Value)> {
        None
    }

    /// Returns a column's sorted index, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn sorted_index(&self, _column: usize) -> Result<Option<Arc<SortedIndex>>, SegmentError> {
        Ok(None)
    }

    /// Returns a column's inverted index, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn inverted_index(&self, _column: usize) -> Result<Option<Arc<InvertedIndex>>, SegmentError> {
        Ok(None)
    }

    /// Returns a column's range index, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn range_index(&self, _column: usize) -> Result<Option<Arc<RangeIndex>>, SegmentError> {
        Ok(None)
    }

    /// Returns a column's bloom filter, where it has one.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`] when the file's bytes are not what was written.
    pub fn bloom_filter(&self, _column: usize) -> Result<Option<Arc<BloomFilter>>, SegmentError> {
        Ok(None)
    }
}

fn open_column(file: &ServingFile, entry: &ColumnEntry) -> Result<SealedColumn, SegmentError> {
    let data_type = DataType::ALL.into_iter().find(|data_type| data_type.name() == entry.data_type);
    let Some(data_type) = data_type else {
        return Err(file.corrupt(&format!("column `{}` has type `{}`", entry.name, entry.data_type)));
    };
    if entry.chunks.len() != file.footer.rows.div_ceil(CHUNK_ROWS) {
        return Err(
            file.corrupt(&format!("column `{}` has another number of chunks than the segment", entry.name))
        );
    }
    Ok(SealedColumn {
        data_type,
        stats: ColumnStats::from(&entry.stats),
        dictionary: OnceLock::new(),
        chunks: entry.chunks.iter().map(|_| OnceLock::new()).collect(),
    })
}
