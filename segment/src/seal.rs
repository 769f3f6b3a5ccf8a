//! Turns a consuming segment's rows into the rows of a sealed one.
//!
//! Dictionaries become sorted, ids as narrow as they can be, numbers with few distinct values get a dictionary, and rows
//! are ordered by the table's sorted column; rows that tie keep their order of arrival. Sealing reads no clock and writes
//! no file.
//!
//! Invariant: the sealed rows are a permutation of the consuming segment's, with the same values and nulls.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int64Array, TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::{SortOptions, concat, sort_to_indices};
use arrow::datatypes::{
    DataType as ArrowType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMillisecondType,
};
use hashbrown::HashMap;

use crate::chunk::{Chunk, ChunkValues};
use crate::column::{Column, ColumnValues};
use crate::consuming_segment::{ConsumingSnapshot, OFFSET_COLUMN, SegmentIdentity};
use crate::dictionary::{Dictionary, take_rows};
use crate::error::SegmentError;
use crate::ids::Ids;
use crate::offset_range::OffsetRange;
use crate::options::SegmentOptions;
use crate::schema::{Field, Schema};
use crate::stats::ColumnStats;
use crate::value::Value;

/// Numbers get a dictionary only up to so many distinct values, so that ids take at most 16 bits.
const NUMBER_DICTIONARY_MAX: usize = 1 << 16;
/// Longer texts and bytes are not kept as bounds.
const BOUND_BYTES_MAX: usize = 512;

/// The rows of a segment in their final order and encoding, in memory.
#[derive(Debug)]
pub struct SealedRows {
    /// Who the segment is.
    pub identity: SegmentIdentity,
    /// The schema the rows were decoded with.
    pub schema: Arc<Schema>,
    /// The offsets the segment covers.
    pub range: OffsetRange,
    /// How many rows there are.
    pub rows: usize,
    /// The schema's columns and the offset column.
    pub columns: Vec<SealedColumn>,
}

/// One column of [`SealedRows`].
#[derive(Debug)]
pub struct SealedColumn {
    /// Its definition.
    pub field: Field,
    /// Its values in all rows.
    pub column: Column,
    /// What is known of them.
    pub stats: ColumnStats,
}

/// Returns the rows of `segment` in their sealed form.
///
/// # Errors
/// When the values of one column are together too large for one Arrow array.
pub fn seal(segment: &ConsumingSnapshot, options: &SegmentOptions) -> Result<SealedRows, SegmentError> {
    let mut columns = Vec::with_capacity(segment.column_count());
    for index in 0..segment.column_count() {
        let field = segment.field(index);
        let keeps_plain =
            options.no_dictionary_columns.contains(&field.name) || &*field.name == OFFSET_COLUMN;
        columns.push(encode(whole_column(segment, index)?, keeps_plain)?);
    }
    let sorted = options.sorted_column.as_deref().and_then(|name| segment.column_index(name));
    if let Some(sorted) = sorted.filter(|&index| segment.field(index).single_value) {
        let order = sort_permutation(&columns[sorted])?;
        if let Some(order) = order {
            columns = columns.iter().map(|column| column.take(&order)).collect::<Result<_, _>>()?;
        }
    }
    let columns = columns
        .into_iter()
        .enumerate()
        .map(|(index, column)| SealedColumn {
            field: segment.field(index).clone(),
            stats: stats(&column),
            column,
        })
        .collect();
    Ok(SealedRows {
        identity: segment.identity().clone(),
        schema: Arc::clone(segment.schema()),
        range: segment.range(),
        rows: segment.rows(),
        columns,
    })
}

