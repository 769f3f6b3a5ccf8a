//! The end of a quickstart: waits until all is ingested, counts, and says whether anything was lost or came twice.
//!
//! Others may have produced into the topic as well, so the count is held against the offsets consumed, and those against
//! what the sample sent.

use std::time::{Duration, Instant};

use meunier_ingest::PartitionStatus;
use meunier_sample::Stream;
use tokio::time::sleep;

use super::feed::Delivered;
use super::{POLL, ask};
use crate::app::AppState;
use crate::cli::Failure;

/// Longest wait for the last records to become visible.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

/// What was found at the end. All are numbers of records or rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Sent by the sample.
    sent: u64,
    /// Sent and not acknowledged by the broker.
    unacknowledged: u64,
    /// Consumed, whoever sent them.
    consumed: u64,
    /// Consumed and rejected.
    rejected: u64,
    /// What `SELECT COUNT(*)` says; nothing when it failed.
    counted: Option<u64>,
    /// What a partition that stands still says.
    trouble: Option<String>,
}

pub(super) async fn settle(state: &AppState, stream: Stream, delivered: &Delivered) -> Verdict {
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    loop {
        let partitions = partitions(state, stream);
        if all_visible(&partitions, delivered) || Instant::now() >= deadline {
            return verdict(state, stream, delivered, &partitions).await;
        }
        sleep(POLL).await;
    }
}

fn partitions(state: &AppState, stream: Stream) -> Vec<PartitionStatus> {
    let status = state.store.table(stream.name()).ok().and_then(|entry| state.store.status(entry.id));
    status.map(|status| status.partitions).unwrap_or_default()
}

/// Positions begin at 0 and the embedded broker makes no gaps, so a position is a number of records.
fn all_visible(partitions: &[PartitionStatus], delivered: &Delivered) -> bool {
    let of =
        |number: usize| partitions.iter().find(|status| usize::try_from(status.partition.0) == Ok(number));
    delivered.sent.iter().enumerate().all(|(number, sent)| {
        of(number).is_some_and(|status| {
            status.position.0.unsigned_abs() >= sent.events && status.lag.unwrap_or(0) == 0
        })
    })
}

async fn verdict(
    state: &AppState,
    stream: Stream,
    delivered: &Delivered,
    partitions: &[PartitionStatus],
) -> Verdict {
    let answer = ask(state, &format!("SELECT COUNT(*) FROM {}", stream.name())).await.ok();
    Verdict {
        sent: delivered.sent.iter().map(|sent| sent.events).sum(),
        unacknowledged: delivered.unacknowledged,
        consumed: partitions.iter().map(|status| status.position.0.unsigned_abs()).sum(),
        rejected: partitions.iter().map(|status| status.rejected_total).sum(),
        counted: answer.and_then(|answer| answer.pointer("/resultTable/rows/0/0")?.as_u64()),
        trouble: partitions.iter().find_map(|status| status.state.reason().map(str::to_owned)),
    }
}

impl Verdict {
    /// Returns whether every record of the topic is a row once, or was rejected.
    fn is_right(&self) -> bool {
        let at_broker = self.sent - self.unacknowledged.min(self.sent);
        self.unacknowledged == 0
            && self.consumed >= at_broker
            && self.counted == self.consumed.checked_sub(self.rejected)
    }

    /// Returns the line about the count.
    pub(super) fn shown(&self, is_temporary: bool) -> String {
        let counted = self.counted.map_or_else(|| "no answer".to_owned(), |rows| rows.to_string());
        let others = match self.consumed.saturating_sub(self.sent) {
            0 => String::new(),
            others => format!(", {others} by others"),
        };
        let rejected =
            if self.rejected > 0 { format!(", {} rejected", self.rejected) } else { String::new() };
        let right = if self.is_right() { ": nothing lost, nothing twice" } else { "" };
        let removed = if is_temporary { "; the temporary data directory is removed" } else { "" };
        format!("produced {}{others}; counted {counted} rows{rejected}{right}{removed}", self.sent)
    }

    /// Returns a failure when the count is not right.
    pub(super) fn into_result(self) -> Result<(), Failure> {
        if self.is_right() {
            return Ok(());
        }
        let mut failure = Failure::new("the count is not what was produced").detail(format!(
            "{} produced, {} not acknowledged, {} consumed",
            self.sent, self.unacknowledged, self.consumed
        ));
        if let Some(trouble) = self.trouble {
            failure = failure.detail(trouble);
        }
        Err(failure.next("please report this with the output of a run with MEUNIER_LOG_FILTER=info"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_right_only_when_every_record_is_counted_once() {
        let right = Verdict { sent: 10, consumed: 12, rejected: 1, counted: Some(11), ..Verdict::default() };
        assert!(right.is_right());
        assert_eq!(
            right.shown(true),
            "produced 10, 2 by others; counted 11 rows, 1 rejected: nothing lost, nothing twice; the temporary data directory is removed"
        );
        for wrong in [
            Verdict { counted: Some(10), ..right.clone() },
            Verdict { counted: Some(12), ..right.clone() },
            Verdict { counted: None, ..right.clone() },
            Verdict { consumed: 9, counted: Some(8), ..right.clone() },
            Verdict { unacknowledged: 1, ..right.clone() },
        ] {
            assert!(!wrong.is_right(), "{wrong:?}");
            assert!(wrong.into_result().is_err());
        }
    }
}
