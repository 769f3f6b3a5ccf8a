//! Rows of a consuming segment that do not change any more: a copy of those that were new once, or 65,536 frozen.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::concat;
use arrow::datatypes::{DataType as ArrowType, Field as ArrowField};
use arrow::error::ArrowError;

use crate::column::{Column, ColumnValues};
use crate::dictionary::Dictionary;
use crate::ids::Ids;
use crate::stats::ColumnStats;
use crate::value::Value;
use crate::value_index::ValueIndex;

/// Rows of a frozen chunk: one container of a roaring bitmap, so that a segment's posting list is its chunks' laid side
/// by side.
pub const CHUNK_ROWS: usize = 1 << 16;

/// The values of one column in a chunk. Ids stand without their dictionary, which grows on and belongs to the segment.
#[derive(Debug)]
pub(crate) enum ChunkValues {
    Ids(Ids),
    Plain(ArrayRef),
    IdLists { offsets: OffsetBuffer<i32>, ids: Ids },
    PlainLists { offsets: OffsetBuffer<i32>, values: ArrayRef },
}

/// One column of a chunk.
#[derive(Debug)]
pub(crate) struct ChunkColumn {
    pub(crate) values: ChunkValues,
    pub(crate) nulls: Option<NullBuffer>,
    /// Where each value's rows are, in chunks that are frozen; made when it is first asked.
    pub(crate) index: Option<OnceLock<Option<ValueIndex>>>,
}

/// Values whose rows are wanted.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Of these ids, in the segment's dictionary.
    Ids(&'a [u32]),
    /// These values.
    Values(&'a [Value]),
}

/// Consecutive rows of a consuming segment.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) rows: usize,
    /// Shared with the chunks that have other values in some columns only.
    pub(crate) columns: Vec<Arc<ChunkColumn>>,
    pub(crate) memory_bytes: usize,
    /// Of columns whose values were put in later: what is known of them, by column.
    pub(crate) revised: Option<Vec<(usize, ColumnStats)>>,
}

impl Chunk {
    pub(crate) fn new(rows: usize, columns: Vec<ChunkColumn>) -> Chunk {
        Chunk::of(rows, columns.into_iter().map(Arc::new).collect(), None)
    }

    fn of(rows: usize, columns: Vec<Arc<ChunkColumn>>, revised: Option<Vec<(usize, ColumnStats)>>) -> Chunk {
        let memory_bytes = columns.iter().map(|column| column.memory_bytes()).sum();
        Chunk { rows, columns, memory_bytes, revised }
    }

    /// Returns the same rows with other values in some columns.
    pub(crate) fn revised(&self, columns: Vec<(usize, ChunkColumn)>) -> Chunk {
        let mut all = self.columns.clone();
        let mut stats = Vec::with_capacity(columns.len());
        for (index, column) in columns {
            stats.push((index, column.stats(0..self.rows)));
            all[index] = Arc::new(column);
        }
        Chunk::of(self.rows, all, Some(stats))
    }

    /// Returns one column of all `chunks`, which must hold it in one form.
    ///
    /// # Errors
    /// When the values together are too large for one array.
    pub(crate) fn merge_column(
        chunks: &[Arc<Chunk>],
        index: usize,
        dictionary_len: usize,
    ) -> Result<ChunkColumn, ArrowError> {
        let columns: Vec<&ChunkColumn> = chunks.iter().map(|chunk| &*chunk.columns[index]).collect();
        Ok(ChunkColumn {
            values: merge_values(&columns, dictionary_len)?,
            nulls: Chunk::merge_column_nulls(chunks, index),
            index: None,
        })
    }

    /// Returns the memory that indexes have taken since the chunk was made.
    pub(crate) fn index_bytes(&self) -> usize {
        let made = self.columns.iter().filter_map(|column| column.index.as_ref()?.get()?.as_ref());
        made.map(ValueIndex::memory_bytes).sum()
    }

