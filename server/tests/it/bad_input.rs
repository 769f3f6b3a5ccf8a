//! Requests that are wrong in every way we could think of: each gets a clear answer, and the next one is served.

use axum::body::{Body, Bytes};
use axum::http::Request;
use expect_test::{Expect, expect};
use futures::stream;
use serde_json::{Value, json};

use crate::fixture::{Fixture, visits};

async fn check(method: &str, path: &str, body: impl Into<Body>, expected: Expect) {
    let fixture = Fixture::new();
    let reply = fixture.client.request(method, path, body).await;
    expected.assert_eq(&reply.shown());
    assert_eq!(fixture.client.get("/health").await.text, "OK");
}

#[tokio::test]
async fn a_body_that_is_no_json_says_where() {
    check(
        "POST",
        "/query/sql",
        "{\"sql\": \"SELECT 1\",\n nope}",
        expect![[r#"
            400 {
              "code": 400,
              "error": "invalid query: not valid JSON at line 2, column 2: key must be a string",
              "problems": [
                {
                  "path": "",
                  "message": "not valid JSON at line 2, column 2: key must be a string"
                }
              ]
            }"#]],
    )
    .await;
}

#[tokio::test]
async fn a_query_without_sql_is_refused() {
    let fixture = Fixture::new();
    for (path, body) in
        [("/query/sql", "{}"), ("/sql", "{\"sql\": null}"), ("/query", "{\"query\": \"SELECT 1\"}")]
    {
        let reply = fixture.client.request("POST", path, body).await;
        let error = "the body has no `sql`: send {\"sql\": \"SELECT …\"}";
        assert_eq!((reply.status.as_u16(), reply.json()), (400, json!({"code": 400, "error": error})));
    }
    check(
        "GET",
        "/query/sql?queryOptions=timeoutMs=1",
        Body::empty(),
        expect![[r#"
            400 {
              "code": 400,
              "error": "the parameter `sql` is missing: ask with ?sql=SELECT…"
            }"#]],
    )
    .await;
}

#[tokio::test]
async fn values_of_a_wrong_kind_are_named() {
    let fixture = Fixture::new();
    for body in [
        "[]",
        "1",
        "null",
        "\"SELECT 1\"",
        "",
        "{\"sql\": 1}",
        "{\"sql\": [\"SELECT 1\"]}",
        "{\"sql\": \"SELECT 1\", \"queryOptions\": {}}",
        "{\"sql\": \"SELECT 1\", \"trace\": \"yes\"}",
        "{\"sql\": \"SELECT 1\", \"trace\": []}",
    ] {
        for path in ["/query/sql", "/query", "/sql"] {
            let reply = fixture.client.request("POST", path, body).await;
            assert_eq!(reply.status, 400, "{path} {body}: {}", reply.text);
            assert!(reply.json()["error"].as_str().is_some_and(|error| error.len() > 10));
        }
    }
    for path in [
        "/schemas",
        "/schemas/validate",
        "/tables",
        "/tables/validate",
        "/tableConfigs",
        "/tableConfigs/validate",
    ] {
        for body in [
            "[]",
            "",
            "{",
            "{}",
            "null",
            "{\"schemaName\": 1}",
            "{\"tableName\": {}, \"schema\": 1, \"realtime\": 2}",
        ] {
            let reply = fixture.client.request("POST", path, body).await;
            assert_eq!(reply.status, 400, "{path} {body}: {}", reply.text);
        }
    }
    assert_eq!(fixture.client.get("/tables").await.json(), json!({"tables": []}));
    assert_eq!(fixture.client.get("/schemas").await.json(), json!([]));
}

#[tokio::test]
async fn a_query_that_fails_is_http_200_unless_real_statuses_are_asked_for() {
    let fixture = Fixture::new();
    for (sql, code, status) in [
        ("SELECT * FROM nothing", 190, 404),
        ("SELEC 1", 150, 400),
        ("DROP TABLE x", 150, 400),
        ("", 150, 400),
    ] {
        let body = json!({"sql": sql}).to_string();
        let reply = fixture.client.request("POST", "/query/sql", body.clone()).await;
        assert_eq!(reply.status, 200, "{sql}");
        assert_eq!(reply.json()["exceptions"][0]["errorCode"], json!(code), "{sql}");
        assert_eq!(reply.headers["x-pinot-error-code"], code.to_string(), "{sql}");
        let request = Request::post("/query/sql").header("Pinot-Use-Http-Status-For-Errors", "true");
        let reply = fixture.client.send(request.body(body.into()).unwrap()).await;
        assert_eq!(reply.status, status, "{sql}");
    }
}

#[tokio::test]
async fn names_with_tricks_reach_no_file_and_no_table() {
    let fixture = Fixture::new();
    for name in [
        "..",
        "../x",
        "..%2Fx",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "x%00y",
        "x%0ay",
        "%2F",
        "CON",
        "x%20y",
        "-rf",
        ".hidden",
        "%F0%9F%98%80",
        "a__b",
        "x;y",
        "x%22y",
        "<img>",
        "$(reboot)",
        "_REALTIME",
        "x_OFFLINE",
    ] {
        let name = name.replace('<', "%3C").replace('>', "%3E");
        for path in [
            "/tables/{}",
            "/tables/{}/schema",
            "/tables/{}/size",
            "/segments/{}",
            "/schemas/{}",
            "/tableConfigs/{}",
        ] {
            let path = path.replace("{}", &name);
            for method in ["GET", "DELETE"] {
                let reply = fixture.client.request(method, &path, Body::empty()).await;
                let refused = [404, 405, 501].contains(&reply.status.as_u16());
                assert!(refused, "{method} {path}: {} {}", reply.status, reply.text);
                assert_eq!(reply.json()["code"], json!(reply.status.as_u16()));
            }
        }
    }
    for name in ["..", "../x", "a/b", "", " ", "a b", "a\u{0}b", "é", &"a".repeat(500), "a.b.c/../d"] {
        let mut pair = visits("127.0.0.1:1");
        pair["schema"]["schemaName"] = name.into();
        pair["realtime"]["tableName"] = name.into();
        pair["tableName"] = name.into();
        let reply = fixture.client.post("/tableConfigs?force=true", &pair).await;
        assert_eq!(reply.status, 400, "{name:?}: {}", reply.text);
        let reply = fixture.client.post("/schemas", &pair["schema"]).await;
        assert_eq!(reply.status, 400, "{name:?}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_huge_body_is_refused_announced_or_not() {
    let fixture = Fixture::with(|config| config.http.body_bytes_max = 1_000);
    let announced =
        Request::post("/query/sql").header("content-length", "5000000").body(Body::from("{}")).unwrap();
    assert_eq!(fixture.client.send(announced).await.status, 413);
    let parts = (0..100).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 100])));
    let streamed = Request::post("/query/sql").body(Body::from_stream(stream::iter(parts))).unwrap();
    let reply = fixture.client.send(streamed).await;
    assert_eq!(reply.status, 413);
    assert_eq!(
        reply.json()["error"],
        "the body is larger than 1000 bytes, the limit set by `http.body_bytes_max`"
    );
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let fixture = Fixture::with(|config| config.http.body_timeout = std::time::Duration::from_millis(50));
    let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let reply = fixture.client.send(Request::post("/query/sql").body(endless).unwrap()).await;
    assert_eq!(reply.status, 408);
}

#[tokio::test]
async fn the_content_type_matters_only_where_the_body_is_not_the_json() {
    let fixture = Fixture::new();
    for kind in [
        None,
        Some("application/json; charset=utf-8"),
        Some("application/x-www-form-urlencoded"),
        Some("text/plain"),
    ] {
        let mut request = Request::post("/query/sql");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let reply =
            fixture.client.send(request.body(json!({"sql": "SELECT 1"}).to_string().into()).unwrap()).await;
        assert_eq!(reply.status, 200, "{kind:?}");
    }
    for (header, value, status) in [
        ("content-type", "multipart/mixed; boundary=x", 415),
        ("content-type", "multipart/form-data", 415),
        // A form that is none.
        ("content-type", "multipart/form-data; boundary=x", 400),
        ("content-encoding", "gzip", 415),
    ] {
        let request = Request::post("/schemas").header(header, value).body(Body::from("{}")).unwrap();
        assert_eq!(fixture.client.send(request).await.status, status, "{value}");
    }
    let request = Request::post("/query/sql").body(Body::from(vec![b'{', 0xff, b'}'])).unwrap();
    assert_eq!(fixture.client.send(request).await.status, 400);
}

#[tokio::test]
async fn unknown_paths_and_methods_have_pinots_error_shape() {
    let expected = expect![[r#"
        404 {
          "code": 404,
          "error": "there is no `GET /nothing/here`; GET / lists what there is"
        }"#]];
    check("GET", "/nothing/here", Body::empty(), expected).await;
    let expected = expect![[r#"
        405 {
          "code": 405,
          "error": "`/health` does not take PATCH; GET / lists what there is"
        }"#]];
    check("PATCH", "/health", Body::empty(), expected).await;
}

#[tokio::test]
async fn parameters_that_are_no_booleans_or_types_are_refused() {
    let fixture = Fixture::new();
    let pair = visits("127.0.0.1:1");
    assert_eq!(fixture.client.post("/tableConfigs?force=maybe", &pair).await.status, 400);
    assert_eq!(fixture.client.post("/schemas?override=2", &pair["schema"]).await.status, 400);
    assert_eq!(fixture.client.get("/tables?type=HYBRID").await.status, 400);
    assert_eq!(fixture.client.get("/tables/forceCommitStatus/x").await.status, 404);
    assert_eq!(fixture.client.get("/tables/forceCommitStatus/99999999999999999999").await.status, 404);
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let fixture = Fixture::new();
    let ask = async |origin: &str| {
        let request =
            Request::post("/tables/x/forceCommit").header("host", "127.0.0.1:8099").header("origin", origin);
        fixture.client.send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(ask("https://evil.example").await, 403);
    assert_eq!(ask("null").await, 403);
    assert_eq!(ask("http://127.0.0.1:8099").await, 404);
}

#[tokio::test]
async fn all_problems_of_both_documents_come_at_once() {
    let mut pair = visits("127.0.0.1:1");
    pair["schema"]["metricFieldSpecs"][0]["dataType"] = "LONGG".into();
    pair["realtime"]["segmentsConfig"]["replication"] = "none".into();
    pair["realtime"]["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0]["stream.kafka.broker.list"] =
        Value::Null;
    let fixture = Fixture::new();
    let reply = fixture.client.post("/tableConfigs", &pair).await;
    let problems = reply.json()["problems"].clone();
    let places: Vec<&str> =
        problems.as_array().unwrap().iter().map(|p| p["path"].as_str().unwrap()).collect();
    expect![[r#"
        [
            "/schema/metricFieldSpecs/0/dataType",
            "/realtime/segmentsConfig/replication",
            "/realtime/ingestionConfig/streamIngestionConfig/streamConfigMaps/0/stream.kafka.broker.list",
        ]
    "#]]
    .assert_debug_eq(&places);
}
