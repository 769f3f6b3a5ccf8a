//! TEXT_MATCH over generated texts: consuming, sealed and indexed rows answer alike, and as a naive reading of the words does.

use std::collections::BTreeMap;

use meunier_segment::options::SegmentOptions;
use meunier_segment::text_search::{TextAnalyzer, TextOptions, WordOptions};
use serde_json::{Value, json};

use crate::differential::Random;
use crate::table::{Bed, Layout, TableSpec};

const SCHEMA: &str = r#"{"schemaName":"logs","dimensionFieldSpecs":[{"name":"id","dataType":"INT"},
    {"name":"few","dataType":"STRING"},{"name":"many","dataType":"STRING"},{"name":"gaps","dataType":"STRING"},
    {"name":"tags","dataType":"STRING","singleValueField":false},
    {"name":"raw_tags","dataType":"STRING","singleValueField":false}]}"#;
const COLUMNS: [&str; 5] = ["few", "many", "gaps", "tags", "raw_tags"];
const WORDS: [&str; 9] = ["disk", "disc", "full", "error", "errors", "the", "Node", "java", "c++"];

fn text(random: &mut Random) -> String {
    let count = random.below(6);
    (0..count).map(|_| random.pick(&WORDS)).collect::<Vec<_>>().join(" ")
}

fn rows(count: usize) -> Vec<Value> {
    let mut random = Random(5);
    (0..count)
        .map(|id| {
            let few = text(&mut Random(id as u64 % 60));
            let many = format!("{} id{id}", text(&mut random));
            let gaps = if random.below(6) == 0 { Value::Null } else { json!(text(&mut random)) };
            let mut list =
                || (0..random.below(3) + 1).map(|_| json!(text(&mut random))).collect::<Vec<Value>>();
            let (tags, raw_tags) = (list(), list());
            json!({"id": id, "few": few, "many": many, "gaps": gaps, "tags": tags, "raw_tags": raw_tags})
        })
        .collect()
}

fn bed(layout: Layout, indexed: bool, options: &TextOptions) -> Bed {
    let mut spec = TableSpec::new(SCHEMA, rows(400));
    // Without an index the options still say how texts are read.
    spec.search.text_columns = COLUMNS.map(|name| (name.into(), options.clone())).into();
    let words = COLUMNS.map(|name| (name.into(), options.words.clone()));
    spec.options = SegmentOptions {
        text_columns: if indexed { words.into() } else { BTreeMap::new() },
        no_dictionary_columns: ["many".into(), "raw_tags".into()].into(),
        ..SegmentOptions::default()
    };
    Bed::new(&[spec], layout)
}

fn query(random: &mut Random) -> String {
    let word = random.pick(&WORDS);
    let other = random.pick(&WORDS);
    match random.below(14) {
        0 => format!("\"{word} {other}\""),
        1 => format!("\"{word} {other}\"~2"),
        2 => format!("{}*", &word[..2]),
        3 => "d?s*".to_owned(),
        4 => "/err.r(s)?/".to_owned(),
        5 => "dist~1".to_owned(),
        6 => format!("{word} AND {other}"),
        7 => format!("+{word} -{other}"),
        8 => format!("{word} OR NOT {other}"),
        9 => format!("({}) AND ({})", query(random), query(random)),
        10 => format!("({}) NOT ({})", query(random), query(random)),
        11 => "[error TO full}".to_owned(),
        12 => format!("{word} {other}"),
        _ => word.to_owned(),
    }
}

fn check(options: &TextOptions) {
    let beds = [
        ("consuming", bed(Layout::Consuming, true, options)),
        ("sealed", bed(Layout::Sealed, false, options)),
        ("indexed", bed(Layout::Sealed, true, options)),
        ("split", bed(Layout::Split, true, options)),
    ];
    let mut random = Random(3);
    let mut found = 0;
    for number in 0..70 {
        let column = random.pick(&COLUMNS);
        let not = if random.below(4) == 0 { "NOT " } else { "" };
        let settings = match random.below(4) {
            0 => ", 'defaultOperator=AND'",
            1 => ", 'parser=MATCH,minimumShouldMatch=2'",
            _ => "",
        };
        let sql = format!(
            "SELECT id FROM logs WHERE {not}TEXT_MATCH({column}, '{}'{settings}) AND id >= {number} ORDER BY id LIMIT 1000",
            query(&mut random)
        );
        for engine in ["", "useMultistageEngine=true", "enableNullHandling=true"] {
            let mut first = None;
            for (name, bed) in &beds {
                let answer = bed.json_with(&sql, engine);
                assert_eq!(answer["exceptions"], json!([]), "{sql} {engine}");
                let rows = answer["resultTable"]["rows"].clone();
                found += rows.as_array().map_or(0, Vec::len);
                let first = first.get_or_insert_with(|| rows.clone());
                assert_eq!(first, &rows, "{name}: {sql} {engine}");
            }
        }
    }
    assert!(found > 1_000, "the queries find next to nothing");
}

#[test]
fn text_match_answers_alike_in_all_layouts() {
    check(&TextOptions::default());
}

#[test]
fn text_match_heeds_the_options_of_the_index_in_all_layouts() {
    let words = WordOptions {
        case_sensitive: true,
        stop_words_include: ["java".to_owned()].into(),
        stop_words_exclude: ["the".to_owned()].into(),
        ..WordOptions::default()
    };
    check(&TextOptions { words, all_words: true, wild_phrases: true });
    let words = WordOptions { analyzer: TextAnalyzer::Whitespace, ..WordOptions::default() };
    check(&TextOptions { words, ..TextOptions::default() });
}

