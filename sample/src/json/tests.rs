use super::{Fragment, Object, write_object};

fn check(fill: impl FnOnce(&mut Object<'_>), expected: &str) {
    let mut out = Vec::new();
    write_object(&mut out, fill);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn writes_integers_of_every_length() {
    let mut out = Vec::new();
    let numbers = (0..20).flat_map(|power| {
        let ten = 10_u64.pow(power);
        [ten - 1, ten, ten + 1, ten.saturating_mul(5), ten.saturating_mul(11)]
    });
    for number in numbers.chain([u64::MAX]) {
        out.clear();
        super::write_unsigned(&mut out, number);
        assert_eq!(String::from_utf8_lossy(&out), number.to_string());
    }
    check(|object| object.integer("a", i64::MIN), r#"{"a":-9223372036854775808}"#);
}

#[test]
fn writes_decimals_with_all_their_digits() {
    check(|object| object.decimal("a", 1_205, 2), r#"{"a":12.05}"#);
    check(|object| object.decimal("a", -5, 2), r#"{"a":-0.05}"#);
    check(|object| object.decimal("a", 0, 1), r#"{"a":0.0}"#);
    check(|object| object.decimal("a", 30, 0), r#"{"a":30}"#);
    check(|object| object.decimal_text("a", 4_200_000_000_000_001, 18), r#"{"a":"0.004200000000000001"}"#);
}

#[test]
fn escapes_what_json_demands_and_keeps_the_rest() {
    check(
        |object| object.text("a", "東京 \"q\" \\ \n\t\u{1b}[0m 🦀"),
        r#"{"a":"東京 \"q\" \\ \n\t\u001b[0m 🦀"}"#,
    );
    check(|object| object.texts("a", &["x", "", "\"y"]), r#"{"a":"x\"y"}"#);
}

#[test]
fn nests_and_closes_without_stray_commas() {
    check(|_| (), "{}");
    check(
        |object| {
            object.array("none", |_| ());
            object.object("inner", |inner| inner.array("b", |array| array.object(|item| item.null("c"))));
            object.array("d", |array| [true, false].map(|value| array.boolean(value)).into_iter().collect());
        },
        r#"{"none":[],"inner":{"b":[{"c":null}]},"d":[true,false]}"#,
    );
}

#[test]
fn writes_fragments_hex_and_numbered_names() {
    let fragment = Fragment::new(|object| object.text("a", "b"));
    check(
        |object| {
            object.fragment(&fragment);
            object.hex("h", [0xff, 1 << 63]);
            object.numbered("n", "host", [3, 17]);
        },
        r#"{"a":"b","h":"00000000000000ff8000000000000000","n":"host-3-17"}"#,
    );
}
