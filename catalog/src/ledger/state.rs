//! What exists, as the records so far say. Pure: no IO, no clock.
//!
//! Replay and commit go through the same [`LedgerState::apply`], so what was accepted once is accepted again.
//!
//! Invariants: every table's name has a schema; table ids grow and are never used again; names of segments and of
//! files are unique in their table.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use meunier_segment::offset_range::{Offset, PartitionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::partition::PartitionLedger;
use super::record::{LedgerRecord, PartitionStart, PauseReason, SegmentCommit, SegmentId};
use crate::error::ErrorKind;
use crate::names::{BadName, TableId, check_table_name};

/// What exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LedgerState {
    /// Records applied since the beginning: the number of the next one.
    pub(super) records: u64,
    pub(super) next_table: TableId,
    pub(super) schemas: BTreeMap<String, SchemaState>,
    pub(super) tables: BTreeMap<TableId, TableState>,
}

/// A schema as it was last put.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchemaState {
    pub(crate) json: Arc<Value>,
    /// Counts the changes, from 1.
    pub(crate) version: u32,
}

/// A table with its partitions. Its schema is the one of its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableState {
    pub(crate) name: Arc<str>,
    pub(crate) config: Arc<Value>,
    pub(crate) created_ms: i64,
    pub(crate) paused: Option<Arc<PauseReason>>,
    /// Whether it is out of use. Written only where it is, as older versions do not know it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) disabled: bool,
    pub(super) partitions: BTreeMap<PartitionId, PartitionLedger>,
    /// Derived from `partitions`.
    #[serde(skip)]
    segment_names: HashSet<String>,
    /// Derived from `partitions`.
    #[serde(skip)]
    file_names: HashSet<String>,
}

/// A record that contradicts what exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerViolation {
    /// A table has this name.
    #[error("table `{name}` exists already: drop or update it, or choose another name")]
    TableExists {
        /// The name.
        name: String,
    },
    /// No such table, perhaps not any more.
    #[error("table {table} does not exist or was dropped")]
    UnknownTable {
        /// The table's identity.
        table: TableId,
    },
    /// Table identities are given in order.
    #[error("table id {table} is not the next one, {next}")]
    WrongTableId {
        /// The id in the record.
        table: TableId,
        /// The next one.
        next: TableId,
    },
    /// No such schema.
    #[error("schema `{name}` does not exist")]
    UnknownSchema {
        /// The name.
        name: String,
    },
    /// The schema belongs to a table.
    #[error("schema `{name}` is used by the table of the same name: drop the table first")]
    SchemaInUse {
        /// The name.
        name: String,
    },
    /// The partition has its start already.
    #[error("partition {partition} of table {table} exists already")]
    PartitionExists {
        /// The table.
        table: TableId,
        /// The partition.
        partition: PartitionId,
    },
    /// No such partition was added.
    #[error("partition {partition} of table {table} was never added")]
    UnknownPartition {
        /// The table.
        table: TableId,
        /// The partition.
        partition: PartitionId,
    },
    /// A partition number or start below 0.
    #[error("partition {partition} cannot start at offset {start}")]
    BadPartition {
        /// The partition.
        partition: PartitionId,
        /// Its start.
        start: Offset,
    },
    /// Someone else leads the partition now, or never did.
    #[error("segment `{segment}` was made in epoch {epoch}, the partition is in epoch {current}")]
    WrongEpoch {
        /// The segment.
        segment: String,
        /// Its epoch.
        epoch: u64,
        /// The partition's.
        current: u64,
    },
    /// The segment would leave a hole or repeat offsets.
    #[error("segment `{segment}` starts at offset {start}, the partition is committed up to {committed}")]
    WrongStart {
        /// The segment.
        segment: String,
        /// Its first offset.
        start: Offset,
        /// The committed position.
        committed: Offset,
    },
    /// The segment's number is not the next one.
    #[error("segment `{segment}` has sequence {sequence}, the next one is {next}")]
    WrongSequence {
        /// The segment.
        segment: String,
        /// Its number.
        sequence: u32,
        /// The next number.
        next: u32,
    },
    /// No such segment, perhaps not any more.
    #[error("segment {sequence} of partition {partition} of table {table} does not exist or was dropped")]
    UnknownSegment {
        /// The table.
        table: TableId,
        /// The partition.
        partition: PartitionId,
        /// The segment's number.
        sequence: u32,
    },
    /// Another segment of the table has the name.
    #[error("segment `{segment}` exists already in its table")]
    SegmentExists {
        /// The segment.
        segment: String,
    },
    /// Another segment of the table owns the file.
    #[error("segment `{segment}` names the durable file `{file_name}`, which is taken")]
    FileTaken {
        /// The segment.
        segment: String,
        /// The file.
        file_name: String,
    },
    /// The commit contradicts itself.
    #[error("segment `{segment}` is inconsistent: {detail}")]
    Inconsistent {
        /// The segment.
        segment: String,
        /// What does not add up.
        detail: String,
    },
    /// A name that would not make a safe file name.
    #[error(transparent)]
    BadName(#[from] BadName),
}

