//! Calendar units: rounding down to one, adding some, counting those between two times.

use super::calendar::{DAY, Date, HOUR, MINUTE, SECOND, day_of_week, days_in_month, is_leap};
use super::unit::unknown;
use super::zone::{Clock, Zone};

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CalendarUnit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl CalendarUnit {
    /// All units by name.
    pub(crate) const ALL: [(&'static str, CalendarUnit); 9] = [
        ("millisecond", CalendarUnit::Millisecond),
        ("second", CalendarUnit::Second),
        ("minute", CalendarUnit::Minute),
        ("hour", CalendarUnit::Hour),
        ("day", CalendarUnit::Day),
        ("week", CalendarUnit::Week),
        ("month", CalendarUnit::Month),
        ("quarter", CalendarUnit::Quarter),
        ("year", CalendarUnit::Year),
    ];

    /// Reads a unit in any case.
    pub(crate) fn parse(text: &str) -> Result<CalendarUnit, String> {
        let known = CalendarUnit::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        known
            .map(|(_, unit)| *unit)
            .ok_or_else(|| unknown("unit", text, CalendarUnit::ALL.map(|unit| unit.0)))
    }

    /// Returns the unit's length, when all are equally long.
    pub(crate) fn millis(self) -> Option<i64> {
        match self {
            CalendarUnit::Millisecond => Some(1),
            CalendarUnit::Second => Some(SECOND),
            CalendarUnit::Minute => Some(MINUTE),
            CalendarUnit::Hour => Some(HOUR),
            CalendarUnit::Day => Some(DAY),
            CalendarUnit::Week => Some(7 * DAY),
            CalendarUnit::Month | CalendarUnit::Quarter | CalendarUnit::Year => None,
        }
    }

    /// Returns how long the unit is at most.
    pub(crate) fn millis_at_most(self) -> i64 {
        match self {
            CalendarUnit::Month => 31 * DAY,
            CalendarUnit::Quarter => 92 * DAY,
            CalendarUnit::Year => 366 * DAY,
            other => other.millis().unwrap_or(1),
        }
    }

    /// Returns the begin of the unit that a local time is in.
    pub(crate) fn floor(self, local: i64) -> i64 {
        match self {
            CalendarUnit::Millisecond => local,
            CalendarUnit::Second => round_down(local, SECOND),
            CalendarUnit::Minute => round_down(local, MINUTE),
            CalendarUnit::Hour => round_down(local, HOUR),
            CalendarUnit::Day => round_down(local, DAY),
            CalendarUnit::Week => {
                let days = local.div_euclid(DAY);
                (days - (day_of_week(days) - 1)).saturating_mul(DAY)
            }
            CalendarUnit::Month | CalendarUnit::Quarter | CalendarUnit::Year => {
                let date = Date::of_millis(local);
                let month = match self {
                    CalendarUnit::Year => 1,
                    CalendarUnit::Quarter => (date.month - 1) / 3 * 3 + 1,
                    _ => date.month,
                };
                Date { year: date.year, month, day: 1 }.days().saturating_mul(DAY)
            }
        }
    }

    /// Returns the begin of the unit that an instant is in, by the clock of a place.
    pub(crate) fn floor_in(self, millis: i64, zone: Zone, clock: &mut Clock) -> i64 {
        let local = clock.local(millis);
        let floor = self.floor(local);
        if let Zone::Fixed(offset) = zone {
            return floor.saturating_sub(offset);
        }
        match self {
            CalendarUnit::Millisecond | CalendarUnit::Second | CalendarUnit::Minute | CalendarUnit::Hour => {
                floor.saturating_sub(local - millis)
            }
            _ => zone.to_utc_near(floor, millis),
        }
    }

    /// Returns the time so many units later.
    pub(crate) fn add(self, millis: i64, count: i64) -> Option<i64> {
        let months = match self {
            CalendarUnit::Month => 1,
            CalendarUnit::Quarter => 3,
            CalendarUnit::Year => 12,
            other => return millis.checked_add(other.millis()?.checked_mul(count)?),
        };
        let later = Date::of_millis(millis).plus_months(count.checked_mul(months)?)?;
        // Beyond this no LONG of milliseconds reaches.
        if later.year.abs() > 292_000_000 {
            return None;
        }
        later.days().checked_mul(DAY)?.checked_add(millis.rem_euclid(DAY))
    }

    /// Returns how many whole units lie between two times; negative when `to` is the earlier.
    pub(crate) fn between(self, from: i64, to: i64) -> Option<i64> {
        if let Some(length) = self.millis() {
            return Some(to.checked_sub(from)? / length);
        }
        if to < from {
            return Some(-self.between(to, from)?);
        }
        Some(match self {
            CalendarUnit::Year => whole_years(from, to),
            CalendarUnit::Quarter => whole_months(from, to) / 3,
            _ => whole_months(from, to),
        })
    }
}

/// Returns the largest multiple of `length` that is not above.
pub(crate) fn round_down(value: i64, length: i64) -> i64 {
    value.saturating_sub(value.rem_euclid(length))
}

fn whole_months(from: i64, to: i64) -> i64 {
    let (begin, end) = (Date::of_millis(from), Date::of_millis(to));
    let months = (end.year - begin.year) * 12 + end.month - begin.month;
    // Where the later month is shorter, its last day completes the month.
    let ends_month = end.day == days_in_month(end.year, end.month);
    let begin_day = if ends_month { begin.day.min(end.day) } else { begin.day };
    let of_begin = (begin_day - 1) * DAY + from.rem_euclid(DAY);
    let of_end = (end.day - 1) * DAY + to.rem_euclid(DAY);
    months - i64::from(of_end < of_begin)
}

fn whole_years(from: i64, to: i64) -> i64 {
    const LEAP_DAY: i64 = (31 + 29 - 1) * DAY;
    let of_year = |millis: i64, year: i64| millis - Date { year, month: 1, day: 1 }.days() * DAY;
    let (begin, end) = (Date::of_millis(from).year, Date::of_millis(to).year);
    let (mut of_begin, mut of_end) = (of_year(from, begin), of_year(to, end));
    if of_begin >= LEAP_DAY {
        if is_leap(begin) && !is_leap(end) {
            of_begin -= DAY;
        } else if !is_leap(begin) && is_leap(end) && of_end >= LEAP_DAY {
            of_end -= DAY;
        }
    }
    end - begin - i64::from(of_end < of_begin)
}
