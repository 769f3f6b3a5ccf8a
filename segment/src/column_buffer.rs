//! The values of one column in plain growing vectors: where a decoder puts them, and where a consuming segment collects them.
//!
//! They can be cut back, which Arrow's own builders for text cannot, so that a row that fails in a late column leaves nothing
//! in the earlier ones; and they can be emptied without giving back their memory, which stays warm for the next batch.

use std::mem;
use std::ops::{Add, Range};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal256Array, Int32Array, PrimitiveArray,
    StringArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMillisecondType, i256,
};

use crate::consuming_segment::fill_nulls;
use crate::schema::{DataType, Field};
use crate::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE, Value};

/// One column of rows on their way into a segment.
#[derive(Debug)]
pub struct ColumnBuffer {
    /// The values; of a multi-value column the elements of all lists. A null row of a single-value column has a filler
    /// here that nobody may see, of a multi-value column it has no element.
    pub values: ValueBuffer,
    /// Of a multi-value column: where each row's list ends among the values.
    pub list_ends: Option<Ends>,
    /// Rows without a value, ascending.
    pub nulls: Vec<usize>,
}

/// Growing values of one of Pinot's types.
#[derive(Debug)]
pub enum ValueBuffer {
    /// INT.
    Int(Vec<i32>),
    /// LONG.
    Long(Vec<i64>),
    /// FLOAT.
    Float(Vec<f32>),
    /// DOUBLE.
    Double(Vec<f64>),
    /// BIG_DECIMAL, scaled.
    BigDecimal(Vec<i256>),
    /// BOOLEAN.
    Boolean(Vec<bool>),
    /// TIMESTAMP, milliseconds.
    Timestamp(Vec<i64>),
    /// STRING.
    String(TextBuffer),
    /// JSON.
    Json(TextBuffer),
    /// BYTES.
    Bytes(ByteBuffer),
}

/// Strings, end to end.
#[derive(Debug, Default)]
pub struct TextBuffer {
    /// What was written after the last end belongs to a value that is not finished.
    pub text: String,
    ends: Ends,
}

/// Byte strings, end to end.
#[derive(Debug, Default)]
pub struct ByteBuffer {
    /// What was written after the last end belongs to a value that is not finished.
    pub bytes: Vec<u8>,
    ends: Ends,
}

/// A zero, then where each value ends.
#[derive(Debug)]
pub struct Ends(Vec<i32>);

/// The values are more than Arrow's 32-bit offsets can reach.
#[derive(Debug)]
pub struct Full;

impl ColumnBuffer {
    /// Returns a buffer without rows.
    pub fn new(field: &Field) -> ColumnBuffer {
        ColumnBuffer {
            values: ValueBuffer::new(field.data_type),
            list_ends: (!field.single_value).then(Ends::default),
            nulls: Vec::new(),
        }
    }

    /// Returns the rows of an array of the field's Arrow form. As in Pinot, -0.0 becomes 0.0.
    pub(crate) fn from_array(field: &Field, array: &ArrayRef) -> ColumnBuffer {
        let nulls = (0..array.len()).filter(|&row| array.is_null(row)).collect();
        if field.single_value {
            let values = ValueBuffer::from_array(field, array);
            return ColumnBuffer { values, list_ends: None, nulls };
        }
        let lists = array.as_list::<i32>();
        let (mut places, mut ends) = (Vec::new(), Ends::default());
        for (row, borders) in lists.value_offsets().windows(2).enumerate() {
            if lists.is_valid(row) {
                places.extend(borders[0]..borders[1]);
            }
            ends.push(places.len()).expect("places are among those of an array");
        }
        let elements = take(lists.values(), &Int32Array::from(places), None);
        let elements = elements.expect("places lie within the elements");
        ColumnBuffer { values: ValueBuffer::from_array(field, &elements), list_ends: Some(ends), nulls }
    }

    /// Appends that row number `row` has no value.
    #[inline]
    pub fn push_null(&mut self, row: usize) {
        self.nulls.push(row);
        match &mut self.list_ends {
            None => self.values.push_filler(),
            Some(ends) => ends.repeat_last(),
        }
    }

    /// Cuts back to the first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        let values = match &mut self.list_ends {
            None => rows,
            Some(ends) => {
                ends.truncate(rows);
                ends.last()
            }
        };
        self.values.truncate(values);
        while self.nulls.last().is_some_and(|row| *row >= rows) {
            self.nulls.pop();
        }
    }
}

