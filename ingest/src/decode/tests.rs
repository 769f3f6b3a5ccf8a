//! What the tests share: a decoder from a few columns, and rows and rejects as text.

mod coercions;
mod faults;
mod lengths;
mod model;
mod mutations;
mod parser_limits;

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use meunier_segment::offset_range::Offset;
use meunier_segment::reject::RejectedRecord;
use meunier_segment::schema::{DataType, Schema};
use meunier_segment::value::{format_big_decimal, format_hex, format_timestamp};
use serde_json::json;

use super::{DecodeLimits, DecodedBatch, JsonDecoder, RecordRef};

/// A batch that the decoder does not hold on to.
struct Decoded {
    rows: RecordBatch,
    offsets: Vec<i64>,
    timestamp_ms_min: Option<i64>,
    timestamp_ms_max: Option<i64>,
    rejects: Vec<RejectedRecord>,
    next_offset: Option<Offset>,
    payload_bytes: u64,
}

impl From<DecodedBatch<'_>> for Decoded {
    fn from(batch: DecodedBatch<'_>) -> Decoded {
        Decoded {
            rows: batch.rows.to_batch(),
            offsets: batch.rows.offsets.clone(),
            timestamp_ms_min: batch.timestamp_ms_min,
            timestamp_ms_max: batch.timestamp_ms_max,
            rejects: batch.rejects,
            next_offset: batch.next_offset,
            payload_bytes: batch.payload_bytes,
        }
    }
}

/// A schema of dimension columns; `INT[]` is a multi-value INT.
pub(super) fn schema_of(columns: &[(&str, &str)]) -> Arc<Schema> {
    let fields: Vec<_> = columns
        .iter()
        .map(|(name, data_type)| {
            let single = data_type.strip_suffix("[]");
            json!({"name": name, "dataType": single.unwrap_or(data_type), "singleValueField": single.is_none()})
        })
        .collect();
    parse_schema(&json!({"schemaName": "t", "dimensionFieldSpecs": fields}).to_string())
}

pub(super) fn parse_schema(text: &str) -> Arc<Schema> {
    Arc::new(Schema::parse(text).expect("the test's schema is valid").schema)
}

fn decoder_of(columns: &[(&str, &str)]) -> JsonDecoder {
    JsonDecoder::new(schema_of(columns), DecodeLimits::default())
}

fn record(offset: i64, payload: &[u8]) -> RecordRef<'_> {
    RecordRef { offset: Offset(offset), timestamp_ms: None, key: None, payload: Some(payload), headers: &[] }
}

/// Decodes payloads with offsets from 0 on.
fn decode_all<P: AsRef<[u8]>>(decoder: &mut JsonDecoder, payloads: &[P]) -> Decoded {
    for (offset, payload) in (0..).zip(payloads) {
        decoder.push(&record(offset, payload.as_ref()));
    }
    decoder.take().into()
}

/// One line a record: its row's values, or its reject.
fn outcomes(batch: &Decoded) -> Vec<(i64, String)> {
    let row = |(row, offset): (usize, &i64)| {
        let values = batch.rows.columns().iter().map(|column| show(column, row));
        (*offset, values.collect::<Vec<_>>().join(" | "))
    };
    let rows = batch.offsets.iter().enumerate().map(row);
    let rejects = batch.rejects.iter().map(|reject| (reject.offset.0, show_reject(reject)));
    let mut outcomes: Vec<_> = rows.chain(rejects).collect();
    outcomes.sort_unstable();
    outcomes
}

fn show_reject(reject: &RejectedRecord) -> String {
    let column = reject.column.as_deref().unwrap_or("-");
    format!("✗ {} {column}: {}", reject.reason.name(), reject.detail)
}

/// The value of one row as text: null, or as in the tables of the reference.
fn show(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "null".to_string();
    }
    if let Some(lists) = column.as_list_opt::<i32>() {
        let list = lists.value(row);
        let items: Vec<_> = (0..list.len()).map(|item| show(&list, item)).collect();
        return format!("[{}]", items.join(", "));
    }
    use arrow::datatypes::DataType as Arrow;
    match column.data_type() {
        Arrow::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        Arrow::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        Arrow::Float32 => format!("{:?}", column.as_primitive::<Float32Type>().value(row)),
        Arrow::Float64 => format!("{:?}", column.as_primitive::<Float64Type>().value(row)),
        Arrow::Decimal256(_, _) => format_big_decimal(column.as_primitive::<Decimal256Type>().value(row)),
        Arrow::Boolean => column.as_boolean().value(row).to_string(),
        Arrow::Timestamp(_, _) => {
            format_timestamp(column.as_primitive::<TimestampMillisecondType>().value(row))
        }
        Arrow::Utf8 => column.as_string::<i32>().value(row).to_string(),
        Arrow::Binary => format_hex(column.as_binary::<i32>().value(row)),
        other => unreachable!("no column has the type {other}"),
    }
}

/// All single-value columns, named as their type, then lists of all types that have them, named as `INT[]`.
fn columns_of_all_types() -> Vec<(String, String)> {
    let singles = DataType::ALL.iter().map(|data_type| data_type.name().to_string());
    let lists = DataType::ALL
        .iter()
        .filter(|data_type| **data_type != DataType::Json)
        .map(|data_type| format!("{data_type}[]"));
    singles.chain(lists).map(|name| (name.clone(), name)).collect()
}
