//! Full-text search: how texts become words, what TEXT_MATCH asks of them, and so what a text index holds.
//!
//! Words, positions and the meaning of queries are Lucene's, whose library Pinot hands texts and queries to. How a query is
//! written is not known here.

mod options;
mod words;
mod word_test;
mod distance;
mod phrase;
mod query;

pub use options::{TextAnalyzer, TextOptions, WordOptions};
pub use phrase::{Phrase, PhraseOrder, PhrasePart};
pub(crate) use query::should_count;
pub use query::{Clause, Occur, TextQuery};
pub use word_test::{WordPattern, WordTest};
pub use words::{Analyzer, Word, Words};

#[cfg(test)]
mod tests;
