//! Numbers for the texts of a table's columns, the same in every segment and for every query.
//!
//! A sealed segment has a dictionary of its own, so a text has another id in each segment. Queries that group by a column of
//! many texts would hash each of them once a segment, again and again. Here a text gets a number when a query first meets
//! it, and each dictionary remembers the numbers of its ids.
//!
//! Numbers are kept in memory only, and up to a budget: beyond it later queries begin anew.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use hashbrown::HashTable;
use parking_lot::{Mutex, RwLock};

use crate::dictionary::Dictionary;

/// What the numbers of one table's columns may take. Higher: columns of more different texts are grouped by without hashing.
const TABLE_BYTES_MAX: usize = 128 << 20;
/// Not numbered yet.
const UNKNOWN: u32 = u32::MAX;

/// Byte strings numbered from zero, in order of first sight.
#[derive(Debug, Default)]
pub struct BytesInterner {
    numbers: HashTable<u32>,
    /// Where each value ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl BytesInterner {
    /// Returns the number of a value, a new one if it has none yet.
    pub fn intern(&mut self, value: &[u8]) -> u32 {
        let hash = hash_bytes(value);
        if let Some(number) = self.find(hash, value) {
            return number;
        }
        let BytesInterner { numbers, ends, bytes } = self;
        let number = u32::try_from(ends.len()).expect("fewer than 2^32 values are numbered");
        numbers.insert_unique(hash, number, |&number| hash_bytes(value_at(ends, bytes, number as usize)));
        bytes.extend_from_slice(value);
        ends.push(bytes.len());
        number
    }

    fn find(&self, hash: u64, value: &[u8]) -> Option<u32> {
        self.numbers.find(hash, |&number| self.value(number) == value).copied()
    }

    /// Returns how many values are numbered.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether no value is.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the value of a number.
    pub fn value(&self, number: u32) -> &[u8] {
        value_at(&self.ends, &self.bytes, number as usize)
    }

    /// Returns the memory that values and numbers take.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>() + self.numbers.allocation_size()
    }
}

fn value_at<'a>(ends: &[usize], bytes: &'a [u8], number: usize) -> &'a [u8] {
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &bytes[start..ends[number]]
}

fn hash_bytes(value: &[u8]) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(value);
    hasher.finish()
}

/// The numbers of one table's columns.
#[derive(Debug, Default)]
pub struct TableNumbers {
    columns: Mutex<HashMap<Arc<str>, Arc<TextNumbers>>>,
}

impl TableNumbers {
    /// Returns the numbers of a column, for one query.
    pub fn column(&self, name: &Arc<str>) -> Arc<TextNumbers> {
        let mut columns = self.columns.lock();
        if columns.values().map(|numbers| numbers.memory_bytes()).sum::<usize>() > TABLE_BYTES_MAX {
            // Queries that run keep theirs until they end.
            columns.clear();
        }
        Arc::clone(columns.entry(Arc::clone(name)).or_default())
    }
}

/// The numbers of one column's texts or bytes.
#[derive(Debug, Default)]
pub struct TextNumbers {
    values: RwLock<BytesInterner>,
    /// By address, which the weak reference keeps from being used again.
    dictionaries: Mutex<HashMap<usize, DictionaryNumbers>>,
}

type DictionaryNumbers = (Weak<Dictionary>, Arc<IdNumbers>);

impl TextNumbers {
    /// Returns the number of a value.
    pub fn number(&self, value: &[u8]) -> u32 {
        let known = self.values.read().find(hash_bytes(value), value);
        known.unwrap_or_else(|| self.values.write().intern(value))
    }

    /// Returns what is known of the numbers of a dictionary's ids, to be added to.
    pub fn of_dictionary(&self, dictionary: &Arc<Dictionary>) -> Arc<IdNumbers> {
        let mut dictionaries = self.dictionaries.lock();
        if let Some((_, numbers)) = dictionaries.get(&address(dictionary)) {
            return Arc::clone(numbers);
        }
        dictionaries.retain(|_, (dictionary, _)| dictionary.strong_count() > 0);
        let numbers = Arc::new(IdNumbers((0..dictionary.len()).map(|_| AtomicU32::new(UNKNOWN)).collect()));
        dictionaries.insert(address(dictionary), (Arc::downgrade(dictionary), Arc::clone(&numbers)));
        numbers
    }

    /// Calls `f` with all values numbered so far.
    pub fn with_values<R>(&self, f: impl FnOnce(&BytesInterner) -> R) -> R {
        f(&self.values.read())
    }

    /// Returns the memory that values and numbers take.
    pub fn memory_bytes(&self) -> usize {
        let ids: usize = self.dictionaries.lock().values().map(|(_, numbers)| numbers.0.len()).sum();
        ids * size_of::<AtomicU32>() + self.values.read().memory_bytes()
    }
}

fn address(dictionary: &Arc<Dictionary>) -> usize {
    Arc::as_ptr(dictionary).addr()
}

/// The numbers of the ids of one dictionary, as far as queries have asked for them.
#[derive(Debug)]
pub struct IdNumbers(Box<[AtomicU32]>);

impl IdNumbers {
    /// Returns the number of an id, if it is known.
    pub fn get(&self, id: u32) -> Option<u32> {
        // What was numbered before the number was noted can be read by whoever reads the number.
        let number = self.0[id as usize].load(Ordering::Acquire);
        (number != UNKNOWN).then_some(number)
    }

    /// Notes the number of an id.
    pub fn set(&self, id: u32, number: u32) {
        self.0[id as usize].store(number, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    #[test]
    fn a_text_has_one_number_in_all_dictionaries() {
        let numbers = TextNumbers::default();
        let dictionary = |texts: &[&str]| {
            Arc::new(Dictionary::of_values(Arc::new(StringArray::from(texts.to_vec())), true))
        };
        let (first, second) = (dictionary(&["a", "b"]), dictionary(&["b", "c"]));
        numbers.of_dictionary(&first).set(1, numbers.number(b"b"));
        assert_eq!(numbers.of_dictionary(&first).get(1), Some(numbers.number(b"b")));
        assert_eq!(numbers.of_dictionary(&second).get(0), None);
        assert_eq!(numbers.with_values(BytesInterner::len), 1);
        assert_ne!(numbers.number(b"c"), numbers.number(b"b"));
    }

    #[test]
    fn numbers_of_dictionaries_that_are_gone_are_dropped() {
        let numbers = TextNumbers::default();
        for _ in 0..10 {
            let dictionary =
                Arc::new(Dictionary::of_values(Arc::new(StringArray::from(vec!["a"; 1000])), true));
            assert_eq!(numbers.of_dictionary(&dictionary).get(5), None);
            numbers.of_dictionary(&dictionary).set(5, 0);
        }
        assert!(numbers.memory_bytes() < 10_000);
    }
}
