//! Texts by a pattern, as times.

use super::{DAYS, Item, MONTHS, Part, Pattern};
use crate::scalar::kind::shortened;
use crate::time::calendar::{
    DAY, Date, HOUR, MINUTE, SECOND, day_of_week, days_in_month, is_leap, monday_of, weeks_in_year,
};
use crate::time::zone::Zone;

/// Why a text is no time of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The text differs from the pattern at a position.
    Malformed(usize),
    /// A part has a value that the calendar has not.
    OutOfRange(&'static str, i64),
}

impl Problem {
    /// Returns the message for a text.
    pub(crate) fn of(&self, text: &str) -> String {
        match self {
            Problem::Malformed(at) => {
                let rest = text.get(*at..).filter(|rest| !rest.is_empty());
                let place =
                    rest.map_or("too short".to_owned(), |rest| format!("malformed at '{}'", shortened(rest)));
                format!("'{}' does not have the pattern's form: it is {place}", shortened(text))
            }
            Problem::OutOfRange(part, value) => format!("'{}' has no {part} {value}", shortened(text)),
        }
    }
}

/// What a text says; a part that the pattern has not is nothing.
#[derive(Default)]
struct Said {
    before_christ: bool,
    century: Option<i64>,
    year: Option<i64>,
    year_of_era: Option<i64>,
    week_year: Option<i64>,
    week: Option<i64>,
    day_of_week: Option<i64>,
    day_of_year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    afternoon: Option<bool>,
    hour_of_half: Option<i64>,
    hour: Option<i64>,
    minute: i64,
    second: i64,
    millis: i64,
    offset: Option<i64>,
    zone: Option<Zone>,
}

impl Pattern {
    /// Reads a time that is meant in a place, unless the text names a zone.
    pub(crate) fn parse(&self, text: &str, zone: Zone) -> Result<i64, Problem> {
        let mut said = Said::default();
        let mut at = 0;
        for item in &self.items {
            at = item.read(text, at, &mut said).ok_or(Problem::Malformed(at))?;
        }
        if at < text.len() {
            return Err(Problem::Malformed(at));
        }
        let local = said.local()?;
        Ok(match said.offset {
            Some(offset) => local.saturating_sub(offset),
            None => said.zone.unwrap_or(zone).to_utc(local),
        })
    }
}

impl Item {
    /// Reads the item at a position and returns where it ends.
    fn read(&self, text: &str, at: usize, said: &mut Said) -> Option<usize> {
        let rest = &text[at..];
        let length = match self {
            Item::Literal(literal) => {
                let found = rest.get(..literal.len())?;
                found.eq_ignore_ascii_case(literal).then_some(literal.len())?
            }
            Item::Number { part, digits_max, .. } => {
                let (value, length) = number(rest, *digits_max, part.is_year())?;
                part.say(value, said);
                length
            }
            Item::ShortYear(part) => {
                let (value, length) =
                    number(rest, super::YEAR_DIGITS_MAX.min(digits_of_short_year(rest)), true)?;
                let is_short = length == 2 && value >= 0;
                part.say(if is_short { near_2000(value) } else { value }, said);
                length
            }
            Item::Fraction(digits) => {
                let found = rest.bytes().take(*digits).take_while(u8::is_ascii_digit).count();
                let padded = format!("{:0<3}", &rest[..found]);
                said.millis = padded[..3].parse().ok()?;
                found
            }
            Item::Era => {
                let (era, length) = one_of(rest, &["AD", "BC"])?;
                said.before_christ = era == 1;
                length
            }
            Item::HalfDay => {
                let (half, length) = one_of(rest, &["AM", "PM"])?;
                said.afternoon = Some(half == 1);
                length
            }
            Item::MonthName { .. } => {
                let (month, length) = named(rest, &MONTHS)?;
                said.month = Some(month);
                length
            }
            Item::DayName { .. } => {
                let (day, length) = named(rest, &DAYS)?;
                said.day_of_week = Some(day);
                length
            }
            Item::ZoneName | Item::ZoneId => {
                let is_name = |letter: &char| letter.is_ascii_alphanumeric() || "/_+-:".contains(*letter);
                let length = rest.chars().take_while(is_name).count();
                said.zone = Some(Zone::parse(&rest[..length]).ok()?);
                length
            }
            Item::Offset { .. } => {
                let (offset, length) = offset(rest)?;
                said.offset = Some(offset);
                length
            }
        };
        Some(at + length)
    }
}

impl Part {
    fn is_year(self) -> bool {
        matches!(self, Part::Year | Part::WeekYear)
    }

    fn say(self, value: i64, said: &mut Said) {
        match self {
            Part::Century => said.century = Some(value),
            Part::YearOfEra => said.year_of_era = Some(value),
            Part::Year => said.year = Some(value),
            Part::WeekYear => said.week_year = Some(value),
            Part::Week => said.week = Some(value),
            Part::DayOfWeek => said.day_of_week = Some(value),
            Part::DayOfYear => said.day_of_year = Some(value),
            Part::Month => said.month = Some(value),
            Part::Day => said.day = Some(value),
            // Kept out of the range of what is right, so that a wrong hour is told.
            Part::HourOfHalfDay => said.hour_of_half = Some(value),
            Part::ClockHourOfHalfDay => said.hour_of_half = Some(if value == 12 { 0 } else { value }),
            Part::Hour => said.hour = Some(value),
            Part::ClockHour => said.hour = Some(if value == 24 { 0 } else { value }),
            Part::Minute => said.minute = value,
            Part::Second => said.second = value,
        }
    }
}