/// Concatenates one column of all chunks. Where some chunks hold ids and later ones plain values, all become plain.
fn whole_column(segment: &ConsumingSnapshot, index: usize) -> Result<Column, SegmentError> {
    let chunks = segment.chunks();
    let field = segment.field(index);
    if chunks.is_empty() {
        return Ok(Column::empty(field));
    }
    let holds_ids = |chunk: &Arc<Chunk>| matches!(chunk.columns[index].values, ChunkValues::Ids(_));
    let changed = chunks.iter().any(|chunk| holds_ids(chunk) != holds_ids(&chunks[0]));
    if !changed {
        return Ok(Chunk::merge_column(chunks, index, usize::MAX)?.column(segment.dictionary(index)));
    }
    let dictionary =
        segment.dictionary(index).expect("a column with ids has a dictionary").stored_values()?;
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(chunks.len());
    for position in 0..chunks.len() {
        let column = segment.column(position, index);
        arrays.push(match &column.values {
            ColumnValues::Ids { ids, .. } => {
                let mut wide = Vec::with_capacity(ids.len());
                ids.extend_into(&mut wide);
                take_rows(&dictionary, &UInt32Array::from(wide))?
            }
            ColumnValues::Plain(array) => Arc::clone(array),
            ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. } => {
                unreachable!("multi-value columns never change their encoding")
            }
        });
    }
    let refs: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let nulls = Chunk::merge_column_nulls(chunks, index);
    Ok(Column { values: ColumnValues::Plain(concat(&refs)?), nulls })
}

/// Returns the column with a sorted dictionary where it has or deserves one.
fn encode(column: Column, keeps_plain: bool) -> Result<Column, SegmentError> {
    let Column { values, nulls } = column;
    let values = match values {
        ColumnValues::Ids { ids, dictionary } => {
            let (ids, dictionary) = sort_dictionary(&ids, &dictionary)?;
            ColumnValues::Ids { ids, dictionary }
        }
        ColumnValues::IdLists { offsets, ids, dictionary } => {
            let (ids, dictionary) = sort_dictionary(&ids, &dictionary)?;
            ColumnValues::IdLists { offsets, ids, dictionary }
        }
        ColumnValues::Plain(array) => match number_dictionary(&array, keeps_plain) {
            Some((ids, dictionary)) => ColumnValues::Ids { ids, dictionary },
            None => ColumnValues::Plain(array),
        },
        ColumnValues::PlainLists { offsets, values } => match number_dictionary(&values, keeps_plain) {
            Some((ids, dictionary)) => ColumnValues::IdLists { offsets, ids, dictionary },
            None => ColumnValues::PlainLists { offsets, values },
        },
    };
    Ok(Column { values, nulls })
}

fn sort_dictionary(ids: &Ids, dictionary: &Dictionary) -> Result<(Ids, Arc<Dictionary>), SegmentError> {
    let values = dictionary.stored_values()?;
    let order = sort_to_indices(&values, Some(SortOptions::default()), None)?;
    let mut rank_of = vec![0_u32; values.len()];
    for (rank, &id) in (0_u32..).zip(order.values()) {
        rank_of[id as usize] = rank;
    }
    let mut wide = Vec::with_capacity(ids.len());
    ids.extend_into(&mut wide);
    for id in &mut wide {
        *id = rank_of[*id as usize];
    }
    let sorted = Dictionary::of_values(take_rows(&values, &order)?, true);
    Ok((Ids::narrow(wide, values.len()), Arc::new(sorted)))
}

/// Returns ids and dictionary of whole numbers and times when few of them are distinct.
fn number_dictionary(array: &ArrayRef, keeps_plain: bool) -> Option<(Ids, Arc<Dictionary>)> {
    let numbers: Vec<i64> = match array.data_type() {
        _ if keeps_plain => return None,
        ArrowType::Int32 => {
            array.as_primitive::<Int32Type>().values().iter().map(|&value| i64::from(value)).collect()
        }
        ArrowType::Int64 => array.as_primitive::<Int64Type>().values().to_vec(),
        ArrowType::Timestamp(..) => array.as_primitive::<TimestampMillisecondType>().values().to_vec(),
        _ => return None,
    };
    let distinct_max = NUMBER_DICTIONARY_MAX.min(numbers.len() / 4);
    let mut id_of: HashMap<i64, u32, foldhash::fast::FixedState> = HashMap::default();
    let mut ids = Vec::with_capacity(numbers.len());
    for &number in &numbers {
        let next = u32::try_from(id_of.len()).expect("distinct values are bounded");
        ids.push(*id_of.entry(number).or_insert(next));
        if id_of.len() > distinct_max {
            return None;
        }
    }
    let mut sorted: Vec<(i64, u32)> = id_of.into_iter().collect();
    sorted.sort_unstable();
    let mut rank_of = vec![0_u32; sorted.len()];
    for (rank, &(_, id)) in (0_u32..).zip(&sorted) {
        rank_of[id as usize] = rank;
    }
    for id in &mut ids {
        *id = rank_of[*id as usize];
    }
    let values = sorted.iter().map(|&(number, _)| number);
    let values: ArrayRef = match array.data_type() {
        ArrowType::Int32 => Arc::new(
            values.map(|number| i32::try_from(number).expect("it was an i32")).collect::<Int32Array>(),
        ),
        ArrowType::Int64 => Arc::new(values.collect::<Int64Array>()),
        _ => Arc::new(TimestampMillisecondArray::from_iter_values(values)),
    };
    Some((Ids::narrow(ids, sorted.len()), Arc::new(Dictionary::of_values(values, true))))
}

