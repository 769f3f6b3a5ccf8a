use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, StringArray};
use arrow::datatypes::Int64Type;
use arrow::util::display::array_value_to_string;
use expect_test::{Expect, expect};

use super::*;

fn column(name: &str) -> ArrayRef {
    match name {
        "n" => Arc::new(Int64Array::from(vec![Some(7), None, Some(-3)])),
        "d" => Arc::new(Float64Array::from(vec![Some(0.5), Some(2.25), None])),
        "t" => Arc::new(StringArray::from(vec![Some("Ab"), None, Some("c")])),
        "b" => Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        "o" => Arc::new(StringArray::from(vec![Some(r#"{"a":{"b":"x"},"l":[1,2]}"#), None, Some("{}")])),
        "l" => Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![
            Some(vec![Some(1), Some(2)]),
            None,
            Some(vec![Some(9)]),
        ])),
        "when" => Arc::new(StringArray::from(vec![Some("2024-02-29"), None, Some("1970-01-02")])),
        _ => Arc::new(StringArray::from(vec![None::<&str>; 3])),
    }
}

fn check(text: &str, expect: Expect) {
    let shown = RecordExpressions::new().parse(text).and_then(|mut expression| {
        let columns: Vec<ArrayRef> =
            expression.fields().iter().map(|field| column(field.name.rsplit('.').next().unwrap())).collect();
        let values = expression.evaluate(&columns, 3)?;
        let shown = |row| match values.is_null(row) {
            true => "null".to_owned(),
            false => array_value_to_string(&values, row).unwrap(),
        };
        Ok(format!("{} | {} | {}", shown(0), shown(1), shown(2)))
    });
    expect.assert_eq(&shown.unwrap_or_else(|error| error.message()));
}

#[test]
fn computes_with_what_the_fields_of_three_records_are() {
    check("upper(t)", expect!["AB | null | C"]);
    check("n + d", expect!["7.5 | null | null"]);
    check("concat(t, '-', 'x')", expect!["Abx- | null | cx-"]);
    check("CASE WHEN n > 0 THEN 'plus' ELSE 'other' END", expect!["plus | other | other"]);
    check("jsonPathString(o, '$.a.b', 'none')", expect!["x | none | none"]);
    check("fromDateTime(\"when\", 'yyyy-MM-dd')", expect!["1709164800000 | null | 86400000"]);
    check("toEpochDays(fromDateTime(\"when\", 'yyyy-MM-dd'))", expect!["19782 | null | 1"]);
    check("arrayLength(l)", expect!["2 | null | 1"]);
    check("t = 'Ab' AND n > 1", expect!["true | null | false"]);
    check("\"a.b.n\" * 2", expect!["14.0 | null | -6.0"]);
    check("a.b.n * 2", expect!["14.0 | null | -6.0"]);
    check("n IN (7, 8)", expect!["true | null | false"]);
    check("missing IS NULL", expect!["true | true | true"]);
    check("'fixed'", expect!["fixed | fixed | fixed"]);
    check("__metadata$n", expect!["null | null | null"]);
}

#[test]
fn refuses_what_is_no_expression_of_one_record() {
    check(
        "upper(",
        expect!["SQLParsingError: line 1, column 7: expected an expression, found the end of the statement"],
    );
    check("uper(t)", expect!["QueryValidationError: function `uper` does not exist; did you mean `upper`?"]);
    check(
        "sum(n)",
        expect!["QueryValidationError: `sum` is computed over many rows, and here there is one record"],
    );
    check(
        "t FROM other",
        expect!["SQLParsingError: line 1, column 3: expected the end of the expression, found `FROM`"],
    );
    check("(SELECT 1)", expect!["QueryValidationError: an expression of a record has no query in it"]);
}

#[test]
fn names_the_fields_and_which_are_read_as_json() {
    let expression =
        RecordExpressions::new().parse("concat(jsonPathString(o, '$.x'), upper(t), f1, t)").unwrap();
    let fields: Vec<_> = expression.fields().iter().map(|f| (f.name.as_str(), f.as_json)).collect();
    assert_eq!(fields, [("o", true), ("t", false), ("f1", false)]);
}
