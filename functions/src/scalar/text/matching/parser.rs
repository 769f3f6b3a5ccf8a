//! How a query of full-text search is written: the syntax of Lucene's classic query parser.

use std::iter::Peekable;
use std::str::CharIndices;

use meunier_segment::text_search::{
    Analyzer, Clause, Occur, Phrase, PhraseOrder, PhrasePart, TextQuery, WordTest, Words,
};

use super::TextQueryFault;
use super::forms::{as_wild_phrase, of_clauses, phrase, with_should_match};
use super::pattern::{WildLetter, regular, wildcard};
use super::settings::{QueryParser, QuerySettings};

/// How deep parentheses may stand in each other.
const DEPTH_MAX: usize = 64;
/// Most clauses of one query, as in Lucene.
const CLAUSES_MAX: usize = 1024;

/// Reads a query.
///
/// # Errors
/// When it does not follow the syntax.
pub(super) fn parse(
    text: &str,
    settings: &QuerySettings,
    analyzer: &Analyzer,
) -> Result<TextQuery, TextQueryFault> {
    let mut reader = Reader { text, letters: text.char_indices().peekable(), clauses: 0, settings, analyzer };
    let read = match settings.parser {
        QueryParser::MatchPhrase => reader.whole_phrase(),
        QueryParser::Classic | QueryParser::Match => reader.query(),
    };
    let query = read.map_err(|detail| reader.fault(&detail))?;
    Ok(match settings.parser {
        QueryParser::Match => with_should_match(query, settings.should_match),
        QueryParser::Classic if settings.wild_phrases => as_wild_phrase(query),
        QueryParser::Classic | QueryParser::MatchPhrase => query,
    })
}

/// Reads a query letter by letter.
struct Reader<'a> {
    text: &'a str,
    letters: Peekable<CharIndices<'a>>,
    clauses: usize,
    settings: &'a QuerySettings,
    analyzer: &'a Analyzer,
}

/// How a clause is joined to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    Not,
    And,
    Or,
}

impl<'a> Reader<'a> {
    fn fault(&mut self, detail: &str) -> TextQueryFault {
        let at = self.at();
        let place = match self.text[at..].chars().next() {
            Some(letter) => {
                format!("before `{letter}`, letter {}", self.text[..at].chars().count() + 1)
            }
            None => "at the end".to_owned(),
        };
        TextQueryFault(format!("{detail}, {place} of the text query `{}`", self.text))
    }

