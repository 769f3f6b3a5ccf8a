//! Times by a pattern, as text.

use std::fmt::Write;

use super::{DAYS, Item, MONTHS, Part, Pattern};
use crate::time::calendar::{DAY, Date, HOUR, MINUTE, SECOND, day_of_week};
use crate::time::zone::{Zone, offset_text};

impl Pattern {
    /// Appends an instant as a place writes it.
    pub(crate) fn print(&self, millis: i64, zone: Zone, out: &mut String) {
        let local = zone.to_local(millis);
        let date = Date::of_millis(local);
        for item in &self.items {
            match item {
                Item::Literal(literal) => out.push_str(literal),
                Item::Number { part, digits_min, .. } => push_number(part.of(local, date), *digits_min, out),
                Item::ShortYear(part) => push_number(part.of(local, date).abs() % 100, 2, out),
                Item::Fraction(digits) => push_fraction(local.rem_euclid(SECOND), *digits, out),
                Item::Era => out.push_str(if date.year > 0 { "AD" } else { "BC" }),
                Item::HalfDay => out.push_str(if local.rem_euclid(DAY) < 12 * HOUR { "AM" } else { "PM" }),
                Item::MonthName { full } => out.push_str(name(&MONTHS, date.month, *full)),
                Item::DayName { full } => {
                    out.push_str(name(&DAYS, day_of_week(local.div_euclid(DAY)), *full));
                }
                Item::ZoneName => out.push_str(&zone.short_name(millis)),
                Item::ZoneId => out.push_str(&zone.id()),
                Item::Offset { colon } => out.push_str(&offset_text(local - millis, *colon)),
            }
        }
    }
}

impl Part {
    fn of(self, local: i64, date: Date) -> i64 {
        let of_day = local.rem_euclid(DAY);
        let year_of_era = if date.year > 0 { date.year } else { 1 - date.year };
        match self {
            Part::Century => year_of_era / 100,
            Part::YearOfEra => year_of_era,
            Part::Year => date.year,
            Part::WeekYear => date.iso_week().0,
            Part::Week => date.iso_week().1,
            Part::DayOfWeek => day_of_week(local.div_euclid(DAY)),
            Part::DayOfYear => date.day_of_year(),
            Part::Month => date.month,
            Part::Day => date.day,
            Part::HourOfHalfDay => of_day / HOUR % 12,
            Part::ClockHourOfHalfDay => (of_day / HOUR + 11) % 12 + 1,
            Part::Hour => of_day / HOUR,
            Part::ClockHour => (of_day / HOUR + 23) % 24 + 1,
            Part::Minute => of_day % HOUR / MINUTE,
            Part::Second => of_day % MINUTE / SECOND,
        }
    }
}

/// Appends a name from a list that is counted from 1; the short form is its first three letters.
fn name(names: &[&'static str], number: i64, full: bool) -> &'static str {
    let index = usize::try_from(number - 1).unwrap_or(0);
    let name = names.get(index).copied().unwrap_or_default();
    if full { name } else { &name[..3] }
}

fn push_number(value: i64, digits_min: usize, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    // Writing to a text cannot fail.
    let _ = write!(out, "{:0width$}", value.unsigned_abs(), width = digits_min);
}

fn push_fraction(millis: i64, digits: usize, out: &mut String) {
    let text = format!("{millis:03}");
    out.push_str(&text[..digits.min(3)]);
    out.extend(std::iter::repeat_n('0', digits.saturating_sub(3)));
}
