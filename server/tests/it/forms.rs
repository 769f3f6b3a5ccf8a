//! Documents that come in forms, as Pinot's own tools send them.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::fixture::{Fixture, visits};

#[tokio::test]
async fn a_schema_may_come_as_a_file_of_a_form() {
    let fixture = Fixture::new();
    let schema = visits("")["schema"].to_string();
    // As `curl -F schema=@visits.json` and Pinot's own tools send it.
    let form = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"schema\"; filename=\"visits.json\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{schema}\r\n--edge--\r\n"
    );
    for path in ["/schemas/validate", "/schemas"] {
        let request = Request::post(path).header("content-type", "multipart/form-data; boundary=edge");
        let reply = fixture.client.send(request.body(Body::from(form.clone())).unwrap()).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    }
    assert_eq!(fixture.client.get("/schemas").await.json(), json!(["visits"]));
    let request =
        Request::put("/schemas/visits").header("content-type", "multipart/form-data; boundary=edge");
    assert_eq!(fixture.client.send(request.body(Body::from(form)).unwrap()).await.status, 200);
    let info = fixture.client.get("/schemas/info").await.json();
    assert_eq!(
        info,
        json!({"schemasInfo": [{
            "schemaName": "visits",
            "numDimensionFields": 1,
            "numDateTimeFields": 1,
            "numMetricFields": 1,
            "numComplexFields": 0,
        }]})
    );
}
