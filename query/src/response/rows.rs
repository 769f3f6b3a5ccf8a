//! Rows as JSON arrays, written from Arrow columns into one byte buffer.
//!
//! A column's type is matched once a batch; a row is then one pass over typed cells, without a value tree.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Decimal256Array, ListArray, PrimitiveArray,
};
use arrow::array::{RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal256Type, Field, Float32Type, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMillisecondType,
};
use datafusion::error::Result;
use meunier_segment::value::{
    BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE, format_big_decimal, format_hex, format_timestamp,
};

/// The key of an Arrow field's metadata that names Pinot's type where Arrow has one type for two of Pinot's.
pub(crate) const PINOT_TYPE: &str = "pinot.type";
/// The value of [`PINOT_TYPE`] on a JSON column.
pub(crate) const PINOT_TYPE_JSON: &str = "JSON";
/// The value of [`PINOT_TYPE`] on a MAP column, which is JSON inside.
pub(crate) const PINOT_TYPE_MAP: &str = "MAP";

/// Returns Pinot's name for the type of a column of an answer.
pub(crate) fn type_name(field: &Field) -> &'static str {
    let json = field.metadata().get(PINOT_TYPE).is_some_and(|name| name == PINOT_TYPE_JSON);
    match (shown_type(field.data_type()), json) {
        (DataType::Int32, _) => "INT",
        (DataType::Int64, _) => "LONG",
        (DataType::Float32, _) => "FLOAT",
        (DataType::Float64, _) => "DOUBLE",
        (DataType::Boolean, _) => "BOOLEAN",
        (DataType::Timestamp(..), _) => "TIMESTAMP",
        (DataType::Decimal256(..), _) => "BIG_DECIMAL",
        (DataType::BinaryView, _) => "BYTES",
        (DataType::List(item), json) => list_type_name(item.data_type(), json),
        _ if is_map(field) => PINOT_TYPE_MAP,
        (_, true) => "JSON",
        (_, false) => "STRING",
    }
}

fn is_map(field: &Field) -> bool {
    field.metadata().get(PINOT_TYPE).is_some_and(|name| name == PINOT_TYPE_MAP)
}

fn list_type_name(item: &DataType, json: bool) -> &'static str {
    match shown_type(item) {
        DataType::Int32 => "INT_ARRAY",
        DataType::Int64 => "LONG_ARRAY",
        DataType::Float32 => "FLOAT_ARRAY",
        DataType::Float64 => "DOUBLE_ARRAY",
        DataType::Boolean => "BOOLEAN_ARRAY",
        DataType::Timestamp(..) => "TIMESTAMP_ARRAY",
        DataType::Decimal256(..) => "BIG_DECIMAL_ARRAY",
        DataType::BinaryView => "BYTES_ARRAY",
        _ if json => "JSON_ARRAY",
        _ => "STRING_ARRAY",
    }
}

/// Returns the type that a column is cast to before it is written: one for each of Pinot's.
fn shown_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 | DataType::Int32 => {
            DataType::Int32
        }
        DataType::UInt32 | DataType::UInt64 | DataType::Int64 => DataType::Int64,
        DataType::Float16 | DataType::Float32 => DataType::Float32,
        DataType::Float64 => DataType::Float64,
        DataType::Boolean => DataType::Boolean,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
            DataType::Timestamp(TimeUnit::Millisecond, None)
        }
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => DataType::Decimal256(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::BinaryView
        }
        DataType::Dictionary(_, values) => shown_type(values),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            DataType::new_list(shown_type(item.data_type()), true)
        }
        _ => DataType::Utf8View,
    }
}

/// Appends the first `row_count` rows of a batch, each after a comma unless it is the first of all.
///
/// # Errors
/// When a column has a type without a JSON form.
pub(crate) fn append_rows(batch: &RecordBatch, row_count: usize, out: &mut Vec<u8>) -> Result<()> {
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (array, field) in batch.columns().iter().zip(batch.schema_ref().fields()) {
        columns.push(match Cells::new(array)? {
            Cells::Text(texts) if is_map(field) => Cells::Map(texts),
            cells => cells,
        });
    }
    for row in 0..row_count {
        if !out.is_empty() {
            out.push(b',');
        }
        out.push(b'[');
        for (position, column) in columns.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            column.write(row, out);
        }
        out.push(b']');
    }
    Ok(())
}

