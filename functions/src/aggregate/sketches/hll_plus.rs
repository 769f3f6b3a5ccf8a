//! The HyperLogLogPlus of stream-lib: its hash, its registers and its bytes.
//!
//! Sparse sketches are read and kept as registers; Pinot makes none unless a call asks for a sparse precision.

use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;

use super::hll::{offer_rank, raise_all, read_registers, words_of, write_registers};
use super::sketch::{Item, Sketch};
use crate::scalar::hash::murmur_of_stream_lib;
use crate::scalar::number::{double_text, float_text};

/// The version, which stands negated before everything else.
const VERSION: i32 = -2;
const NORMAL: u32 = 0;
const SPARSE: u32 = 1;
/// Estimates below these are counts of empty registers, by the precision less 4.
const LINEAR_BELOW: [f64; 15] = [
    10.0, 20.0, 40.0, 80.0, 220.0, 400.0, 900.0, 1800.0, 3100.0, 6500.0, 11_500.0, 20_000.0, 50_000.0,
    120_000.0, 350_000.0,
];
const PRECISION_MAX: u8 = 24;
/// The largest number in a register of five bits.
const RANK_MAX: usize = 31;

/// How a HyperLogLogPlus is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Precision {
    pub(crate) normal: u8,
    pub(crate) sparse: u8,
}

/// A HyperLogLogPlus of one group, with a byte a register.
pub(crate) struct HllPlus {
    precision: Precision,
    registers: Vec<u8>,
}

impl HllPlus {
    fn offer_hash(&mut self, hash: u64) {
        let precision = u32::from(self.precision.normal);
        #[expect(clippy::cast_possible_truncation, reason = "as many bits as there are registers")]
        let register = (hash >> (u64::BITS - precision)) as usize;
        let rest = hash << precision | 1 << (precision - 1);
        offer_rank(&mut self.registers[register], rest.leading_zeros() + 1);
    }

    /// Takes an entry of a sparse sketch in.
    fn offer_sparse(&mut self, entry: u32) {
        let (normal, sparse) = (u32::from(self.precision.normal), u32::from(self.precision.sparse));
        let has_rank = entry & 1 == 1;
        let index = if has_rank { entry >> 7 } else { entry >> 1 };
        let rank = match has_rank {
            true => entry >> 1 & 63 ^ 63,
            false => entry.checked_shl(normal + 31 - sparse.min(31)).unwrap_or(0).leading_zeros() + 1,
        };
        let register = index.checked_shr(sparse - normal).unwrap_or(0) as usize;
        if let Some(register) = self.registers.get_mut(register) {
            offer_rank(register, rank);
        }
    }
}

impl Sketch for HllPlus {
    type Settings = Precision;

    fn new(precision: &Precision) -> Result<HllPlus> {
        match precision.normal {
            4..=PRECISION_MAX => {
                Ok(HllPlus { precision: *precision, registers: vec![0; 1 << precision.normal] })
            }
            other => plan_err!("a HyperLogLogPlus has a precision of 4 to {PRECISION_MAX}, not {other}"),
        }
    }

    /// Numbers are hashed as their texts.
    fn offer(&mut self, item: Item<'_>) {
        self.offer_hash(match item {
            Item::Int(value) => murmur_of_stream_lib(value.to_string().as_bytes()),
            Item::Long(value) => murmur_of_stream_lib(value.to_string().as_bytes()),
            Item::Float(value) => murmur_of_stream_lib(float_text(value).as_bytes()),
            Item::Double(value) => murmur_of_stream_lib(double_text(value).as_bytes()),
            Item::Text(value) => murmur_of_stream_lib(value.as_bytes()),
            Item::Bytes(value) => murmur_of_stream_lib(value),
        });
    }

