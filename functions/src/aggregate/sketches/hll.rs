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

/// A HyperLogLog of one group, with a byte a register.
pub(crate) struct Hll {
    log2_registers: u8,
    registers: Vec<u8>,
}

impl Hll {
    fn with_registers(log2_registers: u8) -> Hll {
        Hll { log2_registers, registers: vec![0; 1 << log2_registers] }
    }
}

/// Raises the register that a hash falls on, in the HyperLogLog of a group; those of all groups follow on each other.
#[inline]
pub(super) fn offer_hash(registers: &mut [u8], group: usize, log2_registers: u8, hash: u32) {
    let log2 = u32::from(log2_registers);
    let rest = hash << log2 | ((1 << (log2 - 1)) + 1);
    let register = &mut registers[(group << log2) + (hash >> (u32::BITS - log2)) as usize];
    offer_rank(register, rest.leading_zeros() + 1);
}

/// Raises a register to a number of leading zeros and one more.
#[inline]
pub(super) fn offer_rank(register: &mut u8, rank: u32) {
    let value = rank.min(REGISTER_MAX) as u8;
    // Most hashes raise nothing, and a write would hold up the next reading.
    if *register < value {
        *register = value;
    }
}

/// Raises each register to that of another HyperLogLog of as many.
pub(super) fn raise_all(registers: &mut [u8], others: &[u8]) {
    for (register, other) in registers.iter_mut().zip(others) {
        *register = (*register).max(*other);
    }
}

/// Returns the bytes that Pinot stores: registers of five bits, six in a word.
pub(super) fn to_bytes(registers: &[u8]) -> Vec<u8> {
    let words = words_of(registers.len());
    let mut bytes = Vec::with_capacity(8 + 4 * words);
    bytes.extend(registers.len().ilog2().to_be_bytes());
    bytes.extend(u32::try_from(4 * words).unwrap_or(u32::MAX).to_be_bytes());
    write_registers(registers, &mut bytes);
    bytes
}

/// Writes registers, six in a word. Small and odd sizes have a word more than their registers fill.
pub(super) fn write_registers(registers: &[u8], bytes: &mut Vec<u8>) {
    let end = bytes.len() + 4 * words_of(registers.len());
    for registers in registers.chunks(REGISTERS_A_WORD) {
        let word =
            registers.iter().rev().fold(0, |word, register| word << REGISTER_BITS | u32::from(*register));
        bytes.extend(word.to_be_bytes());
    }
    bytes.resize(end, 0);
}

/// Reads as many registers as there is room for; nothing when the bytes are not of this size.
pub(super) fn read_registers(bytes: &[u8], registers: &mut [u8]) -> Option<()> {
    if bytes.len() != 4 * words_of(registers.len()) {
        return None;
    }
    let (words, _) = bytes.as_chunks::<4>();
    for (registers, word) in registers.chunks_mut(REGISTERS_A_WORD).zip(words) {
        let word = u32::from_be_bytes(*word);
        for (position, register) in registers.iter_mut().enumerate() {
            *register = u8::try_from(word >> (REGISTER_BITS * position) & REGISTER_MAX).ok()?;
        }
    }
    Some(())
}

/// Returns how many words the library has for so many registers.
pub(super) fn words_of(registers: usize) -> usize {
    match registers / REGISTERS_A_WORD {
        0 => 1,
        // It leaves the last word out where the whole ones fill words of 32.
        whole if whole.is_multiple_of(32) => whole,
        whole => whole + 1,
    }
}

/// Returns about how many hashes were offered.
#[expect(clippy::cast_possible_truncation, reason = "an estimate of up to 2^32 hashes")]
pub(super) fn estimate(registers: &[u8]) -> i64 {
    let (mut sum, mut zeros) = (0.0, 0_u32);
    for value in registers {
        sum += 1.0 / (1_u64 << value) as f64;
        zeros += u32::from(*value == 0);
    }
    let count = registers.len() as f64;
    let alpha = match registers.len() {
        16 => 0.673,
        32 => 0.697,
        64 => 0.709,
        _ => 0.7213 / (1.0 + 1.079 / count),
    };
    let estimate = alpha * count * count / sum;
    if estimate <= 2.5 * count && zeros > 0 {
        return (count * (count / f64::from(zeros)).ln()).round() as i64;
    }
    estimate.round() as i64
}

/// Returns the hash that stream-lib has of a value.
#[inline(always)]
pub(super) fn hash(item: Item<'_>) -> u32 {
    match item {
        Item::Int(value) => hash_long(i64::from(value).cast_unsigned()),
        Item::Long(value) => hash_long(value.cast_unsigned()),
        Item::Float(value) => hash_long(i64::from(value.to_bits().cast_signed()).cast_unsigned()),
        Item::Double(value) => hash_long(value.to_bits()),
        Item::Text(value) => hash_bytes(value.as_bytes()),
        Item::Bytes(value) => hash_bytes(value),
    }
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
        offer_hash(&mut self.registers, 0, self.log2_registers, hash(item));
    }

    /// The first sketch of a group decides how many registers there are, as in Pinot.
    fn merge(&mut self, _: &u8, bytes: &[u8]) -> Result<()> {
        let Some(other) = read(bytes) else {
            return exec_err!("{} bytes are no serialised HyperLogLog", bytes.len());
        };
        if self.registers.iter().all(|register| *register == 0) {
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
        raise_all(&mut self.registers, &other.registers);
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&self.registers)
    }

    fn estimate(&self) -> i64 {
        estimate(&self.registers)
    }

    fn heap_bytes(&self) -> usize {
        self.registers.capacity()
    }
}

fn read(bytes: &[u8]) -> Option<Hll> {
    let (log2, rest) = bytes.split_first_chunk()?;
    let (_, words) = rest.split_first_chunk::<4>()?;
    let log2 = u8::try_from(u32::from_be_bytes(*log2)).ok().filter(|log2| (1..=24).contains(log2))?;
    let mut hll = Hll::with_registers(log2);
    read_registers(words, &mut hll.registers).map(|()| hll)
}

#[inline(always)]
fn finish(mut hash: u32) -> u32 {
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ hash >> 15
}

#[inline(always)]
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