    /// Returns which rows of one column are null, over all `chunks`.
    pub(crate) fn merge_column_nulls(chunks: &[Arc<Chunk>], index: usize) -> Option<NullBuffer> {
        if chunks.iter().all(|chunk| chunk.columns[index].nulls.is_none()) {
            return None;
        }
        let mut valid = BooleanBufferBuilder::new(chunks.iter().map(|chunk| chunk.rows).sum());
        for chunk in chunks {
            match &chunk.columns[index].nulls {
                Some(nulls) => valid.append_buffer(nulls.inner()),
                None => valid.append_n(chunk.rows, true),
            }
        }
        Some(NullBuffer::new(valid.finish()))
    }
}

impl ChunkColumn {
    /// Returns the column with the dictionary its ids count in.
    pub(crate) fn column(&self, dictionary: Option<&Arc<Dictionary>>) -> Column {
        let dictionary = || Arc::clone(dictionary.expect("a column of ids has a dictionary"));
        let values = match &self.values {
            ChunkValues::Ids(ids) => ColumnValues::Ids { ids: ids.clone(), dictionary: dictionary() },
            ChunkValues::Plain(array) => ColumnValues::Plain(Arc::clone(array)),
            ChunkValues::IdLists { offsets, ids } => {
                ColumnValues::IdLists { offsets: offsets.clone(), ids: ids.clone(), dictionary: dictionary() }
            }
            ChunkValues::PlainLists { offsets, values } => {
                ColumnValues::PlainLists { offsets: offsets.clone(), values: Arc::clone(values) }
            }
        };
        Column { values, nulls: self.nulls.clone() }
    }

    /// Returns the rows of the wanted values in order, where an index knows them. Rows without a value count as their
    /// default.
    pub(crate) fn rows_of(
        &self,
        wanted: Wanted<'_>,
        dictionary: Option<&Arc<Dictionary>>,
    ) -> Option<Vec<u32>> {
        let index = self.index.as_ref()?;
        let mut rows = Vec::new();
        match (&self.values, wanted) {
            (ChunkValues::Ids(ids), wanted) => {
                let index = index.get_or_init(|| ValueIndex::of_ids(ids)).as_ref()?;
                match wanted {
                    Wanted::Ids(wanted) => wanted.iter().for_each(|id| rows.extend(index.of_id(*id, ids))),
                    Wanted::Values(wanted) => {
                        for value in wanted {
                            if let Some(id) = dictionary?.find(value)? {
                                rows.extend(index.of_id(id, ids));
                            }
                        }
                    }
                }
            }
            (ChunkValues::Plain(values), Wanted::Values(wanted)) => {
                let index = index.get_or_init(|| ValueIndex::of_array(values)).as_ref()?;
                for value in wanted {
                    rows.extend(index.of_value(value, values)?);
                }
            }
            (ChunkValues::Plain(_), Wanted::Ids(_))
            | (ChunkValues::IdLists { .. } | ChunkValues::PlainLists { .. }, _) => return None,
        }
        rows.sort_unstable();
        rows.dedup();
        Some(rows)
    }

    /// Returns what is known of some rows' values.
    pub(crate) fn stats(&self, rows: Range<usize>) -> ColumnStats {
        let nulls = self.nulls.as_ref().map(|nulls| nulls.slice(rows.start, rows.len()));
        let null_count = nulls.as_ref().map_or(0, NullBuffer::null_count) as u64;
        match &self.values {
            // Text is compared only at seal, once a distinct value.
            ChunkValues::Plain(array)
                if !matches!(array.data_type(), ArrowType::Utf8 | ArrowType::Binary) =>
            {
                let values = array.slice(rows.start, rows.len());
                ColumnStats { null_count, ..ColumnStats::of_array(&values) }
            }
            ChunkValues::Plain(_)
            | ChunkValues::Ids(_)
            | ChunkValues::IdLists { .. }
            | ChunkValues::PlainLists { .. } => ColumnStats { null_count, ..ColumnStats::default() },
        }
    }

