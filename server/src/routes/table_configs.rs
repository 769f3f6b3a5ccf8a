//! `/tableConfigs`: schema and table config of a table in one document, created and deleted together.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::schemas::schema_json;
use super::tables::{config_json, create_options};
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{BodyText, Parameters, PathName};
use crate::store::definition::{self, SentPair};

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/tableConfigs", get(list).post(create))
        .route("/tableConfigs/validate", post(validate))
        .route("/tableConfigs/{name}", get(show).put(replace).delete(remove))
}

async fn list(State(state): State<Arc<AppState>>) -> Json<Vec<String>> {
    Json(state.store.catalog().tables().iter().map(|table| table.name.to_string()).collect())
}

async fn show(State(state): State<Arc<AppState>>, PathName(name): PathName) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    let schema = schema_json(&state, &entry.name)?;
    Ok(Json(json!({"tableName": &*entry.name, "schema": schema, "realtime": config_json(&entry)})))
}

async fn create(
    State(state): State<Arc<AppState>>,
    parameters: Parameters,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let options = create_options(&parameters)?;
    let answer = state.blocking(move |state| {
        let sent = definition::parse_pair(&text)?;
        let mut notes = sent.notes();
        for warning in state.store.create(&sent, options)? {
            notes.warn(warning);
        }
        Ok(notes.to_answer(&format!("TableConfigs {} successfully added", sent.table.config.table_name)))
    });
    answer.await.map(Json)
}

async fn replace(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let answer = state.blocking(move |state| {
        let sent = definition::parse_pair(&text)?;
        state.store.update(&name, &sent)?;
        Ok(sent.notes().to_answer(&format!("TableConfigs updated for {}", sent.table.config.table_name)))
    });
    answer.await.map(Json)
}

async fn remove(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    let answer = state.blocking(move |state| {
        let entry = state.store.delete(&name)?;
        state.store.delete_schema(&entry.name)?;
        Ok(json!({"status": format!("Deleted: TableConfigs {}", entry.name)}))
    });
    answer.await.map(Json)
}

async fn validate(BodyText(text): BodyText) -> Result<Json<Value>, ApiError> {
    let sent: SentPair = definition::parse_pair(&text)?;
    let mut answer = json!({
        "tableName": sent.table.config.table_name,
        "schema": sent.schema.schema.to_json(),
        "realtime": sent.table.config.redacted_json(),
    });
    sent.notes().write_into(&mut answer);
    Ok(Json(answer))
}