impl LedgerViolation {
    /// Returns what the caller must do, when the violation answers a request.
    pub fn kind(&self) -> ErrorKind {
        match self {
            LedgerViolation::TableExists { .. } | LedgerViolation::SchemaInUse { .. } => ErrorKind::Conflict,
            LedgerViolation::UnknownTable { .. }
            | LedgerViolation::UnknownSchema { .. }
            | LedgerViolation::UnknownSegment { .. } => ErrorKind::NotFound,
            LedgerViolation::BadName(_) | LedgerViolation::BadPartition { .. } => ErrorKind::Invalid,
            LedgerViolation::WrongTableId { .. }
            | LedgerViolation::PartitionExists { .. }
            | LedgerViolation::UnknownPartition { .. }
            | LedgerViolation::WrongEpoch { .. }
            | LedgerViolation::WrongStart { .. }
            | LedgerViolation::WrongSequence { .. }
            | LedgerViolation::SegmentExists { .. }
            | LedgerViolation::FileTaken { .. }
            | LedgerViolation::Inconsistent { .. } => ErrorKind::Bug,
        }
    }
}

impl LedgerState {
    /// Returns the state before any record.
    pub(super) fn new() -> LedgerState {
        LedgerState { records: 0, next_table: TableId(1), schemas: BTreeMap::new(), tables: BTreeMap::new() }
    }

    /// Changes what exists as `record` says, or changes nothing.
    pub(super) fn apply(&mut self, record: LedgerRecord) -> Result<(), LedgerViolation> {
        self.check(&record)?;
        self.change(record);
        self.records += 1;
        Ok(())
    }

    /// Says whether [`LedgerState::apply`] would accept `record`.
    pub(super) fn check(&self, record: &LedgerRecord) -> Result<(), LedgerViolation> {
        match record {
            LedgerRecord::PutSchema { name, .. } => Ok(check_table_name("schema", name)?),
            LedgerRecord::DropSchema { name } => self.check_drop_schema(name),
            LedgerRecord::CreateTable { table, name, .. } => self.check_create(*table, name),
            LedgerRecord::UpdateTable { table, .. }
            | LedgerRecord::DropTable { table }
            | LedgerRecord::SetPaused { table, .. }
            | LedgerRecord::SetDisabled { table, .. } => self.table(*table).map(|_| ()),
            LedgerRecord::AddPartitions { table, partitions } => self.check_partitions(*table, partitions),
            LedgerRecord::CommitSegment(commit) => self.check_commit(commit),
            LedgerRecord::DropSegments { table, segments } => self.check_drop_segments(*table, segments),
        }
    }

    /// Returns the id the next table gets.
    pub(crate) fn next_table(&self) -> TableId {
        self.next_table
    }

