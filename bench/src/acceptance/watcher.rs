//! A thread that asks a server over and over while something else happens, and checks every answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::visible_rows::VisibleRows;
use crate::checks::Checks;
use crate::http_client::HttpClient;

/// Room for the ones that are being watched, on a machine of few cores.
const PAUSE: Duration = Duration::from_millis(50);

/// A watch under way.
pub(super) struct Watcher {
    stop: Arc<AtomicBool>,
    /// Rows of the last answer.
    visible: Arc<AtomicU64>,
    thread: JoinHandle<Result<Watched>>,
}

/// What a watch saw.
#[derive(Default)]
pub(super) struct Watched {
    pub(super) checks: Checks,
    pub(super) polls: u64,
    /// The last answer.
    pub(super) rows: VisibleRows,
}

impl Watcher {
    /// Begins to watch. A server that does not answer is an error only when `may_end` is false.
    pub(super) fn start(http: HttpClient, moment: &str, may_end: bool) -> Watcher {
        let (stop, visible) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, shown, moment) = (Arc::clone(&stop), Arc::clone(&visible), moment.to_owned());
        let thread = thread::spawn(move || {
            let mut watched = Watched::default();
            while !stopped.load(Ordering::Relaxed) {
                let rows = match VisibleRows::ask(&http) {
                    Ok(rows) => rows,
                    Err(_) if may_end && !http.is_alive() => break,
                    Err(error) => return Err(error),
                };
                rows.check(&moment, &watched.rows, &mut watched.checks);
                shown.store(rows.total(), Ordering::Relaxed);
                watched.rows = rows;
                watched.polls += 1;
                thread::sleep(PAUSE);
            }
            Ok(watched)
        });
        Watcher { stop, visible, thread }
    }

    /// Returns how many rows the last answer showed.
    pub(super) fn visible(&self) -> u64 {
        self.visible.load(Ordering::Relaxed)
    }

    /// Returns whether the watch ended by itself, which is an error to be had from [`Watcher::finish`].
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends the watch.
    pub(super) fn finish(self) -> Result<Watched> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the watching thread panicked"))?
    }
}
