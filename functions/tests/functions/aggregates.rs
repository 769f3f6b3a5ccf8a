//! Aggregates over batches in several partitions, compared with models and with vectors of other implementations.

mod funnels;
mod percentiles;
mod sketches;
mod table;
mod values;
