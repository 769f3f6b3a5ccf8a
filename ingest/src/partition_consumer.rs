//! Consumption of one partition: records in, rows published, segments handed to the sealer.
//!
//! Owned by one worker. All it shares is the cell it publishes to and the status it reports.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use meunier_catalog::{RecordFingerprint, TableId};
use meunier_segment::consuming_segment::{ConsumingSegment, ConsumingSnapshot, SegmentIdentity};
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::options::SegmentOptions;
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::table_snapshot::{PartitionCell, PartitionSnapshot};
use parking_lot::Mutex;
use rdkafka::error::RDKafkaErrorCode;

use crate::commit::{FrozenSegment, TableStorage};
use crate::decode::{DecodeLimits, DecodedBatch, JsonDecoder, RecordRef, RowRules};
use crate::error::IngestError;
use crate::open_segment::{ClosedSegment, OpenSegment};
use crate::progress::Progress;
use crate::seal_policy::{SealPolicy, SealReason};
use crate::source::{FetchEvent, PartitionQueue};
use crate::status::{PartitionState, PartitionStatus};
use crate::transform::{PendingRecord, RecordPipeline};

/// A partition that got no record for so long is idle.
const IDLE_AFTER: Duration = Duration::from_secs(60);

/// Records decoded at a time: what they decode to stays in the second-level cache until it is appended.
const BATCH_RECORDS: usize = 512;
/// Long records are appended before there are so many.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// What a partition's worker, its table's supervisor and its sealer share.
#[derive(Debug)]
pub(crate) struct PartitionShared {
    /// Records wait in the queue.
    pub(crate) ready: AtomicBool,
    /// The table is going away: whoever retries gives up.
    pub(crate) stopped: AtomicBool,
    pub(crate) status: Mutex<PartitionStatus>,
}

/// Where a partition starts from.
#[derive(Debug, Clone)]
pub(crate) struct PartitionStartState {
    pub(crate) partition: PartitionId,
    pub(crate) committed: Offset,
    pub(crate) epoch: u64,
    pub(crate) next_sequence: u32,
    pub(crate) rows_committed: u64,
    pub(crate) rejected_committed: u64,
    pub(crate) filtered_committed: u64,
}

pub(crate) struct PartitionConsumer {
    pub(crate) table: Arc<TableStorage>,
    pub(crate) shared: Arc<PartitionShared>,
    partition: PartitionId,
    epoch: u64,
    cell: Arc<PartitionCell>,
    queue: Option<PartitionQueue>,
    decoder: JsonDecoder,
    /// What makes rows of records that are none as they come.
    pipeline: Option<RecordPipeline>,
    policy: SealPolicy,
    segment: OpenSegment,
    segment_began: Instant,
    progress: Progress,
    last_record: Option<RecordFingerprint>,
    next_sequence: u32,
    sealed: Arc<[Arc<SealedSegment>]>,
    sealing: Option<Arc<ConsumingSnapshot>>,
    sealing_rejects: u64,
    /// Rows and rejects of committed segments.
    rows_committed: u64,
    rejected_committed: u64,
    /// Filtered records of committed segments, and of the one being sealed.
    filtered_before: u64,
    seal_requested: bool,
    paused: bool,
    /// The last take filled its batch: more is likely there.
    backlog: bool,
    last_fetch: Instant,
    /// Records were taken that readers do not see yet.
    unpublished: bool,
    /// Memory of the consuming segment as last published: adding it up anew visits every chunk and dictionary block.
    segment_memory_bytes: usize,
    /// What this partition last reported to the memory total.
    memory_reported: u64,
}

