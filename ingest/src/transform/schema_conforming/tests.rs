//! The cases are those of Pinot's own test of the transformer, with its names and values; the answers follow from its rules.

use meunier_catalog::table_config::TableConfig;
use serde_json::{Value, json};

use super::*;
use crate::decode::{DecodeLimits, RecordTreeReader};

fn text(name: &str) -> Value {
    json!({"name": name, "dataType": "STRING"})
}

fn document(name: &str) -> Value {
    json!({"name": name, "dataType": "JSON"})
}

fn list(name: &str, data_type: &str) -> Value {
    json!({"name": name, "dataType": data_type, "singleValueField": false})
}

/// Returns how a config fits records into the schema, or what is wrong with it.
fn conformer(columns: &[Value], config: &Value) -> Result<Conformer, Vec<String>> {
    let mut dimensions = vec![document("json_data"), document("json_data_no_idx")];
    dimensions.extend_from_slice(columns);
    let schema = json!({"schemaName": "t", "dimensionFieldSpecs": dimensions, "dateTimeFieldSpecs": [
        {"name": "ts", "dataType": "LONG", "format": "1:MILLISECONDS:EPOCH", "granularity": "1:MILLISECONDS"}]});
    let table = json!({
        "tableName": "t", "tableType": "REALTIME", "segmentsConfig": {"timeColumnName": "ts"}, "tenants": {},
        "tableIndexConfig": {}, "ingestionConfig": {
            "schemaConformingTransformerConfig": config,
            "streamIngestionConfig": {"streamConfigMaps": [{
                "streamType": "kafka", "stream.kafka.topic.name": "t", "stream.kafka.broker.list": "localhost:1",
                "stream.kafka.decoder.class.name": "org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder",
            }]},
        },
    });
    let schema = Schema::parse(&schema.to_string()).unwrap().schema;
    let parsed = TableConfig::parse(&table.to_string(), Some(&schema))
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    assert_eq!(parsed.unrecognized.len(), 0, "{:?}", parsed.unrecognized);
    Ok(Conformer::new(parsed.config.ingestion.schema_conforming.unwrap(), &schema))
}

fn conformed(columns: &[Value], config: &Value, record: &Value) -> Value {
    let conformer = conformer(columns, config).unwrap();
    let fields = RecordTreeReader::new(DecodeLimits::default()).read(record.to_string().as_bytes()).unwrap();
    serde_json::from_str(&FieldValue::Map(conformer.conform(fields)).to_json()).unwrap()
}

fn inner() -> Value {
    json!({"arrayField": [0, 1, 2, 3], "nullField": null, "stringField": "a"})
}

fn without_null() -> Value {
    json!({"arrayField": [0, 1, 2, 3], "stringField": "a"})
}

/// The record of Pinot's first case.
fn record() -> Value {
    json!({
        "arrayField": [0, 1, 2, 3], "nullField": null, "stringField": "a", "mapField": inner(), "dotField.dotSuffix": "a",
        "nestedFields": {"arrayField": [0, 1, 2, 3], "nullField": null, "stringField": "a", "mapField": inner()},
    })
}

#[test]
fn without_columns_everything_that_has_a_value_is_kept_as_a_document() {
    let config = json!({"enableUnindexableExtras": false});
    let all = json!({
        "arrayField": [0, 1, 2, 3], "stringField": "a", "mapField": without_null(), "dotField.dotSuffix": "a",
        "nestedFields": {"arrayField": [0, 1, 2, 3], "stringField": "a", "mapField": without_null()},
    });
    assert_eq!(conformed(&[], &config, &record()), json!({"json_data": all}));
}

#[test]
fn columns_take_the_values_at_their_paths() {
    let columns = [
        list("arrayField", "INT"),
        text("mapField"),
        text("dotField.dotSuffix"),
        text("nestedFields.stringField"),
    ];
    let config = json!({"enableUnindexableExtras": false, "useAnonymousDotInFieldNames": false});
    let mut expected = json!({
        "arrayField": [0, 1, 2, 3],
        "nestedFields.stringField": "a",
        "json_data": {
            "stringField": "a", "mapField": without_null(), "dotField.dotSuffix": "a",
            "nestedFields": {"arrayField": [0, 1, 2, 3], "mapField": without_null()},
        },
    });
    assert_eq!(conformed(&columns, &config, &record()), expected);
    // With dots as steps of a path the field's column is found.
    let config = json!({"enableUnindexableExtras": false});
    expected["dotField.dotSuffix"] = "a".into();
    expected["json_data"].as_object_mut().unwrap().remove("dotField.dotSuffix");
    assert_eq!(conformed(&columns, &config, &record()), expected);
}

