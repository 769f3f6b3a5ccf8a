//! Reads a whole record, not only the columns: for tables whose config works on its fields.

use super::document::{Document, Item, Scalar};
use super::tape_reader::TapeReader;
use super::{DEPTH_CEILING, DecodeLimits};
use crate::transform::{FieldValue, Fields};

/// Reads records one after the other.
pub(crate) struct RecordTreeReader {
    payload_bytes_max: usize,
    reader: TapeReader,
}

impl RecordTreeReader {
    pub(crate) fn new(limits: DecodeLimits) -> RecordTreeReader {
        RecordTreeReader {
            payload_bytes_max: limits.payload_bytes_max,
            reader: TapeReader::new(limits.depth_max.min(DEPTH_CEILING)),
        }
    }

    /// Returns the fields of an object; none for what the decoder would reject too, and says why.
    pub(crate) fn read(&mut self, payload: &[u8]) -> Option<Fields> {
        if payload.len() > self.payload_bytes_max {
            return None;
        }
        let value = self.reader.read(payload, |document| value_at(document, 0)).ok()?;
        match value {
            FieldValue::Map(fields) => Some(fields),
            _ => None,
        }
    }
}

/// Recursion is bounded by the depth that the reader lets pass. Of a key that occurs twice the last value stands.
fn value_at(document: &mut Document<'_>, at: usize) -> FieldValue {
    match document.item(at) {
        Item::Null => FieldValue::Null,
        Item::Scalar(scalar) => match scalar {
            Scalar::Boolean(value) => FieldValue::Boolean(value),
            Scalar::Integer(value) => FieldValue::Integer(value),
            Scalar::Unsigned(value) => FieldValue::Number(value.to_string()),
            Scalar::Float(_) => FieldValue::Number(document.number_text(at).to_owned()),
            Scalar::Huge(text) => FieldValue::Number(text.to_owned()),
            Scalar::Text(text) => FieldValue::Text(text.to_owned()),
        },
        Item::Array { length } => {
            let mut element = at + 1;
            let mut values = Vec::with_capacity(length);
            for _ in 0..length {
                values.push(value_at(document, element));
                element = document.after(element);
            }
            FieldValue::List(values)
        }
        Item::Object { length } => {
            let mut key = at + 1;
            let mut fields = Fields::default();
            for _ in 0..length {
                if let Item::Scalar(Scalar::Text(name)) = document.item(key) {
                    fields.set(name, value_at(document, key + 1));
                }
                key = document.after(key + 1);
            }
            FieldValue::Map(fields)
        }
    }
}
