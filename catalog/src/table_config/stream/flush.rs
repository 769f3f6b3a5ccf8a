//! When a consuming segment is full: rows, bytes or age, whichever comes first.

use std::time::Duration;

use meunier_segment::json_reader::Findings;

use super::StreamMap;
use crate::table_config::quantity::{parse_period_or_millis, parse_size};

/// Rows over all partitions where nothing is said.
const ROWS: u64 = 5_000_000;
/// Bytes of a segment where rows are said to be 0, which means "by size".
const SEGMENT_BYTES: u64 = 200 << 20;
/// Age where nothing is said.
const AGE: Duration = Duration::from_secs(6 * 3600);

/// When a consuming segment is full. One of the three sizes is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlushThresholds {
    /// Rows over all partitions that this server consumes; each partition's segment gets its share.
    pub rows: Option<u64>,
    /// Rows of one segment.
    pub segment_rows: Option<u64>,
    /// Bytes of one sealed segment.
    pub segment_bytes: Option<u64>,
    /// Age since the segment's first row.
    pub time: Duration,
}

impl Default for FlushThresholds {
    fn default() -> FlushThresholds {
        FlushThresholds { rows: Some(ROWS), segment_rows: None, segment_bytes: None, time: AGE }
    }
}

/// The size keys that were set, each with its key.
struct Sizes {
    rows: Option<(&'static str, u64)>,
    segment_rows: Option<(&'static str, u64)>,
    segment_bytes: Option<(&'static str, u64)>,
}

const ROWS_KEY: &str = "realtime.segment.flush.threshold.rows";
/// Means rows, whatever its name says.
const OLD_ROWS_KEY: &str = "realtime.segment.flush.threshold.size";
const SEGMENT_ROWS_KEY: &str = "realtime.segment.flush.threshold.segment.rows";
const BYTES_KEY: &str = "realtime.segment.flush.threshold.segment.size";
const OLD_BYTES_KEY: &str = "realtime.segment.flush.desired.size";
const OLDER_BYTES_KEY: &str = "realtime.segment.flush.threshold.desired.size";
const TIME_KEY: &str = "realtime.segment.flush.threshold.time";

pub(super) fn read(map: &StreamMap<'_>, findings: &mut Findings) -> FlushThresholds {
    let sizes = Sizes {
        rows: read_rows(map, ROWS_KEY, findings).or_else(|| read_rows(map, OLD_ROWS_KEY, findings)),
        segment_rows: read_rows(map, SEGMENT_ROWS_KEY, findings),
        segment_bytes: read_bytes(map, findings),
    };
    check_tuning(map, findings);
    let time = read_time(map, findings);
    check_one_size(map, &sizes, findings);
    let positive = |size: Option<(&str, u64)>| size.map(|(_, count)| count).filter(|count| *count > 0);
    let mut flush = FlushThresholds {
        rows: positive(sizes.rows),
        segment_rows: positive(sizes.segment_rows),
        segment_bytes: positive(sizes.segment_bytes),
        time,
    };
    let by_size = sizes.rows.is_some() || sizes.segment_rows.is_some();
    match flush {
        FlushThresholds { rows: None, segment_rows: None, segment_bytes: None, .. } if by_size => {
            flush.segment_bytes = Some(SEGMENT_BYTES);
        }
        FlushThresholds { rows: None, segment_rows: None, segment_bytes: None, .. } => {
            flush.rows = Some(ROWS)
        }
        FlushThresholds { .. } => {}
    }
    flush
}

fn read_rows(map: &StreamMap<'_>, key: &'static str, findings: &mut Findings) -> Option<(&'static str, u64)> {
    let text = map.text(key, findings)?;
    match text.parse() {
        Ok(rows) => Some((key, rows)),
        Err(_) => {
            let hint = if parse_size(&text).is_some() {
                format!("; a size in bytes is `{BYTES_KEY}`")
            } else {
                String::new()
            };
            findings.problem(
                map.place(key),
                format!("`{text}` is no number of rows: write a whole number{hint}"),
            );
            None
        }
    }
}

fn read_bytes(map: &StreamMap<'_>, findings: &mut Findings) -> Option<(&'static str, u64)> {
    let key =
        [BYTES_KEY, OLD_BYTES_KEY, OLDER_BYTES_KEY].into_iter().find(|key| map.written(key).is_some())?;
    let text = map.text(key, findings)?;
    let bytes = parse_size(&text);
    if bytes.is_none() {
        findings.problem(map.place(key), format!("`{text}` is no size: write for example 200M"));
    }
    bytes.map(|bytes| (key, bytes))
}

fn read_time(map: &StreamMap<'_>, findings: &mut Findings) -> Duration {
    let Some(text) = map.text(TIME_KEY, findings) else { return AGE };
    match parse_period_or_millis(&text) {
        Some(time) if !time.is_zero() => time,
        Some(_) | None => {
            findings.problem(
                map.place(TIME_KEY),
                format!("`{text}` is no period: write for example 6h, 1h30m or 3600000"),
            );
            AGE
        }
    }
}

fn check_one_size(map: &StreamMap<'_>, sizes: &Sizes, findings: &mut Findings) {
    let all = [sizes.rows, sizes.segment_rows, sizes.segment_bytes];
    let mut set = all.into_iter().flatten().filter(|(_, count)| *count > 0);
    let Some((first, _)) = set.next() else { return };
    for (other, _) in set {
        let message =
            format!("a segment's size is already told by `{first}`: keep one of the two, or write 0 there");
        findings.problem(map.place(other), message);
    }
}

/// Checks the keys that tune Pinot's own way of learning sizes, which have no meaning here.
fn check_tuning(map: &StreamMap<'_>, findings: &mut Findings) {
    for key in ["realtime.segment.flush.autotune.initialRows", "realtime.segment.commit.timeoutSeconds"] {
        let _ = map.integer(key, 0, findings);
    }
    const VARIANCE: &str = "realtime.segment.flush.threshold.variance.fraction";
    if let Some(text) = map.text(VARIANCE, findings)
        && !text.parse::<f64>().is_ok_and(|fraction| (0.0..=0.5).contains(&fraction))
    {
        findings
            .problem(map.place(VARIANCE), format!("`{text}` is no fraction: write a number from 0 to 0.5"));
    }
}
