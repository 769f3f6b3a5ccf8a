//! SQL in, Pinot's answer out, over one snapshot of each table.
//!
//! Modules stand in the order a query takes: the tables that exist, the text and its options, the dialect's rewrite of the
//! syntax tree, functions, the logical plan, the scan with its pruning and filters, the answer. Everything general
//! (joins, sorts, final aggregates) is DataFusion's; this crate has no HTTP and no Kafka in it.
//!
//! Invariant: [`QueryEngine::query`] always answers; no statement ends the process or reaches a file or the network.

pub mod tables;
mod time_slice;
mod options;
mod pinot_sql;
mod statement;
mod inspection;
mod position;
mod advice;
mod running;
mod dialect;
mod in_subquery;
mod lookup;
mod planner;
mod operators;
mod asof_join;
mod window_exclusion;
mod gapfill;
mod equal_zeros;
mod table_columns;
mod bounds;
mod compute;
mod json_match;
mod text_match;
mod text_prefix;
mod predicate;
mod time_condition;
mod table_provider;
mod scan;
mod external;
mod join_filter;
mod group_count;
mod join_aggregation;
mod partial_aggregates;
mod grouping;
mod grouping_scan;
mod shape;
mod short_path;
mod plan_cache;
mod explain;
mod limits;
mod reading;
mod response;
mod error;
pub mod engine;
mod record_expression;

pub use engine::{EngineConfig, QueryAnswer, QueryEngine, QueryRequest};
pub use error::{QueryError, QueryErrorCode};
pub use inspection::Inspection;
pub use record_expression::{RecordExpression, RecordExpressions, RecordField};
pub use running::RunningQuery;
pub use tables::{QueryTable, SearchOptions, Tables};
