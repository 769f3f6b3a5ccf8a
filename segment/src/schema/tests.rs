use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// Reads a schema and writes what came of it: the columns and warnings, or the problems.
fn report(text: &str) -> String {
    let parsed = match Schema::parse(text) {
        Ok(parsed) => parsed,
        Err(problems) => return problems.iter().map(|problem| format!("{problem}\n")).collect(),
    };
    let mut lines = String::new();
    for field in parsed.schema.fields() {
        let many = if field.single_value { "" } else { "[]" };
        let role = match &field.role {
            FieldRole::Dimension => "dimension".to_string(),
            FieldRole::Metric => "metric".to_string(),
            FieldRole::DateTime { format, granularity } => format!("time {format} by {granularity}"),
            FieldRole::Complex(complex) => format!("{complex:?}"),
        };
        let default = field.default_null_value.to_json();
        lines += &format!("{} {}{many} {role} default {default}\n", field.name, field.data_type);
    }
    for warning in &parsed.warnings {
        lines += &format!("warning {warning}\n");
    }
    lines
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&report(text));
}

/// A schema of one list with one spec.
fn one(list: &str, spec: &str) -> String {
    format!(r#"{{"schemaName": "t", "{list}": [{{"name": "c", {spec}}}]}}"#)
}

fn problem_of(list: &str, spec: &str) -> String {
    let problems = Schema::parse(&one(list, spec)).expect_err("the schema is wrong");
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn every_type_has_pinots_default_null_value() {
    let dimensions: Vec<String> =
        DataType::ALL.iter().map(|t| format!(r#"{{"name": "d_{t}", "dataType": "{t}"}}"#)).collect();
    let metric = |t: &&DataType| !matches!(t, DataType::Boolean | DataType::Timestamp | DataType::Json);
    let metrics: Vec<String> = DataType::ALL
        .iter()
        .filter(metric)
        .map(|t| format!(r#"{{"name": "m_{t}", "dataType": "{t}"}}"#))
        .collect();
    let text = format!(
        r#"{{"schemaName": "t", "dimensionFieldSpecs": [{}], "metricFieldSpecs": [{}]}}"#,
        dimensions.join(","),
        metrics.join(",")
    );
    check(
        &text,
        expect![[r#"
        d_INT INT dimension default -2147483648
        d_LONG LONG dimension default -9223372036854775808
        d_FLOAT FLOAT dimension default "-Infinity"
        d_DOUBLE DOUBLE dimension default "-Infinity"
        d_BIG_DECIMAL BIG_DECIMAL dimension default "0"
        d_BOOLEAN BOOLEAN dimension default false
        d_TIMESTAMP TIMESTAMP dimension default "1970-01-01 00:00:00.0"
        d_STRING STRING dimension default "null"
        d_JSON JSON dimension default "null"
        d_BYTES BYTES dimension default ""
        m_INT INT metric default 0
        m_LONG LONG metric default 0
        m_FLOAT FLOAT metric default 0.0
        m_DOUBLE DOUBLE metric default 0.0
        m_BIG_DECIMAL BIG_DECIMAL metric default "0"
        m_STRING STRING metric default "null"
        m_BYTES BYTES metric default ""
        warning /metricFieldSpecs/5: a STRING metric cannot be summed: move it to `dimensionFieldSpecs`
    "#]],
    );
}

#[test]
fn takes_jacksons_spellings_and_gives_pinots_back() {
    let text = r#"{
        "dateTimeFieldSpecs": [
            {"name": "ts", "dataType": "TIMESTAMP", "format": "TIMESTAMP", "granularity": "1:SECONDS"},
            {"name": "day", "dataType": "INT", "format": "1:DAYS:EPOCH", "granularity": "DAYS", "sampleValue": 1}
        ],
        "schemaName": "orders",
        "dimensionFieldSpecs": [
            {"name": "tags", "dataType": "STRING", "singleValueField": "false", "notNull": "TRUE"},
            {"name": "size", "dataType": "INT", "defaultNullValue": "5", "maxLength": null},
            {"name": "note", "dataType": "STRING", "maxLength": "99", "maxLengthExceedStrategy": "ERROR",
             "defaultNullValue": "null", "description": "free text", "aliases": ["n"]},
            {"name": "raw", "dataType": "BYTES", "defaultNullValue": "00FF"}
        ],
        "metricFieldSpecs": [{"name": "price", "dataType": "BIG_DECIMAL", "defaultNullValue": 1.50}],
        "primaryKeyColumns": ["size"],
        "tags": []
    }"#;
    check(
        text,
        expect![[r#"
        tags STRING[] dimension default "null"
        size INT dimension default 5
        note STRING dimension default "null"
        raw BYTES dimension default "00ff"
        price BIG_DECIMAL metric default "1.5"
        ts TIMESTAMP time 1:MILLISECONDS:TIMESTAMP by 1:SECONDS default "1970-01-01 00:00:00.0"
        day INT time 1:DAYS:EPOCH by DAYS default -2147483648
    "#]],
    );
    let schema = Schema::parse(text).expect("schema is right").schema;
    expect![[r#"{"schemaName":"orders","enableColumnBasedNullHandling":false,"dimensionFieldSpecs":[{"name":"tags","dataType":"STRING","fieldType":"DIMENSION","singleValueField":false,"notNull":true},{"name":"size","dataType":"INT","fieldType":"DIMENSION","defaultNullValue":5},{"name":"note","dataType":"STRING","fieldType":"DIMENSION","defaultNullValue":"null","maxLength":99,"maxLengthExceedStrategy":"ERROR","description":"free text","aliases":["n"]},{"name":"raw","dataType":"BYTES","fieldType":"DIMENSION","defaultNullValue":"00ff"}],"metricFieldSpecs":[{"name":"price","dataType":"BIG_DECIMAL","fieldType":"METRIC","defaultNullValue":"1.5"}],"dateTimeFieldSpecs":[{"name":"ts","dataType":"TIMESTAMP","fieldType":"DATE_TIME","format":"TIMESTAMP","granularity":"1:SECONDS"},{"name":"day","dataType":"INT","fieldType":"DATE_TIME","format":"1:DAYS:EPOCH","granularity":"DAYS","sampleValue":1}],"primaryKeyColumns":["size"],"tags":[]}"#]].assert_eq(&schema.to_json().to_string());
}

#[test]
fn a_schema_given_back_is_read_as_the_same_schema() {
    let text = r#"{
        "schemaName": "t", "enableColumnBasedNullHandling": "true",
        "dimensionFieldSpecs": [{"name": "when", "dataType": "TIMESTAMP", "defaultNullValue": 1514764800000}],
        "timeFieldSpec": {"incomingGranularitySpec": {"name": "h", "dataType": "INT", "timeType": "HOURS", "x": 1}},
        "primaryKeyColumns": ["when"]
    }"#;
    let schema = Schema::parse(text).expect("schema is right").schema;
    let again = Schema::parse(&schema.to_json().to_string()).expect("echo is right");
    assert_eq!(again.schema, schema);
    assert!(again.unrecognized.is_empty());
}

#[test]
fn says_every_problem_at_once() {
    check(
        r#"{
            "schemaName": "my table",
            "dimensionFieldSpecs": [
                {"name": "a b", "dataType": "STRING"},
                {"name": "$docId", "dataType": "INT"},
                {"dataType": "STRNG"},
                {"name": "x", "dataType": "JSON", "singleValueField": false},
                {"name": "x", "dataType": "INT", "defaultNullValue": "five", "notNull": 3},
                {"name": "X", "dataType": "LONG", "maxLengthExceedStrategy": "CUT"},
                "y"
            ],
            "metricFieldSpecs": [
                {"name": "flag", "dataType": "BOOLEAN"},
                {"name": "nan", "dataType": "DOUBLE", "defaultNullValue": "NaN"},
                {"name": "many", "dataType": "INT", "singleValueField": false}
            ],
            "dateTimeFieldSpecs": [
                {"name": "t", "dataType": "LONG", "format": "1:MILISECONDS:EPOCH", "granularity": "0:DAYS"},
                {"name": "u", "dataType": "BOOLEAN"}
            ],
            "complexFieldSpecs": [{"name": "labels", "dataType": "MAP"}],
            "primaryKeyColumns": ["flg", "x", "x"]
        }"#,
        expect![[r#"
            /schemaName: the name `my table` holds ' ': use letters (a to z), digits, `_` and `-`
            /dimensionFieldSpecs/6: expected an object {…}, found `"y"`
            /dimensionFieldSpecs/0/name: the name "a b" holds ' ': use `_` in its place
            /dimensionFieldSpecs/1/name: `$docId` is a column that every table has by itself: choose another name
            /dimensionFieldSpecs/2/name: a column needs a name: write `"name": "…"`
            /dimensionFieldSpecs/2/dataType: `STRNG` is no data type: write one of INT, LONG, FLOAT, DOUBLE, BIG_DECIMAL, BOOLEAN, TIMESTAMP, STRING, JSON, BYTES; did you mean `STRING`?
            /dimensionFieldSpecs/3/singleValueField: a JSON column holds one value a row: remove the key, the value may be a JSON list
            /dimensionFieldSpecs/4/notNull: expected true or false, found `3`: write `"notNull": true` or `false`
            /dimensionFieldSpecs/4/defaultNullValue: `"five"` is no INT: write for example -2147483648
            /dimensionFieldSpecs/5/maxLengthExceedStrategy: `CUT` is unknown: write one of TRIM_LENGTH, ERROR, SUBSTITUTE_DEFAULT_VALUE, NO_ACTION
            /dimensionFieldSpecs/4: the column `x` is already declared at /dimensionFieldSpecs/3: remove one
            /metricFieldSpecs/0/dataType: a metric cannot be BOOLEAN: move the column to `dimensionFieldSpecs`
            /metricFieldSpecs/1/defaultNullValue: NaN cannot be the default, as NaN stands for null in the records: write a number
            /metricFieldSpecs/2/singleValueField: a metric holds one value a row: move the column to `dimensionFieldSpecs`
            /dateTimeFieldSpecs/0/format: `MILISECONDS` is no unit of time: write one of DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS, MICROSECONDS, NANOSECONDS; did you mean `MILLISECONDS`?
            /dateTimeFieldSpecs/0/granularity: the granularity `0:DAYS` is not of the form `1:HOURS`: `0` is no size: write a whole number from 1
            /dateTimeFieldSpecs/1/dataType: a date-time column cannot be BOOLEAN: write LONG, INT, STRING or TIMESTAMP
            /dateTimeFieldSpecs/1/format: `format` is missing: write for example "1:MILLISECONDS:EPOCH"
            /complexFieldSpecs/0/childFieldSpecs: is missing: a MAP has the child specs `key` and `value`
            /primaryKeyColumns/0: the schema has no column `flg`; did you mean `flag`?
            /primaryKeyColumns/1: `x` is a multi-value column, which cannot be part of a primary key
            /primaryKeyColumns/2: `x` is listed twice: remove one
        "#]],
    );
}

#[test]
fn types_not_built_yet_say_what_to_use() {
    for (written, message) in [
        ("UUID", "/dimensionFieldSpecs/0/dataType: UUID is not supported yet: write STRING\n"),
        (
            "MAP",
            "/dimensionFieldSpecs/0/dataType: a column of type MAP stands in `complexFieldSpecs`: move it there\n",
        ),
        (
            "INT_ARRAY",
            "/dimensionFieldSpecs/0/dataType: `INT_ARRAY` is a type of answers only: write `INT` and \
             `\"singleValueField\": false`\n",
        ),
    ] {
        assert_eq!(problem_of("dimensionFieldSpecs", &format!(r#""dataType": "{written}""#)), message);
    }
}

#[test]
fn unknown_keys_are_kept_and_warned_about() {
    let text = r#"{"schemaName": "t", "dimensionFieldSpec": [],
        "dimensionFieldSpecs": [{"name": "c", "dataType": "INT", "cardinality": 7, "singleValue": true}]}"#;
    check(
        text,
        expect![[r#"
        c INT dimension default -2147483648
        warning /dimensionFieldSpec: unknown key `dimensionFieldSpec`, ignored; did you mean `dimensionFieldSpecs`?
        warning /dimensionFieldSpecs/0/cardinality: unknown key `cardinality`, ignored
        warning /dimensionFieldSpecs/0/singleValue: unknown key `singleValue`, ignored; did you mean `singleValueField`?
    "#]],
    );
    let parsed = Schema::parse(text).expect("schema is right");
    assert_eq!(parsed.unrecognized.get("/dimensionFieldSpecs/0/cardinality"), Some(&7.into()));
    assert_eq!(parsed.unrecognized.len(), 3);
}

#[test]
fn the_old_time_column_becomes_a_date_time() {
    check(
        r#"{"schemaName": "t", "timeFieldSpec": {
            "incomingGranularitySpec": {"name": "secs", "dataType": "LONG", "timeType": "SECONDS"},
            "outgoingGranularitySpec": {"name": "day", "dataType": "STRING", "timeType": "DAYS",
                                        "timeFormat": "SIMPLE_DATE_FORMAT:yyyyMMdd"}}}"#,
        expect![[r#"
            day STRING time 1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd by 1:DAYS default "null"
            warning /timeFieldSpec: `timeFieldSpec` is the old way: write "dateTimeFieldSpecs": [{"name": "day", "dataType": "STRING", "format": "1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd", "granularity": "1:DAYS"}]
            warning /timeFieldSpec/outgoingGranularitySpec: `secs` is not converted to `day`, which is read from the records under its own name: fill it with a transform in the table's `ingestionConfig.transformConfigs`
        "#]],
    );
    check(
        r#"{"schemaName": "t", "timeFieldSpec": {"name": "x"}}"#,
        expect![[r#"
        /timeFieldSpec: `incomingGranularitySpec` is missing: better write the column into `dateTimeFieldSpecs`
    "#]],
    );
    check(
        r#"{"schemaName": "t", "timeFieldSpec": {"incomingGranularitySpec":
            {"name": "t", "dataType": "LONG", "timeType": "YEARS"}}}"#,
        expect![[r#"
            /timeFieldSpec/incomingGranularitySpec/timeType: `YEARS` is no unit of time: write one of DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS, MICROSECONDS, NANOSECONDS
        "#]],
    );
}

#[test]
fn text_that_is_no_schema_is_told_in_one_problem() {
    check(
        "",
        expect![[r#"
        not valid JSON at line 1, column 0: EOF while parsing a value
    "#]],
    );
    check(
        "{\n \"schemaName\": \"t\",\n}",
        expect![[r#"
        not valid JSON at line 3, column 1: trailing comma
    "#]],
    );
    check(
        "[1]",
        expect![[r#"
        expected a JSON object, found a list
    "#]],
    );
    check(
        "{}",
        expect![[r#"
        /schemaName: `schemaName` is missing: write the name of its table, such as "orders"
        /dimensionFieldSpecs: the schema has no column: write at least one here
    "#]],
    );
    check(
        r#"{"schemaName": "t"}"#,
        expect![[r#"
        /dimensionFieldSpecs: the schema has no column: write at least one here
    "#]],
    );
    assert_eq!(Schema::parse(&"[".repeat(100_000)).expect_err("too deep").len(), 1);
}

#[test]
fn table_names_stay_harmless_on_disk() {
    for name in ["orders", "db.orders", "meetup_rsvp-2", "_t"] {
        assert_eq!(check_table_name(name), None, "{name}");
    }
    let long = "x".repeat(200);
    for name in ["a b", "a__b", "../a", "a/b", ".a", "a.b.c", "a\0", "", "größe", "-a", "1", &long] {
        assert!(check_table_name(name).is_some(), "{name:?}");
    }
}

#[test]
fn time_formats_are_read_in_both_spellings() {
    for (written, colons) in [
        ("1:MILLISECONDS:EPOCH", "1:MILLISECONDS:EPOCH"),
        ("EPOCH|HOURS", "1:HOURS:EPOCH"),
        ("EPOCH|MINUTES|15", "15:MINUTES:EPOCH"),
        ("TIMESTAMP", "1:MILLISECONDS:TIMESTAMP"),
        ("1:MILLISECONDS:TIMESTAMP", "1:MILLISECONDS:TIMESTAMP"),
        ("1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd", "1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd"),
        (
            "SIMPLE_DATE_FORMAT|yyyy-MM-dd HH:mm:ss|UTC",
            "1:DAYS:SIMPLE_DATE_FORMAT:yyyy-MM-dd HH:mm:ss tz(UTC)",
        ),
        (
            "1:SECONDS:SIMPLE_DATE_FORMAT:HH:mm tz(Europe/Paris)",
            "1:DAYS:SIMPLE_DATE_FORMAT:HH:mm tz(Europe/Paris)",
        ),
        ("SIMPLE_DATE_FORMAT", "1:DAYS:SIMPLE_DATE_FORMAT"),
        ("SIMPLE_DATE_FORMAT||Asia/Tokyo", "1:DAYS:SIMPLE_DATE_FORMAT:tz(Asia/Tokyo)"),
    ] {
        let format = TimeFormat::parse(written).expect("format is right");
        assert_eq!(format.to_string(), colons);
        assert_eq!(TimeFormat::parse(colons).expect("display is right"), format);
    }
}

#[test]
fn wrong_time_formats_say_what_to_write() {
    let mut said = String::new();
    for written in [
        "1:DAYS",
        "0:DAYS:EPOCH",
        "1:DAY:EPOCH",
        "1:DAYS:EPOC",
        "1:DAYS:EPOCH:x",
        "EPOCH",
        "TIMESTAMP|x",
        "yyyyMMdd",
        "1:DAYS:SIMPLE_DATE_FORMAT:yyyyTMM",
        "1:DAYS:SIMPLE_DATE_FORMAT:yyyy'T",
        "1:DAYS:SIMPLE_DATE_FORMAT:yyyy tz(UTC",
        "SIMPLE_DATE_FORMAT|yyyy|no zone",
        "",
    ] {
        said += &format!("{}\n", TimeFormat::parse(written).expect_err("format is wrong"));
    }
    expect![[r#"
        the format `1:DAYS` has too few parts: write for example `1:MILLISECONDS:EPOCH` or `1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd`
        `0` is no size: write a whole number from 1
        `DAY` is no unit of time: write one of DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS, MICROSECONDS, NANOSECONDS; did you mean `DAYS`?
        `EPOC` is no time format: write EPOCH, TIMESTAMP or SIMPLE_DATE_FORMAT; did you mean `EPOCH`?
        `:x` after `EPOCH` means nothing: write `1:DAYS:EPOCH`
        `EPOCH` needs a unit: write for example `EPOCH|MILLISECONDS`
        nothing may follow `TIMESTAMP|`: write `TIMESTAMP`
        `yyyyMMdd` is no time format: write EPOCH, TIMESTAMP or SIMPLE_DATE_FORMAT
        the letter `T` means nothing in the date pattern `yyyyTMM`: put plain text in single quotes
        a single quote is not closed in the date pattern `yyyy'T`
        `tz(UTC` has no closing bracket: write `tz(Europe/Paris)`
        `no zone` is no time zone: write for example Europe/Paris or +01:00
        `` is no time format: write EPOCH, TIMESTAMP or SIMPLE_DATE_FORMAT
    "#]].assert_eq(&said);
    assert_eq!(check_granularity("HOURS|1"), None);
    assert!(check_granularity("1:FORTNIGHTS").is_some());
    assert!(check_granularity("").is_some());
}

#[test]
fn epoch_values_become_milliseconds() {
    let millis =
        |format: &str, value| TimeFormat::parse(format).expect("format is right").epoch_millis(value);
    assert_eq!(millis("EPOCH|DAYS", 1), Some(86_400_000));
    assert_eq!(millis("EPOCH|MINUTES|15", 4), Some(3_600_000));
    assert_eq!(millis("EPOCH|NANOSECONDS", -1), Some(-1));
    assert_eq!(millis("TIMESTAMP", 5), Some(5));
    assert_eq!(millis("EPOCH|DAYS", i64::MAX), None);
    assert_eq!(millis("SIMPLE_DATE_FORMAT|yyyy", 2020), None);
}

#[test]
fn knows_which_patterns_sort_as_text() {
    for (pattern, sorts) in [
        ("yyyyMMdd", true),
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", true),
        ("yyyy", true),
        ("MMddyyyy", false),
        ("yyyy-M-d", false),
        ("yyyy-MMM-dd", false),
        ("yyyy-dd", false),
    ] {
        let format = TimeFormat::parse(&format!("SIMPLE_DATE_FORMAT|{pattern}")).expect("pattern is right");
        assert_eq!(format.sorts_as_text(), sorts, "{pattern}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in ".{0,60}", format in "[0-9:|A-Z_a-z()' ]{0,40}") {
        let _ = Schema::parse(&text);
        let _ = TimeFormat::parse(&format);
        let _ = check_granularity(&format);
        let _ = Schema::parse(&one("dimensionFieldSpecs", &format!(r#""dataType": {text:?}"#)));
    }
}

#[test]
fn reads_complex_columns_and_gives_them_back() {
    let map = serde_json::json!({
        "name": "labels", "dataType": "MAP", "fieldType": "COMPLEX", "childFieldSpecs": {
            "key": {"name": "key", "dataType": "STRING", "fieldType": "DIMENSION"},
            "value": {"name": "value", "dataType": "LONG", "fieldType": "METRIC"}
        }
    });
    let schema = serde_json::json!({"schemaName": "t", "complexFieldSpecs": [map]});
    let parsed = Schema::parse(&schema.to_string()).expect("Pinot takes the schema").schema;
    let (_, field) = parsed.field("labels").expect("the column is there");
    let values = MapValues { data_type: DataType::Long, default_null_value: Value::Long(0) };
    assert_eq!(field.role, FieldRole::Complex(ComplexType::Map(values)));
    assert_eq!((field.data_type, &field.default_null_value), (DataType::Json, &Value::String("{}".into())));
    assert_eq!(parsed.to_json()["complexFieldSpecs"], schema["complexFieldSpecs"]);
}
