//! Turns a consuming segment's rows into the rows of a sealed one.
//!
//! Dictionaries become sorted, ids as narrow as they can be, numbers get a dictionary where it pays, rows are ordered by
//! the table's sorted column, and the indexes are built; rows that tie keep their order of arrival. Sealing reads no clock
//! and writes no file.
//!
//! Invariant: the sealed rows are a permutation of the consuming segment's, with the same values and nulls.

mod dictionaries;
mod order;
mod indexes;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::concat;
use arrow::datatypes::DataType as ArrowType;

use dictionaries::Choice;
pub use indexes::{BuiltIndex, IndexKind};

use crate::chunk::{Chunk, ChunkValues};
use crate::column::{Column, ColumnValues};
use crate::consuming_segment::{ConsumingSnapshot, OFFSET_COLUMN, SegmentIdentity};
use crate::dictionary::{Dictionary, take_rows};
use crate::error::SegmentError;
use crate::ids::Ids;
use crate::offset_range::OffsetRange;
use crate::options::SegmentOptions;
use crate::schema::{Field, Schema};
use crate::star_tree::{FunctionPair, PairFunction, StarTree, StarTreeInput};
use crate::stats::ColumnStats;
use crate::value::Value;

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
    /// Indexes over several columns.
    pub indexes: Vec<BuiltIndex>,
    /// Why an index that the options ask for is missing, one text an index. Answers are the same without it.
    pub not_built: Vec<String>,
    /// Of the options the rows were sealed with.
    pub options_fingerprint: u64,
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
    /// Its indexes.
    pub indexes: Vec<BuiltIndex>,
}

/// Returns the rows of `segment` in their sealed form.
///
/// # Errors
/// When the values of one column are together too large for one Arrow array.
pub fn seal(segment: &ConsumingSnapshot, options: &SegmentOptions) -> Result<SealedRows, SegmentError> {
    let mut columns = Vec::with_capacity(segment.column_count());
    for index in 0..segment.column_count() {
        columns.push(encoded_column(segment, index, choice(segment.field(index), options))?);
    }
    let sorted = options.sorted_column.as_deref().and_then(|name| segment.column_index(name));
    if let Some(sorted) = sorted
        && let Some(order) = order::order_of(&columns[sorted].values)
    {
        let order = UInt32Array::from(order);
        columns = columns.iter().map(|column| column.take(&order)).collect::<Result<_, _>>()?;
    }
    let mut sealed = Vec::with_capacity(columns.len());
    for (index, column) in columns.into_iter().enumerate() {
        let field = segment.field(index).clone();
        let stats = stats(&column);
        let mut column = SealedColumn { field, column, stats, indexes: Vec::new() };
        column.indexes = indexes::build(&column, options)?;
        sealed.push(column);
    }
    let mut indexes = Vec::with_capacity(options.star_trees.len());
    let mut not_built = Vec::new();
    for tree in &options.star_trees {
        let input = StarTreeInput::of_columns(tree, &sealed);
        match input.and_then(|input| StarTree::build(tree, &input)) {
            Ok(tree) => indexes.push(BuiltIndex { kind: IndexKind::StarTree, parts: tree.to_parts() }),
            Err(fault) => not_built.push(fault),
        }
    }
    Ok(SealedRows {
        identity: segment.identity().clone(),
        schema: Arc::clone(segment.schema()),
        range: segment.range(),
        rows: segment.rows(),
        columns: sealed,
        indexes,
        not_built,
        options_fingerprint: options.fingerprint(),
    })
}

fn choice(field: &Field, options: &SegmentOptions) -> Choice {
    let is_sorted = options.sorted_column.as_ref() == Some(&field.name) && field.single_value;
    let is_star_tree_dimension = options.star_trees.iter().any(|tree| tree.dimensions.contains(&field.name));
    let is_counted = |pair: &FunctionPair| {
        pair.function == PairFunction::DistinctCount && pair.column.as_ref() == Some(&field.name)
    };
    let is_star_tree_dimension = is_star_tree_dimension
        || options.star_trees.iter().flat_map(|tree| &tree.function_pairs).any(is_counted);
    let is_searched =
        options.inverted_columns.contains(&field.name) || options.prefix_columns.contains(&field.name);
    if options.no_dictionary_columns.contains(&field.name) || &*field.name == OFFSET_COLUMN {
        Choice::Plain
    } else if is_sorted || is_searched || is_star_tree_dimension {
        Choice::Always
    } else {
        Choice::WherePays
    }
}

