//! Joins of generated tables: aggregates made below them, and rows left out by what the other side holds, change no answer.

use std::fmt::Write as _;

use meunier_segment::options::SegmentOptions;
use serde_json::{Value, json};

use crate::table::{Bed, Layout, TableSpec};

const EVENTS: &str = r#"{"schemaName":"events","enableColumnBasedNullHandling":true,
    "dimensionFieldSpecs":[{"name":"tenant","dataType":"STRING"},{"name":"code","dataType":"INT"},
        {"name":"ok","dataType":"BOOLEAN"},{"name":"note","dataType":"STRING"},{"name":"id","dataType":"LONG"}],
    "metricFieldSpecs":[{"name":"bytes","dataType":"LONG"},{"name":"price","dataType":"DOUBLE"},{"name":"cost","dataType":"BIG_DECIMAL"}],
    "dateTimeFieldSpecs":[{"name":"ts","dataType":"TIMESTAMP","format":"1:MILLISECONDS:TIMESTAMP","granularity":"1:MILLISECONDS"}]}"#;
const TENANTS: &str = r#"{"schemaName":"tenants","enableColumnBasedNullHandling":true,
    "dimensionFieldSpecs":[{"name":"tenant","dataType":"STRING"},{"name":"plan","dataType":"STRING"},
        {"name":"region","dataType":"INT"}],
    "metricFieldSpecs":[{"name":"seats","dataType":"INT"}]}"#;
const REGIONS: &str = r#"{"schemaName":"regions","enableColumnBasedNullHandling":true,
    "dimensionFieldSpecs":[{"name":"region","dataType":"LONG"},{"name":"name","dataType":"STRING"}]}"#;
const NOTHING: &str = r#"{"schemaName":"nothing","enableColumnBasedNullHandling":true,
    "dimensionFieldSpecs":[{"name":"tenant","dataType":"STRING"},{"name":"plan","dataType":"STRING"}]}"#;

const OFF: &str = "useAggregationBelowJoins=false;useJoinKeyFilter=false;";

const FIGURE_ROWS: usize = 2_000_000;

/// Options that may not change an answer; each statement is asked with some of them.
const VARIANTS: [&str; 7] = [
    OFF,
    "useAggregationBelowJoins=false",
    "useJoinKeyFilter=false",
    "maxExecutionThreads=1",
    "useDictionaryFilter=false",
    "useSegmentPruning=false",
    "useMetadataAggregation=false;useFilterPushdown=false",
];

/// A small generator of pseudo-random numbers: the same each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Returns null now and then.
    fn maybe(&mut self, value: Value) -> Value {
        if self.below(12) == 0 { Value::Null } else { value }
    }
}

/// Rows of events, of which about 1 in 40 belongs to each tenant; some tenants are unknown, some come twice.
fn events(rows: usize) -> TableSpec {
    let mut random = Random(3);
    let row = |row: usize| {
        let (tenant, code, bytes) = (random.below(40), random.below(5), random.below(1 << 20));
        json!({
            "tenant": random.maybe(json!(format!("t{tenant}"))),
            "code": random.maybe(json!(code)),
            "ok": random.below(3) > 0,
            "note": format!("n{}", random.below(900)),
            "id": row,
            "bytes": random.maybe(json!(bytes)),
            "cost": format!("{}.25", random.below(1000)),
            "price": random.maybe(json!(bytes as f64 / 4.0)),
            "ts": 1_700_000_000_000_u64 + row as u64 * 1000,
        })
    };
    TableSpec::new(EVENTS, (0..rows).map(row).collect())
}

fn tenants() -> TableSpec {
    let mut random = Random(5);
    let row = |row: usize| {
        let plan = random.below(4);
        json!({
            "tenant": random.maybe(json!(format!("t{}", row % 50 + 5))),
            "plan": random.maybe(json!(format!("p{plan}"))),
            "region": row % 6,
            "seats": random.below(100),
        })
    };
    TableSpec::new(TENANTS, (0..70).map(row).collect())
}