impl PartitionConsumer {
    pub(crate) fn new(
        table: Arc<TableStorage>,
        shared: Arc<PartitionShared>,
        cell: Arc<PartitionCell>,
        start: &PartitionStartState,
        policy: SealPolicy,
        limits: DecodeLimits,
        now_ms: i64,
    ) -> Result<PartitionConsumer, IngestError> {
        let (config, schema) = (&table.config, &table.schema);
        let pipeline =
            RecordPipeline::new(config, schema, start.partition, limits, table.expressions.as_ref())
                .map_err(|detail| IngestError::Transform { table: table.entry.name.to_string(), detail })?;
        // What stands in the way of a roll-up was told when the table was made.
        let metrics = config.roll_up(schema).ok().flatten();
        let rows = new_segment(&table, start.partition, start.next_sequence, start.committed, now_ms);
        let rules = RowRules {
            continue_on_error: config.ingestion.continue_on_error,
            time_column: table.time_column.clone().filter(|_| config.ingestion.row_time_value_check),
        };
        let mut consumer = PartitionConsumer {
            partition: start.partition,
            epoch: start.epoch,
            decoder: JsonDecoder::with_rules(Arc::clone(schema), limits, &rules),
            pipeline,
            filtered_before: start.filtered_committed,
            segment: OpenSegment::new(rows, schema, metrics),
            segment_began: Instant::now(),
            progress: Progress::new(start.committed),
            last_record: None,
            next_sequence: start.next_sequence + 1,
            sealed: Arc::clone(&cell.load().sealed),
            sealing: None,
            sealing_rejects: 0,
            rows_committed: start.rows_committed,
            rejected_committed: start.rejected_committed,
            seal_requested: false,
            paused: false,
            backlog: false,
            last_fetch: Instant::now(),
            unpublished: false,
            segment_memory_bytes: 0,
            memory_reported: 0,
            queue: None,
            policy,
            cell,
            shared,
            table,
        };
        consumer.publish();
        Ok(consumer)
    }

    pub(crate) fn key(&self) -> (TableId, PartitionId) {
        (self.table.entry.id, self.partition)
    }

    /// Begins or goes on to consume through `queue`, which starts at the position.
    pub(crate) fn attach(&mut self, queue: PartitionQueue) {
        self.paused = false;
        self.backlog = true;
        self.queue = Some(queue);
        self.last_fetch = Instant::now();
        self.report(|status| {
            if !matches!(status.state, PartitionState::Live | PartitionState::Lagging) {
                status.state = PartitionState::Starting;
            }
        });
    }

    /// Records are missing up to `next`, and the user knows: goes on from there.
    pub(crate) fn skip_to(&mut self, next: Offset) {
        self.progress.skip_to(next);
        self.segment.rows.advance_to(self.progress.position());
        self.publish();
    }

    /// Stops consumption; what was consumed is sealed.
    pub(crate) fn pause(&mut self) {
        self.queue = None;
        self.paused = true;
        self.seal_requested = true;
        self.report(|status| status.state = PartitionState::Paused);
    }

    /// Asks for a seal of what is there.
    pub(crate) fn request_seal(&mut self) {
        self.seal_requested = true;
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        (self.segment_memory_bytes + self.sealing.as_ref().map_or(0, |segment| segment.memory_bytes())) as u64
    }

    /// Returns by how much the partition's memory changed since the last call.
    pub(crate) fn memory_change(&mut self) -> i64 {
        let now = self.memory_bytes();
        let change = now.cast_signed() - self.memory_reported.cast_signed();
        self.memory_reported = now;
        change
    }

    /// Gives back what the partition reported to the memory total, before it is dropped.
    pub(crate) fn release(&mut self, change: impl FnOnce(i64)) {
        self.shared.stopped.store(true, Ordering::Release);
        change(-self.memory_reported.cast_signed());
    }

    pub(crate) fn consuming_rows(&self) -> usize {
        self.segment.rows.rows()
    }

    pub(crate) fn is_sealing(&self) -> bool {
        self.sealing.is_some()
    }

    pub(crate) fn has_backlog(&self) -> bool {
        self.backlog
    }

