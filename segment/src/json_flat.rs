//! JSON documents taken apart into flat records: what JSON_MATCH asks, and what a JSON index holds.
//!
//! A record maps keys to the texts of scalars. A key is the path from the top, `.name` for a step into an object and `.` for
//! one into an array; the position in an array stands under `.$index` of its key. Each element of an array is a record of
//! its own with all that stands around it, so that conditions on one element are asked of one record. Arrays side by side
//! give a record for each combination of their elements.

mod condition;
mod options;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Number, Value};

use crate::value::format_double;
pub use condition::{FlatKey, JsonCondition, JsonTest, KeyTest, ValueTest};
pub use options::{FlattenOptions, IndexPaths};
use options::{Inclusion, PathTree};

/// One record of a document.
pub type FlatRecord = BTreeMap<String, String>;

/// What stands for a value that is too long, and for a document that is no JSON.
pub const SKIPPED: &str = "$SKIPPED$";
/// Fewer records than this come of arrays that stand side by side in one object.
const COMBINATIONS_MAX: usize = 100_000;
const INDEX_KEY: &str = ".$index";

/// Returns the records of a document. One that is no JSON, or has too many records, is one record of [`SKIPPED`].
pub fn flatten(document: &str, options: &FlattenOptions) -> Vec<FlatRecord> {
    let skipped = || vec![FlatRecord::from([(String::new(), SKIPPED.to_owned())])];
    if document.trim_ascii().is_empty() {
        return Vec::new();
    }
    // What follows the first value is not looked at.
    let mut reader = serde_json::Deserializer::from_str(document);
    let Ok(value) = Value::deserialize(&mut reader) else { return skipped() };
    let top = Place { level: 0, path: "$".to_owned(), included: false, paths: options.index_paths.top() };
    flattened(&value, options, &top).unwrap_or_else(|TooManyRecords| skipped())
}

struct TooManyRecords;

/// Where a value stands in its document.
struct Place<'a> {
    level: usize,
    path: String,
    /// Whether a path that is included leads here or higher up.
    included: bool,
    /// What of the paths that are indexed lies below.
    paths: PathTree<'a>,
}

impl<'a> Place<'a> {
    /// Returns the place one step down; `None` when nothing there is wanted.
    fn child(&self, step: &str, name: &str, options: &FlattenOptions) -> Option<Place<'a>> {
        let path = format!("{}{step}", self.path);
        let included = match self.included {
            true => true,
            false => match options.inclusion(&path) {
                Inclusion::Yes => true,
                Inclusion::Perhaps => false,
                Inclusion::No => return None,
            },
        };
        Some(Place { level: self.level + 1, path, included, paths: self.paths.child(name)? })
    }
}

fn flattened(
    value: &Value,
    options: &FlattenOptions,
    place: &Place<'_>,
) -> Result<Vec<FlatRecord>, TooManyRecords> {
    let too_deep = options.levels_max > 0 && place.level == options.levels_max;
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let text = scalar(value);
            let length = text.encode_utf16().count();
            let too_long = options.value_length_max > 0 && length > options.value_length_max;
            let text = if too_long { SKIPPED.to_owned() } else { text };
            Ok(vec![FlatRecord::from([(String::new(), text)])])
        }
        Value::Array(_) | Value::Object(_) if too_deep => Ok(Vec::new()),
        Value::Array(_) if options.exclude_array => Ok(Vec::new()),
        Value::Array(elements) => {
            let Some(inside) = place.child("[*]", "", options) else { return Ok(Vec::new()) };
            let mut records = Vec::with_capacity(elements.len());
            for (index, element) in elements.iter().enumerate() {
                for record in flattened(element, options, &inside)? {
                    let mut record = prefixed(record, ".");
                    record.insert(INDEX_KEY.to_owned(), index.to_string());
                    records.push(record);
                }
            }
            Ok(records)
        }
        Value::Object(fields) => {
            let (mut common, mut lists) = (FlatRecord::new(), Vec::new());
            for (name, value) in fields {
                if options.exclude_fields.contains(name) {
                    continue;
                }
                let step = format!(".{name}");
                let Some(inside) = place.child(&step, name, options) else { continue };
                let mut records = flattened(value, options, &inside)?;
                match records.len() {
                    0 => {}
                    1 => common.extend(prefixed(records.remove(0), &step)),
                    _ => lists.push(records.into_iter().map(|record| prefixed(record, &step)).collect()),
                }
            }
            joined(common, lists, options.disable_cross_array_unnest)
        }
    }
}

/// Puts together what the fields of an object gave: one record of all that is there once, and lists of records.
fn joined(
    common: FlatRecord,
    lists: Vec<Vec<FlatRecord>>,
    side_by_side: bool,
) -> Result<Vec<FlatRecord>, TooManyRecords> {
    if lists.is_empty() {
        return Ok(if common.is_empty() { Vec::new() } else { vec![common] });
    }
    let mut records: Vec<FlatRecord> = match side_by_side {
        true => lists.into_iter().flatten().collect(),
        false => combined(lists)?,
    };
    for record in &mut records {
        record.extend(common.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Ok(records)
}

fn combined(lists: Vec<Vec<FlatRecord>>) -> Result<Vec<FlatRecord>, TooManyRecords> {
    let several = lists.len() > 1;
    let count = lists.iter().try_fold(1_usize, |count, list| count.checked_mul(list.len()));
    if several && count.is_none_or(|count| count >= COMBINATIONS_MAX) {
        return Err(TooManyRecords);
    }
    let mut lists = lists.into_iter();
    let mut records = lists.next().unwrap_or_default();
    for list in lists {
        let mut pairs = Vec::with_capacity(records.len() * list.len());
        for record in &records {
            for other in &list {
                let mut pair = record.clone();
                pair.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
                pairs.push(pair);
            }
        }
        records = pairs;
    }
    Ok(records)
}

fn prefixed(record: FlatRecord, prefix: &str) -> FlatRecord {
    record.into_iter().map(|(key, value)| (format!("{prefix}{key}"), value)).collect()
}

/// Returns a scalar's text as Java writes it.
fn scalar(value: &Value) -> String {
    match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) => text.clone(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(double) if number.is_f64() => format_double(double),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests;