fn specs(rows: usize) -> [TableSpec; 4] {
    let regions = (0..5).map(|region| json!({"region": region, "name": format!("r{}", region / 2)}));
    [events(rows), tenants(), TableSpec::new(REGIONS, regions.collect()), TableSpec::new(NOTHING, Vec::new())]
}

/// Statements over the tables, and whether groups are made below their join.
const STATEMENTS: &[(&str, bool)] = &[
    (
        "SELECT t.plan, COUNT(*), SUM(e.bytes) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT t.plan, COUNT(*), SUM(e.bytes) FROM tenants t JOIN events e ON e.tenant = t.tenant WHERE t.region = 2 GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT COUNT(*), COUNT(e.bytes), SUM(e.bytes), SUM(e.price), AVG(e.bytes), AVG(e.price), MIN(e.bytes), MAX(e.price), MIN(e.ts), MAX(e.code) FROM events e JOIN tenants t ON e.tenant = t.tenant",
        true,
    ),
    (
        "SELECT COUNT(*), COUNT(e.bytes), SUM(e.bytes), AVG(e.bytes), MIN(e.bytes) FROM events e JOIN tenants t ON e.tenant = t.tenant WHERE t.plan = 'none'",
        true,
    ),
    ("SELECT COUNT(*), SUM(e.bytes) FROM events e JOIN nothing n ON e.tenant = n.tenant", true),
    (
        "SELECT n.plan, COUNT(*), SUM(e.bytes) FROM events e LEFT JOIN nothing n ON e.tenant = n.tenant GROUP BY n.plan",
        true,
    ),
    (
        "SELECT t.plan, e.code, COUNT(*), AVG(e.price), SUM(e.bytes + 1) FROM events e JOIN tenants t ON e.tenant = t.tenant WHERE e.ok GROUP BY t.plan, e.code ORDER BY t.plan, e.code LIMIT 100",
        true,
    ),
    (
        "SELECT e.code, COUNT(*) FROM events e JOIN tenants t ON e.tenant = t.tenant WHERE e.note < 'n3' AND t.seats > 20 GROUP BY e.code ORDER BY e.code",
        true,
    ),
    (
        "SELECT t.plan, COUNT(*) FILTER (WHERE e.ok), SUM(e.bytes) FILTER (WHERE e.code = 3), COUNT(*) FILTER (WHERE t.seats > 50 AND e.ok), MAX(e.bytes) FILTER (WHERE e.code > t.region) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT t.plan, COUNT(*), MIN(t.seats), MAX(t.seats), COUNT(DISTINCT t.tenant), COUNT(DISTINCT e.code) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT UPPER(t.plan), e.code + 1, COUNT(*) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY UPPER(t.plan), e.code + 1 ORDER BY 1, 2 LIMIT 100",
        true,
    ),
    (
        "SELECT t.plan, SUM(CASE WHEN e.ok THEN e.bytes ELSE 0 END) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT t.plan, SUM(e.bytes) + SUM(t.seats) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        false,
    ),
    (
        "SELECT t.plan, SUM(e.cost), MIN(e.cost), MAX(e.note) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT t.plan, AVG(e.cost) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        false,
    ),
    (
        "SELECT t.plan, SUM(e.bytes * t.seats) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        false,
    ),
    (
        "SELECT t.plan, COUNT(*) FROM events e LEFT JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT t.plan, COUNT(*), COUNT(e.bytes), SUM(e.bytes) FROM tenants t LEFT JOIN events e ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        false,
    ),
    (
        "SELECT t.plan, COUNT(*), SUM(e.bytes) FROM tenants t RIGHT JOIN events e ON e.tenant = t.tenant AND t.seats > 30 GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT t.plan, COUNT(*), SUM(e.bytes) FROM tenants t FULL JOIN events e ON e.tenant = t.tenant GROUP BY t.plan ORDER BY t.plan",
        false,
    ),
    (
        "SELECT e.code, COUNT(*), SUM(e.bytes) FROM events e WHERE e.tenant IN (SELECT tenant FROM tenants WHERE region = 3) GROUP BY e.code ORDER BY e.code",
        true,
    ),
    (
        "SELECT e.code, COUNT(*), SUM(e.bytes) FROM events e WHERE e.tenant NOT IN (SELECT tenant FROM tenants WHERE region = 3 AND tenant IS NOT NULL) GROUP BY e.code ORDER BY e.code",
        true,
    ),
    ("SELECT COUNT(*), SUM(e.bytes) FROM events e WHERE e.tenant NOT IN (SELECT tenant FROM tenants)", true),
    (
        "SELECT COUNT(*), AVG(e.bytes) FROM events e WHERE EXISTS (SELECT 1 FROM tenants t WHERE t.tenant = e.tenant AND t.seats > 60)",
        true,
    ),
    (
        "SELECT COUNT(*), AVG(e.bytes) FROM events e WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.tenant = e.tenant AND t.seats > 60)",
        true,
    ),
    (
        "SELECT r.name, t.plan, COUNT(*), SUM(e.bytes) FROM events e JOIN tenants t ON e.tenant = t.tenant JOIN regions r ON t.region = r.region GROUP BY r.name, t.plan ORDER BY r.name, t.plan LIMIT 100",
        true,
    ),
    (
        "SELECT r.name, COUNT(*), SUM(e.bytes) FROM events e JOIN regions r ON e.code = r.region JOIN tenants t ON e.tenant = t.tenant WHERE t.seats > 10 GROUP BY r.name ORDER BY r.name",
        true,
    ),
    (
        "SELECT r.name, COUNT(*), SUM(e.bytes) FROM events e JOIN tenants t ON e.tenant = t.tenant AND e.code < t.region LEFT JOIN regions r ON t.region = r.region GROUP BY r.name ORDER BY r.name",
        true,
    ),
    (
        "SELECT t.plan, COUNT(*) FROM events e JOIN tenants t ON e.tenant = t.tenant AND e.code = t.region GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT t.plan, COUNT(*) FROM events e JOIN tenants t ON UPPER(e.tenant) = UPPER(t.tenant) GROUP BY t.plan ORDER BY t.plan",
        true,
    ),
    (
        "SELECT t.plan, COUNT(*) FROM events e JOIN tenants t ON e.note = t.tenant GROUP BY t.plan ORDER BY t.plan",
        false,
    ),
    (
        "SELECT a.code, COUNT(*), SUM(a.bytes) FROM events a JOIN events b ON a.tenant = b.tenant WHERE b.note = 'n7' GROUP BY a.code ORDER BY a.code",
        true,
    ),
    (
        "WITH j AS (SELECT e.bytes AS b, t.plan AS p, e.code AS c FROM events e JOIN tenants t ON e.tenant = t.tenant) SELECT p, COUNT(*), SUM(b), MAX(c) FROM j GROUP BY p ORDER BY p",
        true,
    ),
    (
        "SELECT DISTINCT t.plan, e.code FROM events e JOIN tenants t ON e.tenant = t.tenant ORDER BY t.plan, e.code LIMIT 100",
        true,
    ),
    (
        "SELECT p, COUNT(*), SUM(n) FROM (SELECT t.plan AS p, e.code, COUNT(*) AS n FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan, e.code) g GROUP BY p ORDER BY p",
        true,
    ),
    (
        "SELECT t.plan, COUNT(*) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan HAVING SUM(e.bytes) > 40000000 ORDER BY COUNT(*) DESC, t.plan LIMIT 3",
        true,
    ),
    (
        "SELECT e.id, e.bytes, t.plan FROM events e JOIN tenants t ON e.tenant = t.tenant WHERE t.seats > 90 ORDER BY e.id, t.plan LIMIT 50",
        false,
    ),
    (
        "SELECT e.id, e.bytes FROM events e WHERE e.code IN (SELECT region FROM regions WHERE name = 'r1') AND e.tenant IN (SELECT tenant FROM tenants WHERE plan = 'p1') ORDER BY e.id LIMIT 50",
        false,
    ),
    ("SELECT e.id, r.name FROM events e JOIN regions r ON e.id = r.region ORDER BY e.id", false),
    (
        "SELECT e.id, t.plan FROM events e LEFT JOIN tenants t ON e.tenant = t.tenant AND t.seats > 95 ORDER BY e.id, t.plan LIMIT 60",
        false,
    ),
    (
        "SELECT e.id - MOD(e.id, 4000), COUNT(*), SUM(e.bytes) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY e.id - MOD(e.id, 4000) ORDER BY 1 LIMIT 20",
        true,
    ),
];