/// One column, its type known.
enum Cells {
    Int(PrimitiveArray<Int32Type>),
    Long(PrimitiveArray<Int64Type>),
    Float(PrimitiveArray<Float32Type>),
    Double(PrimitiveArray<Float64Type>),
    Boolean(BooleanArray),
    Timestamp(PrimitiveArray<TimestampMillisecondType>),
    BigDecimal(Decimal256Array),
    Text(StringViewArray),
    /// Texts of JSON objects.
    Map(StringViewArray),
    Bytes(BinaryViewArray),
    List {
        lists: ListArray,
        elements: Box<Cells>,
    },
}

impl Cells {
    fn new(array: &ArrayRef) -> Result<Cells> {
        let shown = shown_type(array.data_type());
        let array = if *array.data_type() == shown { array.clone() } else { cast(array, &shown)? };
        Ok(match shown {
            DataType::Int32 => Cells::Int(array.as_primitive().clone()),
            DataType::Int64 => Cells::Long(array.as_primitive().clone()),
            DataType::Float32 => Cells::Float(array.as_primitive().clone()),
            DataType::Float64 => Cells::Double(array.as_primitive().clone()),
            DataType::Boolean => Cells::Boolean(array.as_boolean().clone()),
            DataType::Timestamp(..) => Cells::Timestamp(array.as_primitive().clone()),
            DataType::Decimal256(..) => Cells::BigDecimal(array.as_primitive::<Decimal256Type>().clone()),
            DataType::BinaryView => Cells::Bytes(array.as_binary_view().clone()),
            DataType::List(_) => {
                let lists = array.as_list::<i32>().clone();
                let elements = Box::new(Cells::new(lists.values())?);
                Cells::List { lists, elements }
            }
            _ => Cells::Text(array.as_string_view().clone()),
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Cells::Int(array) => array.is_null(row),
            Cells::Long(array) => array.is_null(row),
            Cells::Float(array) => array.is_null(row),
            Cells::Double(array) => array.is_null(row),
            Cells::Boolean(array) => array.is_null(row),
            Cells::Timestamp(array) => array.is_null(row),
            Cells::BigDecimal(array) => array.is_null(row),
            Cells::Text(array) | Cells::Map(array) => array.is_null(row),
            Cells::Bytes(array) => array.is_null(row),
            Cells::List { lists, .. } => lists.is_null(row),
        }
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return out.extend_from_slice(b"null");
        }
        match self {
            Cells::Int(array) => write_display(out, array.value(row)),
            Cells::Long(array) => write_display(out, array.value(row)),
            Cells::Float(array) => write_float(out, array.value(row), f64::from(array.value(row))),
            Cells::Double(array) => write_float(out, array.value(row), array.value(row)),
            Cells::Boolean(array) => write_display(out, array.value(row)),
            Cells::Timestamp(array) => write_plain_text(out, &format_timestamp(array.value(row))),
            Cells::BigDecimal(array) => write_plain_text(out, &format_big_decimal(array.value(row))),
            Cells::Text(array) => write_text(out, array.value(row)),
            Cells::Map(array) => write_map(out, array.value(row)),
            Cells::Bytes(array) => write_plain_text(out, &format_hex(array.value(row))),
            Cells::List { lists, elements } => write_list(out, lists, elements, row),
        }
    }
}

/// Writes an object as it is; a text that is none, as one that a length cut off, stays a text.
fn write_map(out: &mut Vec<u8>, text: &str) {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => out.extend_from_slice(text.as_bytes()),
        Err(_) => write_text(out, text),
    }
}

fn write_list(out: &mut Vec<u8>, lists: &ListArray, elements: &Cells, row: usize) {
    let offsets = lists.value_offsets();
    out.push(b'[');
    for element in offsets[row]..offsets[row + 1] {
        if element > offsets[row] {
            out.push(b',');
        }
        elements.write(element as usize, out);
    }
    out.push(b']');
}

fn write_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    use std::io::Write;
    write!(out, "{value}").expect("a Vec takes all bytes");
}

/// Writes the digits that the float's own type prints: 0.1 stays 0.1, also for a 32-bit float.
fn write_float(out: &mut Vec<u8>, shortest: impl std::fmt::Debug, value: f64) {
    use std::io::Write;
    if value.is_nan() {
        return out.extend_from_slice(b"\"NaN\"");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    }
    write!(out, "{shortest:?}").expect("a Vec takes all bytes");
}

/// Writes text that needs no escapes.
fn write_plain_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("text is always JSON");
}
