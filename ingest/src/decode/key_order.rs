//! Finds the column of a JSON key by remembering which key came after which.
//!
//! Records of one topic mostly have the same keys in the same order, so the key that followed last time is compared first.
//! A second guess covers one left-out key; only then is the name looked up. Keys of no column are remembered too.

use std::collections::HashMap;

use meunier_segment::schema::Schema;

use super::json_text::first_special;

/// Names that are remembered beyond the columns'. Records with unbounded key sets pay a look-up a key, but no memory.
const STRANGERS_MAX: usize = 1024;
/// Longest name that is remembered.
const NAME_BYTES_MAX: usize = 256;

/// A place in the order; starts at its default for each record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place(usize);

/// The known names.
pub(super) struct KeyOrder {
    /// The first one stands for the beginning of a record and matches no key.
    names: Vec<Name>,
    places: HashMap<Box<str>, usize>,
    names_max: usize,
}

struct Name {
    name: Box<str>,
    /// The name can stand in JSON as it is, without an escape.
    is_plain: bool,
    column: Option<usize>,
    /// Place of the name that followed last time.
    next: usize,
}

impl KeyOrder {
    pub(super) fn new(schema: &Schema) -> KeyOrder {
        let beginning = Name { name: "".into(), is_plain: false, column: None, next: 0 };
        let names_max = schema.fields().len() + STRANGERS_MAX;
        let mut order = KeyOrder { names: vec![beginning], places: HashMap::new(), names_max };
        for (column, field) in schema.fields().iter().enumerate() {
            let place = order.insert(&field.name, Some(column));
            order.names[place - 1].next = place;
        }
        order
    }

    /// Returns the column that a key names, if any. `place` is that of the key before it and becomes that of this key.
    #[inline]
    pub(super) fn column(&mut self, key: &str, place: &mut Place) -> Option<usize> {
        let guess = self.names[place.0].next;
        let guessed = &self.names[guess];
        if is_same(guessed.name.as_bytes(), key.as_bytes()) && guess != 0 {
            *place = Place(guess);
            return guessed.column;
        }
        self.find(key, guess, place)
    }

    /// Compares what follows a quote with the key that came next the last time. If it is that one, with its closing quote,
    /// returns the length of the key and the column that it names, and goes on to its place.
    #[inline]
    pub(super) fn expected(&self, text: &[u8], place: &mut Place) -> Option<(usize, Option<usize>)> {
        let guess = self.names[place.0].next;
        let Name { name, is_plain: true, column, .. } = &self.names[guess] else { return None };
        let (key, rest) = text.split_at_checked(name.len())?;
        let is_expected = rest.first() == Some(&b'"') && is_same(name.as_bytes(), key);
        is_expected.then(|| {
            *place = Place(guess);
            (key.len(), *column)
        })
    }

    #[cold]
    fn find(&mut self, key: &str, guess: usize, place: &mut Place) -> Option<usize> {
        let second = self.names[guess].next;
        if is_same(self.names[second].name.as_bytes(), key.as_bytes()) && second != 0 {
            // Most likely a key was left out this once: the order is kept.
            *place = Place(second);
            return self.names[second].column;
        }
        let found = match self.places.get(key) {
            Some(found) => *found,
            None if self.names.len() > self.names_max || key.len() > NAME_BYTES_MAX => return None,
            None => self.insert(key, None),
        };
        self.names[place.0].next = found;
        *place = Place(found);
        self.names[found].column
    }

    fn insert(&mut self, name: &str, column: Option<usize>) -> usize {
        let place = self.names.len();
        let is_plain = first_special(name.as_bytes()).is_none();
        self.names.push(Name { name: name.into(), is_plain, column, next: 0 });
        self.places.insert(name.into(), place);
        place
    }
}

/// Compares names of common lengths by their first and last word, which is quicker than a call.
#[inline]
fn is_same(name: &[u8], key: &[u8]) -> bool {
    if name.len() != key.len() {
        return false;
    }
    match key.len() {
        8..=16 => name.first_chunk::<8>() == key.first_chunk() && name.last_chunk::<8>() == key.last_chunk(),
        4..8 => name.first_chunk::<4>() == key.first_chunk() && name.last_chunk::<4>() == key.last_chunk(),
        2..4 => name.first_chunk::<2>() == key.first_chunk() && name.last_chunk::<2>() == key.last_chunk(),
        _ => name == key,
    }
}
