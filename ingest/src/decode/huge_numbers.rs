//! Finds the numbers that simd-json refuses although they are valid JSON: integers beyond 64 bits, and floats beyond the
//! largest double. A record must not be lost because of one in a column that could hold it, or that nobody reads.

use std::str;

/// Replaces each huge number of `text` by a zero and spaces in `copy`, and returns whether there was one. Text that is not
/// JSON stays text that is not JSON.
pub(super) fn mask(text: &[u8], copy: &mut [u8]) -> bool {
    let mut found = false;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => at = string_end(text, at),
            b'-' | b'0'..=b'9' => {
                let end = number_end(text, at);
                if is_huge(&text[at..end]) {
                    copy[at..end].fill(b' ');
                    copy[at] = b'0';
                    found = true;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

/// Returns where the run of bytes that can occur in a number ends.
pub(super) fn number_end(text: &[u8], start: usize) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    text[start..].iter().position(|byte| !is_part(byte)).map_or(text.len(), |length| start + length)
}

fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() {
        match text[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn is_huge(number: &[u8]) -> bool {
    let Some(number) = str::from_utf8(number).ok().filter(|number| is_json_number(number)) else {
        return false;
    };
    if number.contains(['.', 'e', 'E']) {
        return number.parse::<f64>().is_ok_and(f64::is_infinite);
    }
    number.parse::<u64>().is_err() && number.parse::<i64>().is_err()
}

/// Checks JSON's grammar of numbers: sign, digits without a leading zero, fraction, exponent.
fn is_json_number(number: &str) -> bool {
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (unsigned, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && !has_leading_zero && is_digits(fraction) && is_digits(exponent)
}
