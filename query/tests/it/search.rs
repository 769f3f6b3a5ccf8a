//! JSON_MATCH over generated documents: consuming, sealed and indexed rows answer alike.

use std::collections::BTreeMap;

use meunier_segment::json_flat::FlattenOptions;
use meunier_segment::options::SegmentOptions;
use serde_json::{Value, json};

use crate::differential::Random;
use crate::table::{Bed, Layout, TableSpec};

const SCHEMA: &str = r#"{"schemaName":"docs","dimensionFieldSpecs":[{"name":"id","dataType":"INT"},
    {"name":"few","dataType":"JSON"},{"name":"many","dataType":"JSON"},{"name":"text","dataType":"STRING"}]}"#;

fn document(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 4 } else { 8 }) {
        0 => json!(null),
        1 => json!(random.below(4)),
        2 => json!(random.pick(&["a", "b", "ab", ""])),
        3 => json!(random.below(2) == 0),
        4 | 5 => (0..random.below(3)).map(|_| document(random, depth - 1)).collect(),
        _ => {
            let fields = (0..random.below(4))
                .map(|_| (random.pick(&["x", "y", "z"]).to_owned(), document(random, depth - 1)));
            Value::Object(fields.collect())
        }
    }
}

fn rows(count: usize) -> Vec<Value> {
    let mut random = Random(7);
    (0..count)
        .map(|id| {
            let mut few = Random(id as u64 % 9);
            let mut many = document(&mut random, 3);
            if let Value::Object(fields) = &mut many {
                fields.insert("id".to_owned(), json!(id));
            }
            let text = if random.below(20) == 0 {
                "{broken".to_owned()
            } else {
                document(&mut random, 2).to_string()
            };
            let null = random.below(10) == 0;
            json!({"id": id, "few": document(&mut few, 3).to_string(), "many": many.to_string(),
                "text": if null { Value::Null } else { json!(text) }})
        })
        .collect()
}

fn bed(layout: Layout, indexed: bool, options: &FlattenOptions) -> Bed {
    let mut spec = TableSpec::new(SCHEMA, rows(400));
    let names = ["few", "many", "text"];
    // Without an index the options still say what documents hold.
    spec.search.json_columns = names.map(|name| (name.into(), options.clone())).into();
    spec.options = SegmentOptions {
        json_columns: if indexed { spec.search.json_columns.clone() } else { BTreeMap::new() },
        no_dictionary_columns: ["many".into()].into(),
        ..SegmentOptions::default()
    };
    Bed::new(&[spec], layout)
}

fn condition(random: &mut Random) -> String {
    let steps: Vec<&str> =
        (0..random.below(4)).map(|_| random.pick(&[".x", ".y", ".z", "[*]", "[0]", "[1]"])).collect();
    let path = format!("\"${}\"", steps.concat());
    match random.below(9) {
        0 => format!("{path} = 'a'"),
        1 => format!("{path} != 1"),
        2 => format!("{path} IN ('a', 2, true)"),
        3 => format!("{path} NOT IN ('b', 3)"),
        4 => format!("{path} IS NOT NULL"),
        5 => format!("REGEXP_LIKE({path}, 'a.*')"),
        6 => format!("{path} >= 1"),
        7 => format!("({} AND {})", condition(random), condition(random)),
        _ => format!("({} OR {})", condition(random), condition(random)),
    }
}

fn check(options: &FlattenOptions) {
    let beds = [
        ("consuming", bed(Layout::Consuming, true, options)),
        ("sealed", bed(Layout::Sealed, false, options)),
        ("indexed", bed(Layout::Sealed, true, options)),
        ("split", bed(Layout::Split, true, options)),
    ];
    let mut random = Random(11);
    let mut found = 0;
    for number in 0..60 {
        let inner = match random.below(6) {
            0 => "\"$.x\" IS NULL".to_owned(),
            _ => condition(&mut random),
        };
        let column = random.pick(&["few", "many", "text"]);
        let not = if random.below(4) == 0 { "NOT " } else { "" };
        let sql = format!(
            "SELECT id FROM docs WHERE {not}JSON_MATCH({column}, '{}') AND id > {number} ORDER BY id LIMIT 1000",
            inner.replace('\'', "''")
        );
        for engine in ["", "useMultistageEngine=true", "enableNullHandling=true"] {
            let mut first = None;
            for (name, bed) in &beds {
                let answer = bed.json_with(&sql, engine);
                assert_eq!(answer["exceptions"], json!([]), "{sql} {engine}");
                let rows = answer["resultTable"]["rows"].clone();
                found += rows.as_array().map_or(0, Vec::len);
                let first = first.get_or_insert_with(|| rows.clone());
                assert_eq!(first, &rows, "{name}: {sql} {engine}");
            }
        }
    }
    assert!(found > 1_000, "the conditions find next to nothing");
}

#[test]
fn json_match_answers_alike_in_all_layouts() {
    check(&FlattenOptions::default());
}

#[test]
fn json_match_heeds_the_options_of_the_index_in_all_layouts() {
    check(&FlattenOptions { levels_max: 2, disable_cross_array_unnest: true, ..FlattenOptions::default() });
}

#[test]
fn a_fault_in_a_condition_is_one_of_the_query() {
    let bed = bed(Layout::Split, true, &FlattenOptions::default());
    for (condition, text) in [("\"$.a\" ==", "JSON_MATCH condition"), ("NOT \"$.a\" = 1", "NOT goes before")]
    {
        let answer = bed.json(&format!("SELECT id FROM docs WHERE JSON_MATCH(few, '{condition}')"));
        assert_eq!(answer["exceptions"][0]["errorCode"], json!(700), "{answer}");
        assert!(answer["exceptions"][0]["message"].as_str().unwrap().contains(text), "{answer}");
    }
}

#[test]
fn explain_tells_of_the_json_index() {
    for (layout, indexed, expected) in
        [(Layout::Sealed, true, true), (Layout::Sealed, false, false), (Layout::Consuming, true, false)]
    {
        let bed = bed(layout, indexed, &FlattenOptions::default());
        for column in ["few", "many"] {
            let answer = bed.json(&format!(
                "EXPLAIN SELECT id FROM docs WHERE JSON_MATCH({column}, '\"$.x\" = 1') LIMIT 5"
            ));
            assert_eq!(answer.to_string().contains("json index"), expected, "{layout:?} {answer}");
        }
    }
}
