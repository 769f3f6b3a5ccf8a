//! Dates and times as text, from milliseconds since the epoch, in UTC.

const MS_A_DAY: i64 = 86_400_000;
const DAYS_FROM_MARCH_0000_TO_EPOCH: i64 = 719_468;
const DAYS_IN_400_YEARS: i64 = 146_097;

/// A moment as text: `2026-02-03T04:05:06.789Z`, and its parts.
pub(crate) struct TimeText([u8; 24]);

impl TimeText {
    /// Returns the text of a moment in the years 0 to 9999.
    pub(crate) fn of_ms(time_ms: i64) -> TimeText {
        let (year, month, day) = date_of_day(time_ms.div_euclid(MS_A_DAY));
        let ms = time_ms.rem_euclid(MS_A_DAY);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put(&mut text[0..4], year);
        put(&mut text[5..7], month);
        put(&mut text[8..10], day);
        put(&mut text[11..13], ms / 3_600_000);
        put(&mut text[14..16], ms / 60_000 % 60);
        put(&mut text[17..19], ms / 1_000 % 60);
        put(&mut text[20..23], ms % 1_000);
        TimeText(text)
    }

    /// Returns `2026-02-03T04:05:06.789Z`.
    pub(crate) fn iso(&self) -> &str {
        ascii(&self.0)
    }

    /// Returns `2026-02-03`.
    pub(crate) fn date(&self) -> &str {
        ascii(&self.0[..10])
    }

    /// Returns `04:05:06.789`.
    pub(crate) fn time_of_day(&self) -> &str {
        ascii(&self.0[11..23])
    }
}

/// Returns year, month and day of a day counted from the epoch.
///
/// Years are counted from March, so that the leap day comes last and month lengths follow one line, `(153 m + 2) / 5`.
fn date_of_day(day: i64) -> (i64, i64, i64) {
    let day = day + DAYS_FROM_MARCH_0000_TO_EPOCH;
    let era = day.div_euclid(DAYS_IN_400_YEARS);
    let day_of_era = day.rem_euclid(DAYS_IN_400_YEARS);
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_month)
}

/// Fills `text` with the last decimal digits of `value`.
fn put(text: &mut [u8], mut value: i64) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

fn ascii(text: &[u8]) -> &str {
    str::from_utf8(text).expect("digits and separators are ascii")
}

#[cfg(test)]
mod tests;
