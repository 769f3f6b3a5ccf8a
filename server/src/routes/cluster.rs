//! What Pinot's clients ask of a cluster: who answers for a table or a tenant. Here it is always this process.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use meunier_catalog::TableEntry;
use serde_json::{Value, json};

use crate::app::AppState;
use crate::cursors::Reached;
use crate::error::ApiError;
use crate::http::request::{Parameters, PathName};
use crate::store::definition::{raw_table_name, typed_table_name};

/// The tenant of tables that name none.
const TENANT_DEFAULT: &str = "DefaultTenant";
/// Where Pinot has a port and this process has none.
const NO_PORT: i32 = -1;

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .merge(brokers())
        .route("/tables/livebrokers", get(live_brokers))
        .route("/tables/{name}/instances", get(table_instances))
        .route("/instances", get(instances))
        .route("/liveinstances", get(instances))
        .route("/instances/{name}", get(instance))
        .route("/tenants", get(tenants))
        .route("/tenants/{name}", get(tenant))
        .route("/tenants/{name}/tables", get(tenant_tables))
        .route("/databases", get(databases))
        .route("/cluster/info", get(cluster_info))
        .route("/cluster/configs", get(cluster_configs))
}

fn brokers() -> Router<Arc<AppState>> {
    Router::new()
        .route("/brokers", get(broker_names))
        .route("/brokers/tenants", get(broker_names_by_tenant))
        .route("/brokers/tenants/{name}", get(broker_names_of_tenant))
        .route("/brokers/tables", get(broker_names_by_table))
        .route("/brokers/tables/{name}", get(broker_names_of_table))
        .route("/v2/brokers", get(broker_infos))
        .route("/v2/brokers/tenants", get(broker_infos_by_tenant))
        .route("/v2/brokers/tenants/{name}", get(broker_infos_of_tenant))
        .route("/v2/brokers/tables", get(broker_infos_by_table))
        .route("/v2/brokers/tables/{name}", get(broker_infos_of_table))
}

/// A broker's name alone, as the older paths have it.
fn names(state: &AppState, parameters: &Parameters) -> Value {
    if is_wanted(parameters) { json!([state.broker_name]) } else { json!([]) }
}

/// A broker with the address that the client reached it at.
fn infos(state: &AppState, parameters: &Parameters, reached: &Reached) -> Value {
    if is_wanted(parameters) { json!([info(state, reached)]) } else { json!([]) }
}

fn info(state: &AppState, reached: &Reached) -> Value {
    json!({
        "instanceName": state.broker_name,
        "host": reached.host,
        "port": reached.port,
        "grpcPort": NO_PORT,
    })
}

/// The one broker is online.
fn is_wanted(parameters: &Parameters) -> bool {
    parameters.get("state").is_none_or(|state| state != "OFFLINE")
}

fn by_tenant(state: &AppState, brokers: &Value) -> Value {
    Value::Object(all_tenants(state).into_iter().map(|tenant| (tenant, brokers.clone())).collect())
}

fn by_table(state: &AppState, brokers: &Value) -> Value {
    let tables = state.store.catalog().tables();
    Value::Object(tables.iter().map(|table| (table.name.to_string(), brokers.clone())).collect())
}

async fn broker_names(State(state): State<Arc<AppState>>, parameters: Parameters) -> Json<Value> {
    let names = names(&state, &parameters);
    Json(json!({"tenants": by_tenant(&state, &names), "tables": by_table(&state, &names)}))
}

async fn broker_names_by_tenant(State(state): State<Arc<AppState>>, parameters: Parameters) -> Json<Value> {
    Json(by_tenant(&state, &names(&state, &parameters)))
}

async fn broker_names_of_tenant(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    check_tenant(&state, &name)?;
    Ok(Json(names(&state, &parameters)))
}

async fn broker_names_by_table(State(state): State<Arc<AppState>>, parameters: Parameters) -> Json<Value> {
    Json(by_table(&state, &names(&state, &parameters)))
}

async fn broker_names_of_table(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    state.store.table(&name)?;
    Ok(Json(names(&state, &parameters)))
}

async fn broker_infos(
    State(state): State<Arc<AppState>>,
    reached: Reached,
    parameters: Parameters,
) -> Json<Value> {
    let infos = infos(&state, &parameters, &reached);
    Json(json!({"tenants": by_tenant(&state, &infos), "tables": by_table(&state, &infos)}))
}

async fn broker_infos_by_tenant(
    State(state): State<Arc<AppState>>,
    reached: Reached,
    parameters: Parameters,
) -> Json<Value> {
    Json(by_tenant(&state, &infos(&state, &parameters, &reached)))
}

async fn broker_infos_of_tenant(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    reached: Reached,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    check_tenant(&state, &name)?;
    Ok(Json(infos(&state, &parameters, &reached)))
}

async fn broker_infos_by_table(
    State(state): State<Arc<AppState>>,
    reached: Reached,
    parameters: Parameters,
) -> Json<Value> {
    Json(by_table(&state, &infos(&state, &parameters, &reached)))
}

async fn broker_infos_of_table(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    reached: Reached,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    state.store.table(&name)?;
    Ok(Json(infos(&state, &parameters, &reached)))
}

