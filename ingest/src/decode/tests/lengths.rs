//! `maxLength` and what happens beyond it.

use super::*;

fn decoder(data_type: &str, strategy: &str) -> JsonDecoder {
    let field = json!({"name": "c", "dataType": data_type, "maxLength": 4, "maxLengthExceedStrategy": strategy,
        "defaultNullValue": if data_type == "BYTES" { "ab" } else { "none" }});
    let schema = json!({"schemaName": "t", "dimensionFieldSpecs": [field]});
    JsonDecoder::new(parse_schema(&schema.to_string()), DecodeLimits::default())
}

fn outcome(data_type: &str, strategy: &str, json: &str) -> String {
    let batch = decode_all(&mut decoder(data_type, strategy), &[format!("{{\"c\":{json}}}")]);
    match batch.rejects.first() {
        None => show(batch.rows.column(0), 0),
        Some(reject) => format!("✗ {}", reject.reason.name()),
    }
}

#[test]
fn longer_values_meet_the_columns_strategy() {
    for (data_type, json, keep, trim, error, substitute) in [
        ("STRING", r#""abcd""#, "abcd", "abcd", "abcd", "abcd"),
        ("STRING", r#""äöü€""#, "äöü€", "äöü€", "äöü€", "äöü€"),
        ("STRING", r#""äöü€𝄞""#, "äöü€𝄞", "äöü€", "✗ too_long", "none"),
        ("STRING", "12345", "12345", "1234", "✗ too_long", "none"),
        ("STRING", r#"{"a":1}"#, r#"{"a":1}"#, r#"{"a""#, "✗ too_long", "none"),
        // As Pinot's SanitizationTransformer: a NUL ends a text, or is a fault as a value that is too long.
        ("STRING", r#""a\u0000bcdef""#, "a", "a", "✗ too_long", "none"),
        ("STRING", r#""abcd\u0000""#, "abcd", "abcd", "✗ too_long", "none"),
        ("STRING", r#"["\u0000"]"#, "", "", "✗ too_long", "none"),
        ("BYTES", r#""0102030405""#, "0102030405", "01020304", "✗ too_long", "ab"),
        ("BYTES", r#""01020304""#, "01020304", "01020304", "01020304", "01020304"),
    ] {
        assert_eq!(outcome(data_type, "NO_ACTION", json), keep, "{data_type} {json}");
        assert_eq!(outcome(data_type, "TRIM_LENGTH", json), trim, "{data_type} {json}");
        assert_eq!(outcome(data_type, "ERROR", json), error, "{data_type} {json}");
        assert_eq!(outcome(data_type, "SUBSTITUTE_DEFAULT_VALUE", json), substitute, "{data_type} {json}");
    }
}

#[test]
fn elements_of_lists_are_cut_at_nul_and_json_keeps_the_escape() {
    let payload = r#"{"l":["a\u0000b","c"],"j":{"k":"\u0000"},"s":{"k":"\u0000"}}"#.to_string();
    let batch = decode_all(&mut decoder_of(&[("l", "STRING[]"), ("j", "JSON"), ("s", "STRING")]), &[payload]);
    assert_eq!(show(batch.rows.column(0), 0), "[a, c]");
    assert_eq!(show(batch.rows.column(1), 0), r#"{"k":"\u0000"}"#);
    assert_eq!(show(batch.rows.column(2), 0), r#"{"k":"\u0000"}"#);
}

#[test]
fn strings_are_cut_at_512_characters_unless_the_schema_says_otherwise() {
    let payload =
        json!({"s": "é".repeat(600), "j": "é".repeat(600), "l": ["é".repeat(600), "x"]}).to_string();
    let batch = decode_all(&mut decoder_of(&[("s", "STRING"), ("j", "JSON"), ("l", "STRING[]")]), &[payload]);
    assert_eq!(show(batch.rows.column(0), 0), "é".repeat(512));
    assert_eq!(show(batch.rows.column(1), 0), format!("\"{}\"", "é".repeat(600)));
    assert_eq!(show(batch.rows.column(2), 0), format!("[{}, x]", "é".repeat(512)));
}
