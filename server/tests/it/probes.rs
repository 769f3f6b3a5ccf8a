//! What probes, scrapers and people with a browser ask.

use expect_test::expect;
use serde_json::json;

use crate::fixture::{Fixture, blurred, visits};

#[tokio::test]
async fn health_version_and_ready_of_an_empty_server() {
    let fixture = Fixture::new();
    assert_eq!(fixture.client.get("/health").await.text, "OK");
    assert_eq!(fixture.client.get("/version").await.json(), json!({"meunier": env!("CARGO_PKG_VERSION")}));
    let ready = fixture.client.get("/ready").await;
    assert_eq!(ready.status, 200);
    assert_eq!(
        blurred(&ready.json(), &["uptimeMs"]),
        json!({"status": "ready", "uptimeMs": "<number>", "tables": []})
    );
    fixture.state.begin_stop();
    assert_eq!(fixture.client.get("/ready").await.status, 503);
    assert_eq!(fixture.client.get("/health").await.status, 200);
}

#[tokio::test]
async fn ready_says_why_a_table_does_not_ingest() {
    let fixture = Fixture::new();
    let created = fixture.client.post("/tableConfigs?force=true", &visits("127.0.0.1:1")).await;
    assert_eq!(created.status, 200, "{}", created.text);
    let deadline = std::time::Instant::now() + crate::fixture::DEADLINE;
    let table = loop {
        let table = fixture.client.get("/ready").await.json()["tables"][0].clone();
        if table.get("sourceError").is_some() || std::time::Instant::now() > deadline {
            break table;
        }
        tokio::time::sleep(crate::fixture::POLL).await;
    };
    let reason = table["sourceError"].as_str().expect("the reason is shown");
    assert!(reason.contains("127.0.0.1:1"), "{reason}");
}

#[tokio::test]
async fn metrics_are_openmetrics_with_pinots_names() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let created = fixture.client.post("/tableConfigs", &visits(&broker.bootstrap())).await;
    assert_eq!(created.status, 200, "{}", created.text);
    fixture.client.rows("SELECT COUNT(*) FROM visits").await;
    let reply = fixture.client.get("/metrics").await;
    assert_eq!(reply.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    for line in [
        "meunier_queries_total{code=\"-1\"} 1",
        "meunier_http_requests_total{method=\"POST\",route=\"/tableConfigs\",status=\"200\"} 1",
        "meunier_table_state{table=\"visits\",tableType=\"REALTIME\",state=\"open\"} 1.0",
        "pinot_server_documentCount_Value{table=\"visits\",tableType=\"REALTIME\"} 0.0",
        "# TYPE pinot_server_segmentCount_Value gauge",
    ] {
        assert!(reply.text.contains(line), "no `{line}` in:\n{}", reply.text);
    }
    assert!(reply.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn the_page_says_what_runs_and_runs_nothing_itself() {
    let fixture = Fixture::new();
    let reply = fixture.client.get("/").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    assert!(reply.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(reply.text.contains("meunier table create"));
    assert!(!reply.text.contains("<script"));
}

#[tokio::test]
async fn an_answer_has_pinots_fields_in_pinots_order() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    fixture.client.post("/tableConfigs", &visits(&broker.bootstrap())).await;
    let reply = fixture.client.get("/query/sql?sql=SELECT%20COUNT(*)%20FROM%20visits").await;
    assert_eq!(reply.headers["x-pinot-error-code"], "-1");
    let answer = reply.json();
    let keys: Vec<&String> = answer.as_object().unwrap().keys().take(5).collect();
    expect![[r#"
        [
            "resultTable",
            "numRowsResultSet",
            "partialResult",
            "exceptions",
            "numGroupsLimitReached",
        ]
    "#]]
    .assert_debug_eq(&keys);
    assert_eq!(answer["numServersQueried"], answer["numServersResponded"]);
}
