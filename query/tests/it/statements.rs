//! Statements of a grammar over both dialects, and some with words lost or doubled: whatever is asked, an answer or a clear
//! refusal comes back soon, and never a panic or a fault of ours.
//!
//! `STATEMENTS=200000` asks more than the suite does, `STATEMENT_SEED=n` others.

use std::time::{Duration, Instant};

use meunier_functions::Functions;
use meunier_query::EngineConfig;
use serde_json::json;

use crate::differential::Random;
use crate::functions::{COLUMNS, CONSTANTS, SCHEMA, number, row};
use crate::table::{Bed, Layout, TableSpec};

/// Statements that the suite asks.
const STATEMENTS: usize = 2_000;
/// Time after which the engine gives a statement up.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest that one answer may take, in a debug build on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Memory that one statement may take.
const MEMORY_MAX: usize = 64 << 20;

const DIMENSION: &str = r#"{"schemaName":"dim","primaryKeyColumns":["k"],"dimensionFieldSpecs":[
    {"name":"k","dataType":"INT"},{"name":"name","dataType":"STRING"},
    {"name":"tags","dataType":"STRING","singleValueField":false}]}"#;

const TYPES: [&str; 12] = [
    "INT",
    "BIGINT",
    "LONG",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "BOOLEAN",
    "TIMESTAMP",
    "VARCHAR",
    "STRING",
    "JSON",
    "BYTES",
];
const OPERATORS: [&str; 12] = ["+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "||"];
const AGGREGATES: [&str; 16] = [
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "distinctcount",
    "mode",
    "minmaxrange",
    "percentile95",
    "arrayagg",
    "lastwithtime",
    "distinctcounthll",
    "booland",
    "stddevpop",
    "idset",
    "distinctcountthetasketch",
];
const WINDOWS: [&str; 10] =
    ["row_number", "rank", "dense_rank", "ntile", "lag", "lead", "first_value", "last_value", "sum", "count"];
const UNITS: [&str; 6] = ["YEAR", "MONTH", "WEEK", "DAY", "HOUR", "SECOND"];
const ALIASES: [&str; 4] = ["x", "y", "t", "i"];

/// Writes statements.
struct Grammar<'a> {
    random: Random,
    names: Vec<&'a str>,
}

