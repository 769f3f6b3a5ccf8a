//! Creating and deleting tables.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use meunier_catalog::TableEntry;
use meunier_catalog::table_config::{StreamConfig, TableConfig};
use tracing::{info, warn};

use super::definition::{SentPair, SentSchema, SentTable};
use super::{Store, definition, now_ms};
use crate::error::{ApiError, chain};

/// Longest wait for the first positions of a new table. The brokers have just answered.
const FIRST_POSITIONS_WAIT: Duration = Duration::from_secs(5);
/// Pause between two looks at them.
const FIRST_POSITIONS_POLL: Duration = Duration::from_millis(5);

/// How a table is created.
#[derive(Debug, Clone, Copy, Default)]
pub struct CreateOptions {
    /// Also when its topic cannot be read now; the reason becomes a warning.
    pub force: bool,
}

impl Store {
    /// Creates a table with its schema, and starts to ingest. Returns warnings about its topic.
    ///
    /// # Errors
    /// 400 when the topic cannot be read, 409 when the table exists.
    pub fn create(&self, sent: &SentPair, options: CreateOptions) -> Result<Vec<String>, ApiError> {
        let name = &sent.table.config.table_name;
        self.refuse_existing(name)?;
        if let Some(schema) = self.catalog.schema(name) {
            super::change::check_compatible(&schema.schema, &sent.schema.schema)?;
        }
        // Asked before the lock is taken: a broker that does not answer must not hold up other tables.
        let warnings = self.check_source(&sent.table.stream, options)?;
        let entry = {
            let _changing = self.changing.lock();
            self.refuse_existing(name)?;
            let entry = self.catalog.create_table(
                name,
                Arc::clone(&sent.schema.json),
                Arc::clone(&sent.table.json),
                now_ms(),
            )?;
            self.open_or_drop(&entry)?;
            entry
        };
        info!(table = %name, "created table");
        // Without a warning the topic is there.
        if warnings.is_empty() {
            self.await_first_positions(&entry);
        }
        Ok(warnings)
    }

    /// Waits until it is fixed where each partition begins: a table that begins at the end of its topic must have every
    /// record that is sent once its creation was answered. As in Pinot, which fixes them before it answers.
    fn await_first_positions(&self, entry: &TableEntry) {
        let deadline = Instant::now() + FIRST_POSITIONS_WAIT;
        while self.catalog.partitions(entry.id).is_empty() && Instant::now() < deadline {
            sleep(FIRST_POSITIONS_POLL);
        }
    }

    /// Creates a table whose schema is there already.
    ///
    /// # Errors
    /// As [`Store::create`]; 400 when there is no schema of its name.
    pub fn create_with_known_schema(
        &self,
        table_json: &serde_json::Value,
        options: CreateOptions,
    ) -> Result<(SentTable, Vec<String>), ApiError> {
        let sent = self.pair_with_known_schema(table_json)?;
        let warnings = self.create(&sent, options)?;
        Ok((sent.table, warnings))
    }

    /// Checks a table config against the schema of its name.
    ///
    /// # Errors
    /// 400 with every problem.
    pub fn pair_with_known_schema(&self, table_json: &serde_json::Value) -> Result<SentPair, ApiError> {
        let alone = TableConfig::parse(&table_json.to_string(), None)
            .map_err(|problems| ApiError::invalid_document("table config", problems))?;
        let name = &alone.config.table_name;
        let Some(entry) = self.catalog.schema(name) else {
            return Err(ApiError::bad_request(format!(
                "there is no schema `{name}`: POST it to /schemas first, or both at once to /tableConfigs"
            )));
        };
        let schema: SentSchema = definition::read_schema(&entry.schema)?;
        let table = definition::read_table(table_json, &schema.schema)?;
        Ok(SentPair { schema, table })
    }

    /// Asks the brokers for the topic.
    ///
    /// # Errors
    /// 400 with the reason in plain words, unless it is forced.
    pub(super) fn check_source(
        &self,
        stream: &StreamConfig,
        options: CreateOptions,
    ) -> Result<Vec<String>, ApiError> {
        match self.ingester.check_source(stream, !options.force) {
            Ok(_) => Ok(Vec::new()),
            Err(error) if options.force => Ok(vec![format!(
                "created all the same, and not ingesting until this is solved: {}",
                chain(&error)
            )]),
            Err(error) => Err(ApiError::bad_request(format!(
                "{}; or create the table all the same, with `?force=true` or `--force`",
                chain(&error)
            ))),
        }
    }

    /// Deletes a table: its ingestion, its name in queries, its entry in the ledger, and its files.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn delete(&self, name: &str) -> Result<TableEntry, ApiError> {
        let _changing = self.changing.lock();
        let entry = self.table(name)?;
        self.close(&entry);
        self.catalog.drop_table(entry.id)?;
        info!(table = %entry.name, "deleted table");
        Ok(entry)
    }

    fn refuse_existing(&self, name: &str) -> Result<(), ApiError> {
        match self.catalog.table(name) {
            None => Ok(()),
            Some(_) => Err(ApiError::conflict(format!(
                "table `{name}` already exists: choose another name, delete it first, or change it with PUT /tables/{name}"
            ))),
        }
    }

    /// A table that cannot be opened at its creation must not stay: the client was told that it failed.
    fn open_or_drop(&self, entry: &TableEntry) -> Result<(), ApiError> {
        let Err(error) = self.open(entry) else { return Ok(()) };
        self.close(entry);
        if let Err(left) = self.catalog.drop_table(entry.id) {
            warn!(table = %entry.name, error = %left, "a table that could not be opened stays");
        }
        Err(error)
    }
}
