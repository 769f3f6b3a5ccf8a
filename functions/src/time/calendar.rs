//! The ISO calendar over all days that a LONG of milliseconds can name.

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400_000;
/// Milliseconds of an hour.
pub(crate) const HOUR: i64 = 3_600_000;
/// Milliseconds of a minute.
pub(crate) const MINUTE: i64 = 60_000;
/// Milliseconds of a second.
pub(crate) const SECOND: i64 = 1_000;

/// A date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
}

impl Date {
    /// Returns the date of a day since the epoch.
    ///
    /// Years are counted from March here, so that the leap day is a year's last and months have a fixed pattern.
    pub(crate) fn of_day(days: i64) -> Date {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date { year, month, day }
    }

    /// Returns the date of a local time.
    pub(crate) fn of_millis(millis: i64) -> Date {
        Date::of_day(millis.div_euclid(DAY))
    }

    /// Returns the day since the epoch.
    pub(crate) fn days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let of_year = (153 * month_from_march + 2) / 5 + self.day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        era * 146_097 + of_era - 719_468
    }

    /// Returns the date so many months later; a day that the month has not is its last.
    pub(crate) fn plus_months(self, months: i64) -> Option<Date> {
        let total = self.year.checked_mul(12)?.checked_add(self.month - 1)?.checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        Some(Date { year, month, day: self.day.min(days_in_month(year, month)) })
    }

    /// Returns the day of the year, from 1.
    pub(crate) fn day_of_year(self) -> i64 {
        self.days() - Date { year: self.year, month: 1, day: 1 }.days() + 1
    }

    /// Returns the year that the date's week belongs to, and the week in it, from 1.
    pub(crate) fn iso_week(self) -> (i64, i64) {
        // A week belongs to the year of its Thursday.
        let thursday = self.days() - (day_of_week(self.days()) - 1) + 3;
        let year = Date::of_day(thursday).year;
        let first_day = Date { year, month: 1, day: 1 }.days();
        (year, (thursday - first_day) / 7 + 1)
    }
}

/// Returns the day of the week of a day since the epoch: 1 is Monday.
pub(crate) fn day_of_week(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// Returns the Monday of a week of a year.
pub(crate) fn monday_of(week_year: i64, week: i64) -> i64 {
    // January 4 is always in week 1.
    let fourth = Date { year: week_year, month: 1, day: 4 }.days();
    fourth - (day_of_week(fourth) - 1) + (week - 1) * 7
}

/// Returns how many weeks a year has.
pub(crate) fn weeks_in_year(week_year: i64) -> i64 {
    (monday_of(week_year + 1, 1) - monday_of(week_year, 1)) / 7
}

/// Returns whether a year has a leap day.
pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Returns how many days a month has.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
