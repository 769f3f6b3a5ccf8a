//! One column of one run of rows, immutable: what segments hand to readers and builders.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, UInt32Array, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::nullif;
use arrow::datatypes::Field as ArrowField;
use arrow::error::ArrowError;

use crate::dictionary::{Dictionary, scan_array, take_rows};
use crate::ids::Ids;
use crate::schema::Field;

/// The values of a column. Every row has one, also where it is null: the column's default null value stands there.
#[derive(Debug, Clone)]
pub enum ColumnValues {
    /// An id a row.
    Ids {
        /// The ids.
        ids: Ids,
        /// What they stand for.
        dictionary: Arc<Dictionary>,
    },
    /// A value a row: a primitive, Boolean, Utf8 or Binary array without nulls.
    Plain(ArrayRef),
    /// A list of ids a row.
    IdLists {
        /// Where each row's ids begin and end.
        offsets: OffsetBuffer<i32>,
        /// The ids of all rows.
        ids: Ids,
        /// What they stand for.
        dictionary: Arc<Dictionary>,
    },
    /// A list of values a row, the elements as in [`ColumnValues::Plain`].
    PlainLists {
        /// Where each row's elements begin and end.
        offsets: OffsetBuffer<i32>,
        /// The elements of all rows.
        values: ArrayRef,
    },
}

/// Values and which of them are null.
#[derive(Debug, Clone)]
pub struct Column {
    /// The values, defaults where a row is null.
    pub values: ColumnValues,
    /// Which rows are null; `None` when none is.
    pub nulls: Option<NullBuffer>,
}

impl Column {
    /// Returns how many rows the column has.
    pub fn len(&self) -> usize {
        match &self.values {
            ColumnValues::Ids { ids, .. } => ids.len(),
            ColumnValues::Plain(array) => array.len(),
            ColumnValues::IdLists { offsets, .. } | ColumnValues::PlainLists { offsets, .. } => {
                offsets.len() - 1
            }
        }
    }

    /// Returns whether the column has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many rows are null.
    pub fn null_count(&self) -> usize {
        self.nulls.as_ref().map_or(0, NullBuffer::null_count)
    }

    /// Returns the rows `indices`, in that order.
    ///
    /// # Errors
    /// When an index lies outside the column.
    pub fn take(&self, indices: &UInt32Array) -> Result<Column, ArrowError> {
        let values = match &self.values {
            ColumnValues::Ids { ids, dictionary } => {
                let taken = take_rows(&ids.to_array(), indices)?;
                ColumnValues::Ids { ids: ids_of(&taken), dictionary: Arc::clone(dictionary) }
            }
            ColumnValues::Plain(array) => ColumnValues::Plain(take_rows(array, indices)?),
            ColumnValues::IdLists { offsets, ids, dictionary } => {
                let (offsets, taken) = take_lists(offsets, &ids.to_array(), indices)?;
                ColumnValues::IdLists { offsets, ids: ids_of(&taken), dictionary: Arc::clone(dictionary) }
            }
            ColumnValues::PlainLists { offsets, values } => {
                let (offsets, values) = take_lists(offsets, values, indices)?;
                ColumnValues::PlainLists { offsets, values }
            }
        };
        let nulls = self.nulls.as_ref().map(|nulls| {
            NullBuffer::from_iter(indices.values().iter().map(|&row| nulls.is_valid(row as usize)))
        });
        Ok(Column { values, nulls: nulls.filter(|nulls| nulls.null_count() > 0) })
    }

    /// Returns the column as the scan hands it out: views for strings and bytes, lists of them for multi-values.
    /// With `null_handling` null rows are null, otherwise they hold the default null value.
    ///
    /// # Errors
    /// When the values together are too large for one array.
    pub fn to_array(&self, null_handling: bool) -> Result<ArrayRef, ArrowError> {
        let array = match &self.values {
            ColumnValues::Ids { ids, dictionary } => dictionary.gather(ids)?,
            ColumnValues::Plain(array) => scan_array(array),
            ColumnValues::IdLists { offsets, ids, dictionary } => lists(offsets, dictionary.gather(ids)?),
            ColumnValues::PlainLists { offsets, values } => lists(offsets, scan_array(values)),
        };
        match &self.nulls {
            Some(nulls) if null_handling => with_nulls(&array, nulls.clone()),
            _ => Ok(array),
        }
    }
}

