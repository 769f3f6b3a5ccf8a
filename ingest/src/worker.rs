//! The threads that fetch, decode and append. Each owns many partitions and serves them in turn.
//!
//! A worker sleeps until its mailbox wakes it: a command came, or a partition's queue has records. Work that takes long,
//! sealing, is handed on.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use meunier_catalog::TableId;
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::segment_name::SegmentName;
use parking_lot::{Condvar, Mutex};

use crate::clock::now_ms;
use crate::partition_consumer::PartitionConsumer;
use crate::sealer::{SealJob, Sealer};
use crate::source::PartitionQueue;

/// A worker that nothing wakes looks around this often: ages, requests, lost wake-ups.
const LOOK_AROUND_INTERVAL: Duration = Duration::from_millis(50);

/// One partition of one table.
pub(crate) type PartitionKey = (TableId, PartitionId);

/// What a worker can be told.
pub(crate) enum Command {
    /// Take over a partition.
    Add(Box<PartitionConsumer>),
    /// Consume through this queue, after skipping to its start when that lies ahead.
    Attach { key: PartitionKey, start: Offset, queue: PartitionQueue },
    /// Stop consuming; seal what is there.
    Pause(PartitionKey),
    /// Seal what is there.
    Seal(PartitionKey),
    /// A segment is committed.
    Sealed { key: PartitionKey, segment: Option<Arc<SealedSegment>> },
    /// A committed segment has a new serving file.
    Rebuilt { key: PartitionKey, segment: Arc<SealedSegment> },
    /// Committed segments were dropped.
    Dropped { key: PartitionKey, segments: Vec<SegmentName> },
    /// The end of a partition's log.
    LogEnd { key: PartitionKey, end: Option<Offset> },
    /// Forget a table's partitions; their unsealed rows stay in Kafka.
    RemoveTable { table: TableId, done: std::sync::mpsc::Sender<()> },
    /// End the thread.
    Stop,
}

/// A worker's inbox.
#[derive(Default)]
pub(crate) struct Mailbox {
    letters: Mutex<Letters>,
    arrived: Condvar,
}

#[derive(Default)]
struct Letters {
    commands: Vec<Command>,
    woken: bool,
    closed: bool,
}

impl Mailbox {
    pub(crate) fn send(&self, command: Command) {
        let mut letters = self.letters.lock();
        if !letters.closed {
            letters.commands.push(command);
            self.arrived.notify_one();
        }
    }

    /// Throws away what nobody will read any more. A queue that waits here to be attached would keep the mailbox, and the
    /// mailbox the queue and the catalog.
    fn close(&self) {
        let unread = {
            let mut letters = self.letters.lock();
            letters.closed = true;
            std::mem::take(&mut letters.commands)
        };
        drop(unread);
    }

    /// Makes the worker look at its queues.
    pub(crate) fn wake(&self) {
        let mut letters = self.letters.lock();
        if !std::mem::replace(&mut letters.woken, true) {
            self.arrived.notify_one();
        }
    }

    pub(crate) fn receive(&self, wait: Duration) -> Vec<Command> {
        let mut letters = self.letters.lock();
        if letters.commands.is_empty() && !letters.woken && !wait.is_zero() {
            self.arrived.wait_for(&mut letters, wait);
        }
        letters.woken = false;
        std::mem::take(&mut letters.commands)
    }
}

/// Memory of all consuming and sealing segments.
#[derive(Debug, Default)]
pub(crate) struct MemoryTotal(AtomicI64);

impl MemoryTotal {
    pub(crate) fn bytes(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0)
    }

    fn change(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }
}

/// What a worker shares with the rest.
#[derive(Clone)]
pub(crate) struct WorkerContext {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) memory: Arc<MemoryTotal>,
    pub(crate) memory_bytes_max: u64,
    pub(crate) batch_records_max: usize,
}

/// Starts a worker.
pub(crate) fn spawn(number: usize, context: WorkerContext) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("ingest-{number}"))
        .spawn(move || Worker { context, partitions: HashMap::new(), stopped: false }.run())
}

struct Worker {
    context: WorkerContext,
    partitions: HashMap<PartitionKey, Box<PartitionConsumer>>,
    stopped: bool,
}

impl Worker {
    fn run(mut self) {
        let mut looked_around = Instant::now();
        let mut backlog = false;
        while !self.stopped {
            let wait = if backlog { Duration::ZERO } else { LOOK_AROUND_INTERVAL };
            for command in self.context.mailbox.receive(wait) {
                self.handle(command);
            }
            let all = looked_around.elapsed() >= LOOK_AROUND_INTERVAL;
            if all {
                looked_around = Instant::now();
            }
            backlog = self.serve(all);
        }
        self.context.mailbox.close();
    }

    /// Gives each partition with something to do its turn. Returns whether one has more to do at once.
    fn serve(&mut self, all: bool) -> bool {
        let now_ms = now_ms();
        let over = self.context.memory.bytes() >= self.context.memory_bytes_max;
        let largest = over.then(|| self.largest_unsealed()).flatten();
        let mut backlog = false;
        for (key, partition) in &mut self.partitions {
            let ready = all || partition.has_backlog() || partition.shared.ready.load(Ordering::Acquire);
            if ready && !over {
                let taken = partition.take(self.context.batch_records_max, now_ms);
                backlog |= taken > 0 && partition.has_backlog();
            }
            if let Some(frozen) = partition.freeze_if_due(largest == Some(*key), now_ms) {
                self.context.sealer.submit(SealJob {
                    table: Arc::clone(&partition.table),
                    shared: Arc::clone(&partition.shared),
                    segment: frozen,
                    reply: Arc::clone(&self.context.mailbox),
                });
            }
            self.context.memory.change(partition.memory_change());
        }
        backlog
    }

    fn largest_unsealed(&self) -> Option<PartitionKey> {
        let candidates = self.partitions.values().filter(|partition| !partition.is_sealing());
        let largest = candidates.max_by_key(|partition| partition.memory_bytes())?;
        (largest.consuming_rows() > 0).then(|| largest.key())
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Add(partition) => {
                self.partitions.insert(partition.key(), partition);
            }
            Command::Attach { key, start, queue } => self.with(key, |partition| {
                partition.skip_to(start);
                partition.attach(queue);
            }),
            Command::Pause(key) => self.with(key, PartitionConsumer::pause),
            Command::Seal(key) => self.with(key, PartitionConsumer::request_seal),
            Command::Sealed { key, segment } => self.with(key, |partition| partition.sealed(segment)),
            Command::Rebuilt { key, segment } => self.with(key, |partition| partition.rebuilt(&segment)),
            Command::Dropped { key, segments } => self.with(key, |partition| partition.dropped(&segments)),
            Command::LogEnd { key, end } => self.with(key, |partition| partition.refresh(end)),
            Command::RemoveTable { table, done } => {
                let memory = &self.context.memory;
                self.partitions.retain(|(of_table, _), partition| {
                    let keep = *of_table != table;
                    if !keep {
                        partition.release(|bytes| memory.change(bytes));
                    }
                    keep
                });
                // The one who asked may have given up waiting.
                let _ = done.send(());
            }
            Command::Stop => {
                self.stopped = true;
                self.partitions.clear();
            }
        }
    }

    fn with(&mut self, key: PartitionKey, act: impl FnOnce(&mut PartitionConsumer)) {
        // A table that was removed meanwhile has no partitions any more.
        if let Some(partition) = self.partitions.get_mut(&key) {
            act(partition);
        }
    }
}
