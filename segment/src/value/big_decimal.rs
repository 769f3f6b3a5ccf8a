//! BIG_DECIMAL as text. Reading is exact: a number that the stored form cannot hold is refused, never rounded.
//!
//! Stored: an integer of up to [`BIG_DECIMAL_PRECISION`] digits, the last [`BIG_DECIMAL_SCALE`] of them after the point.

use arrow::datatypes::i256;

use super::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE};

const DIGITS_MAX: usize = BIG_DECIMAL_PRECISION as usize;
const FRACTION_DIGITS: usize = BIG_DECIMAL_SCALE.unsigned_abs() as usize;

/// Reads plain (`-12.50`) and exponent (`1.25e3`) notation; `None` when it is neither, or too large or too fine.
pub fn parse_big_decimal(text: &str) -> Option<i256> {
    let (negative, unsigned) = split_sign(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let only_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !only_digits
        || (whole.is_empty() && fraction.is_empty())
        || exponent.is_some_and(|text| !is_exponent(text))
    {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(i256::ZERO);
    }
    let exponent: i64 = exponent.map_or(Some(0), |text| text.parse().ok())?;
    let zeros = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(i64::from(BIG_DECIMAL_SCALE))?;
    let unscaled = i256::from_string(&shift(digits, zeros)?)?;
    Some(if negative { unscaled.wrapping_neg() } else { unscaled })
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn is_exponent(text: &str) -> bool {
    let (_, digits) = split_sign(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Appends zeros, or takes away as many that are there; `None` when digits would be lost or become too many.
fn shift(digits: &str, zeros: i64) -> Option<String> {
    let count = usize::try_from(zeros.unsigned_abs()).ok()?;
    if zeros < 0 {
        let (kept, cut) = digits.split_at_checked(digits.len().checked_sub(count)?)?;
        let exact = cut.bytes().all(|byte| byte == b'0') && kept.len() <= DIGITS_MAX;
        return exact.then(|| kept.to_string()).filter(|kept| !kept.is_empty());
    }
    let fits = digits.len().checked_add(count)? <= DIGITS_MAX;
    fits.then(|| format!("{digits}{}", "0".repeat(count)))
}

/// Writes plain notation, without an exponent and without zeros at the end of the fraction.
pub fn format_big_decimal(unscaled: i256) -> String {
    let text = unscaled.to_string();
    let (negative, digits) = split_sign(&text);
    let padded = format!("{digits:0>width$}", width = FRACTION_DIGITS + 1);
    let (whole, fraction) = padded.split_at(padded.len() - FRACTION_DIGITS);
    let fraction = fraction.trim_end_matches('0');
    let sign = if negative { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}
