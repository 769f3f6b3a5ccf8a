//! One regular expression: Java's spelling brought to that of the crates that match it.
//!
//! `regex` matches in time linear to the text. What it has not, look-around and back references, is matched by
//! `fancy-regex`, which gives up after a number of steps.

use std::ops::Range;

use fancy_regex::RegexBuilder as BacktrackingBuilder;
use regex::RegexBuilder;

use crate::scalar::call::Fault;
use crate::scalar::kind::shortened;
use crate::scalar::sink::check_value;

/// Longest pattern, in bytes.
const LENGTH_MAX: usize = 16 << 10;
/// Most bytes that a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 4 << 20;
/// Most steps back that one search may take: some milliseconds.
const STEPS_BACK_MAX: usize = 100_000;

/// A regular expression.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Linear(regex::Regex),
    Backtracking(fancy_regex::Regex),
}

/// Where a pattern was found.
pub(crate) struct Found {
    groups: Vec<Option<Range<usize>>>,
}

impl Pattern {
    /// Reads a pattern; `any_case` is Java's `(?i)`.
    pub(crate) fn compile(java: &str, any_case: bool) -> Result<Pattern, String> {
        if java.len() > LENGTH_MAX {
            return Err(format!("a regular expression has {LENGTH_MAX} bytes at most"));
        }
        let spelled = spelled(java);
        let linear = RegexBuilder::new(&spelled)
            .case_insensitive(any_case)
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(COMPILED_BYTES_MAX)
            .build();
        let reason = match linear {
            Ok(regex) => return Ok(Pattern::Linear(regex)),
            Err(regex::Error::CompiledTooBig(_)) => {
                return Err(format!("the regular expression '{}' is too large", shortened(java)));
            }
            Err(error) => error,
        };
        let backtracking = BacktrackingBuilder::new(&spelled)
            .case_insensitive(any_case)
            .backtrack_limit(STEPS_BACK_MAX)
            .delegate_size_limit(COMPILED_BYTES_MAX)
            .delegate_dfa_size_limit(COMPILED_BYTES_MAX)
            .build();
        backtracking.map(Pattern::Backtracking).map_err(|_| {
            let reason = reason.to_string();
            let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("'{}' is no regular expression: {last}", shortened(java))
        })
    }

    /// Returns how many groups the pattern has beside the whole.
    pub(crate) fn groups(&self) -> usize {
        match self {
            Pattern::Linear(regex) => regex.captures_len() - 1,
            Pattern::Backtracking(regex) => regex.captures_len() - 1,
        }
    }

    /// Returns the number of a named group.
    fn group_named(&self, name: &str) -> Option<usize> {
        match self {
            Pattern::Linear(regex) => regex.capture_names().position(|known| known == Some(name)),
            Pattern::Backtracking(regex) => regex.capture_names().position(|known| known == Some(name)),
        }
    }

    /// Returns whether the pattern is found in a text.
    pub(crate) fn is_in(&self, text: &str) -> Result<bool, Fault> {
        match self {
            Pattern::Linear(regex) => Ok(regex.is_match(text)),
            Pattern::Backtracking(regex) => regex.is_match(text).map_err(|_| too_many_steps()),
        }
    }

    /// Returns where the pattern is found first from a place on.
    pub(crate) fn find(&self, text: &str, from: usize) -> Result<Option<Found>, Fault> {
        let groups: Option<Vec<_>> = match self {
            Pattern::Linear(regex) => {
                let found = regex.captures_at(text, from);
                found.map(|found| found.iter().map(|group| group.map(|group| group.range())).collect())
            }
            Pattern::Backtracking(regex) => {
                let found = regex.captures_from_pos(text, from).map_err(|_| too_many_steps())?;
                found.map(|found| found.iter().map(|group| group.map(|group| group.range())).collect())
            }
        };
        Ok(groups.map(|groups| Found { groups }))
    }
}

fn too_many_steps() -> Fault {
    Fault::from("the regular expression takes too many steps; look-around and back references are costly")
}

impl Found {
    /// Returns what a group found.
    pub(crate) fn group(&self, group: usize) -> Option<Range<usize>> {
        self.groups.get(group).cloned().flatten()
    }

    /// Returns where it begins.
    pub(crate) fn start(&self) -> usize {
        self.group(0).map_or(0, |range| range.start)
    }

    /// Returns where it ends.
    pub(crate) fn end(&self) -> usize {
        self.group(0).map_or(0, |range| range.end)
    }

    /// Returns from where the next is looked for: after an empty one, one letter on.
    pub(crate) fn next(&self, text: &str) -> Option<usize> {
        if self.end() > self.start() {
            return Some(self.end());
        }
        text[self.end()..].chars().next().map(|letter| self.end() + letter.len_utf8())
    }
}

