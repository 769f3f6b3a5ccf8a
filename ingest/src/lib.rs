//! Kafka records in, published segments out.
//!
//! Modules stand in the order the data takes: a topic's records come through `source`, become rows in [`decode`], by way of `transform` where the table's config asks for more, are
//! appended and published by a partition's consumer, and committed by the sealer. [`Ingester`] runs it all.

mod config;
mod clock;
mod error;
mod status;
mod embedded_broker;
mod producer;
mod source;
pub mod decode;
mod transform;
mod progress;
mod roll_up;
mod open_segment;
mod seal_policy;
mod partition_consumer;
mod commit;
mod sealer;
mod worker;
mod supervisor;
mod rebuild;
mod retention;
mod run;
#[doc(hidden)]
pub mod bench_hooks;

pub use config::IngestConfig;
pub use embedded_broker::{EmbeddedBroker, PARTITION_BYTES_KEPT};
pub use error::{IngestError, SourceError};
pub use producer::Producer;
pub use run::{ForceCommit, Ingester, TableDefinition};
pub use source::TopicInfo;
pub use status::{PartitionState, PartitionStatus, TableStatus};
pub use supervisor::ConsumeFrom;
pub use transform::{Expression, ExpressionCompiler, ExpressionInput, NoExpressions, check_expressions};
