//! Numbers for values, in order of first sight.

use hashbrown::HashTable;
pub(crate) use meunier_segment::text_numbers::BytesInterner;

/// Numbers whole numbers from zero.
#[derive(Debug, Default)]
pub(crate) struct IntInterner {
    numbers: HashTable<u32>,
    values: Vec<i64>,
}

impl IntInterner {
    /// Returns the number of a value.
    pub(crate) fn intern(&mut self, value: i64) -> u32 {
        let IntInterner { numbers, values } = self;
        let hash = hash_int(value);
        if let Some(&number) = numbers.find(hash, |&number| values[number as usize] == value) {
            return number;
        }
        let number = u32::try_from(values.len()).expect("fewer than 2^32 values are numbered");
        numbers.insert_unique(hash, number, |&number| hash_int(values[number as usize]));
        values.push(value);
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns the value of a number.
    pub(crate) fn value(&self, number: u32) -> i64 {
        self.values[number as usize]
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.values.capacity() * size_of::<i64>() + self.numbers.allocation_size()
    }
}

fn hash_int(value: i64) -> u64 {
    use std::hash::BuildHasher;
    foldhash::fast::FixedState::default().hash_one(value)
}

/// Numbers tuples of `width` numbers from zero.
#[derive(Debug)]
pub(crate) struct TupleInterner {
    /// The numbers of the first tuples; those behind were known to be new, and are put here when one is looked for.
    numbers: HashTable<u32>,
    width: usize,
    /// The tuples, one after the other.
    values: Vec<u32>,
    len: usize,
}

impl TupleInterner {
    pub(crate) fn new(width: usize) -> TupleInterner {
        TupleInterner { numbers: HashTable::new(), width, values: Vec::new(), len: 0 }
    }

    /// Returns the number of a tuple, and whether it is new.
    pub(crate) fn intern(&mut self, tuple: &[u32]) -> (u32, bool) {
        self.index_all();
        let TupleInterner { numbers, width, values, len } = self;
        let at = |number: u32| number as usize * *width..(number as usize + 1) * *width;
        let hash = hash_tuple(tuple);
        if let Some(&number) = numbers.find(hash, |&number| values[at(number)] == *tuple) {
            return (number, false);
        }
        let number = u32::try_from(*len).expect("fewer than 2^32 groups are numbered");
        numbers.insert_unique(hash, number, |&number| hash_tuple(&values[at(number)]));
        values.extend_from_slice(tuple);
        *len += 1;
        (number, true)
    }

    /// Returns the number of a tuple that is known to be new.
    pub(crate) fn push_new(&mut self, tuple: &[u32]) -> u32 {
        let number = u32::try_from(self.len).expect("fewer than 2^32 groups are numbered");
        self.values.extend_from_slice(tuple);
        self.len += 1;
        number
    }

    fn index_all(&mut self) {
        let TupleInterner { numbers, width, values, len } = self;
        if numbers.len() == *len {
            return;
        }
        let at = |number: u32| number as usize * *width..(number as usize + 1) * *width;
        let missing = u32::try_from(numbers.len()).expect("fewer than 2^32 groups are numbered")
            ..u32::try_from(*len).expect("fewer than 2^32 groups are numbered");
        numbers.reserve(missing.len(), |&number| hash_tuple(&values[at(number)]));
        for number in missing {
            let hash = hash_tuple(&values[at(number)]);
            numbers.insert_unique(hash, number, |&number| hash_tuple(&values[at(number)]));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the tuple of a number.
    pub(crate) fn value(&self, number: usize) -> &[u32] {
        &self.values[number * self.width..(number + 1) * self.width]
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.values.capacity() * size_of::<u32>() + self.numbers.allocation_size()
    }
}

fn hash_tuple(tuple: &[u32]) -> u64 {
    use std::hash::BuildHasher;
    match tuple {
        [only] => foldhash::fast::FixedState::default().hash_one(only),
        [a, b] => foldhash::fast::FixedState::default().hash_one(u64::from(*a) << 32 | u64::from(*b)),
        more => foldhash::fast::FixedState::default().hash_one(more),
    }
}
