//! Where texts are in others, and how long they are.

use crate::description::FunctionGroup::Text as Group;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::number::count_to_int;
use crate::scalar::rows::{Long, Text, fault, row1, row2, row3};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["length", "charLength", "characterLength"],
            "length(text)",
            "How many letters the text has.",
            [row1::<Text, _>(letters)],
        ),
        Function::new(
            Group,
            &["octetLength"],
            "octetLength(text)",
            "How many bytes the text has in UTF-8.",
            [row1::<Text, _>(|text| count_to_int(text.len()))],
        ),
        Function::new(
            Group,
            &["bitLength"],
            "bitLength(text)",
            "How many bits the text has in UTF-8.",
            [row1::<Text, _>(|text| count_to_int(text.len().saturating_mul(8)))],
        ),
        Function::new(
            Group,
            &["strpos"],
            "strpos(text, part[, n])",
            "Where a part is found, for the n-th time, counted from 0; -1 where it is not.",
            [
                row2::<Text, Text, _>(|text, part| position(text, text.find(part))),
                row3::<Text, Text, Long, _>(|text, part, n| match usize::try_from(n) {
                    Ok(n) => nth(text, part, n).map(|found| position(text, found)),
                    Err(_) => Ok(-1),
                }),
            ],
        ),
        Function::new(
            Group,
            &["strrpos"],
            "strrpos(text, part[, last])",
            "Where a part is found last, not after the position `last`; -1 where it is not.",
            [
                row2::<Text, Text, _>(|text, part| position(text, text.rfind(part))),
                row3::<Text, Text, Long, _>(|text, part, last| position(text, last_until(text, part, last))),
            ],
        ),
        Function::new(
            Group,
            &["startsWith"],
            "startsWith(text, part)",
            "Whether the text begins with a part.",
            [row2::<Text, Text, _>(|text, part| text.starts_with(part))],
        ),
        Function::new(
            Group,
            &["endsWith"],
            "endsWith(text, part)",
            "Whether the text ends with a part.",
            [row2::<Text, Text, _>(|text, part| text.ends_with(part))],
        ),
        Function::new(
            Group,
            &["startsWithCaseInsensitive"],
            "startsWithCaseInsensitive(text, part)",
            "Whether the text begins with a part, in any case.",
            [row2::<Text, Text, _>(|text, part| text.to_lowercase().starts_with(&part.to_lowercase()))],
        ),
        Function::new(
            Group,
            &["endsWithCaseInsensitive"],
            "endsWithCaseInsensitive(text, part)",
            "Whether the text ends with a part, in any case.",
            [row2::<Text, Text, _>(|text, part| text.to_lowercase().ends_with(&part.to_lowercase()))],
        ),
        Function::new(
            Group,
            &["contains"],
            "contains(text, part)",
            "Whether a part is in the text.",
            [row2::<Text, Text, _>(|text, part| text.contains(part))],
        ),
        Function::new(
            Group,
            &["isValidASCII"],
            "isValidASCII(text)",
            "Whether the text has ASCII letters only.",
            [row1::<Text, _>(|text| text.is_ascii())],
        ),
    ]
}

/// Returns how many letters a text has.
pub(super) fn letters(text: &str) -> i32 {
    count_to_int(if text.is_ascii() { text.len() } else { text.chars().count() })
}

/// Returns the position in letters of a place in bytes.
fn position(text: &str, at: Option<usize>) -> i32 {
    at.map_or(-1, |at| letters(&text[..at]))
}

/// Most bytes of parts that are compared to find the n-th: each time the part is looked at from its begin.
const COMPARED_MAX: usize = 16 << 20;

fn check_compared(times: usize, part: &str) -> Result<(), Fault> {
    match times.saturating_mul(part.len()) <= COMPARED_MAX {
        true => Ok(()),
        false => fault(format!("a part of {} bytes is found too often", part.len())),
    }
}

/// Returns where a part begins for the n-th time; occurrences may overlap, and an empty part is at the begin.
pub(super) fn nth(text: &str, part: &str, n: usize) -> Result<Option<usize>, Fault> {
    if n == 0 {
        return Ok(None);
    }
    let mut found = text.find(part);
    for times in 1..n {
        let Some(last) = found.filter(|_| !part.is_empty()) else { break };
        check_compared(times, part)?;
        let next = last + text[last..].chars().next().map_or(1, char::len_utf8);
        found = text[next..].find(part).map(|at| next + at);
    }
    Ok(found)
}

/// Returns where a part begins for the n-th time from the end.
pub(super) fn nth_from_end(text: &str, part: &str, n: usize) -> Result<Option<usize>, Fault> {
    let but_last = part.char_indices().last().map_or(0, |(at, _)| at);
    let mut found = text.rfind(part);
    for times in 1..n {
        let Some(last) = found else { break };
        check_compared(times, part)?;
        // The next one begins earlier, so it ends before this one's last letter does.
        found = text[..last + but_last].rfind(part);
    }
    Ok(found)
}

fn last_until(text: &str, part: &str, last: i64) -> Option<usize> {
    let last = usize::try_from(last).ok()?;
    let begin = text.char_indices().nth(last).map_or(text.len(), |(at, _)| at);
    // An occurrence that begins there or before ends with a letter before this.
    let end = text.floor_char_boundary(begin.saturating_add(part.len()));
    text[..end].rfind(part)
}
