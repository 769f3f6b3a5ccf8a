//! The ingester: all tables' consumption in one place, its threads started and ended here.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use meunier_catalog::table_config::{StreamConfig, TableConfig};
use meunier_catalog::{Catalog, SegmentCommit, TableEntry, TableId};
use meunier_segment::offset_range::PartitionId;
use meunier_segment::schema::Schema;
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::table_snapshot::{LiveTable, PartitionCell, PartitionSnapshot};
use parking_lot::Mutex;

use crate::commit::{TableStorage, open};
use crate::config::IngestConfig;
use crate::error::{IngestError, SourceError};
use crate::rebuild::{RebuildJob, Rebuilder};
use crate::sealer::Sealer;
use crate::source::{KafkaClients, TopicInfo, client_properties};
use crate::status::TableStatus;
use crate::supervisor::{ConsumeFrom, Supervisor, TableIngest};
use crate::transform::{ExpressionCompiler, check_expressions};
use crate::worker::{self, Command, Mailbox, MemoryTotal, WorkerContext};

/// Ended threads are waited for at most this long.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a new topic may take to be known to the brokers.
const NEW_TOPIC_PATIENCE: Duration = Duration::from_secs(3);
/// Requests to seal whose outcome can still be asked for.
const FORCE_COMMITS_KEPT: usize = 1000;

/// A table to be ingested: what the catalog holds of it, checked.
#[derive(Debug, Clone)]
pub struct TableDefinition {
    /// The catalog's entry.
    pub entry: TableEntry,
    /// Its schema.
    pub schema: Arc<Schema>,
    /// Its config.
    pub config: Arc<TableConfig>,
}

/// A request to seal what is being consumed.
#[derive(Debug, Clone)]
pub struct ForceCommit {
    /// Number of the request, for [`Ingester::force_commit_pending`].
    pub id: u64,
    /// The segments that will be sealed.
    pub segments: Vec<SegmentName>,
}

/// Consumes the topics of all tables.
pub struct Ingester {
    catalog: Arc<Catalog>,
    config: IngestConfig,
    expressions: Arc<dyn ExpressionCompiler>,
    clients: Arc<KafkaClients>,
    workers: Vec<Arc<Mailbox>>,
    sealer: Arc<Sealer>,
    rebuilder: Arc<Rebuilder>,
    memory: Arc<MemoryTotal>,
    tables: Mutex<HashMap<TableId, Arc<TableIngest>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    force_commits: Mutex<BTreeMap<u64, (TableId, Vec<SegmentName>)>>,
    next_force_commit: AtomicU64,
    stopped: AtomicBool,
}

