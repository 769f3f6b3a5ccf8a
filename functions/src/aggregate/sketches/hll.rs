//! The HyperLogLog of stream-lib, which Pinot stores and returns: its hash, its registers and its bytes.

use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;

use super::sketch::{Item, Sketch};

const MULTIPLIER: u32 = 0x5bd1_e995;
/// Registers of five bits in a word.
const REGISTERS_A_WORD: usize = 6;
const REGISTER_BITS: usize = 5;
const REGISTER_MAX: u32 = 31;
/// More registers than this no answer needs: a gigabyte.
const LOG2_REGISTERS_MAX: u8 = 30;

/// A HyperLogLog of one group.
pub(crate) struct Hll {
    log2_registers: u8,
    words: Vec<u32>,
}

impl Hll {
    fn with_registers(log2_registers: u8) -> Hll {
        let whole = (1_usize << log2_registers) / REGISTERS_A_WORD;
        // The library leaves the last word out where the whole ones fill words of 32.
        let words = if whole == 0 {
            1
        } else if whole.is_multiple_of(32) {
            whole
        } else {
            whole + 1
        };
        Hll { log2_registers, words: vec![0; words] }
    }

    fn registers(&self) -> impl Iterator<Item = u32> + '_ {
        (0..1_usize << self.log2_registers).map(|register| self.register(register))
    }

    fn register(&self, register: usize) -> u32 {
        let (word, shift) = place(register);
        self.words[word] >> shift & REGISTER_MAX
    }

    fn raise(&mut self, register: usize, value: u32) {
        if self.register(register) < value {
            let (word, shift) = place(register);
            self.words[word] = self.words[word] & !(REGISTER_MAX << shift) | value.min(REGISTER_MAX) << shift;
        }
    }

    fn offer_hash(&mut self, hash: u32) {
        if self.log2_registers == 0 {
            return;
        }
        let log2 = u32::from(self.log2_registers);
        let register = (hash >> (u32::BITS - log2)) as usize;
        let rest = hash << log2 | ((1 << (log2 - 1)) + 1);
        self.raise(register, rest.leading_zeros() + 1);
    }
}

fn place(register: usize) -> (usize, usize) {
    (register / REGISTERS_A_WORD, register % REGISTERS_A_WORD * REGISTER_BITS)
}

impl Sketch for Hll {
    /// The logarithm of the number of registers.
    type Settings = u8;

    fn new(log2_registers: &u8) -> Result<Hll> {
        match *log2_registers {
            log2 @ 1..=LOG2_REGISTERS_MAX => Ok(Hll::with_registers(log2)),
            other => plan_err!("a HyperLogLog has 2^1 to 2^{LOG2_REGISTERS_MAX} registers, not 2^{other}"),
        }
    }

    fn offer(&mut self, item: Item<'_>) {
        self.offer_hash(match item {
            Item::Long(value) => hash_long(value.cast_unsigned()),
            Item::Float(value) => hash_long(i64::from(value.to_bits().cast_signed()).cast_unsigned()),
            Item::Double(value) => hash_long(value.to_bits()),
            Item::Text(value) => hash_bytes(value.as_bytes()),
            Item::Bytes(value) => hash_bytes(value),
        });
    }

    /// The first sketch of a group decides how many registers there are, as in Pinot.
    fn merge(&mut self, _: &u8, bytes: &[u8]) -> Result<()> {
        let Some(other) = read(bytes) else {
            return exec_err!("{} bytes are no serialised HyperLogLog", bytes.len());
        };
        if self.words.iter().all(|word| *word == 0) {
            *self = other;
            return Ok(());
        }
        if self.log2_registers != other.log2_registers {
            return exec_err!(
                "HyperLogLogs of 2^{} and 2^{} registers cannot be merged",
                self.log2_registers,
                other.log2_registers
            );
        }
        for (register, value) in other.registers().enumerate() {
            self.raise(register, value);
        }
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 4 * self.words.len());
        bytes.extend(u32::from(self.log2_registers).to_be_bytes());
        bytes.extend(u32::try_from(4 * self.words.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.words.iter().for_each(|word| bytes.extend(word.to_be_bytes()));
        bytes
    }

    #[expect(clippy::cast_possible_truncation, reason = "an estimate of up to 2^32 hashes")]
    fn estimate(&self) -> i64 {
        let registers = (1_u64 << self.log2_registers) as f64;
        let (mut sum, mut zeros) = (0.0, 0_u32);
        for value in self.registers() {
            sum += 1.0 / (1_u64 << value) as f64;
            zeros += u32::from(value == 0);
        }
        let alpha = match self.log2_registers {
            4 => 0.673,
            5 => 0.697,
            6 => 0.709,
            _ => 0.7213 / (1.0 + 1.079 / registers),
        };
        let estimate = alpha * registers * registers / sum;
        if estimate <= 2.5 * registers && zeros > 0 {
            return (registers * (registers / f64::from(zeros)).ln()).round() as i64;
        }
        estimate.round() as i64
    }

    fn heap_bytes(&self) -> usize {
        4 * self.words.capacity()
    }
}

fn read(bytes: &[u8]) -> Option<Hll> {
    let (log2, rest) = bytes.split_first_chunk()?;
    let (_, words) = rest.split_first_chunk::<4>()?;
    let log2 = u8::try_from(u32::from_be_bytes(*log2)).ok().filter(|log2| (1..=24).contains(log2))?;
    let mut hll = Hll::with_registers(log2);
    if words.len() != 4 * hll.words.len() {
        return None;
    }
    for (word, bytes) in hll.words.iter_mut().zip(words.chunks_exact(4)) {
        *word = u32::from_be_bytes(bytes.try_into().ok()?);
    }
    Some(hll)
}

fn finish(mut hash: u32) -> u32 {
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ hash >> 15
}

fn hash_long(value: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "each half in turn")]
    let mixed = |half: u64| {
        let word = (half as u32).wrapping_mul(MULTIPLIER);
        (word ^ word >> 24).wrapping_mul(MULTIPLIER)
    };
    finish(mixed(value).wrapping_mul(MULTIPLIER) ^ mixed(value >> 32))
}

/// MurmurHash2 as stream-lib has it: the last one to three bytes are read the other way round, and with their sign.
fn hash_bytes(bytes: &[u8]) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "a Java array is no longer")]
    let mut hash = u32::MAX ^ bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word ^= word >> 24;
        hash = hash.wrapping_mul(MULTIPLIER) ^ word.wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        for (position, byte) in rest.iter().rev().enumerate() {
            hash ^= i32::from(byte.cast_signed()).cast_unsigned() << (8 * position);
        }
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    finish(hash)
}
