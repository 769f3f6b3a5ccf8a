//! What exists now: schemas, tables, partitions and segments, and the files behind them.
//!
//! Every change goes through the ledger and is durable when its call returns. Everything may be called from any thread.
//!
//! Invariant: a committed segment's durable files were on disk before its commit was.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tracing::{info, warn};

use crate::data_dir::DataDir;
use crate::deep_store::{self, DeepStore};
use crate::dropped_files;
use crate::error::CatalogError;
use crate::ledger::{
    FileRef, Ledger, LedgerRecord, LedgerState, LedgerViolation, LogLimits, PartitionStart, PartitionState,
    PauseReason, SchemaState, SegmentCommit, SegmentId, TableState,
};
use crate::names::{TableDirName, TableId};
use crate::orphans::{self, DamagedFile};

/// What exists in one data directory, which it holds locked.
#[derive(Debug)]
pub struct Catalog {
    ledger: Ledger,
    deep_store: DeepStore,
    damaged_files: Vec<DamagedFile>,
    data_dir: DataDir, // last: it is unlocked after all else is closed
}

/// A table at one moment. Clones share everything large.
#[derive(Debug, Clone, PartialEq)]
pub struct TableEntry {
    /// Its identity, never used again.
    pub id: TableId,
    /// Its name.
    pub name: Arc<str>,
    /// The schema of its name, as the user wrote it.
    pub schema: Arc<Value>,
    /// Counts the changes of the schema, from 1.
    pub schema_version: u32,
    /// The table config as the user wrote it.
    pub config: Arc<Value>,
    /// When it was created, in milliseconds since the epoch.
    pub created_ms: i64,
    /// Why it is paused, when it is.
    pub paused: Option<Arc<PauseReason>>,
    /// Whether it is out of use: neither consumed nor queried.
    pub disabled: bool,
    /// Its directory below `deep_store/` and `serving/`.
    pub dir: TableDirName,
}

/// A schema at one moment. Clones share the JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaEntry {
    /// Its name.
    pub name: String,
    /// The schema as the user wrote it.
    pub schema: Arc<Value>,
    /// Counts its changes, from 1.
    pub version: u32,
}

impl Catalog {
    /// Locks `dir`, finds out what is committed, and removes what is not. Creates the directory where missing.
    ///
    /// # Errors
    /// `Unavailable` when another process holds the directory, `Invalid` when it cannot be used, `Corrupt` when the
    /// ledger is damaged, missing or newer: then nothing was changed.
    pub fn open(dir: &Path) -> Result<Catalog, CatalogError> {
        Catalog::open_with(dir, LogLimits::default())
    }

    fn open_with(dir: &Path, limits: LogLimits) -> Result<Catalog, CatalogError> {
        let mut data_dir = DataDir::open(dir)?;
        let ledger = Ledger::open(&data_dir.ledger(), data_dir.is_new(), limits)?;
        data_dir.mark_in_use()?;
        let deep_store = DeepStore::new(data_dir.deep_store(), data_dir.tmp());
        ledger.read(|state| orphans::remove_orphans(&data_dir, state))?;
        let damaged_files = ledger.read(|state| orphans::damaged_files(&deep_store, state));
        Ok(Catalog { ledger, deep_store, damaged_files, data_dir })
    }

    /// Returns the tables in the order of their creation.
    pub fn tables(&self) -> Vec<TableEntry> {
        self.ledger.read(|state| state.tables().map(|(id, table)| table_entry(state, id, table)).collect())
    }

    /// Returns the table of a name.
    pub fn table(&self, name: &str) -> Option<TableEntry> {
        self.ledger.read(|state| state.table_named(name).map(|(id, table)| table_entry(state, id, table)))
    }

    /// Creates a table, and sets the schema of its name.
    ///
    /// # Errors
    /// `Conflict` when the name is taken, `Invalid` when it is not allowed.
    pub fn create_table(
        &self,
        name: &str,
        schema: Arc<Value>,
        config: Arc<Value>,
        now_ms: i64,
    ) -> Result<TableEntry, CatalogError> {
        let mut created = None;
        self.ledger.append(|state| {
            let table = *created.insert(state.next_table());
            let name = name.to_string();
            Ok(LedgerRecord::CreateTable { table, name, schema, config, created_ms: now_ms })
        })?;
        let table = created.expect("an accepted record was decided");
        info!(table = name, id = table.0, "created table");
        self.entry(table)
    }