impl Grammar<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    fn pick<'c>(&mut self, among: &[&'c str]) -> &'c str {
        self.random.pick(among)
    }

    /// Returns a text or nothing, each as often as the other.
    fn perhaps(&mut self, write: impl FnOnce(&mut Self) -> String) -> String {
        if self.below(2) == 0 { String::new() } else { write(self) }
    }

    fn list(&mut self, most: u64, mut write: impl FnMut(&mut Self) -> String) -> String {
        let count = 1 + self.below(most);
        (0..count).map(|_| write(self)).collect::<Vec<_>>().join(", ")
    }

    fn column(&mut self) -> String {
        match self.below(20) {
            0 => self.pick(&["$docId", "$segmentName", "$partitionId", "$offset", "$hostName"]).to_owned(),
            1 => format!("map['{}']", self.pick(&["a", "", "none"])),
            2 => format!("t.{}", self.pick(&COLUMNS)),
            3 => self.pick(&["nowhere", "\"I\"", "x.i", "*"]).to_owned(),
            _ => self.pick(&COLUMNS).to_owned(),
        }
    }

    /// Returns an expression of whatever kind, now and then of nonsense.
    fn expr(&mut self, depth: u64) -> String {
        match self.below(7) {
            0..3 => self.number(depth),
            3..5 => self.text(depth),
            5 => self.condition(depth),
            _ => self.anything(depth),
        }
    }

    fn number(&mut self, depth: u64) -> String {
        if depth == 0 {
            return self.pick(&["i", "l", "f", "d", "dec", "1", "0", "-3.5", "1000000", "t.i"]).to_owned();
        }
        let inner = depth - 1;
        match self.below(12) {
            0..3 => {
                let (left, right) = (self.number(inner), self.number(inner));
                format!("({left} {} {right})", self.pick(&OPERATORS[..5]))
            }
            3 => {
                let name = self.pick(&["abs", "floor", "sqrt", "exp", "sign", "ln", "ceil", "negate"]);
                format!("{name}({})", self.number(inner))
            }
            4 => {
                let name = self.pick(&["least", "greatest", "power", "mod", "intdiv", "gcd", "coalesce"]);
                format!("{name}({}, {})", self.number(inner), self.number(inner))
            }
            5 => format!("length({})", self.text(inner)),
            6 => {
                let (when, then) = (self.condition(inner), self.number(inner));
                format!("CASE WHEN {when} THEN {then} ELSE {} END", self.number(inner))
            }
            7 => {
                let of = self.number(inner);
                format!("CAST({of} AS {})", self.pick(&TYPES[..7]))
            }
            8 => {
                let unit = self.pick(&UNITS);
                format!("EXTRACT({unit} FROM ts)")
            }
            9 => format!("{}(im)", self.pick(&["arraylength", "arraysum", "arraymax", "cardinality"])),
            10 => format!("JSON_EXTRACT_SCALAR(j, '$.a[0]', '{}', 0)", self.pick(&TYPES[..5])),
            _ => self.number(0),
        }
    }

    fn text(&mut self, depth: u64) -> String {
        if depth == 0 {
            return self.pick(&["s", "j", "s", "t.s", "'abc'", "''", "$segmentName", "map['a']"]).to_owned();
        }
        let inner = depth - 1;
        match self.below(8) {
            0 => {
                let name =
                    self.pick(&["upper", "lower", "reverse", "trim", "sha256", "urlencode", "initcap"]);
                format!("{name}({})", self.text(inner))
            }
            1 => format!("concat({}, {}, '-')", self.text(inner), self.text(inner)),
            2 => format!("({} || {})", self.text(inner), self.text(inner)),
            3 => format!("substr({}, {}, {})", self.text(inner), self.below(4), self.below(9)),
            4 => {
                let of = self.number(inner);
                format!("CAST({of} AS VARCHAR)")
            }
            5 => {
                let key = self.number(0);
                format!(
                    "LOOKUP('dim', '{}', 'k', {key})",
                    self.pick(&["name", "name", "name", "tags", "k", "none"])
                )
            }
            6 => format!("replace({}, 'a', {})", self.text(inner), self.text(0)),
            _ => self.text(0),
        }
    }

    fn anything(&mut self, depth: u64) -> String {
        if depth == 0 {
            return if self.below(3) == 0 { self.pick(&CONSTANTS).to_owned() } else { self.column() };
        }
        let inner = depth - 1;
        match self.below(13) {
            0..3 => self.column(),
            3 => {
                let (left, right) = (self.expr(inner), self.expr(inner));
                format!("{left} {} {right}", self.pick(&OPERATORS))
            }
            4..6 => {
                let names = std::mem::take(&mut self.names);
                let name = self.pick(&names).to_owned();
                self.names = names;
                let arguments = self.perhaps(|grammar| grammar.list(4, |grammar| grammar.expr(inner)));
                format!("{name}({arguments})")
            }
            6 => format!("ARRAY[{}]", self.list(3, |grammar| grammar.number(inner))),
            7 => {
                let of = self.expr(inner);
                format!("{of}[{}]", self.expr(inner))
            }
            8 => {
                let of = self.expr(inner);
                format!("CAST({of} AS {})", self.pick(&TYPES))
            }
            9 => format!("-{}", self.expr(inner)),
            10 => self.aggregate(inner),
            11 => format!("({})", self.select(inner)),
            _ => self.window(inner),
        }
    }

    fn aggregate(&mut self, depth: u64) -> String {
        let (name, arguments) = match self.below(8) {
            0 => ("count", "*".to_owned()),
            1 => ("lastwithtime", format!("{}, ts, 'STRING'", self.text(depth))),
            2 => (self.pick(&AGGREGATES), self.list(3, |grammar| grammar.expr(depth))),
            3 => (self.pick(&["count", "distinctcount", "arrayagg", "max"]), self.text(depth)),
            _ => (self.pick(&AGGREGATES), self.number(depth)),
        };
        let distinct = self.pick(&["", "", "", "", "", "", "", "DISTINCT "]);
        let filter = match self.below(4) {
            0 => format!(" FILTER (WHERE {})", self.condition(depth)),
            _ => String::new(),
        };
        format!("{name}({distinct}{arguments}){filter}")
    }

    fn window(&mut self, depth: u64) -> String {
        let name = self.pick(&WINDOWS);
        let arguments = self.perhaps(|grammar| grammar.list(2, |grammar| grammar.expr(depth)));
        let parts = self.perhaps(|grammar| format!("PARTITION BY {}", grammar.list(2, |g| g.expr(depth))));
        let order = self.perhaps(|grammar| grammar.order(depth));
        let frame = self.pick(&[
            "",
            "",
            "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
            "ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
            "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
            "ROWS 5 FOLLOWING",
        ]);
        format!("{name}({arguments}) OVER ({parts} {order} {frame})")
    }

    fn condition(&mut self, depth: u64) -> String {
        let inner = depth.saturating_sub(1);
        match self.below(18) {
            0 if depth > 0 => {
                let (left, right) = (self.condition(inner), self.condition(inner));
                format!("({left} {} {right})", self.pick(&["AND", "OR"]))
            }
            1 if depth > 0 => format!("NOT {}", self.condition(inner)),
            2 => {
                let of = self.expr(inner);
                format!("{of} IS {}NULL", self.pick(&["", "NOT "]))
            }
            3 => {
                let of = self.number(inner);
                let not = self.pick(&["", "NOT "]);
                format!("{of} {not}IN ({})", self.list(4, |grammar| grammar.number(0)))
            }
            4 => {
                let (of, low) = (self.number(inner), self.number(inner));
                format!("{of} BETWEEN {low} AND {}", self.number(inner))
            }
            5 => {
                let of = self.text(inner);
                format!("{of} LIKE '{}'", self.pick(&["a%", "_", "%\\_%", ""]))
            }
            6 => {
                let of = self.text(inner);
                format!("REGEXP_LIKE({of}, '{}')", self.pick(&["^a.*", "[0-9]+", "(?<=a)b", "a|b", "("]))
            }
            7 => format!(
                "JSON_MATCH(j, '{}')",
                self.pick(&["\"$.a[*]\" = 1", "\"$.a[2].b\" IS NULL", "\"$.a\" > 2", "x"])
            ),
            8 => format!("TEXT_MATCH(s, '{}')", self.pick(&["abc", "a*", "\"a b\" OR c", "/a.b/", "/("])),
            9 if depth > 1 => {
                let of = self.expr(inner);
                let not = self.pick(&["", "NOT "]);
                format!("{of} {not}IN ({})", self.select(inner))
            }
            10 if depth > 1 => format!("EXISTS ({})", self.select(inner)),
            11 => {
                // Sets of numbers are exact; of texts they are bloom filters, here of little memory.
                let column = self.pick(&["i", "l", "i, 'expectedInsertions=9'", "s, 'expectedInsertions=9'"]);
                let of = self.pick(&["i", "l", "s", "d"]);
                format!("IN_SUBQUERY({of}, 'SELECT ID_SET({}) FROM u')", column.replace('\'', "''"))
            }
            12 => {
                let (left, right) = (self.text(inner), self.text(inner));
                format!("{left} {} {right}", self.pick(&OPERATORS[5..11]))
            }
            13 => {
                let (left, right) = (self.expr(inner), self.expr(inner));
                format!("{left} {} {right}", self.pick(&OPERATORS[5..11]))
            }
            _ => {
                let (left, right) = (self.number(inner), self.number(inner));
                format!("{left} {} {right}", self.pick(&OPERATORS[5..11]))
            }
        }
    }

    fn order(&mut self, depth: u64) -> String {
        let keys = self.list(2, |grammar| {
            let key = match grammar.below(4) {
                0 | 1 => grammar.pick(&["1", "1", "1", "2", "x", "99"]).to_owned(),
                _ => grammar.expr(depth),
            };
            format!("{key} {}", grammar.pick(&["", "ASC", "DESC", "DESC NULLS LAST", "NULLS FIRST"]))
        });
        format!("ORDER BY {keys}")
    }

    fn relation(&mut self, depth: u64) -> String {
        let inner = depth.saturating_sub(1);
        match self.below(12) {
            0..7 => "t".to_owned(),
            7 => "t AS x".to_owned(),
            8 => "u".to_owned(),
            9 if depth > 0 => format!("({}) AS {}", self.select(inner), self.pick(&ALIASES)),
            10 if depth > 0 => {
                let kind = self.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", ","]);
                let on = match self.below(3) {
                    0 => format!(" ON {}", self.condition(inner)),
                    1 => " ON t.i = u.i".to_owned(),
                    _ => String::new(),
                };
                format!("t {kind} u{on}")
            }
            _ => "t CROSS JOIN UNNEST(t.im) AS m(x)".to_owned(),
        }
    }

    fn select(&mut self, depth: u64) -> String {
        let distinct = self.pick(&["", "", "", "DISTINCT "]);
        // Groups, rows, or both where they cannot be.
        let shape = self.below(9);
        let key = self.expr(depth.saturating_sub(1));
        let items = match shape {
            0..3 => format!("{key}, {}", self.list(2, |grammar| grammar.aggregate(1))),
            3 => self.list(3, |grammar| grammar.aggregate(depth)),
            4 => "*".to_owned(),
            5 => self.list(3, |grammar| match grammar.below(2) {
                0 => grammar.aggregate(depth),
                _ => grammar.expr(depth),
            }),
            _ => self.list(3, |grammar| {
                let item = grammar.expr(depth);
                match grammar.below(3) {
                    0 => format!("{item} AS {}", grammar.pick(&ALIASES)),
                    _ => item,
                }
            }),
        };
        let from = match self.below(20) {
            0 => String::new(),
            _ => format!(" FROM {}", self.relation(depth)),
        };
        let filter = self.perhaps(|grammar| format!(" WHERE {}", grammar.condition(depth)));
        let group = match (shape, self.below(8)) {
            (0..3, 0) => format!(" GROUP BY {}({key})", self.pick(&["ROLLUP", "CUBE", "GROUPING SETS "])),
            (0..3, 1) => format!(" GROUP BY 1, {}", self.expr(1)),
            (0..3, 2..5) => " GROUP BY 1".to_owned(),
            (0..3, _) => format!(" GROUP BY {key}"),
            (5, _) => format!(" GROUP BY {}", self.list(2, |grammar| grammar.expr(depth))),
            _ => String::new(),
        };
        let having = match (shape, self.below(4)) {
            (0..3, 0) => format!(" HAVING {} > 1", self.aggregate(0)),
            (_, 0) if self.below(8) == 0 => format!(" HAVING {}", self.condition(1)),
            _ => String::new(),
        };
        let order = match (shape, self.below(4)) {
            (_, 0 | 1) => String::new(),
            (0..4, 2) => " ORDER BY 1 DESC".to_owned(),
            _ => format!(" {}", self.order(depth.saturating_sub(1))),
        };
        let limit = self.pick(&["", "", " LIMIT 5", " LIMIT 0", " LIMIT 3 OFFSET 2", " LIMIT 2, 4"]);
        format!("SELECT {distinct}{items}{from}{filter}{group}{having}{order}{limit}")
    }

    fn statement(&mut self) -> String {
        let depth = 1 + self.below(3);
        let options = self.pick(&[
            "",
            "",
            "SET useMultistageEngine = true; ",
            "SET enableNullHandling = true; ",
            "SET useMultistageEngine = true; SET enableNullHandling = true; ",
        ]);
        let explain = self.pick(&["", "", "", "", "", "", "EXPLAIN PLAN FOR ", "EXPLAIN "]);
        let body = match self.below(10) {
            0 => {
                let (left, right) = (self.select(depth), self.select(depth));
                let operation =
                    self.pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "MINUS", "EXCEPT ALL"]);
                format!("({left}) {operation} ({right})")
            }
            1 => {
                let inner = self.select(depth);
                format!("WITH w AS ({inner}) {}", self.select(1).replace("FROM t", "FROM w"))
            }
            _ => self.select(depth),
        };
        let text = format!("{options}{explain}{body}");
        if self.below(8) == 0 { self.mangled(&text) } else { text }
    }

    /// Returns a statement with some words lost, doubled or in the place of others.
    fn mangled(&mut self, text: &str) -> String {
        let mut words: Vec<&str> = text.split_inclusive([' ', '(', ')', ',']).collect();
        for _ in 0..=self.below(3) {
            if words.is_empty() {
                break;
            }
            let at = usize::try_from(self.below(words.len() as u64)).unwrap();
            match self.below(3) {
                0 => {
                    words.remove(at);
                }
                1 => words.insert(at, words[at]),
                _ => words[at] = words[usize::try_from(self.below(words.len() as u64)).unwrap()],
            }
        }
        words.concat()
    }
}

