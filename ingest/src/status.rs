//! What ingestion tells about itself: one state and one reason for each partition, the same in SQL, HTTP, CLI and metrics.

use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::segment_name::SegmentName;

/// How consumption of one partition goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionState {
    /// Not heard of by the broker yet.
    Starting,
    /// All records the broker has are visible, and some came lately.
    Live,
    /// All records the broker has are visible, and none came for a minute.
    Idle,
    /// Records wait at the broker.
    Lagging,
    /// Stopped by request.
    Paused,
    /// Cannot go on; tries again by itself.
    Stuck(String),
    /// The next offset is not at the broker any more: records were lost before they could be read, or the topic was made
    /// anew. Goes on only when told from where.
    Expired(String),
}

impl PartitionState {
    /// Returns the state's name.
    pub fn name(&self) -> &'static str {
        match self {
            PartitionState::Starting => "starting",
            PartitionState::Live => "live",
            PartitionState::Idle => "idle",
            PartitionState::Lagging => "lagging",
            PartitionState::Paused => "paused",
            PartitionState::Stuck(_) => "stuck",
            PartitionState::Expired(_) => "expired",
        }
    }

    /// Returns what is the matter, where something is.
    pub fn reason(&self) -> Option<&str> {
        match self {
            PartitionState::Stuck(reason) | PartitionState::Expired(reason) => Some(reason),
            PartitionState::Starting
            | PartitionState::Live
            | PartitionState::Idle
            | PartitionState::Lagging
            | PartitionState::Paused => None,
        }
    }
}

/// One partition at one moment.
#[derive(Debug, Clone)]
pub struct PartitionStatus {
    /// The partition.
    pub partition: PartitionId,
    /// How it goes.
    pub state: PartitionState,
    /// The first offset not committed: where a restart would resume.
    pub committed: Offset,
    /// The first offset not visible to queries.
    pub position: Offset,
    /// The end of the partition at the broker (the last stable offset for transactions), as last heard.
    pub log_end: Option<Offset>,
    /// Offsets between the position and the end.
    pub lag: Option<u64>,
    /// The segment that takes rows.
    pub consuming_segment: Option<SegmentName>,
    /// Its rows.
    pub consuming_rows: u64,
    /// Segments on their way to be sealed.
    pub sealing_segments: usize,
    /// Memory of the consuming and sealing segments.
    pub memory_bytes: u64,
    /// Rows stored since the table was created, visible ones included.
    pub rows_total: u64,
    /// Records rejected since the table was created.
    pub rejected_total: u64,
    /// Records left out by the table's filter since the table was created.
    pub filtered_total: u64,
    /// Rows stored without a value that could not be, since the process started.
    pub incomplete_total: u64,
    /// Payload bytes consumed since the process started.
    pub bytes_total: u64,
    /// Kafka's timestamp of the newest record consumed, milliseconds since the epoch.
    pub last_record_ms: Option<i64>,
    /// When records last came, milliseconds since the epoch.
    pub last_fetch_ms: Option<i64>,
    /// The last error, also when it has passed.
    pub last_error: Option<String>,
}

/// A table's ingestion at one moment.
#[derive(Debug, Clone)]
pub struct TableStatus {
    /// Why the topic cannot be reached, when it cannot.
    pub source_error: Option<String>,
    /// The broker is the embedded one, which is for demonstration and keeps records in memory only.
    pub embedded: bool,
    /// All partitions known, in order of their number.
    pub partitions: Vec<PartitionStatus>,
}
