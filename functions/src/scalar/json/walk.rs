//! What a path leads to in a document.

use super::node::{Node, Parts, Seek, parts, quoted};
use super::path::{Path, Step};
use crate::scalar::call::Fault;
use crate::scalar::sink::check_value;

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Matches<'a> {
    /// One value at most, as it is written.
    One(Option<&'a str>),
    /// One value that is not written so in the document.
    Made(String),
    /// Any number of values.
    Many(Vec<&'a str>),
}

impl<'a> Matches<'a> {
    /// Returns whether it is nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Matches::One(found) => found.is_none(),
            Matches::Made(_) => false,
            Matches::Many(found) => found.is_empty(),
        }
    }

    /// Returns the value as JSON, many as an array; nothing where there is none, or null.
    pub(super) fn json(self) -> Option<String> {
        match self {
            Matches::One(found) => {
                found.filter(|raw| *raw != "null").map(|raw| super::node::compact(raw).into_owned())
            }
            Matches::Made(json) => Some(json),
            Matches::Many(found) => {
                let parts: Vec<_> = found.into_iter().map(super::node::compact).collect();
                Some(format!("[{}]", parts.join(",")))
            }
        }
    }

    /// Returns the values: those of an array when it is one value; nothing where there is none.
    pub(super) fn elements(self) -> Option<Vec<Node<'a>>> {
        match self {
            Matches::Many(found) => Some(found.into_iter().map(Node::of).collect()),
            Matches::Made(json) => Some(vec![Node::Text(json.into())]),
            Matches::One(found) => match found.map(|raw| (raw, parts(raw)))? {
                (_, Parts::Array(elements)) => Some(elements.into_iter().map(Node::of).collect()),
                ("null", _) => None,
                (raw, _) => Some(vec![Node::of(raw)]),
            },
        }
    }
}

/// Why a path leads to nothing that can be told.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The document is no JSON.
    NoJson,
    /// The path leads to too much.
    TooMuch(Fault),
}

/// Deepest nesting that `..` looks into: what Jackson reads is not nested deeper by far.
const DEPTH_MAX: usize = 256;

/// Returns what a path leads to.
pub(super) fn find<'a>(
    path: &Path,
    document: &'a str,
    first_of_equals: bool,
) -> Result<Matches<'a>, Trouble> {
    let last_is_made = matches!(path.steps.last(), Some(Step::Length | Step::Names(_)));
    if path.definite && !last_is_made {
        let found =
            Seek { steps: &path.steps, first_of_equals }.find(document).map_err(|_| Trouble::NoJson)?;
        return Ok(Matches::One(found));
    }
    let document = super::node::document(document).ok_or(Trouble::NoJson)?;
    if path.definite
        && let Some((last, steps)) = path.steps.split_last()
    {
        let found = Seek { steps, first_of_equals }.find(document).map_err(|_| Trouble::NoJson)?;
        return Ok(found.and_then(|raw| made(last, raw)).map_or(Matches::One(None), Matches::Made));
    }
    let mut found = Vec::new();
    let mut walk = Walk { document, traced: false, each: &mut |raw, _| found.push(raw), bytes: 0 };
    walk.step(&path.steps, document, &mut String::new(), 0);
    check_value(walk.bytes).map_err(Trouble::TooMuch)?;
    Ok(Matches::Many(found))
}

/// Calls a function with each value that a path leads to, and its own path.
pub(super) fn trace<'a>(path: &Path, document: &'a str, mut each: impl FnMut(&str)) -> Result<(), Fault> {
    let Some(document) = super::node::document(document) else { return Ok(()) };
    let mut walk =
        Walk { document, traced: true, each: &mut |_: &'a str, trace: &str| each(trace), bytes: 0 };
    walk.step(&path.steps, document, &mut "$".to_owned(), 0);
    check_value(walk.bytes)
}

fn made(step: &Step, raw: &str) -> Option<String> {
    match (step, parts(raw)) {
        (Step::Length, Parts::Array(elements)) => Some(elements.len().to_string()),
        (Step::Length, Parts::Object(entries)) => Some(entries.len().to_string()),
        (Step::Length, Parts::None) => match Node::of(raw) {
            Node::Text(text) => Some(text.chars().count().to_string()),
            _ => None,
        },
        (Step::Names(names), Parts::Object(entries)) => {
            let wanted = entries.into_iter().filter(|(name, _)| names.iter().any(|wanted| wanted == name));
            let written: Vec<_> = wanted
                .map(|(name, raw)| format!("{}:{}", quoted(&name), super::node::compact(raw)))
                .collect();
            Some(format!("{{{}}}", written.join(",")))
        }
        _ => None,
    }
}

struct Walk<'a, 'f> {
    document: &'a str,
    traced: bool,
    each: &'f mut dyn FnMut(&'a str, &str),
    /// How much was found; once it is too much, the walk goes no further.
    bytes: usize,
}

