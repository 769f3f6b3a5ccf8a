//! Limits and sizes of ingestion, checked.

use std::time::Duration;

use crate::decode::DecodeLimits;

/// How much ingestion may use of the machine.
#[derive(Debug, Clone)]
pub struct IngestConfig {
    /// Threads that fetch, decode and append. Each serves many partitions.
    pub worker_threads: usize,
    /// Threads that seal segments.
    pub seal_threads: usize,
    /// Memory of all consuming and sealing segments. Reaching it seals the largest and stops fetching until some is free.
    pub memory_bytes_max: u64,
    /// Fetched and not yet decoded records a partition may hold in the Kafka client.
    pub fetch_queue_bytes_max: u64,
    /// Records taken from one partition before the next one has its turn.
    pub batch_records_max: usize,
    /// How often a topic is asked for new partitions.
    pub partition_discovery_interval: Duration,
    /// How often segments are looked for that are older than their table keeps rows.
    pub retention_interval: Duration,
    /// Address of the broker embedded in this process, whose fetches must not wait long.
    pub embedded_broker: Option<String>,
    /// Called with the reason when the ledger cannot be trusted to hold what was written. The process must end: only a
    /// restart finds out what is on the disk.
    pub on_ledger_failure: fn(&str),
    /// What a record may be before it is rejected unread.
    pub decode_limits: DecodeLimits,
}

impl Default for IngestConfig {
    fn default() -> IngestConfig {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        IngestConfig {
            worker_threads: cores,
            seal_threads: cores.div_ceil(2),
            memory_bytes_max: 4 << 30,
            fetch_queue_bytes_max: 8 << 20,
            batch_records_max: 4096,
            partition_discovery_interval: Duration::from_secs(30),
            retention_interval: Duration::from_secs(60),
            embedded_broker: None,
            on_ledger_failure: |_| {},
            decode_limits: DecodeLimits::default(),
        }
    }
}
