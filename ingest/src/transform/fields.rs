//! A record as its fields, for as long as they are neither of one type nor columns.

use std::fmt::Write;

use meunier_segment::schema::{DataType, Schema};
use meunier_segment::value::format_timestamp;

use crate::decode::write_json_string;

/// A value of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FieldValue {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// Any other number, as it is written.
    Number(String),
    /// A number that was computed.
    Double(f64),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<FieldValue>),
    /// An object. Each key is there once.
    Map(Fields),
}

/// Fields in the order in which they came. Records have so few that a search from the front is the fastest.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fields(Vec<(String, FieldValue)>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&FieldValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut FieldValue> {
        self.0.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Returns the value of a field that has one.
    pub(crate) fn value(&self, name: &str) -> Option<&FieldValue> {
        self.get(name).filter(|value| **value != FieldValue::Null)
    }

    /// Sets a field, in the place of one of its name.
    pub(crate) fn set(&mut self, name: impl Into<String>, value: FieldValue) {
        let name = name.into();
        match self.get_mut(&name) {
            Some(known) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<FieldValue> {
        let position = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(position).1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns roughly how much memory the fields take.
    pub(crate) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| size_of::<(String, FieldValue)>() + name.len() + value.bytes())
            .sum()
    }

    /// Writes the schema's columns as a JSON object.
    pub(crate) fn write_row(&self, schema: &Schema, out: &mut String) {
        out.push('{');
        for field in schema.fields() {
            let Some(value) = self.value(&field.name) else { continue };
            separate(out, '{');
            write_json_string(&field.name, out);
            out.push(':');
            value.write_column(field.data_type, out);
        }
        out.push('}');
    }
}

impl IntoIterator for Fields {
    type Item = (String, FieldValue);
    type IntoIter = std::vec::IntoIter<(String, FieldValue)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(String, FieldValue)> for Fields {
    fn from_iter<T: IntoIterator<Item = (String, FieldValue)>>(fields: T) -> Fields {
        let mut collected = Fields::default();
        for (name, value) in fields {
            collected.set(name, value);
        }
        collected
    }
}

impl FieldValue {
    /// Returns the value as JSON.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// Returns a number's value, of doubles the nearest.
    pub(crate) fn to_f64(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "DOUBLE rounds to the nearest")]
            FieldValue::Integer(value) => Some(*value as f64),
            FieldValue::Number(text) => text.parse().ok(),
            FieldValue::Double(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns a double; none for one that is no number, as in Pinot.
    pub(crate) fn of_f64(value: f64) -> FieldValue {
        if value.is_nan() { FieldValue::Null } else { FieldValue::Double(value) }
    }

    fn bytes(&self) -> usize {
        match self {
            FieldValue::Null
            | FieldValue::Boolean(_)
            | FieldValue::Integer(_)
            | FieldValue::Double(_)
            | FieldValue::Timestamp(_) => 0,
            FieldValue::Number(text) | FieldValue::Text(text) => text.len(),
            FieldValue::Bytes(bytes) => bytes.len(),
            FieldValue::List(values) => {
                values.iter().map(|value| size_of::<FieldValue>() + value.bytes()).sum()
            }
            FieldValue::Map(fields) => fields.bytes(),
        }
    }

    /// Writes the value as a column of a type takes it. A computed fraction is cut where the column has whole numbers, as
    /// in Pinot; one that stands in the record is left for the decoder to judge.
    fn write_column(&self, data_type: DataType, out: &mut String) {
        match (self, data_type) {
            (FieldValue::Timestamp(millis), DataType::String) => {
                write_json_string(&format_timestamp(*millis), out);
            }
            (FieldValue::Double(value), DataType::Int | DataType::Long | DataType::Timestamp) => {
                #[expect(clippy::cast_possible_truncation, reason = "Java cuts so too")]
                let whole = *value as i64;
                write!(out, "{whole}").expect("writing to a string cannot fail");
            }
            (FieldValue::List(values), data_type) if data_type != DataType::Json => {
                out.push('[');
                for value in values {
                    separate(out, '[');
                    value.write_column(data_type, out);
                }
                out.push(']');
            }
            (other, _) => other.write(out),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            FieldValue::Null => out.push_str("null"),
            FieldValue::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            FieldValue::Integer(value) | FieldValue::Timestamp(value) => {
                write!(out, "{value}").expect("writing to a string cannot fail");
            }
            FieldValue::Number(text) => out.push_str(text),
            FieldValue::Double(value) if value.is_finite() => {
                write!(out, "{value:?}").expect("writing to a string cannot fail");
            }
            // JSON has no number for it: each column says itself what the text means to it.
            FieldValue::Double(value) => {
                write_json_string(if *value > 0.0 { "Infinity" } else { "-Infinity" }, out)
            }
            FieldValue::Text(text) => write_json_string(text, out),
            FieldValue::Bytes(bytes) => {
                out.push('"');
                for byte in bytes {
                    write!(out, "{byte:02x}").expect("writing to a string cannot fail");
                }
                out.push('"');
            }
            FieldValue::List(values) => {
                out.push('[');
                for value in values {
                    separate(out, '[');
                    value.write(out);
                }
                out.push(']');
            }
            FieldValue::Map(fields) => {
                out.push('{');
                for (name, value) in fields.iter() {
                    separate(out, '{');
                    write_json_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Puts a comma between the parts of a list or object that began with `open`.
fn separate(out: &mut String, open: char) {
    if !out.ends_with(open) {
        out.push(',');
    }
}
