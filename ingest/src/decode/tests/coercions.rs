//! Every cell of the tables in `docs/reference/json-decoding.md` is a test.

use super::*;

const REFERENCE: &str = include_str!("../../../../docs/reference/json-decoding.md");

#[test]
fn values_become_what_the_reference_says() {
    let mut cells = 0;
    let mut wrong = Vec::new();
    for table in tables(REFERENCE) {
        let types: Vec<&str> = table[0][1..].iter().map(String::as_str).collect();
        for row in &table[2..] {
            for (data_type, expected) in types.iter().zip(&row[1..]) {
                let found = decode_cell(data_type, &row[0]);
                cells += 1;
                if found != *expected {
                    wrong.push(format!("{} into {data_type}: {found}, not {expected}", row[0]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells > 300, "the tables were found: {cells} cells");
}

/// The tables whose first heading is `JSON`, as rows of cells without their backticks.
fn tables(text: &str) -> Vec<Vec<Vec<String>>> {
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let mut in_table = false;
    for line in text.lines() {
        let starts = line.starts_with("| JSON |");
        in_table = starts || in_table && line.starts_with('|');
        if starts {
            tables.push(Vec::new());
        }
        if let (true, Some(table)) = (in_table, tables.last_mut()) {
            table.push(
                line.trim_matches('|')
                    .split('|')
                    .map(|cell| cell.trim().trim_matches('`').to_string())
                    .collect(),
            );
        }
    }
    tables
}

fn decode_cell(data_type: &str, json: &str) -> String {
    let mut decoder = decoder_of(&[("c", data_type)]);
    let batch = decode_all(&mut decoder, &[format!("{{\"c\": {json}}}")]);
    match batch.rejects.first() {
        Some(reject) => format!("✗ {}", reject.reason.name()),
        None if batch.rows.column(0).is_null(0) => "∅".to_string(),
        None => show(batch.rows.column(0), 0),
    }
}
