//! The segment of one partition that still takes rows.
//!
//! One writer appends decoded batches; each becomes a small immutable chunk. Readers get a [`ConsumingSnapshot`] and
//! never meet the writer. Chunks merge in tiers of eight, so that many small fetches do not leave many small chunks, and
//! at [`CHUNK_ROWS`] rows they freeze into one that is never copied again.
//!
//! Invariant: the rows of all chunks, in order, are the rows appended, in order; every dictionary id in a chunk is known
//! to the dictionary of every snapshot that holds the chunk.

use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, PrimitiveArray, RecordBatch, StringArray,
};
use arrow::array::{ArrowPrimitiveType, BinaryArray, GenericListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType, i256,
};

use crate::chunk::{CHUNK_ROWS, Chunk, ChunkColumn, ChunkValues};
use crate::column::Column;
use crate::dictionary::Dictionary;
use crate::dictionary_writer::{DictionaryWriter, ValueBytes};
use crate::ids::Ids;
use crate::offset_range::{Offset, OffsetRange, PartitionId};
use crate::options::SegmentOptions;
use crate::reject::RejectedRecord;
use crate::schema::{DataType, Field, FieldRole, Schema};
use crate::segment_name::SegmentName;
use crate::stats::ColumnStats;
use crate::value::Value;

/// So many neighbours of one size class merge into one chunk.
const TIER_WIDTH: usize = 8;
/// A column of text or bytes gives up its dictionary at a chunk's border when more than this share of its values is
/// distinct: a dictionary then costs memory and time and saves nothing.
const DISTINCT_SHARE_MAX: f64 = 0.7;

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
    columns: Vec<ColumnWriter>,
    frozen: Vec<Arc<Chunk>>,
    tail: Vec<Arc<Chunk>>,
    tail_rows: usize,
    frozen_rows: usize,
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
    stats: Vec<ColumnStats>,
    memory_bytes: usize,
    latest_record_ms: Option<i64>,
}

#[derive(Debug)]
struct ColumnWriter {
    field: Field,
    dictionary: Option<DictionaryWriter>,
    /// Ids are written from now on; false for good once the dictionary did not pay.
    writes_ids: bool,
}

