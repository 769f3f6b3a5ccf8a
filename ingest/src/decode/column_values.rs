//! The values of one column in plain growing vectors, without nulls. They can be cut back, which Arrow's own builders for text
//! cannot, so that a row that fails in a late column leaves nothing in the earlier ones.
//!
//! Taking the values copies them: arrays get exactly the memory they need, and the vectors keep theirs, warm, for the next
//! batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMillisecondType, i256,
};
use meunier_segment::schema::DataType;
use meunier_segment::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE};

/// Values of one of Pinot's types.
pub(super) enum ColumnValues {
    Int(Vec<i32>),
    Long(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    BigDecimal(Vec<i256>),
    Boolean(Vec<bool>),
    Timestamp(Vec<i64>),
    String(TextValues),
    Json(TextValues),
    Bytes(ByteValues),
}

/// Strings, end to end.
pub(super) struct TextValues {
    /// What was written after the last end belongs to a value that is not finished.
    pub(super) text: String,
    ends: Ends,
}

/// Byte strings, end to end.
pub(super) struct ByteValues {
    pub(super) bytes: Vec<u8>,
    ends: Ends,
}

/// A zero, then where each value ends.
pub(super) struct Ends(Vec<i32>);

/// The values are more than Arrow's 32-bit offsets can reach.
#[derive(Debug)]
pub(super) struct Full;

impl ColumnValues {
    pub(super) fn new(data_type: DataType) -> ColumnValues {
        let text = || TextValues { text: String::new(), ends: Ends::new() };
        match data_type {
            DataType::Int => ColumnValues::Int(Vec::new()),
            DataType::Long => ColumnValues::Long(Vec::new()),
            DataType::Float => ColumnValues::Float(Vec::new()),
            DataType::Double => ColumnValues::Double(Vec::new()),
            DataType::BigDecimal => ColumnValues::BigDecimal(Vec::new()),
            DataType::Boolean => ColumnValues::Boolean(Vec::new()),
            DataType::Timestamp => ColumnValues::Timestamp(Vec::new()),
            DataType::String => ColumnValues::String(text()),
            DataType::Json => ColumnValues::Json(text()),
            DataType::Bytes => ColumnValues::Bytes(ByteValues { bytes: Vec::new(), ends: Ends::new() }),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            ColumnValues::Int(values) => values.len(),
            ColumnValues::Long(values) | ColumnValues::Timestamp(values) => values.len(),
            ColumnValues::Float(values) => values.len(),
            ColumnValues::Double(values) => values.len(),
            ColumnValues::BigDecimal(values) => values.len(),
            ColumnValues::Boolean(values) => values.len(),
            ColumnValues::String(values) | ColumnValues::Json(values) => values.ends.count(),
            ColumnValues::Bytes(values) => values.ends.count(),
        }
    }

