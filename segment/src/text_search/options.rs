//! How a column's texts become words, and how its queries are read: the options of a text index.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The options of one column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextOptions {
    /// How texts become words.
    pub words: WordOptions,
    /// A query asks for all of its words, where it does not say otherwise; else for one of them.
    pub all_words: bool,
    /// A query of words of which some have wildcards asks for them side by side and in order.
    pub wild_phrases: bool,
}

/// How texts become words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordOptions {
    /// What cuts them.
    pub analyzer: TextAnalyzer,
    /// Capital letters stay. Only for the standard analyzer.
    pub case_sensitive: bool,
    /// Words that are left out besides the commonest English ones. Only for the standard analyzer.
    pub stop_words_include: BTreeSet<String>,
    /// Words that are not left out. Only for the standard analyzer.
    pub stop_words_exclude: BTreeSet<String>,
}

/// What cuts a text into words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextAnalyzer {
    /// Unicode's rules; small letters; without the commonest English words.
    #[default]
    Standard,
    /// Runs of letters, in small ones.
    Simple,
    /// White space stands between words.
    Whitespace,
    /// The whole text is one word.
    Keyword,
}
