//! Every path there is, by what it is about.

mod query;
mod schemas;
mod tables;
mod consumption;
mod table_configs;
mod segments;
mod functions;
mod health;
mod metrics;
mod home;

use std::sync::Arc;

use axum::Router;

use crate::app::AppState;

/// Returns all routes.
pub(crate) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .merge(home::router())
        .merge(query::router())
        .merge(schemas::router())
        .merge(tables::router())
        .merge(consumption::router())
        .merge(table_configs::router())
        .merge(segments::router())
        .merge(functions::router())
        .merge(health::router())
        .merge(metrics::router())
}
