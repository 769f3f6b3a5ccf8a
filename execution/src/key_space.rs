//! The values that one key takes in one query, and a number for each of them.
//!
//! Whole numbers whose bounds over all segments are known and not too far apart are numbered by their distance from the
//! smallest: no hash, and the same number in every segment and on every thread. All other values are numbered in order
//! of first sight.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewBuilder, BooleanArray, Float32Array, Float64Array, Int32Array,
    Int64Array, StringViewBuilder, TimestampMillisecondArray, UInt32Array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMillisecondType,
};
use arrow::row::{RowConverter, SortField};

use crate::error::Result;
use crate::interner::{BytesInterner, IntInterner};
use meunier_segment::text_numbers::TextNumbers;

/// Texts that stand in so many rows each, in the mean, are written once.
const REPEATS_MIN: usize = 4;

/// The number of null.
pub(crate) const NULL: u32 = u32::MAX;

/// Whole numbers from `first` to `first + (len - 1) * width`, each standing for the `width` numbers from it on (towards
/// zero for those below).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Codes {
    pub(crate) first: i64,
    pub(crate) width: i64,
    pub(crate) len: u32,
}

impl Codes {
    /// Returns codes for all numbers from `min` to `max` in steps of `width`, unless they are more than `len_max`.
    pub(crate) fn new(min: i64, max: i64, width: i64, len_max: u32) -> Option<Codes> {
        // A step counts from zero, so that a bucket begins at a multiple of its width.
        let (first, last) = (min / width, max / width);
        let len = u32::try_from(last.checked_sub(first)?).ok()?.checked_add(1)?;
        (len <= len_max).then_some(Codes { first: first * width, width, len })
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "values lie between the bounds that codes were made for"
    )]
    pub(crate) fn code(&self, value: i64) -> u32 {
        let code = if self.width == 1 {
            value.wrapping_sub(self.first)
        } else {
            value / self.width - self.first / self.width
        };
        debug_assert!((0..i64::from(self.len)).contains(&code));
        code as u32
    }

    pub(crate) fn value(&self, code: u32) -> i64 {
        self.first + i64::from(code) * self.width
    }
}

/// How the values of a key are numbered, as all workers of a query do it.
#[derive(Debug, Clone)]
pub(crate) enum Numbering {
    /// By codes.
    Codes(Codes),
    /// As the table numbers the texts of a column.
    OfTable(Arc<TextNumbers>),
    /// In order of first sight in this query.
    OfQuery,
}

/// Numbers for the values of one key.
#[derive(Debug)]
pub(crate) struct KeySpace {
    data_type: DataType,
    numbers: Numbers,
}

#[derive(Debug)]
enum Numbers {
    Codes(Codes),
    /// Whole numbers, and floats by their bits.
    Ints(IntInterner),
    Bytes(BytesInterner),
    /// Texts or bytes as their table numbers them, and what the numbers took when the query began.
    OfTable {
        numbers: Arc<TextNumbers>,
        bytes_before: usize,
    },
    /// Values of any other type, as bytes that Arrow makes of them.
    Rows {
        converter: RowConverter,
        rows: BytesInterner,
    },
}

impl KeySpace {
    /// Returns a space for values of this type.
    pub(crate) fn new(data_type: DataType, numbering: &Numbering) -> Result<KeySpace> {
        let numbers = match (numbering, &data_type) {
            (Numbering::Codes(codes), _) => Numbers::Codes(*codes),
            (Numbering::OfTable(numbers), _) => {
                Numbers::OfTable { numbers: Arc::clone(numbers), bytes_before: numbers.memory_bytes() }
            }
            (
                Numbering::OfQuery,
                DataType::Int32
                | DataType::Int64
                | DataType::Timestamp(TimeUnit::Millisecond, None)
                | DataType::Float32
                | DataType::Float64
                | DataType::Boolean,
            ) => Numbers::Ints(IntInterner::default()),
            (Numbering::OfQuery, DataType::Utf8View | DataType::BinaryView) => {
                Numbers::Bytes(BytesInterner::default())
            }
            (Numbering::OfQuery, other) => Numbers::Rows {
                converter: RowConverter::new(vec![SortField::new(other.clone())])?,
                rows: BytesInterner::default(),
            },
        };
        Ok(KeySpace { data_type, numbers })
    }

    pub(crate) fn codes(&self) -> Option<Codes> {
        match &self.numbers {
            Numbers::Codes(codes) => Some(*codes),
            Numbers::Ints(_) | Numbers::Bytes(_) | Numbers::OfTable { .. } | Numbers::Rows { .. } => None,
        }
    }

