//! Reads JSON documents that people write by hand: schemas and table configs.
//!
//! Pinot reads them with Jackson, which is lenient: `"true"` is a boolean, `"5"` a number, `null` an absent key. This
//! reader takes the same spellings, never stops at the first fault, and says for each where it is (a JSON pointer) and
//! what to write instead. Which keys are known is a table ([`KnownKeys`]), apart from the code that reads them.

mod duplicate_keys;

use std::fmt;

use serde_json::{Map, Value};

use crate::nearest::did_you_mean;
pub use duplicate_keys::duplicate_keys;

/// One thing that is wrong or surprising in a document, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonProblem {
    /// JSON pointer to the place; empty for the document itself.
    pub path: String,
    /// What is wrong there, and what to write instead.
    pub message: String,
}

impl fmt::Display for JsonProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

/// What was found while reading one document.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is wrong: the document is refused.
    pub problems: Vec<JsonProblem>,
    /// What works, but likely not as meant.
    pub warnings: Vec<JsonProblem>,
    /// Keys that nobody reads: JSON pointer to value.
    pub unrecognized: Map<String, Value>,
}

impl Findings {
    /// Notes a fault.
    pub fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(JsonProblem { path: path.into(), message: message.into() });
    }

    /// Returns all problems of a refused document, and its unknown keys, as a misspelt key may well be the cause.
    pub fn into_refusal(self) -> Vec<JsonProblem> {
        let unrecognized = self.unrecognized;
        let unknown_keys =
            self.warnings.into_iter().filter(|warning| unrecognized.contains_key(&warning.path));
        self.problems.into_iter().chain(unknown_keys).collect()
    }

    /// Notes something that is accepted, but likely not meant.
    pub fn warning(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(JsonProblem { path: path.into(), message: message.into() });
    }
}

/// Parses a document whose top is an object.
///
/// # Errors
/// One problem: with line and column where the text is no JSON, or naming what stands in place of the object.
pub fn parse_object(text: &str) -> Result<Map<String, Value>, JsonProblem> {
    let problem = |message| JsonProblem { path: String::new(), message };
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(problem(format!("expected a JSON object, found {}", kind(&other)))),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            Err(problem(format!("not valid JSON at line {line}, column {column}: {reason}")))
        }
    }
}

/// Returns a JSON pointer one step further down.
pub fn pointer(path: &str, key: impl fmt::Display) -> String {
    let escaped = key.to_string().replace('~', "~0").replace('/', "~1");
    format!("{path}/{escaped}")
}

/// Returns how a message calls the kind of a JSON value.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Returns a scalar's text as Jackson coerces it; `None` for null, lists and objects.
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedText {
    /// JSON pointer to it.
    pub path: String,
    /// The text itself.
    pub text: String,
}

/// One object of a document, with its place.
#[derive(Debug, Clone)]
pub struct JsonObject<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> JsonObject<'a> {
    /// Wraps an object that stands at `path`.
    pub fn new(map: &'a Map<String, Value>, path: impl Into<String>) -> JsonObject<'a> {
        JsonObject { map, path: path.into() }
    }

    /// Returns where the object stands.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns where the value of `key` stands, or would stand.
    pub fn place(&self, key: &str) -> String {
        pointer(&self.path, key)
    }

    /// Returns the value of `key`. A null is an absent key.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Returns all keys whose value is not null, in the order of the document.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.as_str(), value))
    }

    /// Reads a text; numbers and booleans count as their text.
    pub fn text(&self, key: &str, findings: &mut Findings) -> Option<String> {
        let value = self.get(key)?;
        let text = scalar_text(value);
        if text.is_none() {
            findings.problem(self.place(key), format!("expected a string, found {}", kind(value)));
        }
        text
    }

    /// Reads a text like [`JsonObject::text`]; an empty or blank one counts as absent.
    pub fn text_or_empty(&self, key: &str, findings: &mut Findings) -> Option<String> {
        self.text(key, findings).map(|text| text.trim().to_string()).filter(|text| !text.is_empty())
    }

    /// Reads a text that must be there and not be blank.
    pub fn required_text(&self, key: &str, example: &str, findings: &mut Findings) -> Option<String> {
        let missing = self.get(key).is_none();
        let text = self.text_or_empty(key, findings);
        let blank = self.get(key).and_then(scalar_text).is_some_and(|text| text.trim().is_empty());
        if missing || blank {
            findings.problem(self.place(key), format!("`{key}` is missing: write {example}"));
        }
        text
    }

    /// Reads a boolean; `"true"` and `"false"` count.
    pub fn boolean(&self, key: &str, findings: &mut Findings) -> Option<bool> {
        let value = self.get(key)?;
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        };
        if flag.is_none() {
            let message =
                format!("expected true or false, found {}: write `\"{key}\": true` or `false`", shown(value));
            findings.problem(self.place(key), message);
        }
        flag
    }

    /// Reads a whole number between `least` and `most`; a text of digits counts.
    pub fn integer(&self, key: &str, least: i64, most: i64, findings: &mut Findings) -> Option<i64> {
        let value = self.get(key)?;
        let number = scalar_text(value).and_then(|text| whole_number(&text));
        let Some(number) = number else {
            findings.problem(self.place(key), format!("expected a whole number, found {}", shown(value)));
            return None;
        };
        if !(least..=most).contains(&number) {
            let message = match most {
                i64::MAX => format!("{number} is too small: write at least {least}"),
                _ => format!("{number} is out of range: write a number from {least} to {most}"),
            };
            findings.problem(self.place(key), message);
            return None;
        }
        Some(number)
    }

    /// Reads a finite number; a text that is one counts.
    pub fn float(&self, key: &str, findings: &mut Findings) -> Option<f64> {
        let value = self.get(key)?;
        let number =
            scalar_text(value).and_then(|text| text.trim().parse::<f64>().ok()).filter(|x| x.is_finite());
        if number.is_none() {
            findings.problem(self.place(key), format!("expected a number, found {}", shown(value)));
        }
        number
    }

    /// Reads a list of texts; empty when absent.
    pub fn texts(&self, key: &str, findings: &mut Findings) -> Vec<PlacedText> {
        let mut texts = Vec::new();
        for (path, item) in self.list(key, findings) {
            match scalar_text(item) {
                Some(text) => texts.push(PlacedText { path, text }),
                None => findings.problem(path, format!("expected a string, found {}", kind(item))),
            }
        }
        texts
    }

    /// Reads an object.
    pub fn object(&self, key: &str, findings: &mut Findings) -> Option<JsonObject<'a>> {
        let value = self.get(key)?;
        let Value::Object(map) = value else {
            findings.problem(self.place(key), format!("expected an object {{…}}, found {}", shown(value)));
            return None;
        };
        Some(JsonObject { map, path: self.place(key) })
    }

    /// Reads a list of objects; empty when absent.
    pub fn objects(&self, key: &str, findings: &mut Findings) -> Vec<JsonObject<'a>> {
        let mut objects = Vec::new();
        for (path, item) in self.list(key, findings) {
            match item {
                Value::Object(map) => objects.push(JsonObject { map, path }),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    findings.problem(path, format!("expected an object {{…}}, found {}", shown(item)));
                }
            }
        }
        objects
    }

    fn list(&self, key: &str, findings: &mut Findings) -> Vec<(String, &'a Value)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let place = self.place(key);
        let Value::Array(items) = value else {
            findings.problem(place, format!("expected a list […], found {}", shown(value)));
            return Vec::new();
        };
        items.iter().enumerate().map(|(i, item)| (pointer(&place, i), item)).collect()
    }
}

