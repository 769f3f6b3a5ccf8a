//! Regular expressions in Java's spelling: found anywhere in a text, unless the pattern is anchored.

mod pattern;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::call::{Call, Fault};
use super::function::{Function, Gives, Overload};
use super::kind::{Kind, Scalar};
use super::number::count_to_int;
use super::rows::fault;
use super::sink::{check_value, collect, collect_parts};
use crate::description::FunctionGroup::Regexp;
use crate::time::unit::unknown;
pub(crate) use pattern::{Pattern, of_like};

const TEXT: Kind = Kind::One(Scalar::Text);
const INT: Kind = Kind::One(Scalar::Int);

/// Returns the functions of regular expressions.
pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Regexp,
            &["regexpLike", "regexpLikeVar"],
            "regexpLike(text, pattern[, match])",
            "Whether the pattern is found in the text; `match` is 'c', or 'i' for any case.",
            [Overload::new(&[TEXT, TEXT, TEXT], Gives::Type(DataType::Boolean), like).required(2)],
        ),
        Function::new(
            Regexp,
            &["regexpExtract", "regexpExtractVar"],
            "regexpExtract(text, pattern[, group[, default]])",
            "What a group of the pattern found, the whole for group 0; the default, or '', where it is not found.",
            [Overload::new(&[TEXT, TEXT, INT, TEXT], Gives::Type(DataType::Utf8), extract).required(2)],
        ),
        Function::new(
            Regexp,
            &["regexpReplace", "regexpReplaceVar"],
            "regexpReplace(text, pattern, replacement[, begin[, occurrence[, flag]]])",
            "The text with a replacement, which may name groups as `$1`, for each time the pattern is found, or for one.",
            [Overload::new(&[TEXT, TEXT, TEXT, INT, INT, TEXT], Gives::Type(DataType::Utf8), replace)
                .required(3)],
        ),
        Function::new(
            Regexp,
            &["regexpCount"],
            "regexpCount(text, pattern)",
            "How many times the pattern is found.",
            [Overload::new(&[TEXT, TEXT], Gives::Type(DataType::Int32), count)],
        ),
        Function::new(
            Regexp,
            &["regexpSubstr"],
            "regexpSubstr(text, pattern)",
            "What the pattern found first; null where it is not found.",
            [Overload::new(&[TEXT, TEXT], Gives::Type(DataType::Utf8), substr)],
        ),
        Function::new(
            Regexp,
            &["likeVar"],
            "likeVar(text, pattern)",
            "Whether the text is like a pattern of `%` and `_`, in any case.",
            [Overload::new(&[TEXT, TEXT], Gives::Type(DataType::Boolean), |call| {
                let mut patterns = call.prepared(1, |like| Pattern::compile(&of_like(like), true))?;
                found(call, |row| Ok(patterns.at(row)?.cloned()))
            })],
        ),
    ]
}

fn found(
    call: &Call<'_>,
    mut pattern: impl FnMut(usize) -> Result<Option<Pattern>, Fault>,
) -> Result<ArrayRef, Fault> {
    collect(call.rows, |row| match (call.text(0, row), pattern(row)?) {
        (Some(text), Some(pattern)) => Ok(Some(pattern.is_in(text)?)),
        _ => Ok(None),
    })
}

fn like(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let any_case = call.prepared_or(2, Some("c"), |text| match text {
        "i" => Ok(true),
        "c" => Ok(false),
        other => Err(unknown("way to match", other, ["c", "i"])),
    })?;
    let mut any_case = any_case;
    let constant = call.columns.get(2).is_none_or(|column| column.constant);
    match any_case.at(0)? {
        Some(true) if constant => {
            let mut patterns = call.prepared(1, |text| Pattern::compile(text, true))?;
            found(call, |row| Ok(patterns.at(row)?.cloned()))
        }
        Some(false) if constant => {
            let mut patterns = call.prepared(1, |text| Pattern::compile(text, false))?;
            found(call, |row| Ok(patterns.at(row)?.cloned()))
        }
        None if constant => collect(call.rows, |_| Ok(None::<bool>)),
        _ => fault("the way to match is a constant"),
    }
}

fn extract(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut patterns = call.prepared(1, |text| Pattern::compile(text, false))?;
    collect_parts(call.rows, |row| {
        let (Some(text), Some(pattern)) = (call.text(0, row), patterns.at(row)?) else { return Ok(None) };
        let group = match call.int(2, row) {
            Some(group) => group,
            None if call.len() > 2 => return Ok(None),
            None => 0,
        };
        let default = if call.len() > 3 { call.text(3, row) } else { Some("") };
        let Ok(group) = usize::try_from(group) else { return fault(format!("there is no group {group}")) };
        if group > pattern.groups() {
            return Ok(default);
        }
        match pattern.find(text, 0)? {
            Some(found) => Ok(found.group(group).map(|range| &text[range])),
            None => Ok(default),
        }
    })
}

fn replace(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let any_case = call.len() == 6 && call.text(5, 0) == Some("i");
    let mut patterns = match any_case {
        true => call.prepared(1, |text| Pattern::compile(text, true))?,
        false => call.prepared(1, |text| Pattern::compile(text, false))?,
    };
    collect(call.rows, |row| {
        let (Some(text), Some(pattern), Some(replacement)) =
            (call.text(0, row), patterns.at(row)?, call.text(2, row))
        else {
            return Ok(None);
        };
        if (3..call.len()).any(|position| call.is_null(position, row)) {
            return Ok(None);
        }
        let begin = call.int(3, row).unwrap_or(0);
        let occurrence = usize::try_from(call.int(4, row).unwrap_or(-1)).ok();
        let places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let begin = usize::try_from(begin).ok().and_then(|begin| places.clone().nth(begin));
        let Some(begin) = begin else { return fault("the begin lies outside of the text") };
        // The pattern sees the text from its begin only.
        replaced(&text[begin..], pattern, replacement, occurrence)
            .map(|rest| Some([&text[..begin], &rest].concat()))
    })
}

fn replaced(text: &str, pattern: &Pattern, replacement: &str, only: Option<usize>) -> Result<String, Fault> {
    let template = match only {
        Some(_) => None,
        None => Some(pattern::Template::parse(replacement, pattern)?),
    };
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    let mut number = 0;
    while let Some(found) = pattern.find(text, at)? {
        if only.is_none_or(|only| only == number) {
            out.push_str(&text[copied..found.start()]);
            match &template {
                Some(template) => template.push(&found, text, &mut out)?,
                None => out.push_str(replacement),
            }
            check_value(out.len())?;
            copied = found.end();
        }
        if only == Some(number) {
            break;
        }
        number += 1;
        match found.next(text) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.push_str(&text[copied..]);
    Ok(out)
}

fn count(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut patterns = call.prepared(1, |text| Pattern::compile(text, false))?;
    collect(call.rows, |row| {
        let (Some(text), Some(pattern)) = (call.text(0, row), patterns.at(row)?) else { return Ok(None) };
        let (mut count, mut at) = (0, Some(0));
        while let Some(found) = at.map(|at| pattern.find(text, at)).transpose()?.flatten() {
            count += 1;
            at = found.next(text);
        }
        Ok(Some(count_to_int(count)))
    })
}

fn substr(call: &Call<'_>) -> Result<ArrayRef, Fault> {
    let mut patterns = call.prepared(1, |text| Pattern::compile(text, false))?;
    collect_parts(call.rows, |row| {
        let (Some(text), Some(pattern)) = (call.text(0, row), patterns.at(row)?) else { return Ok(None) };
        Ok(pattern.find(text, 0)?.map(|found| &text[found.start()..found.end()]))
    })
}
