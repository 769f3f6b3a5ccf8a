//! Where the entries of each dictionary id begin, when those of all ids lie side by side.
//!
//! Three forms, of which the builder takes the smallest:
//!
//! ```text
//! one_each   no buffer: every id has one entry
//! packed     ids + 1 bit-packed numbers: start of id 0 (which is 0), of id 1, …, and the number of entries
//! unary      a bit 1 for id 0, a bit 0 for each of its entries, a bit 1 for id 1, …; least significant bit first, zeros
//!            up to a multiple of 8 bytes. The start of id i is the number of zeros before the (i + 1)th one
//! ```

use std::ops::Range;

use arrow::buffer::Buffer;
use serde::{Deserialize, Serialize};

use super::BufferList;
use super::packed::{self, Packed};

/// Every so manieth one of a unary form is remembered: a look-up counts bits from the one before it.
const SAMPLE_EVERY: usize = 256;

/// Starts of entries by id.
#[derive(Debug, Clone)]
pub(super) struct Starts {
    form: Form,
    distinct: usize,
    entries: u32,
}

#[derive(Debug, Clone)]
enum Form {
    OneEach,
    Packed(Packed),
    Unary { bits: Buffer, samples: Vec<u32> },
}

/// A form as headers tell it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum StartsHeader {
    OneEach,
    Packed { width: u32 },
    Unary,
}

impl Starts {
    /// Returns the starts of ids that have so many entries each, together no more than a `u32` counts.
    pub(super) fn of_counts(counts: &[u32]) -> Starts {
        let distinct = counts.len();
        let entries: u32 = counts.iter().sum();
        let form = if counts.iter().all(|&count| count == 1) {
            Form::OneEach
        } else {
            let unary_bits = u64::from(entries) + distinct as u64;
            let packed_bits = (distinct as u64 + 1) * u64::from(packed::width_of(entries));
            if unary_bits < packed_bits && unary_bits < u64::from(u32::MAX) {
                unary(counts, entries)
            } else {
                Form::Packed(packed_starts(counts, entries))
            }
        };
        Starts { form, distinct, entries }
    }

    /// Opens the starts of `distinct` ids with `entries` entries together.
    pub(super) fn open(
        header: &StartsHeader,
        buffers: &mut BufferList<'_>,
        distinct: usize,
        entries: u32,
    ) -> Result<Starts, String> {
        let form = match *header {
            StartsHeader::OneEach if entries as usize != distinct => {
                return Err(format!("one entry each, but {entries} of {distinct} ids"));
            }
            StartsHeader::OneEach => Form::OneEach,
            StartsHeader::Packed { width } => {
                let starts = Packed::open(buffers.next()?, width, distinct.saturating_add(1))?;
                check_ascending(&starts, entries)?;
                Form::Packed(starts)
            }
            StartsHeader::Unary => {
                let bits = buffers.next()?;
                let samples = check_unary(&bits, distinct, entries)?;
                Form::Unary { bits, samples }
            }
        };
        Ok(Starts { form, distinct, entries })
    }

    pub(super) fn header(&self) -> StartsHeader {
        match &self.form {
            Form::OneEach => StartsHeader::OneEach,
            Form::Packed(starts) => StartsHeader::Packed { width: starts.width() },
            Form::Unary { .. } => StartsHeader::Unary,
        }
    }

    pub(super) fn buffer(&self) -> Option<&Buffer> {
        match &self.form {
            Form::OneEach => None,
            Form::Packed(starts) => Some(starts.buffer()),
            Form::Unary { bits, .. } => Some(bits),
        }
    }

    pub(super) fn distinct(&self) -> usize {
        self.distinct
    }

    pub(super) fn entries(&self) -> u32 {
        self.entries
    }

    /// Returns where the entries of `ids` begin and end. Ids behind the last have none.
    pub(super) fn range(&self, ids: &Range<u32>) -> Range<u32> {
        let start = self.start(ids.start as usize);
        start..self.start(ids.end as usize).max(start)
    }

    /// Returns how many entries the ids have.
    pub(super) fn count(&self, ids: &[Range<u32>]) -> u64 {
        ids.iter().map(|ids| self.range(ids)).map(|range| u64::from(range.end - range.start)).sum()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let samples = match &self.form {
            Form::Unary { samples, .. } => samples.capacity() * size_of::<u32>(),
            Form::OneEach | Form::Packed(_) => 0,
        };
        samples + self.buffer().map_or(0, Buffer::len)
    }

