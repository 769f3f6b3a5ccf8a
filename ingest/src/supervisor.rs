//! Looks after one table's topic: connects, finds partitions, starts and restarts their consumption.
//!
//! One thread a table, since its requests to the brokers block. It decides where a partition starts; what happens to the
//! records is the workers' business.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use meunier_catalog::table_config::{OffsetCriteria, StreamConfig};
use meunier_catalog::{CatalogError, PartitionStart, SegmentCommit, SegmentId};
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::table_snapshot::{LiveTable, PartitionCell, PartitionSnapshot};
use parking_lot::{Condvar, Mutex};

use crate::clock::now_ms;
use crate::commit::TableStorage;
use crate::config::IngestConfig;
use crate::error::{IngestError, SourceError};
use crate::partition_consumer::{
    PartitionConsumer, PartitionShared, PartitionStartState, with_rebuilt, without,
};
use crate::retention::expired;
use crate::seal_policy::SealPolicy;
use crate::source::{KafkaClient, KafkaClients, PartitionQueue, TopicReader, first_offset};
use crate::status::{PartitionState, PartitionStatus};
use crate::worker::{Command, Mailbox};

/// How often ends of the log are read and requests looked at.
const TICK: Duration = Duration::from_millis(250);
/// Waits between tries to reach the brokers, the last one for ever.
const RETRY_AFTER: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// From where to go on after a pause or a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumeFrom {
    /// The first offset not consumed.
    LastConsumed,
    /// The first offset the broker still has, if that is later.
    Smallest,
    /// The end of the partition.
    Largest,
}

/// One partition as the table's supervisor knows it.
pub(crate) struct SupervisedPartition {
    pub(crate) shared: Arc<PartitionShared>,
    pub(crate) worker: Arc<Mailbox>,
}

