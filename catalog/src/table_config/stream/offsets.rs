//! Which records of the topic are read: where to begin, which partitions, and whether open transactions count.

use std::collections::BTreeSet;
use std::time::Duration;

use meunier_segment::json_reader::Findings;
use meunier_segment::value::parse_timestamp;

use super::StreamMap;
use crate::table_config::quantity::parse_period;

/// Where a partition without committed offset is begun. It has no say once anything is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetCriteria {
    /// At the oldest record.
    Smallest,
    /// At the end: only records that come later.
    Largest,
    /// This long ago.
    Period(Duration),
    /// At a time, in milliseconds since the epoch.
    Timestamp(i64),
}

/// Whether records of open and aborted transactions are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// Only what is committed. The default here, other than in Pinot: it costs nothing where no transactions are.
    #[default]
    ReadCommitted,
    /// Everything.
    ReadUncommitted,
}

impl Isolation {
    /// Returns Kafka's name.
    pub fn name(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => "read_committed",
            Isolation::ReadUncommitted => "read_uncommitted",
        }
    }
}

/// Largest partition number that a list may name, so that a slip in a range stays harmless.
const PARTITION_MAX: i32 = 99_999;

pub(super) fn read_criteria(map: &StreamMap<'_>, findings: &mut Findings) -> OffsetCriteria {
    const KEYS: [&str; 3] =
        ["stream.kafka.consumer.prop.auto.offset.reset", "stream.kafka.offset.criteria", "auto.offset.reset"];
    let Some(key) = KEYS.into_iter().find(|key| map.written(key).is_some()) else {
        return OffsetCriteria::Largest;
    };
    let Some(text) = map.text(key, findings) else { return OffsetCriteria::Largest };
    match parse_criteria(&text) {
        Some(criteria) => criteria,
        None => {
            let message = format!(
                "`{text}` says no place to begin: write smallest, largest, a period such as 2d, or a time such as \
                 2026-01-31T00:00:00.000Z"
            );
            findings.problem(map.place(key), message);
            OffsetCriteria::Largest
        }
    }
}

fn parse_criteria(text: &str) -> Option<OffsetCriteria> {
    match text.to_ascii_lowercase().as_str() {
        "smallest" | "earliest" => return Some(OffsetCriteria::Smallest),
        "largest" | "latest" => return Some(OffsetCriteria::Largest),
        _ => {}
    }
    if let Some(period) = parse_period(text) {
        return Some(OffsetCriteria::Period(period));
    }
    let is_date = text.contains('-') && !text.starts_with('-');
    parse_timestamp(text).filter(|_| is_date).map(OffsetCriteria::Timestamp)
}

pub(super) fn read_isolation(map: &StreamMap<'_>, findings: &mut Findings) -> Isolation {
    const KEYS: [&str; 3] =
        ["stream.kafka.isolation.level", "stream.kafka.consumer.prop.isolation.level", "isolation.level"];
    let Some(key) = KEYS.into_iter().find(|key| map.written(key).is_some()) else {
        return Isolation::default();
    };
    let Some(text) = map.text(key, findings) else { return Isolation::default() };
    match text.to_ascii_lowercase().as_str() {
        "read_committed" => Isolation::ReadCommitted,
        "read_uncommitted" => Isolation::ReadUncommitted,
        _ => {
            findings.problem(
                map.place(key),
                format!("`{text}` is unknown: write read_committed or read_uncommitted"),
            );
            Isolation::default()
        }
    }
}

pub(super) fn read_partition_ids(map: &StreamMap<'_>, findings: &mut Findings) -> Option<BTreeSet<i32>> {
    const KEY: &str = "stream.kafka.partition.ids";
    let text = map.text(KEY, findings)?;
    let ids = parse_partition_ids(&text);
    if ids.is_none() {
        let message =
            format!("`{text}` is no list of partitions up to {PARTITION_MAX}: write for example 0,2,5-7");
        findings.problem(map.place(KEY), message);
    }
    ids
}

fn parse_partition_ids(text: &str) -> Option<BTreeSet<i32>> {
    let mut ids = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: i32 = first.trim().parse().ok()?;
        let last: i32 = last.trim().parse().ok()?;
        if first > last || first < 0 || last > PARTITION_MAX {
            return None;
        }
        ids.extend(first..=last);
    }
    Some(ids)
}
