//! The decoder against a slow one that is written another way: over `serde_json`'s tree, value by value.

#![expect(clippy::cast_possible_truncation, reason = "casts of floats saturate, as the model wants them to")]

use meunier_segment::value::{parse_big_decimal, parse_hex, parse_timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Number, Value as Json};

use super::*;

/// What the model makes of one value: text as [`show`] writes it, null, or the reason to reject.
type Modelled = Result<Option<String>, &'static str>;

const TYPE: &str = "type_mismatch";
const RANGE: &str = "out_of_range";

fn model(data_type: &str, json: &Json) -> Modelled {
    match (data_type.strip_suffix("[]"), json) {
        (Some(item), Json::Array(list)) if list.len() == 1 && list[0].is_array() => {
            model(&format!("{item}[]"), &list[0])
        }
        (Some(item), Json::Array(list)) => {
            let items: Vec<_> = list.iter().map(|json| single(item, json)).collect::<Result<_, _>>()?;
            let items: Vec<_> = items.into_iter().flatten().collect();
            Ok((!items.is_empty()).then(|| format!("[{}]", items.join(", "))))
        }
        (Some(item), json) => Ok(single(item, json)?.map(|item| format!("[{item}]"))),
        (None, json) => single(data_type, json),
    }
}

fn single(data_type: &str, json: &Json) -> Modelled {
    match json {
        Json::Null => Ok(None),
        Json::String(text) if data_type == "JSON" => match serde_json::from_str(text) {
            // Minus zero is an integer to our parser, and a double to this one.
            Ok(_) if text.trim() == "-0" => Ok(Some("0".to_string())),
            Ok(Json::Number(number)) if number.is_f64() => Ok(Some(text.trim().to_string())),
            Ok(value) => Ok(Some(value.to_string())),
            Err(error) if error.to_string().contains("out of range") => Ok(Some(text.trim().to_string())),
            Err(_) => Ok(Some(json.to_string())),
        },
        _ if data_type == "JSON" => Ok(Some(json.to_string())),
        Json::Array(list) => {
            let values: Vec<_> = list.iter().filter(|json| !json.is_null()).collect();
            match values[..] {
                [] => Ok(None),
                [only] => single(data_type, only),
                _ if data_type == "STRING" => Ok(Some(json.to_string())),
                _ => Err(TYPE),
            }
        }
        Json::Object(_) if data_type == "STRING" => Ok(Some(json.to_string())),
        Json::Object(_) => Err(TYPE),
        Json::Bool(value) => boolean(data_type, *value),
        Json::Number(number) => self::number(data_type, number),
        Json::String(text) => self::text(data_type, text),
    }
}

fn boolean(data_type: &str, value: bool) -> Modelled {
    let digit = if value { "1" } else { "0" };
    match data_type {
        "INT" | "LONG" | "BIG_DECIMAL" => Ok(Some(digit.to_string())),
        "FLOAT" | "DOUBLE" => Ok(Some(format!("{digit}.0"))),
        "BOOLEAN" | "STRING" => Ok(Some(value.to_string())),
        _ => Err(TYPE),
    }
}

fn number(data_type: &str, number: &Number) -> Modelled {
    let float = number.as_f64().expect("every number has a double");
    let whole = number.as_i128().or_else(|| (float.fract() == 0.0).then_some(float as i128));
    let within = |least: i64, most: i64| match whole {
        None => Err(TYPE),
        Some(whole) if (i128::from(least)..=i128::from(most)).contains(&whole) => Ok(Some(whole.to_string())),
        Some(_) => Err(RANGE),
    };
    match data_type {
        "INT" => within(i32::MIN.into(), i32::MAX.into()),
        "LONG" => within(i64::MIN, i64::MAX),
        "TIMESTAMP" => match i64::try_from(number.as_i128().unwrap_or(float.floor() as i128)) {
            Ok(millis) => Ok(Some(format_timestamp(millis))),
            Err(_) => Err(RANGE),
        },
        "FLOAT" if (float as f32).is_infinite() => Err(RANGE),
        "FLOAT" => Ok(Some(format!("{:?}", float as f32 + 0.0))),
        "DOUBLE" => Ok(Some(format!("{:?}", float + 0.0))),
        "BIG_DECIMAL" => {
            parse_big_decimal(&number.to_string()).map(|value| Some(format_big_decimal(value))).ok_or(RANGE)
        }
        "BOOLEAN" => Ok(Some((float != 0.0).to_string())),
        "STRING" if number.is_f64() => Ok(Some(java_double(float))),
        "STRING" => Ok(Some(number.to_string())),
        _ => Err(TYPE),
    }
}

