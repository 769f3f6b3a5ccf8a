//! The segment of one partition that still takes rows.
//!
//! One writer appends rows to growing vectors, the tail. Readers get a [`ConsumingSnapshot`] and never meet the writer: what
//! the tail holds they see in pieces, each an immutable copy of the rows that were new at one snapshot. Small pieces are
//! copied anew as larger ones in tiers of eight, so that many small fetches do not leave many small chunks. At
//! [`CHUNK_ROWS`] rows the tail's vectors themselves become a chunk, and the pieces are dropped.
//!
//! Invariant: the rows of all chunks, in order, are the rows appended, in order; every dictionary id in a chunk is known
//! to the dictionary of every snapshot that holds the chunk.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, PrimitiveArray, RecordBatch,
    StringArray,
};
use arrow::datatypes::{
    Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType, i256,
};

use crate::chunk::{CHUNK_ROWS, Chunk, ChunkColumn, ChunkValues, Wanted};
use crate::column::Column;
use crate::column_writer::ColumnWriter;
use crate::dictionary::Dictionary;
use crate::offset_range::{Offset, OffsetRange, PartitionId};
use crate::options::SegmentOptions;
use crate::reject::RejectedRecord;
use crate::row_buffer::RowBuffer;
use crate::schema::{DataType, Field, FieldRole, Schema};
use crate::segment_name::SegmentName;
use crate::stats::ColumnStats;
use crate::value::Value;

/// So many neighbours of one size class become one piece.
const TIER_WIDTH: usize = 8;
/// Pieces of so many rows are copied no more: a full chunk has sixteen of them.
const PIECE_ROWS: usize = 1 << 12;
/// A tail of so many bytes becomes a chunk before it is full, for its texts must stay below the 2 GiB that an array can
/// address.
const TAIL_BYTES_MAX: usize = 512 << 20;

/// The column every segment has beside the schema's: each row's Kafka offset.
pub const OFFSET_COLUMN: &str = "$offset";

/// Returns the definition of the [`OFFSET_COLUMN`].
pub fn offset_field() -> &'static Field {
    static FIELD: OnceLock<Field> = OnceLock::new();
    FIELD.get_or_init(|| Field {
        name: OFFSET_COLUMN.into(),
        data_type: DataType::Long,
        role: FieldRole::Dimension,
        single_value: true,
        not_null: true,
        default_null_value: Value::Long(i64::MIN),
        length_max: 0,
        length_exceeded: crate::schema::LengthExceeded::Keep,
    })
}

/// Who a segment is.
#[derive(Debug, Clone)]
pub struct SegmentIdentity {
    /// Its name.
    pub name: SegmentName,
    /// The Kafka partition it covers a range of.
    pub partition: PartitionId,
    /// When it was begun, milliseconds since the epoch.
    pub created_ms: i64,
}

/// Takes rows of one partition until it is sealed.
#[derive(Debug)]
pub struct ConsumingSegment {
    identity: SegmentIdentity,
    schema: Arc<Schema>,
    range: OffsetRange,
    /// The schema's columns, then the offsets.
    columns: Vec<ColumnWriter>,
    frozen: Vec<Arc<Chunk>>,
    frozen_rows: usize,
    frozen_bytes: usize,
    tail_rows: usize,
    /// What readers see of the tail.
    pieces: Vec<Arc<Chunk>>,
    /// Rows of the tail that are in pieces, and in the statistics.
    published_rows: usize,
    stats: Vec<ColumnStats>,
    rejects: Vec<RejectedRecord>,
    reject_bytes: usize,
    latest_record_ms: Option<i64>,
}

