//! The stream map of a table: which topic, from where, how decoded, and when a segment is full.
//!
//! The map is flat text to text. Its keys fall into five families, told apart by [`classify`]: Pinot's own keys, Kafka
//! client properties (with `stream.kafka.consumer.prop.` before them, or bare), decoder properties, Pinot's TLS keys, and
//! keys of days gone by. Every key of Pinot's may also be written with the suffix `.llc`.

mod decoder;
mod flush;
mod jaas;
mod kafka_properties;
mod offsets;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use meunier_segment::json_reader::{Findings, JsonObject, kind, scalar_text};
use meunier_segment::nearest::did_you_mean;

use super::quantity::parse_period_or_millis;
use super::secret::{HIDDEN, is_secret_key};
pub use decoder::Decoder;
pub use flush::FlushThresholds;
pub use offsets::{Isolation, OffsetCriteria};

/// Waiting time of one fetch that does not say.
const FETCH_TIMEOUT_MS: u32 = 5_000;

/// One topic that a table reads.
#[derive(Clone, PartialEq)]
pub struct StreamConfig {
    /// The topic's name.
    pub topic: String,
    /// Addresses to find the brokers by, separated by commas.
    pub brokers: String,
    /// Where a partition without committed offset is begun.
    pub offset_criteria: OffsetCriteria,
    /// Whether records of open and aborted transactions are read.
    pub isolation: Isolation,
    /// How records become rows.
    pub decoder: Decoder,
    /// The decoder's settings, without `stream.kafka.decoder.prop.`; may hold secrets.
    pub decoder_properties: BTreeMap<String, String>,
    /// Settings of the Kafka client in librdkafka's names, checked against its list; may hold secrets.
    pub kafka_properties: BTreeMap<String, String>,
    /// When a segment is full.
    pub flush: FlushThresholds,
    /// How long one fetch waits for records.
    pub fetch_timeout_ms: u32,
    /// Most records a second from the whole topic.
    pub topic_rate_limit: Option<f64>,
    /// Most records a second from one partition.
    pub partition_rate_limit: Option<f64>,
    /// Whether key, headers and metadata of a record are columns (`__key`, `__header$…`, `__metadata$…`).
    pub populate_metadata: bool,
    /// The only partitions to read; `None` means all.
    pub partition_ids: Option<BTreeSet<i32>>,
    /// Whether a record that cannot be decoded stops its partition.
    pub stop_on_decode_error: bool,
}

impl fmt::Debug for StreamConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamConfig")
            .field("topic", &self.topic)
            .field("brokers", &self.brokers)
            .field("offset_criteria", &self.offset_criteria)
            .field("isolation", &self.isolation)
            .field("decoder", &self.decoder)
            .field("decoder_properties", &shown(&self.decoder_properties))
            .field("kafka_properties", &shown(&self.kafka_properties))
            .field("flush", &self.flush)
            .field("fetch_timeout_ms", &self.fetch_timeout_ms)
            .field("topic_rate_limit", &self.topic_rate_limit)
            .field("partition_rate_limit", &self.partition_rate_limit)
            .field("populate_metadata", &self.populate_metadata)
            .field("partition_ids", &self.partition_ids)
            .field("stop_on_decode_error", &self.stop_on_decode_error)
            .finish()
    }
}

/// Properties with every secret hidden.
fn shown(properties: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let value = |key, value| if is_secret_key(key) { HIDDEN } else { value };
    properties.iter().map(|(key, text)| (key.as_str(), value(key, text.as_str()))).collect()
}

/// Pinot's own keys.
const KEYS: [&str; 43] = [
    "streamType",
    "stream.kafka.topic.name",
    "stream.kafka.broker.list",
    "stream.kafka.consumer.factory.class.name",
    "stream.kafka.consumer.type",
    "stream.kafka.isolation.level",
    "stream.kafka.decoder.class.name",
    "stream.kafka.metadata.populate",
    "stream.kafka.partition.ids",
    "stream.kafka.fetch.timeout.millis",
    "stream.kafka.connection.timeout.millis",
    "stream.kafka.idle.timeout.millis",
    "stream.kafka.buffer.size",
    "stream.kafka.socket.timeout",
    "stream.kafka.fetcher.size",
    "stream.kafka.fetcher.minBytes",
    "stream.kafka.zk.broker.url",
    "stream.kafka.clusterGroup",
    "realtime.segment.flush.threshold.rows",
    "realtime.segment.flush.threshold.size",
    "realtime.segment.flush.threshold.segment.rows",
    "realtime.segment.flush.threshold.time",
    "realtime.segment.flush.threshold.segment.size",
    "realtime.segment.flush.desired.size",
    "realtime.segment.flush.threshold.desired.size",
    "realtime.segment.flush.threshold.variance.fraction",
    "realtime.segment.flush.autotune.initialRows",
    "realtime.segment.commit.timeoutSeconds",
    "realtime.segment.serverUploadToDeepStore",
    "realtime.segment.pauseless.download.timeoutSeconds",
    "realtime.segment.offsetAutoReset.enable",
    "realtime.segment.offsetAutoReset.offsetThreshold",
    "realtime.segment.offsetAutoReset.timeThresholdSeconds",
    "topic.consumption.rate.limit",
    "partition.consumption.rate.limit",
    "stopOnDecodeError",
    "stream.kafka.consumer.prop.auto.offset.reset",
    "stream.kafka.consumer.prop.isolation.level",
    "stream.kafka.offset.criteria",
    "stream.kafka.hlc.zk.connect.string",
    "stream.kafka.hlc.bootstrap.server",
    "stream.kafka.hlc.group.id",
    "stream.kafka.metadata.fetch.timeout.millis",
];

