//! Fields of many records as Arrow columns, and back.
//!
//! A field may come as a number in one record and as a text in the next. A column has one kind of value, so records are
//! computed together only where their fields are of the same kinds.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, ListBuilder, StringArray,
    StringBuilder,
};
use arrow::array::{BooleanBuilder, Float64Builder, Int64Builder};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal256Type, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};
use meunier_segment::value::format_big_decimal;

use super::fields::FieldValue;

/// What a value is to an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Boolean,
    Long,
    Double,
    Text,
    Bytes,
    Booleans,
    Longs,
    Doubles,
    Texts,
}

impl Kind {
    /// Returns a value's kind; none for null, which is of every kind, and for an empty list, which Pinot reads as null.
    pub(super) fn of(value: Option<&FieldValue>, as_json: bool) -> Option<Kind> {
        match value? {
            FieldValue::Null => None,
            _ if as_json => Some(Kind::Text),
            FieldValue::Boolean(_) => Some(Kind::Boolean),
            FieldValue::Integer(_) | FieldValue::Timestamp(_) => Some(Kind::Long),
            FieldValue::Number(_) | FieldValue::Double(_) => Some(Kind::Double),
            FieldValue::Text(_) | FieldValue::Map(_) => Some(Kind::Text),
            FieldValue::Bytes(_) => Some(Kind::Bytes),
            FieldValue::List(values) => list_kind(values),
        }
    }

    /// Returns the column of values that are all of this kind or null.
    pub(super) fn column(self, values: &[Option<&FieldValue>]) -> ArrayRef {
        let values = values.iter().map(|value| value.filter(|value| **value != FieldValue::Null));
        match self {
            Kind::Boolean => Arc::new(values.map(|value| boolean(value?)).collect::<BooleanArray>()),
            Kind::Long => Arc::new(values.map(|value| long(value?)).collect::<Int64Array>()),
            Kind::Double => Arc::new(values.map(|value| value?.to_f64()).collect::<Float64Array>()),
            Kind::Text => Arc::new(values.map(|value| value.map(text)).collect::<StringArray>()),
            Kind::Bytes => {
                let bytes = values.map(|value| match value {
                    Some(FieldValue::Bytes(bytes)) => Some(bytes.as_slice()),
                    _ => None,
                });
                Arc::new(bytes.collect::<BinaryArray>())
            }
            Kind::Booleans => {
                lists(values, BooleanBuilder::new(), |to, value| to.append_option(boolean(value)))
            }
            Kind::Longs => lists(values, Int64Builder::new(), |to, value| to.append_option(long(value))),
            Kind::Doubles => {
                lists(values, Float64Builder::new(), |to, value| to.append_option(value.to_f64()))
            }
            Kind::Texts => lists(values, StringBuilder::new(), |to, value| to.append_value(text(value))),
        }
    }
}

fn list_kind(values: &[FieldValue]) -> Option<Kind> {
    let mut kinds = values.iter().filter(|value| **value != FieldValue::Null);
    let first = match kinds.next()? {
        FieldValue::Boolean(_) => Kind::Booleans,
        FieldValue::Integer(_) => Kind::Longs,
        FieldValue::Number(_) | FieldValue::Double(_) => Kind::Doubles,
        _ => Kind::Texts,
    };
    Some(kinds.fold(first, |kind, value| match (kind, value) {
        (Kind::Booleans, FieldValue::Boolean(_)) => Kind::Booleans,
        (Kind::Longs, FieldValue::Integer(_)) => Kind::Longs,
        (
            Kind::Longs | Kind::Doubles,
            FieldValue::Integer(_) | FieldValue::Number(_) | FieldValue::Double(_),
        ) => Kind::Doubles,
        _ => Kind::Texts,
    }))
}

fn boolean(value: &FieldValue) -> Option<bool> {
    match value {
        FieldValue::Boolean(value) => Some(*value),
        _ => None,
    }
}

fn long(value: &FieldValue) -> Option<i64> {
    match value {
        FieldValue::Integer(value) | FieldValue::Timestamp(value) => Some(*value),
        _ => None,
    }
}

fn text(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        other => other.to_json(),
    }
}

fn lists<'a, B: arrow::array::ArrayBuilder>(
    values: impl Iterator<Item = Option<&'a FieldValue>>,
    elements: B,
    append: impl Fn(&mut B, &FieldValue),
) -> ArrayRef {
    let mut lists = ListBuilder::new(elements);
    for value in values {
        match value {
            Some(FieldValue::List(values)) if !values.is_empty() => {
                let elements = values.iter().filter(|value| **value != FieldValue::Null);
                elements.for_each(|value| append(lists.values(), value));
                lists.append(true);
            }
            _ => lists.append(false),
        }
    }
    Arc::new(lists.finish())
}

/// Returns what was computed, a value a row.
///
/// # Errors
/// When the values are of a type that no column has.
pub(super) fn values_of(array: &ArrayRef) -> Result<Vec<FieldValue>, String> {
    let as_type = |data_type: &DataType| cast(array, data_type).map_err(|error| error.to_string());
    fn collect<T>(
        values: impl Iterator<Item = Option<T>>,
        of: impl Fn(T) -> FieldValue,
    ) -> Result<Vec<FieldValue>, String> {
        Ok(values.map(|value| value.map_or(FieldValue::Null, &of)).collect())
    }
    match array.data_type() {
        DataType::Null => Ok(vec![FieldValue::Null; array.len()]),
        DataType::Boolean => collect(array.as_boolean().iter(), FieldValue::Boolean),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => {
            collect(as_type(&DataType::Int64)?.as_primitive::<Int64Type>().iter(), FieldValue::Integer)
        }
        DataType::UInt64 => collect(array.as_primitive::<arrow::datatypes::UInt64Type>().iter(), |value| {
            FieldValue::Number(value.to_string())
        }),
        DataType::Float32 => collect(array.as_primitive::<Float32Type>().iter(), |value| {
            if value.is_nan() { FieldValue::Null } else { FieldValue::Number(format!("{value:?}")) }
        }),
        DataType::Float64 => collect(array.as_primitive::<Float64Type>().iter(), FieldValue::of_f64),
        DataType::Decimal256(..) => collect(array.as_primitive::<Decimal256Type>().iter(), |value| {
            FieldValue::Number(format_big_decimal(value))
        }),
        DataType::Timestamp(_, _) => {
            let millis = as_type(&DataType::Timestamp(TimeUnit::Millisecond, None))?;
            collect(millis.as_primitive::<TimestampMillisecondType>().iter(), FieldValue::Timestamp)
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let texts = as_type(&DataType::LargeUtf8)?;
            collect(texts.as_string::<i64>().iter(), |text| FieldValue::Text(text.to_owned()))
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            let bytes = as_type(&DataType::LargeBinary)?;
            collect(bytes.as_binary::<i64>().iter(), |bytes| FieldValue::Bytes(bytes.to_vec()))
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let rows = lists.iter().map(|elements| match elements {
                None => Ok(FieldValue::Null),
                Some(elements) => values_of(&elements).map(FieldValue::List),
            });
            rows.collect()
        }
        other => Err(format!("values of the type {other} cannot be stored")),
    }
}
