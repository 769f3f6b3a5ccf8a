//! How producers spread values over the partitions of a topic: Pinot's `segmentPartitionConfig`.
//!
//! A function takes a value's text and gives a number below the count of partitions. The same function is applied to what a
//! segment holds and to what a query asks for, so leaving segments out by it is right whatever the producer did.

mod hashes;
mod normalizer;

use std::sync::Arc;

use crate::value::{Value, parse_hex};
use hashes::{
    fnv1_32, fnv1_64, fnv1a_32, fnv1a_64, java_hash_of_bytes, java_hash_of_text, murmur2, murmur3,
    murmur3_x64, same_in_any_case,
};
use normalizer::Hashed;
pub use normalizer::PartitionNormalizer;

/// A hash, or what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionHash {
    /// Murmur 2 with Kafka's seed: what Kafka's own producer does.
    Murmur,
    /// Murmur 3 of 32 bits, the x86 form.
    Murmur3 {
        /// Its seed, 0 unless it is configured.
        seed: i32,
    },
    /// The upper half of a Murmur 3 for 64-bit machines, as Debezium computes it.
    Murmur3X64 {
        /// Its seed, 0 unless it is configured.
        seed: i32,
    },
    /// Fowler, Noll and Vo's hash.
    Fnv(FnvVariant),
    /// The whole number itself.
    Modulo,
    /// Java's `String.hashCode`.
    HashCode,
    /// Java's `Arrays.hashCode` of the text in UTF-8.
    ByteArray,
    /// The place of a text among these, whatever its case, counted from 1; 0 for all others.
    BoundedColumnValue(Arc<[String]>),
}

/// Which of Fowler, Noll and Vo's hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FnvVariant {
    /// 32 bits, multiplied before each byte.
    Fnv1Of32,
    /// 32 bits, multiplied behind each byte.
    Fnv1aOf32,
    /// 64 bits, multiplied before each byte.
    Fnv1Of64,
    /// 64 bits, multiplied behind each byte.
    Fnv1aOf64,
}

/// A hash, how many partitions there are, and how the one becomes one of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFunction {
    hash: PartitionHash,
    normalizer: PartitionNormalizer,
    /// Texts are hexadecimal, and the hash is of the bytes that they stand for.
    of_raw_bytes: bool,
    count: u32,
}

impl PartitionFunction {
    /// Returns the function with `count` partitions; `None` where there is none, or more than an `i32` counts, or another
    /// number than the values of a `BoundedColumnValue` have.
    pub fn new(hash: PartitionHash, count: u32) -> Option<PartitionFunction> {
        let is_possible = count > 0 && i32::try_from(count).is_ok();
        let fits = match &hash {
            PartitionHash::BoundedColumnValue(values) => values.len() + 1 == count as usize,
            _ => true,
        };
        let normalizer = hash.normalizer();
        (is_possible && fits).then_some(PartitionFunction { hash, normalizer, of_raw_bytes: false, count })
    }

    /// Returns the function with another way from hashes to partitions. `BoundedColumnValue` has none.
    #[must_use]
    pub fn normalized(mut self, normalizer: PartitionNormalizer) -> PartitionFunction {
        if !matches!(self.hash, PartitionHash::BoundedColumnValue(_)) {
            self.normalizer = normalizer;
        }
        self
    }

    /// Returns the function over the bytes that texts stand for in hexadecimal digits. Only the Murmurs and FNV have it.
    #[must_use]
    pub fn of_raw_bytes(mut self, of_raw_bytes: bool) -> PartitionFunction {
        self.of_raw_bytes = of_raw_bytes && self.hash.is_of_bytes();
        self
    }