const CONSUMER_PREFIX: &str = "stream.kafka.consumer.prop.";
const DECODER_PREFIX: &str = "stream.kafka.decoder.prop.";
const REGISTRY_PREFIX: &str = "stream.kafka.schema.registry.";
const TLS_PREFIX: &str = "stream.kafka.ssl.";

/// The family of a key, with the name inside it.
enum StreamKey<'a> {
    Pinot,
    Consumer(&'a str),
    Decoder(&'a str),
    Tls(&'a str),
    Unknown,
}

fn classify(key: &str) -> StreamKey<'_> {
    let plain = key.strip_suffix(".llc").unwrap_or(key);
    if KEYS.contains(&plain) || key.starts_with("stream.kafka.hlc.") {
        StreamKey::Pinot
    } else if let Some(name) = key.strip_prefix(CONSUMER_PREFIX) {
        StreamKey::Consumer(name)
    } else if let Some(name) = key.strip_prefix(DECODER_PREFIX) {
        StreamKey::Decoder(name)
    } else if let Some(name) = key.strip_prefix("stream.kafka.").filter(|_| key.starts_with(REGISTRY_PREFIX))
    {
        StreamKey::Decoder(name)
    } else if let Some(name) = key.strip_prefix(TLS_PREFIX) {
        StreamKey::Tls(name)
    } else if kafka_properties::is_property(key) {
        StreamKey::Consumer(key)
    } else {
        StreamKey::Unknown
    }
}

/// One property of the map, with its place.
struct Property<'a> {
    path: String,
    name: &'a str,
    value: String,
}

/// The stream map, read by Pinot's keys with or without the suffix `.llc`.
struct StreamMap<'a>(&'a JsonObject<'a>);

impl StreamMap<'_> {
    /// Returns the key as it is written in the map.
    fn written(&self, key: &str) -> Option<String> {
        let suffixed = format!("{key}.llc");
        [key.to_string(), suffixed].into_iter().find(|key| self.0.get(key).is_some())
    }

    fn place(&self, key: &str) -> String {
        self.0.place(&self.written(key).unwrap_or_else(|| key.to_string()))
    }

    fn text(&self, key: &str, findings: &mut Findings) -> Option<String> {
        self.0.text_or_empty(&self.written(key)?, findings)
    }

    fn boolean(&self, key: &str, findings: &mut Findings) -> Option<bool> {
        self.0.boolean(&self.written(key)?, findings)
    }

    fn integer(&self, key: &str, least: i64, findings: &mut Findings) -> Option<i64> {
        self.0.integer(&self.written(key)?, least, i64::MAX, findings)
    }
}

/// Reads one stream map; `None` when it cannot be consumed from. Every fault goes to `findings`.
pub(super) fn read(object: &JsonObject<'_>, findings: &mut Findings) -> Option<StreamConfig> {
    let map = StreamMap(object);
    if !is_kafka(&map, findings) {
        return None;
    }
    check_consumer(&map, findings);
    let mut properties = Properties::default();
    for (key, value) in object.entries() {
        properties.take(object.place(key), key, value, findings);
    }
    let topic = required(&map, "stream.kafka.topic.name", "the topic's name", findings);
    let brokers = required(&map, "stream.kafka.broker.list", "for example \"localhost:9092\"", findings);
    let mut addresses = brokers.iter().flat_map(|list| list.split(',')).map(str::trim);
    if let Some(bad) = addresses.find(|address| !is_address(address)) {
        let message = format!(
            "`{bad}` is no address: write HOST:PORT, with commas between several, such as \"localhost:9092\""
        );
        findings.problem(map.place("stream.kafka.broker.list"), message);
    }
    let decoder = decoder::read(&map, findings);
    let fetch_timeout = read_fetch_timeout(&map, findings);
    let kafka_properties = kafka_properties::read(properties.consumer, &properties.tls, findings);
    Some(StreamConfig {
        offset_criteria: offsets::read_criteria(&map, findings),
        isolation: offsets::read_isolation(&map, findings),
        decoder_properties: properties.decoder,
        kafka_properties,
        flush: flush::read(&map, findings),
        fetch_timeout_ms: fetch_timeout,
        topic_rate_limit: read_rate(&map, "topic.consumption.rate.limit", findings),
        partition_rate_limit: read_rate(&map, "partition.consumption.rate.limit", findings),
        populate_metadata: map.boolean("stream.kafka.metadata.populate", findings).unwrap_or(false),
        partition_ids: offsets::read_partition_ids(&map, findings),
        stop_on_decode_error: map.boolean("stopOnDecodeError", findings).unwrap_or(false),
        topic: topic?,
        brokers: brokers?,
        decoder: decoder?,
    })
}

