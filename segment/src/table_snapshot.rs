//! What a query sees: the segments of a table at one moment, and the cells through which writers publish new ones.
//!
//! Each partition has one cell. Its writer replaces the whole [`PartitionSnapshot`] in one atomic store, sealed segments
//! and consuming rows together, so no reader ever meets a row twice or not at all while a segment is sealed.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::chunk::{CHUNK_ROWS, Wanted};
use crate::column::Column;
use crate::consuming_segment::ConsumingSnapshot;
use crate::dictionary::Dictionary;
use crate::error::SegmentError;
use crate::index::{BloomFilter, InvertedIndex, JsonIndex, RangeIndex, SortedIndex, TextIndex};
use crate::offset_range::{OffsetRange, PartitionId};
use crate::schema::{Field, Schema};
use crate::sealed_segment::SealedSegment;
use crate::segment_name::SegmentName;
use crate::segment_ref::SegmentRef;
use crate::star_tree::StarTree;
use crate::stats::ColumnStats;
use crate::text_numbers::TableNumbers;
use crate::value::Value;

/// A segment of either kind; both answer alike.
#[derive(Debug, Clone)]
pub enum Segment {
    /// Still takes rows, or waits for its seal.
    Consuming(Arc<ConsumingSnapshot>),
    /// Immutable, in a file.
    Sealed(Arc<SealedSegment>),
}

/// The segments of one partition, in order of offset, without gap or overlap.
#[derive(Debug, Clone)]
pub struct PartitionSnapshot {
    /// The partition.
    pub partition: PartitionId,
    /// Sealed and committed.
    pub sealed: Arc<[Arc<SealedSegment>]>,
    /// Complete, on their way to be sealed.
    pub sealing: Vec<Arc<ConsumingSnapshot>>,
    /// Takes rows; none before the partition's first record and while the table is stopped.
    pub consuming: Option<Arc<ConsumingSnapshot>>,
}

/// Where one partition's writer publishes and readers look.
#[derive(Debug)]
pub struct PartitionCell {
    partition: PartitionId,
    snapshot: ArcSwap<PartitionSnapshot>,
}

/// A table that is being written and read.
#[derive(Debug)]
pub struct LiveTable {
    name: String,
    schema: ArcSwap<Schema>,
    partitions: ArcSwap<Vec<Arc<PartitionCell>>>,
    numbers: Arc<TableNumbers>,
}

/// The segments one query sees, fixed at its start.
#[derive(Debug, Clone)]
pub struct TableSnapshot {
    /// The table's name.
    pub table: String,
    /// Its schema at that moment.
    pub schema: Arc<Schema>,
    /// Its partitions, in order of their number.
    pub partitions: Vec<Arc<PartitionSnapshot>>,
    /// Numbers of the texts in them.
    pub numbers: Arc<TableNumbers>,
}

impl PartitionCell {
    /// Returns the cell of a partition, holding `snapshot`.
    pub fn new(snapshot: PartitionSnapshot) -> PartitionCell {
        PartitionCell { partition: snapshot.partition, snapshot: ArcSwap::from_pointee(snapshot) }
    }

    /// Returns the partition.
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Returns the segments as last published.
    pub fn load(&self) -> Arc<PartitionSnapshot> {
        self.snapshot.load_full()
    }

    /// Publishes new segments. Only the partition's writer calls this.
    pub fn publish(&self, snapshot: PartitionSnapshot) {
        assert_eq!(snapshot.partition, self.partition, "a cell belongs to one partition");
        self.snapshot.store(Arc::new(snapshot));
    }
}

impl LiveTable {
    /// Returns a table without partitions.
    pub fn new(name: &str, schema: Arc<Schema>) -> LiveTable {
        LiveTable {
            name: name.to_owned(),
            schema: ArcSwap::new(schema),
            partitions: ArcSwap::default(),
            numbers: Arc::default(),
        }
    }

    /// Returns the table's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the schema that queries use now.
    pub fn schema(&self) -> Arc<Schema> {
        self.schema.load_full()
    }

    /// Replaces the schema that queries use.
    pub fn set_schema(&self, schema: Arc<Schema>) {
        self.schema.store(schema);
    }

    /// Adds a partition; its cell keeps its place for as long as the table lives.
    pub fn add_partition(&self, cell: Arc<PartitionCell>) {
        self.partitions.rcu(|present| {
            let mut cells = Vec::clone(present);
            cells.push(Arc::clone(&cell));
            cells.sort_by_key(|cell| cell.partition);
            cells
        });
    }

    /// Returns the partitions' cells, in order of their number.
    pub fn partitions(&self) -> Arc<Vec<Arc<PartitionCell>>> {
        self.partitions.load_full()
    }

