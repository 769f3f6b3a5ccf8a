//! The format of a date-time column, in Pinot's two spellings.
//!
//! | colon | pipe |
//! |---|---|
//! | `1:HOURS:EPOCH` | `EPOCH|HOURS` or `EPOCH|HOURS|1` |
//! | `1:MILLISECONDS:TIMESTAMP` | `TIMESTAMP` |
//! | `1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd tz(Europe/Paris)` | `SIMPLE_DATE_FORMAT|yyyyMMdd|Europe/Paris` |
//!
//! The first character decides: a digit begins the colon spelling.

mod text;

use std::fmt;

use crate::nearest::did_you_mean;

/// A unit of time, with Java's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// `DAYS`.
    Days,
    /// `HOURS`.
    Hours,
    /// `MINUTES`.
    Minutes,
    /// `SECONDS`.
    Seconds,
    /// `MILLISECONDS`.
    Milliseconds,
    /// `MICROSECONDS`.
    Microseconds,
    /// `NANOSECONDS`.
    Nanoseconds,
}

impl TimeUnit {
    /// All units, longest first.
    pub const ALL: [TimeUnit; 7] = [
        TimeUnit::Days,
        TimeUnit::Hours,
        TimeUnit::Minutes,
        TimeUnit::Seconds,
        TimeUnit::Milliseconds,
        TimeUnit::Microseconds,
        TimeUnit::Nanoseconds,
    ];

    /// Returns the unit of a Java name, in either case.
    pub fn parse(name: &str) -> Option<TimeUnit> {
        TimeUnit::ALL.into_iter().find(|unit| unit.name().eq_ignore_ascii_case(name))
    }

    /// Returns Java's name.
    pub fn name(self) -> &'static str {
        match self {
            TimeUnit::Days => "DAYS",
            TimeUnit::Hours => "HOURS",
            TimeUnit::Minutes => "MINUTES",
            TimeUnit::Seconds => "SECONDS",
            TimeUnit::Milliseconds => "MILLISECONDS",
            TimeUnit::Microseconds => "MICROSECONDS",
            TimeUnit::Nanoseconds => "NANOSECONDS",
        }
    }

    /// Returns `count` of this unit in milliseconds, rounded down; `None` when it is out of range.
    pub fn to_millis(self, count: i64) -> Option<i64> {
        match self {
            TimeUnit::Days => count.checked_mul(86_400_000),
            TimeUnit::Hours => count.checked_mul(3_600_000),
            TimeUnit::Minutes => count.checked_mul(60_000),
            TimeUnit::Seconds => count.checked_mul(1_000),
            TimeUnit::Milliseconds => Some(count),
            TimeUnit::Microseconds => Some(count.div_euclid(1_000)),
            TimeUnit::Nanoseconds => Some(count.div_euclid(1_000_000)),
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a date-time column's values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// A number that counts steps of `size` units since the epoch.
    Epoch {
        /// Units a step; at least 1.
        size: u32,
        /// The unit.
        unit: TimeUnit,
    },
    /// Milliseconds since the epoch, or date and time as text: TIMESTAMP columns.
    Timestamp,
    /// Text, or a number of its digits, by a Joda pattern.
    SimpleDate {
        /// Joda's pattern; `None` means ISO-8601.
        pattern: Option<String>,
        /// The zone that text without one is in; `None` means UTC.
        zone: Option<String>,
    },
}

/// Why a format could not be read, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TimeFormatError(pub String);

impl TimeFormat {
    /// Reads either spelling.
    ///
    /// # Errors
    /// Says which part is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<TimeFormat, TimeFormatError> {
        let text = text.trim();
        if text.starts_with(|c: char| c.is_ascii_digit()) { parse_colons(text) } else { parse_pipes(text) }
    }

    /// Returns a value of this format as milliseconds since the epoch. `None` for a pattern, whose values have no fixed
    /// step, and for what is out of range.
    pub fn epoch_millis(&self, value: i64) -> Option<i64> {
        match self {
            TimeFormat::Epoch { size, unit } => unit.to_millis(value.checked_mul(i64::from(*size))?),
            TimeFormat::Timestamp => Some(value),
            TimeFormat::SimpleDate { .. } => None,
        }
    }

    /// Returns whether values, compared as text, are in the order of time: fixed-width digits, largest unit first.
    pub fn sorts_as_text(&self) -> bool {
        match self {
            TimeFormat::Epoch { .. }
            | TimeFormat::Timestamp
            | TimeFormat::SimpleDate { pattern: None, .. } => true,
            TimeFormat::SimpleDate { pattern: Some(pattern), .. } => pattern_sorts_as_text(pattern),
        }
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeFormat::Epoch { size, unit } => write!(f, "{size}:{unit}:EPOCH"),
            TimeFormat::Timestamp => f.write_str("1:MILLISECONDS:TIMESTAMP"),
            TimeFormat::SimpleDate { pattern, zone } => {
                f.write_str("1:DAYS:SIMPLE_DATE_FORMAT")?;
                if let Some(pattern) = pattern {
                    write!(f, ":{pattern}")?;
                }
                match (pattern, zone) {
                    (_, None) => Ok(()),
                    (Some(_), Some(zone)) => write!(f, " tz({zone})"),
                    (None, Some(zone)) => write!(f, ":tz({zone})"),
                }
            }
        }
    }
}

