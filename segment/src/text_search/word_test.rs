//! What one word of a query asks of one word of a text.

use regex::Regex;

use super::distance::is_near;

/// A question to one word.
#[derive(Debug, Clone)]
pub enum WordTest {
    /// It is this one.
    Is(String),
    /// It begins so.
    Prefix(String),
    /// It matches as a whole.
    Pattern(WordPattern),
    /// It differs by at most so many letters.
    Near {
        /// The word.
        word: String,
        /// Letters that are other, missing, added, or in each other's place.
        edits: usize,
        /// How many letters it must begin with.
        prefix: usize,
    },
    /// It lies between two words, whose flags say whether they count; a bound that is not there holds for all.
    Between {
        /// The lower one.
        low: Option<(String, bool)>,
        /// The upper one.
        high: Option<(String, bool)>,
    },
}

/// A wildcard or a regular expression.
#[derive(Debug, Clone)]
pub struct WordPattern {
    /// What a word must match from its beginning to its end.
    pub regex: Regex,
    /// What every word that matches begins with.
    pub prefix: String,
    /// Whether it was written with `*` and `?`.
    pub is_wildcard: bool,
}

impl WordTest {
    /// Returns whether a word passes.
    pub fn holds(&self, word: &str) -> bool {
        match self {
            WordTest::Is(wanted) => word == wanted,
            WordTest::Prefix(prefix) => word.starts_with(prefix.as_str()),
            WordTest::Pattern(pattern) => {
                word.starts_with(pattern.prefix.as_str()) && pattern.regex.is_match(word)
            }
            WordTest::Near { word: wanted, edits, .. } => {
                word.starts_with(self.prefix()) && is_near(wanted, word, *edits)
            }
            WordTest::Between { low, high } => {
                let above =
                    low.as_ref().is_none_or(|(low, with)| word > low.as_str() || *with && word == low);
                above
                    && high.as_ref().is_none_or(|(high, with)| word < high.as_str() || *with && word == high)
            }
        }
    }

    /// Returns what every word that passes begins with.
    pub fn prefix(&self) -> &str {
        match self {
            WordTest::Is(word) => word,
            WordTest::Prefix(prefix) => prefix,
            WordTest::Pattern(pattern) => &pattern.prefix,
            WordTest::Near { word, prefix, .. } => {
                let end = word.char_indices().nth(*prefix).map_or(word.len(), |(end, _)| end);
                &word[..end]
            }
            WordTest::Between { .. } => "",
        }
    }
}