/// Returns the stable order of the rows by this column; `None` when they are in order already.
fn sort_permutation(column: &Column) -> Result<Option<UInt32Array>, SegmentError> {
    let rows = u32::try_from(column.len()).expect("a segment has fewer than 2^32 rows");
    let mut order: Vec<u32> = (0..rows).collect();
    match &column.values {
        ColumnValues::Ids { ids, .. } => {
            let mut keys = Vec::with_capacity(ids.len());
            ids.extend_into(&mut keys);
            order.sort_by_key(|&row| keys[row as usize]);
        }
        ColumnValues::Plain(array) => match array.data_type() {
            ArrowType::Int32 => sort_by_numbers(&mut order, array.as_primitive::<Int32Type>().values()),
            ArrowType::Int64 => sort_by_numbers(&mut order, array.as_primitive::<Int64Type>().values()),
            ArrowType::Timestamp(..) => {
                sort_by_numbers(&mut order, array.as_primitive::<TimestampMillisecondType>().values());
            }
            ArrowType::Float32 => {
                let values = array.as_primitive::<Float32Type>().values();
                order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
            }
            ArrowType::Float64 => {
                let values = array.as_primitive::<Float64Type>().values();
                order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
            }
            ArrowType::Utf8 => {
                let values = array.as_string::<i32>();
                order.sort_by_key(|&row| values.value(row as usize));
            }
            ArrowType::Binary => {
                let values = array.as_binary::<i32>();
                order.sort_by_key(|&row| values.value(row as usize));
            }
            ArrowType::Boolean => {
                let values = array.as_boolean();
                order.sort_by_key(|&row| values.value(row as usize));
            }
            ArrowType::Decimal256(..) => {
                sort_by_numbers(&mut order, array.as_primitive::<Decimal256Type>().values());
            }
            other => unreachable!("no column is stored as {other}"),
        },
        ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. } => return Ok(None),
    }
    Ok((!order.is_sorted()).then(|| UInt32Array::from(order)))
}

fn sort_by_numbers<T: Ord + Copy>(order: &mut [u32], values: &[T]) {
    order.sort_by_key(|&row| values[row as usize]);
}

/// Returns what is known of a sealed column. A sorted dictionary names its bounds by its first and last value.
fn stats(column: &Column) -> ColumnStats {
    let null_count = column.null_count() as u64;
    let (values, distinct_count) = match &column.values {
        ColumnValues::Ids { dictionary, .. } | ColumnValues::IdLists { dictionary, .. } => {
            let ends = match dictionary.len() {
                0 => return ColumnStats { null_count, ..ColumnStats::default() },
                len => UInt32Array::from(vec![0, u32::try_from(len - 1).expect("ids are 32 bits")]),
            };
            let values = dictionary.stored_values().and_then(|values| take_rows(&values, &ends));
            (values.ok(), Some(dictionary.len() as u64))
        }
        ColumnValues::Plain(array) if !matches!(array.data_type(), ArrowType::Utf8 | ArrowType::Binary) => {
            (Some(Arc::clone(array)), None)
        }
        ColumnValues::Plain(_) | ColumnValues::PlainLists { .. } => (None, None),
    };
    let bounds = values.map_or_else(ColumnStats::default, |values| ColumnStats::of_array(&values));
    let too_long = |value: &Option<Value>| match value {
        Some(Value::String(text)) => text.len() > BOUND_BYTES_MAX,
        Some(Value::Bytes(bytes)) => bytes.len() > BOUND_BYTES_MAX,
        _ => false,
    };
    if too_long(&bounds.min) || too_long(&bounds.max) {
        return ColumnStats { null_count, distinct_count, ..ColumnStats::default() };
    }
    ColumnStats { null_count, distinct_count, ..bounds }
}
