use super::*;
use proptest::prelude::*;

#[test]
fn big_decimals_are_read_exactly() {
    for (text, expected) in [
        ("0", Some("0")),
        ("-0.0", Some("0")),
        ("12.50", Some("12.5")),
        ("+1.25e3", Some("1250")),
        (".5", Some("0.5")),
        ("5.", Some("5")),
        ("-1E-38", Some("-0.00000000000000000000000000000000000001")),
        ("10e-39", Some("0.00000000000000000000000000000000000001")),
        ("0e99999999999999999999", Some("0")),
        ("99999999999999999999999999999999999999", Some("99999999999999999999999999999999999999")),
        ("100000000000000000000000000000000000000", None),
        ("1e-39", None),
        ("1e99999999999999999999", None),
        ("1e9223372036854775807", None),
        ("1e-9223372036854775808", None),
        ("1.1e-38", None),
        ("", None),
        (".", None),
        ("-", None),
        ("1e", None),
        ("0ex", None),
        ("1.2.3", None),
        ("NaN", None),
        ("٣", None),
    ] {
        assert_eq!(parse_big_decimal(text).map(format_big_decimal).as_deref(), expected, "{text}");
    }
}

#[test]
fn timestamps_are_read_in_all_spellings() {
    for (text, expected) in [
        ("1514764800000", Some("2018-01-01 00:00:00.0")),
        ("-1", Some("1969-12-31 23:59:59.999")),
        ("2020-02-29", Some("2020-02-29 00:00:00.0")),
        ("2020-02-29 13:14", Some("2020-02-29 13:14:00.0")),
        ("2020-02-29 13:14:15.5", Some("2020-02-29 13:14:15.5")),
        ("2020-02-29T13:14:15.123456789Z", Some("2020-02-29 13:14:15.123")),
        ("2020-02-29T13:14:15.120+02:00", Some("2020-02-29 11:14:15.12")),
        ("2020-02-29T23:14:15.000-0130", Some("2020-03-01 00:44:15.0")),
        ("0001-01-01 00:00:00", Some("0001-01-01 00:00:00.0")),
        ("2019-02-29", None),
        ("2020-13-01", None),
        ("2020-01-01 24:00:00", None),
        ("2020-01-01 00:00:00+2", None),
        ("2020-01-01 00:00:00.", None),
        ("2020-01-01x", None),
        ("tomorrow", None),
        ("", None),
        ("ääääääääää", None),
    ] {
        assert_eq!(parse_timestamp(text).map(format_timestamp).as_deref(), expected, "{text}");
    }
}

#[test]
fn values_are_written_as_in_pinots_answers() {
    for (text, data_type, json) in [
        ("-2147483648", DataType::Int, "-2147483648"),
        ("9223372036854775807", DataType::Long, "9223372036854775807"),
        ("0.1", DataType::Float, "0.1"),
        ("-Infinity", DataType::Float, r#""-Infinity""#),
        ("NaN", DataType::Double, r#""NaN""#),
        ("1e300", DataType::Double, "1e+300"),
        ("1.50", DataType::BigDecimal, r#""1.5""#),
        ("TRUE", DataType::Boolean, "true"),
        ("0", DataType::Timestamp, r#""1970-01-01 00:00:00.0""#),
        (" a ", DataType::String, r#"" a ""#),
        ("00fF", DataType::Bytes, r#""00ff""#),
    ] {
        let value = Value::parse(text, data_type).expect("is a value of the type");
        assert_eq!(value.to_json().to_string(), json);
    }
}

#[test]
fn text_that_is_no_value_is_refused() {
    for (text, data_type) in [
        ("2147483648", DataType::Int),
        ("1.5", DataType::Long),
        ("x", DataType::Double),
        ("yes", DataType::Boolean),
        ("abc", DataType::Bytes),
        ("zz", DataType::Bytes),
    ] {
        assert_eq!(Value::parse(text, data_type), None, "{text}");
    }
}

proptest! {
    #[test]
    fn timestamps_survive_being_written(millis in -62_135_596_800_000_i64..253_402_300_799_999) {
        prop_assert_eq!(parse_timestamp(&format_timestamp(millis)), Some(millis));
    }

    #[test]
    fn no_text_makes_parsing_panic(text in "[-+0-9TZ:. eEé]{0,40}") {
        parse_timestamp(&text);
        parse_big_decimal(&text);
        parse_hex(&text);
    }

    #[test]
    fn big_decimals_survive_being_written(text in "-?[1-9][0-9]{0,37}\\.[0-9]{0,37}[1-9]") {
        prop_assert_eq!(parse_big_decimal(&text).map(format_big_decimal), Some(text));
    }
}
