//! Every function with arguments that it was not made for: whatever they are, an answer or a clear refusal comes back
//! soon, and never a panic or a fault of ours.
//!
//! `FUNCTION_CALLS=1000000` makes more calls than the suite does, `FUNCTION_SEED=n` others.

use std::time::{Duration, Instant};

use meunier_functions::Functions;
use meunier_query::EngineConfig;
use serde_json::json;

use crate::differential::Random;
use crate::table::{Bed, Layout, TableSpec};

/// Calls that the suite makes.
const CALLS: usize = 20_000;
/// Longest that one call may take, in a debug build on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Memory that one call may take.
const MEMORY_MAX: usize = 64 << 20;

pub(crate) const SCHEMA: &str = r#"{"schemaName":"t",
    "dimensionFieldSpecs":[
        {"name":"i","dataType":"INT"},{"name":"l","dataType":"LONG"},{"name":"f","dataType":"FLOAT"},
        {"name":"d","dataType":"DOUBLE"},{"name":"dec","dataType":"BIG_DECIMAL"},{"name":"b","dataType":"BOOLEAN"},
        {"name":"ts","dataType":"TIMESTAMP"},{"name":"s","dataType":"STRING"},{"name":"j","dataType":"JSON"},
        {"name":"y","dataType":"BYTES"},
        {"name":"im","dataType":"INT","singleValueField":false},{"name":"lm","dataType":"LONG","singleValueField":false},
        {"name":"dm","dataType":"DOUBLE","singleValueField":false},{"name":"sm","dataType":"STRING","singleValueField":false}],
    "complexFieldSpecs":[{"name":"map","dataType":"MAP","childFieldSpecs":{
        "key":{"name":"key","dataType":"STRING"},"value":{"name":"value","dataType":"LONG"}}}]}"#;

pub(crate) const COLUMNS: [&str; 15] =
    ["i", "l", "f", "d", "dec", "b", "ts", "s", "j", "y", "im", "lm", "dm", "sm", "map"];

/// Constants that functions like to trip over.
pub(crate) const CONSTANTS: [&str; 80] = [
    "NULL",
    "TRUE",
    "FALSE",
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "10",
    "64",
    "100",
    "2147483647",
    "-2147483648",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "1e308",
    "-1e308",
    "1e-320",
    "0.0",
    "-0.0",
    "0.5",
    "99.9",
    "1e20",
    "123456789012345678901234567890.123456789",
    "''",
    "' '",
    "'a'",
    "'NaN'",
    "'Infinity'",
    "'-Infinity'",
    "'null'",
    "'true'",
    "'1'",
    "'-5'",
    "'1e400'",
    "'äöü €𝄞'",
    "'%_\\'",
    "'('",
    "'[a-'",
    "'(a+)+b'",
    "'.*'",
    "'$.a'",
    "'$[*].a..b[?(@.x>1)]'",
    "'{\"a\":[1,null,{\"b\":2}]}'",
    "'[1,2,3]'",
    "'{'",
    "'INT'",
    "'STRING_ARRAY'",
    "'MILLISECONDS'",
    "'DAY'",
    "'1:DAYS:EPOCH'",
    "'1:DAYS:SIMPLE_DATE_FORMAT:yyyy-MM-dd'",
    "'1:HOURS'",
    "'yyyy-MM-dd''T''HH:mm:ss.SSSZ'",
    "'America/New_York'",
    "'2024-02-29 23:59:59.999'",
    "'PT1H'",
    "'POINT (1 2)'",
    "'POLYGON ((0 0, 1 0, 1 1, 0 0))'",
    "'POLYGON (('",
    "'10.0.0.1/8'",
    "'::1'",
    "'http://a.b.co.uk:80/x/y?q=1&r=%zz#f'",
    "'00ff'",
    "'AAGl/w=='",
    "X'00ff10'",
    "X''",
    "ARRAY[1,2,3]",
    "ARRAY['a','b']",
    "'nominalEntries=64'",
    "'SET_DIFF($0, $1)'",
    "'i > 0'",
    "'v > 1 OR v = 0'",
    // The theta sketch of nothing, and a HyperLogLogPlus and an UltraLogLog that end early.
    "'AQMDAAAezJM='",
    "X'fffffffe0e000004'",
    "X'030000000000000000'",
    "'durationFunctions=AVG,COUNT'",
];

