//! One column of a consuming segment, as its writer sees it: the dictionary, and the values of the rows that do not fill a
//! chunk yet.
//!
//! Values stand as readers will get them: ids in the narrowest width, numbers as they are, the default null value where a row
//! is null. So a chunk is made by giving the vectors away, and the pieces that readers see until then are plain copies.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::NullBuffer;

use crate::chunk::{CHUNK_ROWS, ChunkColumn, ChunkValues};
use crate::column_buffer::{ColumnBuffer, Ends, ValueBuffer};
use crate::dictionary::Dictionary;
use crate::dictionary_writer::{DictionaryWriter, ValueBytes};
use crate::ids::IdBuffer;
use crate::options::SegmentOptions;
use crate::schema::{DataType, Field};
use crate::value::Value;

/// A column of text or bytes gives up its dictionary at a chunk's border when more than this share of its values is
/// distinct: a dictionary then costs memory and time and saves nothing.
const DISTINCT_SHARE_MAX: f64 = 0.7;

/// When the first rows of a chunk come in such numbers, the whole chunk gets its room at once: vectors that double leave as
/// much memory behind as they have in the end, and copy as much.
const BACKLOG_ROWS: usize = 128;

/// Smaller chunks are read as quickly as an index is.
const INDEXED_ROWS_MIN: usize = 4096;

/// Why appending to a column cannot fail: a chunk ends before its text does.
const WITHIN_CHUNK: &str = "a chunk's text is bounded";

#[derive(Debug)]
pub(crate) struct ColumnWriter {
    field: Field,
    dictionary: Option<DictionaryWriter>,
    /// Frozen chunks find the rows of a value.
    is_indexed: bool,
    values: TailValues,
    list_ends: Option<Ends>,
    /// Which rows have a value; none while all have.
    valid: Option<BooleanBufferBuilder>,
    rows: usize,
    /// Ids on their way into the values.
    interned: Vec<u32>,
}

#[derive(Debug)]
enum TailValues {
    Ids(IdBuffer),
    Plain(ValueBuffer),
}

impl ColumnWriter {
    pub(crate) fn new(field: Field, options: &SegmentOptions) -> ColumnWriter {
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
        let sorted = options.sorted_column.as_ref() == Some(&field.name);
        ColumnWriter {
            is_indexed: field.single_value && (sorted || options.inverted_columns.contains(&field.name)),
            values: match dictionary {
                Some(_) => TailValues::Ids(IdBuffer::new()),
                None => TailValues::Plain(ValueBuffer::new(field.data_type)),
            },
            list_ends: (!field.single_value).then(Ends::default),
            field,
            dictionary,
            valid: None,
            rows: 0,
            interned: Vec::new(),
        }
    }

    /// Returns the memory of the dictionary and of the rows that do not fill a chunk yet.
    pub(crate) fn memory_bytes(&self) -> usize {
        let dictionary = self.dictionary.as_ref().map_or(0, DictionaryWriter::memory_bytes);
        dictionary + self.tail_bytes() + self.interned.capacity() * size_of::<u32>()
    }

    /// Returns the memory of the rows that do not fill a chunk yet.
    pub(crate) fn tail_bytes(&self) -> usize {
        let lists = self.list_ends.as_ref().map_or(0, Ends::memory_bytes);
        let nulls = self.valid.as_ref().map_or(0, |valid| valid.len() / 8);
        let values = match &self.values {
            TailValues::Ids(ids) => ids.memory_bytes(),
            TailValues::Plain(values) => values.memory_bytes(),
        };
        values + lists + nulls
    }

    /// Appends some rows of a buffer.
    pub(crate) fn append(&mut self, from: &ColumnBuffer, rows: Range<usize>) {
        if self.rows == 0 && rows.len() >= BACKLOG_ROWS {
            self.reserve_chunk();
        }
        let border = |row: usize| from.nulls.partition_point(|&null| null < row);
        let mut nulls = &from.nulls[border(rows.start)..border(rows.end)];
        let mut next = rows.start;
        while let Some(&first) = nulls.first() {
            let count = (first..).zip(nulls).take_while(|(row, null)| row == *null).count();
            self.append_values(from, next..first);
            self.append_nulls(count);
            next = first + count;
            nulls = &nulls[count..];
        }
        self.append_values(from, next..rows.end);
    }

