//! What a table shows of each partition at one moment, and the proof that it is a prefix of what was produced.
//!
//! Sequence numbers and offsets are both dense from 0, so the rows visible of a partition are the first n, each once, exactly
//! when their count, least, greatest and sum agree with n. (A row lost and another twice would leave the sum of one of n
//! different numbers below n only by chance; the distinct count at the end leaves none.)

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::checks::Checks;
use crate::http_client::HttpClient;
use crate::table::TABLE;

/// The rows that one query saw, by partition.
#[derive(Debug, Clone, Default)]
pub(super) struct VisibleRows(BTreeMap<i32, PartitionRows>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct PartitionRows {
    count: f64,
    seq_sum: f64,
    seq_least: f64,
    seq_greatest: f64,
    offset_sum: f64,
    offset_least: f64,
    offset_greatest: f64,
}

impl VisibleRows {
    /// Asks a server for them, all in one snapshot.
    pub(super) fn ask(http: &HttpClient) -> Result<VisibleRows> {
        let sql = format!(
            "SELECT $partitionId, COUNT(*), SUM(seq), MIN(seq), MAX(seq), SUM($offset), MIN($offset), MAX($offset) \
             FROM {TABLE} GROUP BY $partitionId LIMIT 10000"
        );
        let mut rows = BTreeMap::new();
        for row in http.query(&sql)? {
            let number = |at: usize| {
                row.get(at).and_then(Value::as_f64).with_context(|| format!("{row:?} has a number at {at}"))
            };
            #[expect(clippy::cast_possible_truncation, reason = "partition numbers are small")]
            let partition = number(0)? as i32;
            let of_partition = PartitionRows {
                count: number(1)?,
                seq_sum: number(2)?,
                seq_least: number(3)?,
                seq_greatest: number(4)?,
                offset_sum: number(5)?,
                offset_least: number(6)?,
                offset_greatest: number(7)?,
            };
            rows.insert(partition, of_partition);
        }
        Ok(VisibleRows(rows))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts lie far below 2^53")]
    pub(super) fn total(&self) -> u64 {
        self.0.values().map(|rows| rows.count).sum::<f64>() as u64
    }

    /// Checks that each partition shows a prefix, and no less than an earlier answer of the same process.
    pub(super) fn check(&self, moment: &str, before: &VisibleRows, checks: &mut Checks) {
        for (partition, rows) in &self.0 {
            checks.equal(
                &format!("{moment}: rows of partition {partition} are a prefix"),
                rows,
                &rows.prefix(),
            );
        }
        for (partition, earlier) in &before.0 {
            let now = self.0.get(partition).map_or(0.0, |rows| rows.count);
            checks.that(now >= earlier.count, || {
                format!("{moment}: partition {partition} shows {now} rows, {} before", earlier.count)
            });
        }
    }

    /// Checks that no partition shows fewer rows than were committed.
    #[expect(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
    pub(super) fn check_committed(&self, moment: &str, committed: &BTreeMap<i32, u64>, checks: &mut Checks) {
        for (partition, &rows) in committed {
            let now = self.0.get(partition).map_or(0.0, |rows| rows.count);
            checks.that(now >= rows as f64, || {
                format!("{moment}: partition {partition} shows {now} rows, {rows} were committed")
            });
        }
    }
}

impl PartitionRows {
    /// What the first `count` rows would show.
    fn prefix(&self) -> PartitionRows {
        let (count, last) = (self.count, self.count - 1.0);
        let sum = count * last / 2.0;
        PartitionRows {
            count,
            seq_sum: sum,
            seq_least: 0.0,
            seq_greatest: last,
            offset_sum: sum,
            offset_least: 0.0,
            offset_greatest: last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of one partition, each with its sequence number as offset too.
    fn visible(seqs: &[f64]) -> VisibleRows {
        let sum = seqs.iter().sum();
        let least = seqs.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = seqs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let rows = PartitionRows {
            count: seqs.iter().map(|_| 1.0).sum(),
            seq_sum: sum,
            seq_least: least,
            seq_greatest: greatest,
            offset_sum: sum,
            offset_least: least,
            offset_greatest: greatest,
        };
        VisibleRows(BTreeMap::from([(0, rows)]))
    }

    fn failures(before: &[f64], now: &[f64]) -> u64 {
        let before = if before.is_empty() { VisibleRows::default() } else { visible(before) };
        let mut checks = Checks::default();
        visible(now).check("test", &before, &mut checks);
        checks.failed()
    }

    #[test]
    fn a_prefix_passes() {
        assert_eq!(failures(&[], &[0.0, 1.0, 2.0]), 0);
        assert_eq!(failures(&[0.0], &[0.0, 1.0, 2.0]), 0);
    }

    #[test]
    fn a_lost_row_and_one_that_is_there_twice_fail() {
        assert_eq!(failures(&[], &[0.0, 2.0]), 1, "a gap");
        assert_eq!(failures(&[], &[0.0, 1.0, 1.0]), 1, "twice");
        assert_eq!(failures(&[], &[0.0, 0.0, 2.0]), 1, "one lost, another twice");
        assert_eq!(failures(&[], &[1.0, 2.0]), 1, "the first is missing");
    }

    #[test]
    fn fewer_rows_than_before_fail() {
        assert_eq!(failures(&[0.0, 1.0, 2.0], &[0.0, 1.0]), 1);
    }

    #[test]
    fn fewer_rows_than_committed_fail() {
        let mut checks = Checks::default();
        visible(&[0.0, 1.0]).check_committed("test", &BTreeMap::from([(0, 3)]), &mut checks);
        assert_eq!((checks.passed(), checks.failed()), (0, 1));
    }
}
