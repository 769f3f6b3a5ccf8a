//! Finds the columns' values in a record, whichever parser reads it.

use meunier_segment::schema::Schema;
use simd_json::Node;

use super::document::span;
use super::key_order::{KeyOrder, Place};

/// A column's place when the record has no such key. No value is there: it is the node of the record's object itself.
const NO_VALUE: usize = 0;

/// Where on the tape each column's value stands: of a key that occurs twice the last one, keys of no column passed over.
pub(super) struct RecordFields {
    keys: KeyOrder,
    values: Vec<usize>,
    place: Place,
}

impl RecordFields {
    pub(super) fn new(schema: &Schema) -> RecordFields {
        RecordFields {
            keys: KeyOrder::new(schema),
            values: vec![NO_VALUE; schema.fields().len()],
            place: Place::default(),
        }
    }

    /// Forgets the record before.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.values.fill(NO_VALUE);
        self.place = Place::default();
    }

    /// Takes the key that stands behind a quote if it is the one that came next the last time. Returns its length; its
    /// value stands at `at`.
    #[inline]
    pub(super) fn take_expected(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let (length, column) = self.keys.expected(text, &mut self.place)?;
        if let Some(column) = column {
            self.values[column] = at;
        }
        Some(length)
    }

    /// Takes any key, whose value stands at `at`.
    #[inline]
    pub(super) fn take(&mut self, key: &str, at: usize) {
        if let Some(column) = self.keys.column(key, &mut self.place) {
            self.values[column] = at;
        }
    }

    /// Takes all keys of the object at the tape's beginning.
    pub(super) fn take_all(&mut self, key_count: usize, nodes: &[Node<'_>]) {
        self.begin();
        let mut at = 1;
        for _ in 0..key_count {
            let [Node::String(key), value, ..] = &nodes[at..] else {
                unreachable!("an object's nodes are keys and values in turn");
            };
            self.take(key, at + 1);
            at += 1 + span(value);
        }
    }

    /// Returns for each column where its value stands, if it has one.
    #[inline]
    pub(super) fn values(&self) -> impl Iterator<Item = Option<usize>> {
        self.values.iter().map(|&at| (at != NO_VALUE).then_some(at))
    }
}
