//! Parts of a time: its year, its week, its hour.

use super::calendar::{DAY, Date, HOUR, MINUTE, SECOND, day_of_week};

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Year,
    YearOfWeek,
    Quarter,
    Month,
    Week,
    DayOfYear,
    DayOfMonth,
    DayOfWeek,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Field {
    /// The names that `extract` takes.
    pub(crate) const EXTRACTED: [(&'static str, Field); 10] = [
        ("YEAR", Field::Year),
        ("QUARTER", Field::Quarter),
        ("MONTH", Field::Month),
        ("WEEK", Field::Week),
        ("DAY", Field::DayOfMonth),
        ("DOY", Field::DayOfYear),
        ("DOW", Field::DayOfWeek),
        ("HOUR", Field::Hour),
        ("MINUTE", Field::Minute),
        ("SECOND", Field::Second),
    ];

    /// Returns the part of a local time.
    pub(crate) fn of(self, local: i64) -> i64 {
        let days = local.div_euclid(DAY);
        let of_day = local.rem_euclid(DAY);
        match self {
            Field::Year => Date::of_day(days).year,
            Field::YearOfWeek => Date::of_day(days).iso_week().0,
            Field::Quarter => (Date::of_day(days).month - 1) / 3 + 1,
            Field::Month => Date::of_day(days).month,
            Field::Week => Date::of_day(days).iso_week().1,
            Field::DayOfYear => Date::of_day(days).day_of_year(),
            Field::DayOfMonth => Date::of_day(days).day,
            Field::DayOfWeek => day_of_week(days),
            Field::Hour => of_day / HOUR,
            Field::Minute => of_day % HOUR / MINUTE,
            Field::Second => of_day % MINUTE / SECOND,
            Field::Millisecond => of_day % SECOND,
        }
    }
}
