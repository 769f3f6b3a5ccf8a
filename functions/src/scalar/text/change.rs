//! Texts made of others.

use std::collections::HashMap;

use crate::description::FunctionGroup::Text as Group;
use crate::scalar::call::Fault;
use crate::scalar::function::{Function, Gives, Overload};
use crate::scalar::kind::{Kind, Scalar};
use crate::scalar::rows::{Int, Long, Text, Texts, fault, row1, row2, row3, row4};
use crate::scalar::sink::{check_value, collect};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["lower"],
            "lower(text)",
            "The text in small letters.",
            [row1::<Text, _>(
                |text| if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() },
            )],
        ),
        Function::new(
            Group,
            &["upper"],
            "upper(text)",
            "The text in capital letters.",
            [row1::<Text, _>(
                |text| if text.is_ascii() { text.to_ascii_uppercase() } else { text.to_uppercase() },
            )],
        ),
        Function::new(
            Group,
            &["initcap"],
            "initcap(text)",
            "The text with a capital at the begin of each word.",
            [row1::<Text, _>(initcap)],
        ),
        Function::new(
            Group,
            &["reverse"],
            "reverse(text)",
            "The text from its end to its begin.",
            [row1::<Text, _>(|text| text.chars().rev().collect::<String>())],
        ),
        Function::new(
            Group,
            &["concat"],
            "concat(first, second[, separator])",
            "Two texts one after the other, a separator between them; of four and more texts, all of them.",
            [
                row2::<Text, Text, _>(|first, second| joined(first, second, "")),
                row3::<Text, Text, Text, _>(joined),
                Overload::new(
                    &[TEXT, TEXT, TEXT, TEXT],
                    Gives::Type(arrow::datatypes::DataType::Utf8),
                    |call| {
                        collect(call.rows, |row| {
                            let texts = (0..call.len()).map(|position| call.text(position, row));
                            texts.collect::<Option<Vec<_>>>().map(|texts| all_joined(&texts, "")).transpose()
                        })
                    },
                )
                .repeats(),
            ],
        ),
        Function::new(
            Group,
            &["concatWs"],
            "concatWs(separator, first, second, …)",
            "Texts one after the other, a separator between them.",
            [Overload::new(&[TEXT, TEXT, TEXT], Gives::Type(arrow::datatypes::DataType::Utf8), |call| {
                collect(call.rows, |row| {
                    let texts: Option<Vec<_>> =
                        (1..call.len()).map(|position| call.text(position, row)).collect();
                    call.text(0, row)
                        .zip(texts)
                        .map(|(separator, texts)| all_joined(&texts, separator))
                        .transpose()
                })
            })
            .repeats()],
        ),
        Function::new(
            Group,
            &["replace"],
            "replace(text, part, replacement)",
            "The text with another text in place of each part.",
            [row3::<Text, Text, Text, _>(replace)],
        ),
        Function::new(
            Group,
            &["remove"],
            "remove(text, part)",
            "The text without a part.",
            [row2::<Text, Text, _>(|text, part| replace(text, part, ""))],
        ),
        Function::new(
            Group,
            &["translate"],
            "translate(text, from, to)",
            "The text with each letter of `from` as the one at its place in `to`, or without it.",
            [row3::<Text, Text, Text, _>(translate)],
        ),
        Function::new(
            Group,
            &["overlay"],
            "overlay(text, replacement, begin[, length])",
            "The text with another in place of so many letters from `begin`, counted from 1.",
            [
                row3::<Text, Text, Long, _>(|text, replacement, begin| {
                    overlay(text, replacement, begin, i64::from(super::find::letters(replacement)))
                }),
                row4::<Text, Text, Long, Long, _>(overlay),
            ],
        ),
        Function::new(
            Group,
            &["rpad"],
            "rpad(text, length, pad)",
            "The text made so long by a text at its end.",
            [row3::<Text, Long, Text, _>(|text, length, pad| {
                Ok::<_, Fault>(format!("{text}{}", padding(text, length, pad)?))
            })],
        ),
        Function::new(
            Group,
            &["lpad"],
            "lpad(text, length, pad)",
            "The text made so long by a text at its begin.",
            [row3::<Text, Long, Text, _>(|text, length, pad| {
                Ok::<_, Fault>(format!("{}{text}", padding(text, length, pad)?))
            })],
        ),
        Function::new(
            Group,
            &["repeat"],
            "repeat(text[, separator], times)",
            "The text so many times, a separator between.",
            [
                row2::<Text, Long, _>(|text, times| repeat(text, "", times)),
                row3::<Text, Text, Long, _>(repeat),
            ],
        ),
        Function::new(
            Group,
            &["space"],
            "space(length)",
            "So many blanks.",
            [row1::<Long, _>(|length| repeat(" ", "", length))],
        ),
        Function::new(
            Group,
            &["chr"],
            "chr(number)",
            "The letter of a number in Unicode.",
            [row1::<Int, _>(|number| match u32::try_from(number).ok().and_then(char::from_u32) {
                Some(letter) => Ok(letter.to_string()),
                None => fault(format!("{number} is no letter's number")),
            })],
        ),
        Function::new(
            Group,
            &["arrayToString"],
            "arrayToString(texts, separator[, nullText])",
            "The texts of an array in one, a separator between them; `nullText` for empty ones.",
            [
                row2::<Texts, Text, _>(|texts, separator| {
                    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
                    all_joined(&texts, separator)
                }),
                row3::<Texts, Text, Text, _>(|texts, separator, null| {
                    if texts.is_empty() {
                        return Ok(String::new());
                    }
                    let texts: Vec<_> =
                        texts.iter().map(|text| if text.is_empty() { null } else { text.as_str() }).collect();
                    all_joined(&texts, separator)
                }),
            ],
        ),
    ]
}

