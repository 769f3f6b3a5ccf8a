//! Generated queries over more rows than a chunk holds: whatever the layout, and whether rules help or not, the answers
//! are the same.

use std::fmt::Write as _;
use std::time::Instant;

use meunier_segment::index::BloomFilterSize;
use meunier_segment::options::{FunctionPair, PairFunction, SegmentOptions, StarTreeOptions};
use meunier_segment::partition_function::{PartitionFunction, PartitionHash};
use serde_json::json;

use crate::table::{Bed, Layout, TableSpec};

const SCHEMA: &str = r#"{"schemaName":"events","enableColumnBasedNullHandling":true,
    "dimensionFieldSpecs":[{"name":"city","dataType":"STRING"},{"name":"user","dataType":"STRING"},{"name":"session","dataType":"STRING"},
        {"name":"code","dataType":"INT"},{"name":"ok","dataType":"BOOLEAN"},
        {"name":"tags","dataType":"STRING","singleValueField":false}],
    "metricFieldSpecs":[{"name":"price","dataType":"DOUBLE"},{"name":"ratio","dataType":"DOUBLE"},{"name":"bytes","dataType":"LONG"}],
    "dateTimeFieldSpecs":[{"name":"ts","dataType":"TIMESTAMP","format":"1:MILLISECONDS:TIMESTAMP","granularity":"1:MILLISECONDS"}]}"#;

const ROWS: usize = 140_000;
const VARIANTS: [&str; 6] = [
    "",
    "useSegmentPruning=false;useFilterPushdown=false;useDictionaryFilter=false;usePredicateCache=false;useMetadataAggregation=false;useSegmentAggregation=false;useSegmentTopRows=false;useShortPath=false;useAggregationBelowJoins=false;useJoinKeyFilter=false",
    "useShortPath=false",
    "useSegmentAggregation=false",
    "useDictionaryFilter=false",
    "usePredicateCache=false",
];

/// A small generator of pseudo-random numbers: the same each run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    pub(crate) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

fn spec(rows: usize) -> TableSpec {
    let mut random = Random(7);
    let row = |row: usize| {
        let tags: Vec<String> = (0..random.below(4)).map(|_| format!("t{}", random.below(5))).collect();
        json!({
            "city": if random.below(20) == 0 { json!(null) } else { json!(format!("city {}", random.below(40))) },
            "user": format!("user {}", random.below(60_000)),
            // So many that a consuming segment gives its dictionary up after the first chunk.
            "session": format!("session {}", row as u64 * 3 / 4 + random.below(2)),
            "code": if random.below(9) == 0 { json!(null) } else { json!(200 + random.below(300)) },
            "ok": random.below(3) > 0,
            "tags": tags,
            "price": match random.below(12) {
                0 => json!(null),
                2 => json!(0.0),
                3 => json!("-0.0"),
                _ => json!(random.below(10_000) as f64 / 100.0),
            },
            // Never aggregated: DataFusion's own MIN and MAX take neither NaN nor infinities as numbers in order.
            "ratio": match random.below(6) {
                0 => json!(random.pick(&["NaN", "-NaN", "-Infinity", "Infinity", "-0.0"])),
                1 => json!(null),
                2 => json!(0.0),
                _ => json!(random.below(200) as f64 / 4.0 - 20.0),
            },
            "bytes": if random.below(15) == 0 { json!(null) } else { json!(random.below(1 << 30)) },
            "ts": 1_700_000_000_000_u64 + row as u64 * 10,
        })
    };
    TableSpec::new(SCHEMA, (0..rows).map(row).collect())
}

