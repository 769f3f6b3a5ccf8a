//! Which partition functions reach the segments.

use meunier_segment::json_reader::parse_object;
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
    (partitions.first().and_then(|partition| partition.prunes), findings.into_refusal().len())
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
    assert_eq!(check("id", &config("HashCode", json!({}))), function(PartitionHash::HashCode));
}

#[test]
fn what_is_not_computed_prunes_nothing() {
    let config = |name: &str| json!({"functionName": name, "numPartitions": 8});
    let x64 = json!({"functionName": "Murmur3", "numPartitions": 8, "functionConfig": {"variant": "x64_32"}});
    assert_eq!(check("id", &config("BoundedColumnValue")), (None, 0));
    assert_eq!(check("id", &x64), (None, 0));
    assert_eq!(check("price", &config("Murmur")), (None, 0));
    assert_eq!(check("tags", &config("Murmur")), (None, 0));
    assert_eq!(check("id", &json!({"functionName": "Murmur", "numPartitions": 0})), (None, 1));
}
