//! A connection to one Kafka cluster, shared by all tables that connect alike.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use meunier_catalog::table_config::OffsetCriteria;
use meunier_segment::offset_range::{Offset, PartitionId};
use parking_lot::Mutex;
use rdkafka::bindings as ffi;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafka;
use rdkafka::{ClientConfig, ClientContext, Offset as KafkaOffset, TopicPartitionList};

use super::client_config::ClientProperties;
use super::reachability::why_unreachable;
use crate::error::SourceError;

/// Longest wait for one answer of the brokers.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the client's events. With none at all, a poll would end behind the first log line.
const POLL_TIME: Duration = Duration::from_millis(1);
/// Errors served at a time.
const EVENTS_SERVED_MAX: usize = 64;
/// Cluster ids of librdkafka's mock brokers begin so.
const EMBEDDED_CLUSTER_ID: &str = "mockCluster";

/// What a topic looks like at the brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its name.
    pub topic: String,
    /// Its partitions, in order of their number.
    pub partitions: Vec<PartitionId>,
}

/// Keeps the last error the client reported, until a request succeeds.
#[derive(Default)]
struct ErrorContext {
    last: Mutex<Option<(KafkaError, String)>>,
}

impl ClientContext for ErrorContext {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka client");
        let mut last = self.last.lock();
        // After a refused login the client also reports that all brokers are down, which tells less.
        let told = |last: &(KafkaError, String)| {
            last.0.rdkafka_error_code() == Some(RDKafkaErrorCode::Authentication)
        };
        if !last.as_ref().is_some_and(told) {
            *last = Some((error, reason.to_owned()));
        }
    }
}

impl ConsumerContext for ErrorContext {}

/// A librdkafka client.
pub(crate) struct KafkaClient {
    consumer: BaseConsumer<ErrorContext>,
    brokers: String,
}

impl KafkaClient {
    pub(crate) fn connect(properties: &ClientProperties) -> Result<KafkaClient, SourceError> {
        let mut config = ClientConfig::new();
        for (key, value) in properties {
            config.set(key, value);
        }
        let brokers = properties.get("bootstrap.servers").cloned().unwrap_or_default();
        let consumer = config
            .create_with_context(ErrorContext::default())
            .map_err(|error| SourceError::Configuration { detail: configuration_detail(&error) })?;
        Ok(KafkaClient { consumer, brokers })
    }

    pub(super) fn native_ptr(&self) -> *mut RDKafka {
        self.consumer.client().native_ptr()
    }

    /// Serves the client's events. To be called often, from one thread.
    pub(crate) fn poll(&self) {
        // Without a consumer group nothing but errors comes this way, and the context has kept them.
        for _ in 0..EVENTS_SERVED_MAX {
            if self.consumer.poll(POLL_TIME).is_none() {
                return;
            }
        }
    }

    /// Returns whether the cluster is the embedded broker.
    pub(crate) fn is_embedded(&self) -> bool {
        let cluster_id = self.consumer.client().fetch_cluster_id(REQUEST_TIMEOUT);
        cluster_id.is_some_and(|id| id.starts_with(EMBEDDED_CLUSTER_ID))
    }

    /// Asks the brokers for a topic's partitions.
    pub(crate) fn topic(&self, topic: &str) -> Result<TopicInfo, SourceError> {
        let answer = self.consumer.fetch_metadata(Some(topic), REQUEST_TIMEOUT);
        let metadata =
            answer.map_err(|error| self.explain("ask for the topic's partitions", topic, error))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let no_topic = || SourceError::NoTopic { brokers: self.brokers.clone(), topic: topic.to_owned() };
        let found = found.ok_or_else(no_topic)?;
        if let Some(code) = found.error() {
            return Err(self.explain(
                "ask for the topic's partitions",
                topic,
                KafkaError::Global(code.into()),
            ));
        }
        let mut partitions: Vec<PartitionId> =
            found.partitions().iter().map(|partition| PartitionId(partition.id())).collect();
        if partitions.is_empty() {
            return Err(no_topic());
        }
        partitions.sort_unstable();
        self.consumer.context().last.lock().take();
        Ok(TopicInfo { topic: topic.to_owned(), partitions })
    }

