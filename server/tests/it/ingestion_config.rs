//! What a table's config asks to be done with records, from the topic to the answer.

use meunier_ingest::Producer;
use serde_json::{Value, json};

use crate::fixture::{DEADLINE, Fixture, visits};

/// Sends records to partition 0 of `visits`.
fn produce(brokers: &str, records: &[Value]) {
    let producer = Producer::connect(brokers, &[]).unwrap();
    for record in records {
        let payload = record.to_string();
        producer.send("visits", 0, Some(b"the key"), payload.as_bytes(), 1_790_000_000_000).unwrap();
    }
    assert_eq!(producer.flush(DEADLINE).unwrap(), 0);
}

fn with(brokers: &str, columns: &Value, ingestion: &Value) -> Value {
    let mut document = visits(brokers);
    let fields = document["schema"]["dimensionFieldSpecs"].as_array_mut().unwrap();
    fields.extend(columns.as_array().unwrap().iter().cloned());
    for (key, value) in ingestion.as_object().unwrap() {
        document["realtime"]["ingestionConfig"][key] = value.clone();
    }
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_computed_with_the_functions_of_queries() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let brokers = broker.bootstrap();
    let columns = json!([
        {"name": "CITY", "dataType": "STRING"}, {"name": "day", "dataType": "STRING"},
        {"name": "from_json", "dataType": "STRING"}, {"name": "raw", "dataType": "JSON"},
        {"name": "tags", "dataType": "STRING", "singleValueField": false}, {"name": "twice", "dataType": "LONG"},
        {"name": "third", "dataType": "LONG"},
        {"name": "size", "dataType": "STRING"}, {"name": "__metadata$offset", "dataType": "LONG"},
        {"name": "__metadata$partition", "dataType": "INT"}, {"name": "__key", "dataType": "STRING"},
        {"name": "__metadata$recordTimestamp", "dataType": "TIMESTAMP"}
    ]);
    let transform =
        |column: &str, function: &str| json!({"columnName": column, "transformFunction": function});
    let mut document = with(
        &brokers,
        &columns,
        &json!({
            "filterConfig": {"filterFunction": "n < 0 OR city = 'nowhere'"},
            "transformConfigs": [
                transform("CITY", "upper(city)"),
                transform("day", "toDateTime(\"when\", 'yyyy-MM-dd')"),
                transform("ts", "\"when\""),
                transform("from_json", "jsonPathString(payload, '$.a.b', 'none')"),
                transform("raw", "jsonFormat(payload)"),
                transform("tags", "jsonPathArray(payload, '$.tags')"),
                transform("twice", "n * 2"),
            transform("third", "n / 3"),
                transform("size", "CASE WHEN twice >= 10 THEN 'large' ELSE 'small' END"),
            ],
        }),
    );
    let stream = &mut document["realtime"]["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0];
    stream["stream.kafka.metadata.populate"] = "true".into();
    produce(
        &brokers,
        &[
            json!({"city": "Oslo", "n": 4, "when": 1_709_164_800_000_i64, "payload": {"a": {"b": "in"}, "tags": ["p", "q"]}}),
            json!({"city": "nowhere", "n": 1}),
            json!({"city": "Bonn", "n": 5, "when": 0, "payload": {"tags": []}}),
            json!({"city": "Rome", "n": -1}),
            json!({"n": 6}),
        ],
    );
    let reply = fixture.client.post("/tableConfigs", &document).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json()["changesAnswers"], json!([]), "all of it is acted on");
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[3]])).await;
    let sql = "SELECT city, CITY, day, ts, from_json, raw, tags, twice, third, size, \"__metadata$offset\", \
        \"__metadata$partition\", \"__key\", \"__metadata$recordTimestamp\" FROM visits ORDER BY \"__metadata$offset\"";
    let expected = json!([
        [
            "Oslo",
            "OSLO",
            "2024-02-29",
            "2024-02-29 00:00:00.0",
            "in",
            r#"{"a":{"b":"in"},"tags":["p","q"]}"#,
            ["p", "q"],
            8,
            1,
            "small",
            0,
            0,
            "the key",
            "2026-09-21 14:13:20.0"
        ],
        [
            "Bonn",
            "BONN",
            "1970-01-01",
            "1970-01-01 00:00:00.0",
            "none",
            r#"{"tags":[]}"#,
            ["null"],
            10,
            1,
            "large",
            2,
            0,
            "the key",
            "2026-09-21 14:13:20.0"
        ],
        [
            "null",
            "null",
            "null",
            "1970-01-01 00:00:00.0",
            "none",
            "null",
            ["null"],
            12,
            2,
            "large",
            4,
            0,
            "the key",
            "2026-09-21 14:13:20.0"
        ],
    ]);
    assert_eq!(fixture.client.rows(sql).await, expected);
    let (entry, _) = fixture.state.store.open_table("visits").unwrap();
    let partition = || fixture.state.store.status(entry.id).unwrap().partitions[0].clone();
    let books = |status: meunier_ingest::PartitionStatus| {
        (status.position.0, status.rows_total, status.rejected_total, status.filtered_total)
    };
    assert_eq!(books(partition()), (5, 3, 0, 2));

    // The same after a seal, and in the ledger.
    assert_eq!(fixture.client.post("/tables/visits/forceCommit", &json!({})).await.status, 200);
    let deadline = std::time::Instant::now() + DEADLINE;
    while partition().committed.0 < 5 {
        assert!(std::time::Instant::now() < deadline, "the segment is committed");
        tokio::time::sleep(crate::fixture::POLL).await;
    }
    assert_eq!(fixture.client.rows(sql).await, expected);
    let committed = fixture.state.store.catalog().partitions(entry.id);
    assert_eq!((committed[0].rows, committed[0].filtered, committed[0].extra_rows), (3, 2, 0));
    assert_eq!(books(partition()), (5, 3, 0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_become_rows_and_the_books_balance() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let brokers = broker.bootstrap();
    let columns =
        json!([{"name": "stops.name", "dataType": "STRING"}, {"name": "stops.at.hour", "dataType": "INT"}]);
    let document = with(
        &brokers,
        &columns,
        &json!({
            "complexTypeConfig": {"fieldsToUnnest": ["stops"]},
            "filterConfig": {"filterFunction": "\"stops.name\" = 'skipped'"},
        }),
    );
    produce(
        &brokers,
        &[
            json!({"city": "Oslo", "n": 1, "stops": [{"name": "a", "at": {"hour": 1}}, {"name": "b", "at": {"hour": 2}}]}),
            json!({"city": "Bonn", "n": 2, "stops": [{"name": "skipped"}]}),
            json!({"city": "Rome", "n": 3}),
            json!({"city": "Bern", "n": "none", "stops": [{"name": "x"}, {"name": "y"}]}),
        ],
    );
    assert_eq!(fixture.client.post("/tableConfigs", &document).await.status, 200);
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[3]])).await;
    let sql = "SELECT city, \"stops.name\", \"stops.at.hour\" FROM visits ORDER BY city, \"stops.name\"";
    let expected = json!([["Oslo", "a", 1], ["Oslo", "b", 2], ["Rome", "null", i32::MIN]]);
    assert_eq!(fixture.client.rows(sql).await, expected);
    assert_eq!(fixture.client.post("/tables/visits/forceCommit", &json!({})).await.status, 200);
    let (entry, _) = fixture.state.store.open_table("visits").unwrap();
    let deadline = std::time::Instant::now() + DEADLINE;
    let committed = || fixture.state.store.catalog().partitions(entry.id)[0].clone();
    while committed().committed.0 < 4 {
        assert!(std::time::Instant::now() < deadline, "the segment is committed");
        tokio::time::sleep(crate::fixture::POLL).await;
    }
    let books = committed();
    assert_eq!((books.rows, books.extra_rows, books.rejected, books.filtered), (3, 1, 1, 1));
    assert_eq!(fixture.client.rows(sql).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_that_cannot_be_read_are_refused_with_their_places() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let document = with(
        &broker.bootstrap(),
        &json!([]),
        &json!({
            "filterConfig": {"filterFunction": "Groovy({n > 1}, n)"},
            "transformConfigs": [
                {"columnName": "city", "transformFunction": "uper(town)"},
                {"columnName": "n", "transformFunction": "n + 1"},
            ],
        }),
    );
    let reply = fixture.client.post("/tableConfigs", &document).await;
    assert_eq!(reply.status, 400);
    let places: Vec<String> = reply.json()["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(places.len(), 3, "{}", reply.text);
    assert!(reply.text.contains("did you mean `upper`"), "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_that_are_too_old_are_dropped_and_stay_dropped() {
    let broker = meunier_ingest::EmbeddedBroker::start(&[("visits", 1)]).unwrap();
    let brokers = broker.bootstrap();
    let fixture = Fixture::with(|config| {
        config.ingest.embedded_broker = Some(broker.bootstrap());
        config.ingest.retention_interval = std::time::Duration::from_millis(50);
    });
    let mut document = with(&brokers, &json!([]), &json!({}));
    let segments = &mut document["realtime"]["segmentsConfig"];
    segments["retentionTimeUnit"] = "DAYS".into();
    segments["retentionTimeValue"] = "3".into();
    assert_eq!(fixture.client.post("/tableConfigs", &document).await.status, 200);
    let now_ms = meunier_server::store::now_ms();
    let day = 86_400_000;
    produce(
        &brokers,
        &[
            json!({"city": "old", "n": 1, "ts": now_ms - 9 * day}),
            json!({"city": "old", "n": 2, "ts": now_ms - 4 * day}),
        ],
    );
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[2]])).await;
    assert_eq!(fixture.client.post("/tables/visits/forceCommit", &json!({})).await.status, 200);
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[0]])).await;
    produce(
        &brokers,
        &[
            json!({"city": "new", "n": 3, "ts": now_ms}),
            json!({"city": "late", "n": 4, "ts": now_ms - 9 * day}),
        ],
    );
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[2]])).await;
    assert_eq!(fixture.client.post("/tables/visits/forceCommit", &json!({})).await.status, 200);
    let (entry, _) = fixture.state.store.open_table("visits").unwrap();
    let catalog = fixture.state.store.catalog();
    let deadline = std::time::Instant::now() + DEADLINE;
    while catalog.partitions(entry.id)[0].committed.0 < 4 {
        assert!(std::time::Instant::now() < deadline, "the segment is committed");
        tokio::time::sleep(crate::fixture::POLL).await;
    }
    let names: Vec<String> = catalog.segments(entry.id).iter().map(|segment| segment.name.clone()).collect();
    assert_eq!(names.len(), 1, "a segment with one new row stays whole: {names:?}");
    assert_eq!(fixture.client.rows("SELECT city FROM visits ORDER BY n").await, json!([["new"], ["late"]]));
    let position = &catalog.partitions(entry.id)[0];
    assert_eq!((position.rows, position.next_sequence), (4, 2), "what was consumed stays counted");
    let dropped = catalog.data_dir().dropped().join(entry.dir.as_str());
    assert_eq!(std::fs::read_dir(&dropped).unwrap().count(), 1, "its file is kept aside");
    assert_eq!(catalog.remove_expired_files(now_ms + 6 * day).unwrap(), 0);
    assert_eq!(catalog.remove_expired_files(now_ms + 8 * day).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_added_has_its_default_in_rows_that_are_there() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let brokers = broker.bootstrap();
    let document = with(&brokers, &json!([]), &json!({}));
    assert_eq!(fixture.client.post("/tableConfigs", &document).await.status, 200);
    produce(&brokers, &[json!({"city": "Oslo", "n": 1, "ts": 1, "grade": "early"})]);
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[1]])).await;
    assert_eq!(fixture.client.post("/tables/visits/forceCommit", &json!({})).await.status, 200);
    produce(&brokers, &[json!({"city": "Bonn", "n": 2, "ts": 2})]);
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[2]])).await;

    let mut schema = document["schema"].clone();
    let fields = schema["dimensionFieldSpecs"].as_array_mut().unwrap();
    fields.push(json!({"name": "grade", "dataType": "STRING", "defaultNullValue": "none"}));
    fields.push(json!({"name": "marks", "dataType": "INT", "singleValueField": false}));
    assert_eq!(fixture.client.request("PUT", "/schemas/visits", schema.to_string()).await.status, 200);
    let sql = "SELECT city, grade, marks FROM visits ORDER BY n";
    let expected = json!([["Oslo", "none", [i32::MIN]], ["Bonn", "none", [i32::MIN]]]);
    assert_eq!(fixture.client.rows(sql).await, expected);
    produce(&brokers, &[json!({"city": "Rome", "n": 3, "ts": 3, "grade": "A", "marks": [1, 2]})]);
    fixture.client.await_rows("SELECT grade FROM visits WHERE n = 3", &json!([["A"]])).await;
    fixture.client.await_rows("SELECT COUNT(*) FROM visits WHERE grade = 'none'", &json!([[2]])).await;

    let incompatible = json!({"schemaName": "visits", "metricFieldSpecs": [{"name": "n", "dataType": "DOUBLE"}],
        "dimensionFieldSpecs": [{"name": "marks", "dataType": "INT"}, {"name": "grade", "dataType": "STRING"}]});
    let reply = fixture.client.request("PUT", "/schemas/visits", incompatible.to_string()).await;
    assert_eq!(reply.status, 400);
    let problems = reply.json()["problems"].as_array().unwrap().len();
    assert_eq!(problems, 4, "city and ts are missing, n and marks are of other kinds: {}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_differ_in_metrics_only_are_one_before_and_after_they_are_sealed() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let brokers = broker.bootstrap();
    let mut document = with(
        &brokers,
        &json!([]),
        &json!({"aggregationConfigs": [
            {"columnName": "n", "aggregationFunction": "COUNT(*)"},
            {"columnName": "total", "aggregationFunction": "SUM(amount)"},
        ]}),
    );
    let metrics = document["schema"]["metricFieldSpecs"].as_array_mut().unwrap();
    metrics.push(json!({"name": "total", "dataType": "DOUBLE"}));
    let record =
        |city: &str, amount: f64| json!({"city": city, "ts": 1_790_000_000_000_i64, "amount": amount});
    produce(
        &brokers,
        &[record("Oslo", 1.5), record("Bonn", 10.0), record("Oslo", 2.0), json!({"ts": "no time"})],
    );
    produce(&brokers, &[record("Oslo", 4.0)]);
    let reply = fixture.client.post("/tableConfigs", &document).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json()["changesAnswers"], json!([]));
    let sums = "SELECT city, SUM(n), SUM(total) FROM visits GROUP BY city ORDER BY city";
    let expected = json!([["Bonn", 1.0, 10.0], ["Oslo", 3.0, 7.5]]);
    fixture.client.await_rows(sums, &expected).await;
    let others = [
        ("SELECT COUNT(*), MAX(n), MIN(total), MAX(total) FROM visits", json!([[2, 3.0, 7.5, 10.0]])),
        ("SELECT city FROM visits WHERE total BETWEEN 7.0 AND 8.0", json!([["Oslo"]])),
        ("SELECT city, n FROM visits ORDER BY n DESC LIMIT 1", json!([["Oslo", 3]])),
        ("SELECT $offset, city FROM visits ORDER BY $offset", json!([[0, "Oslo"], [1, "Bonn"]])),
    ];
    for (sql, rows) in &others {
        assert_eq!(fixture.client.rows(sql).await, *rows, "consuming: {sql}");
    }
    assert_eq!(fixture.client.post("/tables/visits/forceCommit", &json!({})).await.status, 200);
    let (entry, _) = fixture.state.store.open_table("visits").unwrap();
    let deadline = std::time::Instant::now() + DEADLINE;
    let committed = || fixture.state.store.catalog().partitions(entry.id)[0].clone();
    while committed().committed.0 < 5 {
        assert!(std::time::Instant::now() < deadline, "the segment is committed");
        tokio::time::sleep(crate::fixture::POLL).await;
    }
    let books = committed();
    assert_eq!((books.rows, books.merged_rows, books.rejected), (2, 2, 1));
    assert_eq!(fixture.client.rows(sums).await, expected);
    for (sql, rows) in &others {
        assert_eq!(fixture.client.rows(sql).await, *rows, "sealed: {sql}");
    }
    produce(&brokers, &[record("Oslo", 0.5)]);
    fixture.client.await_rows(sums, &json!([["Bonn", 1.0, 10.0], ["Oslo", 4.0, 8.0]])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_begins_at_the_end_has_every_record_that_is_sent_once_it_is_made() {
    let (fixture, broker) = Fixture::with_topic("visits", 3);
    let brokers = broker.bootstrap();
    let mut document = crate::fixture::visits(&brokers);
    document["realtime"]["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0]["stream.kafka.consumer.prop.auto.offset.reset"] =
        json!("largest");
    crate::fixture::produce_visits(&brokers, 3, 0..30);
    assert_eq!(fixture.client.post("/tableConfigs", &document).await.status, 200);
    crate::fixture::produce_visits(&brokers, 3, 30..36);
    fixture.client.await_rows("SELECT COUNT(*), MIN(n) FROM visits", &json!([[6, 30.0]])).await;
}
