//! Looking at statements without answering them: their syntax, their tables, their plan, and both dialects side by side.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use meunier_query::{QueryErrorCode, QueryRequest};
use serde_json::{Value, json};

use super::query::{answer_when_open, sql_of};
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::BodyText;
use crate::store::definition::parse_object;

/// Statements that one request may bring.
const STATEMENTS_MAX: usize = 100;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/query/sql/validateSyntax", post(validate_syntax))
        .route("/query/tableNames", post(table_names))
        .route("/validateMultiStageQuery", post(validate_multistage))
        .route("/query/compare", post(compare))
}

async fn validate_syntax(
    State(state): State<Arc<AppState>>,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let sql = sql_of(&parse_object("query", &text)?)?;
    Ok(Json(match state.engine.inspect(sql).await {
        Ok(_) => json!({"valid": true, "sqlType": "DQL"}),
        Err(error) => json!({"valid": false, "errorMessage": error.message()}),
    }))
}

/// Takes `["SELECT …", …]` and returns the tables that they name.
async fn table_names(
    State(state): State<Arc<AppState>>,
    BodyText(text): BodyText,
) -> Result<Json<BTreeSet<String>>, ApiError> {
    let statements: Vec<String> = serde_json::from_str(&text)
        .map_err(|error| ApiError::bad_request(format!("the body is no list of statements: {error}")))?;
    check_count(statements.len())?;
    let mut tables = BTreeSet::new();
    for sql in statements {
        let inspected = state.engine.inspect(sql).await;
        tables.extend(inspected.map_err(|error| ApiError::bad_request(error.message()))?.tables);
    }
    Ok(Json(tables))
}

async fn validate_multistage(
    State(state): State<Arc<AppState>>,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let body = parse_object("query", &text)?;
    let several = body.get("sqls").and_then(Value::as_array).filter(|several| !several.is_empty());
    let statements = match several {
        None => vec![sql_of(&body)?],
        Some(several) => several.iter().map(|sql| sql_of(&json!({"sql": sql}))).collect::<Result<_, _>>()?,
    };
    check_count(statements.len())?;
    let mut answers = Vec::new();
    for sql in statements {
        let request =
            QueryRequest { sql: sql.clone(), multistage: true, explain: true, ..QueryRequest::default() };
        let answer = answer_when_open(&state, request).await;
        answers.push(json!({
            "compiledSuccessfully": answer.error_code.is_none(),
            "errorMessage": answer.error_message,
            "errorCode": answer.error_code.map(code_name),
            "sql": sql,
        }));
    }
    Ok(Json(Value::Array(answers)))
}

fn check_count(count: usize) -> Result<(), ApiError> {
    if count <= STATEMENTS_MAX {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("{count} statements at once, at most {STATEMENTS_MAX} are looked at")))
}

/// Returns the name that Pinot's clients know a code by.
fn code_name(code: i32) -> &'static str {
    let names = [
        (QueryErrorCode::JsonParsing, "JSON_PARSING"),
        (QueryErrorCode::SqlParsing, "SQL_PARSING"),
        (QueryErrorCode::TableDoesNotExist, "TABLE_DOES_NOT_EXIST"),
        (QueryErrorCode::QueryExecution, "QUERY_EXECUTION"),
        (QueryErrorCode::ServerOutOfCapacity, "SERVER_OUT_OF_CAPACITY"),
        (QueryErrorCode::QuerySchedulingTimeout, "QUERY_SCHEDULING_TIMEOUT"),
        (QueryErrorCode::ServerResourceLimitExceeded, "SERVER_RESOURCE_LIMIT_EXCEEDED"),
        (QueryErrorCode::ExecutionTimeout, "EXECUTION_TIMEOUT"),
        (QueryErrorCode::Internal, "INTERNAL"),
        (QueryErrorCode::QueryCancellation, "QUERY_CANCELLATION"),
        (QueryErrorCode::QueryValidation, "QUERY_VALIDATION"),
        (QueryErrorCode::UnknownColumn, "UNKNOWN_COLUMN"),
        (QueryErrorCode::QueryPlanning, "QUERY_PLANNING"),
    ];
    names.into_iter().find(|(known, _)| known.number() == code).map_or("UNKNOWN", |(_, name)| name)
}

/// Answers one statement, or one for each dialect, in both, and says where the answers differ.
async fn compare(
    State(state): State<Arc<AppState>>,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let body = parse_object("query", &text)?;
    let of_dialect = |key: &str| match body.get(key) {
        Some(sql) => sql_of(&json!({"sql": sql})),
        None => sql_of(&body),
    };
    let (single, multi) = (of_dialect("sqlV1")?, of_dialect("sqlV2")?);
    let mut answers = Vec::new();
    for (sql, multistage) in [(single, false), (multi, true)] {
        let request = QueryRequest { sql, multistage, ..QueryRequest::default() };
        let answer = answer_when_open(&state, request).await;
        answers.push(serde_json::from_slice::<Value>(&answer.body).unwrap_or_default());
    }
    let differences = differences(&answers[0], &answers[1]);
    let [single, multi] = <[Value; 2]>::try_from(answers).expect("one answer of each dialect was pushed");
    Ok(Json(json!({"v1Response": single, "v2Response": multi, "comparisonAnalysis": differences})))
}

fn differences(single: &Value, multi: &Value) -> Vec<String> {
    let failed = |answer: &Value| answer["exceptions"] != json!([]);
    if failed(single) || failed(multi) {
        return vec!["at least one of the two dialects answered with an exception".to_owned()];
    }
    let types = |answer: &Value| answer["resultTable"]["dataSchema"]["columnDataTypes"].clone();
    let count = |answer: &Value| answer["numRowsResultSet"].clone();
    let rows = |answer: &Value| answer["resultTable"]["rows"].clone();
    let mut differences = Vec::new();
    if types(single) != types(multi) {
        differences.push(format!("types of the columns: v1 {}, v2 {}", types(single), types(multi)));
    }
    if count(single) != count(multi) {
        differences.push(format!("number of rows: v1 {}, v2 {}", count(single), count(multi)));
    } else if count(single) == json!(1) && rows(single) != rows(multi) {
        // More rows may come in any order.
        differences.push(format!("values: v1 {}, v2 {}", rows(single), rows(multi)));
    }
    differences
}
