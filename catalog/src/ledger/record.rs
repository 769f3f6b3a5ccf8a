//! What the ledger can say: one record is one change of what exists.
//!
//! Records are JSON with a tag `type`. A tag or a field that this version does not know was written by a newer one and
//! is an error, never skipped: half-understood history is wrong history.

use std::sync::Arc;

use meunier_segment::offset_range::{Offset, OffsetRange, PartitionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::TableId;

/// Most gaps a commit lists. A transactional topic has one gap a transaction; beyond this only their sum is kept.
pub const GAPS_LISTED_MAX: usize = 1_000;

/// Deepest nesting of a schema or table config. serde_json reads 128 levels, and a checkpoint adds five of its own.
const JSON_DEPTH_MAX: usize = 100;

/// One change of what exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum LedgerRecord {
    /// Sets the schema of a name, and with it that of the table of the same name.
    PutSchema {
        /// Name of the schema.
        name: String,
        /// The schema as the user wrote it.
        schema: Arc<Value>,
    },
    /// Forgets a schema that no table uses.
    DropSchema {
        /// Name of the schema.
        name: String,
    },
    /// Creates a table, and sets the schema of its name.
    CreateTable {
        /// The table's identity: the next one never used.
        table: TableId,
        /// Name of the table and of its schema.
        name: String,
        /// The schema as the user wrote it.
        schema: Arc<Value>,
        /// The table config as the user wrote it.
        config: Arc<Value>,
        /// When, in milliseconds since the epoch.
        created_ms: i64,
    },
    /// Replaces the table's schema and config.
    UpdateTable {
        /// The table.
        table: TableId,
        /// The new schema.
        schema: Arc<Value>,
        /// The new config.
        config: Arc<Value>,
    },
    /// Forgets a table with all its partitions and segments. Its schema stays.
    DropTable {
        /// The table.
        table: TableId,
    },
    /// Fixes the first position of partitions seen for the first time.
    AddPartitions {
        /// The table.
        table: TableId,
        /// The new partitions.
        partitions: Vec<PartitionStart>,
    },
    /// Commits a segment: moves its partition from the start to the end of its offsets.
    CommitSegment(Arc<SegmentCommit>),
    /// Forgets committed segments of a table. Their partitions' positions stay.
    DropSegments {
        /// The table.
        table: TableId,
        /// The segments.
        segments: Vec<SegmentId>,
    },
    /// Stops or resumes the consumption of a table.
    SetPaused {
        /// The table.
        table: TableId,
        /// Why it is paused; none resumes it.
        paused: Option<PauseReason>,
    },
    /// Takes a table out of use, or puts it in use again. Its segments stay.
    SetDisabled {
        /// The table.
        table: TableId,
        /// Whether it is out of use.
        disabled: bool,
    },
}

/// A segment by its place in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentId {
    /// Its partition.
    pub partition: PartitionId,
    /// Its number in the partition.
    pub sequence: u32,
}

/// Where a partition begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionStart {
    /// The partition.
    pub partition: PartitionId,
    /// The first offset to read.
    pub start: Offset,
    /// Which leadership of the partition may commit.
    pub epoch: u64,
}

/// Why a table is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseReason {
    /// In words.
    pub comment: String,
    /// Who paused it: a user, or the part of meunier that did.
    pub by: String,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// A segment and the offsets it accounts for.
