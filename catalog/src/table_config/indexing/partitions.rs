//! How a topic is partitioned: `segmentPartitionConfig`.

use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::partition_function::{PartitionFunction, PartitionHash, PartitionNormalizer};
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
            let prunes = read_function(&entry, &function, count, findings).filter(|_| has_partitions);
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

/// Returns the function with its settings; nothing for one that is not known here, or has other settings.
fn read_function(
    entry: &JsonObject<'_>,
    name: &str,
    count: u32,
    findings: &mut Findings,
) -> Option<PartitionFunction> {
    let config = entry.object("functionConfig", findings);
    if name.eq_ignore_ascii_case("BoundedColumnValue") {
        return read_bounded(entry, config.as_ref(), count, findings);
    }
    let mut hash = PartitionFunction::hash_named(name)?;
    let Some(config) = config else { return PartitionFunction::new(hash, count) };
    let known = ["seed", "variant", "useRawBytes", "partitionIdNormalizer"];
    if config.entries().any(|(key, _)| !known.contains(&key)) {
        return None;
    }
    let written =
        |key, findings: &mut Findings| config.text_or_empty(key, findings).filter(|text| !text.is_empty());
    if written("seed", findings).is_some() {
        let seed = config.integer("seed", i64::from(i32::MIN), i64::from(i32::MAX), findings)?;
        hash = hash.with_seed(i32::try_from(seed).ok()?);
    }
    if let Some(variant) = written("variant", findings) {
        let Some(of_variant) = hash.clone().with_variant(&variant) else {
            let message = format!("{} has no variant `{variant}`", hash.name());
            findings.problem(config.place("variant"), message);
            return None;
        };
        hash = of_variant;
    }
    let raw_bytes = config.boolean("useRawBytes", findings).unwrap_or(false);
    let function = PartitionFunction::new(hash, count)?.of_raw_bytes(raw_bytes);
    let Some(name) = written("partitionIdNormalizer", findings) else { return Some(function) };
    let Some(normalizer) = PartitionNormalizer::named(name.trim()) else {
        let names = PartitionNormalizer::ALL.map(PartitionNormalizer::name).join(", ");
        let message = format!("`{name}` is no way from hashes to partitions: write one of {names}");
        findings.problem(config.place("partitionIdNormalizer"), message);
        return None;
    };
    Some(function.normalized(normalizer))
}

fn read_bounded(
    entry: &JsonObject<'_>,
    config: Option<&JsonObject<'_>>,
    count: u32,
    findings: &mut Findings,
) -> Option<PartitionFunction> {
    let Some(config) = config else {
        findings.problem(
            entry.place("functionConfig"),
            "is missing: write `columnValues` and `columnValuesDelimiter`",
        );
        return None;
    };
    let values = config.required_text("columnValues", "such as \"Maths|English\"", findings)?;
    let Some(delimiter) = config.text("columnValuesDelimiter", findings).filter(|text| !text.is_empty())
    else {
        findings.problem(config.place("columnValuesDelimiter"), "is missing: write such as \"|\"");
        return None;
    };
    // Each letter of the delimiter is one, and nothing stands between two of them.
    let values: Vec<String> = values
        .split(|letter| delimiter.contains(letter))
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect();
    let wanted = values.len() + 1;
    let function = PartitionFunction::new(PartitionHash::BoundedColumnValue(values.into()), count);
    if function.is_none() {
        let message = format!("{count} is not one more than there are values: write {wanted}");
        findings.problem(entry.place("numPartitions"), message);
    }
    function
}

#[cfg(test)]
mod tests;
