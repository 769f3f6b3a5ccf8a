//! Rows on their way into a consuming segment, by column.
//!
//! A decoder fills the buffer, the segment copies what is in it, and the decoder fills it again: the memory is the same from
//! batch to batch.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, ListArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::nullif;
use arrow::datatypes::Field as ArrowField;

use crate::column_buffer::ColumnBuffer;
use crate::schema::Schema;

/// Rows of one schema. Every column has one entry a row.
#[derive(Debug)]
pub struct RowBuffer {
    schema: Arc<Schema>,
    /// The schema's columns.
    pub columns: Vec<ColumnBuffer>,
    /// Each row's Kafka offset.
    pub offsets: Vec<i64>,
}

impl RowBuffer {
    /// Returns a buffer without rows.
    pub fn new(schema: Arc<Schema>) -> RowBuffer {
        let columns = schema.fields().iter().map(ColumnBuffer::new).collect();
        RowBuffer { schema, columns, offsets: Vec::new() }
    }

    /// Returns the rows of a batch in the schema's Arrow form.
    pub(crate) fn from_batch(schema: Arc<Schema>, rows: &RecordBatch, offsets: &[i64]) -> RowBuffer {
        let columns = schema.fields().iter().zip(rows.columns());
        let columns = columns.map(|(field, array)| ColumnBuffer::from_array(field, array)).collect();
        RowBuffer { schema, columns, offsets: offsets.to_vec() }
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Forgets all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(|column| column.truncate(0));
        self.offsets.clear();
    }

    /// Returns a copy of the rows in the schema's Arrow form.
    ///
    /// # Panics
    /// When the columns are not all of one length.
    pub fn to_batch(&self) -> RecordBatch {
        let columns = self.columns.iter().map(|column| column.to_array(self.len())).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.len()));
        RecordBatch::try_new_with_options(self.schema.arrow_schema(), columns, &options)
            .expect("the columns are the schema's")
    }
}

impl ColumnBuffer {
    fn to_array(&self, rows: usize) -> ArrayRef {
        let values = self.values.to_array(0..self.values.len());
        let is_null = BooleanBuffer::collect_bool(rows, |row| self.nulls.binary_search(&row).is_ok());
        let Some(ends) = &self.list_ends else {
            return nullif(&values, &BooleanArray::new(is_null, None)).expect("both are of one length");
        };
        let item = Arc::new(ArrowField::new_list_field(values.data_type().clone(), true));
        let nulls = Some(NullBuffer::new(!&is_null)).filter(|nulls| nulls.null_count() > 0);
        Arc::new(ListArray::new(item, ends.slice(0..rows), values, nulls))
    }
}
