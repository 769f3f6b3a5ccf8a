//! "Did you mean": the known word that is nearest to one that was written.
//!
//! Words are compared without regard to case, by the number of single-character edits (insert, delete, replace, swap of
//! two neighbours). A word is only offered when it is near enough to be a likely slip.

/// Longest word that is compared, in characters; a longer one gets no suggestion. Keeps the work small for any input.
const WORD_LENGTH_MAX: usize = 64;

/// Returns the candidate nearest to `word`, or `None` when none is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = folded(word)?;
    // Of words that are equally near, the shorter one and then the first in the alphabet.
    let mut best: Option<(usize, usize, &'a str)> = None;
    for candidate in candidates {
        let Some(letters) = folded(candidate) else { continue };
        let edits = edit_distance(&word, &letters);
        let near_enough = edits <= edits_max(word.len().max(letters.len()));
        let found = (edits, letters.len(), candidate);
        if near_enough && best.is_none_or(|best| found < best) {
            best = Some(found);
        }
    }
    best.map(|(.., candidate)| candidate)
}

/// Returns `; did you mean …?` for the nearest candidate, or nothing: made to stand at the end of a message.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map(|found| format!("; did you mean `{found}`?")).unwrap_or_default()
}

/// Returns whether a word is another one with a slip or two.
pub fn is_slip(word: &str, other: &str) -> bool {
    let (Some(word), Some(other)) = (folded(word), folded(other)) else { return false };
    let edits = edit_distance(&word, &other);
    edits > 0 && edits <= edits_max(word.len().max(other.len())).min(2)
}

fn folded(word: &str) -> Option<Vec<char>> {
    let letters: Vec<char> = word.chars().flat_map(char::to_lowercase).take(WORD_LENGTH_MAX + 1).collect();
    (letters.len() <= WORD_LENGTH_MAX).then_some(letters)
}

/// One slip in a short word, one more for every four further characters.
fn edits_max(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=5 => 1,
        _ => (length / 4 + 1).min(6),
    }
}

fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests;
