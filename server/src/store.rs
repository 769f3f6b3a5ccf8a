//! What one process holds: the catalog, the ingester over it, and the tables that queries see.
//!
//! Everything here blocks; HTTP calls it through `AppState::blocking`. A change of
//! what exists goes through one lock, so that catalog, ingester and queries never disagree for longer than one change.
//!
//! Invariant: a table that queries can name is in the catalog, and is being ingested or says why not.

pub mod definition;
mod create;
mod change;
mod drop_segments;
mod force_commits;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use meunier_catalog::table_config::TableConfig;
use meunier_catalog::{Catalog, TableEntry, TableId};
use meunier_ingest::{Ingester, TableDefinition, TableStatus};
use meunier_query::{QueryTable, SearchOptions, Tables};
use meunier_segment::nearest::did_you_mean;
use meunier_segment::table_snapshot::LiveTable;
use parking_lot::{Mutex, RwLock};
use tracing::{error, info};

use crate::error::ApiError;
pub use create::CreateOptions;
pub use force_commits::ForceCommitJob;
use force_commits::ForceCommits;

/// Tables opened at once at the start. Opening is mostly reading footers of files.
const OPENING_THREADS: usize = 4;

/// What one process holds.
pub struct Store {
    catalog: Arc<Catalog>,
    ingester: Arc<Ingester>,
    queries: Tables,
    tables: RwLock<BTreeMap<TableId, Opened>>,
    /// Held while what exists is being changed.
    changing: Mutex<()>,
    force_commits: Mutex<ForceCommits>,
}

/// Whether a table of the catalog can be used.
#[derive(Clone)]
pub enum Opened {
    /// Its segments are being opened.
    Opening,
    /// It answers queries.
    Open(OpenTable),
    /// It could not be opened, for this reason.
    Failed(String),
}

impl Opened {
    /// Returns a word for how the table is.
    pub fn state_name(&self, entry: &TableEntry) -> &'static str {
        match self {
            Opened::Opening => "opening",
            Opened::Failed(_) => "failed",
            Opened::Open(_) if entry.disabled => "disabled",
            Opened::Open(_) if entry.paused.is_some() => "paused",
            Opened::Open(_) => "open",
        }
    }
}

/// A table in use.
#[derive(Clone)]
pub struct OpenTable {
    /// Its segments.
    pub live: Arc<LiveTable>,
    /// Its config, checked.
    pub config: Arc<TableConfig>,
}

impl Store {
    /// Returns a store over an open catalog. Its tables are opened by [`Store::open_tables`].
    pub fn new(catalog: Arc<Catalog>, ingester: Arc<Ingester>) -> Store {
        let tables = catalog.tables().into_iter().map(|entry| (entry.id, Opened::Opening)).collect();
        Store {
            catalog,
            ingester,
            queries: Tables::new(),
            tables: RwLock::new(tables),
            changing: Mutex::new(()),
            force_commits: Mutex::default(),
        }
    }

    /// Opens all tables of the catalog, some at once. A table that fails stays failed and shows its reason.
    pub fn open_tables(&self) {
        let _changing = self.changing.lock();
        let entries = Mutex::new(self.catalog.tables());
        thread::scope(|scope| {
            for _ in 0..OPENING_THREADS {
                scope.spawn(|| {
                    while let Some(entry) = { entries.lock().pop() } {
                        if let Err(error) = self.open(&entry) {
                            error!(table = %entry.name, %error, "cannot open table");
                            self.tables.write().insert(entry.id, Opened::Failed(error.to_string()));
                        }
                    }
                });
            }
        });
        info!(tables = self.tables.read().len(), "opened all tables");
    }

    /// Returns whether every table has been opened, or has failed to.
    pub fn is_loaded(&self) -> bool {
        !self.tables.read().values().any(|table| matches!(table, Opened::Opening))
    }