    /// Takes what waits in the queue, up to `records_max` records, and publishes it. Returns how many there were.
    pub(crate) fn take(&mut self, records_max: usize, now_ms: i64) -> usize {
        // A full segment waits for the one before it to be sealed: back-pressure reaches the broker through the queue. One
        // that is to be sealed for its age or on request takes rows meanwhile, or readers would wait for a slow disk.
        if self.sealing.is_some() && self.is_full() {
            return 0;
        }
        self.shared.ready.store(false, Ordering::Release);
        let records_max = records_max.min(self.policy.rows_left(self.segment.rows.rows())).max(1);
        let before = self.progress.position();
        let mut count = 0;
        self.backlog = true;
        while self.backlog && count < records_max {
            let batch_records = (records_max - count).min(BATCH_RECORDS);
            let taken = self.take_batch(batch_records, now_ms);
            self.backlog = taken == batch_records;
            count += taken;
        }
        if self.progress.position() != before {
            self.last_fetch = Instant::now();
            self.unpublished = true;
        }
        if self.unpublished && self.segment.is_show_due() {
            self.publish();
        }
        count
    }

    /// Takes up to `records_max` records from the queue into the segment. Returns how many there were.
    fn take_batch(&mut self, records_max: usize, now_ms: i64) -> usize {
        let Some(queue) = &mut self.queue else { return 0 };
        let fetch = queue.take(records_max);
        let mut last_record = None;
        let mut error = None;
        let reads_headers = self.pipeline.as_ref().is_some_and(RecordPipeline::reads_headers);
        let mut pending = Vec::new();
        for (number, event) in fetch.events().enumerate() {
            match event {
                FetchEvent::Record(record) => {
                    if self.progress.take_record(record.offset) {
                        last_record = Some(record);
                        if self.pipeline.is_some() {
                            let headers = if reads_headers { fetch.headers(number) } else { Vec::new() };
                            pending.push(PendingRecord { record, headers });
                            continue;
                        }
                        self.decoder.push(&record);
                        if self.decoder.bytes() >= BATCH_BYTES_MAX {
                            append(&mut self.segment, &self.shared, self.decoder.take(), now_ms);
                        }
                    }
                }
                FetchEvent::End(next) => self.progress.skip_to(next),
                FetchEvent::Error(code, text) => error = Some((code, text)),
            }
        }
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.run(&pending, &mut self.decoder, |decoder| {
                if decoder.bytes() >= BATCH_BYTES_MAX {
                    append(&mut self.segment, &self.shared, decoder.take(), now_ms);
                }
            });
        }
        append(&mut self.segment, &self.shared, self.decoder.take(), now_ms);
        self.segment.rows.advance_to(self.progress.position());
        // Of all fingerprints only the last before a seal is used, so one a fetch is enough.
        self.last_record = last_record.as_ref().map(fingerprint).or(self.last_record);
        let count = fetch.len();
        drop(pending);
        drop(fetch);
        if let Some((code, text)) = error {
            self.fail(code, &text);
        }
        count
    }

    /// Freezes the segment if it is time to. The caller hands it to the sealer.
    pub(crate) fn freeze_if_due(&mut self, short_of_memory: bool, now_ms: i64) -> Option<FrozenSegment> {
        if self.sealing.is_some() {
            return None;
        }
        if self.progress.range().width() == 0 {
            self.seal_requested = false;
            self.segment_began = Instant::now();
            return None;
        }
        let reason = match self.seal_due() {
            Some(reason) => reason,
            None if short_of_memory => SealReason::Memory,
            None => return None,
        };
        self.seal_requested = false;
        let sequence = self.next_sequence - 1;
        let next =
            new_segment(&self.table, self.partition, self.next_sequence, self.progress.position(), now_ms);
        self.next_sequence += 1;
        self.segment_began = Instant::now();
        let ClosedSegment { rows, rejects, counts } = self.segment.close(next);
        tracing::info!(segment = %rows.identity().name, rows = rows.rows(), reason = reason.name(), "sealing segment");
        self.sealing = Some(Arc::clone(&rows));
        self.sealing_rejects = rejects.len() as u64;
        self.filtered_before += counts.filtered;
        self.publish();
        let progress = self.progress.seal();
        // A segment of nothing but gaps has no last record.
        let last_record = self.last_record.filter(|record| record.offset >= progress.range().start);
        Some(FrozenSegment { rows, rejects, progress, counts, sequence, epoch: self.epoch, last_record })
    }

    /// The segment being sealed is committed.
    pub(crate) fn sealed(&mut self, segment: Option<Arc<SealedSegment>>) {
        let Some(sealing) = self.sealing.take() else { return };
        if let Some(segment) = segment {
            self.policy.learn(sealing.memory_bytes() as u64, segment.file_bytes());
            self.sealed = self.sealed.iter().cloned().chain([segment]).collect();
        }
        self.rows_committed += sealing.rows() as u64;
        self.rejected_committed += std::mem::take(&mut self.sealing_rejects);
        let committed = sealing.range().end;
        self.report(|status| {
            status.committed = committed;
            if let PartitionState::Stuck(_) = status.state {
                status.state = PartitionState::Live;
            }
        });
        self.publish();
    }

    /// A committed segment has a new serving file.
    pub(crate) fn rebuilt(&mut self, segment: &Arc<SealedSegment>) {
        self.sealed = with_rebuilt(&self.sealed, segment);
        self.publish();
    }

    /// Committed segments were dropped.
    pub(crate) fn dropped(&mut self, segments: &[SegmentName]) {
        self.sealed = without(&self.sealed, segments);
        self.publish();
    }

    /// Brings state, lag and end of the log up to date.
    pub(crate) fn refresh(&mut self, log_end: Option<Offset>) {
        let idle = self.last_fetch.elapsed() > IDLE_AFTER;
        let position = self.progress.position();
        let consumes = self.queue.is_some();
        self.report(|status| {
            if let Some(end) = log_end {
                // What was consumed since the last fetch told the end is part of the log too.
                let end = end.max(position);
                status.log_end = Some(end);
                status.lag = Some(end.0.abs_diff(position.0));
            }
            let follows = matches!(
                status.state,
                PartitionState::Starting
                    | PartitionState::Live
                    | PartitionState::Idle
                    | PartitionState::Lagging
            );
            if consumes && follows && status.log_end.is_some() {
                status.state = match status.lag {
                    Some(lag) if lag > 0 => PartitionState::Lagging,
                    _ if idle => PartitionState::Idle,
                    _ => PartitionState::Live,
                };
            }
        });
    }

    fn fail(&mut self, code: RDKafkaErrorCode, text: &str) {
        let position = self.progress.position();
        tracing::warn!(table = %self.table.entry.name, partition = %self.partition, %position, error = text, "fetch failed");
        let expired = code == RDKafkaErrorCode::AutoOffsetReset || code == RDKafkaErrorCode::OffsetOutOfRange;
        if expired {
            self.queue = None;
        }
        self.report(|status| {
            status.last_error = Some(text.to_owned());
            if expired {
                status.state = PartitionState::Expired(format!(
                    "offset {position} is not at the broker any more: its records expired or the topic was made anew; \
                     resume with `consumeFrom=smallest` or `consumeFrom=largest` to go on and record the gap"
                ));
            }
        });
    }

    fn seal_due(&self) -> Option<SealReason> {
        if self.seal_requested {
            return Some(SealReason::Request);
        }
        let bytes = self.segment_memory_bytes as u64;
        self.policy.due(self.segment.rows.rows() as u64, bytes, self.segment_began.elapsed())
    }

    fn is_full(&self) -> bool {
        self.policy.rows_left(self.segment.rows.rows()) == 0
            || self.policy.due(0, self.segment_memory_bytes as u64, Duration::ZERO).is_some()
    }

    fn publish(&mut self) {
        self.unpublished = false;
        let consuming = self.segment.snapshot();
        self.segment_memory_bytes = consuming.memory_bytes() + self.segment.roll_up_bytes();
        let rows = consuming.rows() as u64;
        let sealing_rows = self.sealing.as_ref().map_or(0, |segment| segment.rows()) as u64;
        let rows_total = self.rows_committed + sealing_rows + rows;
        let rejected_total =
            self.rejected_committed + self.sealing_rejects + self.segment.rows.rejects().len() as u64;
        let filtered_total = self.filtered_before + self.segment.counts.filtered;
        let name = self.segment.rows.identity().name.clone();
        let memory_bytes = self.memory_bytes();
        let sealing_segments = usize::from(self.sealing.is_some());
        let position = self.progress.position();
        self.cell.publish(PartitionSnapshot {
            partition: self.partition,
            sealed: Arc::clone(&self.sealed),
            sealing: self.sealing.iter().cloned().collect(),
            consuming: Some(consuming),
        });
        self.report(|status| {
            status.position = position;
            status.consuming_segment = Some(name);
            status.consuming_rows = rows;
            status.sealing_segments = sealing_segments;
            status.memory_bytes = memory_bytes;
            status.rows_total = rows_total;
            status.rejected_total = rejected_total;
            status.filtered_total = filtered_total;
        });
    }

    fn report(&self, change: impl FnOnce(&mut PartitionStatus)) {
        change(&mut self.shared.status.lock());
    }
}

