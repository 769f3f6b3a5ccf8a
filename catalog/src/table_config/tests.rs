use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use meunier_segment::text_search::{TextAnalyzer, TextOptions};
use serde_json::json;

use super::*;

const SCHEMA: &str = r#"{
    "schemaName": "orders",
    "dimensionFieldSpecs": [
        {"name": "id", "dataType": "STRING"},
        {"name": "country", "dataType": "STRING"},
        {"name": "tags", "dataType": "STRING", "singleValueField": false},
        {"name": "detail", "dataType": "JSON"}
    ],
    "metricFieldSpecs": [{"name": "amount", "dataType": "DOUBLE"}],
    "dateTimeFieldSpecs": [
        {"name": "ts", "dataType": "TIMESTAMP", "format": "TIMESTAMP", "granularity": "1:MILLISECONDS"},
        {"name": "day", "dataType": "STRING", "format": "SIMPLE_DATE_FORMAT|ddMMyyyy", "granularity": "1:DAYS"}
    ],
    "primaryKeyColumns": ["id"]
}"#;

fn schema() -> Schema {
    Schema::parse(SCHEMA).expect("schema is right").schema
}

/// A right config, as JSON to change.
fn base() -> Value {
    json!({
        "tableName": "orders",
        "tableType": "REALTIME",
        "segmentsConfig": {"timeColumnName": "ts", "replication": "1"},
        "tenants": {},
        "tableIndexConfig": {},
        "ingestionConfig": {"streamIngestionConfig": {"streamConfigMaps": [{
            "streamType": "kafka",
            "stream.kafka.topic.name": "orders",
            "stream.kafka.broker.list": "localhost:9092",
            "stream.kafka.decoder.class.name": "org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder",
        }]}},
        "metadata": {}
    })
}

/// The base config with the values at some pointers replaced or added.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut config = base();
    for (place, value) in changes {
        let (parent, key) = place.rsplit_once('/').expect("a pointer has a slash");
        let parent = config.pointer_mut(parent).expect("parent is there");
        let parent = parent.as_object_mut().expect("parent is an object");
        parent.insert(key.replace("~1", "/"), value.clone());
    }
    config
}

const STREAM: &str = "/ingestionConfig/streamIngestionConfig/streamConfigMaps/0";

/// The base config with keys added to its stream map.
fn with_stream(keys: &[(&str, &str)]) -> Value {
    let changes: Vec<(String, Value)> =
        keys.iter().map(|(key, value)| (format!("{STREAM}/{key}"), Value::from(*value))).collect();
    with(&changes.iter().map(|(place, value)| (place.as_str(), value.clone())).collect::<Vec<_>>())
}

fn parse(config: &Value) -> Result<ParsedTableConfig, Vec<ConfigProblem>> {
    TableConfig::parse(&config.to_string(), Some(&schema()))
}

fn right(config: &Value) -> TableConfig {
    parse(config).expect("config is right").config
}

/// Writes everything that was said about a config.
fn report(config: &Value) -> String {
    let lines = |kind: &str, found: &[ConfigProblem]| -> String {
        found.iter().map(|problem| format!("{kind} {problem}\n")).collect()
    };
    match parse(config) {
        Err(problems) => lines("problem", &problems),
        Ok(parsed) => {
            lines("warning", &parsed.warnings)
                + &lines("kept", &parsed.not_supported)
                + &lines("CHANGES ANSWERS", &parsed.changes_answers)
        }
    }
}

fn check(config: &Value, expected: Expect) {
    expected.assert_eq(&report(config));
}

#[test]
fn a_plain_config_gets_pinots_defaults() {
    let config = right(&base());
    assert_eq!(report(&base()), "");
    assert_eq!(config.name_with_type(), "orders_REALTIME");
    assert_eq!(config.time_column.as_deref(), Some("ts"));
    assert_eq!((config.retention, config.replication, config.null_handling_enabled), (None, 1, false));
    let stream = config.stream.expect("has a stream");
    assert_eq!(stream.flush, FlushThresholds::default());
    assert_eq!(
        (stream.offset_criteria, stream.isolation),
        (OffsetCriteria::Largest, Isolation::ReadCommitted)
    );
    assert_eq!((stream.decoder, stream.fetch_timeout_ms), (Decoder::Json, 5_000));
    assert!(stream.kafka_properties.is_empty());
}

#[test]
fn a_json_index_is_built_by_its_options_and_changing_them_changes_the_fingerprint() {
    let with_index = |settings: Value| {
        let config = with(&[
            ("/tableIndexConfig", json!({"jsonIndexColumns": ["detail"]})),
            (
                "/fieldConfigList",
                json!([{"name": "detail", "encodingType": "RAW", "indexes": {"json": settings}}]),
            ),
        ]);
        (report(&config), config)
    };
    let (said, config) = with_index(json!({"maxLevels": 2, "excludeArray": "true", "excludeFields": ["x"]}));
    assert_eq!(said, "");
    let options = right(&config).segment_options();
    let detail = &options.json_columns["detail"];
    assert_eq!((detail.levels_max, detail.exclude_array, detail.exclude_fields.len()), (2, true, 1));
    let (_, plain) = with_index(json!({"maxLevels": -1}));
    assert_ne!(options.fingerprint(), right(&plain).segment_options().fingerprint());
    let (said, _) = with_index(json!({"includePaths": ["$.a"], "excludePaths": ["$.b"]}));
    assert!(said.contains("paths are either included or excluded"), "{said}");
}

