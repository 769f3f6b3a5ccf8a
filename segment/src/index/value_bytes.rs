//! Values as bytes: what indexes hash and keep.
//!
//! ```text
//! INT 4, LONG and TIMESTAMP 8, FLOAT 4, DOUBLE 8, BIG_DECIMAL 32 bytes, little-endian, floats as their IEEE 754 bits;
//! STRING and JSON in UTF-8; BYTES as they are
//! ```

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Decimal256Type, Float32Type, Float64Type, Int32Type,
    Int64Type, TimeUnit, TimestampMillisecondType, i256,
};
use serde::{Deserialize, Serialize};

use crate::value::Value;

/// The stored types that these indexes take: all but BOOLEAN. JSON is stored as STRING.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredType {
    Int,
    Long,
    Float,
    Double,
    BigDecimal,
    Timestamp,
    String,
    Bytes,
}

impl StoredType {
    pub(super) fn of(arrow: &ArrowType) -> Option<StoredType> {
        match arrow {
            ArrowType::Int32 => Some(StoredType::Int),
            ArrowType::Int64 => Some(StoredType::Long),
            ArrowType::Float32 => Some(StoredType::Float),
            ArrowType::Float64 => Some(StoredType::Double),
            ArrowType::Decimal256(..) => Some(StoredType::BigDecimal),
            ArrowType::Timestamp(TimeUnit::Millisecond, _) => Some(StoredType::Timestamp),
            ArrowType::Utf8 => Some(StoredType::String),
            ArrowType::Binary => Some(StoredType::Bytes),
            _ => None,
        }
    }

    /// Returns how many bytes each value takes; `None` when that differs.
    pub(super) fn fixed_len(self) -> Option<usize> {
        match self {
            StoredType::Int | StoredType::Float => Some(4),
            StoredType::Long | StoredType::Double | StoredType::Timestamp => Some(8),
            StoredType::BigDecimal => Some(32),
            StoredType::String | StoredType::Bytes => None,
        }
    }

    /// Compares a value's bytes with a value as the column does; `None` when the types differ or these are no bytes of
    /// the type.
    pub(super) fn compare(self, bytes: &[u8], value: &Value) -> Option<Ordering> {
        match (self, value) {
            (StoredType::String, Value::String(text)) => Some(bytes.cmp(text.as_bytes())),
            (StoredType::Bytes, Value::Bytes(other)) => Some(bytes.cmp(other)),
            _ => self.decode_fixed(bytes)?.compare(value),
        }
    }

    /// Compares the bytes of two values as the column does; `None` when these are no bytes of the type.
    pub(super) fn compare_bytes(self, a: &[u8], b: &[u8]) -> Option<Ordering> {
        match self.fixed_len() {
            None => Some(a.cmp(b)),
            Some(_) => self.decode_fixed(a)?.compare(&self.decode_fixed(b)?),
        }
    }

    fn decode_fixed(self, bytes: &[u8]) -> Option<Value> {
        match self {
            StoredType::Int => bytes.try_into().ok().map(i32::from_le_bytes).map(Value::Int),
            StoredType::Long => bytes.try_into().ok().map(i64::from_le_bytes).map(Value::Long),
            StoredType::Timestamp => bytes.try_into().ok().map(i64::from_le_bytes).map(Value::Timestamp),
            StoredType::Float => bytes.try_into().ok().map(f32::from_le_bytes).map(Value::Float),
            StoredType::Double => bytes.try_into().ok().map(f64::from_le_bytes).map(Value::Double),
            StoredType::BigDecimal => bytes.try_into().ok().map(i256::from_le_bytes).map(Value::BigDecimal),
            StoredType::String | StoredType::Bytes => None,
        }
    }
}

/// Calls `take` with the bytes of a value; `None` for a BOOLEAN.
pub(super) fn with_bytes<R>(value: &Value, take: impl FnOnce(StoredType, &[u8]) -> R) -> Option<R> {
    Some(match value {
        Value::Int(value) => take(StoredType::Int, &value.to_le_bytes()),
        Value::Long(value) => take(StoredType::Long, &value.to_le_bytes()),
        Value::Timestamp(value) => take(StoredType::Timestamp, &value.to_le_bytes()),
        Value::Float(value) => take(StoredType::Float, &value.to_le_bytes()),
        Value::Double(value) => take(StoredType::Double, &value.to_le_bytes()),
        Value::BigDecimal(value) => take(StoredType::BigDecimal, &value.to_le_bytes()),
        Value::String(value) => take(StoredType::String, value.as_bytes()),
        Value::Bytes(value) => take(StoredType::Bytes, value),
        Value::Boolean(_) => return None,
    })
}

/// Calls `take` with the bytes of each value of a stored array, in order. Does nothing for other arrays.
pub(super) fn for_each(array: &ArrayRef, mut take: impl FnMut(&[u8])) {
    match StoredType::of(array.data_type()) {
        Some(StoredType::Int) => fixed::<Int32Type, 4>(array, i32::to_le_bytes, take),
        Some(StoredType::Long) => fixed::<Int64Type, 8>(array, i64::to_le_bytes, take),
        Some(StoredType::Timestamp) => fixed::<TimestampMillisecondType, 8>(array, i64::to_le_bytes, take),
        Some(StoredType::Float) => fixed::<Float32Type, 4>(array, f32::to_le_bytes, take),
        Some(StoredType::Double) => fixed::<Float64Type, 8>(array, f64::to_le_bytes, take),
        Some(StoredType::BigDecimal) => fixed::<Decimal256Type, 32>(array, i256::to_le_bytes, take),
        Some(StoredType::String) => {
            array.as_string::<i32>().iter().flatten().for_each(|v| take(v.as_bytes()))
        }
        Some(StoredType::Bytes) => array.as_binary::<i32>().iter().flatten().for_each(take),
        None => {}
    }
}

fn fixed<T: ArrowPrimitiveType, const N: usize>(
    array: &ArrayRef,
    to_bytes: impl Fn(T::Native) -> [u8; N],
    mut take: impl FnMut(&[u8]),
) {
    array.as_primitive::<T>().values().iter().for_each(|value| take(&to_bytes(*value)));
}
