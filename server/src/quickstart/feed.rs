//! Keeps the sample stream going: some history at once, then a steady rate, never more unread than the broker keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use meunier_ingest::PARTITION_BYTES_KEPT;

use super::Demo;
use crate::cli::Failure;
use crate::error::chain;
use crate::sample_producer::{Pace, SampleProducer, Sent};
use crate::store::{Store, now_ms};

/// Events that are there from the start, spread over the hour before.
pub(super) const HISTORY_EVENTS: u64 = 40_000;
/// The time they are spread over.
const HISTORY_MS: u64 = 3_600_000;

/// Unread payload bytes of a partition beyond which it waits: well below what the broker keeps, as that counts headers too.
const UNREAD_BYTES_MAX: u64 = PARTITION_BYTES_KEPT / 5 * 3;
/// Pause between two steps. Each step makes one batch a partition, and the broker is fast with few large batches.
const STEP: Duration = Duration::from_millis(20);
/// Events between two looks at what is unread: of a partition's share, far less than [`UNREAD_BYTES_MAX`].
const LOOK_EVENTS: u64 = 1_000;
/// Longest wait for acknowledgements at the end.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// The stream, on a thread of its own.
pub(super) struct Feed {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Delivered, String>>,
}

/// What was sent when the stream ended.
#[derive(Debug, Clone)]
pub(super) struct Delivered {
    /// By partition.
    pub(super) sent: Vec<Sent>,
    /// Events that the broker did not acknowledge.
    pub(super) unacknowledged: u64,
}

impl Feed {
    pub(super) fn start(sample: SampleProducer, store: Arc<Store>, demo: Demo) -> Result<Feed, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut running = Running { sample, store, demo, stop: Arc::clone(&stop), unread: Vec::new() };
        let thread = thread::Builder::new()
            .name("sample".to_owned())
            .spawn(move || running.run())
            .map_err(|error| Failure::new("cannot start a thread").detail(error.to_string()))?;
        Ok(Feed { stop, thread })
    }

    /// Ends the stream and waits until all of it is at the broker.
    pub(super) async fn stop(self) -> Result<Delivered, Failure> {
        self.stop.store(true, Ordering::Relaxed);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        match joined {
            Ok(Ok(Ok(delivered))) => Ok(delivered),
            Ok(Ok(Err(error))) => Err(Failure::new("the sample stream stopped early").detail(error)),
            Ok(Err(_)) | Err(_) => Err(Failure::new("the sample stream panicked: this is a bug")),
        }
    }
}

/// The state of the thread.
struct Running {
    sample: SampleProducer,
    store: Arc<Store>,
    demo: Demo,
    stop: Arc<AtomicBool>,
    /// Payload bytes that are sent and not read, by partition, as last looked.
    unread: Vec<u64>,
}

impl Running {
    fn run(&mut self) -> Result<Delivered, String> {
        self.look();
        let begin = now_ms() - i64::try_from(HISTORY_MS).expect("an hour fits");
        for event in 0..HISTORY_EVENTS {
            let at = event * HISTORY_MS / HISTORY_EVENTS;
            if !self.send_one(event, begin + i64::try_from(at).expect("an hour fits"))? {
                break;
            }
        }
        self.sample.poll();
        let started = Instant::now();
        let mut pace = Pace::new(self.demo.rate);
        while !self.is_stopped() {
            thread::sleep(STEP);
            let now = now_ms();
            for event in 0..pace.take(started.elapsed()) {
                if !self.send_one(event, now)? {
                    break;
                }
            }
            self.sample.poll();
        }
        let unacknowledged = self.sample.finish(FINISH_TIMEOUT).map_err(|error| chain(&error))?;
        Ok(Delivered { sent: self.sample.sent().to_vec(), unacknowledged })
    }

    /// Sends one event to the partition whose turn it is, once there is room. False when the stream is to end.
    fn send_one(&mut self, event: u64, now_ms: i64) -> Result<bool, String> {
        if event.is_multiple_of(LOOK_EVENTS) {
            self.look();
        }
        let partitions = self.sample.sent().len() as u64;
        let partition =
            usize::try_from(self.sample.events() % partitions).expect("a remainder of partitions");
        while self.unread[partition] > UNREAD_BYTES_MAX {
            if self.is_stopped() {
                return Ok(false);
            }
            self.sample.poll();
            thread::sleep(STEP);
            self.look();
        }
        let before = self.sample.sent()[partition].bytes;
        self.sample.send(partition, now_ms).map_err(|error| chain(&error))?;
        self.unread[partition] += self.sample.sent()[partition].bytes - before;
        Ok(!self.is_stopped())
    }

    /// Looks how much of each partition is unread.
    fn look(&mut self) {
        let status =
            self.store.table(self.demo.stream.name()).ok().and_then(|entry| self.store.status(entry.id));
        let read = |partition: usize| {
            let partitions = status.iter().flat_map(|status| &status.partitions);
            let mut of_this =
                partitions.filter(|status| usize::try_from(status.partition.0) == Ok(partition));
            of_this.next().map_or(0, |status| status.bytes_total)
        };
        self.unread = self
            .sample
            .sent()
            .iter()
            .enumerate()
            .map(|(partition, sent)| sent.bytes.saturating_sub(read(partition)))
            .collect();
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