/// Words of a text as the standard analyzer leaves them, for the words of these tests.
fn words_of(text: &str) -> Vec<String> {
    let words = text.split(' ').map(|word| word.trim_end_matches('+').to_lowercase());
    words.filter(|word| !word.is_empty()).collect()
}

#[test]
fn words_and_phrases_are_found_where_they_stand() {
    let bed = bed(Layout::Split, true, &TextOptions::default());
    let ids = |query: &str| {
        let sql = format!("SELECT id FROM logs WHERE TEXT_MATCH(many, '{query}') ORDER BY id LIMIT 1000");
        bed.json(&sql)["resultTable"]["rows"].clone()
    };
    let expected = |holds: &dyn Fn(&[String]) -> bool| {
        let rows = rows(400);
        let found = rows.iter().filter(|row| holds(&words_of(row["many"].as_str().unwrap())));
        Value::from(found.map(|row| json!([row["id"]])).collect::<Vec<_>>())
    };
    let has = |words: &[String], word: &str| words.iter().any(|other| other == word);
    assert_eq!(ids("DISK"), expected(&|words| has(words, "disk")));
    assert_eq!(ids("disk AND full"), expected(&|words| has(words, "disk") && has(words, "full")));
    assert_eq!(ids("disk NOT full"), expected(&|words| has(words, "disk") && !has(words, "full")));
    let side_by_side = |words: &[String], first: &str, second: &str| {
        words.windows(2).any(|pair| pair[0] == first && pair[1] == second)
    };
    assert_eq!(ids("\"disk full\""), expected(&|words| side_by_side(words, "disk", "full")));
    // The article is left out, and its place stays.
    let apart = |words: &[String]| words.windows(3).any(|three| three[0] == "disk" && three[2] == "full");
    assert_eq!(ids("\"disk the full\""), expected(&apart));
    assert_eq!(ids("err*"), expected(&|words| has(words, "error") || has(words, "errors")));
    assert_eq!(
        ids("id7?"),
        expected(&|words| words.iter().any(|word| word.starts_with("id7") && word.len() == 4))
    );
}

#[test]
fn a_fault_in_a_text_query_is_told_with_its_place() {
    let bed = bed(Layout::Split, true, &TextOptions::default());
    for (query, options, text) in [
        ("(disk", "", "a parenthesis is not closed, at the end of the text query"),
        ("disk AND", "", "a clause is missing, at the end of the text query"),
        ("OR disk", "", "an operator stands behind no clause, before ` `, letter 3"),
        ("disk:full", "", "names a field"),
        ("disk)", "", "`)` is not expected, before `)`, letter 5"),
        ("/dis~k/", "", "`~` of Lucene''s regular expressions is not supported"),
        ("disk~1.5", "", "1.5 edits are no whole number"),
        ("", "", "a clause is missing"),
        ("disk", "parser=COMPLEX", "is not supported"),
        ("disk", "defaultOperators=AND", "did you mean `defaultOperator`"),
    ] {
        for column in ["few", "tags"] {
            let settings = if options.is_empty() { String::new() } else { format!(", '{options}'") };
            let sql = format!("SELECT id FROM logs WHERE TEXT_MATCH({column}, '{query}'{settings})");
            let answer = bed.json(&sql);
            assert_eq!(answer["exceptions"][0]["errorCode"], json!(150), "{sql} {answer}");
            let message = answer["exceptions"][0]["message"].as_str().unwrap();
            assert!(message.contains(&text.replace("''", "'")), "{message}");
        }
    }
}

#[test]
fn explain_tells_of_the_text_index() {
    for (layout, indexed, expected) in
        [(Layout::Sealed, true, true), (Layout::Sealed, false, false), (Layout::Consuming, true, false)]
    {
        let bed = bed(layout, indexed, &TextOptions::default());
        for column in ["few", "many", "tags", "raw_tags"] {
            for query in ["disk", "\"disk full\""] {
                let sql =
                    format!("EXPLAIN SELECT id FROM logs WHERE TEXT_MATCH({column}, '{query}') LIMIT 5");
                let answer = bed.json(&sql);
                assert_eq!(answer.to_string().contains("text index"), expected, "{sql} {layout:?} {answer}");
            }
        }
    }
}

#[test]
fn patterns_with_a_beginning_pass_what_they_pass_of_all_values() {
    let beds: Vec<Bed> =
        Layout::ALL.into_iter().map(|layout| bed(layout, false, &TextOptions::default())).collect();
    let mut found = 0;
    for condition in [
        "REGEXP_LIKE(few, '^disk')",
        "REGEXP_LIKE(few, '^dis[kc] ?f.*')",
        "REGEXP_LIKE(few, '^disk|full')",
        "REGEXP_LIKE(few, '^DISK', 'i')",
        "NOT REGEXP_LIKE(few, '^disk')",
        "few LIKE 'disk%full'",
        "few LIKE 'dis_ %'",
        "few NOT LIKE 'dis_ %'",
        "few LIKE '%full%'",
    ] {
        let sql = format!("SELECT id FROM logs WHERE {condition} ORDER BY id LIMIT 1000");
        let expected = beds[0].json_with(&sql, "useDictionaryFilter=false")["resultTable"]["rows"].clone();
        found += expected.as_array().map_or(0, Vec::len);
        for bed in &beds {
            assert_eq!(bed.json(&sql)["resultTable"]["rows"], expected, "{sql}");
        }
    }
    assert!(found > 500, "the patterns find next to nothing");
}
