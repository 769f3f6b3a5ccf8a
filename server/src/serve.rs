//! `meunier serve`, and the server that `quickstart` runs too: what is started in which order, and ended in which.
//!
//! Start: port, data directory, ingestion, HTTP; then tables are opened while HTTP already says how far that is. Stop:
//! `/ready` turns, HTTP drains, ingestion ends. Rows that are not committed are read again at the next start.

use std::net::SocketAddr;
use std::sync::Arc;

use meunier_catalog::Catalog;
use meunier_ingest::Ingester;
use meunier_query::{EngineConfig, QueryEngine};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::app::{AppState, app, broker_name};
use crate::cli::Failure;
use crate::config::Config;
use crate::config::checked::DATA_DIR_DEFAULT;
use crate::http::accept_loop;
use crate::store::Store;
use crate::{logging, shutdown};

/// Threads for work that blocks: changes of tables, metrics. They end when idle.
const BLOCKING_THREADS_MAX: usize = 16;

/// A server that answers HTTP.
pub struct RunningServer {
    state: Arc<AppState>,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    http: JoinHandle<()>,
}

/// Runs a server until a signal ends it.
///
/// # Errors
/// When it cannot start.
pub fn run(config: Config) -> Result<(), Failure> {
    logging::start(&config.log);
    runtime()?.block_on(async {
        let signal = shutdown::first_signal()
            .map_err(|error| Failure::new("cannot listen for signals").detail(error.to_string()))?;
        let server = RunningServer::start(&config).await?;
        info!(address = %server.address, version = env!("CARGO_PKG_VERSION"), "answering");
        signal.await;
        server.stop().await;
        info!("stopped");
        Ok(())
    })
}

/// Returns the threads that HTTP runs on. Queries and ingestion have their own.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("http")
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|error| Failure::new("cannot start threads").detail(error.to_string()))
}

impl RunningServer {
    /// Starts everything. Tables of the data directory are opened in the background.
    ///
    /// # Errors
    /// When the port or the data directory cannot be had.
    pub async fn start(config: &Config) -> Result<RunningServer, Failure> {
        let listener = listen(config.listen).await?;
        let address = listener.local_addr().unwrap_or(config.listen);
        let state = open(config, address)?;
        let (stop, stopped) = oneshot::channel();
        let http = config.http.clone();
        let router = app(Arc::clone(&state));
        let http = tokio::spawn(async move {
            let stopped = async {
                // A sender that is gone means the same as one that was used.
                let _ = stopped.await;
            };
            accept_loop::serve(listener, router, &http, stopped).await;
        });
        let opening = Arc::clone(&state);
        tokio::task::spawn_blocking(move || opening.store.open_tables());
        Ok(RunningServer { state, address, stop, http })
    }

    /// Returns what its requests share.
    pub fn state(&self) -> &Arc<AppState> {
        &self.state
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops taking requests, gives running ones their time, and ends ingestion.
    pub async fn stop(self) {
        self.state.begin_stop();
        let _ = self.stop.send(());
        if self.http.await.is_err() {
            warn!("the accept loop ended in a panic");
        }
        let state = self.state;
        let ended = tokio::task::spawn_blocking(move || state.store.ingester().shutdown()).await;
        if ended.is_err() {
            warn!("ingestion did not end cleanly");
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    if !address.ip().is_loopback() {
        warn!(%address, "listening beyond this machine, and there are no users yet: everyone who reaches this port can read and delete every table");
    }
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(format!("cannot listen on {address}")).detail(error.to_string()).next(
            match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    format!(
                        "stop the process that has port {}, or take another with --listen ADDR:PORT",
                        address.port()
                    )
                }
                _ => "take another address with --listen ADDR:PORT".to_owned(),
            },
        )
    })
}

/// Opens the data directory and everything over it, without listening: `address` is only what answers say.
///
/// # Errors
/// When the data directory cannot be had, or the system gives no threads.
pub fn open(config: &Config, address: SocketAddr) -> Result<Arc<AppState>, Failure> {
    let data_dir = config.data_dir.as_deref().unwrap_or(DATA_DIR_DEFAULT.as_ref());
    let catalog = Arc::new(Catalog::open(data_dir).map_err(|error| block_of(&error))?);
    for damaged in catalog.damaged_files() {
        warn!(?damaged, "a committed file is not as it was");
    }
    let ingester =
        Ingester::start(Arc::clone(&catalog), config.ingest.clone(), crate::expressions::compiler())
            .map_err(|error| block_of(&error))?;
    let query = EngineConfig {
        broker_id: broker_name(address),
        host_name: address.ip().to_string(),
        ..config.query.clone()
    };
    let engine = QueryEngine::new(query).map_err(|error| block_of(&error))?;
    let store = Store::new(catalog, ingester);
    let (store, engine) = (Arc::new(store), Arc::new(engine));
    Ok(AppState::new(store, engine, config.cursors.clone(), config.http.clone(), address))
}

/// Returns an error of a crate below as a block: its message, which says the next step, and what caused it.
pub(crate) fn block_of(error: &dyn std::error::Error) -> Failure {
    let mut failure = Failure::new(error.to_string());
    let mut cause = error.source();
    while let Some(inner) = cause {
        failure = failure.detail(inner.to_string());
        cause = inner.source();
    }
    failure
}
