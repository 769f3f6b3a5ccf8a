//! Time zones: names of the tz database, offsets, and the three-letter names that Java still knows.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, TZ_VARIANTS, Tz};

use super::calendar::{DAY, HOUR, MINUTE, SECOND};
use super::unit::unknown;

/// What Java takes three letters for, where the tz database means something else or nothing.
const JAVA_NAMES: [(&str, &str); 27] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
];

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Always so many milliseconds ahead of UTC.
    Fixed(i64),
    /// By the rules of a place.
    Named(Tz),
}

impl Zone {
    /// UTC.
    pub(crate) const UTC: Zone = Zone::Fixed(0);

    /// Reads a zone: `America/New_York`, `UTC`, `+05:30`, `GMT+2`, `PST`.
    pub(crate) fn parse(text: &str) -> Result<Zone, String> {
        let text = text.trim();
        if ["UTC", "GMT", "Z", "UT", "Etc/UTC", "Etc/GMT", "Zulu", "Universal"].contains(&text) {
            return Ok(Zone::UTC);
        }
        if let Some(offset) = parse_offset(text) {
            return Ok(Zone::Fixed(offset));
        }
        if let Some((_, place)) = JAVA_NAMES.iter().find(|(name, _)| *name == text) {
            return Zone::parse(place);
        }
        let named = text.parse::<Tz>();
        named.map(Zone::Named).map_err(|_| {
            let hint =
                meunier_segment::nearest::did_you_mean(text, TZ_VARIANTS.iter().map(|zone| zone.name()));
            match hint.is_empty() {
                true => unknown(
                    "time zone",
                    text,
                    ["names as `America/New_York`", "offsets as `+05:30`", "`UTC`"],
                ),
                false => format!("'{}' is no time zone{hint}", crate::scalar::kind::shortened(text)),
            }
        })
    }

    /// Returns how far the zone is ahead of UTC at an instant.
    pub(crate) fn offset_at(self, millis: i64) -> i64 {
        match self {
            Zone::Fixed(offset) => offset,
            Zone::Named(zone) => {
                let offset = zone.offset_from_utc_datetime(&instant(millis));
                i64::from(offset.fix().local_minus_utc()) * SECOND
            }
        }
    }

    /// Returns the local time of an instant.
    pub(crate) fn to_local(self, millis: i64) -> i64 {
        millis.saturating_add(self.offset_at(millis))
    }

    /// Returns the instant of a local time: the earlier one of two, and as far after a gap as the time lies in it.
    pub(crate) fn to_utc(self, local: i64) -> i64 {
        let Zone::Named(_) = self else { return local.saturating_sub(self.offset_at(0)) };
        let before = self.offset_at(local.saturating_sub(DAY));
        let with_before = local.saturating_sub(before);
        if self.offset_at(with_before) == before {
            return with_before;
        }
        let after = self.offset_at(local.saturating_add(DAY));
        let with_after = local.saturating_sub(after);
        if self.offset_at(with_after) == after { with_after } else { with_before }
    }

    /// Returns the instant of a local time with the offset of another instant, where that offset holds.
    pub(crate) fn to_utc_near(self, local: i64, original: i64) -> i64 {
        let offset = self.offset_at(original);
        let same = local.saturating_sub(offset);
        if self.offset_at(same) == offset { same } else { self.to_utc(local) }
    }

    /// Returns the short name of the zone at an instant, as `PST`.
    pub(crate) fn short_name(self, millis: i64) -> String {
        match self {
            Zone::Fixed(0) => "UTC".to_owned(),
            Zone::Fixed(offset) => offset_text(offset, true),
            Zone::Named(zone) => {
                let offset = zone.offset_from_utc_datetime(&instant(millis));
                offset.abbreviation().map_or_else(|| offset_text(self.offset_at(millis), true), str::to_owned)
            }
        }
    }

    /// Returns the zone's own name.
    pub(crate) fn id(self) -> String {
        match self {
            Zone::Fixed(0) => "UTC".to_owned(),
            Zone::Fixed(offset) => offset_text(offset, true),
            Zone::Named(zone) => zone.name().to_owned(),
        }
    }
}

/// Writes an offset as `+05:30`, or without the colon.
pub(crate) fn offset_text(offset: i64, colon: bool) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / MINUTE;
    let colon = if colon { ":" } else { "" };
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

/// Reads `+hh`, `+hhmm`, `+hh:mm`, `+h`, also behind `UTC` or `GMT`.
fn parse_offset(text: &str) -> Option<i64> {
    let text = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 && digits.is_ascii() => digits.split_at(2),
        None => (digits, "0"),
    };
    let all_digits = [hours, minutes].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
    (all_digits && hours <= 23 && minutes <= 59).then_some(sign * (hours * HOUR + minutes * MINUTE))
}

/// The tz database ends somewhere: an instant far away has the offset of the last that it knows.
fn instant(millis: i64) -> NaiveDateTime {
    const YEARS: i64 = 200_000 * 366 * DAY;
    let near = millis.clamp(-YEARS, YEARS);
    DateTime::from_timestamp_millis(near).map_or_else(NaiveDateTime::default, |instant| instant.naive_utc())
}

/// A zone that remembers the last offset: rows near each other in time share it.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    zone: Zone,
    quarter: i64,
    offset: i64,
}

/// Since 1973 clocks were changed on quarters of an hour only.
const QUARTERS_SINCE: i64 = 94_694_400_000;
const QUARTER: i64 = 15 * MINUTE;

impl Clock {
    /// Returns the clock of a zone.
    pub(crate) fn of(zone: Zone) -> Clock {
        Clock { zone, quarter: i64::MIN, offset: 0 }
    }

    /// Returns the local time of an instant.
    #[inline]
    pub(crate) fn local(&mut self, millis: i64) -> i64 {
        if let Zone::Fixed(offset) = self.zone {
            return millis.saturating_add(offset);
        }
        if millis < QUARTERS_SINCE {
            return self.zone.to_local(millis);
        }
        let quarter = millis / QUARTER;
        if quarter != self.quarter {
            self.quarter = quarter;
            self.offset = self.zone.offset_at(millis);
        }
        millis.saturating_add(self.offset)
    }
}
