use serde_json::{Value, json};

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn answer(request_id: u64, rows: &Value) -> QueryAnswer {
    let rows = rows.to_string();
    let rows = &rows[1..rows.len() - 1];
    let head = r#"{"resultTable":{"dataSchema":{"columnNames":["a"]},"rows":["#;
    let body = format!(r#"{head}{rows}]}},"exceptions":[]}}"#);
    QueryAnswer {
        body: body.into_bytes(),
        error_code: None,
        http_status: 200,
        error_message: None,
        row_count: 0,
        rows: Some(head.len()..head.len() + rows.len()),
        request_id,
    }
}

fn cursors(memory_bytes_max: u64) -> Cursors {
    Cursors::new(CursorConfig { memory_bytes_max, expiration: MINUTE })
}

fn reached() -> Reached {
    Reached { host: "here".to_owned(), port: 1 }
}

fn page(kept: &KeptAnswer, offset: usize, rows_max: usize) -> Value {
    let page = kept.page(Page { offset, rows_max }, CursorTimes::default(), &reached());
    serde_json::from_slice(&page).unwrap()
}

#[test]
fn every_page_is_that_slice_of_the_rows() {
    let rows = json!([["a]\"[,", 1], [["x", "]"], {"k": "}"}], [], ["\\", null], ["é\"", 2.5]]);
    let model = rows.as_array().unwrap();
    let kept = cursors(1 << 20).keep(answer(7, &rows), 0).unwrap();
    assert_eq!(kept.row_count(), model.len());
    for offset in 0..=model.len() {
        for rows_max in 1..=model.len() + 1 {
            let expected: Vec<&Value> = model.iter().skip(offset).take(rows_max).collect();
            let page = page(&kept, offset, rows_max);
            assert_eq!(page["resultTable"]["rows"], json!(expected), "{offset} {rows_max}");
            assert_eq!(page["offset"], json!(offset));
            assert_eq!(page["numRows"], json!(expected.len()));
        }
    }
    let metadata: Value = serde_json::from_slice(&kept.metadata(&reached())).unwrap();
    assert_eq!(metadata.get("resultTable"), None);
    assert_eq!(metadata["numRows"], json!(5));
    assert_eq!(metadata["exceptions"], json!([]));
}

#[test]
fn an_answer_without_rows_has_one_empty_page() {
    let kept = cursors(1 << 20).keep(answer(7, &json!([])), 0).unwrap();
    assert_eq!(page(&kept, 0, 10)["resultTable"]["rows"], json!([]));
}

#[test]
fn what_does_not_fit_is_refused_until_something_goes() {
    let one = answer(1, &json!([[1]]));
    let bytes = cursors(1 << 20).keep(one.clone(), 0).unwrap().memory_bytes();
    let cursors = cursors(bytes * 2);
    cursors.keep(one, 0).unwrap();
    cursors.keep(answer(2, &json!([[2]])), 1).unwrap();
    let refused = cursors.keep(answer(3, &json!([[3]])), 2).unwrap_err();
    assert!(refused.to_string().contains("cursors.memory_max"), "{refused}");
    assert_eq!(cursors.usage(), (2, bytes * 2));
    assert!(cursors.delete(1));
    assert!(!cursors.delete(1));
    cursors.keep(answer(3, &json!([[3]])), 2).unwrap();
}

#[test]
fn an_answer_goes_at_its_time() {
    let cursors = cursors(1 << 20);
    cursors.keep(answer(1, &json!([[1]])), 0).unwrap();
    cursors.keep(answer(2, &json!([[1]])), 1_000).unwrap();
    assert!(cursors.get(1, 59_999).is_some());
    assert!(cursors.get(1, 60_000).is_none());
    assert_eq!(cursors.list(60_000).len(), 1);
    assert_eq!(cursors.delete_expired(i64::MAX), 1);
    assert_eq!(cursors.usage(), (0, 0));
}
