//! One partition's committed position and the segments that lead to it.
//!
//! Segments that were dropped stay in the list until all before them are dropped too; then they are folded into the base, the
//! position that they led to.
//!
//! Invariant: segments lie end to end from the base to `committed`, numbered without holes, the first one is not dropped, and
//! `committed - start = rows + merged rows - extra rows + rejected + filtered + gaps`.

use std::collections::BTreeSet;
use std::sync::Arc;

use meunier_segment::offset_range::{Offset, OffsetRange, PartitionId};
use serde::{Deserialize, Serialize};

use super::record::{GAPS_LISTED_MAX, PartitionStart, SegmentCommit, is_zero};
use super::state::LedgerViolation;
use crate::names::check_file_name;

/// How far a partition is committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionState {
    /// The partition.
    pub partition: PartitionId,
    /// The first offset ever to be read.
    pub start: Offset,
    /// The first offset not committed: where consumption resumes.
    pub committed: Offset,
    /// Which leadership of the partition may commit.
    pub epoch: u64,
    /// Number of the next segment.
    pub next_sequence: u32,
    /// Rows stored since `start`.
    pub rows: u64,
    /// Records rejected since `start`.
    pub rejected: u64,
    /// Records filtered out since `start`.
    pub filtered: u64,
    /// Rows beyond the first of the records that became several, since `start`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra_rows: u64,
    /// Rows that were rolled up into others, since `start`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub merged_rows: u64,
    /// Offsets without a record since `start`.
    pub gap_offsets: u64,
}

/// A partition's position with its segments in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartitionLedger {
    pub(super) position: PartitionState,
    segments: Vec<Arc<SegmentCommit>>,
    /// The position before the first segment of the list, once some before it were dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<PartitionState>,
    /// Numbers of the segments of the list that were dropped.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    dropped: BTreeSet<u32>,
}

impl PartitionLedger {
    pub(super) fn new(added: &PartitionStart) -> PartitionLedger {
        let &PartitionStart { partition, start, epoch } = added;
        let position = PartitionState {
            partition,
            start,
            committed: start,
            epoch,
            next_sequence: 0,
            rows: 0,
            rejected: 0,
            filtered: 0,
            extra_rows: 0,
            merged_rows: 0,
            gap_offsets: 0,
        };
        PartitionLedger { position, segments: Vec::new(), base: None, dropped: BTreeSet::new() }
    }

    /// Says whether `commit` continues this partition exactly where it stands.
    pub(super) fn check(&self, commit: &SegmentCommit) -> Result<(), LedgerViolation> {
        let at = &self.position;
        let segment = || commit.name.clone();
        if commit.epoch != at.epoch {
            return Err(LedgerViolation::WrongEpoch {
                segment: segment(),
                epoch: commit.epoch,
                current: at.epoch,
            });
        }
        if commit.range.start != at.committed {
            return Err(LedgerViolation::WrongStart {
                segment: segment(),
                start: commit.range.start,
                committed: at.committed,
            });
        }
        if commit.sequence != at.next_sequence || commit.sequence == u32::MAX {
            return Err(LedgerViolation::WrongSequence {
                segment: segment(),
                sequence: commit.sequence,
                next: at.next_sequence,
            });
        }
        check_alone(commit)
    }

    /// Moves the position over a commit that [`PartitionLedger::check`] let through.
    pub(super) fn advance(&mut self, commit: Arc<SegmentCommit>) {
        self.position.advance(&commit);
        self.segments.push(commit);
    }

    /// Returns the segments that are there, in order.
    pub(super) fn segments(&self) -> impl Iterator<Item = &Arc<SegmentCommit>> {
        self.segments.iter().filter(|segment| !self.dropped.contains(&segment.sequence))
    }

    /// Returns the segment of a number, if it is there.
    pub(super) fn segment(&self, sequence: u32) -> Option<&Arc<SegmentCommit>> {
        self.segments().find(|segment| segment.sequence == sequence)
    }

    /// Forgets a segment that is there.
    pub(super) fn drop_segment(&mut self, sequence: u32) {
        self.dropped.insert(sequence);
        let is_dropped = |segment: &Arc<SegmentCommit>| self.dropped.contains(&segment.sequence);
        let folded = self.segments.iter().take_while(|segment| is_dropped(segment)).count();
        for segment in self.segments.drain(..folded) {
            let base = self.base.get_or_insert_with(|| PartitionState {
                committed: self.position.start,
                next_sequence: 0,
                rows: 0,
                rejected: 0,
                filtered: 0,
                extra_rows: 0,
                merged_rows: 0,
                gap_offsets: 0,
                ..self.position.clone()
            });
            base.advance(&segment);
            self.dropped.remove(&segment.sequence);
        }
    }

