//! What JSON_MATCH asks of a document's flat records.

use std::fmt;
use std::sync::Arc;

use super::FlatRecord;

/// A condition on a document.
#[derive(Debug, Clone)]
pub struct JsonCondition {
    /// What one record of the document must fulfil.
    pub test: JsonTest,
    /// No record may fulfil it, instead.
    pub negated: bool,
}

/// A condition on one record.
#[derive(Debug, Clone)]
pub enum JsonTest {
    /// All of these hold.
    All(Vec<JsonTest>),
    /// One of these holds.
    Any(Vec<JsonTest>),
    /// The value of a key passes.
    Key {
        /// The key.
        key: FlatKey,
        /// What its value is tested for.
        test: KeyTest,
    },
}

/// A key of flat records, and which elements of arrays it leads through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlatKey {
    /// The key.
    pub key: String,
    /// Keys of positions in arrays, and the positions that are asked for.
    pub positions: Vec<(String, String)>,
}

/// What the value of a key is tested for. A key that a record does not have passes nothing.
#[derive(Debug, Clone)]
pub enum KeyTest {
    /// Any value passes.
    Exists,
    /// These values pass.
    OneOf(Vec<String>),
    /// All but these values pass.
    NoneOf(Vec<String>),
    /// Values for which this holds pass.
    Holds(Arc<dyn ValueTest>),
}

/// A test of one value.
pub trait ValueTest: fmt::Debug + Send + Sync {
    /// Returns whether the value passes.
    ///
    /// # Errors
    /// Says why it cannot be told.
    fn holds(&self, value: &str) -> Result<bool, String>;
}

impl JsonCondition {
    /// Returns whether a document of these records passes.
    ///
    /// # Errors
    /// When a test of a value fails.
    pub fn matches(&self, records: &[FlatRecord]) -> Result<bool, String> {
        for record in records {
            if self.test.matches(record)? {
                return Ok(!self.negated);
            }
        }
        Ok(self.negated)
    }
}

impl JsonTest {
    fn matches(&self, record: &FlatRecord) -> Result<bool, String> {
        match self {
            JsonTest::All(parts) => {
                for part in parts {
                    if !part.matches(record)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            JsonTest::Any(parts) => {
                for part in parts {
                    if part.matches(record)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            JsonTest::Key { key, test } => {
                let there = |(key, position): &(String, String)| record.get(key) == Some(position);
                match record.get(&key.key) {
                    Some(value) if key.positions.iter().all(there) => test.passes(value),
                    _ => Ok(false),
                }
            }
        }
    }
}

impl KeyTest {
    /// Returns whether a value passes.
    ///
    /// # Errors
    /// When the test fails.
    pub fn passes(&self, value: &str) -> Result<bool, String> {
        match self {
            KeyTest::Exists => Ok(true),
            KeyTest::OneOf(values) => Ok(values.iter().any(|other| other == value)),
            KeyTest::NoneOf(values) => Ok(values.iter().all(|other| other != value)),
            KeyTest::Holds(test) => test.holds(value),
        }
    }
}

impl FlatKey {
    /// Reads a path as queries write it: `$.a[0].b[*]`, or `a[0].b[*]`.
    ///
    /// # Errors
    /// When a bracket is not closed.
    pub fn parse(path: &str) -> Result<FlatKey, String> {
        let mut key = match path.strip_prefix('$') {
            Some(rest) => rest.to_owned(),
            None => format!(".{path}"),
        };
        let mut positions = Vec::new();
        while let Some((before, rest)) = key.split_once('[') {
            // At least one letter stands between the brackets.
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let Some(end) = rest.get(first..).and_then(|rest| rest.find(']')).map(|end| first + end) else {
                return Err(format!("a `[` of the path `{path}` is not closed"));
            };
            let position = &rest[..end];
            if position != "*" {
                positions.push((format!("{before}{}", super::INDEX_KEY), position.to_owned()));
            }
            key = format!("{before}.{}", &rest[end + 1..]);
        }
        Ok(FlatKey { key, positions })
    }
}