#[test]
fn a_text_index_is_built_by_its_options_from_every_place() {
    let with_index = |field: Value| {
        let mut entry = json!({"name": "country"});
        entry.as_object_mut().unwrap().extend(field.as_object().unwrap().clone());
        with(&[("/fieldConfigList", json!([entry]))])
    };
    let options = |config: &Value| right(config).indexing.text_columns()["country"].clone();
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<BTreeSet<String>>();
    let config = with_index(json!({"indexes": {"text": {"stopWordsInclude": ["java", "c"],
        "stopWordsExclude": "is, the", "caseSensitive": true, "useANDForMultiTermQueries": true}}}));
    assert_eq!(report(&config), "");
    let found = options(&config);
    assert_eq!(found.words.stop_words_include, words(&["java", "c"]));
    assert_eq!(found.words.stop_words_exclude, words(&["is", "the"]));
    assert!(found.words.case_sensitive && found.all_words && !found.wild_phrases);
    let plain = with_index(json!({"indexTypes": ["TEXT"]}));
    assert_eq!(options(&plain), TextOptions::default());
    let fingerprint = |config: &Value| right(config).segment_options().fingerprint();
    assert_ne!(fingerprint(&config), fingerprint(&plain));
    // What only queries heed needs no other file.
    let properties = with_index(json!({"indexType": "TEXT", "properties":
        {"useANDForMultiTermTextIndexQueries": "true", "enablePrefixSuffixMatchingInPhraseQueries": "true"}}));
    assert!(options(&properties).all_words && options(&properties).wild_phrases);
    assert_eq!(fingerprint(&properties), fingerprint(&plain));
    let analyzer = |class: &str| {
        with_index(
            json!({"indexTypes": ["TEXT"], "properties": {"stopWordInclude": "x", "luceneAnalyzerClass": class}}),
        )
    };
    let whitespace = options(&analyzer("org.apache.lucene.analysis.core.WhitespaceAnalyzer"));
    assert_eq!(whitespace.words.analyzer, TextAnalyzer::Whitespace);
    assert!(whitespace.words.stop_words_include.is_empty());
    let french = analyzer("org.apache.lucene.analysis.fr.FrenchAnalyzer");
    assert_eq!(options(&french).words.stop_words_include, words(&["x"]));
    assert!(report(&french).contains("cut by Lucene's standard analyzer"), "{}", report(&french));
    let several = with(&[(
        "/tableIndexConfig/multiColumnTextIndexConfig",
        json!({"columns": ["country"],
        "properties": {"caseSensitive": "false"}, "perColumnProperties": {"country": {"caseSensitive": "true"}}}),
    )]);
    assert!(options(&several).words.case_sensitive);
}

#[test]
fn an_fst_index_sees_to_it_that_there_is_a_dictionary() {
    for index in [json!({"indexTypes": ["FST"]}), json!({"indexes": {"ifst": {}}})] {
        let mut entry = json!({"name": "country"});
        entry.as_object_mut().unwrap().extend(index.as_object().unwrap().clone());
        let config = with(&[("/fieldConfigList", json!([entry]))]);
        assert_eq!(report(&config), "");
        assert!(right(&config).segment_options().prefix_columns.contains("country"));
        entry["encodingType"] = json!("RAW");
        let config = with(&[("/fieldConfigList", json!([entry]))]);
        assert!(report(&config).contains("an FST index needs a dictionary"), "{}", report(&config));
    }
}

#[test]
fn a_config_is_given_back_as_written_and_read_again_the_same() {
    let config = with(&[("/unknownKey", json!({"a": [1, null]})), ("/isDimTable", json!("false"))]);
    let parsed = parse(&config).expect("config is right");
    assert_eq!(parsed.config.to_json(), &config);
    assert_eq!(parsed.unrecognized.get("/unknownKey"), config.get("unknownKey"));
    assert_eq!(right(parsed.config.to_json()), parsed.config);
}

#[test]
fn legacy_places_and_spellings_are_read() {
    let mut config = with(&[
        ("/tableName", json!("orders_REALTIME")),
        ("/tableType", json!("realtime")),
        (
            "/segmentsConfig",
            json!({"timeColumnName": "ts", "timeType": "MILLISECONDS", "schemaName": "orders", "replicasPerPartition": 2,
                   "retentionTimeUnit": "days", "retentionTimeValue": "5", "segmentPushType": "APPEND"}),
        ),
        (
            "/tableIndexConfig",
            json!({"nullHandlingEnabled": "true", "sortedColumn": ["country"], "noDictionaryColumns": ["amount"],
                   "streamConfigs": {
                "streamType": "kafka",
                "stream.kafka.consumer.type": "LowLevel",
                "stream.kafka.topic.name": "t",
                "stream.kafka.broker.list": "b:9092",
                "stream.kafka.zk.broker.url": "z:2181",
                "stream.kafka.decoder.class.name": "org.apache.pinot.plugin.stream.kafka.KafkaJSONMessageDecoder",
                "stream.kafka.consumer.prop.auto.offset.reset": "smallest",
                "realtime.segment.flush.threshold.size.llc": 50000,
                "realtime.segment.flush.threshold.time": "3600000",
                "security.protocol": "PLAINTEXT",
            }}),
        ),
    ]);
    config.as_object_mut().expect("is an object").remove("ingestionConfig");
    let config = right(&config);
    assert_eq!((config.table_name.as_str(), config.replication), ("orders", 2));
    assert_eq!(config.retention, Some(Duration::from_secs(5 * 86_400)));
    assert_eq!(config.segment_options().sorted_column.as_deref(), Some("country"));
    assert!(
        config.null_handling_enabled && config.segment_options().no_dictionary_columns.contains("amount")
    );
    let stream = config.stream.expect("has a stream");
    assert_eq!(stream.offset_criteria, OffsetCriteria::Smallest);
    assert_eq!((stream.flush.rows, stream.flush.time), (Some(50_000), Duration::from_secs(3_600)));
    assert_eq!(stream.kafka_properties.get("security.protocol").map(String::as_str), Some("plaintext"));
}

