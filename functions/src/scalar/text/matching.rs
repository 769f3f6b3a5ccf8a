//! `textMatch(text, query[, options])`: full-text search in the syntax of Lucene's query parsers, which Pinot hands such a
//! query to. What words are, and what a query then means, is [`meunier_segment::text_search`]'s.

mod forms;
mod parser;
mod pattern;
mod settings;

use std::fmt;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use meunier_segment::text_search::{Analyzer, TextOptions, TextQuery, Words};

use crate::description::FunctionGroup::Text as Group;
use crate::scalar::call::{Call, Fault};
use crate::scalar::function::{Asked, Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::sink::collect;
use settings::QuerySettings;

/// A text query does not follow its syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextQueryFault(String);

impl fmt::Display for TextQueryFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for TextQueryFault {}

impl From<TextQueryFault> for DataFusionError {
    fn from(fault: TextQueryFault) -> DataFusionError {
        DataFusionError::External(Box::new(fault))
    }
}

impl From<TextQueryFault> for Fault {
    fn from(fault: TextQueryFault) -> Fault {
        Fault::Below(Box::new(fault.into()))
    }
}

/// Reads a query of full-text search with the options that it brings along, for a column of these options.
///
/// # Errors
/// When it does not follow the syntax, or asks for what is not supported.
pub fn text_query(query: &str, options: &str, column: &TextOptions) -> Result<TextQuery, TextQueryFault> {
    let settings = QuerySettings::parse(options, column)?;
    parser::parse(query, &settings, &Analyzer::new(&column.words))
}

pub(super) fn functions() -> Vec<Function> {
    let (texts, text) = (Kind::Many(Scalar::Text), Kind::One(Scalar::Text));
    vec![Function::new(
        Group,
        &["textMatch"],
        "textMatch(text, query[, options])",
        "Whether a text, or the elements of an array together, match a query in Lucene's syntax: words, \"phrases\"~2, prefix*, \
         w?ld, fuzzy~1, /regexp/, [low TO high], AND, OR, NOT. Options such as 'defaultOperator=AND,parser=MATCHPHRASE'.",
        [Overload::new(&[texts, text, text], Gives::Of(truth), matched).required(2)],
    )]
}

/// A constant query is read when the statement is planned, so that a fault in it is one of the statement.
fn truth(asked: &Asked<'_>) -> Result<Gives, Fault> {
    if let Some(query) = asked.text(1) {
        text_query(query, asked.text(2).unwrap_or_default(), &TextOptions::default())?;
    }
    Ok(Gives::Type(DataType::Boolean))
}

fn matched(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let texts = call.column(0)?;
    let lists = texts.array.as_list::<i32>();
    let elements = lists.values().as_string::<i32>();
    let column = TextOptions::default();
    let analyzer = Analyzer::new(&column.words);
    // Queries are mostly the same in all rows.
    let mut known: Option<((&str, &str), TextQuery)> = None;
    collect(call.rows, |row| {
        let at = texts.at(row);
        let Some(written) = call.text(1, row) else { return Ok(None) };
        if lists.is_null(at) || call.len() > 2 && call.is_null(2, row) {
            return Ok(None);
        }
        let asked = (written, call.text(2, row).unwrap_or_default());
        let query = match &mut known {
            Some((before, query)) if *before == asked => query,
            place => &mut place.insert((asked, text_query(asked.0, asked.1, &column)?)).1,
        };
        let offsets = lists.value_offsets();
        let places = offsets[at].cast_unsigned() as usize..offsets[at + 1].cast_unsigned() as usize;
        let mut words = Words::default();
        for place in places.filter(|place| elements.is_valid(*place)) {
            analyzer.add_words(elements.value(place), &mut words);
        }
        Ok(Some(query.matches(&words)))
    })
}
