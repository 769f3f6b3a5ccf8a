//! The server as its clients meet it: HTTP without a port, then with one, then with Kafka behind it.
#![expect(clippy::unwrap_used, reason = "test code; clippy knows only `#[test]` functions as such")]

mod fixture;
mod bad_input;
mod tables;
mod forms;
mod probes;
mod cluster;
mod cursors;
mod running;
mod states;
mod drops;
mod mistakes;
mod clients;
mod sockets;
mod end_to_end;
mod ingestion_config;
