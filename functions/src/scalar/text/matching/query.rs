//! A query of full-text search: how it is written, and which words match it.

use std::iter::Peekable;
use std::str::CharIndices;

use regex::Regex;

use super::words_of;

/// How deep parentheses may stand in each other.
const DEPTH_MAX: usize = 64;
/// Most clauses of one query, as in Lucene.
const CLAUSES_MAX: usize = 1024;
/// Most letters that a fuzzy word may differ by, as in Lucene.
const EDITS_MAX: usize = 2;

/// A query, ready to be asked of many texts.
#[derive(Debug)]
pub(super) enum TextQuery {
    /// Every text.
    All,
    /// No text: what the analyzer left nothing of.
    Nothing,
    /// A text with this word.
    Word(String),
    /// A text with a word that matches: a wildcard, a regular expression.
    Pattern(Regex),
    /// A text with a word that begins so.
    Prefix(String),
    /// A text with a word so near to this one.
    Fuzzy { word: String, edits: usize },
    /// A text with these words in order, with at most so many others between.
    Phrase { words: Vec<String>, slop: usize },
    /// A text with a word between the bounds; a bound that is not there holds for all.
    Range { low: Option<(String, bool)>, high: Option<(String, bool)> },
    /// A text for which each clause holds as it occurs.
    Clauses(Vec<(Occur, TextQuery)>),
}

/// How a clause has to do with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occur {
    Must,
    Should,
    MustNot,
}

impl TextQuery {
    /// Reads a query.
    ///
    /// # Errors
    /// When it does not follow the syntax.
    pub(super) fn parse(text: &str) -> Result<TextQuery, String> {
        let mut reader = Reader { text, letters: text.char_indices().peekable(), clauses: 0 };
        let query = reader.clauses(0)?;
        match reader.letters.peek() {
            None => Ok(query),
            Some((at, letter)) => Err(format!("`{letter}` at letter {at} of the text query is not expected")),
        }
    }

    /// Returns whether a text of these words matches.
    pub(super) fn matches(&self, words: &[String]) -> bool {
        match self {
            TextQuery::All => true,
            TextQuery::Nothing => false,
            TextQuery::Word(wanted) => words.contains(wanted),
            TextQuery::Pattern(pattern) => words.iter().any(|word| pattern.is_match(word)),
            TextQuery::Prefix(prefix) => words.iter().any(|word| word.starts_with(prefix)),
            TextQuery::Fuzzy { word, edits } => words.iter().any(|other| is_near(word, other, *edits)),
            TextQuery::Phrase { words: phrase, slop } => {
                (0..words.len()).any(|start| phrase_at(phrase, &words[start..], *slop))
            }
            TextQuery::Range { low, high } => words.iter().any(|word| {
                let above = low.as_ref().is_none_or(|(low, with)| word > low || (*with && word == low));
                above && high.as_ref().is_none_or(|(high, with)| word < high || (*with && word == high))
            }),
            TextQuery::Clauses(clauses) => {
                let holds = |occur| clauses.iter().filter(move |clause| clause.0 == occur);
                let needed = holds(Occur::Must).count();
                holds(Occur::Must).all(|(_, query)| query.matches(words))
                    && !holds(Occur::MustNot).any(|(_, query)| query.matches(words))
                    && (needed > 0 || holds(Occur::Should).any(|(_, query)| query.matches(words)))
            }
        }
    }
}

/// Returns whether the words of a phrase stand in order from the first word on.
fn phrase_at(phrase: &[String], words: &[String], slop: usize) -> bool {
    let Some((first, rest)) = phrase.split_first() else { return false };
    if words.first() != Some(first) {
        return false;
    }
    let (mut at, mut left) = (1, slop);
    for wanted in rest {
        let Some(skipped) = words[at..].iter().take(left + 1).position(|word| word == wanted) else {
            return false;
        };
        left -= skipped;
        at += skipped + 1;
    }
    true
}

/// Returns whether two words differ by at most so many letters.
fn is_near(first: &str, second: &str, edits: usize) -> bool {
    let (first, second): (Vec<char>, Vec<char>) = (first.chars().collect(), second.chars().collect());
    if first.len().abs_diff(second.len()) > edits {
        return false;
    }
    let mut above: Vec<usize> = (0..=second.len()).collect();
    for (row, letter) in first.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in second.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != other);
            line.push(replaced.min(above[column + 1] + 1).min(line[column] + 1));
        }
        above = line;
    }
    above[second.len()] <= edits
}