impl Ingester {
    /// Starts the worker and sealing threads. No table is consumed yet. `expressions` reads those of table configs.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        catalog: Arc<Catalog>,
        config: IngestConfig,
        expressions: Arc<dyn ExpressionCompiler>,
    ) -> Result<Arc<Ingester>, IngestError> {
        let (sealer, mut threads) =
            Sealer::start(config.seal_threads, config.on_ledger_failure).map_err(IngestError::Thread)?;
        let sealer = Arc::new(sealer);
        let (rebuilder, thread) = Rebuilder::start().map_err(IngestError::Thread)?;
        threads.push(thread);
        let memory = Arc::new(MemoryTotal::default());
        let mut workers = Vec::new();
        for number in 0..config.worker_threads.max(1) {
            let mailbox = Arc::new(Mailbox::default());
            let context = WorkerContext {
                mailbox: Arc::clone(&mailbox),
                sealer: Arc::clone(&sealer),
                memory: Arc::clone(&memory),
                memory_bytes_max: config.memory_bytes_max,
                batch_records_max: config.batch_records_max,
            };
            threads.push(worker::spawn(number, context).map_err(IngestError::Thread)?);
            workers.push(mailbox);
        }
        Ok(Arc::new(Ingester {
            catalog,
            config,
            expressions,
            clients: Arc::default(),
            workers,
            sealer,
            rebuilder,
            memory,
            tables: Mutex::default(),
            threads: Mutex::new(threads),
            force_commits: Mutex::default(),
            next_force_commit: AtomicU64::new(1),
            stopped: AtomicBool::new(false),
        }))
    }

    /// Opens a table's segments and starts to consume its topic in the background. Blocks while serving files are made
    /// that are missing; those of other options than the table's are served, and made anew in the background. Brokers
    /// that cannot be reached are no error here: the table's status says so.
    ///
    /// # Errors
    /// When a committed segment can be neither opened nor rebuilt, or the table is there already.
    pub fn add_table(&self, definition: TableDefinition) -> Result<Arc<LiveTable>, IngestError> {
        let TableDefinition { entry, schema, config } = definition;
        let Some(stream) = config.stream.clone() else {
            return Err(IngestError::NoStream { table: entry.name.to_string() });
        };
        let id = entry.id;
        if self.tables.lock().contains_key(&id) {
            return Err(IngestError::TableExists { table: entry.name.to_string() });
        }
        if let Some(problem) = check_expressions(&config, &schema, self.expressions.as_ref()).first() {
            let detail = format!("{}: {}", problem.path, problem.message);
            return Err(IngestError::Transform { table: entry.name.to_string(), detail });
        }
        let live = Arc::new(LiveTable::new(&entry.name, Arc::clone(&schema)));
        let storage = Arc::new(TableStorage {
            catalog: Arc::clone(&self.catalog),
            options: config.segment_options(),
            time_column: config.time_column.clone(),
            config,
            expressions: Arc::clone(&self.expressions),
            entry,
            schema,
        });
        let outdated = self.open_segments(&storage, &live)?;

        let table = Arc::new(TableIngest::new(Arc::clone(&storage), stream, Arc::clone(&live)));
        let embedded = self.config.embedded_broker.as_deref() == Some(table.stream.brokers.as_str());
        let supervisor = Supervisor {
            reader: self
                .clients
                .reader(client_properties(&table.stream, &self.config, embedded), &table.stream.topic),
            table: Arc::clone(&table),
            clients: Arc::clone(&self.clients),
            workers: self.workers.clone(),
            config: self.config.clone(),
            looked_for_old: Cell::new(None),
        };
        let name = format!("table-{}", storage.entry.name);
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || supervisor.run())
            .map_err(IngestError::Thread)?;
        self.threads.lock().push(thread);
        if !outdated.is_empty() {
            tracing::info!(table = %storage.entry.name, segments = outdated.len(), "rebuilding serving files");
            let job = |commit| RebuildJob { table: Arc::clone(&table), commit };
            self.rebuilder.submit(outdated.into_iter().map(job));
        }
        self.tables.lock().insert(id, table);
        Ok(live)
    }

    /// Asks the brokers for a table's topic before the table is made. Blocks for some seconds at most. A topic that is
    /// `awaited` may be missing at first: one made just before is not known to every broker at once.
    ///
    /// # Errors
    /// What is wrong with the brokers, the credentials or the topic, and what to do.
    pub fn check_source(&self, stream: &StreamConfig, awaited: bool) -> Result<TopicInfo, SourceError> {
        let embedded = self.config.embedded_broker.as_deref() == Some(stream.brokers.as_str());
        let client = self.clients.of_properties(&client_properties(stream, &self.config, embedded))?;
        let began = Instant::now();
        loop {
            match client.topic(&stream.topic) {
                Err(SourceError::NoTopic { .. }) if awaited && began.elapsed() < NEW_TOPIC_PATIENCE => {
                    std::thread::sleep(NEW_TOPIC_PATIENCE / 20);
                }
                found => return found,
            }
        }
    }

    /// Stops a table's consumption and sealing and forgets it. Rows not sealed yet stay in Kafka.
    pub fn remove_table(&self, table: TableId) {
        let Some(removed) = self.tables.lock().remove(&table) else { return };
        removed.stop();
        self.rebuilder.forget(table);
        for supervised in removed.partitions.lock().values() {
            supervised.shared.stopped.store(true, Ordering::Release);
        }
        let (done, waiting) = channel();
        for worker in &self.workers {
            worker.send(Command::RemoveTable { table, done: done.clone() });
        }
        drop(done);
        for _ in &self.workers {
            // A worker that does not answer is stopping anyway.
            let _ = waiting.recv_timeout(SHUTDOWN_TIMEOUT);
        }
    }

    /// Stops consumption and seals what was consumed.
    pub fn pause(&self, table: TableId) {
        if let Some(table) = self.tables.lock().get(&table) {
            table.pause();
        }
    }

    /// Goes on with consumption, after a pause or after records were lost.
    pub fn resume(&self, table: TableId, from: Option<ConsumeFrom>) {
        if let Some(table) = self.tables.lock().get(&table) {
            table.resume(from.unwrap_or(ConsumeFrom::LastConsumed));
        }
    }

    /// Returns the committed segments of a table that [`Ingester::drop_segments`] takes: those that queries see by now, and
    /// those without rows.
    pub fn droppable_segments(&self, table: TableId) -> Vec<Arc<SegmentCommit>> {
        let table = self.tables.lock().get(&table).cloned();
        table.map(|table| table.droppable_segments()).unwrap_or_default()
    }

    /// Drops committed segments for good. Their rows leave the queries soon after; their files are kept for a time.
    ///
    /// # Errors
    /// `NotFound` when one of them is gone already: then all stay.
    pub fn drop_segments(
        &self,
        table: TableId,
        segments: &[Arc<SegmentCommit>],
        files_kept: Duration,
    ) -> Result<(), IngestError> {
        let table = self.tables.lock().get(&table).cloned();
        match table {
            Some(table) => Ok(table.drop_segments(segments, files_kept)?),
            None => Ok(()),
        }
    }

    /// Asks for all, or some, partitions' consuming segments to be sealed.
    pub fn force_commit(&self, table: TableId, partitions: Option<&[PartitionId]>) -> ForceCommit {
        let mut segments = Vec::new();
        if let Some(ingest) = self.tables.lock().get(&table) {
            for (partition, supervised) in ingest.partitions.lock().iter() {
                if partitions.is_some_and(|asked| !asked.contains(partition)) {
                    continue;
                }
                let status = supervised.shared.status.lock().clone();
                let (Some(name), true) = (status.consuming_segment, status.position > status.committed)
                else {
                    continue;
                };
                if status.consuming_rows > 0 || status.sealing_segments == 0 {
                    segments.push(name);
                }
                supervised.worker.send(Command::Seal((table, *partition)));
            }
        }
        let id = self.next_force_commit.fetch_add(1, Ordering::Relaxed);
        let mut force_commits = self.force_commits.lock();
        force_commits.insert(id, (table, segments.clone()));
        while force_commits.len() > FORCE_COMMITS_KEPT {
            force_commits.pop_first();
        }
        ForceCommit { id, segments }
    }

    /// Returns the segments of a request that are not committed yet; `None` for a request that is not known.
    pub fn force_commit_pending(&self, id: u64) -> Option<Vec<SegmentName>> {
        let (table, mut segments) = self.force_commits.lock().get(&id).cloned()?;
        // By number and not by name: a segment of old rows may be dropped as soon as it is committed.
        let positions = self.catalog.partitions(table);
        let is_committed = |name: &SegmentName| {
            let (partition, sequence) = name.number()?;
            Some(positions.iter().any(|at| at.partition == partition && at.next_sequence > sequence))
        };
        segments.retain(|name| !is_committed(name).unwrap_or(true));
        Some(segments)
    }

    /// Returns how a table's ingestion goes.
    pub fn status(&self, table: TableId) -> Option<TableStatus> {
        let table = Arc::clone(self.tables.lock().get(&table)?);
        let partitions = table.partitions.lock();
        Some(TableStatus {
            source_error: table.source_error.lock().clone(),
            embedded: table.embedded.load(Ordering::Relaxed),
            partitions: partitions
                .values()
                .map(|supervised| supervised.shared.status.lock().clone())
                .collect(),
        })
    }

    /// Returns the memory of all consuming and sealing segments.
    pub fn memory_bytes(&self) -> u64 {
        self.memory.bytes()
    }

    /// Ends all threads. A seal under way is finished; rows not sealed are consumed again after the next start.
    pub fn shutdown(&self) {
        if self.stopped.swap(true, Ordering::AcqRel) {
            return;
        }
        for table in self.tables.lock().drain().map(|(_, table)| table) {
            table.stop();
            for supervised in table.partitions.lock().values() {
                supervised.shared.stopped.store(true, Ordering::Release);
            }
        }
        for worker in &self.workers {
            worker.send(Command::Stop);
        }
        self.sealer.close();
        self.rebuilder.close();
        let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
        for thread in self.threads.lock().drain(..) {
            while !thread.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() && thread.join().is_err() {
                tracing::error!("an ingestion thread panicked");
            }
        }
    }

    /// Opens a table's committed segments, on several threads when there are many, and publishes them. Returns those whose
    /// serving file is of other options than the table's.
    fn open_segments(
        &self,
        storage: &Arc<TableStorage>,
        live: &LiveTable,
    ) -> Result<Vec<Arc<SegmentCommit>>, IngestError> {
        let commits = self.catalog.segments(storage.entry.id);
        let opened = open_all(storage, &commits)?;
        for state in self.catalog.partitions(storage.entry.id) {
            let of_partition =
                commits.iter().zip(&opened).filter(|(commit, _)| commit.partition == state.partition);
            let sealed = of_partition.filter_map(|(_, segment)| segment.clone()).collect();
            let snapshot = PartitionSnapshot { sealed, ..PartitionSnapshot::empty(state.partition) };
            live.add_partition(Arc::new(PartitionCell::new(snapshot)));
        }
        let fingerprint = storage.options.fingerprint();
        let outdated = |segment: &Arc<SealedSegment>| segment.options_fingerprint() != fingerprint;
        let segments = commits.iter().zip(&opened);
        let outdated = segments.filter(|(_, segment)| segment.as_ref().is_some_and(outdated));
        Ok(outdated.map(|(commit, _)| Arc::clone(commit)).collect())
    }
}

impl Drop for Ingester {
    fn drop(&mut self) {
        self.shutdown();
    }
}

fn open_all(
    storage: &TableStorage,
    commits: &[Arc<SegmentCommit>],
) -> Result<Vec<Option<Arc<SealedSegment>>>, IngestError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = commits.len().div_ceil(threads).max(1);
    let parts: Vec<Result<Vec<_>, IngestError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = commits
            .chunks(share)
            .map(|commits| scope.spawn(move || commits.iter().map(|commit| open(storage, commit)).collect()))
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("opening a segment does not panic")).collect()
    });
    let mut opened = Vec::with_capacity(commits.len());
    for part in parts {
        opened.extend(part?);
    }
    Ok(opened)
}
