//! Formats and granularities of time columns, in Pinot's two spellings: `1:DAYS:EPOCH` and `EPOCH|DAYS|1`.

use meunier_segment::value::parse_timestamp;

use super::calendar::{DAY, Date, HOUR, MINUTE, SECOND};
use super::field::Field;
use super::pattern::Pattern;
use super::truncate::CalendarUnit;
use super::unit::{Ratio, TimeUnit, unknown};
use super::zone::{Clock, Zone};
use crate::scalar::kind::shortened;

/// How a column's times are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// Numbers of a unit since the epoch.
    Epoch { size: i64, unit: EpochUnit },
    /// Milliseconds, or what reads as a TIMESTAMP.
    Timestamp,
    /// Texts.
    Text { pattern: Option<Pattern>, zone: Zone },
}

/// A unit that an epoch counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EpochUnit {
    Time(TimeUnit),
    Weeks,
    Months,
    Years,
}

/// How finely times are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Granularity {
    pub(crate) size: i64,
    pub(crate) unit: TimeUnit,
}

const FORMS: &str = "a format is `size:unit:EPOCH`, `1:unit:SIMPLE_DATE_FORMAT:pattern`, `1:MILLISECONDS:TIMESTAMP`, \
                     `EPOCH|unit|size`, `SIMPLE_DATE_FORMAT|pattern|zone` or `TIMESTAMP`";

impl Format {
    /// Reads a format.
    pub(crate) fn parse(text: &str) -> Result<Format, String> {
        let bad = || format!("'{}' is no time format; {FORMS}", shortened(text));
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let mut parts = text.splitn(4, ':');
            let (size, unit) = (parts.next().unwrap_or_default(), parts.next().ok_or_else(bad)?);
            return match parts.next().ok_or_else(bad)? {
                "EPOCH" => epoch(unit, size),
                "TIMESTAMP" => Ok(Format::Timestamp),
                "SIMPLE_DATE_FORMAT" => text_format(parts.next()),
                other => Err(unknown("time format", other, ["EPOCH", "SIMPLE_DATE_FORMAT", "TIMESTAMP"])),
            };
        }
        let mut parts = text.splitn(3, '|');
        match parts.next().unwrap_or_default() {
            "EPOCH" => {
                let unit = parts.next().unwrap_or("MILLISECONDS");
                epoch(unit, parts.next().unwrap_or("1"))
            }
            "TIMESTAMP" => Ok(Format::Timestamp),
            "SIMPLE_DATE_FORMAT" => match (parts.next(), parts.next()) {
                (Some(pattern), Some(zone)) => {
                    let pattern = Pattern::compile(pattern)?;
                    Ok(Format::Text { pattern: Some(pattern), zone: Zone::parse(zone)? })
                }
                (pattern, _) => text_format(pattern),
            },
            _ => Err(bad()),
        }
    }

    /// Returns the milliseconds of a text.
    pub(crate) fn read(&self, text: &str) -> Result<i64, String> {
        let bad = || format!("'{}' is no time of the input format", shortened(text));
        match self {
            Format::Text { pattern: Some(pattern), zone } => {
                pattern.parse(text, *zone).map_err(|problem| problem.of(text))
            }
            Format::Text { pattern: None, zone } => read_iso(text, *zone).ok_or_else(bad),
            Format::Timestamp => parse_timestamp(text).ok_or_else(bad),
            Format::Epoch { .. } => Err(bad()),
        }
    }

    /// Appends an instant as a text.
    pub(crate) fn write(&self, millis: i64, out: &mut String) {
        match self {
            Format::Text { pattern: Some(pattern), zone } => pattern.print(millis, *zone, out),
            Format::Text { pattern: None, .. } | Format::Epoch { .. } | Format::Timestamp => {
                let (seconds, zone) = ("yyyy-MM-dd'T'HH:mm:ss", "'Z'");
                if let Ok(iso) = Pattern::compile(&format!("{seconds}{zone}")) {
                    iso.print(millis, Zone::UTC, out);
                }
            }
        }
    }
}

fn epoch(unit: &str, size: &str) -> Result<Format, String> {
    let unit = EpochUnit::parse(unit)?;
    Ok(Format::Epoch { size: positive(size)?, unit })
}

/// A pattern may end with ` tz(zone)`.
fn text_format(pattern: Option<&str>) -> Result<Format, String> {
    let Some(pattern) = pattern else { return Ok(Format::Text { pattern: None, zone: Zone::UTC }) };
    let zoned = pattern.rsplit_once(" tz").and_then(|(before, zone)| {
        let zone = zone.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some((before.trim(), zone.trim()))
    });
    let (pattern, zone) = match zoned {
        Some((pattern, zone)) => (pattern, Zone::parse(zone)?),
        None => (pattern, Zone::UTC),
    };
    Ok(Format::Text { pattern: Some(Pattern::compile(pattern)?), zone })
}

