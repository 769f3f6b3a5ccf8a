//! One value of one column, away from Arrow: default null values, minima and maxima, literals.
//!
//! Hot paths never touch this type; they work on Arrow arrays. `Value` is for metadata, where a handful of values a
//! column are kept, compared and written as JSON.

mod big_decimal;
mod double;
mod hex;
mod timestamp;

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal256Array, Float32Array, Float64Array,
    Int32Array, Int64Array, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{
    DataType as ArrowType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMillisecondType, i256,
};

use crate::schema::DataType;

pub use big_decimal::{format_big_decimal, parse_big_decimal};
pub use double::format_double;
pub use hex::{format_hex, parse_hex};
pub use timestamp::{format_timestamp, parse_timestamp};

/// Digits after the point of a stored BIG_DECIMAL. With [`BIG_DECIMAL_PRECISION`] it leaves 38 before it.
pub const BIG_DECIMAL_SCALE: i8 = 38;
/// All digits of a stored BIG_DECIMAL: the most that Arrow's 256-bit decimal holds.
pub const BIG_DECIMAL_PRECISION: u8 = 76;

/// A value of one of Pinot's stored types.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// INT.
    Int(i32),
    /// LONG.
    Long(i64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// BIG_DECIMAL, unscaled, with [`BIG_DECIMAL_SCALE`] digits after the point.
    BigDecimal(i256),
    /// BOOLEAN.
    Boolean(bool),
    /// TIMESTAMP, milliseconds since the epoch.
    Timestamp(i64),
    /// STRING and JSON.
    String(Arc<str>),
    /// BYTES.
    Bytes(Arc<[u8]>),
}

impl Value {
    /// Reads a value of a column's type from text, as Pinot spells it; `None` when the text is no such value. STRING and
    /// JSON take any text, and -0.0 is read as 0.0.
    pub fn parse(text: &str, data_type: DataType) -> Option<Value> {
        let trimmed = text.trim();
        match data_type {
            DataType::Int => trimmed.parse().ok().map(Value::Int),
            DataType::Long => trimmed.parse().ok().map(Value::Long),
            DataType::Float => trimmed.parse().ok().map(|value: f32| Value::Float(value + 0.0)),
            DataType::Double => trimmed.parse().ok().map(|value: f64| Value::Double(value + 0.0)),
            DataType::BigDecimal => parse_big_decimal(trimmed).map(Value::BigDecimal),
            DataType::Boolean => parse_boolean(trimmed).map(Value::Boolean),
            DataType::Timestamp => parse_timestamp(trimmed).map(Value::Timestamp),
            DataType::String | DataType::Json => Some(Value::String(text.into())),
            DataType::Bytes => parse_hex(trimmed).map(|bytes| Value::Bytes(bytes.into())),
        }
    }

    /// Returns the value as Pinot's answers write it: numbers as numbers, but BIG_DECIMAL and floats without a number
    /// (`NaN`, `Infinity`) as text; TIMESTAMP as date and time in UTC; BYTES in hex.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Int(value) => (*value).into(),
            Value::Long(value) => (*value).into(),
            Value::Float(value) => json_float(*value, f64::from(*value)),
            Value::Double(value) => json_float(*value, *value),
            Value::BigDecimal(value) => format_big_decimal(*value).into(),
            Value::Boolean(value) => (*value).into(),
            Value::Timestamp(value) => format_timestamp(*value).into(),
            Value::String(value) => (**value).into(),
            Value::Bytes(value) => format_hex(value).into(),
        }
    }

    /// Returns the value as a stored array of one element.
    pub fn to_array(&self) -> ArrayRef {
        match self {
            Value::Int(value) => Arc::new(Int32Array::from(vec![*value])),
            Value::Long(value) => Arc::new(Int64Array::from(vec![*value])),
            Value::Float(value) => Arc::new(Float32Array::from(vec![*value])),
            Value::Double(value) => Arc::new(Float64Array::from(vec![*value])),
            Value::BigDecimal(value) => Arc::new(
                Decimal256Array::from(vec![*value])
                    .with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)
                    .expect("precision and scale are constants that fit"),
            ),
            Value::Boolean(value) => Arc::new(BooleanArray::from(vec![*value])),
            Value::Timestamp(value) => Arc::new(TimestampMillisecondArray::from(vec![*value])),
            Value::String(value) => Arc::new(StringArray::from(vec![&**value])),
            Value::Bytes(value) => Arc::new(BinaryArray::from(vec![&**value])),
        }
    }

    /// Returns the value in one row of a stored array without nulls; `None` for a type that no column has.
    pub fn at(values: &ArrayRef, row: usize) -> Option<Value> {
        match values.data_type() {
            ArrowType::Int32 => Some(Value::Int(values.as_primitive::<Int32Type>().value(row))),
            ArrowType::Int64 => Some(Value::Long(values.as_primitive::<Int64Type>().value(row))),
            ArrowType::Timestamp(..) => {
                Some(Value::Timestamp(values.as_primitive::<TimestampMillisecondType>().value(row)))
            }
            ArrowType::Float32 => Some(Value::Float(values.as_primitive::<Float32Type>().value(row))),
            ArrowType::Float64 => Some(Value::Double(values.as_primitive::<Float64Type>().value(row))),
            ArrowType::Decimal256(..) => {
                Some(Value::BigDecimal(values.as_primitive::<Decimal256Type>().value(row)))
            }
            ArrowType::Boolean => Some(Value::Boolean(values.as_boolean().value(row))),
            ArrowType::Utf8 => Some(Value::String(values.as_string::<i32>().value(row).into())),
            ArrowType::Binary => Some(Value::Bytes(values.as_binary::<i32>().value(row).into())),
            _ => None,
        }
    }

    /// Compares two values of one type; `None` when the types differ. Floats compare by IEEE total order, so that a
    /// minimum and a maximum exist for every set of values.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Long(a), Value::Long(b)) | (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
            (Value::Float(a), Value::Float(b)) => Some(a.total_cmp(b)),
            (Value::Double(a), Value::Double(b)) => Some(a.total_cmp(b)),
            (Value::BigDecimal(a), Value::BigDecimal(b)) => Some(a.cmp(b)),
            (Value::Boolean(a), Value::Boolean(b)) => Some(a.cmp(b)),
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Writes the digits that the float's own type prints: 0.1 stays 0.1, also for a 32-bit float.
fn json_float(shortest: impl std::fmt::Display, value: f64) -> serde_json::Value {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    shortest.to_string().parse::<f64>().map_or(serde_json::Value::Null, serde_json::Value::from)
}

#[cfg(test)]
mod tests;
