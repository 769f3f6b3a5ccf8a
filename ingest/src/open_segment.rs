//! The segment that a partition's rows go into now, with what became of its records, and rolled up where the table asks for it.

use std::sync::Arc;

use meunier_catalog::table_config::MetricRollUp;
use meunier_segment::consuming_segment::{ConsumingSegment, ConsumingSnapshot};
use meunier_segment::options::SegmentOptions;
use meunier_segment::reject::RejectedRecord;
use meunier_segment::schema::Schema;

use crate::decode::DecodedBatch;
use crate::progress::RecordCounts;
use crate::roll_up::RollUp;

/// The rows of one segment so far.
pub(crate) struct OpenSegment {
    /// The rows as they came.
    pub(crate) rows: ConsumingSegment,
    pub(crate) counts: RecordCounts,
    schema: Arc<Schema>,
    metrics: Option<Vec<MetricRollUp>>,
    /// The same rows rolled up; none where the table does not ask for it, or once that failed for this segment.
    roll_up: Option<RollUp>,
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
        };
        open.start_roll_up();
        open
    }

    /// Appends what was decoded, and counts it.
    pub(crate) fn append(&mut self, batch: DecodedBatch<'_>) {
        let Some(next) = batch.next_offset else { return };
        self.counts.filtered += batch.filtered;
        self.counts.extra_rows += batch.extra_rows;
        let rolled = self.roll_up.as_mut().map_or(Ok(()), |rolled| rolled.add(batch.rows));
        if let Err(error) = rolled {
            tracing::error!(segment = %self.rows.identity().name, %error, "the segment is not rolled up");
            self.roll_up = None;
        }
        self.rows.append_decoded(batch.rows);
        self.rows.append_rejects(batch.rejects);
        self.rows.advance_to(next);
        if let Some(timestamp_ms) = batch.timestamp_ms_max {
            self.rows.saw_record_at(timestamp_ms);
        }
    }

    /// Returns the memory that the roll-up takes beside the rows.
    pub(crate) fn roll_up_bytes(&self) -> usize {
        self.roll_up.as_ref().map_or(0, RollUp::memory_bytes)
    }

    /// Ends the segment, rolled up where the table asks for it, and goes on with `next`.
    pub(crate) fn close(&mut self, next: ConsumingSegment, options: &SegmentOptions) -> ClosedSegment {
        let mut counts = std::mem::take(&mut self.counts);
        let mut full = std::mem::replace(&mut self.rows, next);
        if let Some(rolled) = self.roll_up.take().filter(|rolled| rolled.merged_rows() > 0) {
            match rolled.finish() {
                Ok((rows, offsets)) => {
                    counts.merged_rows = rolled.merged_rows();
                    full = full.with_rows(options, &rows, offsets);
                }
                Err(error) => {
                    tracing::error!(segment = %full.identity().name, %error, "the segment is not rolled up");
                }
            }
        }
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
