//! Distinct values from star-trees: sketches answer as over the rows.

use meunier_segment::options::{FunctionPair, PairFunction, SegmentOptions, StarTreeOptions};
use serde_json::{Value, json};

use crate::differential::Random;
use crate::table::{Bed, Layout, TableSpec};

const SCHEMA: &str = r#"{"schemaName":"visits","dimensionFieldSpecs":[{"name":"city","dataType":"STRING"},
    {"name":"code","dataType":"INT"},{"name":"user","dataType":"STRING"},{"name":"number","dataType":"LONG"},
    {"name":"gaps","dataType":"STRING"}]}"#;

fn bed(layout: Layout) -> Bed {
    let mut random = Random(17);
    let row = |_| {
        let gaps = if random.below(9) == 0 { Value::Null } else { json!(format!("g{}", random.below(50))) };
        json!({"city": random.pick(&["ulm", "bonn", "köln", "jena"]), "code": random.below(6),
            "user": format!("user{}", random.below(900)), "number": random.below(700), "gaps": gaps})
    };
    let mut spec = TableSpec::new(SCHEMA, (0..4_000).map(row).collect());
    let pair = |function, column: Option<&str>| FunctionPair { function, column: column.map(Into::into) };
    spec.options = SegmentOptions {
        star_trees: vec![StarTreeOptions {
            dimensions: vec!["city".into(), "code".into()],
            function_pairs: vec![
                pair(PairFunction::Count, None),
                pair(PairFunction::DistinctCount, Some("user")),
                pair(PairFunction::DistinctCount, Some("number")),
                pair(PairFunction::Sum, Some("number")),
                pair(PairFunction::DistinctCount, Some("gaps")),
            ],
            leaf_records_max: 1,
            ..StarTreeOptions::default()
        }],
        ..SegmentOptions::default()
    };
    Bed::new(&[spec], layout)
}

const FUNCTIONS: [&str; 11] = [
    "DISTINCTCOUNT({})",
    "DISTINCTCOUNTBITMAP({})",
    "DISTINCTCOUNTHLL({})",
    "DISTINCTCOUNTHLL({}, 12)",
    "DISTINCTCOUNTRAWHLL({})",
    "DISTINCTCOUNTHLLPLUS({})",
    "DISTINCTCOUNTULL({})",
    "DISTINCTCOUNTTHETASKETCH({})",
    "DISTINCTCOUNTCPCSKETCH({})",
    "COUNT(DISTINCT {})",
    "SUM(number), DISTINCTCOUNTHLL({}), COUNT(*)",
];

/// The estimate of a CPC sketch heeds the order in which values come.
fn assert_near(first: &Value, second: &Value, sql: &str) {
    let estimates = |rows: &Value| -> Vec<f64> {
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row.as_array().unwrap().last().unwrap().as_f64().unwrap())
            .collect()
    };
    let (first, second) = (estimates(first), estimates(second));
    assert_eq!(first.len(), second.len(), "{sql}");
    for (first, second) in first.iter().zip(&second) {
        assert!((first - second).abs() <= 0.03 * second, "{sql}: {first} {second}");
    }
}

#[test]
fn sketches_answer_from_star_trees_as_from_rows() {
    let beds = [bed(Layout::Sealed), bed(Layout::Split)];
    let conditions =
        ["", "WHERE city = 'bonn'", "WHERE city IN ('ulm', 'köln') AND code > 2", "WHERE code = 99"];
    for function in FUNCTIONS {
        for column in ["user", "number", "gaps"] {
            for condition in conditions {
                let function = function.replace("{}", column);
                for (keys, order) in [("", ""), ("city, ", "GROUP BY city ORDER BY city")] {
                    let sql = format!("SELECT {keys}{function} FROM visits {condition} {order} LIMIT 100");
                    for (bed, engine) in beds.iter().zip(["", "useMultistageEngine=true"]) {
                        let rows = |options: &str| {
                            let answer = bed.json_with(&sql, &format!("{options};{engine}"));
                            assert_eq!(answer["exceptions"], json!([]), "{sql}");
                            answer["resultTable"]["rows"].clone()
                        };
                        let (by_tree, by_rows) = (rows("useStarTree=true"), rows("useStarTree=false"));
                        if function.starts_with("DISTINCTCOUNTCPC") {
                            assert_near(&by_tree, &by_rows, &sql);
                        } else {
                            assert_eq!(by_tree, by_rows, "{sql} {engine}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn star_trees_answer_functions_of_distinct_values() {
    let bed = bed(Layout::Sealed);
    let is_answered = |select: &str, options: &str| {
        let sql = format!("SELECT {select} FROM visits WHERE code = 3");
        let read = |options: &str| bed.json_with(&sql, options)["numDocsScanned"].as_u64().unwrap();
        read(options) < read("useStarTree=false") / 2
    };
    for function in FUNCTIONS {
        assert!(is_answered(&function.replace("{}", "user"), ""), "{function}");
        assert!(!is_answered(&function.replace("{}", "user"), "useStarTree=false"), "{function}");
        // The tree does not know which of these are null.
        assert!(!is_answered(&function.replace("{}", "gaps"), "enableNullHandling=true"), "{function}");
    }
    assert!(!is_answered("DISTINCTCOUNTHLL(city)", ""));
    assert!(!is_answered("PERCENTILETDIGEST(number, 50)", ""));
    assert!(!is_answered("DISTINCTCOUNTHLL(upper(user))", ""));
}