/// Everything a reader needs of a consuming segment, as it was at one moment.
#[derive(Debug)]
pub struct ConsumingSnapshot {
    identity: SegmentIdentity,
    schema: Arc<Schema>,
    range: OffsetRange,
    rows: usize,
    chunks: Vec<Arc<Chunk>>,
    dictionaries: Vec<Option<Arc<Dictionary>>>,
    /// Columns whose dictionary holds the values of all rows: later chunks may do without it.
    has_whole_dictionary: Vec<bool>,
    stats: Vec<ColumnStats>,
    memory_bytes: usize,
    latest_record_ms: Option<i64>,
}

impl ConsumingSegment {
    /// Returns an empty segment that expects the record at `start` next.
    pub fn new(
        identity: SegmentIdentity,
        schema: Arc<Schema>,
        options: &SegmentOptions,
        start: Offset,
    ) -> ConsumingSegment {
        let fields = schema.fields().iter().chain([offset_field()]);
        let columns: Vec<_> = fields.map(|field| ColumnWriter::new(field.clone(), options)).collect();
        ConsumingSegment {
            identity,
            range: OffsetRange::new(start, start),
            stats: vec![ColumnStats::default(); columns.len()],
            schema,
            columns,
            frozen: Vec::new(),
            frozen_rows: 0,
            frozen_bytes: 0,
            tail_rows: 0,
            pieces: Vec::new(),
            published_rows: 0,
            rejects: Vec::new(),
            reject_bytes: 0,
            latest_record_ms: None,
        }
    }

    /// Returns how many rows the segment holds.
    pub fn rows(&self) -> usize {
        self.frozen_rows + self.tail_rows
    }

    /// Returns the offsets consumed so far.
    pub fn range(&self) -> OffsetRange {
        self.range
    }

    /// Returns who the segment is.
    pub fn identity(&self) -> &SegmentIdentity {
        &self.identity
    }

    /// Returns the records that fell out, in order of offset.
    pub fn rejects(&self) -> &[RejectedRecord] {
        &self.rejects
    }

    /// Returns the memory held: chunks and their indexes, the tail and its pieces, dictionaries with their hash tables, rejects.
    pub fn memory_bytes(&self) -> usize {
        let pieces: usize = self.pieces.iter().map(|piece| piece.memory_bytes).sum();
        let columns: usize = self.columns.iter().map(ColumnWriter::memory_bytes).sum();
        let indexes: usize = self.frozen.iter().map(|chunk| chunk.index_bytes()).sum();
        self.frozen_bytes + indexes + pieces + columns + self.reject_bytes
    }

    /// Appends rows in the schema's Arrow form; `offsets` has each row's offset. Null values become the column's default,
    /// remembered as null.
    ///
    /// # Panics
    /// When `rows` is not of the schema's Arrow form or an offset lies before the segment's end: both are bugs.
    pub fn append(&mut self, rows: &RecordBatch, offsets: &[i64]) {
        assert_eq!(rows.num_columns(), self.schema.fields().len(), "a batch has the schema's columns");
        assert_eq!(rows.num_rows(), offsets.len(), "every row has an offset");
        self.append_decoded(&RowBuffer::from_batch(Arc::clone(&self.schema), rows, offsets));
    }

    /// Appends decoded rows. Null values become the column's default, remembered as null.
    ///
    /// # Panics
    /// When the columns are not the schema's or an offset lies before the segment's end: both are bugs.
    pub fn append_decoded(&mut self, rows: &RowBuffer) {
        let (Some(&first), Some(&last)) = (rows.offsets.first(), rows.offsets.last()) else { return };
        assert!(first >= self.range.end.0, "offset {first} lies before the segment's end {}", self.range.end);
        debug_assert!(rows.offsets.is_sorted());
        self.range.end = Offset(last + 1);
        self.append_to_tail(rows);
    }

    /// Appends rows whose offsets are in any order and leaves the range as it is.
    pub(crate) fn append_rows(&mut self, rows: &RecordBatch, offsets: &ArrayRef) {
        let offsets = offsets.as_primitive::<Int64Type>().values();
        self.append_to_tail(&RowBuffer::from_batch(Arc::clone(&self.schema), rows, offsets));
    }

