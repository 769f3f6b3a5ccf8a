//! `/schemas`: Pinot's schemas, each of which belongs to the table of its name.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use meunier_catalog::SchemaEntry;
use meunier_segment::nearest::did_you_mean;
use serde_json::{Value, json};

use super::elsewhere::not_here;
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::request::{BodyText, Parameters, PathName};
use crate::store::definition;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/schemas", get(list).post(add))
        .route("/schemas/info", get(info))
        .route("/schemas/validate", post(validate))
        .route("/schemas/fieldSpec", get(not_here))
        .route("/schemas/{name}", get(show).put(replace).delete(remove))
}

async fn list(State(state): State<Arc<AppState>>) -> Json<Vec<String>> {
    Json(state.store.catalog().schemas().into_iter().map(|schema| schema.name).collect())
}

/// How many columns of each kind the schemas have. Pinot's name of a kind is in the key of its list.
async fn info(State(state): State<Arc<AppState>>) -> Json<Value> {
    let of_one = |schema: &SchemaEntry| {
        let count = |kind: &str| schema.schema.get(kind).and_then(Value::as_array).map_or(0, Vec::len);
        let time = usize::from(schema.schema.get("timeFieldSpec").is_some_and(Value::is_object));
        json!({
            "schemaName": schema.name,
            "numDimensionFields": count("dimensionFieldSpecs"),
            "numDateTimeFields": count("dateTimeFieldSpecs") + time,
            "numMetricFields": count("metricFieldSpecs"),
            "numComplexFields": count("complexFieldSpecs"),
        })
    };
    let schemas: Vec<Value> = state.store.catalog().schemas().iter().map(of_one).collect();
    Json(json!({"schemasInfo": schemas}))
}

async fn show(State(state): State<Arc<AppState>>, PathName(name): PathName) -> Result<Json<Value>, ApiError> {
    schema_json(&state, &name).map(Json)
}

/// Returns a schema as Pinot gives it back: known keys only, defaults where Pinot has them.
pub(super) fn schema_json(state: &AppState, name: &str) -> Result<Value, ApiError> {
    let (catalog, name) = (state.store.catalog(), definition::without_database(name));
    let Some(entry) = catalog.schema(name) else {
        let names: Vec<String> = catalog.schemas().into_iter().map(|schema| schema.name).collect();
        let hint = did_you_mean(name, names.iter().map(String::as_str));
        let shown: String = name.chars().take(200).collect();
        return Err(ApiError::not_found(format!("schema `{shown}` does not exist{hint}")));
    };
    match definition::read_schema(&entry.schema) {
        Ok(sent) => Ok(sent.schema.to_json().clone()),
        Err(_) => Ok(Value::clone(&entry.schema)),
    }
}

async fn add(
    State(state): State<Arc<AppState>>,
    parameters: Parameters,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    // Pinot's default for `override` is true.
    let may_replace = parameters.get("override").is_none() || parameters.flag("override")?;
    put(&state, text, may_replace).await
}

async fn replace(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    BodyText(text): BodyText,
) -> Result<Json<Value>, ApiError> {
    let sent = definition::parse_schema(&text)?;
    if sent.schema.name() != definition::without_database(&name) {
        let message =
            format!("the path names schema `{name}` and the body `{}`: write one name", sent.schema.name());
        return Err(ApiError::bad_request(message));
    }
    schema_json(&state, &name)?;
    put(&state, text, true).await
}

async fn put(state: &Arc<AppState>, text: String, may_replace: bool) -> Result<Json<Value>, ApiError> {
    let answer = state.blocking(move |state| {
        let sent = definition::parse_schema(&text)?;
        state.store.put_schema(&sent, may_replace)?;
        Ok(sent.notes.to_answer(&format!("{} successfully added", sent.schema.name())))
    });
    answer.await.map(Json)
}

async fn remove(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
) -> Result<Json<Value>, ApiError> {
    schema_json(&state, &name)?;
    let name = definition::without_database(&name).to_owned();
    let status = format!("Schema {name} deleted");
    state.blocking(move |state| state.store.delete_schema(&name)).await?;
    Ok(Json(json!({"status": status})))
}

async fn validate(BodyText(text): BodyText) -> Result<Json<Value>, ApiError> {
    let sent = definition::parse_schema(&text)?;
    let mut answer = sent.schema.to_json().clone();
    sent.notes.write_into(&mut answer);
    Ok(Json(answer))
}
