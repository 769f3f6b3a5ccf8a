//! Filters over whole segments, compared with rows in plain vectors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may end in a panic")]

mod events;
mod filters;
mod known_rows;
mod pruning;
