//! The UltraLogLog of hash4j, which Pinot stores and returns: its hash, its registers and its estimate.
//!
//! A register holds the highest number of leading zeros that was seen, and whether the two numbers below it were (Ertl,
//! "UltraLogLog", 2023). Pinot writes the precision in a byte before the registers.

mod wyhash;

use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;

use self::wyhash::hash;
use super::sketch::{Item, Sketch};

const PRECISION_MIN: u8 = 3;
const PRECISION_MAX: u8 = 26;

/// An UltraLogLog of one group.
pub(crate) struct Ull {
    precision: u8,
    registers: Vec<u8>,
}

impl Ull {
    /// Reads the registers alone, without the precision before them.
    pub(crate) fn of_registers(registers: &[u8]) -> Option<Ull> {
        let precision = u8::try_from(registers.len().checked_ilog2()?).ok()?;
        let fits = registers.len().is_power_of_two() && (PRECISION_MIN..=PRECISION_MAX).contains(&precision);
        fits.then(|| Ull { precision, registers: registers.to_vec() })
    }

    fn offer_hash(&mut self, hash: u64) {
        let precision = u32::from(self.precision);
        #[expect(clippy::cast_possible_truncation, reason = "as many bits as there are registers")]
        let register = &mut self.registers[(hash >> (u64::BITS - precision)) as usize];
        let zeros = (hash << precision).leading_zeros().min(u64::BITS - precision);
        *register = packed(unpacked(*register) | 1 << (zeros + precision - 1));
    }

    /// Takes in a sketch of the same or a larger precision.
    fn add(&mut self, other: &Ull) {
        let of_one = other.registers.len() / self.registers.len();
        let wider = u32::from(other.precision);
        for (register, others) in self.registers.iter_mut().zip(other.registers.chunks(of_one)) {
            let mut seen = unpacked(*register) | unpacked(others[0]);
            for (place, other) in others.iter().enumerate().skip(1) {
                if *other != 0 {
                    // What told the registers apart is zeros of the hash here.
                    seen |= 1 << ((place as u64).leading_zeros() + wider - 1).min(63);
                }
            }
            if seen != 0 {
                *register = packed(seen);
            }
        }
    }
}

/// Returns the numbers of leading zeros that a register says were seen, one bit each.
fn unpacked(register: u8) -> u64 {
    let (highest, below) = (register >> 2, u64::from(register & 3));
    match highest {
        0 => 0,
        1 => (4 | below) >> 1,
        _ => (4 | below) << (highest - 2),
    }
}

/// The highest bit, and the two below it.
fn packed(seen: u64) -> u8 {
    let highest = seen.ilog2();
    let below = seen << (u64::BITS - highest).min(63) >> 62;
    #[expect(clippy::cast_possible_truncation, reason = "six bits and two")]
    let register = (highest << 2) as u8 | (below & 3) as u8;
    register
}

impl Sketch for Ull {
    /// The logarithm of the number of registers.
    type Settings = u8;

    fn new(precision: &u8) -> Result<Ull> {
        match *precision {
            PRECISION_MIN..=PRECISION_MAX => {
                Ok(Ull { precision: *precision, registers: vec![0; 1 << precision] })
            }
            other => {
                plan_err!("an UltraLogLog has a precision of {PRECISION_MIN} to {PRECISION_MAX}, not {other}")
            }
        }
    }

    fn offer(&mut self, item: Item<'_>) {
        self.offer_hash(match item {
            Item::Int(value) => hash(&value.to_le_bytes()),
            Item::Long(value) => hash(&value.to_le_bytes()),
            Item::Float(value) => hash(&value.to_bits().to_le_bytes()),
            Item::Double(value) => hash(&value.to_bits().to_le_bytes()),
            Item::Text(value) => {
                let units: Vec<u16> = value.encode_utf16().collect();
                let mut bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
                bytes.extend(u32::try_from(units.len()).unwrap_or(u32::MAX).to_le_bytes());
                hash(&bytes)
            }
            Item::Bytes(value) => hash(value),
        });
    }

