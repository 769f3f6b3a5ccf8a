//! Every path there is, by what it is about.

mod query;
mod response_store;
mod running;
mod validation;
mod schemas;
mod tables;
mod consumption;
mod table_configs;
mod segments;
mod segment_states;
mod segment_metadata;
mod table_states;
mod cluster;
mod functions;
mod health;
mod metrics;
mod home;
pub(crate) mod elsewhere;

use std::sync::Arc;

use axum::Router;

use crate::app::AppState;

/// Returns all routes.
pub(crate) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .merge(home::router())
        .merge(query::router())
        .merge(response_store::router())
        .merge(running::router())
        .merge(validation::router())
        .merge(schemas::router())
        .merge(tables::router())
        .merge(consumption::router())
        .merge(table_configs::router())
        .merge(segments::router())
        .merge(segment_states::router())
        .merge(table_states::router())
        .merge(cluster::router())
        .merge(functions::router())
        .merge(health::router())
        .merge(metrics::router())
}
