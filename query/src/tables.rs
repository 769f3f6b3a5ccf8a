//! The tables a query may name.
//!
//! The server adds a table when it opens and removes it when it is dropped. Names match whatever their case, with or
//! without Pinot's type suffix (`trips`, `Trips_REALTIME`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::ObjectName;
use meunier_segment::json_flat::FlattenOptions;
use meunier_segment::nearest::did_you_mean;
use meunier_segment::schema::ColumnName;
use meunier_segment::table_snapshot::LiveTable;
use meunier_segment::text_search::TextOptions;
use parking_lot::RwLock;

use crate::error::QueryError;

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
    /// How what is searched in its columns is taken apart.
    pub search: Arc<SearchOptions>,
    /// Whether `LOOKUP` finds it (`isDimTable` of its config).
    pub is_dimension: bool,
    /// The column that segments are ordered by in time.
    pub time_column: Option<String>,
}

/// How clients that know of databases write the one that is always there.
const DATABASE: &str = "default";

/// How documents and texts of columns are taken apart, whether or not an index answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchOptions {
    /// Documents of the columns with a JSON index.
    pub json_columns: BTreeMap<ColumnName, FlattenOptions>,
    /// Texts of the columns with a text index.
    pub text_columns: BTreeMap<ColumnName, TextOptions>,
}

/// All tables, shared between the server and the engine; clones are the same registry.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    registry: Arc<RwLock<Registry>>,
}

#[derive(Debug, Default)]
struct Registry {
    by_name: HashMap<String, QueryTable>,
    /// Keys of tables that are there and must not be queried.
    disabled: HashSet<String>,
}

impl Tables {
    /// Returns a registry without tables.
    pub fn new() -> Tables {
        Tables::default()
    }

    /// Makes a table known under its own name, in place of one that had it before.
    pub fn insert(&self, table: QueryTable) {
        let key = key(table.live.name());
        let mut registry = self.registry.write();
        registry.disabled.remove(&key);
        registry.by_name.insert(key, table);
    }

    /// Forgets a table and returns it. Queries that have begun keep their snapshot.
    pub fn remove(&self, name: &str) -> Option<QueryTable> {
        let mut registry = self.registry.write();
        registry.disabled.remove(&key(name));
        registry.by_name.remove(&key(name))
    }

    /// Forgets a table, whose queries are told from now on that it is disabled.
    pub fn disable(&self, name: &str) {
        let mut registry = self.registry.write();
        registry.by_name.remove(&key(name));
        registry.disabled.insert(key(name));
    }

    /// Returns the table of this name.
    pub fn get(&self, name: &str) -> Option<QueryTable> {
        self.registry.read().by_name.get(&key(name)).cloned()
    }

    /// Returns the table that a statement names, with or without the name of its database.
    ///
    /// # Errors
    /// When there is none, or it is disabled.
    pub(crate) fn find(&self, written: &ObjectName) -> Result<QueryTable, QueryError> {
        let parts: Vec<&str> =
            written.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.as_str()).collect();
        let table = parts.join(".");
        let name = without_database(&table);
        if let Some(found) = self.get(name) {
            return Ok(found);
        }
        match self.registry.read().disabled.contains(&key(name)) {
            true => Err(QueryError::TableDisabled { table }),
            false => Err(QueryError::TableMissing { hint: self.hint(name), table }),
        }
    }

    /// Returns the names of all tables, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.registry.read().by_name.values().map(|table| table.live.name().to_owned()).collect();
        names.sort();
        names
    }

    /// Returns `; did you mean …?` for the table whose name is nearest, or nothing.
    pub(crate) fn hint(&self, name: &str) -> String {
        let names = self.names();
        did_you_mean(without_suffix(name), names.iter().map(String::as_str))
    }
}

/// Returns a name without that of its database, which may stand before it or within the same quotes.
fn without_database(name: &str) -> &str {
    match name.split_once('.') {
        Some((database, name)) if database.eq_ignore_ascii_case(DATABASE) => name,
        Some(_) | None => name,
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