    /// The first sketch of a group decides how many registers there are, as in Pinot.
    fn merge(&mut self, _: &u8, bytes: &[u8]) -> Result<()> {
        let other = bytes.split_first().and_then(|(precision, registers)| {
            Ull::of_registers(registers).filter(|other| other.precision == *precision)
        });
        let Some(other) = other else {
            return exec_err!("{} bytes are no serialised UltraLogLog", bytes.len());
        };
        if self.registers.iter().all(|register| *register == 0) {
            *self = other;
            return Ok(());
        }
        if other.precision < self.precision {
            return exec_err!(
                "an UltraLogLog of precision {} cannot be merged into one of {}",
                other.precision,
                self.precision
            );
        }
        self.add(&other);
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        [&[self.precision], &*self.registers].concat()
    }

    /// The registers alone, as hash4j reads them.
    fn to_answer(&self) -> Vec<u8> {
        self.registers.clone()
    }

    #[expect(clippy::cast_possible_truncation, reason = "an estimate of distinct values")]
    fn estimate(&self) -> i64 {
        estimate(self.precision, &self.registers).round() as i64
    }

    fn heap_bytes(&self) -> usize {
        self.registers.capacity()
    }
}

/// What registers that end in 00, 01, 10 and 11 weigh in the paper's estimator with the least variance, and its exponent.
const WEIGHTS: [f64; 4] =
    [4.663_135_422_063_788, 2.137_850_213_795_852_4, 2.781_144_650_979_996, 0.982_408_254_515_371_5];
const EXPONENT: f64 = 0.819_491_137_591_089_7;
/// The variance of that estimator times the number of registers.
const VARIANCE: f64 = 0.611_893_149_697_843_7;

/// Returns about how many hashes were offered.
fn estimate(precision: u8, registers: &[u8]) -> f64 {
    let count = registers.len() as f64;
    let half = 2_f64.powf(-EXPONENT);
    // Registers too small for all three of their bits to mean something: empty, and those of the two smallest numbers.
    let first = 4 * (i32::from(precision) + 1);
    let (mut empty, mut lowest, mut second, mut second_and_lowest) = (0.0, 0.0, 0.0, 0.0);
    let mut sum = 0.0;
    for register in registers {
        match i32::from(*register) - first {
            -8 => lowest += 1.0,
            -4 => second += 1.0,
            -2 => second_and_lowest += 1.0,
            place if place >= 0 => {
                sum += WEIGHTS[usize::from(register & 3)] * half.powi(3 + place / 4);
            }
            _ => empty += 1.0,
        }
    }
    let small = [empty, lowest, second, second_and_lowest];
    if small.iter().any(|count| *count > 0.0) {
        sum += small_part(count, small, half);
    }
    let unbiased = 1.0 + VARIANCE * (1.0 + EXPONENT) / (2.0 * count);
    count.powf(1.0 + 1.0 / EXPONENT) / unbiased * sum.powf(-1.0 / EXPONENT)
}

/// What the small registers add, by the probability that one of them is empty at its level.
fn small_part(count: f64, [empty, lowest, second, second_and_lowest]: [f64; 4], half: f64) -> f64 {
    let alpha = count + 3.0 * (empty + lowest + second + second_and_lowest);
    let beta = count - empty - lowest;
    let gamma = 4.0 * empty + 2.0 * lowest + 3.0 * second + second_and_lowest;
    let z = (((beta * beta + 4.0 * alpha * gamma).sqrt() - beta) / (2.0 * alpha)).powi(4);
    let [w0, w1, w2, w3] = WEIGHTS;
    let mut sum = 0.0;
    if empty > 0.0 {
        sum += empty * empty_part(z);
    }
    sum += lowest * half * psi(z);
    sum += half * half * (second * (z * (w0 - w1) + w1) + second_and_lowest * (z * (w2 - w3) + w3));
    sum
}

/// The mean weight of a register whose three bits come from a level where each is unset with probability `z`.
fn psi(z: f64) -> f64 {
    let [w0, w1, w2, w3] = WEIGHTS;
    let unset = z * z;
    unset * z * (w0 - w1 - w2 + w3) + unset * (w2 - w3) + z * (w1 - w3) + w3
}

/// The weight of an empty register: the sum over all levels below the first.
fn empty_part(z: f64) -> f64 {
    if z <= 0.0 {
        return WEIGHTS[3];
    }
    if z >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut weight, mut sum) = (z, 1.0, 0.0);
    loop {
        let next = power * power;
        let before = sum;
        sum += weight * (power - next) * psi(next);
        if sum <= before {
            return sum / z;
        }
        power = next;
        weight *= 2_f64.powf(EXPONENT);
    }
}
