//! Writes parsed JSON back as text: compact, strings escaped no more than JSON demands, numbers with a fraction or exponent as
//! they were written, keys in their order. Of a key that occurs twice in one object the last value stands, in the first one's
//! place, as in the maps that Pinot reads objects into.

use std::collections::HashMap;
use std::fmt::{Display, Write};

use simd_json::{Node, StaticNode};

use super::document::{Document, span};

/// Appends the value at a node and returns the node after it. Recursion is bounded by the depth that the reader lets pass.
pub(super) fn write_value(document: &mut Document<'_>, at: usize, out: &mut String) -> usize {
    match document.nodes()[at] {
        Node::String(text) => write_string(text, out),
        Node::Array { len, .. } => return write_array(document, at, len, out),
        Node::Object { len, .. } => return write_object(document, at, len, out),
        Node::Static(StaticNode::Null) => out.push_str("null"),
        Node::Static(StaticNode::Bool(true)) => out.push_str("true"),
        Node::Static(StaticNode::Bool(false)) => out.push_str("false"),
        Node::Static(StaticNode::F64(_)) => out.push_str(document.number_text(at)),
        Node::Static(StaticNode::U64(0)) if document.has_huge_numbers() => {
            out.push_str(document.number_text(at))
        }
        Node::Static(StaticNode::U64(value)) => write_integer(value, out),
        Node::Static(StaticNode::I64(value)) => write_integer(value, out),
    }
    at + 1
}

/// Appends a string with its quotes.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(length) = first_special(rest.as_bytes()) {
        let (plain, special) = rest.split_at(length);
        out.push_str(plain);
        write_escape(special.as_bytes()[0], out);
        rest = &special[1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// Returns the place of the first byte that has to be escaped.
pub(super) fn first_special(text: &[u8]) -> Option<usize> {
    const EVERY: u64 = 0x0101_0101_0101_0101;
    // The high bit of each byte below `limit`, up to the first such byte; bytes above 127 are never below.
    let below = |word: u64, limit: u64| word.wrapping_sub(EVERY * limit) & !word & (EVERY << 7);
    let equal = |word: u64, byte: u8| below(word ^ (EVERY * u64::from(byte)), 1);
    let (words, rest) = text.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let special = below(word, 0x20) | equal(word, b'"') | equal(word, b'\\');
        if special != 0 {
            return Some(8 * i + special.trailing_zeros() as usize / 8);
        }
    }
    let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    rest.iter().position(is_special).map(|place| 8 * words.len() + place)
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

fn write_integer(value: impl Display, out: &mut String) {
    write!(out, "{value}").expect("writing to a string cannot fail");
}

fn write_array(document: &mut Document<'_>, at: usize, length: usize, out: &mut String) -> usize {
    let mut element = at + 1;
    out.push('[');
    for i in 0..length {
        if i > 0 {
            out.push(',');
        }
        element = write_value(document, element, out);
    }
    out.push(']');
    element
}

fn write_object(document: &mut Document<'_>, at: usize, length: usize, out: &mut String) -> usize {
    if has_duplicates(document.nodes(), at, length) {
        return write_last_of_each(document, at, length, out);
    }
    let mut key = at + 1;
    out.push('{');
    for i in 0..length {
        key = write_entry(document, i == 0, key, key + 1, out);
    }
    out.push('}');
    key
}

#[cold]
fn write_last_of_each(document: &mut Document<'_>, at: usize, length: usize, out: &mut String) -> usize {
    let nodes = document.nodes();
    let mut entries: Vec<(usize, usize)> = Vec::with_capacity(length);
    let mut places = HashMap::with_capacity(length);
    let mut key = at + 1;
    for _ in 0..length {
        let place = *places.entry(key_text(nodes, key)).or_insert(entries.len());
        match entries.get_mut(place) {
            Some(entry) => entry.1 = key + 1,
            None => entries.push((key, key + 1)),
        }
        key = key + 1 + span(&nodes[key + 1]);
    }
    out.push('{');
    for (i, (key, value)) in entries.into_iter().enumerate() {
        write_entry(document, i == 0, key, value, out);
    }
    out.push('}');
    key
}

/// Appends a key and its value and returns the node after the value.
fn write_entry(
    document: &mut Document<'_>,
    is_first: bool,
    key: usize,
    value: usize,
    out: &mut String,
) -> usize {
    if !is_first {
        out.push(',');
    }
    write_string(key_text(document.nodes(), key), out);
    out.push(':');
    write_value(document, value, out)
}

fn key_text<'a>(nodes: &[Node<'a>], at: usize) -> &'a str {
    match nodes[at] {
        Node::String(text) => text,
        Node::Object { .. } | Node::Array { .. } | Node::Static(_) => unreachable!("keys are strings"),
    }
}

/// Returns whether a key may occur twice: certain when the answer is no. Each key is reduced to 8 bits, so that objects of
/// a dozen keys mostly need no look at the keys themselves.
fn has_duplicates(nodes: &[Node<'_>], at: usize, length: usize) -> bool {
    let mut seen = [0_u64; 4];
    let mut key = at + 1;
    for _ in 0..length {
        let hash = key_hash(key_text(nodes, key).as_bytes());
        let (word, bit) = (usize::from(hash >> 6), 1_u64 << (hash & 63));
        if seen[word] & bit != 0 {
            return true;
        }
        seen[word] |= bit;
        key = key + 1 + span(&nodes[key + 1]);
    }
    false
}

/// Mixes the length and up to eight bytes at both ends: what tells the keys of one object apart, as a rule.
fn key_hash(key: &[u8]) -> u8 {
    let word = |bytes: Option<&[u8; 8]>| bytes.map(|bytes| u64::from_le_bytes(*bytes));
    let (head, tail) = match (word(key.first_chunk()), word(key.last_chunk())) {
        (Some(head), Some(tail)) => (head, tail),
        _ => (key.iter().fold(0, |bytes, byte| bytes << 8 | u64::from(*byte)), 0),
    };
    let mixed = (head ^ tail.rotate_left(23) ^ key.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let [.., top] = mixed.to_le_bytes();
    top
}