    fn start(&self, id: usize) -> u32 {
        if id >= self.distinct {
            return self.entries;
        }
        match &self.form {
            Form::OneEach => u32::try_from(id).expect("every id has an entry, and entries fit 32 bits"),
            Form::Packed(starts) => starts.get(id),
            Form::Unary { bits, samples } => zeros_before_one(bits, samples, id),
        }
    }
}

fn packed_starts(counts: &[u32], entries: u32) -> Packed {
    let mut starts = Vec::with_capacity(counts.len() + 1);
    let mut start = 0;
    starts.push(start);
    for count in counts {
        start += count;
        starts.push(start);
    }
    Packed::new(starts.into_iter(), entries)
}

fn check_ascending(starts: &Packed, entries: u32) -> Result<(), String> {
    let mut before = 0;
    for (id, start) in starts.iter(0..starts.len()).enumerate() {
        if start < before || (id == 0 && start != 0) {
            return Err(format!("entries of id {id} begin before those of the id before"));
        }
        before = start;
    }
    if before != entries {
        return Err(format!("{before} entries instead of {entries}"));
    }
    Ok(())
}

fn unary(counts: &[u32], entries: u32) -> Form {
    let mut words = vec![0_u64; (entries as usize + counts.len()).div_ceil(64)];
    let mut at = 0;
    for &count in counts {
        words[at / 64] |= 1 << (at % 64);
        at += 1 + count as usize;
    }
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let bits = Buffer::from_vec(bytes);
    let samples = sample_ones(&bits);
    Form::Unary { bits, samples }
}

/// Checks that a unary form tells of exactly these ids and entries, so that no look-up leaves it.
fn check_unary(bits: &Buffer, distinct: usize, entries: u32) -> Result<Vec<u32>, String> {
    let used = (entries as usize).checked_add(distinct).filter(|used| u32::try_from(*used).is_ok());
    let Some(used) = used.filter(|used| used.div_ceil(64) * 8 == bits.len()) else {
        return Err(format!("{distinct} ids and {entries} entries in {} bytes of unary numbers", bits.len()));
    };
    let ones: usize = words(bits).map(|word| word.count_ones() as usize).sum();
    let begins = bits.first().is_none_or(|byte| byte & 1 == 1);
    let behind = words(bits).last().filter(|_| used % 64 != 0).map_or(0, |word| word >> (used % 64));
    if ones != distinct || !begins || behind != 0 {
        return Err(format!("unary numbers do not tell of {distinct} ids and {entries} entries"));
    }
    Ok(sample_ones(bits))
}

/// Returns the places of the first one and of each [`SAMPLE_EVERY`]th from there.
#[expect(clippy::cast_possible_truncation, reason = "a unary form has fewer bits than a u32 counts")]
fn sample_ones(bits: &Buffer) -> Vec<u32> {
    let mut samples = Vec::new();
    let mut ones = 0;
    for (i, word) in words(bits).enumerate() {
        let ones_after = ones + word.count_ones() as usize;
        let next = samples.len() * SAMPLE_EVERY;
        if next < ones_after {
            // At most one lies in a word, as a word is shorter than the distance between two.
            const { assert!(SAMPLE_EVERY >= 64) };
            samples.push((i * 64) as u32 + nth_one(word, next - ones));
        }
        ones = ones_after;
    }
    samples
}

fn zeros_before_one(bits: &Buffer, samples: &[u32], id: usize) -> u32 {
    let sample = samples[id / SAMPLE_EVERY];
    let mut left = id % SAMPLE_EVERY;
    let mut word_start = sample & !63;
    let mut from = u64::MAX << (sample % 64);
    for word in words(&bits.as_slice()[word_start as usize / 8..]) {
        let word = word & std::mem::replace(&mut from, u64::MAX);
        let ones = word.count_ones() as usize;
        if left < ones {
            let place = word_start + nth_one(word, left);
            return place - u32::try_from(id).expect("a unary form has fewer bits than a u32 counts");
        }
        left -= ones;
        word_start += 64;
    }
    unreachable!("opening counted a one for every id")
}

/// Returns the place of the one that has `n` ones below it.
fn nth_one(mut word: u64, n: usize) -> u32 {
    for _ in 0..n {
        word &= word - 1;
    }
    word.trailing_zeros()
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests;
