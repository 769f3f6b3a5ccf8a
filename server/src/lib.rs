//! The meunier binary as a library: the only crate that knows all the others.
//!
//! Modules stand in the order of a start: command line, settings, what one process holds (`store`), HTTP over it, and the
//! two ways to run it all, `serve` and `quickstart`. `main.rs` only calls [`cli::main`]; tests call [`app::app`] without a port.

pub mod cli;
pub mod config;
pub mod logging;
pub mod error;
pub mod store;
pub mod cursors;
pub mod metrics;
pub mod app;
mod http;
mod routes;
pub mod expressions;
pub mod serve;
pub mod quickstart;
mod shutdown;
mod sample_producer;
