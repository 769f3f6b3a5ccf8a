//! Decides when a consuming segment has taken enough. Pure.

use std::time::Duration;

use meunier_catalog::table_config::FlushThresholds;

/// Rows of a segment when the table config names no threshold. Pinot's default is 5,000,000 for all partitions of a
/// server; this is the same for a topic of five partitions, and 10 s of replay at 100,000 rows a second.
const ROWS_DEFAULT: u64 = 1_000_000;
/// No segment takes more rows than this, whatever the config says: row numbers are 32 bits and sealing works in memory.
const ROWS_MAX: u64 = 50_000_000;
/// Sealed bytes for each byte of a consuming segment, until the first seal has told.
const SEALED_SHARE_DEFAULT: f64 = 0.5;

/// Why a segment is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SealReason {
    Rows,
    Bytes,
    Age,
    Request,
    Memory,
}

impl SealReason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            SealReason::Rows => "rows",
            SealReason::Bytes => "bytes",
            SealReason::Age => "age",
            SealReason::Request => "request",
            SealReason::Memory => "memory",
        }
    }
}

/// The thresholds of one partition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SealPolicy {
    rows_max: u64,
    sealed_bytes_max: Option<u64>,
    age_max: Duration,
    /// Sealed bytes for each byte in memory, as the last seal showed.
    sealed_share: f64,
}

impl SealPolicy {
    /// Returns the policy of one of `partitions` partitions. `threshold.rows` counts for all of them together, as in
    /// Pinot.
    pub(crate) fn new(flush: &FlushThresholds, partitions: usize) -> SealPolicy {
        let of_partition =
            flush.rows.filter(|&rows| rows > 0).map(|rows| rows.div_ceil(partitions.max(1) as u64));
        let sized = flush.segment_bytes.is_some();
        let rows = flush.segment_rows.or(of_partition).unwrap_or(if sized { ROWS_MAX } else { ROWS_DEFAULT });
        SealPolicy {
            rows_max: rows.clamp(1, ROWS_MAX),
            sealed_bytes_max: flush.segment_bytes,
            age_max: flush.time,
            sealed_share: SEALED_SHARE_DEFAULT,
        }
    }

    /// Returns why a segment of this size and age is to be sealed now, if it is.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    pub(crate) fn due(&self, rows: u64, memory_bytes: u64, age: Duration) -> Option<SealReason> {
        let sealed_bytes = (memory_bytes as f64 * self.sealed_share) as u64;
        if rows >= self.rows_max {
            Some(SealReason::Rows)
        } else if self.sealed_bytes_max.is_some_and(|max| sealed_bytes >= max) {
            Some(SealReason::Bytes)
        } else if age >= self.age_max {
            Some(SealReason::Age)
        } else {
            None
        }
    }

    /// Returns how many more rows a segment of `rows` rows takes; a segment is never larger than its threshold.
    pub(crate) fn rows_left(&self, rows: usize) -> usize {
        usize::try_from(self.rows_max).unwrap_or(usize::MAX).saturating_sub(rows)
    }

    /// Learns how large a segment becomes.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(crate) fn learn(&mut self, memory_bytes: u64, sealed_bytes: u64) {
        if memory_bytes > 0 {
            self.sealed_share = sealed_bytes as f64 / memory_bytes as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flush(rows: Option<u64>, segment_rows: Option<u64>, segment_bytes: Option<u64>) -> FlushThresholds {
        FlushThresholds { rows, segment_rows, segment_bytes, time: Duration::from_secs(60) }
    }

    #[test]
    fn rows_are_divided_over_the_partitions_and_segment_rows_are_not() {
        let policy = SealPolicy::new(&flush(Some(100), None, None), 8);
        assert_eq!(policy.due(12, 0, Duration::ZERO), None);
        assert_eq!(policy.due(13, 0, Duration::ZERO), Some(SealReason::Rows));
        let policy = SealPolicy::new(&flush(None, Some(100), None), 8);
        assert_eq!(policy.due(99, 0, Duration::ZERO), None);
        assert_eq!(policy.due(100, 0, Duration::ZERO), Some(SealReason::Rows));
    }

    #[test]
    fn bytes_are_those_of_the_sealed_segment_as_learned() {
        let mut policy = SealPolicy::new(&flush(None, None, Some(1000)), 1);
        assert_eq!(policy.due(5_000_000, 1999, Duration::ZERO), None);
        assert_eq!(policy.due(1, 2000, Duration::ZERO), Some(SealReason::Bytes));
        policy.learn(2000, 500);
        assert_eq!(policy.due(1, 3999, Duration::ZERO), None);
        assert_eq!(policy.due(1, 4000, Duration::ZERO), Some(SealReason::Bytes));
    }

    #[test]
    fn age_seals_what_is_there() {
        let policy = SealPolicy::new(&flush(None, None, None), 1);
        assert_eq!(policy.due(1, 1, Duration::from_secs(59)), None);
        assert_eq!(policy.due(1, 1, Duration::from_secs(60)), Some(SealReason::Age));
    }
}