    /// Returns the table's numbers, if values are numbered by them.
    pub(crate) fn of_table(&self) -> Option<&Arc<TextNumbers>> {
        match &self.numbers {
            Numbers::OfTable { numbers, .. } => Some(numbers),
            Numbers::Codes(_) | Numbers::Ints(_) | Numbers::Bytes(_) | Numbers::Rows { .. } => None,
        }
    }

    /// Returns how many numbers there may be: all numbers lie below.
    pub(crate) fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Codes(codes) => codes.len as usize,
            Numbers::Ints(ints) => ints.len(),
            Numbers::Bytes(bytes) | Numbers::Rows { rows: bytes, .. } => bytes.len(),
            Numbers::OfTable { numbers, .. } => numbers.with_values(BytesInterner::len),
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        match &self.numbers {
            Numbers::Codes(_) => 0,
            Numbers::Ints(ints) => ints.memory_bytes(),
            Numbers::Bytes(bytes) | Numbers::Rows { rows: bytes, .. } => bytes.memory_bytes(),
            Numbers::OfTable { numbers, bytes_before } => {
                numbers.memory_bytes().saturating_sub(*bytes_before)
            }
        }
    }

    /// Appends the number of each value to `out`. Values are stored or scanned ones: texts may be views or not.
    pub(crate) fn number_all(&mut self, values: &ArrayRef, out: &mut Vec<u32>) -> Result<()> {
        let start = out.len();
        match &mut self.numbers {
            Numbers::Codes(codes) => {
                for_each_int(values, |value| out.push(value.map_or(NULL, |value| codes.code(value))));
            }
            Numbers::Ints(ints) => {
                for_each_int(values, |value| out.push(value.map_or(NULL, |value| ints.intern(value))));
            }
            Numbers::Bytes(bytes) => {
                for_each_bytes(values, |value| out.push(value.map_or(NULL, |value| bytes.intern(value))));
            }
            Numbers::OfTable { numbers, .. } => {
                for_each_bytes(values, |value| out.push(value.map_or(NULL, |value| numbers.number(value))));
            }
            Numbers::Rows { converter, rows } => {
                let converted = converter.convert_columns(std::slice::from_ref(values))?;
                out.extend(converted.iter().map(|row| rows.intern(row.as_ref())));
                let nulls = values.nulls().map(NullBuffer::iter);
                for (number, valid) in out[start..].iter_mut().zip(nulls.into_iter().flatten()) {
                    if !valid {
                        *number = NULL;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the number of one value.
    pub(crate) fn number_at(&mut self, values: &ArrayRef, position: usize) -> Result<u32> {
        let text = |position| values.as_string::<i32>().value(position).as_bytes();
        match (&mut self.numbers, values.data_type()) {
            (Numbers::Bytes(bytes), DataType::Utf8) => return Ok(bytes.intern(text(position))),
            (Numbers::OfTable { numbers, .. }, DataType::Utf8) => return Ok(numbers.number(text(position))),
            _ => {}
        }
        let mut one = Vec::with_capacity(1);
        self.number_all(&values.slice(position, 1), &mut one)?;
        Ok(one[0])
    }

    /// Returns this space's number of a value that `other` numbers, where both are spaces of one key.
    pub(crate) fn translate(&mut self, other: &KeySpace, number: u32) -> u32 {
        match (&mut self.numbers, &other.numbers) {
            _ if number == NULL => NULL,
            (Numbers::Codes(_), Numbers::Codes(_)) | (Numbers::OfTable { .. }, Numbers::OfTable { .. }) => {
                number
            }
            (Numbers::Ints(ints), Numbers::Ints(others)) => ints.intern(others.value(number)),
            (Numbers::Bytes(bytes), Numbers::Bytes(others))
            | (Numbers::Rows { rows: bytes, .. }, Numbers::Rows { rows: others, .. }) => {
                bytes.intern(others.value(number))
            }
            _ => unreachable!("spaces of one key are of one kind"),
        }
    }

    /// Returns the values of these numbers.
    pub(crate) fn values(&self, numbers: &[u32]) -> Result<ArrayRef> {
        match &self.numbers {
            Numbers::Codes(codes) => {
                let value = |number: u32| (number != NULL).then(|| codes.value(number));
                Ok(self.array_of(numbers.iter().map(|&number| value(number))))
            }
            Numbers::Ints(ints) => {
                let value = |number: u32| (number != NULL).then(|| ints.value(number));
                Ok(self.array_of_bits(numbers.iter().map(|&number| value(number))))
            }
            Numbers::Bytes(bytes) => {
                let value = |number: u32| (number != NULL).then(|| bytes.value(number));
                if bytes.len() * REPEATS_MIN > numbers.len() {
                    return Ok(self.array_of_bytes(numbers.iter().map(|&number| value(number))));
                }
                // Views of one copy of each value, instead of a copy for each row.
                let all = u32::try_from(bytes.len()).expect("fewer than 2^32 values are numbered");
                let values = self.array_of_bytes((0..all).map(value));
                let places = numbers.iter().map(|&number| (number != NULL).then_some(number));
                Ok(take(&values, &places.collect::<UInt32Array>(), None)?)
            }
            Numbers::OfTable { numbers: of_table, .. } => of_table.with_values(|bytes| {
                let value = |number: u32| (number != NULL).then(|| bytes.value(number));
                Ok(self.array_of_bytes(numbers.iter().map(|&number| value(number))))
            }),
            Numbers::Rows { converter, rows } => {
                let parser = converter.parser();
                let null = converter.convert_columns(&[arrow::array::new_null_array(&self.data_type, 1)])?;
                let parsed = numbers.iter().map(|&number| match number {
                    NULL => null.row(0),
                    number => parser.parse(rows.value(number)),
                });
                let mut columns = converter.convert_rows(parsed)?;
                Ok(columns.remove(0))
            }
        }
    }

    /// Whole numbers in the key's type.
    fn array_of(&self, values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
        match self.data_type {
            DataType::Float64 => {
                Arc::new(values.map(|value| value.map(|value| value as f64)).collect::<Float64Array>())
            }
            _ => self.array_of_bits(values),
        }
    }

    /// Whole numbers, and floats by their bits, in the key's type.
    #[expect(clippy::cast_possible_truncation, reason = "the values came from this type")]
    fn array_of_bits(&self, values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
        match self.data_type {
            DataType::Int32 => {
                Arc::new(values.map(|value| value.map(|value| value as i32)).collect::<Int32Array>())
            }
            DataType::Timestamp(..) => Arc::new(values.collect::<TimestampMillisecondArray>()),
            DataType::Boolean => {
                Arc::new(values.map(|value| value.map(|value| value != 0)).collect::<BooleanArray>())
            }
            DataType::Float32 => {
                let float = |bits: i64| f32::from_bits(bits as u32);
                Arc::new(values.map(|value| value.map(float)).collect::<Float32Array>())
            }
            DataType::Float64 => {
                let float = |bits: i64| f64::from_bits(bits.cast_unsigned());
                Arc::new(values.map(|value| value.map(float)).collect::<Float64Array>())
            }
            _ => Arc::new(values.collect::<Int64Array>()),
        }
    }

    fn array_of_bytes<'a>(&self, values: impl Iterator<Item = Option<&'a [u8]>>) -> ArrayRef {
        if self.data_type == DataType::BinaryView {
            let mut array = BinaryViewBuilder::new();
            values.for_each(|value| array.append_option(value));
            return Arc::new(array.finish());
        }
        let mut array = StringViewBuilder::new();
        let text = |bytes| std::str::from_utf8(bytes).expect("the bytes came from a text");
        values.for_each(|value| array.append_option(value.map(text)));
        Arc::new(array.finish())
    }
}

/// Calls `f` on whole numbers, and on floats by their bits.
fn for_each_int(values: &ArrayRef, mut f: impl FnMut(Option<i64>)) {
    match values.data_type() {
        DataType::Int32 => {
            values.as_primitive::<Int32Type>().iter().for_each(|value| f(value.map(i64::from)))
        }
        DataType::Int64 => values.as_primitive::<Int64Type>().iter().for_each(f),
        DataType::Timestamp(..) => values.as_primitive::<TimestampMillisecondType>().iter().for_each(f),
        DataType::Float32 => values
            .as_primitive::<Float32Type>()
            .iter()
            .for_each(|value| f(value.map(|value| i64::from(value.to_bits())))),
        DataType::Float64 => values
            .as_primitive::<Float64Type>()
            .iter()
            .for_each(|value| f(value.map(|value| value.to_bits().cast_signed()))),
        DataType::Boolean => values.as_boolean().iter().for_each(|value| f(value.map(i64::from))),
        other => unreachable!("{other} is no number"),
    }
}

fn for_each_bytes(values: &ArrayRef, mut f: impl FnMut(Option<&[u8]>)) {
    match values.data_type() {
        DataType::Utf8 => values.as_string::<i32>().iter().for_each(|value| f(value.map(str::as_bytes))),
        DataType::Utf8View => values.as_string_view().iter().for_each(|value| f(value.map(str::as_bytes))),
        DataType::Binary => values.as_binary::<i32>().iter().for_each(f),
        DataType::BinaryView => values.as_binary_view().iter().for_each(f),
        other => unreachable!("{other} is neither text nor bytes"),
    }
}