    /// Returns the hash of this name, whatever its case, with the settings that Pinot gives it by default; there are none
    /// for the values of `BoundedColumnValue`, so it is not among them.
    pub fn hash_named(name: &str) -> Option<PartitionHash> {
        let hashes = [
            PartitionHash::Murmur,
            PartitionHash::Murmur3 { seed: 0 },
            PartitionHash::Fnv(FnvVariant::Fnv1aOf32),
            PartitionHash::Modulo,
            PartitionHash::HashCode,
            PartitionHash::ByteArray,
        ];
        let name = if name.eq_ignore_ascii_case("Murmur2") { "Murmur" } else { name };
        hashes.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name))
    }

    /// Returns the hash.
    pub fn hash(&self) -> &PartitionHash {
        &self.hash
    }

    /// Returns how a hash becomes a partition, where that is not as the hash has it by default.
    pub fn other_normalizer(&self) -> Option<PartitionNormalizer> {
        (self.normalizer != self.hash.normalizer()).then_some(self.normalizer)
    }

    /// Returns whether the hash is of the bytes that texts stand for in hexadecimal digits.
    pub fn is_of_raw_bytes(&self) -> bool {
        self.of_raw_bytes
    }

    /// Returns how many partitions there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Returns a value's partition; `None` where the function knows none: for floats and decimals, whose texts differ from
    /// producer to producer, of texts that are no numbers for `Modulo` and no hexadecimal digits for raw bytes.
    pub fn partition_of(&self, value: &Value) -> Option<u32> {
        match value {
            Value::Int(number) => self.of_number(i64::from(*number)),
            Value::Long(number) | Value::Timestamp(number) => self.of_number(*number),
            Value::String(text) => self.of_text(text),
            Value::Bytes(_) if self.hash == PartitionHash::Modulo => None,
            Value::Bytes(bytes) if self.of_raw_bytes => self.of_bytes(bytes),
            Value::Bytes(_) => self.of_text(value.to_json().as_str()?),
            Value::Float(_) | Value::Double(_) | Value::BigDecimal(_) | Value::Boolean(_) => None,
        }
    }

    fn of_number(&self, number: i64) -> Option<u32> {
        match self.hash {
            PartitionHash::Modulo => self.normalizer.partition(Hashed::Long(number), self.count),
            _ => self.of_text(&number.to_string()),
        }
    }

    fn of_text(&self, text: &str) -> Option<u32> {
        match &self.hash {
            PartitionHash::Modulo => self.of_number(text.parse().ok()?),
            PartitionHash::HashCode => {
                self.normalizer.partition(Hashed::Int(java_hash_of_text(text)), self.count)
            }
            PartitionHash::BoundedColumnValue(values) => {
                let place = values.iter().position(|value| same_in_any_case(value, text));
                u32::try_from(place.map_or(0, |place| place + 1)).ok()
            }
            _ if self.of_raw_bytes => self.of_bytes(&parse_hex(text)?),
            _ => self.of_bytes(text.as_bytes()),
        }
    }

    fn of_bytes(&self, bytes: &[u8]) -> Option<u32> {
        let hashed = match &self.hash {
            PartitionHash::Murmur => Hashed::Int(murmur2(bytes).cast_signed()),
            PartitionHash::Murmur3 { seed } => {
                Hashed::Int(murmur3(bytes, seed.cast_unsigned()).cast_signed())
            }
            PartitionHash::Murmur3X64 { seed } => Hashed::Int(murmur3_x64(bytes, *seed)),
            PartitionHash::Fnv(FnvVariant::Fnv1Of32) => Hashed::Int(fnv1_32(bytes).cast_signed()),
            PartitionHash::Fnv(FnvVariant::Fnv1aOf32) => Hashed::Int(fnv1a_32(bytes).cast_signed()),
            PartitionHash::Fnv(FnvVariant::Fnv1Of64) => Hashed::Long(fnv1_64(bytes).cast_signed()),
            PartitionHash::Fnv(FnvVariant::Fnv1aOf64) => Hashed::Long(fnv1a_64(bytes).cast_signed()),
            PartitionHash::ByteArray => Hashed::Int(java_hash_of_bytes(bytes)),
            PartitionHash::Modulo | PartitionHash::HashCode | PartitionHash::BoundedColumnValue(_) => {
                return None;
            }
        };
        self.normalizer.partition(hashed, self.count)
    }

    /// Returns a text that differs between different functions, for the fingerprint of a table's options. What could not be
    /// chosen in earlier versions leaves no trace in it.
    pub(crate) fn described(&self) -> String {
        let mut text = format!("PartitionFunction {{ hash: {:?}, count: {} }}", self.hash, self.count);
        if let Some(normalizer) = self.other_normalizer() {
            text.push_str(normalizer.name());
        }
        if self.of_raw_bytes {
            text.push_str("raw");
        }
        text
    }
}

