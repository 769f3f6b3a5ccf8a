//! The segment that a partition's rows go into now, with what became of its records, and rolled up where the table asks for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use meunier_catalog::table_config::MetricRollUp;
use meunier_segment::consuming_segment::{ConsumingSegment, ConsumingSnapshot};
use meunier_segment::reject::RejectedRecord;
use meunier_segment::schema::Schema;

use crate::decode::DecodedBatch;
use crate::progress::RecordCounts;
use crate::roll_up::RollUp;

/// Metrics of many keys take long to be put into the segment: this share of the time at most goes to it.
const METRICS_SHARE: u32 = 10;
/// Rows are shown to readers after this time all the same.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

/// The rows of one segment so far.
pub(crate) struct OpenSegment {
    pub(crate) rows: ConsumingSegment,
    pub(crate) counts: RecordCounts,
    schema: Arc<Schema>,
    metrics: Option<Vec<MetricRollUp>>,
    /// Which rows become one; none where the table does not ask for it.
    roll_up: Option<RollUp>,
    /// When the metrics were last put into the segment, and how long that took.
    shown: Option<(Instant, Duration)>,
}

/// A segment that takes no more rows.
pub(crate) struct ClosedSegment {
    pub(crate) rows: Arc<ConsumingSnapshot>,
    pub(crate) rejects: Vec<RejectedRecord>,
    pub(crate) counts: RecordCounts,
}

impl OpenSegment {
    /// Returns the segment without rows; `metrics` says how they are rolled up, if they are.
    pub(crate) fn new(
        rows: ConsumingSegment,
        schema: &Arc<Schema>,
        metrics: Option<Vec<MetricRollUp>>,
    ) -> OpenSegment {
        let mut open = OpenSegment {
            rows,
            counts: RecordCounts::default(),
            schema: Arc::clone(schema),
            metrics,
            roll_up: None,
            shown: None,
        };
        open.start_roll_up();
        open
    }

    /// Appends what was decoded, and counts it.
    pub(crate) fn append(&mut self, batch: DecodedBatch<'_>) {
        let Some(next) = batch.next_offset else { return };
        self.counts.filtered += batch.filtered;
        self.counts.extra_rows += batch.extra_rows;
        match &mut self.roll_up {
            Some(rolled) => rolled.add(batch.rows, &mut self.rows),
            None => self.rows.append_decoded(batch.rows),
        }
        self.rows.append_rejects(batch.rejects);
        self.rows.advance_to(next);
        if let Some(timestamp_ms) = batch.timestamp_ms_max {
            self.rows.saw_record_at(timestamp_ms);
        }
    }

    /// Returns the rows so far, for readers.
    pub(crate) fn snapshot(&mut self) -> Arc<ConsumingSnapshot> {
        if let Some(rolled) = &mut self.roll_up {
            let began = Instant::now();
            rolled.write_metrics(&mut self.rows);
            self.shown = Some((Instant::now(), began.elapsed()));
        }
        self.rows.snapshot()
    }

    /// Returns whether new rows should be shown to readers now, and not with those that come next.
    pub(crate) fn is_show_due(&self) -> bool {
        self.shown.is_none_or(|(at, took)| at.elapsed() >= (took * METRICS_SHARE).min(SHOWN_WITHIN))
    }

    /// Returns the memory that the roll-up takes beside the rows.
    pub(crate) fn roll_up_bytes(&self) -> usize {
        self.roll_up.as_ref().map_or(0, RollUp::memory_bytes)
    }

    /// Ends the segment and goes on with `next`.
    pub(crate) fn close(&mut self, next: ConsumingSegment) -> ClosedSegment {
        let mut counts = std::mem::take(&mut self.counts);
        let mut full = std::mem::replace(&mut self.rows, next);
        if let Some(mut rolled) = self.roll_up.take() {
            rolled.write_metrics(&mut full);
            counts.merged_rows = rolled.merged_rows();
        }
        self.shown = None;
        self.start_roll_up();
        let (rows, rejects) = full.freeze();
        ClosedSegment { rows, rejects, counts }
    }

    fn start_roll_up(&mut self) {
        let Some(metrics) = &self.metrics else { return };
        match RollUp::new(Arc::clone(&self.schema), metrics) {
            Ok(roll_up) => self.roll_up = Some(roll_up),
            Err(error) => {
                tracing::error!(segment = %self.rows.identity().name, %error, "the segment is not rolled up");
            }
        }
    }
}
