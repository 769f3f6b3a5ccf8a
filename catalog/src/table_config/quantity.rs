//! Sizes and periods as Pinot's configs write them: `200M`, `1.5G`; `6h`, `1d`, `1h30m`.

use std::time::Duration;

/// Reads a size in bytes: a number with an optional K, M, G, T or P (steps of 1024) and an optional B.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits_end);
    let factor: u64 = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" => 1 << 10,
        "M" | "MB" => 1 << 20,
        "G" | "GB" => 1 << 30,
        "T" | "TB" => 1 << 40,
        "P" | "PB" => 1 << 50,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(factor)?.checked_add(fraction_of(fraction, factor)?)
}

/// A decimal fraction of `factor`, rounded down; at most nine digits count.
fn fraction_of(digits: &str, factor: u64) -> Option<u64> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let counted: String = digits.chars().chain("000000000".chars()).take(9).collect();
    let billionths: u128 = counted.parse().ok().filter(|_| all_digits)?;
    u64::try_from(u128::from(factor) * billionths / 1_000_000_000).ok()
}

/// Units of a period, longest first, as they must stand in the text.
const PERIOD_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a period such as `1d`, `1h30m` or `500ms`: whole numbers with units, the longest unit first.
pub fn parse_period(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut millis: u64 = 0;
    let mut units = PERIOD_UNITS.iter();
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, factor) = units.find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = after;
    }
    (!text.trim().is_empty()).then(|| Duration::from_millis(millis))
}

/// Reads a period, or a plain number of milliseconds.
pub(super) fn parse_period_or_millis(text: &str) -> Option<Duration> {
    parse_period(text).or_else(|| text.trim().parse().ok().map(Duration::from_millis))
}

#[cfg(test)]
mod tests;
