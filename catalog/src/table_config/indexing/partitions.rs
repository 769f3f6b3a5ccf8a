//! How a topic is partitioned: `segmentPartitionConfig`.

use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::partition_function::{PartitionFunction, PartitionHash};
use meunier_segment::schema::{ColumnName, DataType, Schema};

use super::super::columns::check_column;

/// How a topic is partitioned by one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPartition {
    /// The column.
    pub column: ColumnName,
    /// The name of the partition function.
    pub function: String,
    /// How many partitions it makes.
    pub count: u32,
    /// The function as segments are pruned by it; none where it is of another kind, or knows no values of the column's type.
    pub prunes: Option<PartitionFunction>,
}

pub(super) fn read(
    config: &JsonObject<'_>,
    schema: Option<&Schema>,
    findings: &mut Findings,
) -> Vec<ColumnPartition> {
    let Some(partition_config) = config.object("segmentPartitionConfig", findings) else { return Vec::new() };
    let Some(map) = partition_config.object("columnPartitionMap", findings) else { return Vec::new() };
    let mut partitions = Vec::new();
    for (column, _) in map.entries() {
        let field = check_column(column, &map.place(column), schema, findings);
        let Some(entry) = map.object(column, findings) else { continue };
        let function = entry.required_text("functionName", "such as \"Murmur\"", findings);
        if entry.get("numPartitions").is_none() {
            findings
                .problem(entry.place("numPartitions"), "is missing: write how many partitions the topic has");
        }
        let count = entry.integer("numPartitions", 1, i64::from(i32::MAX), findings);
        let count = count.and_then(|count| u32::try_from(count).ok());
        if let (Some(function), Some(count)) = (function, count) {
            let has_partitions =
                field.is_none_or(|field| field.single_value && takes_partitions(field.data_type));
            let hash = read_hash(&entry, &function, findings).filter(|_| has_partitions);
            let prunes = hash.and_then(|hash| PartitionFunction::new(hash, count));
            partitions.push(ColumnPartition { column: column.into(), function, count, prunes });
        }
    }
    partitions
}

fn takes_partitions(data_type: DataType) -> bool {
    match data_type {
        DataType::Int
        | DataType::Long
        | DataType::Timestamp
        | DataType::String
        | DataType::Json
        | DataType::Bytes => true,
        DataType::Float | DataType::Double | DataType::BigDecimal | DataType::Boolean => false,
    }
}

/// Returns the hash with its settings; nothing for one that has others than these.
fn read_hash(entry: &JsonObject<'_>, function: &str, findings: &mut Findings) -> Option<PartitionHash> {
    let hash = PartitionFunction::hash_named(function)?;
    let Some(settings) = entry.object("functionConfig", findings) else { return Some(hash) };
    let seed = settings.integer("seed", i64::from(i32::MIN), i64::from(i32::MAX), findings);
    let variant = settings.text("variant", findings);
    let is_known = |key: &str| matches!(key, "seed" | "variant");
    if settings.entries().any(|(key, _)| !is_known(key)) || variant.is_some_and(|variant| variant != "x86_32")
    {
        return None;
    }
    match hash {
        PartitionHash::Murmur3 { .. } => {
            Some(PartitionHash::Murmur3 { seed: i32::try_from(seed.unwrap_or(0)).ok()? })
        }
        PartitionHash::Murmur
        | PartitionHash::Modulo
        | PartitionHash::HashCode
        | PartitionHash::ByteArray => Some(hash),
    }
}

#[cfg(test)]
mod tests;
