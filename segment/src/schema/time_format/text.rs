//! Times written by a pattern, as milliseconds. Only patterns that sort as text are read: those of time columns.

use super::{TimeFormat, pattern_sorts_as_text};
use crate::value::parse_timestamp;

impl TimeFormat {
    /// Returns a value of this format as milliseconds since the epoch, a pattern's text read as if it were UTC. `None` when
    /// it is no such value.
    pub fn text_millis(&self, text: &str) -> Option<i64> {
        match self {
            TimeFormat::Epoch { .. } => self.epoch_millis(text.parse().ok()?),
            TimeFormat::Timestamp | TimeFormat::SimpleDate { pattern: None, .. } => parse_timestamp(text),
            TimeFormat::SimpleDate { pattern: Some(pattern), .. } => millis_by_pattern(pattern, text),
        }
    }

    /// Returns whether text of this format is in a zone of its own, so that [`TimeFormat::text_millis`] is off by its
    /// distance from UTC.
    pub fn has_zone(&self) -> bool {
        matches!(self, TimeFormat::SimpleDate { zone: Some(zone), .. } if !zone.eq_ignore_ascii_case("UTC"))
    }
}

fn millis_by_pattern(pattern: &str, text: &str) -> Option<i64> {
    if !pattern_sorts_as_text(pattern) {
        return None;
    }
    // Year, month, day, hour, minute, second, fraction.
    let mut parts = [1970_i64, 1, 1, 0, 0, 0, 0];
    let mut rest = text;
    let mut letters = pattern.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        let part = if quoted { None } else { "yMdHmsS".find(if letter == 'Y' { 'y' } else { letter }) };
        match (letter, part) {
            ('\'', _) => quoted = !quoted,
            (_, Some(part)) => {
                let mut width = 1;
                while letters.next_if_eq(&letter).is_some() {
                    width += 1;
                }
                let (digits, behind) = rest.split_at_checked(width)?;
                if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                parts[part] = match part {
                    6 => format!("{digits:0<3}").get(..3)?.parse().ok()?,
                    _ => digits.parse().ok()?,
                };
                rest = behind;
            }
            (literal, None) => rest = rest.strip_prefix(literal)?,
        }
    }
    let [year, month, day, hour, minute, second, millis] = parts;
    let is_whole = rest.is_empty();
    let written = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}");
    is_whole.then(|| parse_timestamp(&written)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_by_patterns_that_sort() {
        let check = |format: &str, text: &str, millis: Option<i64>| {
            let format = TimeFormat::parse(format).expect("the format is valid");
            assert_eq!(format.text_millis(text), millis, "{format} {text}");
        };
        check("1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd", "19700102", Some(86_400_000));
        check("1:DAYS:SIMPLE_DATE_FORMAT:yyyy-MM-dd HH:mm", "2000-03-01 00:01", Some(951_868_860_000));
        check("1:DAYS:SIMPLE_DATE_FORMAT:yyyy-MM-dd'T'HH:mm:ss.SSS", "1970-01-01T00:00:01.005", Some(1_005));
        check("1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd", "19700230", None);
        check("1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd", "1970010", None);
        check("1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd", "197001022", None);
        check("1:DAYS:SIMPLE_DATE_FORMAT:dd/MM/yyyy", "01/01/1970", None);
        check("1:HOURS:EPOCH", "2", Some(7_200_000));
        check("SIMPLE_DATE_FORMAT", "1970-01-01T00:00:01Z", Some(1_000));
    }
}
