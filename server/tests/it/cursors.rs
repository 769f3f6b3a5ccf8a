//! Answers that are read page by page.

use serde_json::{Value, json};

use crate::fixture::{Client, Fixture, produce_visits, visits};

const SQL: &str = "SELECT n FROM visits ORDER BY n LIMIT 1000";

async fn fixture(rows: i64, memory_bytes_max: u64) -> (Fixture, meunier_ingest::EmbeddedBroker) {
    let broker = meunier_ingest::EmbeddedBroker::start(&[("visits", 1)]).unwrap();
    let fixture = Fixture::with(|config| {
        config.ingest.embedded_broker = Some(broker.bootstrap());
        config.cursors.memory_bytes_max = memory_bytes_max;
    });
    assert_eq!(fixture.client.post("/tableConfigs", &visits(&broker.bootstrap())).await.status, 200);
    produce_visits(&broker.bootstrap(), 1, 0..rows);
    fixture.client.await_rows("SELECT COUNT(*) FROM visits", &json!([[rows]])).await;
    (fixture, broker)
}

fn numbers(answer: &Value) -> Vec<i64> {
    let rows = answer["resultTable"]["rows"].as_array().unwrap();
    rows.iter().map(|row| row[0].as_i64().unwrap()).collect()
}

async fn page(client: &Client, id: &str, offset: usize, rows: usize) -> Value {
    let reply = client.get(&format!("/responseStore/{id}/results?offset={offset}&numRows={rows}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.headers["x-pinot-error-code"], "-1");
    reply.json()
}

#[tokio::test]
async fn pages_of_an_answer_are_the_answer() {
    let (fixture, _broker) = fixture(25, 1 << 20).await;
    let client = &fixture.client;
    let whole = client.post("/query/sql", &json!({"sql": SQL})).await.json();
    let first = client.post("/query/sql?getCursor=true&numRows=10", &json!({"sql": SQL})).await.json();
    assert_eq!(numbers(&first), (0..10).collect::<Vec<_>>());
    let id = first["requestId"].as_str().unwrap().to_owned();
    let mut paged = numbers(&first);
    // New rows do not reach an answer that was given before.
    for offset in [10, 20] {
        let page = page(client, &id, offset, 10).await;
        assert_eq!((&page["offset"], &page["numRowsResultSet"]), (&json!(offset), &json!(25)), "{page}");
        assert_eq!(page["resultTable"]["dataSchema"], whole["resultTable"]["dataSchema"]);
        paged.extend(numbers(&page));
    }
    assert_eq!(paged, numbers(&whole));
    assert_eq!(page(client, &id, 20, 10).await["numRows"], json!(5));
    assert_eq!(client.get(&format!("/responseStore/{id}/results?offset=25&numRows=1")).await.status, 400);

    // Pinot's fields in Pinot's order, after those of any answer.
    let keys: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(
        keys[keys.len() - 9..],
        [
            "offset",
            "numRows",
            "cursorResultWriteTimeMs",
            "cursorFetchTimeMs",
            "submissionTimeMs",
            "expirationTimeMs",
            "brokerHost",
            "brokerPort",
            "bytesWritten"
        ]
    );
    let (submitted, expires) = (&first["submissionTimeMs"], &first["expirationTimeMs"]);
    assert_eq!(expires.as_i64().unwrap() - submitted.as_i64().unwrap(), 3_600_000);
}

#[tokio::test]
async fn kept_answers_are_listed_and_deleted() {
    let (fixture, _broker) = fixture(3, 1 << 20).await;
    let client = &fixture.client;
    // Options say the same as the address.
    let sql = format!("SET getCursor = true; SET cursorNumRows = 2; {SQL}");
    let first = client.post("/query", &json!({"sql": sql})).await.json();
    assert_eq!(numbers(&first), [0, 1]);
    let id = first["requestId"].as_str().unwrap();
    let metadata = client.get(&format!("/responseStore/{id}/")).await.json();
    assert_eq!((metadata.get("resultTable"), &metadata["numRows"]), (None, &json!(3)));
    let list = client.get("/responseStore").await.json();
    assert_eq!(list, json!([metadata]));
    let metrics = client.get("/metrics").await.text;
    assert!(metrics.contains("\nmeunier_cursors_kept{} 1.0\n"), "{metrics}");

    let path = format!("/responseStore/{id}");
    assert_eq!(client.request("DELETE", &path, "").await.text, format!("Query Results for {id} deleted."));
    for method in ["GET", "DELETE"] {
        let gone = client.request(method, &path, "").await;
        assert_eq!((gone.status.as_u16(), &gone.json()["code"]), (404, &json!(404)));
    }
    assert_eq!(client.get("/responseStore").await.json(), json!([]));

    client.post("/query/sql?getCursor=true", &json!({"sql": SQL})).await;
    let none = client.request("DELETE", "/responseStore", "").await;
    assert_eq!(none.text, "Deleted 0 expired response(s).");
    let later = client.request("DELETE", "/responseStore?expiredBefore=99999999999999", "").await;
    assert_eq!(later.text, "Deleted 1 expired response(s).");
}

#[tokio::test]
async fn an_answer_without_rows_and_one_that_failed() {
    let (fixture, _broker) = fixture(1, 1 << 20).await;
    let client = &fixture.client;
    let sql = "SELECT n FROM visits WHERE n < 0";
    let empty = client.post("/query/sql?getCursor=true&numRows=5", &json!({"sql": sql})).await.json();
    assert_eq!((numbers(&empty), &empty["numRows"]), (vec![], &json!(0)));
    let id = empty["requestId"].as_str().unwrap();
    assert_eq!(numbers(&page(client, id, 0, 5).await), Vec::<i64>::new());

    let failed =
        client.post("/query/sql?getCursor=true", &json!({"sql": "SELECT m FROM visits"})).await.json();
    assert_eq!(failed["exceptions"][0]["errorCode"], json!(710));
    assert_eq!(client.get("/responseStore").await.json().as_array().unwrap().len(), 1);
    for wrong in ["getCursor=perhaps", "getCursor=true&numRows=few"] {
        let reply = client.post(&format!("/query/sql?{wrong}"), &json!({"sql": sql})).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
}

#[tokio::test]
async fn no_answer_is_kept_beyond_the_memory_for_them() {
    let (fixture, _broker) = fixture(5, 6_000).await;
    let client = &fixture.client;
    let mut ids = Vec::new();
    let refused = loop {
        let reply = client.post("/query/sql?getCursor=true", &json!({"sql": SQL})).await;
        if reply.status != 200 {
            break reply;
        }
        ids.push(reply.json()["requestId"].as_str().unwrap().to_owned());
    };
    assert_eq!(refused.status, 503);
    assert!(refused.text.contains("cursors.memory_max"), "{}", refused.text);
    assert!(!ids.is_empty());
    // Those that were promised are still there.
    for id in &ids {
        assert_eq!(page(client, id, 0, 5).await["numRows"], json!(5));
    }
    client.request("DELETE", &format!("/responseStore/{}", ids[0]), "").await;
    assert_eq!(client.post("/query/sql?getCursor=true", &json!({"sql": SQL})).await.status, 200);
}
