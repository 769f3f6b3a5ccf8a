//! How near texts are to each other.

use crate::description::FunctionGroup::Text as Group;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::number::count_to_int;
use crate::scalar::rows::{Text, fault, row1, row2};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Group,
            &["strcmp"],
            "strcmp(first, second)",
            "Negative, 0 or positive as the first text is less, equal or greater.",
            [row2::<Text, Text, _>(compare)],
        ),
        Function::new(
            Group,
            &["hammingDistance"],
            "hammingDistance(first, second)",
            "At how many places texts of one length differ; -1 for texts of two lengths.",
            [row2::<Text, Text, _>(hamming_distance)],
        ),
        Function::new(
            Group,
            &["levenshteinDistance"],
            "levenshteinDistance(first, second)",
            "How many letters must be put in, taken out or replaced to make one text the other.",
            [row2::<Text, Text, _>(edit_distance)],
        ),
        Function::new(
            Group,
            &["soundex"],
            "soundex(text)",
            "A letter and three digits for how an English word sounds.",
            [row1::<Text, _>(soundex)],
        ),
        Function::new(
            Group,
            &["difference"],
            "difference(first, second)",
            "At how many places, of four, the sounds of two words agree.",
            [row2::<Text, Text, _>(|first, second| {
                let (first, second) = (soundex(first)?, soundex(second)?);
                Ok::<_, Fault>(count_to_int(
                    first.chars().zip(second.chars()).filter(|(a, b)| a == b).count(),
                ))
            })],
        ),
    ]
}

/// Java's order: by UTF-16 units, the distance of the first that differ, else of the lengths.
fn compare(first: &str, second: &str) -> i32 {
    let mut units = first.encode_utf16().zip(second.encode_utf16());
    match units.find(|(a, b)| a != b) {
        Some((a, b)) => i32::from(a) - i32::from(b),
        None => count_to_int(first.encode_utf16().count()) - count_to_int(second.encode_utf16().count()),
    }
}

fn hamming_distance(first: &str, second: &str) -> i32 {
    if first.chars().count() != second.chars().count() {
        return -1;
    }
    count_to_int(first.chars().zip(second.chars()).filter(|(a, b)| a != b).count())
}

/// Most pairs of letters that are compared for one distance: a millisecond.
const PAIRS_MAX: usize = 1 << 20;

fn edit_distance(first: &str, second: &str) -> Result<i32, Fault> {
    let (first, second): (Vec<_>, Vec<_>) = (first.chars().collect(), second.chars().collect());
    if first.len().saturating_mul(second.len()) > PAIRS_MAX {
        return fault(format!(
            "texts of {} and {} letters are too long to compare",
            first.len(),
            second.len()
        ));
    }
    let mut distances: Vec<usize> = (0..=second.len()).collect();
    for (place, letter) in first.iter().enumerate() {
        let mut diagonal = distances[0];
        distances[0] = place + 1;
        for (other_place, other) in second.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = distances[other_place + 1];
            distances[other_place + 1] = replaced.min(diagonal + 1).min(distances[other_place] + 1);
        }
    }
    Ok(count_to_int(distances[second.len()]))
}

fn soundex(text: &str) -> Result<String, Fault> {
    const SOUNDS: &[u8; 26] = b"01230120022455012623010202";
    if text.is_empty() {
        return Ok("0000".to_owned());
    }
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).flat_map(char::to_uppercase);
    let mut code = String::with_capacity(4);
    let mut last = '0';
    for letter in letters {
        let sound = match letter {
            'A'..='Z' => char::from(SOUNDS[letter as usize - 'A' as usize]),
            _ => return fault(format!("`{letter}` is no English letter")),
        };
        if code.is_empty() {
            code.push(letter);
            last = sound;
        } else if code.len() < 4 && !matches!(letter, 'H' | 'W') {
            if sound != '0' && sound != last {
                code.push(sound);
            }
            last = sound;
        }
    }
    while !code.is_empty() && code.len() < 4 {
        code.push('0');
    }
    Ok(code)
}
