//! One partition's committed position and the segments that lead to it.
//!
//! Invariant: segments lie end to end from `start` to `committed`, numbered without holes, and
//! `committed - start = rows + rejected + filtered + gaps`.

use std::sync::Arc;

use meunier_segment::offset_range::{Offset, OffsetRange, PartitionId};
use serde::{Deserialize, Serialize};

use super::record::{GAPS_LISTED_MAX, PartitionStart, SegmentCommit};
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
    /// Rows filtered out since `start`.
    pub filtered: u64,
    /// Offsets without a record since `start`.
    pub gap_offsets: u64,
}

/// A partition's position with its segments in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartitionLedger {
    pub(super) position: PartitionState,
    pub(super) segments: Vec<Arc<SegmentCommit>>,
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
            gap_offsets: 0,
        };
        PartitionLedger { position, segments: Vec::new() }
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
        let at = &mut self.position;
        at.committed = commit.range.end;
        at.next_sequence += 1;
        at.rows += commit.rows;
        at.rejected += commit.rejected;
        at.filtered += commit.filtered;
        at.gap_offsets += commit.gap_offsets;
        let width = OffsetRange::new(at.start, at.committed).width();
        assert_eq!(width, at.rows + at.rejected + at.filtered + at.gap_offsets, "offsets unaccounted for");
        self.segments.push(commit);
    }

    /// Returns the same partition built anew from its segments: what a checkpoint holds must equal it.
    pub(super) fn rebuilt(&self) -> Result<PartitionLedger, LedgerViolation> {
        let &PartitionState { partition, start, epoch, .. } = &self.position;
        let mut rebuilt = PartitionLedger::new(&PartitionStart { partition, start, epoch });
        for segment in &self.segments {
            rebuilt.check(segment)?;
            rebuilt.advance(segment.clone());
        }
        Ok(rebuilt)
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
    let parts = [commit.rows, commit.rejected, commit.filtered, commit.gap_offsets];
    let accounted: u128 = parts.iter().map(|&n| u128::from(n)).sum();
    if accounted != u128::from(commit.range.width()) {
        let [rows, rejected, filtered, gaps] = parts;
        return Err(inconsistent(format!(
            "its {} offsets are not {rows} rows + {rejected} rejected + {filtered} filtered + {gaps} gaps",
            commit.range.width()
        )));
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
