//! What clients send, as their sources have it: Go, Grafana, Superset; and every path that runbooks touch.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::fixture::{Fixture, produce_visits, visits};

async fn fixture() -> (Fixture, meunier_ingest::EmbeddedBroker) {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    assert_eq!(fixture.client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    produce_visits(&broker.bootstrap(), 1, 0..10);
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[10]])).await;
    (fixture, broker)
}

#[tokio::test]
async fn the_go_client_is_answered() {
    let (fixture, _broker) = fixture().await;
    let brokers = fixture.client.get("/v2/brokers/tables?state=ONLINE").await.json();
    let broker = &brokers["visits"][0];
    assert!(broker["host"].is_string() && broker["port"].is_number() && broker["instanceName"].is_string());
    // All values of its body are texts, and its options are those of an older Pinot.
    for options in [
        "groupByMode=sql;responseFormat=sql",
        "groupByMode=sql;responseFormat=sql;useMultistageEngine=true;timeoutMs=60000",
    ] {
        let body = json!({"sql": "SELECT COUNT(*) FROM visits", "queryOptions": options, "trace": "true"});
        let answer = fixture.client.post("/query/sql", &body).await.json();
        assert_eq!(
            (&answer["exceptions"], &answer["resultTable"]["rows"]),
            (&json!([]), &json!([[10]])),
            "{options}"
        );
        for number in [
            "numServersQueried",
            "numServersResponded",
            "totalDocs",
            "timeUsedMs",
            "minConsumingFreshnessTimeMs",
        ] {
            assert!(answer[number].is_number(), "{number}");
        }
    }
}

#[tokio::test]
async fn grafana_and_superset_are_answered() {
    let (fixture, _broker) = fixture().await;
    let client = &fixture.client;
    // Grafana looks for `/mytables` and for time-series languages by a HEAD, and takes 404 for a no.
    assert_eq!(client.request("HEAD", "/mytables", Body::empty()).await.status, 404);
    assert_eq!(client.request("HEAD", "/timeseries/api/v1/query_range", Body::empty()).await.status, 404);
    assert_eq!(client.get("/databases").await.json(), json!(["default"]));
    assert_eq!(client.get("/tables").await.json(), json!({"tables": ["visits"]}));
    assert!(client.get("/tables/visits").await.json()["REALTIME"]["ingestionConfig"].is_object());
    let schema = client.get("/tables/visits/schema").await.json();
    assert_eq!(schema["dateTimeFieldSpecs"][0]["granularity"], "1:MILLISECONDS");
    let metadata = client.get("/tables/visits/metadata").await.json();
    for number in ["diskSizeInBytes", "numSegments", "numRows"] {
        assert!(metadata[number].is_u64(), "{number}: {metadata}");
    }
    let minute = 1_790_000_000_000_i64 / 60_000 * 60_000;
    for (sql, options, rows) in [
        (
            "SELECT\n    \"city\" AS 'town',\n    DATETIMECONVERT(\"ts\", '1:MILLISECONDS:EPOCH', '1:MILLISECONDS:EPOCH', '1:MINUTES') AS \"time\",\n    \
             sum(\"n\") AS \"metric\"\nFROM\n    \"visits\"\nWHERE\n    \"ts\" >= 10 AND \"ts\" <= 1800000000000\n    AND (\"city\" = 'city 1')\n\
             GROUP BY\n    \"city\",\n    \"time\"\nORDER BY\n    \"time\" DESC,\n    \"metric\" ASC\nLIMIT 10000;",
            "",
            json!([["city 1", minute, 9.0]]),
        ),
        (
            "SET timeoutMs=60000;\nSELECT DISTINCT \"city\"\nFROM \"visits\"\nWHERE \"city\" IS NOT NULL\n    AND ts >= 10 AND ts < 1800000000000\n\
             ORDER BY \"city\" ASC\nLIMIT 2;",
            "",
            json!([["city 0"], ["city 1"]]),
        ),
        (
            "SELECT CAST(DATE_TRUNC('day', CAST(ts AS TIMESTAMP)) AS TIMESTAMP), count(*) FROM visits \
             GROUP BY CAST(DATE_TRUNC('day', CAST(ts AS TIMESTAMP)) AS TIMESTAMP) ORDER BY count(*) DESC LIMIT 10000",
            "",
            json!([["2026-09-21 00:00:00.0", 10]]),
        ),
        (
            "SELECT count(*) FROM visits OPTION(preserveType='true')",
            ";useMultistageEngine=true",
            json!([[10]]),
        ),
    ] {
        let body = json!({"sql": sql, "queryOptions": options, "trace": false}).to_string();
        let request = Request::post("/query/sql")
            .header("Content-Type", "application/json")
            .header("database", "default");
        let answer = client.send(request.body(body.into()).unwrap()).await.json();
        assert_eq!((&answer["exceptions"], &answer["resultTable"]["rows"]), (&json!([]), &rows), "{sql}");
    }
}

/// What of Pinot's has no meaning in one process says what to use, and is told from a path that is none.
#[tokio::test]
async fn paths_that_only_a_cluster_needs_name_what_to_use() {
    let (fixture, _broker) = fixture().await;
    for (method, path) in [
        ("GET", "/schemas/fieldSpec"),
        ("PUT", "/tables/recommender"),
        ("GET", "/tables/visits/segments"),
        ("GET", "/tables/visits/segments/s/metadata"),
        ("POST", "/tables/visits/segments/s/reload"),
        ("GET", "/tables/visits/validDocIdsMetadata"),
        ("GET", "/segments/visits/tiers"),
        ("GET", "/segments/visits/s/tiers"),
        ("GET", "/segments/visits/invalidPartitionMetadata"),
        ("POST", "/segments/visits/updateZKTimeInterval"),
        ("POST", "/segments/visits_REALTIME/uploadFromServerToDeepstore"),
        ("POST", "/segments/visits/reset"),
        ("POST", "/segments/visits_REALTIME/s/reset"),
        ("POST", "/segments"),
        ("POST", "/v2/segments"),
        ("DELETE", "/deleteSegmentsFromSequenceNum/visits_REALTIME?segments=s"),
        ("GET", "/zk/ls"),
        ("GET", "/tasks/tasktypes"),
        ("PUT", "/periodictask/run?taskname=RetentionManager"),
        ("GET", "/periodictask/names"),
        ("GET", "/users"),
        ("GET", "/logicalTables"),
        ("GET", "/queryWorkloadConfigs"),
        ("GET", "/leader/tables"),
        ("GET", "/appconfigs"),
        ("GET", "/loggers"),
        ("POST", "/sql/ddl"),
        ("POST", "/query/timeseries"),
        ("POST", "/query/sql/queryFingerprint"),
        ("POST", "/upsert/estimateHeapUsage"),
        ("POST", "/segmentConsumed"),
        ("POST", "/segmentCommitEndWithMetadata"),
    ] {
        let reply = fixture.client.request(method, path, Body::empty()).await;
        assert_eq!(reply.status, 501, "{method} {path}: {}", reply.text);
        let error = reply.json()["error"].as_str().map(str::len);
        assert!(error.is_some_and(|length| length > 20), "{method} {path}: {}", reply.text);
    }
    let none: Value = fixture.client.get("/nothing").await.json();
    assert_eq!(none["code"], json!(404));
}