///
/// Every offset of `range` is one of: a record that is stored, a rejected one, a filtered one, a gap. A stored record is one
/// row, or several, or was rolled up into another's: [`SegmentCommit::extra_rows`] and [`SegmentCommit::merged_rows`] tell by how
/// much rows are more or fewer than stored records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentCommit {
    /// The table.
    pub table: TableId,
    /// The partition its records came from.
    pub partition: PartitionId,
    /// The leadership under which it was made.
    pub epoch: u64,
    /// Its number in the partition, from 0 without holes.
    pub sequence: u32,
    /// Its name, unique in the table.
    pub name: String,
    /// The offsets consumed, starting at the partition's committed position.
    pub range: OffsetRange,
    /// Rows stored in the durable file.
    pub rows: u64,
    /// Records that could not become rows.
    pub rejected: u64,
    /// Records the table's filter left out.
    pub filtered: u64,
    /// Rows beyond the first of the records that became several.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra_rows: u64,
    /// Rows that were rolled up into others.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub merged_rows: u64,
    /// Offsets that hold no record: compacted, transaction markers, aborted, expired.
    pub gap_offsets: u64,
    /// The gaps in order, the first [`GAPS_LISTED_MAX`] of them; complete when their widths sum to `gap_offsets`.
    pub gaps: Vec<OffsetRange>,
    /// The rows, in the deep store; none when there are no rows.
    pub durable: Option<FileRef>,
    /// The rejected records, in the deep store.
    pub rejects: Option<FileRef>,
    /// When it was sealed, in milliseconds since the epoch.
    pub created_ms: i64,
    /// Least value of the time column.
    pub min_time_ms: Option<i64>,
    /// Greatest value of the time column.
    pub max_time_ms: Option<i64>,
    /// The last record consumed, to notice a topic that was deleted and made anew.
    pub last_record: Option<RecordFingerprint>,
}

/// A file of the deep store, as it must be found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// Name in the table's directory.
    pub file_name: String,
    /// Length.
    pub bytes: u64,
    /// CRC-32C of all bytes.
    pub crc32c: u32,
}

/// Identifies the content of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordFingerprint {
    /// Where it was read.
    pub offset: Offset,
    /// Hash of its key, payload and timestamp; which hash is the ingester's choice.
    pub hash: u64,
}

impl SegmentCommit {
    /// Returns the segment's place in its table.
    pub fn id(&self) -> SegmentId {
        SegmentId { partition: self.partition, sequence: self.sequence }
    }

    /// Returns the deep-store files that live as long as the segment.
    pub fn files(&self) -> impl Iterator<Item = &FileRef> {
        self.durable.iter().chain(&self.rejects)
    }
}

impl LedgerRecord {
    /// Returns the record as JSON, proven to read back as the same record.
    ///
    /// # Errors
    /// In words, when it would not.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, String> {
        for value in self.values() {
            let depth = depth_of(value);
            if depth > JSON_DEPTH_MAX {
                return Err(format!("it nests {depth} levels deep, {JSON_DEPTH_MAX} are allowed"));
            }
        }
        let json = serde_json::to_vec(self).map_err(|e| e.to_string())?;
        let read_back = LedgerRecord::from_json(&json).map_err(|e| e.to_string())?;
        if read_back != *self {
            return Err("it would not read back as it was written".to_string());
        }
        Ok(json)
    }

    /// Reads what [`LedgerRecord::to_json`] wrote.
    pub(super) fn from_json(json: &[u8]) -> Result<LedgerRecord, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Returns the tag, for messages.
    pub(super) fn what(&self) -> &'static str {
        match self {
            LedgerRecord::PutSchema { .. } => "schema",
            LedgerRecord::DropSchema { .. } => "drop of a schema",
            LedgerRecord::CreateTable { .. } => "table",
            LedgerRecord::UpdateTable { .. } => "update of a table",
            LedgerRecord::DropTable { .. } => "drop of a table",
            LedgerRecord::AddPartitions { .. } => "new partitions",
            LedgerRecord::CommitSegment(_) => "segment",
            LedgerRecord::DropSegments { .. } => "drop of segments",
            LedgerRecord::SetPaused { .. } => "pause",
            LedgerRecord::SetDisabled { .. } => "state of a table",
        }
    }

    /// Returns the JSON values that came from outside.
    fn values(&self) -> Vec<&Value> {
        match self {
            LedgerRecord::PutSchema { schema, .. } => vec![schema],
            LedgerRecord::CreateTable { schema, config, .. }
            | LedgerRecord::UpdateTable { schema, config, .. } => {
                vec![schema, config]
            }
            LedgerRecord::DropSchema { .. }
            | LedgerRecord::DropTable { .. }
            | LedgerRecord::AddPartitions { .. }
            | LedgerRecord::CommitSegment(_)
            | LedgerRecord::DropSegments { .. }
            | LedgerRecord::SetPaused { .. }
            | LedgerRecord::SetDisabled { .. } => Vec::new(),
        }
    }
}

/// Whether a count need not be written. Ledgers of tables that have none of it stay readable to versions that do not know it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