/// What a supervisor shares with the ingester.
pub(crate) struct TableIngest {
    pub(crate) storage: Arc<TableStorage>,
    pub(crate) stream: StreamConfig,
    pub(crate) live: Arc<LiveTable>,
    pub(crate) partitions: Mutex<BTreeMap<PartitionId, SupervisedPartition>>,
    pub(crate) source_error: Mutex<Option<String>>,
    pub(crate) embedded: AtomicBool,
    pub(crate) stopped: AtomicBool,
    requests: Mutex<Requests>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Requests {
    paused: bool,
    resume: Option<ConsumeFrom>,
}

impl TableIngest {
    pub(crate) fn new(storage: Arc<TableStorage>, stream: StreamConfig, live: Arc<LiveTable>) -> TableIngest {
        let paused = storage.entry.paused.is_some() || storage.entry.disabled;
        TableIngest {
            storage,
            stream,
            live,
            partitions: Mutex::default(),
            source_error: Mutex::default(),
            embedded: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            requests: Mutex::new(Requests { paused, resume: None }),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn pause(&self) {
        self.requests.lock().paused = true;
        for (&partition, supervised) in self.partitions.lock().iter() {
            supervised.worker.send(Command::Pause((self.storage.entry.id, partition)));
        }
    }

    pub(crate) fn resume(&self, from: ConsumeFrom) {
        let mut requests = self.requests.lock();
        requests.paused = false;
        requests.resume = Some(from);
        self.changed.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    /// Puts a segment's new serving file in place of the old one. The partition's worker publishes it. A partition without
    /// a worker, as its brokers have not been reached yet, gets none while the lock is held.
    pub(crate) fn replace(&self, partition: PartitionId, segment: Arc<SealedSegment>) {
        let partitions = self.partitions.lock();
        if let Some(supervised) = partitions.get(&partition) {
            let key = (self.storage.entry.id, partition);
            supervised.worker.send(Command::Rebuilt { key, segment });
            return;
        }
        let cells = self.live.partitions();
        if let Some(cell) = cells.iter().find(|cell| cell.partition() == partition) {
            let snapshot = cell.load();
            let sealed = with_rebuilt(&snapshot.sealed, &segment);
            cell.publish(PartitionSnapshot { sealed, ..(*snapshot).clone() });
        }
    }

    /// Drops segments that are published, or hold no rows: their rows are gone for queries, their files kept for a time.
    pub(crate) fn drop_segments(
        &self,
        segments: &[Arc<SegmentCommit>],
        files_kept: Duration,
    ) -> Result<(), CatalogError> {
        let storage = &self.storage;
        let ids: Vec<SegmentId> = segments.iter().map(|segment| segment.id()).collect();
        storage.catalog.drop_segments(storage.entry.id, &ids, files_kept, now_ms())?;
        let mut names: BTreeMap<PartitionId, Vec<SegmentName>> = BTreeMap::new();
        for segment in segments {
            names.entry(segment.partition).or_default().push(segment.name.as_str().into());
        }
        names.into_iter().for_each(|(partition, names)| self.forget(partition, names));
        Ok(())
    }

    /// Returns the committed segments that may be dropped. One that is committed and not published yet would come back when
    /// it is.
    pub(crate) fn droppable_segments(&self) -> Vec<Arc<SegmentCommit>> {
        let snapshot = self.live.snapshot();
        let sealed = snapshot.partitions.iter().flat_map(|partition| partition.sealed.iter());
        let published: HashSet<&str> = sealed.map(|segment| segment.name().as_str()).collect();
        let mut segments = self.storage.catalog.segments(self.storage.entry.id);
        segments.retain(|segment| segment.durable.is_none() || published.contains(segment.name.as_str()));
        segments
    }

    /// Takes dropped segments out of what queries see.
    fn forget(&self, partition: PartitionId, segments: Vec<SegmentName>) {
        let partitions = self.partitions.lock();
        if let Some(supervised) = partitions.get(&partition) {
            let key = (self.storage.entry.id, partition);
            supervised.worker.send(Command::Dropped { key, segments });
            return;
        }
        let cells = self.live.partitions();
        if let Some(cell) = cells.iter().find(|cell| cell.partition() == partition) {
            let snapshot = cell.load();
            let sealed = without(&snapshot.sealed, &segments);
            cell.publish(PartitionSnapshot { sealed, ..(*snapshot).clone() });
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn wait(&self, time: Duration) {
        let mut requests = self.requests.lock();
        if !self.is_stopped() && requests.resume.is_none() {
            self.changed.wait_for(&mut requests, time);
        }
    }
}

/// The table's supervising thread.
pub(crate) struct Supervisor {
    pub(crate) table: Arc<TableIngest>,
    pub(crate) clients: Arc<KafkaClients>,
    pub(crate) workers: Vec<Arc<Mailbox>>,
    pub(crate) config: IngestConfig,
    pub(crate) reader: TopicReader,
    /// When segments were last looked for that are too old.
    pub(crate) looked_for_old: Cell<Option<Instant>>,
}

impl Supervisor {
    /// Runs until the table stops.
    pub(crate) fn run(self) {
        let mut failures = 0;
        while !self.table.is_stopped() {
            self.drop_old_segments();
            match self.supervise(&mut failures) {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(table = %self.table.storage.entry.name, %error, "topic cannot be consumed");
                    *self.table.source_error.lock() = Some(error.to_string());
                    self.mark_unreachable(&error.to_string());
                    self.table.wait(RETRY_AFTER[failures.min(RETRY_AFTER.len() - 1)]);
                    failures += 1;
                }
            }
        }
    }

    fn supervise(&self, failures: &mut usize) -> Result<(), IngestError> {
        let client = self.clients.of_reader(&self.reader)?;
        let mut discovered: Option<Instant> = None;
        let mut embedded_known = false;
        while !self.table.is_stopped() {
            client.poll();
            let due = discovered.is_none_or(|at| at.elapsed() >= self.config.partition_discovery_interval);
            if due {
                self.discover(&client)?;
                discovered = Some(Instant::now());
                *failures = 0;
                *self.table.source_error.lock() = None;
            }
            if !embedded_known {
                self.table.embedded.store(client.is_embedded(), Ordering::Relaxed);
                embedded_known = true;
            }
            self.serve_requests(&client)?;
            self.report_ends(&client);
            self.drop_old_segments();
            self.table.wait(TICK);
        }
        Ok(())
    }

    /// Finds the topic's partitions and starts those that are not consumed yet.
    fn discover(&self, client: &Arc<KafkaClient>) -> Result<(), IngestError> {
        let topic = &self.table.stream.topic;
        let catalog = &self.table.storage.catalog;
        let table = self.table.storage.entry.id;
        let found = client.topic(topic)?;
        let known = catalog.partitions(table);
        // A partition that appears later was created after the table: nothing in it may be left out.
        let criteria =
            if known.is_empty() { &self.table.stream.offset_criteria } else { &OffsetCriteria::Smallest };
        let mut starts = Vec::new();
        for &partition in &found.partitions {
            if known.iter().all(|state| state.partition != partition) {
                let start = first_offset(client, topic, partition, criteria, now_ms())?;
                starts.push(PartitionStart { partition, start, epoch: 0 });
            }
        }
        if !starts.is_empty() {
            tracing::info!(table = %self.table.storage.entry.name, partitions = starts.len(), "found partitions");
            catalog.add_partitions(table, starts)?;
        }
        for state in catalog.partitions(table) {
            let start = PartitionStartState {
                partition: state.partition,
                committed: state.committed,
                epoch: state.epoch,
                next_sequence: state.next_sequence,
                rows_committed: state.rows,
                rejected_committed: state.rejected,
                filtered_committed: state.filtered,
            };
            self.ensure_partition(&start, found.partitions.len())?;
        }
        Ok(())
    }

    /// Gives a partition that has none yet a consumer and a worker.
    fn ensure_partition(&self, start: &PartitionStartState, partitions: usize) -> Result<(), IngestError> {
        let mut supervised = self.table.partitions.lock();
        if supervised.contains_key(&start.partition) {
            return Ok(());
        }
        let storage = &self.table.storage;
        let cells = self.table.live.partitions();
        let cell =
            cells.iter().find(|cell| cell.partition() == start.partition).cloned().unwrap_or_else(|| {
                let cell = Arc::new(PartitionCell::new(PartitionSnapshot::empty(start.partition)));
                self.table.live.add_partition(Arc::clone(&cell));
                cell
            });
        let shared = Arc::new(PartitionShared::new(start));
        let worker = Arc::clone(&self.workers[self.worker_of(start.partition)]);
        let consumer = PartitionConsumer::new(
            Arc::clone(storage),
            Arc::clone(&shared),
            cell,
            start,
            SealPolicy::new(&self.table.stream.flush, partitions),
            self.config.decode_limits,
            now_ms(),
        )?;
        worker.send(Command::Add(Box::new(consumer)));
        supervised.insert(start.partition, SupervisedPartition { shared, worker });
        drop(supervised);
        if self.table.requests.lock().paused {
            self.set_state(start.partition, PartitionState::Paused);
        } else {
            self.attach(start.partition, start.committed);
        }
        Ok(())
    }

    /// Spreads the partitions of a table over all workers, and the first partitions of tables too.
    fn worker_of(&self, partition: PartitionId) -> usize {
        let table = usize::try_from(self.table.storage.entry.id.0).unwrap_or(0);
        (table + usize::try_from(partition.0).unwrap_or(0)) % self.workers.len()
    }

    fn attach(&self, partition: PartitionId, start: Offset) {
        let (shared, worker) = match self.table.partitions.lock().get(&partition) {
            Some(supervised) => (Arc::clone(&supervised.shared), Arc::clone(&supervised.worker)),
            None => return,
        };
        let wake = {
            let (shared, worker) = (Arc::clone(&shared), Arc::clone(&worker));
            Box::new(move || {
                shared.ready.store(true, Ordering::Release);
                worker.wake();
            })
        };
        let client = match self.clients.of_reader(&self.reader) {
            Ok(client) => client,
            Err(error) => return self.set_state(partition, PartitionState::Stuck(error.to_string())),
        };
        match PartitionQueue::start(client, &self.table.stream.topic, partition, start, wake) {
            Ok(queue) => {
                let key = (self.table.storage.entry.id, partition);
                worker.send(Command::Attach { key, start, queue });
            }
            Err(error) => self.set_state(partition, PartitionState::Stuck(error.to_string())),
        }
    }

    /// Goes on where it was paused, where records were lost, and where a start had failed.
    fn serve_requests(&self, client: &Arc<KafkaClient>) -> Result<(), SourceError> {
        let Some(from) = self.table.requests.lock().resume.take() else { return Ok(()) };
        let waiting: Vec<(PartitionId, Offset)> = {
            let partitions = self.table.partitions.lock();
            let states = partitions.iter().map(|(&partition, supervised)| {
                let status = supervised.shared.status.lock();
                (partition, status.position, status.state.clone())
            });
            states
                .filter(|(_, _, state)| {
                    matches!(
                        state,
                        PartitionState::Paused | PartitionState::Expired(_) | PartitionState::Stuck(_)
                    )
                })
                .map(|(partition, position, _)| (partition, position))
                .collect()
        };
        for (partition, position) in waiting {
            let start = match from {
                ConsumeFrom::LastConsumed => position,
                ConsumeFrom::Smallest => {
                    position.max(client.watermarks(&self.table.stream.topic, partition)?.0)
                }
                ConsumeFrom::Largest => {
                    position.max(client.watermarks(&self.table.stream.topic, partition)?.1)
                }
            };
            self.set_state(partition, PartitionState::Starting);
            self.attach(partition, start);
        }
        Ok(())
    }

    /// Drops the segments that are older than the table keeps rows, when it is time to look for them.
    fn drop_old_segments(&self) {
        let is_due =
            self.looked_for_old.get().is_none_or(|at| at.elapsed() >= self.config.retention_interval);
        if !is_due {
            return;
        }
        self.looked_for_old.set(Some(Instant::now()));
        let storage = &self.table.storage;
        if let Err(error) = storage.catalog.remove_expired_files(now_ms()) {
            tracing::warn!(%error, "files of dropped segments cannot be removed");
        }
        let Some(kept) = storage.config.retention else { return };
        let mut old = self.table.droppable_segments();
        let ids = expired(&old, kept, now_ms());
        if ids.is_empty() {
            return;
        }
        old.retain(|segment| ids.contains(&segment.id()));
        if let Err(error) = self.table.drop_segments(&old, storage.config.deleted_segments_retention) {
            tracing::warn!(table = %storage.entry.name, %error, "old segments cannot be dropped");
            return;
        }
        tracing::info!(table = %storage.entry.name, segments = old.len(), "dropped old segments");
    }

    fn report_ends(&self, client: &Arc<KafkaClient>) {
        for (&partition, supervised) in self.table.partitions.lock().iter() {
            let key = (self.table.storage.entry.id, partition);
            let end = client.known_end(&self.table.stream.topic, partition);
            supervised.worker.send(Command::LogEnd { key, end });
        }
    }

    fn mark_unreachable(&self, reason: &str) {
        for supervised in self.table.partitions.lock().values() {
            supervised.shared.status.lock().last_error = Some(reason.to_owned());
        }
    }

    fn set_state(&self, partition: PartitionId, state: PartitionState) {
        if let Some(supervised) = self.table.partitions.lock().get(&partition) {
            supervised.shared.status.lock().state = state;
        }
    }
}

impl PartitionShared {
    fn new(start: &PartitionStartState) -> PartitionShared {
        PartitionShared {
            ready: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            status: Mutex::new(PartitionStatus {
                partition: start.partition,
                state: PartitionState::Starting,
                committed: start.committed,
                position: start.committed,
                log_end: None,
                lag: None,
                consuming_segment: None,
                consuming_rows: 0,
                sealing_segments: 0,
                memory_bytes: 0,
                rows_total: start.rows_committed,
                rejected_total: start.rejected_committed,
                filtered_total: start.filtered_committed,
                incomplete_total: 0,
                bytes_total: 0,
                last_record_ms: None,
                last_fetch_ms: None,
                last_error: None,
            }),
        }
    }
}
