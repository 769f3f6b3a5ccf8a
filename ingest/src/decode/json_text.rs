//! Writes parsed JSON back as text: compact, strings escaped no more than JSON demands, numbers with a fraction or exponent as
//! they were written, keys in their order. Of a key that occurs twice in one object the last value stands, in the first one's
//! place, as in the maps that Pinot reads objects into.

use std::collections::HashMap;
use std::fmt::Write;

use super::document::{Document, Item, Scalar};

/// Appends the value at a node. Recursion is bounded by the depth that the reader lets pass.
pub(super) fn write_value(document: &mut Document<'_>, at: usize, out: &mut String) {
    match document.item(at) {
        Item::Null => out.push_str("null"),
        Item::Scalar(scalar) => write_scalar(document, at, scalar, out),
        Item::Array { length } => write_array(document, at, length, out),
        Item::Object { length } if has_duplicates(document, at, length) => write_last_of_each(document, at, length, out),
        Item::Object { length } => write_object(document, at, length, out),
    }
}

/// Appends a string with its quotes.
pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(length) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, special) = rest.split_at(length);
        out.push_str(plain);
        write_escape(special.as_bytes()[0], out);
        rest = &special[1..];
    }
    out.push_str(rest);
    out.push('"');
}

fn write_escape(byte: u8, out: &mut String) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        0x08 => out.push_str("\\b"),
        0x0c => out.push_str("\\f"),
        control => write!(out, "\\u{control:04x}").expect("writing to a string cannot fail"),
    }
}

fn write_scalar(document: &mut Document<'_>, at: usize, scalar: Scalar<'_>, out: &mut String) {
    let written = match scalar {
        Scalar::Text(text) => {
            write_string(text, out);
            Ok(())
        }
        Scalar::Boolean(value) => write!(out, "{value}"),
        Scalar::Integer(value) => write!(out, "{value}"),
        Scalar::Unsigned(value) => write!(out, "{value}"),
        Scalar::Huge(text) => out.write_str(text),
        Scalar::Float(_) => out.write_str(document.number_text(at)),
    };
    written.expect("writing to a string cannot fail");
}

fn write_array(document: &mut Document<'_>, at: usize, length: usize, out: &mut String) {
    out.push('[');
    let mut element = at + 1;
    for i in 0..length {
        if i > 0 {
            out.push(',');
        }
        write_value(document, element, out);
        element = document.after(element);
    }
    out.push(']');
}

fn write_object(document: &mut Document<'_>, at: usize, length: usize, out: &mut String) {
    out.push('{');
    let mut key = at + 1;
    for i in 0..length {
        write_entry(document, i == 0, key, key + 1, out);
        key = document.after(key + 1);
    }
    out.push('}');
}

fn write_last_of_each(document: &mut Document<'_>, at: usize, length: usize, out: &mut String) {
    let mut entries: Vec<(usize, usize)> = Vec::with_capacity(length);
    let mut places = HashMap::with_capacity(length);
    let mut key = at + 1;
    for _ in 0..length {
        let place = *places.entry(key_text(document, key)).or_insert(entries.len());
        match entries.get_mut(place) {
            Some(entry) => entry.1 = key + 1,
            None => entries.push((key, key + 1)),
        }
        key = document.after(key + 1);
    }
    out.push('{');
    for (i, (key, value)) in entries.into_iter().enumerate() {
        write_entry(document, i == 0, key, value, out);
    }
    out.push('}');
}

fn write_entry(document: &mut Document<'_>, is_first: bool, key: usize, value: usize, out: &mut String) {
    if !is_first {
        out.push(',');
    }
    write_string(key_text(document, key), out);
    out.push(':');
    write_value(document, value, out);
}

fn key_text<'a>(document: &mut Document<'a>, at: usize) -> &'a str {
    match document.item(at) {
        Item::Scalar(Scalar::Text(text)) => text,
        _ => unreachable!("keys are strings"),
    }
}

/// Returns whether a key may occur twice: certain when the answer is no. Each key is reduced to 8 bits, so that objects of
/// a dozen keys mostly need no look at the keys themselves.
fn has_duplicates(document: &mut Document<'_>, at: usize, length: usize) -> bool {
    let mut seen = [0_u64; 4];
    let mut key = at + 1;
    for _ in 0..length {
        let hash = key_hash(key_text(document, key).as_bytes());
        let (word, bit) = (usize::from(hash >> 6), 1_u64 << (hash & 63));
        if seen[word] & bit != 0 {
            return true;
        }
        seen[word] |= bit;
        key = document.after(key + 1);
    }
    false
}

fn key_hash(key: &[u8]) -> u8 {
    let mut state = key.len() as u64;
    for byte in key {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    let [.., top] = state.to_le_bytes();
    top
}