/// The same rows with every index.
fn indexed(plain: &TableSpec) -> TableSpec {
    let columns = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
    let pair = |function, column: Option<&str>| FunctionPair { function, column: column.map(Into::into) };
    let options = SegmentOptions {
        prefix_columns: Default::default(),
        json_columns: Default::default(),
        text_columns: Default::default(),
        sorted_column: Some("city".into()),
        no_dictionary_columns: columns(&["price", "bytes", "ts", "ratio"]),
        inverted_columns: columns(&["user", "session", "code", "tags", "ok"]),
        range_columns: columns(&["price", "ts", "code", "ratio"]),
        bloom_columns: ["user", "bytes", "ratio"]
            .map(|name| (name.into(), BloomFilterSize::default()))
            .into(),
        partitioned_columns: [
            ("user".into(), PartitionFunction::new(PartitionHash::Murmur, 16)),
            ("code".into(), PartitionFunction::new(PartitionHash::Modulo, 1_000)),
            ("city".into(), PartitionFunction::new(PartitionHash::HashCode, 64)),
        ]
        .into_iter()
        .filter_map(|(name, function)| Some((name, function?)))
        .collect(),
        star_trees: vec![StarTreeOptions {
            dimensions: vec!["city".into(), "code".into()],
            skip_star_dimensions: Vec::new(),
            function_pairs: vec![
                pair(PairFunction::Count, None),
                pair(PairFunction::Sum, Some("bytes")),
                pair(PairFunction::Min, Some("price")),
                pair(PairFunction::Max, Some("price")),
                pair(PairFunction::Max, Some("bytes")),
                pair(PairFunction::DistinctCount, Some("user")),
            ],
            leaf_records_max: 100,
        }],
    };
    TableSpec { options, ..plain.clone() }
}

/// The rows in every layout, without indexes and with all of them.
fn beds(rows: usize) -> Vec<(&'static str, Bed)> {
    let plain = spec(rows);
    let indexed = indexed(&plain);
    vec![
        ("consuming", Bed::new(std::slice::from_ref(&plain), Layout::Consuming)),
        ("indexed and consuming", Bed::new(std::slice::from_ref(&indexed), Layout::Consuming)),
        ("sealed", Bed::new(std::slice::from_ref(&plain), Layout::Sealed)),
        ("split", Bed::new(std::slice::from_ref(&plain), Layout::Split)),
        ("indexed", Bed::new(std::slice::from_ref(&indexed), Layout::Sealed)),
        ("indexed and split", Bed::new(std::slice::from_ref(&indexed), Layout::Split)),
    ]
}

fn predicate(random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.below(2) == 0 {
        let (left, right) = (predicate(random, depth - 1), predicate(random, depth - 1));
        return match random.below(3) {
            0 => format!("({left} AND {right})"),
            1 => format!("({left} OR {right})"),
            _ => format!("NOT ({left})"),
        };
    }
    let compare = random.pick(&["=", "<>", "<", "<=", ">", ">="]);
    match random.below(27) {
        22 => format!("session {} 'session {}'", random.pick(&["=", "<>"]), random.below(105_000)),
        23 => format!("session IN ('session {}', 'session {}')", random.below(2_000), random.below(105_000)),
        24 => format!(
            "DATETRUNC('{}', ts) {compare} {}",
            random.pick(&["SECOND", "MINUTE", "HOUR"]),
            1_699_999_980_000 + random.below(1_450) * 1_000
        ),
        25 => format!("TOEPOCHSECONDS(ts) {compare} {}", 1_700_000_000 + random.below(1_450)),
        26 => format!(
            "TIMECONVERT(ts, 'MILLISECONDS', 'MINUTES') IN ({}, {})",
            28_333_333 + random.below(25),
            28_333_333 + random.below(25)
        ),
        17 => format!("price {compare} -0.0"),
        18 => format!("ratio {compare} {}", random.pick(&["-0.0", "0", "3.5", "CAST('NaN' AS DOUBLE)"])),
        19 => format!("ratio IN (-0.0, {}, CAST('NaN' AS DOUBLE))", random.below(20)),
        20 => format!("ratio * -1 {compare} {}", random.pick(&["0", "-0.0", "ratio", "price"])),
        21 => format!("ratio NOT BETWEEN -0.0 AND {}", random.below(20)),
        13 => format!("price {compare} {}", random.below(300) as f64 / 100.0),
        14 => format!("price {compare} 0"),
        15 => format!("bytes {compare} {}", random.below(1 << 24)),
        16 => random.pick(&["price IS NULL", "bytes IS NOT NULL", "bytes = 0"]).into(),
        0 => format!("city {compare} 'city {}'", random.below(45)),
        1 => format!("city IN ('city 1', 'city {}', 'nowhere')", random.below(40)),
        2 => format!("city LIKE '%{}'", random.below(10)),
        3 => format!("user {compare} 'user {}'", random.below(60_000)),
        4 => format!("code {compare} {}", 200 + random.below(300)),
        5 => format!("code BETWEEN {} AND {}", 200 + random.below(200), 300 + random.below(200)),
        6 => "ok".into(),
        7 => format!("tags {compare} 't{}'", random.below(6)),
        8 => format!("price * 2 {compare} {}", random.below(200)),
        9 => format!("ts {compare} {}", 1_700_000_000_000 + random.below(1_400_000)),
        10 => random.pick(&["city IS NULL", "code IS NOT NULL", "tags IS NULL"]).into(),
        11 => format!("bytes > price * {}", random.below(1 << 24)),
        12 => format!("LENGTH(user) {compare} {}", 6 + random.below(5)),
        _ => format!("$docId < {} AND $partitionId = {}", random.below(80_000), random.below(2)),
    }
}

