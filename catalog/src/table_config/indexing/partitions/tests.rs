//! Which partition functions reach the segments.

use meunier_segment::json_reader::parse_object;
use meunier_segment::partition_function::FnvVariant;
use serde_json::json;

use super::*;

/// Returns the function that a column's config gives, and how many problems there are.
fn check(column: &str, config: &serde_json::Value) -> (Option<PartitionFunction>, usize) {
    let schema = json!({"schemaName": "orders", "dimensionFieldSpecs": [{"name": "id", "dataType": "STRING"},
        {"name": "price", "dataType": "DOUBLE"}, {"name": "tags", "dataType": "STRING", "singleValueField": false}]});
    let schema = Schema::parse(&schema.to_string()).unwrap().schema;
    let text = json!({"segmentPartitionConfig": {"columnPartitionMap": {column: config}}}).to_string();
    let map = parse_object(&text).unwrap();
    let mut findings = Findings::default();
    let partitions = read(&JsonObject::new(&map, ""), Some(&schema), &mut findings);
    (partitions.first().and_then(|partition| partition.prunes.clone()), findings.into_refusal().len())
}

#[test]
fn functions_are_taken_with_their_settings() {
    let function = |hash| (PartitionFunction::new(hash, 8), 0);
    let config = |name: &str, settings: serde_json::Value| json!({"functionName": name, "numPartitions": 8, "functionConfig": settings});
    assert_eq!(
        check("id", &json!({"functionName": "murmur", "numPartitions": "8"})),
        function(PartitionHash::Murmur)
    );
    assert_eq!(
        check("id", &config("Murmur3", json!({"seed": "9001", "variant": "x86_32"}))),
        function(PartitionHash::Murmur3 { seed: 9001 })
    );
    assert_eq!(
        check("id", &config("Murmur3", json!({"seed": "", "variant": "x64_32"}))),
        function(PartitionHash::Murmur3X64 { seed: 0 })
    );
    assert_eq!(
        check("id", &config("fnv", json!({"variant": "FNV1_64"}))),
        function(PartitionHash::Fnv(FnvVariant::Fnv1Of64))
    );
    let (found, problems) =
        check("id", &config("Murmur2", json!({"useRawBytes": "true", "partitionIdNormalizer": "abs"})));
    let expected = PartitionFunction::new(PartitionHash::Murmur, 8).unwrap().of_raw_bytes(true);
    assert_eq!((found, problems), (Some(expected.normalized(PartitionNormalizer::Abs)), 0));
    assert_eq!(check("id", &config("HashCode", json!({}))), function(PartitionHash::HashCode));
}

#[test]
fn bounded_values_are_counted() {
    let config = |count: u32, values: &str| {
        json!({"functionName": "BoundedColumnValue", "numPartitions": count,
            "functionConfig": {"columnValues": values, "columnValuesDelimiter": "|"}})
    };
    let values = PartitionHash::BoundedColumnValue(["Maths".to_owned(), "English".to_owned()].into());
    assert_eq!(check("id", &config(3, "Maths||English|")), (PartitionFunction::new(values, 3), 0));
    assert_eq!(check("id", &config(2, "Maths|English")), (None, 1));
    assert_eq!(check("id", &json!({"functionName": "BoundedColumnValue", "numPartitions": 2})), (None, 1));
}

#[test]
fn settings_that_pinot_refuses_are_refused() {
    let config = |name: &str, settings: serde_json::Value| json!({"functionName": name, "numPartitions": 8, "functionConfig": settings});
    assert_eq!(check("id", &config("Murmur3", json!({"variant": "x64_128"}))), (None, 1));
    assert_eq!(check("id", &config("FNV", json!({"variant": "fnv2_32"}))), (None, 1));
    assert_eq!(check("id", &config("FNV", json!({"partitionIdNormalizer": "saramaCompat"}))), (None, 1));
}

#[test]
fn what_is_not_computed_prunes_nothing() {
    let config = |name: &str| json!({"functionName": name, "numPartitions": 8});
    assert_eq!(check("id", &config("OfSomeoneElse")), (None, 0));
    assert_eq!(check("price", &config("Murmur")), (None, 0));
    assert_eq!(check("tags", &config("Murmur")), (None, 0));
    assert_eq!(check("id", &json!({"functionName": "Murmur", "numPartitions": 0})), (None, 1));
}
