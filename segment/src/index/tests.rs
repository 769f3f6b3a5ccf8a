//! Every index against a plain list of values, fresh and opened from its parts, and against damaged parts.

mod ids;
mod values;
mod bloom;
mod json;
mod text;
mod damage;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Decimal256Array, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::i256;
use proptest::prelude::*;

use crate::schema::DataType;
use crate::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE, Value};

/// All types but BOOLEAN.
const TYPES: [DataType; 8] = [
    DataType::Int,
    DataType::Long,
    DataType::Float,
    DataType::Double,
    DataType::BigDecimal,
    DataType::Timestamp,
    DataType::String,
    DataType::Bytes,
];

/// A column of one type, with some values often and some once.
fn any_column(rows_max: usize) -> impl Strategy<Value = (DataType, Vec<Value>)> {
    let data_type = prop::sample::select(&TYPES[..]);
    let numbers = prop::collection::vec(prop_oneof![-20_i64..20, any::<i64>()], 0..rows_max);
    (data_type, numbers).prop_map(|(data_type, numbers)| {
        (data_type, numbers.into_iter().map(|number| value_of(data_type, number)).collect())
    })
}

/// A value of the type; equal numbers give equal values.
#[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
fn value_of(data_type: DataType, number: i64) -> Value {
    match data_type {
        DataType::Int => Value::Int(number as i32),
        DataType::Long => Value::Long(number),
        DataType::Timestamp => Value::Timestamp(number),
        DataType::Float => Value::Float(match number {
            -2 => -0.0,
            -20..20 => number as f32,
            _ => f32::from_bits(number as u32),
        }),
        DataType::Double => Value::Double(match number {
            -2 => -0.0,
            -20..20 => number as f64,
            _ => f64::from_bits(number.cast_unsigned()),
        }),
        DataType::BigDecimal => {
            Value::BigDecimal(i256::from_parts(u128::from(number.unsigned_abs()), number.into()))
        }
        DataType::Bytes => Value::Bytes(number.to_be_bytes()[(number & 7).unsigned_abs() as usize..].into()),
        DataType::String | DataType::Json | DataType::Boolean => {
            Value::String(format!("{:ä>1$}{number}", "", (number & 7).unsigned_abs() as usize).into())
        }
    }
}

/// Returns the values as the stored array of a column.
fn array_of(data_type: DataType, values: &[Value]) -> ArrayRef {
    macro_rules! array {
        ($array:ty, $variant:ident) => {
            values
                .iter()
                .filter_map(|value| match value {
                    Value::$variant(value) => Some(value.clone()),
                    _ => None,
                })
                .collect::<$array>()
        };
    }
    match data_type {
        DataType::Int => Arc::new(Int32Array::from(array!(Vec<_>, Int))),
        DataType::Long => Arc::new(Int64Array::from(array!(Vec<_>, Long))),
        DataType::Timestamp => Arc::new(TimestampMillisecondArray::from(array!(Vec<_>, Timestamp))),
        DataType::Float => Arc::new(Float32Array::from(array!(Vec<_>, Float))),
        DataType::Double => Arc::new(Float64Array::from(array!(Vec<_>, Double))),
        DataType::BigDecimal => Arc::new(
            Decimal256Array::from(array!(Vec<_>, BigDecimal))
                .with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)
                .unwrap(),
        ),
        DataType::Bytes => {
            let values = array!(Vec<_>, Bytes);
            Arc::new(BinaryArray::from_iter_values(values.iter().map(|value| &**value)))
        }
        DataType::String | DataType::Json | DataType::Boolean => {
            let values = array!(Vec<_>, String);
            Arc::new(StringArray::from_iter_values(values.iter().map(|value| &**value)))
        }
    }
}
