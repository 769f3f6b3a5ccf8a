//! Converts one JSON scalar to a column's type: Pinot's rules, except that nothing is lost in silence.
//!
//! A number that does not fit is [`RejectReason::OutOfRange`], a fraction in a column of whole numbers and text that is no
//! number are [`RejectReason::TypeMismatch`]; where Pinot would wrap, cut or store infinity. `None` is null. Text of
//! numbers is read as Java does, blanks around it included.

use std::fmt::Write;

use arrow::datatypes::i256;
use meunier_segment::reject::RejectReason;
use meunier_segment::value::{BIG_DECIMAL_SCALE, format_double, parse_big_decimal};

use super::document::Scalar;
use super::timestamp_text::LastDay;

/// A value, null, or why there is neither.
pub(super) type Coerced<T> = Result<Option<T>, RejectReason>;

const MISMATCH: RejectReason = RejectReason::TypeMismatch;
const RANGE: RejectReason = RejectReason::OutOfRange;
/// 2^63, the first double above every `i64`.
const I64_END: f64 = 9_223_372_036_854_775_808.0;

pub(super) fn to_int(scalar: Scalar<'_>) -> Coerced<i32> {
    Ok(match to_long(scalar)? {
        Some(value) => Some(i32::try_from(value).map_err(|_| RANGE)?),
        None => None,
    })
}

pub(super) fn to_long(scalar: Scalar<'_>) -> Coerced<i64> {
    match scalar {
        Scalar::Boolean(value) => Ok(Some(i64::from(value))),
        Scalar::Integer(value) => Ok(Some(value)),
        Scalar::Unsigned(_) | Scalar::Huge(_) => Err(RANGE),
        Scalar::Float(value) if value.fract() == 0.0 => whole_to_long(value).map(Some),
        Scalar::Float(_) => Err(MISMATCH),
        Scalar::Text(text) => text_to_long(trim(text)).map(Some),
    }
}

/// Reads milliseconds as a number, or any of the spellings of a date and time. What is finer than a millisecond is cut.
pub(super) fn to_timestamp(scalar: Scalar<'_>, last_day: &mut LastDay) -> Coerced<i64> {
    match scalar {
        Scalar::Boolean(_) => Err(MISMATCH),
        Scalar::Float(value) => whole_to_long(value.floor()).map(Some),
        Scalar::Text(text) => {
            let text = trim(text);
            last_day.parse(text).map(Some).ok_or(if is_integer(text) { RANGE } else { MISMATCH })
        }
        Scalar::Integer(_) | Scalar::Unsigned(_) | Scalar::Huge(_) => to_long(scalar),
    }
}

pub(super) fn to_float(scalar: Scalar<'_>) -> Coerced<f32> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "FLOAT rounds to the nearest"
    )]
    let value = match scalar {
        Scalar::Boolean(value) => f32::from(value),
        Scalar::Integer(value) => value as f32,
        Scalar::Unsigned(value) => value as f32,
        Scalar::Float(value) => value as f32,
        Scalar::Huge(text) => text.parse().map_err(|_| MISMATCH)?,
        Scalar::Text(text) => match float_text(text)? {
            FloatText::Special(value) => return Ok((!value.is_nan()).then_some(value)),
            FloatText::Decimal(text) => text.parse().map_err(|_| MISMATCH)?,
        },
    };
    // Adding zero turns -0.0 into 0.0 and changes nothing else.
    if value.is_finite() { Ok(Some(value + 0.0)) } else { Err(RANGE) }
}

pub(super) fn to_double(scalar: Scalar<'_>) -> Coerced<f64> {
    #[expect(clippy::cast_precision_loss, reason = "DOUBLE rounds to the nearest")]
    let value = match scalar {
        Scalar::Boolean(value) => f64::from(value),
        Scalar::Integer(value) => value as f64,
        Scalar::Unsigned(value) => value as f64,
        Scalar::Float(value) => value,
        Scalar::Huge(text) => text.parse().map_err(|_| MISMATCH)?,
        Scalar::Text(text) => match float_text(text)? {
            FloatText::Special(value) => return Ok((!value.is_nan()).then_some(f64::from(value))),
            FloatText::Decimal(text) => text.parse().map_err(|_| MISMATCH)?,
        },
    };
    if value.is_finite() { Ok(Some(value + 0.0)) } else { Err(RANGE) }
}

/// Converts exactly. A bare number with a fraction or exponent must come as [`Scalar::Huge`], with its own text.
pub(super) fn to_big_decimal(scalar: Scalar<'_>) -> Coerced<i256> {
    match scalar {
        Scalar::Boolean(value) => Ok(Some(scaled(i64::from(value).into()))),
        Scalar::Integer(value) => Ok(Some(scaled(value.into()))),
        Scalar::Unsigned(value) => Ok(Some(scaled(value.into()))),
        Scalar::Float(value) => decimal_text(&format_double(value)).map(Some),
        Scalar::Huge(text) => decimal_text(text).map(Some),
        Scalar::Text(text) => decimal_text(trim(text)).map(Some),
    }
}

