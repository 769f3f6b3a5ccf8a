//! Schemas and tables over HTTP, in Pinot's shapes.

use expect_test::{Expect, expect};
use serde_json::json;

use crate::fixture::{Fixture, Reply, blurred, visits};

fn check(reply: &Reply, expected: Expect) {
    expected.assert_eq(&reply.shown());
}

#[tokio::test]
async fn a_schema_is_added_shown_replaced_and_deleted() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let mut schema = visits("")["schema"].clone();
    schema["description"] = "who came by".into();
    schema["nonsense"] = json!({"a": 1});
    check(
        &client.post("/schemas?override=false", &schema).await,
        expect![[r#"
            200 {
              "status": "visits successfully added",
              "unrecognizedProperties": {
                "/nonsense": {
                  "a": 1
                }
              },
              "changesAnswers": [],
              "warnings": [
                {
                  "path": "/nonsense",
                  "message": "unknown key `nonsense`, ignored"
                }
              ],
              "notSupported": []
            }"#]],
    );
    check(
        &client.get("/schemas").await,
        expect![[r#"
        200 [
          "visits"
        ]"#]],
    );
    check(
        &client.get("/schemas/visits").await,
        expect![[r#"
        200 {
          "schemaName": "visits",
          "enableColumnBasedNullHandling": false,
          "dimensionFieldSpecs": [
            {
              "name": "city",
              "dataType": "STRING",
              "fieldType": "DIMENSION"
            }
          ],
          "metricFieldSpecs": [
            {
              "name": "n",
              "dataType": "LONG",
              "fieldType": "METRIC"
            }
          ],
          "dateTimeFieldSpecs": [
            {
              "name": "ts",
              "dataType": "TIMESTAMP",
              "fieldType": "DATE_TIME",
              "format": "1:MILLISECONDS:TIMESTAMP",
              "granularity": "1:MILLISECONDS"
            }
          ],
          "description": "who came by"
        }"#]],
    );
    check(
        &client.get("/schemas/visit").await,
        expect![[r#"
        404 {
          "code": 404,
          "error": "schema `visit` does not exist; did you mean `visits`?"
        }"#]],
    );
    check(
        &client.post("/schemas?override=false", &schema).await,
        expect![[r#"
        409 {
          "code": 409,
          "error": "schema `visits` already exists: replace it with `?override=true` or PUT /schemas/visits"
        }"#]],
    );

    schema["metricFieldSpecs"][0]["dataType"] = "INT".into();
    schema["dimensionFieldSpecs"][0]["name"] = "town".into();
    let changed = client.request("PUT", "/schemas/visits", schema.to_string()).await;
    check(
        &changed,
        expect![[r#"
        400 {
          "code": 400,
          "error": "invalid change of the schema, 2 problems: the column `city` is missing: a column cannot be removed; the column `n` is LONG and cannot become INT",
          "problems": [
            {
              "path": "",
              "message": "the column `city` is missing: a column cannot be removed"
            },
            {
              "path": "",
              "message": "the column `n` is LONG and cannot become INT"
            }
          ]
        }"#]],
    );

    let mut wider = visits("")["schema"].clone();
    wider["dimensionFieldSpecs"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "browser", "dataType": "STRING"}));
    assert_eq!(client.request("PUT", "/schemas/visits", wider.to_string()).await.status, 200);
    assert_eq!(client.request("PUT", "/schemas/other", wider.to_string()).await.status, 400);
    check(
        &client.request("DELETE", "/schemas/visits", "").await,
        expect![[r#"
        200 {
          "status": "Schema visits deleted"
        }"#]],
    );
    assert_eq!(client.request("DELETE", "/schemas/visits", "").await.status, 404);
}

#[tokio::test]
async fn validating_changes_nothing() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let pair = visits("127.0.0.1:1");
    assert_eq!(client.post("/schemas/validate", &pair["schema"]).await.status, 200);
    assert_eq!(client.post("/tableConfigs/validate", &pair).await.status, 200);
    assert_eq!(client.get("/schemas").await.json(), json!([]));
    check(
        &client.post("/tables/validate", &pair["realtime"]).await,
        expect![[r#"
        400 {
          "code": 400,
          "error": "there is no schema `visits`: POST it to /schemas first, or both at once to /tableConfigs"
        }"#]],
    );
    client.post("/schemas", &pair["schema"]).await;
    let validated = client.post("/tables/validate", &pair["realtime"]).await;
    assert_eq!(validated.json()["REALTIME"]["tableName"], "visits");
    assert_eq!(client.get("/tables").await.json(), json!({"tables": []}));
}

#[tokio::test]
async fn a_table_is_created_shown_and_deleted_in_pinots_shapes() {
    let (fixture, broker) = Fixture::with_topic("visits", 2);
    let client = &fixture.client;
    let pair = visits(&broker.bootstrap());
    assert_eq!(client.post("/schemas", &pair["schema"]).await.status, 200);
    check(
        &client.post("/tables", &pair["realtime"]).await,
        expect![[r#"
        200 {
          "status": "Table visits_REALTIME successfully added",
          "unrecognizedProperties": {},
          "changesAnswers": [],
          "warnings": [],
          "notSupported": []
        }"#]],
    );
    assert_eq!(client.post("/tables", &pair["realtime"]).await.status, 409);
    assert_eq!(client.post("/tableConfigs", &pair).await.status, 409);
    check(
        &client.get("/tables").await,
        expect![[r#"
        200 {
          "tables": [
            "visits"
          ]
        }"#]],
    );
    assert_eq!(client.get("/tables?type=offline").await.json(), json!({"tables": []}));
    assert_eq!(client.get("/tables/visits_REALTIME").await.json(), json!({"REALTIME": pair["realtime"]}));
    assert_eq!(client.get("/tables/visits?type=OFFLINE").await.status, 404);
    assert_eq!(client.get("/tables/visits/schema").await.json()["schemaName"], "visits");
    assert_eq!(client.get("/tables/default.visits/schema").await.json()["schemaName"], "visits");
    check(
        &client.get("/tables/visit").await,
        expect![[r#"
        404 {
          "code": 404,
          "error": "table `visit` does not exist; did you mean `visits`?"
        }"#]],
    );
    let size = client.get("/tables/visits/size").await;
    assert_eq!(size.status, 200);
    // The first look at the topic may have happened already.
    let shown = blurred(&size.json(), &["consumingMemoryInBytes"]);
    expect![[r#"
        {
          "tableName": "visits",
          "reportedSizeInBytes": 0,
          "estimatedSizeInBytes": 0,
          "reportedSizePerReplicaInBytes": 0,
          "offlineSegments": null,
          "realtimeSegments": {
            "reportedSizeInBytes": 0,
            "estimatedSizeInBytes": 0,
            "missingSegments": 0,
            "reportedSizePerReplicaInBytes": 0,
            "segments": {}
          },
          "durableSizeInBytes": 0,
          "consumingMemoryInBytes": "<number>"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&shown).unwrap());
    let metadata = client.get("/tables/visits/metadata?columns=*").await;
    assert_eq!(metadata.status, 200);
    let shown = blurred(&metadata.json(), &["consumingSegments"]);
    expect![[r#"
        {
          "tableName": "visits_REALTIME",
          "diskSizeInBytes": 0,
          "numSegments": 0,
          "numRows": 0,
          "columnLengthMap": {
            "city": 0,
            "n": 8,
            "ts": 8
          },
          "columnCardinalityMap": {},
          "maxNumMultiValuesMap": {},
          "columnIndexSizeMap": {},
          "upsertPartitionToServerPrimaryKeyCountMap": {},
          "consumingSegments": "<number>",
          "numRowsWithConsuming": 0
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&shown).unwrap());
    check(&client.get("/segments/visits?type=OFFLINE").await, expect!["200 []"]);
    check(
        &client.request("DELETE", "/schemas/visits", "").await,
        expect![[r#"
        409 {
          "code": 409,
          "error": "schema `visits` is used by the table of the same name: drop the table first"
        }"#]],
    );
    check(
        &client.request("DELETE", "/tables/visits", "").await,
        expect![[r#"
        200 {
          "status": "Tables: [visits_REALTIME] deleted"
        }"#]],
    );
    assert_eq!(client.request("DELETE", "/tables/visits", "").await.status, 404);
    assert_eq!(client.get("/schemas").await.json(), json!(["visits"]));
}

#[tokio::test]
async fn table_configs_are_created_changed_and_deleted_together() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let client = &fixture.client;
    let mut pair = visits(&broker.bootstrap());
    pair["realtime"]["tableIndexConfig"]["invertedIndexColums"] = json!(["city"]);
    pair["realtime"]["upsertConfig"] = json!({"mode": "FULL"});
    pair["schema"]["primaryKeyColumns"] = json!(["city"]);
    check(
        &client.post("/tableConfigs", &pair).await,
        expect![[r#"
        200 {
          "status": "TableConfigs visits successfully added",
          "unrecognizedProperties": {
            "/realtime/tableIndexConfig/invertedIndexColums": [
              "city"
            ]
          },
          "changesAnswers": [
            {
              "path": "/realtime/upsertConfig",
              "message": "kept; not applied: EVERY VERSION of a key is stored and counted, not only the newest"
            }
          ],
          "warnings": [
            {
              "path": "/realtime/tableIndexConfig/invertedIndexColums",
              "message": "unknown key `invertedIndexColums`, ignored; did you mean `invertedIndexColumns`?"
            }
          ],
          "notSupported": []
        }"#]],
    );
    check(
        &client.get("/tableConfigs").await,
        expect![[r#"
        200 [
          "visits"
        ]"#]],
    );
    assert_eq!(client.get("/tableConfigs/visits").await.json()["realtime"], pair["realtime"]);

    pair["realtime"]["query"] = json!({"timeoutMs": 5000});
    let changed = client.request("PUT", "/tableConfigs/visits", pair.to_string()).await;
    assert_eq!(changed.json()["status"], "TableConfigs updated for visits", "{}", changed.text);
    assert_eq!(client.get("/tables/visits").await.json()["REALTIME"]["query"], json!({"timeoutMs": 5000}));

    pair["realtime"]["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0]["stream.kafka.topic.name"] =
        "other".into();
    check(
        &client.request("PUT", "/tableConfigs/visits", pair.to_string()).await,
        expect![[r#"
        400 {
          "code": 400,
          "error": "the table reads topic `visits` and cannot go on in `other`, as its offsets are of the former: create another table"
        }"#]],
    );
    check(
        &client.request("DELETE", "/tableConfigs/visits", "").await,
        expect![[r#"
        200 {
          "status": "Deleted: TableConfigs visits"
        }"#]],
    );
    assert_eq!(client.get("/schemas").await.json(), json!([]));
}

#[tokio::test]
async fn a_topic_that_cannot_be_read_refuses_the_table_unless_forced() {
    let (fixture, broker) = Fixture::with_topic("other", 1);
    let client = &fixture.client;
    let refused = client.post("/tableConfigs", &visits(&broker.bootstrap())).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.text.contains("has no topic `visits`"), "{}", refused.text);
    assert_eq!(client.get("/tables").await.json(), json!({"tables": []}));
    assert_eq!(client.get("/schemas").await.json(), json!([]));

    let forced = client.post("/tableConfigs?force=true", &visits(&broker.bootstrap())).await;
    assert_eq!(forced.status, 200, "{}", forced.text);
    assert!(forced.json()["warnings"][0]["message"].as_str().unwrap().contains("has no topic"));
    assert_eq!(client.rows("SELECT COUNT(*) FROM visits").await, json!([[0]]));
}

#[tokio::test]
async fn brokers_that_do_not_answer_refuse_the_table_in_plain_words() {
    let fixture = Fixture::new();
    let refused = fixture.client.post("/tableConfigs", &visits("127.0.0.1:1")).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let error = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains("no kafka broker answers at `127.0.0.1:1`") && error.contains("?force=true"),
        "{error}"
    );
}

#[tokio::test]
async fn secrets_of_a_table_config_are_not_shown() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let mut pair = visits(&broker.bootstrap());
    let stream = &mut pair["realtime"]["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0];
    stream["stream.kafka.consumer.prop.sasl.password"] = "canary-7261".into();
    let created = fixture.client.post("/tableConfigs?force=true", &pair).await;
    assert_eq!(created.status, 200, "{}", created.text);
    for path in ["/tables/visits", "/tableConfigs/visits", "/ready", "/metrics", "/"] {
        let reply = fixture.client.get(path).await;
        assert!(!reply.text.contains("canary-7261"), "{path}");
    }
    let validated = fixture.client.post("/tableConfigs/validate", &pair).await;
    assert!(!validated.text.contains("canary-7261"));
}

#[tokio::test]
async fn pausing_and_resuming_have_pinots_shapes() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let client = &fixture.client;
    assert_eq!(client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    let paused = client.post("/tables/visits/pauseConsumption?comment=moving%20house", &json!({})).await;
    let mut shown = blurred(&paused.json(), &["timestamp"]);
    // Whether the partition has its first segment by now is a matter of time.
    assert!(
        shown
            .as_object_mut()
            .unwrap()
            .shift_remove("consumingSegments")
            .is_some_and(|names| names.is_array())
    );
    expect![[r#"
        {
          "pauseFlag": true,
          "reasonCode": "ADMINISTRATIVE",
          "comment": "moving house",
          "timestamp": "<text>",
          "description": "Consumption is paused; all rows stay visible."
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&shown).unwrap());
    assert_eq!(client.get("/tables/visits/pauseStatus").await.json()["pauseFlag"], json!(true));
    assert_eq!(
        client.post("/tables/visits/resumeConsumption?consumeFrom=nowhere", &json!({})).await.status,
        400
    );
    let resumed = client.post("/tables/visits/resumeConsumption?consumeFrom=lastConsumed", &json!({})).await;
    assert_eq!(resumed.json()["pauseFlag"], json!(false));
    assert_eq!(client.post("/tables/nothing/pauseConsumption", &json!({})).await.status, 404);
    assert_eq!(client.post("/tables/visits/forceCommit?partitions=9", &json!({})).await.status, 400);
    assert_eq!(client.post("/tables/visits/forceCommit?segments=none", &json!({})).await.status, 400);
}