    /// Returns the same partition built anew from its segments: what a checkpoint holds must equal it.
    pub(super) fn rebuilt(&self) -> Result<PartitionLedger, LedgerViolation> {
        let &PartitionState { partition, start, epoch, .. } = &self.position;
        let mut rebuilt = PartitionLedger::new(&PartitionStart { partition, start, epoch });
        if let Some(base) = &self.base {
            if !base.is_balanced() {
                let detail =
                    format!("the offsets before it, up to {}, are not accounted for", base.committed);
                let segment = self.segments.first().map(|segment| segment.name.clone()).unwrap_or_default();
                return Err(LedgerViolation::Inconsistent { segment, detail });
            }
            rebuilt.position = PartitionState { partition, start, epoch, ..base.clone() };
            rebuilt.base = Some(rebuilt.position.clone());
        }
        for segment in &self.segments {
            rebuilt.check(segment)?;
            rebuilt.advance(segment.clone());
        }
        for &sequence in &self.dropped {
            if rebuilt.segment(sequence).is_some() {
                rebuilt.drop_segment(sequence);
            }
        }
        Ok(rebuilt)
    }
}

impl PartitionState {
    fn advance(&mut self, commit: &SegmentCommit) {
        self.committed = commit.range.end;
        self.next_sequence += 1;
        self.rows += commit.rows;
        self.rejected += commit.rejected;
        self.filtered += commit.filtered;
        self.extra_rows += commit.extra_rows;
        self.merged_rows += commit.merged_rows;
        self.gap_offsets += commit.gap_offsets;
        assert!(self.is_balanced(), "offsets unaccounted for");
    }

    /// Whether every offset is a stored record, a rejected or filtered one, or a gap.
    fn is_balanced(&self) -> bool {
        let parts = [self.rows, self.merged_rows, self.rejected, self.filtered, self.gap_offsets];
        let accounted: u128 = parts.iter().map(|&count| u128::from(count)).sum();
        let is_forward = self.start <= self.committed;
        is_forward
            && accounted
                == u128::from(OffsetRange::new(self.start, self.committed).width())
                    + u128::from(self.extra_rows)
    }
}

/// Checks what must hold for a commit whatever came before it.
fn check_alone(commit: &SegmentCommit) -> Result<(), LedgerViolation> {
    let inconsistent =
        |detail: String| LedgerViolation::Inconsistent { segment: commit.name.clone(), detail };
    check_file_name("segment", &commit.name)?;
    for file in commit.files() {
        check_file_name("durable file", &file.file_name)?;
    }
    let OffsetRange { start, end } = commit.range;
    if start.0 < 0 || end <= start {
        return Err(inconsistent(format!("its offsets {} are empty or backwards", commit.range)));
    }
    let parts = [commit.rows, commit.merged_rows, commit.rejected, commit.filtered, commit.gap_offsets];
    let accounted: u128 = parts.iter().map(|&n| u128::from(n)).sum();
    if accounted != u128::from(commit.range.width()) + u128::from(commit.extra_rows) {
        let [rows, merged, rejected, filtered, gaps] = parts;
        return Err(inconsistent(format!(
            "its {} offsets are not {rows} rows + {merged} merged - {} extra + {rejected} rejected + {filtered} filtered + {gaps} gaps",
            commit.range.width(),
            commit.extra_rows
        )));
    }
    let came = commit.rows.saturating_add(commit.merged_rows);
    if commit.extra_rows > 0 && commit.extra_rows >= came {
        return Err(inconsistent(format!("{} of its {came} rows are extra", commit.extra_rows)));
    }
    if commit.durable.is_some() != (commit.rows > 0) {
        return Err(inconsistent(format!("a durable file goes with rows, and it has {} rows", commit.rows)));
    }
    if commit.rejects.is_some() && commit.rejected == 0 {
        return Err(inconsistent("it names a file of rejects but rejected nothing".to_string()));
    }
    if let (Some(min), Some(max)) = (commit.min_time_ms, commit.max_time_ms)
        && min > max
    {
        return Err(inconsistent(format!("its times {min}..{max} run backwards")));
    }
    if let Some(last) = commit.last_record
        && !(start <= last.offset && last.offset < end)
    {
        return Err(inconsistent(format!("its last record {} is outside {}", last.offset, commit.range)));
    }
    check_gaps(commit).map_err(inconsistent)
}

fn check_gaps(commit: &SegmentCommit) -> Result<(), String> {
    if commit.gaps.len() > GAPS_LISTED_MAX {
        return Err(format!("it lists {} gaps, {GAPS_LISTED_MAX} are allowed", commit.gaps.len()));
    }
    let mut free_from = commit.range.start;
    let mut listed = 0;
    for gap in &commit.gaps {
        let fits = free_from <= gap.start && gap.start < gap.end && gap.end <= commit.range.end;
        if !fits {
            return Err(format!("its gap {gap} is empty, out of order or outside {}", commit.range));
        }
        free_from = gap.end;
        listed += gap.width();
    }
    let all_listed = commit.gaps.len() < GAPS_LISTED_MAX;
    if listed > commit.gap_offsets || (all_listed && listed < commit.gap_offsets) {
        return Err(format!("its gaps sum to {listed} offsets, it says {}", commit.gap_offsets));
    }
    Ok(())
}
