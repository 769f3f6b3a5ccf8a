//! A segment's name, Pinot's for real-time segments: `table__partition__sequence__yyyyMMddTHHmmZ`.

use std::fmt;
use std::sync::Arc;

use crate::offset_range::PartitionId;

/// The name of one segment; unique within its table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentName(Arc<str>);

impl SegmentName {
    /// Returns the name of the `sequence`-th segment of a partition, begun at `created_ms` (milliseconds since the epoch).
    pub fn new(table: &str, partition: PartitionId, sequence: u32, created_ms: i64) -> SegmentName {
        let minutes = created_ms.div_euclid(60_000);
        let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
        let (year, month, day) = civil_date(days);
        let name = format!(
            "{table}__{partition}__{sequence}__{year:04}{month:02}{day:02}T{:02}{:02}Z",
            minute / 60,
            minute % 60
        );
        SegmentName(name.into())
    }

    /// Returns the partition and the number in it that the name tells; `None` for a name of another kind.
    pub fn number(&self) -> Option<(PartitionId, u32)> {
        let mut parts = self.0.rsplit("__").skip(1);
        let sequence = parts.next()?.parse().ok()?;
        Some((PartitionId(parts.next()?.parse().ok()?), sequence))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SegmentName {
    fn from(name: &str) -> SegmentName {
        SegmentName(name.into())
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar. The calendar is
/// taken as eras of 400 years that begin on 1 March, so that leap days come last.
fn civil_date(days: i64) -> (i64, i64, i64) {
    const DAYS_TO_MARCH_OF_YEAR_0: i64 = 719_468;
    const DAYS_OF_ERA: i64 = 146_097;
    let shifted = days + DAYS_TO_MARCH_OF_YEAR_0;
    let (era, day_of_era) = (shifted.div_euclid(DAYS_OF_ERA), shifted.rem_euclid(DAYS_OF_ERA));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_table_partition_sequence_and_minute() {
        let name = |created_ms| SegmentName::new("trips", PartitionId(3), 7, created_ms).to_string();
        assert_eq!(name(0), "trips__3__7__19700101T0000Z");
        assert_eq!(name(951_827_696_000), "trips__3__7__20000229T1234Z");
        assert_eq!(name(1_795_355_999_000), "trips__3__7__20261122T1359Z");
        let number = |name: &str| SegmentName::from(name).number();
        assert_eq!(number("my__trips__3__7__19700101T0000Z"), Some((PartitionId(3), 7)));
        assert_eq!(number("trips"), None);
    }
}
