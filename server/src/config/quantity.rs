//! Sizes and durations as settings write them: `64MiB`, `10s`, `1h30m`.

use std::time::Duration;

/// Reads a size in bytes: a whole number with KiB, MiB, GiB or TiB, or B. `K`, `KB` and so on mean the same, steps of 1024.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text.trim())?;
    let shift = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

/// Reads a duration: whole numbers with units, the longest first, such as `500ms`, `10s`, `1h30m`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let mut units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)].iter();
    let mut rest = text.trim();
    let mut millis: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, factor) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.checked_mul(*factor)?)?;
        rest = after;
    }
    Some(Duration::from_millis(millis))
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes_and_durations_and_nothing_that_only_looks_like_one() {
        assert_eq!(parse_size("64MiB"), Some(64 << 20));
        assert_eq!(parse_size("1 g"), Some(1 << 30));
        assert_eq!(parse_size("512"), Some(512));
        for text in ["", "MiB", "-1", "1.5G", "1XB", "99999999999T", "1MiB2"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        assert_eq!(parse_duration("10m"), Some(Duration::from_secs(600)));
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        for text in ["", "10", "m", "1m1h", "1m1m", "-1s", "1.5s", "10 s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
