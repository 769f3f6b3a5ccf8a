//! Aggregates over batches in several partitions, compared with models and with vectors of other implementations.

#![expect(clippy::cast_possible_truncation, reason = "the tests' numbers are small")]

mod funnels;
mod id_sets;
mod percentiles;
mod sketches;
mod table;
mod values;