fn positive(size: &str) -> Result<i64, String> {
    let number = size.parse::<i32>().ok().filter(|size| *size > 0);
    number.map(i64::from).ok_or_else(|| format!("the size '{}' is no positive number", shortened(size)))
}

impl EpochUnit {
    /// Reads a unit that numbers can be counted in.
    pub(crate) fn parse(text: &str) -> Result<EpochUnit, String> {
        match text {
            "WEEKS" => Ok(EpochUnit::Weeks),
            "MONTHS" => Ok(EpochUnit::Months),
            "YEARS" => Ok(EpochUnit::Years),
            _ => match TimeUnit::parse(text) {
                Ok(unit) => Ok(EpochUnit::Time(unit)),
                Err(_) => {
                    let names = TimeUnit::ALL.iter().map(|unit| unit.0).chain(["WEEKS", "MONTHS", "YEARS"]);
                    Err(unknown("time unit", text, names))
                }
            },
        }
    }
}

impl Granularity {
    /// Reads `15:MINUTES`, `MINUTES|15` or `MINUTES`.
    pub(crate) fn parse(text: &str) -> Result<Granularity, String> {
        let starts_with_size = text.starts_with(|first: char| first.is_ascii_digit());
        let (size, unit) = match starts_with_size {
            true => text.split_once(':').ok_or_else(|| {
                let text = shortened(text);
                format!("'{text}' is no granularity: it is written `15:MINUTES` or `MINUTES|15`")
            })?,
            false => text.split_once('|').map_or(("1", text), |(unit, size)| (size, unit)),
        };
        Ok(Granularity { size: positive(size)?, unit: TimeUnit::parse(unit)? })
    }

    /// Returns its length; what is finer than a millisecond is one.
    pub(crate) fn millis(self) -> i64 {
        match self.unit.ratio_to(TimeUnit::Milliseconds) {
            Ratio::Times(factor) => self.size.saturating_mul(factor),
            Ratio::Over(divisor) => (self.size / divisor).max(1),
        }
    }

    /// Returns how long a bucket of a place's clock is at most: it ends with the next larger unit.
    pub(crate) fn millis_at_most(self) -> i64 {
        let larger = match self.unit {
            TimeUnit::Nanoseconds | TimeUnit::Microseconds => 1,
            TimeUnit::Milliseconds => SECOND,
            TimeUnit::Seconds => MINUTE,
            TimeUnit::Minutes => HOUR,
            TimeUnit::Hours => DAY,
            TimeUnit::Days => 31 * DAY,
        };
        self.millis().min(larger)
    }

    /// Returns the begin of the bucket that an instant is in, counted within the next larger unit of a place's clock:
    /// minutes within the hour, hours within the day, days within the month.
    pub(crate) fn bucket_in(self, millis: i64, zone: Zone, clock: &mut Clock) -> i64 {
        let local = clock.local(millis);
        let offset = local - millis;
        let begin = |unit: CalendarUnit, value: i64| {
            unit.floor(local).saturating_sub((value % self.size).saturating_mul(unit.millis_at_most()))
        };
        match self.unit {
            TimeUnit::Nanoseconds | TimeUnit::Microseconds => millis,
            TimeUnit::Milliseconds => begin(CalendarUnit::Millisecond, Field::Millisecond.of(local)) - offset,
            TimeUnit::Seconds => begin(CalendarUnit::Second, Field::Second.of(local)) - offset,
            TimeUnit::Minutes => begin(CalendarUnit::Minute, Field::Minute.of(local)) - offset,
            TimeUnit::Hours => zone.to_utc_near(begin(CalendarUnit::Hour, Field::Hour.of(local)), millis),
            TimeUnit::Days => {
                zone.to_utc_near(begin(CalendarUnit::Day, Field::DayOfMonth.of(local) - 1), millis)
            }
        }
    }
}

/// Reads ISO-8601: a year, a year and a month, a date, or a date and a time; `T` between them.
fn read_iso(text: &str, zone: Zone) -> Option<i64> {
    if let 4 | 7 = text.len() {
        let year = text.get(..4)?.parse().ok()?;
        let month = text.get(4..).filter(|rest| !rest.is_empty());
        let month = month.map_or(Some(1), |rest| rest.strip_prefix('-')?.parse().ok())?;
        let date = (1..=12).contains(&month).then_some(Date { year, month, day: 1 })?;
        return Some(zone.to_utc(date.days() * DAY));
    }
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let local = parse_timestamp(text)?;
    let has_zone = text.get(10..).is_some_and(|time| time.contains(['Z', 'z', '+', '-']));
    Some(if has_zone { local } else { zone.to_utc(local) })
}