fn indexed(specs: &[TableSpec]) -> Vec<TableSpec> {
    let options = SegmentOptions {
        sorted_column: Some("tenant".into()),
        no_dictionary_columns: ["bytes", "price", "id"].into_iter().map(Into::into).collect(),
        inverted_columns: [meunier_segment::schema::ColumnName::from("code")].into_iter().collect(),
        ..SegmentOptions::default()
    };
    let mut specs = specs.to_vec();
    specs[0].options = options;
    specs
}

#[test]
fn answers_do_not_depend_on_where_groups_are_made() {
    let plain = specs(8_000).to_vec();
    let mut differences = String::new();
    let mut turn = 0;
    for (layout, specs) in Layout::ALL
        .into_iter()
        .map(|layout| (layout, plain.clone()))
        .chain([(Layout::Sealed, indexed(&plain)), (Layout::Split, indexed(&plain))])
    {
        let bed = Bed::new(&specs, layout);
        for (sql, rewritten) in STATEMENTS {
            for nulls in ["", "enableNullHandling=true;"] {
                let ask =
                    |options: &str| bed.json_with(sql, &format!("useMultistageEngine=true;{nulls}{options}"));
                let expected = ask(&format!("{OFF}useSegmentAggregation=false"));
                assert_eq!(expected["exceptions"], json!([]), "{sql}");
                turn += 1;
                for options in ["", VARIANTS[turn % VARIANTS.len()]] {
                    let answer = ask(options);
                    if answer["resultTable"] != expected["resultTable"] {
                        writeln!(
                            differences,
                            "{layout:?} `{nulls}{options}` {sql}\n{}\n{}",
                            expected["resultTable"], answer
                        )
                        .unwrap();
                    }
                }
            }
            let plan = bed.json_with(&format!("EXPLAIN {sql}"), "useMultistageEngine=true");
            let plan = plan["resultTable"]["rows"][0][1].as_str().unwrap_or_else(|| panic!("{sql}: {plan}"));
            // What is few for how many rows is known best of sealed segments.
            if layout == Layout::Sealed && plan.contains("$partial") != *rewritten {
                writeln!(differences, "{layout:?} {sql}\n{plan}").unwrap();
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn rows_of_keys_that_the_smaller_side_lacks_are_not_read() {
    let bed = Bed::new(&indexed(&specs(8_000)), Layout::Sealed);
    let tenants_of =
        |condition: &str| format!("events e JOIN tenants t ON e.tenant = t.tenant WHERE {condition}");
    for (sql, scan) in [
        (format!("SELECT t.plan, COUNT(*), SUM(e.bytes) FROM {} GROUP BY t.plan", tenants_of("t.seats > 95")), "SegmentAggregate: table=events"),
        (format!("SELECT e.id, t.plan FROM {}", tenants_of("t.seats > 95")), "SegmentScan: table=events"),
        ("SELECT COUNT(*), SUM(e.bytes) FROM events e WHERE e.tenant IN (SELECT tenant FROM tenants WHERE seats > 95)".into(), "SegmentAggregate: table=events"),
        ("SELECT e.id FROM events e JOIN regions r ON e.code = r.region WHERE r.name = 'r2'".into(), "SegmentScan: table=events"),
    ] {
        let ask = |options: &str| bed.json_with(&sql, &format!("useMultistageEngine=true;{options}"));
        let read = |options: &str| {
            let answer = ask(options);
            assert_eq!(answer["exceptions"], json!([]), "{sql}");
            answer["numDocsScanned"].as_u64().unwrap()
        };
        let (with, without) = (read(""), read("useJoinKeyFilter=false"));
        assert!(with * 3 < without, "{with} of {without} rows for {sql}");
        let plan = bed.json_with(&format!("EXPLAIN {sql}"), "useMultistageEngine=true");
        let plan = plan["resultTable"]["rows"][0][1].as_str().unwrap();
        let line = plan.lines().find(|line| line.contains(scan)).unwrap_or_else(|| panic!("{plan}"));
        assert!(line.contains("join-filters=1"), "{plan}");
    }
}

/// Rows enough for two readers of one scan, which both begin when the join knows its keys.
#[test]
fn readers_of_one_scan_agree_on_what_is_left_out() {
    let bed = Bed::new(&specs(140_000), Layout::Split);
    for sql in [
        "SELECT t.plan, COUNT(*), SUM(e.bytes) FROM events e JOIN tenants t ON e.tenant = t.tenant WHERE t.seats > 70 GROUP BY t.plan ORDER BY t.plan",
        "SELECT r.name, t.plan, COUNT(*), MAX(e.id) FROM events e JOIN tenants t ON e.tenant = t.tenant JOIN regions r ON r.region = e.code WHERE t.seats > 70 GROUP BY r.name, t.plan ORDER BY r.name, t.plan",
        "SELECT e.id, t.plan FROM events e JOIN tenants t ON e.tenant = t.tenant WHERE t.seats > 90 ORDER BY e.id, t.plan LIMIT 20",
    ] {
        let ask = |options: &str| bed.json_with(sql, &format!("useMultistageEngine=true;{options}"));
        let expected = ask(OFF);
        assert_eq!(expected["exceptions"], json!([]), "{sql}");
        for options in ["", "useAggregationBelowJoins=false", "useSegmentAggregation=false"] {
            assert_eq!(ask(options)["resultTable"], expected["resultTable"], "{options} {sql}");
        }
    }
}

#[test]
#[ignore = "prints figures, checks nothing"]
fn join_figures() {
    let mut specs = specs(FIGURE_ROWS).to_vec();
    specs[0].options.sorted_column = Some("tenant".into());
    let bed = Bed::new(&specs, Layout::Sealed);
    for sql in [
        "SELECT t.plan, COUNT(*), SUM(e.bytes) FROM events e JOIN tenants t ON e.tenant = t.tenant WHERE t.region = 2 GROUP BY t.plan",
        "SELECT t.plan, COUNT(*), SUM(e.bytes) FROM events e JOIN tenants t ON e.tenant = t.tenant GROUP BY t.plan",
        "SELECT r.name, t.plan, COUNT(*), SUM(e.bytes) FROM events e JOIN tenants t ON e.tenant = t.tenant JOIN regions r ON t.region = r.region GROUP BY r.name, t.plan",
        "SELECT COUNT(*), SUM(e.bytes) FROM events e WHERE e.tenant IN (SELECT tenant FROM tenants WHERE region = 3)",
        "SELECT MAX(e.id + t.seats) FROM events e JOIN tenants t ON e.tenant = t.tenant WHERE t.seats > 95",
    ] {
        println!("{sql}");
        for options in ["", "useAggregationBelowJoins=false", "useJoinKeyFilter=false", OFF] {
            let mut times: Vec<u128> = (0..15)
                .map(|_| {
                    let began = std::time::Instant::now();
                    let answer = bed
                        .json_with(sql, &format!("useMultistageEngine=true;maxExecutionThreads=1;{options}"));
                    assert_eq!(answer["exceptions"], json!([]));
                    began.elapsed().as_micros()
                })
                .collect();
            times.sort_unstable();
            println!("{:>8} µs median, {:>8} µs least  {options}", times[7], times[0]);
        }
    }
}