    /// Returns the segments of all partitions, for one query.
    pub fn snapshot(&self) -> TableSnapshot {
        TableSnapshot {
            table: self.name.clone(),
            schema: self.schema(),
            partitions: self.partitions.load().iter().map(|cell| cell.load()).collect(),
            numbers: Arc::clone(&self.numbers),
        }
    }
}

impl PartitionSnapshot {
    /// Returns a partition without segments.
    pub fn empty(partition: PartitionId) -> PartitionSnapshot {
        PartitionSnapshot { partition, sealed: Arc::new([]), sealing: Vec::new(), consuming: None }
    }

    /// Returns all segments, in order of offset.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        self.segment_refs().map(SegmentRef::to_segment)
    }

    /// Returns all segments to be looked at, in order of offset.
    pub fn segment_refs(&self) -> impl Iterator<Item = SegmentRef<'_>> {
        let sealed = self.sealed.iter().map(SegmentRef::Sealed);
        let consuming = self.sealing.iter().chain(&self.consuming).map(SegmentRef::Consuming);
        sealed.chain(consuming)
    }
}

impl TableSnapshot {
    /// Returns all segments, by partition and then by offset.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        self.segment_refs().map(SegmentRef::to_segment)
    }

    /// Returns all segments to be looked at, by partition and then by offset.
    pub fn segment_refs(&self) -> impl Iterator<Item = SegmentRef<'_>> {
        self.partitions.iter().flat_map(|partition| partition.segment_refs())
    }

    /// Returns how many rows all segments hold.
    pub fn rows(&self) -> u64 {
        self.segment_refs().map(|segment| segment.rows() as u64).sum()
    }
}

impl Segment {
    /// Returns the segment's name.
    pub fn name(&self) -> &SegmentName {
        match self {
            Segment::Consuming(segment) => &segment.identity().name,
            Segment::Sealed(segment) => segment.name(),
        }
    }

    /// Returns the Kafka partition the segment covers a range of.
    pub fn partition(&self) -> PartitionId {
        match self {
            Segment::Consuming(segment) => segment.identity().partition,
            Segment::Sealed(segment) => segment.partition(),
        }
    }

    /// Returns the offsets the segment covers.
    pub fn range(&self) -> OffsetRange {
        match self {
            Segment::Consuming(segment) => segment.range(),
            Segment::Sealed(segment) => segment.range(),
        }
    }

    /// Returns how many rows the segment holds.
    pub fn rows(&self) -> usize {
        match self {
            Segment::Consuming(segment) => segment.rows(),
            Segment::Sealed(segment) => segment.rows(),
        }
    }

    /// Returns the rows of each chunk, in order; no chunk holds more than [`CHUNK_ROWS`].
    pub fn chunk_rows(&self) -> Vec<usize> {
        match self {
            Segment::Consuming(segment) => segment.chunk_rows().collect(),
            Segment::Sealed(segment) => {
                let rows = segment.rows();
                (0..rows.div_ceil(CHUNK_ROWS))
                    .map(|chunk| CHUNK_ROWS.min(rows - chunk * CHUNK_ROWS))
                    .collect()
            }
        }
    }

    /// Returns one column of one chunk. A column that the segment does not have, because the schema gained it later,
    /// holds its default null value in every row, as null.
    ///
    /// # Errors
    /// When a sealed segment's file cannot be read or is corrupt.
    pub fn column(&self, chunk: usize, field: &Field) -> Result<Column, SegmentError> {
        let stored = match self {
            Segment::Consuming(segment) => {
                segment.column_index(&field.name).map(|column| Ok(segment.column(chunk, column)))
            }
            Segment::Sealed(segment) => {
                segment.column_index(&field.name).map(|column| segment.column(chunk, column))
            }
        };
        stored.unwrap_or_else(|| Ok(Column::defaults(field, self.chunk_rows()[chunk])))
    }

    /// Returns what is known of a column over the whole segment; nothing for a column the segment does not have.
    pub fn stats(&self, field: &Field) -> Option<ColumnStats> {
        match self {
            Segment::Consuming(segment) => {
                segment.column_index(&field.name).map(|column| segment.stats(column).clone())
            }
            Segment::Sealed(segment) => {
                segment.column_index(&field.name).map(|column| segment.stats(column).clone())
            }
        }
    }

    /// Returns for each chunk the smallest and the largest value of a column, where they are known: they are of numbers
    /// and times in sealed segments. Of a consuming segment's chunks nothing is told.
    pub fn chunk_bounds(&self, field: &Field) -> Vec<Option<(Value, Value)>> {
        let Some((segment, column)) = self.sealed_column(field) else { return Vec::new() };
        (0..segment.chunk_count()).map(|chunk| segment.chunk_bounds(chunk, column)).collect()
    }

