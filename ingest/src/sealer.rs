//! The threads that seal and commit segments while consumption goes on.
//!
//! A partition has at most one segment here at a time, so commits of one partition are in order. A failed commit is tried
//! again until it succeeds or the table goes away; meanwhile the partition shows as stuck with the reason, and its rows
//! stay visible.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use meunier_catalog::ErrorKind;
use meunier_segment::sealed_segment::SealedSegment;
use parking_lot::Mutex;

use crate::clock::now_ms;
use crate::commit::{FrozenSegment, TableStorage, commit, open};
use crate::error::IngestError;
use crate::partition_consumer::PartitionShared;
use crate::status::PartitionState;
use crate::worker::{Command, Mailbox};

/// Waits between tries, the last one for ever.
const RETRY_AFTER: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(5)];

/// A segment to be sealed.
pub(crate) struct SealJob {
    pub(crate) table: Arc<TableStorage>,
    pub(crate) shared: Arc<PartitionShared>,
    pub(crate) segment: FrozenSegment,
    pub(crate) reply: Arc<Mailbox>,
}

/// Hands segments to the sealing threads. Dropping it ends them once their queue is empty.
pub(crate) struct Sealer {
    jobs: Mutex<Option<Sender<SealJob>>>,
}

impl Sealer {
    /// Starts `threads` threads.
    pub(crate) fn start(
        threads: usize,
        on_ledger_failure: fn(&str),
    ) -> io::Result<(Sealer, Vec<JoinHandle<()>>)> {
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let spawn = |number| {
            let receiver = Arc::clone(&receiver);
            std::thread::Builder::new()
                .name(format!("seal-{number}"))
                .spawn(move || run(&receiver, on_ledger_failure))
        };
        let handles = (0..threads.max(1)).map(spawn).collect::<io::Result<_>>()?;
        Ok((Sealer { jobs: Mutex::new(Some(sender)) }, handles))
    }

    /// Queues a segment. The queue is bounded by the number of partitions, each of which has one segment here at most.
    pub(crate) fn submit(&self, job: SealJob) {
        if let Some(jobs) = &*self.jobs.lock() {
            // Fails only when the threads are gone, at shutdown: the rows are consumed again after a restart.
            let _ = jobs.send(job);
        }
    }

    /// Takes no more segments.
    pub(crate) fn close(&self) {
        self.jobs.lock().take();
    }
}

fn run(jobs: &Mutex<Receiver<SealJob>>, on_ledger_failure: fn(&str)) {
    loop {
        let job = jobs.lock().recv();
        let Ok(job) = job else { return };
        seal_until_done(&job, on_ledger_failure);
    }
}

fn seal_until_done(job: &SealJob, on_ledger_failure: fn(&str)) {
    let name = &job.segment.rows.identity().name;
    for attempt in 0.. {
        if job.shared.stopped.load(Ordering::Acquire) {
            return;
        }
        let error = match attempt_commit(job, attempt) {
            Ok(segment) => {
                let key = (job.table.entry.id, job.segment.rows.identity().partition);
                job.reply.send(Command::Sealed { key, segment });
                return;
            }
            Err(error) => error,
        };
        let reason = chain(&error);
        tracing::error!(segment = %name, attempt, error = reason, "seal failed");
        let hopeless = matches!(&error, IngestError::Catalog(error) if error.kind() == ErrorKind::Restart);
        {
            let mut status = job.shared.status.lock();
            let next = if hopeless { "restart meunier" } else { "trying again" };
            status.state = PartitionState::Stuck(format!("cannot seal `{name}`: {reason}; {next}"));
            status.last_error = Some(reason.clone());
        }
        if hopeless {
            on_ledger_failure(&reason);
            return;
        }
        std::thread::sleep(RETRY_AFTER[attempt.min(RETRY_AFTER.len() - 1)]);
    }
}

fn attempt_commit(job: &SealJob, attempt: usize) -> Result<Option<Arc<SealedSegment>>, IngestError> {
    let name = job.segment.rows.identity().name.as_str();
    if attempt > 0 {
        // The try before may have failed after its commit, while it wrote the serving file.
        let committed = job.table.catalog.segments(job.table.entry.id);
        if let Some(commit) = committed.iter().find(|commit| commit.name == name) {
            return open(&job.table, commit);
        }
    }
    commit(&job.table, &job.segment, now_ms())
}

/// Returns an error with all its causes.
pub(crate) fn chain(error: &IngestError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
