//! Which partitions of a partition function a column's values fall into.
//!
//! The set is that of the values which stand in the segment, so it is right for any producer. It has no buffer: its header
//! is read with the footer, and segments are left out by it before anything else of their files is touched.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef};
use serde::{Deserialize, Serialize};

use super::IndexParts;
use crate::partition_function::{PartitionFunction, PartitionHash, PartitionNormalizer};
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
    /// Not there for the first one of a function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    normalizer: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    raw_bytes: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Vec<String>>,
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
        let hash = self.function.hash();
        let is_first = PartitionFunction::hash_named(hash.name())
            .is_some_and(|default| default.variant() == hash.variant());
        let values = match hash {
            PartitionHash::BoundedColumnValue(values) => Some(values.to_vec()),
            _ => None,
        };
        let header = PartitionHeader {
            function: hash.name().to_owned(),
            seed: hash.seed(),
            variant: hash.variant().filter(|_| !is_first).map(str::to_owned),
            normalizer: self.function.other_normalizer().map(|normalizer| normalizer.name().to_owned()),
            raw_bytes: self.function.is_of_raw_bytes(),
            values,
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
        let function = function_of(&header)?;
        let partitions: BTreeSet<u32> = header.partitions.into_iter().collect();
        match partitions.last() {
            Some(last) if *last >= header.count => Err(format!("partition {last} of {}", header.count)),
            _ => Ok(PartitionSet { function, partitions }),
        }
    }
}

fn function_of(header: &PartitionHeader) -> Result<PartitionFunction, String> {
    let unknown = || format!("no such function as {}", header.function);
    let mut hash = match &header.values {
        Some(values) => PartitionHash::BoundedColumnValue(values.as_slice().into()),
        None => PartitionFunction::hash_named(&header.function).ok_or_else(unknown)?,
    };
    if let Some(seed) = header.seed {
        hash = hash.with_seed(seed);
    }
    if let Some(variant) = &header.variant {
        hash = hash.with_variant(variant).ok_or_else(unknown)?;
    }
    if !hash.name().eq_ignore_ascii_case(&header.function) || header.seed.is_some() && hash.seed().is_none() {
        return Err(unknown());
    }
    let function = PartitionFunction::new(hash, header.count)
        .ok_or_else(|| format!("{} partitions", header.count))?
        .of_raw_bytes(header.raw_bytes);
    match &header.normalizer {
        None => Ok(function),
        Some(name) => PartitionNormalizer::named(name)
            .map(|normalizer| function.normalized(normalizer))
            .ok_or_else(|| format!("no such normalizer as {name}")),
    }
}