/// Names have their suffix here, which Pinot's Java client takes off. Unknown tables are left out, as in Pinot.
async fn live_brokers(
    State(state): State<Arc<AppState>>,
    reached: Reached,
    parameters: Parameters,
) -> Json<Value> {
    let wanted: BTreeSet<&str> = parameters.list("tables").into_iter().map(raw_table_name).collect();
    let tables = state.store.catalog().tables();
    let shown = tables.iter().filter(|table| wanted.is_empty() || wanted.contains(&*table.name));
    let brokers = json!([info(&state, &reached)]);
    let by_table = shown.map(|table| (typed_table_name(&table.name), brokers.clone()));
    Json(Value::Object(by_table.collect()))
}

async fn table_instances(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let entry = state.store.table(&name)?;
    let part = |kind: &str, instance: &str| match parameters.get("type") {
        Some(wanted) if !wanted.eq_ignore_ascii_case(kind) => json!([]),
        Some(_) | None => json!([{"tableType": "realtime", "instances": [instance]}]),
    };
    Ok(Json(json!({
        "tableName": &*entry.name,
        "brokers": part("broker", &state.broker_name),
        "server": part("server", &state.name),
    })))
}

async fn instances(State(state): State<Arc<AppState>>) -> Json<Value> {
    Json(json!({"instances": [state.broker_name, state.name]}))
}

async fn instance(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    reached: Reached,
) -> Result<Json<Value>, ApiError> {
    let tags = if name == state.broker_name {
        tenant_tags(&state, "BROKER")
    } else if name == state.name {
        tenant_tags(&state, "REALTIME")
    } else {
        let shown: String = name.chars().take(200).collect();
        return Err(ApiError::not_found(format!("there is no instance `{shown}`: see /instances")));
    };
    Ok(Json(json!({
        "instanceName": name,
        "hostName": reached.host,
        "enabled": true,
        "port": reached.port.to_string(),
        "tags": tags,
        "pools": null,
        "grpcPort": NO_PORT,
        "adminPort": reached.port,
        "queryServicePort": NO_PORT,
        "queryMailboxPort": NO_PORT,
        "shutdownInProgress": state.is_stopping(),
        "systemResourceInfo": null,
    })))
}

fn tenant_tags(state: &AppState, kind: &str) -> Vec<String> {
    all_tenants(state).into_iter().map(|tenant| format!("{tenant}_{kind}")).collect()
}

/// Returns the tenants that tables name, all of which this process serves.
fn all_tenants(state: &AppState) -> BTreeSet<String> {
    let mut tenants = BTreeSet::from([TENANT_DEFAULT.to_owned()]);
    for table in state.store.catalog().tables() {
        tenants.extend(["broker", "server"].map(|kind| tenant_of(&table, kind)));
    }
    tenants
}

fn tenant_of(table: &TableEntry, kind: &str) -> String {
    let named = table.config.get("tenants").and_then(|tenants| tenants.get(kind)).and_then(Value::as_str);
    named.filter(|name| !name.is_empty()).unwrap_or(TENANT_DEFAULT).to_owned()
}

fn check_tenant(state: &AppState, name: &str) -> Result<(), ApiError> {
    if all_tenants(state).contains(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(200).collect();
    Err(ApiError::not_found(format!("no table names the tenant `{shown}`: see /tenants")))
}

async fn tenants(State(state): State<Arc<AppState>>, parameters: Parameters) -> Json<Value> {
    let wants = |kind: &str| parameters.get("type").is_none_or(|wanted| wanted.eq_ignore_ascii_case(kind));
    let tenants = |wanted: bool| if wanted { json!(all_tenants(&state)) } else { Value::Null };
    Json(json!({"SERVER_TENANTS": tenants(wants("server")), "BROKER_TENANTS": tenants(wants("broker"))}))
}

async fn tenant(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    check_tenant(&state, &name)?;
    let wants = |kind: &str| parameters.get("type").is_none_or(|wanted| wanted.eq_ignore_ascii_case(kind));
    let mut answer = json!({});
    if wants("server") {
        answer["ServerInstances"] = json!([state.name]);
    }
    if wants("broker") {
        answer["BrokerInstances"] = json!([state.broker_name]);
    }
    answer["tenantName"] = name.into();
    Ok(Json(answer))
}

async fn tenant_tables(
    State(state): State<Arc<AppState>>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    check_tenant(&state, &name)?;
    let kind = match parameters.get("type") {
        Some(kind) if kind.eq_ignore_ascii_case("broker") => "broker",
        Some(_) | None => "server",
    };
    let tables = state.store.catalog().tables();
    let of_tenant = tables.iter().filter(|table| tenant_of(table, kind) == name);
    let tables: Vec<String> = of_tenant.map(|table| typed_table_name(&table.name)).collect();
    Ok(Json(json!({"tables": tables})))
}

async fn databases() -> Json<Value> {
    Json(json!(["default"]))
}

async fn cluster_info() -> Json<Value> {
    Json(json!({"clusterName": "meunier"}))
}

async fn cluster_configs() -> Json<Value> {
    Json(json!({}))
}