    fn reserve_chunk(&mut self) {
        match &mut self.values {
            TailValues::Ids(ids) => ids.reserve(CHUNK_ROWS),
            TailValues::Plain(values) => values.reserve(CHUNK_ROWS),
        }
    }

    /// Appends rows of a column of plain numbers, none of which is null.
    pub(crate) fn append_longs(&mut self, numbers: &[i64]) {
        let TailValues::Plain(ValueBuffer::Long(values)) = &mut self.values else {
            unreachable!("only a LONG column without a dictionary gets them");
        };
        if self.rows == 0 && numbers.len() >= BACKLOG_ROWS {
            values.reserve_exact(CHUNK_ROWS);
        }
        values.extend_from_slice(numbers);
        self.end_rows(numbers.len());
    }

    fn append_values(&mut self, from: &ColumnBuffer, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        let elements = match (&mut self.list_ends, &from.list_ends) {
            (Some(ends), Some(from_ends)) => {
                ends.append(from_ends, rows.clone()).expect(WITHIN_CHUNK);
                from_ends.bytes(rows.clone())
            }
            _ => rows.clone(),
        };
        match (&mut self.values, &mut self.dictionary) {
            (TailValues::Ids(ids), Some(dictionary)) => {
                self.interned.clear();
                intern(dictionary, &from.values, elements, &mut self.interned);
                ids.extend(&self.interned, dictionary.len());
            }
            (TailValues::Plain(values), _) => values.append(&from.values, elements).expect(WITHIN_CHUNK),
            (TailValues::Ids(_), None) => unreachable!("a column of ids has a dictionary"),
        }
        self.end_rows(rows.len());
    }

    /// Appends rows without a value: the default stands there, in a list of its own where the column has lists.
    fn append_nulls(&mut self, count: usize) {
        let default = &self.field.default_null_value;
        match (&mut self.values, &mut self.dictionary) {
            (TailValues::Ids(ids), Some(dictionary)) => {
                self.interned.clear();
                self.interned.resize(count, intern_one(dictionary, default));
                ids.extend(&self.interned, dictionary.len());
            }
            (TailValues::Plain(values), _) => values.append_repeated(default, count).expect(WITHIN_CHUNK),
            (TailValues::Ids(_), None) => unreachable!("a column of ids has a dictionary"),
        }
        if let Some(ends) = &mut self.list_ends {
            for _ in 0..count {
                ends.push(ends.last() + 1).expect(WITHIN_CHUNK);
            }
        }
        let valid = self.valid.get_or_insert_with(|| {
            let mut valid = BooleanBufferBuilder::new(self.rows + count);
            valid.append_n(self.rows, true);
            valid
        });
        valid.append_n(count, false);
        self.rows += count;
    }

    fn end_rows(&mut self, count: usize) {
        self.rows += count;
        if let Some(valid) = &mut self.valid {
            valid.append_n(count, true);
        }
    }

    /// Returns a copy of some rows.
    pub(crate) fn copy(&self, rows: Range<usize>) -> ChunkColumn {
        let nulls = self.valid.as_ref().map(|valid| {
            let mut copy = BooleanBufferBuilder::new(rows.len());
            copy.append_packed_range(rows.clone(), valid.as_slice());
            NullBuffer::new(copy.finish())
        });
        let (offsets, elements) = match &self.list_ends {
            Some(ends) => (Some(ends.slice(rows.clone())), ends.bytes(rows)),
            None => (None, rows),
        };
        let values = match (&self.values, offsets) {
            (TailValues::Ids(ids), None) => ChunkValues::Ids(ids.slice(elements)),
            (TailValues::Plain(values), None) => ChunkValues::Plain(values.to_array(elements)),
            (TailValues::Ids(ids), Some(offsets)) => {
                ChunkValues::IdLists { offsets, ids: ids.slice(elements) }
            }
            (TailValues::Plain(values), Some(offsets)) => {
                ChunkValues::PlainLists { offsets, values: values.to_array(elements) }
            }
        };
        ChunkColumn { values, nulls: nulls.filter(|nulls| nulls.null_count() > 0), index: None }
    }

