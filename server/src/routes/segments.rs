//! `/segments/{t}`: the names of a table's segments.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::tables::wants_realtime;
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{Parameters, PathName};

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new().route("/segments/{name}", get(list))
}

async fn list(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let (_, table) = state.store.open_table(&name)?;
    if !wants_realtime(&parameters)? {
        return Ok(Json(json!([])));
    }
    let names: Vec<String> =
        table.live.snapshot().segments().map(|segment| segment.name().to_string()).collect();
    Ok(Json(json!([{"REALTIME": names}])))
}