impl ConsumingSegment {
    /// Returns an empty segment that expects the record at `start` next.
    pub fn new(
        identity: SegmentIdentity,
        schema: Arc<Schema>,
        options: &SegmentOptions,
        start: Offset,
    ) -> ConsumingSegment {
        let mut columns: Vec<ColumnWriter> =
            schema.fields().iter().map(|field| ColumnWriter::new(field.clone(), options)).collect();
        columns.push(ColumnWriter { field: offset_field().clone(), dictionary: None, writes_ids: false });
        ConsumingSegment {
            identity,
            range: OffsetRange::new(start, start),
            stats: vec![ColumnStats::default(); columns.len()],
            schema,
            columns,
            frozen: Vec::new(),
            tail: Vec::new(),
            tail_rows: 0,
            frozen_rows: 0,
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

    /// Returns the memory held: chunks, dictionaries with their hash tables, rejects.
    pub fn memory_bytes(&self) -> usize {
        let chunks: usize = self.frozen.iter().chain(&self.tail).map(|chunk| chunk.memory_bytes).sum();
        let dictionaries: usize = self
            .columns
            .iter()
            .filter_map(|column| column.dictionary.as_ref())
            .map(DictionaryWriter::memory_bytes)
            .sum();
        chunks + dictionaries + self.reject_bytes
    }

    /// Appends decoded rows; `offsets` has each row's offset. Null values become the column's default, remembered as null.
    ///
    /// # Panics
    /// When `rows` is not of the schema's Arrow form or an offset lies before the segment's end: both are bugs.
    pub fn append(&mut self, rows: &RecordBatch, offsets: &[i64]) {
        assert_eq!(rows.num_columns(), self.schema.fields().len(), "a batch has the schema's columns");
        assert_eq!(rows.num_rows(), offsets.len(), "every row has an offset");
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else { return };
        assert!(first >= self.range.end.0, "offset {first} lies before the segment's end {}", self.range.end);
        debug_assert!(offsets.is_sorted());
        self.range.end = Offset(last + 1);

        self.append_rows(rows, &(Arc::new(Int64Array::from(offsets.to_vec())) as ArrayRef));
    }

    /// Appends rows whose offsets are in any order and leaves the range as it is.
    pub(crate) fn append_rows(&mut self, rows: &RecordBatch, offsets: &ArrayRef) {
        let mut start = 0;
        while start < rows.num_rows() {
            let len = (rows.num_rows() - start).min(CHUNK_ROWS - self.tail_rows);
            self.append_chunk(&rows.slice(start, len), &offsets.slice(start, len));
            start += len;
        }
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

    /// Returns the rows so far, for readers. Costs O(columns + chunks), and a copy of what is new in the dictionaries.
    pub fn snapshot(&mut self) -> Arc<ConsumingSnapshot> {
        let dictionaries = self
            .columns
            .iter_mut()
            .map(|column| column.dictionary.as_mut().map(DictionaryWriter::snapshot))
            .collect();
        Arc::new(ConsumingSnapshot {
            identity: self.identity.clone(),
            schema: Arc::clone(&self.schema),
            range: self.range,
            rows: self.rows(),
            chunks: self.frozen.iter().chain(&self.tail).cloned().collect(),
            dictionaries,
            stats: self.stats.clone(),
            memory_bytes: self.memory_bytes(),
            latest_record_ms: self.latest_record_ms,
        })
    }

    /// Ends consumption: returns the whole segment and what fell out of it.
    pub fn freeze(mut self) -> (Arc<ConsumingSnapshot>, Vec<RejectedRecord>) {
        let snapshot = self.snapshot();
        (snapshot, self.rejects)
    }

    fn append_chunk(&mut self, rows: &RecordBatch, offsets: &ArrayRef) {
        let rows_before = self.rows();
        let arrays = rows.columns().iter().chain(std::iter::once(offsets));
        let columns = self
            .columns
            .iter_mut()
            .zip(arrays)
            .zip(&mut self.stats)
            .map(|((writer, array), stats)| {
                let column = writer.encode(array);
                stats.merge(rows_before, &column_stats(&column));
                column
            })
            .collect();
        self.tail.push(Arc::new(Chunk::new(rows.num_rows(), columns)));
        self.tail_rows += rows.num_rows();
        if self.tail_rows == CHUNK_ROWS {
            self.freeze_tail();
        } else {
            self.merge_tiers();
        }
    }

    fn freeze_tail(&mut self) {
        let chunk = Chunk::merge(&self.tail, &self.dictionary_lens());
        debug_assert_eq!(chunk.rows, CHUNK_ROWS);
        self.frozen.push(Arc::new(chunk));
        self.frozen_rows += CHUNK_ROWS;
        self.tail.clear();
        self.tail_rows = 0;
        for column in &mut self.columns {
            column.drop_dictionary_that_does_not_pay(self.frozen_rows);
        }
    }

    /// Merges the last eight chunks while all of them are of one size class; the class is a power of eight.
    fn merge_tiers(&mut self) {
        while self.tail.len() >= TIER_WIDTH {
            let start = self.tail.len() - TIER_WIDTH;
            let class = |chunk: &Arc<Chunk>| chunk.rows.ilog2() / TIER_WIDTH.ilog2();
            let last_class = class(&self.tail[self.tail.len() - 1]);
            if self.tail[start..].iter().any(|chunk| class(chunk) > last_class) {
                return;
            }
            let merged = Chunk::merge(&self.tail[start..], &self.dictionary_lens());
            self.tail.truncate(start);
            self.tail.push(Arc::new(merged));
        }
    }

    fn dictionary_lens(&self) -> Vec<usize> {
        self.columns
            .iter()
            .map(|column| column.dictionary.as_ref().map_or(0, DictionaryWriter::len))
            .collect()
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

    /// Returns all chunks, in order.
    pub(crate) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    /// Returns the dictionary of a column that has one.
    pub(crate) fn dictionary(&self, column: usize) -> Option<&Arc<Dictionary>> {
        self.dictionaries[column].as_ref()
    }

    /// Returns what is known of a column over all rows.
    pub fn stats(&self, column: usize) -> &ColumnStats {
        &self.stats[column]
    }
}

impl ColumnWriter {
    fn new(field: Field, options: &SegmentOptions) -> ColumnWriter {
        let kind = match field.data_type {
            DataType::String => Some(ValueBytes::Utf8),
            DataType::Bytes => Some(ValueBytes::Binary),
            DataType::BigDecimal => Some(ValueBytes::Decimal),
            // JSON texts hardly repeat; numbers are as small as ids.
            DataType::Json
            | DataType::Int
            | DataType::Long
            | DataType::Float
            | DataType::Double
            | DataType::Boolean
            | DataType::Timestamp => None,
        };
        let dictionary =
            kind.filter(|_| !options.no_dictionary_columns.contains(&field.name)).map(DictionaryWriter::new);
        ColumnWriter { writes_ids: dictionary.is_some(), field, dictionary }
    }

    fn encode(&mut self, array: &ArrayRef) -> ChunkColumn {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        let values = match (self.field.single_value, self.writes_ids) {
            (true, true) => ChunkValues::Ids(self.intern(array)),
            (true, false) => ChunkValues::Plain(fill_nulls(array, &self.field.default_null_value)),
            (false, writes_ids) => {
                let (offsets, elements) = fill_null_lists(array, &self.field.default_null_value);
                match writes_ids {
                    true => ChunkValues::IdLists { offsets, ids: self.intern(&elements) },
                    false => ChunkValues::PlainLists { offsets, values: elements },
                }
            }
        };
        ChunkColumn { values, nulls }
    }

    fn intern(&mut self, array: &ArrayRef) -> Ids {
        let dictionary = self.dictionary.as_mut().expect("a column that writes ids has a dictionary");
        let ids: Vec<u32> = match &self.field.default_null_value {
            Value::String(default) => {
                let values = array.as_string::<i32>().iter();
                values.map(|value| dictionary.intern(value.unwrap_or(default).as_bytes())).collect()
            }
            Value::Bytes(default) => {
                let values = array.as_binary::<i32>().iter();
                values.map(|value| dictionary.intern(value.unwrap_or(default))).collect()
            }
            Value::BigDecimal(default) => {
                let values = array.as_primitive::<Decimal256Type>().iter();
                values.map(|value| dictionary.intern(&value.unwrap_or(*default).to_le_bytes())).collect()
            }
            Value::Int(_)
            | Value::Long(_)
            | Value::Float(_)
            | Value::Double(_)
            | Value::Boolean(_)
            | Value::Timestamp(_) => unreachable!("columns of these types are written plain"),
        };
        Ids::U32(ids.into())
    }

    fn drop_dictionary_that_does_not_pay(&mut self, rows: usize) {
        let Some(dictionary) = self.dictionary.as_mut().filter(|_| self.writes_ids) else { return };
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more than a double's precision")]
        let distinct_share = dictionary.len() as f64 / rows as f64;
        if distinct_share > DISTINCT_SHARE_MAX && self.field.single_value {
            self.writes_ids = false;
            dictionary.stop_interning();
        }
    }
}

fn column_stats(column: &ChunkColumn) -> ColumnStats {
    let null_count = column.nulls.as_ref().map_or(0, NullBuffer::null_count) as u64;
    match &column.values {
        // Text is compared only at seal, once a distinct value.
        ChunkValues::Plain(array)
            if !matches!(
                array.data_type(),
                arrow::datatypes::DataType::Utf8 | arrow::datatypes::DataType::Binary
            ) =>
        {
            ColumnStats { null_count, ..ColumnStats::of_array(array) }
        }
        ChunkValues::Plain(_)
        | ChunkValues::Ids(_)
        | ChunkValues::IdLists { .. }
        | ChunkValues::PlainLists { .. } => ColumnStats { null_count, ..ColumnStats::default() },
    }
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

/// Returns the rows' borders and elements of a list array, where a null row has the default as its one element.
fn fill_null_lists(array: &ArrayRef, default: &Value) -> (OffsetBuffer<i32>, ArrayRef) {
    let lists: &GenericListArray<i32> = array.as_list();
    let bounds = lists.value_offsets();
    let (first, last) = (bounds[0] as usize, bounds[bounds.len() - 1] as usize);
    if lists.null_count() == 0 {
        let elements = fill_nulls(&lists.values().slice(first, last - first), default);
        return (OffsetBuffer::from_lengths(lists.offsets().lengths()), elements);
    }
    // Index `None` stands for the default: take makes it a null, which is then filled.
    let mut places: Vec<Option<i32>> = Vec::with_capacity(last - first + lists.null_count());
    let mut lengths = Vec::with_capacity(lists.len());
    for row in 0..lists.len() {
        if lists.is_null(row) {
            places.push(None);
            lengths.push(1);
        } else {
            places.extend((bounds[row]..bounds[row + 1]).map(Some));
            lengths.push((bounds[row + 1] - bounds[row]) as usize);
        }
    }
    let indices = arrow::array::Int32Array::from(places);
    let elements =
        arrow::compute::take(lists.values(), &indices, None).expect("places lie within the elements");
    (OffsetBuffer::from_lengths(lengths), fill_nulls(&elements, default))
}
