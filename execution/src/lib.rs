//! Filters, groups and top rows over the segments of a table, on dictionary ids wherever they can.
//!
//! Modules stand in the order the data takes. Nothing here knows SQL: whoever calls hands in predicates, keys and
//! aggregates, and computations that are not ours as [`compute::Compute`]. All work is done on the calling thread, one
//! chunk of one segment at a time.

pub mod error;
pub mod counters;
pub mod compute;
pub mod input;
pub mod rows;
pub mod predicate;
mod id_set;
mod number_test;
mod predicate_key;
pub mod predicate_cache;
pub mod filter;
pub mod segment_work;
mod interner;
mod key_space;
mod keys;
mod distinct;
mod numbers;
pub mod external;
mod states;
pub mod aggregation;
pub mod star_tree_query;
mod record_values;
pub mod top_rows;
