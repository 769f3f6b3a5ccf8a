//! What operators ask about a table and its segments, with rows in both kinds of segment.

use std::time::Instant;

use serde_json::{Value, json};

use crate::fixture::{Client, DEADLINE, Fixture, POLL, produce_visits, visits};

/// A table with one sealed segment of 100 rows and one consuming segment of 10.
async fn fixture() -> (Fixture, meunier_ingest::EmbeddedBroker) {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let client = &fixture.client;
    let mut pair = visits(&broker.bootstrap());
    pair["realtime"]["tableIndexConfig"]["invertedIndexColumns"] = json!(["city"]);
    assert_eq!(client.post("/tableConfigs", &pair).await.status, 200);
    produce_visits(&broker.bootstrap(), 1, 0..100);
    client.await_rows("SELECT COUNT(*) FROM visits", &json!([[100]])).await;
    let job = client.post("/tables/visits/forceCommit", &json!({})).await.json()["forceCommitJobId"].clone();
    let path = format!("/tables/forceCommitStatus/{}", job.as_str().unwrap());
    let deadline = Instant::now() + DEADLINE;
    while client.get(&path).await.json()["numberOfSegmentsYetToBeCommitted"] != json!(0) {
        assert!(Instant::now() < deadline, "not committed");
        tokio::time::sleep(POLL).await;
    }
    produce_visits(&broker.bootstrap(), 1, 100..110);
    client.await_rows("SELECT COUNT(*) FROM visits", &json!([[110]])).await;
    (fixture, broker)
}

async fn ok(client: &Client, path: &str) -> Value {
    let reply = client.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()
}

/// The sealed segment's name, then the consuming one's.
async fn segment_names(client: &Client) -> (String, String) {
    let names = ok(client, "/segments/visits").await[0]["REALTIME"].clone();
    let name = |at: usize| names[at].as_str().unwrap().to_owned();
    assert_eq!(names.as_array().unwrap().len(), 2, "{names}");
    (name(0), name(1))
}

#[tokio::test]
async fn segments_are_known_by_register_file_and_state() {
    let (fixture, _broker) = fixture().await;
    let client = &fixture.client;
    let (sealed, consuming) = segment_names(client).await;

    let register = ok(client, "/segments/visits/zkmetadata").await;
    let of_sealed = &register[&sealed];
    assert_eq!(of_sealed["segment.realtime.status"], "DONE");
    assert_eq!(of_sealed["segment.realtime.startOffset"], "0");
    assert_eq!(of_sealed["segment.realtime.endOffset"], "100");
    assert_eq!(of_sealed["segment.total.docs"], "100");
    assert_eq!(of_sealed["segment.start.time"], "1790000000000");
    assert_eq!(of_sealed["segment.end.time"], "1790000000099");
    assert_eq!(register[&consuming]["segment.realtime.status"], "IN_PROGRESS");
    assert_eq!(register[&consuming]["segment.realtime.startOffset"], "100");
    assert_eq!(ok(client, &format!("/segments/visits/{sealed}/metadata")).await, *of_sealed);

    let metadata = ok(client, "/segments/visits/metadata?columns=*").await;
    let of_sealed = &metadata[&sealed];
    assert_eq!((&of_sealed["totalDocs"], &of_sealed["timeColumn"]), (&json!(100), &json!("ts")));
    assert_eq!(of_sealed["columns"].as_array().unwrap().len(), 3);
    assert_eq!(of_sealed["indexes"]["city"]["inverted-index"], "YES");
    assert_eq!(of_sealed["indexes"]["city"]["bloom-filter"], "NO");
    assert_eq!(metadata[&consuming]["totalDocs"], json!(10));
    // Without `columns` there are none, as in Pinot.
    let bare = ok(client, &format!("/segments/visits/metadata?segments={sealed}")).await;
    assert_eq!((bare.as_object().unwrap().len(), &bare[&sealed]["columns"]), (1, &json!([])));
    assert_eq!(client.get("/segments/visits/none/metadata").await.status, 404);

    let view = json!({"OFFLINE": null, "REALTIME": {
        &sealed: {"Server_127.0.0.1_8099": "ONLINE"}, &consuming: {"Server_127.0.0.1_8099": "CONSUMING"}}});
    assert_eq!(ok(client, "/tables/visits/idealstate").await, view);
    assert_eq!(ok(client, "/tables/visits/externalview").await, view);
    let status = ok(client, "/tables/visits/segmentsStatus").await;
    assert_eq!(status[0], json!({"segmentName": sealed, "segmentStatus": "GOOD"}));
    let servers = ok(client, "/segments/visits/servers").await;
    assert_eq!(servers[0]["serverToSegmentsCountMap"], json!({"Server_127.0.0.1_8099": 2}));
    let routing = ok(client, "/debug/routingTable/visits").await;
    assert_eq!(routing["visits_REALTIME"]["Server_127.0.0.1_8099"], json!([sealed, consuming]));
    let indexes = ok(client, "/tables/visits/indexes").await;
    assert_eq!(indexes["totalOnlineSegments"], json!(1));
    assert_eq!(indexes["columnToIndexesCount"]["city"]["inverted_index"], json!(1));
}

