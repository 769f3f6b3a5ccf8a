//! When the process should end: SIGINT or SIGTERM. A second signal ends it at once.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

/// The usual code of a process that a signal ended.
const EXIT_BY_SIGNAL: i32 = 130;
/// The customary code of an input or output error.
const EXIT_BY_IO_ERROR: i32 = 74;
/// A signal this soon after the first is the same wish: `timeout` and some terminals send to process and group.
const SAME_WISH: Duration = Duration::from_millis(500);

/// Ends the process at once, since the ledger may or may not hold what was last written to it: only recovery at the next
/// start finds out. Nothing is lost by it; rows that are not committed are read again.
pub(crate) fn end_after_ledger_failure(reason: &str) {
    error!(reason, "the ledger cannot be written; ending, check the disk and start again");
    std::process::exit(EXIT_BY_IO_ERROR);
}

/// Listens for signals from now on; the future returned ends with the first one.
///
/// # Errors
/// When the system does not let this process listen.
pub(crate) fn first_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => info!("stopping on SIGINT"),
            _ = terminate.recv() => info!("stopping on SIGTERM"),
        }
        tokio::spawn(async move {
            let same_wish = tokio::time::sleep(SAME_WISH);
            tokio::pin!(same_wish);
            loop {
                tokio::select! {
                    () = &mut same_wish => break,
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            }
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            warn!(
                "stopping at once on a second signal: rows that are not committed are read again at the next start"
            );
            std::process::exit(EXIT_BY_SIGNAL);
        });
    })
}