/// The record of Pinot's second case.
fn record_with_marked_fields() -> Value {
    let marked = json!({"arrayField": [0, 1, 2, 3], "stringField": "a", "intField_noIndex": 9, "stringField_noIndex": "z"});
    json!({
        "arrayField": [0, 1, 2, 3], "nullField": null, "stringField": "aA_123", "intField_noIndex": 9,
        "stringField_noIndex": "z", "message": "a", "mapField": marked, "mapField_noIndex": inner(),
        "nestedFields": {
            "arrayField": [0, 1, 2, 3], "nullField": null, "stringField": "a", "intField_noIndex": 9,
            "stringField_noIndex": "z", "mapField": marked,
        },
    })
}

#[test]
fn fields_that_must_not_be_indexed_are_kept_apart_and_all_others_are_in_the_merged_text() {
    let mut config = json!({
        "unindexableFieldSuffix": "_noIndex", "jsonKeyValueSeparator": "\u{1e}",
        "mergedTextIndexBeginOfDocAnchor": "\u{2}", "mergedTextIndexEndOfDocAnchor": "\u{3}",
    });
    let marks = json!({"intField_noIndex": 9, "stringField_noIndex": "z"});
    let mut expected = json!({
        "json_data": {
            "arrayField": [0, 1, 2, 3], "stringField": "aA_123", "mapField": without_null(),
            "nestedFields": {"arrayField": [0, 1, 2, 3], "stringField": "a", "mapField": without_null()},
        },
        "json_data_no_idx": {
            "intField_noIndex": 9, "stringField_noIndex": "z", "mapField": marks, "mapField_noIndex": without_null(),
            "nestedFields": {"intField_noIndex": 9, "stringField_noIndex": "z", "mapField": marks},
        },
    });
    let record = record_with_marked_fields();
    assert_eq!(conformed(&[], &config, &record), expected);

    let of = |path: &str, value: &str| format!("\u{2}{value}\u{1e}{path}\u{3}");
    let mut texts = vec![of("message", "a")];
    for path in ["", "mapField.", "nestedFields.", "nestedFields.mapField."] {
        let values = ["[0,1,2,3]", "0", "1", "2", "3"];
        texts.extend(values.map(|value| of(&format!("{path}arrayField"), value)));
        texts.push(of(&format!("{path}stringField"), if path.is_empty() { "aA_123" } else { "a" }));
    }
    texts.sort();
    let sorted = |answer: &Value| {
        let texts = answer["__mergedTextIndex"].as_array().unwrap().iter();
        let mut texts: Vec<String> = texts.map(|text| text.as_str().unwrap().to_owned()).collect();
        texts.sort();
        texts
    };
    let answer = conformed(&[list("__mergedTextIndex", "STRING")], &config, &record);
    assert_eq!(sorted(&answer), texts);
    expected["__mergedTextIndex"] = answer["__mergedTextIndex"].clone();
    assert_eq!(answer, expected);

    config["mergedTextIndexPrefixToExclude"] = json!(["nestedFields.mapField"]);
    let answer = conformed(&[list("__mergedTextIndex", "STRING")], &config, &record);
    texts.retain(|text| !text.contains("nestedFields.mapField"));
    assert_eq!(sorted(&answer), texts);
}

