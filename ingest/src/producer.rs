//! Writes records to a topic: the sample streams of quickstart, the demo and the benchmarks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use crate::error::SourceError;

/// Waits for room in the client's queue are cut into pieces of this length, in which deliveries are served.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(5);

/// An idempotent Kafka producer: what it sends is there once and in order, or counted as failed.
pub struct Producer {
    producer: BaseProducer<DeliveryCounts>,
    brokers: String,
}

#[derive(Clone, Default)]
struct DeliveryCounts {
    failed: Arc<AtomicU64>,
}

impl ClientContext for DeliveryCounts {}

impl ProducerContext for DeliveryCounts {
    type DeliveryOpaque = ();

    fn delivery(&self, delivery: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = delivery {
            tracing::warn!(%error, "record was not delivered");
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Producer {
    /// Connects to `brokers`, with further librdkafka properties.
    ///
    /// # Errors
    /// When the client refuses a property.
    pub fn connect(brokers: &str, properties: &[(String, String)]) -> Result<Producer, SourceError> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers).set("enable.idempotence", "true").set("linger.ms", "5");
        for (key, value) in properties {
            config.set(key, value);
        }
        let producer = config
            .create_with_context(DeliveryCounts::default())
            .map_err(|error: KafkaError| SourceError::Configuration { detail: error.to_string() })?;
        Ok(Producer { producer, brokers: brokers.to_owned() })
    }

    /// Returns how many partitions a topic has.
    ///
    /// # Errors
    /// When the brokers do not answer or have no such topic.
    pub fn partitions(&self, topic: &str) -> Result<i32, SourceError> {
        let answer = self.producer.client().fetch_metadata(Some(topic), Duration::from_secs(5));
        let metadata = answer.map_err(|error| SourceError::Unreachable {
            brokers: self.brokers.clone(),
            detail: error.to_string(),
        })?;
        let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
        let partitions = found.map_or(0, |found| found.partitions().len());
        match i32::try_from(partitions) {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(SourceError::NoTopic { brokers: self.brokers.clone(), topic: topic.to_owned() }),
        }
    }

    /// Sends one record. Waits while the client's queue is full: back-pressure reaches the caller.
    ///
    /// # Errors
    /// When the client refuses the record, for its size or its topic.
    pub fn send(
        &self,
        topic: &str,
        partition: i32,
        key: Option<&[u8]>,
        payload: &[u8],
        timestamp_ms: i64,
    ) -> Result<(), SourceError> {
        let mut record =
            BaseRecord::<[u8], [u8]>::to(topic).partition(partition).payload(payload).timestamp(timestamp_ms);
        if let Some(key) = key {
            record = record.key(key);
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.producer.poll(QUEUE_FULL_WAIT);
                }
                Err((source, _)) => {
                    return Err(SourceError::Client { action: format!("send to topic `{topic}`"), source });
                }
            }
        }
    }

    /// Serves deliveries that came in.
    pub fn poll(&self) {
        self.producer.poll(Duration::ZERO);
    }

    /// Waits until all records are delivered or failed. Returns how many are neither when the time is over.
    ///
    /// # Errors
    /// When the client cannot flush.
    pub fn flush(&self, timeout: Duration) -> Result<u64, SourceError> {
        match self.producer.flush(timeout) {
            Ok(()) | Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut)) => {}
            Err(source) => return Err(SourceError::Client { action: "flush".to_owned(), source }),
        }
        Ok(u64::try_from(self.producer.in_flight_count()).unwrap_or(0))
    }

    /// Returns how many records could not be delivered.
    pub fn failed(&self) -> u64 {
        self.producer.context().failed.load(Ordering::Relaxed)
    }
}