/// Adding zero turns -0.0 into 0.0 and changes nothing else.
fn without_signed_zeros<T: Copy + Add<Output = T>>(mut values: Vec<T>, zero: T) -> Vec<T> {
    values.iter_mut().for_each(|value| *value = *value + zero);
    values
}

impl ValueBuffer {
    /// Returns a buffer without values.
    pub fn new(data_type: DataType) -> ValueBuffer {
        match data_type {
            DataType::Int => ValueBuffer::Int(Vec::new()),
            DataType::Long => ValueBuffer::Long(Vec::new()),
            DataType::Float => ValueBuffer::Float(Vec::new()),
            DataType::Double => ValueBuffer::Double(Vec::new()),
            DataType::BigDecimal => ValueBuffer::BigDecimal(Vec::new()),
            DataType::Boolean => ValueBuffer::Boolean(Vec::new()),
            DataType::Timestamp => ValueBuffer::Timestamp(Vec::new()),
            DataType::String => ValueBuffer::String(TextBuffer::default()),
            DataType::Json => ValueBuffer::Json(TextBuffer::default()),
            DataType::Bytes => ValueBuffer::Bytes(ByteBuffer::default()),
        }
    }

    /// Returns the values of an array, the field's default in place of each null.
    fn from_array(field: &Field, array: &ArrayRef) -> ValueBuffer {
        fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef) -> Vec<T::Native> {
            array.as_primitive::<T>().values().to_vec()
        }
        let array = &fill_nulls(array, &field.default_null_value);
        match field.data_type {
            DataType::Int => ValueBuffer::Int(numbers::<Int32Type>(array)),
            DataType::Long => ValueBuffer::Long(numbers::<Int64Type>(array)),
            DataType::Float => ValueBuffer::Float(without_signed_zeros(numbers::<Float32Type>(array), 0.0)),
            DataType::Double => ValueBuffer::Double(without_signed_zeros(numbers::<Float64Type>(array), 0.0)),
            DataType::BigDecimal => ValueBuffer::BigDecimal(numbers::<Decimal256Type>(array)),
            DataType::Timestamp => ValueBuffer::Timestamp(numbers::<TimestampMillisecondType>(array)),
            DataType::Boolean => ValueBuffer::Boolean(array.as_boolean().values().iter().collect()),
            DataType::String => ValueBuffer::String(TextBuffer::from_array(array.as_string())),
            DataType::Json => ValueBuffer::Json(TextBuffer::from_array(array.as_string())),
            DataType::Bytes => ValueBuffer::Bytes(ByteBuffer::from_array(array.as_binary())),
        }
    }

    /// Returns how many values there are.
    pub fn len(&self) -> usize {
        match self {
            ValueBuffer::Int(values) => values.len(),
            ValueBuffer::Long(values) | ValueBuffer::Timestamp(values) => values.len(),
            ValueBuffer::Float(values) => values.len(),
            ValueBuffer::Double(values) => values.len(),
            ValueBuffer::BigDecimal(values) => values.len(),
            ValueBuffer::Boolean(values) => values.len(),
            ValueBuffer::String(values) | ValueBuffer::Json(values) => values.ends.count(),
            ValueBuffer::Bytes(values) => values.ends.count(),
        }
    }

    /// Returns whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the memory that the values take; what is reserved for more is not counted.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            ValueBuffer::Int(values) => size_of_val(&**values),
            ValueBuffer::Long(values) | ValueBuffer::Timestamp(values) => size_of_val(&**values),
            ValueBuffer::Float(values) => size_of_val(&**values),
            ValueBuffer::Double(values) => size_of_val(&**values),
            ValueBuffer::BigDecimal(values) => size_of_val(&**values),
            ValueBuffer::Boolean(values) => values.len(),
            ValueBuffer::String(values) | ValueBuffer::Json(values) => {
                values.text.len() + values.ends.memory_bytes()
            }
            ValueBuffer::Bytes(values) => values.bytes.len() + values.ends.memory_bytes(),
        }
    }

    /// Makes room for `count` values in all. Of text that is room for their ends only.
    pub(crate) fn reserve(&mut self, count: usize) {
        fn reserve<T>(values: &mut Vec<T>, count: usize) {
            values.reserve_exact(count.saturating_sub(values.len()));
        }
        match self {
            ValueBuffer::Int(values) => reserve(values, count),
            ValueBuffer::Long(values) | ValueBuffer::Timestamp(values) => reserve(values, count),
            ValueBuffer::Float(values) => reserve(values, count),
            ValueBuffer::Double(values) => reserve(values, count),
            ValueBuffer::BigDecimal(values) => reserve(values, count),
            ValueBuffer::Boolean(values) => reserve(values, count),
            ValueBuffer::String(values) | ValueBuffer::Json(values) => reserve(&mut values.ends.0, count + 1),
            ValueBuffer::Bytes(values) => reserve(&mut values.ends.0, count + 1),
        }
    }

    /// Cuts back to the first `len` values, and drops what was written of an unfinished one.
    pub fn truncate(&mut self, len: usize) {
        match self {
            ValueBuffer::Int(values) => values.truncate(len),
            ValueBuffer::Long(values) | ValueBuffer::Timestamp(values) => values.truncate(len),
            ValueBuffer::Float(values) => values.truncate(len),
            ValueBuffer::Double(values) => values.truncate(len),
            ValueBuffer::BigDecimal(values) => values.truncate(len),
            ValueBuffer::Boolean(values) => values.truncate(len),
            ValueBuffer::String(values) | ValueBuffer::Json(values) => {
                values.ends.truncate(len);
                values.text.truncate(values.ends.last());
            }
            ValueBuffer::Bytes(values) => {
                values.ends.truncate(len);
                values.bytes.truncate(values.ends.last());
            }
        }
    }

    /// Appends a value that stands where a null is.
    #[inline]
    pub fn push_filler(&mut self) {
        match self {
            ValueBuffer::Int(values) => values.push(0),
            ValueBuffer::Long(values) | ValueBuffer::Timestamp(values) => values.push(0),
            ValueBuffer::Float(values) => values.push(0.0),
            ValueBuffer::Double(values) => values.push(0.0),
            ValueBuffer::BigDecimal(values) => values.push(i256::ZERO),
            ValueBuffer::Boolean(values) => values.push(false),
            ValueBuffer::String(values) | ValueBuffer::Json(values) => values.ends.repeat_last(),
            ValueBuffer::Bytes(values) => values.ends.repeat_last(),
        }
    }

    /// Appends some values of a buffer of the same type.
    ///
    /// # Errors
    /// When text or bytes are together too much for one array.
    pub(crate) fn append(&mut self, from: &ValueBuffer, range: Range<usize>) -> Result<(), Full> {
        match (self, from) {
            (ValueBuffer::Int(values), ValueBuffer::Int(from)) => values.extend_from_slice(&from[range]),
            (ValueBuffer::Long(values), ValueBuffer::Long(from))
            | (ValueBuffer::Timestamp(values), ValueBuffer::Timestamp(from)) => {
                values.extend_from_slice(&from[range]);
            }
            (ValueBuffer::Float(values), ValueBuffer::Float(from)) => values.extend_from_slice(&from[range]),
            (ValueBuffer::Double(values), ValueBuffer::Double(from)) => {
                values.extend_from_slice(&from[range]);
            }
            (ValueBuffer::BigDecimal(values), ValueBuffer::BigDecimal(from)) => {
                values.extend_from_slice(&from[range]);
            }
            (ValueBuffer::Boolean(values), ValueBuffer::Boolean(from)) => {
                values.extend_from_slice(&from[range]);
            }
            (ValueBuffer::String(values), ValueBuffer::String(from))
            | (ValueBuffer::Json(values), ValueBuffer::Json(from)) => {
                values.ends.append(&from.ends, range.clone())?;
                values.text.push_str(&from.text[from.ends.bytes(range)]);
            }
            (ValueBuffer::Bytes(values), ValueBuffer::Bytes(from)) => {
                values.ends.append(&from.ends, range.clone())?;
                values.bytes.extend_from_slice(&from.bytes[from.ends.bytes(range)]);
            }
            (values, from) => unreachable!("{from:?} in a buffer like {values:?}"),
        }
        Ok(())
    }

    /// Appends `count` times the same value.
    ///
    /// # Errors
    /// When text or bytes are together too much for one array.
    pub(crate) fn append_repeated(&mut self, value: &Value, count: usize) -> Result<(), Full> {
        fn repeat<T: Clone>(values: &mut Vec<T>, value: &T, count: usize) {
            values.resize(values.len() + count, value.clone());
        }
        match (self, value) {
            (ValueBuffer::Int(values), Value::Int(value)) => repeat(values, value, count),
            (ValueBuffer::Long(values), Value::Long(value)) => repeat(values, value, count),
            (ValueBuffer::Timestamp(values), Value::Timestamp(value)) => repeat(values, value, count),
            (ValueBuffer::Float(values), Value::Float(value)) => repeat(values, value, count),
            (ValueBuffer::Double(values), Value::Double(value)) => repeat(values, value, count),
            (ValueBuffer::BigDecimal(values), Value::BigDecimal(value)) => repeat(values, value, count),
            (ValueBuffer::Boolean(values), Value::Boolean(value)) => repeat(values, value, count),
            (ValueBuffer::String(values) | ValueBuffer::Json(values), Value::String(value)) => {
                for _ in 0..count {
                    values.push(value)?;
                }
            }
            (ValueBuffer::Bytes(values), Value::Bytes(value)) => {
                for _ in 0..count {
                    values.push(value)?;
                }
            }
            (values, value) => unreachable!("{value:?} in a buffer like {values:?}"),
        }
        Ok(())
    }

    /// Returns a copy of some values as an array.
    pub(crate) fn to_array(&self, range: Range<usize>) -> ArrayRef {
        match self {
            ValueBuffer::Int(values) => primitive::<Int32Type>(values[range].to_vec()),
            ValueBuffer::Long(values) => primitive::<Int64Type>(values[range].to_vec()),
            ValueBuffer::Timestamp(values) => primitive::<TimestampMillisecondType>(values[range].to_vec()),
            ValueBuffer::Float(values) => primitive::<Float32Type>(values[range].to_vec()),
            ValueBuffer::Double(values) => primitive::<Float64Type>(values[range].to_vec()),
            ValueBuffer::BigDecimal(values) => decimals(values[range].to_vec()),
            ValueBuffer::Boolean(values) => booleans(&values[range]),
            ValueBuffer::String(values) | ValueBuffer::Json(values) => {
                let text = values.text[values.ends.bytes(range.clone())].to_owned();
                texts(text.into_bytes(), values.ends.slice(range))
            }
            ValueBuffer::Bytes(values) => {
                let bytes = values.bytes[values.ends.bytes(range.clone())].to_vec();
                byte_strings(bytes, values.ends.slice(range))
            }
        }
    }

    /// Takes all values as an array, without copying them where they had no more room than they need.
    pub(crate) fn take_array(&mut self) -> ArrayRef {
        fn taken<T>(values: &mut Vec<T>) -> Vec<T> {
            let mut taken = mem::take(values);
            taken.shrink_to_fit();
            taken
        }
        match self {
            ValueBuffer::Int(values) => primitive::<Int32Type>(taken(values)),
            ValueBuffer::Long(values) => primitive::<Int64Type>(taken(values)),
            ValueBuffer::Timestamp(values) => primitive::<TimestampMillisecondType>(taken(values)),
            ValueBuffer::Float(values) => primitive::<Float32Type>(taken(values)),
            ValueBuffer::Double(values) => primitive::<Float64Type>(taken(values)),
            ValueBuffer::BigDecimal(values) => decimals(taken(values)),
            ValueBuffer::Boolean(values) => {
                let array = booleans(values);
                values.clear();
                array
            }
            ValueBuffer::String(values) | ValueBuffer::Json(values) => {
                let mut text = mem::take(&mut values.text);
                text.shrink_to_fit();
                texts(text.into_bytes(), values.ends.take())
            }
            ValueBuffer::Bytes(values) => {
                let mut bytes = mem::take(&mut values.bytes);
                bytes.shrink_to_fit();
                byte_strings(bytes, values.ends.take())
            }
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(values: Vec<T::Native>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), None))
}

