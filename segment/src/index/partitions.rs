//! Which partitions of a partition function a column's values fall into.
//!
//! The set is that of the values which stand in the segment, so it is right for any producer. It has no buffer: its header
//! is read with the footer, and segments are left out by it before anything else of their files is touched.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef};
use serde::{Deserialize, Serialize};

use super::IndexParts;
use crate::partition_function::{PartitionFunction, PartitionHash};
use crate::value::Value;

/// The partitions of a column's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionSet {
    function: PartitionFunction,
    partitions: BTreeSet<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartitionHeader {
    function: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<i32>,
    count: u32,
    partitions: Vec<u32>,
}

impl PartitionSet {
    /// Returns the partitions of all values of a stored array; `None` where one of them has none.
    pub fn build(values: &ArrayRef, function: PartitionFunction) -> Option<PartitionSet> {
        let mut partitions = BTreeSet::new();
        for row in 0..values.len() {
            partitions.insert(function.partition_of(&Value::at(values, row)?)?);
        }
        Some(PartitionSet { function, partitions })
    }

    /// Returns false only when the column surely does not hold the value.
    pub fn may_contain(&self, value: &Value) -> bool {
        self.function.partition_of(value).is_none_or(|partition| self.partitions.contains(&partition))
    }

    /// Returns the set as a serving file holds it.
    pub fn to_parts(&self) -> IndexParts {
        let header = PartitionHeader {
            function: self.function.hash().name().to_owned(),
            seed: self.function.hash().seed(),
            count: self.function.count(),
            partitions: self.partitions.iter().copied().collect(),
        };
        IndexParts::new(&header, Vec::new())
    }

    /// Reads a set from its header.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn from_header(header: &str) -> Result<PartitionSet, String> {
        let header: PartitionHeader =
            serde_json::from_str(header).map_err(|error| format!("header: {error}"))?;
        let hash = match (PartitionFunction::hash_named(&header.function), header.seed) {
            (Some(PartitionHash::Murmur3 { .. }), Some(seed)) => Some(PartitionHash::Murmur3 { seed }),
            (hash, None) => hash,
            (_, Some(_)) => None,
        };
        let hash = hash.ok_or_else(|| format!("no such function as {}", header.function))?;
        let function = PartitionFunction::new(hash, header.count)
            .ok_or_else(|| format!("{} partitions", header.count))?;
        let partitions: BTreeSet<u32> = header.partitions.into_iter().collect();
        match partitions.last() {
            Some(last) if *last >= header.count => Err(format!("partition {last} of {}", header.count)),
            _ => Ok(PartitionSet { function, partitions }),
        }
    }
}
