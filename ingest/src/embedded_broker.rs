//! A Kafka broker inside this process, for quickstart and tests: librdkafka's mock cluster.
//!
//! It speaks the protocol over TCP on a loopback port, so any Kafka client can produce into it. It keeps records in
//! memory, 5 MiB a partition, and silently drops the oldest beyond that; it knows no transactions, no time offsets and
//! no retention. Consumers of it run with `auto.offset.reset=error`, so that its dropping shows as an expired partition.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::error::{IngestError, SourceError};

/// Bytes of batches the broker keeps of each partition.
pub const PARTITION_BYTES_KEPT: u64 = 5 << 20;

/// A running broker; it ends, and its records are gone, when this is dropped.
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl EmbeddedBroker {
    /// Starts a broker with these topics and their numbers of partitions.
    ///
    /// # Errors
    /// When no port can be opened or a topic is refused.
    pub fn start(topics: &[(&str, i32)]) -> Result<EmbeddedBroker, IngestError> {
        let failed = |action: &str, source| SourceError::Client { action: action.to_owned(), source };
        let cluster = MockCluster::new(1).map_err(|error| failed("start the embedded broker", error))?;
        for &(topic, partitions) in topics {
            cluster
                .create_topic(topic, partitions, 1)
                .map_err(|error| failed(&format!("create topic `{topic}` on the embedded broker"), error))?;
        }
        Ok(EmbeddedBroker { cluster })
    }

    /// Creates a further topic.
    ///
    /// # Errors
    /// When the name is taken or refused.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), IngestError> {
        let action = format!("create topic `{topic}` on the embedded broker");
        self.cluster
            .create_topic(topic, partitions, 1)
            .map_err(|source| SourceError::Client { action, source })?;
        Ok(())
    }

    /// Returns the address for clients, `127.0.0.1:PORT`.
    pub fn bootstrap(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}