/// What star-trees can answer.
fn predicate_on_cube(random: &mut Random) -> String {
    match random.below(4) {
        0 => format!("city = 'city {}'", random.below(42)),
        1 => {
            format!("city IN ('city 3', 'city {}') AND code >= {}", random.below(40), 200 + random.below(300))
        }
        2 => format!(
            "code BETWEEN {} AND {} AND city <> 'city 5'",
            200 + random.below(200),
            300 + random.below(200)
        ),
        _ => format!("city LIKE 'city {}%' AND code <> {}", random.below(5), 200 + random.below(300)),
    }
}

fn query(random: &mut Random) -> String {
    let filter = predicate(random, 2);
    let cube = predicate_on_cube(random);
    match random.below(17) {
        15 => format!("SELECT DISTINCT ratio * -1 FROM events WHERE {filter} ORDER BY ratio * -1 LIMIT 300"),
        16 => format!("SELECT ratio, ts FROM events WHERE {filter} ORDER BY ratio {}, ts LIMIT 40", random.pick(&["DESC", "ASC"])),
        14 => format!("SELECT ratio, COUNT(*), DISTINCTCOUNT(ratio) FROM events WHERE {filter} GROUP BY ratio ORDER BY COUNT(*) DESC, ratio LIMIT 30"),
        5 => format!("SELECT city, code, COUNT(*), SUM(bytes), MAX(price) FROM events WHERE {cube} GROUP BY city, code ORDER BY city, code LIMIT 50"),
        6 => format!("SELECT COUNT(*), SUM(bytes), AVG(bytes), MIN(price) FROM events WHERE {cube}"),
        7 => "SELECT code, COUNT(*), MAX(bytes) FROM events GROUP BY code ORDER BY COUNT(*) DESC, code LIMIT 15".into(),
        8 => format!("SELECT UPPER(city), LENGTH(user), COUNT(*) FROM events WHERE {filter} GROUP BY UPPER(city), LENGTH(user) ORDER BY 3 DESC, 1, 2 LIMIT 30"),
        9 => format!("SELECT ts - MOD(ts, 60000), ok, COUNT(*), MIN(bytes), AVG(code) FROM events WHERE {filter} GROUP BY ts - MOD(ts, 60000), ok ORDER BY 1, 2 LIMIT 60"),
        10 => format!("SELECT code, DISTINCTCOUNT(user), DISTINCTCOUNT(city), DISTINCTCOUNTHLL(session, 5), COUNT(*) FILTER (WHERE ok), COUNT(city) FROM events WHERE {filter} GROUP BY code ORDER BY code LIMIT 40"),
        11 => format!("SELECT city, price, ts FROM events WHERE {filter} ORDER BY price DESC, ts LIMIT {}", 1 + random.below(30)),
        12 => format!("SELECT DISTINCT ok, city FROM events WHERE {filter} ORDER BY city, ok LIMIT 90"),
        13 => format!("SELECT city, SUM(bytes) FROM events WHERE {filter} GROUP BY city HAVING COUNT(*) > {} ORDER BY SUM(bytes) DESC, city LIMIT 20", random.below(40)),
        0 => format!(
            "SELECT COUNT(*), SUM(bytes), MIN(price), MAX(ts), DISTINCTCOUNT(user), DISTINCTCOUNT(session), DISTINCTCOUNTHLL(user) FROM events WHERE {filter}"
        ),
        1 => format!(
            "SELECT city, COUNT(*), MAX(bytes) FROM events WHERE {filter} GROUP BY city ORDER BY city LIMIT 100"
        ),
        2 => format!(
            "SELECT city, user, code, price, ts, tags FROM events WHERE {filter} ORDER BY ts LIMIT 20"
        ),
        3 => format!(
            "SELECT tags, ok, COUNT(*) FROM events WHERE {filter} GROUP BY tags, ok ORDER BY tags, ok LIMIT 100"
        ),
        _ => format!("SELECT COUNT(*), MIN(code), MAX(code), MIN(ts), MAX(price) FROM events WHERE {filter}"),
    }
}

