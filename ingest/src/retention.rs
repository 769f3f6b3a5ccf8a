//! Decides which segments are too old to be kept. Pure.
//!
//! As in Pinot a segment goes as a whole, once its newest row is older than the table keeps rows, and one whose times are not
//! plausible stays: a wrong clock must not delete rows.

use std::sync::Arc;
use std::time::Duration;

use meunier_catalog::{SegmentCommit, SegmentId};

use crate::decode::is_plausible_time;

/// Returns the segments whose newest row is older than `kept`.
pub(crate) fn expired(segments: &[Arc<SegmentCommit>], kept: Duration, now_ms: i64) -> Vec<SegmentId> {
    let kept_ms = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
    let is_expired = |segment: &&Arc<SegmentCommit>| {
        let newest = segment.max_time_ms.filter(|millis| is_plausible_time(*millis));
        newest.is_some_and(|newest| now_ms.saturating_sub(newest) > kept_ms)
    };
    segments.iter().filter(is_expired).map(|segment| segment.id()).collect()
}

#[cfg(test)]
mod tests {
    use meunier_catalog::TableId;
    use meunier_segment::offset_range::{Offset, OffsetRange, PartitionId};

    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    fn segment(sequence: u32, max_time_ms: Option<i64>) -> Arc<SegmentCommit> {
        Arc::new(SegmentCommit {
            table: TableId(1),
            partition: PartitionId(0),
            epoch: 0,
            sequence,
            name: format!("t__0__{sequence}"),
            range: OffsetRange::new(Offset(0), Offset(1)),
            rows: 1,
            rejected: 0,
            filtered: 0,
            extra_rows: 0,
            merged_rows: 0,
            gap_offsets: 0,
            gaps: Vec::new(),
            durable: None,
            rejects: None,
            created_ms: NOW_MS,
            min_time_ms: max_time_ms.map(|millis| millis - 1),
            max_time_ms,
            last_record: None,
        })
    }

    #[test]
    fn segments_go_once_their_newest_row_is_too_old() {
        let day = Duration::from_secs(86_400);
        let times = [
            Some(NOW_MS - 86_400_000),
            Some(NOW_MS - 86_400_001),
            None,
            Some(NOW_MS + 5),
            // 1970 and 2100 are no times that a clock tells.
            Some(1_000),
            Some(4_102_444_800_000),
            Some(31_536_000_000),
        ];
        let segments: Vec<_> = (0..).zip(times).map(|(sequence, time)| segment(sequence, time)).collect();
        let gone: Vec<u32> = expired(&segments, day, NOW_MS).iter().map(|id| id.sequence).collect();
        assert_eq!(gone, [1, 6]);
    }
}
