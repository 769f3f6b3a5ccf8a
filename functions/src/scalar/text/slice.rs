//! Parts of texts.

use std::collections::HashSet;

use crate::description::FunctionGroup::Text as Group;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::rows::{Long, Text, fault, part1, part2, part3, row3};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["substr"],
            "substr(text, begin[, end])",
            "The part from `begin`, counted from 0, up to before `end`; negative positions count from the end, -1 as `end` is the end.",
            [
                part2::<Long>(|text, begin| Some(between(text, begin, None))),
                part3::<Long, Long>(|text, begin, end| {
                    Some(between(text, begin, (end != -1).then_some(end)))
                }),
            ],
        ),
        Function::new(
            Group,
            &["substring"],
            "substring(text, begin[, length])",
            "The part from `begin`, counted from 1, of so many letters.",
            [
                part2::<Long>(|text, begin| Some(between(text, begin.saturating_sub(1), None))),
                part3::<Long, Long>(|text, begin, length| {
                    let begin = begin.saturating_sub(1);
                    Some(between(text, begin, Some(begin.saturating_add(length))))
                }),
            ],
        ),
        Function::new(
            Group,
            &["left", "leftSubStr"],
            "left(text, length)",
            "The first letters.",
            [part2::<Long>(|text, length| Some(between(text, 0, Some(length.max(0)))))],
        ),
        Function::new(
            Group,
            &["right", "rightSubStr"],
            "right(text, length)",
            "The last letters.",
            [part2::<Long>(|text, length| match length {
                ..=0 => Some(""),
                length => Some(between(text, length.saturating_neg(), None)),
            })],
        ),
        Function::new(
            Group,
            &["firstLine"],
            "firstLine(text)",
            "The text up to its first line break.",
            [part1(|text| text.split(['\n', '\r']).next())],
        ),
        Function::new(
            Group,
            &["substringIndex"],
            "substringIndex(text, delimiter, count)",
            "The part before the n-th delimiter, or after the n-th from the end where `count` is negative.",
            [row3::<Text, Text, Long, _>(|text, delimiter, count| {
                before_nth(text, delimiter, count).map(str::to_owned)
            })],
        ),
        Function::new(
            Group,
            &["trim", "btrim"],
            "trim(text[, letters])",
            "The text without blanks, or some letters, at both ends.",
            [
                part1(|text| Some(text.trim_matches(is_blank))),
                part2::<Text>(|text, letters| Some(text.trim_matches(one_of(letters)))),
                trim_at(),
            ],
        ),
        Function::new(
            Group,
            &["ltrim"],
            "ltrim(text[, letters])",
            "The text without blanks, or some letters, at its begin.",
            [
                part1(|text| Some(text.trim_start_matches(is_blank))),
                part2::<Text>(|text, letters| Some(text.trim_start_matches(one_of(letters)))),
            ],
        ),
        Function::new(
            Group,
            &["rtrim"],
            "rtrim(text[, letters])",
            "The text without blanks, or some letters, at its end.",
            [
                part1(|text| Some(text.trim_end_matches(is_blank))),
                part2::<Text>(|text, letters| Some(text.trim_end_matches(one_of(letters)))),
            ],
        ),
    ]
}

/// `trim(end, letters, text)`, as `TRIM(BOTH letters FROM text)` is called inside.
fn trim_at() -> crate::scalar::function::Overload {
    row3::<Text, Text, Text, _>(|end, letters, text| {
        let cut = one_of(letters);
        match end {
            "BOTH" => Ok(text.trim_matches(cut).to_owned()),
            "LEADING" => Ok(text.trim_start_matches(cut).to_owned()),
            "TRAILING" => Ok(text.trim_end_matches(cut).to_owned()),
            _ => fault("a text is trimmed at BOTH ends, LEADING or TRAILING"),
        }
    })
}

/// Returns a test for letters, which takes as long for many as for few.
fn one_of(letters: &str) -> impl Fn(char) -> bool + use<> {
    let known: HashSet<char> = letters.chars().collect();
    move |letter| known.contains(&letter)
}

/// Java's blanks: the space and all control letters before it.
fn is_blank(letter: char) -> bool {
    letter <= ' '
}

/// Returns the letters from one position up to before another; negative ones count from the end.
pub(super) fn between(text: &str, begin: i64, end: Option<i64>) -> &str {
    let ascii = text.is_ascii();
    let needs_length = begin < 0 || end.is_some_and(|end| end < 0);
    let length = match ascii {
        true => text.len(),
        false if needs_length => text.chars().count(),
        // Beyond any position that could be meant.
        false => usize::MAX,
    };
    let place = |position: i64| match usize::try_from(position) {
        Ok(position) => position.min(length),
        Err(_) => length.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let (begin, end) = (place(begin), end.map_or(length, place));
    if begin >= end {
        return "";
    }
    if ascii {
        return &text[begin..end];
    }
    let mut places = text.char_indices().map(|(at, _)| at);
    let Some(first) = places.nth(begin) else { return "" };
    let last = places.nth(end - begin - 1).unwrap_or(text.len());
    &text[first..last]
}

fn before_nth<'a>(text: &'a str, delimiter: &str, count: i64) -> Result<&'a str, Fault> {
    if count == 0 || delimiter.is_empty() {
        return Ok("");
    }
    let nth = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let found = match count > 0 {
        true => super::find::nth(text, delimiter, nth)?,
        false => super::find::nth_from_end(text, delimiter, nth)?,
    };
    Ok(match found {
        None => text,
        Some(at) if count > 0 => &text[..at],
        Some(at) => &text[at + delimiter.len()..],
    })
}
