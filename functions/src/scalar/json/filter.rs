//! Conditions in JSON paths: `?(@.price < 10 && @.name =~ /a.*/i)`.

use std::cmp::Ordering;

use super::node::Node;
use super::path::{Path, Reader};
use super::walk::{Matches, find};
use crate::scalar::number::parse_double;
use crate::scalar::regexp::Pattern;

/// A condition.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    /// Whether a path leads to something.
    Exists(Path, Root),
    Compare(Operand, Comparison, Operand),
    In(Operand, Vec<Operand>, bool),
    Matches(Operand, Pattern),
}

/// Where a path in a condition begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Document,
    Element,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone)]
pub(super) enum Operand {
    Path(Path, Root),
    /// As it is written.
    Number(String),
    Text(String),
    Boolean(bool),
    Null,
}

/// Deepest nesting of conditions.
const DEPTH_MAX: usize = 32;

impl Filter {
    /// Reads a condition up to where it ends.
    pub(super) fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Filter, String> {
        if depth > DEPTH_MAX {
            return Err(reader.bad("the condition is nested too deeply"));
        }
        let mut any = vec![Filter::read_all(reader, depth)?];
        while take_word(reader, "||") {
            any.push(Filter::read_all(reader, depth)?);
        }
        Ok(Filter::Any(any))
    }

    fn read_all(reader: &mut Reader<'_>, depth: usize) -> Result<Filter, String> {
        let mut all = vec![Filter::read_one(reader, depth)?];
        while take_word(reader, "&&") {
            all.push(Filter::read_one(reader, depth)?);
        }
        Ok(Filter::All(all))
    }

    fn read_one(reader: &mut Reader<'_>, depth: usize) -> Result<Filter, String> {
        if depth > DEPTH_MAX {
            return Err(reader.bad("the condition is nested too deeply"));
        }
        if take_word(reader, "!") {
            return Ok(Filter::Not(Box::new(Filter::read_one(reader, depth + 1)?)));
        }
        if take_word(reader, "(") {
            let inner = Filter::read(reader, depth + 1)?;
            return if take_word(reader, ")") { Ok(inner) } else { Err(reader.bad("`)` is missing")) };
        }
        let left = Operand::read(reader, depth)?;
        if take_word(reader, "=~") {
            return Ok(Filter::Matches(left, read_pattern(reader)?));
        }
        for (word, within) in [("nin ", false), ("in ", true), ("NIN ", false), ("IN ", true)] {
            if take_word(reader, word) {
                return Ok(Filter::In(left, read_list(reader, depth)?, within));
            }
        }
        let comparisons = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (word, comparison) in comparisons {
            if take_word(reader, word) {
                return Ok(Filter::Compare(left, comparison, Operand::read(reader, depth)?));
            }
        }
        match left {
            Operand::Path(path, root) => Ok(Filter::Exists(path, root)),
            _ => Err(reader.bad("a comparison is missing")),
        }
    }

    /// Returns whether the condition holds for an element of a document.
    pub(super) fn holds(&self, element: &str, document: &str) -> bool {
        match self {
            Filter::Any(filters) => filters.iter().any(|filter| filter.holds(element, document)),
            Filter::All(filters) => filters.iter().all(|filter| filter.holds(element, document)),
            Filter::Not(filter) => !filter.holds(element, document),
            Filter::Exists(path, root) => !values(path, *root, element, document).is_empty(),
            Filter::Compare(left, comparison, right) => {
                let (left, right) = (left.value(element, document), right.value(element, document));
                comparison.holds(left.as_ref(), right.as_ref())
            }
            Filter::In(operand, list, within) => {
                let value = operand.value(element, document);
                let found = list.iter().any(|known| {
                    Comparison::Equal.holds(value.as_ref(), known.value(element, document).as_ref())
                });
                found == *within
            }
            Filter::Matches(operand, pattern) => match operand.value(element, document) {
                Some(Node::Text(text)) => pattern.find(&text, 0).is_ok_and(|found| {
                    found.is_some_and(|found| found.start() == 0 && found.end() == text.len())
                }),
                _ => false,
            },
        }
    }
}

