//! The server as its clients meet it: HTTP without a port, then with one, then with Kafka behind it.

mod fixture;
mod bad_input;
mod tables;
mod probes;
mod sockets;
mod end_to_end;