    /// Cuts back to the first `len` values, and drops what was written of an unfinished one.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            ColumnValues::Int(values) => values.truncate(len),
            ColumnValues::Long(values) | ColumnValues::Timestamp(values) => values.truncate(len),
            ColumnValues::Float(values) => values.truncate(len),
            ColumnValues::Double(values) => values.truncate(len),
            ColumnValues::BigDecimal(values) => values.truncate(len),
            ColumnValues::Boolean(values) => values.truncate(len),
            ColumnValues::String(values) | ColumnValues::Json(values) => {
                values.ends.truncate(len);
                values.text.truncate(values.ends.last());
            }
            ColumnValues::Bytes(values) => {
                values.ends.truncate(len);
                values.bytes.truncate(values.ends.last());
            }
        }
    }

    /// Appends a value that stands where a null is.
    #[inline]
    pub(super) fn push_filler(&mut self) {
        match self {
            ColumnValues::Int(values) => values.push(0),
            ColumnValues::Long(values) | ColumnValues::Timestamp(values) => values.push(0),
            ColumnValues::Float(values) => values.push(0.0),
            ColumnValues::Double(values) => values.push(0.0),
            ColumnValues::BigDecimal(values) => values.push(i256::ZERO),
            ColumnValues::Boolean(values) => values.push(false),
            ColumnValues::String(values) | ColumnValues::Json(values) => values.ends.repeat_last(),
            ColumnValues::Bytes(values) => values.ends.repeat_last(),
        }
    }

    /// Returns the values as an array and starts afresh.
    pub(super) fn take(&mut self, nulls: Option<NullBuffer>) -> ArrayRef {
        match self {
            ColumnValues::Int(values) => Arc::new(take_primitive::<Int32Type>(values, nulls)),
            ColumnValues::Long(values) => Arc::new(take_primitive::<Int64Type>(values, nulls)),
            ColumnValues::Float(values) => Arc::new(take_primitive::<Float32Type>(values, nulls)),
            ColumnValues::Double(values) => Arc::new(take_primitive::<Float64Type>(values, nulls)),
            ColumnValues::Timestamp(values) => {
                Arc::new(take_primitive::<TimestampMillisecondType>(values, nulls))
            }
            ColumnValues::BigDecimal(values) => Arc::new(
                take_primitive::<Decimal256Type>(values, nulls)
                    .with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)
                    .expect("the precision is what the type allows"),
            ),
            ColumnValues::Boolean(values) => {
                let bits = BooleanBuffer::from(values.as_slice());
                values.clear();
                Arc::new(BooleanArray::new(bits, nulls))
            }
            ColumnValues::String(values) | ColumnValues::Json(values) => Arc::new(values.take(nulls)),
            ColumnValues::Bytes(values) => Arc::new(values.take(nulls)),
        }
    }
}

fn take_primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> PrimitiveArray<T> {
    let taken = ScalarBuffer::from(values.to_vec());
    values.clear();
    PrimitiveArray::new(taken, nulls)
}

impl TextValues {
    /// Where the unfinished value starts.
    pub(super) fn last_end(&self) -> usize {
        self.ends.last()
    }

    #[inline]
    pub(super) fn push(&mut self, value: &str) -> Result<(), Full> {
        self.text.push_str(value);
        self.end_value()
    }

    #[inline]
    pub(super) fn end_value(&mut self) -> Result<(), Full> {
        self.ends.push(self.text.len())
    }

    fn take(&mut self, nulls: Option<NullBuffer>) -> StringArray {
        let bytes = Buffer::from(self.text.as_bytes());
        self.text.clear();
        StringArray::try_new(self.ends.take(), bytes, nulls).expect("each value is valid UTF-8")
    }
}

impl ByteValues {
    /// Where the unfinished value starts.
    pub(super) fn last_end(&self) -> usize {
        self.ends.last()
    }

    pub(super) fn end_value(&mut self) -> Result<(), Full> {
        self.ends.push(self.bytes.len())
    }

    fn take(&mut self, nulls: Option<NullBuffer>) -> BinaryArray {
        let bytes = Buffer::from(self.bytes.as_slice());
        self.bytes.clear();
        BinaryArray::try_new(self.ends.take(), bytes, nulls).expect("each value ends within the bytes")
    }
}

impl Ends {
    pub(super) fn new() -> Ends {
        Ends(vec![0])
    }

    pub(super) fn count(&self) -> usize {
        self.0.len() - 1
    }

    pub(super) fn last(&self) -> usize {
        usize::try_from(self.last_offset()).expect("ends are not negative")
    }

    #[inline]
    pub(super) fn push(&mut self, end: usize) -> Result<(), Full> {
        self.0.push(i32::try_from(end).map_err(|_| Full)?);
        Ok(())
    }

    #[inline]
    pub(super) fn repeat_last(&mut self) {
        self.0.push(self.last_offset());
    }

    pub(super) fn truncate(&mut self, count: usize) {
        self.0.truncate(count + 1);
    }

    pub(super) fn take(&mut self) -> OffsetBuffer<i32> {
        let taken = ScalarBuffer::from(self.0.to_vec());
        self.0.truncate(1);
        OffsetBuffer::new(taken)
    }

    fn last_offset(&self) -> i32 {
        *self.0.last().expect("there is always the first zero")
    }
}