pub(crate) fn row(random: &mut Random) -> serde_json::Value {
    let mut row = serde_json::Map::new();
    let mut put = |name: &str, value: serde_json::Value| {
        row.insert(name.into(), value);
    };
    let whole = |random: &mut Random| match random.below(6) {
        0 => 0,
        1 => i64::from(i32::MAX),
        2 => i64::from(i32::MIN),
        3 => -1,
        _ => i64::try_from(random.below(2000)).unwrap() - 1000,
    };
    let text = |random: &mut Random| {
        let texts = ["", "a", "abc,def", "{\"a\":1}", "2024-01-01", "1.5", "äöü€𝄞", "x".repeat(400).as_str()]
            .map(String::from);
        texts[usize::try_from(random.below(8)).unwrap()].clone()
    };
    if random.below(8) > 0 {
        put("i", json!(whole(random)));
        put("f", json!(whole(random) as f64 / 3.0));
        put("b", json!(random.below(2) == 0));
        put("s", json!(text(random)));
        put("y", json!("00ff01"));
        put("im", json!((0..random.below(4)).map(|_| whole(random)).collect::<Vec<_>>()));
        put("dm", json!((0..random.below(4)).map(|_| whole(random) as f64 / 7.0).collect::<Vec<_>>()));
        put("map", json!({"a": 1, "": 2}));
    }
    if random.below(8) > 0 {
        put("l", json!(if random.below(5) == 0 { i64::MAX } else { whole(random) }));
        put("d", json!(if random.below(5) == 0 { 1e300 } else { whole(random) as f64 / 7.0 }));
        put("dec", json!("12345678901234567890.5"));
        put("ts", json!(if random.below(5) == 0 { 253_402_300_799_999 } else { whole(random) * 86_400_000 }));
        put("j", json!({"a": [whole(random), null, {"b": text(random)}]}));
        put("lm", json!((0..random.below(4)).map(|_| whole(random)).collect::<Vec<_>>()));
        put("sm", json!((0..random.below(4)).map(|_| text(random)).collect::<Vec<_>>()));
    }
    serde_json::Value::Object(row)
}

fn pick<'a>(random: &mut Random, among: &[&'a str]) -> &'a str {
    among[usize::try_from(random.below(among.len() as u64)).unwrap()]
}

fn call(random: &mut Random, names: &[&str], depth: u64) -> String {
    let count = random.below(6).min(random.below(6) + 1);
    let arguments: Vec<String> = (0..count)
        .map(|_| match random.below(12) {
            0 if depth > 0 => call(random, names, depth - 1),
            0..6 => pick(random, &CONSTANTS).to_owned(),
            _ => pick(random, &COLUMNS).to_owned(),
        })
        .collect();
    format!("{}({})", pick(random, names), arguments.join(", "))
}

fn statement(random: &mut Random, names: &[&str]) -> String {
    let call = call(random, names, 1);
    let options =
        pick(random, &["", "", " OPTION(enableNullHandling=true)", " OPTION(useMultistageEngine=true)"]);
    match random.below(8) {
        0 => format!("SELECT {call}{options}"),
        1 => format!("SELECT {call}, count(*) FROM t GROUP BY {call}{options}"),
        2 => format!("SELECT count(*) FROM t WHERE {call} = {}{options}", pick(random, &CONSTANTS)),
        3 => format!("SELECT s, {call} FROM t GROUP BY s{options}"),
        4 => format!("SELECT {call} FROM t WHERE i > 5000 ORDER BY {call}{options}"),
        5 => format!("SELECT DISTINCT {call} FROM t{options}"),
        _ => format!("SELECT {call} FROM t{options}"),
    }
}

pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Makes calls and returns those that ended as none should.
fn bad_calls(seed: u64, calls: usize, layout: Layout) -> Vec<String> {
    let mut random = Random(seed);
    let rows = (0..60).map(|_| row(&mut random)).collect();
    let config = EngineConfig { threads: 1, query_memory_bytes_max: MEMORY_MAX, ..EngineConfig::default() };
    let bed = Bed::with_config(&[TableSpec::new(SCHEMA, rows)], layout, config);
    let functions = Functions::load();
    let names: Vec<&str> = functions.names().collect();
    let mut bad = Vec::new();
    for _ in 0..calls {
        let sql = statement(&mut random, &names);
        let began = Instant::now();
        let answer = bed.query(&sql);
        let took = began.elapsed();
        let body = String::from_utf8_lossy(&answer.body);
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
        let is_fault =
            answer.error_code == Some(450) || body.contains("panicked") || body.contains("nternal error");
        if is_fault || !is_json || took > TIME_MAX {
            bad.push(format!("{sql}\n    {took:?}: {body:.300}"));
        }
    }
    bad
}

#[test]
fn no_call_of_any_function_is_a_fault_of_ours() {
    let calls = number("FUNCTION_CALLS", CALLS);
    let seed = number("FUNCTION_SEED", 1) as u64;
    let halves = std::thread::scope(|scope| {
        let halves: Vec<_> = [(seed, Layout::Split), (seed + 1_000_003, Layout::Sealed)]
            .map(|(seed, layout)| scope.spawn(move || bad_calls(seed, calls.div_ceil(2), layout)))
            .into();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(halves.is_empty(), "seed {seed}, {} calls:\n{}", halves.len(), halves.join("\n"));
}
