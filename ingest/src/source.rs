//! Kafka, through librdkafka's low-level consumer.
//!
//! One client serves all tables that connect alike. Each partition has a queue of its own, read in batches by the worker
//! that owns the partition; the client's own thread only serves errors, metadata and watermarks. There is no consumer
//! group: positions come from the ledger, and Kafka's group offsets are not used.

mod client;
mod client_config;
mod partition_queue;
mod reachability;

pub use client::TopicInfo;
pub(crate) use client::{KafkaClient, KafkaClients, TopicReader, first_offset};
pub(crate) use client_config::client_properties;
pub(crate) use partition_queue::{FetchEvent, PartitionQueue};