#[test]
fn generated_queries_answer_alike_over_many_chunks() {
    compare_generated(ROWS, 24, 42, VARIANTS.len());
}

/// Few rows, so that there is time for many queries; `MEUNIER_TEST_QUERIES` asks for more of them.
#[test]
fn generated_queries_answer_alike_in_every_layout() {
    let queries = std::env::var("MEUNIER_TEST_QUERIES").ok().and_then(|count| count.parse().ok());
    compare_generated(2_500, queries.unwrap_or(300), 4711, 2);
}

/// Asks generated queries of every layout, each with `variants` of the variants, and compares all answers.
fn compare_generated(rows: usize, queries: usize, seed: u64, variants: usize) {
    let beds = beds(rows);
    let mut random = Random(seed);
    let mut differences = String::new();
    let mut queries_with_hits = 0;
    for _ in 0..queries {
        let sql = query(&mut random);
        let nulls = random.pick(&["", "enableNullHandling=true;"]);
        let scanned = beds[0].1.json_with(&sql, nulls)["numDocsScanned"].as_u64().unwrap();
        queries_with_hits += usize::from(scanned > 0);
        let mut first = None;
        for (layout, bed) in &beds {
            if sql.contains("$docId") {
                // A virtual row number depends on where a row lies, so it is compared within a layout only.
                first = None;
            }
            let offset = usize::try_from(random.below(VARIANTS.len() as u64)).unwrap();
            for at in 0..variants {
                let variant = VARIANTS[(offset + at) % VARIANTS.len()];
                let answer = bed.json_with(&sql, &format!("{nulls}{variant}"));
                assert_eq!(answer["exceptions"], json!([]), "{sql}");
                let shown = answer["resultTable"].clone();
                let first = first.get_or_insert_with(|| shown.clone());
                if *first != shown {
                    writeln!(differences, "{layout} `{nulls}{variant}` {sql}\n{first}\n{shown}").unwrap();
                }
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
    assert!(queries_with_hits * 2 > queries, "only {queries_with_hits} queries found a row");
}

#[test]
#[ignore = "prints figures, checks nothing"]
fn figures() {
    let spec = spec(ROWS);
    for layout in [Layout::Consuming, Layout::Sealed] {
        let bed = Bed::new(std::slice::from_ref(&spec), layout);
        for sql in [
            "SELECT COUNT(*) FROM events",
            "SELECT COUNT(*) FROM events WHERE city = 'city 7'",
            "SELECT COUNT(*) FROM events WHERE user = 'user 77'",
            "SELECT city, COUNT(*), SUM(bytes) FROM events WHERE code = 404 GROUP BY city ORDER BY COUNT(*) DESC LIMIT 5",
            "SELECT city, COUNT(*) FROM events GROUP BY city ORDER BY COUNT(*) DESC LIMIT 5",
            "SELECT user, price FROM events WHERE ts > 1700001390000 ORDER BY ts DESC LIMIT 10",
            "SELECT SUM(price * bytes) FROM events",
            &format!("SELECT code{} FROM events LIMIT 1", "+1".repeat(499)),
            &format!("SELECT COUNT(*) FROM events WHERE code=1{}", " OR code=1".repeat(248)),
        ] {
            let mut times: Vec<u128> = (0..15)
                .map(|_| {
                    let began = Instant::now();
                    assert_eq!(bed.query(sql).error_code, None);
                    began.elapsed().as_micros()
                })
                .collect();
            times.sort_unstable();
            let shown: String = sql.chars().take(100).collect();
            println!("{layout:?} {:>8} µs median, {:>8} µs least  {shown}", times[7], times[0]);
        }
    }
}
