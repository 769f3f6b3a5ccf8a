//! The options that a text query brings along: `'parser=CLASSIC,defaultOperator=AND'`.

use meunier_segment::nearest::did_you_mean;
use meunier_segment::text_search::TextOptions;

use super::TextQueryFault;

/// Most letters that a fuzzy word may differ by, as in Lucene.
const EDITS_MAX: usize = 2;

/// Names of options that are read, and of those that change no answer here.
const NAMES: [&str; 17] = [
    "parser",
    "defaultOperator",
    "phraseSlop",
    "splitOnWhitespace",
    "autoGeneratePhraseQueries",
    "enablePositionIncrements",
    "fuzzyMinSim",
    "fuzzyPrefixLength",
    "slop",
    "inOrder",
    "enablePrefixMatch",
    "minimumShouldMatch",
    "allowLeadingWildcard",
    "lowercaseExpandedTerms",
    "locale",
    "timeZone",
    "maxDeterminizedStates",
];

/// What reads a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueryParser {
    /// Lucene's classic one, and its standard one, whose syntax is the same.
    Classic,
    /// The whole query is one phrase.
    MatchPhrase,
    /// The classic one, with a number of clauses that must hold.
    Match,
}

/// How many of the clauses that should hold must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShouldMatch {
    /// So many; below zero all but so many.
    Count(i64),
    /// So many in a hundred; not above zero all but so many.
    Percent(i64),
}

/// How a query is read.
#[derive(Debug)]
pub(super) struct QuerySettings {
    pub(super) parser: QueryParser,
    pub(super) all_words: bool,
    pub(super) wild_phrases: bool,
    pub(super) phrase_slop: u32,
    pub(super) splits_on_space: bool,
    pub(super) makes_phrases: bool,
    pub(super) counts_positions: bool,
    pub(super) fuzzy_min: f64,
    pub(super) fuzzy_prefix: usize,
    pub(super) slop: u32,
    pub(super) last_is_prefix: bool,
    pub(super) should_match: ShouldMatch,
}

impl QuerySettings {
    /// Reads options on top of those of the column.
    pub(super) fn parse(text: &str, column: &TextOptions) -> Result<QuerySettings, TextQueryFault> {
        let mut settings = QuerySettings {
            parser: QueryParser::Classic,
            all_words: column.all_words,
            wild_phrases: column.wild_phrases,
            phrase_slop: 0,
            splits_on_space: false,
            makes_phrases: false,
            counts_positions: true,
            fuzzy_min: 2.0,
            fuzzy_prefix: 0,
            slop: 0,
            last_is_prefix: false,
            should_match: ShouldMatch::Count(1),
        };
        let mut any = false;
        for option in text.split(',').map(str::trim).filter(|option| !option.is_empty()) {
            let Some((name, value)) = option.split_once('=') else {
                return Err(fault(option, "is not of the form name=value"));
            };
            if !any {
                // A query with options is read without those of the column.
                (settings.all_words, settings.wild_phrases) = (false, false);
                any = true;
            }
            settings.set(name.trim(), value.trim(), option)?;
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str, option: &str) -> Result<(), TextQueryFault> {
        let Some(known) = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            return Err(fault(option, &format!("is not known{}", did_you_mean(name, NAMES))));
        };
        match known {
            "parser" => self.parser = parser(value, option)?,
            "defaultOperator" => self.all_words = all_words(value, option)?,
            "phraseSlop" => self.phrase_slop = number(value, option)?,
            "splitOnWhitespace" => self.splits_on_space = flag(value, option)?,
            "autoGeneratePhraseQueries" => self.makes_phrases = flag(value, option)?,
            "enablePositionIncrements" => self.counts_positions = flag(value, option)?,
            "fuzzyMinSim" => {
                self.fuzzy_min = value.parse().map_err(|_| fault(option, "is no number"))?;
            }
            "fuzzyPrefixLength" => self.fuzzy_prefix = number(value, option)? as usize,
            "slop" => self.slop = number(value, option)?,
            "inOrder" if !flag(value, option)? => {
                return Err(fault(option, "is not supported: words of a phrase stand in its order"));
            }
            "enablePrefixMatch" => self.last_is_prefix = flag(value, option)?,
            "minimumShouldMatch" => self.should_match = should_match(value, option)?,
            _ => {}
        }
        Ok(())
    }

    /// Returns how many letters a fuzzy word may differ by. Below 1, the number is the share that must be the same.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cut off to a range that fits"
    )]
    #[expect(clippy::cast_precision_loss, reason = "words are short")]
    pub(super) fn edits(&self, written: Option<f64>, letters: usize) -> Result<usize, String> {
        let least = written.unwrap_or(self.fuzzy_min);
        if least >= 1.0 && least.fract() != 0.0 {
            return Err(format!("{least} edits are no whole number"));
        }
        Ok(match least {
            0.0 => 0,
            share if share < 1.0 => (((1.0 - share) * letters as f64) as usize).min(EDITS_MAX),
            edits => (edits as usize).min(EDITS_MAX),
        })
    }
}

fn fault(option: &str, what: &str) -> TextQueryFault {
    TextQueryFault(format!("the option `{option}` of the text query {what}"))
}

fn parser(value: &str, option: &str) -> Result<QueryParser, TextQueryFault> {
    match value.to_ascii_uppercase().as_str() {
        "CLASSIC" | "STANDARD" => Ok(QueryParser::Classic),
        "MATCHPHRASE" => Ok(QueryParser::MatchPhrase),
        "MATCH" => Ok(QueryParser::Match),
        _ => Err(fault(
            option,
            "is not supported: there are the parsers CLASSIC, STANDARD, MATCHPHRASE and MATCH",
        )),
    }
}

fn all_words(value: &str, option: &str) -> Result<bool, TextQueryFault> {
    match value.to_ascii_uppercase().as_str() {
        "AND" => Ok(true),
        "OR" => Ok(false),
        _ => Err(fault(option, "is neither AND nor OR")),
    }
}

fn flag(value: &str, option: &str) -> Result<bool, TextQueryFault> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(fault(option, "is neither true nor false")),
    }
}

fn number(value: &str, option: &str) -> Result<u32, TextQueryFault> {
    value.parse().map_err(|_| fault(option, "is no whole number that is not negative"))
}

fn should_match(value: &str, option: &str) -> Result<ShouldMatch, TextQueryFault> {
    let wrong = || fault(option, "is neither a whole number nor a percentage from -100% to 100%");
    match value.strip_suffix('%') {
        Some(percent) => {
            let percent = percent.parse().map_err(|_| wrong())?;
            (-100..=100).contains(&percent).then_some(ShouldMatch::Percent(percent)).ok_or_else(wrong)
        }
        None => value.parse::<i32>().map(|count| ShouldMatch::Count(count.into())).map_err(|_| wrong()),
    }
}

impl ShouldMatch {
    /// Returns the number for so many clauses.
    pub(super) fn of(self, clauses: usize) -> usize {
        let all = i64::try_from(clauses).unwrap_or(i64::MAX);
        let count = match self {
            ShouldMatch::Count(count) if count > 0 => count.min(all),
            ShouldMatch::Count(count) => all + count,
            ShouldMatch::Percent(percent) if percent > 0 => all * percent / 100,
            ShouldMatch::Percent(percent) => all * (100 + percent) / 100,
        };
        usize::try_from(count).unwrap_or(0)
    }
}
