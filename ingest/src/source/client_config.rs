//! The properties of a Kafka client: ours that correctness rests on, defaults that freshness rests on, the user's.

use std::collections::BTreeMap;

use meunier_catalog::table_config::{Isolation, StreamConfig};

use crate::config::IngestConfig;

/// Address prefix of the embedded broker's cluster id; see [`crate::embedded_broker`].
const FETCH_WAIT_MS: &str = "500";
/// The embedded broker answers a fetch that finds nothing only when the wait is over, even if records come meanwhile.
const FETCH_WAIT_MS_EMBEDDED: &str = "5";

/// All properties of a client, in order of their names. Clients of equal properties are one client.
pub(crate) type ClientProperties = BTreeMap<String, String>;

/// Returns the properties for a table's stream. The user's override the defaults, never what correctness needs.
pub(crate) fn client_properties(
    stream: &StreamConfig,
    config: &IngestConfig,
    embedded: bool,
) -> ClientProperties {
    let fetch_queue_kbytes = (config.fetch_queue_bytes_max / 1024).max(1).to_string();
    let fetch_wait_ms = if embedded { FETCH_WAIT_MS_EMBEDDED } else { FETCH_WAIT_MS };
    let defaults = [
        ("client.id", "meunier"),
        ("fetch.wait.max.ms", fetch_wait_ms),
        // With the default of 1 s a partition whose queue was full once stands still for that long.
        ("fetch.queue.backoff.ms", "5"),
        ("fetch.error.backoff.ms", "100"),
        // About what one fetch brings. With the default, ten times as many, records have left the caches when a worker comes to
        // them, which cost ingestion 15 % of its CPU time.
        ("queued.min.messages", "10000"),
        ("queued.max.messages.kbytes", &fetch_queue_kbytes),
        ("reconnect.backoff.max.ms", "2000"),
        ("socket.nagle.disable", "true"),
        ("socket.keepalive.enable", "true"),
        ("topic.metadata.refresh.interval.ms", "30000"),
        ("receive.message.max.bytes", "209715200"),
    ];
    let isolation = match stream.isolation {
        Isolation::ReadCommitted => "read_committed",
        Isolation::ReadUncommitted => "read_uncommitted",
    };
    let fixed = [
        ("bootstrap.servers", stream.brokers.as_str()),
        // An offset that is not there is a state to show, never a jump.
        ("auto.offset.reset", "error"),
        ("enable.partition.eof", "true"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("check.crcs", "true"),
        ("isolation.level", isolation),
        ("allow.auto.create.topics", "false"),
    ];
    let mut properties = ClientProperties::new();
    properties.extend(defaults.map(|(key, value)| (key.to_owned(), value.to_owned())));
    properties.extend(stream.kafka_properties.iter().map(|(key, value)| (key.clone(), value.clone())));
    properties.extend(fixed.map(|(key, value)| (key.to_owned(), value.to_owned())));
    properties.remove("group.id");
    properties
}
