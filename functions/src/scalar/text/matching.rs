//! `textMatch(text, query)`: full-text search in the syntax of Lucene's classic query parser, which Pinot hands such a
//! query to. Texts are cut into words as Lucene's standard analyzer cuts them: by Unicode's rules, in lower case, without
//! the commonest English words.

mod query;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use unicode_segmentation::UnicodeSegmentation;

use self::query::TextQuery;
use crate::description::FunctionGroup::Text as Group;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::sink::collect;

/// Words that the analyzer leaves out.
const STOP_WORDS: [&str; 35] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "than", "there", "these", "they",
    "this", "to", "was", "will", "with", "those",
];

pub(super) fn functions() -> Vec<Function> {
    vec![Function::new(
        Group,
        &["textMatch"],
        "textMatch(text, query)",
        "Whether a text, or an element of an array, matches a query in Lucene's syntax: words, \"phrases\", prefix*, /regexp/, \
         AND, OR, NOT.",
        [Overload::new(&[Kind::Many(Scalar::Text), Kind::One(Scalar::Text)], Gives::Of(truth), matched)],
    )]
}

/// A constant query is read when the statement is planned, so that a fault in it is one of the statement.
fn truth(asked: &Asked<'_>) -> Result<Gives, Fault> {
    asked.text(1).map(TextQuery::parse).transpose()?;
    Ok(Gives::Type(DataType::Boolean))
}

fn matched(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut queries = call.prepared(1, TextQuery::parse)?;
    let texts = call.column(0)?;
    let lists = texts.array.as_list::<i32>();
    let elements = lists.values().as_string::<i32>();
    collect(call.rows, |row| {
        let at = texts.at(row);
        let Some(query) = queries.at(row)? else { return Ok(None) };
        if lists.is_null(at) {
            return Ok(None);
        }
        let offsets = lists.value_offsets();
        let places = offsets[at].cast_unsigned() as usize..offsets[at + 1].cast_unsigned() as usize;
        let mut words = Vec::new();
        for place in places.filter(|place| elements.is_valid(*place)) {
            words.extend(words_of(elements.value(place)));
        }
        Ok(Some(query.matches(&words)))
    })
}

/// Returns the words of a text.
fn words_of(text: &str) -> Vec<String> {
    let words = text.unicode_words().map(str::to_lowercase);
    words.filter(|word| !STOP_WORDS.contains(&word.as_str())).collect()
}
