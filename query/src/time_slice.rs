//! How long a query computes before it lets others compute.

use std::time::{Duration, Instant};

/// Short enough that a cancelled query ends at once and others wait little; long enough that looking for other tasks,
/// which asks the operating system and may move the query to another core, costs nothing beside it.
const SLICE: Duration = Duration::from_millis(1);

/// The time since a task last let others run.
#[derive(Debug)]
pub(crate) struct TimeSlice {
    began: Instant,
}

impl TimeSlice {
    pub(crate) fn begin() -> TimeSlice {
        TimeSlice { began: Instant::now() }
    }

    /// Lets other tasks run, if this one has had its time.
    pub(crate) async fn pass(&mut self) {
        if self.began.elapsed() >= SLICE {
            tokio::task::yield_now().await;
            self.began = Instant::now();
        }
    }
}
