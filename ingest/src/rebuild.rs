//! The thread that makes serving files anew when a table's index config has changed.
//!
//! A serving file of other options answers every query right, only slower, so it is served until its successor is there.
//! One segment is rebuilt at a time, at a low priority: from its durable file, beside the old serving file, and
//! renamed over it. Then whoever writes the partition publishes a snapshot with the new one. Queries that began before
//! keep the old file's map, which outlives its name.
//!
//! A crash leaves the old file or the new one; the next start finds which options it is of.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use meunier_catalog::{SegmentCommit, TableId};
use parking_lot::{Condvar, Mutex};

use crate::commit::rebuild;
use crate::sealer::chain;
use crate::supervisor::TableIngest;

/// A tenth of the processor where others want it. Less would keep those waiting who must not touch a table's files
/// before its segment under way is done.
const NICE: i32 = 10;

/// A segment whose serving file is of other options than its table's.
pub(crate) struct RebuildJob {
    pub(crate) table: Arc<TableIngest>,
    pub(crate) commit: Arc<SegmentCommit>,
}

/// Hands segments to the rebuilding thread.
#[derive(Default)]
pub(crate) struct Rebuilder {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<RebuildJob>,
    /// The table of the segment that is being rebuilt.
    at_work_for: Option<TableId>,
    closed: bool,
}

impl Rebuilder {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<(Arc<Rebuilder>, JoinHandle<()>)> {
        let rebuilder = Arc::new(Rebuilder::default());
        let of_thread = Arc::clone(&rebuilder);
        let handle = std::thread::Builder::new().name("rebuild".to_owned()).spawn(move || of_thread.run())?;
        Ok((rebuilder, handle))
    }

    /// Queues segments. The queue is bounded by the number of segments, as each is queued once when its table is opened.
    pub(crate) fn submit(&self, jobs: impl IntoIterator<Item = RebuildJob>) {
        self.queue.lock().waiting.extend(jobs);
        self.changed.notify_all();
    }

    /// Rebuilds no more segments of a table, and returns when none is under way: from then on nobody writes its files.
    pub(crate) fn forget(&self, table: TableId) {
        let mut queue = self.queue.lock();
        queue.waiting.retain(|job| job.table.storage.entry.id != table);
        while queue.at_work_for == Some(table) {
            self.changed.wait(&mut queue);
        }
    }

    /// Rebuilds no more segments; the one under way is finished.
    pub(crate) fn close(&self) {
        let mut queue = self.queue.lock();
        queue.closed = true;
        queue.waiting.clear();
        self.changed.notify_all();
    }

    fn run(&self) {
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::warn!(%error, "serving files are rebuilt at full priority");
        }
        while let Some(job) = self.next() {
            // Done also when it panics, so that nobody waits for ever.
            let _done = AtWork(self);
            work(&job);
        }
    }

    fn next(&self) -> Option<RebuildJob> {
        let mut queue = self.queue.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.waiting.pop_front() {
                queue.at_work_for = Some(job.table.storage.entry.id);
                return Some(job);
            }
            self.changed.wait(&mut queue);
        }
    }
}

struct AtWork<'a>(&'a Rebuilder);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.queue.lock().at_work_for = None;
        self.0.changed.notify_all();
    }
}

/// Rebuilds one segment. One that cannot be rebuilt stays as it is until the table is opened again.
fn work(job: &RebuildJob) {
    let started = Instant::now();
    let name = &job.commit.name;
    let storage = &job.table.storage;
    let is_wanted =
        || !job.table.is_stopped() && storage.catalog.has_segment(storage.entry.id, job.commit.id());
    match rebuild(storage, &job.commit, is_wanted) {
        Ok(Some(segment)) => {
            job.table.replace(job.commit.partition, segment);
            tracing::info!(
                segment = name,
                elapsed_ms = started.elapsed().as_millis(),
                "rebuilt serving file"
            );
        }
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(
                segment = name,
                error = chain(&error),
                "cannot rebuild serving file; the old one stays in use"
            );
        }
    }
}