    /// Takes records that could not become rows.
    pub fn append_rejects(&mut self, rejects: Vec<RejectedRecord>) {
        self.reject_bytes += rejects.iter().map(RejectedRecord::memory_bytes).sum::<usize>();
        self.rejects.extend(rejects);
    }

    /// Moves the end to `next`: all records before it were consumed, whether they became rows or not.
    pub fn advance_to(&mut self, next: Offset) {
        assert!(next >= self.range.end, "position {next} lies before the segment's end {}", self.range.end);
        self.range.end = next;
    }

    /// Remembers the newest Kafka timestamp among the consumed records.
    pub fn saw_record_at(&mut self, timestamp_ms: i64) {
        self.latest_record_ms = self.latest_record_ms.max(Some(timestamp_ms));
    }

    /// Returns the rows so far, for readers. Costs O(columns + chunks), and a copy of the rows and dictionary values that
    /// are new.
    pub fn snapshot(&mut self) -> Arc<ConsumingSnapshot> {
        self.publish_tail();
        let dictionaries = self.columns.iter_mut().map(ColumnWriter::dictionary).collect();
        Arc::new(ConsumingSnapshot {
            identity: self.identity.clone(),
            schema: Arc::clone(&self.schema),
            range: self.range,
            rows: self.rows(),
            chunks: self.frozen.iter().chain(&self.pieces).cloned().collect(),
            dictionaries,
            has_whole_dictionary: self.columns.iter().map(ColumnWriter::has_whole_dictionary).collect(),
            stats: self.stats.clone(),
            memory_bytes: self.memory_bytes(),
            latest_record_ms: self.latest_record_ms,
        })
    }

    /// Puts other values in the place of those appended, in columns without a dictionary: `values` returns those of a
    /// column for some rows, with nulls. Readers see them with the next snapshot; the one before keeps what it had. Where
    /// `is_changed` says that rows have the values they had the last time, they are not asked for again.
    ///
    /// # Panics
    /// When `values` returns other rows than it was asked for, or of another type: both are bugs.
    pub fn revise(
        &mut self,
        columns: &[usize],
        is_changed: impl Fn(&Range<usize>) -> bool,
        values: impl Fn(usize, &Range<usize>) -> ArrayRef,
    ) {
        self.publish_tail();
        let mut first = 0;
        for chunk in self.frozen.iter_mut().chain(&mut self.pieces) {
            let rows = first..first + chunk.rows;
            first = rows.end;
            if chunk.revised.is_some() && !is_changed(&rows) {
                continue;
            }
            let fields = self.schema.fields();
            let column = |&index: &usize| {
                let array = values(index, &rows);
                assert_eq!(array.len(), rows.len(), "every row gets a value");
                (index, revised_column(&array, &fields[index]))
            };
            *chunk = Arc::new(chunk.revised(columns.iter().map(column).collect()));
        }
        self.frozen_bytes = self.frozen.iter().map(|chunk| chunk.memory_bytes).sum();
        self.gather_revised_stats(columns);
    }

    /// Values that changed may have narrowed a column's bounds, so they are put together anew.
    fn gather_revised_stats(&mut self, columns: &[usize]) {
        for &column in columns {
            self.stats[column] = ColumnStats::default();
        }
        let mut rows = 0;
        for chunk in self.frozen.iter().chain(&self.pieces) {
            for (column, stats) in chunk.revised.iter().flatten() {
                self.stats[*column].merge(rows, stats);
            }
            rows += chunk.rows;
        }
    }

    /// Ends consumption: returns the whole segment and what fell out of it.
    pub fn freeze(mut self) -> (Arc<ConsumingSnapshot>, Vec<RejectedRecord>) {
        let snapshot = self.snapshot();
        (snapshot, self.rejects)
    }

