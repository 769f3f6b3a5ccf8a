//! The value that stands where a record has none: the one that a field spec names, or Pinot's usual one.

use std::sync::Arc;

use arrow::datatypes::i256;

use super::field::SpecKind;
use crate::json_reader::{Findings, JsonObject, scalar_text};
use crate::schema::DataType;
use crate::value::Value;

/// Reads `defaultNullValue`; the usual value when it is absent or wrong.
pub(super) fn read_default(
    spec: &JsonObject<'_>,
    kind: SpecKind,
    data_type: DataType,
    findings: &mut Findings,
) -> Value {
    let usual = usual_default(kind, data_type);
    let Some(written) = spec.get("defaultNullValue") else { return usual };
    let Some(value) = scalar_text(written).and_then(|text| parse_default(&text, data_type)) else {
        let message = format!("`{written}` is no {data_type}: write for example {}", usual.to_json());
        findings.problem(spec.place("defaultNullValue"), message);
        return usual;
    };
    if is_nan(&value) {
        let message = "NaN cannot be the default, as NaN stands for null in the records: write a number";
        findings.problem(spec.place("defaultNullValue"), message);
        return usual;
    }
    value
}

/// Reads a default; a whole number may be written with a fraction of zeros (`0.0`).
fn parse_default(text: &str, data_type: DataType) -> Option<Value> {
    let whole = matches!(data_type, DataType::Int | DataType::Long);
    match text.split_once('.') {
        Some((digits, fraction)) if whole && fraction.bytes().all(|byte| byte == b'0') => {
            Value::parse(digits, data_type)
        }
        Some(_) | None => Value::parse(text, data_type),
    }
}

fn is_nan(value: &Value) -> bool {
    match value {
        Value::Float(value) => value.is_nan(),
        Value::Double(value) => value.is_nan(),
        Value::Int(_)
        | Value::Long(_)
        | Value::BigDecimal(_)
        | Value::Boolean(_)
        | Value::Timestamp(_)
        | Value::String(_)
        | Value::Bytes(_) => false,
    }
}

/// Pinot's default null value: the least number for dimensions and date-times, zero for metrics.
pub(super) fn usual_default(kind: SpecKind, data_type: DataType) -> Value {
    let metric = kind == SpecKind::Metric;
    match data_type {
        DataType::Int => Value::Int(if metric { 0 } else { i32::MIN }),
        DataType::Long => Value::Long(if metric { 0 } else { i64::MIN }),
        DataType::Float => Value::Float(if metric { 0.0 } else { f32::NEG_INFINITY }),
        DataType::Double => Value::Double(if metric { 0.0 } else { f64::NEG_INFINITY }),
        DataType::BigDecimal => Value::BigDecimal(i256::ZERO),
        DataType::Boolean => Value::Boolean(false),
        DataType::Timestamp => Value::Timestamp(0),
        DataType::String | DataType::Json => Value::String("null".into()),
        DataType::Bytes => Value::Bytes(Arc::from([])),
    }
}