    /// Returns the tables in the order of their creation, each with how its opening went.
    pub fn tables(&self) -> Vec<(TableEntry, Opened)> {
        let opened = self.tables.read();
        let with_state = |entry: TableEntry| {
            let state = opened.get(&entry.id).cloned().unwrap_or(Opened::Opening);
            (entry, state)
        };
        self.catalog.tables().into_iter().map(with_state).collect()
    }

    /// Returns the table of a name, which may have Pinot's suffix `_REALTIME`.
    ///
    /// # Errors
    /// 404 when there is none, with the nearest name there is.
    pub fn table(&self, name: &str) -> Result<TableEntry, ApiError> {
        let raw = definition::raw_table_name(name);
        self.catalog.table(raw).ok_or_else(|| {
            let names: Vec<String> =
                self.catalog.tables().iter().map(|table| table.name.to_string()).collect();
            let hint = did_you_mean(raw, names.iter().map(String::as_str));
            let shown: String = name.chars().take(200).collect();
            ApiError::not_found(format!("table `{shown}` does not exist{hint}"))
        })
    }

    /// Returns the table of a name in use.
    ///
    /// # Errors
    /// 404 when there is none, 503 while it is being opened or when it could not be.
    pub fn open_table(&self, name: &str) -> Result<(TableEntry, OpenTable), ApiError> {
        let entry = self.table(name)?;
        let unavailable = |why: String| ApiError::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, why);
        let opened = self.tables.read().get(&entry.id).cloned();
        match opened {
            Some(Opened::Open(table)) => Ok((entry, table)),
            Some(Opened::Failed(reason)) => {
                Err(unavailable(format!("table `{}` could not be opened: {reason}", entry.name)))
            }
            Some(Opened::Opening) | None => {
                Err(unavailable(format!("table `{}` is still being opened: try again shortly", entry.name)))
            }
        }
    }

    /// Returns how the ingestion of a table goes; nothing while it is not open.
    pub fn status(&self, table: TableId) -> Option<TableStatus> {
        self.ingester.status(table)
    }

    /// Returns the catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Returns the ingester.
    pub fn ingester(&self) -> &Ingester {
        &self.ingester
    }

    /// Returns the tables that queries see; a clone is the same registry.
    pub fn queries(&self) -> &Tables {
        &self.queries
    }

    /// Opens a table of the catalog: ingestion first, then queries.
    fn open(&self, entry: &TableEntry) -> Result<(), ApiError> {
        let schema = definition::read_schema(&entry.schema)?;
        let config = definition::read_table(&entry.config, &schema.schema)?.config;
        let definition = TableDefinition {
            entry: entry.clone(),
            schema: Arc::clone(&schema.schema),
            config: Arc::clone(&config),
        };
        let live = self.ingester.add_table(definition)?;
        self.show(entry, query_table(&live, &config));
        self.tables.write().insert(entry.id, Opened::Open(OpenTable { live, config }));
        Ok(())
    }

    /// Lets queries see a table, or know that it is disabled.
    fn show(&self, entry: &TableEntry, table: QueryTable) {
        match entry.disabled {
            true => self.queries.disable(&entry.name),
            false => self.queries.insert(table),
        }
    }

    /// Closes a table, so that nothing writes or reads it any more but queries that have begun.
    fn close(&self, entry: &TableEntry) {
        self.queries.remove(&entry.name);
        self.ingester.remove_table(entry.id);
        self.tables.write().remove(&entry.id);
    }
}

fn query_table(live: &Arc<LiveTable>, config: &TableConfig) -> QueryTable {
    QueryTable {
        live: Arc::clone(live),
        null_handling_enabled: config.null_handling_enabled,
        timeout_ms: config.query.timeout_ms,
        search: Arc::new(SearchOptions {
            json_columns: config.segment_options().json_columns,
            text_columns: config.indexing.text_columns(),
        }),
        is_dimension: config.is_dimension,
        time_column: config.time_column.as_ref().map(ToString::to_string),
    }
}

/// Returns the time now, in milliseconds since the epoch.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