impl Said {
    fn local(&self) -> Result<i64, Problem> {
        let hour = match (self.hour, self.hour_of_half, self.afternoon) {
            (Some(hour), ..) => in_range("hour", hour, 0, 23)?,
            (None, half, afternoon) => {
                let hour = in_range("hour of half a day", half.unwrap_or(0), 0, 11)?;
                hour + if afternoon == Some(true) { 12 } else { 0 }
            }
        };
        let minute = in_range("minute", self.minute, 0, 59)?;
        let second = in_range("second", self.second, 0, 59)?;
        let of_day = hour * HOUR + minute * MINUTE + second * SECOND + self.millis;
        let days = self.days()?;
        days.checked_mul(DAY).map(|begin| begin + of_day).ok_or(Problem::OutOfRange("day", days))
    }

    fn days(&self) -> Result<i64, Problem> {
        if self.week_year.is_some() || self.week.is_some() {
            let year = self.week_year.or(self.year()).unwrap_or(1970);
            let week = in_range("week", self.week.unwrap_or(1), 1, weeks_in_year(year))?;
            let day = in_range("day of the week", self.day_of_week.unwrap_or(1), 1, 7)?;
            return Ok(monday_of(year, week) + day - 1);
        }
        // February 29 is a day of no certain year: Joda takes 2000, which has one.
        let yearless = if self.month.is_some() || self.day.is_some() { 2000 } else { 1970 };
        let year = self.year().unwrap_or(yearless);
        if let Some(day) = self.day_of_year {
            let day = in_range("day of the year", day, 1, if is_leap(year) { 366 } else { 365 })?;
            return Ok(Date { year, month: 1, day: 1 }.days() + day - 1);
        }
        let month = in_range("month", self.month.unwrap_or(1), 1, 12)?;
        let day = in_range("day of the month", self.day.unwrap_or(1), 1, days_in_month(year, month))?;
        let days = Date { year, month, day }.days();
        Ok(match self.day_of_week {
            Some(wanted) => days - day_of_week(days) + in_range("day of the week", wanted, 1, 7)?,
            None => days,
        })
    }

    fn year(&self) -> Option<i64> {
        let of_century = self.century.map(|century| century * 100);
        let of_era = self.year_of_era.or(of_century);
        let signed = if self.before_christ { of_era.map(|year| 1 - year) } else { of_era };
        self.year.or(signed)
    }
}

fn in_range(part: &'static str, value: i64, least: i64, most: i64) -> Result<i64, Problem> {
    if (least..=most).contains(&value) { Ok(value) } else { Err(Problem::OutOfRange(part, value)) }
}

/// Reads up to so many digits, and returns the number and its length.
fn number(text: &str, digits_max: usize, signed: bool) -> Option<(i64, usize)> {
    let sign = usize::from(signed && text.starts_with(['-', '+']));
    let digits = text[sign..].bytes().take(digits_max.max(1)).take_while(u8::is_ascii_digit).count();
    let value: i64 = text[sign..sign + digits].parse().ok()?;
    Some((if text.starts_with('-') && sign == 1 { -value } else { value }, sign + digits))
}

/// Two digits where two are written; more are a year in full.
fn digits_of_short_year(text: &str) -> usize {
    text.trim_start_matches(['-', '+']).bytes().take_while(u8::is_ascii_digit).count().max(2)
}

/// The years that two digits stand for: from 1950 to 2049.
fn near_2000(short: i64) -> i64 {
    if short < 50 { 2000 + short } else { 1900 + short }
}

fn one_of(text: &str, names: &[&str]) -> Option<(usize, usize)> {
    let starts = |name: &str| text.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    names.iter().position(|name| starts(name)).map(|found| (found, names[found].len()))
}

/// Reads a name in full or its first three letters; returns its number from 1.
fn named(text: &str, names: &[&str]) -> Option<(i64, usize)> {
    let short: Vec<_> = names.iter().map(|name| &name[..3]).collect();
    let (found, length) = one_of(text, names).or_else(|| one_of(text, &short))?;
    Some((i64::try_from(found).ok()? + 1, length))
}

/// Reads `Z`, `+hh`, `+hhmm`, `+hh:mm`, with seconds if they are there.
fn offset(text: &str) -> Option<(i64, usize)> {
    if text.starts_with(['Z', 'z']) {
        return Some((0, 1));
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let two_digits = |at: usize| -> Option<i64> {
        let digits = text.get(at..at + 2)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let mut offset = two_digits(1)? * HOUR;
    let mut length = 3;
    for unit in [MINUTE, SECOND] {
        let colon = usize::from(text[length..].starts_with(':'));
        let Some(value) = two_digits(length + colon) else { break };
        offset += value * unit;
        length += colon + 2;
    }
    Some((sign * offset, length))
}