/// Reads a query letter by letter.
struct Reader<'a> {
    text: &'a str,
    letters: Peekable<CharIndices<'a>>,
    clauses: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.letters.peek().map(|(_, letter)| *letter)
    }

    fn skip_spaces(&mut self) {
        while self.letters.next_if(|(_, letter)| letter.is_whitespace()).is_some() {}
    }

    /// Takes a word such as AND, or one of two letters, when it stands here.
    fn takes(&mut self, word: &str, sign: &str) -> bool {
        let at = self.letters.peek().map_or(self.text.len(), |(at, _)| *at);
        let rest = &self.text[at..];
        let ends = |rest: &str| rest.chars().next().is_none_or(|next| next.is_whitespace() || next == '(');
        let taken = match (rest.strip_prefix(word), rest.strip_prefix(sign)) {
            (Some(after), _) if ends(after) => word.len(),
            (_, Some(_)) => sign.len(),
            _ => return false,
        };
        while self.letters.next_if(|(place, _)| *place < at + taken).is_some() {}
        true
    }

    /// Reads clauses up to the end or a closing parenthesis.
    fn clauses(&mut self, depth: usize) -> Result<TextQuery, String> {
        if depth > DEPTH_MAX {
            return Err(format!("the text query is nested more than {DEPTH_MAX} levels deep"));
        }
        let mut clauses: Vec<(Occur, TextQuery)> = Vec::new();
        loop {
            self.skip_spaces();
            let and = self.takes("AND", "&&");
            if !and {
                self.takes("OR", "||");
            }
            self.skip_spaces();
            let negated = self.takes("NOT", "!") || self.letters.next_if(|(_, sign)| *sign == '-').is_some();
            let required = !negated && self.letters.next_if(|(_, sign)| *sign == '+').is_some();
            self.skip_spaces();
            if matches!(self.peek(), None | Some(')')) {
                break;
            }
            self.clauses += 1;
            if self.clauses > CLAUSES_MAX {
                return Err(format!("the text query has more than {CLAUSES_MAX} clauses"));
            }
            // AND binds what stands before it too.
            if let (true, Some((occur @ Occur::Should, _))) = (and, clauses.last_mut()) {
                *occur = Occur::Must;
            }
            let occur = match (negated, required || and) {
                (true, _) => Occur::MustNot,
                (false, true) => Occur::Must,
                (false, false) => Occur::Should,
            };
            clauses.push((occur, self.clause(depth)?));
        }
        // What the analyzer left nothing of says nothing.
        clauses.retain(|(_, query)| !matches!(query, TextQuery::Nothing));
        Ok(match clauses.len() {
            0 => TextQuery::Nothing,
            1 if clauses[0].0 != Occur::MustNot => clauses.remove(0).1,
            _ => TextQuery::Clauses(clauses),
        })
    }

    fn clause(&mut self, depth: usize) -> Result<TextQuery, String> {
        let query = match self.peek() {
            Some('(') => {
                self.letters.next();
                let inner = self.clauses(depth + 1)?;
                match self.letters.next() {
                    Some((_, ')')) => inner,
                    _ => return Err("a parenthesis of the text query is not closed".to_owned()),
                }
            }
            Some('"') => {
                let words = words_of(&self.quoted('"')?);
                let slop = self.number_after('~')?.unwrap_or(0.0);
                phrase(words, whole(slop))
            }
            Some('/') => {
                let pattern = self.quoted('/')?;
                TextQuery::Pattern(compiled(&pattern)?)
            }
            Some('[' | '{') => self.range()?,
            _ => self.word()?,
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
                    Some((_, escaped)) if escaped == mark => text.push(mark),
                    Some((_, escaped)) => text.extend(['\\', escaped]),
                    None => break,
                },
                _ if letter == mark => return Ok(text),
                _ => text.push(letter),
            }
        }
        Err(format!("a `{mark}` of the text query is not closed"))
    }

    /// Reads `~2` or `^1.5`; nothing when the sign does not stand here, and 0 when it stands alone.
    fn number_after(&mut self, sign: char) -> Result<Option<f64>, String> {
        if self.letters.next_if(|(_, letter)| *letter == sign).is_none() {
            return Ok(None);
        }
        let mut digits = String::new();
        while let Some((_, letter)) =
            self.letters.next_if(|(_, letter)| letter.is_ascii_digit() || *letter == '.')
        {
            digits.push(letter);
        }
        match digits.is_empty() {
            true => Ok(Some(0.0)),
            false => digits.parse().map(Some).map_err(|_| format!("`{digits}` behind `{sign}` is no number")),
        }
    }

    fn range(&mut self) -> Result<TextQuery, String> {
        let with_low = self.letters.next().is_some_and(|(_, letter)| letter == '[');
        let mut text = String::new();
        let with_high = loop {
            match self.letters.next() {
                Some((_, letter @ (']' | '}'))) => break letter == ']',
                Some((_, letter)) => text.push(letter),
                None => return Err("a range of the text query is not closed".to_owned()),
            }
        };
        let Some((low, high)) = text.split_once(" TO ") else {
            return Err(format!("`{text}` is no range of the form `low TO high`"));
        };
        let bound = |text: &str, with| (text != "*").then(|| (text.trim_matches('"').to_lowercase(), with));
        Ok(TextQuery::Range { low: bound(low.trim(), with_low), high: bound(high.trim(), with_high) })
    }

    /// Reads a word, perhaps with wildcards in it or a distance behind it.
    fn word(&mut self) -> Result<TextQuery, String> {
        let (mut plain, mut pattern, mut wild) = (String::new(), String::from("^(?:"), Vec::new());
        while let Some((_, letter)) =
            self.letters.next_if(|(_, letter)| !letter.is_whitespace() && !"()\"[]{}^~:".contains(*letter))
        {
            let (letter, escaped) = match letter {
                '\\' => match self.letters.next() {
                    Some((_, letter)) => (letter, true),
                    None => return Err("nothing stands behind the last `\\` of the text query".to_owned()),
                },
                _ => (letter, false),
            };
            let stands_for = match letter {
                '*' if !escaped => Some(".*"),
                '?' if !escaped => Some("."),
                _ => None,
            };
            match stands_for {
                Some(any) => {
                    wild.push(plain.chars().count());
                    pattern.push_str(any);
                }
                None => pattern.push_str(&regex::escape(&letter.to_lowercase().to_string())),
            }
            plain.push(letter);
        }
        if plain.is_empty() {
            let found = self.peek().map(String::from).unwrap_or_default();
            return Err(format!("a word of the text query is missing before `{found}`"));
        }
        if self.peek() == Some(':') {
            if plain == "*" {
                self.letters.next();
                return self.word();
            }
            return Err(format!("`{plain}:` names a field; a text has none, write `\\:` for the letter"));
        }
        if plain == "*" {
            return Ok(TextQuery::All);
        }
        if wild == [plain.chars().count() - 1] && plain.ends_with('*') {
            return Ok(TextQuery::Prefix(plain[..plain.len() - 1].to_lowercase()));
        }
        if !wild.is_empty() {
            let pattern = Regex::new(&format!("{pattern})$"));
            return pattern.map(TextQuery::Pattern).map_err(|_| format!("`{plain}` is no pattern"));
        }
        match self.number_after('~')? {
            Some(edits) => {
                let edits = if edits < 1.0 { EDITS_MAX } else { whole(edits).min(EDITS_MAX) };
                Ok(TextQuery::Fuzzy { word: plain.to_lowercase(), edits })
            }
            None => Ok(one_of(words_of(&plain))),
        }
    }
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    let pattern = pattern.to_lowercase();
    Regex::new(&format!("^(?:{pattern})$")).map_err(|_| format!("`{pattern}` is no regular expression"))
}

fn phrase(mut words: Vec<String>, slop: usize) -> TextQuery {
    match words.len() {
        0 => TextQuery::Nothing,
        1 => TextQuery::Word(words.remove(0)),
        _ => TextQuery::Phrase { words, slop },
    }
}

/// A word that the analyzer cut into several stands for any of them.
fn one_of(mut words: Vec<String>) -> TextQuery {
    match words.len() {
        0 => TextQuery::Nothing,
        1 => TextQuery::Word(words.remove(0)),
        _ => {
            TextQuery::Clauses(words.into_iter().map(|word| (Occur::Should, TextQuery::Word(word))).collect())
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut off to a range that fits")]
fn whole(number: f64) -> usize {
    number.clamp(0.0, 1_000_000.0) as usize
}