    /// The first sketch of a group decides how many registers there are, as in Pinot.
    fn merge(&mut self, _: &Precision, bytes: &[u8]) -> Result<()> {
        let Some(other) = read(bytes) else {
            return exec_err!("{} bytes are no serialised HyperLogLogPlus", bytes.len());
        };
        if self.registers.iter().all(|register| *register == 0) {
            *self = other;
            return Ok(());
        }
        if self.registers.len() != other.registers.len() {
            return exec_err!(
                "HyperLogLogPlus sketches of the precisions {} and {} cannot be merged",
                self.precision.normal,
                other.precision.normal
            );
        }
        raise_all(&mut self.registers, &other.registers);
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let words = words_of(self.registers.len());
        let mut bytes = VERSION.to_be_bytes().to_vec();
        for number in [self.precision.normal.into(), self.precision.sparse.into(), NORMAL] {
            put_varint(&mut bytes, number);
        }
        put_varint(&mut bytes, u32::try_from(4 * words).unwrap_or(u32::MAX));
        write_registers(&self.registers, &mut bytes);
        bytes
    }

    #[expect(clippy::cast_possible_truncation, reason = "an estimate of distinct values")]
    fn estimate(&self) -> i64 {
        let mut counts = [0_u32; RANK_MAX + 1];
        for rank in &self.registers {
            counts[usize::from(*rank).min(RANK_MAX)] += 1;
        }
        let registers = self.registers.len() as f64;
        if counts[0] > 0 {
            let linear = registers * (registers / f64::from(counts[0])).ln();
            let below = LINEAR_BELOW.get(usize::from(self.precision.normal) - 4);
            if below.is_some_and(|below| linear < *below) {
                return linear.round() as i64;
            }
        }
        improved_estimate(registers, &counts).round() as i64
    }

    fn heap_bytes(&self) -> usize {
        self.registers.capacity()
    }
}

/// The estimate that Ertl found without tables of measured bias ("New cardinality estimation algorithms for HyperLogLog
/// sketches", 2017), from how many registers hold each number.
fn improved_estimate(registers: f64, counts: &[u32; RANK_MAX + 1]) -> f64 {
    let full = f64::from(counts[RANK_MAX]);
    let mut sum = registers * tau(1.0 - full / registers);
    for count in counts[1..RANK_MAX].iter().rev() {
        sum = 0.5 * (sum + f64::from(*count));
    }
    sum += registers * sigma(f64::from(counts[0]) / registers);
    registers * registers / (2.0 * std::f64::consts::LN_2 * sum)
}

/// The share of registers that are still empty.
fn sigma(empty: f64) -> f64 {
    if empty >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut weight, mut sum) = (empty, 1.0, empty);
    loop {
        power *= power;
        let before = sum;
        sum += power * weight;
        weight += weight;
        if sum == before {
            return sum;
        }
    }
}

/// The share of registers that can rise no further.
fn tau(below: f64) -> f64 {
    if below <= 0.0 || below >= 1.0 {
        return 0.0;
    }
    let (mut root, mut weight, mut sum) = (below, 1.0, 1.0 - below);
    loop {
        root = root.sqrt();
        weight *= 0.5;
        let before = sum;
        sum -= (1.0 - root).powi(2) * weight;
        if sum == before {
            return sum / 3.0;
        }
    }
}

fn put_varint(bytes: &mut Vec<u8>, number: u32) {
    let mut rest = number;
    while rest > 0x7f {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push((rest & 0x7f) as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn read(bytes: &[u8]) -> Option<HllPlus> {
    let (version, mut rest) = bytes.split_first_chunk()?;
    if i32::from_be_bytes(*version) >= 0 {
        return None;
    }
    let small = |rest: &mut &[u8]| u8::try_from(take_varint(rest)?).ok();
    let precision = Precision { normal: small(&mut rest)?, sparse: small(&mut rest)? };
    let form = take_varint(&mut rest)?;
    let size = take_varint(&mut rest)? as usize;
    let mut read = HllPlus::new(&precision).ok()?;
    match form {
        NORMAL if size == rest.len() => read_registers(rest, &mut read.registers).map(|()| read),
        SPARSE if precision.sparse >= precision.normal && precision.sparse <= 32 => {
            let mut entry = 0_u32;
            for _ in 0..size {
                entry = entry.wrapping_add(take_varint(&mut rest)?);
                read.offer_sparse(entry);
            }
            Some(read)
        }
        _ => None,
    }
}
