//! `/query/sql`, `/sql` and `/query`: SQL in, Pinot's answer out.
//!
//! A query that fails is answered with status 200 and its exception, as Pinot does, unless the client asks for real
//! statuses. A request that holds no query is refused in Pinot's error shape.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use meunier_query::{QueryAnswer, QueryErrorCode, QueryRequest};
use meunier_segment::json_reader::{kind, scalar_text};
use serde_json::Value;

use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{BodyText, Parameters};
use crate::store::definition::parse_object;

/// Carries the first exception's code, or -1.
const ERROR_CODE: HeaderName = HeaderName::from_static("x-pinot-error-code");
/// Asks for the exception's own HTTP status.
const USE_HTTP_STATUS: HeaderName = HeaderName::from_static("pinot-use-http-status-for-errors");

/// A query waits so long for its table to open, which takes longer only where serving files are made anew.
const OPENING_WAIT_MAX: Duration = Duration::from_secs(10);
const OPENING_POLL: Duration = Duration::from_millis(10);

/// Which of Pinot's two dialects a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stages {
    Single,
    Multi,
}

pub(super) fn router() -> Router<Arc<AppState>> {
    let single = || get(get_single).post(post_single);
    Router::new()
        .route("/query/sql", single())
        .route("/sql", single())
        .route("/query", get(get_multi).post(post_multi))
}

async fn get_single(
    state: State<Arc<AppState>>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    answer(&state, &headers, from_parameters(&parameters, Stages::Single)?).await
}

async fn get_multi(
    state: State<Arc<AppState>>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    answer(&state, &headers, from_parameters(&parameters, Stages::Multi)?).await
}

async fn post_single(
    state: State<Arc<AppState>>,
    headers: HeaderMap,
    body: BodyText,
) -> Result<Response, ApiError> {
    answer(&state, &headers, from_body(&body.0, Stages::Single)?).await
}

async fn post_multi(
    state: State<Arc<AppState>>,
    headers: HeaderMap,
    body: BodyText,
) -> Result<Response, ApiError> {
    answer(&state, &headers, from_body(&body.0, Stages::Multi)?).await
}

async fn answer(state: &AppState, headers: &HeaderMap, request: QueryRequest) -> Result<Response, ApiError> {
    let started = Instant::now();
    let answer = answer_when_open(state, request).await;
    let code = answer.error_code.unwrap_or(-1);
    state.metrics.query(code, started.elapsed());
    let wants_status =
        headers.get(USE_HTTP_STATUS).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    let status = if wants_status { answer.http_status } else { 200 };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (ERROR_CODE, HeaderValue::from(code)),
    ];
    Ok((status, headers, answer.body).into_response())
}

/// Tables are opened while queries are answered already. A query that names one which is not open yet waits for it: the
/// table does exist.
async fn answer_when_open(state: &AppState, request: QueryRequest) -> QueryAnswer {
    let began = Instant::now();
    loop {
        // Looked at first: a table that opens during the query is found by the next one.
        let is_loaded = state.store.is_loaded();
        let answer = state.engine.query(state.store.queries(), request.clone()).await;
        let misses_a_table = answer.error_code == Some(QueryErrorCode::TableDoesNotExist.number());
        if !misses_a_table || is_loaded || began.elapsed() > OPENING_WAIT_MAX {
            return answer;
        }
        tokio::time::sleep(OPENING_POLL).await;
    }
}

fn from_parameters(parameters: &Parameters, stages: Stages) -> Result<QueryRequest, ApiError> {
    let Some(sql) = parameters.get("sql") else {
        return Err(ApiError::bad_request("the parameter `sql` is missing: ask with ?sql=SELECT…"));
    };
    Ok(QueryRequest {
        sql: sql.to_owned(),
        options: parameters.get("queryOptions").unwrap_or_default().to_owned(),
        multistage: stages == Stages::Multi,
        trace: parameters.flag("trace")?,
    })
}

fn from_body(text: &str, stages: Stages) -> Result<QueryRequest, ApiError> {
    let body = parse_object("query", text)?;
    let sql = match body.get("sql") {
        Some(Value::String(sql)) => sql.clone(),
        None | Some(Value::Null) => {
            return Err(ApiError::bad_request("the body has no `sql`: send {\"sql\": \"SELECT …\"}"));
        }
        Some(other) => {
            return Err(ApiError::bad_request(format!(
                "`sql` is {}: write the statement as a text",
                kind(other)
            )));
        }
    };
    let options = match body.get("queryOptions") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(options)) => options.clone(),
        Some(other) => {
            let message =
                format!("`queryOptions` is {}: write a text such as \"timeoutMs=1000\"", kind(other));
            return Err(ApiError::bad_request(message));
        }
    };
    let trace = match body.get("trace").filter(|trace| !trace.is_null()) {
        None => false,
        Some(trace) => match scalar_text(trace).map(|text| text.to_ascii_lowercase()).as_deref() {
            Some("true") => true,
            Some("false") => false,
            Some(_) | None => return Err(ApiError::bad_request("`trace` is neither true nor false")),
        },
    };
    Ok(QueryRequest { sql, options, multistage: stages == Stages::Multi, trace })
}