    fn append_to_tail(&mut self, rows: &RowBuffer) {
        assert_eq!(rows.columns.len(), self.schema.fields().len(), "rows have the schema's columns");
        let mut start = 0;
        while start < rows.len() {
            // Rows are cut where the chunk is full.
            let end = rows.len().min(start + CHUNK_ROWS - self.tail_rows);
            let (offset_column, columns) =
                self.columns.split_last_mut().expect("there is always the offset column");
            for (column, buffer) in columns.iter_mut().zip(&rows.columns) {
                column.append(buffer, start..end);
            }
            offset_column.append_longs(&rows.offsets[start..end]);
            self.tail_rows += end - start;
            start = end;
            let tail_bytes = self.columns.iter().map(ColumnWriter::tail_bytes).sum::<usize>();
            if self.tail_rows == CHUNK_ROWS || tail_bytes >= TAIL_BYTES_MAX {
                self.freeze_tail();
            }
        }
    }

    /// Makes a chunk of the tail.
    fn freeze_tail(&mut self) {
        let chunk = Chunk::new(self.tail_rows, self.columns.iter_mut().map(ColumnWriter::take).collect());
        self.count(&chunk, self.published_rows);
        self.frozen_rows += chunk.rows;
        self.frozen_bytes += chunk.memory_bytes;
        self.frozen.push(Arc::new(chunk));
        self.pieces.clear();
        self.published_rows = 0;
        self.tail_rows = 0;
        for column in &mut self.columns {
            column.drop_dictionary_that_does_not_pay(self.frozen_rows);
        }
    }

    /// Makes a piece of what is new in the tail, with the small pieces before it.
    fn publish_tail(&mut self) {
        if self.published_rows == self.tail_rows {
            return;
        }
        let start = self.merge_tiers();
        let copies = self.columns.iter().map(|column| column.copy(start..self.tail_rows)).collect();
        let piece = Chunk::new(self.tail_rows - start, copies);
        self.count(&piece, self.published_rows - start);
        self.published_rows = self.tail_rows;
        self.pieces.push(Arc::new(piece));
    }

    /// Drops the last pieces that the next one is to take in, and returns its first row: eight of one size class, which is
    /// a power of eight, become one.
    fn merge_tiers(&mut self) -> usize {
        let mut start = self.published_rows;
        let class = |rows: usize| rows.ilog2() / TIER_WIDTH.ilog2();
        while self.tail_rows - start < PIECE_ROWS && self.pieces.len() >= TIER_WIDTH - 1 {
            let last_class = class(self.tail_rows - start);
            let neighbours = self.pieces.len() - (TIER_WIDTH - 1);
            if self.pieces[neighbours..].iter().any(|piece| class(piece.rows) > last_class) {
                break;
            }
            start -= self.pieces.drain(neighbours..).map(|piece| piece.rows).sum::<usize>();
        }
        start
    }

    /// Widens the statistics by the rows of a chunk from `first` on.
    fn count(&mut self, chunk: &Chunk, first: usize) {
        let rows_before = self.frozen_rows + self.published_rows;
        for (stats, column) in self.stats.iter_mut().zip(&chunk.columns) {
            if first < chunk.rows {
                stats.merge(rows_before, &column.stats(first..chunk.rows));
            }
        }
    }
}

impl ConsumingSnapshot {
    /// Returns who the segment is.
    pub fn identity(&self) -> &SegmentIdentity {
        &self.identity
    }