fn decimals(values: Vec<i256>) -> ArrayRef {
    let array = Decimal256Array::new(values.into(), None);
    let array = array.with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE);
    Arc::new(array.expect("the precision is what the type allows"))
}

fn booleans(values: &[bool]) -> ArrayRef {
    Arc::new(BooleanArray::new(BooleanBuffer::from(values), None))
}

fn texts(bytes: Vec<u8>, offsets: OffsetBuffer<i32>) -> ArrayRef {
    let array = StringArray::try_new(offsets, Buffer::from_vec(bytes), None);
    Arc::new(array.expect("each value is valid UTF-8"))
}

fn byte_strings(bytes: Vec<u8>, offsets: OffsetBuffer<i32>) -> ArrayRef {
    Arc::new(BinaryArray::new(offsets, Buffer::from_vec(bytes), None))
}

impl TextBuffer {
    fn from_array(array: &StringArray) -> TextBuffer {
        let mut values = TextBuffer::default();
        for value in array.iter().flatten() {
            values.push(value).expect("the texts are those of an array");
        }
        values
    }

    /// Returns where the unfinished value starts.
    pub fn last_end(&self) -> usize {
        self.ends.last()
    }

    /// Appends a value.
    ///
    /// # Errors
    /// When the values are together too much for one array.
    #[inline]
    pub fn push(&mut self, value: &str) -> Result<(), Full> {
        self.text.push_str(value);
        self.end_value()
    }