/// Java's text of a double, from the shortest digits and their exponent.
fn java_double(value: f64) -> String {
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').expect("has an exponent");
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().expect("is a number");
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let or_zero = |digits: &str| if digits.is_empty() { "0".to_string() } else { digits.to_string() };
    if value != 0.0 && !(-3..7).contains(&exponent) {
        return format!("{sign}{}.{}E{exponent}", &digits[..1], or_zero(&digits[1..]));
    }
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1));
    }
    let whole = exponent as usize + 1;
    let padded = format!("{digits:0<whole$}");
    format!("{sign}{}.{}", &padded[..whole], or_zero(&padded[whole..]))
}

fn text(data_type: &str, text: &str) -> Modelled {
    let trimmed = text.trim_matches(|letter: char| letter <= ' ');
    let is_number = trimmed.parse::<f64>().is_ok() && !trimmed.to_lowercase().contains(['n', 'i']);
    let is_integer = is_number && !trimmed.contains(['.', 'e', 'E']);
    let refused = |is_right_kind: bool| if is_right_kind { RANGE } else { TYPE };
    match data_type {
        "INT" => trimmed.parse::<i32>().map(|value| Some(value.to_string())).map_err(|_| refused(is_integer)),
        "LONG" => {
            trimmed.parse::<i64>().map(|value| Some(value.to_string())).map_err(|_| refused(is_integer))
        }
        "FLOAT" | "DOUBLE" if trimmed == "NaN" => Ok(None),
        "FLOAT" | "DOUBLE" if trimmed == "-Infinity" => Ok(Some("-inf".to_string())),
        "FLOAT" | "DOUBLE" if !is_number => Err(TYPE),
        "FLOAT" => match trimmed.parse::<f32>() {
            Ok(value) if value.is_finite() => Ok(Some(format!("{:?}", value + 0.0))),
            _ => Err(RANGE),
        },
        "DOUBLE" => match trimmed.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(format!("{:?}", value + 0.0))),
            _ => Err(RANGE),
        },
        "BIG_DECIMAL" => {
            parse_big_decimal(trimmed).map(|value| Some(format_big_decimal(value))).ok_or(refused(is_number))
        }
        "BOOLEAN" => Ok(Some((trimmed == "1" || trimmed.to_lowercase() == "true").to_string())),
        "TIMESTAMP" => {
            parse_timestamp(trimmed).map(|value| Some(format_timestamp(value))).ok_or(refused(is_integer))
        }
        "STRING" => Ok(text.split('\0').next().map(str::to_string)),
        "BYTES" => parse_hex(trimmed).map(|bytes| Some(format_hex(&bytes))).ok_or(TYPE),
        other => unreachable!("{other}"),
    }
}

fn texts() -> impl Strategy<Value = String> {
    let telling = select(vec![
        "",
        " ",
        "7",
        "-7 ",
        "+7",
        "2147483648",
        "9223372036854775808",
        "1.5",
        "1e3",
        "-1E400",
        "NaN",
        "-Infinity",
        "true",
        "TRUE",
        "0",
        "1",
        "00ff",
        "0f0",
        "2024-02-29 12:34:56.789",
        "2024-02-29T12:34:56+01:00",
        "2023-02-29",
        "1760000000000",
        "null",
        "{\"a\" : [1, 2]}",
        "[",
        "\"x\"",
        "0.1",
        "äöü",
        "a\u{0}b",
        "line\nbreak \"quoted\" \\",
        "\u{7f}\u{1f}",
    ]);
    prop_oneof![telling.prop_map(String::from), "\\PC{0,12}", "[0-9.eE+-]{1,8}"]
}