#[tokio::test]
async fn segments_are_chosen_by_time() {
    let (fixture, _broker) = fixture().await;
    let client = &fixture.client;
    let (sealed, consuming) = segment_names(client).await;
    // The sealed segment's rows are of 1790000000000 to …099.
    for (parameters, expected) in [
        ("", vec![&sealed, &consuming]),
        ("startTimestamp=1790000000000&endTimestamp=1790000000100", vec![&sealed]),
        ("startTimestamp=1790000000050&endTimestamp=1790000000100", vec![&sealed]),
        ("startTimestamp=1790000000050&endTimestamp=1790000000100&excludeOverlapping=true", vec![]),
        ("endTimestamp=1790000000000", vec![]),
        ("startTimestamp=1790000000100", vec![&consuming]),
    ] {
        let names = ok(client, &format!("/segments/visits?{parameters}")).await;
        assert_eq!(names, json!([{"REALTIME": expected}]), "{parameters}");
    }
    assert_eq!(client.get("/segments/visits?startTimestamp=5&endTimestamp=5").await.status, 400);
    assert_eq!(client.get("/segments/visits?startTimestamp=now").await.status, 400);
}

#[tokio::test]
async fn a_table_tells_how_it_is() {
    let (fixture, _broker) = fixture().await;
    let client = &fixture.client;
    let (sealed, consuming) = segment_names(client).await;
    let healthy = json!({"ingestionState": "HEALTHY", "errorMessage": ""});
    assert_eq!(ok(client, "/tables/visits/status?type=REALTIME").await["ingestionStatus"], healthy);
    assert_eq!(ok(client, "/tables/visits/state?type=REALTIME").await, json!({"state": "enabled"}));
    let created = ok(client, "/tables/visits/stats").await["REALTIME"]["creationTime"].clone();
    assert!(created.as_str().unwrap().ends_with('Z'), "{created}");
    let watermarks = ok(client, "/tables/visits/consumerWatermarks").await;
    assert_eq!(
        watermarks,
        json!({"watermarks": [{"partitionGroupId": 0, "sequenceNumber": 1, "offset": 100}]})
    );
    let rebalance = client.post("/tables/visits/rebalance?dryRun=true", &json!({})).await.json();
    assert_eq!(
        (&rebalance["status"], rebalance["segmentAssignment"].as_object().unwrap().len()),
        (&json!("NO_OP"), 2)
    );

    let debug = ok(client, "/debug/tables/visits").await[0].clone();
    assert_eq!(debug["ingestionStatus"], healthy);
    assert_eq!(
        (&debug["numSegments"], &debug["numServers"], &debug["numBrokers"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(debug["segmentDebugInfos"], json!([]));
    let all = ok(client, "/debug/tables/visits?verbosity=1").await[0].clone();
    let infos = all["segmentDebugInfos"].as_array().unwrap();
    assert_eq!(infos.len(), 2);
    assert_eq!(infos[0]["serverState"]["Server_127.0.0.1_8099"]["externalView"], "ONLINE");
    let one = ok(client, &format!("/debug/segments/visits_REALTIME/{consuming}")).await;
    let state = &one["serverState"]["Server_127.0.0.1_8099"];
    assert_eq!(state["consumerInfo"]["consumerState"], "CONSUMING", "{one}");
    assert_eq!(infos[0]["segmentName"], json!(sealed));

    client.post("/tables/visits/pauseConsumption?comment=tests", &json!({})).await;
    let paused = ok(client, "/tables/visits/status").await["ingestionStatus"].clone();
    assert_eq!(paused["ingestionState"], "UNHEALTHY", "{paused}");
    for path in ["/tables/nothing/status", "/debug/tables/nothing", "/tables/nothing/state"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_reload_is_accepted_and_followed_to_its_end() {
    let (fixture, _broker) = fixture().await;
    let client = &fixture.client;
    let (sealed, _) = segment_names(client).await;
    let need = ok(client, "/segments/visits/needReload?verbose=true").await;
    assert_eq!(need["needReload"], json!(false));
    let status = client.post("/segments/visits/reload", &json!({})).await.json()["status"].clone();
    let by_table: Value = serde_json::from_str(status.as_str().unwrap()).unwrap();
    let job = by_table["visits_REALTIME"]["reloadJobId"].as_str().unwrap();
    let progress = ok(client, &format!("/segments/segmentReloadStatus/{job}")).await;
    assert_eq!((&progress["totalSegmentCount"], &progress["successCount"]), (&json!(2), &json!(2)));
    assert_eq!(client.get("/segments/segmentReloadStatus/none").await.status, 404);
    let one = client.post(&format!("/segments/visits/{sealed}/reload"), &json!({})).await;
    assert!(one.text.contains("Submitted reload job id"), "{}", one.text);
    assert_eq!(client.post("/segments/visits/none/reload", &json!({})).await.status, 404);
}
