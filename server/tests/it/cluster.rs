//! What clients ask to find a broker, and what is asked of parts of Pinot that are not here.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::fixture::{Fixture, visits};

#[tokio::test]
async fn every_way_to_find_a_broker_leads_to_this_server() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let client = &fixture.client;
    let mut pair = visits(&broker.bootstrap());
    pair["realtime"]["tenants"] = json!({"broker": "sales", "server": "sales"});
    assert_eq!(client.post("/tableConfigs", &pair).await.status, 200);

    let info =
        json!({"instanceName": "Broker_127.0.0.1_8099", "host": "127.0.0.1", "port": 8099, "grpcPort": -1});
    for (path, expected) in [
        ("/tables/livebrokers", json!({"visits_REALTIME": [info]})),
        ("/tables/livebrokers?tables=visits", json!({"visits_REALTIME": [info]})),
        ("/tables/livebrokers?tables=other", json!({})),
        ("/v2/brokers/tables?state=ONLINE", json!({"visits": [info]})),
        ("/v2/brokers/tables/visits?state=ONLINE", json!([info])),
        ("/v2/brokers/tables/visits?state=OFFLINE", json!([])),
        ("/v2/brokers/tenants?state=ONLINE", json!({"DefaultTenant": [info], "sales": [info]})),
        ("/v2/brokers/tenants/DefaultTenant?state=ONLINE", json!([info])),
        ("/v2/brokers/tenants/sales", json!([info])),
        ("/brokers/tables", json!({"visits": ["Broker_127.0.0.1_8099"]})),
        ("/brokers/tenants/sales", json!(["Broker_127.0.0.1_8099"])),
        (
            "/tables/visits/instances",
            json!({
                "tableName": "visits",
                "brokers": [{"tableType": "realtime", "instances": ["Broker_127.0.0.1_8099"]}],
                "server": [{"tableType": "realtime", "instances": ["Server_127.0.0.1_8099"]}],
            }),
        ),
        ("/instances", json!({"instances": ["Broker_127.0.0.1_8099", "Server_127.0.0.1_8099"]})),
        ("/tenants/sales/tables", json!({"tables": ["visits_REALTIME"]})),
        ("/tenants/DefaultTenant/tables", json!({"tables": []})),
        (
            "/tenants",
            json!({"SERVER_TENANTS": ["DefaultTenant", "sales"], "BROKER_TENANTS": ["DefaultTenant", "sales"]}),
        ),
        ("/databases", json!(["default"])),
        ("/cluster/info", json!({"clusterName": "meunier"})),
        ("/auth/info", json!({"workflow": "NONE"})),
    ] {
        let reply = client.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        assert_eq!(reply.json(), expected, "{path}");
    }
    for path in ["/v2/brokers/tenants/nobody", "/v2/brokers/tables/nothing", "/tables/nothing/instances"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
    let instance = client.get("/instances/Broker_127.0.0.1_8099").await.json();
    assert_eq!(instance["tags"], json!(["DefaultTenant_BROKER", "sales_BROKER"]));
}

#[tokio::test]
async fn a_client_is_sent_to_the_address_that_it_has_reached() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    fixture.client.post("/tableConfigs", &visits(&broker.bootstrap())).await;
    for (host, expected) in [
        ("olap.example:9000", json!(["olap.example", 9000])),
        ("olap.example", json!(["olap.example", 80])),
        ("[::1]:7", json!(["[::1]", 7])),
    ] {
        let request =
            Request::builder().uri("/v2/brokers/tables/visits").header("host", host).body(Body::empty());
        let info = fixture.client.send(request.unwrap()).await.json()[0].clone();
        assert_eq!(json!([info["host"], info["port"]]), expected);
    }
}

#[tokio::test]
async fn probes_under_pinots_names() {
    let fixture = Fixture::new();
    for (path, expected) in [
        ("/health/liveness", "OK"),
        ("/health/readiness", "OK"),
        ("/pinot-controller/admin", "GOOD"),
        ("/auth/verify", "true"),
        ("/uptime", "0"),
        // With a slash at the end it is the same resource.
        ("/health/", "OK"),
    ] {
        let reply = fixture.client.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, expected), "{path}");
    }
    let start = fixture.client.get("/start-time").await.text;
    assert!(start.len() >= 20 && start.contains('T') && start.ends_with('Z'), "{start}");
    fixture.state.begin_stop();
    assert_eq!(fixture.client.get("/health/readiness").await.status, 503);
}

#[tokio::test]
async fn what_only_a_cluster_has_says_what_to_use_instead() {
    let fixture = Fixture::new();
    for (method, path, hint) in [
        ("GET", "/zk/ls?path=/", "/tableConfigs"),
        ("GET", "/tasks/tasktypes", "/ready"),
        ("POST", "/periodictask/run", "/ready"),
        ("GET", "/users", "proxy"),
        ("POST", "/v2/segments", "stream"),
        ("POST", "/segmentConsumed", "inside this process"),
        ("POST", "/cluster/configs", "docs/reference/configuration.md"),
        ("POST", "/instances", "one process"),
        ("PUT", "/segments/visits/visits__0__0__20260101T0000Z", "stream"),
        ("POST", "/query/timeseries", "/query/sql"),
        ("POST", "/sql/ddl", "/tableConfigs"),
    ] {
        let reply = fixture.client.request(method, path, Body::empty()).await;
        assert_eq!(reply.status, 501, "{method} {path}: {}", reply.text);
        let error = reply.json();
        assert_eq!(error["code"], json!(501));
        let message = error["error"].as_str().unwrap();
        assert!(message.contains(hint) && !message.contains('\n'), "{path}: {message}");
    }
}

#[tokio::test]
async fn what_grafana_probes_for_is_not_there() {
    let fixture = Fixture::new();
    for path in ["/mytables", "/timeseries/api/v1/query_range"] {
        assert_eq!(fixture.client.request("HEAD", path, Body::empty()).await.status, 404, "{path}");
    }
}
