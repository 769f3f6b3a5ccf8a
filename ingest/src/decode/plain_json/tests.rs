//! The plain reader against simd-json: whatever it reads, it reads alike, and it reads what machines mostly write.

use std::str;

use meunier_sample::{Generator, Stream};
use proptest::prelude::*;
use simd_json::{Buffers, Tape};

use super::*;

/// Nodes with the bits of their floats, for -0.0 equals 0.0.
fn show(nodes: &[Node<'_>]) -> Vec<String> {
    let show = |node: &Node<'_>| match node {
        Node::Static(StaticNode::F64(value)) => format!("F64 {:x}", value.to_bits()),
        other => format!("{other:?}"),
    };
    nodes.iter().map(show).collect()
}

/// Reads `text` in both ways and returns whether the plain one could.
fn check(text: &str) -> bool {
    let (mut nodes, mut starts) = (Vec::new(), Vec::new());
    let is_plain = PlainReader::default().read(text, 64, &mut nodes, &mut starts);
    if is_plain {
        let mut copy = text.as_bytes().to_vec();
        let (mut buffers, mut tape) = (Buffers::default(), Tape(Vec::new()));
        if let Err(error) = simd_json::fill_tape(&mut copy, &mut buffers, &mut tape) {
            panic!("{error} in `{text}`");
        }
        assert_eq!(show(&nodes), show(&tape.0), "{text}");
        assert_eq!(starts.len(), nodes.len(), "{text}");
        for (node, start) in nodes.iter().zip(&starts) {
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
    is_plain
}

#[test]
fn sample_messages_are_plain() {
    for stream in Stream::ALL {
        let generator = Generator::new(stream, 3);
        let mut message = Vec::new();
        let mut plain = 0;
        for seq in 0..2_000 {
            generator.write_event(0, seq, 1_760_000_000_000, &mut message);
            plain += u32::from(check(str::from_utf8(&message).unwrap()));
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
        assert!(check(text), "{text}");
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
    }
}

#[test]
fn nesting_beyond_the_limit_is_left_to_the_full_parser() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let parse = |text: &str, depth_max| {
        PlainReader::default().read(text, depth_max, &mut Vec::new(), &mut Vec::new())
    };
    assert!(parse(&nested(5), 5));
    assert!(!parse(&nested(6), 5));
    assert!(parse("[[],[[]],[[]]]", 3));
    assert!(!parse("{}", 0));
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
    }

    #[test]
    fn any_json_is_read_alike(json in jsons(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
        check(&text.unwrap());
    }

    #[test]
    fn any_number_is_read_alike(whole in 0_u64..1_000_000_000, fraction in "[0-9]{1,16}", sign in "-?") {
        check(&format!("{sign}{whole}.{fraction}"));
    }
}