/// Spells a Java pattern for the crates: `\d`, `\w`, `\s` and `\b` mean ASCII, `\Q…\E` is a quotation, and some classes have
/// other names.
fn spelled(java: &str) -> String {
    let mut out = String::with_capacity(java.len() + 16);
    let mut letters = java.chars().peekable();
    let mut depth = 0_usize;
    while let Some(letter) = letters.next() {
        match letter {
            '[' => {
                depth += 1;
                out.push('[');
            }
            ']' => {
                depth = depth.saturating_sub(1);
                out.push(']');
            }
            '\\' => match letters.next() {
                Some('Q') => push_quotation(&mut letters, &mut out),
                Some(escaped @ ('p' | 'P')) => push_class(escaped, &mut letters, &mut out),
                Some(escaped) => push_escape(escaped, depth > 0, &mut out),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

fn push_quotation(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let mut quoted = String::new();
    while let Some(letter) = letters.next() {
        if letter == '\\' && letters.next_if_eq(&'E').is_some() {
            break;
        }
        quoted.push(letter);
    }
    out.push_str(&regex::escape(&quoted));
}

fn push_escape(escaped: char, in_class: bool, out: &mut String) {
    let (inside, outside) = match escaped {
        'd' => ("0-9", "[0-9]"),
        'D' => ("[^0-9]", "[^0-9]"),
        'w' => ("a-zA-Z0-9_", "[a-zA-Z0-9_]"),
        'W' => ("[^a-zA-Z0-9_]", "[^a-zA-Z0-9_]"),
        's' => (r" \t\n\x0B\f\r", r"[ \t\n\x0B\f\r]"),
        'S' => (r"[^ \t\n\x0B\f\r]", r"[^ \t\n\x0B\f\r]"),
        'h' => (
            r" \t\xA0\u{1680}\u{180e}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}",
            r"[ \t\xA0\u{1680}\u{180e}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]",
        ),
        'e' => (r"\x1B", r"\x1B"),
        'b' if !in_class => ("", r"(?-u:\b)"),
        'R' if !in_class => ("", r"(?:\r\n|[\n\x0B\f\r\u{85}\u{2028}\u{2029}])"),
        'Z' if !in_class => ("", r"(?:\n?\z)"),
        // Java lets any other letter that is none of the alphabet be escaped.
        other
            if !other.is_ascii()
                || other == '_'
                || other == '"'
                || other == '\''
                || other == '/'
                || other == '@' =>
        {
            out.push(other);
            return;
        }
        other => {
            out.push('\\');
            out.push(other);
            return;
        }
    };
    out.push_str(if in_class { inside } else { outside });
}

/// Names of classes: `\p{Alpha}` is ASCII in Java, `\p{IsLatin}` is a script.
fn push_class(escaped: char, letters: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let mut name = String::new();
    if letters.next_if_eq(&'{').is_none() {
        name.extend(letters.next());
    } else {
        for letter in letters.by_ref() {
            if letter == '}' {
                break;
            }
            name.push(letter);
        }
    }
    let posix = [
        "Lower", "Upper", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Cntrl", "XDigit",
        "Space",
    ];
    if name == "ASCII" || posix.contains(&name.as_str()) {
        let negation = if escaped == 'P' { "^" } else { "" };
        out.push_str(&format!("[[:{negation}{}:]]", name.to_ascii_lowercase()));
        return;
    }
    let name = match name.strip_prefix("Is").or_else(|| name.strip_prefix("java")) {
        Some("LowerCase") => "Lowercase",
        Some("UpperCase") => "Uppercase",
        Some("Letter") => "L",
        Some("Digit") => "Nd",
        Some("WhiteSpace" | "Whitespace") => "White_Space",
        Some(rest) => rest,
        None => &name,
    };
    out.push_str(&format!(r"\{escaped}{{{name}}}"));
}

/// Returns the regular expression of a LIKE pattern.
pub(crate) fn of_like(like: &str) -> String {
    let mut out = String::from("(?s)^");
    let mut letters = like.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '\\' => out.push_str(&regex::escape(&letters.next().unwrap_or('\\').to_string())),
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    out.push('$');
    out
}

/// A replacement that may name groups: `$1`, `${name}`; a backslash takes the next letter as it is.
pub(super) struct Template(Vec<Part>);

enum Part {
    Text(String),
    Group(usize),
}

impl Template {
    /// Reads a replacement for a pattern.
    pub(super) fn parse(replacement: &str, pattern: &Pattern) -> Result<Template, Fault> {
        let mut parts = vec![Part::Text(String::new())];
        let mut push = |part: Part| match (parts.last_mut(), part) {
            (Some(Part::Text(last)), Part::Text(text)) => last.push_str(&text),
            (_, part) => parts.push(part),
        };
        let mut letters = replacement.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some(escaped) => push(Part::Text(escaped.to_string())),
                    None => {
                        return Err(Fault::from(
                            "a letter is missing after the backslash of the replacement",
                        ));
                    }
                },
                '$' if letters.next_if_eq(&'{').is_some() => {
                    let name: String = letters.by_ref().take_while(|letter| *letter != '}').collect();
                    match pattern.group_named(&name) {
                        Some(group) => push(Part::Group(group)),
                        None => {
                            return Err(Fault::from(format!(
                                "the pattern has no group `{}`",
                                shortened(&name)
                            )));
                        }
                    }
                }
                '$' => {
                    let digit = |letter: Option<&char>| {
                        letter.and_then(|letter| letter.to_digit(10)).map(|digit| digit as usize)
                    };
                    let Some(mut group) = digit(letters.peek()) else {
                        return Err(Fault::from(
                            "a group's number is missing after the `$` of the replacement",
                        ));
                    };
                    letters.next();
                    if group > pattern.groups() {
                        return Err(Fault::from(format!("the pattern has no group {group}")));
                    }
                    // Further digits belong to the number as long as there is such a group.
                    while let Some(longer) = digit(letters.peek()).map(|digit| group * 10 + digit)
                        && longer <= pattern.groups()
                    {
                        group = longer;
                        letters.next();
                    }
                    push(Part::Group(group));
                }
                other => push(Part::Text(other.to_string())),
            }
        }
        Ok(Template(parts))
    }

    /// Appends the replacement of what was found.
    pub(super) fn push(&self, found: &Found, text: &str, out: &mut String) -> Result<(), Fault> {
        let lengths = self.0.iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::Group(group) => found.group(*group).map_or(0, |range| range.len()),
        });
        check_value(lengths.fold(out.len(), usize::saturating_add))?;
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(group) => out.push_str(found.group(*group).map_or("", |range| &text[range])),
            }
        }
        Ok(())
    }
}
