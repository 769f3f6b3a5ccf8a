//! `/responseStore`: answers that are kept, to be read page by page.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::query::answer_headers;
use crate::app::AppState;
use crate::cursors::{CursorTimes, KeptAnswer, PAGE_ROWS_DEFAULT, Page, Reached};
use crate::error::ApiError;
use crate::http::request::{Parameters, PathName};
use crate::store::now_ms;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/responseStore", get(list).delete(delete_expired))
        .route("/responseStore/{id}", get(metadata).delete(delete))
        .route("/responseStore/{id}/results", get(results))
}

async fn list(State(state): State<Arc<AppState>>, reached: Reached) -> Response {
    let mut body = vec![b'['];
    for (position, kept) in state.cursors.list(now_ms()).iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&kept.metadata(&reached));
    }
    body.push(b']');
    (answer_headers(-1), body).into_response()
}

async fn metadata(
    State(state): State<Arc<AppState>>,
    PathName(id): PathName,
    reached: Reached,
) -> Result<Response, ApiError> {
    Ok((answer_headers(-1), kept_answer(&state, &id)?.metadata(&reached)).into_response())
}

async fn results(
    State(state): State<Arc<AppState>>,
    PathName(id): PathName,
    reached: Reached,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let began = Instant::now();
    let kept = kept_answer(&state, &id)?;
    let offset = parameters.number("offset")?.unwrap_or(0);
    let rows_max = parameters.number("numRows")?.filter(|rows| *rows > 0).unwrap_or(PAGE_ROWS_DEFAULT);
    if offset > 0 && offset >= kept.row_count() {
        let message = format!("`offset` is {offset} and the answer has {} rows", kept.row_count());
        return Err(ApiError::bad_request(message));
    }
    let fetch_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let times = CursorTimes { write_ms: 0, fetch_ms };
    Ok((answer_headers(-1), kept.page(Page { offset, rows_max }, times, &reached)).into_response())
}

async fn delete(State(state): State<Arc<AppState>>, PathName(id): PathName) -> Result<Response, ApiError> {
    let deleted = id.parse().is_ok_and(|id| state.cursors.delete(id));
    if deleted { Ok(words(format!("Query Results for {id} deleted."))) } else { Err(not_kept(&id)) }
}

async fn delete_expired(
    State(state): State<Arc<AppState>>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let cutoff_ms = parameters.number("expiredBefore")?.unwrap_or_else(now_ms);
    let count = state.cursors.delete_expired(cutoff_ms);
    Ok(words(format!("Deleted {count} expired response(s).")))
}

/// Pinot says these words as they are, and calls them JSON.
pub(super) fn words(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn kept_answer(state: &AppState, id: &str) -> Result<Arc<KeptAnswer>, ApiError> {
    let kept = id.parse().ok().and_then(|id| state.cursors.get(id, now_ms()));
    kept.ok_or_else(|| not_kept(id))
}

fn not_kept(id: &str) -> ApiError {
    let shown: String = id.chars().take(100).collect();
    ApiError::not_found(format!(
        "no answer is kept for request `{shown}`: it was never asked with a cursor, was deleted, or has expired"
    ))
}
