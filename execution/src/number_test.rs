//! Tests of plain values against intervals.
//!
//! Numbers, times and booleans are turned into whole numbers that order as they do, so that one loop serves all of them.

use std::ops::Bound;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use meunier_segment::value::Value;

use crate::predicate::Interval;

/// Returns for each value 1 when it lies in one of the intervals, and 0 otherwise.
pub(crate) fn holds_in_array(intervals: &[Interval], values: &ArrayRef) -> Vec<u8> {
    let mut mask = vec![1; values.len()];
    narrow_mask(&mut mask, intervals, values, 0);
    mask
}

/// Clears `mask` where the value lies in no interval. The mask's first entry is the value at `start`.
pub(crate) fn narrow_mask(mask: &mut [u8], intervals: &[Interval], values: &ArrayRef, start: usize) {
    let end = start + mask.len();
    let keys = key_bounds(intervals);
    match values.data_type() {
        DataType::Int32 => {
            let values = &values.as_primitive::<Int32Type>().values()[start..end];
            narrow_by(mask, values, &keys, |value| i64::from(*value));
        }
        DataType::Int64 => {
            let values = &values.as_primitive::<Int64Type>().values()[start..end];
            narrow_by(mask, values, &keys, |value| *value);
        }
        DataType::Timestamp(..) => {
            let values = &values.as_primitive::<TimestampMillisecondType>().values()[start..end];
            narrow_by(mask, values, &keys, |value| *value);
        }
        DataType::Float32 => {
            let values = &values.as_primitive::<Float32Type>().values()[start..end];
            narrow_by(mask, values, &keys, |value| float_key(*value));
        }
        DataType::Float64 => {
            let values = &values.as_primitive::<Float64Type>().values()[start..end];
            narrow_by(mask, values, &keys, |value| double_key(*value));
        }
        _ => {
            for (row, holds) in mask.iter_mut().enumerate() {
                *holds &= u8::from(*holds != 0 && holds_at(intervals, values, start + row));
            }
        }
    }
}

/// Keeps the rows whose value lies in one of the intervals.
pub(crate) fn narrow_list(rows: &mut Vec<u32>, intervals: &[Interval], values: &ArrayRef) {
    let keys = key_bounds(intervals);
    let within = |key: i64| keys.iter().any(|(low, high)| *low <= key && key <= *high);
    match values.data_type() {
        DataType::Int32 => {
            let values = values.as_primitive::<Int32Type>().values();
            rows.retain(|&row| within(i64::from(values[row as usize])));
        }
        DataType::Int64 => {
            let values = values.as_primitive::<Int64Type>().values();
            rows.retain(|&row| within(values[row as usize]));
        }
        DataType::Timestamp(..) => {
            let values = values.as_primitive::<TimestampMillisecondType>().values();
            rows.retain(|&row| within(values[row as usize]));
        }
        DataType::Float32 => {
            let values = values.as_primitive::<Float32Type>().values();
            rows.retain(|&row| within(float_key(values[row as usize])));
        }
        DataType::Float64 => {
            let values = values.as_primitive::<Float64Type>().values();
            rows.retain(|&row| within(double_key(values[row as usize])));
        }
        _ => rows.retain(|&row| holds_at(intervals, values, row as usize)),
    }
}

fn narrow_by<T>(mask: &mut [u8], values: &[T], keys: &[(i64, i64)], key: impl Fn(&T) -> i64) {
    match keys {
        [] => mask.fill(0),
        [(low, high)] => {
            let span = high.wrapping_sub(*low).cast_unsigned();
            for (holds, value) in mask.iter_mut().zip(values) {
                // One subtraction and one comparison for both bounds.
                let above = key(value).wrapping_sub(*low).cast_unsigned();
                *holds &= u8::from(above <= span);
            }
        }
        keys => {
            for (holds, value) in mask.iter_mut().zip(values) {
                let key = key(value);
                *holds &= keys
                    .iter()
                    .fold(0, |any, (low, high)| any | (u8::from(*low <= key) & u8::from(key <= *high)));
            }
        }
    }
}

/// Texts, bytes, booleans and decimals.
fn holds_at(intervals: &[Interval], values: &ArrayRef, row: usize) -> bool {
    let within = |value: &[u8]| intervals.iter().any(|interval| bytes_within(interval, value));
    match values.data_type() {
        DataType::Utf8 => within(values.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => within(values.as_binary::<i32>().value(row)),
        DataType::Boolean => {
            let value = Value::Boolean(values.as_boolean().value(row));
            intervals.iter().any(|interval| interval.contains(&value))
        }
        DataType::Decimal256(..) => {
            let value = Value::BigDecimal(values.as_primitive::<Decimal256Type>().value(row));
            intervals.iter().any(|interval| interval.contains(&value))
        }
        other => unreachable!("no column is stored as {other}"),
    }
}

fn bytes_within(interval: &Interval, value: &[u8]) -> bool {
    fn bytes(value: &Value) -> &[u8] {
        match value {
            Value::String(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
            other => unreachable!("{other:?} is compared with bytes"),
        }
    }
    let above = match &interval.low {
        Bound::Unbounded => true,
        Bound::Included(low) => value >= bytes(low),
        Bound::Excluded(low) => value > bytes(low),
    };
    above
        && match &interval.high {
            Bound::Unbounded => true,
            Bound::Included(high) => value <= bytes(high),
            Bound::Excluded(high) => value < bytes(high),
        }
}

/// Returns the smallest and largest key of each interval that has one; empty for types without keys.
fn key_bounds(intervals: &[Interval]) -> Vec<(i64, i64)> {
    let bounds = intervals.iter().filter_map(|interval| {
        let low = match &interval.low {
            Bound::Unbounded => i64::MIN,
            Bound::Included(low) => key_of(low)?,
            Bound::Excluded(low) => key_of(low)?.checked_add(1)?,
        };
        let high = match &interval.high {
            Bound::Unbounded => i64::MAX,
            Bound::Included(high) => key_of(high)?,
            Bound::Excluded(high) => key_of(high)?.checked_sub(1)?,
        };
        (low <= high).then_some((low, high))
    });
    bounds.collect()
}

fn key_of(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) | Value::Timestamp(value) => Some(*value),
        Value::Float(value) => Some(float_key(*value)),
        Value::Double(value) => Some(double_key(*value)),
        Value::Boolean(_) | Value::BigDecimal(_) | Value::String(_) | Value::Bytes(_) => None,
    }
}

/// Returns a whole number that orders as `f64::total_cmp` does.
pub(crate) fn double_key(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn float_key(value: f32) -> i64 {
    let bits = value.to_bits().cast_signed();
    i64::from(bits ^ ((bits >> 31).cast_unsigned() >> 1).cast_signed())
}