/// Returns one column of all chunks, with a sorted dictionary where it has or deserves one.
fn encoded_column(segment: &ConsumingSnapshot, index: usize, choice: Choice) -> Result<Column, SegmentError> {
    let (chunks, role) = (segment.chunks(), &segment.field(index).role);
    let is_ids = |chunk: &Arc<Chunk>| matches!(chunk.columns[index].values, ChunkValues::Ids(_));
    if let Some(dictionary) = segment.dictionary(index)
        && !chunks.is_empty()
        && chunks.iter().all(is_ids)
    {
        let values = ids_column(chunks, index, dictionary, choice, segment.rows())?;
        return Ok(Column { values, nulls: Chunk::merge_column_nulls(chunks, index) });
    }
    let Column { values, nulls } = whole_column(segment, index)?;
    let values = match values {
        ColumnValues::Ids { .. } => unreachable!("chunks of ids alone were taken above"),
        ColumnValues::IdLists { offsets, ids, dictionary } => {
            let (rank_of, dictionary) = dictionaries::sorted(&dictionary)?;
            let ids = ids.mapped(&rank_of);
            ColumnValues::IdLists { offsets, ids, dictionary }
        }
        ColumnValues::Plain(array) => match dictionaries::of_plain(&array, choice, role)? {
            Some((ids, dictionary)) => ColumnValues::Ids { ids, dictionary },
            None => ColumnValues::Plain(array),
        },
        ColumnValues::PlainLists { offsets, values } => {
            match dictionaries::of_plain(&values, choice, role)? {
                Some((ids, dictionary)) => ColumnValues::IdLists { offsets, ids, dictionary },
                None => ColumnValues::PlainLists { offsets, values },
            }
        }
    };
    Ok(Column { values, nulls })
}

/// Returns the values of chunks that all hold ids. Values that hardly repeat become plain, unless an index wants ids.
fn ids_column(
    chunks: &[Arc<Chunk>],
    index: usize,
    dictionary: &Arc<Dictionary>,
    choice: Choice,
    rows: usize,
) -> Result<ColumnValues, SegmentError> {
    let parts: Vec<&Ids> = chunks
        .iter()
        .map(|chunk| match &chunk.columns[index].values {
            ChunkValues::Ids(ids) => ids,
            ChunkValues::Plain(_) | ChunkValues::IdLists { .. } | ChunkValues::PlainLists { .. } => {
                unreachable!("the caller looked")
            }
        })
        .collect();
    if dictionary.len() > rows / 2 && choice != Choice::Always {
        let arrays: Vec<ArrayRef> =
            parts.iter().map(|ids| dictionaries::plain(ids, dictionary)).collect::<Result<_, _>>()?;
        let refs: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        return Ok(ColumnValues::Plain(concat(&refs)?));
    }
    let (rank_of, dictionary) = dictionaries::sorted(dictionary)?;
    Ok(ColumnValues::Ids { ids: Ids::concat_mapped(&parts, &rank_of), dictionary })
}

/// Concatenates one column of all chunks. Where some chunks hold ids and later ones plain values, all become plain.
fn whole_column(segment: &ConsumingSnapshot, index: usize) -> Result<Column, SegmentError> {
    let chunks = segment.chunks();
    let field = segment.field(index);
    if chunks.is_empty() {
        return Ok(Column::empty(field));
    }
    let holds_ids = |chunk: &Arc<Chunk>| matches!(chunk.columns[index].values, ChunkValues::Ids(_));
    if !chunks.iter().any(holds_ids) {
        return Ok(Chunk::merge_column(chunks, index, usize::MAX)?.column(segment.dictionary(index)));
    }
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(chunks.len());
    for position in 0..chunks.len() {
        let column = segment.column(position, index);
        arrays.push(match &column.values {
            ColumnValues::Ids { ids, dictionary } => dictionaries::plain(ids, dictionary)?,
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