    /// Ends the value that was written to the text.
    ///
    /// # Errors
    /// When the values are together too much for one array.
    #[inline]
    pub fn end_value(&mut self) -> Result<(), Full> {
        self.ends.push(self.text.len())
    }

    /// Returns one value.
    pub fn value(&self, number: usize) -> &str {
        &self.text[self.ends.bytes(number..number + 1)]
    }

    /// Returns some values, in order.
    pub(crate) fn iter(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        self.ends.iter(range).map(|bytes| &self.text.as_bytes()[bytes])
    }
}

impl ByteBuffer {
    fn from_array(array: &BinaryArray) -> ByteBuffer {
        let mut values = ByteBuffer::default();
        for value in array.iter().flatten() {
            values.push(value).expect("the byte strings are those of an array");
        }
        values
    }

    /// Returns where the unfinished value starts.
    pub fn last_end(&self) -> usize {
        self.ends.last()
    }

    fn push(&mut self, value: &[u8]) -> Result<(), Full> {
        self.bytes.extend_from_slice(value);
        self.end_value()
    }

    /// Ends the value that was written to the bytes.
    ///
    /// # Errors
    /// When the values are together too much for one array.
    pub fn end_value(&mut self) -> Result<(), Full> {
        self.ends.push(self.bytes.len())
    }