    /// Asks the brokers for a partition's first offset and its end.
    pub(crate) fn watermarks(
        &self,
        topic: &str,
        partition: PartitionId,
    ) -> Result<(Offset, Offset), SourceError> {
        let answer = self.consumer.fetch_watermarks(topic, partition.0, REQUEST_TIMEOUT);
        let (low, high) =
            answer.map_err(|error| self.explain("ask for the partition's ends", topic, error))?;
        Ok((Offset(low), Offset(high)))
    }

    /// Returns a partition's end as the last fetch told it, without asking. `None` before the first fetch.
    #[expect(unsafe_code, reason = "librdkafka's cached watermarks have no safe wrapper")]
    pub(crate) fn known_end(&self, topic: &str, partition: PartitionId) -> Option<Offset> {
        let name = std::ffi::CString::new(topic).ok()?;
        let (mut low, mut high) = (-1, -1);
        // SAFETY: the client is alive, the name is copied, both numbers are only written.
        let code = unsafe {
            ffi::rd_kafka_get_watermark_offsets(
                self.native_ptr(),
                name.as_ptr(),
                partition.0,
                &raw mut low,
                &raw mut high,
            )
        };
        let known = code == ffi::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0;
        known.then_some(Offset(high))
    }

    fn offset_at(&self, topic: &str, partition: PartitionId, time_ms: i64) -> Result<Offset, SourceError> {
        let failed = |error| self.explain("ask for the offset at a time", topic, error);
        let mut asked = TopicPartitionList::new();
        asked.add_partition_offset(topic, partition.0, KafkaOffset::Offset(time_ms)).map_err(failed)?;
        let answer = self.consumer.offsets_for_times(asked, REQUEST_TIMEOUT).map_err(failed)?;
        match answer.find_partition(topic, partition.0).map(|found| found.offset()) {
            Some(KafkaOffset::Offset(offset)) => Ok(Offset(offset)),
            // No record is that young: begin with the next.
            _ => Ok(self.watermarks(topic, partition)?.1),
        }
    }

    /// Turns an error of the client into one that says what to do, with the help of what the client reported before.
    fn explain(&self, action: &str, topic: &str, error: KafkaError) -> SourceError {
        self.poll();
        let brokers = self.brokers.clone();
        let reported = self.consumer.context().last.lock().clone();
        let code = error.rdkafka_error_code();
        match code {
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                return SourceError::NoTopic { brokers, topic: topic.to_owned() };
            }
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                return SourceError::Authorization { brokers, topic: topic.to_owned() };
            }
            _ => {}
        }
        let unreachable = matches!(
            code,
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::OperationTimedOut
                    | RDKafkaErrorCode::RequestTimedOut
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::Resolve
                    | RDKafkaErrorCode::LeaderNotAvailable
            )
        );
        match reported {
            Some((reported, detail))
                if reported.rdkafka_error_code() == Some(RDKafkaErrorCode::Authentication) =>
            {
                SourceError::Authentication { brokers, detail }
            }
            reported if unreachable => {
                let told = || reported.map_or_else(|| error.to_string(), |(_, detail)| detail);
                let detail = why_unreachable(&brokers).unwrap_or_else(told);
                SourceError::Unreachable { brokers, detail }
            }
            _ => SourceError::Client { action: format!("{action} `{topic}`"), source: error },
        }
    }
}

