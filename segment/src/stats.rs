//! What is known of a column without reading it: the base of pruning and of answers from metadata.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{max, max_boolean, min, min_boolean};
use arrow::datatypes::{
    DataType as ArrowType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMillisecondType,
};

use crate::schema::DataType;
use crate::value::Value;

/// Bounds and counts of one column over some rows. A bound that is not known is `None` and keeps the segment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnStats {
    /// No value is smaller. Counts default null values too, since they stand in the rows.
    pub min: Option<Value>,
    /// No value is larger.
    pub max: Option<Value>,
    /// Rows that are null.
    pub null_count: u64,
    /// Distinct values, where they were counted.
    pub distinct_count: Option<u64>,
    /// Whether [`ColumnStats::min`] and [`ColumnStats::max`] were gathered at all.
    pub bounds_known: bool,
}

impl ColumnStats {
    /// Returns the statistics of these values, nulls not counted. Bounds are kept for numbers, times, booleans and
    /// decimals; a NaN leaves them unknown.
    pub(crate) fn of_array(values: &ArrayRef) -> ColumnStats {
        let unknown = ColumnStats::default();
        let bounds = match values.data_type() {
            ArrowType::Int32 => {
                let array = values.as_primitive::<Int32Type>();
                min(array).zip(max(array)).map(|(low, high)| (Value::Int(low), Value::Int(high)))
            }
            ArrowType::Int64 => {
                let array = values.as_primitive::<Int64Type>();
                min(array).zip(max(array)).map(|(low, high)| (Value::Long(low), Value::Long(high)))
            }
            ArrowType::Timestamp(..) => {
                let array = values.as_primitive::<TimestampMillisecondType>();
                min(array).zip(max(array)).map(|(low, high)| (Value::Timestamp(low), Value::Timestamp(high)))
            }
            ArrowType::Float32 => {
                let array = values.as_primitive::<Float32Type>();
                if array.values().iter().any(|value| value.is_nan()) {
                    return unknown;
                }
                min(array).zip(max(array)).map(|(low, high)| (Value::Float(low), Value::Float(high)))
            }
            ArrowType::Float64 => {
                let array = values.as_primitive::<Float64Type>();
                if array.values().iter().any(|value| value.is_nan()) {
                    return unknown;
                }
                min(array).zip(max(array)).map(|(low, high)| (Value::Double(low), Value::Double(high)))
            }
            ArrowType::Decimal256(..) => {
                let array = values.as_primitive::<Decimal256Type>();
                min(array)
                    .zip(max(array))
                    .map(|(low, high)| (Value::BigDecimal(low), Value::BigDecimal(high)))
            }
            ArrowType::Boolean => {
                let array = values.as_boolean();
                min_boolean(array)
                    .zip(max_boolean(array))
                    .map(|(l, h)| (Value::Boolean(l), Value::Boolean(h)))
            }
            ArrowType::Utf8 if !values.is_empty() => {
                let array = values.as_string::<i32>();
                let low = array.iter().flatten().min();
                let high = array.iter().flatten().max();
                low.zip(high).map(|(low, high)| (Value::String(low.into()), Value::String(high.into())))
            }
            ArrowType::Binary if !values.is_empty() => {
                let array = values.as_binary::<i32>();
                let low = array.iter().flatten().min();
                let high = array.iter().flatten().max();
                low.zip(high).map(|(low, high)| (Value::Bytes(low.into()), Value::Bytes(high.into())))
            }
            _ => return unknown,
        };
        let (min, max) = bounds.unzip();
        ColumnStats { min, max, bounds_known: true, ..unknown }
    }

    /// Widens the statistics by those of further rows.
    pub(crate) fn merge(&mut self, rows_before: usize, other: &ColumnStats) {
        self.null_count += other.null_count;
        self.distinct_count = None;
        if rows_before == 0 {
            let nulls = self.null_count;
            *self = ColumnStats { null_count: nulls, ..other.clone() };
            return;
        }
        self.bounds_known &= other.bounds_known;
        if !self.bounds_known {
            self.min = None;
            self.max = None;
            return;
        }
        self.min = pick(self.min.take(), &other.min, Ordering::Greater);
        self.max = pick(self.max.take(), &other.max, Ordering::Less);
    }
}

/// Returns bounds of a number or a time as bits, whole numbers extended to 64.
pub(crate) fn bits_of_bounds(stats: &ColumnStats) -> Option<(u64, u64)> {
    let bits = |value: &Value| match value {
        Value::Int(value) => Some(i64::from(*value).cast_unsigned()),
        Value::Long(value) | Value::Timestamp(value) => Some(value.cast_unsigned()),
        Value::Float(value) => Some(u64::from(value.to_bits())),
        Value::Double(value) => Some(value.to_bits()),
        Value::BigDecimal(_) | Value::Boolean(_) | Value::String(_) | Value::Bytes(_) => None,
    };
    Some((bits(stats.min.as_ref()?)?, bits(stats.max.as_ref()?)?))
}

/// Returns the value of these bits; none for other types than numbers and times.
#[expect(clippy::cast_possible_truncation, reason = "the high bits repeat the sign, or are zero")]
pub(crate) fn value_of_bits(bits: u64, data_type: DataType) -> Option<Value> {
    match data_type {
        DataType::Int => Some(Value::Int(bits.cast_signed() as i32)),
        DataType::Long => Some(Value::Long(bits.cast_signed())),
        DataType::Timestamp => Some(Value::Timestamp(bits.cast_signed())),
        DataType::Float => Some(Value::Float(f32::from_bits(bits as u32))),
        DataType::Double => Some(Value::Double(f64::from_bits(bits))),
        DataType::BigDecimal | DataType::Boolean | DataType::String | DataType::Json | DataType::Bytes => {
            None
        }
    }
}

/// Returns `other` where the present bound compares to it as `replace_when`, and the present bound otherwise.
fn pick(present: Option<Value>, other: &Option<Value>, replace_when: Ordering) -> Option<Value> {
    match (present, other) {
        (Some(present), Some(other)) if present.compare(other) == Some(replace_when) => Some(other.clone()),
        (Some(present), _) => Some(present),
        (None, other) => other.clone(),
    }
}
