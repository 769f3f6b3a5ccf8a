//! `jsonExtractIndex`: what a path leads to in a document's flat records, which are what a JSON index holds.
//!
//! The records are made of the document, so that the answer is the same whether or not the column has the index.

use arrow::array::ArrayRef;
use arrow::datatypes::i256;
use meunier_segment::json_flat::{FlatKey, FlattenOptions, flatten};
use serde_json::Value;

use super::extract::{FromNode, extracted_type, wanted};
use super::matching;
use super::node::Node;
use crate::description::FunctionGroup::Json as Group;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar, shortened};
use crate::scalar::rows::fault;
use crate::scalar::sink::{Json, Millis, Output, collect};

const TEXT: Kind = Kind::One(Scalar::Text);

pub(super) fn functions() -> Vec<Function> {
    let overload = Overload::new(&[TEXT; 5], Gives::Of(result_type), extract);
    vec![Function::new(
        Group,
        &["jsonExtractIndex"],
        "jsonExtractIndex(json, path, type[, default[, condition]])",
        "The scalar that a path such as '$.a[0].b' leads to, or with an array's type all that one such as '$.a[*].b' leads to: \
         of the elements for which a condition of JSON_MATCH holds. Where there is none, the default, for an array a JSON \
         array; without one an error.",
        [overload.required(3)],
    )]
}

fn result_type(asked: &Asked<'_>) -> Result<Gives, Fault> {
    if let Some(condition) = asked.text(4) {
        matching::parse(condition)?;
    }
    let several = asked.text(1).is_some_and(|path| path.contains("[*]"));
    match asked.text(2).map(wanted).transpose()? {
        Some((_, false, _)) if several => {
            fault("a path with [*] leads to an array: write the type as INT_ARRAY")
        }
        _ => extracted_type(asked),
    }
}

fn extract(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let Some(name) = call.text(2, 0) else { return fault("the result type is a constant") };
    let (scalar, array, json) = wanted(name)?;
    match (scalar, array) {
        (Scalar::Int, false) => one::<i32>(call),
        (Scalar::Long, false) => one::<i64>(call),
        (Scalar::Float, false) => one::<f32>(call),
        (Scalar::Double, false) => one::<f64>(call),
        (Scalar::Decimal, false) => one::<i256>(call),
        (Scalar::Boolean, false) => one::<bool>(call),
        (Scalar::Timestamp, false) => one::<Millis>(call),
        (Scalar::Text, false) if json => one::<Json>(call),
        (Scalar::Text, false) => one::<String>(call),
        (Scalar::Bytes, _) => one::<Vec<u8>>(call),
        (Scalar::Int, true) => many::<i32>(call),
        (Scalar::Long, true) => many::<i64>(call),
        (Scalar::Float, true) => many::<f32>(call),
        (Scalar::Double, true) => many::<f64>(call),
        (Scalar::Decimal, true) => many::<i256>(call),
        (Scalar::Boolean, true) => many::<bool>(call),
        (Scalar::Timestamp, true) => many::<Millis>(call),
        (Scalar::Text, true) => many::<String>(call),
    }
}

fn one<T: FromNode + Output>(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    each(call, |row, found| match found.into_iter().next() {
        Some(text) => read::<T>(&text),
        None => match call.text(3, row) {
            Some(default) => match T::from_default(default) {
                Some(value) => Ok(value),
                None => wrong_default(default),
            },
            None => leads_nowhere(),
        },
    })
}

fn many<T: FromNode>(call: &Call<'_>) -> Result<ArrayRef, Fault>
where
    Vec<T>: Output,
{
    each(call, |row, found| {
        if !found.is_empty() {
            return found.iter().map(|text| read::<T>(text)).collect();
        }
        let Some(default) = call.text(3, row) else { return leads_nowhere::<Vec<T>>() };
        let Ok(Value::Array(elements)) = serde_json::from_str(default) else { return wrong_default(default) };
        let texts = elements.into_iter().map(|element| match element {
            Value::String(text) => text,
            other => other.to_string(),
        });
        texts.map(|text| read::<T>(&text)).collect()
    })
}

/// Calls for each row with the texts that its path leads to.
fn each<T: Output>(
    call: &Call<'_>,
    value: impl Fn(usize, Vec<String>) -> Result<T, Fault>,
) -> Result<ArrayRef, Fault> {
    let mut keys = call.prepared(1, FlatKey::parse)?;
    let mut conditions = if call.len() > 4 { Some(call.prepared(4, matching::parse)?) } else { None };
    let options = FlattenOptions::default();
    collect(call.rows, |row| {
        let (Some(json), Some(key)) = (call.text(0, row), keys.at(row)?) else { return Ok(None) };
        let condition = match &mut conditions {
            Some(conditions) => conditions.at(row)?,
            None => None,
        };
        let mut found = Vec::new();
        for mut record in flatten(json, &options) {
            let is_there = |(key, position): &(String, String)| record.get(key) == Some(position);
            let passes = match condition {
                Some(condition) => condition.matches(std::slice::from_ref(&record))?,
                None => true,
            };
            if passes && key.positions.iter().all(is_there) {
                found.extend(record.remove(&key.key));
            }
        }
        value(row, found).map(Some)
    })
}

fn read<T: FromNode>(text: &str) -> Result<T, Fault> {
    match T::from_node(&Node::Text(text.into())) {
        Some(value) => Ok(value),
        None => fault(format!("'{}' is no value of the result type", shortened(text))),
    }
}

fn wrong_default<T>(text: &str) -> Result<T, Fault> {
    fault(format!("the default '{}' is no value of the result type", shortened(text)))
}

fn leads_nowhere<T>() -> Result<T, Fault> {
    fault("the path leads nowhere in some rows; a default may be given as fourth argument")
}