impl Operand {
    fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Operand, String> {
        reader.skip_blanks();
        if depth > DEPTH_MAX {
            return Err(reader.bad("the condition is nested too deeply"));
        }
        match reader.rest().chars().next() {
            Some('@') => Ok(Operand::Path(reader.path()?, Root::Element)),
            Some('$') => Ok(Operand::Path(reader.path()?, Root::Document)),
            Some('\'' | '"') => Ok(Operand::Text(reader.quoted()?)),
            _ => {
                for (word, operand) in [
                    ("true", Operand::Boolean(true)),
                    ("false", Operand::Boolean(false)),
                    ("null", Operand::Null),
                ] {
                    if reader.take(word) {
                        return Ok(operand);
                    }
                }
                let is_part = |letter: char| letter.is_ascii_digit() || "+-.eE".contains(letter);
                let length = reader.rest().find(|letter| !is_part(letter)).unwrap_or(reader.rest().len());
                let number = &reader.rest()[..length];
                if parse_double(number).is_none() {
                    return Err(reader.bad("a value is missing"));
                }
                reader.at += length;
                Ok(Operand::Number(number.to_owned()))
            }
        }
    }

    fn value<'a>(&'a self, element: &'a str, document: &'a str) -> Option<Node<'a>> {
        match self {
            Operand::Path(path, root) => {
                let found = values(path, *root, element, document);
                match found {
                    Matches::One(found) => found.map(Node::of),
                    Matches::Made(_) | Matches::Many(_) => None,
                }
            }
            Operand::Number(number) => Some(Node::Number(number)),
            Operand::Text(text) => Some(Node::Text(text.as_str().into())),
            Operand::Boolean(value) => Some(Node::Boolean(*value)),
            Operand::Null => Some(Node::Null),
        }
    }
}

fn values<'a>(path: &Path, root: Root, element: &'a str, document: &'a str) -> Matches<'a> {
    find(path, if root == Root::Element { element } else { document }, false).unwrap_or(Matches::One(None))
}

impl Comparison {
    fn holds(self, left: Option<&Node<'_>>, right: Option<&Node<'_>>) -> bool {
        let (Some(left), Some(right)) = (left, right) else { return self == Comparison::NotEqual };
        let order = match (left, right) {
            (Node::Number(left), Node::Number(right)) => {
                parse_double(left).zip(parse_double(right)).and_then(|(left, right)| left.partial_cmp(&right))
            }
            (Node::Text(left), Node::Text(right)) => Some(left.cmp(right)),
            (Node::Boolean(left), Node::Boolean(right)) => Some(left.cmp(right)),
            (Node::Null, Node::Null) => Some(Ordering::Equal),
            (Node::Nested(left), Node::Nested(right)) if left == right => Some(Ordering::Equal),
            _ => None,
        };
        match self {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::NotEqual => order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

fn take_word(reader: &mut Reader<'_>, word: &str) -> bool {
    reader.skip_blanks();
    // `!` stands before a condition, `!=` between values.
    let is_other = word == "!" && reader.rest().starts_with("!=");
    !is_other && reader.take(word)
}

fn read_pattern(reader: &mut Reader<'_>) -> Result<Pattern, String> {
    reader.skip_blanks();
    if !reader.take("/") {
        return Err(reader.bad("a regular expression stands between slashes"));
    }
    let Some(end) = reader.rest().find('/') else { return Err(reader.bad("a slash is missing")) };
    let pattern = &reader.rest()[..end];
    reader.at += end + 1;
    let any_case = reader.take("i");
    Pattern::compile(pattern, any_case)
}

fn read_list(reader: &mut Reader<'_>, depth: usize) -> Result<Vec<Operand>, String> {
    if !take_word(reader, "[") {
        return Err(reader.bad("a list stands in brackets"));
    }
    let mut list = Vec::new();
    while !take_word(reader, "]") {
        if !list.is_empty() && !take_word(reader, ",") {
            return Err(reader.bad("`]` is missing"));
        }
        list.push(Operand::read(reader, depth)?);
    }
    Ok(list)
}