    fn memory_bytes(&self) -> usize {
        let nulls = self.nulls.as_ref().map_or(0, |nulls| nulls.len().div_ceil(8));
        nulls
            + match &self.values {
                ChunkValues::Ids(ids) => ids.memory_bytes(),
                ChunkValues::Plain(array) => values_bytes(array),
                ChunkValues::IdLists { offsets, ids } => offsets.inner().inner().len() + ids.memory_bytes(),
                ChunkValues::PlainLists { offsets, values } => {
                    offsets.inner().inner().len() + values_bytes(values)
                }
            }
    }
}

/// Returns the memory that the values take. A batch that crosses a chunk's border is cut into slices of one array, and
/// each counts its own rows only.
fn values_bytes(values: &ArrayRef) -> usize {
    values.to_data().get_slice_memory_size().unwrap_or_else(|_| values.get_array_memory_size())
}

/// Concatenates the values of one column. A column that changed from ids to plain values in between cannot occur: the
/// change happens only at a chunk's border.
fn merge_values(columns: &[&ChunkColumn], dictionary_len: usize) -> Result<ChunkValues, ArrowError> {
    let merged = match &columns[0].values {
        ChunkValues::Ids(_) => {
            let mut wide = Vec::with_capacity(columns.iter().map(|column| column.len()).sum());
            for column in columns {
                if let ChunkValues::Ids(ids) = &column.values {
                    ids.extend_into(&mut wide);
                }
            }
            ChunkValues::Ids(Ids::narrow(wide, dictionary_len))
        }
        ChunkValues::Plain(_) => {
            let arrays: Vec<&dyn Array> = columns
                .iter()
                .filter_map(|column| match &column.values {
                    ChunkValues::Plain(array) => Some(array.as_ref()),
                    ChunkValues::Ids(_) | ChunkValues::IdLists { .. } | ChunkValues::PlainLists { .. } => {
                        None
                    }
                })
                .collect();
            ChunkValues::Plain(concat(&arrays)?)
        }
        ChunkValues::IdLists { .. } => {
            let mut wide = Vec::new();
            let mut lengths = Vec::new();
            for column in columns {
                if let ChunkValues::IdLists { offsets, ids } = &column.values {
                    ids.extend_into(&mut wide);
                    lengths.extend(offsets.lengths());
                }
            }
            let ids = Ids::narrow(wide, dictionary_len);
            ChunkValues::IdLists { offsets: OffsetBuffer::from_lengths(lengths), ids }
        }
        ChunkValues::PlainLists { .. } => {
            let lists: Vec<ListArray> = columns
                .iter()
                .filter_map(|column| match &column.values {
                    ChunkValues::PlainLists { offsets, values } => {
                        let item = Arc::new(ArrowField::new_list_field(values.data_type().clone(), true));
                        Some(ListArray::new(item, offsets.clone(), Arc::clone(values), None))
                    }
                    ChunkValues::Ids(_) | ChunkValues::Plain(_) | ChunkValues::IdLists { .. } => None,
                })
                .collect();
            let arrays: Vec<&dyn Array> = lists.iter().map(|list| list as &dyn Array).collect();
            let merged = concat(&arrays)?;
            let merged = merged.as_list::<i32>();
            ChunkValues::PlainLists { offsets: merged.offsets().clone(), values: Arc::clone(merged.values()) }
        }
    };
    Ok(merged)
}

impl ChunkColumn {
    fn len(&self) -> usize {
        match &self.values {
            ChunkValues::Ids(ids) => ids.len(),
            ChunkValues::Plain(array) => array.len(),
            ChunkValues::IdLists { offsets, .. } | ChunkValues::PlainLists { offsets, .. } => {
                offsets.len() - 1
            }
        }
    }
}
