//! Segments from outside: every way rows can go through this crate, against a plain model of rows.
#![expect(clippy::unwrap_used, reason = "a test that meets an error fails there and shows it")]

mod model;
mod check;
mod round_trip;
mod columns;
mod indexes;
mod corruption;
mod durable;
mod golden;
mod golden_rows;