/// Says what is wrong with a granularity (`1:HOURS`, `HOURS|1` or `HOURS`); `None` when it is right.
pub fn check_granularity(text: &str) -> Option<String> {
    let text = text.trim();
    let (size, unit) = match (text.split_once(':'), text.split_once('|')) {
        (Some((size, unit)), _) => (size, unit),
        (None, Some((unit, size))) => (size, unit),
        (None, None) => ("1", text),
    };
    let fault = parse_size(size).err().or_else(|| parse_unit(unit).err());
    fault.map(|error| format!("the granularity `{text}` is not of the form `1:HOURS`: {error}"))
}

fn parse_colons(text: &str) -> Result<TimeFormat, TimeFormatError> {
    let mut parts = text.splitn(4, ':');
    let (Some(size), Some(unit), Some(form)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(TimeFormatError(format!(
            "the format `{text}` has too few parts: write for example `1:MILLISECONDS:EPOCH` or \
             `1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd`"
        )));
    };
    let rest = parts.next();
    let (size, unit) = (parse_size(size)?, parse_unit(unit)?);
    match (form, rest) {
        ("EPOCH", None) => Ok(TimeFormat::Epoch { size, unit }),
        ("TIMESTAMP", None) => Ok(TimeFormat::Timestamp),
        ("SIMPLE_DATE_FORMAT", rest) => {
            let (pattern, zone) = split_zone(rest.unwrap_or(""))?;
            simple_date(pattern, zone)
        }
        ("EPOCH" | "TIMESTAMP", Some(rest)) => Err(TimeFormatError(format!(
            "`:{rest}` after `{form}` means nothing: write `{size}:{unit}:{form}`"
        ))),
        (form, _) => Err(unknown_form(form)),
    }
}

fn parse_pipes(text: &str) -> Result<TimeFormat, TimeFormatError> {
    let mut parts = text.splitn(3, '|');
    let form = parts.next().unwrap_or("");
    let (first, second) = (parts.next(), parts.next());
    match form {
        "EPOCH" => {
            let Some(unit) = first else {
                return Err(TimeFormatError(
                    "`EPOCH` needs a unit: write for example `EPOCH|MILLISECONDS`".into(),
                ));
            };
            Ok(TimeFormat::Epoch { size: parse_size(second.unwrap_or("1"))?, unit: parse_unit(unit)? })
        }
        "TIMESTAMP" if first.is_none() => Ok(TimeFormat::Timestamp),
        "TIMESTAMP" => Err(TimeFormatError("nothing may follow `TIMESTAMP|`: write `TIMESTAMP`".into())),
        "SIMPLE_DATE_FORMAT" => simple_date(first.unwrap_or(""), second.map(str::to_string)),
        form => Err(unknown_form(form)),
    }
}

