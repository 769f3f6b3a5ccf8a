//! Schema, column values, consuming and sealed segments, indexes, file formats, snapshots.
//!
//! Modules stand in the order the data takes. Nothing here knows Kafka, SQL, the network, the clock or async.

pub mod nearest;
pub mod json_reader;
pub mod value;
pub mod json_flat;
pub mod text_search;
pub mod schema;
pub mod offset_range;
pub mod reject;
pub mod segment_name;
pub mod partition_function;
pub mod options;
pub mod ids;
pub mod dictionary;
pub mod text_numbers;
mod value_index;
mod dictionary_writer;
pub mod column_buffer;
pub mod row_buffer;
mod column_writer;
pub mod column;
pub mod stats;
pub mod index;
pub mod chunk;
pub mod consuming_segment;
pub mod error;
pub mod seal;
pub mod star_tree;
pub mod durable;
pub mod serving;
pub mod sealed_segment;
pub mod segment_ref;
pub mod table_snapshot;

#[cfg(test)]
extern crate self as meunier_segment;
#[cfg(test)]
#[path = "../tests/it/golden_rows.rs"]
mod golden_rows;