#[test]
fn paths_are_mapped_dropped_and_kept_as_they_come() {
    let columns = [
        text("arrayField"),
        text("stringField"),
        text("message_logtype"),
        text("myMapName"),
        document("mapFieldExtra"),
        text("nestedFields.arrayField"),
        text("mystringname_all_lowercases"),
        list("__mergedTextIndex", "STRING"),
    ];
    let config = json!({
        "enableIndexableExtras": false, "unindexableFieldSuffix": "_noIndex",
        "columnNameToJsonKeyPathMap": {"mystringname_all_lowercases": "nestedFields.stringField", "myMapName": "mapField"},
        "fieldPathsToDrop": ["nestedFields.mapField"],
        "fieldPathsToKeepSameAsInput": ["mapField", "nestedFields.arrayField"],
        "fieldPathsToKeepSameAsInputWithIndex": ["mapFieldExtra"],
        "optimizeCaseInsensitiveSearch": true, "reverseTextIndexKeyValueOrder": false,
    });
    let mut record = record_with_marked_fields();
    record["mapFieldExtra"] = record["mapField"].clone();
    record["message_logtype"] = "a".into();
    let mut answer = conformed(&columns, &config, &record);
    let merged = answer.as_object_mut().unwrap().remove("__mergedTextIndex").unwrap();
    let mut merged: Vec<&str> =
        merged.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    merged.sort_unstable();
    let kept = answer.as_object_mut().unwrap().remove("myMapName").unwrap();
    assert_eq!(serde_json::from_str::<Value>(kept.as_str().unwrap()).unwrap(), record["mapField"]);
    let expected = json!({
        "arrayField": "[0,1,2,3]",
        "message_logtype": "a",
        "stringField": "aA_123",
        "mystringname_all_lowercases": "a",
        "mapFieldExtra": record["mapField"],
        "nestedFields.arrayField": "[0,1,2,3]",
        "json_data_no_idx": {
            "intField_noIndex": 9, "stringField_noIndex": "z", "mapField_noIndex": without_null(),
            "nestedFields": {"intField_noIndex": 9, "stringField_noIndex": "z"},
        },
    });
    assert_eq!(answer, expected);
    let expected = [
        "arrayField:0",
        "arrayField:1",
        "arrayField:2",
        "arrayField:3",
        "arrayField:[0,1,2,3]",
        "mapFieldExtra.arrayField:0",
        "mapFieldExtra.arrayField:1",
        "mapFieldExtra.arrayField:2",
        "mapFieldExtra.arrayField:3",
        "mapFieldExtra.arrayField:[0,1,2,3]",
        "mapFieldExtra.stringField:a",
        "mystringname_all_lowercases:a",
        "stringField:aA_123",
        "stringField:aa_123",
    ];
    // Pinot marks fields below a kept path by the suffix of the whole path, which these two have.
    assert_eq!(merged, expected);
}

#[test]
fn a_column_may_lie_below_another_and_be_stored_twice() {
    let columns = [text("a.b"), text("a.b.c"), text("__mergedTextIndex")];
    let config = json!({"fieldsToDoubleIngest": ["a.b.c"], "enableUnindexableExtras": false});
    let record = json!({"a": {"b": {"c": "x", "d": 1.50}}, "n": true, "ts": 5});
    let mut answer = conformed(&columns, &config, &record);
    let merged = answer.as_object_mut().unwrap().remove("__mergedTextIndex").unwrap();
    let mut merged: Vec<&str> = merged.as_str().unwrap().split(' ').collect();
    merged.sort_unstable();
    assert_eq!(merged, ["1.5:a.b.d", "5:ts", "true:n", "x:a.b.c"]);
    let extras = json!({"a": {"b": {"c": "x", "d": 1.5}}, "n": true});
    assert_eq!(answer, json!({"a.b.c": "x", "ts": 5, "json_data": extras}));
    assert_eq!(conformed(&columns, &config, &json!({"a": {"b": "y"}}))["a.b"], "y");
}

#[test]
fn merged_texts_are_cut_and_binary_ones_left_out() {
    let columns = [list("__mergedTextIndex", "STRING")];
    let config = json!({
        "enableUnindexableExtras": false, "mergedTextIndexDocumentMaxLength": 8,
        "mergedTextIndexBinaryDocumentDetectionMinLength": 10, "mergedTextIndexPathToExclude": ["c"],
    });
    let record = json!({"a": "Hello world", "b": "ABCxyz12345-_+/=..", "c": "x", "longer.than.that": "y", "d_logtype": "z"});
    assert_eq!(conformed(&columns, &config, &record)["__mergedTextIndex"], json!(["Hello :a"]));
    let is_seen = |text: &str| is_binary(text, 10);
    assert!(is_seen("ABCxyz12345-_+/=") && is_seen("ABCxyz12345-_+/=.."));
    for text in ["Hello world", "A.BCxy.z12345-_+/=..", "short", "field:1:1:v1Cgy+ypzk8"] {
        assert!(!is_seen(text), "{text}");
    }
}

#[test]
fn configs_that_cannot_work_are_refused() {
    for (columns, config, problem) in [
        (vec![], json!({"indexableExtrasField": "none"}), "the schema has no column `none`"),
        (vec![list("n", "INT")], json!({"indexableExtrasField": "n"}), "must hold documents"),
        (vec![text("a_x")], json!({"unindexableFieldSuffix": "_x"}), "would never be filled"),
        (vec![text("a")], json!({"fieldPathsToDrop": ["a"]}), "`a` is a column"),
        (vec![], json!({"fieldPathsToKeepSameAsInput": ["b"]}), "`b` is neither a column nor mapped"),
        (vec![], json!({"columnNameToJsonKeyPathMap": {"b": "c"}}), "no column `b`"),
        (vec![text("a")], json!({"columnNameToJsonKeyPathMap": {"a": "b..c"}}), "has an empty step"),
    ] {
        let problems = conformer(&columns, &config).unwrap_err();
        assert!(problems.iter().any(|found| found.contains(problem)), "{config}: {problems:?}");
    }
}
