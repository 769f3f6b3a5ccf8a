//! Runs the files of `tests/sql`.
//!
//! A file has blocks with an empty line between. The first line of a block says what it is:
//! ```text
//! table {schema JSON on one line}      then one JSON object a line, the rows
//! dimension {schema JSON on one line}  the same, for a table that LOOKUP finds
//! query [sorted]                       then SQL, a line `----`, the types, the names, and the rows
//! error 710                            then SQL, a line `----`, and the whole message
//! ```
//! `sorted` compares rows whatever their order. Every query runs over each layout of the rows, with all rules on, with all
//! off, and on one thread; the answers must be the same each time. `UPDATE_EXPECT=1` rewrites the files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::table::{Bed, Layout, TableSpec};

/// Options that may not change an answer.
const VARIANTS: [&str; 6] = [
    "",
    "useSegmentPruning=false;useFilterPushdown=false;useDictionaryFilter=false;usePredicateCache=false;useMetadataAggregation=false;useSegmentAggregation=false;useSegmentTopRows=false;useShortPath=false;useAggregationBelowJoins=false;useJoinKeyFilter=false",
    "useShortPath=false",
    "useSegmentAggregation=false",
    "useSegmentPruning=false;useDictionaryFilter=false",
    "useMetadataAggregation=false;maxExecutionThreads=1",
];

#[test]
fn every_layout_gives_the_answers_of_the_sql_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "slt"));
    files.sort();
    assert!(!files.is_empty());
    // One thread a file: the time goes into planning, query by query.
    let differences: String = std::thread::scope(|scope| {
        let runs: Vec<_> = files.iter().map(|file| scope.spawn(|| run(file))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(differences.is_empty(), "{differences}");
}

/// Returns what is not as the file says.
fn run(file: &Path) -> String {
    let mut differences = String::new();
    let text = std::fs::read_to_string(file).unwrap();
    let blocks: Vec<&str> = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).collect();
    let specs: Vec<TableSpec> = blocks.iter().filter_map(|block| read_table(block)).collect();
    let beds: Vec<(Layout, Bed)> =
        Layout::ALL.iter().map(|&layout| (layout, Bed::new(&specs, layout))).collect();
    let mut rewritten = Vec::new();
    for block in &blocks {
        let (comment, uncommented) = split_comment(block);
        let Some((head, sql, expected)) = read_query(uncommented) else {
            rewritten.push((*block).to_owned());
            continue;
        };
        let sorted = head.contains("sorted");
        let wanted = expected.trim_end().to_owned();
        let mut first: Option<String> = None;
        for (layout, bed) in &beds {
            for variant in VARIANTS {
                let (kind, shown) = show(bed, sql, variant, sorted);
                let same_head = kind == head.split(" sorted").next().unwrap();
                if (!same_head || shown != wanted) && !updating() {
                    let place = format!("{} over {layout:?} rows with `{variant}`", file.display());
                    writeln!(
                        differences,
                        "{place}\n{sql}\nexpected {head}\n{wanted}\nfound {kind}\n{shown}\n"
                    )
                    .unwrap();
                }
                let first = first.get_or_insert_with(|| shown.clone());
                if *first != shown {
                    let place = format!("{} over {layout:?} rows with `{variant}`", file.display());
                    writeln!(
                        differences,
                        "{place} answers differently\n{sql}\nfirst\n{first}\nnow\n{shown}\n"
                    )
                    .unwrap();
                }
            }
        }
        let (kind, _) = show(&beds[0].1, sql, "", sorted);
        let order = if sorted && kind == "query" { " sorted" } else { "" };
        rewritten.push(format!("{comment}{kind}{order}\n{sql}\n----\n{}", first.unwrap()));
    }
    if updating() {
        std::fs::write(file, format!("{}\n", rewritten.join("\n\n"))).unwrap();
    }
    differences
}

fn updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

fn read_table(block: &str) -> Option<TableSpec> {
    let block = without_comments(block);
    let (block, is_dimension) = match block.strip_prefix("dimension ") {
        Some(block) => (block, true),
        None => (block.strip_prefix("table ")?, false),
    };
    let (schema, rows) = block.split_once('\n').unwrap_or((block, ""));
    let rows =
        rows.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    Some(TableSpec { is_dimension, ..TableSpec::new(schema, rows.collect()) })
}

fn read_query(block: &str) -> Option<(&str, &str, &str)> {
    if block.is_empty() || ["table ", "dimension "].iter().any(|head| block.starts_with(head)) {
        return None;
    }
    let (head, rest) = block.split_once('\n')?;
    let (sql, expected) = rest.split_once("\n----").unwrap_or((rest, ""));
    Some((head, sql, expected.trim_start_matches('\n')))
}

/// Returns the lines of comment that a block begins with, and the rest.
fn split_comment(block: &str) -> (&str, &str) {
    let comment = block.split_inclusive('\n').take_while(|line| line.starts_with('#'));
    block.split_at(comment.map(str::len).sum())
}

fn without_comments(block: &str) -> String {
    block.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

/// Returns what an answer is, and its text.
fn show(bed: &Bed, sql: &str, options: &str, sorted: bool) -> (String, String) {
    let answer = bed.json_with(sql, options);
    if let Some(exception) = answer["exceptions"].get(0) {
        return (
            format!("error {}", exception["errorCode"]),
            exception["message"].as_str().unwrap().to_owned(),
        );
    }
    let schema = &answer["resultTable"]["dataSchema"];
    let line = |values: &serde_json::Value| {
        let values = values.as_array().unwrap().iter();
        values
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let mut rows: Vec<String> = answer["resultTable"]["rows"].as_array().unwrap().iter().map(line).collect();
    if sorted {
        rows.sort();
    }
    if answer["limitApplied"]["moreRows"] == true {
        rows.push("(more)".into());
    }
    let mut shown = format!("{}\n{}", line(&schema["columnDataTypes"]), line(&schema["columnNames"]));
    for row in rows {
        shown.push('\n');
        shown.push_str(&row);
    }
    ("query".into(), shown.trim_end().to_owned())
}