    /// Returns the tables in the order of their creation.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (TableId, &TableState)> {
        self.tables.iter().map(|(&id, table)| (id, table))
    }

    /// Returns a table that must exist.
    pub(crate) fn table(&self, table: TableId) -> Result<&TableState, LedgerViolation> {
        self.tables.get(&table).ok_or(LedgerViolation::UnknownTable { table })
    }

    /// Returns the table of a name.
    pub(crate) fn table_named(&self, name: &str) -> Option<(TableId, &TableState)> {
        self.tables().find(|(_, table)| &*table.name == name)
    }

    /// Returns the schemas in the order of their names.
    pub(crate) fn schemas(&self) -> &BTreeMap<String, SchemaState> {
        &self.schemas
    }

    /// Checks a state read from a checkpoint against its own segments, and derives what is not stored.
    ///
    /// # Errors
    /// In words, what does not hold.
    pub(super) fn restored(mut self) -> Result<LedgerState, String> {
        let named_twice =
            self.tables.values().map(|t| &t.name).collect::<HashSet<_>>().len() != self.tables.len();
        if named_twice || self.tables.keys().any(|&id| id >= self.next_table) {
            return Err("tables share a name or an identity".to_string());
        }
        for (&id, table) in &mut self.tables {
            if !self.schemas.contains_key(&*table.name) {
                return Err(format!("table {id} has no schema"));
            }
            for (&number, partition) in &table.partitions {
                let rebuilt = partition.rebuilt().map_err(|e| e.to_string())?;
                if rebuilt != *partition || partition.position.partition != number {
                    return Err(format!(
                        "partition {number} of table {id} does not follow from its segments"
                    ));
                }
            }
            table.derive_names().map_err(|e| e.to_string())?;
        }
        Ok(self)
    }

    fn check_drop_schema(&self, name: &str) -> Result<(), LedgerViolation> {
        if !self.schemas.contains_key(name) {
            return Err(LedgerViolation::UnknownSchema { name: name.to_string() });
        }
        match self.table_named(name) {
            Some(_) => Err(LedgerViolation::SchemaInUse { name: name.to_string() }),
            None => Ok(()),
        }
    }

    fn check_create(&self, table: TableId, name: &str) -> Result<(), LedgerViolation> {
        check_table_name("table", name)?;
        if self.table_named(name).is_some() {
            return Err(LedgerViolation::TableExists { name: name.to_string() });
        }
        if table != self.next_table {
            return Err(LedgerViolation::WrongTableId { table, next: self.next_table });
        }
        Ok(())
    }

    fn check_partitions(&self, table: TableId, added: &[PartitionStart]) -> Result<(), LedgerViolation> {
        let state = self.table(table)?;
        let mut seen = HashSet::new();
        for &PartitionStart { partition, start, .. } in added {
            if partition.0 < 0 || start.0 < 0 {
                return Err(LedgerViolation::BadPartition { partition, start });
            }
            if state.partitions.contains_key(&partition) || !seen.insert(partition) {
                return Err(LedgerViolation::PartitionExists { table, partition });
            }
        }
        Ok(())
    }

    fn check_commit(&self, commit: &SegmentCommit) -> Result<(), LedgerViolation> {
        let &SegmentCommit { table, partition, .. } = commit;
        let state = self.table(table)?;
        let ledger =
            state.partitions.get(&partition).ok_or(LedgerViolation::UnknownPartition { table, partition })?;
        ledger.check(commit)?;
        state.check_names(commit)
    }

    fn check_drop_segments(&self, table: TableId, segments: &[SegmentId]) -> Result<(), LedgerViolation> {
        let state = self.table(table)?;
        let mut seen = HashSet::new();
        for &segment in segments {
            if state.segment(segment).is_none() || !seen.insert(segment) {
                let SegmentId { partition, sequence } = segment;
                return Err(LedgerViolation::UnknownSegment { table, partition, sequence });
            }
        }
        Ok(())
    }

    fn change(&mut self, record: LedgerRecord) {
        match record {
            LedgerRecord::PutSchema { name, schema } => self.put_schema(&name, schema),
            LedgerRecord::DropSchema { name } => {
                self.schemas.remove(&name);
            }
            LedgerRecord::CreateTable { table, name, schema, config, created_ms } => {
                self.put_schema(&name, schema);
                self.tables.insert(table, TableState::new(name.into(), config, created_ms));
                self.next_table = TableId(table.0 + 1);
            }
            LedgerRecord::UpdateTable { table, schema, config } => {
                let state = self.table_mut(table);
                state.config = config;
                let name = state.name.clone();
                self.put_schema(&name, schema);
            }
            LedgerRecord::DropTable { table } => {
                self.tables.remove(&table);
            }
            LedgerRecord::SetPaused { table, paused } => self.table_mut(table).paused = paused.map(Arc::new),
            LedgerRecord::SetDisabled { table, disabled } => self.table_mut(table).disabled = disabled,
            LedgerRecord::AddPartitions { table, partitions } => {
                let new = partitions.iter().map(|added| (added.partition, PartitionLedger::new(added)));
                self.table_mut(table).partitions.extend(new);
            }
            LedgerRecord::CommitSegment(commit) => {
                let table = self.table_mut(commit.table);
                table.add_names(&commit);
                let partition = table.partitions.get_mut(&commit.partition).expect("partition was checked");
                partition.advance(commit);
            }
            LedgerRecord::DropSegments { table, segments } => {
                let table = self.table_mut(table);
                segments.into_iter().for_each(|segment| table.drop_segment(segment));
            }
        }
    }

    /// Sets a schema; the same schema again is no new version.
    fn put_schema(&mut self, name: &str, json: Arc<Value>) {
        match self.schemas.get_mut(name) {
            Some(schema) if schema.json == json => {}
            Some(schema) => *schema = SchemaState { json, version: schema.version.saturating_add(1) },
            None => {
                self.schemas.insert(name.to_string(), SchemaState { json, version: 1 });
            }
        }
    }

    fn table_mut(&mut self, table: TableId) -> &mut TableState {
        self.tables.get_mut(&table).expect("table was checked")
    }
}

