//! What can go wrong in ingestion, and what the caller must do about it.

use meunier_catalog::CatalogError;
use meunier_segment::error::SegmentError;
use rdkafka::error::KafkaError;

/// A fault that stops an operation of the ingester.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The Kafka client or topic.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The ledger or the deep store.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A segment file.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The table is being ingested already.
    #[error("table `{table}` is being ingested already")]
    TableExists {
        /// The table.
        table: String,
    },
    /// The table config has no stream to read.
    #[error("table `{table}` has no stream config; add `streamConfigs` with topic, brokers and decoder")]
    NoStream {
        /// The table.
        table: String,
    },
    /// What the table config wants to be done with records cannot be done.
    #[error("table `{table}`: {detail}")]
    Transform {
        /// The table.
        table: String,
        /// Where in the config, and what is wrong.
        detail: String,
    },
    /// A thread could not be started.
    #[error("start a thread")]
    Thread(#[source] std::io::Error),
}

/// A fault of the Kafka client, the brokers or the topic, told so that the user knows what to do.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The client refuses its configuration.
    #[error(
        "kafka client configuration: {detail}; check the `stream.kafka.consumer.prop.*` keys of the table config"
    )]
    Configuration {
        /// The client's words.
        detail: String,
    },
    /// No broker answers.
    #[error(
        "no kafka broker answers at `{brokers}`: {detail}; check `stream.kafka.broker.list`, that the broker runs, and that this machine can reach the address it advertises"
    )]
    Unreachable {
        /// The broker list.
        brokers: String,
        /// The last error of the client.
        detail: String,
    },
    /// The brokers refuse the credentials.
    #[error(
        "kafka at `{brokers}` refuses the login: {detail}; check `security.protocol`, `sasl.mechanism`, `sasl.username` and `sasl.password`"
    )]
    Authentication {
        /// The broker list.
        brokers: String,
        /// The last error of the client.
        detail: String,
    },
    /// The user may not read the topic.
    #[error(
        "kafka at `{brokers}` does not allow reading topic `{topic}`; grant the user READ and DESCRIBE on it"
    )]
    Authorization {
        /// The broker list.
        brokers: String,
        /// The topic.
        topic: String,
    },
    /// The topic does not exist.
    #[error("kafka at `{brokers}` has no topic `{topic}`; create it, or correct `stream.kafka.topic.name`")]
    NoTopic {
        /// The broker list.
        brokers: String,
        /// The topic.
        topic: String,
    },
    /// Anything else.
    #[error("kafka client: {action}")]
    Client {
        /// What was being done.
        action: String,
        /// The client's answer.
        #[source]
        source: KafkaError,
    },
}