fn numbers() -> impl Strategy<Value = Number> {
    let float = |value: f64| Number::from_f64(value).unwrap_or_else(|| Number::from(0));
    prop_oneof![
        (-10_i64..10).prop_map(Number::from),
        any::<i32>().prop_map(Number::from),
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        select(vec![
            0.0, -0.0, 1.5, -1.0, 1e7, 123.0, 1e18, 9.3e18, 1e-40, 3.5e38, 0.1, 1e300, 0.001, 5e-324
        ])
        .prop_map(float),
        any::<f64>().prop_map(float),
    ]
}

fn jsons() -> impl Strategy<Value = Json> {
    let scalars = prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::Bool),
        4 => numbers().prop_map(Json::Number),
        4 => texts().prop_map(Json::String),
    ];
    scalars.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::Array),
            vec((select(vec!["a", "b", "é", "\""]), inner), 0..4).prop_map(|entries| Json::Object(
                entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
            )),
        ]
    })
}

/// Writes an object whose keys may repeat, with blanks that differ from record to record.
fn write_object(entries: &[(String, Json)], blank: &str) -> String {
    let entry =
        |(key, value): &(String, Json)| format!("{blank}{}{blank}:{blank}{value}", Json::from(key.as_str()));
    format!("{blank}{{{}{blank}}}\n", entries.iter().map(entry).collect::<Vec<_>>().join(","))
}

fn modelled_row(columns: &[(String, String)], entries: &[(String, Json)]) -> String {
    let mut values = Vec::new();
    for (name, data_type) in columns {
        let json = entries.iter().rev().find(|(key, _)| key == name).map_or(&Json::Null, |(_, json)| json);
        match model(data_type, json) {
            Ok(value) => values.push(value.unwrap_or_else(|| "null".to_string())),
            Err(reason) => return format!("✗ {reason} {name}"),
        }
    }
    values.join(" | ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn each_value_is_what_the_model_says(
        (column, json) in (select(columns_of_all_types()), jsons()),
    ) {
        let columns = [column];
        let entries = [(columns[0].0.clone(), json)];
        let found = decode_entries(&columns, &[&entries], " ");
        prop_assert_eq!(&found[0], &modelled_row(&columns, &entries), "{:?}", entries);
    }

    #[test]
    fn each_record_is_what_the_model_says(
        records in vec(vec((select(names()), jsons()), 0..8), 1..6),
        blank in select(vec!["", " ", "\t\n"]),
    ) {
        let columns: Vec<_> = columns_of_all_types().into_iter().filter(|(name, _)| TOLERANT.contains(&name.as_str())).collect();
        let records: Vec<_> = records.iter().map(Vec::as_slice).collect();
        let found = decode_entries(&columns, &records, blank);
        for (found, entries) in found.iter().zip(records) {
            prop_assert_eq!(found, &modelled_row(&columns, entries), "{:?}", entries);
        }
    }
}

/// Columns that take most values, so that most records become rows.
const TOLERANT: [&str; 5] = ["STRING", "JSON", "STRING[]", "BOOLEAN", "DOUBLE[]"];

fn names() -> Vec<String> {
    TOLERANT.iter().chain(&["string", "", "other"]).map(|name| name.to_string()).collect()
}

fn decode_entries(columns: &[(String, String)], records: &[&[(String, Json)]], blank: &str) -> Vec<String> {
    let columns: Vec<_> =
        columns.iter().map(|(name, data_type)| (name.as_str(), data_type.as_str())).collect();
    let payloads: Vec<_> = records.iter().map(|entries| write_object(entries, blank)).collect();
    let batch = decode_all(&mut decoder_of(&columns), &payloads);
    let without_detail = |(_, text): (i64, String)| match text.split_once(": ") {
        Some((reject, _)) if text.starts_with('✗') => reject.to_string(),
        _ => text,
    };
    outcomes(&batch).into_iter().map(without_detail).collect()
}
