//! Ingestion from end to end: a broker, a catalog in a temporary folder, rows counted in the published snapshots.
//!
//! The scenarios run on the embedded broker always, and on a real Apache Kafka when `MEUNIER_TEST_KAFKA` has its address:
//! those tests are named `real_kafka_…` and ignored otherwise, so that a run without a broker says so.
#![expect(clippy::unwrap_used, reason = "a test that meets an error fails there and shows it")]

mod harness;
mod scenarios;
mod embedded;
mod real_kafka;
