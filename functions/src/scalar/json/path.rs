//! Paths into JSON documents, as Jayway's JsonPath writes them.
//!
//! `$.a.b`, `$['a']`, `$.a[0]`, `$.a[-1]`, `$.a[0,2]`, `$.a[1:3]`, `$.a[*]`, `$..name`, `$.a[?(@.x > 1)]`, `$.a.length()`.

use super::filter::Filter;
use crate::scalar::kind::shortened;

/// A path into a document.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) steps: Vec<Step>,
    /// Whether it leads to one value only.
    pub(super) definite: bool,
}

/// One step of a path.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Name(String),
    /// Several names, whose values are one object.
    Names(Vec<String>),
    /// A position, from the end where it is negative.
    Position(i64),
    Positions(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    /// All parts.
    All,
    /// The value and everything in it.
    Deep,
    /// The parts for which a condition holds.
    Where(Box<Filter>),
    /// How many parts there are.
    Length,
}

/// Longest path, in bytes.
const LENGTH_MAX: usize = 4 << 10;

impl Path {
    /// Reads a path; one without `$` begins at the document as well.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        if text.len() > LENGTH_MAX {
            return Err(format!("a JSON path has {LENGTH_MAX} bytes at most"));
        }
        let mut reader = Reader { text, at: 0 };
        let path = reader.path()?;
        if reader.at < text.len() {
            return Err(reader.bad("it goes on"));
        }
        Ok(path)
    }
}

/// Reads a path, or the condition in one.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn bad(&self, why: &str) -> String {
        format!("'{}' is no JSON path: {why} at '{}'", shortened(self.text), shortened(self.rest()))
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    pub(super) fn path(&mut self) -> Result<Path, String> {
        self.skip_blanks();
        let mut steps = Vec::new();
        if !self.take("$") && !self.take("@") && !self.rest().starts_with(['.', '[']) {
            steps.push(self.name()?);
        }
        loop {
            if self.take("..") {
                steps.push(Step::Deep);
                if !self.rest().starts_with('[') {
                    match self.rest().is_empty() {
                        true => break,
                        false => steps.push(self.name()?),
                    }
                }
            } else if self.take(".") {
                if !self.rest().starts_with('[') {
                    steps.push(self.name()?);
                }
            } else if self.take("[") {
                steps.push(self.bracket()?);
            } else {
                break;
            }
        }
        let one = |step: &Step| matches!(step, Step::Name(_) | Step::Position(_) | Step::Length);
        let leads_to_one = |(place, step): (usize, &Step)| {
            one(step) || (matches!(step, Step::Names(_)) && place + 1 == steps.len())
        };
        let definite = steps.iter().enumerate().all(leads_to_one);
        Ok(Path { steps, definite })
    }

    fn name(&mut self) -> Result<Step, String> {
        if self.take("**") || self.take("*") {
            return Ok(Step::All);
        }
        let ends = |letter: char| ".[]()=<>!&|,~ ".contains(letter);
        let length = self.rest().find(ends).unwrap_or(self.rest().len());
        let name = &self.rest()[..length];
        if name.is_empty() {
            return Err(self.bad("a name is missing"));
        }
        self.at += length;
        if self.take("()") {
            return match name {
                "length" | "size" => Ok(Step::Length),
                _ => Err(self.bad(&format!("of functions `length()` is known, not `{}()`", shortened(name)))),
            };
        }
        Ok(Step::Name(name.to_owned()))
    }

    fn bracket(&mut self) -> Result<Step, String> {
        self.skip_blanks();
        let step = match self.rest().chars().next() {
            Some('*') => {
                self.at += 1;
                Step::All
            }
            Some('\'' | '"') => {
                let mut names = vec![self.quoted()?];
                self.skip_blanks();
                while self.take(",") {
                    self.skip_blanks();
                    names.push(self.quoted()?);
                    self.skip_blanks();
                }
                match (names.len(), names.pop()) {
                    (1, Some(name)) => Step::Name(name),
                    (_, last) => Step::Names(names.into_iter().chain(last).collect()),
                }
            }
            Some('?') => {
                self.at += 1;
                self.skip_blanks();
                if !self.take("(") {
                    return Err(self.bad("a condition begins with `?(`"));
                }
                let filter = Filter::read(self, 0)?;
                self.skip_blanks();
                if !self.take(")") {
                    return Err(self.bad("a condition ends with `)`"));
                }
                Step::Where(Box::new(filter))
            }
            _ => self.positions()?,
        };
        self.skip_blanks();
        if self.take("]") { Ok(step) } else { Err(self.bad("`]` is missing")) }
    }

    fn positions(&mut self) -> Result<Step, String> {
        let first = self.number()?;
        self.skip_blanks();
        if self.take(":") {
            self.skip_blanks();
            return Ok(Step::Slice(first, self.number()?));
        }
        let mut positions = vec![first.ok_or_else(|| self.bad("a position is missing"))?];
        while self.take(",") {
            self.skip_blanks();
            positions.push(self.number()?.ok_or_else(|| self.bad("a position is missing"))?);
            self.skip_blanks();
        }
        Ok(match positions.as_slice() {
            [position] => Step::Position(*position),
            _ => Step::Positions(positions),
        })
    }

    fn number(&mut self) -> Result<Option<i64>, String> {
        let is_digit = |letter: char| letter.is_ascii_digit() || letter == '-';
        let length = self.rest().find(|letter| !is_digit(letter)).unwrap_or(self.rest().len());
        if length == 0 {
            return Ok(None);
        }
        let number = self.rest()[..length].parse().map_err(|_| self.bad("no position"))?;
        self.at += length;
        Ok(Some(number))
    }

    pub(super) fn quoted(&mut self) -> Result<String, String> {
        let Some(quote @ ('\'' | '"')) = self.rest().chars().next() else {
            return Err(self.bad("a quoted text is missing"));
        };
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => text.extend(letters.next().map(|(_, escaped)| escaped)),
                end if end == quote => {
                    self.at += at + 1;
                    return Ok(text);
                }
                other => text.push(other),
            }
        }
        Err(self.bad("the quote is not closed"))
    }
}