/// Numbers other than zero are true; so are `true` in any case and `1`, and no other text is.
pub(super) fn to_boolean(scalar: Scalar<'_>) -> bool {
    match scalar {
        Scalar::Boolean(value) => value,
        Scalar::Integer(value) => value != 0,
        Scalar::Float(value) => value != 0.0,
        Scalar::Unsigned(_) | Scalar::Huge(_) => true,
        Scalar::Text(text) => trim(text) == "1" || trim(text).eq_ignore_ascii_case("true"),
    }
}

/// Appends the bytes of hexadecimal text; returns false, with some of them appended, for anything else.
pub(super) fn write_bytes(scalar: Scalar<'_>, out: &mut Vec<u8>) -> bool {
    let Scalar::Text(text) = scalar else {
        return false;
    };
    let (pairs, rest) = trim(text).as_bytes().as_chunks::<2>();
    let mut seen = 0;
    out.extend(pairs.iter().map(|[high, low]| {
        let (high, low) = (HEX_VALUES[usize::from(*high)], HEX_VALUES[usize::from(*low)]);
        seen |= high | low;
        high << 4 | low
    }));
    seen < 16 && rest.is_empty()
}

/// The value of each hexadecimal digit, 16 for all other bytes: a look-up, as digits and letters come in random order.
const HEX_VALUES: [u8; 256] = {
    let mut values = [16; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Appends the text of a scalar to `out`. Doubles look as Java prints them.
pub(super) fn write_text(scalar: Scalar<'_>, out: &mut String) {
    let written = match scalar {
        Scalar::Boolean(value) => write!(out, "{value}"),
        Scalar::Integer(value) => write!(out, "{value}"),
        Scalar::Unsigned(value) => write!(out, "{value}"),
        Scalar::Float(value) => out.write_str(&format_double(value)),
        Scalar::Huge(text) | Scalar::Text(text) => out.write_str(text),
    };
    written.expect("writing to a string cannot fail");
}

/// Takes off what Java's `trim` does: blanks and control characters.
fn trim(text: &str) -> &str {
    text.trim_matches(|letter| letter <= ' ')
}

fn whole_to_long(value: f64) -> Result<i64, RejectReason> {
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    if (-I64_END..I64_END).contains(&value) { Ok(value as i64) } else { Err(RANGE) }
}

fn text_to_long(text: &str) -> Result<i64, RejectReason> {
    text.parse().map_err(|_| if is_integer(text) { RANGE } else { MISMATCH })
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

enum FloatText<'a> {
    /// Not a number, or an infinity that was asked for by name.
    Special(f32),
    /// What Rust reads as Java does.
    Decimal(&'a str),
}

/// Java's grammar of floats, without its hexadecimal form.
fn float_text(text: &str) -> Result<FloatText<'_>, RejectReason> {
    let text = trim(text);
    match text.strip_prefix(['-', '+']).unwrap_or(text) {
        "NaN" => return Ok(FloatText::Special(f32::NAN)),
        "Infinity" if text.starts_with('-') => return Ok(FloatText::Special(f32::NEG_INFINITY)),
        "Infinity" => return Ok(FloatText::Special(f32::INFINITY)),
        unsigned if unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {}
        _ => return Err(MISMATCH),
    }
    Ok(FloatText::Decimal(text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text)))
}

fn scaled(whole: i128) -> i256 {
    const ONE: i256 = i256::from_i128(10_i128.pow(BIG_DECIMAL_SCALE.unsigned_abs() as u32));
    // 20 digits and 38 zeros are far below 76 digits.
    i256::from_i128(whole).wrapping_mul(ONE)
}

fn decimal_text(text: &str) -> Result<i256, RejectReason> {
    if let Some(value) = short_decimal(text.as_bytes()) {
        return Ok(value);
    }
    parse_big_decimal(text).ok_or_else(|| if is_decimal(text) { RANGE } else { MISMATCH })
}

/// Reads plain digits with at most one point, as long as they fit 64 bits: nearly all decimals there are.
fn short_decimal(text: &[u8]) -> Option<i256> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > 18 || !digits.first()?.is_ascii_digit() {
        return None;
    }
    let mut value = 0_i64;
    let mut point = None;
    for (i, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + i64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(i),
            _ => return None,
        }
    }
    let fraction_digits = point.map_or(0, |point| digits.len() - point - 1);
    let value = if is_negative { -value } else { value };
    let unit =
        10_i128.pow(u32::from(BIG_DECIMAL_SCALE.unsigned_abs()) - u32::try_from(fraction_digits).ok()?);
    Some(i256::from_i128(value.into()).wrapping_mul(i256::from_i128(unit)))
}

/// Returns whether text is a decimal number, be it one that cannot be stored.
fn is_decimal(text: &str) -> bool {
    let has_digit_first =
        text.trim_start_matches(['-', '+', '.']).starts_with(|first: char| first.is_ascii_digit());
    has_digit_first && text.parse::<f64>().is_ok()
}