/// The properties of the map by family.
#[derive(Default)]
struct Properties<'a> {
    consumer: Vec<Property<'a>>,
    tls: Vec<Property<'a>>,
    decoder: BTreeMap<String, String>,
}

impl<'a> Properties<'a> {
    fn take(&mut self, path: String, key: &'a str, value: &serde_json::Value, findings: &mut Findings) {
        let Some(value) = scalar_text(value) else {
            findings.problem(path, format!("expected a string, found {}", kind(value)));
            return;
        };
        match classify(key) {
            StreamKey::Pinot => {}
            StreamKey::Consumer(name) => self.consumer.push(Property { path, name, value }),
            StreamKey::Tls(name) => self.tls.push(Property { path, name, value }),
            StreamKey::Decoder(name) => {
                self.decoder.insert(name.to_string(), value);
            }
            StreamKey::Unknown => {
                let hint = did_you_mean(key, KEYS);
                findings.warning(path, format!("unknown key `{key}`, ignored{hint}"));
            }
        }
    }
}

fn is_kafka(map: &StreamMap<'_>, findings: &mut Findings) -> bool {
    let place = map.0.place("streamType");
    let Some(stream_type) = map.text("streamType", findings) else {
        if map.0.get("streamType").is_none_or(|value| scalar_text(value).is_some()) {
            findings.problem(place, "`streamType` is missing: write \"kafka\"");
        }
        return false;
    };
    let is_kafka = stream_type.eq_ignore_ascii_case("kafka");
    if !is_kafka {
        findings.problem(place, format!("streams of type `{stream_type}` cannot be read: only \"kafka\""));
    }
    is_kafka
}

fn required(map: &StreamMap<'_>, key: &str, example: &str, findings: &mut Findings) -> Option<String> {
    let written = map.written(key).unwrap_or_else(|| key.to_string());
    map.0.required_text(&written, example, findings)
}

/// Whether librdkafka can read it: `HOST`, `HOST:PORT`, with `PROTOCOL://` before it or not. An empty one is skipped.
fn is_address(text: &str) -> bool {
    let address = text.rsplit_once("://").map_or(text, |(_, address)| address);
    match address.rsplit_once(':') {
        Some((host, port)) => !host.is_empty() && (port.parse::<u16>().is_ok() || port.ends_with(']')),
        None => !address.contains(char::is_whitespace),
    }
}

fn check_consumer(map: &StreamMap<'_>, findings: &mut Findings) {
    const TYPE: &str = "stream.kafka.consumer.type";
    const FACTORY: &str = "stream.kafka.consumer.factory.class.name";
    if let Some(consumer_type) = map.text(TYPE, findings)
        && !["lowlevel", "simple"].contains(&consumer_type.to_ascii_lowercase().as_str())
    {
        findings.problem(
            map.place(TYPE),
            format!("`{consumer_type}` is gone: write \"lowlevel\", or remove the key"),
        );
    }
    if let Some(factory) = map.text(FACTORY, findings)
        && !factory.to_ascii_lowercase().contains("kafka")
    {
        findings.warning(
            map.place(FACTORY),
            format!("`{factory}` is ignored: this server's own Kafka client is used"),
        );
    }
}

fn read_fetch_timeout(map: &StreamMap<'_>, findings: &mut Findings) -> u32 {
    const KEY: &str = "stream.kafka.fetch.timeout.millis";
    let Some(text) = map.text(KEY, findings) else { return FETCH_TIMEOUT_MS };
    let millis = parse_period_or_millis(&text).and_then(|period| u32::try_from(period.as_millis()).ok());
    match millis {
        Some(millis) if millis > 0 => millis,
        Some(_) | None => {
            findings.problem(
                map.place(KEY),
                format!("`{text}` is no waiting time: write milliseconds, such as \"5000\""),
            );
            FETCH_TIMEOUT_MS
        }
    }
}

fn read_rate(map: &StreamMap<'_>, key: &str, findings: &mut Findings) -> Option<f64> {
    let text = map.text(key, findings)?;
    let rate = text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
    let off = text.parse::<f64>().is_ok_and(|rate| rate <= 0.0);
    if rate.is_none() && !off {
        findings.problem(map.place(key), format!("`{text}` is no rate: write a number of records a second"));
    }
    rate
}
