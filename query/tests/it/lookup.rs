//! LOOKUP over a dimension table that changes.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::table::{Bed, Layout, TableSpec};

const FACTS: &str = r#"{"schemaName":"facts","dimensionFieldSpecs":[{"name":"k","dataType":"INT"}]}"#;
const DIMENSION: &str = r#"{"schemaName":"names","primaryKeyColumns":["k"],
    "dimensionFieldSpecs":[{"name":"k","dataType":"INT"},{"name":"name","dataType":"STRING"}]}"#;
const QUERY: &str = "SELECT LOOKUP('names', 'name', 'k', k) FROM facts WHERE LOOKUP('names', 'name', 'k', k) <> 'null' ORDER BY k";

fn names(rows: Vec<Value>, partitions: usize) -> TableSpec {
    TableSpec { is_dimension: true, partitions, ..TableSpec::new(DIMENSION, rows) }
}

#[test]
fn sees_rows_that_came_after_the_last_query() {
    let facts = TableSpec::new(FACTS, (1..=3).map(|k| json!({ "k": k })).collect());
    let bed = Bed::new(&[facts, names(vec![json!({"k": 1, "name": "one"})], 1)], Layout::Sealed);
    // The second partition of another table is one that the first has not seen yet.
    let later = vec![json!({"k": 9, "name": "nine"}), json!({"k": 2, "name": "two"})];
    let later = Bed::new(&[names(later, 2)], Layout::Consuming);
    let rows = |bed: &Bed| bed.json(QUERY)["resultTable"]["rows"].clone();
    assert_eq!(rows(&bed), json!([["one"]]));
    assert_eq!(rows(&bed), json!([["one"]]));
    let found = |bed: &Bed| bed.tables.get("names").unwrap().live;
    found(&bed).add_partition(Arc::clone(&found(&later).partitions()[1]));
    assert_eq!(rows(&bed), json!([["one"], ["two"]]));
}