    /// Takes all rows.
    pub(crate) fn take(&mut self) -> ChunkColumn {
        let values = match (&mut self.values, self.list_ends.as_mut().map(Ends::take)) {
            (TailValues::Ids(ids), None) => ChunkValues::Ids(ids.take()),
            (TailValues::Plain(values), None) => ChunkValues::Plain(values.take_array()),
            (TailValues::Ids(ids), Some(offsets)) => ChunkValues::IdLists { offsets, ids: ids.take() },
            (TailValues::Plain(values), Some(offsets)) => {
                ChunkValues::PlainLists { offsets, values: values.take_array() }
            }
        };
        let nulls = self.valid.take().map(|mut valid| NullBuffer::new(valid.finish()));
        let index = (self.is_indexed && self.rows >= INDEXED_ROWS_MIN).then(OnceLock::new);
        self.rows = 0;
        ChunkColumn { values, nulls, index }
    }

    /// Returns the dictionary as it is now.
    pub(crate) fn dictionary(&mut self) -> Option<Arc<Dictionary>> {
        self.dictionary.as_mut().map(DictionaryWriter::snapshot)
    }

    /// Returns whether the dictionary holds the values of all rows.
    pub(crate) fn has_whole_dictionary(&self) -> bool {
        matches!(self.values, TailValues::Ids(_))
    }

    /// Goes over to plain values if the dictionary of `rows` rows does not pay. Only for a column whose rows were taken.
    pub(crate) fn drop_dictionary_that_does_not_pay(&mut self, rows: usize) {
        let (TailValues::Ids(_), Some(dictionary)) = (&self.values, &mut self.dictionary) else { return };
        debug_assert_eq!(self.rows, 0);
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more than a double's precision")]
        let distinct_share = dictionary.len() as f64 / rows as f64;
        if distinct_share > DISTINCT_SHARE_MAX && self.field.single_value {
            self.values = TailValues::Plain(ValueBuffer::new(self.field.data_type));
            dictionary.stop_interning();
        }
    }
}

/// Appends the ids of some values to `ids`.
fn intern(dictionary: &mut DictionaryWriter, values: &ValueBuffer, range: Range<usize>, ids: &mut Vec<u32>) {
    match values {
        ValueBuffer::String(values) | ValueBuffer::Json(values) => {
            ids.extend(values.iter(range).map(|value| dictionary.intern(value)));
        }
        ValueBuffer::Bytes(values) => ids.extend(values.iter(range).map(|value| dictionary.intern(value))),
        ValueBuffer::BigDecimal(values) => {
            ids.extend(values[range].iter().map(|value| dictionary.intern(&value.to_le_bytes())));
        }
        ValueBuffer::Int(_)
        | ValueBuffer::Long(_)
        | ValueBuffer::Float(_)
        | ValueBuffer::Double(_)
        | ValueBuffer::Boolean(_)
        | ValueBuffer::Timestamp(_) => unreachable!("columns of these types are written plain"),
    }
}

fn intern_one(dictionary: &mut DictionaryWriter, value: &Value) -> u32 {
    match value {
        Value::String(value) => dictionary.intern(value.as_bytes()),
        Value::Bytes(value) => dictionary.intern(value),
        Value::BigDecimal(value) => dictionary.intern(&value.to_le_bytes()),
        Value::Int(_)
        | Value::Long(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Boolean(_)
        | Value::Timestamp(_) => unreachable!("columns of these types are written plain"),
    }
}