/// Appends what was decoded, and tells of it.
fn append(segment: &mut OpenSegment, shared: &PartitionShared, batch: DecodedBatch<'_>, now_ms: i64) {
    if batch.next_offset.is_none() {
        return;
    }
    let mut status = shared.status.lock();
    status.bytes_total += batch.payload_bytes;
    status.incomplete_total += batch.incomplete;
    status.last_fetch_ms = Some(now_ms);
    status.last_record_ms = status.last_record_ms.max(batch.timestamp_ms_max);
    if matches!(status.state, PartitionState::Starting | PartitionState::Idle) {
        status.state = PartitionState::Live;
    }
    drop(status);
    segment.append(batch);
}

/// Returns the segments with `rebuilt` in place of the one of its name.
pub(crate) fn with_rebuilt(
    sealed: &[Arc<SealedSegment>],
    rebuilt: &Arc<SealedSegment>,
) -> Arc<[Arc<SealedSegment>]> {
    let newer = |old: &Arc<SealedSegment>| if old.name() == rebuilt.name() { rebuilt } else { old }.clone();
    sealed.iter().map(newer).collect()
}

/// Returns the segments without those of some names.
pub(crate) fn without(sealed: &[Arc<SealedSegment>], dropped: &[SegmentName]) -> Arc<[Arc<SealedSegment>]> {
    sealed.iter().filter(|segment| !dropped.contains(segment.name())).cloned().collect()
}

