//! The tables a query may name.
//!
//! The server adds a table when it opens and removes it when it is dropped. Names match whatever their case, with or
//! without Pinot's type suffix (`trips`, `Trips_REALTIME`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use meunier_segment::json_flat::FlattenOptions;
use meunier_segment::nearest::did_you_mean;
use meunier_segment::schema::ColumnName;
use meunier_segment::table_snapshot::LiveTable;
use parking_lot::RwLock;

/// Pinot's suffix for a table that is filled from a stream.
const REALTIME_SUFFIX: &str = "_realtime";

/// A table as queries use it.
#[derive(Debug, Clone)]
pub struct QueryTable {
    /// Its segments.
    pub live: Arc<LiveTable>,
    /// Whether `enableNullHandling` shows nulls of this table's columns (`nullHandlingEnabled` of its config). A schema
    /// with column-based null handling decides for each column instead.
    pub null_handling_enabled: bool,
    /// Time a query of this table may take, unless the query says otherwise.
    pub timeout_ms: Option<u64>,
    /// How documents of the columns with a JSON index are taken apart.
    pub json_columns: Arc<BTreeMap<ColumnName, FlattenOptions>>,
    /// Whether `LOOKUP` finds it (`isDimTable` of its config).
    pub is_dimension: bool,
    /// The column that segments are ordered by in time.
    pub time_column: Option<String>,
}

/// All tables, shared between the server and the engine; clones are the same registry.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    by_name: Arc<RwLock<HashMap<String, QueryTable>>>,
}

impl Tables {
    /// Returns a registry without tables.
    pub fn new() -> Tables {
        Tables::default()
    }

    /// Makes a table known under its own name, in place of one that had it before.
    pub fn insert(&self, table: QueryTable) {
        self.by_name.write().insert(key(table.live.name()), table);
    }

    /// Forgets a table and returns it. Queries that have begun keep their snapshot.
    pub fn remove(&self, name: &str) -> Option<QueryTable> {
        self.by_name.write().remove(&key(name))
    }

    /// Returns the table of this name.
    pub fn get(&self, name: &str) -> Option<QueryTable> {
        self.by_name.read().get(&key(name)).cloned()
    }

    /// Returns the names of all tables, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.by_name.read().values().map(|table| table.live.name().to_owned()).collect();
        names.sort();
        names
    }

    /// Returns `; did you mean …?` for the table whose name is nearest, or nothing.
    pub(crate) fn hint(&self, name: &str) -> String {
        let names = self.names();
        did_you_mean(without_suffix(name), names.iter().map(String::as_str))
    }
}

fn key(name: &str) -> String {
    without_suffix(name).to_lowercase()
}

fn without_suffix(name: &str) -> &str {
    let at = name.len().saturating_sub(REALTIME_SUFFIX.len());
    match name.split_at_checked(at) {
        Some((raw, suffix)) if !raw.is_empty() && suffix.eq_ignore_ascii_case(REALTIME_SUFFIX) => raw,
        _ => name,
    }
}