/// Reads a whole number, also one written with a fraction of zeros (`5.0`).
fn whole_number(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b == b'0') => whole,
        Some(_) | None => text,
    };
    whole.parse().ok()
}

/// A short scalar as it was written, anything else by its kind.
fn shown(value: &Value) -> String {
    const SHOWN_LENGTH_MAX: usize = 40;
    match value {
        Value::Bool(_) | Value::Number(_) | Value::String(_)
            if value.to_string().len() <= SHOWN_LENGTH_MAX =>
        {
            format!("`{value}`")
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => kind(value).to_string(),
    }
}

/// The known keys of the objects at one kind of place. Places are pointers where `*` stands for any one key or index.
#[derive(Debug)]
pub struct KnownKeys {
    /// Such as `/fieldConfigList/*`; empty for the document itself.
    pub place: &'static str,
    /// All keys that are known there.
    pub keys: &'static [&'static str],
}

/// Collects the keys that are in no list of `known`, each with a warning that names the nearest known key. Objects at
/// places without a list (free maps, such as stream properties) may hold any key.
pub fn find_unrecognized(document: &Map<String, Value>, known: &[KnownKeys], findings: &mut Findings) {
    visit_object(document, &mut Place::default(), known, findings);
}

/// Where the walk stands: the real pointer and its steps.
#[derive(Default)]
struct Place {
    path: String,
    steps: Vec<String>,
}

impl Place {
    fn keys(&self, known: &[KnownKeys]) -> Option<&'static [&'static str]> {
        known.iter().find(|entry| self.matches(entry.place)).map(|entry| entry.keys)
    }

    fn matches(&self, pattern: &str) -> bool {
        let wanted: Vec<&str> = pattern.split('/').skip(1).collect();
        let same = |(wanted, step): (&&str, &String)| *wanted == "*" || *wanted == step;
        wanted.len() == self.steps.len() && wanted.iter().zip(&self.steps).all(same)
    }

    fn down<R>(&mut self, step: &str, visit: impl FnOnce(&mut Place) -> R) -> R {
        let length = self.path.len();
        self.path = pointer(&self.path, step);
        self.steps.push(step.to_string());
        let result = visit(self);
        self.steps.pop();
        self.path.truncate(length);
        result
    }
}

fn visit_object(map: &Map<String, Value>, place: &mut Place, known: &[KnownKeys], findings: &mut Findings) {
    let keys = place.keys(known);
    for (key, value) in map {
        match keys {
            Some(keys) if !keys.contains(&key.as_str()) => {
                unrecognized_key(&place.path, key, value, keys, findings)
            }
            Some(_) | None => place.down(key, |place| visit(value, place, known, findings)),
        }
    }
}

fn visit(value: &Value, place: &mut Place, known: &[KnownKeys], findings: &mut Findings) {
    match value {
        Value::Object(map) => visit_object(map, place, known, findings),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                place.down(&i.to_string(), |place| visit(item, place, known, findings));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn unrecognized_key(path: &str, key: &str, value: &Value, keys: &[&'static str], findings: &mut Findings) {
    let place = pointer(path, key);
    let hint = did_you_mean(key, keys.iter().copied());
    findings.warning(place.clone(), format!("unknown key `{key}`, ignored{hint}"));
    findings.unrecognized.insert(place, value.clone());
}

#[cfg(test)]
mod tests;
