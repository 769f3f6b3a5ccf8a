//! What is counted while requests run, and what is measured when somebody asks.
//!
//! Names are Pinot's where Pinot has one for the same thing (`pinot_server_…`, as its JMX export gives them, so that
//! dashboards keep working) and ours otherwise. `docs/reference/metrics.md` lists them; a test holds the two together.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use meunier_catalog::TableEntry;
use meunier_ingest::{PartitionState, PartitionStatus};
use meunier_segment::table_snapshot::Segment;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::app::AppState;
use crate::store::{Opened, Store, now_ms};

/// Names and values of labels.
type Labels = Vec<(&'static str, String)>;

/// Bounds of the histograms, in seconds: 0.25 ms to 8 s, each twice the one before.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}

/// What is counted while requests run.
pub struct Metrics {
    registry: Registry,
    http_requests: Family<Labels, Counter>,
    http_seconds: Histogram,
    queries: Family<Labels, Counter>,
    query_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    /// Returns counters at zero.
    pub fn new() -> Metrics {
        let metrics = Metrics {
            registry: Registry::default(),
            http_requests: Family::default(),
            http_seconds: seconds(),
            queries: Family::default(),
            query_seconds: seconds(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Metrics {
        let registry = &mut self.registry;
        registry.register("meunier_http_requests", "HTTP requests answered", self.http_requests.clone());
        registry.register(
            "meunier_http_request_seconds",
            "Time from a request's head to its answer",
            self.http_seconds.clone(),
        );
        registry.register(
            "meunier_queries",
            "Queries answered, by Pinot's error code (-1 for success)",
            self.queries.clone(),
        );
        registry.register("meunier_query_seconds", "Time of a query", self.query_seconds.clone());
        self
    }

    /// Counts a request.
    pub(crate) fn http_request(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let labels = vec![
            ("method", method.to_string()),
            ("route", route.to_owned()),
            ("status", status.as_u16().to_string()),
        ];
        self.http_requests.get_or_create(&labels).inc();
        self.http_seconds.observe(took.as_secs_f64());
    }

    /// Counts a query; `error_code` is Pinot's, -1 for success.
    pub(crate) fn query(&self, error_code: i32, took: Duration) {
        self.queries.get_or_create(&vec![("code", error_code.to_string())]).inc();
        self.query_seconds.observe(took.as_secs_f64());
    }

    /// Returns everything as text, in the OpenMetrics format.
    pub fn render(&self, state: &AppState) -> String {
        let store = &state.store;
        let mut out = String::new();
        let mut measured = Measured::default();
        measured.process(store, state.started);
        measured.queries(state);
        for (entry, opened) in store.tables() {
            measured.table(store, &entry, &opened);
        }
        text::encode_registry(&mut out, &self.registry).expect("a String takes all text");
        text::encode_registry(&mut out, &measured.into_registry()).expect("a String takes all text");
        text::encode_eof(&mut out).expect("a String takes all text");
        out
    }
}

/// A measure: name, and what it is.
const MEASURES: &[(&str, &str)] = &[
    ("meunier_build_info", "1, with the version as a label"),
    ("meunier_uptime_seconds", "Time since the start"),
    ("process_resident_memory_bytes", "Memory of the process in RAM"),
    ("meunier_ingest_memory_bytes", "Memory of all rows that are not sealed"),
    ("meunier_queries_running", "Queries that wait or run"),
    ("meunier_cursors_kept", "Answers kept for cursors"),
    ("meunier_cursors_memory_bytes", "Memory of answers kept for cursors"),
    ("meunier_table_state", "1 for the state a table is in"),
    ("meunier_partition_state", "1 for the state a partition is in"),
    ("meunier_partition_committed_offset", "First offset that is not committed"),
    ("meunier_partition_sealing_segments", "Segments on their way to be sealed"),
    ("pinot_server_llcPartitionConsuming_Value", "1 while a partition is consumed, 0 otherwise"),
    ("pinot_server_realtimeRowsConsumed_Count", "Rows stored since the table was created"),
    ("pinot_server_realtimeBytesConsumed_Count", "Payload bytes consumed since the start"),
    ("pinot_server_invalidRealtimeRowsDropped_Count", "Records rejected since the table was created"),
    (
        "pinot_server_realtimeRowsFiltered_Count",
        "Records left out by the table's filter since it was created",
    ),
    (
        "pinot_server_incompleteRealtimeRowsConsumed_Count",
        "Rows stored without a value that could not be, since the process started",
    ),
    (
        "pinot_server_realtimeIngestionOffsetLag_Value",
        "Offsets between what is visible and the end of the partition",
    ),
    (
        "pinot_server_realtimeIngestionDelayMs_Value",
        "Age of the newest visible record, 0 when all are visible",
    ),
    ("pinot_server_realtimeIngestionConsumingOffset_Value", "First offset that is not visible"),
    ("pinot_server_realtimeIngestionUpstreamOffset_Value", "End of the partition at the broker"),
    ("pinot_server_realtimeOffheapMemoryUsed_Value", "Memory of a table's rows that are not sealed"),
    ("pinot_server_documentCount_Value", "Rows of a table, visible now"),
    ("pinot_server_segmentCount_Value", "Segments of a table, visible now"),
    ("pinot_controller_tableConsumptionPaused_Value", "1 while a table is paused"),
];

/// What is measured at one moment.
#[derive(Default)]
struct Measured {
    values: Vec<(&'static str, Labels, f64)>,
}

impl Measured {
    fn queries(&mut self, state: &AppState) {
        let (kept, bytes) = state.cursors.usage();
        self.add("meunier_queries_running", &Labels::new(), state.engine.running().len() as f64);
        self.add("meunier_cursors_kept", &Labels::new(), kept as f64);
        self.add("meunier_cursors_memory_bytes", &Labels::new(), bytes as f64);
    }

    fn process(&mut self, store: &Store, started: Instant) {
        self.add("meunier_build_info", &vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0);
        self.add("meunier_uptime_seconds", &Labels::new(), started.elapsed().as_secs_f64());
        self.add("meunier_ingest_memory_bytes", &Labels::new(), store.ingester().memory_bytes() as f64);
        if let Some(bytes) = resident_bytes() {
            self.add("process_resident_memory_bytes", &Labels::new(), bytes as f64);
        }
    }

    fn table(&mut self, store: &Store, entry: &TableEntry, opened: &Opened) {
        let labels = vec![("table", entry.name.to_string()), ("tableType", "REALTIME".to_owned())];
        let state = opened.state_name(entry);
        self.add("meunier_table_state", &with(&labels, "state", state), 1.0);
        self.add(
            "pinot_controller_tableConsumptionPaused_Value",
            &labels,
            f64::from(u8::from(entry.paused.is_some())),
        );
        if let Opened::Open(table) = opened {
            let segments: Vec<Segment> = table.live.snapshot().segments().collect();
            let rows: u64 = segments.iter().map(|segment| segment.rows() as u64).sum();
            self.add("pinot_server_documentCount_Value", &labels, rows as f64);
            self.add("pinot_server_segmentCount_Value", &labels, segments.len() as f64);
        }
        let partitions = store.status(entry.id).map(|status| status.partitions).unwrap_or_default();
        let memory: u64 = partitions.iter().map(|partition| partition.memory_bytes).sum();
        self.add("pinot_server_realtimeOffheapMemoryUsed_Value", &labels, memory as f64);
        for partition in &partitions {
            self.partition(&labels, partition);
        }
    }

    fn partition(&mut self, table: &Labels, status: &PartitionStatus) {
        let labels = with(table, "partition", &status.partition.to_string());
        let stopped = matches!(
            status.state,
            PartitionState::Paused | PartitionState::Stuck(_) | PartitionState::Expired(_)
        );
        self.add("meunier_partition_state", &with(&labels, "state", status.state.name()), 1.0);
        self.add("meunier_partition_committed_offset", &labels, status.committed.0 as f64);
        self.add("meunier_partition_sealing_segments", &labels, status.sealing_segments as f64);
        self.add("pinot_server_llcPartitionConsuming_Value", &labels, f64::from(u8::from(!stopped)));
        self.add("pinot_server_realtimeRowsConsumed_Count", &labels, status.rows_total as f64);
        self.add("pinot_server_realtimeBytesConsumed_Count", &labels, status.bytes_total as f64);
        self.add("pinot_server_invalidRealtimeRowsDropped_Count", &labels, status.rejected_total as f64);
        self.add("pinot_server_realtimeRowsFiltered_Count", &labels, status.filtered_total as f64);
        self.add(
            "pinot_server_incompleteRealtimeRowsConsumed_Count",
            &labels,
            status.incomplete_total as f64,
        );
        self.add("pinot_server_realtimeIngestionConsumingOffset_Value", &labels, status.position.0 as f64);
        if let Some(end) = end_offset(status) {
            self.add("pinot_server_realtimeIngestionUpstreamOffset_Value", &labels, end as f64);
        }
        if let Some(lag) = status.lag {
            self.add("pinot_server_realtimeIngestionOffsetLag_Value", &labels, lag as f64);
        }
        if let Some(delay) = availability_lag_ms(status) {
            self.add("pinot_server_realtimeIngestionDelayMs_Value", &labels, delay as f64);
        }
    }

    fn add(&mut self, name: &'static str, labels: &Labels, value: f64) {
        self.values.push((name, labels.clone(), value));
    }

    fn into_registry(self) -> Registry {
        let mut registry = Registry::default();
        for (name, help) in MEASURES {
            let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
            for (_, labels, value) in self.values.iter().filter(|(of, _, _)| of == name) {
                family.get_or_create(labels).set(*value);
            }
            registry.register(*name, *help, family);
        }
        registry
    }
}

fn with(labels: &Labels, name: &'static str, value: &str) -> Labels {
    let mut longer = labels.clone();
    longer.push((name, value.to_owned()));
    longer
}

/// Returns how far the newest visible record lies behind now, in milliseconds; 0 when all records are visible.
pub(crate) fn availability_lag_ms(status: &PartitionStatus) -> Option<i64> {
    match (status.lag, status.last_record_ms) {
        (Some(0), _) => Some(0),
        (_, Some(last)) => Some((now_ms() - last).max(0)),
        (_, None) => None,
    }
}

/// Returns the end of the partition at the broker. It is heard of less often than records are, so it may lie before them.
pub(crate) fn end_offset(status: &PartitionStatus) -> Option<i64> {
    status.log_end.map(|end| end.max(status.position).0)
}

/// Returns the process's memory in RAM, where the system tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_has_every_name() {
        let page = include_str!("../../docs/reference/metrics.md");
        let counted = [
            "meunier_http_requests_total",
            "meunier_http_request_seconds",
            "meunier_queries_total",
            "meunier_query_seconds",
        ];
        for name in MEASURES.iter().map(|(name, _)| *name).chain(counted) {
            assert!(page.contains(&format!("`{name}`")), "docs/reference/metrics.md lacks `{name}`");
        }
    }
}
