//! Numbers as Java reads, narrows and writes them.

/// Returns a floating number as a LONG: towards zero, NaN as 0, the nearest end where it is too large.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates as Java's does")]
pub(crate) fn double_to_long(value: f64) -> i64 {
    value as i64
}

/// Returns a floating number as an INT, as [`double_to_long`] does.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates as Java's does")]
pub(crate) fn double_to_int(value: f64) -> i32 {
    value as i32
}

/// Returns a LONG as a floating number, rounded where it has too many digits.
pub(crate) fn long_to_double(value: i64) -> f64 {
    value as f64
}

/// Returns the low 32 bits of a LONG, as Java's cast does.
#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
pub(crate) fn long_to_int(value: i64) -> i32 {
    value as i32
}

/// Returns a count as an INT; no array or text is long enough to pass its end.
pub(crate) fn count_to_int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Reads an INT; a decimal number counts by its whole part, as in Pinot's casts.
pub(crate) fn parse_int(text: &str) -> Option<i32> {
    text.parse().ok().or_else(|| {
        let value = double_to_long(parse_double(text)?);
        i32::try_from(value).ok()
    })
}

/// Reads a LONG; a decimal number counts by its whole part.
pub(crate) fn parse_long(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| parse_double(text).filter(|value| value.is_finite()).map(double_to_long))
}

/// Reads a FLOAT.
pub(crate) fn parse_float(text: &str) -> Option<f32> {
    text.parse().ok()
}

/// Reads a DOUBLE.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Reads a BOOLEAN: `true` in any case and `1` are true, anything else is not.
pub(crate) fn parse_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text == "1"
}

/// Writes a DOUBLE as Java does: plain from a thousandth to ten million, scientific elsewhere.
pub(crate) fn double_text(value: f64) -> String {
    let plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    java_text(value.is_nan(), value.is_infinite(), value < 0.0, plain, format!("{value:?}"), || {
        format!("{value:E}")
    })
}

/// Writes a FLOAT as Java does.
pub(crate) fn float_text(value: f32) -> String {
    let plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    java_text(value.is_nan(), value.is_infinite(), value < 0.0, plain, format!("{value:?}"), || {
        format!("{value:E}")
    })
}

fn java_text(
    nan: bool,
    infinite: bool,
    negative: bool,
    plain: bool,
    plain_text: String,
    scientific: impl Fn() -> String,
) -> String {
    match (nan, infinite) {
        (true, _) => "NaN".to_owned(),
        (_, true) if negative => "-Infinity".to_owned(),
        (_, true) => "Infinity".to_owned(),
        _ if plain => plain_text,
        _ => {
            let text = scientific();
            match text.split_once('E') {
                Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
                _ => text,
            }
        }
    }
}
