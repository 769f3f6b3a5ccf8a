//! Texts in pieces.

use std::collections::HashSet;

use crate::description::FunctionGroup::Text as Group;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::rows::{Long, Nullable, Text, Texts, row2, row3, row4};
use crate::scalar::sink::check_value;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["split", "stringToArray"],
            "split(text, delimiter[, limit])",
            "The pieces between delimiters, at most so many; delimiters in a row count as one.",
            [
                row2::<Text, Text, _>(|text, delimiter| owned(split_whole(text, delimiter, 0))),
                row3::<Text, Text, Long, _>(|text, delimiter, limit| {
                    owned(split_whole(text, delimiter, limit))
                }),
            ],
        ),
        Function::new(
            Group,
            &["splitPart"],
            "splitPart(text, delimiter[, limit], index)",
            "The piece at an index from 0, or from the end where it is negative; 'null' where there is none.",
            [
                row3::<Text, Text, Long, _>(|text, delimiter, index| piece(text, delimiter, 0, index)),
                row4::<Text, Text, Long, Long, _>(piece),
            ],
        ),
        Function::new(
            Group,
            &["prefixes"],
            "prefixes(text, length)",
            "The begins of the text of one letter, of two, up to a length.",
            [row2::<Text, Long, _>(|text, length| begins(text, length, ""))],
        ),
        Function::new(
            Group,
            &["prefixesWithPrefix"],
            "prefixesWithPrefix(text, length, prefix)",
            "The begins of the text up to a length, each behind a prefix.",
            [row3::<Text, Long, Nullable<Text>, _>(|text, length, prefix| {
                begins(text, length, prefix.unwrap_or_default())
            })],
        ),
        Function::new(
            Group,
            &["suffixes"],
            "suffixes(text, length)",
            "The ends of the text of one letter, of two, up to a length.",
            [row2::<Text, Long, _>(|text, length| ends(text, length, ""))],
        ),
        Function::new(
            Group,
            &["suffixesWithSuffix"],
            "suffixesWithSuffix(text, length, suffix)",
            "The ends of the text up to a length, each with a suffix.",
            [row3::<Text, Long, Nullable<Text>, _>(|text, length, suffix| {
                ends(text, length, suffix.unwrap_or_default())
            })],
        ),
        Function::new(
            Group,
            &["uniqueNgrams", "generateUniqueNgrams", "uniqueNgramsMV", "generateUniqueNgramsMV"],
            "uniqueNgrams(text, length[, lengthMax])",
            "The different parts of a length, or of the lengths between two; also of an array's texts.",
            [
                row2::<Texts, Long, _>(|texts, length| ngrams(&texts, length, length)),
                row3::<Texts, Long, Long, _>(|texts, least, most| ngrams(&texts, least, most)),
            ],
        ),
    ]
}

fn owned(pieces: Vec<&str>) -> Vec<String> {
    pieces.into_iter().map(str::to_owned).collect()
}

/// Splits by a delimiter as a whole: those in a row count as one, one at the end leaves an empty piece. Without a delimiter,
/// by blanks. The last of `limit` pieces is the rest; 0 is no limit.
fn split_whole<'a>(text: &'a str, delimiter: &str, limit: i64) -> Vec<&'a str> {
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let mut pieces = Vec::new();
    if text.is_empty() {
        return pieces;
    }
    if delimiter.is_empty() {
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let end = if pieces.len() + 1 == limit { None } else { rest.find(char::is_whitespace) };
            let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
            pieces.push(piece);
            rest = after.trim_start();
        }
        return pieces;
    }
    let mut begin = 0;
    loop {
        match text[begin..].find(delimiter) {
            Some(0) => begin += delimiter.len(),
            Some(_) if pieces.len() + 1 == limit => {
                pieces.push(&text[begin..]);
                return pieces;
            }
            Some(length) => {
                pieces.push(&text[begin..begin + length]);
                begin += length + delimiter.len();
            }
            None => {
                pieces.push(&text[begin..]);
                return pieces;
            }
        }
    }
}

fn piece(text: &str, delimiter: &str, limit: i64, index: i64) -> String {
    let pieces = split_whole(text, delimiter, limit);
    let place = match usize::try_from(index) {
        Ok(place) => Some(place),
        Err(_) => usize::try_from(index.unsigned_abs()).ok().and_then(|back| pieces.len().checked_sub(back)),
    };
    place.and_then(|place| pieces.get(place)).copied().unwrap_or("null").to_owned()
}

fn begins(text: &str, length: i64, prefix: &str) -> Result<Vec<String>, Fault> {
    let count = usize::try_from(length).unwrap_or(0);
    let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8()).take(count);
    let ends: Vec<_> = ends.collect();
    check_value(ends.iter().map(|end| end + prefix.len()).sum())?;
    Ok(ends.into_iter().map(|end| [prefix, &text[..end]].concat()).collect())
}

fn ends(text: &str, length: i64, suffix: &str) -> Result<Vec<String>, Fault> {
    let count = usize::try_from(length).unwrap_or(0);
    let begins: Vec<_> = text.char_indices().rev().map(|(at, _)| at).take(count).collect();
    check_value(begins.iter().map(|begin| text.len() - begin + suffix.len()).sum())?;
    Ok(begins.into_iter().map(|begin| [&text[begin..], suffix].concat()).collect())
}

fn ngrams(texts: &[String], least: i64, most: i64) -> Result<Vec<String>, Fault> {
    let mut known = HashSet::new();
    let mut grams = Vec::new();
    let mut bytes = 0;
    for text in texts {
        let places: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let longest = usize::try_from(most).unwrap_or(0).min(places.len() - 1);
        for length in usize::try_from(least).unwrap_or(1).max(1)..=longest {
            for window in places.windows(length + 1) {
                let gram = &text[window[0]..window[length]];
                // What is looked at counts, so that many equal ones take no longer than as many different ones.
                bytes += gram.len();
                check_value(bytes)?;
                if known.insert(gram) {
                    grams.push(gram.to_owned());
                }
            }
        }
    }
    Ok(grams)
}
