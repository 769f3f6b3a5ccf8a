//! How producers spread values over the partitions of a topic: Pinot's `segmentPartitionConfig`.
//!
//! A function takes a value's text and gives a number below the count of partitions. The same function is applied to what a
//! segment holds and to what a query asks for, so leaving segments out by it is right whatever the producer did.

mod hashes;

use crate::value::Value;
use hashes::{java_hash_of_bytes, java_hash_of_text, murmur2, murmur3};

/// A hash, or the number itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionHash {
    /// Murmur 2 with Kafka's seed: what Kafka's own producer does.
    Murmur,
    /// Murmur 3 of 32 bits, the x86 form.
    Murmur3 {
        /// Its seed, 0 unless it is configured.
        seed: i32,
    },
    /// The whole number itself.
    Modulo,
    /// Java's `String.hashCode`.
    HashCode,
    /// Java's `Arrays.hashCode` of the text in UTF-8.
    ByteArray,
}

/// A hash and how many partitions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionFunction {
    hash: PartitionHash,
    count: u32,
}

impl PartitionFunction {
    /// Returns the function with `count` partitions; `None` where there is none, or more than an `i32` counts.
    pub fn new(hash: PartitionHash, count: u32) -> Option<PartitionFunction> {
        (count > 0 && i32::try_from(count).is_ok()).then_some(PartitionFunction { hash, count })
    }

    /// Returns the hash of this name, whatever its case, with the settings that Pinot gives it by default.
    pub fn hash_named(name: &str) -> Option<PartitionHash> {
        let hashes = [
            PartitionHash::Murmur,
            PartitionHash::Murmur3 { seed: 0 },
            PartitionHash::Modulo,
            PartitionHash::HashCode,
            PartitionHash::ByteArray,
        ];
        hashes.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name))
    }

    /// Returns the hash.
    pub fn hash(&self) -> PartitionHash {
        self.hash
    }

    /// Returns how many partitions there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Returns a value's partition; `None` where the function knows none: for floats and decimals, whose texts differ from
    /// producer to producer, and of texts that are no numbers for `Modulo`.
    pub fn partition_of(&self, value: &Value) -> Option<u32> {
        match value {
            Value::Int(number) => self.of_number(i64::from(*number)),
            Value::Long(number) | Value::Timestamp(number) => self.of_number(*number),
            Value::String(text) => self.of_text(text),
            Value::Bytes(_) => match self.hash {
                PartitionHash::Modulo => None,
                PartitionHash::Murmur
                | PartitionHash::Murmur3 { .. }
                | PartitionHash::HashCode
                | PartitionHash::ByteArray => self.of_text(value.to_json().as_str()?),
            },
            Value::Float(_) | Value::Double(_) | Value::BigDecimal(_) | Value::Boolean(_) => None,
        }
    }

    fn of_number(&self, number: i64) -> Option<u32> {
        match self.hash {
            PartitionHash::Modulo => u32::try_from(number.rem_euclid(i64::from(self.count))).ok(),
            PartitionHash::Murmur
            | PartitionHash::Murmur3 { .. }
            | PartitionHash::HashCode
            | PartitionHash::ByteArray => self.of_text(&number.to_string()),
        }
    }

    fn of_text(&self, text: &str) -> Option<u32> {
        // Kafka's two ways of taking a hash's sign off.
        let without_sign = |hash: u32| hash & 0x7fff_ffff;
        let absolute = |hash: i32| hash.checked_abs().unwrap_or(0).unsigned_abs();
        let hash = match self.hash {
            PartitionHash::Murmur => without_sign(murmur2(text.as_bytes())),
            PartitionHash::Murmur3 { seed } => without_sign(murmur3(text.as_bytes(), seed.cast_unsigned())),
            PartitionHash::HashCode => absolute(java_hash_of_text(text)),
            PartitionHash::ByteArray => absolute(java_hash_of_bytes(text.as_bytes())),
            PartitionHash::Modulo => return self.of_number(text.parse().ok()?),
        };
        Some(hash % self.count)
    }
}

impl PartitionHash {
    /// Returns Pinot's name of the function.
    pub fn name(self) -> &'static str {
        match self {
            PartitionHash::Murmur => "Murmur",
            PartitionHash::Murmur3 { .. } => "Murmur3",
            PartitionHash::Modulo => "Modulo",
            PartitionHash::HashCode => "HashCode",
            PartitionHash::ByteArray => "ByteArray",
        }
    }

    /// Returns the seed of a function that has one.
    pub fn seed(self) -> Option<i32> {
        match self {
            PartitionHash::Murmur3 { seed } => Some(seed),
            PartitionHash::Murmur
            | PartitionHash::Modulo
            | PartitionHash::HashCode
            | PartitionHash::ByteArray => None,
        }
    }
}

#[cfg(test)]
mod tests;
