//! Sample streams: schemas, table configs and generators of realistic events.
//!
//! The quickstart, the compose demo, tests and the benchmark all produce with [`Generator`]. An event depends on nothing
//! but its arguments: no clock, no system randomness, no state between two calls. So a checker can make any event again
//! from its partition and sequence number, and two producers given the same seed write the same stream.
//!
//! Modules are in the order an event takes: which stream, one event of it, each stream's model of the world, what the
//! models share, and the JSON text that comes out.

mod stream;
mod generator;
mod clickstream;
mod orders;
mod trips;
mod server_metrics;
mod iot_sensors;
mod app_logs;
mod places;
mod people;
mod random;
mod weighted;
mod calendar;
mod json;

pub use generator::Generator;
pub use stream::Stream;
