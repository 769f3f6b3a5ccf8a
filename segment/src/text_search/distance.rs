//! How far two words are from each other.

/// Returns whether a word becomes the other by at most so many edits: a letter put in, left out or changed for another, or
/// two neighbours in each other's place, which nothing else changes then.
pub(super) fn is_near(first: &str, second: &str, edits_max: usize) -> bool {
    let (first, second): (Vec<char>, Vec<char>) = (first.chars().collect(), second.chars().collect());
    if first.len().abs_diff(second.len()) > edits_max {
        return false;
    }
    let mut two_above: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=second.len()).collect();
    for (row, letter) in first.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in second.iter().enumerate() {
            let changed = above[column] + usize::from(letter != other);
            let mut least = changed.min(above[column + 1] + 1).min(line[column] + 1);
            let are_crossed =
                row > 0 && column > 0 && first[row - 1] == *other && second[column - 1] == *letter;
            if are_crossed {
                least = least.min(two_above[column - 1] + 1);
            }
            line.push(least);
        }
        two_above = std::mem::replace(&mut above, line);
    }
    above[second.len()] <= edits_max
}