    /// Returns where the next letter stands.
    fn at(&mut self) -> usize {
        self.letters.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn peek(&mut self) -> Option<char> {
        self.letters.peek().map(|(_, letter)| *letter)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.letters.next_if(|(_, letter)| *letter == wanted).is_some()
    }

    fn skip_spaces(&mut self) {
        while self.letters.next_if(|(_, letter)| is_space(*letter)).is_some() {}
    }

    /// Takes a word such as AND, or one of two letters, when it stands here.
    fn takes(&mut self, word: &str, sign: &str) -> bool {
        let rest = &self.text[self.at()..];
        let ends = |rest: &str| !rest.chars().next().is_some_and(goes_on);
        let taken = match (rest.strip_prefix(word), rest.strip_prefix(sign)) {
            (Some(after), _) if ends(after) => word,
            (_, Some(_)) => sign,
            _ => return false,
        };
        for _ in taken.chars() {
            self.letters.next();
        }
        true
    }

    fn query(&mut self) -> Result<TextQuery, String> {
        let query = self.clauses(0)?;
        match self.peek() {
            None => Ok(query),
            Some(letter) => Err(format!("`{letter}` is not expected")),
        }
    }

    fn whole_phrase(&self) -> Result<TextQuery, String> {
        let words = self.analyzer.words(self.text);
        let mut tests: Vec<WordTest> =
            words.as_slice().iter().map(|word| WordTest::Is(word.text.clone())).collect();
        match tests.pop() {
            Some(WordTest::Is(last)) if self.settings.last_is_prefix => tests.push(WordTest::Prefix(last)),
            Some(last) => tests.push(last),
            None => return Err("no word is left to look for".to_owned()),
        }
        let parts = (0..).zip(tests).map(|(offset, test)| PhrasePart { offset, test }).collect();
        Ok(phrase(Phrase { parts, slop: self.settings.slop, order: PhraseOrder::Kept }))
    }

    /// Reads clauses up to the end or a closing parenthesis.
    fn clauses(&mut self, depth: usize) -> Result<TextQuery, String> {
        if depth > DEPTH_MAX {
            return Err(format!("there are more than {DEPTH_MAX} parentheses in each other"));
        }
        let mut clauses: Vec<Clause> = Vec::new();
        loop {
            self.skip_spaces();
            let joined = self.joined();
            if joined != Joined::Not && clauses.is_empty() {
                return Err("an operator stands behind no clause".to_owned());
            }
            self.skip_spaces();
            let negated = self.takes("NOT", "!") || self.take('-');
            let required = !negated && self.take('+');
            self.skip_spaces();
            if matches!(self.peek(), None | Some(')')) {
                match joined == Joined::Not && !negated && !required && !clauses.is_empty() {
                    true => break,
                    false => return Err("a clause is missing".to_owned()),
                }
            }
            self.clauses += 1;
            if self.clauses > CLAUSES_MAX {
                return Err(format!("there are more than {CLAUSES_MAX} clauses"));
            }
            // An operator also says how what stands before it occurs.
            if let Some(last) = clauses.last_mut().filter(|last| last.occur != Occur::MustNot) {
                match joined {
                    Joined::And => last.occur = Occur::Must,
                    Joined::Or if self.settings.all_words => last.occur = Occur::Should,
                    Joined::Or | Joined::Not => {}
                }
            }
            let must = match self.settings.all_words {
                true => joined != Joined::Or,
                false => required || joined == Joined::And,
            };
            let occur = match (negated, must) {
                (true, _) => Occur::MustNot,
                (false, true) => Occur::Must,
                (false, false) => Occur::Should,
            };
            clauses.push(Clause { occur, query: self.clause(depth)? });
        }
        // What the analyzer left nothing of says nothing.
        clauses.retain(|clause| !matches!(clause.query, TextQuery::Nothing));
        Ok(of_clauses(clauses))
    }

    fn joined(&mut self) -> Joined {
        if self.takes("AND", "&&") {
            Joined::And
        } else if self.takes("OR", "||") {
            Joined::Or
        } else {
            Joined::Not
        }
    }

    fn clause(&mut self, depth: usize) -> Result<TextQuery, String> {
        let query = match self.peek() {
            Some('(') => {
                self.letters.next();
                let inner = self.clauses(depth + 1)?;
                match self.take(')') {
                    true => inner,
                    false => return Err("a parenthesis is not closed".to_owned()),
                }
            }
            Some('"') => {
                let words = self.analyzer.words(&self.quoted('"')?);
                let slop = match self.number_after('~')? {
                    Some(written) => whole(written.unwrap_or(0.0)),
                    None => self.settings.phrase_slop,
                };
                self.phrase_of(&words, slop)
            }
            Some('/') => {
                let written = self.quoted('/')?;
                TextQuery::Word(WordTest::Pattern(regular(&self.analyzer.normalized(&written))?))
            }
            Some('[' | '{') => self.range()?,
            _ => self.term()?,
        };
        self.number_after('^')?;
        Ok(query)
    }

    /// Reads what stands between two marks.
    fn quoted(&mut self, mark: char) -> Result<String, String> {
        self.letters.next();
        let mut text = String::new();
        while let Some((_, letter)) = self.letters.next() {
            match letter {
                '\\' => match self.letters.next() {
                    Some((_, escaped)) if escaped == mark || mark == '"' => text.push(escaped),
                    Some((_, escaped)) => text.extend(['\\', escaped]),
                    None => break,
                },
                _ if letter == mark => return Ok(text),
                _ => text.push(letter),
            }
        }
        Err(format!("a `{mark}` is not closed"))
    }

    /// Reads `~2` or `^1.5`: nothing when the sign does not stand here, and no number when it stands alone.
    #[expect(clippy::option_option, reason = "no sign and no number are different")]
    fn number_after(&mut self, sign: char) -> Result<Option<Option<f64>>, String> {
        if !self.take(sign) {
            return Ok(None);
        }
        let mut digits = String::new();
        while let Some((_, letter)) =
            self.letters.next_if(|(_, letter)| letter.is_ascii_digit() || *letter == '.')
        {
            digits.push(letter);
        }
        match digits.is_empty() {
            true => Ok(Some(None)),
            false => match digits.parse() {
                Ok(number) => Ok(Some(Some(number))),
                Err(_) => Err(format!("`{digits}` behind `{sign}` is no number")),
            },
        }
    }

    fn range(&mut self) -> Result<TextQuery, String> {
        let with_low = self.letters.next().is_some_and(|(_, letter)| letter == '[');
        let mut text = String::new();
        let with_high = loop {
            match self.letters.next() {
                Some((_, letter @ (']' | '}'))) => break letter == ']',
                Some((_, letter)) => text.push(letter),
                None => return Err("a range is not closed".to_owned()),
            }
        };
        let Some((low, high)) = text.split_once(" TO ") else {
            return Err(format!("`{text}` is no range of the form `low TO high`"));
        };
        let bound = |text: &str, with| {
            (text != "*").then(|| (self.analyzer.normalized(text.trim_matches('"')).into_owned(), with))
        };
        let (low, high) = (bound(low.trim(), with_low), bound(high.trim(), with_high));
        Ok(TextQuery::Word(WordTest::Between { low, high }))
    }

    /// Reads a word, perhaps with wildcards in it or a distance behind it.
    fn term(&mut self) -> Result<TextQuery, String> {
        let letters = self.term_letters()?;
        if letters.is_empty() {
            return Err("a word is missing".to_owned());
        }
        if letters == [WildLetter::Many] && self.take(':') {
            return self.term();
        }
        if letters == [WildLetter::Many] {
            return Ok(TextQuery::All);
        }
        let is_letter = |letter: &WildLetter| matches!(letter, WildLetter::Letter(_));
        let plain: String = letters.iter().filter_map(WildLetter::letter).collect();
        if self.peek() == Some(':') {
            return Err(format!(
                "`{plain}:` names a field, which a text has none of: write `\\:` for the letter"
            ));
        }
        if let Some((WildLetter::Many, before)) = letters.split_last()
            && before.iter().all(is_letter)
        {
            return Ok(TextQuery::Word(WordTest::Prefix(self.analyzer.normalized(&plain).into_owned())));
        }
        if !letters.iter().all(is_letter) {
            let pattern = wildcard(&normalized(&letters, self.analyzer))?;
            return Ok(TextQuery::Word(WordTest::Pattern(pattern)));
        }
        if let Some(written) = self.number_after('~')? {
            let word = self.analyzer.normalized(&plain).into_owned();
            let edits = self.settings.edits(written, word.chars().count())?;
            return Ok(TextQuery::Word(WordTest::Near { word, edits, prefix: self.settings.fuzzy_prefix }));
        }
        let joined = self.with_following(plain)?;
        Ok(self.of_words(&self.analyzer.words(&joined)))
    }

    fn term_letters(&mut self) -> Result<Vec<WildLetter>, String> {
        let mut letters = Vec::new();
        while let Some((_, letter)) = self.letters.next_if(|(_, letter)| goes_on(*letter)) {
            letters.push(match letter {
                '\\' => match self.letters.next() {
                    Some((_, escaped)) => WildLetter::Letter(escaped),
                    None => return Err("nothing stands behind the last `\\`".to_owned()),
                },
                '*' => WildLetter::Many,
                '?' => WildLetter::Any,
                letter => WildLetter::Letter(letter),
            });
        }
        Ok(letters)
    }

    /// Returns a word with the plain words behind it, where the analyzer sees them together and would not part them.
    fn with_following(&mut self, mut text: String) -> Result<String, String> {
        if !self.analyzer.joins_words() || self.settings.splits_on_space {
            return Ok(text);
        }
        loop {
            let before = self.letters.clone();
            self.skip_spaces();
            let begins = self.peek().is_some_and(|letter| goes_on(letter) && !"+-!".contains(letter));
            let is_operator = self.takes("AND", "&&") || self.takes("OR", "||") || self.takes("NOT", "!");
            if !begins || is_operator {
                self.letters = before;
                return Ok(text);
            }
            let letters = self.term_letters()?;
            let is_plain = letters.iter().all(|letter| letter.letter().is_some());
            if !is_plain || matches!(self.peek(), Some('~' | '^' | ':')) {
                self.letters = before;
                return Ok(text);
            }
            text.push(' ');
            text.extend(letters.iter().filter_map(WildLetter::letter));
        }
    }

    /// A word that the analyzer cut into several stands for any of them, or for all where all words are asked for.
    fn of_words(&self, words: &Words) -> TextQuery {
        if self.settings.makes_phrases && words.as_slice().len() > 1 {
            return self.phrase_of(words, self.settings.phrase_slop);
        }
        let occur = if self.settings.all_words { Occur::Must } else { Occur::Should };
        let word = |text: &str| TextQuery::Word(WordTest::Is(text.to_owned()));
        of_clauses(words.as_slice().iter().map(|found| Clause { occur, query: word(&found.text) }).collect())
    }

    fn phrase_of(&self, words: &Words, slop: u32) -> TextQuery {
        let counted = self.settings.counts_positions;
        let parts = (0..).zip(words.as_slice()).map(|(number, word)| PhrasePart {
            offset: if counted { word.position } else { number },
            test: WordTest::Is(word.text.clone()),
        });
        phrase(Phrase { parts: parts.collect(), slop, order: PhraseOrder::Moved })
    }
}

impl WildLetter {
    fn letter(&self) -> Option<char> {
        match self {
            WildLetter::Letter(letter) => Some(*letter),
            WildLetter::Any | WildLetter::Many => None,
        }
    }
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\u{3000}')
}

/// Returns whether a letter is part of a word that it stands in.
fn goes_on(letter: char) -> bool {
    !is_space(letter) && !"!()\":[]{}^~/".contains(letter)
}

fn normalized(letters: &[WildLetter], analyzer: &Analyzer) -> Vec<WildLetter> {
    let mut all = Vec::with_capacity(letters.len());
    for letter in letters {
        match letter.letter() {
            Some(plain) => {
                let text = analyzer.normalized(plain.encode_utf8(&mut [0; 4])).into_owned();
                all.extend(text.chars().map(WildLetter::Letter));
            }
            None => all.push(*letter),
        }
    }
    all
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut off to a range that fits")]
fn whole(number: f64) -> u32 {
    number.clamp(0.0, 1_000_000.0) as u32
}
