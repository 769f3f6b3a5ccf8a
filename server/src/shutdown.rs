//! When the process should end: SIGINT or SIGTERM. A second signal ends it at once.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

/// The usual code of a process that a signal ended.
const EXIT_BY_SIGNAL: i32 = 130;
/// A signal this soon after the first is the same wish: `timeout` and some terminals send to process and group.
const SAME_WISH: Duration = Duration::from_millis(500);

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