const TEXT: Kind = Kind::One(Scalar::Text);

fn initcap(text: &str) -> String {
    let mut at_begin = true;
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_whitespace() {
            at_begin = true;
            out.push(letter);
        } else if at_begin {
            at_begin = false;
            out.extend(letter.to_uppercase());
        } else {
            out.extend(letter.to_lowercase());
        }
    }
    out
}

fn all_joined(texts: &[&str], separator: &str) -> Result<String, Fault> {
    let separators = separator.len().saturating_mul(texts.len());
    check_value(texts.iter().map(|text| text.len()).sum::<usize>().saturating_add(separators))?;
    Ok(texts.join(separator))
}

fn joined(first: &str, second: &str, separator: &str) -> String {
    [first, separator, second].concat()
}

fn replace(text: &str, part: &str, replacement: &str) -> Result<String, Fault> {
    if part.is_empty() || text.is_empty() {
        return Ok(text.to_owned());
    }
    if replacement.len() > part.len() {
        let growth = text.matches(part).count().saturating_mul(replacement.len() - part.len());
        check_value(text.len().saturating_add(growth))?;
    }
    Ok(text.replace(part, replacement))
}

fn translate(text: &str, from: &str, to: &str) -> String {
    let mut changes: HashMap<char, Option<char>> = HashMap::new();
    let mut to = to.chars();
    for letter in from.chars() {
        let other = to.next();
        // Of equal letters the first counts.
        changes.entry(letter).or_insert(other);
    }
    let change = |letter: char| changes.get(&letter).copied().unwrap_or(Some(letter));
    text.chars().filter_map(change).collect()
}

fn overlay(text: &str, replacement: &str, begin: i64, length: i64) -> String {
    let before = super::slice::between(text, 0, Some(begin.saturating_sub(1).max(0)));
    let rest = &text[before.len()..];
    let after = super::slice::between(rest, length.max(0), None);
    [before, replacement, after].concat()
}

fn padding(text: &str, length: i64, pad: &str) -> Result<String, Fault> {
    let missing = length.saturating_sub(i64::from(super::find::letters(text)));
    let Ok(missing) = usize::try_from(missing) else { return Ok(String::new()) };
    check_value(missing)?;
    let pad = if pad.is_empty() { " " } else { pad };
    Ok(pad.chars().cycle().take(missing).collect())
}

fn repeat(text: &str, separator: &str, times: i64) -> Result<String, Fault> {
    let Ok(times) = usize::try_from(times) else { return Ok(String::new()) };
    if times == 0 {
        return Ok(String::new());
    }
    check_value((text.len() + separator.len()).saturating_mul(times))?;
    if text.is_empty() && separator.is_empty() {
        return Ok(String::new());
    }
    let mut out = [text, separator].concat().repeat(times);
    out.truncate(out.len() - separator.len());
    Ok(out)
}