/// Asks statements and returns those that ended as none should.
fn bad_statements(seed: u64, statements: usize, layout: Layout) -> Vec<String> {
    let mut random = Random(seed);
    let mut rows = || (0..60).map(|_| row(&mut random)).collect::<Vec<_>>();
    let other = SCHEMA.replace(r#""schemaName":"t""#, r#""schemaName":"u""#);
    let dimension = ["one", "two", "three"].iter().enumerate();
    let dimension = dimension.map(|(k, name)| json!({"k": k, "name": name, "tags": [name, "all"]}));
    let specs = [
        TableSpec::new(SCHEMA, rows()),
        TableSpec::new(&other, rows()),
        TableSpec { is_dimension: true, ..TableSpec::new(DIMENSION, dimension.collect()) },
    ];
    let config = EngineConfig {
        threads: 1,
        query_memory_bytes_max: MEMORY_MAX,
        timeout: TIMEOUT,
        ..EngineConfig::default()
    };
    let bed = Bed::with_config(&specs, layout, config);
    let functions = Functions::load();
    let mut grammar = Grammar { random, names: functions.names().collect() };
    let (mut bad, mut answered) = (Vec::new(), 0);
    for _ in 0..statements {
        let sql = grammar.statement();
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
        answered += usize::from(answer.error_code.is_none());
    }
    // A grammar whose statements are all refused would prove nothing.
    assert!(answered * 20 > statements, "{answered} of {statements} were answered");
    bad
}

#[test]
fn no_statement_of_the_grammar_is_a_fault_of_ours() {
    let statements = number("STATEMENTS", STATEMENTS);
    let seed = number("STATEMENT_SEED", 1) as u64;
    let halves = std::thread::scope(|scope| {
        let halves: Vec<_> = [(seed, Layout::Split), (seed + 1_000_003, Layout::Sealed)]
            .map(|(seed, layout)| scope.spawn(move || bad_statements(seed, statements.div_ceil(2), layout)))
            .into();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(halves.is_empty(), "seed {seed}, {} statements:\n{}", halves.len(), halves.join("\n"));
}
