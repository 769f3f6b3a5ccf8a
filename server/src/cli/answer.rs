//! A query's answer for the terminal: as a table, as CSV, or as the JSON it came in.

use clap::ValueEnum;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde_json::Value;

use super::failure::Failure;
use super::terminal::printable;

/// How an answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnswerFormat {
    /// Columns and rows for people
    Table,
    /// The server's answer as it is, with its figures
    Json,
    /// RFC 4180, with a header
    Csv,
}

/// Returns the text of an answer.
///
/// # Errors
/// The query's own fault, when the answer holds one.
pub fn shown(answer: &Value, format: AnswerFormat) -> Result<String, Failure> {
    if let Some(failure) = fault(answer) {
        return Err(failure);
    }
    let none = Vec::new();
    let list = |pointer: &str| answer.pointer(pointer).and_then(Value::as_array).unwrap_or(&none);
    let names = list("/resultTable/dataSchema/columnNames");
    let types = list("/resultTable/dataSchema/columnDataTypes");
    let rows = list("/resultTable/rows");
    match format {
        AnswerFormat::Json => Ok(serde_json::to_string_pretty(answer).expect("a JSON value is always JSON")),
        AnswerFormat::Csv => Ok(csv(names, rows)),
        AnswerFormat::Table => Ok(format!("{}\n{}", table(names, types, rows), footer(answer, rows.len()))),
    }
}

/// Returns why the query failed, if it did.
fn fault(answer: &Value) -> Option<Failure> {
    let exceptions = answer.get("exceptions").and_then(Value::as_array)?;
    let first = exceptions.first()?;
    let message = first.get("message").and_then(Value::as_str).unwrap_or("no message");
    let code = first.get("errorCode").and_then(Value::as_i64).unwrap_or(0);
    let mut failure = Failure::new(format!("query failed with code {code}")).detail(printable(message));
    let place = |key: &str| first.get(key).and_then(Value::as_u64);
    if let Some((line, column)) = place("line").zip(place("column"))
        && !message.contains(&format!("line {line}, column {column}"))
    {
        failure = failure.detail(format!("at line {line}, column {column} of the statement"));
    }
    Some(match code {
        190 => failure.next("`meunier table list` shows the tables there are"),
        710 => failure.next("`meunier table show NAME --config` shows the table's columns"),
        211 | 240 | 245 => failure.next("try again when fewer queries run, or narrow the query"),
        _ => failure,
    })
}

fn table(names: &[Value], types: &[Value], rows: &[Value]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(names.iter().map(cell_text));
    for row in rows {
        table.add_row(cells(row).iter().map(|cell| Cell::new(cell_text(cell))));
    }
    for (column, data_type) in table.column_iter_mut().zip(types) {
        let is_number =
            matches!(data_type.as_str(), Some("INT" | "LONG" | "FLOAT" | "DOUBLE" | "BIG_DECIMAL"));
        if is_number {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn footer(answer: &Value, rows: usize) -> String {
    let figure = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    let mut text = format!(
        "{rows} {}, {} of {} rows read, {} ms",
        if rows == 1 { "row" } else { "rows" },
        figure("numDocsScanned"),
        figure("totalDocs"),
        figure("timeUsedMs"),
    );
    if answer.pointer("/limitApplied/moreRows").and_then(Value::as_bool) == Some(true) {
        text.push_str(
            "\nThere are more rows: without a LIMIT a query shows 10, as in Pinot. Add LIMIT n for more.",
        );
    }
    if answer.get("partialResult").and_then(Value::as_bool) == Some(true) {
        text.push_str("\nThe answer is not complete.");
    }
    text
}

fn csv(names: &[Value], rows: &[Value]) -> String {
    let line = |cells: &[Value]| cells.iter().map(csv_cell).collect::<Vec<_>>().join(",");
    let mut lines = vec![line(names)];
    lines.extend(rows.iter().map(|row| line(cells(row))));
    lines.join("\n")
}

/// A null is an empty cell; an empty text has quotes, so that the two can be told apart.
fn csv_cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    let needs_quotes = text.is_empty() || text.contains([',', '"', '\n', '\r']);
    if needs_quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn cells(row: &Value) -> &[Value] {
    row.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn cell_text(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            printable(&value.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn check(answer: &Value, format: AnswerFormat, expected: Expect) {
        let text = match shown(answer, format) {
            Ok(text) => text,
            Err(failure) => failure.to_string(),
        };
        expected.assert_eq(&text);
    }

    fn answer() -> Value {
        json!({
            "resultTable": {
                "dataSchema": {"columnNames": ["city", "n"], "columnDataTypes": ["STRING", "LONG"]},
                "rows": [["Łódź", 12], ["a,\"b\"\n\u{1b}[31m", 3], [null, -1], ["", 0]]
            },
            "exceptions": [], "numDocsScanned": 14, "totalDocs": 20, "timeUsedMs": 3,
            "limitApplied": {"limit": 10, "implicit": true, "moreRows": true}
        })
    }

    #[test]
    fn a_table_aligns_numbers_and_shows_control_characters() {
        check(
            &answer(),
            AnswerFormat::Table,
            expect![[r#"
                ┌───────────────────┬────┐
                │ city              ┆  n │
                ╞═══════════════════╪════╡
                │ Łódź              ┆ 12 │
                │ a,"b"\n\u{1b}[31m ┆  3 │
                │ null              ┆ -1 │
                │                   ┆  0 │
                └───────────────────┴────┘
                4 rows, 14 of 20 rows read, 3 ms
                There are more rows: without a LIMIT a query shows 10, as in Pinot. Add LIMIT n for more."#]],
        );
    }

    #[test]
    fn csv_quotes_what_needs_it_and_tells_null_from_empty() {
        check(
            &answer(),
            AnswerFormat::Csv,
            expect!["city,n\nŁódź,12\n\"a,\"\"b\"\"\n\u{1b}[31m\",3\n,-1\n\"\",0"],
        );
    }

    #[test]
    fn a_fault_is_a_failure_with_a_next_step() {
        let answer =
            json!({"exceptions": [{"errorCode": 190, "message": "TableDoesNotExistError: table `x`"}]});
        check(
            &answer,
            AnswerFormat::Table,
            expect![[r#"
                error: query failed with code 190
                  TableDoesNotExistError: table `x`
                  next: `meunier table list` shows the tables there are"#]],
        );
        let exception = json!({"errorCode": 710, "message": "UnknownColumnError: x", "line": 2, "column": 8});
        check(
            &json!({"exceptions": [exception]}),
            AnswerFormat::Table,
            expect![[r#"
                error: query failed with code 710
                  UnknownColumnError: x
                  at line 2, column 8 of the statement
                  next: `meunier table show NAME --config` shows the table's columns"#]],
        );
    }
}
