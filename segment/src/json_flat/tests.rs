//! Facts of Pinot's documentation of its JSON index, and random documents against another way to take them apart.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

fn shown(document: &str, options: &FlattenOptions) -> String {
    let records = flatten(document, options);
    let lines = records.iter().map(|record| {
        let pairs: Vec<String> = record.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

const PERSON: &str = r#"{"name": "adam", "age": 20, "skills": ["sql", "java"], "addresses": [
    {"country": "us", "number": 112, "types": ["home", "work"]}, {"country": "ca", "number": 2}]}"#;

#[test]
fn gives_a_record_for_each_combination_of_elements() {
    let mut lines: Vec<String> = Vec::new();
    for skill in ["0 .skills.=sql", "1 .skills.=java"] {
        for address in [
            "0 .addresses..country=us .addresses..number=112 .addresses..types.$index=0 .addresses..types.=home",
            "0 .addresses..country=us .addresses..number=112 .addresses..types.$index=1 .addresses..types.=work",
            "1 .addresses..country=ca .addresses..number=2",
        ] {
            lines.push(format!(".name=adam .age=20 .skills.$index={skill} .addresses.$index={address}"));
        }
    }
    let sorted = |line: &str| line.split(' ').map(str::to_owned).collect::<BTreeSet<String>>();
    let expected: BTreeSet<_> = lines.iter().map(|line| sorted(line)).collect();
    let found: BTreeSet<_> = shown(PERSON, &FlattenOptions::default()).lines().map(sorted).collect();
    assert_eq!(found, expected);
}

#[test]
fn options_choose_what_is_taken() {
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<String>>();
    let options = FlattenOptions { levels_max: 1, ..FlattenOptions::default() };
    assert_eq!(shown(PERSON, &options), ".age=20 .name=adam");
    let options = FlattenOptions { exclude_array: true, ..FlattenOptions::default() };
    assert_eq!(shown(PERSON, &options), ".age=20 .name=adam");
    let options = FlattenOptions {
        include_paths: Some(paths(&["$.name", "$.skills[*]"])),
        ..FlattenOptions::default()
    };
    assert_eq!(
        shown(PERSON, &options),
        ".name=adam .skills.=sql .skills.$index=0\n.name=adam .skills.=java .skills.$index=1"
    );
    let options =
        FlattenOptions { exclude_paths: paths(&["$.addresses", "$.skills"]), ..FlattenOptions::default() };
    assert_eq!(shown(PERSON, &options), ".age=20 .name=adam");
    let options = FlattenOptions {
        exclude_fields: paths(&["skills", "types", "number", "age"]),
        ..FlattenOptions::default()
    };
    assert_eq!(
        shown(PERSON, &options),
        ".addresses.$index=0 .addresses..country=us .name=adam\n.addresses.$index=1 .addresses..country=ca .name=adam"
    );
    let options = FlattenOptions { disable_cross_array_unnest: true, ..FlattenOptions::default() };
    assert_eq!(shown(PERSON, &options).lines().count(), 5);
    let options = FlattenOptions {
        index_paths: IndexPaths::new(paths(&["name", "addresses..country"])),
        ..FlattenOptions::default()
    };
    assert_eq!(
        shown(PERSON, &options),
        ".addresses.$index=0 .addresses..country=us .name=adam\n.addresses.$index=1 .addresses..country=ca .name=adam"
    );
    let options = FlattenOptions { value_length_max: 2, levels_max: 1, ..FlattenOptions::default() };
    assert_eq!(shown(PERSON, &options), ".age=20 .name=$SKIPPED$");
}

#[test]
fn writes_scalars_as_java_does() {
    let cases = [
        ("1", "=1"),
        ("-0.5", "=-0.5"),
        ("1e10", "=1.0E10"),
        ("100.0", "=100.0"),
        ("true", "=true"),
        ("\"a\"", "=a"),
        ("null", ""),
        ("", ""),
        ("[]", ""),
        ("{", "=$SKIPPED$"),
        ("1 2", "=1"),
    ];
    for (document, expected) in cases {
        assert_eq!(shown(document, &FlattenOptions::default()), expected, "{document}");
    }
}

#[test]
fn too_many_combinations_are_skipped() {
    let many = Value::from((0..400).collect::<Vec<i32>>());
    let document = serde_json::json!({"a": many, "b": many}).to_string();
    assert_eq!(shown(&document, &FlattenOptions::default()), "=$SKIPPED$");
}

/// Every way to choose one element of each array that can be entered, each a record: what the records are, said another
/// way.
fn choices(value: &Value) -> Vec<FlatRecord> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(elements) => {
            let mut all = Vec::new();
            for (index, element) in elements.iter().enumerate() {
                for choice in choices(element) {
                    let mut record: FlatRecord =
                        choice.into_iter().map(|(key, value)| (format!(".{key}"), value)).collect();
                    record.insert(".$index".to_owned(), index.to_string());
                    all.push(record);
                }
            }
            all
        }
        Value::Object(fields) => {
            let parts: Vec<(&String, Vec<FlatRecord>)> =
                fields.iter().map(|(name, value)| (name, choices(value))).collect();
            let parts: Vec<_> = parts.into_iter().filter(|(_, records)| !records.is_empty()).collect();
            if parts.is_empty() {
                return Vec::new();
            }
            let count = parts.iter().map(|(_, records)| records.len()).product::<usize>();
            (0..count)
                .map(|mut number| {
                    let mut record = BTreeMap::new();
                    for (name, records) in &parts {
                        let chosen = &records[number % records.len()];
                        number /= records.len();
                        record.extend(
                            chosen.iter().map(|(key, value)| (format!(".{name}{key}"), value.clone())),
                        );
                    }
                    record
                })
                .collect()
        }
        Value::String(text) => vec![FlatRecord::from([(String::new(), text.clone())])],
        other => vec![FlatRecord::from([(String::new(), other.to_string())])],
    }
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..5).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 20, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[xyz]", inner), 0..3)
                .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<String, Value>>())),
        ]
    })
}

proptest! {
    #[test]
    fn records_are_the_choices_of_elements(document in documents()) {
        let mut found = flatten(&document.to_string(), &FlattenOptions::default());
        let mut expected = choices(&document);
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_text_is_a_fault(document in "\\PC{0,40}") {
        flatten(&document, &FlattenOptions::default());
    }

    #[test]
    fn no_path_is_a_fault(path in "[$.\\[\\]a*0-9ż]{0,12}") {
        let _ = FlatKey::parse(&path);
    }
}

#[test]
fn paths_become_keys() {
    let key = |path: &str| FlatKey::parse(path).map(|key| (key.key, key.positions));
    let positions = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, position)| ((*key).to_owned(), (*position).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(key("$"), Ok((String::new(), Vec::new())));
    assert_eq!(key("$[*]"), Ok((".".to_owned(), Vec::new())));
    assert_eq!(
        key("$.foo[0].bar[1].foobar"),
        Ok((".foo..bar..foobar".to_owned(), positions(&[(".foo.$index", "0"), (".foo..bar.$index", "1")])))
    );
    assert_eq!(
        key("foo[0][1].bar"),
        Ok((".foo...bar".to_owned(), positions(&[(".foo.$index", "0"), (".foo..$index", "1")])))
    );
    assert!(key("$.a[0").is_err());
}
