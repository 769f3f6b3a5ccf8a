//! What TEXT_MATCH asks of the words of a text.

use super::phrase::Phrase;
use super::word_test::WordTest;
use super::words::Words;

/// A query, ready to be asked of many texts.
#[derive(Debug, Clone)]
pub enum TextQuery {
    /// Every text.
    All,
    /// No text: what the analyzer left nothing of.
    Nothing,
    /// A text with a word that passes.
    Word(WordTest),
    /// A text with these words together.
    Phrase(Phrase),
    /// A text for which each clause holds as it occurs.
    Clauses {
        /// The clauses.
        clauses: Vec<Clause>,
        /// How many of those that should hold must. At least one where no other clause must hold.
        should_min: usize,
    },
}

/// A query within another.
#[derive(Debug, Clone)]
pub struct Clause {
    /// How it has to do with the others.
    pub occur: Occur,
    /// What it asks.
    pub query: TextQuery,
}

/// How a clause has to do with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occur {
    /// It must hold.
    Must,
    /// One of these must hold where none of the others must.
    Should,
    /// It must not hold.
    MustNot,
}

impl TextQuery {
    /// Returns whether a text of these words matches.
    pub fn matches(&self, words: &Words) -> bool {
        match self {
            TextQuery::All => true,
            TextQuery::Nothing => false,
            TextQuery::Word(test) => words.as_slice().iter().any(|word| test.holds(&word.text)),
            TextQuery::Phrase(phrase) => phrase.is_in(words.as_slice()),
            TextQuery::Clauses { clauses, should_min } => {
                let mut should_hold = should_count(clauses, *should_min);
                for clause in clauses {
                    match clause.occur {
                        Occur::Must if !clause.query.matches(words) => return false,
                        Occur::MustNot if clause.query.matches(words) => return false,
                        Occur::Should if should_hold > 0 && clause.query.matches(words) => should_hold -= 1,
                        Occur::Must | Occur::MustNot | Occur::Should => {}
                    }
                }
                should_hold == 0
            }
        }
    }
}

/// Returns how many of the clauses that should hold must.
pub(crate) fn should_count(clauses: &[Clause], should_min: usize) -> usize {
    let any_must = clauses.iter().any(|clause| clause.occur == Occur::Must);
    should_min.max(usize::from(!any_must))
}
