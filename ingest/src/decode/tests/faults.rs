//! Rejects carry what is needed to understand and to replay the record; rows beside them are whole.

use expect_test::{Expect, expect};
use meunier_segment::reject::{PAYLOAD_KEPT_MAX, RejectReason};

use super::*;

fn check(columns: &[(&str, &str)], payloads: &[&str], expected: Expect) {
    let batch = decode_all(&mut decoder_of(columns), payloads);
    let lines: Vec<_> =
        outcomes(&batch).into_iter().map(|(offset, text)| format!("{offset}: {text}\n")).collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn a_refused_value_names_its_column_and_leaves_no_part_of_its_row() {
    let columns = [("a", "STRING"), ("b", "INT[]"), ("c", "LONG"), ("d", "JSON"), ("e", "BYTES")];
    let payloads = [
        r#"{"a": "x", "b": [1], "c": 1, "d": {"k": 1}, "e": "00"}"#,
        r#"{"a": "lost", "b": [7, 8], "c": 1.5, "d": 2, "e": "01"}"#,
        r#"{"b": [7, 8, "nine"], "c": 1, "e": "01"}"#,
        r#"{"c": 18446744073709551615, "a": null}"#,
        r#"{"a": "lost", "e": "0"}"#,
        r#"{"a": "y", "b": 2, "c": -1, "d": "text", "e": "ff"}"#,
        r#"{}"#,
    ];
    check(
        &columns,
        &payloads,
        expect![[r#"
        0: x | [1] | 1 | {"k":1} | 00
        1: ✗ type_mismatch c: `1.5` cannot be stored as LONG
        2: ✗ type_mismatch b: `nine` cannot be stored as INT list
        3: ✗ out_of_range c: `18446744073709551615` does not fit LONG
        4: ✗ type_mismatch e: `0` cannot be stored as BYTES
        5: y | [2] | -1 | "text" | ff
        6: null | null | null | null | null
    "#]],
    );
}

#[test]
fn what_is_no_object_is_refused() {
    let payloads = [
        "",
        "  ",
        "[1]",
        "3",
        "\"text\"",
        "null",
        "{",
        "{} {}",
        "{\"a\":1}{\"a\":2}",
        "{\"a\" 1}",
        "\u{feff}{\"a\":1}",
    ];
    check(
        &[("a", "LONG")],
        &payloads,
        expect![[r#"
        0: ✗ malformed_json -: the payload is not one JSON value: it is empty
        1: ✗ malformed_json -: the payload is not one JSON value: it is blank
        2: ✗ not_an_object -: the payload is an array of 1, not an object
        3: ✗ not_an_object -: the payload is `3`, not an object
        4: ✗ not_an_object -: the payload is `text`, not an object
        5: ✗ not_an_object -: the payload is null, not an object
        6: ✗ malformed_json -: the payload is not one JSON value: it ends too early
        7: ✗ malformed_json -: the payload is not one JSON value: unexpected text at or behind byte 1
        8: ✗ malformed_json -: the payload is not one JSON value: unexpected text at or behind byte 6
        9: ✗ malformed_json -: the payload is not one JSON value: unexpected text at or behind byte 5
        10: 1
    "#]],
    );
}

#[test]
fn rejects_keep_key_headers_time_and_the_start_of_the_payload() {
    let payload = vec![b'x'; PAYLOAD_KEPT_MAX + 5];
    let mut decoder = decoder_of(&[("a", "LONG")]);
    decoder.push(&RecordRef {
        offset: Offset(41),
        timestamp_ms: Some(1_000),
        key: Some(b"k"),
        payload: Some(&payload),
        headers: &[("h", b"1"), ("h", b"2")],
    });
    decoder.push(&RecordRef {
        offset: Offset(43),
        timestamp_ms: Some(7),
        key: None,
        payload: None,
        headers: &[],
    });
    let batch = Decoded::from(decoder.take());
    let [malformed, tombstone] = &batch.rejects[..] else { panic!("two rejects") };
    assert_eq!((malformed.offset, malformed.timestamp_ms), (Offset(41), Some(1_000)));
    assert_eq!(malformed.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(malformed.headers, [("h".to_string(), b"1".to_vec()), ("h".to_string(), b"2".to_vec())]);
    assert_eq!(malformed.payload.as_ref().map(Vec::len), Some(PAYLOAD_KEPT_MAX));
    assert_eq!(malformed.payload_bytes, payload.len() as u64);
    assert_eq!((tombstone.reason, &tombstone.payload), (RejectReason::NoPayload, &None));
    assert_eq!((batch.timestamp_ms_min, batch.timestamp_ms_max), (Some(7), Some(1_000)));
    assert_eq!(batch.next_offset, Some(Offset(44)));
    assert_eq!(batch.payload_bytes, payload.len() as u64);
}

#[test]
fn limits_hold_to_the_byte_and_to_the_level() {
    let limits = DecodeLimits { payload_bytes_max: 40, depth_max: 3 };
    let mut decoder = JsonDecoder::new(schema_of(&[("a", "JSON")]), limits);
    let payloads = [
        r#"{"a":[[1],[2],[[]]]}"#,
        r#"{"a":[[1],[2],["[[["]]}"#,
        r#"{"a":"0123456789012345678901234567890123"}"#,
        r#"{"a":"01234567890123456789012345678901"}"#,
        r#"{"a":"[[[[1]]]]"}"#,
    ];
    let reasons: Vec<_> =
        outcomes(&decode_all(&mut decoder, &payloads)).into_iter().map(|(_, text)| text).collect();
    expect![[r#"
        ✗ too_deep -: arrays and objects nest too deep
        [[1],[2],["[[["]]
        ✗ too_large -: 42 bytes, of at most 40
        "01234567890123456789012345678901"
        ✗ too_deep a: the JSON text `[[[[1]]]]` nests too deep"#]]
    .assert_eq(&reasons.join("\n"));
}

#[test]
fn each_batch_starts_empty_and_has_what_came_since_the_last() {
    let mut decoder = decoder_of(&[("a", "STRING"), ("b", "INT[]"), ("c", "BIG_DECIMAL"), ("d", "BOOLEAN")]);
    for round in 0..3 {
        assert_eq!((decoder.row_count(), decoder.bytes()), (0, 0));
        decoder.push(&record(round * 10, br#"{"a": "x", "b": [1, 2], "c": 0.1, "d": true}"#));
        decoder.push(&record(round * 10 + 5, b"?"));
        decoder.push(&record(round * 10 + 6, b"{}"));
        assert_eq!(decoder.row_count(), 2);
        assert!(decoder.bytes() > 100);
        let batch = Decoded::from(decoder.take());
        assert_eq!(batch.offsets, [round * 10, round * 10 + 6]);
        assert_eq!(batch.rejects.len(), 1);
        assert_eq!(batch.next_offset, Some(Offset(round * 10 + 7)));
        assert_eq!(outcomes(&batch)[0].1, "x | [1, 2] | 0.1 | true");
        assert_eq!(outcomes(&batch)[2].1, "null | null | null | null");
    }
    let empty = Decoded::from(decoder.take());
    assert_eq!((empty.rows.num_rows(), empty.rows.num_columns(), empty.next_offset), (0, 4, None));
}

#[test]
fn keys_are_found_whatever_their_order_and_company() {
    let mut decoder = decoder_of(&[("a", "INT"), ("b", "INT"), ("c", "INT"), ("é", "INT")]);
    let mut payloads: Vec<String> = [
        r#"{"a":1,"b":2,"c":3}"#,
        r#"{"c":3,"b":2,"a":1}"#,
        r#"{"a":1,"c":3}"#,
        r#"{"x":{"a":9},"b":2,"y":[{"c":9}],"a":1,"z":"c"}"#,
        r#"{"A":9,"a ":9,"b":2}"#,
        r#"{"a":7,"b":2,"a":{"a":1},"a":1}"#,
        r#"{"\u0061":1,"b":2}"#,
        r#"{"":9,"é":4}"#,
    ]
    .map(String::from)
    .to_vec();
    payloads.extend((0..3_000).map(|i| format!(r#"{{"s{i}":0,"b":2,"{i}":0,"c":3}}"#)));
    payloads.push(r#"{"a":1,"b":2,"c":3}"#.to_string());
    let mut lines: Vec<_> =
        outcomes(&decode_all(&mut decoder, &payloads)).into_iter().map(|(_, text)| text).collect();
    lines.dedup();
    expect![[r#"
        1 | 2 | 3 | null
        1 | null | 3 | null
        1 | 2 | null | null
        null | 2 | null | null
        1 | 2 | null | null
        null | null | null | 4
        null | 2 | 3 | null
        1 | 2 | 3 | null"#]]
    .assert_eq(&lines.join("\n"));
}
