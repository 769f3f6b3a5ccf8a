//! What a config asks for and this version keeps, gives back, and does not act on.
//!
//! A key leaves this file when the code that acts on it comes. Keys that can have no meaning in one process without a JVM
//! (tenants, instance assignment, load mode, heap switches) are not told at all.

use meunier_segment::json_reader::{JsonObject, JsonProblem, pointer};
use meunier_segment::schema::Schema;
use serde_json::Value;

use super::indexing::{IndexKind, IndexingConfig};
use super::stream::{Decoder, StreamConfig};
use super::upsert::{wants_dedup, wants_upsert};
use super::{EnricherKind, TableConfig, TableType};

/// What is kept and not acted on.
#[derive(Default)]
pub(super) struct Kept {
    /// Rows and answers are the same without it.
    pub(super) not_supported: Vec<JsonProblem>,
    /// Rows or answers differ without it.
    pub(super) changes_answers: Vec<JsonProblem>,
}

impl Kept {
    fn same_answers(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.not_supported.push(JsonProblem { path: path.into(), message: message.into() });
    }

    fn other_answers(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.changes_answers.push(JsonProblem { path: path.into(), message: message.into() });
    }
}

/// Keys whose mere presence, with a value that says something, changes rows or answers.
const OTHER_ANSWERS: [(&str, &str); 1] = [(
    "/query/expressionOverrideMap",
    "kept; not applied: expressions are run AS THEY ARE WRITTEN in the query",
)];

/// Keys whose presence changes nothing in rows and answers.
const SAME_ANSWERS: [(&str, &str); 16] = [
    ("/task/taskTypeConfigsMap", "kept; this version runs no tasks"),
    ("/tierConfigs", "kept; all segments stay on one tier"),
    ("/tierOverwrites", "kept; all segments stay on one tier"),
    ("/tableSamplers", "kept; queries read all segments"),
    ("/tunerConfigs", "kept; nothing tunes the indexes"),
    ("/quota/storage", "kept; the table's size is not limited"),
    ("/quota/maxQueriesPerSecond", "kept; queries are not limited by rate"),
    ("/isMaterializedView", "kept; the table is filled by its stream only"),
    ("/segmentsConfig/crypterClassName", "kept; segments are not encrypted"),
    ("/query/useApproximateFunction", "kept; exact functions stay exact"),
    ("/query/maxQueryResponseSizeBytes", "kept; this limit is not enforced for one table"),
    ("/query/maxServerResponseSizeBytes", "kept; this limit is not enforced for one table"),
    ("/query/maxEntriesScannedInFilter", "kept; this limit is not enforced for one table"),
    ("/query/maxDocsScanned", "kept; this limit is not enforced for one table"),
    ("/query/maxEntriesScannedPostFilter", "kept; this limit is not enforced for one table"),
    ("/ingestionConfig/batchIngestionConfig", "kept; rows come from the stream only"),
];

pub(super) fn find(document: &JsonObject<'_>, config: &TableConfig, schema: Option<&Schema>) -> Kept {
    let mut kept = Kept::default();
    if config.table_type == TableType::Offline {
        let message =
            "kept; segments cannot be pushed: the table STAYS EMPTY; write \"REALTIME\" and a stream";
        kept.other_answers("/tableType", message);
    }
    find_keys(document, &mut kept);
    find_upsert(document, &mut kept);
    find_ingestion(config, schema, &mut kept);
    find_streams(document, config, &mut kept);
    find_indexes(&config.indexing, &mut kept);
    if config.replication > 1 {
        let message = format!("{} copies are asked for; one process keeps one", config.replication);
        kept.same_answers("/segmentsConfig/replication", message);
    }
    kept
}

fn find_keys(document: &JsonObject<'_>, kept: &mut Kept) {
    for (path, message) in OTHER_ANSWERS {
        if says_something(document, path) {
            kept.other_answers(path, message);
        }
    }
    for (path, message) in SAME_ANSWERS {
        if says_something(document, path) {
            kept.same_answers(path, message);
        }
    }
}

/// Whether there is a value that is not empty and not false.
fn says_something(document: &JsonObject<'_>, path: &str) -> bool {
    let mut steps = path.split('/').skip(1);
    let mut value = steps.next().and_then(|step| document.get(step));
    for step in steps {
        value = value.and_then(|value| value.get(step));
    }
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Bool(true) | Value::Number(_)) => true,
        Some(Value::String(text)) => !text.trim().is_empty() && !text.eq_ignore_ascii_case("false"),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
    }
}

fn find_upsert(document: &JsonObject<'_>, kept: &mut Kept) {
    if wants_upsert(document) {
        let message = "kept; not applied: EVERY VERSION of a key is stored and counted, not only the newest";
        kept.other_answers("/upsertConfig", message);
    }
    if wants_dedup(document) {
        kept.other_answers(
            "/dedupConfig",
            "kept; not applied: records of a key that was seen before ARE STORED AGAIN",
        );
    }
}

