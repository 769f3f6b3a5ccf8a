//! Aggregates over batches in several partitions, compared with models and with vectors of other implementations.

mod percentiles;
mod table;
mod values;