    /// Replaces a table's schema and config. Whether committed segments still fit is the caller's to check.
    ///
    /// # Errors
    /// `NotFound` when the table does not exist any more.
    pub fn update_table(
        &self,
        table: TableId,
        schema: Arc<Value>,
        config: Arc<Value>,
    ) -> Result<TableEntry, CatalogError> {
        self.ledger.append(|_| Ok(LedgerRecord::UpdateTable { table, schema, config }))?;
        self.entry(table)
    }

    /// Drops a table, then removes its files. Stop its consumption first: a file written meanwhile stays until the
    /// next start. The schema stays.
    ///
    /// # Errors
    /// `NotFound` when the table does not exist any more.
    pub fn drop_table(&self, table: TableId) -> Result<(), CatalogError> {
        let dir = self.entry(table)?.dir;
        self.ledger.append(|_| Ok(LedgerRecord::DropTable { table }))?;
        info!(table = %dir, "dropped table");
        for path in [self.data_dir.deep_store().join(dir.as_str()), self.data_dir.serving_of(&dir)] {
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    warn!(path = %path.display(), %error, "files of a dropped table stay until the next start");
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Stops the consumption of a table for a reason, or resumes it.
    ///
    /// # Errors
    /// `NotFound` when the table does not exist any more.
    pub fn set_paused(&self, table: TableId, paused: Option<PauseReason>) -> Result<(), CatalogError> {
        self.ledger.append(|_| Ok(LedgerRecord::SetPaused { table, paused }))
    }

    /// Takes a table out of use, or puts it in use again.
    ///
    /// # Errors
    /// `NotFound` when the table does not exist any more.
    pub fn set_disabled(&self, table: TableId, disabled: bool) -> Result<(), CatalogError> {
        self.ledger.append(|_| Ok(LedgerRecord::SetDisabled { table, disabled }))
    }

    /// Returns the schemas in the order of their names.
    pub fn schemas(&self) -> Vec<SchemaEntry> {
        self.ledger
            .read(|state| state.schemas().iter().map(|(name, schema)| schema_entry(name, schema)).collect())
    }

    /// Returns the schema of a name.
    pub fn schema(&self, name: &str) -> Option<SchemaEntry> {
        self.ledger.read(|state| state.schemas().get(name).map(|schema| schema_entry(name, schema)))
    }

    /// Sets a schema, and with it that of the table of the same name.
    ///
    /// # Errors
    /// `Invalid` when the name is not allowed.
    pub fn put_schema(&self, name: &str, schema: Arc<Value>) -> Result<(), CatalogError> {
        self.ledger.append(|_| Ok(LedgerRecord::PutSchema { name: name.to_string(), schema }))
    }

    /// Drops a schema.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Conflict` while a table uses it.
    pub fn drop_schema(&self, name: &str) -> Result<(), CatalogError> {
        self.ledger.append(|_| Ok(LedgerRecord::DropSchema { name: name.to_string() }))
    }

    /// Fixes the first position of partitions that are new. All of them or none.
    ///
    /// # Errors
    /// `NotFound` when the table does not exist any more, `Bug` when a partition has its position already.
    pub fn add_partitions(
        &self,
        table: TableId,
        partitions: Vec<PartitionStart>,
    ) -> Result<(), CatalogError> {
        if partitions.is_empty() {
            return Ok(());
        }
        self.ledger.append(|_| Ok(LedgerRecord::AddPartitions { table, partitions }))
    }

    /// Returns how far each partition is committed, by partition; none for a table that does not exist.
    pub fn partitions(&self, table: TableId) -> Vec<PartitionState> {
        self.ledger
            .read(|state| state.table(table).map(|t| t.positions().cloned().collect()).unwrap_or_default())
    }

    /// Returns the committed segments by partition and sequence; none for a table that does not exist.
    pub fn segments(&self, table: TableId) -> Vec<Arc<SegmentCommit>> {
        self.ledger
            .read(|state| state.table(table).map(|t| t.segments().cloned().collect()).unwrap_or_default())
    }

    /// Stores a durable file of a segment that is to be committed. A file left from a failed try is replaced.
    ///
    /// # Errors
    /// As [`DeepStore::put`]; `NotFound` when the table does not exist any more.
    pub fn put_file(
        &self,
        table: TableId,
        file_name: &str,
        write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
    ) -> Result<FileRef, CatalogError> {
        let dir = self.entry(table)?.dir;
        let is_committed =
            || self.ledger.read(|state| state.table(table).is_ok_and(|t| t.has_file(file_name)));
        self.deep_store.put(&dir, file_name, is_committed, write)
    }

    /// Commits a segment, its offsets and its files in one step. This, and nothing else, moves a partition's position.
    ///
    /// # Errors
    /// `Restart` when the ledger may or may not hold the commit, `Unavailable` when it does not and the same call may
    /// succeed later, `Corrupt` when a file is not there as described, `NotFound` when the table was dropped, `Bug`
    /// when the segment does not continue its partition.
    pub fn commit_segment(&self, commit: SegmentCommit) -> Result<(), CatalogError> {
        let dir = self.entry(commit.table)?.dir;
        for file in commit.files() {
            self.deep_store.open(&dir, file)?;
        }
        let commit = Arc::new(commit);
        self.ledger.append(|_| Ok(LedgerRecord::CommitSegment(commit.clone())))?;
        info!(segment = commit.name, offsets = %commit.range, rows = commit.rows, "committed segment");
        Ok(())
    }

    /// Forgets segments for good, in one step: their rows are gone, their partitions' positions stay. The durable files are
    /// kept aside for `files_kept`, for whoever wants them back by hand; then [`Catalog::remove_expired_files`] removes them.
    ///
    /// # Errors
    /// `NotFound` when the table or one of the segments does not exist any more: then all stay.
    pub fn drop_segments(
        &self,
        table: TableId,
        segments: &[SegmentId],
        files_kept: Duration,
        now_ms: i64,
    ) -> Result<(), CatalogError> {
        let dir = self.entry(table)?.dir;
        let commits: Vec<Arc<SegmentCommit>> = self.ledger.read(|state| {
            let of_table = |id: &SegmentId| state.table(table).ok()?.segment(*id).cloned();
            segments.iter().filter_map(of_table).collect()
        });
        // Before the record: a crash between the two leaves a second name of a file that is still there under the first.
        dropped_files::keep(
            &self.data_dir,
            &dir,
            commits.iter().flat_map(|c| c.files()),
            files_kept,
            now_ms,
        )?;
        self.ledger.append(|_| Ok(LedgerRecord::DropSegments { table, segments: segments.to_vec() }))?;
        for commit in &commits {
            info!(segment = commit.name, rows = commit.rows, "dropped segment");
            let serving = self.data_dir.serving_file(&dir, &commit.name)?;
            let durable = commit.files().map(|file| self.deep_store.remove(&dir, &file.file_name));
            for removed in durable.chain([deep_store::remove_file(&serving)]) {
                if let Err(error) = removed {
                    warn!(segment = commit.name, %error, "a file of a dropped segment stays until the next start");
                }
            }
        }
        Ok(())
    }

    /// Returns whether a segment is committed and was not dropped.
    pub fn has_segment(&self, table: TableId, segment: SegmentId) -> bool {
        self.ledger.read(|state| state.table(table).is_ok_and(|table| table.segment(segment).is_some()))
    }

    /// Removes the files of dropped segments whose time is over. Returns how many.
    ///
    /// # Errors
    /// When the directory cannot be read or a file cannot be removed.
    pub fn remove_expired_files(&self, now_ms: i64) -> Result<usize, CatalogError> {
        dropped_files::remove_expired(&self.data_dir, now_ms)
    }

    /// Returns the committed files that were missing or cut when the catalog was opened.
    pub fn damaged_files(&self) -> &[DamagedFile] {
        &self.damaged_files
    }

    /// Returns the durable files.
    pub fn deep_store(&self) -> &DeepStore {
        &self.deep_store
    }

    /// Returns the data directory.
    pub fn data_dir(&self) -> &DataDir {
        &self.data_dir
    }

    fn entry(&self, table: TableId) -> Result<TableEntry, CatalogError> {
        let entry = |state: &LedgerState| -> Result<TableEntry, LedgerViolation> {
            Ok(table_entry(state, table, state.table(table)?))
        };
        Ok(self.ledger.read(entry)?)
    }
}

fn table_entry(state: &LedgerState, id: TableId, table: &TableState) -> TableEntry {
    let schema = state.schemas().get(&*table.name).expect("every table's name has a schema");
    TableEntry {
        id,
        name: table.name.clone(),
        schema: schema.json.clone(),
        schema_version: schema.version,
        config: table.config.clone(),
        created_ms: table.created_ms,
        paused: table.paused.clone(),
        disabled: table.disabled,
        dir: TableDirName::new(id, &table.name).expect("name was checked when the table was created"),
    }
}

fn schema_entry(name: &str, schema: &SchemaState) -> SchemaEntry {
    SchemaEntry { name: name.to_string(), schema: schema.json.clone(), version: schema.version }
}

#[cfg(test)]
mod tests;
