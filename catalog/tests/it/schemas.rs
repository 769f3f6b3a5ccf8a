//! Every pair of files in `schemas/` fits together.
//!
//! The table file is still read as plain JSON here: once the catalog has its own type for table configs, `load` reads it
//! with that, and what the type checks itself leaves this file.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use meunier_segment::schema::{FieldRole, Schema};
use serde_json::Value;

/// Lists of `tableIndexConfig` that name columns.
const COLUMN_LISTS: [&str; 5] = [
    "sortedColumn",
    "invertedIndexColumns",
    "rangeIndexColumns",
    "bloomFilterColumns",
    "noDictionaryColumns",
];

struct Pair {
    name: String,
    schema: Schema,
    table: Value,
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

/// Returns the names that have a file with this ending.
fn names(ending: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory()).expect("the repository has schemas/") {
        let file = entry.expect("the directory can be listed").file_name();
        names.extend(file.to_string_lossy().strip_suffix(ending).map(str::to_owned));
    }
    names
}

fn load(name: String) -> Pair {
    let read = |ending: &str| {
        fs::read_to_string(directory().join(format!("{name}{ending}"))).expect("it was listed")
    };
    let parsed =
        Schema::parse(&read(".schema.json")).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
    let table = serde_json::from_str(&read(".table.json")).unwrap_or_else(|error| panic!("{name}: {error}"));
    Pair { name, schema: parsed.schema, table }
}

fn pairs() -> impl Iterator<Item = Pair> {
    names(".schema.json").into_iter().map(load)
}

#[test]
fn every_schema_has_its_table() {
    assert!(names(".schema.json").len() >= 6);
    assert_eq!(names(".schema.json"), names(".table.json"));
    for Pair { name, schema, table } in pairs() {
        assert_eq!(schema.name(), name);
        assert_eq!(table["tableName"], *name);
        assert_eq!(table["tableType"], "REALTIME");
    }
}

#[test]
fn every_time_column_is_a_date_time() {
    for Pair { name, schema, table } in pairs() {
        let column = table["segmentsConfig"]["timeColumnName"].as_str().unwrap();
        let (_, field) = schema.field(column).unwrap_or_else(|| panic!("{name}: no column {column}"));
        assert!(matches!(field.role, FieldRole::DateTime { .. }), "{name}: {column}");
    }
}

#[test]
fn every_indexed_column_exists() {
    for Pair { name, schema, table } in pairs() {
        let lists = COLUMN_LISTS.iter().filter_map(|list| table["tableIndexConfig"][list].as_array());
        let columns = lists
            .flatten()
            .chain(table["fieldConfigList"].as_array().into_iter().flatten().map(|c| &c["name"]));
        for column in columns {
            assert!(schema.field(column.as_str().unwrap()).is_some(), "{name}: no column {column}");
        }
    }
}
