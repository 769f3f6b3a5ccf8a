//! The behaviours in which JSON parsers differ, fixed here for ours; and the scan for depth against a plain one.

use std::time::{Duration, Instant};

use expect_test::expect;
use meunier_segment::reject::RejectReason;
use meunier_segment::value::parse_timestamp;
use proptest::prelude::*;

use super::super::depth::is_deeper_than;
use super::super::timestamp_text::LastDay;
use super::*;

#[test]
fn the_texts_on_which_parsers_differ_have_one_known_outcome() {
    let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("duplicate key", br#"{"a":1,"a":2}"#.to_vec()),
        ("1.5 into LONG", br#"{"a":1.5}"#.to_vec()),
        ("text into LONG", br#"{"a":"7"}"#.to_vec()),
        ("2^63", br#"{"a":9223372036854775808}"#.to_vec()),
        ("1e400", br#"{"a":1e400}"#.to_vec()),
        ("1e400 in no column", br#"{"a":1,"x":1e400,"y":[-1e400]}"#.to_vec()),
        ("2^64 in no column", br#"{"a":1,"x":18446744073709551616}"#.to_vec()),
        ("NaN", br#"{"a":NaN}"#.to_vec()),
        ("lone surrogate", br#"{"a":1,"x":"\ud800"}"#.to_vec()),
        ("bad UTF-8", b"{\"a\":1,\"x\":\"\xff\"}".to_vec()),
        ("NUL in a string", br#"{"a":1,"x":"\u0000"}"#.to_vec()),
        ("truncated", br#"{"a":1"#.to_vec()),
        ("trailing junk", br#"{"a":1} x"#.to_vec()),
        ("two objects", br#"{"a":1}{"a":2}"#.to_vec()),
        ("two lines", b"{\"a\":1}\n{\"a\":2}".to_vec()),
        ("empty", Vec::new()),
        ("blank", b" \n".to_vec()),
        ("depth 64", nested(63).into()),
        ("depth 65", nested(64).into()),
        ("depth 10 000", nested(10_000).into()),
        ("depth 1 000 000", nested(1_000_000).into()),
        ("1 000 000 brackets never closed", vec![b'['; 1_000_000]),
        ("1 000 000 objects never closed", br#"{"a":"#.repeat(1_000_000)),
        ("1 000 000 brackets in a string", format!("{{\"a\":1,\"x\":\"{}\"}}", "[".repeat(1_000_000)).into()),
        ("100 000 keys", format!("{{{}\"a\":1}}", "\"k\":0,".repeat(100_000)).into()),
    ];
    let mut decoder = decoder_of(&[("a", "LONG")]);
    let payloads: Vec<_> = cases.iter().map(|(_, payload)| payload).collect();
    let outcomes = outcomes(&decode_all(&mut decoder, &payloads));
    let lines: Vec<_> =
        cases.iter().zip(outcomes).map(|((name, _), (_, text))| format!("{name}: {text}\n")).collect();
    expect![[r#"
        duplicate key: 2
        1.5 into LONG: ✗ type_mismatch a: `1.5` cannot be stored as LONG
        text into LONG: 7
        2^63: ✗ out_of_range a: `9223372036854775808` does not fit LONG
        1e400: ✗ out_of_range a: `1e400` does not fit LONG
        1e400 in no column: 1
        2^64 in no column: 1
        NaN: ✗ malformed_json -: the payload is not one JSON value: unexpected text at or behind byte 5
        lone surrogate: ✗ malformed_json -: the payload is not one JSON value: a string has a `\u` escape that is no character
        bad UTF-8: ✗ malformed_json -: the payload is not one JSON value: it is not UTF-8
        NUL in a string: 1
        truncated: ✗ malformed_json -: the payload is not one JSON value: it ends too early
        trailing junk: ✗ malformed_json -: the payload is not one JSON value: unexpected text at or behind byte 6
        two objects: ✗ malformed_json -: the payload is not one JSON value: unexpected text at or behind byte 6
        two lines: ✗ malformed_json -: the payload is not one JSON value: unexpected text at or behind byte 6
        empty: ✗ malformed_json -: the payload is not one JSON value: it is empty
        blank: ✗ malformed_json -: the payload is not one JSON value: it is blank
        depth 64: null
        depth 65: ✗ too_deep -: arrays and objects nest too deep
        depth 10 000: ✗ too_deep -: arrays and objects nest too deep
        depth 1 000 000: ✗ too_deep -: arrays and objects nest too deep
        1 000 000 brackets never closed: ✗ too_deep -: arrays and objects nest too deep
        1 000 000 objects never closed: ✗ too_deep -: arrays and objects nest too deep
        1 000 000 brackets in a string: 1
        100 000 keys: 1
    "#]].assert_eq(&lines.concat());
}

#[test]
fn hostile_text_takes_linear_time() {
    let texts =
        [vec![b'\\'; 4_000_000], vec![b'"'; 4_000_000], br#""\""#.repeat(1_000_000), vec![b'1'; 4_000_000]];
    let mut decoder = decoder_of(&[("a", "JSON")]);
    let start = Instant::now();
    for text in &texts {
        let object = [b"{\"a\":", &text[..], b"}"].concat();
        decoder.push(&record(0, text));
        decoder.push(&record(1, &object));
    }
    let batch = Decoded::from(decoder.take());
    assert_eq!(batch.rejects.len() + batch.offsets.len(), 8);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn decimals_are_exact_however_they_are_written() {
    let digits = "12345678901234567890123456789012345678";
    let payloads = [
        format!("{{\"a\":{digits}.{digits}}}"),
        format!("{{\"a\":\"-{digits}.{digits}\"}}"),
        format!("{{\"x\":1e400,\"a\":0.1,\"y\":[0.1,{{\"a\":1}},-{digits}]}}"),
        format!("{{\"a\":{digits}9}}"),
        "{\"a\":1e-39}".to_string(),
        "{\"a\":1.10E+2}".to_string(),
    ];
    let batch = decode_all(&mut decoder_of(&[("a", "BIG_DECIMAL"), ("y", "JSON")]), &payloads);
    let lines: Vec<_> = outcomes(&batch).into_iter().map(|(_, text)| text).collect();
    expect![[r#"
        12345678901234567890123456789012345678.12345678901234567890123456789012345678 | null
        -12345678901234567890123456789012345678.12345678901234567890123456789012345678 | null
        0.1 | [0.1,{"a":1},-12345678901234567890123456789012345678]
        ✗ out_of_range a: `123456789012345678901234567890123456789` does not fit BIG_DECIMAL
        ✗ out_of_range a: `1e-39` does not fit BIG_DECIMAL
        110 | null"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn big_payloads_leave_no_big_buffers_and_no_trace() {
    let mut decoder = decoder_of(&[("a", "LONG"), ("s", "JSON")]);
    let big = format!("{{\"a\":1,\"s\":[{}1]}}", "1,".repeat(1_000_000));
    let batch = decode_all(&mut decoder, &[big.as_bytes(), b"{\"a\":2,\"s\":[2]}"]);
    assert_eq!(batch.rejects, []);
    assert_eq!(show(batch.rows.column(1), 0).len(), 2_000_003);
    assert_eq!(outcomes(&batch)[1].1, "2 | [2]");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn depth_is_that_of_a_plain_scan(text in "[\\[\\]{}\"\\\\ax]{0,200}", depth_max in 0_usize..12) {
        prop_assert_eq!(is_deeper_than(text.as_bytes(), depth_max), depth_of(&text) > depth_max as i64);
    }

    #[test]
    fn timestamps_are_read_as_without_the_short_cut(
        texts in proptest::collection::vec("20(19|24)-(02-29|12-31|0x-01)[T ](0|2)[0-9]:[0-9]0:[56][09](\\.[0-9]{0,10})?(Z|[+]01:00)?", 1..5),
    ) {
        let mut last_day = LastDay::default();
        for text in texts {
            prop_assert_eq!(last_day.parse(&text), parse_timestamp(&text), "{}", text);
        }
    }

    #[test]
    fn any_bytes_become_one_row_or_one_reject(payload in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut decoder = decoder_of(&[("a", "LONG")]);
        let batch = decode_all(&mut decoder, &[&payload[..], b"{\"a\":1}"]);
        prop_assert_eq!(batch.rejects.len() + batch.offsets.len(), 2);
        prop_assert_eq!(batch.offsets.last(), Some(&1));
        let is_object = serde_json::from_slice::<serde_json::Map<_, _>>(&payload).is_ok();
        prop_assert_eq!(batch.rejects.first().is_none_or(|reject| reject.reason == RejectReason::TypeMismatch), is_object);
    }
}

fn depth_of(text: &str) -> i64 {
    let (mut depth, mut deepest, mut in_string, mut is_escaped) = (0_i64, 0, false, false);
    for letter in text.chars() {
        let was_escaped = std::mem::take(&mut is_escaped);
        match letter {
            '\\' if !was_escaped => is_escaped = true,
            '"' if !was_escaped => in_string = !in_string,
            '[' | '{' if !in_string => depth += 1,
            ']' | '}' if !in_string => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