impl<'a> Walk<'a, '_> {
    fn step(&mut self, steps: &[Step], raw: &'a str, trace: &mut String, depth: usize) {
        let Some((step, rest)) = steps.split_first() else {
            self.bytes += if self.traced { trace.len() } else { raw.len() };
            if !self.is_full() {
                (self.each)(raw, trace);
            }
            return;
        };
        if let Step::Deep = step {
            return self.deep(rest, raw, trace, depth);
        }
        match parts(raw) {
            Parts::Object(entries) => {
                for (name, value) in entries {
                    let wanted = match step {
                        Step::Name(wanted) => *wanted == name,
                        Step::Names(wanted) => wanted.iter().any(|wanted| *wanted == name),
                        Step::All => true,
                        _ => false,
                    };
                    if wanted {
                        self.enter(rest, value, trace, depth, |out| {
                            out.push_str(&format!("['{}']", name.replace('\'', "\\'")));
                        });
                    }
                }
                // A condition on an object is about itself, on an array about each element.
                if let Step::Where(filter) = step
                    && filter.holds(raw, self.document)
                {
                    self.step(rest, raw, trace, depth);
                }
            }
            Parts::Array(elements) => {
                let places = places(step, elements.len());
                for place in places {
                    let element = elements[place];
                    if let Step::Where(filter) = step
                        && !filter.holds(element, self.document)
                    {
                        continue;
                    }
                    self.enter(rest, element, trace, depth, |out| out.push_str(&format!("[{place}]")));
                }
            }
            Parts::None => {}
        }
    }

    fn is_full(&self) -> bool {
        check_value(self.bytes).is_err()
    }

    fn enter(
        &mut self,
        steps: &[Step],
        raw: &'a str,
        trace: &mut String,
        depth: usize,
        write: impl FnOnce(&mut String),
    ) {
        let length = trace.len();
        if self.traced {
            write(trace);
        }
        self.step(steps, raw, trace, depth);
        trace.truncate(length);
    }

    /// Takes the further steps from a value and from everything in it.
    fn deep(&mut self, rest: &[Step], raw: &'a str, trace: &mut String, depth: usize) {
        if rest.is_empty() && depth == 0 {
            return self.deep(&[Step::All], raw, trace, depth);
        }
        self.step(rest, raw, trace, depth);
        if depth >= DEPTH_MAX || self.is_full() {
            return;
        }
        let children: Vec<(String, &'a str)> = match parts(raw) {
            Parts::Object(entries) => {
                let name = |name: &str| {
                    if self.traced { format!("['{}']", name.replace('\'', "\\'")) } else { String::new() }
                };
                entries.into_iter().map(|(key, value)| (name(&key), value)).collect()
            }
            Parts::Array(elements) => {
                let name = |place| if self.traced { format!("[{place}]") } else { String::new() };
                elements.into_iter().enumerate().map(|(place, value)| (name(place), value)).collect()
            }
            Parts::None => return,
        };
        for (name, child) in children {
            if child.starts_with(['{', '[']) {
                let length = trace.len();
                trace.push_str(&name);
                self.deep(rest, child, trace, depth + 1);
                trace.truncate(length);
            }
        }
    }
}

/// Returns the places of an array that a step goes to.
fn places(step: &Step, length: usize) -> Vec<usize> {
    let place = |position: i64| match usize::try_from(position) {
        Ok(place) => place,
        Err(_) => length.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let known = |position: &i64| {
        let back = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
        if *position < 0 { length.checked_sub(back) } else { Some(back).filter(|place| *place < length) }
    };
    match step {
        Step::All | Step::Where(_) => (0..length).collect(),
        Step::Position(position) => known(position).into_iter().collect(),
        Step::Positions(positions) => positions.iter().filter_map(known).collect(),
        Step::Slice(from, to) => {
            let from = from.map_or(0, place);
            (from..to.map_or(length, place).min(length)).collect()
        }
        Step::Name(_) | Step::Names(_) | Step::Deep | Step::Length => Vec::new(),
    }
}
