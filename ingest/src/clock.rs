//! The wall clock, read in one place.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the time in milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