    /// Returns some values, in order.
    pub(crate) fn iter(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        self.ends.iter(range).map(|bytes| &self.bytes[bytes])
    }
}

impl Default for Ends {
    fn default() -> Ends {
        Ends(vec![0])
    }
}

impl Ends {
    /// Returns how many values end.
    pub fn count(&self) -> usize {
        self.0.len() - 1
    }

    /// Returns where the last value ends.
    pub fn last(&self) -> usize {
        position(self.last_offset())
    }

    /// Appends the end of the next value.
    ///
    /// # Errors
    /// When it lies beyond what 32 bits can tell.
    #[inline]
    pub fn push(&mut self, end: usize) -> Result<(), Full> {
        self.0.push(i32::try_from(end).map_err(|_| Full)?);
        Ok(())
    }

    /// Appends the end of an empty value.
    #[inline]
    pub fn repeat_last(&mut self) {
        self.0.push(self.last_offset());
    }

    /// Cuts back to the first `count` values.
    pub fn truncate(&mut self, count: usize) {
        self.0.truncate(count + 1);
    }

    /// Returns what lies between the ends of some values.
    pub(crate) fn bytes(&self, range: Range<usize>) -> Range<usize> {
        position(self.0[range.start])..position(self.0[range.end])
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// Appends the ends of some values of another buffer.
    pub(crate) fn append(&mut self, from: &Ends, range: Range<usize>) -> Result<(), Full> {
        let added = from.bytes(range.clone());
        i32::try_from(self.last() + added.len()).map_err(|_| Full)?;
        let shift = self.last_offset() - from.0[range.start];
        self.0.extend(from.0[range.start + 1..=range.end].iter().map(|end| end + shift));
        Ok(())
    }

    /// Returns a copy of the borders of some values, counted from the first.
    pub(crate) fn slice(&self, range: Range<usize>) -> OffsetBuffer<i32> {
        let first = self.0[range.start];
        let borders: Vec<i32> = self.0[range.start..=range.end].iter().map(|end| end - first).collect();
        OffsetBuffer::new(borders.into())
    }

    pub(crate) fn take(&mut self) -> OffsetBuffer<i32> {
        let mut taken = mem::replace(&mut self.0, vec![0]);
        taken.shrink_to_fit();
        OffsetBuffer::new(taken.into())
    }

    fn iter(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        self.0[range.start..=range.end].windows(2).map(|borders| position(borders[0])..position(borders[1]))
    }

    fn last_offset(&self) -> i32 {
        *self.0.last().expect("there is always the first zero")
    }
}

#[expect(clippy::cast_sign_loss, reason = "ends are not negative")]
fn position(end: i32) -> usize {
    end as usize
}