impl Column {
    /// Returns the column with nulls as it is stored: Utf8, Binary, a primitive type, or lists of them.
    ///
    /// # Errors
    /// When the values together are too large for one array.
    pub(crate) fn to_stored_array(&self) -> Result<ArrayRef, ArrowError> {
        let gather =
            |ids: &Ids, dictionary: &Dictionary| take_rows(&dictionary.stored_values()?, &ids.to_u32());
        let array = match &self.values {
            ColumnValues::Ids { ids, dictionary } => gather(ids, dictionary)?,
            ColumnValues::Plain(array) => Arc::clone(array),
            ColumnValues::IdLists { offsets, ids, dictionary } => lists(offsets, gather(ids, dictionary)?),
            ColumnValues::PlainLists { offsets, values } => lists(offsets, Arc::clone(values)),
        };
        match &self.nulls {
            Some(nulls) => with_nulls(&array, nulls.clone()),
            None => Ok(array),
        }
    }
}

/// Returns `array` with exactly these nulls.
pub(crate) fn with_nulls(array: &ArrayRef, nulls: NullBuffer) -> Result<ArrayRef, ArrowError> {
    nullif(array, &BooleanArray::new(!nulls.inner(), None))
}

fn lists(offsets: &OffsetBuffer<i32>, values: ArrayRef) -> ArrayRef {
    let item = Arc::new(ArrowField::new_list_field(values.data_type().clone(), true));
    Arc::new(ListArray::new(item, offsets.clone(), values, None))
}

fn take_lists(
    offsets: &OffsetBuffer<i32>,
    values: &ArrayRef,
    indices: &UInt32Array,
) -> Result<(OffsetBuffer<i32>, ArrayRef), ArrowError> {
    let taken = take_rows(&lists(offsets, Arc::clone(values)), indices)?;
    let taken = taken.as_list::<i32>();
    Ok((taken.offsets().clone(), Arc::clone(taken.values())))
}

pub(crate) fn ids_of(array: &ArrayRef) -> Ids {
    use arrow::datatypes::{DataType, UInt8Type, UInt16Type, UInt32Type};
    match array.data_type() {
        DataType::UInt8 => Ids::U8(array.as_primitive::<UInt8Type>().values().clone()),
        DataType::UInt16 => Ids::U16(array.as_primitive::<UInt16Type>().values().clone()),
        _ => Ids::U32(array.as_primitive::<UInt32Type>().values().clone()),
    }
}

impl Column {
    /// Returns a column of `rows` nulls, each holding the field's default null value.
    pub fn defaults(field: &Field, rows: usize) -> Column {
        let dictionary = Arc::new(Dictionary::of_values(field.default_null_value.to_array(), true));
        let ids = Ids::narrow(vec![0; rows], 1);
        let values = match field.single_value {
            true => ColumnValues::Ids { ids, dictionary },
            false => ColumnValues::IdLists {
                offsets: OffsetBuffer::from_repeated_length(1, rows),
                ids,
                dictionary,
            },
        };
        Column { values, nulls: (rows > 0).then(|| NullBuffer::new_null(rows)) }
    }

    /// Returns a column without rows.
    pub(crate) fn empty(field: &Field) -> Column {
        let none = new_empty_array(&field.data_type.arrow());
        let values = match field.single_value {
            true => ColumnValues::Plain(none),
            false => ColumnValues::PlainLists { offsets: OffsetBuffer::new_empty(), values: none },
        };
        Column { values, nulls: None }
    }

    /// Returns `len` rows from `start` on, sharing the memory.
    pub fn slice(&self, start: usize, len: usize) -> Column {
        let values = match &self.values {
            ColumnValues::Ids { ids, dictionary } => {
                ColumnValues::Ids { ids: ids.slice(start, len), dictionary: Arc::clone(dictionary) }
            }
            ColumnValues::Plain(array) => ColumnValues::Plain(array.slice(start, len)),
            ColumnValues::IdLists { offsets, ids, dictionary } => {
                let (first, offsets, count) = slice_offsets(offsets, start, len);
                ColumnValues::IdLists {
                    offsets,
                    ids: ids.slice(first, count),
                    dictionary: Arc::clone(dictionary),
                }
            }
            ColumnValues::PlainLists { offsets, values } => {
                let (first, offsets, count) = slice_offsets(offsets, start, len);
                ColumnValues::PlainLists { offsets, values: values.slice(first, count) }
            }
        };
        let nulls = self.nulls.as_ref().map(|nulls| nulls.slice(start, len));
        Column { values, nulls: nulls.filter(|nulls| nulls.null_count() > 0) }
    }
}

/// Returns the first element of the rows, their borders counted from it, and how many elements there are.
fn slice_offsets(offsets: &OffsetBuffer<i32>, start: usize, len: usize) -> (usize, OffsetBuffer<i32>, usize) {
    let (first, last) = (offsets[start], offsets[start + len]);
    let shifted: Vec<i32> = offsets[start..=start + len].iter().map(|offset| offset - first).collect();
    let to_usize = |offset: i32| usize::try_from(offset).expect("offsets are not negative");
    (to_usize(first), OffsetBuffer::new(shifted.into()), to_usize(last - first))
}
