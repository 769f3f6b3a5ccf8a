//! What surrounds every route: no panic reaches the connection, no foreign web page reaches a route, every request counts.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tracing::debug;

use crate::app::AppState;
use crate::error::ApiError;

/// Turns a panic into a 500 that says nothing of the inside; the panic hook has logged it.
pub(crate) async fn catch_panic(request: Request, next: Next) -> Response {
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answered.unwrap_or_else(|_| internal_error().into_response())
}

/// The answer to a request that met a bug.
pub(crate) fn internal_error() -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error: the server's log has the details")
}

/// Refuses what a browser sends on behalf of another site's page, which could otherwise drop tables on a developer's machine.
pub(crate) async fn refuse_foreign_pages(request: Request, next: Next) -> Response {
    if comes_from_another_site(request.headers()) {
        let message = "requests from pages of other sites are refused: send this from outside a browser";
        return ApiError::new(StatusCode::FORBIDDEN, message).into_response();
    }
    next.run(request).await
}

fn comes_from_another_site(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return false };
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    origin_host.is_none() || origin_host != text(header::HOST)
}

/// Counts the request and sets the headers that every answer has.
pub(crate) async fn count(State(state): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    let route = route.unwrap_or_else(|| "unknown".to_owned());
    debug!(%method, route, status = response.status().as_u16(), "answered");
    state.metrics.http_request(&method, &route, response.status(), started.elapsed());
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