    /// Returns the dictionary of all values of a column, where the segment has one: sorted in a sealed segment, in order of
    /// first arrival in a consuming one.
    ///
    /// # Errors
    /// When a sealed segment's file cannot be read or is corrupt.
    pub fn dictionary(&self, field: &Field) -> Result<Option<Arc<Dictionary>>, SegmentError> {
        match self {
            Segment::Consuming(segment) => {
                let column = segment.column_index(&field.name);
                Ok(column.and_then(|column| segment.whole_dictionary(column)).cloned())
            }
            Segment::Sealed(segment) => match segment.column_index(&field.name) {
                Some(column) => segment.dictionary(column),
                None => Ok(None),
            },
        }
    }

    /// Returns the star-trees of a sealed segment; none of a consuming one.
    ///
    /// # Errors
    /// When the segment's file cannot be read or is corrupt.
    pub fn star_trees(&self) -> Result<&[Arc<StarTree>], SegmentError> {
        match self {
            Segment::Consuming(_) => Ok(&[]),
            Segment::Sealed(segment) => segment.star_trees(),
        }
    }

    /// Returns a column's sorted index, where the segment is sealed and has one.
    ///
    /// # Errors
    /// When a sealed segment's file cannot be read or is corrupt.
    pub fn sorted_index(&self, field: &Field) -> Result<Option<Arc<SortedIndex>>, SegmentError> {
        let Some((segment, column)) = self.sealed_column(field) else { return Ok(None) };
        segment.sorted_index(column)
    }

    /// Returns a column's inverted index, where the segment is sealed and has one.
    ///
    /// # Errors
    /// When a sealed segment's file cannot be read or is corrupt.
    pub fn inverted_index(&self, field: &Field) -> Result<Option<Arc<InvertedIndex>>, SegmentError> {
        let Some((segment, column)) = self.sealed_column(field) else { return Ok(None) };
        segment.inverted_index(column)
    }

    /// Returns whether the segment is consuming and finds the rows of a column's values: that is what an inverted or sorted
    /// index is until the segment is sealed.
    pub fn is_indexed_by_chunk(&self, field: &Field) -> bool {
        match self {
            Segment::Consuming(segment) => {
                segment.column_index(&field.name).is_some_and(|column| segment.is_indexed(column))
            }
            Segment::Sealed(_) => false,
        }
    }

    /// Returns the rows of some values in a chunk of a consuming segment, in order, where an index knows them. Null rows
    /// count as the column's default.
    pub fn rows_in_chunk(&self, chunk: usize, field: &Field, wanted: Wanted<'_>) -> Option<Vec<u32>> {
        match self {
            Segment::Consuming(segment) => segment.rows_of(chunk, segment.column_index(&field.name)?, wanted),
            Segment::Sealed(_) => None,
        }
    }

    /// Returns a column's range index, where the segment is sealed and has one.
    ///
    /// # Errors
    /// When a sealed segment's file cannot be read or is corrupt.
    pub fn range_index(&self, field: &Field) -> Result<Option<Arc<RangeIndex>>, SegmentError> {
        let Some((segment, column)) = self.sealed_column(field) else { return Ok(None) };
        segment.range_index(column)
    }

    /// Returns a column's bloom filter, where the segment is sealed and has one.
    ///
    /// # Errors
    /// When a sealed segment's file cannot be read or is corrupt.
    pub fn bloom_filter(&self, field: &Field) -> Result<Option<Arc<BloomFilter>>, SegmentError> {
        let Some((segment, column)) = self.sealed_column(field) else { return Ok(None) };
        segment.bloom_filter(column)
    }

    /// Returns a column's JSON index, where the segment is sealed and has one: of the documents of its dictionary's ids, or
    /// of its rows where it has no dictionary.
    ///
    /// # Errors
    /// When a sealed segment's file cannot be read or is corrupt.
    pub fn json_index(&self, field: &Field) -> Result<Option<Arc<JsonIndex>>, SegmentError> {
        let Some((segment, column)) = self.sealed_column(field) else { return Ok(None) };
        segment.json_index(column)
    }

    /// Returns a column's text index, where the segment is sealed and has one: of the texts of its dictionary's ids, or of its
    /// rows where it has no dictionary or is a multi-value column.
    ///
    /// # Errors
    /// When a sealed segment's file cannot be read or is corrupt.
    pub fn text_index(&self, field: &Field) -> Result<Option<Arc<TextIndex>>, SegmentError> {
        let Some((segment, column)) = self.sealed_column(field) else { return Ok(None) };
        segment.text_index(column)
    }

    fn sealed_column(&self, field: &Field) -> Option<(&SealedSegment, usize)> {
        match self {
            Segment::Consuming(_) => None,
            Segment::Sealed(segment) => Some((segment, segment.column_index(&field.name)?)),
        }
    }
}
