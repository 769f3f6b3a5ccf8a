//! Asks over and over how many rows of one partition are visible, and notes when each answer came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::WATCHED_PARTITION;
use crate::http_client::HttpClient;
use crate::table::TABLE;

/// One answer: from `asked` to `answered`, and the rows it showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) asked: Instant,
    pub(super) answered: Instant,
    pub(super) rows: u64,
}

pub(super) struct Prober {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Answer>>>,
}

impl Prober {
    /// Starts to ask, with a pause after each answer.
    pub(super) fn start(http: HttpClient, pause: Duration) -> Prober {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let sql = format!("SELECT COUNT(*) FROM {TABLE} WHERE $partitionId = {WATCHED_PARTITION}");
            let mut answers = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let asked = Instant::now();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
                let rows = http.query_number(&sql)? as u64;
                answers.push(Answer { asked, answered: Instant::now(), rows });
                if !pause.is_zero() {
                    thread::sleep(pause);
                }
            }
            Ok(answers)
        });
        Prober { stop, thread }
    }

    /// Ends it. Returns all answers in order.
    pub(super) fn finish(self) -> Result<Vec<Answer>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the probing thread panicked"))?
    }
}
