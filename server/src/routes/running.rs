//! `/queries` and ways to end them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, get};
use axum::{Json, Router};

use super::response_store::words;
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{Parameters, PathName, PathNames};

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/queries", get(list))
        .route("/query/{id}", delete(cancel))
        .route("/query/{broker}/{id}", delete(cancel_at_broker))
        .route("/clientQuery/{id}", delete(cancel_client))
        .route("/clientQuery/{broker}/{id}", delete(cancel_client_at_broker))
}

/// A broker's shape, `{"request id": "statement"}`. Pinot's controller wraps it in the broker's name.
async fn list(State(state): State<Arc<AppState>>) -> Json<BTreeMap<u64, String>> {
    Json(state.engine.running().into_iter().map(|query| (query.request_id, query.sql)).collect())
}

async fn cancel(
    State(state): State<Arc<AppState>>,
    PathName(id): PathName,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    if parameters.flag("client")? {
        return end_client(&state, &id, &parameters);
    }
    end(&state, &id, &parameters)
}

async fn cancel_at_broker(
    State(state): State<Arc<AppState>>,
    PathNames(broker, id): PathNames,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    check_broker(&state, &broker)?;
    end(&state, &id, &parameters)
}

async fn cancel_client(
    State(state): State<Arc<AppState>>,
    PathName(id): PathName,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    end_client(&state, &id, &parameters)
}

async fn cancel_client_at_broker(
    State(state): State<Arc<AppState>>,
    PathNames(broker, id): PathNames,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    check_broker(&state, &broker)?;
    end_client(&state, &id, &parameters)
}

fn check_broker(state: &AppState, broker: &str) -> Result<(), ApiError> {
    if broker == state.broker_name {
        return Ok(());
    }
    let shown: String = broker.chars().take(200).collect();
    Err(ApiError::bad_request(format!("there is no broker `{shown}`, only `{}`", state.broker_name)))
}

fn end(state: &AppState, id: &str, parameters: &Parameters) -> Result<Response, ApiError> {
    let Ok(number) = id.parse() else {
        let shown: String = id.chars().take(100).collect();
        return Err(ApiError::bad_request(format!(
            "`{shown}` is no request id, which is a number; an id that the client chose goes with ?client=true"
        )));
    };
    if !state.engine.cancel(number) {
        return Err(ApiError::not_found(format!(
            "no query `{number}` runs: GET /queries lists those that do"
        )));
    }
    cancelled(state, &format!("Cancelled query: {number}"), parameters)
}

/// Ends every query that was sent with this `clientQueryId`.
fn end_client(state: &AppState, id: &str, parameters: &Parameters) -> Result<Response, ApiError> {
    let shown: String = id.chars().take(100).collect();
    if !state.engine.cancel_client(id) {
        return Err(ApiError::not_found(format!("no query runs whose `clientQueryId` is `{shown}`")));
    }
    cancelled(state, &format!("Cancelled client query: {shown}"), parameters)
}

fn cancelled(state: &AppState, text: &str, parameters: &Parameters) -> Result<Response, ApiError> {
    let servers = match parameters.flag("verbose")? {
        true => format!(" with responses from servers: {{{}=200}}", state.name),
        false => String::new(),
    };
    Ok(words(format!("{text}{servers}")))
}
