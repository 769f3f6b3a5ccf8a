//! The HTTP interface as one value: [`app`] is called by the server with a port and by tests without one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use meunier_query::QueryEngine;

use crate::config::HttpConfig;
use crate::cursors::{CursorConfig, Cursors};
use crate::error::ApiError;
use crate::http::guard;
use crate::metrics::Metrics;
use crate::routes;
use crate::store::{Store, now_ms};

/// What all requests share.
pub struct AppState {
    /// Tables and their ingestion.
    pub store: Arc<Store>,
    /// Answers queries over them.
    pub engine: Arc<QueryEngine>,
    /// Answers that clients read page by page.
    pub cursors: Cursors,
    /// What is counted.
    pub metrics: Metrics,
    /// Limits of HTTP.
    pub limits: HttpConfig,
    /// When the process started.
    pub started: Instant,
    /// The same by the clock, in milliseconds since the epoch.
    pub started_ms: i64,
    /// Where it listens.
    pub address: SocketAddr,
    /// How this process is called where Pinot names a server, such as `Server_127.0.0.1_8099`.
    pub name: String,
    /// How it is called where Pinot names a broker.
    pub broker_name: String,
    stopping: AtomicBool,
}

impl AppState {
    /// Returns the state of a server that listens at `address`.
    pub fn new(
        store: Arc<Store>,
        engine: Arc<QueryEngine>,
        cursors: CursorConfig,
        limits: HttpConfig,
        address: SocketAddr,
    ) -> Arc<AppState> {
        let metrics = Metrics::new();
        let name = format!("Server_{}_{}", address.ip(), address.port());
        Arc::new(AppState {
            store,
            engine,
            cursors: Cursors::new(cursors),
            metrics,
            limits,
            started: Instant::now(),
            started_ms: now_ms(),
            address,
            name,
            broker_name: broker_name(address),
            stopping: AtomicBool::new(false),
        })
    }

    /// Runs `work` on a thread that may block.
    ///
    /// # Errors
    /// What `work` returns; 500 when it panics.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&AppState) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let state = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&state)).await {
            Ok(answer) => answer,
            // The panic hook has logged it.
            Err(_) => Err(guard::internal_error()),
        }
    }

    /// Makes `/ready` say that no new work should come here.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Returns whether the process is about to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Returns how a process that listens at `address` is called where Pinot names a broker.
pub(crate) fn broker_name(address: SocketAddr) -> String {
    format!("Broker_{}_{}", address.ip(), address.port())
}

/// Returns the whole HTTP interface.
pub fn app(state: Arc<AppState>) -> Router {
    routes::router()
        .fallback(routes::elsewhere::no_such_path)
        .method_not_allowed_fallback(routes::elsewhere::no_such_method)
        .layer(from_fn(guard::refuse_foreign_pages))
        .layer(from_fn(guard::catch_panic))
        .layer(from_fn_with_state(Arc::clone(&state), guard::count))
        .with_state(state)
}
