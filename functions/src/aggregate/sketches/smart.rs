//! Counts of distinct values that are exact while there are few, and a HyperLogLog of 0.8 % beyond.
//!
//! Values are told apart by hashes of 64 bits, which for numbers are never the same; of a hundred thousand texts two have
//! the same hash once in four thousand million queries.

use datafusion::common::{DataFusionError, exec_datafusion_err, internal_err};
use datafusion::error::Result;
use datasketches::hll::{HllSketch, HllType, HllUnion};
use hashbrown::HashSet;

use super::sketch::{Item, Sketch};
use crate::aggregate::counts::hash_of;
use crate::aggregate::percentile::order::key_of;
use crate::aggregate::serial::{Reader, Write};

/// The logarithm of the registers beyond the threshold.
const LOG2_REGISTERS: u8 = 14;
const EXACT: u8 = 0;
const ESTIMATED: u8 = 1;

/// The distinct values of one group.
pub(crate) struct Smart {
    threshold: usize,
    values: Values,
}

enum Values {
    Exact(HashSet<u64, foldhash::fast::FixedState>),
    Estimated(Box<HllUnion>),
}

fn failed(error: datasketches::error::Error) -> DataFusionError {
    exec_datafusion_err!("HyperLogLog: {error}")
}

impl Smart {
    fn put(&mut self, hash: u64) {
        match &mut self.values {
            Values::Exact(hashes) => {
                hashes.insert(hash);
                if hashes.len() > self.threshold {
                    self.values = Values::Estimated(Box::new(estimated(hashes.iter().copied())));
                }
            }
            Values::Estimated(union) => union.update_value(hash),
        }
    }

    fn take_in(&mut self, sketch: &HllSketch) {
        if let Values::Exact(hashes) = &self.values {
            self.values = Values::Estimated(Box::new(estimated(hashes.iter().copied())));
        }
        if let Values::Estimated(union) = &mut self.values {
            union.update(sketch);
        }
    }
}

fn estimated(hashes: impl Iterator<Item = u64>) -> HllUnion {
    let mut union = HllUnion::new(LOG2_REGISTERS).expect("the constant is in the library's range");
    hashes.for_each(|hash| union.update_value(hash));
    union
}

impl Sketch for Smart {
    /// How many values are counted exactly.
    type Settings = usize;

    fn new(threshold: &usize) -> Result<Smart> {
        Ok(Smart { threshold: *threshold, values: Values::Exact(HashSet::default()) })
    }

    fn offer(&mut self, item: Item<'_>) {
        self.put(match item {
            Item::Int(value) => mixed(i64::from(value).cast_unsigned()),
            Item::Long(value) => mixed(value.cast_unsigned()),
            Item::Float(value) => mixed(key_of(f64::from(value))),
            Item::Double(value) => mixed(key_of(value)),
            Item::Text(value) => hash_of(value),
            Item::Bytes(value) => hash_of(value),
        });
    }

    fn merge(&mut self, _: &usize, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader(bytes);
        match reader.u8()? {
            EXACT => {
                while !reader.is_at_end() {
                    let hash = reader.u64()?;
                    self.put(hash);
                }
                Ok(())
            }
            ESTIMATED => {
                self.take_in(&HllSketch::deserialize(reader.0).map_err(failed)?);
                Ok(())
            }
            other => internal_err!("a state of kind {other} does not exist"),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match &self.values {
            Values::Exact(hashes) => {
                bytes.put_u8(EXACT);
                hashes.iter().for_each(|hash| bytes.put_u64(*hash));
            }
            Values::Estimated(union) => {
                bytes.put_u8(ESTIMATED);
                bytes.extend(union.to_sketch(HllType::Hll8).serialize());
            }
        }
        bytes
    }

    #[expect(clippy::cast_possible_truncation, reason = "no table has 2^63 rows")]
    fn estimate(&self) -> i64 {
        match &self.values {
            Values::Exact(hashes) => i64::try_from(hashes.len()).unwrap_or(i64::MAX),
            Values::Estimated(union) => union.to_sketch(HllType::Hll8).estimate().round() as i64,
        }
    }

    fn heap_bytes(&self) -> usize {
        match &self.values {
            Values::Exact(hashes) => hashes.allocation_size(),
            Values::Estimated(_) => size_of::<HllUnion>() + (1 << LOG2_REGISTERS),
        }
    }
}

/// Spreads the bits of a number; no two numbers become the same.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
