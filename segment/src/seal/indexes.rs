//! Which indexes a sealed column gets.

use arrow::array::ArrayRef;

use super::SealedColumn;
use crate::column::ColumnValues;
use crate::dictionary::take_rows;
use crate::error::SegmentError;
use crate::index::{
    BloomFilter, IndexParts, InvertedIndex, JsonIndex, PartitionSet, RangeIndex, SortedIndex, TextIndex,
};
use crate::options::SegmentOptions;

/// What an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// The range of rows of each value.
    Sorted,
    /// The rows of each value.
    Inverted,
    /// The rows of ranges of values.
    Range,
    /// Which values there may be.
    Bloom,
    /// Which partitions the values fall into.
    Partitions,
    /// The rows of the values in documents.
    Json,
    /// The rows of the words of texts.
    Text,
    /// Aggregates over combinations of dimensions.
    StarTree,
}

/// An index that is to be stored.
#[derive(Debug, Clone)]
pub struct BuiltIndex {
    /// What it is.
    pub kind: IndexKind,
    /// Its bytes.
    pub parts: IndexParts,
}

impl IndexKind {
    /// Returns the name that stands in serving files.
    pub fn name(self) -> &'static str {
        match self {
            IndexKind::Sorted => "sorted",
            IndexKind::Inverted => "inverted",
            IndexKind::Range => "range",
            IndexKind::Bloom => "bloom",
            IndexKind::Partitions => "partitions",
            IndexKind::Json => "json",
            IndexKind::Text => "text",
            IndexKind::StarTree => "star_tree",
        }
    }
}

/// Returns a column's indexes. Where its rows ascend, the sorted index does the work of an inverted and a range index,
/// and they are left out.
pub(super) fn build(
    column: &SealedColumn,
    options: &SegmentOptions,
) -> Result<Vec<BuiltIndex>, SegmentError> {
    let mut built = Vec::new();
    let mut add =
        |kind, parts: Option<IndexParts>| built.extend(parts.map(|parts| BuiltIndex { kind, parts }));
    let name = &column.field.name;
    let values = &column.column.values;
    let sorted = match values {
        ColumnValues::Ids { ids, dictionary } if ids.is_sorted() && !ids.is_empty() => {
            SortedIndex::build(ids, dictionary.len())
        }
        ColumnValues::Ids { .. }
        | ColumnValues::Plain(_)
        | ColumnValues::IdLists { .. }
        | ColumnValues::PlainLists { .. } => None,
    };
    if sorted.is_none() && options.inverted_columns.contains(name) {
        add(IndexKind::Inverted, InvertedIndex::build(values).map(|index| index.to_parts()));
    }
    if sorted.is_none() && options.range_columns.contains(name) && column.field.single_value {
        let index = RangeIndex::build(&values_of_rows(values)?);
        add(IndexKind::Range, index.map(|index| index.to_parts()));
    }
    if let Some(&size) = options.bloom_columns.get(name) {
        let index = BloomFilter::build(&distinct_values(values)?, size);
        add(IndexKind::Bloom, index.map(|index| index.to_parts()));
    }
    if let Some(function) = options.partitioned_columns.get(name)
        && column.field.single_value
    {
        let set = PartitionSet::build(&distinct_values(values)?, function.clone());
        add(IndexKind::Partitions, set.map(|set| set.to_parts()));
    }
    if let Some(options) = options.json_columns.get(name)
        && column.field.single_value
    {
        let index = JsonIndex::build(&distinct_values(values)?, options);
        add(IndexKind::Json, index.map(|index| index.to_parts()));
    }
    if let Some(options) = options.text_columns.get(name) {
        let index = match values {
            ColumnValues::Ids { .. } | ColumnValues::Plain(_) => {
                TextIndex::build(&distinct_values(values)?, None, options)
            }
            ColumnValues::IdLists { offsets, .. } | ColumnValues::PlainLists { offsets, .. } => {
                TextIndex::build(&values_of_rows(values)?, Some(offsets), options)
            }
        };
        add(IndexKind::Text, index.map(|index| index.to_parts()));
    }
    add(IndexKind::Sorted, sorted.map(|index| index.to_parts()));
    Ok(built)
}

/// Returns the value of each row, or of each element.
fn values_of_rows(values: &ColumnValues) -> Result<ArrayRef, SegmentError> {
    Ok(match values {
        ColumnValues::Ids { ids, dictionary } | ColumnValues::IdLists { ids, dictionary, .. } => {
            take_rows(&dictionary.stored_values()?, &ids.to_u32())?
        }
        ColumnValues::Plain(array) | ColumnValues::PlainLists { values: array, .. } => ArrayRef::clone(array),
    })
}

/// Returns each value at least once.
fn distinct_values(values: &ColumnValues) -> Result<ArrayRef, SegmentError> {
    Ok(match values {
        ColumnValues::Ids { dictionary, .. } | ColumnValues::IdLists { dictionary, .. } => {
            dictionary.stored_values()?
        }
        ColumnValues::Plain(array) | ColumnValues::PlainLists { values: array, .. } => ArrayRef::clone(array),
    })
}