#[test]
fn flush_thresholds_are_read_by_rows_segment_rows_or_bytes() {
    let flush = |keys: &[(&str, &str)]| right(&with_stream(keys)).stream.expect("has a stream").flush;
    let rows = "realtime.segment.flush.threshold.rows";
    let segment_rows = "realtime.segment.flush.threshold.segment.rows";
    let bytes = "realtime.segment.flush.threshold.segment.size";
    let sizes = |flush: FlushThresholds| (flush.rows, flush.segment_rows, flush.segment_bytes);
    assert_eq!(sizes(flush(&[(rows, "7")])), (Some(7), None, None));
    assert_eq!(sizes(flush(&[(segment_rows, "7")])), (None, Some(7), None));
    assert_eq!(sizes(flush(&[(rows, "0"), (bytes, "1K")])), (None, None, Some(1024)));
    assert_eq!(sizes(flush(&[(rows, "0")])), (None, None, Some(200 << 20)));
    check(
        &with_stream(&[(rows, "5"), (bytes, "1G"), ("realtime.segment.flush.threshold.time", "soon")]),
        expect![[r#"
            problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/realtime.segment.flush.threshold.time: `soon` is no period: write for example 6h, 1h30m or 3600000
            problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/realtime.segment.flush.threshold.segment.size: a segment's size is already told by `realtime.segment.flush.threshold.rows`: keep one of the two, or write 0 there
        "#]],
    );
    check(
        &with_stream(&[("realtime.segment.flush.threshold.size", "200M")]),
        expect![[r#"
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/realtime.segment.flush.threshold.size: `200M` is no number of rows: write a whole number; a size in bytes is `realtime.segment.flush.threshold.segment.size`
    "#]],
    );
}

#[test]
fn the_place_to_begin_is_read_in_all_spellings() {
    let criteria = |text| {
        let config = with_stream(&[("stream.kafka.consumer.prop.auto.offset.reset", text)]);
        right(&config).stream.expect("has a stream").offset_criteria
    };
    assert_eq!(criteria("smallest"), OffsetCriteria::Smallest);
    assert_eq!(criteria("latest"), OffsetCriteria::Largest);
    assert_eq!(criteria("1h30m"), OffsetCriteria::Period(Duration::from_secs(5_400)));
    assert_eq!(criteria("1970-01-01T00:00:01.500Z"), OffsetCriteria::Timestamp(1_500));
    assert_eq!(criteria("1970-01-01T00:00:01.500+0000"), OffsetCriteria::Timestamp(1_500));
    check(
        &with_stream(&[("stream.kafka.consumer.prop.auto.offset.reset", "begin")]),
        expect![[r#"
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.consumer.prop.auto.offset.reset: `begin` says no place to begin: write smallest, largest, a period such as 2d, or a time such as 2026-01-31T00:00:00.000Z
    "#]],
    );
}

#[test]
fn every_stream_problem_is_told_at_once() {
    let mut config = base();
    *config.pointer_mut(STREAM).expect("stream is there") = json!({
        "streamType": "kafka",
        "stream.kafka.consumer.type": "highlevel",
        "stream.kafka.isolation.level": "read_all",
        "stream.kafka.partition.ids": "3-1",
        "stream.kafka.fetch.timeout.millis": "0",
        "stream.kafka.consumer.prop.plugin.library.paths": "/tmp/x.so",
        "stream.kafka.metadata.populate": "maybe",
        "topic.consumption.rate.limit": "fast",
        "stream.kafka.topic.nam": "t",
        "stream.kafka.consumer.prop.fetch.min.bytes": {"a": 1},
    });
    check(
        &config,
        expect![[r#"
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.consumer.type: `highlevel` is gone: write "lowlevel", or remove the key
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.consumer.prop.fetch.min.bytes: expected a string, found an object
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.topic.name: `stream.kafka.topic.name` is missing: write the topic's name
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.broker.list: `stream.kafka.broker.list` is missing: write for example "localhost:9092"
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.decoder.class.name: `stream.kafka.decoder.class.name` is missing: write "org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder"
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.fetch.timeout.millis: `0` is no waiting time: write milliseconds, such as "5000"
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.consumer.prop.plugin.library.paths: `plugin.library.paths` is not allowed, as it loads code into the server: remove it
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.isolation.level: `read_all` is unknown: write read_committed or read_uncommitted
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/topic.consumption.rate.limit: `fast` is no rate: write a number of records a second
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.metadata.populate: expected true or false, found `"maybe"`: write `"stream.kafka.metadata.populate": true` or `false`
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.partition.ids: `3-1` is no list of partitions up to 99999: write for example 0,2,5-7
    "#]],
    );
    check(
        &with(&[(&format!("{STREAM}/streamType"), json!("kinesis"))]),
        expect![[r#"
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/streamType: streams of type `kinesis` cannot be read: only "kafka"
    "#]],
    );
    check(
        &with(&[("/ingestionConfig", json!({}))]),
        expect![[r#"
        problem /ingestionConfig/streamIngestionConfig/streamConfigMaps: a REALTIME table needs a stream: write one map with `streamType`, topic and brokers
    "#]],
    );
}

#[test]
fn every_problem_of_the_table_is_told_at_once() {
    check(
        &with(&[
            ("/tableName", json!("orders_OFFLINE")),
            (
                "/segmentsConfig",
                json!({"timeColumnName": "tss", "replication": "0", "retentionTimeUnit": "DAY",
                       "retentionTimeValue": "x", "peerSegmentDownloadScheme": "ftp",
                       "deletedSegmentsRetentionPeriod": "7 days"}),
            ),
            (
                "/tableIndexConfig",
                json!({
                    "sortedColumn": ["tags", "country"],
                    "invertedIndexColumns": ["contry", "amount"],
                    "noDictionaryColumns": ["amount"],
                    "bloomFilterConfigs": {"id": {"fpp": 2}},
                    "jsonIndexColumns": ["amount", "detail"],
                    "rangeIndexColumns": "amount",
                    "nullHandlingEnabled": "yes",
                    "starTreeIndexConfigs": [
                        {"dimensionsSplitOrder": ["tags", "country", "country"], "functionColumnPairs": ["SUM", "SUM__*"],
                         "skipStarNodeCreationForDimensions": ["id"], "maxLeafRecords": "many"},
                        {}
                    ],
                    "segmentPartitionConfig": {"columnPartitionMap": {"ident": {"functionName": "Murmur"}}},
                }),
            ),
            (
                "/fieldConfigList",
                json!([
                    {"name": "country", "encodingType": "PLAIN", "indexTypes": ["TIMESTAMP", "TXT"],
                     "timestampConfig": {"granularities": ["DAYS"]}, "compressionCodec": "LZ5"},
                    {"name": "amount", "indexes": {"h3": {}, "text": {"disabled": "true"}, "vector": {"enabled": true}}},
                    {"encodingType": "RAW"}
                ]),
            ),
            ("/quota", json!({"storage": "lots", "maxQueriesPerSecond": "-1"})),
            ("/query", json!({"timeoutMs": 0})),
            ("/tenants", json!("DefaultTenant")),
            (
                "/upsertConfig",
                json!({"mode": "PARTIAL", "partialUpsertStrategies": {"amount": "ADD", "x": "MAX"}}),
            ),
            ("/dedupConfig", json!({})),
            ("/tierConfigs", json!([{"name": "a", "segmentAge": "old"}, {"name": "a"}])),
            (
                "/ingestionConfig/transformConfigs",
                json!([
                    {"columnName": "total", "transformFunction": "x"}, {"columnName": "amount"},
                ]),
            ),
            (
                "/ingestionConfig/aggregationConfigs",
                json!([
                    {"columnName": "country", "aggregationFunction": "SUM(x)"},
                ]),
            ),
        ]),
        expect![[r#"
            problem /tableName: `orders_OFFLINE` ends with another type than `tableType` says: write `orders`
            problem /tenants: expected an object {…}, found `"DefaultTenant"`
            problem /segmentsConfig/peerSegmentDownloadScheme: `ftp` is no download scheme: write http or https
            problem /segmentsConfig/deletedSegmentsRetentionPeriod: `7 days` is no period: write for example 7d or 1h30m
            problem /segmentsConfig/timeColumnName: the schema has no column `tss`; did you mean `ts`?
            problem /segmentsConfig/retentionTimeUnit: `DAY` is no unit of time: write DAYS or HOURS; did you mean `DAYS`?
            problem /segmentsConfig/replication: 0 is out of range: write a number from 1 to 1000
            problem /tableIndexConfig/rangeIndexColumns: expected a list […], found `"amount"`
            problem /fieldConfigList/0/encodingType: `PLAIN` is no encoding: write RAW or DICTIONARY
            problem /fieldConfigList/0/indexTypes/1: `TXT` is no index: write one of INVERTED, SORTED, TEXT, FST, IFST, JSON, TIMESTAMP, VECTOR, RANGE, H3, BLOOM, BLOOM_FILTER, OPEN_STRUCT; did you mean `TEXT`?
            problem /fieldConfigList/0/compressionCodec: `LZ5` is no codec: write one of PASS_THROUGH, SNAPPY, ZSTANDARD, LZ4, GZIP, MV_ENTRY_DICT, CLP, CLPV2, CLPV2_ZSTD, CLPV2_LZ4, DELTA, DELTADELTA; did you mean `LZ4`?
            problem /fieldConfigList/2/name: `name` is missing: write the column's name
            problem /tableIndexConfig/invertedIndexColumns/0: the schema has no column `contry`; did you mean `country`?
            problem /tableIndexConfig/jsonIndexColumns/0: a JSON index needs a single-value STRING or JSON column: `amount` is DOUBLE; remove the index
            problem /fieldConfigList/0/indexTypes/0: a timestamp index needs a TIMESTAMP column: `country` is STRING; remove the index
            problem /fieldConfigList/1/indexes/h3: an H3 index needs a BYTES column: `amount` is DOUBLE; remove the index
            problem /fieldConfigList/1/indexes/vector: a vector index needs a multi-value FLOAT column: `amount` is DOUBLE; remove the index
            problem /tableIndexConfig/invertedIndexColumns/1: an inverted index needs a dictionary, which /tableIndexConfig/noDictionaryColumns/0 takes from `amount`: remove one of the two
            problem /tableIndexConfig/sortedColumn/1: rows are sorted by one column, `tags`: remove `country`
            problem /tableIndexConfig/sortedColumn/0: rows cannot be sorted by the multi-value column `tags`: name another
            problem /tableIndexConfig/starTreeIndexConfigs/0/dimensionsSplitOrder/0: `tags` is a multi-value column, which cannot be a star-tree's dimension
            problem /tableIndexConfig/starTreeIndexConfigs/0/dimensionsSplitOrder/2: `country` is listed twice: remove one
            problem /tableIndexConfig/starTreeIndexConfigs/0/skipStarNodeCreationForDimensions/0: `id` is not in `dimensionsSplitOrder`: add or remove it
            problem /tableIndexConfig/starTreeIndexConfigs/0/functionColumnPairs/0: `SUM` is not of the form FUNCTION__column: write for example SUM__amount
            problem /tableIndexConfig/starTreeIndexConfigs/0/functionColumnPairs/1: `*` can only be counted: write `SUM__` and a column
            problem /tableIndexConfig/starTreeIndexConfigs/0/maxLeafRecords: expected a whole number, found `"many"`
            problem /tableIndexConfig/starTreeIndexConfigs/1/dimensionsSplitOrder: is missing: write the dimensions that are grouped by
            problem /tableIndexConfig/starTreeIndexConfigs/1/functionColumnPairs: is missing: write for example ["COUNT__*"]
            problem /tableIndexConfig/segmentPartitionConfig/columnPartitionMap/ident: the schema has no column `ident`
            problem /tableIndexConfig/segmentPartitionConfig/columnPartitionMap/ident/numPartitions: is missing: write how many partitions the topic has
            problem /tableIndexConfig/bloomFilterConfigs/id/fpp: 2 is no share of false positives: write for example 0.05
            problem /fieldConfigList/0/timestampConfig/granularities/0: `DAYS` is no granularity: write one of MILLISECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR; did you mean `DAY`?
            problem /tableIndexConfig/nullHandlingEnabled: expected true or false, found `"yes"`: write `"nullHandlingEnabled": true` or `false`
            problem /quota/storage: `lots` is no size: write for example 100G or 512M
            problem /quota/maxQueriesPerSecond: `-1` is no rate: write a number of queries a second, such as "100"
            problem /upsertConfig/mode: PARTIAL needs `"nullHandlingEnabled": true` in `tableIndexConfig`
            problem /upsertConfig/partialUpsertStrategies/amount: `ADD` is no strategy: write one of APPEND, IGNORE, INCREMENT, MAX, MIN, OVERWRITE, FORCE_OVERWRITE, UNION
            problem /upsertConfig/partialUpsertStrategies/x: the schema has no column `x`
            problem /dedupConfig: a table cannot have both upsert and dedup: remove one
            problem /tierConfigs/0/segmentAge: `old` is no period: write for example 7d
            problem /tierConfigs/1/name: the tier `a` is there twice: rename or remove one
            problem /ingestionConfig/transformConfigs/0/columnName: the schema has no column `total`
            problem /ingestionConfig/transformConfigs/1/transformFunction: `transformFunction` is missing: write an expression
            problem /ingestionConfig/aggregationConfigs/0/columnName: `country` is no metric: declare it in the schema's `metricFieldSpecs`
            problem /query/timeoutMs: 0 is too small: write at least 1
        "#]],
    );
    check(
        &with(&[("/segmentsConfig/timeColumnName", json!("country"))]),
        expect![[r#"
        problem /segmentsConfig/timeColumnName: `country` is no date-time column: declare it in the schema's `dateTimeFieldSpecs`
    "#]],
    );
    check(
        &with(&[("/segmentsConfig/timeColumnName", json!("day"))]),
        expect![[r#"
        problem /segmentsConfig/timeColumnName: values of the format `1:DAYS:SIMPLE_DATE_FORMAT:ddMMyyyy` do not sort in the order of time: write for example yyyyMMdd
    "#]],
    );
    check(
        &with(&[("/tableName", json!("sales"))]),
        expect![[r#"
        problem /tableName: the schema is `orders`: table and schema must have one name
    "#]],
    );
}

#[test]
fn indexes_reach_the_segments_from_every_place() {
    let config = with(&[
        (
            "/tableIndexConfig",
            json!({
                "sortedColumn": ["country"],
                "invertedIndexColumns": ["id", "tags"],
                "rangeIndexColumns": ["ts"],
                "rangeIndexVersion": 2,
                "bloomFilterColumns": ["id", "day"],
                "bloomFilterConfigs": {"id": {"fpp": 0.01, "maxSizeInBytes": 1000, "loadOnHeap": true}, "country": {}},
                "noDictionaryConfig": {"amount": "LZ4"},
                "onHeapDictionaryColumns": ["id"],
                "optimizeDictionary": true,
                "noDictionarySizeRatioThreshold": 0.85,
                "enableDynamicStarTreeCreation": "true",
                "starTreeIndexConfigs": [{
                    "dimensionsSplitOrder": ["country", "day"],
                    "skipStarNodeCreationForDimensions": ["day"],
                    "functionColumnPairs": ["COUNT__*", "sum__amount", "DISTINCT_COUNT_HLL__id", "PERCENTILETDIGEST__amount"],
                    "aggregationConfigs": [{"columnName": "amount", "aggregationFunction": "AVG"}],
                }],
            }),
        ),
        (
            "/fieldConfigList",
            json!([
                {"name": "day", "encodingType": "DICTIONARY", "indexTypes": ["INVERTED", "BLOOM"]},
                {"name": "detail", "indexes": {"forward": {"encodingType": "RAW"}, "range": {}, "bloom": {"fpp": 0.2}}},
                {"name": "amount", "indexes": {"inverted": {"enabled": false}, "dictionary": {"disabled": true}}},
                {"name": "ts", "timestampConfig": {"granularities": ["DAY", "WEEK"]}},
            ]),
        ),
    ]);
    check(
        &config,
        expect![[r#"
            kept /fieldConfigList/3/timestampConfig: kept; no columns of coarser times are derived, dateTrunc is answered from the column itself
            kept /tableIndexConfig/starTreeIndexConfigs: kept; star-trees hold COUNT, SUM, MIN, MAX, AVG, MINMAXRANGE, and the distinct values of single-value columns with a dictionary for DISTINCTCOUNTBITMAP and the HLL, ULL, theta and CPC sketches; other functions read the rows
        "#]],
    );
    let indexing = right(&config).indexing;
    expect![[r#"
        [
            BloomFilter {
                column: "id",
                false_positive_rate: 0.01,
                bytes_max: Some(
                    1000,
                ),
            },
            BloomFilter {
                column: "day",
                false_positive_rate: 0.05,
                bytes_max: None,
            },
            BloomFilter {
                column: "country",
                false_positive_rate: 0.05,
                bytes_max: None,
            },
            BloomFilter {
                column: "detail",
                false_positive_rate: 0.2,
                bytes_max: None,
            },
        ]
        SegmentOptions {
            sorted_column: Some(
                "country",
            ),
            no_dictionary_columns: {
                "amount",
                "detail",
            },
            inverted_columns: {
                "day",
                "id",
                "tags",
            },
            prefix_columns: {},
            range_columns: {
                "detail",
                "ts",
            },
            bloom_columns: {
                "country": BloomFilterSize {
                    false_positives_per_million: 50000,
                    bytes_max: None,
                },
                "day": BloomFilterSize {
                    false_positives_per_million: 50000,
                    bytes_max: None,
                },
                "detail": BloomFilterSize {
                    false_positives_per_million: 200000,
                    bytes_max: None,
                },
                "id": BloomFilterSize {
                    false_positives_per_million: 10000,
                    bytes_max: Some(
                        1000,
                    ),
                },
            },
            partitioned_columns: {},
            json_columns: {},
            text_columns: {},
            star_trees: [
                StarTreeOptions {
                    dimensions: [
                        "country",
                        "day",
                    ],
                    skip_star_dimensions: [
                        "day",
                    ],
                    function_pairs: [
                        FunctionPair {
                            function: Count,
                            column: None,
                        },
                        FunctionPair {
                            function: Sum,
                            column: Some(
                                "amount",
                            ),
                        },
                        FunctionPair {
                            function: DistinctCount,
                            column: Some(
                                "id",
                            ),
                        },
                        FunctionPair {
                            function: Avg,
                            column: Some(
                                "amount",
                            ),
                        },
                    ],
                    leaf_records_max: 10000,
                },
            ],
        }"#]]
    .assert_eq(&format!("{:#?}\n{:#?}", indexing.bloom, indexing.segment_options()));
}

#[test]
fn contradictions_between_places_are_told() {
    check(
        &with(&[
            (
                "/tableIndexConfig",
                json!({
                    "noDictionaryColumns": ["id", "country"],
                    "invertedIndexColumns": ["tags", "day"],
                    "bloomFilterColumns": ["day"],
                    "onHeapDictionaryColumns": ["nobody"],
                    "optimizeDictionary": "perhaps",
                    "starTreeIndexConfigs": [{
                        "dimensionsSplitOrder": ["country", "day"],
                        "functionColumnPairs": ["SUM__country", "COUNT__tags", "SUMM__amount", "MAX__nothing", "MAX__amount"],
                    }],
                }),
            ),
            (
                "/fieldConfigList",
                json!([
                    {"name": "id", "encodingType": "DICTIONARY", "indexes": {"fst": {"disabled": true}, "ifst": {}}},
                    {"name": "day", "indexTypes": ["INVERTED"], "indexes": {
                        "inverted": {"disabled": true}, "bloom": {"enabled": false}, "dictionary": {"disabled": true}}},
                    {"name": "who", "encodingType": "DICTIONARY"},
                ]),
            ),
        ]),
        expect![[r#"
            problem /fieldConfigList/2/encodingType: the schema has no column `who`
            problem /fieldConfigList/0/encodingType: says the opposite of /tableIndexConfig/noDictionaryColumns/0 about `id`: remove one of the two
            problem /fieldConfigList/1/indexes/inverted: says the opposite of /tableIndexConfig/invertedIndexColumns/1 about `day`: remove one of the two
            problem /fieldConfigList/1/indexes/bloom: says the opposite of /tableIndexConfig/bloomFilterColumns/0 about `day`: remove one of the two
            problem /tableIndexConfig/invertedIndexColumns/1: an inverted index needs a dictionary, which /fieldConfigList/1/indexes/dictionary takes from `day`: remove one of the two
            problem /fieldConfigList/0/indexes/ifst: an FST index needs a dictionary, which /tableIndexConfig/noDictionaryColumns/0 takes from `id`: remove one of the two
            problem /fieldConfigList/1/indexTypes/0: an inverted index needs a dictionary, which /fieldConfigList/1/indexes/dictionary takes from `day`: remove one of the two
            problem /tableIndexConfig/onHeapDictionaryColumns/0: the schema has no column `nobody`
            problem /tableIndexConfig/optimizeDictionary: expected true or false, found `"perhaps"`: write `"optimizeDictionary": true` or `false`
            problem /tableIndexConfig/starTreeIndexConfigs/0/dimensionsSplitOrder/0: a star-tree's dimension needs a dictionary: take `country` off the raw columns
            problem /tableIndexConfig/starTreeIndexConfigs/0/dimensionsSplitOrder/1: a star-tree's dimension needs a dictionary: take `day` off the raw columns
            problem /tableIndexConfig/starTreeIndexConfigs/0/functionColumnPairs/0: SUM takes numbers, and `country` is STRING: name another column
            problem /tableIndexConfig/starTreeIndexConfigs/0/functionColumnPairs/1: a star-tree cannot aggregate the multi-value column `tags`: remove the pair
            problem /tableIndexConfig/starTreeIndexConfigs/0/functionColumnPairs/2: `SUMM` is no function of a star-tree: write one of COUNT, SUM, MIN, MAX, AVG, MINMAXRANGE, DISTINCTCOUNT; did you mean `SUM`?
            problem /tableIndexConfig/starTreeIndexConfigs/0/functionColumnPairs/3: the schema has no column `nothing`
        "#]],
    );
}

#[test]
fn what_is_not_acted_on_is_told_and_what_changes_answers_apart() {
    check(
        &with(&[
            ("/segmentsConfig/replication", json!(3)),
            (
                "/tableIndexConfig",
                json!({"invertedIndexColumns": ["country"], "aggregateMetrics": true, "loadMode": "MMAP",
                       "starTreeIndexConfigs": [
                           {"dimensionsSplitOrder": ["country"], "functionColumnPairs": ["COUNT__*"]}]}),
            ),
            ("/fieldConfigList", json!([{"name": "id", "encodingType": "RAW", "indexTypes": ["TEXT"]}])),
            ("/upsertConfig", json!({"mode": "FULL"})),
            ("/task", json!({"taskTypeConfigsMap": {"PurgeTask": {}}})),
            ("/quota", json!({"storage": "100G", "maxQueriesPerSecond": 5})),
            (&format!("{STREAM}/stream.kafka.decoder.class.name"), json!("a.SimpleAvroMessageDecoder")),
            ("/ingestionConfig/filterConfig", json!({"filterFunction": "amount < 0"})),
            ("/ingestionConfig/complexTypeConfig", json!({"fieldsToUnnest": ["items"]})),
            (
                "/ingestionConfig/transformConfigs",
                json!([{"columnName": "ts", "transformFunction": "now()"}]),
            ),
        ]),
        expect![[r#"
            kept /task/taskTypeConfigsMap: kept; this version runs no tasks
            kept /quota/storage: kept; the table's size is not limited
            kept /quota/maxQueriesPerSecond: kept; queries are not limited by rate
            kept /segmentsConfig/replication: 3 copies are asked for; one process keeps one
            CHANGES ANSWERS /upsertConfig: kept; not applied: EVERY VERSION of a key is stored and counted, not only the newest
            CHANGES ANSWERS /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.decoder.class.name: kept; the decoder `a.SimpleAvroMessageDecoder` is not built by this version: its records CANNOT BE DECODED and are rejected; for plain JSON write org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder
        "#]],
    );
    let silent = with(&[
        ("/upsertConfig", json!({"mode": "NONE"})),
        ("/dedupConfig", json!({"dedupEnabled": "false"})),
        ("/ingestionConfig/filterConfig", json!({"filterFunction": null})),
        ("/ingestionConfig/transformConfigs", json!([])),
        ("/task", json!({"taskTypeConfigsMap": {}})),
    ]);
    assert_eq!(report(&silent), "");
}

#[test]
fn several_topics_and_offline_tables_are_called_out() {
    let mut config = base();
    let stream = config.pointer(STREAM).cloned().expect("stream is there");
    let maps = config.pointer_mut("/ingestionConfig/streamIngestionConfig/streamConfigMaps");
    *maps.expect("maps are there") = json!([stream, stream]);
    check(
        &config,
        expect![[r#"
        CHANGES ANSWERS /ingestionConfig/streamIngestionConfig/streamConfigMaps/1: kept; not consumed: only THE FIRST topic of a table is read
    "#]],
    );
    check(
        &with(&[("/tableType", json!("OFFLINE")), ("/ingestionConfig", json!({}))]),
        expect![[r#"
        CHANGES ANSWERS /tableType: kept; segments cannot be pushed: the table STAYS EMPTY; write "REALTIME" and a stream
    "#]],
    );
}

#[test]
fn unknown_keys_name_the_nearest_known_one() {
    check(
        &with(&[
            ("/segmentsConfig/timeColumn", json!("ts")),
            ("/tableIndexConfig/invertedIndexColumn", json!(["country"])),
            (&format!("{STREAM}/stream.kafka.topic.nam"), json!("t")),
            (&format!("{STREAM}/stream.kafka.consumer.prop.fetch.min.byte"), json!("1")),
        ]),
        expect![[r#"
            warning /segmentsConfig/timeColumn: unknown key `timeColumn`, ignored; did you mean `timeColumnName`?
            warning /tableIndexConfig/invertedIndexColumn: unknown key `invertedIndexColumn`, ignored; did you mean `invertedIndexColumns`?
            warning /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.topic.nam: unknown key `stream.kafka.topic.nam`, ignored; did you mean `stream.kafka.topic.name`?
            warning /ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.consumer.prop.fetch.min.byte: `fetch.min.byte` is no property of this server's Kafka client, ignored; did you mean `fetch.min.bytes`?
        "#]],
    );
}

#[test]
fn secrets_are_in_no_debug_text_and_no_redacted_json() {
    let config = right(&with_stream(&[
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.jaas.config", "a.b.PlainLoginModule required username=\"ann\" password=\"hunter2\";"),
        ("stream.kafka.consumer.prop.ssl.key.password", "hunter2"),
        ("stream.kafka.decoder.prop.schema.registry.basic.auth.user.info", "ann:hunter2"),
        ("stream.kafka.ssl.client.key", "hunter2"),
    ]));
    let stream = config.stream.as_ref().expect("has a stream");
    assert_eq!(stream.kafka_properties.get("sasl.password").map(String::as_str), Some("hunter2"));
    for text in [format!("{config:?}"), format!("{stream:?}"), config.redacted_json().to_string()] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(config.to_json().to_string().contains("hunter2"));
}

#[test]
fn malformed_text_is_one_problem() {
    for text in ["", "[]", "{", "nul", "{\"tableName\": 1e999}"] {
        assert!(TableConfig::parse(text, None).is_err_and(|problems| !problems.is_empty()), "{text}");
    }
}

#[test]
fn a_value_of_a_wrong_kind_anywhere_never_panics() {
    let mut places = Vec::new();
    collect_places(&base(), String::new(), &mut places);
    places
        .extend(["/upsertConfig", "/fieldConfigList", "/query", "/quota", "/tierConfigs"].map(String::from));
    for place in places {
        for wrong in
            [json!(null), json!(true), json!(-1.5), json!("x"), json!([1, [], {}]), json!({"x": {"y": []}})]
        {
            let mut config = base();
            match config.pointer_mut(&place) {
                Some(value) => *value = wrong,
                None => config = with(&[(&place, wrong)]),
            }
            let _ = report(&config);
            let _ = TableConfig::parse(&config.to_string(), None);
        }
    }
}

fn collect_places(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter()
                .for_each(|(key, value)| collect_places(value, json_reader::pointer(&place, key), places));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, item)| collect_places(item, json_reader::pointer(&place, i), places));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    places.push(place);
}

#[test]
fn a_table_without_time_column_is_taken_with_a_warning() {
    check(
        &with(&[("/segmentsConfig", json!({"replication": "1"}))]),
        expect![[r#"
        warning /segmentsConfig/timeColumnName: `timeColumnName` is missing: rows are kept for ever, and no time filter skips segments
    "#]],
    );
}

/// Every pair in `schemas/` is right, complete, and says nothing but what this version does not build.
#[test]
fn every_example_is_read_without_a_warning() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas");
    let mut pairs = 0;
    for entry in std::fs::read_dir(folder).expect("examples are there") {
        let path = entry.expect("folder can be listed").path();
        let name = path.to_string_lossy().into_owned();
        let Some(table) = name.strip_suffix(".schema.json") else { continue };
        let schema = std::fs::read_to_string(&path).expect("schema can be read");
        let schema = Schema::parse(&schema).expect("schema is right");
        assert_eq!(schema.warnings, [], "{name}");
        let text = std::fs::read_to_string(format!("{table}.table.json")).expect("table config is beside it");
        let parsed = TableConfig::parse(&text, Some(&schema.schema)).expect("table config is right");
        assert_eq!((parsed.warnings, parsed.changes_answers), (vec![], vec![]), "{name}");
        pairs += 1;
    }
    assert!(pairs >= 6, "{pairs}");
}