/// Returns the offset a new table begins a partition with.
pub(crate) fn first_offset(
    client: &KafkaClient,
    topic: &str,
    partition: PartitionId,
    criteria: &OffsetCriteria,
    now_ms: i64,
) -> Result<Offset, SourceError> {
    match criteria {
        OffsetCriteria::Smallest => Ok(client.watermarks(topic, partition)?.0),
        OffsetCriteria::Largest => Ok(client.watermarks(topic, partition)?.1),
        OffsetCriteria::Period(period) => {
            let period_ms = i64::try_from(period.as_millis()).unwrap_or(i64::MAX);
            client.offset_at(topic, partition, now_ms.saturating_sub(period_ms).max(0))
        }
        OffsetCriteria::Timestamp(time_ms) => client.offset_at(topic, partition, (*time_ms).max(0)),
    }
}

fn configuration_detail(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, detail, key, value) => {
            let secret = ["password", "secret", "key.pem", "token"].iter().any(|word| key.contains(word));
            let value = if secret { "…" } else { value };
            format!("{detail} (`{key}` = `{value}`)")
        }
        other => other.to_string(),
    }
}

/// All clients in use. Tables whose clients would have the same properties share one, unless they read the same topic: a client
/// consumes a partition once only, and whoever comes second would take records from the first.
#[derive(Default)]
pub(crate) struct KafkaClients {
    clients: Mutex<HashMap<(ClientProperties, usize), Weak<KafkaClient>>>,
    /// For each topic the numbers of the clients that read it.
    readers: Mutex<HashMap<(ClientProperties, String), ClientNumbers>>,
}

/// A number lives as long as its reader; one that is free can be taken again.
type ClientNumbers = Vec<Weak<usize>>;

/// The right to read one topic through a client; others that read it have another client meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct TopicReader {
    properties: ClientProperties,
    /// Which of the clients of these properties.
    number: Arc<usize>,
}

impl KafkaClients {
    /// Returns the right to read a topic until all of its clones are dropped.
    pub(crate) fn reader(&self, properties: ClientProperties, topic: &str) -> TopicReader {
        let mut readers = self.readers.lock();
        readers.retain(|_, numbers| numbers.iter().any(|number| number.strong_count() > 0));
        let numbers = readers.entry((properties.clone(), topic.to_owned())).or_default();
        let free = numbers.iter().position(|number| number.strong_count() == 0).unwrap_or(numbers.len());
        let number = Arc::new(free);
        match numbers.get_mut(free) {
            Some(of_dropped) => *of_dropped = Arc::downgrade(&number),
            None => numbers.push(Arc::downgrade(&number)),
        }
        TopicReader { properties, number }
    }

    /// Returns the reader's client, a new one if none is in use.
    pub(crate) fn of_reader(&self, reader: &TopicReader) -> Result<Arc<KafkaClient>, SourceError> {
        self.get(&reader.properties, *reader.number)
    }

    /// Returns a client of these properties that asks and does not consume, a new one if none is in use.
    pub(crate) fn of_properties(
        &self,
        properties: &ClientProperties,
    ) -> Result<Arc<KafkaClient>, SourceError> {
        self.get(properties, 0)
    }

    fn get(&self, properties: &ClientProperties, number: usize) -> Result<Arc<KafkaClient>, SourceError> {
        let mut clients = self.clients.lock();
        let key = (properties.clone(), number);
        if let Some(client) = clients.get(&key).and_then(Weak::upgrade) {
            return Ok(client);
        }
        clients.retain(|_, client| client.strong_count() > 0);
        let client = Arc::new(KafkaClient::connect(properties)?);
        clients.insert(key, Arc::downgrade(&client));
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_of_one_topic_have_different_clients() {
        let clients = KafkaClients::default();
        let properties = ClientProperties::from([("bootstrap.servers".to_owned(), "127.0.0.1:1".to_owned())]);
        let number = |reader: &TopicReader| *reader.number;
        let first = clients.reader(properties.clone(), "a");
        let second = clients.reader(properties.clone(), "a");
        let of_another_topic = clients.reader(properties.clone(), "b");
        assert_eq!([number(&first), number(&second), number(&of_another_topic)], [0, 1, 0]);
        drop(first);
        assert_eq!(number(&clients.reader(properties, "a")), 0);
        assert_eq!(number(&second), 1);
    }
}