impl PartitionHash {
    /// Returns Pinot's name of the function.
    pub fn name(&self) -> &'static str {
        match self {
            PartitionHash::Murmur => "Murmur",
            PartitionHash::Murmur3 { .. } | PartitionHash::Murmur3X64 { .. } => "Murmur3",
            PartitionHash::Fnv(_) => "FNV",
            PartitionHash::Modulo => "Modulo",
            PartitionHash::HashCode => "HashCode",
            PartitionHash::ByteArray => "ByteArray",
            PartitionHash::BoundedColumnValue(_) => "BoundedColumnValue",
        }
    }

    /// Returns Pinot's name of the variant, of functions that have some.
    pub fn variant(&self) -> Option<&'static str> {
        match self {
            PartitionHash::Murmur3 { .. } => Some("x86_32"),
            PartitionHash::Murmur3X64 { .. } => Some("x64_32"),
            PartitionHash::Fnv(variant) => Some(variant.name()),
            _ => None,
        }
    }

    /// Returns the function's variant of this name; `None` where there is none.
    pub fn with_variant(self, name: &str) -> Option<PartitionHash> {
        match self {
            PartitionHash::Murmur3 { seed } | PartitionHash::Murmur3X64 { seed } => match name {
                "x86_32" => Some(PartitionHash::Murmur3 { seed }),
                "x64_32" => Some(PartitionHash::Murmur3X64 { seed }),
                _ => None,
            },
            PartitionHash::Fnv(_) => {
                let mut variants = FnvVariant::ALL.into_iter();
                let found = variants.find(|variant| variant.name().eq_ignore_ascii_case(name.trim()));
                found.map(PartitionHash::Fnv)
            }
            other => Some(other),
        }
    }

    /// Returns the seed of a function that has one.
    pub fn seed(&self) -> Option<i32> {
        match self {
            PartitionHash::Murmur3 { seed } | PartitionHash::Murmur3X64 { seed } => Some(*seed),
            _ => None,
        }
    }

    /// Returns the function with a seed, where it has one.
    #[must_use]
    pub fn with_seed(self, seed: i32) -> PartitionHash {
        match self {
            PartitionHash::Murmur3 { .. } => PartitionHash::Murmur3 { seed },
            PartitionHash::Murmur3X64 { .. } => PartitionHash::Murmur3X64 { seed },
            other => other,
        }
    }

    fn is_of_bytes(&self) -> bool {
        match self {
            PartitionHash::Murmur
            | PartitionHash::Murmur3 { .. }
            | PartitionHash::Murmur3X64 { .. }
            | PartitionHash::Fnv(_) => true,
            PartitionHash::Modulo
            | PartitionHash::HashCode
            | PartitionHash::ByteArray
            | PartitionHash::BoundedColumnValue(_) => false,
        }
    }

    fn normalizer(&self) -> PartitionNormalizer {
        match self {
            PartitionHash::Murmur
            | PartitionHash::Murmur3 { .. }
            | PartitionHash::Murmur3X64 { .. }
            | PartitionHash::Fnv(_) => PartitionNormalizer::Mask,
            PartitionHash::Modulo => PartitionNormalizer::PositiveModulo,
            PartitionHash::HashCode | PartitionHash::ByteArray => PartitionNormalizer::PreModuloAbs,
            PartitionHash::BoundedColumnValue(_) => PartitionNormalizer::NoOp,
        }
    }
}

impl FnvVariant {
    /// All variants.
    pub const ALL: [FnvVariant; 4] =
        [FnvVariant::Fnv1Of32, FnvVariant::Fnv1aOf32, FnvVariant::Fnv1Of64, FnvVariant::Fnv1aOf64];

    /// Returns Pinot's name.
    pub fn name(self) -> &'static str {
        match self {
            FnvVariant::Fnv1Of32 => "fnv1_32",
            FnvVariant::Fnv1aOf32 => "fnv1a_32",
            FnvVariant::Fnv1Of64 => "fnv1_64",
            FnvVariant::Fnv1aOf64 => "fnv1a_64",
        }
    }
}

#[cfg(test)]
mod tests;