    /// Returns the schema the rows were decoded with.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Returns the offsets consumed.
    pub fn range(&self) -> OffsetRange {
        self.range
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the memory held when the snapshot was taken.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Returns the newest Kafka timestamp among the consumed records.
    pub fn latest_record_ms(&self) -> Option<i64> {
        self.latest_record_ms
    }

    /// Returns the rows of each chunk, in order.
    pub fn chunk_rows(&self) -> impl Iterator<Item = usize> {
        self.chunks.iter().map(|chunk| chunk.rows)
    }

    /// Returns the position of a column by name, the offset column included.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        if name == OFFSET_COLUMN {
            return Some(self.schema.fields().len());
        }
        self.schema.field(name).map(|(index, _)| index)
    }

    /// Returns the definition of a column.
    pub fn field(&self, column: usize) -> &Field {
        self.schema.fields().get(column).unwrap_or_else(|| offset_field())
    }

    /// Returns how many columns are stored, the offset column included.
    pub fn column_count(&self) -> usize {
        self.stats.len()
    }

    /// Returns one column of one chunk.
    pub fn column(&self, chunk: usize, column: usize) -> Column {
        self.chunks[chunk].columns[column].column(self.dictionaries[column].as_ref())
    }

    /// Returns whether chunks find the rows of a column's values.
    pub fn is_indexed(&self, column: usize) -> bool {
        self.chunks.first().is_some_and(|chunk| chunk.columns[column].index.is_some())
    }

    /// Returns the rows of some values in one chunk, in order, where an index knows them.
    pub fn rows_of(&self, chunk: usize, column: usize, wanted: Wanted<'_>) -> Option<Vec<u32>> {
        self.chunks[chunk].columns[column].rows_of(wanted, self.dictionaries[column].as_ref())
    }

    /// Returns all chunks, in order.
    pub(crate) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    /// Returns the dictionary that holds the values of all rows of a column, if there is one.
    pub(crate) fn whole_dictionary(&self, column: usize) -> Option<&Arc<Dictionary>> {
        self.dictionaries[column].as_ref().filter(|_| self.has_whole_dictionary[column])
    }

    /// Returns the dictionary of a column's chunks of ids; chunks without ids have values that it does not hold.
    pub(crate) fn dictionary(&self, column: usize) -> Option<&Arc<Dictionary>> {
        self.dictionaries[column].as_ref()
    }

    /// Returns what is known of a column over all rows.
    pub fn stats(&self, column: usize) -> &ColumnStats {
        &self.stats[column]
    }
}

fn revised_column(values: &ArrayRef, field: &Field) -> ChunkColumn {
    assert_eq!(values.data_type(), &field.data_type.arrow(), "a column keeps its type");
    let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
    let values = ChunkValues::Plain(fill_nulls(values, &field.default_null_value));
    ChunkColumn { values, nulls, index: None }
}

/// Returns `array` with `default` in place of each null, and no nulls.
pub(crate) fn fill_nulls(array: &ArrayRef, default: &Value) -> ArrayRef {
    fn fill<T: ArrowPrimitiveType>(array: &ArrayRef, default: T::Native) -> ArrayRef {
        let array = array.as_primitive::<T>();
        let values: Vec<T::Native> = array.iter().map(|value| value.unwrap_or(default)).collect();
        Arc::new(PrimitiveArray::<T>::new(values.into(), None).with_data_type(array.data_type().clone()))
    }
    if array.null_count() == 0 {
        return Arc::clone(array);
    }
    match default {
        Value::Int(default) => fill::<Int32Type>(array, *default),
        Value::Long(default) => fill::<Int64Type>(array, *default),
        Value::Float(default) => fill::<Float32Type>(array, *default),
        Value::Double(default) => fill::<Float64Type>(array, *default),
        Value::Timestamp(default) => fill::<TimestampMillisecondType>(array, *default),
        Value::BigDecimal(default) => fill::<Decimal256Type>(array, i256::clone(default)),
        Value::Boolean(default) => Arc::new(
            array.as_boolean().iter().map(|value| Some(value.unwrap_or(*default))).collect::<BooleanArray>(),
        ),
        Value::String(default) => {
            let values = array.as_string::<i32>().iter().map(|value| value.unwrap_or(default));
            Arc::new(StringArray::from_iter_values(values))
        }
        Value::Bytes(default) => {
            let values = array.as_binary::<i32>().iter().map(|value| value.unwrap_or(default));
            Arc::new(BinaryArray::from_iter_values(values))
        }
    }
}
