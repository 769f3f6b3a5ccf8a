//! Sets of numbered values, one a group.

use hashbrown::HashSet;

use crate::error::Result;
use crate::key_space::{KeySpace, NULL};

/// A set turns from a hash table into bits when it holds this share of all numbers: the table then takes as much memory.
const BITS_SHARE: usize = 512;

/// The distinct values of each group.
#[derive(Debug, Default)]
pub(crate) struct DistinctSets {
    sets: Vec<NumberSet>,
    /// What the sets' members take.
    member_bytes: usize,
}

#[derive(Debug)]
enum NumberSet {
    Few(HashSet<u32, foldhash::fast::FixedState>),
    Bits { words: Vec<u64>, len: usize },
}

impl DistinctSets {
    pub(crate) fn grow(&mut self, groups: usize) {
        self.sets.resize_with(groups, || NumberSet::Few(HashSet::default()));
    }

    /// Adds the value of each row to its group; all rows are of group 0 when `groups` is not given. `numbers_len` is
    /// above every number.
    pub(crate) fn add(&mut self, groups: Option<&[u32]>, numbers: &[u32], numbers_len: usize) {
        match groups {
            None => {
                let set = &mut self.sets[0];
                let before = set.memory_bytes();
                set.expect(numbers.len(), numbers_len);
                if let NumberSet::Bits { words, len } = set {
                    // The only set of a query that groups by nothing: one loop, no look-up of the set.
                    words.resize(words.len().max(numbers_len.div_ceil(64)), 0);
                    for &number in numbers.iter().filter(|&&number| number != NULL) {
                        let (word, bit) = (&mut words[number as usize / 64], 1 << (number % 64));
                        *len += usize::from(*word & bit == 0);
                        *word |= bit;
                    }
                } else {
                    numbers.iter().for_each(|&number| _ = set.insert(number, numbers_len));
                }
                self.member_bytes = (self.member_bytes + set.memory_bytes()).saturating_sub(before);
            }
            Some(groups) => {
                for (&group, &number) in groups.iter().zip(numbers) {
                    self.member_bytes += self.sets[group as usize].insert(number, numbers_len);
                }
            }
        }
    }

    /// Adds the values of a group of another worker.
    pub(crate) fn merge(
        &mut self,
        group: usize,
        other: &DistinctSets,
        other_group: usize,
        mut translate: impl FnMut(u32) -> u32,
        numbers_len: usize,
    ) {
        let set = &mut self.sets[group];
        let mut grown = 0;
        other.sets[other_group].for_each(|number| grown += set.insert(translate(number), numbers_len));
        self.member_bytes += grown;
    }

    pub(crate) fn counts(&self, groups: usize) -> Vec<i64> {
        let counts = self.sets[..groups].iter().map(NumberSet::len);
        counts.map(|count| i64::try_from(count).unwrap_or(i64::MAX)).collect()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.sets.capacity() * size_of::<NumberSet>() + self.member_bytes
    }
}

impl NumberSet {
    /// Becomes bits at once when that many values are about to come.
    fn expect(&mut self, values: usize, numbers_len: usize) {
        if matches!(self, NumberSet::Few(_)) && values * BITS_SHARE > numbers_len {
            self.become_bits(numbers_len);
        }
    }

    fn become_bits(&mut self, numbers_len: usize) {
        let mut words = vec![0_u64; numbers_len.div_ceil(64)];
        let mut len = 0;
        self.for_each(|number| {
            words[number as usize / 64] |= 1 << (number % 64);
            len += 1;
        });
        *self = NumberSet::Bits { words, len };
    }

    /// Adds a number; returns by how many bytes the set grew.
    fn insert(&mut self, number: u32, numbers_len: usize) -> usize {
        if number == NULL {
            return 0;
        }
        match self {
            NumberSet::Few(few) => {
                let (room, bytes) = (few.capacity(), few.allocation_size());
                few.insert(number);
                if few.len() * BITS_SHARE > numbers_len && few.len() > 16 {
                    self.become_bits(numbers_len);
                } else if few.capacity() == room {
                    return 0;
                }
                self.memory_bytes().saturating_sub(bytes)
            }
            NumberSet::Bits { words, len } => {
                let place = number as usize / 64;
                let bytes = words.capacity() * size_of::<u64>();
                if place >= words.len() {
                    words.resize(numbers_len.div_ceil(64).max(place + 1), 0);
                }
                let bit = 1 << (number % 64);
                *len += usize::from(words[place] & bit == 0);
                words[place] |= bit;
                words.capacity() * size_of::<u64>() - bytes
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            NumberSet::Few(few) => few.len(),
            NumberSet::Bits { len, .. } => *len,
        }
    }

    fn for_each(&self, mut f: impl FnMut(u32)) {
        match self {
            NumberSet::Few(few) => few.iter().for_each(|&number| f(number)),
            NumberSet::Bits { words, .. } => {
                for (place, &word) in (0_u32..).zip(words) {
                    let mut rest = word;
                    while rest != 0 {
                        f(place * 64 + rest.trailing_zeros());
                        rest &= rest - 1;
                    }
                }
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            NumberSet::Few(few) => few.allocation_size(),
            NumberSet::Bits { words, .. } => words.capacity() * size_of::<u64>(),
        }
    }
}

/// Translates the numbers of one space into those of another, each once.
pub(crate) fn translation(space: &mut KeySpace, other: &KeySpace) -> Result<Option<Vec<u32>>> {
    if other.codes().is_some() {
        return Ok(None);
    }
    let numbers = 0..u32::try_from(other.len()).expect("numbers are 32 bits");
    Ok(Some(numbers.map(|number| space.translate(other, number)).collect()))
}