fn new_segment(
    table: &TableStorage,
    partition: PartitionId,
    sequence: u32,
    start: Offset,
    now_ms: i64,
) -> ConsumingSegment {
    let name = SegmentName::new(&table.entry.name, partition, sequence, now_ms);
    let identity = SegmentIdentity { name, partition, created_ms: now_ms };
    ConsumingSegment::new(identity, Arc::clone(&table.schema), &consuming_options(table), start)
}

/// Metrics that are rolled up change while the segment consumes, which ids of a dictionary cannot.
fn consuming_options(table: &TableStorage) -> Cow<'_, SegmentOptions> {
    let Ok(Some(metrics)) = table.config.roll_up(&table.schema) else { return Cow::Borrowed(&table.options) };
    let mut options = table.options.clone();
    options.no_dictionary_columns.extend(metrics.iter().map(|metric| metric.column.as_str().into()));
    Cow::Owned(options)
}

fn fingerprint(record: &RecordRef<'_>) -> RecordFingerprint {
    let crc = |bytes: Option<&[u8]>| u64::from(bytes.map_or(0, crc32c::crc32c));
    let timestamp = record.timestamp_ms.unwrap_or(-1).cast_unsigned();
    RecordFingerprint {
        offset: record.offset,
        hash: (crc(record.key) << 32 | crc(record.payload)) ^ timestamp,
    }
}