fn unknown_form(form: &str) -> TimeFormatError {
    const FORMS: [&str; 3] = ["EPOCH", "TIMESTAMP", "SIMPLE_DATE_FORMAT"];
    let hint = did_you_mean(form, FORMS);
    TimeFormatError(format!("`{form}` is no time format: write EPOCH, TIMESTAMP or SIMPLE_DATE_FORMAT{hint}"))
}

fn parse_size(text: &str) -> Result<u32, TimeFormatError> {
    let size = text.parse().ok().filter(|size| *size > 0);
    size.ok_or_else(|| TimeFormatError(format!("`{text}` is no size: write a whole number from 1")))
}

fn parse_unit(text: &str) -> Result<TimeUnit, TimeFormatError> {
    TimeUnit::parse(text).ok_or_else(|| {
        let names = TimeUnit::ALL.map(TimeUnit::name);
        let hint = did_you_mean(text, names);
        TimeFormatError(format!("`{text}` is no unit of time: write one of {}{hint}", names.join(", ")))
    })
}

/// Takes `tz(…)` off the end of a pattern in the colon spelling.
fn split_zone(text: &str) -> Result<(&str, Option<String>), TimeFormatError> {
    let Some(at) = text.find("tz(") else { return Ok((text, None)) };
    let zone = text[at + 3..].trim_end().strip_suffix(')');
    let Some(zone) = zone else {
        return Err(TimeFormatError(format!(
            "`{}` has no closing bracket: write `tz(Europe/Paris)`",
            &text[at..]
        )));
    };
    Ok((text[..at].trim_end(), Some(zone.to_string())))
}

fn simple_date(pattern: &str, zone: Option<String>) -> Result<TimeFormat, TimeFormatError> {
    let zone = zone.map(|zone| zone.trim().to_string()).filter(|zone| !zone.is_empty());
    let name_letter = |c: char| c.is_ascii_alphanumeric() || "/_+-:".contains(c);
    if let Some(zone) = zone.as_deref().filter(|zone| !zone.chars().all(name_letter)) {
        return Err(TimeFormatError(format!(
            "`{zone}` is no time zone: write for example Europe/Paris or +01:00"
        )));
    }
    check_pattern(pattern)?;
    let pattern = Some(pattern.to_string()).filter(|pattern| !pattern.is_empty());
    Ok(TimeFormat::SimpleDate { pattern, zone })
}

/// Letters that mean something in a Joda pattern.
const PATTERN_LETTERS: &str = "GCYxwecEyDMdaKhHkmsSzZ";

fn check_pattern(pattern: &str) -> Result<(), TimeFormatError> {
    for c in unquoted(pattern) {
        if c.is_ascii_alphabetic() && !PATTERN_LETTERS.contains(c) {
            return Err(TimeFormatError(format!(
                "the letter `{c}` means nothing in the date pattern `{pattern}`: put plain text in single quotes"
            )));
        }
    }
    if pattern.matches('\'').count() % 2 == 1 {
        return Err(TimeFormatError(format!("a single quote is not closed in the date pattern `{pattern}`")));
    }
    Ok(())
}

/// The characters outside single quotes.
fn unquoted(pattern: &str) -> impl Iterator<Item = char> {
    pattern.split('\'').step_by(2).flat_map(str::chars)
}

fn pattern_sorts_as_text(pattern: &str) -> bool {
    const LARGEST_FIRST: &str = "yMdHmsS";
    let letters: Vec<char> = unquoted(pattern).filter(char::is_ascii_alphabetic).collect();
    let mut rank_before = None;
    for run in letters.chunk_by(|a, b| a == b) {
        let letter = if run[0] == 'Y' { 'y' } else { run[0] };
        let Some(rank) = LARGEST_FIRST.find(letter) else { return false };
        let fixed_digits = match letter {
            'y' => run.len() == 4,
            'S' => true,
            _ => run.len() == 2,
        };
        let expected = rank_before.map_or(0, |before| before + 1);
        if !fixed_digits || rank != expected {
            return false;
        }
        rank_before = Some(rank);
    }
    rank_before.is_some()
}
