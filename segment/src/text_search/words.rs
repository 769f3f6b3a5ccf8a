//! Texts cut into words as Lucene's analyzers cut them.

use std::borrow::Cow;
use std::collections::HashSet;

use unicode_segmentation::UnicodeSegmentation;

use super::options::{TextAnalyzer, WordOptions};

/// Words that Pinot's standard analyzer leaves out.
const STOP_WORDS: [&str; 35] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "than", "there", "these", "they",
    "this", "to", "was", "will", "with", "those",
];
/// Longer words are cut, in UTF-16 units.
const WORD_LENGTH_MAX: usize = 255;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its letters.
    pub text: String,
    /// Which word of the text it is. Words that are left out count.
    pub position: u32,
}

/// The words of one text, or of the texts of one row, in order.
#[derive(Debug, Clone, Default)]
pub struct Words {
    words: Vec<Word>,
    next_position: u32,
}

impl Words {
    /// Returns the words.
    pub fn as_slice(&self) -> &[Word] {
        &self.words
    }

    fn add(&mut self, text: String) {
        self.words.push(Word { text, position: self.next_position });
        self.skip();
    }

    fn skip(&mut self) {
        self.next_position = self.next_position.saturating_add(1);
    }
}

/// Cuts texts into words.
#[derive(Debug, Clone)]
pub struct Analyzer {
    kind: TextAnalyzer,
    case_sensitive: bool,
    stop_words: HashSet<String>,
}

impl Analyzer {
    /// Returns what the options ask for.
    pub fn new(options: &WordOptions) -> Analyzer {
        let mut stop_words: HashSet<String> = HashSet::new();
        if options.analyzer == TextAnalyzer::Standard {
            let all = STOP_WORDS.into_iter().chain(options.stop_words_include.iter().map(String::as_str));
            let kept = all.filter(|word| !options.stop_words_exclude.contains(*word));
            stop_words.extend(kept.map(|word| match options.case_sensitive {
                true => word.to_owned(),
                false => small_letters(word).into_owned(),
            }));
        }
        Analyzer { kind: options.analyzer, case_sensitive: options.case_sensitive, stop_words }
    }

    /// Returns the words of a text.
    pub fn words(&self, text: &str) -> Words {
        let mut words = Words::default();
        self.add_words(text, &mut words);
        words
    }

    /// Adds the words of a text behind those of others.
    pub fn add_words(&self, text: &str, words: &mut Words) {
        match self.kind {
            TextAnalyzer::Standard => {
                for word in text.unicode_words() {
                    for word in pieces(word) {
                        let word = self.normalized(word);
                        match self.stop_words.contains(&*word) {
                            true => words.skip(),
                            false => words.add(word.into_owned()),
                        }
                    }
                }
            }
            TextAnalyzer::Simple => {
                let runs = text.split(|letter: char| !letter.is_alphabetic()).flat_map(pieces);
                runs.for_each(|word| words.add(small_letters(word).into_owned()));
            }
            TextAnalyzer::Whitespace => {
                text.split_whitespace().flat_map(pieces).for_each(|word| words.add(word.to_owned()));
            }
            TextAnalyzer::Keyword => words.add(text.to_owned()),
        }
    }

    /// Returns a part of a word, of a pattern or of a bound, as the analyzer writes words.
    pub fn normalized<'t>(&self, part: &'t str) -> Cow<'t, str> {
        match self.kind {
            TextAnalyzer::Standard if self.case_sensitive => Cow::Borrowed(part),
            TextAnalyzer::Standard | TextAnalyzer::Simple => small_letters(part),
            TextAnalyzer::Whitespace | TextAnalyzer::Keyword => Cow::Borrowed(part),
        }
    }

    /// Returns whether words of a query with white space between them are one word.
    pub fn joins_words(&self) -> bool {
        self.kind == TextAnalyzer::Keyword
    }
}

/// Cuts what is too long for a word.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut units = 0;
        let fits = |(_, letter): &(usize, char)| {
            units += letter.len_utf16();
            units > WORD_LENGTH_MAX
        };
        let end = rest.char_indices().find(fits).map_or(rest.len(), |(end, _)| end);
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece)
    })
}

/// Returns small letters, one by one: what a letter stands beside does not matter.
fn small_letters(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    let small = text.chars().flat_map(|letter| match letter {
        // Java's small letter of it is one letter.
        'İ' => 'i'.to_lowercase(),
        _ => letter.to_lowercase(),
    });
    Cow::Owned(small.collect())
}
