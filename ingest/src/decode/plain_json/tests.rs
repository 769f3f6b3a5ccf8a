//! The plain reader against simd-json: whatever it reads, it reads alike, and it reads what machines mostly write.

use std::str;

use meunier_sample::{Generator, Stream};
use meunier_segment::schema::Schema;
use proptest::prelude::*;
use simd_json::{Buffers, Tape};

use super::*;
use crate::decode::document::span;
use crate::decode::tests::{parse_schema, schema_of};

/// Nodes with the bits of their floats, for -0.0 equals 0.0.
fn show(nodes: &[Node<'_>]) -> Vec<String> {
    let show = |node: &Node<'_>| match node {
        Node::Static(StaticNode::F64(value)) => format!("F64 {:x}", value.to_bits()),
        other => format!("{other:?}"),
    };
    nodes.iter().map(show).collect()
}

/// Reads texts in both ways, for a schema's columns.
struct Readers {
    plain: PlainReader,
    plain_fields: RecordFields,
    full_fields: RecordFields,
}

impl Readers {
    fn of(schema: &Schema) -> Readers {
        Readers {
            plain: PlainReader::default(),
            plain_fields: RecordFields::new(schema),
            full_fields: RecordFields::new(schema),
        }
    }

    /// Returns whether the plain reader could read `text`, after a comparison.
    fn check(&mut self, text: &str) -> bool {
        let (mut nodes, mut starts) = (Vec::new(), Vec::new());
        if !self.plain.read(text, 64, &mut self.plain_fields, &mut nodes, &mut starts) {
            return false;
        }
        let mut copy = text.as_bytes().to_vec();
        let (mut buffers, mut tape) = (Buffers::default(), Tape(Vec::new()));
        if let Err(error) = simd_json::fill_tape(&mut copy, &mut buffers, &mut tape) {
            panic!("{error} in `{text}`");
        }
        let Node::Object { len, .. } = tape.0[0] else { panic!("`{text}` is no object") };
        self.full_fields.take_all(len, &tape.0);
        for (plain, full) in self.plain_fields.values().zip(self.full_fields.values()) {
            let plain = plain.map(|at| show(&nodes[at..at + span(&nodes[at])]));
            let full = full.map(|at| show(&tape.0[at..at + span(&tape.0[at])]));
            assert_eq!(plain, full, "{text}");
        }
        assert_eq!(show(&nodes[1..]), show(&values(&tape.0)), "{text}");
        check_starts(text, &nodes[1..], &starts[1..]);
        true
    }
}

/// Returns the nodes of all values of an object's keys.
fn values<'a>(nodes: &[Node<'a>]) -> Vec<Node<'a>> {
    let (mut values, mut key) = (Vec::new(), 1);
    while key < nodes.len() {
        let end = key + 1 + span(&nodes[key + 1]);
        values.extend_from_slice(&nodes[key + 1..end]);
        key = end;
    }
    values
}