fn find_ingestion(config: &TableConfig, schema: Option<&Schema>, kept: &mut Kept) {
    for (i, enrichment) in config.ingestion.enrichments.iter().enumerate() {
        let EnricherKind::Unsupported(kind) = &enrichment.kind else { continue };
        let path = pointer("/ingestionConfig/enrichmentConfigs", i);
        kept.other_answers(
            path,
            format!("kept; `{kind}` is not applied: columns that it would fill HOLD THEIR DEFAULT"),
        );
    }
    let Some(Err(reason)) = schema.map(|schema| config.roll_up(schema)) else { return };
    let path = match config.ingestion.aggregations.is_empty() {
        true => "/tableIndexConfig/aggregateMetrics",
        false => "/ingestionConfig/aggregationConfigs",
    };
    let message =
        format!("kept; not applied, as {reason}: rows are NOT ROLLED UP, and counts are of single records");
    kept.other_answers(path, message);
}

const STREAMS: &str = "/ingestionConfig/streamIngestionConfig/streamConfigMaps";

fn find_streams(document: &JsonObject<'_>, config: &TableConfig, kept: &mut Kept) {
    let maps = document
        .get("ingestionConfig")
        .and_then(|value| value.pointer("/streamIngestionConfig/streamConfigMaps"));
    let count = maps.and_then(Value::as_array).map_or(0, Vec::len);
    for i in 1..count {
        kept.other_answers(
            pointer(STREAMS, i),
            "kept; not consumed: only THE FIRST topic of a table is read",
        );
    }
    let place = if count == 0 { "/tableIndexConfig/streamConfigs".to_string() } else { pointer(STREAMS, 0) };
    if let Some(stream) = &config.stream {
        find_stream(&place, stream, kept);
    }
}

fn find_stream(place: &str, stream: &StreamConfig, kept: &mut Kept) {
    if let Decoder::Unsupported(class) = &stream.decoder {
        let path = pointer(place, "stream.kafka.decoder.class.name");
        let message = format!(
            "kept; the decoder `{class}` is not built by this version: its records CANNOT BE DECODED and are rejected; for \
             plain JSON write org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder"
        );
        kept.other_answers(path, message);
    }
    if stream.partition_ids.is_some() {
        let path = pointer(place, "stream.kafka.partition.ids");
        kept.other_answers(path, "kept; not applied: ALL partitions of the topic are read");
    }
    if stream.stop_on_decode_error {
        let message = "kept; a record that cannot be decoded is rejected and kept with its reason, and consumption goes on";
        kept.same_answers(pointer(place, "stopOnDecodeError"), message);
    }
    let rates = [
        ("topic.consumption.rate.limit", stream.topic_rate_limit),
        ("partition.consumption.rate.limit", stream.partition_rate_limit),
    ];
    for (key, _) in rates.iter().filter(|(_, rate)| rate.is_some()) {
        kept.same_answers(pointer(place, key), "kept; consumption is as fast as the server can");
    }
}

fn find_indexes(indexing: &IndexingConfig, kept: &mut Kept) {
    for (kind, path) in &indexing.places {
        if let Some(message) = unbuilt_index(*kind) {
            kept.same_answers(path, format!("kept; {message}"));
        }
    }
    let mut one = |is_there: bool, key: &str, message: &str| {
        if is_there {
            kept.same_answers(pointer("/tableIndexConfig", key), message);
        }
    };
    let mut aggregations = indexing.star_trees.iter().flat_map(|tree| &tree.aggregations);
    let sketches = "kept; star-trees hold COUNT, SUM, MIN, MAX, AVG, MINMAXRANGE, and the distinct values of single-value columns with a \
         dictionary for DISTINCTCOUNTBITMAP and the HLL, ULL, theta and CPC sketches; other functions read the rows";
    one(
        aggregations.any(|aggregation| aggregation.pair_function.is_none()),
        "starTreeIndexConfigs",
        sketches,
    );
    let default_tree =
        "kept; only the star-trees of starTreeIndexConfigs are built, queries are answered without it";
    one(indexing.default_star_tree, "enableDefaultStarTree", default_tree);
    one(
        indexing.partitions.iter().any(|partition| partition.prunes.is_none()),
        "segmentPartitionConfig",
        "kept; segments are pruned by Murmur, Murmur3, FNV, Modulo, HashCode, ByteArray and BoundedColumnValue of whole numbers, \
         times, texts and bytes, one a row; not by what is written here besides",
    );
}

/// What it means that an index is not built; `None` for what is.
fn unbuilt_index(kind: IndexKind) -> Option<&'static str> {
    match kind {
        IndexKind::Sorted
        | IndexKind::NoDictionary
        | IndexKind::Inverted
        | IndexKind::Range
        | IndexKind::Bloom
        | IndexKind::Json
        | IndexKind::Text
        | IndexKind::MultiColumnText
        | IndexKind::Fst => None,
        IndexKind::Timestamp => {
            Some("no columns of coarser times are derived, dateTrunc is answered from the column itself")
        }
        IndexKind::Vector => {
            Some("the vector index is not built by this version: VECTOR_SIMILARITY is refused")
        }
        IndexKind::H3 | IndexKind::OpenStruct => {
            Some("the index is not built by this version, queries are answered without it")
        }
    }
}
