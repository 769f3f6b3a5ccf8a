//! The columns that queries read, and how they are read from one chunk.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, StringViewArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType as ArrowType;
use meunier_segment::column::Column;
use meunier_segment::schema::{DataType, Field};
use meunier_segment::table_snapshot::Segment;

use crate::error::{ExecutionError, Result};
use crate::rows::ChunkRows;

/// One column as a query sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum InputColumn {
    /// A column of the segments.
    Stored {
        /// Its definition.
        field: Arc<Field>,
        /// Whether nulls are nulls; otherwise they are the default null value.
        shows_nulls: bool,
    },
    /// Whether a column is null in a row.
    NullFlag(Arc<Field>),
    /// A row's position in its segment.
    DocId,
    /// The name of a row's segment.
    SegmentName,
    /// The Kafka partition a row came from.
    PartitionId,
    /// The server that answers.
    HostName(Arc<str>),
}

/// One chunk of one segment.
#[derive(Debug, Clone, Copy)]
pub struct ChunkView<'a> {
    /// The segment.
    pub segment: &'a Segment,
    /// The chunk's number in it.
    pub chunk: usize,
    /// Rows of the segment before this chunk.
    pub first_row: usize,
    /// Rows of the chunk.
    pub rows: usize,
}

impl ChunkView<'_> {
    /// Returns a column as the segment stores it.
    ///
    /// # Errors
    /// When the segment's file cannot be read.
    pub fn stored(&self, field: &Field) -> Result<Column> {
        self.segment.column(self.chunk, field).map_err(|source| unreadable(self.segment, source))
    }

    /// Returns some rows of a column as values.
    ///
    /// # Errors
    /// When the segment's file cannot be read, or values together are too large for one array.
    pub fn values(&self, column: &InputColumn, rows: &ChunkRows) -> Result<ArrayRef> {
        match column {
            InputColumn::Stored { field, shows_nulls } => values_of(&self.stored(field)?, rows, *shows_nulls),
            InputColumn::NullFlag(field) => {
                let flags = match &self.stored(field)?.nulls {
                    None => BooleanBuffer::new_unset(rows.len()),
                    Some(nulls) => {
                        let mut flags = Vec::with_capacity(rows.len());
                        rows.for_each(|row| flags.push(nulls.is_null(row)));
                        flags.into()
                    }
                };
                Ok(Arc::new(BooleanArray::new(flags, None)))
            }
            InputColumn::DocId => {
                let mut ids = Vec::with_capacity(rows.len());
                rows.for_each(|row| ids.push(i32::try_from(self.first_row + row).unwrap_or(i32::MAX)));
                Ok(Arc::new(Int32Array::from(ids)))
            }
            InputColumn::SegmentName => Ok(repeated(self.segment.name().as_str(), rows.len())),
            InputColumn::PartitionId => {
                Ok(Arc::new(Int32Array::from_value(self.segment.partition().0, rows.len())))
            }
            InputColumn::HostName(name) => Ok(repeated(name, rows.len())),
        }
    }
}

/// Returns some rows of a stored column as values.
///
/// # Errors
/// When the values together are too large for one array.
pub fn values_of(column: &Column, rows: &ChunkRows, shows_nulls: bool) -> Result<ArrayRef> {
    let picked = match rows {
        ChunkRows::Range(range) if range.len() == column.len() => return Ok(column.to_array(shows_nulls)?),
        ChunkRows::Range(range) => column.slice(range.start, range.len()),
        ChunkRows::List(_) => column.take(&rows.to_indices())?,
    };
    Ok(picked.to_array(shows_nulls)?)
}

pub(crate) fn unreadable(segment: &Segment, source: meunier_segment::error::SegmentError) -> ExecutionError {
    ExecutionError::Unreadable { segment: segment.name().clone(), source }
}

fn repeated(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(text, rows)))
}

/// Returns the Arrow type of a value as scans hand it out: strings and bytes as views.
pub fn scan_type(data_type: DataType) -> ArrowType {
    match data_type {
        DataType::String | DataType::Json => ArrowType::Utf8View,
        DataType::Bytes => ArrowType::BinaryView,
        DataType::Int
        | DataType::Long
        | DataType::Float
        | DataType::Double
        | DataType::BigDecimal
        | DataType::Boolean
        | DataType::Timestamp => data_type.arrow(),
    }
}