fn check_starts(text: &str, nodes: &[Node<'_>], starts: &[u32]) {
    assert_eq!(starts.len(), nodes.len(), "{text}");
    for (node, start) in nodes.iter().zip(starts) {
        let first = text.as_bytes()[*start as usize];
        let is_start = match node {
            Node::String(_) => first == b'"',
            Node::Object { .. } => first == b'{',
            Node::Array { .. } => first == b'[',
            Node::Static(StaticNode::Null) => first == b'n',
            Node::Static(StaticNode::Bool(value)) => first == if *value { b't' } else { b'f' },
            Node::Static(_) => first == b'-' || first.is_ascii_digit(),
        };
        assert!(is_start, "{node:?} does not start at {start} of `{text}`");
    }
}

fn check(text: &str) -> bool {
    let schema =
        schema_of(&[("a", "STRING"), ("b", "STRING"), ("a_long_name_of_a_column", "STRING"), ("é", "INT")]);
    Readers::of(&schema).check(text)
}

/// Checks a text as the value of a key.
fn check_value(text: &str) -> bool {
    check(&format!("{{\"a\":{text}}}"))
}

#[test]
fn sample_messages_are_plain() {
    for stream in Stream::ALL {
        let generator = Generator::new(stream, 3);
        let mut readers = Readers::of(&parse_schema(stream.schema_json()));
        let mut message = Vec::new();
        let mut plain = 0;
        for seq in 0..2_000 {
            generator.write_event(0, seq, 1_760_000_000_000, &mut message);
            plain += u32::from(readers.check(str::from_utf8(&message).unwrap()));
        }
        // The log lines have quotes in them.
        assert!(plain > 1_000 || stream == Stream::AppLogs, "{stream:?}: {plain} of 2000");
    }
}

#[test]
fn odd_texts_are_read_alike_or_left_to_the_full_parser() {
    let plain = [
        "{}",
        "[]",
        " [ ] ",
        "{\"\":\"\"}",
        "[-0, 0, -1, 0.0, -0.0, 1.50, 999999999999999999]",
        "[[[]],{}]",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"a\":true}",
        "[\"ä\u{7f}日本\"]",
        "7",
        "\"x\"",
        "false",
        "[9007199254740991, 0.9007199254740991, 900719925474.0991]",
        "\t{\n\"a\"\r:\n1 }\n",
    ];
    for text in plain {
        assert!(check_value(text), "{text}");
        assert_eq!(check(text), text.trim_start().starts_with('{'), "{text}");
    }
    let left = [
        "",
        " ",
        "{",
        "[",
        "[1",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "[1,]",
        "{\"a\":1,}",
        "{,}",
        "[,1]",
        "[1 2]",
        "{\"a\" 1}",
        "{a:1}",
        "01",
        "-",
        "-01",
        "1.",
        ".5",
        "1e3",
        "1E3",
        "+1",
        "[1x]",
        "1.5.5",
        "nul",
        "nullx",
        "truefalse",
        "\"",
        "\"a\\n\"",
        "\"a\nb\"",
        "\"\u{0}\"",
        "{}{}",
        "1 2",
        "9999999999999999999",
        "0.9007199254740993",
        "0.1234567890123456789",
        "]",
        "}",
        "[}",
        "{]",
        "{\"a\":1]",
        "[\"a\":1]",
    ];
    for text in left {
        assert!(!check(text), "{text}");
        assert!(!check_value(text), "{text}");
    }
    for text in ["{}}", "{\"a\":1}}", "{\"a\":1} x", "x {}"] {
        assert!(!check(text), "{text}");
    }
}

#[test]
fn keys_are_found_in_any_order_and_as_they_are_written() {
    for text in [
        r#"{"a":1,"b":2}"#,
        r#"{"b":1,"a":2}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"x":1,"b":2}"#,
        r#"{"":1}"#,
        r#"{"ab":1}"#,
        r#"{"é":1,"a":1,"a_long_name_of_a_column":7}"#,
        r#"{"a":{"b":1},"b":2}"#,
        r#"{ "a" : 1 , "b" : 2 }"#,
    ] {
        assert!(check(text), "{text}");
    }
    // Names that need an escape are never taken as they are.
    for text in [r#"{"a":0,"b":0,"c"d":1}"#, "{\"c\\\"d\":1}", "{\"é\u{1f}\":1}", r#"{"a:1}"#, r#"{"a"#] {
        assert!(!check(text), "{text}");
    }
}

#[test]
fn nesting_beyond_the_limit_is_left_to_the_full_parser() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let parse = |value: &str, depth_max| {
        let mut fields = RecordFields::new(&schema_of(&[("a", "JSON")]));
        let text = format!("{{\"a\":{value}}}");
        PlainReader::default().read(&text, depth_max, &mut fields, &mut Vec::new(), &mut Vec::new())
    };
    assert!(parse(&nested(5), 6));
    assert!(!parse(&nested(6), 6));
    assert!(parse("[[],[[]],[[]]]", 4));
    assert!(!parse("1", 0));
}

#[test]
fn a_stream_of_failures_pays_few_attempts_and_one_failure_none() {
    let mut confidence = Confidence::default();
    let mut attempts = 0;
    for _ in 0..10_000 {
        if confidence.attempts() {
            attempts += 1;
            confidence.learn(false);
        }
    }
    assert!((250..400).contains(&attempts), "{attempts}");
    while !confidence.attempts() {}
    (0..20).for_each(|_| confidence.learn(true));
    assert!(confidence.attempts());
    confidence.learn(false);
    assert!(confidence.attempts(), "one failure changes nothing");
}

fn texts() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("{".to_string()),
        Just("}".to_string()),
        Just("[".to_string()),
        Just("]".to_string()),
        Just(",".to_string()),
        Just(":".to_string()),
        Just(" ".to_string()),
        Just("\"a\"".to_string()),
        Just("null".to_string()),
        Just("true".to_string()),
        "-?[0-9]{1,19}",
        "-?(0|[1-9][0-9]{0,8})[.][0-9]{1,12}",
        "-?[0-9]{1,3}(e[0-9])?",
        "\"\\PC{0,20}\"",
    ];
    prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
}

fn jsons() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value as Json;
    let scalars = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1_000_000_i64..1_000_000).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        (any::<i32>(), 0_i32..12)
            .prop_map(|(digits, places)| Json::from(f64::from(digits) / 10_f64.powi(places))),
        "\\PC{0,20}".prop_map(Json::from),
    ];
    scalars.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::hash_map("[a-z]{0,9}", inner, 0..5)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_tokens_are_read_alike(text in texts()) {
        check(&text);
        check_value(&text);
    }

    #[test]
    fn any_json_is_read_alike(json in jsons(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
        let text = text.unwrap();
        check(&text);
        check_value(&text);
    }

    #[test]
    fn any_number_is_read_alike(whole in 0_u64..1_000_000_000, fraction in "[0-9]{1,16}", sign in "-?") {
        check_value(&format!("{sign}{whole}.{fraction}"));
    }
}