impl TableState {
    fn new(name: Arc<str>, config: Arc<Value>, created_ms: i64) -> TableState {
        TableState {
            name,
            config,
            created_ms,
            paused: None,
            disabled: false,
            partitions: BTreeMap::new(),
            segment_names: HashSet::new(),
            file_names: HashSet::new(),
        }
    }

    /// Returns the positions, by partition.
    pub(crate) fn positions(&self) -> impl Iterator<Item = &super::PartitionState> {
        self.partitions.values().map(|partition| &partition.position)
    }

    /// Returns the segments, by partition and sequence.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Arc<SegmentCommit>> {
        self.partitions.values().flat_map(PartitionLedger::segments)
    }

    /// Returns a segment that is there.
    pub(crate) fn segment(&self, id: SegmentId) -> Option<&Arc<SegmentCommit>> {
        self.partitions.get(&id.partition)?.segment(id.sequence)
    }

    fn drop_segment(&mut self, id: SegmentId) {
        let partition = self.partitions.get_mut(&id.partition).expect("segment was checked");
        let segment = partition.segment(id.sequence).cloned().expect("segment was checked");
        partition.drop_segment(id.sequence);
        self.segment_names.remove(&segment.name);
        for file in segment.files() {
            self.file_names.remove(&file.file_name);
        }
    }

    /// Returns whether a committed segment has the name.
    pub(crate) fn has_segment(&self, name: &str) -> bool {
        self.segment_names.contains(name)
    }

    /// Returns whether a committed segment owns the durable file.
    pub(crate) fn has_file(&self, file_name: &str) -> bool {
        self.file_names.contains(file_name)
    }

    fn check_names(&self, commit: &SegmentCommit) -> Result<(), LedgerViolation> {
        if self.has_segment(&commit.name) {
            return Err(LedgerViolation::SegmentExists { segment: commit.name.clone() });
        }
        let mut own = HashSet::new();
        for file in commit.files() {
            if self.has_file(&file.file_name) || !own.insert(&file.file_name) {
                let file_name = file.file_name.clone();
                return Err(LedgerViolation::FileTaken { segment: commit.name.clone(), file_name });
            }
        }
        Ok(())
    }

    fn add_names(&mut self, commit: &SegmentCommit) {
        self.segment_names.insert(commit.name.clone());
        self.file_names.extend(commit.files().map(|file| file.file_name.clone()));
    }

    fn derive_names(&mut self) -> Result<(), LedgerViolation> {
        let segments: Vec<_> = self.segments().cloned().collect();
        for segment in segments {
            self.check_names(&segment)?;
            self.add_names(&segment);
        }
        Ok(())
    }
}
