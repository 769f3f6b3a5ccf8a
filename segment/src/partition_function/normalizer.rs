//! From a hash, which may be negative, to a partition: Pinot's `partitionIdNormalizer`.

/// How a hash becomes a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionNormalizer {
    /// The remainder that is not negative.
    PositiveModulo,
    /// The remainder without its sign.
    Abs,
    /// The remainder of the hash without its highest bit.
    Mask,
    /// The remainder of the hash without its sign; the smallest hash is 0.
    PreModuloAbs,
    /// The hash itself.
    NoOp,
}

/// A hash of its width.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hashed {
    Int(i32),
    Long(i64),
}

impl PartitionNormalizer {
    /// All of them.
    pub const ALL: [PartitionNormalizer; 5] = [
        PartitionNormalizer::PositiveModulo,
        PartitionNormalizer::Abs,
        PartitionNormalizer::Mask,
        PartitionNormalizer::PreModuloAbs,
        PartitionNormalizer::NoOp,
    ];

    /// Returns Pinot's name.
    pub fn name(self) -> &'static str {
        match self {
            PartitionNormalizer::PositiveModulo => "POSITIVE_MODULO",
            PartitionNormalizer::Abs => "ABS",
            PartitionNormalizer::Mask => "MASK",
            PartitionNormalizer::PreModuloAbs => "PRE_MODULO_ABS",
            PartitionNormalizer::NoOp => "NO_OP",
        }
    }

    /// Returns the one of this name, whatever its case.
    pub fn named(name: &str) -> Option<PartitionNormalizer> {
        PartitionNormalizer::ALL.into_iter().find(|normalizer| normalizer.name().eq_ignore_ascii_case(name))
    }

    /// Returns the partition of a hash; `None` where it is none of so many.
    pub(super) fn partition(self, hashed: Hashed, count: u32) -> Option<u32> {
        let wide = match hashed {
            Hashed::Int(hash) => i64::from(hash),
            Hashed::Long(hash) => hash,
        };
        let partitions = i64::from(count);
        let partition = match (self, hashed) {
            (PartitionNormalizer::PositiveModulo, _) => wide.rem_euclid(partitions),
            (PartitionNormalizer::Abs, _) => (wide % partitions).abs(),
            (PartitionNormalizer::Mask, Hashed::Int(hash)) => i64::from(hash & i32::MAX) % partitions,
            (PartitionNormalizer::Mask, Hashed::Long(hash)) => (hash & i64::MAX) % partitions,
            (PartitionNormalizer::PreModuloAbs, Hashed::Int(hash)) => {
                i64::from(hash.checked_abs().unwrap_or(0)) % partitions
            }
            (PartitionNormalizer::PreModuloAbs, Hashed::Long(hash)) => {
                hash.checked_abs().unwrap_or(0) % partitions
            }
            (PartitionNormalizer::NoOp, _) => wide,
        };
        u32::try_from(partition).ok().filter(|partition| *partition < count)
    }
}
