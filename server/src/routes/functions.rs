//! What queries may call.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::AppState;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new().route("/functions", get(functions))
}

async fn functions() -> Json<Value> {
    let described = meunier_functions::descriptions().map(|function| {
        json!({
            "name": function.name,
            "aliases": function.aliases,
            "signature": function.signature,
            "group": function.group.to_string(),
            "description": function.text,
        })
    });
    Json(described.collect())
}
