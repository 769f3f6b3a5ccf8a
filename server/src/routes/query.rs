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
use tracing::info;

use crate::app::AppState;
use crate::cursors::{CursorTimes, PAGE_ROWS_DEFAULT, Page, Reached};
use crate::error::ApiError;
use crate::http::request::{BodyText, Parameters};
use crate::store::definition::parse_object;
use crate::store::now_ms;

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

/// What came with a query besides its body.
struct Asked {
    headers: HeaderMap,
    reached: Reached,
    parameters: Parameters,
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
    reached: Reached,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let request = from_parameters(&parameters, Stages::Single)?;
    answer(&state, &Asked { headers, reached, parameters }, request).await
}

async fn get_multi(
    state: State<Arc<AppState>>,
    headers: HeaderMap,
    reached: Reached,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let request = from_parameters(&parameters, Stages::Multi)?;
    answer(&state, &Asked { headers, reached, parameters }, request).await
}

async fn post_single(
    state: State<Arc<AppState>>,
    headers: HeaderMap,
    reached: Reached,
    parameters: Parameters,
    body: BodyText,
) -> Result<Response, ApiError> {
    answer(&state, &Asked { headers, reached, parameters }, from_body(&body.0, Stages::Single)?).await
}

async fn post_multi(
    state: State<Arc<AppState>>,
    headers: HeaderMap,
    reached: Reached,
    parameters: Parameters,
    body: BodyText,
) -> Result<Response, ApiError> {
    answer(&state, &Asked { headers, reached, parameters }, from_body(&body.0, Stages::Multi)?).await
}

async fn answer(state: &AppState, asked: &Asked, request: QueryRequest) -> Result<Response, ApiError> {
    let started = Instant::now();
    let page_rows = page_rows(state, asked, &request).await?;
    let mut answer = answer_when_open(state, request).await;
    let code = answer.error_code.unwrap_or(-1);
    state.metrics.query(code, started.elapsed());
    log_failure(&answer);
    if let Some(rows_max) = page_rows
        && answer.error_code.is_none()
        && answer.rows.is_some()
    {
        answer = first_page(state, asked, answer, rows_max)?;
    }
    let wants_status = asked
        .headers
        .get(USE_HTTP_STATUS)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    let status = if wants_status { answer.http_status } else { 200 };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok((status, answer_headers(code), answer.body).into_response())
}

/// Says in the log what the client is told, in the same words. What the client did wrong is not this server's trouble.
fn log_failure(answer: &QueryAnswer) {
    if let (Some(code), Some(error)) = (answer.error_code, &answer.error_message) {
        info!(request_id = answer.request_id, code, error, "query failed");
    }
}

/// Returns the headers of a broker's answer.
pub(super) fn answer_headers(code: i32) -> [(HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (ERROR_CODE, HeaderValue::from(code)),
    ]
}

/// Returns the rows of a page where the answer is to be kept and read page by page: `getCursor` and `numRows` of the
/// address, or Pinot's options `getCursor` and `cursorNumRows`.
async fn page_rows(
    state: &AppState,
    asked: &Asked,
    request: &QueryRequest,
) -> Result<Option<usize>, ApiError> {
    if asked.parameters.flag("getCursor")? {
        let rows: Option<usize> = asked.parameters.number("numRows")?;
        return Ok(Some(rows.filter(|rows| *rows > 0).unwrap_or(PAGE_ROWS_DEFAULT)));
    }
    // Few queries have the option, and taking each apart would cost as much as answering it.
    let may_have = |text: &str| text.to_ascii_lowercase().contains("getcursor");
    if !may_have(&request.sql) && !may_have(&request.options) {
        return Ok(None);
    }
    let options = options_of(state, request).await;
    let option = |name: &str| options.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name));
    if !option("getCursor").is_some_and(|(_, value)| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let Some((_, text)) = option("cursorNumRows") else { return Ok(Some(PAGE_ROWS_DEFAULT)) };
    match text.parse() {
        Ok(rows) if rows > 0 => Ok(Some(rows)),
        Ok(_) | Err(_) => {
            let message = format!("query option `cursorNumRows` is a whole number above 0, not `{text}`");
            Err(ApiError::bad_request(message))
        }
    }
}

/// Returns the options of a request and of its statement; later ones win. A statement that cannot be read has none.
async fn options_of(state: &AppState, request: &QueryRequest) -> Vec<(String, String)> {
    let pairs = request.options.split(';').filter_map(|pair| pair.split_once('='));
    let mut options: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
    if let Ok(inspection) = state.engine.inspect(request.sql.clone()).await {
        options.extend(inspection.options);
    }
    options
}

/// Keeps the answer, and returns it with its first rows only.
fn first_page(
    state: &AppState,
    asked: &Asked,
    answer: QueryAnswer,
    rows_max: usize,
) -> Result<QueryAnswer, ApiError> {
    let began = Instant::now();
    let (request_id, row_count) = (answer.request_id, answer.row_count);
    let kept = state
        .cursors
        .keep(answer, now_ms())
        .map_err(|full| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, full.to_string()))?;
    let write_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let times = CursorTimes { write_ms, fetch_ms: 0 };
    let body = kept.page(Page { offset: 0, rows_max }, times, &asked.reached);
    Ok(QueryAnswer {
        body,
        error_code: None,
        http_status: 200,
        error_message: None,
        row_count,
        rows: None,
        request_id,
    })
}

/// Tables are opened while queries are answered already. A query that names one which is not open yet waits for it: the
/// table does exist.
pub(super) async fn answer_when_open(state: &AppState, request: QueryRequest) -> QueryAnswer {
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
        ..QueryRequest::default()
    })
}

fn from_body(text: &str, stages: Stages) -> Result<QueryRequest, ApiError> {
    let body = parse_object("query", text)?;
    let sql = sql_of(&body)?;
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
    Ok(QueryRequest { sql, options, multistage: stages == Stages::Multi, trace, ..QueryRequest::default() })
}

/// Returns the statement of a body `{"sql": "…"}`.
pub(super) fn sql_of(body: &Value) -> Result<String, ApiError> {
    match body.get("sql") {
        Some(Value::String(sql)) => Ok(sql.clone()),
        None | Some(Value::Null) => {
            Err(ApiError::bad_request("the body has no `sql`: send {\"sql\": \"SELECT …\"}"))
        }
        Some(other) => {
            Err(ApiError::bad_request(format!("`sql` is {}: write the statement as a text", kind(other))))
        }
    }
}
