//! Accounts for every offset of a segment: each is a record that was taken, or lies in a gap. Pure.
//!
//! Invariant: `position - start = records + gap offsets`, and the position never moves backwards.

use meunier_catalog::GAPS_LISTED_MAX;
use meunier_segment::offset_range::{Offset, OffsetRange};

/// How far one partition was consumed since its last seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    start: Offset,
    position: Offset,
    records: u64,
    gap_offsets: u64,
    gaps: Vec<OffsetRange>,
}

/// What became of a segment's records, beside its rows and rejects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RecordCounts {
    /// Records that the table's filter left out.
    pub(crate) filtered: u64,
    /// Rows beyond the first of the records that became several.
    pub(crate) extra_rows: u64,
    /// Rows that were rolled up into others.
    pub(crate) merged_rows: u64,
}

impl Progress {
    pub(crate) fn new(start: Offset) -> Progress {
        Progress { start, position: start, records: 0, gap_offsets: 0, gaps: Vec::new() }
    }

    /// Takes the record at `offset`. Returns false for one that was taken before, which is to be dropped: a broker may
    /// send the records of a whole batch when only its tail was asked for.
    pub(crate) fn take_record(&mut self, offset: Offset) -> bool {
        if offset < self.position {
            return false;
        }
        self.skip_to(offset);
        self.position = Offset(offset.0 + 1);
        self.records += 1;
        true
    }

    /// Takes the word of the broker that nothing lies before `next` which was not delivered: what is between was
    /// compacted away, belongs to an aborted transaction, or is a transaction's marker.
    pub(crate) fn skip_to(&mut self, next: Offset) {
        if next <= self.position {
            return;
        }
        let gap = OffsetRange::new(self.position, next);
        self.gap_offsets += gap.width();
        let has_room = self.gaps.len() < GAPS_LISTED_MAX;
        match self.gaps.last_mut() {
            Some(last) if last.end == gap.start => last.end = gap.end,
            _ if has_room => self.gaps.push(gap),
            _ => {}
        }
        self.position = next;
    }

    /// Returns the first offset not consumed.
    pub(crate) fn position(&self) -> Offset {
        self.position
    }

    /// Returns the offsets consumed.
    pub(crate) fn range(&self) -> OffsetRange {
        OffsetRange::new(self.start, self.position)
    }

    /// Returns how many offsets hold no record.
    pub(crate) fn gap_offsets(&self) -> u64 {
        self.gap_offsets
    }

    /// Returns the gaps in order, as many as the ledger lists.
    pub(crate) fn gaps(&self) -> &[OffsetRange] {
        &self.gaps
    }

    /// Ends the segment: returns what was consumed and starts anew at the position.
    pub(crate) fn seal(&mut self) -> Progress {
        debug_assert_eq!(self.range().width(), self.records + self.gap_offsets);
        std::mem::replace(self, Progress::new(self.position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_is_a_record_or_in_a_gap() {
        let mut progress = Progress::new(Offset(10));
        assert!(progress.take_record(Offset(10)));
        assert!(!progress.take_record(Offset(10)), "taken before");
        assert!(progress.take_record(Offset(14)));
        progress.skip_to(Offset(16));
        progress.skip_to(Offset(18));
        progress.skip_to(Offset(3));
        assert_eq!(progress.range(), OffsetRange::new(Offset(10), Offset(18)));
        assert_eq!(progress.gap_offsets(), 6);
        let gap = |start, end| OffsetRange::new(Offset(start), Offset(end));
        assert_eq!(progress.gaps(), [gap(11, 14), gap(15, 18)]);

        let sealed = progress.seal();
        assert_eq!(sealed.range(), OffsetRange::new(Offset(10), Offset(18)));
        assert_eq!(progress, Progress::new(Offset(18)));
    }
}
